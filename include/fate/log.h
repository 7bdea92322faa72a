/* The log: what the library and the program have to say to whoever watches. */
#ifndef FATE_LOG_H
#define FATE_LOG_H

#include <fate/reactor.h>

FATE_BEGIN

enum { FATE_LOG_DEBUG, FATE_LOG_INFO, FATE_LOG_NOTICE, FATE_LOG_WARNING, FATE_LOG_ERROR };

/* All lent for the call.  More members may come, at the end; size tells which are there. */
typedef struct fate_log_entry {
    size_t size;
    int level;
    const char *text;          /* without a newline at the end */
    const char *site;          /* the line it speaks of, "client.c:6"; "" when there is none */
    const fate_value *fields;  /* a dict; NULL: none */
    const fate_value *failure; /* NULL: none */
    int64_t time;              /* nanoseconds since 1970 UTC; on simulated time, of the reactor's clock */
    const char *reactor;       /* its name, "main"; "" when there is none */
} fate_log_entry;
typedef void fate_log_observer(const fate_log_entry *entry, fate_value *arg);

/* ---- Saying ----
 *
 * From any thread.  From another than the reactor's the entry is posted, and observers see it in order at the
 * reactor's next round; once the reactor has ended it goes to standard error.  Want of memory may shorten an
 * entry or cost it its fields, but never loses it. */

/* Logs a line, made as printf does. */
FATE_API void fate_log_at(fate_reactor *reactor, int level, const char *site, const char *fmt, ...)
    FATE_PRINTF(4, 5);
FATE_API void fate_log_v_at(fate_reactor *reactor, int level, const char *site, const char *fmt, va_list args)
    FATE_PRINTF(4, 0);
/* The same without a site. */
FATE_API void fate_log_v(fate_reactor *reactor, int level, const char *fmt, va_list args) FATE_PRINTF(3, 0);
/* Logs a text with fields, a dict, which is given: fate_dict_of({ "peer", fate_str("::1") }); none is none.
 * From another thread, what cannot cross (fate_detach) arrives as text. */
FATE_API void fate_log_fields_at(fate_reactor *reactor, int level, const char *text, fate_value dict,
                                 const char *site);
/* Ready-made errback: logs the failure with its traceback and ends in none, as Twisted's log.err.
 * Its arg is the reactor, fate_ptr(reactor); none logs to standard error. */
FATE_API fate_value fate_log_failure(fate_value *failure, fate_value *reactor);

/* ---- Observing ---- */

/* Calls observer with each entry of that level or above, until fate_unwatch; any number may observe, each
 * called in order of coming.  While there is one, the default observer is silent.  What an observer logs
 * itself goes to the default observer; it may add and stop observers, itself included.  id: -ENOMEM;
 * -ESHUTDOWN while the reactor is being freed.  Observers go last with their reactor.
 *
 * The default observer takes what is FATE_LOG_INFO or above, or what $FATE_LOG_LEVEL says when the reactor is
 * made: debug, info, notice, warning, error or off.  It writes to the journal when standard error is
 * connected to that ($JOURNAL_STREAM), else as fate_log_to_text to standard error. */
FATE_API fate_watch fate_log_observe_at(fate_reactor *reactor, int level_min, fate_log_observer *observer,
                                        fate_value arg, const char *site);

/* Ready-made observers.  Their arg is fate_ptr(FILE *), which stays yours, or none for standard error.
 *
 * to_text: "2026-11-20T12:10:38.123Z warning: client.c:6: refused peer=::1", and below it the traceback of a
 * failure, indented.  On a terminal, unless $NO_COLOR is set, with colours.
 * to_json: an object on one line: time, level, reactor, site, text, fields, failure (class, message,
 * traceback).
 * to_journal: by journald's own protocol; to the file as text when journald cannot be reached. */
FATE_API void fate_log_to_text(const fate_log_entry *entry, fate_value *arg);
FATE_API void fate_log_to_json(const fate_log_entry *entry, fate_value *arg);
FATE_API void fate_log_to_journal(const fate_log_entry *entry, fate_value *arg);

/* "warning"; "log" for a number that is no level.  A static text. */
FATE_API const char *fate_log_level_name(int level);

FATE_END

#ifdef __cplusplus
#include <fate/log_cxx.h>
#else
FATE_API void fate_log(fate_reactor *reactor, int level, const char *fmt, ...) FATE_PRINTF(3, 4);
FATE_API void fate_log_fields(fate_reactor *reactor, int level, const char *text, fate_value dict);
FATE_API fate_watch fate_log_observe(fate_reactor *reactor, int level_min, fate_log_observer *observer,
                                     fate_value arg);
#define fate_log(reactor, level, ...) fate_log_at(reactor, level, FATE_HERE, __VA_ARGS__)
#define fate_log_fields(reactor, level, text, ...)                                                           \
    fate_log_fields_at(reactor, level, text, __VA_ARGS__, FATE_HERE)
#define fate_log_observe(reactor, level_min, observer, ...)                                                  \
    fate_log_observe_at(reactor, level_min, observer, __VA_ARGS__, #observer " " FATE_HERE)
#endif

#endif
