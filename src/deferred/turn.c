/* Turns: who is done and not held goes at the end of one. */
#include <deferred/turn.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <base/alloc.h>
#include <base/text.h>
#include <deferred/deferred.h>

/* ---- Going ---- */

static bool is_done(const fate_deferred *d)
{
    if (d->flags & (FATE__RUNNING | FATE__STACKED | FATE__WAITING))
        return false;
    if (d->flags & FATE__ABANDONED)
        return true;
    return (d->flags & FATE__FIRED) && (!d->pauses || (d->marks & FATE__NO_PAUSES));
}

bool fate__is_over(const fate_deferred *d)
{
    return !d->holds && is_done(d);
}

struct report_call {
    struct fate__turns *turns;
    const fate_value *failure;
    const char *site;
};

static void report_outside(void *arg);

static void report(struct fate__turns *turns, const fate_value *failure, const char *site)
{
    const fate_unhandled what = { failure, site };

    if (turns->is_ending)
        return;
    if (turns->outside) {
        struct report_call call = { turns, failure, site };
        turns->outside(turns, report_outside, &call);
        return;
    }
    if (turns->unhandled) {
        fate_value arg = fate_copy(&turns->unhandled_arg); /* the hook may replace itself */
        turns->unhandled(&what, &arg);
        fate_drop(fate_take(&arg));
    } else if (turns->log)
        turns->log(turns, FATE__LOG_ERROR, failure, site, "Unhandled failure in deferred");
}

static void report_outside(void *arg)
{
    const struct report_call *call = arg;
    report(call->turns, call->failure, call->site);
}

static void report_result(fate_deferred *d)
{
    bool is_armed = (d->flags & (FATE__ARMED | FATE__ANSWERED)) == FATE__ARMED;

    if (!is_armed || !fate_is_failure(&d->result))
        return;
    d->flags &= (uint16_t)~FATE__ARMED;
    report(fate__turns_of(d), &d->result, fate__site_of(d));
}

static void drop_source(fate_deferred *d)
{
    const struct fate__level last = d->places[FATE__PLACES - 1];
    bool is_canceller = d->flags & FATE__CANCELLER;

    d->flags &= (uint16_t) ~(FATE__CANCELLER | FATE__SOURCE);
    if (is_canceller)
        fate_drop(last.arg);
    else if (last.as.source->gone)
        last.as.source->gone(d, last.arg.as.p);
}

/* Has it nothing in it that anyone must be told of? */
static inline bool is_empty(const fate_deferred *d)
{
    const unsigned others =
        FATE__ARMED | FATE__CANCELLER | FATE__SOURCE | FATE__MORE | FATE__HAS_LOST | FATE__SWALLOW;
    return !(d->flags & others) && !(d->marks & FATE__TRACED) && d->next == d->n &&
           !(d->result.type && d->result.type->is_counted);
}

/* Nobody can reach d any more, but for the producer of a cancelled one, whose late firing needs the bare
 * block. */
static void let_go(fate_deferred *d)
{
    struct fate__turns *turns = fate__turns_of(d);

    if (fate__likely(is_empty(d))) {
        d->magic = FATE__FREED;
        fate__slab_give(&turns->deferreds, d);
        return;
    }
    d->magic = FATE__GOING; /* what is dropped now may be code of the user's, which must not find it */
    if (d->marks & FATE__TRACED)
        turns->tracer->gone(d);
    report_result(d);
    if (d->flags & (FATE__CANCELLER | FATE__SOURCE))
        drop_source(d);
    if (fate__has_levels(d))
        fate__levels_drop(d);
    fate_value result = d->result;
    if (result.type && result.type->is_counted) {
        d->result = fate_none();
        fate_drop(result);
    }
    if ((d->flags & (FATE__SWALLOW | FATE__ABANDONED)) == FATE__SWALLOW) {
        d->magic = FATE__BARE;
        return;
    }
    d->magic = FATE__FREED;
    fate__slab_give(&turns->deferreds, d);
}

void fate__unlink_swept(fate_deferred *d)
{
    struct fate__turns *turns = fate__turns_of(d);
    fate_deferred *next = d->link;
    fate_deferred *previous = d->waiters;

    if (next)
        next->waiters = previous;
    else
        turns->sweep_last = previous;
    if (previous)
        previous->link = next;
    else
        turns->sweep_first = next;
    d->flags &= (uint16_t)~FATE__SWEPT;
    d->link = d->waiters = NULL;
}

/* Is d on the sweep list, done and without anything in it that must be dropped or told of? */
static inline bool is_simply_done(const fate_deferred *d)
{
    unsigned flags = d->flags & ~(unsigned)FATE__LIBRARY;

    return flags == (FATE__FIRED | FATE__SWEPT) && !d->holds && !d->pauses && !(d->marks & FATE__TRACED) &&
           (!d->result.type || d->result.type->is_simple);
}

bool fate__take_swept(fate_deferred *d, fate_value *ret_v)
{
    if (!is_simply_done(d))
        return false;
    *ret_v = fate__load(&d->result);
    fate__unlink_swept(d);
    d->magic = FATE__FREED;
    fate__slab_give(&fate__turns_of(d)->deferreds, d);
    return true;
}

void fate__settle(fate_deferred *d)
{
    if (d->holds || !is_done(d))
        return;
    if (d->flags & FATE__FORGOTTEN) {
        fate__leave_sweep(d);
        let_go(d);
    } else if (!(d->flags & FATE__SWEPT)) {
        fate__join_sweep(fate__turns_of(d), d);
    }
}

static void take_first(struct fate__turns *turns, fate_deferred *d)
{
    fate_deferred *next = d->link;

    turns->sweep_first = next;
    if (next)
        next->waiters = NULL;
    else
        turns->sweep_last = NULL;
}

/* As most are like that, they are let go together: their links serve the slab as well. */
static void sweep_simple(struct fate__turns *turns)
{
    fate_deferred *first = turns->sweep_first, *next = first, *d = first;
    unsigned n = 0;

    for (; next && n < FATE__REST && is_simply_done(next); n++) {
        d = next;
        d->magic = FATE__FREED;
        next = d->link;
    }
    if (n == 0)
        return;
    take_first(turns, d);
    fate__slab_give_list(&turns->deferreds, first, d, n);
}

static inline void sweep_list(struct fate__turns *turns)
{
    fate_deferred *d;

    for (sweep_simple(turns); (d = turns->sweep_first); sweep_simple(turns)) {
        take_first(turns, d);
        d->flags &= (uint16_t)~FATE__SWEPT;
        d->link = d->waiters = NULL;
        if (!d->holds && is_done(d))
            let_go(d);
    }
}

/* ---- What is to be done once, at the end of the turn ---- */

void fate__turn_end_add(struct fate__turns *turns, struct fate__turn_end *end)
{
    if (fate__is_linked(&end->link))
        return;
    fate__assert(end->go);
    fate__list_add_last(&turns->ends, &end->link);
    turns->has_ends = true;
    if (fate__unlikely(turns->has_to_sweep && !turns->is_inside))
        turns->has_to_sweep(turns);
}

void fate__turn_end_remove(struct fate__turn_end *end)
{
    if (fate__is_linked(&end->link))
        fate__list_remove(&end->link);
}

static fate__apart void call_ends(struct fate__turns *turns)
{
    while (!fate__list_is_empty(&turns->ends)) {
        struct fate__turn_end *end = fate_container_of(turns->ends.next, struct fate__turn_end, link);
        fate__list_remove(&end->link);
        end->go(end);
    }
    turns->has_ends = false;
}

/* After a sweep, in which code of the program's may have been called.  The want of memory is told last and
 * once: whoever is told of it may lack memory again, and would be told for ever. */
static fate__apart void end_others(struct fate__turns *turns)
{
    while (turns->has_ends) {
        call_ends(turns);
        sweep_list(turns);
    }
    if (turns->handed_no_memory) {
        const fate_value failure = fate__no_memory();
        turns->handed_no_memory = false;
        report(turns, &failure, "that could not be made");
    }
}

/* ---- Turns ---- */

void fate__sweep(struct fate__turns *turns)
{
    if (fate__unlikely(turns->has_ends))
        call_ends(turns);
    sweep_list(turns);
    if (fate__unlikely(turns->has_others))
        end_others(turns);
}

void fate__refuse_inside(const struct fate__turns *turns, const char *what)
{
    if (turns->is_inside || turns->outside)
        fate__stop(NULL,
                   "%s was called inside an event of the same reactor, which would run its events within one "
                   "another. Return from the callback first; fate_call_later and deferreds are ways to go on "
                   "afterwards.",
                   what);
}

_Noreturn void fate__null_reactor(const char *what, const char *site)
{
    fate__stop(
        site,
        "%s was given a NULL reactor. fate_reactor_new returns NULL when it cannot make one (errno says "
        "why): check it once, where it is made.",
        what);
}

_Noreturn void fate__in_child(const struct fate__turns *turns, const char *what, const char *site)
{
    fate__stop(
        site,
        "%s was called in process %d on a reactor of process %d, which this one is a fork of. A child may "
        "only call fate_reactor_free on it; make a reactor of its own, or let fate_spawn start a program.",
        what, fate__pid(), turns->pid);
}

_Noreturn void fate__wrong_thread(const char *what, const char *site)
{
    fate__stop(
        site,
        "%s was called from a thread that does not run the reactor. All but fate_call_from_thread, "
        "fate_blocking_call_from_thread and fate_log belongs to the reactor's thread: post it there with "
        "fate_call_from_thread.",
        what);
}

/* ---- Life ---- */

int fate__turns_init(struct fate__turns *turns)
{
    turns->owner = fate__this_thread();
    turns->forks = fate__forks;
    turns->pid = fate__pid();
    fate__slab_init(&turns->deferreds, sizeof(fate_deferred), offsetof(fate_deferred, link), turns);
    fate__slab_init(&turns->blocks, sizeof(struct fate__more), offsetof(struct fate__more, next), turns);
    turns->blocks.rest = FATE__REST_SHORT;
    fate__list_init(&turns->owned);
    fate__list_init(&turns->ends);
    turns->no_memory_thing.turns = turns;
    turns->no_memory_thing.is_no_memory = true;

    fate_deferred *d = fate__slab_take(&turns->deferreds);
    if (!d)
        return -ENOMEM;
    *d = (fate_deferred){ .magic = FATE__NOMEM, .flags = FATE__FIRED, .site = "" };
    d->result = fate__no_memory();
    turns->no_memory = d;
    return 0;
}

fate_deferred *fate__hand_out_no_memory(struct fate__turns *turns)
{
    turns->handed_no_memory = true;
    if (turns->has_to_sweep && !turns->is_inside)
        turns->has_to_sweep(turns);
    return turns->no_memory;
}

struct unfired {
    fate_deferred *d;
    uint32_t serial;
};

struct search {
    struct unfired *found; /* those with the lowest serials, in order once sorted */
    size_t n, room;
    uint32_t first_serial; /* serials are compared from here on, since they wrap around */
};

static int by_serial(const void *a, const void *b)
{
    uint32_t x = ((const struct unfired *)a)->serial;
    uint32_t y = ((const struct unfired *)b)->serial;
    return x < y ? -1 : x > y;
}

static bool is_unfired(const fate_deferred *d)
{
    return !fate__slab_is_poisoned(d) && d->magic == FATE__ALIVE && !(d->flags & FATE__FIRED);
}

static void count_unfired(void *block, void *arg)
{
    if (is_unfired(block))
        ++*(size_t *)arg;
}

/* With room for all it collects all; with less, the oldest. */
static void collect_unfired(void *block, void *arg)
{
    struct search *search = arg;
    fate_deferred *d = block;

    if (!is_unfired(d))
        return;
    const struct unfired one = { d, d->serial - search->first_serial };
    if (search->n < search->room) {
        search->found[search->n++] = one;
        return;
    }
    struct unfired *youngest = &search->found[0];
    for (size_t i = 1; i < search->n; i++)
        if (search->found[i].serial > youngest->serial)
            youngest = &search->found[i];
    if (one.serial < youngest->serial)
        *youngest = one;
}

/* Cancels some of the oldest; false when there was none. */
static bool cancel_oldest(struct fate__turns *turns)
{
    struct unfired few[64];
    struct search search = { few, 0, 64, turns->serial };
    size_t n = 0;

    fate__slab_each(&turns->deferreds, count_unfired, &n);
    struct unfired *all = n > 64 ? fate__alloc(n * sizeof *all) : NULL;
    if (all) {
        search.found = all;
        search.room = n;
    }
    fate__slab_each(&turns->deferreds, collect_unfired, &search);
    qsort(search.found, search.n, sizeof *search.found, by_serial);
    for (size_t i = 0; i < search.n; i++) {
        fate_deferred *d = search.found[i].d;
        bool is_the_same = is_unfired(d) && d->serial - search.first_serial == search.found[i].serial;
        if (is_the_same)
            fate_cancel(d);
        if (is_the_same && is_unfired(d) && !(d->marks & FATE__COROUTINE))
            d->flags |= FATE__FIRED; /* a list whose members will not fire: it has had its chance */
    }
    fate__free(all);
    return n > 0;
}

/* Coroutines may go on after a cancel, and are cancelled again.  Those that wait for what cannot be
 * cancelled, such as a paused one, stay as they are. */
static void cancel_all(struct fate__turns *turns)
{
    size_t n = 0, n_before;
    uint64_t n_resumed;

    do {
        n_before = n;
        n_resumed = turns->n_resumed;
        fate__sweep(turns);
        if (!cancel_oldest(turns))
            return;
        n = 0;
        fate__slab_each(&turns->deferreds, count_unfired, &n);
    } while (n != n_before || turns->n_resumed != n_resumed);
}

/* What is still there waits in a ring, is paused or held.  Its values go; the blocks go with the slab. Levels
 * go first, since those of members look at their list. */
static bool is_left(const fate_deferred *d)
{
    return !fate__slab_is_poisoned(d) && d->magic == FATE__ALIVE && !(d->marks & FATE__EMPTIED);
}

static void hold_left(void *block, void *arg)
{
    if (!is_left(block))
        return;
    fate__hold(block);
    ++*(size_t *)arg;
}

static void drop_levels(void *block, void *arg)
{
    fate_deferred *d = block;

    if (!is_left(d))
        return;
    if (d->marks & FATE__TRACED)
        fate__turns_of(d)->tracer->gone(d);
    fate__levels_drop(d);
}

static void empty(void *block, void *arg)
{
    fate_deferred *d = block;

    if (!is_left(d))
        return;
    d->marks |= FATE__EMPTIED;
    if (d->flags & (FATE__CANCELLER | FATE__SOURCE))
        drop_source(d);
    if (!(d->flags & FATE__WAITING))
        fate_drop(fate_take(&d->result));
}

/* Drop functions may make new ones, born cancelled; so it is done again until nothing is left. */
void fate__turns_empty(struct fate__turns *turns)
{
    size_t n;

    do {
        n = 0;
        fate__slab_each(&turns->deferreds, hold_left, &n);
        fate__slab_each(&turns->deferreds, drop_levels, NULL);
        fate__slab_each(&turns->deferreds, empty, NULL);
    } while (n > 0);
}

static void refuse_running(void *block, void *arg)
{
    const fate_deferred *d = block;

    if (fate__slab_is_poisoned(d) || d->magic != FATE__ALIVE)
        return;
    if ((d->flags & (FATE__RUNNING | FATE__STACKED)) || (d->marks & FATE__CANCELLING))
        fate__stop(fate__site_of(d),
                   "fate_reactor_free was called inside a callback of the deferred made here. Return "
                   "from it first.");
}

void fate__refuse_in_callbacks(struct fate__turns *turns)
{
    fate__slab_each(&turns->deferreds, refuse_running, NULL);
}

/* A failure that was there before the end, in a deferred that somebody still holds. */
static void report_left(void *block, void *arg)
{
    fate_deferred *d = block;

    if (!fate__slab_is_poisoned(d) && d->magic == FATE__ALIVE && !(d->flags & FATE__WAITING))
        report_result(d);
}

void fate__turns_end(struct fate__turns *turns)
{
    fate__turn_enter(turns);
    fate__slab_each(&turns->deferreds, report_left, NULL);
    turns->is_ending = true;
    cancel_all(turns);
    fate__sweep(turns);
}

void fate__turns_free_owned(struct fate__turns *turns)
{
    while (!fate__list_is_empty(&turns->owned)) {
        struct fate__owned *owned = fate_container_of(turns->owned.next, struct fate__owned, link);
        owned->free(owned);
    }
}

void fate__turns_done(struct fate__turns *turns)
{
    fate__slab_done(&turns->deferreds);
    fate__slab_done(&turns->blocks);
}

/* ---- What belongs to a reactor ---- */

void *fate__own(fate_reactor *reactor, size_t bytes, void (*free)(struct fate__owned *), const char *what)
{
    struct fate__turns *turns = fate__turns(reactor);

    fate__check_reactor(reactor, what, NULL);
    struct fate__owned *owned = turns->is_ending ? NULL : fate__zalloc(bytes);
    if (!owned)
        return &turns->no_memory_thing;
    owned->free = free;
    owned->turns = turns;
    owned->what = what;
    owned->made_ms = turns->now_ms;
    fate__list_add_last(&turns->owned, &owned->link);
    return owned;
}

void fate_on_unhandled(fate_reactor *reactor, fate_unhandled_fn *fn, fate_value arg)
{
    struct fate__turns *turns = fate__turns(reactor);

    fate__check_reactor(reactor, "fate_on_unhandled", NULL);
    fate__check_given(&arg, "fate_on_unhandled", NULL);
    fate_value old = turns->unhandled_arg;
    turns->unhandled = fn;
    turns->unhandled_arg = arg;
    fate_drop(old);
}

void fate__warn(struct fate__turns *turns, const char *site, const char *fmt, ...)
{
    struct fate__text text = { 0 };
    va_list args;

    if (!turns->log)
        return;
    va_start(args, fmt);
    fate__text_format_v(&text, fmt, args);
    va_end(args);
    turns->log(turns, FATE__LOG_WARNING, NULL, site, text.bytes ? text.bytes : fmt);
    fate__text_done(&text);
}
