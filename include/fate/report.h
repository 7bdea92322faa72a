/* Seeing in: what is alive on a reactor, what it waits for, and what the reactor does. */
#ifndef FATE_REPORT_H
#define FATE_REPORT_H

#include <stdio.h>

#include <fate/reactor.h>

FATE_BEGIN

/* A thing that is alive: a deferred, a delayed call, a lock, a watched descriptor …  All lent for the call.
 */
typedef struct fate_thing {
    const char *kind;      /* "deferred" */
    const char *name;      /* its own, as a coroutine may have one; "" */
    const char *site;      /* the line that made it, "got_key src/client.c:9"; "" when that is not known */
    const char *state;     /* for people: "waits for deferred client.c:9 ← timer due in 1.2 s"; may be "" */
    fate_time age;         /* since it was made, in whole milliseconds; of a posted call, 0 */
    const void *id;        /* tells it from others while it lives */
    const void *waits_for; /* the id of what it waits for; NULL: of nothing, or of what is no thing */
} fate_thing;

/* Calls look with each thing that is alive, kind after kind and in each the oldest first; returns how many
 * there are.  What the library makes for itself is left out, and so is a deferred that is done and not held.
 * arg is lent to each call, and dropped at the end.  look only looks: it must not make, fire, cancel, free or
 * stop anything on the reactor.
 *
 * "abandoned: only waited for by what it waits for" is said of deferreds of a ring, such as a list and a
 * member that waits for the list, which nobody outside of it holds (R255, R256): they stay until
 * fate_reactor_free. */
FATE_API size_t fate_reactor_each(fate_reactor *reactor,
                                  void (*look)(const fate_thing *thing, fate_value *arg), fate_value arg);

/* Prints them, a line each, up to 10,000 lines.  With report_on_usr1 in the reactor's options, SIGUSR1 prints
 * it on standard error.  With FATE_DEBUG=1 in the environment fate_reactor_free prints first what is left
 * then, if anything is; the reactor's own pool and cooperator and the observers are no reason to. */
FATE_API void fate_reactor_report(fate_reactor *reactor, FILE *file);

/* A dict of numbers, all ints.  Since the reactor was made: turns, slow_turns (named in the log), posts
 * (calls from other threads that were delivered), busy_ns (the time in which its loop did not sleep).  Now:
 * deferreds, timers, descriptors, watches (descriptors, signals, triggers, observers), age_ns.  A simulated
 * reactor is never busy.  The NO_MEMORY failure without memory. */
FATE_API fate_value fate_reactor_counts(const fate_reactor *reactor);

/* Tells turned of each turn from now on, until fate_unwatch: who was called, and how long it took in real
 * time, sweeping included; site is lent for the call, and "" when it is not known.  The time is that of a
 * precise clock, which is read only while somebody is told.  What turned does itself is a turn that is not
 * told of.  id: -ENOMEM; -ESHUTDOWN while the reactor is being freed. */
typedef void fate_turned_fn(const char *site, fate_time took, fate_value *arg);
FATE_API fate_watch fate_reactor_trace_at(fate_reactor *reactor, fate_turned_fn *turned, fate_value arg,
                                          const char *site);

FATE_END

#ifdef __cplusplus
#include <fate/report_cxx.h>
#else
FATE_API fate_watch fate_reactor_trace(fate_reactor *reactor, fate_turned_fn *turned, fate_value arg);
#define fate_reactor_trace(reactor, turned, ...)                                                             \
    fate_reactor_trace_at(reactor, turned, __VA_ARGS__, #turned " " FATE_HERE)
#endif

#endif
