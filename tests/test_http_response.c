/* Tests of src/http/: heads of responses, and which of them have a body. */
#include "test.h"
#include "test_http_helpers.h"

static const struct {
    const char *bytes, *trace;
} good[] = {
    { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiH",
      "200 reason=OK 1.1 length keeps 2\nContent-Length=2\n[hi]\ndone\nleft 1\n" },
    { "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "200 1.1 keeps 0\nContent-Length=0\ndone\nleft 0\n" },
    { "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200 1.1 keeps 0\nContent-Length=0\ndone\nleft 0\n" },
    { "HTTP/1.1 999 Sel\xe7"
      "am \tx\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "999 reason=Sel\xe7"
      "am \tx 1.1 chunked keeps\nTransfer-Encoding=chunked\ndone\nleft 0\n" },
    { "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
      "200 reason=OK 1.0 length keeps 1\nConnection=keep-alive\nContent-Length=1\n[x]\ndone\nleft 0\n" },
    { "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
      "200 reason=OK 1.0 length closes 1\nContent-Length=1\n[x]\ndone\nleft 0\n" },
    { "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nHTTP",
      "204 reason=No Content 1.1 keeps 5\nContent-Length=5\ndone\nleft 4\n" },
    { "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nHTTP",
      "304 reason=Not Modified 1.1 keeps 5\nContent-Length=5\ndone\nleft 4\n" },
    { "HTTP/1.1 304 Not Modified\r\n\r\n", "304 reason=Not Modified 1.1 keeps\ndone\nleft 0\n" },
    { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
      "1\r\n\r\nx",
      "100 reason=Continue 1.1 keeps interim\n103 reason=Hints 1.1 keeps interim\nLink=x\n"
      "200 reason=OK 1.1 length keeps 1\nContent-Length=1\n[x]\ndone\nleft 0\n" },
    { "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81",
      "101 reason=Switching Protocols 1.1 keeps tunnel\nConnection=upgrade\nUpgrade=websocket\ndone\nleft "
      "1\n" },
    { "HTTP/1.1 200 OK\r\nHost: a\r\nHost: ?\r\nContent-Length: 0\r\n\r\n",
      "200 reason=OK 1.1 keeps 0\nHost=a\nHost=?\nContent-Length=0\ndone\nleft 0\n" },
};

TEST(right_responses_are_parsed_however_they_are_cut)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        EXPECT_STR(test_http_response(good[i].bytes), good[i].trace);
}

static const struct {
    const char *bytes, *said;
} bad[] = {
    { "\r\nHTTP/1.1 200 OK\r\n\r\n", "400 line 1 of the head, byte 1: a carriage return" },
    { "ICY 200 OK\r\n", "400 line 1 of the head, byte 1: 'I' in the place of HTTP/1.1" },
    { "HTTP/1.1\r\n", "400 line 1 of the head, byte 9: the line ends too early" },
    { "HTTP/1.1  200 OK\r\n", "400 line 1 of the head, byte 10: a blank in a status" },
    { "HTTP/1.1 20 OK\r\n", "400 line 1 of the head, byte 12: a blank in a status" },
    { "HTTP/1.1 2000 OK\r\n", "400 line 1 of the head, byte 13: '0' in a status line behind the status" },
    { "HTTP/1.1 099 OK\r\n", "400 line 1 of the head, byte 10: '0' in a status, which is 100 or more" },
    { "HTTP/1.1 200\tOK\r\n", "400 line 1 of the head, byte 13: a tab in a status line behind the status" },
    { "HTTP/1.1 200 O\x01K\r\n", "400 line 1 of the head, byte 15: the byte 0x01 in a reason" },
    { "HTTP/1.1 200 OK\n", "400 line 1 of the head, byte 16: a line feed without" },
    { "HTTP/1.1 200 OK\rX\r\n", "400 line 1 of the head, byte 16: a carriage return without" },
    { "HTTP/2.0 200 OK\r\n", "505 HTTP/2.0 is not spoken here" },
    { "HTTP/x.1 200 OK\r\n", "400 line 1 of the head, byte 1: 'H' in the place of HTTP/1.1" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400 both" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
      "400 more than one field Content" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "400 a Transfer-Encoding that does not end" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
      "501 a transfer coding besides chunked" },
    { "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "400 Transfer-Encoding in HTTP/1.0" },
    { "HTTP/1.1 200 OK\r\nX : y\r\n\r\n", "400 line 2 of the head, byte 2: a blank in the name" },
};

TEST(wrong_responses_are_refused_however_they_are_cut)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct test_http input = { .bytes = bad[i].bytes, .is_response = true };
        const char *error = test_http_error(&input);
        if (!EXPECT(strncmp(error, bad[i].said, strlen(bad[i].said)) == 0))
            test_expect_str(FATE_HERE, error, bad[i].said, bad[i].bytes);
    }
}

TEST(a_response_without_length_lasts_until_the_close)
{
    struct test_http input = { .bytes = "HTTP/1.1 200 OK\r\n\r\nabc", .is_response = true, .ends = true };

    EXPECT_STR(test_http(&input), "200 reason=OK 1.1 until-close closes\n[abc]\ndone\nleft 0\n");
    input.bytes = "HTTP/1.1 200 OK\r\n\r\n";
    EXPECT_STR(test_http(&input), "200 reason=OK 1.1 until-close closes\ndone\nleft 0\n");
    input.ends = false;
    input.bytes = "HTTP/1.1 200 OK\r\n\r\nabc";
    EXPECT_STR(test_http(&input), "200 reason=OK 1.1 until-close closes\n[abc");
}

TEST(what_a_response_answers_decides_on_its_body)
{
    struct test_http input = { .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP",
                               .is_response = true,
                               .answers_to = FATE__HTTP_HEAD_METHOD };

    EXPECT_STR(test_http(&input), "200 reason=OK 1.1 keeps 5\nContent-Length=5\ndone\nleft 4\n");
    input.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nHTTP";
    EXPECT_STR(test_http(&input), "200 reason=OK 1.1 keeps\nTransfer-Encoding=chunked\ndone\nleft 4\n");
    input.bytes = "HTTP/1.1 404 No\r\n\r\nHTTP";
    EXPECT_STR(test_http(&input), "404 reason=No 1.1 keeps\ndone\nleft 4\n");

    input.answers_to = FATE__HTTP_CONNECT;
    input.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nabc";
    EXPECT_STR(test_http(&input), "200 reason=OK 1.1 keeps tunnel 5\nContent-Length=5\n"
                                  "Transfer-Encoding=chunked\ndone\nleft 3\n");
    input.bytes = "HTTP/1.1 407 No\r\nContent-Length: 1\r\n\r\nabc";
    EXPECT_STR(test_http(&input), "407 reason=No 1.1 length keeps 1\nContent-Length=1\n[a]\ndone\nleft 2\n");
}

TEST(more_interim_responses_than_the_limit_are_refused)
{
    const struct fate__http_limits limits = { .interim_max = 2 };
    struct test_http input = { .bytes = "HTTP/1.1 100 a\r\n\r\nHTTP/1.1 102 b\r\n\r\n"
                                        "HTTP/1.1 200 c\r\nContent-Length: 0\r\n\r\n",
                               .is_response = true,
                               .limits = &limits };

    EXPECT_CONTAINS(test_http(&input), "done\n");
    input.bytes = "HTTP/1.1 100 a\r\n\r\nHTTP/1.1 102 b\r\n\r\nHTTP/1.1 103 b\r\n\r\n";
    EXPECT_CONTAINS(test_http_error(&input), "more than 2 responses 1xx before the final one");
}

TEST(the_end_of_the_connection_says_what_was_cut)
{
    static const struct {
        const char *bytes, *said;
    } cut[] = {
        { "H", "in the head, behind 1 bytes of it" },
        { "HTTP/1.1 200 OK\r\nA: b\r\n", "in the head, behind 23 bytes of it" },
        { "HTTP/1.1 100 OK\r\n\r\n", "in the head, behind 0 bytes of it" },
        { "HTTP/1.1 100 OK\r\n\r\nHT", "in the head, behind 2 bytes of it" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "in the body: 2 of its 5 bytes were missing" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "in the body, before its last chunk" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1", "in the body, before its last chunk" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n5\r\nabc",
          "chunk 2: 2 of its bytes" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na",
          "in the body, before its last chunk" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", "in the trailers" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\n\r",
          "in the trailers" },
    };

    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        const struct test_http input = { .bytes = cut[i].bytes, .is_response = true, .ends = true };
        EXPECT_CONTAINS(test_http_error(&input), cut[i].said);
    }
}

TEST(a_connection_that_ends_behind_an_interim_response_is_cut)
{
    static const char bytes[] = "HTTP/1.1 100 a\r\n\r\n";
    struct fate__http_parser parser;
    size_t used;

    fate__http_parser_init(&parser, NULL);
    fate__http_next_response(&parser, FATE__HTTP_GET);
    EXPECT_EQ(fate__http_parse(&parser, bytes, sizeof bytes - 1, &used), FATE__HTTP_HEAD);
    EXPECT_EQ(fate__http_eof(&parser), FATE__HTTP_ERROR);
    EXPECT_EQ(parser.problem, FATE__HTTP_CUT);
    EXPECT_CONTAINS(parser.said, "in the head, behind 0 bytes of it");
    fate__http_parser_done(&parser);
}

TEST(a_connection_that_ends_before_a_message_is_idle)
{
    struct fate__http_parser parser;
    size_t used;

    fate__http_parser_init(&parser, NULL);
    EXPECT_EQ(fate__http_eof(&parser), FATE__HTTP_IDLE);
    fate__http_next_response(&parser, FATE__HTTP_GET);
    EXPECT(fate__http_is_idle(&parser));
    EXPECT_EQ(fate__http_eof(&parser), FATE__HTTP_IDLE);
    fate__http_parse(&parser, "H", 1, &used);
    EXPECT(!fate__http_is_idle(&parser));
    fate__http_parser_done(&parser);
    EXPECT_STR(test_http(&(struct test_http){ .bytes = "\r\n", .ends = true }), "idle\n");
}
