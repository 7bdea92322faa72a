/* A scripted web server. */
#include "test_http_client_helpers.h"

#include <stdio.h>
#include <string.h>

#include <base/text.h>

fate_reactor *client_reactor;
int web_connections;

static struct fate__text heard;
static const struct web_answer *next_answer;
static fate_deferred *listened;

struct server {
    fate_protocol base;
    struct fate__text request;
    fate_timer timer;
    size_t n_left; /* of and_says */
    const struct web_answer *answer;
};

static struct server *server_of(fate_protocol *p)
{
    return fate_container_of(p, struct server, base);
}

static fate_protocol *newest;

void web_say_unasked(const char *bytes)
{
    if (newest)
        fate_write(newest->transport, bytes, strlen(bytes));
}

static void made(fate_protocol *p)
{
    newest = p;
    web_connections++;
    fate__text_add(&heard, "--\n");
}

static void look(struct server *server);

static void reset(fate_value *arg)
{
    fate_abort_connection(((struct server *)fate_as_ptr(arg))->base.transport);
}

static void finish(struct server *server)
{
    const struct web_answer *answer = server->answer;

    server->answer = NULL;
    if (answer->then == WEB_CLOSE)
        fate_lose_connection(server->base.transport);
    else if (answer->then == WEB_RESET) /* when it has been written */
        server->timer = fate_call_later(client_reactor, FATE_SECOND, reset, fate_ptr(server));
    else
        look(server);
}

static void go_on(fate_value *arg)
{
    struct server *server = fate_as_ptr(arg);
    const struct web_answer *answer = server->answer;

    for (; server->n_left; server->n_left--) {
        fate_write(server->base.transport, answer->and_says, strlen(answer->and_says));
        if (!answer->every)
            continue;
        server->n_left--;
        server->timer = fate_call_later(client_reactor, answer->every, go_on, fate_ptr(server));
        return;
    }
    finish(server);
}

static void say(fate_value *arg)
{
    struct server *server = fate_as_ptr(arg);
    const struct web_answer *answer = server->answer;
    size_t len = answer->n_bytes ? answer->n_bytes : answer->says ? strlen(answer->says) : 0;

    if (len)
        fate_write(server->base.transport, answer->says, len);
    server->n_left = answer->n_times;
    go_on(arg);
}

static void look(struct server *server)
{
    const struct web_answer *answer = next_answer;

    if (server->answer || !server->request.len || (!answer->says && !answer->when && !answer->then))
        return;
    if (!strstr(server->request.bytes, answer->when ? answer->when : "\r\n\r\n"))
        return;
    next_answer++;
    server->request.len = 0;
    server->answer = answer;
    if (answer->after)
        server->timer = fate_call_later(client_reactor, answer->after, say, fate_ptr(server));
    else
        say(&(fate_value){ fate_ptr(server).type, { .p = server } });
}

static void got(fate_protocol *p, const void *data, size_t len)
{
    struct server *server = server_of(p);

    fate__text_add_n(&heard, data, len);
    fate__text_add_n(&server->request, data, len);
    look(server);
}

static void lost(fate_protocol *p, fate_value *why)
{
    struct server *server = server_of(p);

    newest = newest == p ? NULL : newest;
    fate_timer_cancel(server->timer);
    fate__text_done(&server->request);
}

static const fate_protocol_ops ops = { FATE_PROTOCOL(struct server), .connection_made = made,
                                       .data_received = got, .connection_lost = lost };

bool web_open(const struct web_answer *script)
{
    next_answer = script;
    web_connections = 0;
    listened = NULL;
    client_reactor = fate_test_reactor();
    if (!client_reactor)
        return false;
    listened = fate_hold(fate_listen(client_reactor, "tcp:web:80", &ops, fate_none()));
    fate_advance(client_reactor, 0);
    return fate_state(listened) == FATE_DONE && !fate_is_failure(fate_peek(listened));
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static void stop_listening(void)
{
    const fate_value *listener = fate_peek(listened);

    if (listener && !fate_is_failure(listener))
        fate_add_errback(fate_listener_stop(fate_as_listener(listener), 0), forgive, fate_none());
    fate_add_errback(listened, forgive, fate_none());
    fate_release(listened);
    fate_play(client_reactor, FATE_SECOND);
}

void web_close(void)
{
    if (listened)
        stop_listening();
    EXPECT_EQ(fate_test_done(client_reactor), 0);
    fate__text_done(&heard);
}

void web_leave(void)
{
    if (listened) {
        fate_add_errback(listened, forgive, fate_none());
        fate_release(listened);
    }
    fate_reactor_free(client_reactor);
    fate__text_done(&heard);
}

const char *client_heard(void)
{
    return heard.bytes ? heard.bytes : "";
}

int web_heard_times(const char *part)
{
    int n = 0;

    for (const char *at = client_heard(); (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

/* ---- Results ---- */

static fate_value result;
static bool has_result;

static fate_value keep(fate_value *v, fate_value *arg)
{
    result = fate_take(v);
    has_result = true;
    return fate_none();
}

fate_value web_result(fate_deferred *d)
{
    result = fate_none();
    has_result = false;
    fate_add_both(d, keep, fate_none());
    for (int i = 0; i < 3600 && !has_result; i++)
        fate_play(client_reactor, FATE_SECOND);
    EXPECT(has_result);
    return fate_take(&result);
}

void web_expect_text(fate_deferred *d, const char *text)
{
    fate_value v = web_result(d);

    EXPECT_TEXT(&v, text);
    fate_drop(v);
}

void web_expect_failure(fate_deferred *d, const fate_class *c, const char *part)
{
    fate_value v = web_result(d);

    if (EXPECT_FAILURE(&v, c))
        EXPECT_CONTAINS(fate_message(&v), part);
    fate_drop(v);
}
