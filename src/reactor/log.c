/* The log, as much of it as there is: one observer, and standard error by default. */
#include <stdio.h>
#include <string.h>

#include <base/text.h>
#include <reactor/reactor.h>

static const char *level_name(int level)
{
    static const char *const names[] = { "debug", "info", "notice", "warning", "error" };
    return level >= FATE_LOG_DEBUG && level <= FATE_LOG_ERROR ? names[level] : "log";
}

static void print_indented(FILE *file, const char *text)
{
    for (const char *line = text; *line;) {
        int len = (int)strcspn(line, "\n");
        fprintf(file, "  %.*s\n", len, line);
        line += len + (line[len] == '\n');
    }
}

static void print_failure(FILE *file, const fate_value *failure)
{
    fate_value traceback = fate_traceback(failure);
    const char *text;

    print_indented(file, fate_get_str(&traceback, &text) ? text : fate_message(failure));
    fate_drop(traceback);
}

static void write_to_standard_error(const fate_log_entry *entry)
{
    char site[256] = "";

    if (entry->site && *entry->site)
        fate__site_short(entry->site, site, sizeof site);
    fflush(stdout);
    if (entry->failure) {
        fprintf(stderr, "%s%s%s\n", entry->text, *site ? " " : "", site);
        print_failure(stderr, entry->failure);
    } else {
        fprintf(stderr, "%s: %s%s%s\n", level_name(entry->level), site, *site ? ": " : "", entry->text);
    }
}

struct deliver_call {
    fate_reactor *reactor;
    const fate_log_entry *entry;
};

static void deliver_outside(void *arg);

static void deliver(fate_reactor *reactor, const fate_log_entry *entry)
{
    if (entry->level < reactor->log_level_min)
        return;
    if (reactor->turns.outside) {
        struct deliver_call call = { reactor, entry };
        reactor->turns.outside(&reactor->turns, deliver_outside, &call);
        return;
    }
    if (!reactor->observer || reactor->is_logging) {
        write_to_standard_error(entry);
        return;
    }
    reactor->is_logging = true;
    fate_value arg = fate_copy(&reactor->observer_arg); /* the observer may replace itself */
    reactor->observer(entry, &arg);
    reactor->is_logging = false;
    fate_drop(fate_take(&arg));
}

static void deliver_outside(void *arg)
{
    const struct deliver_call *call = arg;
    deliver(call->reactor, call->entry);
}

void fate__log_from_turns(struct fate__turns *turns, int level, const fate_value *failure, const char *site,
                          const char *text)
{
    const fate_log_entry entry = { level, text, site, failure };
    deliver(fate__reactor(turns), &entry);
}

void fate_log_v(fate_reactor *reactor, int level, const char *fmt, va_list args)
{
    struct fate__text text = { 0 };

    fate__check_reactor(reactor, "fate_log", NULL);
    fate__text_format_v(&text, fmt, args);
    const fate_log_entry entry = { level, text.bytes ? text.bytes : fmt, "", NULL };
    deliver(reactor, &entry);
    fate__text_done(&text);
}

void fate_log(fate_reactor *reactor, int level, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_log_v(reactor, level, fmt, args);
    va_end(args);
}

void fate_log_observe(fate_reactor *reactor, int level_min, fate_log_observer *observer, fate_value arg)
{
    fate__check_reactor(reactor, "fate_log_observe", NULL);
    fate__check_given(&arg, "fate_log_observe", NULL);
    fate_value old = reactor->observer_arg;
    reactor->log_level_min = level_min;
    reactor->observer = observer;
    reactor->observer_arg = arg;
    fate_drop(old);
}

fate_value fate_log_failure(fate_value *failure, fate_value *reactor)
{
    const fate_log_entry entry = { FATE_LOG_ERROR, "Failure", "", failure };

    if (fate_is_none(reactor))
        write_to_standard_error(&entry);
    else
        deliver(fate_as_ptr(reactor), &entry);
    return fate_none();
}
