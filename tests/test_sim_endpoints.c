/* Listening and connecting on a test reactor, as a program does it. */
#include <errno.h>
#include <string.h>

#include <fate/fate.h>
#include <fate/resolve.h>
#include <fate/test.h>

#include "test_net_helpers.h"
#include "test_sim_helpers.h"

#define MS FATE_MILLISECOND

static fate_reactor *reactor;

static bool begin(void)
{
    test_trace_clear();
    reactor = fate_test_reactor();
    return reactor != NULL;
}

static void listen_to(const char *endpoint)
{
    fate_deferred *d = fate_listen(reactor, endpoint, &test_closing_side, fate_ptr("s"));
    const fate_value *listener = fate_peek(d);
    EXPECT(listener && !fate_is_failure(listener));
}

/* Held; the reactor's end or the test releases it. */
static fate_deferred *connect_to(const char *endpoint)
{
    return fate_hold(fate_connect(reactor, endpoint, &test_closing_side, fate_ptr("c")));
}

static void end(fate_deferred *d)
{
    if (!test_is_oom() && fate_test_pending(d) == false && fate_is_failure(fate_peek(d)))
        fate_drop(fate_take(fate_test_failure(d)));
    fate_release(d);
    fate_reactor_free(reactor);
}

static const char *message_of(fate_deferred *d)
{
    const fate_value *why = fate_peek(d);
    return why && fate_is_failure(why) ? fate_message(why) : "(it has not failed)";
}

static const fate_class *class_of(fate_deferred *d)
{
    const fate_value *why = fate_peek(d);
    return why && fate_is_failure(why) ? fate_class_of(why) : NULL;
}

TEST(a_program_is_joined_to_itself_by_name)
{
    if (!begin())
        return;
    fate_test_link(reactor, .latency = 5 * MS);
    listen_to("tcp:quotes:17");
    fate_deferred *d = connect_to("tcp:quotes:17");
    fate_play(reactor, 10 * MS);
    EXPECT_STR(test_trace(), "s made; c made; ");
    if (!fate_test_pending(d) && !fate_is_failure(fate_peek(d))) {
        fate_protocol *p = fate_as_protocol(fate_test_success(d));
        fate_write(p->transport, "hello", 5);
        fate_lose_connection(p->transport);
        fate_play(reactor, FATE_SECOND);
        EXPECT_STR(test_trace(), "s made; c made; c lost ConnectionDone; s got hello; s lost "
                                 "ConnectionDone; ");
    }
    end(d);
}

TEST(nobody_listens)
{
    if (!begin())
        return;
    fate_deferred *d = connect_to("tcp:quotes:18");
    fate_play(reactor, FATE_SECOND);
    EXPECT_PTR(class_of(d), &FATE_CONNECTION_REFUSED);
    EXPECT_CONTAINS(message_of(d), "quotes");
    end(d);
}

TEST(connecting_to_a_silent_host_times_out)
{
    if (!begin())
        return;
    listen_to("tcp:quotes:17");
    fate_test_cut(reactor, "quotes", true);
    fate_deferred *d = connect_to("tcp:quotes:17");
    fate_play(reactor, 30 * FATE_SECOND - 1);
    EXPECT(fate_test_pending(d) || test_is_oom());
    fate_play(reactor, 1);
    EXPECT_PTR(class_of(d), &FATE_CONNECT_TIMEOUT);
    end(d);
}

TEST(a_host_that_is_cut_off_is_unreachable)
{
    if (!begin())
        return;
    listen_to("tcp:quotes:17");
    fate_test_cut(reactor, "quotes", false);
    fate_deferred *d = connect_to("tcp:quotes:17");
    fate_play(reactor, FATE_SECOND);
    EXPECT_PTR(class_of(d), &FATE_UNREACHABLE);
    end(d);
}

static fate_value box_of(const char *text)
{
    fate_address address;

    fate_address_parse(text, &address);
    return fate_box_new("fate_address", sizeof address, &address, NULL);
}

static fate_deferred *two_addresses(fate_reactor *r, const char *name, fate_value *arg)
{
    return fate_succeed(r, fate_list_of(box_of("2001:db8::1"), box_of("192.0.2.1")));
}

/* RFC 8305: the second address is tried while the first is still silent. */
TEST(a_dead_ipv6_route_costs_less_than_300_ms)
{
    char text[FATE_ADDRESS_TEXT_BYTES];

    if (!begin())
        return;
    fate_set_resolver(reactor, two_addresses, fate_none());
    fate_test_link(reactor, .latency = 10 * MS);
    listen_to("tcp:17");
    fate_test_cut(reactor, "2001:db8::1", true);
    fate_deferred *d = connect_to("tcp:quotes:17");
    fate_play(reactor, 270 * MS);
    EXPECT(!fate_test_pending(d));
    if (!fate_test_pending(d) && !fate_is_failure(fate_peek(d)))
        EXPECT_STR(fate_address_text(fate_peer(fate_as_protocol(fate_test_success(d))->transport), text),
                   "192.0.2.1:17");
    end(d);
}

TEST(both_addresses_are_in_the_failure)
{
    if (!begin())
        return;
    fate_set_resolver(reactor, two_addresses, fate_none());
    fate_deferred *d = connect_to("tcp:quotes:17");
    fate_play(reactor, FATE_SECOND);
    EXPECT_PTR(class_of(d), &FATE_CONNECTION_REFUSED);
    EXPECT_CONTAINS(message_of(d), "192.0.2.1");
    EXPECT_CONTAINS(message_of(d), "2001:db8::1");
    end(d);
}

TEST(connecting_can_be_cancelled_at_any_time)
{
    for (int i = 0; i < 5; i++) {
        if (!begin())
            return;
        fate_test_link(reactor, .latency = 10 * MS);
        listen_to("tcp:quotes:17");
        fate_deferred *d = connect_to("tcp:quotes:17");
        fate_play(reactor, i * 4 * MS);
        fate_cancel(d);
        EXPECT_PTR(class_of(d), &FATE_CANCELLED);
        fate_play(reactor, FATE_SECOND);
        end(d);
    }
}

TEST(listeners_and_connections_are_left_until_they_are_stopped)
{
    if (test_is_oom() || !begin())
        return;
    fate_deferred *listening =
        fate_hold(fate_listen(reactor, "tcp:quotes:17", &test_closing_side, fate_ptr("s")));
    fate_deferred *d = connect_to("tcp:quotes:17");
    fate_play(reactor, FATE_SECOND);
    fate_deferred *stopped = fate_listener_stop(fate_as_listener(fate_test_success(listening)), FATE_SECOND);
    fate_hold(stopped);
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(test_trace(), "s made; c made; s lost ConnectionAborted; c lost ConnectionReset; ");
    EXPECT(!fate_test_pending(stopped));
    fate_release(stopped);
    fate_release(listening);
    fate_release(d);
    EXPECT_EQ(fate_test_done(reactor), 0);
}

TEST(memory_joins_programs_on_a_real_reactor)
{
    test_trace_clear();
    reactor = test_real_reactor(NULL);
    if (!reactor)
        return;
    listen_to("memory:lane");
    fate_deferred *d = connect_to("memory:lane");
    for (int i = 0; i < 6; i++)
        fate_iterate(reactor, 0);
    EXPECT_STR(test_trace(), "s made; c made; ");
    end(d);
}

/* ---- Who is called ---- */

static struct test_server server;

static void serve(const char *endpoint)
{
    test_serve(&server, reactor, endpoint, &test_side, fate_ptr("s"));
}

static int call_and_hang_up(const char *endpoint)
{
    struct test_client client;

    test_call(&client, reactor, endpoint, &test_side, fate_ptr("c"));
    fate_advance(reactor, 0);
    int error = client.error;
    test_call_done(&client);
    return error;
}

static void end_places(void)
{
    test_serve_done(&server);
    fate_reactor_free(reactor);
}

TEST(an_interface_of_zeros_is_any)
{
    if (!begin())
        return;
    serve("tcp:17:interface=0.0.0.0");
    EXPECT_EQ(call_and_hang_up("tcp:quotes:17"), 0);
    EXPECT_EQ(call_and_hang_up("tcp:127.0.0.1:17"), 0);
    EXPECT_EQ(call_and_hang_up("tcp:[::1]:17"), -ECONNREFUSED);
    test_serve_done(&server);
    serve("tcp:17:interface=[::]");
    EXPECT_EQ(call_and_hang_up("tcp:quotes:17"), 0);
    EXPECT_EQ(call_and_hang_up("tcp:[::1]:17"), 0);
    end_places();
}

TEST(an_interface_that_is_an_address_has_its_family)
{
    struct test_server second = { .is_lazy = false };

    if (!begin())
        return;
    serve("tcp:17:interface=127.0.0.1");
    EXPECT_EQ(call_and_hang_up("tcp:[::1]:17"), -ECONNREFUSED);
    test_serve(&second, reactor, "tcp:17:interface=[::1]", &test_side, fate_ptr("s"));
    EXPECT_EQ(second.error, 0);
    test_serve_done(&second);
    end_places();
}

TEST(names_are_the_same_in_capitals)
{
    if (!begin())
        return;
    serve("tcp:quotes:17");
    EXPECT_EQ(call_and_hang_up("tcp:Quotes.:17"), 0);
    EXPECT_EQ(call_and_hang_up("tcp:quotes2:17"), -ECONNREFUSED);
    test_serve_done(&server);
    serve("tcp:app.localhost:17");
    EXPECT_EQ(call_and_hang_up("tcp:127.0.0.1:17"), 0);
    end_places();
}
