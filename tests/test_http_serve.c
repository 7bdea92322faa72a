/* Tests of serving in the simulated network: pieces, latency, the end; and the access log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <http/server.h>

#include "test_http_server_helpers.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* A client that notes all that it hears. */
struct client {
    fate_protocol base;
    const char *says;
};

static char heard[1 << 16];
static size_t n_heard;
static int n_lost;
static fate_protocol *newest;

static void say(fate_protocol *p)
{
    const char *says = fate_as_ptr(p->arg);

    newest = p;
    fate_write(p->transport, says, strlen(says));
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
    n_lost++;
    newest = NULL;
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

static fate_value hello(fate_request *request, fate_value *arg)
{
    return fate_format("Hello, %s!\n", fate_request_param(request, "name"));
}

static fate_deferred *later;

static fate_value slow(fate_request *request, fate_value *arg)
{
    later = fate_deferred_new(fate_request_reactor(request));
    return fate_follow(later);
}

static fate_value echo(fate_request *request, fate_value *arg)
{
    return fate_request_body(request);
}

static const fate_route routes[] = {
    { "GET /hello/{name}", hello }, { "GET /slow", slow }, { "POST /echo", echo }, { 0 }
};

static fate_deferred *serving;

static bool begin(const fate_site_options *options)
{
    n_heard = 0;
    n_lost = 0;
    heard[0] = '\0';
    later = NULL;
    newest = NULL;
    if (!web_begin(options, routes))
        return false;
    serving = fate_hold(fate_add_errback(fate_serve_site(web_site, "tcp:server:80"), forgive, fate_none()));
    return true;
}

static void end(void)
{
    fate_cancel(serving);
    fate_release(serving);
    web_end();
}

static const char conversation[] = GET("/hello/a") "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                                                   "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" GET("/hello/b");

VOLUME_TEST(however_bytes_travel_the_answers_are_the_same)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        if (!begin(NULL))
            return;
        fate_test_link(web_reactor, .seed = seed, .piece_bytes_max = seed, .latency = 3 * FATE_MILLISECOND,
                       .loss_percent = 5);
        connect_and_say(conversation);
        fate_play(web_reactor, 60 * FATE_SECOND);
        EXPECT_CONTAINS(heard, "Hello, a!\n");
        EXPECT_CONTAINS(heard, "Transfer-Encoding: chunked\r\n");
        EXPECT_CONTAINS(heard, "0\r\n\r\nHTTP/1.1 200 OK\r\n");
        EXPECT_CONTAINS(heard, "Hello, b!\n");
        end();
    }
}

TEST(a_server_that_is_stopped_finishes_what_has_begun)
{
    if (!begin(NULL))
        return;
    connect_and_say(GET("/hello/resting"));
    connect_and_say(GET("/slow"));
    fate_play(web_reactor, FATE_SECOND);
    EXPECT_CONTAINS(heard, "resting");
    n_heard = 0;
    fate_cancel(serving);
    fate_play(web_reactor, FATE_SECOND);
    EXPECT_EQ(n_lost, 1);
    EXPECT(fate_state(serving) != FATE_DONE);
    if (later)
        fate_fire(later, fate_str("finished"));
    fate_play(web_reactor, FATE_SECOND);
    EXPECT_CONTAINS(heard, "Connection: close\r\n");
    EXPECT_CONTAINS(heard, "finished");
    EXPECT_EQ(n_lost, 2);
    EXPECT_EQ(fate_state(serving), FATE_DONE);
    end();
}

TEST(what_takes_too_long_to_finish_is_cut)
{
    if (!begin(NULL))
        return;
    connect_and_say(GET("/slow"));
    fate_play(web_reactor, FATE_SECOND);
    fate_cancel(serving);
    fate_play(web_reactor, 29 * FATE_SECOND);
    EXPECT_EQ(n_lost, 0);
    fate_play(web_reactor, 2 * FATE_SECOND);
    EXPECT_EQ(n_lost, 1);
    EXPECT_EQ(fate_state(serving), FATE_DONE);
    if (later)
        fate_abandon(later);
    end();
}

TEST(an_early_answer_can_be_read)
{
    static char much[100000];

    if (!begin(NULL))
        return;
    int n = snprintf(much, sizeof much, "GET /hello/a HTTP/9.9\r\n");
    memset(much + n, 'x', sizeof much - 1 - (size_t)n);
    fate_test_link(web_reactor, .latency = 20 * FATE_MILLISECOND, .bytes_per_second = 100000);
    connect_and_say(much);
    fate_play(web_reactor, 10 * FATE_SECOND);
    EXPECT_CONTAINS(heard, "HTTP/1.1 ");
    EXPECT_CONTAINS(heard, "Connection: close\r\n");
    EXPECT_EQ(n_lost, 1);
    end();
}

/* ---- The access log ---- */

TEST(requests_are_logged_as_they_are_everywhere)
{
    const fate_site_options options = { .size = sizeof options, .log_format = "common" };

    if (!begin(&options))
        return;
    web_ask("GET /hello/a\" HTTP/1.1\r\nHost: x\r\n\r\n");
    web_ask(GET("/hello/a?x=%22"));
    EXPECT_STR(web_logged(),
               "10.0.0.2 - - [01/Jan/1970:00:00:00 +0000] \"GET /hello/a?x=%22 HTTP/1.1\" 200 10");
    web_ask(GET("/nowhere"));
    EXPECT_CONTAINS(web_logged(), "\"GET /nowhere HTTP/1.1\" 404 14");
    web_ask(GET("/slow"));
    web_lose();
    EXPECT_CONTAINS(web_logged(), "\"GET /slow HTTP/1.1\" 499 0");
    if (later)
        fate_abandon(later);
    end();
}

TEST(what_is_refused_is_logged_too)
{
    const fate_site_options options = { .size = sizeof options, .log_format = "common" };

    if (!begin(&options))
        return;
    web_ask("GET /\" HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_CONTAINS(web_logged(), "10.0.0.2 - - [01/Jan/1970:00:00:00 +0000] \"-\" 400 ");
    web_ask("GET /hello/a HTTP/1.1\r\n");
    fate_play(web_reactor, 20 * FATE_SECOND);
    EXPECT_CONTAINS(web_logged(), "[01/Jan/1970:00:00:10 +0000] \"-\" 408 ");
    end();
}

/* The head lies where what comes behind it is read to. */
TEST(a_request_that_is_answered_before_its_body_has_come_is_logged_as_it_was)
{
    const fate_site_options options = { .size = sizeof options, .log_format = "common" };

    if (!begin(&options))
        return;
    web_ask("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n");
    EXPECT_CONTAINS(web_heard(), "");
    web_say("012345678901234567890123456789");
    EXPECT_CONTAINS(web_logged(), "\"POST /nowhere HTTP/1.1\" 404 14");
    end();
}

TEST(a_log_may_be_json_in_a_file)
{
    char name[] = "/tmp/fate-log-XXXXXX", line[512] = "";
    int fd = mkstemp(name);
    const fate_site_options options = { .size = sizeof options, .log_format = "json", .log_file = name };

    if (fd >= 0 && begin(&options)) {
        web_ask(GET("/hello/a"));
        fate_play(web_reactor, FATE_SECOND);
        ssize_t n = pread(fd, line, sizeof line - 1, 0);
        line[n > 0 ? n : 0] = '\0';
        EXPECT_STR(line,
                   "{\"time\":0.000000,\"peer\":\"10.0.0.2\",\"method\":\"GET\",\"target\":\"/hello/a\","
                   "\"version\":\"1.1\",\"status\":200,\"bytes\":10,\"microseconds\":0}\n");
        fate_advance(web_reactor, 12345678 * FATE_MICROSECOND);
        web_connect();
        web_peer_is("/run/a\"b:c");
        web_say(GET("/hello/a"));
        fate_play(web_reactor, FATE_SECOND);
        n = pread(fd, line, sizeof line - 1, n > 0 ? n : 0);
        line[n > 0 ? n : 0] = '\0';
        EXPECT_CONTAINS(line, "{\"time\":13.345678,\"peer\":\"unix:/run/a\\\"b:c\",\"method\"");
        web_ask("GET\r\n");
        fate_play(web_reactor, FATE_SECOND);
        n = pread(fd, line, sizeof line - 1, lseek(fd, 0, SEEK_END) - 150);
        line[n > 0 ? n : 0] = '\0';
        EXPECT_CONTAINS(line, "\"method\":\"\",\"target\":\"\",\"status\":400,\"bytes\":");
        end();
    }
    if (fd >= 0)
        close(fd);
    unlink(name);
}
