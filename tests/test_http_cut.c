/* Tests of HTTP messages that are cut, at each of their bytes: never is a part taken for the whole. */
#include <stdio.h>
#include <string.h>

#include <http/coding.h>

#include "test_http_client_helpers.h"
#include "test_http_server_helpers.h"

/* ---- Answers ---- */

/* "hello", by gzip. */
#define PACKED                                                                                               \
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00"

struct answer {
    const char *bytes;
    size_t n;
    size_t n_whole; /* not 0: so many bytes and a close are whole, too: no bytes are packed as no bytes */
};

#define ANSWER(text, n_whole)                                                                                \
    {                                                                                                        \
        text, sizeof(text) - 1, n_whole                                                                      \
    }
static const struct answer answers[] = {
    ANSWER("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0),
    ANSWER("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", 0),
    ANSWER(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nA: b\r\n\r\n",
        0),
    ANSWER("HTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0),
    ANSWER("HTTP/1.1 200 OK\r\nContent-Length: 25\r\nContent-Encoding: gzip\r\n\r\n" PACKED, 0),
    ANSWER("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n19\r\n" PACKED
           "\r\n0\r\n\r\n",
           0),
    ANSWER("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" PACKED, 43),
    ANSWER("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 5\r\n\r\nthere", 0),
    ANSWER("HTTP/1.1 404 Gone\r\nContent-Length: 5\r\n\r\nhello", 0),
};

static fate_value read_body(fate_value *response, fate_value *arg)
{
    return fate_follow(fate_read_all(fate_response_body(fate_as_response(response)), 1000));
}

static fate_deferred *ask(bool streams)
{
    if (!streams)
        return fate_get_page(client_reactor, "http://web/");
    fate_deferred *d =
        fate_add_callback(fate_fetch(client_reactor, "http://web/"), fate_require_ok, fate_none());
    return fate_add_callback(d, read_body, fate_none());
}

static bool is_truth(const fate_value *v, const struct answer *answer, size_t n)
{
    if (n < answer->n) /* a 404 whose page was cut is still one */
        return fate_is_failure(v) && (!fate_is(v, &FATE_HTTP_STATUS) || strstr(answer->bytes, "404"));
    return fate_is(v, &FATE_HTTP_STATUS) || (!fate_is_failure(v) && fate_count(v) == 5);
}

static void cut_answer(const struct answer *answer, size_t n, enum web_then then, bool streams)
{
    static const struct web_answer end = { .says = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" };
    const struct web_answer script[] = {
        { .says = n ? answer->bytes : "", .n_bytes = n, .when = "GET", .then = then },
        n == answer->n ? end : (struct web_answer){ 0 },
        { 0 }
    };

    if (web_open(script)) {
        fate_value v = web_result(ask(streams));
        if (!EXPECT(is_truth(&v, answer, n)))
            fprintf(stderr, "%zu bytes of %s\n", n, answer->bytes);
        fate_drop(v);
    }
    web_close();
}

VOLUME_TEST(an_answer_that_is_cut_anywhere_is_no_page)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const struct answer *answer = &answers[i];
        bool is_packed = strstr(answer->bytes, "gzip");
        for (size_t n = 0; n <= answer->n && (fate__has_zlib || !is_packed); n++) {
            for (int streams = 0; streams < 2; streams++) {
                if (!n || n != answer->n_whole)
                    cut_answer(answer, n, WEB_CLOSE, streams);
                if (n < answer->n)
                    cut_answer(answer, n, WEB_RESET, streams);
            }
        }
    }
}

/* Its end is that of the connection, if that is orderly. */
VOLUME_TEST(an_answer_that_ends_by_a_close_is_cut_by_a_reset)
{
    static const struct answer answer = ANSWER("HTTP/1.1 200 OK\r\n\r\nhello", 0);

    for (size_t n = 0; n < answer.n; n++) {
        cut_answer(&answer, n, WEB_RESET, false);
        cut_answer(&answer, n, WEB_RESET, true);
    }
    cut_answer(&answer, 18, WEB_CLOSE, false);
    cut_answer(&answer, answer.n, WEB_CLOSE, false);
    cut_answer(&answer, answer.n, WEB_CLOSE, true);
}

/* ---- Requests ---- */

static int n_whole, n_cut;

static fate_value got_text(fate_value *text, fate_value *arg)
{
    n_whole++;
    EXPECT_TEXT(text, "hello");
    return fate_str("whole");
}

static fate_value got_form(fate_value *form, fate_value *arg)
{
    n_whole++;
    EXPECT_DESCRIBED(form, "{\"hello\": \"\"}");
    return fate_str("whole");
}

static fate_value is_cut(fate_value *why, fate_value *arg)
{
    n_cut++;
    return fate_take(why);
}

static fate_value collect(fate_request *request, fate_value *arg)
{
    return fate_follow(fate_add_callbacks(fate_request_text(request), got_text, is_cut, fate_none()));
}

static fate_value stream(fate_request *request, fate_value *arg)
{
    fate_deferred *all = fate_read_all(fate_request_body(request), 1000);

    return fate_follow(fate_add_callbacks(all, got_text, is_cut, fate_none()));
}

static fate_value fill_in(fate_request *request, fate_value *arg)
{
    return fate_follow(fate_add_callbacks(fate_request_form(request), got_form, is_cut, fate_none()));
}

static fate_value get(fate_request *request, fate_value *arg)
{
    n_whole++;
    return fate_str("whole");
}

static const fate_route routes[] = { { "POST /text", collect },
                                     { "POST /stream", stream },
                                     { "POST /form", fill_in },
                                     { "GET /get", get },
                                     { 0 } };

#define CHUNKS "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nA: b\r\n\r\n"
#define LENGTH "Content-Length: 5\r\n\r\nhello"

static const char *const requests[] = {
    "POST /text HTTP/1.1\r\nHost: x\r\n" LENGTH,
    "POST /text HTTP/1.0\r\n" LENGTH,
    "POST /text HTTP/1.1\r\nHost: x\r\n" CHUNKS,
    "POST /stream HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n" LENGTH,
    "POST /stream HTTP/1.1\r\nHost: x\r\n" CHUNKS,
    "POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n" LENGTH,
    "GET /get HTTP/1.1\r\nHost: x\r\n\r\n",
};

/* Half-closed, reset, silent, or alive when the reactor goes. */
enum end { HALF_CLOSED, LOST, SILENT, STOPPED, N_ENDS };

static void cut_request(const char *request, size_t n, enum end end)
{
    const char *part = "";

    n_whole = n_cut = 0;
    if (!web_begin(NULL, routes))
        return;
    if (web_connection && n)
        fate_test_give(web_connection, request, n);
    switch (end) {
    case HALF_CLOSED:
        web_end_of_peer();
        break;
    case LOST:
        web_lose();
        break;
    case SILENT:
        fate_play(web_reactor, 200 * FATE_SECOND);
        break;
    default:
        break;
    }
    fate_advance(web_reactor, 0);
    bool is_all = n == strlen(request);
    if (end != LOST)
        part = web_heard();
    EXPECT_EQ(n_whole, is_all);
    EXPECT_EQ(strstr(part, "whole") != NULL, is_all && end != LOST);
    if (end == HALF_CLOSED || end == SILENT)
        EXPECT(web_has_ended());
    web_end();
    EXPECT(n_whole + n_cut <= 1);
    EXPECT_EQ(n_whole, is_all);
}

VOLUME_TEST(a_request_that_is_cut_anywhere_is_no_request)
{
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        for (size_t n = 0; n <= strlen(requests[i]); n++)
            for (enum end end = 0; end < N_ENDS; end++)
                cut_request(requests[i], n, end);
}
