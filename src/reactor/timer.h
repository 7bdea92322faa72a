/* Delayed calls: a wheel of unsorted lists, and sorted runs of what comes up next.  wheel.h says how it
 * works. Their slots outlive the calls, so that a stale handle is told from a live one. */
#ifndef FATE_SRC_REACTOR_TIMER_H
#define FATE_SRC_REACTOR_TIMER_H

#include <fate/reactor.h>

/* Timers have numbers, and links are numbers: 4 bytes each instead of 8. */
struct fate__timer_link {
    uint32_t next, prev;
};

/* Heads of lists have the numbers 0..639, in words of 64 as the bits that say which are occupied. */
enum {
    FATE__WHEEL_LEVELS = 9,
    FATE__WHEEL_DUE = 64 * FATE__WHEEL_LEVELS, /* what the wheel's hand has reached or passed */
    FATE__WHEEL_RUN,                           /* the first of the sorted runs */
    FATE__WHEEL_RUNS = 48,
    FATE__WHEEL_ASIDE = FATE__WHEEL_RUN + FATE__WHEEL_RUNS, /* due, but for the next round */
    FATE__WHEEL_HEADS = 64 * (FATE__WHEEL_LEVELS + 1)
};

struct fate__timer_place;
struct fate__timer_free;
struct fate__timer_region;

struct fate__timers {
    /* Where a number's timer lies, by its upper bits: the first place has the heads' links alone. */
    struct fate__timer_place **places;
    struct fate__timer_free *free; /* of each place */
    uint32_t n_places, room;
    uint32_t with_free; /* a place that has timers without a call, linked to others; 0: none has */
    struct fate__timer_region *regions;
    uint32_t spare;            /* the timer that was given back last, if it has not been taken */
    uint32_t fresh, fresh_end; /* numbers never used yet */
    bool is_counted;           /* each new timer asks fate__on_block first */
    uint64_t serial;
    uint64_t round;                         /* the mark of the round that is being run */
    fate_time now;                          /* as we were told last */
    const char *site;                       /* of the call that is being made */
    uint64_t hand;                          /* see wheel.h */
    fate_time exact_max;                    /* no bound is exact beyond it */
    uint64_t scanned_at;                    /* the serial when a long list was last scanned */
    uint32_t scanned, n_scanned;            /* which, and how many it had */
    uint64_t exact[FATE__WHEEL_LEVELS + 1]; /* whose bounds are deadlines */
    uint32_t levels;                        /* a bit for each word of occupied that has one */
    uint64_t occupied[FATE__WHEEL_LEVELS + 1];
    size_t run_sizes[FATE__WHEEL_RUNS];
    fate_time bounds[FATE__WHEEL_HEADS]; /* nothing in that list is due before */
    struct fate__timer_link heads[FATE__WHEEL_HEADS];
};

void fate__timers_init(struct fate__timers *timers);
/* Drops what is pending, without calling it, in order. */
void fate__timers_drop(struct fate__timers *timers);
void fate__timers_done(struct fate__timers *timers);

/* The earliest deadline, exactly; FATE_NEVER when nothing is pending. */
fate_time fate__timers_next(struct fate__timers *timers);
/* What is scheduled or moved from here on is not before this mark. */
static inline uint64_t fate__timers_mark(const struct fate__timers *timers)
{
    return timers->serial;
}
/* Tells the time, which does not go back.  All is right without, but not as quick. */
void fate__timers_pass(struct fate__timers *timers, fate_time now);
/* Is one due at that time that was scheduled before the mark? */
bool fate__timers_are_due(struct fate__timers *timers, fate_time now, uint64_t mark);
/* Calls the earliest that is due at now and was scheduled before mark, of fate__timers_mark or UINT64_MAX;
 * false when there is none.  It is over before its action begins (R184).  A round of a real clock calls all
 * with the mark of its beginning, so that what it schedules waits for the next one (R188). */
bool fate__timers_call_due(struct fate__timers *timers, fate_time now, uint64_t mark);

/* A pending one, for reports. */
struct fate__timer_view {
    int64_t id;
    fate_time due;
    const char *site;
    uint32_t made_ms; /* of the reactor's clock, when it was scheduled first; wraps around */
};
/* Calls visit with each pending one, in any order; it must not schedule, move or cancel. */
void fate__timers_each(struct fate__timers *timers, void (*visit)(const struct fate__timer_view *, void *arg),
                       void *arg);
/* How many are pending; it looks at each. */
size_t fate__timers_count(struct fate__timers *timers);

#define FATE__DUE_BYTES 48
/* "due in 1.2 s", "due now", "never due", "over"; returns to. */
const char *fate__due_text(fate_timer timer, char to[FATE__DUE_BYTES]);

#endif
