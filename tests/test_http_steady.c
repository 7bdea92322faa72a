/* A server that has been used takes no memory for the next requests. */
#include <stdio.h>
#include <string.h>

#include <http/server.h>

#include "test.h"
#include "test_net_helpers.h"

#define HELLO "Hello, World!"

static fate_value text;

static fate_value hello(fate_request *request, fate_value *arg)
{
    return fate_copy(&text);
}

/* Looks at what came, and sets what leaves. */
static fate_value curious(fate_request *request, fate_value *arg)
{
    const char *name = fate_request_param(request, "name"), *accept = fate_request_header(request, "accept");

    EXPECT_STR(name, "a b");
    EXPECT_STR(accept, "text/*, */*");
    EXPECT_EQ(fate_set_header(request, "X-Name", name), 0);
    return fate_copy(&text);
}

static const fate_route routes[] = { { "GET /", hello }, { "GET /for/{name}", curious }, { 0 } };

#define GET     "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define CURIOUS "GET /for/a%20b?x=1 HTTP/1.1\r\nHost: a\r\nAccept: text/*\r\nAccept: */*\r\n\r\n"

/* What is sent at once, and how many answers that is worth. */
static const struct {
    const char *bytes;
    int n_answers;
} said[] = {
    { GET, 1 },     { GET GET GET GET, 4 }, { "GET / HTTP", 0 }, { "/1.1\r\nHost: a\r\n\r\n" GET, 2 },
    { CURIOUS, 1 },
};

struct hearing {
    const struct test_pair *pair;
    int n, n_wanted;
};

static bool has_heard(void *arg)
{
    struct hearing *hearing = arg;
    char heard[8192];

    if (test_peer_hears(hearing->pair, heard, sizeof heard) > 0)
        for (const char *s = heard; (s = strstr(s, "\r\n\r\n" HELLO)); s++)
            hearing->n++;
    return hearing->n >= hearing->n_wanted;
}

/* False: no answer came. */
static bool say_all(fate_reactor *reactor, const struct test_pair *pair)
{
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        struct hearing hearing = { pair, 0, said[i].n_answers };
        test_peer_says(pair, said[i].bytes);
        if (!test_until(reactor, has_heard, &hearing))
            return false;
        test_rounds(reactor, 2);
    }
    return true;
}

static void converse(fate_reactor *reactor, fate_website *site)
{
    struct test_pair pair = test_pair(reactor, TEST_TCP, &fate__http_server_ops, fate_copy(&site->self));

    for (int i = 0; pair.p && i < 3; i++)
        if (!say_all(reactor, &pair))
            EXPECT(test_is_oom());
    if (pair.p && !test_is_oom()) {
        test_fail_allocation(1, true);
        EXPECT(say_all(reactor, &pair));
        EXPECT(!test_fail_allocation(0, false));
    }
    test_pair_done(&pair);
}

TEST(in_the_long_run_a_server_allocates_nothing)
{
    fate_reactor *reactor = test_real_reactor(NULL);

    if (!reactor)
        return;
    text = fate_str(HELLO);
    fate_website *site = fate_site_new(reactor);
    fate_site_routes(site, routes, fate_none());
    if (!fate__http_is_nothing(site) && fate_is_none(&site->trouble) && !fate_is_failure(&text))
        converse(reactor, site);
    fate_reactor_free(reactor);
    fate_drop(fate_take(&text));
}
