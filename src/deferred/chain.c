/* The chain: running levels, and handing results from one deferred to the next.
 *
 * One loop does it all.  It runs the levels of a deferred; where another waits, it hands the result over and
 * goes on with that one, and comes back to the first when that has been done.  What it will come back to lies
 * on a stack that is linked through the deferreds themselves: a chain of any length needs one frame and no
 * memory. */
#include <string.h>

#include <deferred/deferred.h>

/* Deferreds that a run will come back to.  Runs nest: a callback may fire another deferred. */
struct fate__stack {
    fate_deferred *top;
    struct fate__stack *outer;
    bool is_known; /* is on the reactor's list of stacks */
};

static void set_flag(fate_deferred *d, unsigned flag)
{
    d->flags |= (uint16_t)flag;
}

static void clear_flag(fate_deferred *d, unsigned flag)
{
    d->flags &= (uint16_t)~flag;
}

/* ---- Calling ---- */

static _Noreturn void returned_untaken(const char *what, const char *site)
{
    fate__stop(
        site,
        "the callback returned *%s, which is only lent to it (ownership, rule 1). Return fate_take(%s) to "
        "pass it on, or fate_copy(%s) to keep it as well.",
        what, what, what);
}

static void check_returned(const fate_value *out, const fate_value *result, const fate_value *arg,
                           const char *site)
{
    if (fate__returned_untaken(out, result))
        returned_untaken("result", site);
    if (fate__returned_untaken(out, arg))
        returned_untaken("arg", site);
    if (out->type->is_lent)
        returned_untaken("a value that was lent", site);
}

static inline void set_result(fate_deferred *d, fate_value v)
{
    fate_value old = fate__load(&d->result);

    if (fate__unlikely(d->flags & FATE__ANSWERED))
        clear_flag(d, FATE__ANSWERED);
    fate__store(&d->result, v);
    if (old.type && old.type->is_counted)
        fate_drop(old);
}

static void follow(fate_deferred *d, fate_deferred *inner, const char *site);

/* What a callback returned is counted, or a follow. */
static void take_returned(fate_deferred *d, fate_value out, const void *input, fate_value *arg,
                          const char *site)
{
    if (out.type->kind == FATE_KIND_FOLLOW) {
        fate_drop(*arg);
        *arg = fate_none();
        set_result(d, fate_none());
        follow(d, out.as.p, site);
        return;
    }
    check_returned(&out, &d->result, arg, site);
    bool passes = out.type->kind == FATE_KIND_FAILURE && out.as.p == input;
    bool was_answered = passes && (d->flags & FATE__ANSWERED);
    set_result(d, out);
    if (passes)
        fate__failure_past(&d->result, site);
    if (was_answered)
        set_flag(d, FATE__ANSWERED);
}

static inline void call(fate_deferred *d, fate_callback *callback, fate_value *arg, const char *site)
{
    if (fate__unlikely(fate__is_no_memory(arg))) {
        set_result(d, fate__no_memory());
        return;
    }
    /* While a failure is answered for, it must not be taken for a new one that came to lie at its address. */
    const fate_value guard = fate__unlikely(d->flags & FATE__ANSWERED) ? fate_copy(&d->result) : fate_none();
    const void *input = d->result.as.p;
    fate__lend(&d->result);
    fate__lend(arg);
    fate_value out = callback(&d->result, arg);
    fate__unlend(&d->result);
    fate__unlend(arg);
    if (fate__likely(fate__is_simple(&out)))
        set_result(d, out);
    else
        take_returned(d, out, input, arg, site);
    if (fate__unlikely(guard.type != NULL))
        fate_drop(guard);
}

/* ---- One level ---- */

/* The level is passed without being called. */
static void pass(fate_deferred *d, const char *site)
{
    if (fate_is_failure(&d->result))
        fate__failure_past(&d->result, site);
}

static void run_pair(fate_deferred *d, unsigned kind, struct fate__level level[])
{
    unsigned side = fate_is_failure(&d->result) ? 1 : 0;
    fate_value *arg = kind == FATE__PAIR ? &level[side].arg : &level[0].arg;

    if (level[side].as.call)
        call(d, level[side].as.call, arg, level[side].site);
    else
        pass(d, level[1 - side].site);
    fate_drop(level[0].arg);
    fate_drop(level[1].arg);
}

static void run_trap(fate_deferred *d, struct fate__level level[])
{
    if (fate_is(&d->result, level[1].as.class))
        call(d, level[0].as.call, &level[0].arg, level[0].site);
    else
        pass(d, level[0].site);
    fate_drop(level[0].arg);
}

static inline void run_one_sided(fate_deferred *d, unsigned kind, fate_callback *callback, const char *site,
                                 fate_value arg)
{
    unsigned side = fate_is_failure(&d->result) ? FATE__ERRBACK : FATE__CALLBACK;

    if (fate__likely(kind == side || kind == FATE__BOTH))
        call(d, callback, &arg, site);
    else
        pass(d, site);
    if (arg.type && arg.type->is_counted)
        fate_drop(arg);
}

/* Runs one level of d, which counts as running.  Returns a deferred that it has fired and that runs before d
 * goes on. */
static fate_deferred *step_untraced(fate_deferred *d, unsigned kind, struct fate__level level[])
{
    switch (kind) {
    case FATE__CALLBACK:
    case FATE__ERRBACK:
    case FATE__BOTH:
        run_one_sided(d, kind, level->as.call, level->site, fate__load(&level->arg));
        return NULL;
    case FATE__NATIVE:
        return level->as.native->run(d, level);
    case FATE__TRAP:
        run_trap(d, level);
        return NULL;
    case FATE__LOST:
        set_result(d, fate__no_memory());
        return NULL;
    default:
        run_pair(d, kind, level);
        return NULL;
    }
}

static fate_deferred *step(fate_deferred *d, unsigned kind, struct fate__level level[])
{
    if (fate__likely(!(d->marks & FATE__TRACED)))
        return step_untraced(d, kind, level);

    struct fate__turns *turns = fate__turns_of(d);
    turns->tracer->before(d, kind, level);
    fate_deferred *next = step_untraced(d, kind, level);
    if (d->marks & FATE__TRACED) /* it may be so no more */
        turns->tracer->after(d);
    return next;
}

/* ---- Waiting ---- */

static void unstack(fate_deferred *d)
{
    for (struct fate__stack *stack = fate__turns_of(d)->stacks; stack; stack = stack->outer)
        for (fate_deferred **at = &stack->top; *at; at = &(*at)->link)
            if (*at == d) {
                *at = d->link;
                clear_flag(d, FATE__STACKED);
                return;
            }
    fate__never("a stacked deferred is on a stack");
}

/* d joins those that wait for inner: after the levels that inner has now. */
static void begin_to_wait(fate_deferred *d, fate_deferred *inner)
{
    fate__leave_sweep(d);
    fate__leave_sweep(inner);
    if (d->flags & FATE__STACKED)
        unstack(d);

    fate_deferred *last = inner->waiters;
    d->wait.before = last ? last->wait.behind : fate__level_places(inner);
    d->wait.behind = 0;
    d->wait.on = inner;
    d->link = last ? last->link : d;
    if (last)
        last->link = d;
    inner->waiters = d;
    clear_flag(d, FATE__ARMED | FATE__ANSWERED);
    set_flag(d, FATE__WAITING);
    fate__hold(inner);
}

static fate_deferred *first_waiter(const fate_deferred *inner)
{
    return inner->waiters->link;
}

static void remove_first_waiter(fate_deferred *inner)
{
    fate_deferred *first = first_waiter(inner);

    if (first == inner->waiters)
        inner->waiters = NULL;
    else
        inner->waiters->link = first->link;
}

static bool is_ring(const fate_deferred *d, const fate_deferred *inner)
{
    if (d == inner)
        return true;
    if (!d->waiters || (d->flags & FATE__SWEPT))
        return false;
    while (inner->flags & FATE__WAITING) {
        inner = inner->wait.on;
        if (inner == d)
            return true;
    }
    return false;
}

static void refuse_ring(fate_deferred *d, fate_deferred *inner, const char *site)
{
    const char *what = d == inner
                           ? "a deferred cannot follow itself: its result would come from itself"
                           : "the deferred that was followed waits, in a ring, for the one that followed it";

    fate__warn(fate__turns_of(d), site, "%s", what);
    set_result(d, fate__raise(site, &FATE_FOLLOW_ERROR, "%s", what));
}

/* inner was given with fate_follow: unless somebody holds it, it goes as soon as nothing is left to do for
 * it. */
static void give_up(fate_deferred *inner)
{
    if (inner->holds)
        return;
    set_flag(inner, FATE__FORGOTTEN);
    fate__settle(inner);
}

/* inner's result moves out. */
static fate_value move_result(fate_deferred *inner)
{
    fate_value v = fate__load(&inner->result);
    inner->result = fate_none();
    clear_flag(inner, FATE__ARMED | FATE__ANSWERED);
    return v;
}

static inline void trace_followed(fate_deferred *d, fate_deferred *inner)
{
    if (fate__unlikely(d->marks & FATE__TRACED))
        fate__turns_of(d)->tracer->followed(d, inner);
}

/* The level's own deferred takes inner's result, now or when there is one (R36, R37). */
static void follow(fate_deferred *d, fate_deferred *inner, const char *site)
{
    if (!fate__check(inner, "fate_follow", site)) {
        set_result(d, fate__no_memory());
        return;
    }
    if (fate__is_no_memory_deferred(d)) {
        give_up(inner);
        return;
    }
    fate_value v;
    if (!(d->marks & FATE__TRACED) && fate__take_swept(inner, &v)) {
        set_result(d, v);
        return;
    }
    if (is_ring(d, inner)) {
        refuse_ring(d, inner, site);
        return;
    }
    trace_followed(d, inner);
    if (!fate__can_run(inner)) {
        begin_to_wait(d, inner);
        return;
    }
    set_result(d, move_result(inner));
    give_up(inner);
}

void fate__become(fate_deferred *d, fate_value out, const char *site)
{
    if (out.type && out.type->kind == FATE_KIND_FOLLOW) {
        set_result(d, fate_none());
        follow(d, out.as.p, site);
    } else {
        fate__check_given(&out, "the function's return", site);
        set_result(d, out);
    }
}

void fate__call_level(fate_deferred *d, fate_callback *callback, fate_value *arg, const char *site)
{
    call(d, callback, arg, site);
}

bool fate__take_now(fate_deferred *inner, fate_value *ret_v)
{
    if (!fate__is_idle(inner))
        return false;
    *ret_v = move_result(inner);
    give_up(inner);
    return true;
}

bool fate__await(fate_deferred *d, fate_deferred *inner)
{
    if (is_ring(d, inner)) {
        give_up(inner);
        return false;
    }
    begin_to_wait(d, inner);
    return true;
}

fate_deferred *fate__follow_busy(fate_deferred *d, fate_deferred *inner, const char *site)
{
    if (is_ring(d, inner)) {
        refuse_ring(d, inner, site);
        return NULL;
    }
    trace_followed(d, inner);
    begin_to_wait(d, inner);
    return fate__can_run(inner) ? inner : NULL;
}

/* ---- The loop ---- */

/* inner's first waiter gets its result (R39).  Returns it when it is to run now. */
static fate_deferred *hand_over(fate_deferred *inner)
{
    fate_deferred *outer = first_waiter(inner);

    remove_first_waiter(inner);
    clear_flag(outer, FATE__WAITING);
    outer->result = move_result(inner);
    if (outer->marks & FATE__TRACED)
        fate__turns_of(outer)->tracer->got(outer);
    if (--inner->holds == 0)
        set_flag(inner, FATE__FORGOTTEN);
    if (!outer->pauses)
        return outer;
    fate__settle(outer);
    return NULL;
}

static inline bool is_one_sided(unsigned kind)
{
    return kind <= FATE__BOTH;
}

static inline bool is_for_values(unsigned kind)
{
    return kind == FATE__CALLBACK || kind == FATE__BOTH;
}

/* Takes out the first level if it is such a one; false: it is not so. */
static inline bool take_if(fate_deferred *d, bool (*is_such)(unsigned kind), unsigned *ret_kind,
                           struct fate__level *ret_level)
{
    if (fate__likely(d->next != d->n)) {
        *ret_kind = d->kinds[d->next];
        if (!is_such(*ret_kind))
            return false;
        fate__level_copy(ret_level, &d->places[d->next]);
        if (++d->next == d->n)
            d->next = d->n = 0;
        return true;
    }
    if (!(d->flags & FATE__MORE))
        return false;
    struct fate__more *block = d->more;
    *ret_kind = block->kinds[block->begin];
    if (!is_such(*ret_kind))
        return false;
    fate__level_copy(ret_level, &block->levels[block->begin]);
    if (++block->begin == block->end)
        fate__level_drop_block(d);
    return true;
}

/* Runs the first level if it is a one-sided one and nobody's turn is before it; false: it is not so. */
static inline bool step_plain(fate_deferred *d)
{
    fate_deferred *waiter = d->waiters ? first_waiter(d) : NULL;
    struct fate__level level;
    unsigned kind;

    if ((waiter && waiter->wait.before == 0) || (d->marks & FATE__TRACED))
        return false;
    if (!take_if(d, is_one_sided, &kind, &level))
        return false;
    if (waiter)
        waiter->wait.before--;
    run_one_sided(d, kind, level.as.call, level.site, fate__load(&level.arg));
    return true;
}

/* The first waiter is a coroutine: its body goes on as one of d's levels.  Returns its deferred when that is
 * to run now. */
static fate_deferred *resume_waiter(fate_deferred *d)
{
    struct fate__turns *turns = fate__turns_of(d);
    fate_deferred *waiter = first_waiter(d);

    remove_first_waiter(d);
    clear_flag(waiter, FATE__WAITING);
    waiter->result = fate_none();
    fate_value v = move_result(d);
    if (--d->holds == 0)
        set_flag(d, FATE__FORGOTTEN);
    turns->n_resumed++;
    return turns->resume(waiter, v);
}

/* Runs d's levels, d counting as running, until none is left, it waits, is paused, or another is to run
 * first, which is returned. */
static fate_deferred *run_levels(fate_deferred *d)
{
    struct fate__level level[2];
    unsigned kind;

    while (!d->pauses && !(d->flags & FATE__WAITING)) {
        if (step_plain(d))
            continue;
        if (d->waiters && first_waiter(d)->wait.before == 0) {
            if (first_waiter(d)->marks & FATE__COROUTINE) {
                fate_deferred *next = resume_waiter(d);
                if (next)
                    return next;
                continue;
            }
            clear_flag(d, FATE__RUNNING); /* while its waiter runs d does not count as running (R261) */
            fate_deferred *outer = hand_over(d);
            if (outer)
                return outer;
            set_flag(d, FATE__RUNNING);
            continue;
        }
        if (!fate__level_pop(d, &kind, level))
            break;
        if (d->waiters)
            first_waiter(d)->wait.before -= fate__places_of(kind);
        fate_deferred *next = step(d, kind, level);
        if (next)
            return next;
    }
    clear_flag(d, FATE__RUNNING);
    return NULL;
}

static void push(struct fate__turns *turns, struct fate__stack *stack, fate_deferred *d)
{
    if (!stack->is_known) {
        stack->is_known = true;
        stack->outer = turns->stacks;
        turns->stacks = stack;
    }
    fate__leave_sweep(d);
    if (d->flags & FATE__STACKED) /* of an outer run, which need not come back to it after this one */
        unstack(d);
    set_flag(d, FATE__STACKED);
    d->link = stack->top;
    stack->top = d;
}

static fate_deferred *pop(struct fate__turns *turns, struct fate__stack *stack)
{
    fate_deferred *d = stack->top;

    if (d) {
        stack->top = d->link;
        clear_flag(d, FATE__STACKED | FATE__RUNNING);
    } else if (stack->is_known) {
        turns->stacks = stack->outer;
    }
    return d;
}

/* Nothing more happens to d for now: notes what its run has left (R90). */
static void end_run(fate_deferred *d)
{
    if (!(d->flags & FATE__WAITING) && !fate__has_levels(d)) {
        if (fate_is_failure(&d->result))
            set_flag(d, FATE__ARMED);
        else
            clear_flag(d, FATE__ARMED);
    }
    fate__settle(d);
}

static bool has_more_to_do(fate_deferred *d)
{
    if (d->flags & FATE__WAITING) {
        clear_flag(d, FATE__RUNNING);
        return false;
    }
    return (d->flags & FATE__RUNNING) || fate__has_levels(d) || d->waiters;
}

/* ---- On a coroutine's stack: callbacks run on the reactor's ---- */

struct run_call {
    fate_deferred *d;
    unsigned kind;
    struct fate__level *level;
};

static void run_outside(void *arg)
{
    fate__run(((struct run_call *)arg)->d);
}

static void run_level_outside(void *arg)
{
    struct run_call *call = arg;
    fate__run_level(call->d, call->kind, call->level);
}

static void run_on_no_memory_outside(void *arg)
{
    struct run_call *call = arg;
    fate__run_on_no_memory(call->d, call->kind, call->level);
}

/* Has the call been carried out on the reactor's stack? */
static inline bool has_gone_outside(void (*fn)(void *), fate_deferred *d, unsigned kind,
                                    struct fate__level *level)
{
    struct fate__turns *turns = fate__turns_of(d);

    if (fate__likely(!turns->outside))
        return false;
    struct run_call call = { d, kind, level };
    turns->outside(turns, fn, &call);
    return true;
}

/* ---- Running ---- */

static void run(fate_deferred *d, fate_deferred *next)
{
    struct fate__turns *turns = fate__turns_of(d);
    struct fate__stack stack = { NULL, NULL, false };

    for (;;) {
        if (!next) {
            fate__leave_sweep(d);
            set_flag(d, FATE__RUNNING);
            next = run_levels(d);
        }
        if (next) {
            if (has_more_to_do(d))
                push(turns, &stack, d);
            else
                end_run(d);
            d = next;
            next = NULL;
            continue;
        }
        end_run(d);
        d = pop(turns, &stack);
        if (!d)
            return;
    }
}

void fate__run(fate_deferred *d)
{
    if (!fate__has_levels(d) && (!d->waiters || (d->flags & FATE__SWEPT)))
        end_run(d);
    else if (!has_gone_outside(run_outside, d, 0, NULL))
        run(d, NULL);
}

/* d counts as running.  Does nothing bear on it but its levels? */
static inline bool is_at_ease(const fate_deferred *d)
{
    return (d->flags & ~(unsigned)FATE__MORE) == (FATE__FIRED | FATE__RUNNING) && !d->pauses && !d->waiters &&
           !(d->marks & FATE__TRACED);
}

static inline void drop_counted(const fate_value *v)
{
    if (v->type && fate__unlikely(v->type->is_counted))
        fate_drop(*v);
}

/* Calls one of the user's callbacks where d is at ease and its result no failure.  Returns whether the new
 * one is there, and none either. */
static inline bool call_simply(fate_deferred *d, fate_callback *callback, fate_value *arg, const char *site)
{
    if (fate__unlikely(fate__is_no_memory(arg))) {
        set_result(d, fate__no_memory());
        return false;
    }
    fate__lend(&d->result);
    fate__lend(arg);
    fate_value out = callback(&d->result, arg);
    fate__unlend(&d->result);
    fate__unlend(arg);
    if (fate__unlikely(!fate__is_simple(&out))) {
        take_returned(d, out, NULL, arg, site);
        drop_counted(arg);
        return !(d->flags & FATE__WAITING) && !fate_is_failure(&d->result);
    }
    const fate_value old = fate__load(&d->result);
    fate__store(&d->result, out);
    drop_counted(&old);
    drop_counted(arg);
    return true;
}

/* Runs the levels in front as long as nothing but callbacks bears on d, and they get no failure, which is
 * what mostly happens.  True: d has run them all, and its result is no failure. */
static inline bool run_simply(fate_deferred *d)
{
    if (fate_is_failure(&d->result))
        return false;
    while (fate__likely(is_at_ease(d))) {
        struct fate__level level;
        unsigned kind;
        if (!fate__has_levels(d))
            return true;
        if (fate__unlikely(!take_if(d, is_for_values, &kind, &level)))
            return false;
        fate_value arg = fate__load(&level.arg);
        if (fate__unlikely(!call_simply(d, level.as.call, &arg, level.site)))
            return false;
    }
    return false;
}

/* Runs d's levels, d counting as running.  Mostly that is simple, and d is done then.  Returns 0, for
 * fate_fire. */
static int run_fired(struct fate__turns *turns, fate_deferred *d)
{
    if (fate__likely(run_simply(d) && fate__is_simple(&d->result))) {
        d->flags = FATE__FIRED;
        if (d->holds == 0)
            fate__join_sweep(turns, d);
    } else if (d->flags & FATE__WAITING) {
        clear_flag(d, FATE__RUNNING);
    } else {
        run(d, NULL);
    }
    return 0;
}

void fate__run_fresh(fate_deferred *d)
{
    if (has_gone_outside(run_outside, d, 0, NULL))
        return;
    set_flag(d, FATE__RUNNING);
    run_fired(fate__turns_of(d), d);
}

/* ---- Firing what is mostly fired ---- */

/* Is d alive, with no more to it than its levels? */
static inline bool is_untouched(const fate_deferred *d)
{
    return d->magic == FATE__ALIVE && (d->flags & ~(unsigned)FATE__MORE) == 0 && !d->pauses && !d->marks &&
           d->next == 0;
}

/* d was fired, and a coroutine was all that waited for it; its body has gone on, and next, its deferred, is
 * to run if it is not NULL.  Mostly d is not needed any more.  Returns 0. */
int fate__end_awaited(fate_deferred *d, fate_deferred *next)
{
    bool is_plain = !next && d->flags == (FATE__FIRED | FATE__RUNNING | FATE__FORGOTTEN) && !d->waiters &&
                    !d->holds && d->n == 0 && !d->result.type;

    if (fate__likely(is_plain && !d->pauses && !d->marks)) {
        d->magic = FATE__FREED;
        fate__slab_give(&fate__turns_of(d)->deferreds, d);
        return 0;
    }
    if (!next)
        clear_flag(d, FATE__RUNNING);
    run(d, next);
    return 0;
}

/* A coroutine is all that waits for d, which is untouched but for that: its body goes on with the value.
 * Calls and returns are few here, since after a change of stacks the processor mistakes each return. */
static int fire_awaited(struct fate__turns *turns, fate_deferred *d, fate_value v)
{
    fate_deferred *waiter = d->waiters;

    d->waiters = NULL;
    waiter->flags &= (uint16_t)~FATE__WAITING;
    waiter->result = fate_none();
    d->flags = --d->holds == 0 ? FATE__FIRED | FATE__RUNNING | FATE__FORGOTTEN : FATE__FIRED | FATE__RUNNING;
    turns->n_resumed++;
    return turns->resume_fired(waiter, v, d);
}

static inline bool is_awaited_only(const fate_deferred *d)
{
    return d->n == 0 && !(d->flags & FATE__MORE) && d->waiters->link == d->waiters &&
           (d->waiters->marks & FATE__COROUTINE);
}

/* As with adding, what is rare is left to others. */
int fate_fire_at(fate_deferred *d, fate_value value_or_failure, const char *site)
{
    bool may_be = fate__may_be_given(&value_or_failure) && d && !fate__slab_is_poisoned(d);

    if (fate__unlikely(!may_be || !is_untouched(d)))
        return fate__fire_slowly(d, value_or_failure, site);
    struct fate__turns *turns = fate__turns_of(d);
    if (fate__unlikely(turns->outside))
        return fate__fire_slowly(d, value_or_failure, site);
    if (d->waiters && is_awaited_only(d))
        return fire_awaited(turns, d, value_or_failure);
    d->flags |= FATE__FIRED | FATE__RUNNING;
    fate__store(&d->result, value_or_failure);
    if (d->n < FATE__PLACES) {
        d->places[FATE__PLACES - 1].site = site;
        d->marks = FATE__KNOWS_FIRE;
    }
    return run_fired(turns, d);
}

/* The NO_MEMORY deferred stores nothing: the level sees the failure at once, and what it makes of it is
 * dropped. */
void fate__run_on_no_memory(fate_deferred *d, unsigned kind, struct fate__level level[])
{
    if (has_gone_outside(run_on_no_memory_outside, d, kind, level))
        return;
    fate_deferred *next = step(d, kind, level);
    fate_value left = fate_take(&d->result);
    d->result = fate__no_memory();
    if (next)
        run(next, NULL);
    fate_drop(left);
}

void fate__run_level(fate_deferred *d, unsigned kind, struct fate__level level[])
{
    if (has_gone_outside(run_level_outside, d, kind, level))
        return;
    fate__leave_sweep(d);
    set_flag(d, FATE__RUNNING);
    fate_deferred *next = step(d, kind, level);
    if (next || !(d->flags & FATE__WAITING))
        run(d, next);
    else
        clear_flag(d, FATE__RUNNING);
}
