/* Stopping the program, for what its programmer did wrong: one text on standard error, then abort(). */
#ifndef FATE_SRC_BASE_STOP_H
#define FATE_SRC_BASE_STOP_H

#include <base/shared.h>

/* Prints "libfate: SITE: TEXT" and aborts.  site may be NULL.  The text says what was done, to what, by which
 * rule it is wrong, and what to do instead. */
FATE__SHARED _Noreturn void fate__stop(const char *site, const char *fmt, ...) FATE_PRINTF(2, 3);

FATE__SHARED _Noreturn void fate__assert_failed(const char *condition, const char *here);
/* What this library promises itself. */
#define fate__assert(condition) ((condition) ? (void)0 : fate__assert_failed(#condition, FATE_HERE))

/* Where nothing can come. */
#define fate__never(why) fate__assert_failed(why, FATE_HERE)

#define fate__likely(x)   __builtin_expect(!!(x), 1)
#define fate__unlikely(x) __builtin_expect(!!(x), 0)

/* For what is rare in a function that is called often: put into it, it would cost that one a stack frame. */
#define fate__apart __attribute__((noinline))

#endif
