/* A reactor from inside: turns, a clock, delayed calls, posts, descriptors, triggers, a log. */
#ifndef FATE_SRC_REACTOR_REACTOR_H
#define FATE_SRC_REACTOR_REACTOR_H

#include <base/table.h>
#include <deferred/deferred.h>
#include <fate/cooperate.h>
#include <fate/log.h>
#include <fate/reactor.h>
#include <reactor/descriptor.h>
#include <reactor/log.h>
#include <reactor/poller.h>
#include <reactor/post.h>
#include <reactor/random.h>
#include <reactor/ready.h>
#include <reactor/thread.h>
#include <reactor/timer.h>
#include <reactor/trigger.h>
#include <reactor/watch.h>

/* Where a reactor is in its life (R224-R228). */
enum fate__stage {
    FATE__IDLE,     /* not run yet, or crashed: may be run */
    FATE__STARTING, /* fate_run waits for triggers before startup */
    FATE__RUNS,
    FATE__STOPPING, /* fate_stop was called: the shutdown triggers run */
    FATE__ENDED     /* will not run again */
};

struct fate__net;
struct fate__worker;

struct fate_reactor {
    struct fate__turns turns; /* first: the layers below know only this */
    fate_time now;
    struct fate__timers timers;
    struct fate__table laters; /* pending fire_laters, by their deferred */
    struct fate__table tasks;  /* of cooperators, by id */
    int64_t last_task;
    fate_cooperator *cooperator; /* the reactor's own; NULL until it is used */
    struct fate__watches watches;
    struct fate__triggers triggers;
    struct fate__readies readies;
    enum fate__stage stage;
    bool is_running;  /* as triggers see it: between the during phases of startup and shutdown (R225) */
    bool has_stopped; /* fate_stop was called; the shutdown has still to begin */
    bool has_crashed;
    bool is_simulated;
    bool is_foreign; /* another loop waits for it, by its descriptor */
    bool is_iterating;
    /* The world; a simulated reactor has only posts. */
    struct fate__posts posts;
    struct fate__poller poller;
    struct fate__descriptors descriptors;
    struct fate__spin {
        fate_time budget; /* 0: never */
        int trust;        /* above 0 the last waits were short */
    } spin;
    int timer_fd; /* due with the first delayed call, for foreign loops; -1: not asked for */
    fate_time timer_fd_due;
    /* Jobs of threads that will post: a simulated reactor waits for them, but for those that wait for it. */
    size_t n_outside, n_blocked;
    struct fate__signals *signals; /* NULL: none asked for */
    struct fate__threads threads;
    /* What is being done, for those who watch. */
    const char *turn_site;
    struct fate__readings {
        unsigned n_unread, n_unread_max;
    } readings;                          /* of quick events */
    fate_time turn_began, slow_callback; /* on the coarse clock; 0: nobody looks */
    uint64_t n_turns, n_slow_turns;
    fate_time woke, busy; /* when it last went on after sleeping; how long it has not slept before that */
    struct fate__trace {
        struct fate__link tracers;
        size_t n;        /* 0: nobody is told */
        fate_time began; /* the event that is being delivered, on the precise clock; 0: not known */
        struct fate__tracing *current, *next; /* who is being told, and whose turn is next */
        uint64_t n_turns;
    } trace;
    struct fate__log log;
    struct fate__net *net;                  /* connections, of the layer above; NULL until there is one */
    void (*end_net)(struct fate__net *net); /* loses them all, while everything else is still there */
    struct fate__worker *worker;            /* of fate_workers; NULL: it is no worker's */
    struct fate__random random;
    fate_reactor_options options;
    fate_timer shutdown_limit;
    fate_time shutdown_ends;
    fate_time began;
};

static inline struct fate_reactor *fate__reactor_of(const fate_deferred *d)
{
    return fate__reactor(fate__turns_of(d));
}

/* ---- fire_later.c ---- */

/* A deferred that had one pending has fired. */
void fate__drop_laters(fate_deferred *d);
/* What d, which has one pending, waits for. */
void fate__describe_later(const fate_deferred *d, char *to, size_t n);

/* ---- report.c, trace.c ---- */

/* The site of what the library makes for itself, which reports leave out. */
#define FATE__OWN_SITE(what) "(libfate) " what
/* With FATE_DEBUG=1 in the environment, prints the report of a reactor that is about to go, if anything is
 * left. */
void fate__report_left(fate_reactor *reactor);
/* Prints the report on SIGUSR1.  0 or -errno. */
int fate__report_on_usr1(fate_reactor *reactor);
/* Around an event, while there is a tracer. */
void fate__trace_begin(fate_reactor *reactor);
void fate__trace_end(fate_reactor *reactor);
/* The loop is about to sleep: counts the time since it woke as busy. */
void fate__count_busy(fate_reactor *reactor);

/* ---- clock.c ---- */

/* The monotonic clock, read now; the coarse one is some milliseconds late and costs next to nothing. */
fate_time fate__monotonic(void);
fate_time fate__coarse(void);
/* Nanoseconds since 1970. */
int64_t fate__wall_time(void);
void fate__set_now(fate_reactor *reactor, fate_time now);

/* What delays count from: the time of the wake-up, or outside of events, where that may be long ago, that of
 * now. */
static inline fate_time fate__now(fate_reactor *reactor)
{
    if (!reactor->turns.is_inside && !reactor->is_simulated)
        fate__set_now(reactor, fate__monotonic());
    return reactor->now;
}

/* now + delay, within the range of time. */
static inline fate_time fate__time_after(fate_time now, fate_time delay)
{
    fate_time due;
    if (__builtin_add_overflow(now, delay, &due))
        return delay > 0 ? FATE_NEVER : -FATE_NEVER;
    return due;
}

/* ---- event.c ---- */

/* Around an event, which is a turn; site names who is called. */
void fate__event_begin(fate_reactor *reactor, const char *site);
void fate__event_end(fate_reactor *reactor);
/* The same, where many come one after the other: the clock is read once for several from one line.  Another
 * event must not come before the last of these has been looked at, by the third. */
void fate__quick_event_look(fate_reactor *reactor, const char *next_site);
static inline void fate__quick_event_begin(fate_reactor *reactor, const char *site)
{
    const struct fate__readings *readings = &reactor->readings;

    if (fate__unlikely(reactor->trace.n)) {
        fate__event_begin(reactor, site);
        return;
    }
    if (readings->n_unread >= readings->n_unread_max || reactor->turn_site != site)
        fate__quick_event_look(reactor, site);
    reactor->turn_site = site;
    reactor->turns.is_inside = true; /* between two of them there is no turn that could end */
}
static inline void fate__quick_event_end(fate_reactor *reactor)
{
    if (fate__unlikely(reactor->trace.n)) {
        fate__event_end(reactor);
        return;
    }
    fate__turn_leave(&reactor->turns);
    reactor->n_turns++;
    reactor->readings.n_unread++;
}
static inline void fate__quick_events_end(fate_reactor *reactor)
{
    fate__quick_event_look(reactor, NULL);
}
/* Calls action(arg) as an event, and drops arg. */
void fate__deliver(fate_reactor *reactor, fate_action *action, fate_value arg, const char *site);
/* The same for the posts up to mark. */
void fate__deliver_posts(fate_reactor *reactor, const struct fate__post *mark);
/* Ends the turn outside of events, if that has anything to do at its end: false, it had not. */
bool fate__end_turn_outside(fate_reactor *reactor);
/* At each door that runs events: ends the turn outside; stops the program inside an event. */
void fate__enter(fate_reactor *reactor, const char *what);

/* ---- wait.c ---- */

/* Waits until something happens, for at most that long, and delivers the descriptors' events. */
void fate__wait(fate_reactor *reactor, fate_time timeout_max);
/* Is there something that no descriptor tells of: a post, a signal, a call for the next round? */
bool fate__has_work(fate_reactor *reactor);
/* For a simulated reactor: waits in real time until there is. */
void fate__wait_for_posts(fate_reactor *reactor);
/* The loop says that it is about to sleep; false: it must not, there is work that came before. */
bool fate__may_sleep(fate_reactor *reactor);
/* From here on a foreign loop waits: it is to wake when there is something to do. */
void fate__hand_to_foreign_loop(fate_reactor *reactor);
/* The first delayed call has changed outside of fate_iterate: the descriptor for foreign loops is to know. */
void fate__timer_fd_update(fate_reactor *reactor);
static inline void fate__timers_changed(fate_reactor *reactor, fate_time due)
{
    if (fate__unlikely(reactor->is_foreign && !reactor->is_iterating && due < reactor->timer_fd_due))
        fate__timer_fd_update(reactor);
}
/* Nothing is awaited any more: for the end of a reactor. */
void fate__wait_done(fate_reactor *reactor);

#endif
