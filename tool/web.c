/* `fate web`: the files of a folder. */
#include <commands.h>

#include <stdio.h>
#include <string.h>

#include <fate/http_server.h>
#include <fate/log.h>

#define DRAIN_MAX (30 * FATE_SECOND)

struct web {
    const struct fate__web_settings *settings;
    fate_reactor *reactor;
    fate_deferred
        *served; /* fires, or is cancelled, when it is to end; NULL: it does not serve, or no more */
    fate_value listener;
    int status;
};

/* fate_main's function is given no argument of ours. */
static struct web *current;

/* ---- What is said ---- */

/* "http://127.0.0.1:8080/"; all interfaces are this machine's too. */
static void say_where(const struct web *web)
{
    char text[FATE_ADDRESS_TEXT_BYTES], host[FATE_ADDRESS_TEXT_BYTES];
    const fate_address *address = fate_listener_address(fate_as_listener(&web->listener));

    fate_address_host(address, host);
    if (!fate_address_port(address))
        printf("Serving %s at %s; Ctrl-C ends it.\n", web->settings->path, fate_address_text(address, text));
    else if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
        printf("Serving %s at http://localhost:%u/; Ctrl-C ends it.\n", web->settings->path,
               fate_address_port(address));
    else
        printf("Serving %s at http://%s/; Ctrl-C ends it.\n", web->settings->path,
               fate_address_text(address, text));
    fflush(stdout);
}

static void end_now(fate_value *arg)
{
    struct web *web = fate_as_ptr(arg);
    fate_deferred *served = web->served;

    web->served = NULL;
    if (served)
        fate_fire(served, fate_none());
}

/* The access log is what comes without a line of the program's; all else goes to standard error, as without
 * an observer. */
static void observe(const fate_log_entry *entry, fate_value *arg)
{
    struct web *web = fate_as_ptr(arg);
    fate_value none = fate_none(), out = fate_ptr(stdout);

    if (*entry->site || entry->level != FATE_LOG_INFO) {
        fate_log_to_text(entry, &none);
        return;
    }
    if (strcmp(web->settings->log, "common") == 0)
        printf("%s\n", entry->text);
    else if (strcmp(web->settings->log, "json") == 0)
        fate_log_to_json(entry, &out);
    fflush(stdout);
    /* Not from here: the connection is still at work. */
    if (web->settings->once)
        fate_call_later(web->reactor, 0, end_now, fate_ptr(web));
}

/* ---- Serving ---- */

static fate_value drain(fate_value *result, fate_value *arg)
{
    struct web *web = fate_as_ptr(arg);

    web->served = NULL;
    return fate_follow(fate_listener_stop(fate_as_listener(&web->listener), DRAIN_MAX));
}

static fate_value serve(fate_value *listener, fate_value *arg)
{
    struct web *web = fate_as_ptr(arg);

    web->listener = fate_take(listener);
    say_where(web);
    web->served = fate_deferred_new(web->reactor);
    return fate_follow(fate_add_both(web->served, drain, fate_ptr(web)));
}

static fate_value say_why(fate_value *why, fate_value *arg)
{
    struct web *web = fate_as_ptr(arg);

    if (fate_is(why, &FATE_CANCELLED))
        return fate_take(why);
    fprintf(stderr, "fate: %s\n", fate_message(why));
    web->status = 1;
    return fate_none();
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    struct web *web = current;
    const struct fate__web_settings *settings = web->settings;
    bool has_log = settings->once || strcmp(settings->log, "none") != 0;
    const char *format = strcmp(settings->log, "json") == 0 ? "json" : "common";

    web->reactor = reactor;
    fate_website *site = fate_site_new_with(reactor, .log_format = has_log ? format : NULL);
    fate_site_mount(site, "/", fate_static_new(reactor, settings->path));
    if (has_log)
        fate_log_observe(reactor, FATE_LOG_INFO, observe, fate_ptr(web));
    fate_deferred *d = fate_site_listen(site, settings->listen);
    fate_add_callback(d, serve, fate_ptr(web));
    return fate_add_errback(d, say_why, fate_ptr(web));
}

int fate__web(const struct fate__web_settings *settings)
{
    struct web web = { .settings = settings, .listener = fate_none() };

    current = &web;
    int status = fate__run_main(start);
    return status ? status : web.status;
}
