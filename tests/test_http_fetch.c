/* Tests of fate_fetch: responses, bodies both ways, redirects, codings, on the simulated network. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <http/coding.h>

#include "test_http_client_helpers.h"

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define EMPTY    "\r\nContent-Length: 0\r\n\r\n"

/* ---- Responses ---- */

static fate_value read_body(fate_value *response, fate_value *arg)
{
    fate_response *r = fate_as_response(response);

    return fate_follow(fate_read_all(fate_response_body(r), 1000000));
}

static fate_deferred *fetch_text(const char *url)
{
    return fate_add_callback(fate_fetch(client_reactor, url), read_body, fate_none());
}

TEST(a_response_comes_at_the_end_of_its_head)
{
    const struct web_answer script[] = { { .says = "HTTP/1.1 404 Gone\r\nA: 1\r\nSet-Cookie: x\r\na: "
                                                   "2\r\nset-cookie: y\r\nContent-Length: 50\r\n\r\n" },
                                         { 0 } };

    if (web_open(script)) {
        fate_value v = web_result(fate_fetch(client_reactor, "http://u:p@web/a?b"));
        if (EXPECT(!fate_is_failure(&v))) {
            const fate_response *r = fate_as_response(&v);
            fate_value all = fate_response_headers(r), url = fate_response_url(r);
            EXPECT_EQ(fate_response_status(r), 404);
            EXPECT_STR(fate_response_header(r, "a"), "1");
            EXPECT_STR(fate_response_header(r, "CONTENT-LENGTH"), "50");
            EXPECT(!fate_response_header(r, "b"));
            EXPECT_DESCRIBED(&all,
                             "{\"a\": \"1, 2\", \"set-cookie\": \"x\\ny\", \"content-length\": \"50\"}");
            EXPECT_TEXT(&url, "http://web/a?b");
            fate_drop(all);
            fate_drop(url);
        }
        fate_drop(v);
    }
    web_close();
}

TEST(a_response_that_is_dropped_closes_its_connection)
{
    if (web_open(
            (const struct web_answer[]){ { .says = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello" },
                                         { .says = OK_HELLO },
                                         { 0 } })) {
        fate_agent *agent = fate_agent_new(client_reactor);
        fate_drop(web_result(fate_fetch_with(client_reactor, "http://web/", .agent = agent)));
        fate_play(client_reactor, FATE_SECOND);
        EXPECT_EQ(fate_agent_connections(agent), 0);
        fate_deferred *d = fate_fetch_with(client_reactor, "http://web/", .agent = agent);
        web_expect_text(fate_add_callback(d, read_body, fate_none()), "hello");
        EXPECT_EQ(fate_agent_connections(agent), 1);
    }
    web_close();
}

TEST(a_body_is_read_in_pieces_of_any_size)
{
    for (size_t pieces = 0; pieces < 4; pieces++) {
        if (web_open((const struct web_answer[]){
                { .says = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7\r\n, "
                          "world\r\n0\r\n\r\n" },
                { 0 } })) {
            fate_test_link(client_reactor, .piece_bytes_max = pieces, .latency = FATE_MILLISECOND);
            web_expect_text(fetch_text("http://web/"), "hello, world");
        }
        web_close();
    }
}

TEST(a_body_that_is_cut_fails_behind_what_has_come)
{
    if (web_open((const struct web_answer[]){
            { .says = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", .then = WEB_CLOSE }, { 0 } })) {
        fate_value v = web_result(fate_fetch(client_reactor, "http://web/"));
        if (EXPECT(!fate_is_failure(&v))) {
            fate_value source = fate_response_body(fate_as_response(&v));
            fate_value piece = web_result(fate_read(&source)), why = web_result(fate_read(&source));
            EXPECT_DESCRIBED(&piece, "b\"hello\"");
            EXPECT_FAILURE(&why, &FATE_HTTP_SHORT_BODY);
            fate_drop(piece);
            fate_drop(why);
            fate_drop(source);
        }
        fate_drop(v);
    }
    web_close();
}

/* Nobody reads: the server's megabytes stay with the server. */
TEST(whoever_reads_slowly_slows_the_server)
{
    static char line[1001];
    memset(line, 'x', 1000); /* beyond what the network and the client hold */
    const struct web_answer script[] = {
        { .says = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", .and_says = line, .n_times = 1000 },
        { 0 }
    };

    if (web_open(script)) {
        fate_value v = web_result(fate_fetch(client_reactor, "http://web/"));
        fate_play(client_reactor, 100 * FATE_SECOND);
        if (EXPECT(!fate_is_failure(&v))) {
            fate_deferred *all = fate_read_all(fate_response_body(fate_as_response(&v)), 2000000);
            fate_value text = web_result(all);
            if (EXPECT(!fate_is_failure(&text)))
                EXPECT_EQ(fate_count(&text), 1000000);
            fate_drop(text);
        }
        fate_drop(v);
    }
    web_close();
}

TEST(a_body_that_nobody_reads_on_is_given_up)
{
    if (web_open((const struct web_answer[]){ { .says = "HTTP/1.1 200 OK\r\n\r\n",
                                                .and_says = "0123456789",
                                                .n_times = 1000,
                                                .every = FATE_SECOND },
                                              { 0 } })) {
        fate_agent *agent = fate_agent_new(client_reactor);
        fate_deferred *d = fate_fetch_with(client_reactor, "http://web/", .agent = agent);
        fate_deferred *all = fate_hold(fate_add_callback(d, read_body, fate_none()));
        fate_play(client_reactor, 5 * FATE_SECOND);
        fate_cancel(all);
        web_expect_failure(all, &FATE_CANCELLED, "");
        fate_release(all);
        fate_play(client_reactor, 2 * FATE_SECOND);
        EXPECT_EQ(fate_agent_connections(agent), 0);
    }
    web_close();
}

/* What comes last fills what may lie there unread: the connection rests, and must hear what comes next. */
TEST(a_connection_that_was_paused_by_the_end_of_a_body_is_used_again)
{
    static char body[70001];
    memset(body, 'x', sizeof body - 1);
    const struct web_answer script[] = {
        { .says = "HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n", .and_says = body, .n_times = 1 },
        { .says = OK_HELLO },
        { 0 }
    };

    if (web_open(script)) {
        fate_value v = web_result(fate_fetch(client_reactor, "http://web/"));
        fate_play(client_reactor, FATE_SECOND);
        web_expect_text(fetch_text("http://web/next"), "hello");
        EXPECT_EQ(web_connections, 1);
        fate_drop(v);
    }
    web_close();
}

static void ask_twice(void *arg)
{
    web_open((const struct web_answer[]){ { .says = OK_HELLO }, { 0 } });
    fate_value v = web_result(fate_fetch(client_reactor, "http://web/"));
    fate_drop(fate_response_body(fate_as_response(&v)));
    fate_drop(fate_response_body(fate_as_response(&v)));
}

TEST(a_body_is_asked_for_once)
{
    EXPECT_STOP(ask_twice, NULL, "fate_response_body was called twice", "read once");
}

TEST(require_ok_passes_a_2xx_and_nothing_else)
{
    const char *gone = "HTTP/1.1 410 Gone\r\nContent-Length: 3\r\n\r\nfor";

    if (web_open((const struct web_answer[]){ { .says = OK_HELLO }, { .says = gone }, { 0 } })) {
        fate_deferred *d =
            fate_add_callback(fate_fetch(client_reactor, "http://web/"), fate_require_ok, fate_none());
        web_expect_text(fate_add_callback(d, read_body, fate_none()), "hello");
        fate_value why = web_result(
            fate_add_callback(fate_fetch(client_reactor, "http://web/x"), fate_require_ok, fate_none()));
        if (EXPECT_FAILURE(&why, &FATE_HTTP_STATUS)) {
            EXPECT_TEXT(fate_dict_get(fate_payload(&why), "page"), "for");
            EXPECT_STR(fate_message(&why), "GET http://web/x: 410 Gone");
        }
        fate_drop(why);
    }
    web_close();
}

/* ---- What is sent ---- */

static fate_deferred *post(fate_value body)
{
    return fate_get_page_with(client_reactor, "http://web/", .body = body);
}

TEST(bodies_are_sent_with_their_type_and_length)
{
    if (web_open((const struct web_answer[]){ { .says = OK_HELLO, .when = "a text" },
                                              { .says = OK_HELLO, .when = "bytes" },
                                              { .says = OK_HELLO, .when = "}" },
                                              { .says = OK_HELLO },
                                              { 0 } })) {
        web_expect_text(post(fate_str("a text")), "hello");
        EXPECT_CONTAINS(client_heard(), "POST / HTTP/1.1\r\n");
        EXPECT_CONTAINS(client_heard(), "Content-Length: 6\r\n");
        EXPECT_CONTAINS(client_heard(), "Content-Type: text/plain; charset=utf-8\r\n");
        web_expect_text(post(fate_bytes("bytes", 5)), "hello");
        EXPECT_CONTAINS(client_heard(), "application/octet-stream\r\n\r\nbytes");
        web_expect_text(post(fate_dict_of({ "a", fate_int(1) }, { "b", fate_list_of(fate_none()) })),
                        "hello");
        EXPECT_CONTAINS(client_heard(), "application/json\r\n\r\n{\"a\":1,\"b\":[null]}");
        web_expect_text(post(fate_str("")), "hello");
        EXPECT_CONTAINS(client_heard(), "Content-Length: 0\r\n");
        web_expect_failure(post(fate_list_of(fate_ptr(NULL))), &FATE_VALUE_ERROR, "JSON");
        EXPECT_EQ(web_connections, 1);
    }
    web_close();
}

TEST(headers_of_the_program_are_sent)
{
    const fate_header headers[] = {
        { "X-One", "1" }, { "accept", "text/html" }, { "User-Agent", "me" }, { 0 }
    };

    if (web_open((const struct web_answer[]){ { .says = OK_HELLO }, { 0 } })) {
        web_expect_text(fate_get_page_with(client_reactor, "http://web/", .headers = headers,
                                           .user_password = "Aladdin:open sesame", .method = "DELETE"),
                        "hello");
        EXPECT_CONTAINS(client_heard(), "DELETE / HTTP/1.1\r\n");
        EXPECT_CONTAINS(client_heard(), "X-One: 1\r\naccept: text/html\r\nUser-Agent: me\r\n");
        EXPECT_CONTAINS(client_heard(), "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n");
        EXPECT_EQ(web_heard_times("libfate/"), 0);
        EXPECT_EQ(web_heard_times("*/*"), 0);
    }
    web_close();
}

/* A source of so many pieces, "piece 1;" and so on, each after some time. */
struct counting {
    fate_reactor *reactor;
    int n;
    fate_time delay;
};

static fate_value give(fate_value *piece)
{
    return fate_take(piece);
}

static fate_deferred *read_counting(fate_value *arg, size_t bytes_max)
{
    struct counting *counting = fate_unbox(struct counting, arg);
    fate_value piece = counting->n ? fate_format("piece %d;", counting->n--) : fate_none();

    if (counting->delay)
        return fate_defer_later(counting->reactor, counting->delay, give, piece);
    return fate_succeed(counting->reactor, piece);
}

static const fate_source_ops counting_ops = { .size = sizeof counting_ops,
                                              .name = "pieces",
                                              .read = read_counting };

static fate_value pieces(int n, fate_time delay)
{
    return fate_source(client_reactor, &counting_ops, fate_box(struct counting, client_reactor, n, delay));
}

TEST(a_source_is_sent_in_chunks_when_the_server_wants_it)
{
    const struct web_answer script[] = { { .says = "HTTP/1.1 100 Continue\r\n\r\n",
                                           .when = "Expect: 100-continue" },
                                         { .says = OK_HELLO, .when = "0\r\n\r\n" },
                                         { 0 } };

    for (int i = 0; i < 2; i++) {
        if (web_open(script)) {
            web_expect_text(post(pieces(3, i * FATE_SECOND)), "hello");
            EXPECT_CONTAINS(client_heard(), "Transfer-Encoding: chunked\r\n");
            EXPECT_CONTAINS(client_heard(),
                            "\r\n\r\n8\r\npiece 3;\r\n8\r\npiece 2;\r\n8\r\npiece 1;\r\n0\r\n\r\n");
        }
        web_close();
    }
}

TEST(a_server_that_does_not_say_continue_gets_the_body_after_a_second)
{
    if (web_open((const struct web_answer[]){ { .says = OK_HELLO, .when = "\r\n0\r\n\r\n" }, { 0 } })) {
        web_expect_text(post(pieces(2, 0)), "hello");
        EXPECT(fate_now(client_reactor) >= FATE_SECOND);
    }
    web_close();
}

TEST(a_body_that_is_refused_is_not_sent)
{
    const char *no = "HTTP/1.1 413 Too Large" EMPTY, *what = "HTTP/1.1 417 What" EMPTY;

    if (web_open((const struct web_answer[]){
            { .says = no }, { .says = what }, { .says = OK_HELLO, .when = "\r\n0\r\n\r\n" }, { 0 } })) {
        web_expect_failure(post(pieces(2, 0)), &FATE_HTTP_STATUS, "413");
        EXPECT_EQ(web_heard_times("piece"), 0);
        web_expect_text(post(pieces(2, 0)), "hello");
        EXPECT_EQ(web_heard_times("Expect"), 2);
        EXPECT_EQ(web_heard_times("piece"), 2);
        EXPECT_EQ(web_connections, 3);
    }
    web_close();
}

/* Behind what the server has left of it nothing else would be read either. */
TEST(a_connection_with_an_unsent_body_is_not_used_again)
{
    static char body[900001];
    memset(body, 'x', sizeof body - 1);

    if (web_open((const struct web_answer[]){ { .says = OK_HELLO }, { .says = OK_HELLO }, { 0 } })) {
        fate_test_link(client_reactor, .latency = FATE_MILLISECOND, .bytes_per_second = 1000000);
        web_expect_text(post(fate_str(body)), "hello");
        web_expect_text(fate_get_page(client_reactor, "http://web/"), "hello");
        EXPECT_EQ(web_connections, 2);
    }
    web_close();
}

TEST(a_source_may_say_how_long_it_is)
{
    const fate_header right[] = { { "Content-Length", "16" }, { 0 } },
                      wrong[] = { { "Content-Length", "17" }, { 0 } };
    const fate_header small[] = { { "Content-Length", "15" }, { 0 } },
                      none[] = { { "Content-Length", "x" }, { 0 } };
    const struct web_answer go = { .says = "HTTP/1.1 100 Continue\r\n\r\n" };

    if (web_open(
            (const struct web_answer[]){ go, { .says = OK_HELLO, .when = "piece 1;" }, go, go, { 0 } })) {
        web_expect_text(
            fate_get_page_with(client_reactor, "http://web/", .body = pieces(2, 0), .headers = right),
            "hello");
        EXPECT_CONTAINS(client_heard(), "\r\n\r\npiece 2;piece 1;");
        web_expect_failure(
            fate_get_page_with(client_reactor, "http://web/", .body = pieces(2, 0), .headers = wrong),
            &FATE_VALUE_ERROR, "the 17 bytes");
        web_expect_failure(
            fate_get_page_with(client_reactor, "http://web/", .body = pieces(2, 0), .headers = small),
            &FATE_VALUE_ERROR, "the 15 bytes");
        web_expect_failure(
            fate_get_page_with(client_reactor, "http://web/", .body = pieces(2, 0), .headers = none),
            &FATE_VALUE_ERROR, "no number");
    }
    web_close();
}

/* ---- Redirects ---- */

#define TO(status, where) "HTTP/1.1 " status " Moved\r\nLocation: " where EMPTY

static void expect_redirected(const char *answer, const char *method, const char *second)
{
    if (web_open((const struct web_answer[]){
            { .says = answer, .when = "body" }, { .says = OK_HELLO, .when = "/b" }, { 0 } })) {
        web_expect_text(
            fate_get_page_with(client_reactor, "http://web/a", .method = method, .body = fate_str("body")),
            "hello");
        EXPECT_CONTAINS(client_heard(), second);
        EXPECT_EQ(web_connections, 1);
        EXPECT_EQ(web_heard_times("Referer"), 0);
    }
    web_close();
}

TEST(redirects_keep_the_method_or_become_get)
{
    expect_redirected(TO("301", "/b"), "POST", "GET /b HTTP/1.1\r\n");
    expect_redirected(TO("302", "/b"), "POST", "GET /b HTTP/1.1\r\n");
    expect_redirected(TO("303", "/b"), "PUT", "GET /b HTTP/1.1\r\n");
    expect_redirected(TO("301", "/b"), "PUT", "PUT /b HTTP/1.1\r\n");
    expect_redirected(TO("307", "/b"), "POST", "POST /b HTTP/1.1\r\n");
    expect_redirected(TO("308", "http://web/b"), "PATCH", "PATCH /b HTTP/1.1\r\n");
}

TEST(another_origin_gets_no_secrets)
{
    const fate_header secrets[] = {
        { "Cookie", "secret" }, { "Authorization", "secret" }, { "X", "public" }, { 0 }
    };

    if (web_open((const struct web_answer[]){ { .says = TO("302", "/b") },
                                              { .says = TO("302", "http://10.0.0.1/c") },
                                              { .says = OK_HELLO, .when = "/c" },
                                              { 0 } })) {
        web_expect_text(
            fate_get_page_with(client_reactor, "http://web/a", .headers = secrets, .user_password = "u:p"),
            "hello");
        EXPECT_EQ(web_heard_times("Cookie: secret"), 2);
        EXPECT_EQ(web_heard_times("Authorization: secret"), 2);
        EXPECT_EQ(web_heard_times("X: public"), 3);
        EXPECT_EQ(web_heard_times("Basic"), 0);
    }
    web_close();
    if (web_open((const struct web_answer[]){ { .says = TO("302", "http://evil:pw@10.0.0.1/c") },
                                              { .says = OK_HELLO, .when = "/c" },
                                              { 0 } })) {
        web_expect_text(fate_get_page(client_reactor, "http://u:p@web/a"), "hello");
        EXPECT_EQ(web_heard_times("Basic dTpw\r\n"), 1);
        EXPECT_EQ(web_heard_times("Authorization"), 1);
    }
    web_close();
}

static void expect_no_redirect(const char *answer, const char *part)
{
    if (web_open((const struct web_answer[]){ { .says = answer }, { 0 } }))
        web_expect_failure(fate_get_page(client_reactor, "http://web/a"), &FATE_HTTP_REDIRECT, part);
    web_close();
}

TEST(redirects_to_elsewhere_are_refused)
{
    expect_no_redirect(TO("302", "ftp://web/b"), "redirected to ftp://web/b: ");
    expect_no_redirect(TO("302", "file:///etc/passwd"), "redirected to ");
    expect_no_redirect(TO("302", "javascript:alert(1)"), "redirected to ");
    expect_no_redirect(TO("302", "https://web/b"), "no TLS");
    expect_no_redirect(TO("302", "http://we b/"), "redirected to ");
}

TEST(redirects_end)
{
    struct web_answer script[13] = { { 0 } };

    for (int i = 0; i < 12; i++)
        script[i].says = TO("302", "/again");
    if (web_open(script)) {
        web_expect_failure(fate_get_page(client_reactor, "http://web/"), &FATE_HTTP_REDIRECT, "too many");
        EXPECT_EQ(web_heard_times("GET /"), 11);
    }
    web_close();
}

TEST(a_redirect_may_be_the_answer)
{
    if (web_open((const struct web_answer[]){
            { .says = TO("302", "/b") }, { .says = "HTTP/1.1 302 X" EMPTY }, { 0 } })) {
        web_expect_failure(fate_get_page_with(client_reactor, "http://web/", .keep_redirects = true),
                           &FATE_HTTP_STATUS, "302");
        web_expect_failure(fate_get_page(client_reactor, "http://web/"), &FATE_HTTP_STATUS, "302");
    }
    web_close();
}

TEST(a_source_cannot_be_redirected)
{
    if (web_open((const struct web_answer[]){
            { .says = "HTTP/1.1 100 Go\r\n\r\n" }, { .says = TO("307", "/b"), .when = "0\r\n\r\n" }, { 0 } }))
        web_expect_failure(post(pieces(1, 0)), &FATE_HTTP_REDIRECT, "cannot be sent again");
    web_close();
}

TEST(a_long_page_behind_a_redirect_is_not_read)
{
    if (web_open((const struct web_answer[]){ { .says = "HTTP/1.1 302 X\r\nLocation: /b\r\n\r\n",
                                                .and_says = "a line of some length, again and again\n",
                                                .n_times = 5000,
                                                .then = WEB_CLOSE },
                                              { .says = OK_HELLO, .when = "/b" },
                                              { 0 } })) {
        web_expect_text(fate_get_page(client_reactor, "http://web/"), "hello");
        EXPECT_EQ(web_connections, 2);
    }
    web_close();
}

/* ---- Codings ---- */

/* A whole answer whose body is that text, packed; to be freed.  NULL: no memory. */
static char *packed_answer(enum fate__coding coding, const char *text, size_t n, size_t *ret_len)
{
    struct fate__text answer = { 0 }, body = { 0 };
    struct fate__encoder *encoder = fate__encoder_new(coding, 9);
    const struct fate__slice line = fate__slice_of(text);
    int why = encoder ? 0 : -1;

    for (; n && why == 0; n--)
        why = fate__encoder_add(encoder, line, n == 1 ? FATE__ENCODE_END : FATE__ENCODE_MORE, &body);
    fate__encoder_free(encoder);
    fate__text_format(&answer, "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\n\r\n",
                      coding == FATE__GZIP ? "gzip" : "deflate", body.len);
    fate__text_add_n(&answer, body.bytes ? body.bytes : "", body.len);
    bool has_failed = why < 0 || answer.has_failed || body.has_failed;
    fate__text_done(&body);
    *ret_len = answer.len;
    if (!has_failed)
        return answer.bytes;
    fate__text_done(&answer);
    return NULL;
}

static void free_answer(char *answer)
{
    struct fate__text text = { .bytes = answer };
    fate__text_done(&text);
}

TEST(what_comes_packed_is_unpacked)
{
    for (enum fate__coding coding = FATE__GZIP; coding <= FATE__DEFLATE && fate__has_zlib; coding++) {
        size_t len;
        char *answer = packed_answer(coding, "hello", 2, &len);
        if (!answer)
            return;
        const struct web_answer script[] = { { .says = answer, .n_bytes = len },
                                             { .says = answer, .n_bytes = len },
                                             { 0 } };
        if (web_open(script)) {
            fate_test_link(client_reactor, .piece_bytes_max = 3);
            web_expect_text(fate_get_page(client_reactor, "http://web/"), "hellohello");
            web_expect_text(fetch_text("http://web/"), "hellohello");
            EXPECT_EQ(web_heard_times("Accept-Encoding: gzip, deflate\r\n"), 2);
        }
        web_close();
        free_answer(answer);
    }
}

TEST(a_bomb_does_not_fill_the_memory)
{
    size_t len;
    char *answer =
        fate__has_zlib ? packed_answer(FATE__GZIP, "0000000000000000000000000000000", 10000, &len) : NULL;

    if (!answer)
        return;
    const struct web_answer script[] = { { .says = answer, .n_bytes = len }, { 0 } };
    if (web_open(script)) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .page_bytes_max = 100000);
        web_expect_failure(fate_get_page_with(client_reactor, "http://web/", .agent = agent),
                           &FATE_HTTP_TOO_LARGE, "unpacked");
    }
    web_close();
    free_answer(answer);
}

/* The name of a file that gzip has packed goes on and on, and nothing comes out. */
TEST(what_unpacks_to_nothing_has_an_end_too)
{
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
        "a\r\n\x1f\x8b\x08\x08\0\0\0\0\0\x03\r\n";
    const struct web_answer script[] = {
        { .says = head, .n_bytes = sizeof head - 1, .and_says = "4\r\nxxxx\r\n", .n_times = 30000 }, { 0 }
    };

    if (!fate__has_zlib)
        return;
    if (web_open(script)) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .page_bytes_max = 10000);
        web_expect_failure(fate_get_page_with(client_reactor, "http://web/", .agent = agent),
                           &FATE_HTTP_TOO_LARGE, "more than 10000 bytes");
    }
    web_close();
}

TEST(what_cannot_be_unpacked_is_no_page)
{
    size_t len;
    char *answer = fate__has_zlib ? packed_answer(FATE__GZIP, "hello", 100, &len) : NULL;
    const fate_header raw[] = { { "Accept-Encoding", "gzip" }, { 0 } };

    if (!answer)
        return;
    answer[len - 1] ^= 1;
    const struct web_answer bad = { .says = answer, .n_bytes = len };
    if (web_open((const struct web_answer[]){ bad, bad, bad, { 0 } })) {
        web_expect_failure(fate_get_page(client_reactor, "http://web/"), &FATE_HTTP_PROTOCOL, "unpacked");
        web_expect_failure(fetch_text("http://web/"), &FATE_HTTP_PROTOCOL, "unpacked");
        fate_value page = web_result(fate_get_page_with(client_reactor, "http://web/", .headers = raw));
        if (EXPECT(!fate_is_failure(&page)))
            EXPECT(memcmp(fate_as_str(&page), "\x1f\x8b", 2) == 0);
        fate_drop(page);
    }
    web_close();
    free_answer(answer);
}

TEST(a_page_that_is_packed_in_another_way_is_no_page)
{
    static const char *const codings[] = { "Content-Encoding: br", "Content-Encoding: gzip, br",
                                           "Content-Encoding: gzip\r\nContent-Encoding: gzip" };

    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
        char answer[200];
        snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\n%s\r\nContent-Length: 5\r\n\r\nhello",
                 codings[i]);
        const struct web_answer bad = { .says = answer };
        if (web_open((const struct web_answer[]){ bad, bad, { 0 } })) {
            web_expect_failure(fate_get_page(client_reactor, "http://web/"), &FATE_HTTP_PROTOCOL,
                               "packed in a way that was not asked for");
            web_expect_text(fetch_text("http://web/"), "hello");
        }
        web_close();
    }
}

/* Whatever is wrong with the page that came with it. */
TEST(a_status_that_says_no_says_so_first)
{
    static const char *const fields[] = { "Content-Encoding: br\r\nContent-Length: 5",
                                          "Content-Encoding: gzip\r\nContent-Length: 5",
                                          "Content-Length: 20000", "Transfer-Encoding: chunked" };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        char answer[200];
        snprintf(answer, sizeof answer, "HTTP/1.1 404 Not Found\r\n%s\r\n\r\n", fields[i]);
        const struct web_answer script[] = { { .says = answer, .and_says = "4\r\nxxxx\r\n", .n_times = 3000 },
                                             { 0 } };
        if (web_open(script)) {
            fate_agent *agent = fate_agent_new_with(client_reactor, .page_bytes_max = 10000);
            fate_value why = web_result(fate_get_page_with(client_reactor, "http://web/", .agent = agent));
            if (EXPECT_FAILURE(&why, &FATE_HTTP_STATUS))
                EXPECT_INT(fate_dict_get(fate_payload(&why), "status"), 404);
            fate_drop(why);
        }
        web_close();
    }
}

/* ---- HEAD, and times ---- */

TEST(an_answer_to_head_has_no_body)
{
    if (web_open((const struct web_answer[]){
            { .says = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" }, { .says = OK_HELLO }, { 0 } })) {
        web_expect_text(fate_get_page_with(client_reactor, "http://web/", .method = "HEAD"), "");
        web_expect_text(fate_get_page(client_reactor, "http://web/"), "hello");
        EXPECT_EQ(web_connections, 1);
    }
    web_close();
}

TEST(the_time_of_a_fetch_covers_its_body)
{
    if (web_open((const struct web_answer[]){
            { .says = "HTTP/1.1 200 OK\r\n\r\n", .and_says = "x", .n_times = 100, .every = FATE_SECOND },
            { 0 } })) {
        fate_deferred *d = fate_fetch_with(client_reactor, "http://web/", .timeout = 9 * FATE_SECOND);
        web_expect_failure(fate_add_callback(d, read_body, fate_none()), &FATE_HTTP_TIMEOUT,
                           "not done within 9 s");
    }
    web_close();
}

static fate_value give_up(fate_value *why, fate_value *arg)
{
    return fate_none();
}

TEST(what_is_left_goes_with_the_reactor)
{
    fate_reactor *reactor = test_reactor();
    fate_deferred *d = fate_get_page(reactor, "http://nobody/");

    fate_add_errback(d, give_up, fate_none());
    fate_reactor_free(reactor);
}
