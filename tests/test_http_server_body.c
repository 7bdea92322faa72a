/* Tests of the HTTP server: bodies of requests, streamed answers, and what is left when one is cut. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <http/server.h>

#include "test_http_server_helpers.h"

#define GET(path)     "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST(path, n) "POST " path " HTTP/1.1\r\nHost: x\r\nContent-Length: " n "\r\n\r\n"
#define CHUNKED(path) "POST " path " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
#define EXPECTS(path, n)                                                                                     \
    "POST " path " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: " n "\r\n\r\n"
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

static fate_value source;
static int n_failed;

static fate_value pass(fate_value *text, fate_value *arg)
{
    return fate_take(text);
}

static fate_value echo(fate_request *request, fate_value *arg)
{
    return fate_follow(fate_add_callback(fate_request_text(request), pass, fate_none()));
}

static fate_value first(fate_value *form, fate_value *arg)
{
    const fate_value *a = fate_dict_get(form, "a");

    return fate_format("%zu a=%s", fate_count(form), a ? fate_as_str(a) : "(none)");
}

static fate_value form(fate_request *request, fate_value *arg)
{
    return fate_follow(fate_add_callback(fate_request_form(request), first, fate_none()));
}

static fate_value json(fate_request *request, fate_value *arg)
{
    return fate_follow(fate_add_callback(fate_request_json(request), pass, fate_none()));
}

static fate_value back(fate_request *request, fate_value *arg)
{
    return fate_request_body(request);
}

static fate_value ignore(fate_request *request, fate_value *arg)
{
    return fate_str("ignored");
}

static fate_value noted(fate_value *result, fate_value *arg)
{
    n_failed += fate_is(result, &FATE_HTTP_SHORT_BODY);
    return fate_take(result);
}

static fate_value watching(fate_request *request, fate_value *arg)
{
    return fate_follow(fate_add_both(fate_request_text(request), noted, fate_none()));
}

/* Read by the test, piece by piece. */
static fate_value pieces(fate_request *request, fate_value *arg)
{
    source = fate_request_body(request);
    return fate_follow(fate_deferred_new(fate_request_reactor(request)));
}

/* A source that always has something. */
#define PIECES 5000

static int n_given;

static fate_deferred *give(fate_value *arg, size_t bytes_max)
{
    if (n_given == PIECES)
        return fate_succeed(web_reactor, fate_none());
    n_given++;
    return fate_succeed(web_reactor, fate_str("x"));
}

static fate_value plenty(fate_request *request, fate_value *arg)
{
    static const fate_source_ops ops = { .size = sizeof ops, .name = "plenty", .read = give };

    return fate_source(fate_request_reactor(request), &ops, fate_none());
}

static fate_deferred *fail(fate_value *arg, size_t bytes_max)
{
    return fate_fail(web_reactor, fate_raise(&FATE_VALUE_ERROR, "out of tea"));
}

static fate_value failing(fate_request *request, fate_value *arg)
{
    static const fate_source_ops ops = { .size = sizeof ops, .read = fail };

    return fate_source(web_reactor, &ops, fate_none());
}

static const fate_route routes[] = { { "POST /echo", echo },      { "POST /form", form },
                                     { "POST /json", json },      { "POST /back", back },
                                     { "GET /back", back },       { "POST /ignore", ignore },
                                     { "GET /ignore", ignore },   { "POST /watching", watching },
                                     { "POST /pieces", pieces },  { "GET /plenty", plenty },
                                     { "GET /failing", failing }, { 0 } };

static bool begin(void)
{
    const fate_site_options options = { .size = sizeof options, .body_bytes_max = 20 };

    n_failed = n_given = 0;
    source = fate_none();
    return web_begin(&options, routes);
}

TEST(a_body_is_collected)
{
    if (!begin())
        return;
    EXPECT_CONTAINS(web_ask(POST("/echo", "5") "hello" GET("/ignore")), "\r\n\r\nhelloHTTP/1.1 200 OK\r\n");
    EXPECT_CONTAINS(web_ask_slowly(POST("/echo", "5") "hello"), "\r\n\r\nhello");
    EXPECT_CONTAINS(web_ask(CHUNKED("/echo") "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n" GET("/ignore")),
                    "\r\n\r\nhelloHTTP/1.1 200 OK\r\n");
    EXPECT_CONTAINS(web_ask_slowly(CHUNKED("/echo") "3\r\nhel\r\n2\r\nlo\r\n0\r\nA: b\r\n\r\n"),
                    "\r\n\r\nhello");
    EXPECT_CONTAINS(web_ask(POST("/echo", "0")), "Content-Length: 0\r\n\r\n");
}

TEST(a_body_has_a_greatest_length)
{
    if (!begin())
        return;
    const char *heard = web_ask(POST("/echo", "21") "123456789012345678901" GET("/ignore"));
    EXPECT_CONTAINS(heard, "HTTP/1.1 413 ");
    EXPECT_CONTAINS(web_ask(POST("/echo", "20") "12345678901234567890"), "HTTP/1.1 200 OK\r\n");
    heard = web_ask(CHUNKED("/echo") "c\r\n123456789012\r\n9\r\n123456789\r\n0\r\n\r\n" GET("/ignore"));
    EXPECT_CONTAINS(heard, "HTTP/1.1 413 ");
    EXPECT(!strstr(web_ask(POST("/echo", "99999999999")), "200 OK"));
}

TEST(a_form_is_a_dict)
{
    if (!begin())
        return;
    EXPECT_CONTAINS(
        web_ask("POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: Application/X-WWW-Form-Urlencoded; "
                "charset=utf-8\r\nContent-Length: 12\r\n\r\na=1%2B&b=&a=2"),
        "2 a=1+");
    EXPECT_CONTAINS(web_ask(POST("/form", "3") "a=1"), "HTTP/1.1 415 ");
}

#define JSON(type, n)                                                                                        \
    "POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: " type "\r\nContent-Length: " n "\r\n\r\n"

TEST(json_is_a_value)
{
    if (!begin())
        return;
    EXPECT_CONTAINS(web_ask(JSON("application/json", "15") "{\"a\": [1, 2.5]}"), "\r\n\r\n{\"a\":[1,2.5]}");
    EXPECT_CONTAINS(web_ask(JSON("Application/Ld+JSON; charset=utf-8", "2") "[]"), "\r\n\r\n[]");
    EXPECT_CONTAINS(web_ask(JSON("application/json", "4") "{a:1"), "HTTP/1.1 400 ");
    EXPECT_CONTAINS(web_ask(JSON("application/json", "4") "{a:1"),
                    "the body is no JSON: byte 2: a key must follow, in double quotes");
    EXPECT_CONTAINS(web_ask(JSON("text/json-seq", "2") "[]"), "HTTP/1.1 415 ");
    EXPECT_CONTAINS(web_ask(POST("/json", "2") "[]"), "HTTP/1.1 415 ");
    EXPECT_CONTAINS(web_ask(JSON("application/json", "21") "[                   ]"), "HTTP/1.1 413 ");
}

TEST(a_client_that_waits_is_told_to_go_on)
{
    if (!begin())
        return;
    EXPECT_STR(web_ask(EXPECTS("/echo", "5")), CONTINUE);
    web_say("hello");
    EXPECT_CONTAINS(web_heard(), "\r\n\r\nhello");
    EXPECT(!web_has_ended());
    const char *heard = web_ask(EXPECTS("/ignore", "5"));
    EXPECT(!strstr(heard, "Continue"));
    EXPECT_CONTAINS(heard, "Connection: close\r\n");
    EXPECT(web_has_ended());
    heard = web_ask(EXPECTS("/echo", "21"));
    EXPECT(!strstr(heard, "Continue"));
    EXPECT_CONTAINS(heard, "HTTP/1.1 413 ");
    EXPECT(!strstr(
        web_ask("POST /nowhere HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
        "Continue"));
}

TEST(a_body_that_nobody_reads_is_dropped)
{
    if (!begin())
        return;
    const char *heard = web_ask(POST("/ignore", "5") "hello" GET("/ignore"));
    EXPECT(!strstr(heard, "close"));
    EXPECT_CONTAINS(heard, "ignoredHTTP/1.1 200 OK\r\n");
    heard = web_ask(POST("/ignore", "500000") "hel");
    EXPECT_CONTAINS(heard, "Connection: close\r\n");
    EXPECT(web_has_ended());
    heard = web_ask(CHUNKED("/ignore") "3\r\nhel\r\n0\r\n\r\n" GET("/ignore"));
    EXPECT_CONTAINS(heard, "Connection: close\r\n");
    EXPECT(!strstr(heard, "ignoredHTTP"));
    heard = web_ask(POST("/ignore", "5") "hel");
    EXPECT_CONTAINS(heard, "ignored");
    fate_play(web_reactor, 60 * FATE_SECOND);
    EXPECT(web_has_ended());
}

static bool is_lost(void)
{
    return !web_connection || ((struct fate__http_connection *)web_connection)->is_lost;
}

VOLUME_TEST(an_answer_can_be_read_while_its_client_sends_on)
{
    static char much[1000001];

    if (!begin())
        return;
    memset(much, 'x', 1000000);
    EXPECT_CONTAINS(web_ask(POST("/nowhere", "9000000000")), "HTTP/1.1 404 ");
    EXPECT(web_has_ended());
    for (int i = 0; i < 60; i++)
        web_say(much);
    fate_advance(web_reactor, 0);
    EXPECT(!is_lost());
    for (int i = 0; i < 8; i++)
        web_say(much);
    fate_advance(web_reactor, 0);
    EXPECT(is_lost());
}

TEST(a_client_that_sends_on_has_its_time)
{
    if (!begin())
        return;
    web_ask(POST("/nowhere", "9000000000"));
    for (int i = 0; i < 7; i++) {
        fate_play(web_reactor, 4 * FATE_SECOND);
        web_say("x");
    }
    EXPECT(!is_lost());
    fate_play(web_reactor, 2 * FATE_SECOND);
    EXPECT(is_lost());
    web_ask(POST("/nowhere", "9000000000"));
    fate_play(web_reactor, 4 * FATE_SECOND);
    EXPECT(!is_lost());
    fate_play(web_reactor, 1 * FATE_SECOND);
    EXPECT(is_lost());
}

TEST(a_body_that_is_cut_or_wrong_is_no_body)
{
    if (!begin())
        return;
    web_ask(POST("/watching", "5") "hel");
    web_end_of_peer();
    EXPECT_CONTAINS(web_heard(), "HTTP/1.1 ");
    EXPECT_EQ(n_failed, 1);
    EXPECT(web_has_ended());
    web_ask(POST("/watching", "5") "hel");
    web_lose();
    EXPECT_EQ(n_failed, 2);
    const char *heard = web_ask(CHUNKED("/echo") "x\r\n" GET("/ignore"));
    EXPECT(!strstr(heard, "ignored"));
    EXPECT(strncmp(heard, "HTTP/1.1 ", 9) == 0);
    EXPECT(web_has_ended());
}

TEST(a_body_has_a_total_time)
{
    if (!begin())
        return;
    web_ask(POST("/echo", "20") "h");
    for (int i = 0; i < 5; i++) {
        fate_play(web_reactor, 10 * FATE_SECOND);
        web_say("e");
    }
    EXPECT_STR(web_heard(), "");
    fate_play(web_reactor, 10 * FATE_SECOND);
    EXPECT_CONTAINS(web_heard(), "HTTP/1.1 408 ");
}

VOLUME_TEST(reading_waits_for_the_page)
{
    static char much[200001];

    if (!begin())
        return;
    web_ask(POST("/pieces", "200000"));
    memset(much, 'x', 200000);
    web_say(much);
    fate_play(web_reactor, 30 * FATE_SECOND);
    EXPECT(!web_has_ended());
    size_t n = 0;
    for (int i = 0; i < 100 && fate_is_source(&source) && n < 200000; i++) {
        fate_deferred *d = fate_hold(fate_read(&source));
        fate_advance(web_reactor, 0);
        const fate_value *piece = fate_peek(d);
        n += piece && fate_kind_of(piece) == FATE_KIND_BYTES ? fate_count(piece) : 0;
        if (piece && fate_is_failure(piece))
            fate_add_errback(d, fate_log_failure, fate_none());
        fate_release(d);
    }
    EXPECT_EQ(n, 200000);
    fate_drop(fate_take(&source));
}

VOLUME_TEST(a_body_that_comes_steadily_may_take_longer)
{
    static char piece[1025];

    if (!web_begin(NULL, routes))
        return;
    memset(piece, 'x', 1024);
    web_ask(POST("/echo", "204800"));
    for (int i = 0; i < 150; i++) {
        fate_play(web_reactor, FATE_SECOND / 2);
        web_say(piece);
    }
    fate_play(web_reactor, 59 * FATE_SECOND);
    EXPECT_STR(web_heard(), "");
    for (int i = 0; i < 50; i++)
        web_say(piece);
    EXPECT_CONTAINS(web_heard(), "Content-Length: 204800\r\n");
    web_ask(POST("/echo", "204800"));
    for (int i = 0; i < 190; i++) /* what it is early with is no credit */
        web_say(piece);
    fate_play(web_reactor, 60 * FATE_SECOND);
    EXPECT_CONTAINS(web_heard(), "HTTP/1.1 408 ");
}

/* Whatever the test wants of the source: how many bytes, and whether it has ended. */
static size_t read_once(bool *ret_has_ended)
{
    fate_deferred *d = fate_hold(fate_read(&source));
    size_t n = 0;

    fate_advance(web_reactor, 0);
    const fate_value *piece = fate_peek(d);
    if (piece && fate_kind_of(piece) == FATE_KIND_BYTES)
        n = fate_count(piece);
    *ret_has_ended = piece && fate_is_none(piece);
    if (piece && fate_is_failure(piece))
        fate_add_errback(d, fate_log_failure, fate_none());
    else if (!piece)
        fate_cancel(fate_add_errback(d, fate_log_failure, fate_none()));
    fate_release(d);
    return n;
}

VOLUME_TEST(a_body_that_is_read_late_has_an_end)
{
    static char half[35001];
    bool has_ended = false;
    size_t n = 0;

    if (!begin())
        return;
    web_ask(POST("/pieces", "70000"));
    memset(half, 'x', 35000);
    web_say(half);
    web_say(half); /* with which there is more than is taken in before somebody reads */
    fate_play(web_reactor, FATE_SECOND);
    for (int i = 0; i < 10 && fate_is_source(&source) && !has_ended; i++)
        n += read_once(&has_ended);
    EXPECT_EQ(n, 70000);
    EXPECT(has_ended);
    fate_drop(fate_take(&source));
}

VOLUME_TEST(a_slow_reader_does_not_make_the_server_collect)
{
    static char much[20001];
    struct fate__http_connection *connection = NULL;
    size_t most = 0;
    bool has_ended;

    if (!begin())
        return;
    web_ask(POST("/pieces", "100000000"));
    memset(much, 'x', 20000);
    connection = (struct fate__http_connection *)web_connection;
    for (int i = 0; i < 400 && fate_is_source(&source) && connection && connection->request; i++) {
        for (int k = 0; k < 4; k++)
            web_say(much);
        read_once(&has_ended);
        if (connection->request && connection->request->body.room > most)
            most = connection->request->body.room;
    }
    EXPECT(most > 0 && most <= 512 * 1024);
    fate_drop(fate_take(&source));
}

/* ---- Streamed answers ---- */

TEST(a_source_is_streamed)
{
    if (!begin())
        return;
    EXPECT_CONTAINS(web_ask(POST("/back", "5") "hello" GET("/ignore")),
                    "Transfer-Encoding: chunked\r\nContent-Type: application/octet-stream\r\nServer: "
                    "libfate\r\n\r\n5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n");
    EXPECT_CONTAINS(
        web_ask("POST /back HTTP/1.0\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"),
        "Connection: close\r\n");
    EXPECT(web_has_ended());
    EXPECT_CONTAINS(web_ask("HEAD /back HTTP/1.1\r\nHost: x\r\n\r\n" GET("/ignore")),
                    "\r\n\r\nHTTP/1.1 200 OK\r\n");
    EXPECT_CONTAINS(web_ask(GET("/back")), "\r\n\r\n0\r\n\r\n");
}

VOLUME_TEST(a_source_that_always_has_something_lets_others_have_their_turn)
{
    if (!begin())
        return;
    web_ask(GET("/plenty"));
    EXPECT(n_given > 0 && n_given < 100);
    for (int i = 0; i < PIECES && n_given < PIECES; i++)
        fate_advance(web_reactor, 0);
    fate_advance(web_reactor, 0);
    EXPECT_EQ(n_given, PIECES);
    EXPECT_CONTAINS(web_heard(), "1\r\nx\r\n0\r\n\r\n");
    EXPECT(!web_has_ended());
}

TEST(an_answer_whose_source_fails_is_cut)
{
    if (!begin())
        return;
    web_ask(POST("/back", "5") "hel");
    EXPECT_CONTAINS(web_heard(), "");
    web_end_of_peer();
    EXPECT(!strstr(web_heard(), "0\r\n\r\n"));
    EXPECT(web_has_ended());
    EXPECT(!strstr(web_logged(), "HttpShortBody")); /* which is the client's doing */
    EXPECT(!strstr(web_ask(GET("/failing")), "0\r\n\r\n"));
    EXPECT(web_has_ended());
    EXPECT_CONTAINS(web_logged(), "a page: GET /failing");
    EXPECT_CONTAINS(web_logged(), "ValueError: out of tea");
}

static int n_pieces;

static fate_deferred *endless(fate_value *arg, size_t bytes_max)
{
    static char piece[10000];

    n_pieces++;
    return fate_succeed(web_reactor, fate_bytes(piece, sizeof piece));
}

static int n_stopped;

static void stop(fate_value *arg)
{
    n_stopped++;
}

static const fate_source_ops endless_ops = { .size = sizeof endless_ops, .read = endless, .stop = stop };

static fate_value endless_page(fate_request *request, fate_value *arg)
{
    return fate_source(web_reactor, &endless_ops, fate_none());
}

static const fate_route endless_routes[] = { { "GET /endless", endless_page }, { 0 } };

VOLUME_TEST(a_client_that_does_not_read_stops_the_source)
{
    if (!web_begin(NULL, endless_routes))
        return;
    n_pieces = n_stopped = 0;
    web_block(true);
    web_say(GET("/endless"));
    fate_play(web_reactor, FATE_SECOND);
    int n = n_pieces;
    EXPECT(n > 10 && n < 100);
    fate_play(web_reactor, FATE_SECOND);
    EXPECT_EQ(n_pieces, n);
    EXPECT_EQ(n_stopped, 0);
    fate_play(web_reactor, 80 * FATE_SECOND);
    EXPECT_EQ(n_stopped, 1);
    EXPECT(web_has_ended());
}
