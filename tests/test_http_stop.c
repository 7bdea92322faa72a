/* Tests of an HTTP server that is stopped while it has much to do: what has begun is finished, nothing new
 * begins, and the end comes in time. */
#include <stdio.h>
#include <string.h>

#include <fate/http_client.h>
#include <fate/http_server.h>
#include <fate/test.h>

#include "test.h"

#define N_CLIENTS 60

static fate_reactor *reactor;
static fate_deferred *serving; /* held */
static fate_agent *agent;
static int n_pages, n_right, n_failed, n_begun;

static fate_value give(fate_value *text)
{
    return fate_take(text);
}

/* "GET /after/{ms}": a page that takes its time. */
static fate_value later(fate_request *request, fate_value *arg)
{
    n_begun++;
    return fate_follow(fate_defer_later(reactor, fate_request_int(request, "ms") * FATE_MILLISECOND, give,
                                        fate_str("at last")));
}

static fate_value hello(fate_request *request, fate_value *arg)
{
    return fate_str("at once");
}

/* "GET /drip/{n}": so many pieces of "at last", one each 100 ms. */
struct dripping {
    int64_t left;
};

static fate_deferred *drip(fate_value *arg, size_t bytes_max)
{
    struct dripping *dripping = fate_unbox(struct dripping, arg);

    if (dripping->left-- <= 0)
        return fate_succeed(reactor, fate_none());
    return fate_defer_later(reactor, 100 * FATE_MILLISECOND, give, fate_str("at last"));
}

static const fate_source_ops drip_ops = { .size = sizeof drip_ops, .read = drip };

static fate_value stream(fate_request *request, fate_value *arg)
{
    n_begun++;
    return fate_source(reactor, &drip_ops, fate_box(struct dripping, fate_request_int(request, "n")));
}

static fate_value pass(fate_value *text, fate_value *arg)
{
    return fate_take(text);
}

static fate_value collect(fate_request *request, fate_value *arg)
{
    n_begun++;
    return fate_follow(fate_add_callback(fate_request_text(request), pass, fate_none()));
}

static const fate_route routes[] = { { "GET /hello", hello },
                                     { "GET /after/{ms:int}", later },
                                     { "GET /drip/{n:int}", stream },
                                     { "POST /text", collect },
                                     { 0 } };

/* ---- Clients ---- */

static fate_value got(fate_value *page, fate_value *n)
{
    n_pages++;
    n_right += fate_count(page) == (size_t)fate_as_int(n) * strlen("at last");
    return fate_none();
}

static fate_value failed(fate_value *why, fate_value *n)
{
    n_failed++;
    return fate_none();
}

static void get(const char *path, int64_t number, int64_t n)
{
    char url[100];

    snprintf(url, sizeof url, "http://web/%s/%lld", path, (long long)number);
    fate_add_callbacks(fate_get_page_with(reactor, url, .agent = agent), got, failed, fate_int(n));
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static bool begin(void)
{
    n_pages = n_right = n_failed = n_begun = 0;
    serving = NULL;
    reactor = fate_test_reactor();
    if (!reactor)
        return false;
    fate_test_link(reactor, .latency = 10 * FATE_MILLISECOND, .jitter = 5 * FATE_MILLISECOND,
                   .piece_bytes_max = 100);
    serving = fate_hold(fate_add_errback(fate_serve_routes(reactor, "tcp:web:80", routes, fate_none()),
                                         forgive, fate_none()));
    agent = fate_agent_new_with(reactor, .per_host_max = N_CLIENTS);
    return true;
}

static void end(void)
{
    if (serving) {
        fate_cancel(serving);
        fate_cancel(serving);
        fate_play(reactor, FATE_SECOND);
        fate_release(serving);
    }
    int n = reactor ? fate_test_done(reactor) : 0;
    EXPECT_EQ(n, 0);
}

VOLUME_TEST(a_server_that_is_stopped_under_load_ends_within_five_seconds)
{
    if (begin()) {
        for (int i = 0; i < N_CLIENTS; i++)
            get(i % 2 ? "after" : "drip", i % 2 ? 100 * i : i, i % 2 ? 1 : i);
        fate_play(reactor, FATE_SECOND);
        EXPECT_EQ(n_begun, N_CLIENTS);
        EXPECT(n_pages > 0 && n_pages < N_CLIENTS);
        fate_cancel(serving);
        fate_play(reactor, 5 * FATE_SECOND + 100 * FATE_MILLISECOND);
        EXPECT_EQ(n_right, N_CLIENTS);
        EXPECT_EQ(fate_state(serving), FATE_DONE);
        EXPECT_EQ(fate_agent_connections(agent), 0);
        get("after", 1, 1);
        fate_play(reactor, FATE_SECOND);
        EXPECT_EQ(n_failed, 1);
        EXPECT_EQ(n_begun, N_CLIENTS);
    }
    end();
}

TEST(a_server_that_is_stopped_closes_what_rests_and_finishes_what_has_begun)
{
    if (begin()) {
        get("after", 10, 1);
        fate_play(reactor, FATE_SECOND);
        get("after", 2000, 1);
        get("drip", 20, 20);
        fate_play(reactor, FATE_SECOND);
        fate_cancel(serving);
        fate_play(reactor, 500 * FATE_MILLISECOND);
        EXPECT_EQ(n_pages, 1);
        EXPECT_EQ(fate_agent_connections(agent), 2);
        fate_play(reactor, 3 * FATE_SECOND);
        EXPECT_EQ(n_right, 3);
        EXPECT_EQ(fate_state(serving), FATE_DONE);
    }
    end();
}

/* ---- One connection, at each moment of its conversation ---- */

struct client {
    fate_protocol base;
};

static char heard[4096];
static size_t n_heard;
static int n_lost;
static fate_protocol *connection;

static void made(fate_protocol *p)
{
    connection = p;
}

static void hear(fate_protocol *p, const void *data, size_t n)
{
    n = n < sizeof heard - 1 - n_heard ? n : sizeof heard - 1 - n_heard;
    memcpy(heard + n_heard, data, n);
    n_heard += n;
    heard[n_heard] = '\0';
}

static void lost(fate_protocol *p, fate_value *why)
{
    connection = NULL;
    n_lost++;
}

static const fate_protocol_ops client_ops = { FATE_PROTOCOL(struct client), .connection_made = made,
                                              .data_received = hear, .connection_lost = lost };

static void connect_one(void)
{
    n_heard = 0;
    heard[0] = '\0';
    n_lost = 0;
    connection = NULL;
    fate_add_errback(fate_connect(reactor, "tcp:web:80", &client_ops, fate_none()), forgive, fate_none());
    fate_play(reactor, FATE_SECOND);
}

static void say(const char *bytes, size_t n)
{
    if (connection)
        fate_write(connection->transport, bytes, n);
    fate_play(reactor, FATE_SECOND);
}

static const char request[] = "POST /text HTTP/1.1\r\nHost: web\r\nContent-Length: 7\r\n\r\nat last";

/* So many bytes of a request before the stop, and the rest behind it. */
static void stop_after(size_t n)
{
    if (begin()) {
        connect_one();
        say(request, n);
        fate_cancel(serving);
        fate_play(reactor, FATE_SECOND);
        say(request + n, strlen(request) - n);
        bool is_answered = n > 0; /* else it rested, and was closed */
        EXPECT_EQ(strstr(heard, "\r\n\r\nat last") != NULL, is_answered);
        if (is_answered && n < strlen(request))
            EXPECT_CONTAINS(heard, "Connection: close\r\n");
        fate_play(reactor, FATE_SECOND);
        EXPECT_EQ(n_lost, 1);
        EXPECT_EQ(fate_state(serving), FATE_DONE);
    }
    end();
}

VOLUME_TEST(a_request_that_has_begun_before_the_stop_is_answered)
{
    for (size_t n = 0; n <= strlen(request); n++)
        stop_after(n);
}

/* Behind what has begun nothing begins. */
TEST(of_pipelined_requests_the_one_that_has_begun_is_the_last)
{
    static const char requests[] = "GET /after/3000 HTTP/1.1\r\nHost: web\r\n\r\n"
                                   "GET /hello HTTP/1.1\r\nHost: web\r\n\r\n";

    if (begin()) {
        connect_one();
        say(requests, sizeof requests - 1);
        fate_cancel(serving);
        fate_play(reactor, 5 * FATE_SECOND);
        EXPECT_CONTAINS(heard, "at last");
        EXPECT_CONTAINS(heard, "Connection: close\r\n");
        EXPECT(!strstr(heard, "at once"));
        EXPECT_EQ(n_lost, 1);
        EXPECT_EQ(fate_state(serving), FATE_DONE);
    }
    end();
}
