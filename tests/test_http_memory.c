/* Tests of how much memory the HTTP server spends on peers that send too much, and on those that do not read.
 * What is measured is all that the library has allocated, what the simulated network keeps among it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <http/server.h>

#include "test_http_server_helpers.h"

#define KIB 1024L
#define MIB (1024 * KIB)

static fate_value hello(fate_request *request, fate_value *arg)
{
    return fate_str("hello");
}

static fate_value echo(fate_request *request, fate_value *arg)
{
    return fate_request_body(request);
}

static fate_value never_read(fate_request *request, fate_value *arg)
{
    return fate_follow(fate_deferred_new(fate_request_reactor(request)));
}

static fate_value pass(fate_value *text, fate_value *arg)
{
    return fate_take(text);
}

static fate_value collect(fate_request *request, fate_value *arg)
{
    return fate_follow(fate_add_callback(fate_request_text(request), pass, fate_none()));
}

static fate_deferred *read_zeros(fate_value *arg, size_t bytes_max)
{
    static const char piece[10000] = { 0 };

    return fate_succeed(web_reactor, fate_bytes(piece, sizeof piece));
}

static const fate_source_ops zeros = { .size = sizeof zeros, .read = read_zeros };

static fate_value endless(fate_request *request, fate_value *arg)
{
    return fate_source(web_reactor, &zeros, fate_none());
}

static const fate_route routes[] = { { "GET /hello", hello },       { "POST /echo", echo },
                                     { "POST /never", never_read }, { "POST /collect", collect },
                                     { "GET /endless", endless },   { 0 } };

/* ---- Peers that send too much: faults 40 ---- */

/* So many bytes of the text, again and again, in pieces of that length; the most that was held meanwhile. */
static long most_held(const char *begin, const char *again, size_t n, size_t piece)
{
    static char bytes[20000];
    long before = test_bytes(), most = 0;

    if (!web_connect())
        return 0;
    web_say(begin);
    for (size_t i = 0; i < piece; i++)
        bytes[i] = again[i % strlen(again)];
    for (size_t given = 0; given < n; given += piece) {
        if (web_connection)
            fate_test_give(web_connection, bytes, piece / strlen(again) * strlen(again));
        long held = test_bytes() - before;
        most = held > most ? held : most;
    }
    return most;
}

#define HEAD    "GET /hello HTTP/1.1\r\nHost: x\r\n"
#define CHUNKED "POST /collect HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

VOLUME_TEST(whoever_sends_too_much_is_refused_within_64_kib)
{
    static const struct {
        const char *begin, *again, *status;
    } cases[] = {
        { "", "a", "414" },
        { "GET /", "a", "414" },
        { HEAD "A: ", "b", "431" },
        { HEAD, "A", "431" },
        { HEAD, "A: b\r\n", "431" },
        { HEAD "Cookie: c\r\n", "Cookie: c\r\n", "431" },
        { CHUNKED, "0", "400" },
        { CHUNKED "1;", "a", "400" },
        { CHUNKED "0\r\n", "A: b\r\n", "400" },
        { CHUNKED "0\r\nA: ", "b", "400" },
    };
    static const size_t pieces[] = { 60, 1000, 16000 };

    if (!web_begin(NULL, routes))
        return;
    web_ask(HEAD "\r\n"); /* so that what all connections share is there */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t j = 0; j < sizeof pieces / sizeof *pieces; j++) {
            char status[32];
            snprintf(status, sizeof status, "HTTP/1.1 %s ", cases[i].status);
            long most = most_held(cases[i].begin, cases[i].again, 200000, pieces[j]);
            if (!EXPECT(most <= 64 * KIB))
                fprintf(stderr, "case %zu in pieces of %zu: %ld bytes\n", i, pieces[j], most);
            const char *heard = web_heard();
            if (!EXPECT(strncmp(heard, status, strlen(status)) == 0))
                fprintf(stderr, "case %zu in pieces of %zu: %.30s\n", i, pieces[j], heard);
            EXPECT(web_has_ended());
        }
    }
}

/* ---- Peers that do not read: faults 43, 76, 77 ---- */

/* Requests without end, of which no answer is read.  What has come waits until it is read: so it is given no
 * more when the server does not take it. */
static long flood(const char *request, int n)
{
    static char many[64 * 1024];
    size_t len = strlen(request), room = sizeof many / len;

    for (size_t i = 0; i < room; i++)
        memcpy(many + i * len, request, len);
    web_ask(HEAD "\r\n");
    long before = test_bytes(), most = 0;
    web_connect();
    web_block(true);
    for (int i = 0; i < n; i++) {
        if (web_connection && !((struct fate__http_connection *)web_connection)->is_read_paused)
            fate_test_give(web_connection, many, room * len);
        fate_play(web_reactor, FATE_MILLISECOND);
        long held = test_bytes() - before;
        most = held > most ? held : most;
    }
    return most;
}

static size_t n_answers(const char *heard)
{
    size_t n = 0;

    for (; (heard = strstr(heard, "HTTP/1.1 200 OK\r\n")); heard++)
        n++;
    return n;
}

VOLUME_TEST(a_flood_of_requests_whose_answers_nobody_reads_is_bounded)
{
    if (!web_begin(NULL, routes))
        return;
    long most = flood("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", 100);
    EXPECT(most < 700 * KIB);
    web_block(false);
    fate_play(web_reactor, FATE_SECOND);
    EXPECT(n_answers(web_heard()) > 1000);
    EXPECT(!web_has_ended());
    web_say(HEAD "\r\n");
    fate_play(web_reactor, FATE_SECOND);
    EXPECT_CONTAINS(web_heard(), "hello"); /* it goes on */
}

VOLUME_TEST(two_hundred_who_ask_for_much_and_do_not_read_need_less_than_64_mib)
{
    if (!web_begin(NULL, routes))
        return;
    long before = test_bytes();
    for (int i = 0; i < 200; i++) {
        web_connect();
        web_block(true);
        web_say("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    fate_play(web_reactor, FATE_SECOND);
    long held = test_bytes() - before;
    EXPECT(held > MIB); /* they have been answered */
    EXPECT(held < 64 * MIB);
    fate_play(web_reactor, 60 * FATE_SECOND);
    EXPECT(test_bytes() - before <= held);
    fate_play(web_reactor, 60 * FATE_SECOND); /* their time is over */
    EXPECT(test_bytes() - before < held / 8);
}

/* ---- Uploaders, over the network, which keeps some too ---- */

static size_t n_uploaded;

struct uploader {
    fate_protocol base;
};

static void upload(fate_protocol *p)
{
    static char chunk[5 + 1024 + 2];

    snprintf(chunk, sizeof chunk, "400\r\n%1024d\r", 1);
    chunk[sizeof chunk - 1] = '\n';
    while (fate_write_queued(p->transport) < 100000 && fate_write(p->transport, chunk, sizeof chunk) == 0)
        n_uploaded += sizeof chunk;
}

static void begin_upload(fate_protocol *p)
{
    const char *head = fate_as_ptr(p->arg);

    fate_set_write_marks(p->transport, 50000, 100000, FATE_UNLIMITED);
    fate_pause_reading(p->transport);
    fate_write(p->transport, head, strlen(head));
    upload(p);
}

static void ignore(fate_protocol *p, const void *data, size_t len)
{
}

static const fate_protocol_ops uploading = { FATE_PROTOCOL(struct uploader), .connection_made = begin_upload,
                                             .data_received = ignore, .write_resumed = upload };

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

#define POST_CHUNKED(path) "POST " path " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

/* What the server echoes is not read, or it does not read itself: both wait, and neither fills the memory. */
static void expect_bounded(const char *head)
{
    if (!web_begin(NULL, routes))
        return;
    fate_deferred *serving =
        fate_hold(fate_add_errback(fate_serve_site(web_site, "tcp:server:80"), forgive, fate_none()));
    long before = test_bytes();
    n_uploaded = 0;
    for (int i = 0; i < 40; i++)
        fate_add_errback(fate_connect(web_reactor, "tcp:server:80", &uploading, fate_ptr(head)), forgive,
                         fate_none());
    fate_play(web_reactor, 10 * FATE_SECOND);
    long held = test_bytes() - before;
    size_t n = n_uploaded;
    EXPECT(n > 40 * 200000);
    EXPECT(held < 160 * MIB);
    fate_play(web_reactor, 20 * FATE_SECOND);
    EXPECT(test_bytes() - before <= held);
    EXPECT_EQ(n_uploaded, n);
    fate_release(serving);
    web_end();
}

VOLUME_TEST(forty_who_upload_without_reading_need_less_than_160_mib)
{
    expect_bounded(POST_CHUNKED("/echo"));
    expect_bounded(POST_CHUNKED("/never"));
}
