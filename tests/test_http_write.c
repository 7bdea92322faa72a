/* Tests of src/http/write.c.  What is written is parsed again, so that both sides agree. */
#include "test.h"
#include "test_http_helpers.h"

#include <errno.h>
#include <stdio.h>

#include <http/write.h>

static char out[4096];
static size_t out_len;
static struct fate__http_writer writer;

/* The head as a text; NULL: it was refused. */
static const char *respond(struct fate__http_response response)
{
    ssize_t len = fate__http_write_response(&writer, &response, out, sizeof out - 1);

    EXPECT(len == -EINVAL || (len > 0 && len < (ssize_t)sizeof out));
    out_len = len > 0 ? (size_t)len : 0;
    out[out_len] = '\0';
    return len > 0 ? out : NULL;
}

static const char *request(struct fate__http_request request)
{
    ssize_t len = fate__http_write_request(&writer, &request, out, sizeof out - 1);

    EXPECT(len == -EINVAL || (len > 0 && len < (ssize_t)sizeof out));
    out_len = len > 0 ? (size_t)len : 0;
    out[out_len] = '\0';
    return len > 0 ? out : NULL;
}

/* ---- Responses ---- */

TEST(a_response_is_framed_by_what_is_known_of_its_body)
{
    struct fate__http_response r = { .status = 200,
                                     .reason = "OK",
                                     .date = "Sun, 06 Nov 1994 08:49:37 GMT",
                                     .body_bytes = 5,
                                     .answers_to = FATE__HTTP_GET,
                                     .minor = 1,
                                     .keeps_alive = true };

    EXPECT_STR(respond(r),
               "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 5\r\n\r\n");
    EXPECT(writer.keeps_alive && writer.framing == FATE__HTTP_LENGTH);
    r.date = NULL;
    r.body_bytes = 0;
    EXPECT_STR(respond(r), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    r.body_bytes = FATE__HTTP_LENGTH_UNKNOWN;
    EXPECT_STR(respond(r), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT(writer.keeps_alive && writer.framing == FATE__HTTP_CHUNKED);
    r.keeps_alive = false;
    EXPECT_STR(respond(r), "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT(!writer.keeps_alive);
    /* HTTP/1.0. */
    r.minor = 0;
    r.keeps_alive = true;
    EXPECT_STR(respond(r), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    EXPECT(!writer.keeps_alive && writer.framing == FATE__HTTP_UNTIL_CLOSE);
    r.body_bytes = 7;
    EXPECT_STR(respond(r), "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 7\r\n\r\n");
    EXPECT(writer.keeps_alive);
}

TEST(what_has_no_body_has_no_framing)
{
    struct fate__http_response r = { .reason = NULL, .body_bytes = 5, .minor = 1, .keeps_alive = true };
    static const int statuses[] = { 100, 103, 204, 304 };

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        char expected[64];
        r.status = statuses[i];
        for (r.body_bytes = -1; r.body_bytes < 2; r.body_bytes++) {
            snprintf(expected, sizeof expected, "HTTP/1.1 %d \r\n\r\n", statuses[i]);
            EXPECT_STR(respond(r), expected);
            EXPECT(!fate__http_has_body(&writer) && writer.keeps_alive);
        }
    }
    r.status = 200;
    r.answers_to = FATE__HTTP_CONNECT;
    EXPECT_STR(respond(r), "HTTP/1.1 200 \r\n\r\n");
    EXPECT(!fate__http_has_body(&writer));
    r.status = 407;
    EXPECT_STR(respond(r), "HTTP/1.1 407 \r\nContent-Length: 2\r\n\r\n");
}

TEST(an_answer_to_head_announces_what_get_would_have_got)
{
    struct fate__http_response r = {
        .status = 200, .body_bytes = 5, .answers_to = FATE__HTTP_HEAD_METHOD, .minor = 1, .keeps_alive = true
    };

    EXPECT_STR(respond(r), "HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\n");
    EXPECT(!fate__http_has_body(&writer));
    EXPECT_EQ(fate__http_write_piece(&writer, 5, out), -EMSGSIZE);
    EXPECT_EQ(fate__http_write_end(&writer, NULL, 0, out, 0), 0);
    r.body_bytes = FATE__HTTP_LENGTH_UNKNOWN;
    EXPECT_STR(respond(r), "HTTP/1.1 200 \r\n\r\n");
    r.status = 304;
    r.body_bytes = 5;
    EXPECT_STR(respond(r), "HTTP/1.1 304 \r\n\r\n");
}

TEST(a_205_has_an_empty_body_or_none_at_all)
{
    struct fate__http_response r = { .status = 205, .minor = 1, .keeps_alive = true };

    EXPECT_STR(respond(r), "HTTP/1.1 205 \r\nContent-Length: 0\r\n\r\n");
    r.body_bytes = 1;
    EXPECT_STR(respond(r), NULL);
    r.body_bytes = FATE__HTTP_LENGTH_UNKNOWN;
    EXPECT_STR(respond(r), NULL);
}

TEST(an_upgrade_is_said_in_both_fields)
{
    struct fate__http_response r = { .status = 101, .upgrade = "websocket", .minor = 1, .keeps_alive = true };

    EXPECT_STR(respond(r), "HTTP/1.1 101 \r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    r.keeps_alive = false;
    r.status = 426;
    EXPECT_STR(respond(r), "HTTP/1.1 426 \r\nConnection: close, upgrade\r\nUpgrade: websocket\r\n"
                           "Content-Length: 0\r\n\r\n");
    r.status = 200;
    EXPECT_STR(respond(r), NULL);
}

/* ---- Names and values ---- */

static const struct {
    struct fate__http_pair pair;
    bool is_right;
} pairs[] = {
    { { { "X-A", 3 }, { "b c\td\xff", 6 } }, true },
    { { { "X-A", 3 }, { "", 0 } }, true },
    { { { "Expect", 6 }, { "100-continue", 12 } }, true },
    { { { "", 0 }, { "b", 1 } }, false },
    { { { "X A", 3 }, { "b", 1 } }, false },
    { { { "X:", 2 }, { "b", 1 } }, false },
    { { { "X\r\nY", 4 }, { "b", 1 } }, false },
    { { { "X", 1 }, { "b\r\nY: z", 7 } }, false },
    { { { "X", 1 }, { "b\n", 2 } }, false },
    { { { "X", 1 }, { "b\r", 2 } }, false },
    { { { "X", 1 }, { "b\0", 2 } }, false },
    { { { "X", 1 }, { "b\x7f", 2 } }, false },
    { { { "content-length", 14 }, { "1", 1 } }, false },
    { { { "Transfer-Encoding", 17 }, { "chunked", 7 } }, false },
    { { { "Connection", 10 }, { "close", 5 } }, false },
    { { { "Upgrade", 7 }, { "x", 1 } }, false },
    { { { "HOST", 4 }, { "x", 1 } }, false },
    { { { "date", 4 }, { "x", 1 } }, false },
};

TEST(fields_with_wrong_names_or_values_and_those_made_here_are_refused)
{
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct fate__http_response r = {
            .status = 200, .fields = &pairs[i].pair, .n_fields = 1, .minor = 1, .keeps_alive = true
        };
        struct fate__http_request q = { .method = "GET",
                                        .target = "/",
                                        .host = "a",
                                        .fields = &pairs[i].pair,
                                        .n_fields = 1,
                                        .keeps_alive = true };
        EXPECT_EQ(respond(r) != NULL, pairs[i].is_right);
        EXPECT_EQ(request(q) != NULL, pairs[i].is_right);
    }
}

TEST(what_a_response_itself_says_is_checked_too)
{
    const struct fate__http_response right = { .status = 200, .minor = 1, .keeps_alive = true };
    struct fate__http_response r = right;

    EXPECT(respond(r) != NULL);
    r.status = 99;
    EXPECT_STR(respond(r), NULL);
    r.status = 1000;
    EXPECT_STR(respond(r), NULL);
    r = right;
    r.reason = "O\r\nK";
    EXPECT_STR(respond(r), NULL);
    r = right;
    r.date = "now\n";
    EXPECT_STR(respond(r), NULL);
    r = right;
    r.status = 101;
    r.upgrade = "a\rb";
    EXPECT_STR(respond(r), NULL);
}

/* ---- Requests ---- */

TEST(a_request_is_framed_by_what_is_known_of_its_body)
{
    struct fate__http_request q = { .method = "GET", .target = "/a?b", .host = "h:80", .keeps_alive = true };

    EXPECT_STR(request(q), "GET /a?b HTTP/1.1\r\nHost: h:80\r\n\r\n");
    EXPECT(!fate__http_has_body(&writer));
    q.keeps_alive = false;
    EXPECT_STR(request(q), "GET /a?b HTTP/1.1\r\nHost: h:80\r\nConnection: close\r\n\r\n");
    q.keeps_alive = true;
    q.method = "POST";
    EXPECT_STR(request(q), "POST /a?b HTTP/1.1\r\nHost: h:80\r\nContent-Length: 0\r\n\r\n");
    q.body_bytes = 9;
    EXPECT_STR(request(q), "POST /a?b HTTP/1.1\r\nHost: h:80\r\nContent-Length: 9\r\n\r\n");
    q.method = "DELETE";
    q.body_bytes = FATE__HTTP_LENGTH_UNKNOWN;
    EXPECT_STR(request(q), "DELETE /a?b HTTP/1.1\r\nHost: h:80\r\nTransfer-Encoding: chunked\r\n\r\n");
    q.method = "GET";
    q.body_bytes = 0;
    q.upgrade = "websocket";
    EXPECT_STR(request(q),
               "GET /a?b HTTP/1.1\r\nHost: h:80\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
}

TEST(requests_whose_line_or_host_is_wrong_are_refused)
{
    static const struct {
        const char *method, *target, *host;
        bool is_right;
    } cases[] = {
        { "GET", "/", "a", true },          { "GET", "http://a/b", "a", true },
        { "OPTIONS", "*", "a", true },      { "CONNECT", "a:1", "a:1", true },
        { "X-Y", "/", "", true },           { "", "/", "a", false },
        { "G T", "/", "a", false },         { "GET\r\n", "/", "a", false },
        { "GET", "", "a", false },          { "GET", "a", "a", false },
        { "GET", "/a b", "a", false },      { "GET", "/\r\nX: y", "a", false },
        { "GET", "/a#b", "a", false },      { "GET", "/\xc3\xa9", "a", false },
        { "GET", "*", "a", false },         { "CONNECT", "/", "a", false },
        { "CONNECT", "a", "a", false },     { "GET", "/", "a b", false },
        { "GET", "/", "a\r\nX: y", false }, { "GET", "/", "u@a", false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fate__http_request q = {
            .method = cases[i].method, .target = cases[i].target, .host = cases[i].host, .keeps_alive = true
        };
        if (!EXPECT_EQ(request(q) != NULL, cases[i].is_right))
            test_expect_str(FATE_HERE, cases[i].target, cases[i].host, cases[i].method);
    }
    struct fate__http_request q = { .method = "CONNECT", .target = "a:1", .host = "a", .body_bytes = 1 };
    EXPECT_STR(request(q), NULL);
}

/* ---- Room ---- */

TEST(a_head_that_does_not_fit_says_how_long_it_is_and_writes_nothing_beyond_its_room)
{
    const struct fate__http_pair pair = { { "A", 1 }, { "b", 1 } };
    const struct fate__http_response r = {
        .status = 200, .fields = &pair, .n_fields = 1, .minor = 1, .body_bytes = 1
    };
    ssize_t n = fate__http_write_response(&writer, &r, NULL, 0);

    EXPECT_EQ(n, strlen("HTTP/1.1 200 \r\nConnection: close\r\nContent-Length: 1\r\nA: b\r\n\r\n"));
    for (size_t room = 0; room < (size_t)n; room++) {
        writer = (struct fate__http_writer){ 0 };
        memset(out, '#', sizeof out);
        EXPECT_EQ(fate__http_write_response(&writer, &r, out, room), n);
        EXPECT_EQ(out[room], '#');
        EXPECT(!writer.has_begun);
    }
    EXPECT_EQ(fate__http_write_response(&writer, &r, out, (size_t)n), n);
    EXPECT(writer.has_begun);
}

/* ---- Bodies ---- */

static void put(const char *text)
{
    out_len += (size_t)snprintf(out + out_len, sizeof out - out_len, "%s", text);
}

static void put_piece(const char *text)
{
    char before[FATE__HTTP_PIECE_BYTES];
    ssize_t len = fate__http_write_piece(&writer, strlen(text), before);

    EXPECT(len >= 0);
    memcpy(out + out_len, before, len > 0 ? (size_t)len : 0);
    out_len += len > 0 ? (size_t)len : 0;
    put(text);
}

static ssize_t put_end(const struct fate__http_pair *trailers, size_t n)
{
    ssize_t len = fate__http_write_end(&writer, trailers, n, out + out_len, sizeof out - out_len);

    out_len += len > 0 ? (size_t)len : 0;
    out[out_len] = '\0';
    return len;
}

static const struct fate__http_response of_unknown_length = {
    .status = 200, .body_bytes = FATE__HTTP_LENGTH_UNKNOWN, .minor = 1, .keeps_alive = true
};

TEST(chunks_are_parsed_as_they_were_written)
{
    const struct fate__http_pair trailer = { { "X-Sum", 5 }, { "7", 1 } };

    respond(of_unknown_length);
    put_piece("hello");
    put_piece("");
    put_piece(" 0123456789abcdef");
    EXPECT(put_end(&trailer, 1) > 0);
    EXPECT_STR(out + strlen("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n"),
               "5\r\nhello\r\n11\r\n 0123456789abcdef\r\n0\r\nX-Sum: 7\r\n\r\n");
    EXPECT_STR(test_http_response(out), "200 1.1 chunked keeps\nTransfer-Encoding=chunked\n"
                                        "[hello 0123456789abcdef]\n+X-Sum=7\ndone\nleft 0\n");
    respond(of_unknown_length);
    EXPECT_EQ(put_end(NULL, 0), 5);
    EXPECT_STR(test_http_response(out), "200 1.1 chunked keeps\nTransfer-Encoding=chunked\ndone\nleft 0\n");
}

TEST(an_end_that_does_not_fit_can_be_written_again)
{
    respond(of_unknown_length);
    put_piece("a");
    EXPECT_EQ(fate__http_write_end(&writer, NULL, 0, out, 6), 7);
    EXPECT_EQ(fate__http_write_end(&writer, NULL, 0, out, 7), 7);
    EXPECT(memcmp(out, "\r\n0\r\n\r\n", 7) == 0);
}

TEST(trailers_are_checked_as_fields_are)
{
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        respond(of_unknown_length);
        EXPECT_EQ(put_end(&pairs[i].pair, 1) > 0, pairs[i].is_right);
    }
}

TEST(a_body_that_is_not_as_long_as_announced_is_reported)
{
    struct fate__http_response r = { .status = 200, .body_bytes = 5, .minor = 1, .keeps_alive = true };
    char before[FATE__HTTP_PIECE_BYTES];

    respond(r);
    EXPECT_EQ(fate__http_write_piece(&writer, 6, before), -EMSGSIZE);
    EXPECT_EQ(fate__http_write_piece(&writer, 3, before), 0);
    EXPECT_EQ(fate__http_write_piece(&writer, 3, before), -EMSGSIZE);
    EXPECT_EQ(fate__http_write_end(&writer, NULL, 0, out, sizeof out), -ENODATA);
    EXPECT(!writer.keeps_alive);

    respond(r);
    EXPECT_EQ(fate__http_write_piece(&writer, 3, before), 0);
    EXPECT_EQ(fate__http_write_piece(&writer, 2, before), 0);
    EXPECT_EQ(fate__http_write_piece(&writer, 0, before), 0);
    EXPECT_EQ(fate__http_write_end(&writer, NULL, 0, out, sizeof out), 0);
    EXPECT(writer.keeps_alive);

    r.minor = 0;
    r.body_bytes = FATE__HTTP_LENGTH_UNKNOWN;
    respond(r);
    EXPECT_EQ(fate__http_write_piece(&writer, 3, before), 0);
    EXPECT_EQ(fate__http_write_end(&writer, NULL, 0, out, 0), 0);
}

static void write_piece_without_head(void *arg)
{
    struct fate__http_writer none = { 0 };
    char before[FATE__HTTP_PIECE_BYTES];

    fate__http_write_piece(&none, 1, before);
}

static void end_twice(void *arg)
{
    respond(of_unknown_length);
    put_end(NULL, 0);
    put_end(NULL, 0);
}

TEST(a_piece_before_the_head_and_two_ends_stop_the_program)
{
    EXPECT_STOP(write_piece_without_head, NULL, "writer->has_begun");
    EXPECT_STOP(end_twice, NULL, "!writer->is_over");
}

/* What a server writes is what its own parser makes of it, and the same of a client. */
TEST(a_request_is_parsed_as_it_was_written)
{
    const struct fate__http_pair fields[] = { { { "Accept", 6 }, { "*/*", 3 } },
                                              { { "Expect", 6 }, { "100-continue", 12 } } };
    struct fate__http_request q = { .method = "PUT",
                                    .target = "/x",
                                    .host = "h",
                                    .fields = fields,
                                    .n_fields = 2,
                                    .body_bytes = 3,
                                    .keeps_alive = true };

    request(q);
    put_piece("abc");
    EXPECT_EQ(put_end(NULL, 0), 0);
    EXPECT_STR(test_http_request(out),
               " method=PUT target=/x host=h path=/x 1.1 length continue keeps 3\nHost=h\n"
               "Content-Length=3\nAccept=*/*\nExpect=100-continue\n[abc]\ndone\nleft 0\n");
}
