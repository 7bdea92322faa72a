/* Tests of the HTTP server with clients that are slow, or stand still: who may go on, and who is cut. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <http/server.h>

#include "test_http_server_helpers.h"

#define GET(path)      "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define GET_LAST(path) "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

/* ---- A client behind a slow link ---- */

struct client {
    fate_protocol base;
};

static size_t n_heard;
static int n_lost;
static char last[8]; /* what was heard last */
static fate_protocol *client;

static void say(fate_protocol *p)
{
    const char *says = fate_as_ptr(p->arg);

    client = p;
    fate_write(p->transport, says, strlen(says));
}

static void hear(fate_protocol *p, const void *data, size_t n)
{
    n_heard += n;
    if (n >= sizeof last - 1)
        memcpy(last, (const char *)data + n - (sizeof last - 1), sizeof last - 1);
}

static void lost(fate_protocol *p, fate_value *why)
{
    n_lost++;
    client = NULL;
}

static const fate_protocol_ops client_ops = { FATE_PROTOCOL(struct client), .connection_made = say,
                                              .data_received = hear, .connection_lost = lost };

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static void connect_and_say(const char *says)
{
    fate_add_errback(fate_connect(web_reactor, "tcp:server:80", &client_ops, fate_ptr(says)), forgive,
                     fate_none());
}

/* ---- Pages ---- */

static char much[4000000];

static fate_value long_text(fate_request *request, fate_value *arg)
{
    return fate_str_n(much, sizeof much);
}

static fate_value very_long_text(fate_request *request, fate_value *arg)
{
    char *bytes = malloc(20000000);

    if (bytes)
        memset(bytes, 'x', 20000000);
    fate_value v = fate_str_n(bytes, bytes ? 20000000 : 0);
    free(bytes);
    return v;
}

static fate_value very_long_list(fate_request *request, fate_value *arg)
{
    return fate_list_of(very_long_text(request, arg));
}

static fate_deferred *later;

static fate_value slow(fate_request *request, fate_value *arg)
{
    later = fate_deferred_new(fate_request_reactor(request));
    return fate_follow(later);
}

static int n_left, n_stopped;

static fate_deferred *next_of_many(fate_value *arg, size_t bytes_max)
{
    if (n_left-- == 0)
        return fate_succeed(web_reactor, fate_none());
    return fate_succeed(web_reactor, fate_bytes(much, 10000));
}

static void stop(fate_value *arg)
{
    n_stopped++;
}

static const fate_source_ops many_ops = { .size = sizeof many_ops, .read = next_of_many, .stop = stop };

static fate_value many(fate_request *request, fate_value *arg)
{
    return fate_source(web_reactor, &many_ops, fate_none());
}

static fate_channel *channel;

static fate_value events(fate_request *request, fate_value *arg)
{
    return fate_channel_source(channel);
}

static const fate_route routes[] = { { "GET /long", long_text },
                                     { "GET /very-long", very_long_text },
                                     { "GET /very-long-list", very_long_list },
                                     { "GET /many", many },
                                     { "GET /slow", slow },
                                     { "GET /events", events },
                                     { 0 } };

static fate_deferred *serving;

static bool begin(const fate_site_options *options)
{
    memset(much, 'x', sizeof much);
    n_heard = 0;
    n_lost = n_stopped = 0;
    n_left = 400;
    client = NULL;
    later = NULL;
    if (!web_begin(options, routes))
        return false;
    channel = fate_channel_new(web_reactor);
    serving = fate_hold(fate_add_errback(fate_serve_site(web_site, "tcp:server:80"), forgive, fate_none()));
    return true;
}

static void end(void)
{
    fate_cancel(serving);
    fate_release(serving);
    web_end();
}

/* Of four million bytes, which take so long. */
#define SLOW_TIME (200 * FATE_SECOND)

static bool begin_slowly(const char *says)
{
    if (!begin(NULL))
        return false;
    fate_test_link(web_reactor, .bytes_per_second = 20000, .buffer_bytes = 65536);
    connect_and_say(says);
    return true;
}

/* ---- Who may go on ---- */

VOLUME_TEST(a_client_that_takes_a_long_answer_slowly_gets_all_of_it)
{
    if (!begin_slowly(GET("/long")))
        return;
    fate_play(web_reactor, SLOW_TIME + 30 * FATE_SECOND);
    EXPECT(n_heard > sizeof much);
    EXPECT_EQ(n_lost, 0);
    end();
}

VOLUME_TEST(so_it_does_over_a_connection_that_is_to_be_closed)
{
    if (!begin_slowly(GET_LAST("/long")))
        return;
    fate_play(web_reactor, SLOW_TIME + 30 * FATE_SECOND);
    EXPECT(n_heard > sizeof much);
    EXPECT_EQ(n_lost, 1);
    end();
}

VOLUME_TEST(so_it_does_of_a_server_that_is_stopped)
{
    if (!begin_slowly(GET("/slow")))
        return;
    fate_play(web_reactor, FATE_SECOND);
    fate_cancel(serving);
    fate_play(web_reactor, FATE_SECOND);
    if (later)
        fate_fire(later, fate_bytes(much, 400000));
    fate_play(web_reactor, 25 * FATE_SECOND);
    EXPECT(n_heard > 400000);
    EXPECT_EQ(fate_state(serving), FATE_DONE);
    end();
}

VOLUME_TEST(a_client_that_takes_a_stream_slowly_gets_all_of_it)
{
    if (!begin_slowly(GET("/many")))
        return;
    fate_play(web_reactor, SLOW_TIME + 30 * FATE_SECOND);
    EXPECT(n_heard > sizeof much);
    EXPECT(strcmp(last, "\r\n0\r\n\r\n") == 0);
    EXPECT_EQ(n_lost, 0);
    end();
}

VOLUME_TEST(an_answer_may_be_longer_than_what_may_be_queued)
{
    static const char *const requests[] = { GET("/very-long"), GET("/very-long-list") };

    for (int i = 0; i < 2; i++) {
        if (!begin(NULL))
            return;
        fate_test_link(web_reactor, .bytes_per_second = 1000000);
        connect_and_say(requests[i]);
        fate_play(web_reactor, 60 * FATE_SECOND);
        EXPECT(n_heard > 20000000);
        EXPECT_EQ(n_lost, 0);
        end();
    }
}

TEST(a_stream_may_take_longer_than_its_page)
{
    const fate_site_options options = { .size = sizeof options, .page_timeout = 5 * FATE_SECOND };

    if (!begin(&options))
        return;
    web_ask(GET("/slow"));
    fate_play(web_reactor, FATE_SECOND);
    if (later)
        fate_fire(later, fate_channel_source(channel));
    fate_play(web_reactor, 10 * FATE_SECOND);
    fate_channel_say(channel, fate_str("an event"));
    fate_play(web_reactor, FATE_SECOND);
    EXPECT_CONTAINS(web_heard(), "an event");
    EXPECT(!web_has_ended());
    end();
}

/* ---- Who is cut ---- */

TEST(a_client_that_does_not_read_its_events_is_cut)
{
    if (!begin(NULL))
        return;
    web_ask(GET("/events"));
    web_block(true);
    for (int i = 0; i < 4; i++) {
        fate_channel_say(channel, fate_bytes(much, 100000));
        fate_play(web_reactor, FATE_SECOND);
    }
    fate_play(web_reactor, 70 * FATE_SECOND);
    EXPECT(!web_has_ended());
    fate_play(web_reactor, 10 * FATE_SECOND);
    EXPECT(web_has_ended());
    EXPECT_EQ(fate_channel_say(channel, fate_str("to nobody")), 0);
    end();
}

TEST(a_client_that_does_not_read_its_last_answer_is_cut)
{
    if (!begin(NULL))
        return;
    web_ask(GET_LAST("/slow"));
    web_block(true);
    fate_play(web_reactor, 100 * FATE_SECOND);
    if (later)
        fate_fire(later, fate_str("at last"));
    fate_play(web_reactor, 80 * FATE_SECOND);
    EXPECT(web_has_ended());
    end();
}

TEST(a_client_that_does_not_read_a_short_answer_is_cut)
{
    if (!begin(NULL))
        return;
    web_connect();
    web_block(true);
    web_say(GET("/nowhere"));
    fate_play(web_reactor, 74 * FATE_SECOND);
    EXPECT(!web_has_ended());
    fate_play(web_reactor, 80 * FATE_SECOND);
    EXPECT(web_has_ended());
    end();
}

TEST(a_client_that_half_closes_and_does_not_read_is_cut)
{
    if (!begin(NULL))
        return;
    web_connect();
    web_block(true);
    web_say(GET("/nowhere"));
    web_end_of_peer();
    fate_play(web_reactor, 160 * FATE_SECOND);
    EXPECT(!web_connection || !fate_is_connected(web_connection->transport));
    end();
}

/* As one that writes its upload whole before it reads. */
VOLUME_TEST(a_client_that_sends_much_may_read_why_it_need_not_have)
{
    static char upload[8000000];

    if (!begin(NULL))
        return;
    int n = snprintf(upload, sizeof upload,
                     "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 7990000\r\n\r\n");
    memset(upload + n, 'x', sizeof upload - 1 - (size_t)n);
    fate_test_link(web_reactor, .bytes_per_second = 1000000, .latency = 20 * FATE_MILLISECOND);
    connect_and_say(upload);
    fate_play(web_reactor, 7 * FATE_SECOND);
    EXPECT(n_heard > 0);
    EXPECT_EQ(n_lost, 0);
    fate_play(web_reactor, 30 * FATE_SECOND);
    EXPECT_EQ(n_lost, 1);
    end();
}

TEST(lingering_has_an_end)
{
    if (!begin(NULL))
        return;
    web_ask("GET / HTTP/1.1\r\nHost : x\r\n\r\n");
    for (int i = 0; i < 40 && web_connection && fate_is_connected(web_connection->transport); i++) {
        web_say("x");
        fate_play(web_reactor, FATE_SECOND);
    }
    EXPECT(!web_connection || !fate_is_connected(web_connection->transport));
    end();
}
