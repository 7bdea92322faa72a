/* A reactor from inside: turns, a clock, delayed calls, a log. */
#ifndef FATE_SRC_REACTOR_REACTOR_H
#define FATE_SRC_REACTOR_REACTOR_H

#include <base/table.h>
#include <deferred/deferred.h>
#include <fate/cooperate.h>
#include <fate/log.h>
#include <fate/reactor.h>
#include <reactor/timer.h>

struct fate_reactor {
    struct fate__turns turns; /* first: the layers below know only this */
    fate_time now;
    struct fate__timers timers;
    struct fate__table laters; /* pending fire_laters, by their deferred */
    struct fate__table tasks;  /* of cooperators, by id */
    int64_t last_task;
    fate_cooperator *cooperator;   /* the reactor's own; NULL until it is used */
    fate_time (*read_clock)(void); /* the time at this moment, for what measures itself; NULL: simulated */
    bool is_running, is_stopping, is_logging;
    int log_level_min;
    fate_log_observer *observer;
    fate_value observer_arg;
};

static inline struct fate_reactor *fate__reactor_of(const fate_deferred *d)
{
    return fate__reactor(fate__turns_of(d));
}

/* log.c: what the turns below have to say. */
void fate__log_from_turns(struct fate__turns *turns, int level, const fate_value *failure, const char *site,
                          const char *text);
/* fire_later.c: a deferred that had one pending has fired. */
void fate__drop_laters(fate_deferred *d);

/* now + delay, within the range of time. */
static inline fate_time fate__time_after(fate_time now, fate_time delay)
{
    fate_time due;
    if (__builtin_add_overflow(now, delay, &due))
        return delay > 0 ? FATE_NEVER : -FATE_NEVER;
    return due;
}

#endif
