/* Tests of fate_udp_open in the simulated network. */
#include <errno.h>
#include <sys/socket.h>

#include <fate/fate.h>
#include <fate/test.h>

#include "test_udp_helpers.h"

static fate_reactor *reactor;

static void begin(void)
{
    test_trace_clear();
    reactor = test_reactor();
}

TEST(datagrams_are_joined_in_memory)
{
    struct test_udp a, b;

    begin();
    if (!test_udp_open(&a, reactor, "a", "udp:9999", NULL) ||
        !test_udp_open(&b, reactor, "b", "udp:127.0.0.1:9999", NULL))
        return;
    a.echoes = true;
    EXPECT_EQ(fate_address_port(fate_udp_here(a.udp)), 9999);
    EXPECT_EQ(test_udp_send(&b, NULL, "hello"), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "a got hello; b got hello; ");
    EXPECT_EQ(test_udp_send(&a, NULL, "x"), -EDESTADDRREQ);
}

static void note_opened(fate_udp *udp, const fate_datagram *datagram, fate_value *arg)
{
    test_trace_add("%s; ", datagram->error ? fate_errno_name(datagram->error) : datagram->data);
}

TEST(a_name_is_a_host_of_the_network)
{
    struct test_udp a;

    begin();
    if (!test_udp_open(&a, reactor, "a", "udp:53", NULL))
        return;
    fate_deferred *d = fate_udp_open(reactor, "udp:names:53", note_opened, fate_none());
    fate_hold(d);
    fate_advance(reactor, 0);
    if (EXPECT(fate_peek(d) && !fate_is_failure(fate_peek(d)))) {
        EXPECT_EQ(fate_udp_send(fate_as_udp(fate_peek(d)), NULL, "ask", 3), 0);
        fate_advance(reactor, 0);
        EXPECT_STR(test_trace(), "a got ask; ");
        fate_udp_close(a.udp);
        EXPECT_EQ(fate_udp_send(fate_as_udp(fate_peek(d)), NULL, "ask", 3), 0);
        fate_advance(reactor, 0);
        EXPECT_STR(test_trace(), "a got ask; ECONNREFUSED; ");
    }
    fate_release(d);
}

TEST(it_is_closed_in_its_own_callback)
{
    struct test_udp a, b;

    begin();
    if (!test_udp_open(&a, reactor, "a", "udp:9999", NULL) ||
        !test_udp_open(&b, reactor, "b", "udp:127.0.0.1:9999", NULL))
        return;
    a.closes = true;
    EXPECT_EQ(test_udp_send(&b, NULL, "one"), 0);
    EXPECT_EQ(test_udp_send(&b, NULL, "two"), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "a got one; b error ECONNREFUSED; ");
}

TEST(groups_are_joined)
{
    struct test_udp a, b;
    const fate_udp_options shared = { sizeof shared, .share_port = true };
    fate_address to;

    begin();
    fate_address_parse("224.0.0.251:5353", &to);
    if (!test_udp_open(&a, reactor, "a", "udp:5353", &shared) ||
        !test_udp_open(&b, reactor, "b", "udp:0", NULL))
        return;
    EXPECT_EQ(fate_udp_join(a.udp, "10.0.0.1"), -EINVAL);
    EXPECT_EQ(fate_udp_join(a.udp, "224.0.0.251%nosuch0"), 0);
    EXPECT_EQ(fate_udp_join(a.udp, "224.0.0.251"), -EADDRINUSE);
    EXPECT_EQ(test_udp_send(&b, &to, "all"), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "a got all; ");
    EXPECT_EQ(fate_udp_leave(a.udp, "224.0.0.251"), 0);
    EXPECT_EQ(fate_udp_leave(a.udp, "224.0.0.251"), -EADDRNOTAVAIL);
}

TEST(paths_are_joined_without_files)
{
    struct test_udp a, b;

    begin();
    if (!test_udp_open(&a, reactor, "a", "unixgram:/run/nowhere/x", NULL) ||
        !test_udp_open(&b, reactor, "b", "unixgram-to:/run/nowhere/x", NULL))
        return;
    EXPECT_EQ(test_udp_send(&b, NULL, "hello"), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "a got hello; ");
}

static fate_value expect_refused(fate_value *why, fate_value *arg)
{
    EXPECT_CONTAINS(fate_message(why), fate_as_str(arg));
    return fate_none();
}

TEST(what_cannot_be_opened_says_why)
{
    struct test_udp a;

    begin();
    if (!test_udp_open(&a, reactor, "a", "udp:9999", NULL))
        return;
    fate_add_errback(fate_udp_open(reactor, "udp:9999", note_opened, fate_none()), expect_refused,
                     fate_str("open udp:9999: "));
    fate_add_errback(fate_udp_open(reactor, "unixgram-to:/x", note_opened, fate_none()), expect_refused,
                     fate_str("there is no such socket"));
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(one_that_is_left_is_found)
{
    fate_reactor *tested = fate_test_reactor();

    if (!tested)
        return;
    fate_deferred *d = fate_udp_open(tested, "udp:9999", note_opened, fate_none());
    bool is_open = !fate_is_failure(fate_peek(d));
    if (!is_open)
        fate_add_errback(d, expect_refused, fate_str(""));
    int n = fate_test_done(tested);
    if (is_open)
        EXPECT_EQ(n, 1);
}

TEST(it_goes_with_its_reactor)
{
    struct test_udp a, b;

    begin();
    if (test_udp_open(&a, reactor, "a", "udp:9999", NULL) &&
        test_udp_open(&b, reactor, "b", "udp:127.0.0.1:9999", NULL))
        EXPECT_EQ(test_udp_send(&b, NULL, "under way"), 0);
    fate_reactor_free(reactor);
}
