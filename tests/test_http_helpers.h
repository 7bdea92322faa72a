/* Messages as texts, so that what a parser makes of them can be compared however their bytes came. */
#ifndef FATE_TESTS_TEST_HTTP_HELPERS_H
#define FATE_TESTS_TEST_HTTP_HELPERS_H

#include <string.h>

#include <http/message.h>

struct test_http {
    const char *bytes;
    size_t len; /* 0: bytes ends with a NUL */
    bool is_response;
    enum fate__http_method answers_to;
    const struct fate__http_limits *limits; /* may be NULL */
    bool ends;                              /* the connection, behind the bytes */
};

/* What becomes of one message, a line for each thing: its head, its fields, its body, its trailers, how it
 * ended and how many bytes were left.  The bytes come whole, one at a time and cut at each place, each part
 * in memory of its own; that all give the same is expected.  The text is good until the next call. */
const char *test_http(const struct test_http *input);
/* The same of a request, and of the response to a GET. */
const char *test_http_request(const char *bytes);
const char *test_http_response(const char *bytes);

/* The error alone, "400 what was wrong", or "" if there was none. */
const char *test_http_error(const struct test_http *input);

#endif
