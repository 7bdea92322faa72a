/* Lock, semaphore and queue for deferreds (R123-R137).
 *
 * What is made on a reactor goes with it; freeing earlier is allowed and cancels those who still wait, and
 * those who come meanwhile.  Whoever has a token then still releases it. Making one never gives NULL: without
 * memory it is one whose deferreds all fail with FATE_NO_MEMORY and whose other functions return -ENOMEM. */
#ifndef FATE_SYNC_H
#define FATE_SYNC_H

#include <fate/deferred.h>

FATE_BEGIN

/* ---- Lock: one at a time, in order of asking ---- */

typedef struct fate_lock fate_lock;

/* A free one. */
FATE_API fate_lock *fate_lock_new_at(fate_reactor *reactor, const char *site);
FATE_API void fate_lock_free(fate_lock *lock);
/* Fires with the lock (fate_as_lock) when it is yours.  Cancelling takes a waiting one out of the line; it
 * does not release one that has been given (R126). */
FATE_API fate_deferred *fate_lock_acquire_at(fate_lock *lock, const char *site);
/* Gives it to the oldest in line, before this returns.  Releasing a free lock stops the program (R125). */
FATE_API int fate_lock_release(fate_lock *lock);
/* Acquires, calls function, releases when what it returned or followed is done, on every path; fires with
 * that. Cancelled while waiting, the function is never called; later, what it follows is cancelled (R127,
 * R128). */
FATE_API fate_deferred *fate_lock_run_at(fate_lock *lock, fate_function *function, fate_value arg,
                                         const char *site);
FATE_API bool fate_lock_is_held(const fate_lock *lock);
FATE_API size_t fate_lock_waiting(const fate_lock *lock);
FATE_API fate_lock *fate_as_lock(const fate_value *v);

/* ---- Semaphore: so many at a time ---- */

typedef struct fate_semaphore fate_semaphore;

/* n_tokens of 0 stops the program (R131). */
FATE_API fate_semaphore *fate_semaphore_new_at(fate_reactor *reactor, size_t n_tokens, const char *site);
FATE_API void fate_semaphore_free(fate_semaphore *semaphore);
/* As for the lock; fires with the semaphore. */
FATE_API fate_deferred *fate_semaphore_acquire_at(fate_semaphore *semaphore, const char *site);
/* Releasing more than was taken stops the program. */
FATE_API int fate_semaphore_release(fate_semaphore *semaphore);
FATE_API fate_deferred *fate_semaphore_run_at(fate_semaphore *semaphore, fate_function *function,
                                              fate_value arg, const char *site);
/* How many tokens are free, and how many there are. */
FATE_API size_t fate_semaphore_tokens(const fate_semaphore *semaphore);
FATE_API size_t fate_semaphore_limit(const fate_semaphore *semaphore);
FATE_API size_t fate_semaphore_waiting(const fate_semaphore *semaphore);
FATE_API fate_semaphore *fate_as_semaphore(const fate_value *v);

/* ---- Queue: values from those who put to those who get ---- */

typedef struct fate_queue fate_queue;

/* size_max: how many values may lie in it; backlog_max: how many may wait for one.  FATE_UNLIMITED, or 0 and
 * more (R135). */
FATE_API fate_queue *fate_queue_new_at(fate_reactor *reactor, size_t size_max, size_t backlog_max,
                                       const char *site);
FATE_API void fate_queue_free(fate_queue *queue);
/* Gives the value to the oldest who waits, before this returns, or stores it (R133).
 * 0; -EOVERFLOW when it is full, -ENOMEM, -ECANCELED while it is being freed; the value is dropped then. */
FATE_API int fate_queue_put(fate_queue *queue, fate_value value);
/* Fires with the oldest value.  With backlog_max waiting already, a deferred failed with
 * FATE_QUEUE_UNDERFLOW. Cancelling takes a waiting one out of the line (R136). */
FATE_API fate_deferred *fate_queue_get_at(fate_queue *queue, const char *site);
/* Values that lie in it, and those who wait. */
FATE_API size_t fate_queue_size(const fate_queue *queue);
FATE_API size_t fate_queue_waiting(const fate_queue *queue);

FATE_END

#ifdef __cplusplus
#include <fate/sync_cxx.h>
#else
FATE_API fate_lock *fate_lock_new(fate_reactor *reactor);
FATE_API fate_semaphore *fate_semaphore_new(fate_reactor *reactor, size_t n_tokens);
FATE_API fate_queue *fate_queue_new(fate_reactor *reactor, size_t size_max, size_t backlog_max);
FATE_API fate_deferred *fate_lock_acquire(fate_lock *lock);
FATE_API fate_deferred *fate_lock_run(fate_lock *lock, fate_function *function, fate_value arg);
FATE_API fate_deferred *fate_semaphore_acquire(fate_semaphore *semaphore);
FATE_API fate_deferred *fate_semaphore_run(fate_semaphore *semaphore, fate_function *function,
                                           fate_value arg);
FATE_API fate_deferred *fate_queue_get(fate_queue *queue);
#define fate_lock_new(reactor)                fate_lock_new_at(reactor, FATE_HERE)
#define fate_semaphore_new(reactor, n_tokens) fate_semaphore_new_at(reactor, n_tokens, FATE_HERE)
#define fate_queue_new(reactor, size_max, backlog_max)                                                       \
    fate_queue_new_at(reactor, size_max, backlog_max, FATE_HERE)
#define fate_lock_acquire(lock) fate_lock_acquire_at(lock, FATE_HERE)
#define fate_lock_run(lock, function, ...)                                                                   \
    fate_lock_run_at(lock, function, __VA_ARGS__, #function " " FATE_HERE)
#define fate_semaphore_acquire(semaphore) fate_semaphore_acquire_at(semaphore, FATE_HERE)
#define fate_semaphore_run(semaphore, function, ...)                                                         \
    fate_semaphore_run_at(semaphore, function, __VA_ARGS__, #function " " FATE_HERE)
#define fate_queue_get(queue) fate_queue_get_at(queue, FATE_HERE)
#endif

#endif
