/* Tests of src/http/body.c and of the limits: chunks, trailers, what is too large. */
#include "test.h"
#include "test_http_helpers.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define TRACE " method=POST target=/ host=a path=/ 1.1 chunked keeps\nHost=a\nTransfer-Encoding=chunked\n"

static const struct {
    const char *bytes, *trace;
} good[] = {
    { HEAD "0\r\n\r\nG", TRACE "done\nleft 1\n" },
    { HEAD "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", TRACE "[abc0123456789]\ndone\nleft 0\n" },
    { HEAD "00003\r\nabc\r\n000\r\n\r\n", TRACE "[abc]\ndone\nleft 0\n" },
    { HEAD "3;a;b=c;d=\"\\\"x\";;\r\nabc\r\n0;z\r\n\r\n", TRACE "[abc]\ndone\nleft 0\n" },
    { HEAD "3 \t;a\r\nabc\r\n0\r\n\r\n", TRACE "[abc]\ndone\nleft 0\n" },
    { HEAD "2\r\n\r\n\r\n0\r\n\r\n", TRACE "[\r\n]\ndone\nleft 0\n" },
    { HEAD "0\r\nA: b\r\nC:d \r\n\r\n", TRACE "+A=b\n+C=d\ndone\nleft 0\n" },
    { HEAD "0\r\nConnection: close\r\n\r\n", TRACE "+Connection=close\ndone\nleft 0\n" },
    { HEAD "7fffffffffffffff\r\nabc", TRACE "[abc" },
};

TEST(chunks_and_trailers_are_parsed_however_they_are_cut)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        EXPECT_STR(test_http_request(good[i].bytes), good[i].trace);
}

static const struct {
    const char *bytes, *said;
} bad[] = {
    { "\r\n", "chunk 1: its size must begin with a hexadecimal digit, not the byte 0x0d" },
    { "g\r\n", "chunk 1: its size must begin with a hexadecimal digit" },
    { "-1\r\n", "chunk 1: its size must begin with a hexadecimal digit" },
    { " 1\r\na\r\n", "chunk 1: its size must begin with a hexadecimal digit" },
    { ";a\r\n", "chunk 1: its size must begin with a hexadecimal digit" },
    { "0x1\r\na\r\n", "chunk 1: a line end or an extension must follow its size, not the byte 0x78" },
    { "1_0\r\n", "chunk 1: a line end or an extension must follow its size" },
    { "1 \r\na\r\n", "chunk 1: a line end or an extension must follow its size, not the byte 0x0d" },
    { "1 1\r\n", "chunk 1: a line end or an extension must follow its size, not the byte 0x31" },
    { "1\na\r\n", "chunk 1: a line end or an extension must follow its size, not the byte 0x0a" },
    { "1\rxa\r\n", "chunk 1: a line feed must follow the carriage return" },
    { "1;a\na\r\n", "chunk 1: a line end must follow its extensions, not the byte 0x0a" },
    { "1;a\x01\r\n", "chunk 1: a line end must follow its extensions, not the byte 0x01" },
    { "1;a\rx\r\n", "chunk 1: a line feed must follow the carriage return" },
    { "8000000000000000\r\n", "chunk 1: its size has too many digits" },
    { "10000000000000001\r\n", "chunk 1: its size has too many digits" },
    { "00000000000000001\r\n", "chunk 1: its size has too many digits" },
    { "1\r\nab\r\n", "chunk 2: a line end must precede it, not the byte 0x62" },
    { "1\r\na\n0\r\n", "chunk 2: a line end must precede it, not the byte 0x0a" },
    { "1\r\na\rx", "chunk 2: a line end must precede it, not the byte 0x78" },
    { "0\r\nA: b\n\r\n", "line 1 of the trailers, byte 5: a line feed without" },
    { "0\r\nA: b\r\n c\r\n\r\n", "line 2 of the trailers, byte 1: a line that goes on" },
    { "0\r\nA : b\r\n\r\n", "line 1 of the trailers, byte 2: a blank in the name" },
    { "0\r\nA: b\r\n\rX\n", "line 2 of the trailers, byte 1: a carriage return without" },
    { "0\r\nA: b\r\nContent-Length: 1\r\n\r\n", "line 2 of the trailers, byte 1: a field that may not be" },
    { "0\r\nTransfer-Encoding: x\r\n\r\n", "line 1 of the trailers, byte 1: a field that may not be" },
    { "0\r\nhost: x\r\n\r\n", "line 1 of the trailers, byte 1: a field that may not be" },
};

TEST(wrong_chunks_and_trailers_are_refused_however_they_are_cut)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char bytes[256], said[256];
        snprintf(bytes, sizeof bytes, HEAD "%s", bad[i].bytes);
        snprintf(said, sizeof said, "400 %s", bad[i].said);
        const char *error = test_http_error(&(struct test_http){ .bytes = bytes });
        if (!EXPECT(strncmp(error, said, strlen(said)) == 0))
            test_expect_str(FATE_HERE, error, said, bad[i].bytes);
    }
}

/* Parses to the end of a message; its last step. */
static enum fate__http_step parse_all(struct fate__http_parser *parser, const char *bytes)
{
    enum fate__http_step step;
    size_t at = 0, used;

    fate__http_next_request(parser);
    do {
        step = fate__http_parse(parser, bytes + at, strlen(bytes) - at, &used);
        at += used;
    } while (step == FATE__HTTP_HEAD || step == FATE__HTTP_DATA);
    return step;
}

TEST(the_trailers_of_one_message_are_not_those_of_the_next)
{
    struct fate__http_parser parser;

    fate__http_parser_init(&parser, NULL);
    if (EXPECT_EQ(parse_all(&parser, HEAD "0\r\nA: b\r\n\r\n"), FATE__HTTP_DONE) &&
        EXPECT_EQ(parser.trailers.n, 1) &&
        EXPECT_EQ(parse_all(&parser, HEAD "0\r\nC: d\r\nE: f\r\n\r\n"), FATE__HTTP_DONE) &&
        EXPECT_EQ(parser.trailers.n, 2)) {
        const struct fate__http_field *field = fate__http_find(&parser.trailers, FATE__HTTP_SLICE("c"), NULL);
        EXPECT_PTR(field, &parser.trailers.list[0]);
        EXPECT_EQ(parse_all(&parser, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), FATE__HTTP_DONE);
        EXPECT_EQ(parser.trailers.n, 0);
    }
    fate__http_parser_done(&parser);
}

TEST(without_memory_for_trailers_a_request_is_answered_503)
{
    struct fate__http_parser parser;
    size_t used;

    fate__http_parser_init(&parser, NULL);
    fate__http_next_request(&parser);
    EXPECT_EQ(fate__http_parse(&parser, HEAD, strlen(HEAD), &used), FATE__HTTP_HEAD);
    test_fail_allocation(1, true);
    EXPECT_EQ(fate__http_parse(&parser, "0\r\nA", 4, &used), FATE__HTTP_ERROR);
    test_fail_allocation(0, false);
    EXPECT_EQ(parser.problem, FATE__HTTP_NO_MEMORY);
    EXPECT_EQ(parser.status, 503);
    fate__http_parser_done(&parser);
}

/* ---- Limits ---- */

static const struct fate__http_limits limits = { .line_bytes_max = 24,
                                                 .head_bytes_max = 64,
                                                 .trailer_bytes_max = 12,
                                                 .extension_bytes_max = 6,
                                                 .fields_max = 3 };

static const char *error_of(const char *bytes)
{
    return test_http_error(&(struct test_http){ .bytes = bytes, .limits = &limits });
}

TEST(a_line_may_have_as_many_bytes_as_the_limit_and_no_more)
{
    EXPECT_STR(error_of("GET /23456789 HTTP/1.1\r\nHost: a\r\n\r\n"), "");
    EXPECT_CONTAINS(error_of("GET /234567890 HTTP/1.1\r\nHost: a\r\n\r\n"),
                    "414 the first line has more than 24 bytes");
    EXPECT_CONTAINS(error_of("GET /23456789012345678901234567890"),
                    "414 the first line has more than 24 bytes");
    /* What else is wrong with such a line does not count. */
    EXPECT_CONTAINS(error_of("GET /2345\x01 789012345678901234567890\r\n"), "414 ");
    EXPECT_CONTAINS(error_of("GET  /2345 HTTP/9.9 12345678901\r\n"), "414 ");
    EXPECT_CONTAINS(error_of("\r\n\r\nGET /23456789012345678901234567890"), "414 ");
    EXPECT_STR(error_of("\r\n\r\nGET /23456789 HTTP/1.1\r\nHost: a\r\n\r\n"), "");
}

TEST(a_head_may_have_as_many_bytes_as_the_limit_and_no_more)
{
    char bytes[] = "GET /345 HTTP/1.1\r\nHost: a\r\n123456789: 123456789012345678901\r\n\r\n";

    EXPECT_EQ(sizeof bytes - 1, 64);
    EXPECT_STR(error_of(bytes), "");
    EXPECT_CONTAINS(error_of("GET /3456 HTTP/1.1\r\nHost: a\r\n123456789: 123456789012345678901\r\n\r\n"),
                    "431 the head has more than 64 bytes");
    EXPECT_CONTAINS(error_of("GET /3456 HTTP/1.1\r\nHost: a\r\n123456789: 12345678901234567890\x01 and more"),
                    "431 the head has more than 64 bytes");
    EXPECT_CONTAINS(
        error_of("\r\n\r\nGET /345 HTTP/1.1\r\nHost: a\r\n123456789: 123456789012345678901\r\n\r\n"),
        "431 the head has more than 64 bytes");
}

TEST(where_both_limits_are_passed_the_first_one_counts)
{
    const struct fate__http_limits both = { .line_bytes_max = 20, .head_bytes_max = 20 };
    struct test_http input = { .bytes = "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\n",
                               .limits = &both };

    EXPECT_CONTAINS(test_http_error(&input), "414 ");
    input.bytes = "\r\nGET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\n";
    EXPECT_CONTAINS(test_http_error(&input), "431 ");
}

TEST(there_may_be_as_many_fields_as_the_limit_and_no_more)
{
    EXPECT_STR(error_of("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\n\r\n"), "");
    EXPECT_CONTAINS(error_of("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\nC:\r\n\r\n"),
                    "431 more than 3 fields");
}

#define SHORT_HEAD "PUT / HTTP/1.1\r\nHost:a\r\nTransfer-Encoding: chunked\r\n\r\n"

TEST(extensions_and_trailers_have_limits)
{
    EXPECT_STR(error_of(SHORT_HEAD "1;12\r\na\r\n2;34\r\nab\r\n0\r\n\r\n"), "");
    EXPECT_CONTAINS(error_of(SHORT_HEAD "1;12\r\na\r\n2;345\r\nab\r\n0\r\n\r\n"),
                    "400 more than 6 bytes of chunk extensions");
    EXPECT_STR(error_of(SHORT_HEAD "0\r\nA:b\r\nC:d\r\n\r\n"), "");
    EXPECT_CONTAINS(error_of(SHORT_HEAD "0\r\nA:b\r\nC:de\r\n\r\n"),
                    "431 the trailers have more than 12 bytes");
    EXPECT_CONTAINS(error_of(SHORT_HEAD "0\r\nA:345678901234567890"),
                    "431 the trailers have more than 12 bytes");
    const struct fate__http_limits few = { .fields_max = 2 };
    EXPECT_CONTAINS(test_http_error(&(struct test_http){ .bytes = SHORT_HEAD "0\r\nA:\r\nB:\r\nC:\r\n\r\n",
                                                         .limits = &few }),
                    "431 more than 2 fields");
}

/* Defaults, by heads that only just fit. */
static void expect_default_head(bool is_response, size_t head_max, const char *first)
{
    char *bytes = malloc(head_max + 2);
    size_t first_len = strlen(first), rest = head_max - first_len - 4 - 3;

    memcpy(bytes, first, first_len);
    memcpy(bytes + first_len, "X: ", 3);
    memset(bytes + first_len + 3, 'x', rest + 1);
    memcpy(bytes + first_len + 3 + rest, "\r\n\r\n", 4);
    struct test_http input = { .bytes = bytes, .len = head_max, .is_response = is_response };
    EXPECT_STR(test_http_error(&input), "");
    memcpy(bytes + first_len + 3 + rest, "x\r\n\r\n", 5);
    input.len++;
    EXPECT_CONTAINS(test_http_error(&input), "431 the head has more than");
    free(bytes);
}

TEST(by_default_a_head_has_32_or_64_kib_and_100_fields)
{
    char fields[2048] = "GET / HTTP/1.1\r\nHost: a\r\n";

    if (test_is_oom())
        return;
    expect_default_head(false, 32768, "GET / HTTP/1.1\r\nHost: a\r\n");
    expect_default_head(true, 65536, "HTTP/1.1 200 OK\r\n");
    for (int i = 1; i < 100; i++)
        strcat(fields, "A: b\r\n");
    strcat(fields, "\r\n");
    EXPECT_STR(test_http_error(&(struct test_http){ .bytes = fields }), "");
    strcpy(fields + strlen(fields) - 2, "A: b\r\n\r\n");
    EXPECT_CONTAINS(test_http_error(&(struct test_http){ .bytes = fields }), "431 more than 100 fields");
}

TEST(a_name_longer_than_its_length_can_say_is_refused)
{
    const struct fate__http_limits wide = { .head_bytes_max = 200000 };
    char *bytes = malloc(70100);
    int len = snprintf(bytes, 100, "GET / HTTP/1.1\r\nHost: a\r\n");

    memset(bytes + len, 'x', 70000);
    strcpy(bytes + len + 65536, ": a\r\n\r\n");
    const struct test_http input = { .bytes = bytes, .limits = &wide };
    EXPECT_CONTAINS(test_is_oom() ? "longer" : test_http_error(&input),
                    test_is_oom() ? "longer" : "a name of more than 65535 bytes");
    free(bytes);
}

TEST(a_large_collected_head_is_not_kept_for_ever)
{
    char bytes[6000] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    struct fate__http_parser parser;
    size_t used;

    memset(bytes + strlen(bytes), 'x', 5000);
    strcat(bytes, "\r\n\r\n");
    fate__http_parser_init(&parser, NULL);
    fate__http_next_request(&parser);
    fate__http_parse(&parser, bytes, 30, &used);
    EXPECT_EQ(fate__http_parse(&parser, bytes + 30, strlen(bytes) - 30, &used), FATE__HTTP_HEAD);
    EXPECT(parser.collected.room > 4096);
    if (parser.problem == FATE__HTTP_NO_PROBLEM)
        fate__http_next_request(&parser);
    EXPECT_EQ(parser.collected.room, 0);
    fate__http_parser_done(&parser);
}
