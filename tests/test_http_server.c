/* Tests of the HTTP server: pages, their answers, and the life of a connection. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "test_http_server_helpers.h"

#define GET(path)      "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define GET_LAST(path) "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
#define DATE           "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
#define TEXT(n)                                                                                              \
    "HTTP/1.1 200 OK\r\n" DATE "Server: libfate\r\nContent-Type: text/plain; charset=utf-8\r\n"              \
    "Content-Length: " n "\r\n\r\n"

static fate_deferred *later;

static fate_value hello(fate_request *request, fate_value *arg)
{
    return fate_format("Hello, %s!\n", fate_request_param(request, "name"));
}

static void is_cancelled(fate_deferred *d, fate_value *count)
{
    ++*(int *)fate_as_ptr(count);
    later = NULL;
}

static int n_cancelled;

static fate_value slow(fate_request *request, fate_value *arg)
{
    later =
        fate_deferred_new_cancellable(fate_request_reactor(request), is_cancelled, fate_ptr(&n_cancelled));
    return fate_follow(later);
}

static fate_value bytes(fate_request *request, fate_value *arg)
{
    return fate_bytes("a\0b", 3);
}

static fate_value dict(fate_request *request, fate_value *arg)
{
    return fate_dict_of({ "n", fate_int(-5) }, { "f", fate_float(0.1) }, { "t", fate_str("\"<\n") },
                        { "l", fate_list_of(fate_bool(true), fate_none()) },
                        { "d", fate_datetime(1500000000) });
}

static fate_value not_a_number(fate_request *request, fate_value *arg)
{
    return fate_dict_of({ "f", fate_float(NAN) });
}

static fate_value nothing(fate_request *request, fate_value *arg)
{
    return fate_none();
}

static fate_value pointer(fate_request *request, fate_value *arg)
{
    return fate_ptr(arg);
}

static fate_value wrong(fate_request *request, fate_value *arg)
{
    return fate_raise(&FATE_VALUE_ERROR, "out of tea");
}

static fate_value teapot(fate_request *request, fate_value *arg)
{
    fate_set_header(request, "X-Tea", "none");
    fate_set_header(request, "Content-Type", "application/tea");
    return fate_http_raise(418, "no <tea> for %s", "you");
}

static fate_value upstream(fate_request *request, fate_value *arg)
{
    return fate_raise_with(&FATE_HTTP_STATUS,
                           fate_dict_of({ "status", fate_int(401) }, { "url", fate_str("http://x/") }), "no");
}

static fate_value show(fate_request *request, fate_value *arg)
{
    const char *query = fate_request_query(request, "q"), *header = fate_request_header(request, "x-a");

    return fate_format("%s %s id=%lld q=%s a=%s %s", fate_request_method(request), fate_request_path(request),
                       (long long)fate_request_int(request, "id"), query ? query : "(none)",
                       header ? header : "(none)", fate_request_target(request));
}

static fate_value headers(fate_request *request, fate_value *arg)
{
    EXPECT_EQ(fate_set_header(request, "X-Bad", "a\r\nb"), -EINVAL);
    EXPECT_EQ(fate_set_header(request, "X-Bad", "a\nb"), -EINVAL);
    EXPECT_EQ(fate_set_header(request, "X Bad", "a"), -EINVAL);
    EXPECT_EQ(fate_set_header(request, "", "a"), -EINVAL);
    EXPECT_EQ(fate_set_header(request, "Content-Length", "5"), 0);
    EXPECT_EQ(fate_set_header(request, "Content-Length", "-5"), -EINVAL);
    EXPECT_EQ(fate_set_header(request, "Content-Length", ""), -EINVAL);
    EXPECT_EQ(fate_set_header(request, "Content-Length", "9223372036854775808"), -EINVAL);
    EXPECT_EQ(fate_set_header(request, "transfer-encoding", "chunked"), -EINVAL);
    EXPECT_EQ(fate_set_header(request, "Host", "x"), -EINVAL);
    EXPECT_EQ(fate_set_status(request, 101), -EINVAL);
    EXPECT_EQ(fate_set_status(request, 201), 0);
    fate_set_header(request, "Set-Cookie", "a=1");
    fate_set_header(request, "Set-Cookie", "b=2");
    fate_set_header(request, "X-Once", "first");
    fate_set_header(request, "x-once", "second");
    fate_set_header(request, "Content-Type", "text/html");
    return fate_str("<p>");
}

static fate_value reset(fate_request *request, fate_value *arg)
{
    fate_set_status(request, 205);
    return fate_str("a page all the same");
}

static fate_value big(fate_request *request, fate_value *arg)
{
    static char much[100000];

    memset(much, 'x', sizeof much);
    return fate_str_n(much, sizeof much);
}

static const fate_route routes[] = { { "GET /hello/{name}", hello },
                                     { "GET /slow", slow },
                                     { "GET /bytes", bytes },
                                     { "GET /dict", dict },
                                     { "GET /nan", not_a_number },
                                     { "GET /none", nothing },
                                     { "GET /pointer", pointer },
                                     { "GET /wrong", wrong },
                                     { "GET /teapot", teapot },
                                     { "GET /upstream", upstream },
                                     { "GET /show/{id:int}", show },
                                     { "DELETE /show/{id:int}", show },
                                     { "GET /headers", headers },
                                     { "GET /reset", reset },
                                     { "GET /big", big },
                                     { 0 } };

static bool begin(void)
{
    later = NULL;
    n_cancelled = 0;
    return web_begin(NULL, routes);
}

/* ---- Answers ---- */

TEST(a_page_is_answered_with_its_text)
{
    if (!begin())
        return;
    EXPECT_STR(web_ask(GET("/hello/Ben")), TEXT("12") "Hello, Ben!\n");
    EXPECT_STR(web_ask_slowly(GET("/hello/Ben")), TEXT("12") "Hello, Ben!\n");
    EXPECT(!web_has_ended());
}

TEST(requests_that_come_together_are_answered_in_order)
{
    const char *all = TEXT("10") "Hello, a!\n" TEXT("10") "Hello, b!\n" TEXT("10") "Hello, c!\n";

    if (!begin())
        return;
    EXPECT_STR(web_ask(GET("/hello/a") GET("/hello/b") "\r\n" GET("/hello/c")), all);
    EXPECT_STR(web_ask_slowly(GET("/hello/a") GET("/hello/b") "\r\n" GET("/hello/c")), all);
}

TEST(what_a_page_returns_says_its_type)
{
    if (!begin())
        return;
    EXPECT_CONTAINS(web_ask(GET("/bytes")),
                    "Content-Type: application/octet-stream\r\nContent-Length: 3\r\n");
    EXPECT_CONTAINS(
        web_ask(GET("/dict")),
        "Content-Type: application/json\r\nContent-Length: 73\r\n\r\n"
        "{\"n\":-5,\"f\":0.1,\"t\":\"\\\"<\\n\",\"l\":[true,null],\"d\":\"1970-01-01T00:00:01.5Z\"}");
    EXPECT_CONTAINS(web_ask(GET("/none")), "HTTP/1.1 204 No Content\r\n");
    EXPECT(!strstr(web_ask(GET("/none")), "Content-Length"));
    EXPECT_CONTAINS(web_ask(GET("/nan")), "HTTP/1.1 500 ");
    EXPECT_CONTAINS(web_logged(), "a float is not finite");
    EXPECT_CONTAINS(web_ask(GET("/pointer")), "HTTP/1.1 500 ");
    EXPECT_CONTAINS(web_logged(), "a page returned");
}

/* Where such a locale is installed; the point stays one elsewhere anyway. */
TEST(json_has_a_point_in_every_locale)
{
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8"))
        setlocale(LC_NUMERIC, "fr_FR.UTF-8");
    if (begin())
        EXPECT_CONTAINS(web_ask(GET("/dict")), "\"f\":0.1,");
    setlocale(LC_NUMERIC, "C");
}

TEST(a_long_answer_is_whole)
{
    if (!begin())
        return;
    const char *heard = web_ask(GET("/big") GET("/hello/x"));
    EXPECT_CONTAINS(heard, "Content-Length: 100000\r\n");
    EXPECT_CONTAINS(heard, "xxxx" TEXT("10") "Hello, x!\n");
}

TEST(a_page_may_set_status_and_fields)
{
    if (!begin())
        return;
    const char *heard = web_ask(GET("/headers"));
    EXPECT_CONTAINS(heard, "HTTP/1.1 201 Created\r\n");
    EXPECT_CONTAINS(heard, "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n");
    EXPECT_CONTAINS(heard, "x-once: second\r\n");
    EXPECT_CONTAINS(heard, "Content-Type: text/html\r\n");
    EXPECT(!strstr(heard, "text/plain"));
    EXPECT(!strstr(heard, "Bad"));
}

TEST(a_205_has_no_body)
{
    if (!begin())
        return;
    const char *heard = web_ask(GET("/reset") GET("/hello/x"));
    EXPECT_CONTAINS(heard, "HTTP/1.1 205 Reset Content\r\n");
    EXPECT_CONTAINS(heard, "\r\n\r\n" TEXT("10") "Hello, x!\n");
}

TEST(a_page_sees_what_was_asked)
{
    if (!begin())
        return;
    EXPECT_CONTAINS(web_ask("GET /show/17?q=a%20b+c&q=d HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a:2\r\n\r\n"),
                    "\r\n\r\nGET /show/17 id=17 q=a b c a=1, 2 /show/17?q=a%20b+c&q=d");
    EXPECT_CONTAINS(web_ask("DELETE http://h/show/2 HTTP/1.1\r\nHost: x\r\n\r\n"),
                    "DELETE /show/2 id=2 q=(none) a=(none) http://h/show/2");
}

TEST(what_has_no_page_is_answered_too)
{
    if (!begin())
        return;
    EXPECT_CONTAINS(web_ask(GET("/nowhere")), "HTTP/1.1 404 Not Found\r\n");
    EXPECT_CONTAINS(web_ask(GET("/show/x")), "HTTP/1.1 404 Not Found\r\n");
    EXPECT_CONTAINS(web_ask(GET("/show/99999999999999999999")), "HTTP/1.1 404 Not Found\r\n");
    EXPECT_CONTAINS(web_ask("PUT /show/1 HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 405 ");
    EXPECT_CONTAINS(web_ask("PUT /show/1 HTTP/1.1\r\nHost: x\r\n\r\n"),
                    "Allow: GET, HEAD, DELETE, OPTIONS\r\n");
    EXPECT_CONTAINS(web_ask("OPTIONS /show/1 HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 204 No Content\r\n");
    EXPECT_CONTAINS(web_ask("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 204 No Content\r\n");
    EXPECT_CONTAINS(web_ask("BREW /show/1 HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 501 ");
    EXPECT_CONTAINS(web_ask("CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n"), "HTTP/1.1 501 ");
    EXPECT_CONTAINS(web_ask("TRACE /show/1 HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 405 ");
    EXPECT_CONTAINS(web_ask(GET("/../x")), "HTTP/1.1 400 ");
    EXPECT_CONTAINS(web_ask(GET("/hello/%ff")), "HTTP/1.1 400 ");
}

TEST(head_is_get_without_its_body)
{
    const char *head = "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 10\r\nContent-Type: text/plain; "
                       "charset=utf-8\r\nServer: libfate\r\n\r\n";
    char both[1024];

    if (!begin())
        return;
    snprintf(both, sizeof both, "%s%s", head, TEXT("10") "Hello, b!\n");
    EXPECT_STR(web_ask("HEAD /hello/a HTTP/1.1\r\nHost: x\r\n\r\n" GET("/hello/b")), both);
}

TEST(failures_are_answered_and_logged)
{
    if (!begin())
        return;
    const char *heard = web_ask(GET("/wrong") GET("/hello/a"));
    EXPECT_CONTAINS(heard, "HTTP/1.1 500 Internal Server Error\r\n");
    EXPECT_CONTAINS(heard, "Hello, a!\n");
    EXPECT(!strstr(heard, "tea"));
    EXPECT_CONTAINS(web_logged(), "a page: GET /wrong");
    EXPECT_CONTAINS(web_logged(), "ValueError: out of tea");
    EXPECT_CONTAINS(web_logged(), "wrong test_http_server.c");
    heard = web_ask(GET("/teapot"));
    EXPECT_CONTAINS(heard, "HTTP/1.1 418 ");
    EXPECT_CONTAINS(heard, "X-Tea: none\r\n");
    EXPECT_CONTAINS(heard, "no <tea> for you");
    EXPECT(!strstr(heard, "application/tea"));
    heard = web_ask("GET /teapot HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n");
    EXPECT_CONTAINS(heard, "no &lt;tea&gt; for you");
    EXPECT_CONTAINS(web_ask(GET("/upstream")), "HTTP/1.1 500 ");
}

TEST(tracebacks_are_shown_when_they_are_asked_for)
{
    const fate_site_options options = { .size = sizeof options, .show_traceback = true };

    if (!web_begin(&options, routes))
        return;
    EXPECT_CONTAINS(web_ask(GET("/wrong")), "ValueError: out of tea\n  raised wrong");
    EXPECT_CONTAINS(web_ask("GET /wrong HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n"),
                    "<pre>ValueError: out of tea\n  raised wrong");
}

/* ---- Pages that take their time ---- */

static void answer_now(const char *text)
{
    if (later)
        fate_fire(later, fate_str(text));
    fate_advance(web_reactor, 0);
}

TEST(a_page_may_follow_and_others_wait)
{
    if (!begin())
        return;
    EXPECT_STR(web_ask(GET("/hello/a") GET("/slow") GET("/hello/b")), TEXT("10") "Hello, a!\n");
    web_say(GET("/hello/c"));
    EXPECT_STR(web_heard(), "");
    answer_now("at last");
    EXPECT_STR(web_heard(), TEXT("7") "at last" TEXT("10") "Hello, b!\n" TEXT("10") "Hello, c!\n");
}

TEST(a_client_that_goes_away_cancels_what_its_page_follows)
{
    if (!begin())
        return;
    web_ask(GET("/slow"));
    web_lose();
    EXPECT_EQ(n_cancelled, 1);
}

TEST(half_closing_is_no_going_away)
{
    if (!begin())
        return;
    web_ask(GET("/slow") GET("/hello/a"));
    web_end_of_peer();
    EXPECT_EQ(n_cancelled, 0);
    EXPECT(!web_has_ended());
    answer_now("at last");
    EXPECT_STR(web_heard(), TEXT("7") "at last" TEXT("10") "Hello, a!\n");
    EXPECT(web_has_ended());
}

TEST(a_head_that_is_cut_is_a_400)
{
    if (!begin())
        return;
    web_ask("GET /hello/a HT");
    web_end_of_peer();
    EXPECT_CONTAINS(web_heard(), "HTTP/1.1 400 ");
    EXPECT(web_has_ended());
}

static fate_value kept;

static fate_value keep(fate_request *request, fate_value *arg)
{
    kept = fate_request_self(request);
    return fate_str("kept");
}

static const fate_route keeping[] = { { "GET /keep/{x}", keep }, { 0 } };

TEST(a_request_that_is_kept_is_still_there)
{
    if (!web_begin(NULL, keeping))
        return;
    kept = fate_none();
    web_ask("GET /keep/me?a=b HTTP/1.1\r\nHost: x\r\nX-A: c\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n" GET(
        "/nothing"));
    if (!fate_is_none(&kept) && !fate_is_failure(&kept)) {
        fate_request *request = fate_as_request(&kept);
        web_lose();
        EXPECT_STR(fate_request_param(request, "x"), "me");
        EXPECT_STR(fate_request_query(request, "a"), "b");
        EXPECT_STR(fate_request_header(request, "X-A"), "c");
        EXPECT_STR(fate_request_header(request, "cookie"), "a=1; b=2");
        EXPECT_EQ(fate_set_status(request, 200), -EALREADY);
        EXPECT_EQ(fate_set_header(request, "a", "b"), -EALREADY);
    }
    fate_drop(fate_take(&kept));
}

TEST(a_request_that_is_kept_knows_who_has_asked)
{
    char text[FATE_ADDRESS_TEXT_BYTES];

    if (!web_begin(NULL, keeping))
        return;
    kept = fate_none();
    web_ask(GET("/keep/me"));
    if (!fate_is_none(&kept) && !fate_is_failure(&kept)) {
        const fate_address *peer = fate_request_peer(fate_as_request(&kept));
        EXPECT_STR(fate_address_text(peer, text), "10.0.0.2:49152");
    }
    fate_drop(fate_take(&kept));
}

TEST(so_it_does_over_a_unix_socket)
{
    char text[FATE_ADDRESS_TEXT_BYTES], path[] = "/run/client";

    if (!web_begin(NULL, keeping))
        return;
    kept = fate_none();
    web_peer_is(path);
    web_say(GET("/keep/me"));
    if (!fate_is_none(&kept) && !fate_is_failure(&kept)) {
        memset(path, 'x', strlen(path));
        const fate_address *peer = fate_request_peer(fate_as_request(&kept));
        EXPECT(strcmp(fate_address_text(peer, text), "unix:/run/client") == 0 || !peer->as.local.path);
    }
    fate_drop(fate_take(&kept));
}

/* ---- Ends ---- */

TEST(the_client_may_ask_to_close)
{
    if (!begin())
        return;
    const char *heard = web_ask(GET_LAST("/hello/a") GET("/hello/b"));
    EXPECT_CONTAINS(heard, "Connection: close\r\n");
    EXPECT_CONTAINS(heard, "Hello, a!\n");
    EXPECT(!strstr(heard, "Hello, b"));
    EXPECT(web_has_ended());
    heard = web_ask("GET /hello/a HTTP/1.0\r\n\r\n");
    EXPECT_CONTAINS(heard, "Connection: close\r\n");
    EXPECT(web_has_ended());
    heard = web_ask("GET /hello/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" GET("/hello/b"));
    EXPECT_CONTAINS(heard, "Connection: keep-alive\r\n");
    EXPECT_CONTAINS(heard, "Hello, b!\n");
}

TEST(nothing_is_served_behind_what_is_wrong)
{
    static const struct {
        const char *request, *answer;
    } cases[] = {
        { "GET / HTTP/1.1\r\nHost : x\r\n\r\n", "400" },
        { "GET / HTTP/1.1\r\n\r\n", "400" },
        { "GET / HTTP/1.1\nHost: x\n\n", "400" },
        { "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", "400" },
        { "GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", "400" },
        { "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400" },
        { "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400" },
        { "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", "400" },
        { "GET / HTTP/2.0\r\nHost: x\r\n\r\n", "505" },
        { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501" },
        { "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "400" },
        { "\x16\x03\x01 hello\r\n\r\n", "400" },
    };

    if (!begin())
        return;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char all[512], status[32];
        snprintf(all, sizeof all, "%s%s", cases[i].request, GET("/hello/smuggled"));
        snprintf(status, sizeof status, "HTTP/1.1 %s ", cases[i].answer);
        const char *heard = web_ask(all);
        EXPECT(strncmp(heard, status, strlen(status)) == 0);
        EXPECT(!strstr(heard, "smuggled"));
        EXPECT_CONTAINS(heard, "Connection: close\r\n");
        web_say(GET("/hello/smuggled"));
        EXPECT_STR(web_heard(), "");
        EXPECT(!strstr(web_ask_slowly(all), "smuggled"));
    }
}

TEST(too_much_is_refused)
{
    static char request[80000];

    if (!begin())
        return;
    int n = snprintf(request, sizeof request, "GET /");
    memset(request + n, 'a', 9000);
    EXPECT(strncmp(web_ask(request), "HTTP/1.1 414 ", 13) == 0);
    n = snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: x\r\nA: ");
    memset(request + n, 'a', 40000);
    EXPECT(strncmp(web_ask(request), "HTTP/1.1 431 ", 13) == 0);
    n = snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 101; i++)
        n += snprintf(request + n, sizeof request - (size_t)n, "A: b\r\n");
    request[n] = '\0';
    EXPECT(strncmp(web_ask(request), "HTTP/1.1 431 ", 13) == 0);
}

TEST(expectations_that_nobody_knows_are_a_417)
{
    if (!begin())
        return;
    EXPECT_CONTAINS(web_ask("GET /hello/a HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n"), "HTTP/1.1 417 ");
}

/* ---- Time ---- */

TEST(a_head_has_a_total_time)
{
    if (!begin())
        return;
    web_ask("GET /hello/a HTTP/1.1\r\n");
    for (int i = 0; i < 9; i++) {
        fate_advance(web_reactor, FATE_SECOND);
        web_say("A: b\r\n");
        EXPECT_STR(web_heard(), "");
    }
    fate_advance(web_reactor, FATE_SECOND);
    EXPECT_CONTAINS(web_heard(), "HTTP/1.1 408 ");
    EXPECT(web_has_ended());
}

TEST(a_connection_may_rest_for_a_while)
{
    if (!begin())
        return;
    web_ask(GET("/hello/a"));
    fate_advance(web_reactor, 74 * FATE_SECOND);
    web_say(GET("/hello/a"));
    EXPECT_CONTAINS(web_heard(), "Hello, a!");
    fate_play(web_reactor, 74 * FATE_SECOND);
    EXPECT(!web_has_ended());
    fate_play(web_reactor, FATE_SECOND);
    EXPECT(web_has_ended());
    EXPECT_STR(web_heard(), "");
    web_connect();
    fate_play(web_reactor, 75 * FATE_SECOND);
    EXPECT(web_has_ended());
}

TEST(a_page_may_have_a_time)
{
    const fate_site_options options = { .size = sizeof options, .page_timeout = 5 * FATE_SECOND };

    if (!web_begin(&options, routes))
        return;
    n_cancelled = 0;
    web_ask(GET("/slow"));
    fate_play(web_reactor, 4 * FATE_SECOND);
    EXPECT_STR(web_heard(), "");
    fate_play(web_reactor, FATE_SECOND);
    EXPECT_CONTAINS(web_heard(), "HTTP/1.1 503 ");
    EXPECT_EQ(n_cancelled, 1);
}

TEST(the_date_changes_with_the_second)
{
    if (!begin())
        return;
    fate_advance(web_reactor, 61 * FATE_SECOND - 1);
    EXPECT_CONTAINS(web_ask(GET("/hello/a")), "Date: Thu, 01 Jan 1970 00:01:00 GMT\r\n");
    fate_advance(web_reactor, 1);
    EXPECT_CONTAINS(web_ask(GET("/hello/a")), "Date: Thu, 01 Jan 1970 00:01:01 GMT\r\n");
}

TEST(a_client_that_does_not_read_is_not_served_without_end)
{
    static char requests[40 * sizeof(GET("/big"))];

    if (!begin())
        return;
    web_connect();
    web_block(true);
    for (int i = 0; i < 40; i++)
        strcat(requests, GET("/big"));
    web_say(requests);
    if (web_connection)
        EXPECT(fate_write_queued(web_connection->transport) < 500000);
    web_block(false);
    fate_play(web_reactor, FATE_SECOND);
    fate_value all = web_connection ? fate_test_taken(web_connection) : fate_none();
    if (fate_kind_of(&all) == FATE_KIND_TEXT)
        EXPECT(fate_count(&all) > 4000000);
    fate_drop(all);
    web_block(true);
    web_say(requests);
    fate_play(web_reactor, 80 * FATE_SECOND);
    EXPECT(web_has_ended());
    requests[0] = '\0';
}
