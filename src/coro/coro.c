/* Coroutines: starting, resuming, awaiting, ending. */
#include <coro/coro.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/alloc.h>
#include <base/options.h>

#define AWAITS_AT_END_MAX 100

_Static_assert(offsetof(struct fate_coro, hub) == 0, "the assembly finds the hub in the first word");

const struct fate__switcher *fate__choose_switcher(void)
{
#ifdef FATE__HAS_OWN_SWITCH
    const char *wanted = getenv("FATE_CORO");
    if (!wanted || strcmp(wanted, "ucontext") != 0)
        return &fate__switcher_own;
#endif
    return &fate__switcher_ucontext;
}

/* ---- Going back and forth ---- */

/* From the coroutine's stack to the reactor's, until the coroutine is entered again.  Returns what it is
 * given then. */
static inline fate_value leave(fate_coro *co)
{
    fate__fiber_leave(&co->fiber, &co->hub_fiber, false);
    fate_value given = co->coros->switcher->go(&co->context, co->hub, fate_none());
    fate__fiber_arrive(&co->fiber, &co->hub_fiber);
    return given;
}

/* Carries fn(arg) out on the reactor's stack. */
static void go_outside(struct fate__turns *turns, void (*fn)(void *), void *arg)
{
    fate_coro *co = ((struct fate__coros *)turns->coros)->current;

    co->request = fn;
    co->request_arg = arg;
    leave(co);
}

/* A stack for which there was no guard: its overflow is found out when it is left. */
static void check_canary(const fate_coro *co)
{
    if (!fate__stack_is_whole(&co->stack))
        fate__stop(co->site,
                   "the coroutine %s has overflowed its stack of %zu bytes. Start it with fate_go_with(…, "
                   ".stack_bytes = …), or keep large arrays elsewhere.",
                   fate_coro_name(co), fate_coro_stack_bytes(co));
}

/* The failure that co is given, having gone past the place where it awaits. */
static fate__apart fate_value past_await(const fate_coro *co, fate_value failure)
{
    fate__failure_past(&failure, co->await_site);
    return failure;
}

/* From the reactor's stack to the coroutine's, which is given that, until it is left. */
static inline void enter(fate_coro *co, fate_value given)
{
    struct fate__coros *coros = co->coros;
    struct fate__turns *turns = coros->owned.turns;
    fate_coro *before = fate__running;

    if (fate__unlikely(fate_is_failure(&given)))
        given = past_await(co, given);
    coros->current = co;
    turns->outside = go_outside;
    fate__running = co;
    fate__fiber_leave(&co->hub_fiber, &co->fiber, false);
    fate__switch_here(coros->switcher, &co->hub, co->context, given);
    fate__fiber_arrive(&co->hub_fiber, &co->fiber);
    fate__running = before;
    if (fate__unlikely(co->stack.guard == FATE__UNGUARDED))
        check_canary(co);
    turns->outside = NULL;
    coros->current = NULL;
}

/* ---- Life ---- */

static void run_exits(fate_coro *co)
{
    while (co->exits) {
        struct fate__exit *one = co->exits;
        co->exits = one->next;
        one->action(&one->arg);
        fate_drop(fate_take(&one->arg));
        fate__free(one);
    }
}

static void give_memory(fate_coro *co)
{
    const struct fate__stack_memory stack = co->stack; /* it lies there itself */

    fate__list_remove(&co->link);
    fate__stack_give(&co->coros->stacks, &stack);
}

/* The stack, and with it the coroutine, is free again. */
static void free_coro(fate_coro *co)
{
    struct fate__coros *coros = co->coros;

    co->d = NULL;
    fate__fiber_free(&co->fiber);
    fate__stack_rest(&co->stack);
    if (co->stack.is_common) {
        co->starter = coros->unused;
        coros->unused = co;
    } else {
        give_memory(co);
    }
}

/* The body will never go on: what it has asked for at its end is done all the same. */
static void tear_down(fate_coro *co)
{
    run_exits(co);
    fate_drop(fate_take(&co->arg));
    fate_drop(fate_take(&co->value));
    free_coro(co);
}

static void check_body_result(const fate_coro *co, const fate_value *out)
{
    if (fate__is_simple(out))
        return;
    if (fate__returned_untaken(out, &co->arg))
        fate__stop(co->site,
                   "the coroutine returned *arg, which is only lent to it (ownership, rule 1). Return "
                   "fate_take(arg), or fate_copy(arg) to keep it as well.");
    if (out->type->kind == FATE_KIND_FOLLOW)
        fate__stop(co->site,
                   "the coroutine returned fate_follow(d), which is for callbacks (R142). Write return "
                   "fate_await(co, d).");
    fate__check_given(out, "the coroutine's return", co->site);
}

static inline void run_body(fate_coro *co)
{
    fate__lend(&co->arg);
    fate_value out = co->body(co, &co->arg);
    fate__unlend(&co->arg);
    check_body_result(co, &out);
    if (co->exits)
        run_exits(co);
    if (!fate__is_simple(&co->arg))
        fate_drop(fate__move_out(&co->arg));
    if (fate_is_failure(&out))
        fate__failure_past(&out, co->site);
    fate__store(&co->value, fate__load(&out));
    co->has_ended = true;
}

/* The first frame on the coroutine's stack.  When the coroutine is used again it goes on here with the next
 * body. */
static void body_entry(void *arg)
{
    fate_coro *co = arg;

    fate__fiber_arrive(&co->fiber, &co->hub_fiber);
    do {
        run_body(co);
        co->is_at_end = true;
        fate__fiber_leave(&co->fiber, &co->hub_fiber, true);
        fate__switch_here(co->coros->switcher, &co->context, co->hub, fate_none());
    } while (fate__fiber_may_go_on());
    fate__never("a coroutine that has ended is not resumed");
}

/* Its value becomes its deferred's, which is returned when it is to run now. */
static fate_deferred *finish(fate_coro *co)
{
    fate_deferred *d = co->d;
    fate_value v = fate__move_out(&co->value);
    const char *site = co->site;

    free_coro(co);
    d->flags &= (uint16_t)~FATE__SOURCE;
    d->marks &= (uint8_t)~FATE__COROUTINE;
    if (fate__fire_simply(d, v, site))
        return NULL;
    return fate__accept(d, v, site);
}

/* What it awaits can run: its levels, then the coroutine's turn, then those behind.  Only after all of them
 * does the body go on, as if the value had been there at once (R140).  False: it waits all the same. */
static bool run_awaited(fate_coro *co)
{
    fate_deferred *awaited = co->run_first;

    if (!awaited)
        return false;
    co->run_first = NULL;
    co->is_running_awaited = true;
    fate__run(awaited);
    co->is_running_awaited = false;
    bool has_value = co->has_value;
    co->has_value = false;
    return has_value;
}

/* It has left its stack to wait or for good. */
static fate_deferred *has_left(fate_coro *co)
{
    return co->has_ended && !co->is_cancelling ? finish(co) : NULL;
}

/* co has left its stack: carries out what it has asked for, and lets it go on, until it waits or ends.  A
 * coroutine that it starts takes its place in this frame, so that starts may nest to any depth.  Returns its
 * deferred when that is to run now. */
static fate_deferred *carry_on(fate_coro *co)
{
    for (;;) {
        if (co->starts) {
            fate_coro *child = co->starts;
            co->starts = NULL;
            child->starter = co;
            co = child;
        } else if (co->request) {
            void (*request)(void *) = co->request;
            co->request = NULL;
            request(co->request_arg);
        } else if (!run_awaited(co)) {
            fate_coro *starter = co->starter;
            co->starter = NULL;
            fate_deferred *next = has_left(co);
            if (!starter)
                return next;
            if (next)
                fate__run(next);
            co = starter;
        }
        enter(co, fate__move_out(&co->value));
    }
}

/* Lets the body go on until it waits or ends.  Returns its deferred when that is to run now. */
static inline fate_deferred *resume(fate_coro *co, fate_value v)
{
    enter(co, v);
    if (co->starter)
        return carry_on(co);
    if (co->has_ended)
        return has_left(co);
    return co->request || co->starts || co->run_first ? carry_on(co) : NULL;
}

static fate_deferred *resume_deferred(fate_deferred *d, fate_value v)
{
    fate_coro *co = fate__source_data(d);

    if (!co->is_running_awaited)
        return resume(co, v);
    fate__store(&co->value, v);
    co->has_value = true;
    return NULL;
}

/* The same for a deferred that has just been fired, which nothing but d waits for. */
static int resume_fired(fate_deferred *d, fate_value v, fate_deferred *fired)
{
    fate_coro *co = fate__source_data(d);

    if (fate__likely(!co->is_running_awaited))
        return fate__end_awaited(fired, resume(co, v));
    fate__store(&co->value, v);
    co->has_value = true;
    return fate__end_awaited(fired, NULL);
}

/* ---- Cancelling ---- */

static fate_deferred *begin_cancel(fate_deferred *d, void *data, fate_deferred *above)
{
    fate_coro *co = data;

    if (co->is_cancelling || !(d->flags & FATE__WAITING))
        return NULL;
    co->is_cancelling = true;
    co->cancel_above = above;
    return d->wait.on;
}

static fate_deferred *end_cancel(fate_deferred *d, void *data)
{
    fate_coro *co = data;
    fate_deferred *above = co->cancel_above;

    co->is_cancelling = false;
    if (co->has_ended) {
        fate_deferred *next = finish(co);
        if (next)
            fate__run(next);
    }
    return above;
}

static bool cancel(fate_deferred *d, void *data, const char *site)
{
    return false;
}

static void gone(fate_deferred *d, void *data)
{
    tear_down(data);
}

static const struct fate__source coroutine = {
    .cancel = cancel, .gone = gone, .begin_cancel = begin_cancel, .end_cancel = end_cancel
};

/* ---- Starting ---- */

static void free_coros(struct fate__owned *owned)
{
    struct fate__coros *coros = (struct fate__coros *)owned;

    while (!fate__list_is_empty(&coros->all)) {
        fate_coro *co = fate_container_of(coros->all.next, fate_coro, link);
        if (co->d) {
            co->d->flags &= (uint16_t)~FATE__SOURCE;
            tear_down(co);
        } else {
            give_memory(co);
        }
    }
    coros->owned.turns->coros = NULL;
    fate__disown(&coros->owned);
    fate__stacks_done(&coros->stacks);
    fate__unwatch_overflows();
    fate__free(coros);
}

/* Each is seen with its deferred. */
static void look(struct fate__owned *owned, fate__see_fn *see, void *arg)
{
}

static const char *name_of(const fate_deferred *d)
{
    const fate_coro *co = fate__source_data(d);
    return co->given_name ? co->given_name : "";
}

static struct fate__coros *coros_of(fate_reactor *reactor)
{
    struct fate__turns *turns = fate__turns(reactor);

    if (turns->coros)
        return turns->coros;
    struct fate__coros *coros = fate__own(reactor, sizeof *coros, free_coros, "fate_go");
    if (coros->owned.is_no_memory)
        return NULL;
    /* Bodies may use locks and the like until their end, so they are the first to go. */
    fate__list_remove(&coros->owned.link);
    fate__list_add_first(&turns->owned, &coros->owned.link);
    coros->switcher = fate__choose_switcher();
    fate__stacks_init(&coros->stacks);
    fate__list_init(&coros->all);
    turns->coros = coros;
    turns->resume = resume_deferred;
    turns->coro_name = name_of;
    coros->owned.look = look;
    turns->resume_fired = resume_fired;
    fate__watch_overflows();
    return coros;
}

static fate_coro *reuse(struct fate__coros *coros)
{
    fate_coro *co = coros->unused;

    if (fate__on_block && !fate__on_block())
        return NULL;
    coros->unused = co->starter;
    return co;
}

/* On a stack that is new. */
static fate_coro *place(struct fate__coros *coros, size_t stack_bytes)
{
    struct fate__stack_memory stack;
    size_t more = (sizeof(fate_coro) + coros->switcher->context_bytes + 127) & ~(size_t)63;

    if (!fate__stack_take(&coros->stacks, stack_bytes, &stack))
        return NULL;
    fate_coro *co = (fate_coro *)(void *)(stack.top - more);
    co->coros = coros;
    co->stack = stack;
    co->d = NULL;
    co->is_at_end = false;
    fate__list_add_last(&coros->all, &co->link);
    return co;
}

/* As when it was first made, with a context that begins the body. */
static void begin_anew(fate_coro *co)
{
    const unsigned char *low = co->stack.low;

    memset(&co->d, 0, offsetof(fate_coro, is_at_end) - offsetof(fate_coro, d));
    fate__fiber_new(&co->fiber, low, (size_t)((const unsigned char *)co - low));
    co->context = co->coros->switcher->make(co, body_entry, co->stack.low, co, co + 1);
}

static fate_coro *new_coro(struct fate__coros *coros, const fate_go_options *options, const char *site)
{
    bool can_reuse = options->stack_bytes == 0 && coros->unused;
    fate_coro *co = can_reuse ? reuse(coros) : place(coros, options->stack_bytes);

    if (!co)
        return NULL;
    if (co->is_at_end && fate__fiber_may_go_on()) {
        co->starter = NULL;
        co->has_ended = false;
    } else {
        begin_anew(co);
    }
    co->is_at_end = false;
    co->site = site;
    co->given_name = options->name;
    return co;
}

/* d is not known to anyone yet, so it cannot go before this returns. */
static fate_deferred *start(struct fate__coros *coros, fate_coro *co, fate_deferred *d)
{
    fate_coro *starter = coros->current;

    if (starter) {
        starter->starts = co;
        leave(starter);
        return d;
    }
    fate_deferred *next = resume(co, fate_none());
    if (next)
        fate__run(next);
    return d;
}

fate_deferred *fate_go_at(fate_reactor *reactor, fate_coroutine *body, fate_value arg,
                          const fate_go_options *options, const char *site)
{
    fate_go_options o = { 0 };

    fate__check_reactor(reactor, "fate_go", site);
    fate__check_given(&arg, "fate_go", site);
    if (!body)
        fate__stop(site, "fate_go was given a NULL body.");
    fate__take_options(&o, sizeof o, options, "fate_go_with", site);
    if (fate__turns(reactor)->is_ending) {
        fate_drop(arg);
        return fate__library_deferred(reactor, site);
    }
    struct fate__coros *coros = fate__is_no_memory(&arg) ? NULL : coros_of(reactor);
    fate_coro *co = coros ? new_coro(coros, &o, site) : NULL;
    if (!co) {
        fate_drop(arg);
        return fate__hand_out_no_memory(fate__turns(reactor));
    }
    co->body = body;
    fate__store(&co->arg, arg);
    fate_deferred *d = fate__sourced(reactor, &coroutine, co, site);
    if (!(d->flags & FATE__SOURCE))
        return d; /* torn down already */
    co->d = d;
    d->marks |= FATE__COROUTINE;
    return start(coros, co, d);
}

/* ---- Awaiting ---- */

void fate__check_running(const fate_coro *co, const char *what, const char *site)
{
    if (fate__unlikely(!co || co->coros->current != co))
        fate__stop(
            site,
            "%s outside the coroutine that it was given: only a running body can wait, and only with its own "
            "co. In a callback return fate_follow(d) instead.",
            what);
}

/* While the reactor is being freed everything awaited fails at once; who goes on all the same would never
 * end. */
static void count_await_at_end(fate_coro *co, const char *site)
{
    if (co->n_awaits_at_end++ < AWAITS_AT_END_MAX)
        return;
    fate__stop(site,
               "the coroutine %s has awaited %d times since fate_reactor_free cancelled it. Return when an "
               "await gives "
               "a FATE_CANCELLED failure.",
               fate_coro_name(co), AWAITS_AT_END_MAX);
}

static fate__apart fate_value await_slowly(fate_coro *co, fate_deferred *d, const char *site)
{
    fate_value v;

    fate__check_running(co, "fate_await", site);
    if (!fate__check(d, "fate_await", site)) {
        co->coros->owned.turns->handed_no_memory = false;
        return fate__no_memory();
    }
    if (co->coros->owned.turns->is_ending)
        count_await_at_end(co, site);
    if (fate__take_swept(d, &v))
        return v;
    if (fate__take_now(d, &v)) {
        if (fate_is_failure(&v))
            fate__failure_past(&v, site);
        return v;
    }
    if (fate__turns_of(d) != co->coros->owned.turns)
        fate__stop(
            site,
            "fate_await of a deferred that belongs to another reactor than the coroutine. Each reactor is a "
            "thread's own; hand results over with fate_fire.");
    if (!fate__await(co->d, d))
        return fate__raise(site, &FATE_FOLLOW_ERROR,
                           "what is awaited waits for the coroutine that awaits it");
    if (fate__can_run(d))
        co->run_first = d;
    co->await_site = site;
    return leave(co);
}

/* Where co runs and nothing bears on d, leaving is all there is to do: the value comes back to who called
 * this. What is rare is left to await_slowly. */
fate_value fate_await_at(fate_coro *co, fate_deferred *d, const char *site)
{
    bool is_running = co && co->coros->current == co && d && !fate__slab_is_poisoned(d);

    if (fate__unlikely(!is_running || co->coros->owned.turns->is_ending ||
                       fate__turns_of(d) != co->coros->owned.turns || !fate__await_simply(co->d, d)))
        return await_slowly(co, d, site);
    co->await_site = site;
    return leave(co);
}
