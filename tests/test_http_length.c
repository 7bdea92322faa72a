/* Tests of answers from sources whose length was announced. */
#include <string.h>

#include "test_http_server_helpers.h"

/* Gives "abc" again and again, as often as its arg says. */
struct given {
    fate_reactor *reactor;
    int64_t left;
};

static fate_deferred *give(fate_value *arg, size_t bytes_max)
{
    struct given *given = fate_unbox(struct given, arg);

    return fate_succeed(given->reactor, given->left-- > 0 ? fate_str("abc") : fate_none());
}

static const fate_source_ops ops = { .size = sizeof ops, .name = "abc", .read = give };

/* "GET /{pieces}/{bytes}": so many pieces, and so many bytes announced. */
static fate_value page(fate_request *request, fate_value *arg)
{
    fate_reactor *reactor = fate_request_reactor(request);

    fate_set_header(request, "content-length", fate_request_param(request, "bytes"));
    return fate_source(reactor, &ops, fate_box(struct given, reactor, fate_request_int(request, "pieces")));
}

/* Of everything else the length is known. */
static fate_value text(fate_request *request, fate_value *arg)
{
    fate_set_header(request, "Content-Length", "1000");
    return fate_str("Hello!");
}

static const fate_route routes[] = { { "GET /{pieces:int}/{bytes}", page }, { "GET /text", text }, { 0 } };

static void expect_answer(const char *here, const char *request, const char *part, const char *end)
{
    if (!web_begin(NULL, routes))
        return;
    const char *answer = web_ask(request);
    test_expect_contains(here, answer, part, request);
    const char *body = strstr(answer, "\r\n\r\n");
    test_expect_str(here, body ? body + 4 : "(no end of the head)", end, request);
    web_end();
}
#define EXPECT_ANSWER(request, part, end)                                                                    \
    expect_answer(FATE_HERE, request " HTTP/1.1\r\nHost: x\r\n\r\n", part, end)

TEST(a_source_may_announce_its_length)
{
    EXPECT_ANSWER("GET /3/9", "Content-Length: 9\r\n", "abcabcabc");
    EXPECT_ANSWER("GET /0/0", "Content-Length: 0\r\n", "");
    EXPECT_ANSWER("HEAD /3/9", "Content-Length: 9\r\n", "");
    EXPECT_ANSWER("GET /2/x", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n");
}

TEST(the_length_of_a_text_is_known)
{
    EXPECT_ANSWER("GET /text", "Content-Length: 6\r\n", "Hello!");
}

TEST(a_source_that_gives_too_much_or_too_little_is_cut)
{
    if (!web_begin(NULL, routes) || !web_connect())
        return;
    web_say("GET /2/5 HTTP/1.1\r\nHost: x\r\n\r\nGET /text HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT(!strstr(web_heard(), "Hello!"));
    EXPECT_CONTAINS(web_logged(), "the source of an answer gave more than the 5 bytes of its Content-Length");
    web_end();
    if (!web_begin(NULL, routes) || !web_connect())
        return;
    web_say("GET /2/7 HTTP/1.1\r\nHost: x\r\n\r\nGET /text HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT(!strstr(web_heard(), "Hello!"));
    EXPECT_CONTAINS(web_logged(), "the source of an answer gave 6 bytes, not the 7 of its Content-Length");
    web_end();
}
