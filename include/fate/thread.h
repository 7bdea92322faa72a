/* Threads: calls into a reactor from others, and work that is done elsewhere.
 *
 * Blocking work goes to a pool: fate_defer_to_thread calls a function in one of its threads, and what that
 * returns is the result of a deferred.  The function sees values only; it may call no function that takes a
 * reactor or a deferred, but for fate_call_from_thread and fate_blocking_call_from_thread, and must not
 * return fate_follow.
 *
 * A value that crosses must be unshared, through and through.  The check, and for immutable text and bytes
 * and for failures the copy, go through lists, dicts and failures; a box's inside cannot be seen: a box that
 * holds values needs fate_box_with and an unshared inside.  A value that is shared stops the program, unless
 * the reactor's thread posts to itself.  The arg is dropped in the thread, before the result is on its way
 * (R249). */
#ifndef FATE_THREAD_H
#define FATE_THREAD_H

#include <fate/reactor.h>

FATE_BEGIN

/* ---- Into the reactor ---- */

/* From any thread, the reactor's own too: action(arg) is called as an event of the reactor, in order, at the
 * beginning of its next round; a sleeping reactor wakes (R238-R241).  Not for signal handlers.  0; -ENOMEM;
 * -ESHUTDOWN once the reactor has ended: arg has been dropped then, in this thread.  What was taken in but
 * not called when the reactor ends is dropped in the reactor's thread. */
FATE_API int fate_call_from_thread_at(fate_reactor *reactor, fate_action *action, fate_value arg,
                                      const char *site);
/* From any thread but the reactor's, which it would block for ever, and so it stops the program there:
 * function(arg) is called as an event of the reactor, and this returns when what it returned or followed is
 * done, with that value or failure (R245).  A FATE_CANCELLED failure when the reactor stops first, or the
 * pool of this thread is freed, at once when that has happened already; FATE_NO_MEMORY.
 *
 * Use it where a job in a thread needs an answer from the reactor in its middle. */
FATE_API fate_value fate_blocking_call_from_thread_at(fate_reactor *reactor, fate_function *function,
                                                      fate_value arg, const char *site);

/* A simulated clock stands still, and fate_run waits for posts, while a job of a pool is under way.  For a
 * thread of your own that will post, call the first of these before you make it, and the second where that
 * post arrives; each counts.  For a job that waits for the reactor by means of its own, other than
 * fate_blocking_call_from_thread, call the second when it waits, and the first before it is answered.  On
 * real time they mean nothing.  More of the second than there are jobs and pauses stops the program. */
FATE_API void fate_pause_clock(fate_reactor *reactor);
FATE_API void fate_unpause_clock(fate_reactor *reactor);

/* ---- Pools ---- */

typedef struct fate_pool fate_pool;

/* Zero means the default. */
typedef struct fate_pool_options {
    size_t size;
    const char *name;     /* of its threads, its first 15 bytes: "fate"; it must outlive the pool */
    unsigned threads_max; /* 10 */
    unsigned threads_min; /* that many are there from the start: 0 */
    size_t waiting_max;   /* jobs that wait because all threads are busy: unlimited */
} fate_pool_options;

/* A pool of threads, made when they are needed: one more whenever none is idle, up to the limit; then jobs
 * wait in line (R252).  Threads stay, but for fate_pool_resize, and block all signals.
 *
 * Pools start with their reactor, in fate_run before its triggers, or when fate_iterate, fate_advance or
 * fate_play is first called; work is kept until then (R242, R246).  At the shutdown of fate_run, and when the
 * reactor is freed, they finish what they have been given, while the reactor waits for that and does nothing
 * else (R251).  A simulated reactor lets no time pass while a job is being done.
 *
 * It never gives NULL: without memory it is a pool whose deferreds fail with FATE_NO_MEMORY.  threads_min
 * above threads_max stops the program.  options NULL: the defaults. */
FATE_API fate_pool *fate_pool_new_at(fate_reactor *reactor, const fate_pool_options *options,
                                     const char *site);
/* Waits until the jobs that it has been given are done, joins the threads and frees it; the deferreds fire
 * afterwards, in the reactor's next round.  Their blocking calls to this reactor, which could not answer them
 * meanwhile, fail with FATE_CANCELLED.  In a pool that has not started they fail with FATE_CANCELLED now.
 * A pool goes with its reactor, so this is for doing it sooner.  NULL does nothing; freeing the reactor's own
 * pool stops the program. */
FATE_API void fate_pool_free(fate_pool *pool);
/* Surplus threads go, busy ones when they are done, and missing ones come at once (R250).  threads_max 0 lets
 * all jobs wait.  threads_min above threads_max stops the program (R247).  0; a negative errno when there is
 * no thread and none can be made. */
FATE_API int fate_pool_resize(fate_pool *pool, unsigned threads_min, unsigned threads_max);
/* A dict of ints: threads, idle, waiting (jobs in line), waiting_ns (since when the oldest of them waits),
 * longest_wait_ns (that a job has waited), done (jobs).  Times are on a coarse real clock, some milliseconds
 * fine.  Whether its threads are enough can be seen there. */
FATE_API fate_value fate_pool_counts(const fate_pool *pool);
/* The reactor's own pool, of options.threads_max threads, made at first use. */
FATE_API fate_pool *fate_reactor_pool(fate_reactor *reactor);

/* ---- Jobs ---- */

/* Calls function(arg) in a thread of the reactor's own pool; fires in the reactor's thread with its value or
 * failure (R244).  Cancelled while it waits in line, the job is taken out; later, the thread goes on, and the
 * result is dropped in the reactor's thread.  Fails with FATE_CANCELLED when the reactor has stopped, with
 * the errno (mostly FATE_WOULD_BLOCK, EAGAIN) when the pool has no thread and none can be made. */
FATE_API fate_deferred *fate_defer_to_thread_at(fate_reactor *reactor, fate_function *function,
                                                fate_value arg, const char *site);
/* The same in a thread of that pool.  Fails with FATE_POOL_FULL when waiting_max jobs are in line. */
FATE_API fate_deferred *fate_defer_to_pool_at(fate_pool *pool, fate_function *function, fate_value arg,
                                              const char *site);
/* Calls function(arg) in a thread of the reactor's own pool.  Its value is dropped, in the reactor's thread;
 * its failure, and what keeps it from being called, is logged there (R242).  Nothing once the reactor has
 * stopped. */
FATE_API void fate_call_in_thread_at(fate_reactor *reactor, fate_function *function, fate_value arg,
                                     const char *site);
/* The same for n functions, each with its arg, one after the other in one thread; the first failure ends it
 * (R243).  The arrays are copied. */
FATE_API void fate_call_multiple_in_thread_at(fate_reactor *reactor, size_t n,
                                              fate_function *const functions[], fate_value args[],
                                              const char *site);

FATE_END

#ifdef __cplusplus
#include <fate/thread_cxx.h>
#else
FATE_API fate_pool *fate_pool_new(fate_reactor *reactor);
FATE_API fate_pool *fate_pool_new_with(fate_reactor *reactor, const fate_pool_options *options);
FATE_API int fate_call_from_thread(fate_reactor *reactor, fate_action *action, fate_value arg);
FATE_API fate_value fate_blocking_call_from_thread(fate_reactor *reactor, fate_function *function,
                                                   fate_value arg);
FATE_API fate_deferred *fate_defer_to_thread(fate_reactor *reactor, fate_function *function, fate_value arg);
FATE_API fate_deferred *fate_defer_to_pool(fate_pool *pool, fate_function *function, fate_value arg);
FATE_API void fate_call_in_thread(fate_reactor *reactor, fate_function *function, fate_value arg);
FATE_API void fate_call_multiple_in_thread(fate_reactor *reactor, size_t n, fate_function *const functions[],
                                           fate_value args[]);

#define fate_call_from_thread(reactor, action, ...)                                                          \
    fate_call_from_thread_at(reactor, action, __VA_ARGS__, #action " " FATE_HERE)
#define fate_blocking_call_from_thread(reactor, function, ...)                                               \
    fate_blocking_call_from_thread_at(reactor, function, __VA_ARGS__, #function " " FATE_HERE)
#define fate_pool_new(reactor) fate_pool_new_at(reactor, NULL, FATE_HERE)
#define fate_pool_new_with(reactor, ...)                                                                     \
    fate_pool_new_at(reactor, FATE_WITH(fate_pool_options, __VA_ARGS__), FATE_HERE)
#define fate_defer_to_thread(reactor, function, ...)                                                         \
    fate_defer_to_thread_at(reactor, function, __VA_ARGS__, #function " " FATE_HERE)
#define fate_defer_to_pool(pool, function, ...)                                                              \
    fate_defer_to_pool_at(pool, function, __VA_ARGS__, #function " " FATE_HERE)
#define fate_call_in_thread(reactor, function, ...)                                                          \
    fate_call_in_thread_at(reactor, function, __VA_ARGS__, #function " " FATE_HERE)
#define fate_call_multiple_in_thread(reactor, n, functions, ...)                                             \
    fate_call_multiple_in_thread_at(reactor, n, functions, __VA_ARGS__, FATE_HERE)
#endif

#endif
