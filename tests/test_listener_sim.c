/* Tests of listeners in the simulated network, and of memory: on a real reactor. */
#include <stdio.h>
#include <string.h>

#include <fate/endpoint.h>
#include <fate/fate.h>

#include <net/listener.h>

#include "test_listen_helpers.h"

struct counted {
    fate_protocol base;
};

static fate_reactor *reactor;
static int n_made, n_lost;
static fate_protocol *newest;

static void made(fate_protocol *p)
{
    newest = p;
    n_made++;
}

static void ignore(fate_protocol *p, const void *data, size_t len)
{
}

static void lost(fate_protocol *p, fate_value *why)
{
    newest = newest == p ? NULL : newest;
    n_lost++;
}

static const fate_protocol_ops counting = { FATE_PROTOCOL(struct counted), .connection_made = made,
                                            .data_received = ignore, .connection_lost = lost };
static const fate_protocol_ops quiet = { FATE_PROTOCOL(struct counted), .data_received = ignore };

static void begin(void)
{
    n_made = n_lost = 0;
    newest = NULL;
    reactor = test_reactor();
}

static void play(void)
{
    fate_advance(reactor, FATE_SECOND);
}

/* NULL without memory. */
static fate_listener *listen_on(const char *endpoint, size_t connections_max)
{
    fate_deferred *d = fate_hold(fate_listen_with(reactor, endpoint, &counting, fate_str("an arg"),
                                                  .connections_max = connections_max));
    const fate_value *v = fate_state(d) == FATE_DONE ? fate_peek(d) : NULL;
    fate_listener *listener = v && !fate_is_failure(v) ? fate_as_listener(v) : NULL;

    if (!listener && v) {
        EXPECT_DESCRIBED(v, "a listener");
        fate_add_errback(d, fate_log_failure, fate_none());
    }
    fate_release(d);
    return listener;
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static void connect_some(const char *endpoint, int n)
{
    for (int i = 0; i < n; i++)
        fate_add_errback(fate_connect(reactor, endpoint, &quiet, fate_none()), forgive, fate_none());
}

TEST(a_port_of_the_simulated_network_is_listened_on)
{
    char text[FATE_ADDRESS_TEXT_BYTES];

    begin();
    fate_listener *listener = listen_on("tcp:80", 0);
    if (!listener)
        return;
    EXPECT_EQ(fate_address_port(fate_listener_address(listener)), 80);
    connect_some("tcp:quotes:80", 3);
    play();
    EXPECT_EQ(fate_listener_connections(listener), 3);
    if (newest)
        EXPECT(*fate_address_text(fate_peer(newest->transport), text) != '\0');
    fate_deferred *d = fate_listen(reactor, "tcp:80", &counting, fate_none());
    const fate_value *why = fate_state(d) == FATE_DONE ? fate_peek(d) : NULL;
    EXPECT_FAILURE(why, &FATE_LISTEN_IN_USE);
    fate_add_errback(d, forgive, fate_none());
}

TEST(in_the_simulated_network_too_there_are_as_many_connections_as_there_may_be)
{
    begin();
    fate_listener *listener = listen_on("tcp:80", 2);
    if (!listener)
        return;
    connect_some("tcp:quotes:80", 4);
    play();
    EXPECT_EQ(n_made, 2);
    if (newest)
        fate_abort_connection(newest->transport);
    play();
    EXPECT_EQ(n_made, 3);
    EXPECT_EQ(n_lost, 1);
    EXPECT_EQ(fate_listener_connections(listener), 2);
}

TEST(in_the_simulated_network_too_all_who_wait_are_accepted)
{
    begin();
    if (!listen_on("tcp:80", 0))
        return;
    connect_some("tcp:quotes:80", 70);
    play();
    EXPECT_EQ(n_made, 70);
}

TEST(in_the_simulated_network_too_a_stop_drains)
{
    begin();
    fate_listener *listener = listen_on("unix:/run/x", 0);
    if (!listener)
        return;
    connect_some("unix:/run/x", 1);
    play();
    fate_deferred *d = fate_hold(fate_listener_stop(listener, 10 * FATE_SECOND));
    if (fate_state(d) != FATE_DONE)
        EXPECT_STR(fate_listener_address(listener)->as.local.path, "/run/x");
    fate_advance(reactor, 9 * FATE_SECOND);
    EXPECT(fate_state(d) != FATE_DONE);
    EXPECT_EQ(n_lost, 0);
    fate_advance(reactor, FATE_SECOND);
    play();
    EXPECT_EQ(fate_state(d), FATE_DONE);
    EXPECT_EQ(n_lost, n_made);
    fate_add_errback(d, forgive, fate_none());
    fate_release(d);
}

TEST(sockets_that_are_passed_on_are_not_of_the_simulated_network)
{
    begin();
    fate_deferred *d = fate_listen(reactor, "fd:3", &counting, fate_str("an arg"));
    const fate_value *why = fate_state(d) == FATE_DONE ? fate_peek(d) : NULL;
    EXPECT_FAILURE(why, &FATE_LISTEN_ERROR);
    fate_add_errback(d, forgive, fate_none());
}

TEST(a_name_in_memory_is_listened_on_in_real_time)
{
    n_made = n_lost = 0;
    if (!net_begin())
        return;
    reactor = net_reactor;
    fate_listener *listener = listen_on("memory:here", 0);
    if (!listener)
        return;
    connect_some("memory:here", 2);
    net_run_until_count(&n_made, 2);
    EXPECT_EQ(fate_listener_connections(listener), 2);
}
