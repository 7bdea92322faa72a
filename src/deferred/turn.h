/* Turns: the first part of a reactor, which knows nothing of time or of the world.
 *
 * It owns the slabs that deferreds come from, the list of those that are done, and the hooks by which the
 * reactor above is told. */
#ifndef FATE_SRC_DEFERRED_TURN_H
#define FATE_SRC_DEFERRED_TURN_H

#include <base/list.h>
#include <base/process.h>
#include <base/slab.h>
#include <fate/deferred.h>

struct fate__turns;
struct fate__level;

/* The levels of fate/log.h that this layer speaks at. */
enum { FATE__LOG_WARNING = 3, FATE__LOG_ERROR = 4 };

/* Whoever draws pictures of chains: told of what happens to deferreds marked FATE__TRACED. */
struct fate__tracer {
    /* A level is about to be passed, and has been; in between d's result is changed, unless d waits then. */
    void (*before)(fate_deferred *d, unsigned kind, const struct fate__level *level);
    void (*after)(fate_deferred *d);
    /* Between the two: the level follows inner, whose result d takes at once or will be given. */
    void (*followed)(fate_deferred *d, fate_deferred *inner);
    /* A deferred that it waited for has handed its result over. */
    void (*got)(fate_deferred *d);
    /* Its levels, if any are left, will be dropped.  A failure in it has still to be reported. */
    void (*gone)(fate_deferred *d);
};

/* A thing that is alive, as the report sees it; all lent for the call. */
struct fate__seen {
    const char *kind;  /* "lock" */
    const char *name;  /* its own, ""  when it has none */
    const char *site;  /* where it was made; "" not known */
    const char *state; /* what it does or waits for, "held, 2 wait" */
    fate_time age;
    const void *id, *waits_for; /* the id of another; NULL: of none */
};
typedef void fate__see_fn(const struct fate__seen *seen, void *arg);

/* Something that is made on a reactor and goes with it: a lock, a looping call.  It comes first in its
 * struct. When there is no memory for one, the reactor's own no_memory_thing is handed out instead, whose
 * deferreds all fail with that: so whoever makes a lock need not check. */
struct fate__owned {
    struct fate__link link;
    void (*free)(struct fate__owned *owned);
    struct fate__turns *turns;
    bool is_no_memory;
    /* For the report. */
    const char *what; /* who made it, "fate_lock_new" */
    const char *site; /* where; NULL: not known */
    uint32_t made_ms;
    void (*look)(struct fate__owned *owned, fate__see_fn *see, void *arg); /* NULL: there is nothing to say */
};

/* Something to do once, when the turn ends: before what is done and not held goes. Whoever has it in a struct
 * of its own takes it out before that goes. */
struct fate__turn_end {
    struct fate__link link;
    void (*go)(struct fate__turn_end *end);
};

struct fate__turns {
    struct fate__slab deferreds, blocks;
    const void *owner; /* the mark of the thread that it belongs to */
    unsigned forks;    /* how often the process had forked when it was made */
    int pid;
    fate_deferred *sweep_first, *sweep_last;
    struct fate__stack *stacks; /* of the runs that have one, innermost first */
    uint32_t now_ms, serial;
    bool is_inside; /* an event is being delivered */
    bool is_ending; /* fate_reactor_free: what is new is born cancelled, nothing is reported */
    /* What the end of the turn has to do beside the sweep, read at once. */
    union {
        uint16_t has_others;
        struct {
            bool handed_no_memory; /* the NO_MEMORY deferred has been handed out this turn, and nobody has
                                      added an errback */
            bool has_ends;         /* something has been added to ends */
        };
    };
    struct fate__link ends; /* struct fate__turn_end, in the order in which they were added */
    fate_deferred *no_memory;
    struct fate__link owned;
    struct fate__owned no_memory_thing;
    fate_unhandled_fn *unhandled;
    fate_value unhandled_arg;
    /* Set by the layer above. */
    void (*log)(struct fate__turns *turns, int level, const fate_value *failure, const char *site,
                const char *text);
    void (*fired_early)(fate_deferred *d); /* one with a fire_later pending has fired */
    /* What one with a fire_later pending waits for: "timer due in 1.2 s". */
    void (*describe_later)(const fate_deferred *d, char *to, size_t n);
    void (*has_to_sweep)(
        struct fate__turns *turns); /* outside of events, where another loop waits; or NULL */
    /* Set by the coroutines.  resume: what d, a coroutine's, awaits has ended in v; returns d when its body
     * has ended and d is to run now.  outside is set while a coroutine's stack is in use: it carries out
     * fn(arg) on the reactor's. */
    fate_deferred *(*resume)(fate_deferred *d, fate_value v);
    /* The same at the end of fate_fire of a deferred that nothing else waits for; ends with
     * fate__end_awaited(fired, d or NULL). */
    int (*resume_fired)(fate_deferred *d, fate_value v, fate_deferred *fired);
    void (*outside)(struct fate__turns *turns, void (*fn)(void *arg), void *arg);
    void *coros;
    const char *(*coro_name)(const fate_deferred *d); /* of the coroutine that d is of */
    const struct fate__tracer *tracer;                /* NULL: nothing is traced */
    uint64_t n_resumed;
};

/* 0 or -ENOMEM.  turns is the first member of the reactor. */
int fate__turns_init(struct fate__turns *turns);
/* The end, in this order, since what is dropped may use what is freed later.  Stops the program inside a
 * callback. */
void fate__refuse_in_callbacks(struct fate__turns *turns);
/* Cancels what has not fired, oldest first. */
void fate__turns_end(struct fate__turns *turns);
/* Drops what the deferreds have in them that are left. */
void fate__turns_empty(struct fate__turns *turns);
/* Frees what was made on the reactor. */
void fate__turns_free_owned(struct fate__turns *turns);
/* Gives the memory back. */
void fate__turns_done(struct fate__turns *turns);

/* The end of a turn: calls the ends until none is left, then lets go of all that is done and not held. */
void fate__sweep(struct fate__turns *turns);
/* Has end->go called when this turn ends, or outside of events the turn outside; once, and after it end may
 * be added again, by go itself too, or freed.  Does nothing if it has been added already. */
void fate__turn_end_add(struct fate__turns *turns, struct fate__turn_end *end);
/* Takes it out, if it is in. */
void fate__turn_end_remove(struct fate__turn_end *end);
static inline bool fate__has_to_sweep(const struct fate__turns *turns)
{
    return turns->sweep_first || turns->has_others;
}
/* Around each event.  enter ends the turn outside first. */
static inline void fate__turn_enter(struct fate__turns *turns)
{
    turns->is_inside = true;
    if (fate__unlikely(fate__has_to_sweep(turns)))
        fate__sweep(turns);
}
static inline void fate__turn_leave(struct fate__turns *turns)
{
    if (fate__has_to_sweep(turns))
        fate__sweep(turns);
    turns->is_inside = false;
}

/* Stops the program when called inside an event: what names the function. */
void fate__refuse_inside(const struct fate__turns *turns, const char *what);

static inline struct fate__turns *fate__turns(fate_reactor *reactor)
{
    return (struct fate__turns *)(void *)reactor;
}
static inline fate_reactor *fate__reactor(struct fate__turns *turns)
{
    return (fate_reactor *)(void *)turns;
}
_Noreturn void fate__null_reactor(const char *what, const char *site);
_Noreturn void fate__in_child(const struct fate__turns *turns, const char *what, const char *site);
_Noreturn void fate__wrong_thread(const char *what, const char *site);

/* Is this the reactor's thread?  Any thread may ask. */
static inline bool fate__is_own_thread(const struct fate__turns *turns)
{
    return __atomic_load_n(&turns->owner, __ATOMIC_RELAXED) == fate__this_thread();
}
static inline void fate__own_thread(struct fate__turns *turns)
{
    __atomic_store_n(&turns->owner, fate__this_thread(), __ATOMIC_RELAXED);
}

/* Debug builds stop who comes from another thread. */
static inline void fate__check_thread(const struct fate__turns *turns, const char *what, const char *site)
{
#ifdef FATE_DEBUG_CHECKS
    if (fate__unlikely(!fate__is_own_thread(turns)))
        fate__wrong_thread(what, site);
#endif
}

/* What any thread may call. */
static inline void fate__check_living(const fate_reactor *reactor, const char *what, const char *site)
{
    if (fate__unlikely(!reactor))
        fate__null_reactor(what, site);
    const struct fate__turns *turns = (const struct fate__turns *)(const void *)reactor;
    if (fate__unlikely(turns->forks != fate__forks))
        fate__in_child(turns, what, site);
}

static inline void fate__check_reactor(const fate_reactor *reactor, const char *what, const char *site)
{
    fate__check_living(reactor, what, site);
    fate__check_thread((const struct fate__turns *)(const void *)reactor, what, site);
}

/* The NO_MEMORY deferred, handed out. */
fate_deferred *fate__hand_out_no_memory(struct fate__turns *turns);

/* A line for the log, at warning level. */
void fate__warn(struct fate__turns *turns, const char *site, const char *fmt, ...) FATE_PRINTF(3, 4);

/* ---- For the chain ---- */

/* d may have become done and unheld: puts it on the sweep list, or lets it go if it is forgotten. */
void fate__settle(fate_deferred *d);

/* A zeroed thing of that size on that reactor, or its no_memory_thing.  free destroys it, its memory
 * included. */
void *fate__own(fate_reactor *reactor, size_t bytes, void (*free)(struct fate__owned *), const char *what);
/* The line that made it, unless it is the no_memory_thing. */
static inline void fate__made_at(struct fate__owned *owned, const char *site)
{
    if (!owned->is_no_memory)
        owned->site = site;
}
/* What an owned thing's `look` says: its state, and what it waits for. */
void fate__see_owned(struct fate__owned *owned, fate__see_fn *see, void *arg, const char *state,
                     const void *waits_for);
/* How long ago that was on the turns' clock. */
static inline fate_time fate__age(const struct fate__turns *turns, uint32_t made_ms)
{
    return (fate_time)(uint32_t)(turns->now_ms - made_ms) * FATE_MILLISECOND;
}
static inline void fate__disown(struct fate__owned *owned)
{
    fate__list_remove(&owned->link);
}

#endif
