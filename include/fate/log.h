/* The log: what the library and the program have to say to whoever watches. */
#ifndef FATE_LOG_H
#define FATE_LOG_H

#include <fate/deferred.h>

FATE_BEGIN

enum { FATE_LOG_DEBUG, FATE_LOG_INFO, FATE_LOG_NOTICE, FATE_LOG_WARNING, FATE_LOG_ERROR };

/* All lent for the call. */
typedef struct fate_log_entry {
    int level;
    const char *text;          /* one line, without a newline */
    const char *site;          /* the line it speaks of, "client.c:6"; "" when there is none */
    const fate_value *failure; /* NULL: none */
} fate_log_entry;
typedef void fate_log_observer(const fate_log_entry *entry, fate_value *arg);

/* Logs a line, made as printf does. */
FATE_API void fate_log(fate_reactor *reactor, int level, const char *fmt, ...) FATE_PRINTF(3, 4);
FATE_API void fate_log_v(fate_reactor *reactor, int level, const char *fmt, va_list args) FATE_PRINTF(3, 0);

/* Gets each entry from now on.  It replaces the one before, whose arg is dropped; observer NULL brings back
 * the default, which writes to standard error.  What it logs itself goes there too. */
FATE_API void fate_log_observe(fate_reactor *reactor, int level_min, fate_log_observer *observer,
                               fate_value arg);

/* Ready-made errback: logs the failure with its traceback and ends in none, as Twisted's log.err.
 * Its arg is the reactor, fate_ptr(reactor); none logs to standard error. */
FATE_API fate_value fate_log_failure(fate_value *failure, fate_value *reactor);

FATE_END

#endif
