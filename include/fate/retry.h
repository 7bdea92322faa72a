/* Trying again: a function that may fail for a while is called until it works.
 *
 *     static fate_value ask(fate_value *reactor)
 *     {
 *         return fate_follow(fate_process_output(fate_as_ptr(reactor), argv));
 *     }
 *     ...
 *     fate_deferred *answer = fate_retry(reactor, ask, fate_ptr(reactor)); */
#ifndef FATE_RETRY_H
#define FATE_RETRY_H

#include <fate/reactor.h>

FATE_BEGIN

/* Zero means the default. */
typedef struct fate_retry_options {
    size_t size;
    size_t attempts_max;     /* 5; FATE_UNLIMITED: until it works or is cancelled */
    unsigned jitter_percent; /* 0 to 100: each pause is shorter by up to that much, drawn by chance from the
                                reactor's seed, so that many who have failed at once do not come at once: 0 */
    fate_time first;         /* the pause after the first attempt: 1 s; each is twice as long as the last */
    fate_time delay_max;     /* but none longer than this: 60 s, or first if that is longer */
    const fate_class *only;  /* a failure of another class is final: FATE_ERROR */
} fate_retry_options;

/* Calls function(arg) now, and after a pause again as long as it fails; fires with its value, or with the
 * last failure.  function may follow a deferred, whose result is then waited for.  Each call is lent a copy
 * of arg. options NULL: the defaults.
 *
 * Each attempt that has failed is told to the log at FATE_LOG_DEBUG, and the report says which one is being
 * made or waited for.  FATE_CANCELLED is final whatever `only` says.  Cancelled, it cancels what the attempt
 * follows, or ends the pause, and fails with FATE_CANCELLED at once.  Without memory for a pause it fails
 * with FATE_NO_MEMORY.  A NULL function, a negative time and a jitter above 100 % stop the program.
 *
 * Use it for what comes back by itself: a server that starts, a file that another process is to write. */
FATE_API fate_deferred *fate_retry_at(fate_reactor *reactor, fate_function *function, fate_value arg,
                                      const fate_retry_options *options, const char *site);

FATE_END

#ifdef __cplusplus
#include <fate/retry_cxx.h>
#else
/* The plain functions, without a line, for dlsym and other languages; the macros over them name the place. */
FATE_API fate_deferred *fate_retry(fate_reactor *reactor, fate_function *function, fate_value arg);
FATE_API fate_deferred *fate_retry_with(fate_reactor *reactor, fate_function *function, fate_value arg,
                                        const fate_retry_options *options);
#define fate_retry(reactor, function, ...)                                                                   \
    fate_retry_at(reactor, function, __VA_ARGS__, NULL, #function " " FATE_HERE)
#define fate_retry_with(reactor, function, arg, ...)                                                         \
    fate_retry_at(reactor, function, arg, FATE_WITH(fate_retry_options, __VA_ARGS__), #function " " FATE_HERE)
#endif

#endif
