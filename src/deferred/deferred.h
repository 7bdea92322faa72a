/* A deferred from inside the library: its memory, its flags, its levels, and what the files of this folder do
 * for one another.  ARCHITECTURE.md says how they work together. */
#ifndef FATE_SRC_DEFERRED_DEFERRED_H
#define FATE_SRC_DEFERRED_DEFERRED_H

#include <string.h>

#include <base/slab.h>
#include <base/stop.h>
#include <deferred/turn.h>
#include <fate/deferred.h>
#include <value/value.h>

/* ---- Levels ---- */

struct fate__level;

/* A level of the library's own: a chain, a branch, a list's ear. */
struct fate__native {
    const char *name; /* for pictures: "chain" */
    /* Runs while d counts as running; looks at d->result and may replace it.  Returns a deferred that it has
     * fired and that runs before d goes on, or NULL. */
    fate_deferred *(*run)(fate_deferred *d, struct fate__level *level);
    /* The level goes without having been reached. */
    void (*drop)(struct fate__level *level);
};

/* A place in a chain.  A level with two functions takes two places. */
struct fate__level {
    union {
        fate_callback *call;
        const struct fate__native *native;
        const fate_class *class; /* second place of a trap */
        fate_canceller *canceller;
        const struct fate__source *source;
    } as;
    union {
        const char *site;
        size_t index; /* of a native level, as it likes */
    };
    fate_value arg; /* a native level's arg is a bare pointer, type NULL */
};

enum fate__kind {
    FATE__CALLBACK,
    FATE__ERRBACK,
    FATE__BOTH,
    FATE__PAIR,        /* two places, each with its own arg */
    FATE__PAIR_SHARED, /* two places, the first one's arg serves both */
    FATE__TRAP,        /* two places, the second one's function is the class */
    FATE__NATIVE,
    FATE__LOST /* no memory for what was added here: becomes that failure */
};

/* Word by word: a copy in larger pieces would wait for the words that have just been written. */
static inline void fate__level_copy(struct fate__level *to, const struct fate__level *from)
{
    to->as.call = from->as.call;
    to->site = from->site;
    to->arg.type = from->arg.type;
    to->arg.as.i = from->arg.as.i;
}

static inline unsigned fate__places_of(unsigned kind)
{
    return kind >= FATE__PAIR && kind <= FATE__TRAP ? 2 : 1;
}

/* ---- The deferred ---- */

#define FATE__PLACES 3

/* What a library's deferred waits for, for the report. */
struct fate__waits {
    char text[80];            /* "the lock" */
    const void *on;           /* that thing's id, or NULL */
    fate_deferred *const *of; /* instead: several, some of them NULL */
    size_t n;
};

/* The library as producer.  It sits in the last place, as a canceller does, until the deferred fires, or for
 * life when it has `gone`. */
struct fate__source {
    /* Asked to stop; returns whether the deferred, if it has not fired by then, is to fail with
     * FATE_CANCELLED. */
    bool (*cancel)(fate_deferred *d, void *data, const char *site);
    void (*gone)(fate_deferred *d, void *data); /* NULL, or: the deferred goes */
    bool ignores_cancel_once_fired;             /* does not hand it on to what it waits for (R101) */
    /* For a coroutine, in place of cancel, so that a cancel goes down through any number of them in one
     * frame. begin returns what is to be cancelled instead, or NULL when there is nothing to do; above is
     * kept for end, which is called when that has been done, and returns it. */
    fate_deferred *(*begin_cancel)(fate_deferred *d, void *data, fate_deferred *above);
    fate_deferred *(*end_cancel)(fate_deferred *d, void *data);
    void (*waits)(const void *data, struct fate__waits *ret); /* NULL, or for the report */
};

enum {
    FATE__FIRED = 1 << 0,     /* has had its first result */
    FATE__RUNNING = 1 << 1,   /* a run is inside its levels: adding only appends */
    FATE__WAITING = 1 << 2,   /* `wait` is valid, not `result` */
    FATE__SWEPT = 1 << 3,     /* is on the sweep list, by link (next) and waiters (previous) */
    FATE__STACKED = 1 << 4,   /* is on a run's stack, by link */
    FATE__CANCELLER = 1 << 5, /* the last place holds the user's canceller */
    FATE__SOURCE = 1 << 6,    /* the last place holds a fate__source */
    FATE__SWALLOW = 1 << 7,   /* cancelled without canceller: one late result is dropped silently */
    FATE__ABANDONED = 1 << 8, /* its producer keeps it alive no more */
    FATE__FORGOTTEN = 1 << 9, /* goes as soon as it is done */
    FATE__LIBRARY = 1 << 10,  /* its producer is the library: fate_fire is refused */
    FATE__ARMED = 1 << 11,    /* a finished run left a failure: it is reported when the deferred goes */
    FATE__ANSWERED = 1 << 12, /* a branch took a copy of that failure: it is not */
    FATE__MORE = 1 << 13,     /* levels lie in blocks; `more` is valid, not `site` */
    FATE__HAS_LOST = 1 << 14, /* behind the last level one is missing */
    FATE__TIMED = 1 << 15     /* a fire_later is pending */
};

enum {
    FATE__WAS_CANCELLED = 1 << 0, /* its canceller has been called */
    FATE__KNOWS_FIRE = 1 << 1,    /* the last place's site is that of the firing */
    FATE__NO_PAUSES = 1 << 3,     /* whoever paused it has given up: pauses do not keep it alive */
    FATE__EMPTIED = 1 << 7,       /* at the end of its reactor: nothing is left in it */
    FATE__CANCELLING = 1 << 5,    /* its producer is being asked to stop, */
    FATE__CANCELLING_2 = 1 << 6,  /* and again meanwhile */
    FATE__TRACED = 1 << 4,        /* its turns' tracer is told of each level */
    FATE__COROUTINE = 1 << 2      /* a coroutine's: it waits while it has still to fire */
};

enum {
    FATE__ALIVE = 0xFA7E,
    FATE__NOMEM = 0xFA70,
    FATE__BARE = 0xFA7B,
    FATE__GOING = 0xFA61,
    FATE__FREED = 0xFAFF
};

struct fate_deferred {
    uint16_t magic; /* FATE__ALIVE, or why not */
    uint16_t flags;
    uint32_t holds;
    union {
        fate_value result;
        struct {
            fate_deferred *on;
            uint32_t
                before; /* places of `on` to pass before this one's turn, counted from the waiter before it */
            uint32_t behind; /* places added to `on` since this one began to wait */
        } wait;
    };
    union {
        const char *site;
        struct fate__more *more;
    };
    fate_deferred *link;    /* next on the sweep list; below on a stack; next waiter of what it waits for */
    fate_deferred *waiters; /* a ring, this is its last; on the sweep list: previous */
    uint32_t age_ms, serial;
    uint16_t pauses;
    uint8_t marks;
    uint8_t next, n; /* places[next .. n) are waiting levels */
    uint8_t kinds[FATE__PLACES];
    struct fate__level places[FATE__PLACES];
};

_Static_assert(offsetof(struct fate_deferred, places) == 64, "the head of a deferred is one cache line");
_Static_assert(sizeof(struct fate_deferred) <= 160, "a deferred is at most 160 bytes");
_Static_assert(sizeof(struct fate__level) == 32, "a level is 32 bytes");

/* magic and flags are written at once where they are looked at both at once soon after: a load that spans two
 * stores would wait for them. */
static inline void fate__set_head(fate_deferred *d, unsigned magic, unsigned flags)
{
    const struct {
        uint16_t magic, flags;
    } head = { (uint16_t)magic, (uint16_t)flags };

    memcpy(d, &head, sizeof head);
}

/* Levels beyond those inside.  The first block of a deferred also keeps what the deferred has no room for. */
#define FATE__MORE_LEVELS 14
struct fate__more {
    struct fate__more *next;
    struct fate__more *last; /* first block: the last one */
    const char *site;        /* first block: the deferred's */
    uint8_t begin, end;
    uint8_t kinds[FATE__MORE_LEVELS];
    _Alignas(16) struct fate__level levels[FATE__MORE_LEVELS]; /* a slab's blocks are multiples of that */
};

static inline struct fate__turns *fate__turns_of(const fate_deferred *d)
{
    return fate__slab_owner(d);
}

/* Stops, with the rule and the places, when d is not alive.  what: the name of the function. */
_Noreturn void fate__not_alive(const fate_deferred *d, const char *what, const char *site);

/* At each public door.  False for the NO_MEMORY deferred. */
static inline bool fate__check(const fate_deferred *d, const char *what, const char *site)
{
#ifdef FATE__ASAN
    if (!d || fate__slab_is_poisoned(d))
        fate__not_alive(d, what, site);
#endif
    if (fate__likely(d && d->magic == FATE__ALIVE)) {
        fate__check_thread(fate__turns_of(d), what, site);
        return true;
    }
    if (!d || d->magic != FATE__NOMEM)
        fate__not_alive(d, what, site);
    return false;
}

/* ---- The sweep list: by link to the next, by waiters to the previous ---- */

/* d is done and not held. */
static inline void fate__sweep_begins(struct fate__turns *turns, fate_deferred *d)
{
    turns->sweep_first = d;
    if (fate__unlikely(turns->has_to_sweep && !turns->is_inside))
        turns->has_to_sweep(turns);
}

static inline void fate__join_sweep(struct fate__turns *turns, fate_deferred *d)
{
    fate_deferred *last = turns->sweep_last;

    d->flags |= FATE__SWEPT;
    d->link = NULL;
    d->waiters = last;
    if (last)
        last->link = d;
    else
        fate__sweep_begins(turns, d);
    turns->sweep_last = d;
}

/* Is it done and not held: will it go at the end of the turn? */
bool fate__is_over(const fate_deferred *d);
void fate__unlink_swept(fate_deferred *d);
/* d, alive, was given to whoever takes its result.  Where that is simple, and d would go at the end of the
 * turn, takes it and lets d go now; false: it is not so, and nothing has been done. */
bool fate__take_swept(fate_deferred *d, fate_value *ret_v);

/* d is to run, or its links are needed for something else. */
static inline void fate__leave_sweep(fate_deferred *d)
{
    if (d->flags & FATE__SWEPT)
        fate__unlink_swept(d);
}

static inline const char *fate__site_of(const fate_deferred *d)
{
    return d->flags & FATE__MORE ? d->more->site : d->site;
}

/* ---- level.c ---- */

/* Appends a level.  False: no memory; the level is not stored and stays the caller's, and d will come upon
 * that failure in its place. */
bool fate__level_push(fate_deferred *d, unsigned kind, const struct fate__level level[]);
/* Calls visit with each waiting level, in order. */
void fate__levels_each(const fate_deferred *d,
                       void (*visit)(unsigned kind, const struct fate__level level[], void *arg), void *arg);
/* Takes the first level out; false: there is none. */
bool fate__level_pop(fate_deferred *d, unsigned *ret_kind, struct fate__level ret_level[2]);
/* An empty block, behind all others; NULL: no memory. */
struct fate__more *fate__level_new_block(fate_deferred *d);
/* The first block's levels are all out. */
void fate__level_drop_block(fate_deferred *d);
/* How many places wait. */
uint32_t fate__level_places(const fate_deferred *d);
/* Drops all levels without running them. */
void fate__levels_drop(fate_deferred *d);
void fate__level_drop(unsigned kind, struct fate__level level[]);

static inline bool fate__has_levels(const fate_deferred *d)
{
    return d->next != d->n || (d->flags & (FATE__MORE | FATE__HAS_LOST));
}

/* ---- chain.c ---- */

/* Has it a result and nothing in the way of running levels? */
static inline bool fate__can_run(const fate_deferred *d)
{
    return (d->flags & (FATE__FIRED | FATE__RUNNING | FATE__WAITING)) == FATE__FIRED && !d->pauses;
}

/* Has it run all its levels, and may run more? */
static inline bool fate__is_idle(const fate_deferred *d)
{
    return fate__can_run(d) && !fate__has_levels(d) && (!d->waiters || (d->flags & FATE__SWEPT));
}

/* Runs what there is to run, on d and on all that come to wait no more. */
void fate__run(fate_deferred *d);
/* The same for one that has just been fired, where mostly little happens. */
void fate__run_fresh(fate_deferred *d);
/* The same, beginning with a level that is not stored. */
void fate__run_level(fate_deferred *d, unsigned kind, struct fate__level level[]);
/* For native levels.  d's result becomes what a function returned: a value, a failure, or that of what it
 * follows. */
void fate__become(fate_deferred *d, fate_value out, const char *site);
/* Calls a callback of the user's on d's result. */
void fate__call_level(fate_deferred *d, fate_callback *callback, fate_value *arg, const char *site);
/* For a coroutine's d, not fired.  take_now: inner has a result and nothing in the way; it is moved out.
 * await: d waits for inner; false: that would be a ring. */
bool fate__take_now(fate_deferred *inner, fate_value *ret_v);
bool fate__await(fate_deferred *d, fate_deferred *inner);
/* The same where nothing bears on either; false: something does, and nothing has been done. */
static inline bool fate__await_simply(fate_deferred *d, fate_deferred *inner)
{
    bool is_untouched = inner->magic == FATE__ALIVE && inner->flags == 0 && inner->n == 0 && !inner->waiters;

    if (!is_untouched || d->flags != (FATE__LIBRARY | FATE__SOURCE))
        return false;
    d->flags = FATE__LIBRARY | FATE__SOURCE | FATE__WAITING;
    d->wait.on = inner;
    d->wait.before = d->wait.behind = 0;
    d->link = d;
    inner->waiters = d;
    inner->holds++;
    return true;
}
/* The end of fate_fire where nothing but a coroutine waited for d: see struct fate__turns. */
int fate__end_awaited(fate_deferred *d, fate_deferred *next);
/* d waits for inner, which has levels to run before that; returns inner when it is to run
 * now.  A ring becomes a failure. */
fate_deferred *fate__follow_busy(fate_deferred *d, fate_deferred *inner, const char *site);
/* Runs a level on the NO_MEMORY deferred, which stores none. */
void fate__run_on_no_memory(fate_deferred *d, unsigned kind, struct fate__level level[]);

/* ---- add.c ---- */

/* Appends a level and runs it if that can be; false as fate__level_push. */
bool fate__add(fate_deferred *d, unsigned kind, struct fate__level level[]);
bool fate__add_native(fate_deferred *d, const struct fate__native *native, void *data, size_t index);

/* ---- join.c ---- */

/* Levels that fire another deferred, their arg. */
extern const struct fate__native fate__chain_level, fate__branch_level;

/* ---- fire.c ---- */

/* Gives d, not yet fired, its first result; returns d when it is to run now, else NULL. */
fate_deferred *fate__accept(fate_deferred *d, fate_value v, const char *site);
/* Fires d, whose producer is the library, if nothing bears on it; false: something does, and nothing has been
 * done. */
static inline bool fate__fire_simply(fate_deferred *d, fate_value v, const char *site)
{
    if (d->flags != FATE__LIBRARY || d->n != 0 || d->waiters || d->pauses || !fate__is_simple(&v) || d->marks)
        return false;
    d->flags = FATE__LIBRARY | FATE__FIRED;
    fate__store(&d->result, v);
    d->places[FATE__PLACES - 1].site = site;
    d->marks = FATE__KNOWS_FIRE;
    if (d->holds == 0)
        fate__join_sweep(fate__turns_of(d), d);
    return true;
}
/* fate_fire where more is to be looked at than that it is fresh. */
int fate__fire_slowly(fate_deferred *d, fate_value v, const char *site);
/* For the library as producer: fires d, or drops v when d has fired already. */
void fate__fire(fate_deferred *d, fate_value v, const char *site);
/* Has d gone but for the one late firing of its producer, and that firing: -ECANCELED. */
bool fate__is_bare(const fate_deferred *d);
int fate__swallow(fate_deferred *d);
/* The library's producer gives up: d goes when nobody holds it. */
void fate__abandon(fate_deferred *d);

/* ---- deferred.c ---- */

/* One whose producer is the library; the reactor's NO_MEMORY deferred when there is no memory. */
fate_deferred *fate__library_deferred(fate_reactor *reactor, const char *site);
/* The same with a source, which must not have `gone` unless it can bear to be told at once. */
fate_deferred *fate__sourced(fate_reactor *reactor, const struct fate__source *source, void *data,
                             const char *site);
static inline bool fate__is_no_memory_deferred(const fate_deferred *d)
{
    return d->magic == FATE__NOMEM;
}
static inline void *fate__source_data(const fate_deferred *d)
{
    return d->places[FATE__PLACES - 1].arg.as.p;
}

static inline void fate__hold(fate_deferred *d)
{
    d->holds++;
}
/* Gives one hold up; d joins the sweep, or goes at once when it is forgotten, if that was the last. */
void fate__release(fate_deferred *d);

/* Did a callback return a value that it was lent?  Certain in a debug build; else when there is one reference
 * only. */
bool fate__returned_untaken(const fate_value *out, const fate_value *lent);
/* Calls function(arg), drops arg; its value, failure or follow comes back checked. */
fate_value fate__call_function(fate_function *function, fate_value arg, const char *site);

#endif
