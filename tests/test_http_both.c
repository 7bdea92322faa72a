/* Tests of the HTTP client with libfate's own server, on a network that cuts what they say into small pieces.
 */
#include <string.h>

#include <fate/http_client.h>
#include <fate/http_server.h>
#include <fate/test.h>

#include "test.h"

static fate_reactor *reactor;

static fate_value hello(fate_request *request, fate_value *arg)
{
    return fate_format("Hello, %s!", fate_request_param(request, "name"));
}

static fate_value echo(fate_request *request, fate_value *arg)
{
    return fate_follow(fate_request_text(request));
}

static fate_value pass_on(fate_request *request, fate_value *arg)
{
    return fate_request_body(request);
}

static const fate_route routes[] = {
    { "GET /hello/{name}", hello }, { "POST /echo", echo }, { "POST /pass", pass_on }, { 0 }
};

/* ---- A source of pieces ---- */

struct pieces {
    fate_reactor *reactor;
    int n;
};

static fate_deferred *read_piece(fate_value *arg, size_t bytes_max)
{
    struct pieces *pieces = fate_unbox(struct pieces, arg);

    return fate_succeed(pieces->reactor, pieces->n ? fate_format("piece %d;", pieces->n--) : fate_none());
}

static const fate_source_ops piece_ops = { .size = sizeof piece_ops, .name = "pieces", .read = read_piece };

static fate_value pieces(int n)
{
    return fate_source(reactor, &piece_ops, fate_box(struct pieces, reactor, n));
}

/* ---- Results ---- */

static fate_value result;

static fate_value keep(fate_value *v, fate_value *arg)
{
    fate_drop(result);
    result = fate_take(v);
    return fate_none();
}

static const fate_value *result_of(fate_deferred *d)
{
    fate_drop(fate_take(&result));
    fate_add_both(d, keep, fate_none());
    fate_play(reactor, 100 * FATE_SECOND);
    return &result;
}

static const fate_value *post(const char *url, fate_value body)
{
    return result_of(fate_get_page_with(reactor, url, .body = body));
}

static void ask(void)
{
    EXPECT_TEXT(result_of(fate_get_page(reactor, "http://web/hello/Ben%20Eills")), "Hello, Ben Eills!");
    EXPECT_FAILURE(result_of(fate_get_page(reactor, "http://web/nothing")), &FATE_HTTP_STATUS);
    EXPECT_FAILURE(result_of(fate_get_page(reactor, "http://web/echo")), &FATE_HTTP_STATUS);
    EXPECT_TEXT(post("http://web/echo", fate_str("a text")), "a text");
    EXPECT_TEXT(post("http://web/echo", pieces(3)), "piece 3;piece 2;piece 1;");
    EXPECT_TEXT(post("http://web/pass", pieces(2)), "piece 2;piece 1;");
    EXPECT_TEXT(post("http://web/pass", fate_dict_of({ "a", fate_int(1) })), "{\"a\":1}");
    fate_drop(fate_take(&result));
}

TEST(client_and_server_understand_each_other)
{
    size_t bytes_max = test_is_oom() ? 0 : 3; /* pieces of a few bytes make no other allocations */

    for (size_t bytes = 0; bytes <= bytes_max; bytes++) {
        reactor = fate_test_reactor();
        if (!reactor)
            return;
        fate_test_link(reactor, .piece_bytes_max = bytes, .latency = FATE_MILLISECOND, .loss_percent = 2);
        fate_deferred *serving = fate_hold(fate_serve_routes(reactor, "tcp:web:80", routes, fate_none()));
        ask();
        fate_cancel(serving);
        EXPECT_NONE(result_of(serving));
        fate_release(serving);
        fate_drop(fate_take(&result));
        EXPECT_EQ(fate_test_done(reactor), 0);
    }
}
