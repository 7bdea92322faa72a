/* Coroutines: straight-line code that waits (R139-R165).
 *
 * A coroutine runs on a stack of its own until it awaits something that has no result yet; then the reactor
 * goes on with other things.  Callbacks never run on its stack: what it fires, adds or cancels is carried out
 * on the reactor's, before the call returns.  (A reactor is a thread's own: what a body does to another
 * reactor of its thread runs where the body is.)  Its body must not leave by longjmp or a C++ exception. */
#ifndef FATE_CORO_H
#define FATE_CORO_H

#include <fate/deferred.h>
#include <fate/sync.h>

FATE_BEGIN

typedef struct fate_coro fate_coro;

/* The body.  arg is lent until it returns a value or a failure, the result; fate_follow is not for here:
 * await. */
typedef fate_value fate_coroutine(fate_coro *co, fate_value *arg);

typedef struct fate_go_options {
    size_t size;
    size_t stack_bytes; /* 60 KiB and a guard page; rounded up to pages */
    const char *name;   /* the function's, as written in the call; lent for as long as the coroutine lives */
} fate_go_options;

/* Starts a coroutine, which runs to its first wait before this returns (R139).  Its deferred fires with the
 * body's result.  Cancelling that cancels what the coroutine awaits, whose result, mostly FATE_CANCELLED, the
 * body then gets: it may clean up and return it, or go on (R152-R154). */
FATE_API fate_deferred *fate_go_at(fate_reactor *reactor, fate_coroutine *body, fate_value arg,
                                   const fate_go_options *options, const char *site);

/* d's result, value or failure, given; d is left with none, and is itself given, as by fate_follow.  A d that
 * has fired does not suspend the coroutine (R140).  Stops the program when co is not the coroutine that runs.
 */
FATE_API fate_value fate_await_at(fate_coro *co, fate_deferred *d, const char *site);
/* The list of all results, or FATE_FIRST_ERROR for the first failure (fate_gather). */
FATE_API fate_value fate_await_all_at(fate_coro *co, size_t n, fate_deferred *const members[],
                                      const char *site);
/* [index, value] of the first success; the others are cancelled (fate_race). */
FATE_API fate_value fate_await_any_at(fate_coro *co, size_t n, fate_deferred *const members[],
                                      const char *site);
/* None, that much later; a failure when cancelled before. */
FATE_API fate_value fate_coro_sleep_at(fate_coro *co, fate_time t, const char *site);

/* Calls action(arg) on the coroutine's stack when the body has ended, however it did, in reverse order of
 * these calls (R132).  0; -ENOMEM, and then it has been called already, unless arg was the NO_MEMORY failure.
 */
FATE_API int fate_coro_at_exit_at(fate_coro *co, fate_action *action, fate_value arg, const char *site);
/* Acquires, and releases when the body ends.  None, or a failure, and then it is not acquired. */
FATE_API fate_value fate_coro_lock_at(fate_coro *co, fate_lock *lock, const char *site);
FATE_API fate_value fate_coro_semaphore_at(fate_coro *co, fate_semaphore *semaphore, const char *site);

/* Where it runs, and what it is called: the first 39 bytes of its function's name. */
FATE_API fate_reactor *fate_coro_reactor(const fate_coro *co);
FATE_API const char *fate_coro_name(const fate_coro *co);
/* How large its stack is, and how much of it has ever been used, by it or by one before it. */
FATE_API size_t fate_coro_stack_bytes(const fate_coro *co);
FATE_API size_t fate_coro_stack_used(const fate_coro *co);

FATE_END

#ifdef __cplusplus
#include <fate/coro_cxx.h>
#else
/* The plain functions, without a line, for dlsym and other languages; the macros over them name the place. */
FATE_API fate_deferred *fate_go(fate_reactor *reactor, fate_coroutine *body, fate_value arg);
FATE_API fate_deferred *fate_go_with(fate_reactor *reactor, fate_coroutine *body, fate_value arg,
                                     const fate_go_options *options);
FATE_API fate_value fate_await(fate_coro *co, fate_deferred *d);
FATE_API fate_value fate_await_all(fate_coro *co, size_t n, fate_deferred *const members[]);
FATE_API fate_value fate_await_any(fate_coro *co, size_t n, fate_deferred *const members[]);
FATE_API fate_value fate_coro_sleep(fate_coro *co, fate_time t);
FATE_API int fate_coro_at_exit(fate_coro *co, fate_action *action, fate_value arg);
FATE_API fate_value fate_coro_lock(fate_coro *co, fate_lock *lock);
FATE_API fate_value fate_coro_semaphore(fate_coro *co, fate_semaphore *semaphore);
#define fate_go(reactor, body, ...) fate_go_at(reactor, body, __VA_ARGS__, NULL, #body " " FATE_HERE)
#define fate_go_with(reactor, body, arg, ...)                                                                \
    fate_go_at(reactor, body, arg, FATE_WITH(fate_go_options, __VA_ARGS__), #body " " FATE_HERE)
#define fate_await(co, ...)        fate_await_at(co, __VA_ARGS__, "await " FATE_HERE)
#define fate_await_all(co, n, ...) fate_await_all_at(co, n, __VA_ARGS__, "await " FATE_HERE)
#define fate_await_any(co, n, ...) fate_await_any_at(co, n, __VA_ARGS__, "await " FATE_HERE)
#define fate_coro_sleep(co, t)     fate_coro_sleep_at(co, t, "await " FATE_HERE)
#define fate_coro_at_exit(co, action, ...)                                                                   \
    fate_coro_at_exit_at(co, action, __VA_ARGS__, #action " " FATE_HERE)
#define fate_coro_lock(co, lock)           fate_coro_lock_at(co, lock, "await " FATE_HERE)
#define fate_coro_semaphore(co, semaphore) fate_coro_semaphore_at(co, semaphore, "await " FATE_HERE)
#endif

#endif
