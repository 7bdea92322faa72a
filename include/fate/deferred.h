/* Deferreds: a result that comes later, and the chain of callbacks and errbacks that it will go through.
 *
 * The three rules of ownership:
 *  1. A value passed by value is given; passed by pointer it is lent.
 *  2. A deferred is alive while it has still to fire, waits, is paused, runs its levels, or is held.  One
 * that is done and not held goes at the end of the turn; a failure still in it then is reported, once.
 * Whoever may cancel, add or look in a later turn holds; only the producer needs no hold.
 *  3. The arg of a callback is given to its level, and dropped as soon as that level has been passed.
 *
 * A function that returns a deferred never returns NULL: when memory runs out it returns the reactor's
 * NO_MEMORY deferred, whose every errback sees a FATE_NO_MEMORY failure.  Using a deferred that has gone
 * stops the program.
 *
 * Rule numbers (R1 …) are those of docs/deferred-semantics.md; they describe Twisted's Deferred. */
#ifndef FATE_DEFERRED_H
#define FATE_DEFERRED_H

#include <fate/failure.h>
#include <fate/value.h>

FATE_BEGIN

/* A level of a chain.  Both pointers are lent for the call.  It returns a plain value, a failure
 * (fate_raise), fate_follow(d), or fate_take(result) to pass its input on; returning *result or *arg itself
 * stops the program. */
typedef fate_value fate_callback(fate_value *result, fate_value *arg);
/* Does something and returns a value, a failure or fate_follow(d). */
typedef fate_value fate_function(fate_value *arg);
/* Something happened; nothing is returned. */
typedef void fate_action(fate_value *arg);
/* Stops the work whose result d was to be.  It may fire d; if it does not, d fails with FATE_CANCELLED. After
 * it nobody else may fire d. */
typedef void fate_canceller(fate_deferred *d, fate_value *arg);

/* ---- Making ---- */

/* One that has still to fire (R1).  The producer keeps the pointer until it fires or abandons it. */
FATE_API fate_deferred *fate_deferred_new_at(fate_reactor *reactor, const char *site);
/* The same that can be cancelled at its source.  arg is dropped when d fires (R71). */
FATE_API fate_deferred *fate_deferred_new_cancellable_at(fate_reactor *reactor, fate_canceller *canceller,
                                                         fate_value arg, const char *site);
/* One that has fired already (R22).  A failure given to succeed is a failure all the same (R8); a value given
 * to fail stops the program. */
FATE_API fate_deferred *fate_succeed_at(fate_reactor *reactor, fate_value value, const char *site);
FATE_API fate_deferred *fate_fail_at(fate_reactor *reactor, fate_value failure, const char *site);
/* Calls function now.  The deferred it follows comes back as it is; else one fired with its value or failure
 * (R24).  arg is dropped when the function has returned. */
FATE_API fate_deferred *fate_maybe_at(fate_reactor *reactor, fate_function *function, fate_value arg,
                                      const char *site);

/* ---- Firing ---- */

/* Gives d its result and runs its levels before returning (R7, R13).
 *
 * 0; -ECANCELED: d was cancelled meanwhile, and this one late result has been dropped silently (R66);
 * -EALREADY: it had fired, the value was dropped and both places logged (R11); -EPERM: d's producer is the
 * library; -ENOMEM: d is the NO_MEMORY deferred.  The value is gone whatever is returned.  fate_follow(…) as
 * the value stops the program. */
FATE_API int fate_fire_at(fate_deferred *d, fate_value value_or_failure, const char *site);
/* The producer gives up its claim to keep d alive: from now on only holds do.  While held, d is fired by a
 * chain, cancelled and timed out as before.  When it goes unfired, its args are dropped and no callback runs
 * (R92).  One that has fired and is paused gives up its pauses without running its levels, whoever its
 * producer was. 0; -ECANCELED: it was cancelled meanwhile; -EALREADY: it had fired and is not paused, so
 * there is nothing to give up; -EPERM: it has still to be fired by the library and is
 * not paused; -ENOMEM: it is the NO_MEMORY deferred. */
FATE_API int fate_abandon(fate_deferred *d);
/* "I keep no pointer": d may go as soon as it is done, before the turn ends.  It saves memory in long turns.
 */
FATE_API void fate_forget(fate_deferred *d);

/* ---- Holding ---- */

/* Keeps d beyond its turn until as many fate_release.  Returns d. */
FATE_API fate_deferred *fate_hold(fate_deferred *d);
FATE_API void fate_release(fate_deferred *d);
/* A value that holds d until it is dropped. */
FATE_API fate_value fate_held(fate_deferred *d);
/* The deferred in such a value, lent. */
FATE_API fate_deferred *fate_as_deferred(const fate_value *v);

/* ---- Adding levels ----
 *
 * Each adds one level at the end and returns d.  If d has fired and nothing is in the way, the level runs
 * before the call returns (R6); inside one of d's own callbacks it runs after those already there (R27).  arg
 * is given to the level and dropped when that has been passed, whether its callback ran or not.  A level
 * whose arg is the NO_MEMORY failure fails with it instead of running. */

/* Runs on a value; a failure passes it by. */
FATE_API fate_deferred *fate_add_callback_at(fate_deferred *d, fate_callback *callback, fate_value arg,
                                             const char *site);
/* Runs on a failure; a value passes it by. */
FATE_API fate_deferred *fate_add_errback_at(fate_deferred *d, fate_callback *errback, fate_value arg,
                                            const char *site);
/* Runs on either (R3). */
FATE_API fate_deferred *fate_add_both_at(fate_deferred *d, fate_callback *both, fate_value arg,
                                         const char *site);
/* callback on a value, errback on a failure: one level, so the errback does not see the callback's failure
 * (R19). NULL for one of them passes its side on. */
FATE_API fate_deferred *fate_add_callbacks_at(fate_deferred *d, fate_callback *callback,
                                              fate_callback *errback, fate_value arg,
                                              const char *callback_site, const char *errback_site);
/* Runs on a failure of class c or one derived from it; all else passes (R170). */
FATE_API fate_deferred *fate_add_trap_at(fate_deferred *d, const fate_class *c, fate_callback *errback,
                                         fate_value arg, const char *site);

typedef struct fate_handlers {
    size_t size;
    fate_callback *callback;
    fate_value callback_arg;
    fate_callback *errback;
    fate_value errback_arg;
} fate_handlers;
/* Like fate_add_callbacks with an arg for each side (R4).
 * In C: fate_add_handlers(d, .callback = got, .errback = lost, .errback_arg = fate_int(1)). */
FATE_API fate_deferred *fate_add_handlers_at(fate_deferred *d, const fate_handlers *handlers,
                                             const char *site);

/* ---- Joining deferreds ---- */

/* As a callback's return: "the result will come from d".  The level's own deferred waits until d has one,
 * takes it and goes on; d is left with none (R36-R39).  d is given: unless you hold it, it goes as soon as
 * its result has moved. A deferred that would wait for itself, directly or around a ring, becomes a
 * FATE_FOLLOW_ERROR failure. Anywhere but as the return of a callback or function the value stops the
 * program. */
FATE_API fate_value fate_follow(fate_deferred *d);
/* Adds a level to d that fires target with d's result and leaves d none (R59-R63).  Returns d.  Cancelling
 * target does not cancel d.  With the NO_MEMORY deferred as target nothing is added. */
FATE_API fate_deferred *fate_chain_at(fate_deferred *d, fate_deferred *target, const char *site);
/* A new deferred that fires with a copy of d's result at this point of its chain.
 *
 * d's own chain goes on with the result.  A failure is the branch's to handle from here on: d is no longer
 * reported for it.  If d has fired, so has the branch when this returns.  Cancelling a branch cancels only
 * the branch.
 *
 * Use it where several callers wait for one answer. */
FATE_API fate_deferred *fate_branch_at(fate_deferred *d, const char *site);

/* ---- Pausing and cancelling ---- */

/* Runs no further level until as many fate_unpause (R54).  From inside one of d's callbacks it takes effect
 * after that callback. */
FATE_API void fate_pause(fate_deferred *d);
/* 0; -EINVAL, and nothing happens, when d is not paused (R57). */
FATE_API int fate_unpause(fate_deferred *d);
/* Cancels (R64-R76): one that has not fired fails with FATE_CANCELLED unless its canceller fires it; one that
 * waits cancels what it waits for; one that is done ignores it.  Do it any number of times. */
FATE_API void fate_cancel_at(fate_deferred *d, const char *site);

/* ---- Looking: for tools and tests ---- */

typedef enum {
    FATE_UNFIRED, /* no result yet; a coroutine stays so until its body has ended */
    FATE_WAITING, /* fired, and waits for a deferred that a callback followed */
    FATE_DONE     /* has a result */
} fate_deferred_state;
/* How far d has come. */
FATE_API fate_deferred_state fate_state(const fate_deferred *d);
/* Paused by its owner (R57: waiting is not pausing). */
FATE_API bool fate_is_paused(const fate_deferred *d);
/* The result, lent until the next level runs; NULL when there is none yet. */
FATE_API const fate_value *fate_peek(const fate_deferred *d);
/* The line that made d: "client.c:6". */
FATE_API const char *fate_deferred_site(const fate_deferred *d);
FATE_API fate_reactor *fate_deferred_reactor(const fate_deferred *d);

/* A failure that nobody handled.  All lent for the call. */
typedef struct fate_unhandled {
    const fate_value *failure;
    const char *site; /* where its deferred was made */
} fate_unhandled;
typedef void fate_unhandled_fn(const fate_unhandled *what, fate_value *arg);
/* Gets each report of an unhandled failure, at the end of the turn in which its deferred went (R89).  It
 * replaces the one before; fn NULL brings back the default, which logs it as an error. */
FATE_API void fate_on_unhandled(fate_reactor *reactor, fate_unhandled_fn *fn, fate_value arg);

/* ---- Ready-made callbacks ---- */

/* Prints the value on a line of its own on standard output, as print would, and passes it on. */
FATE_API fate_value fate_print(fate_value *result, fate_value *arg);

FATE_END

#ifdef __cplusplus
#include <fate/deferred_cxx.h>
#else
/* The plain functions, without a line, for dlsym and other languages; the macros over them name the place. */
FATE_API fate_deferred *fate_deferred_new(fate_reactor *reactor);
FATE_API fate_deferred *fate_deferred_new_cancellable(fate_reactor *reactor, fate_canceller *canceller,
                                                      fate_value arg);
FATE_API fate_deferred *fate_succeed(fate_reactor *reactor, fate_value value);
FATE_API fate_deferred *fate_fail(fate_reactor *reactor, fate_value failure);
FATE_API fate_deferred *fate_maybe(fate_reactor *reactor, fate_function *function, fate_value arg);
FATE_API int fate_fire(fate_deferred *d, fate_value value_or_failure);
FATE_API fate_deferred *fate_add_callback(fate_deferred *d, fate_callback *callback, fate_value arg);
FATE_API fate_deferred *fate_add_errback(fate_deferred *d, fate_callback *errback, fate_value arg);
FATE_API fate_deferred *fate_add_both(fate_deferred *d, fate_callback *both, fate_value arg);
FATE_API fate_deferred *fate_add_callbacks(fate_deferred *d, fate_callback *callback, fate_callback *errback,
                                           fate_value arg);
FATE_API fate_deferred *fate_add_trap(fate_deferred *d, const fate_class *c, fate_callback *errback,
                                      fate_value arg);
FATE_API fate_deferred *fate_add_handlers(fate_deferred *d, const fate_handlers *handlers);
FATE_API fate_deferred *fate_chain(fate_deferred *d, fate_deferred *target);
FATE_API fate_deferred *fate_branch(fate_deferred *d);
FATE_API void fate_cancel(fate_deferred *d);

#define fate_deferred_new(reactor) fate_deferred_new_at(reactor, FATE_HERE)
#define fate_deferred_new_cancellable(reactor, canceller, ...)                                               \
    fate_deferred_new_cancellable_at(reactor, canceller, __VA_ARGS__, FATE_HERE)
#define fate_succeed(reactor, ...) fate_succeed_at(reactor, __VA_ARGS__, FATE_HERE)
#define fate_fail(reactor, ...)    fate_fail_at(reactor, __VA_ARGS__, FATE_HERE)
#define fate_maybe(reactor, function, ...)                                                                   \
    fate_maybe_at(reactor, function, __VA_ARGS__, #function " " FATE_HERE)
#define fate_fire(d, ...) fate_fire_at(d, __VA_ARGS__, FATE_HERE)
#define fate_add_callback(d, callback, ...)                                                                  \
    fate_add_callback_at(d, callback, __VA_ARGS__, #callback " " FATE_HERE)
#define fate_add_errback(d, errback, ...) fate_add_errback_at(d, errback, __VA_ARGS__, #errback " " FATE_HERE)
#define fate_add_both(d, both, ...)       fate_add_both_at(d, both, __VA_ARGS__, #both " " FATE_HERE)
#define fate_add_callbacks(d, callback, errback, ...)                                                        \
    fate_add_callbacks_at(d, callback, errback, __VA_ARGS__, #callback " " FATE_HERE, #errback " " FATE_HERE)
#define fate_add_trap(d, c, errback, ...) fate_add_trap_at(d, c, errback, __VA_ARGS__, #errback " " FATE_HERE)

#define fate_add_handlers(d, ...) fate_add_handlers_at(d, FATE_WITH(fate_handlers, __VA_ARGS__), FATE_HERE)

#define fate_chain(d, target) fate_chain_at(d, target, FATE_HERE)
#define fate_branch(d)        fate_branch_at(d, FATE_HERE)
#define fate_cancel(d)        fate_cancel_at(d, FATE_HERE)
#endif

#endif
