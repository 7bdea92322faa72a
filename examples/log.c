/* The log: levels, fields, an observer of one's own, and JSON. */
#include <stdio.h>

#include <fate/fate.h>

static fate_value lost(fate_value *why, fate_value *reactor)
{
    fate_value fields = fate_dict_of({ "peer", fate_str("::1") }, { "why", fate_copy(why) });

    fate_log_fields(fate_as_ptr(reactor), FATE_LOG_ERROR, "connection lost", fields);
    return fate_none();
}

static void work(fate_value *arg)
{
    fate_reactor *reactor = fate_as_ptr(arg);

    fate_log(reactor, FATE_LOG_DEBUG, "%d callers wait", 2);
    fate_value fields = fate_dict_of({ "peer", fate_str("::1") }, { "port", fate_int(8007) });
    fate_log_fields(reactor, FATE_LOG_NOTICE, "connected", fields);
    fate_deferred *answer = fate_fail(reactor, fate_raise(&FATE_CONNECTION_LOST, "end of stream"));
    fate_add_errback(answer, lost, fate_ptr(reactor));
}

/* An observer of one's own: the texts alone. */
static void print_text(const fate_log_entry *entry, fate_value *arg)
{
    printf("%s%s: %s\n", fate_as_str(arg), fate_log_level_name(entry->level), entry->text);
}

static fate_deferred *run(fate_reactor *reactor, int argc, char **argv)
{
    /* Until one of them observes, the log goes to standard error. */
    fate_log_observe(reactor, FATE_LOG_DEBUG, print_text, fate_str("heard "));
    fate_log_observe(reactor, FATE_LOG_NOTICE, fate_log_to_json, fate_ptr(stdout));

    fate_call_later(reactor, 2 * FATE_SECOND, work, fate_ptr(reactor));
    return fate_defer_later(reactor, 3 * FATE_SECOND, NULL, fate_none());
}

int main(int argc, char **argv)
{
    return fate_main(run, argc, argv);
}
