/* The reactor: what runs a program, one event after the other.
 *
 * A turn is one event that the reactor delivers, with everything that it calls.  Code outside an event is one
 * turn that ends when the reactor is next entered.  At the end of a turn deferreds that are done and not held
 * go.
 *
 * A reactor belongs to one thread, the one that runs it; threads may have one each.  From other threads only
 * fate_call_from_thread, fate_blocking_call_from_thread (fate/thread.h) and fate_log may be called.  Any
 * other call from there is undefined; a libfate that is built with FATE_DEBUG_CHECKS stops the program. */
#ifndef FATE_REACTOR_H
#define FATE_REACTOR_H

#include <fate/deferred.h>

FATE_BEGIN

/* ---- Life ---- */

/* Zero means the default. */
typedef struct fate_reactor_options {
    size_t size;
    const char *name;   /* for logs and reports: "main"; it must outlive the reactor */
    const char *poller; /* "epoll" or "poll"; else $FATE_POLLER, else the best there is */
    fate_time
        slow_callback; /* who blocks the loop for that long is named in the log: 100 ms; FATE_NEVER: nobody */
    fate_time spin; /* looks for work for up to that long before it sleeps: 0.  It spends CPU on latency, and
                       only while waits are shorter than that */
    fate_time shutdown_max; /* the triggers before shutdown get that long: 30 s */
    unsigned threads_max;   /* in the reactor's own pool: 10 */
    bool keep_signals;      /* fate_main leaves SIGINT and SIGTERM alone */
    bool report_on_usr1;    /* SIGUSR1 prints fate_reactor_report on standard error */
    uint64_t seed; /* what jitter and the like are drawn from: by the kernel, and on simulated time always the
                      same */
} fate_reactor_options;

/* NULL with errno set: ENOMEM, EMFILE and the like; EINVAL: there is no such poller.  With
 * FATE_CLOCK=simulated in the environment it makes a simulated one. */
FATE_API fate_reactor *fate_reactor_new(void);
/* The same with options; in C a macro takes them as .field = value. */
FATE_API fate_reactor *fate_reactor_new_with(const fate_reactor_options *options);
/* A reactor whose clock moves only when it is told to, starting at 0.  It watches no descriptors, and waits
 * for the work of threads without letting time pass. */
FATE_API fate_reactor *fate_reactor_new_simulated(void);
/* Cancels, oldest first, what has not fired, drops what is left, frees all that was made on it; its threads
 * finish what they have been given first.  Callbacks and cancellers run, so free it before what they use.
 * While it runs, new deferreds are born failed with FATE_CANCELLED and calls later and from threads are
 * refused; failures that this causes are not reported.  NULL does nothing.  Inside an event it stops the
 * program.  In the child of a fork it closes and frees, and calls nothing. */
FATE_API void fate_reactor_free(fate_reactor *reactor);

/* Keeps a value, given, until the reactor goes: what a library has made on it, say.  0, or -ENOMEM, also when
 * v is the NO_MEMORY failure: it has been dropped. */
FATE_API int fate_reactor_keep(fate_reactor *reactor, fate_value v);

/* ---- Running ---- */

/* Runs the triggers of startup, events, and once fate_stop was called those of shutdown.  0 then, and it
 * cannot run again: -ESHUTDOWN (R224).  0 too after fate_crash, and -EDEADLK on a simulated reactor with
 * nothing left to happen; then it may be run again.  It leaves signals alone.  Inside an event it stops the
 * program. */
FATE_API int fate_run(fate_reactor *reactor);
/* Is it between startup and shutdown (R225)? */
FATE_API bool fate_is_running(const fate_reactor *reactor);
/* The shutdown begins when the current round of events is over.  0, or -EALREADY when that has been said,
 * -ENOTCONN when it does not run (R227). */
FATE_API int fate_stop(fate_reactor *reactor);
/* Ends fate_run that much later.  0, -ENOMEM, or -ESHUTDOWN while the reactor is being freed. */
FATE_API int fate_stop_later_at(fate_reactor *reactor, fate_time delay, const char *site);
/* Ends fate_run when the current event is over, without triggers; it may be run again (R228).  0, or
 * -ENOTCONN when it does not run. */
FATE_API int fate_crash(fate_reactor *reactor);
/* The reactor in its arg, a fate_ptr, stops: an action for fate_call_later and its like. */
FATE_API void fate_shutdown(fate_value *reactor);

/* One round, for a loop of your own: posts, delayed calls that are due, then descriptors, for which it waits
 * for at most timeout; negative is 0 (R229).  On a simulated reactor time moves by timeout.  0, or -ESHUTDOWN
 * once fate_run has ended by fate_stop.  Inside an event it stops the program. */
FATE_API int fate_iterate(fate_reactor *reactor, fate_time timeout);
/* For another loop: this descriptor is readable whenever there is work; then call fate_iterate(reactor, 0).
 * It stays the reactor's.  -EOPNOTSUPP with the poller "poll" and on a simulated reactor; other negative
 * errnos when there are no descriptors or no memory. */
FATE_API int fate_reactor_fd(const fate_reactor *reactor);
/* How long another loop may wait before it calls fate_iterate: until the next call is due; 0 also while a
 * turn outside has something to sweep; FATE_NEVER: nothing is planned. */
FATE_API fate_time fate_next_timeout(const fate_reactor *reactor);

/* Makes action(arg) a turn of its own: ends the turn outside, calls it, sweeps.  Inside an event it only
 * calls. arg is dropped after the call.  0; -ENOMEM, and nothing was called, when arg is the NO_MEMORY
 * failure. */
FATE_API int fate_turn(fate_reactor *reactor, fate_action *action, fate_value arg);

/* ---- Time ---- */

/* The reactor's clock: monotonic, in nanoseconds; a simulated one starts at 0.  It is read once per wake-up,
 * so all of a round sees the same time; outside of events it is read at each call. */
FATE_API fate_time fate_now(const fate_reactor *reactor);
/* The time of day, nanoseconds since 1970 UTC, read at each call; of a simulated reactor its clock. */
FATE_API int64_t fate_time_of_day(const fate_reactor *reactor);
/* Moves a simulated clock by t at once and then runs all that is due, in order of due time; everything sees
 * the final time (R195-R197).  What is scheduled meanwhile and due runs too.  t may be 0; negative stops the
 * program. */
FATE_API void fate_advance(fate_reactor *reactor, fate_time t);
/* Goes from event to event, each at its own time, up to now + t. */
FATE_API void fate_play(fate_reactor *reactor, fate_time t);

/* ---- Delayed calls ---- */

/* A handle, good as long as its reactor.  A zeroed one is never active; one whose call is over is refused,
 * harmlessly.  id < 0: -errno, not made. */
typedef struct fate_timer {
    fate_reactor *reactor;
    int64_t id;
} fate_timer;

/* Calls action(arg) after delay, and drops arg.  Equal times run in order of scheduling (R187).  A negative
 * delay is due before now and runs as soon as possible; one beyond the end of time never runs.  id -ENOMEM,
 * also when arg is the NO_MEMORY failure; -ESHUTDOWN while the reactor is being freed; arg has been dropped
 * then. */
FATE_API fate_timer fate_call_later_at(fate_reactor *reactor, fate_time delay, fate_action *action,
                                       fate_value arg, const char *site);
/* Each: 0; -EALREADY once it was called (and inside it, R184), -ECANCELED once cancelled, -ESTALE when that
 * is long ago (R183). */
FATE_API int fate_timer_cancel(fate_timer timer);                    /* drops arg at once (R185) */
FATE_API int fate_timer_reset(fate_timer timer, fate_time from_now); /* due that much from now */
FATE_API int fate_timer_delay(fate_timer timer, fate_time by); /* due that much later; may be negative */
FATE_API bool fate_timer_active(fate_timer timer);
/* When it is due, on the reactor's clock; FATE_NEVER when it is over. */
FATE_API fate_time fate_timer_time(fate_timer timer);

/* ---- What can be stopped ---- */

/* A handle of all else that is called until it is stopped.  A zeroed one, and one that is over, is refused,
 * harmlessly.  id < 0: -errno, not made, and the arg has been dropped. */
typedef struct fate_watch {
    fate_reactor *reactor;
    int64_t id;
} fate_watch;

/* Nothing is called after it; drops the arg, at the end of the call if it is being called.  0; -ENOENT: it is
 * over. */
FATE_API int fate_unwatch(fate_watch watch);

/* ---- Descriptors ---- */

enum { FATE_READABLE = 1, FATE_WRITABLE = 2 };
typedef void fate_fd_fn(int fd, unsigned events, fate_value *arg);

/* Calls fn with those of the events that fd is ready for, again and again while it is; an error or a hang-up
 * comes as all of them.  Several may watch one descriptor.  fd stays yours: unwatch before you close it.
 * events 0 is a pause (fate_watch_events).  All may be added, changed and stopped inside fn; what was fetched
 * already does not reach one that is over.  id: -EPERM for what cannot be waited for, a plain file or
 * /dev/null, which stdin may be; -EBADF;
 * -EINVAL for other events; -ENOMEM; -ENOSPC; -EOPNOTSUPP on a simulated reactor; -ESHUTDOWN while the
 * reactor is being freed. */
FATE_API fate_watch fate_watch_fd_at(fate_reactor *reactor, int fd, unsigned events, fate_fd_fn *fn,
                                     fate_value arg, const char *site);
/* What is waited for from now on.  0; -ENOENT: it is over; -EINVAL; else as above, and nothing has changed.
 */
FATE_API int fate_watch_events(fate_watch watch, unsigned events);

/* ---- Triggers ---- */

typedef enum { FATE_BEFORE, FATE_DURING, FATE_AFTER } fate_phase;
typedef enum { FATE_STARTUP, FATE_SHUTDOWN } fate_occasion;

/* Calls function(arg) once on that occasion.  Those before it run in order; when all deferreds that they
 * follow are done, those during it run, and those after it (R231); what these follow is not waited for.  A
 * failure is logged. id -ESHUTDOWN when that phase is over; -ENOMEM. */
FATE_API fate_watch fate_add_trigger_at(fate_reactor *reactor, fate_phase phase, fate_occasion when,
                                        fate_function *function, fate_value arg, const char *site);
/* Calls function(arg) at once when the reactor is running, and returns id 0; else after its startup (R226).
 */
FATE_API fate_watch fate_call_when_running_at(fate_reactor *reactor, fate_function *function, fate_value arg,
                                              const char *site);

/* ---- Signals ---- */

/* Calls action(arg) as an event after that signal has come, once for all that came before the loop looked; a
 * simulated reactor looks between two events.  Who asks inside such a call waits for the next signal.
 * The handler that was there before comes back when nobody in the process asks for the signal any more.  id
 * -EINVAL for a signal that cannot be caught or that an instruction causes (SIGSEGV); -ENOMEM; -ESHUTDOWN. */
FATE_API fate_watch fate_on_signal_at(fate_reactor *reactor, int signo, fate_action *action, fate_value arg,
                                      const char *site);

/* ---- Whole programs ---- */

typedef fate_deferred *fate_main_fn(fate_reactor *reactor, int argc, char **argv);

/* Makes a reactor, calls main_fn, and runs until the deferred that it returns is done (R223).  SIGINT and
 * SIGTERM cancel that deferred and run the triggers of shutdown; a second one ends the program at once.  The
 * exit status: 0 when it ends in a value, also after a signal; 130 or 143 when it ends in FATE_CANCELLED by
 * SIGINT or SIGTERM; else 1, with the traceback on standard error.  If the reactor is stopped first, it is
 * not waited for: 0. */
FATE_API int fate_main(fate_main_fn *main_fn, int argc, char **argv);
/* The same with options for the reactor. */
FATE_API int fate_main_with(fate_main_fn *main_fn, int argc, char **argv,
                            const fate_reactor_options *options);

/* ---- Deferreds and time ---- */

/* Fires d that much later, holding it until then; this is the producer's one firing.  If d fires first, by
 * cancel say, the timer goes and the value is dropped silently.  0; -ENOMEM, and d has been failed with it;
 * else as fate_fire. */
FATE_API int fate_fire_later_at(fate_deferred *d, fate_time delay, fate_value value, const char *site);
/* If d's levels up to here take longer than delay, d is cancelled, and the CANCELLED failure that arrives
 * here becomes FATE_TIMEOUT (R77-R88).  Returns d. */
FATE_API fate_deferred *fate_add_timeout_at(fate_deferred *d, fate_time delay, const char *site);
/* The same with your translation, which runs on timeout whatever the result is (R80).  arg is given to the
 * level. */
FATE_API fate_deferred *fate_add_timeout_with_at(fate_deferred *d, fate_time delay, fate_callback *translate,
                                                 fate_value arg, const char *site);
/* A deferred that calls function after delay and fires with what that returns or follows (R201); function
 * NULL: fires with none.  Cancelling before that cancels the call (R202). */
FATE_API fate_deferred *fate_defer_later_at(fate_reactor *reactor, fate_time delay, fate_function *function,
                                            fate_value arg, const char *site);

/* ---- Looping calls (R203-R214) ---- */

typedef struct fate_looping_call fate_looping_call;
/* The count is the number of intervals since the last call: 1, more when some were missed (R212). */
typedef fate_value fate_counted_function(int64_t count, fate_value *arg);

/* Calls function again and again once started; arg is lent to each call and dropped with the loop.  It never
 * gives NULL: without memory it is a loop whose start fails with FATE_NO_MEMORY. */
FATE_API fate_looping_call *fate_looping_call_new_at(fate_reactor *reactor, fate_function *function,
                                                     fate_value arg, const char *site);
FATE_API fate_looping_call *fate_looping_call_new_counted_at(fate_reactor *reactor,
                                                             fate_counted_function *function, fate_value arg,
                                                             const char *site);
/* Stops it if it runs, its deferred then firing with none, and frees it; from inside its function it goes
 * when that has returned. */
FATE_API void fate_looping_call_free(fate_looping_call *loop);
/* Runs function every interval: at once when now, else first after one interval.  Late runs skip whole
 * intervals, so the schedule does not drift (R209).  If it follows a deferred, the next run is planned when
 * that is done. Fires with the loop (fate_as_looping_call) after fate_looping_call_stop, or fails with the
 * function's failure, which ends the loop; it may be started again from there.  Cancelling fails the deferred
 * and lets the loop go on (R214): fate_looping_call_stop stops it.  A negative interval gives a deferred
 * failed with FATE_VALUE_ERROR; starting one that runs, or whose function is not done yet, stops the program.
 */
FATE_API fate_deferred *fate_looping_call_start_at(fate_looping_call *loop, fate_time interval, bool now,
                                                   const char *site);
/* 0; -EINVAL when it does not run (R207). */
FATE_API int fate_looping_call_stop(fate_looping_call *loop);
/* The next run is one full interval from now (R211).  0; -EINVAL when it does not run. */
FATE_API int fate_looping_call_reset(fate_looping_call *loop);
FATE_API bool fate_looping_call_running(const fate_looping_call *loop);
FATE_API fate_looping_call *fate_as_looping_call(const fate_value *v);

FATE_END

#ifdef __cplusplus
#include <fate/reactor_cxx.h>
#else
FATE_API fate_watch fate_watch_fd(fate_reactor *reactor, int fd, unsigned events, fate_fd_fn *fn,
                                  fate_value arg);
FATE_API fate_watch fate_add_trigger(fate_reactor *reactor, fate_phase phase, fate_occasion when,
                                     fate_function *function, fate_value arg);
FATE_API fate_watch fate_call_when_running(fate_reactor *reactor, fate_function *function, fate_value arg);
FATE_API fate_watch fate_on_signal(fate_reactor *reactor, int signo, fate_action *action, fate_value arg);
FATE_API int fate_stop_later(fate_reactor *reactor, fate_time delay);
FATE_API fate_timer fate_call_later(fate_reactor *reactor, fate_time delay, fate_action *action,
                                    fate_value arg);
FATE_API int fate_fire_later(fate_deferred *d, fate_time delay, fate_value value);
FATE_API fate_deferred *fate_add_timeout(fate_deferred *d, fate_time delay);
FATE_API fate_deferred *fate_add_timeout_with(fate_deferred *d, fate_time delay, fate_callback *translate,
                                              fate_value arg);
FATE_API fate_deferred *fate_defer_later(fate_reactor *reactor, fate_time delay, fate_function *function,
                                         fate_value arg);
FATE_API fate_looping_call *fate_looping_call_new(fate_reactor *reactor, fate_function *function,
                                                  fate_value arg);
FATE_API fate_looping_call *fate_looping_call_new_counted(fate_reactor *reactor,
                                                          fate_counted_function *function, fate_value arg);
FATE_API fate_deferred *fate_looping_call_start(fate_looping_call *loop, fate_time interval, bool now);

#define fate_reactor_new_with(...) (fate_reactor_new_with)(FATE_WITH(fate_reactor_options, __VA_ARGS__))
#define fate_main_with(main_fn, argc, argv, ...)                                                             \
    (fate_main_with)(main_fn, argc, argv, FATE_WITH(fate_reactor_options, __VA_ARGS__))
#define fate_watch_fd(reactor, fd, events, fn, ...)                                                          \
    fate_watch_fd_at(reactor, fd, events, fn, __VA_ARGS__, #fn " " FATE_HERE)
#define fate_add_trigger(reactor, phase, when, function, ...)                                                \
    fate_add_trigger_at(reactor, phase, when, function, __VA_ARGS__, #function " " FATE_HERE)
#define fate_call_when_running(reactor, function, ...)                                                       \
    fate_call_when_running_at(reactor, function, __VA_ARGS__, #function " " FATE_HERE)
#define fate_on_signal(reactor, signo, action, ...)                                                          \
    fate_on_signal_at(reactor, signo, action, __VA_ARGS__, #action " " FATE_HERE)
#define fate_stop_later(reactor, delay) fate_stop_later_at(reactor, delay, FATE_HERE)
#define fate_call_later(reactor, delay, action, ...)                                                         \
    fate_call_later_at(reactor, delay, action, __VA_ARGS__, #action " " FATE_HERE)
#define fate_fire_later(d, delay, ...) fate_fire_later_at(d, delay, __VA_ARGS__, FATE_HERE)
#define fate_add_timeout(d, delay)     fate_add_timeout_at(d, delay, FATE_HERE)
#define fate_add_timeout_with(d, delay, translate, ...)                                                      \
    fate_add_timeout_with_at(d, delay, translate, __VA_ARGS__, #translate " " FATE_HERE)
#define fate_defer_later(reactor, delay, function, ...)                                                      \
    fate_defer_later_at(reactor, delay, function, __VA_ARGS__, #function " " FATE_HERE)
#define fate_looping_call_new(reactor, function, ...)                                                        \
    fate_looping_call_new_at(reactor, function, __VA_ARGS__, #function " " FATE_HERE)
#define fate_looping_call_new_counted(reactor, function, ...)                                                \
    fate_looping_call_new_counted_at(reactor, function, __VA_ARGS__, #function " " FATE_HERE)
#define fate_looping_call_start(loop, interval, now)                                                         \
    fate_looping_call_start_at(loop, interval, now, FATE_HERE)
#endif

#endif
