/* Delayed calls: a heap of deadlines, and slots that outlive their calls so that a stale handle is told from
 * a live one. */
#ifndef FATE_SRC_REACTOR_TIMER_H
#define FATE_SRC_REACTOR_TIMER_H

#include <base/slab.h>
#include <fate/reactor.h>

struct fate__timer;

struct fate__timers {
    struct fate__slab slots;
    struct fate__timer **by_index; /* every slot ever made */
    size_t n_slots, room;
    struct fate__timer *unused;  /* slots without a call, linked */
    struct fate__deadline *heap; /* the earliest first */
    size_t n;
    uint64_t serial;
    const char *site; /* of the call that is being made */
};

void fate__timers_init(struct fate__timers *timers);
/* Drops what is pending, without calling it. */
void fate__timers_drop(struct fate__timers *timers);
void fate__timers_done(struct fate__timers *timers);

/* The earliest deadline; FATE_NEVER when nothing is pending. */
fate_time fate__timers_next(const struct fate__timers *timers);
/* A mark of now: what is scheduled from here on is not due before it. */
uint64_t fate__timers_mark(const struct fate__timers *timers);
/* Is one due at that time that was scheduled before the mark? */
bool fate__timers_are_due(struct fate__timers *timers, fate_time now, uint64_t mark);
/* Calls the earliest, which is over before its action begins (R184). */
void fate__timers_call_next(struct fate__timers *timers);

/* Makes a call due at that time; id < 0: -ENOMEM, and arg has been dropped. */
fate_timer fate__timer_start(fate_reactor *reactor, fate_time due, fate_action *action, fate_value arg,
                             const char *site);

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

#define FATE__DUE_BYTES 48
/* "due in 1.2 s", "due now", "never due", "over"; returns to. */
const char *fate__due_text(fate_timer timer, char to[FATE__DUE_BYTES]);

#endif
