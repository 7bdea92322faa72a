/* Tests of src/net/connect.c on the simulated network, where the clock tells what an attempt costs. */
#include <stdio.h>
#include <string.h>

#include <fate/endpoint.h>
#include <fate/reactor.h>
#include <fate/resolve.h>
#include <fate/test.h>

#include "test_connect_helpers.h"

static fate_reactor *reactor;
static fate_deferred *listened;

/* A simulated reactor whose hosts are that far from one another, and one that listens. */
static bool begin(fate_time latency)
{
    test_trace_clear();
    reactor = test_reactor();
    fate_test_link(reactor, .latency = latency);
    listened = fate_listen(reactor, "tcp:80", &test_closing_recorder, fate_none());
    fate_hold(listened);
    fate_advance(reactor, 0);
    return EXPECT(fate_state(listened) == FATE_DONE && !fate_is_failure(fate_peek(listened)));
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static void end(void)
{
    fate_add_errback(listened, forgive, fate_none());
    fate_release(listened);
    fate_reactor_free(reactor);
}

static fate_deferred *connect_to(const char *endpoint)
{
    return fate_hold(fate_connect(reactor, endpoint, &test_closing_recorder, fate_none()));
}

/* Connected after that time, and not before; done with. */
static void expect_connected_after(fate_deferred *d, fate_time time)
{
    fate_play(reactor, time - 1);
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_play(reactor, 1);
    const fate_value *self = fate_peek(d);
    if (EXPECT(self && !fate_is_failure(self)))
        fate_lose_connection(fate_as_protocol(self)->transport);
    fate_add_errback(d, forgive, fate_none());
    fate_release(d);
}

static void expect_failed(fate_deferred *d, const fate_class *c, const char *part)
{
    const fate_value *why = fate_peek(d);

    if (EXPECT_FAILURE(why, c))
        EXPECT_CONTAINS(fate_message(why), part);
    fate_add_errback(d, forgive, fate_none());
    fate_release(d);
}

TEST(a_simulated_host_is_connected_to_after_a_round_trip)
{
    if (begin(10 * FATE_MILLISECOND))
        expect_connected_after(connect_to("tcp:quotes:80"), 20 * FATE_MILLISECOND);
    end();
}

TEST(a_simulated_port_on_which_nobody_listens_refuses)
{
    if (begin(10 * FATE_MILLISECOND)) {
        fate_deferred *d = connect_to("tcp:quotes:81");
        fate_play(reactor, FATE_SECOND);
        expect_failed(d, &FATE_CONNECTION_REFUSED, "connect to tcp:quotes:81: 10.0.0.");
    }
    end();
}

/* RFC 8305 at work: the address that does not answer costs the attempt delay, and not a timeout. */
TEST(a_dead_ipv6_route_costs_less_than_300_ms_of_simulated_time)
{
    if (begin(10 * FATE_MILLISECOND)) {
        test_name(reactor, "2001:db8::1 10.1.0.1");
        fate_test_cut(reactor, "2001:db8::1", true);
        expect_connected_after(connect_to("tcp:example.org:80"), 270 * FATE_MILLISECOND);
    }
    end();
}

TEST(an_address_that_is_slow_but_first_still_wins)
{
    if (begin(200 * FATE_MILLISECOND)) {
        test_name(reactor, "2001:db8::1 10.1.0.1");
        fate_test_cut(reactor, "10.1.0.1", true);
        expect_connected_after(connect_to("tcp:example.org:80"), 400 * FATE_MILLISECOND);
    }
    end();
}

TEST(families_alternate_whatever_the_resolver_says)
{
    if (begin(10 * FATE_MILLISECOND)) {
        test_name(reactor, "2001:db8::1 2001:db8::2 10.1.0.1");
        fate_test_cut(reactor, "2001:db8::1", true);
        fate_test_cut(reactor, "2001:db8::2", true);
        expect_connected_after(connect_to("tcp:example.org:80"), 270 * FATE_MILLISECOND);
    }
    end();
}

TEST(two_dead_addresses_cost_two_delays)
{
    if (begin(10 * FATE_MILLISECOND)) {
        test_name(reactor, "10.1.0.1 10.1.0.2 10.1.0.3");
        fate_test_cut(reactor, "10.1.0.1", true);
        fate_test_cut(reactor, "10.1.0.2", true);
        expect_connected_after(connect_to("tcp:example.org:80"), 520 * FATE_MILLISECOND);
    }
    end();
}

TEST(after_30_s_it_says_whom_it_waited_for)
{
    if (begin(10 * FATE_MILLISECOND)) {
        test_name(reactor, "10.1.0.1 10.1.0.2");
        fate_test_cut(reactor, "10.1.0.1", true);
        fate_test_cut(reactor, "10.1.0.2", true);
        fate_deferred *d = connect_to("tcp:example.org:80");
        fate_play(reactor, 30 * FATE_SECOND - 1);
        EXPECT_EQ(fate_state(d), FATE_UNFIRED);
        fate_play(reactor, 1);
        expect_failed(d, &FATE_CONNECT_TIMEOUT,
                      "no connection within 30.0 s: 10.1.0.1:80 and 10.1.0.2:80 did not answer");
    }
    end();
}

TEST(a_host_that_is_kept_connected_is_connected_again_when_it_has_healed)
{
    if (begin(10 * FATE_MILLISECOND)) {
        fate_deferred *d =
            fate_hold(fate_keep_connected(reactor, "tcp:quotes:80", &test_closing_recorder, fate_none()));
        fate_play(reactor, FATE_SECOND);
        fate_test_cut(reactor, "quotes", false);
        fate_play(reactor, 10 * FATE_SECOND);
        test_trace_clear();
        fate_test_heal(reactor, "quotes");
        fate_play(reactor, 10 * FATE_SECOND);
        EXPECT_STR(test_trace(), "made; made; ");
        fate_cancel(d);
        fate_play(reactor, FATE_SECOND);
        EXPECT_NONE(fate_peek(d));
        EXPECT_STR(test_trace(), "made; made; lost ConnectionDone; lost ConnectionDone; ");
        fate_release(d);
    }
    end();
}

TEST(what_is_not_there_on_the_simulated_network_says_so)
{
    if (begin(10 * FATE_MILLISECOND)) {
        fate_deferred *d = connect_to("fd:0"), *e = connect_to("unix:/run/x");
        fate_play(reactor, FATE_SECOND);
        expect_failed(d, &FATE_CONNECT_ERROR, "connect to fd:0: the simulated network has no descriptors");
        expect_failed(e, &FATE_CONNECT_ERROR, "connect to unix:/run/x: there is no such socket");
    }
    end();
}

TEST(a_cancel_leaves_nothing_on_the_network)
{
    test_trace_clear();
    reactor = fate_test_reactor();
    if (!reactor)
        return;
    fate_test_cut(reactor, "quotes", true);
    fate_deferred *d = connect_to("tcp:quotes:80");
    fate_play(reactor, FATE_SECOND);
    fate_cancel(d);
    expect_failed(d, &FATE_CANCELLED, "");
    fate_play(reactor, 60 * FATE_SECOND);
    EXPECT_EQ(fate_test_done(reactor), 0);
}

/* ---- memory:NAME, on a real reactor too ---- */

static void expect_joined(void)
{
    test_trace_clear();
    fate_deferred *d = fate_hold(fate_listen(reactor, "memory:here", &test_closing_recorder, fate_none()));
    fate_value self = test_result_of(reactor, connect_to("memory:here"));
    if (EXPECT(!fate_is_failure(&self))) {
        EXPECT_STR(test_trace(), "made; made; ");
        fate_write(fate_as_protocol(&self)->transport, "hello", 5);
        test_until_trace(reactor, "got hello; ");
        fate_lose_connection(fate_as_protocol(&self)->transport);
    }
    fate_drop(self);
    fate_add_errback(d, forgive, fate_none());
    fate_release(d);
}

TEST(memory_joins_two_protocols_of_one_reactor)
{
    reactor = test_real_reactor(NULL);
    if (!reactor)
        return;
    test_expect_fails_with(reactor, fate_connect(reactor, "memory:here", &test_recorder, fate_none()),
                           &FATE_CONNECTION_REFUSED,
                           "connect to memory:here: refused: nobody on this reactor listens there");
    expect_joined();
    fate_reactor_free(reactor);
}
