/* Cooperation: long computations cut into steps, which take turns with one another and with everything else
 * that the reactor does (R215-R222; Twisted's Cooperator).
 *
 *     static fate_value count_some(fate_value *arg)
 *     {
 *         struct count *count = fate_as_ptr(arg);
 *         for (int i = 0; i < 1000; i++)
 *             count_one(count);
 *         return count->is_complete ? fate_int(count->total) : fate_more();
 *     }
 *
 * A cooperator gives each of its tasks a step in turn until its time slice is over, then lets the reactor
 * look at the rest of the world and goes on.  A step should take much less time than a slice.  The clock of a
 * simulated reactor stands still while a step runs; so there each task gets one step per slice, the slices
 * follow each other, and a computation of 100 steps takes 100 slices of simulated time.
 *
 * It does not make a computation faster: that is what threads are for. */
#ifndef FATE_COOPERATE_H
#define FATE_COOPERATE_H

#include <fate/deferred.h>

FATE_BEGIN

/* ---- Steps ----
 *
 * A step is a fate_function that is called again and again with the same arg, lent each time and dropped when
 * the task is over.  What it returns says how the task goes on:
 *   fate_more()     there is more to do: it gets another step in its turn
 *   fate_follow(d)  another step when d has fired; its value is dropped, its failure ends the task (R216)
 *   a failure       ends the task
 *   anything else   is the task's result: it is done */

/* "There is more to do", as the return of a step. */
FATE_API fate_value fate_more(void);

/* ---- Tasks ---- */

/* A handle, good as long as its reactor.  Nothing needs to be freed: the task goes at the end of the turn in
 * which it is over, unless it is held, and a handle to one that has gone is refused, harmlessly.  id < 0:
 * -errno, not made. */
typedef struct fate_task {
    fate_reactor *reactor;
    int64_t id;
} fate_task;

/* Adds a task to the reactor's own cooperator, which is made at its first use and goes with the reactor.  The
 * first step comes in a later turn.  A failure of the task that nobody has asked for with fate_task_when_done
 * is reported like that of a deferred.  id -ENOMEM, also when arg is the NO_MEMORY failure; -ESHUTDOWN while
 * the reactor is being freed; arg has been dropped then. */
FATE_API fate_task fate_cooperate_at(fate_reactor *reactor, fate_function *step, fate_value arg,
                                     const char *site);
/* The same for whoever wants only the result: a deferred that fires with it.  Cancelling it stops the task
 * and cancels what its last step followed. */
FATE_API fate_deferred *fate_coiterate_at(fate_reactor *reactor, fate_function *step, fate_value arg,
                                          const char *site);

/* A new deferred each time, that fires with a copy of the result: at once when the task is over (R217).  It
 * fails with the failure of the step; with FATE_TASK_STOPPED after fate_task_stop; with
 * FATE_SCHEDULER_STOPPED when the cooperator was stopped; with FATE_CANCELLED when the reactor is freed.
 * Cancelling it leaves the task and the others alone.  A task that has gone gives FATE_TASK_FINISHED, one
 * that was not made the failure that says why. */
FATE_API fate_deferred *fate_task_when_done_at(fate_task task, const char *site);

/* These three: 0, or what has become of the task: -EALREADY it is done, -ENOTRECOVERABLE it has failed,
 * -ECANCELED it was stopped, or its coiterate's deferred was cancelled, -ESHUTDOWN its cooperator was stopped
 * (R218), -ESTALE it has gone.  One that was not made gives its id.
 *
 * Lets it make no step until as many fate_task_resume. */
FATE_API int fate_task_pause(fate_task task);
/* One that also waits for what its step followed goes on when that has fired too (R219).  Also -EINVAL: it is
 * not paused; -ENOMEM, and it stays paused.  One that was paused when it was stopped: 0, and nothing happens.
 */
FATE_API int fate_task_resume(fate_task task);
/* Ends it.  What its step followed is not cancelled; when that fires, its value is dropped, but a failure
 * other than FATE_CANCELLED stays with it.  Inside its own step it takes effect at once, and what the step
 * returns is dropped, or reported if it is a failure. */
FATE_API int fate_task_stop_at(fate_task task, const char *site);

/* Keeps a task that is over, with its result, until as many fate_task_release.  0; -ESTALE, or its id, as
 * above.  Releasing one that nobody holds stops the program.  Use it where fate_task_when_done may be called
 * in a later turn. */
FATE_API int fate_task_hold(fate_task task);
FATE_API int fate_task_release(fate_task task);

/* ---- Cooperators ---- */

typedef struct fate_cooperator fate_cooperator;

typedef struct fate_cooperator_options {
    size_t size;
    fate_time slice; /* how long its tasks make steps before the reactor's next round; 10 ms.  Negative stops
                        the program */
    bool starts_later; /* tasks queue until fate_cooperator_start */
} fate_cooperator_options;

/* One of your own, to be stopped with all its tasks, or with another slice.  Cooperators know nothing of one
 * another: each takes its slice.  Never NULL: without memory it is one to which no task can be added.
 * options NULL: the defaults. */
FATE_API fate_cooperator *fate_cooperator_new_at(fate_reactor *reactor,
                                                 const fate_cooperator_options *options, const char *site);
/* Stops it, and frees it; from inside one of its tasks it goes when that is out of the way. */
FATE_API void fate_cooperator_free(fate_cooperator *cooperator);
/* Lets its tasks make steps; also after it was stopped (R220). */
FATE_API void fate_cooperator_start(fate_cooperator *cooperator);
/* Each of its tasks, paused and waiting ones too, fails with FATE_SCHEDULER_STOPPED, and so does at once each
 * that is added later (R220).  What they had followed is left as by fate_task_stop. */
FATE_API void fate_cooperator_stop_at(fate_cooperator *cooperator, const char *site);
/* Started and not stopped. */
FATE_API bool fate_cooperator_running(const fate_cooperator *cooperator);

/* fate_cooperate and fate_coiterate on that cooperator. */
FATE_API fate_task fate_cooperator_cooperate_at(fate_cooperator *cooperator, fate_function *step,
                                                fate_value arg, const char *site);
FATE_API fate_deferred *fate_cooperator_coiterate_at(fate_cooperator *cooperator, fate_function *step,
                                                     fate_value arg, const char *site);

FATE_END

#ifdef __cplusplus
#include <fate/cooperate_cxx.h>
#else
/* The plain functions, without a line, for dlsym and other languages; the macros over them name the place. */
FATE_API fate_task fate_cooperate(fate_reactor *reactor, fate_function *step, fate_value arg);
FATE_API fate_deferred *fate_coiterate(fate_reactor *reactor, fate_function *step, fate_value arg);
FATE_API fate_deferred *fate_task_when_done(fate_task task);
FATE_API int fate_task_stop(fate_task task);
FATE_API fate_cooperator *fate_cooperator_new(fate_reactor *reactor);
FATE_API fate_cooperator *fate_cooperator_new_with(fate_reactor *reactor,
                                                   const fate_cooperator_options *options);
FATE_API void fate_cooperator_stop(fate_cooperator *cooperator);
FATE_API fate_task fate_cooperator_cooperate(fate_cooperator *cooperator, fate_function *step,
                                             fate_value arg);
FATE_API fate_deferred *fate_cooperator_coiterate(fate_cooperator *cooperator, fate_function *step,
                                                  fate_value arg);

#define fate_cooperate(reactor, step, ...) fate_cooperate_at(reactor, step, __VA_ARGS__, #step " " FATE_HERE)
#define fate_coiterate(reactor, step, ...) fate_coiterate_at(reactor, step, __VA_ARGS__, #step " " FATE_HERE)
#define fate_task_when_done(task)          fate_task_when_done_at(task, FATE_HERE)
#define fate_task_stop(task)               fate_task_stop_at(task, FATE_HERE)
#define fate_cooperator_new(reactor)       fate_cooperator_new_at(reactor, NULL, FATE_HERE)
#define fate_cooperator_new_with(reactor, ...)                                                               \
    fate_cooperator_new_at(reactor, FATE_WITH(fate_cooperator_options, __VA_ARGS__), FATE_HERE)
#define fate_cooperator_stop(cooperator) fate_cooperator_stop_at(cooperator, FATE_HERE)
#define fate_cooperator_cooperate(cooperator, step, ...)                                                     \
    fate_cooperator_cooperate_at(cooperator, step, __VA_ARGS__, #step " " FATE_HERE)
#define fate_cooperator_coiterate(cooperator, step, ...)                                                     \
    fate_cooperator_coiterate_at(cooperator, step, __VA_ARGS__, #step " " FATE_HERE)
#endif

#endif
