/* A site for tests. */
#include "test_http_server_helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <fate/log.h>
#include <http/server.h>

fate_reactor *web_reactor;
fate_website *web_site;
fate_protocol *web_connection;

static char heard[1 << 20];

static char logged[4096];

static void note(const fate_log_entry *entry, fate_value *arg)
{
    fate_value traceback = entry->failure ? fate_traceback(entry->failure) : fate_none();
    const char *s = "";

    fate_get_str(&traceback, &s);
    snprintf(logged, sizeof logged, "%s%s%s", entry->text, *s ? "\n" : "", s);
    fate_drop(traceback);
}

const char *web_logged(void)
{
    return logged;
}

bool web_begin(const fate_site_options *options, const fate_route *routes)
{
    web_end();
    web_reactor = fate_test_reactor();
    if (!web_reactor)
        return false;
    test_at_end = web_end;
    fate_log_observe(web_reactor, FATE_LOG_DEBUG, note, fate_none());
    web_site = fate_site_new_at(web_reactor, options, FATE_HERE);
    if (routes)
        fate_site_routes(web_site, routes, fate_none());
    return !fate__http_is_nothing(web_site) && fate_is_none(&web_site->trouble) && web_connect();
}

bool web_connect(void)
{
    web_connection = fate_test_protocol(web_reactor, &fate__http_server_ops, fate_copy(&web_site->self));
    return web_connection;
}

void web_say(const char *bytes)
{
    if (web_connection)
        fate_test_give(web_connection, bytes, strlen(bytes));
}

void web_peer_is(const char *path)
{
    if (!web_connection)
        return;
    fate_address *peer = (fate_address *)(uintptr_t)fate_peer(web_connection->transport);
    *peer = (fate_address){ .family = AF_UNIX, .as.local = { path, strlen(path) } };
}

const char *web_heard(void)
{
    fate_value text = web_connection ? fate_test_taken(web_connection) : fate_none();
    const char *s;
    size_t n = 0;

    heard[0] = '\0';
    if (fate_get_str(&text, &s)) {
        n = fate_count(&text) < sizeof heard ? fate_count(&text) : sizeof heard - 1;
        memcpy(heard, s, n);
        heard[n] = '\0';
    }
    fate_drop(text);
    return heard;
}

const char *web_ask(const char *bytes)
{
    if (!web_connect())
        return "";
    web_say(bytes);
    return web_heard();
}

const char *web_ask_slowly(const char *bytes)
{
    if (!web_connect())
        return "";
    for (; *bytes; bytes++) {
        char one[2] = { *bytes };
        web_say(one);
    }
    fate_advance(web_reactor, 0);
    return web_heard();
}

void web_end_of_peer(void)
{
    if (web_connection)
        fate_test_give(web_connection, NULL, 0);
}

void web_lose(void)
{
    if (web_connection)
        fate_test_lose(web_connection, fate_raise(&FATE_CONNECTION_RESET, "gone"));
}

void web_block(bool is_blocked)
{
    if (web_connection)
        fate_test_block(web_connection, is_blocked);
}

bool web_has_ended(void)
{
    return web_connection && fate_test_has_ended(web_connection);
}

void web_end(void)
{
    fate_reactor_free(web_reactor);
    web_reactor = NULL;
    web_connection = NULL;
    logged[0] = '\0';
}
