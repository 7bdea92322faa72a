/* Tests of src/net/serve.c. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fate/fate.h>
#include <fate/resolve.h>

#include <net/listener.h>

#include "test_listen_helpers.h"

struct counted {
    fate_protocol base;
};

static int n_made, n_lost;
static fate_address served; /* where the newest connection came to */

static void made(fate_protocol *p)
{
    n_made++;
}

static void ignore(fate_protocol *p, const void *data, size_t len)
{
}

static void lost(fate_protocol *p, fate_value *why)
{
    n_lost++;
}

static const fate_protocol_ops counting = { FATE_PROTOCOL(struct counted), .connection_made = made,
                                            .data_received = ignore, .connection_lost = lost };

/* The listener of fate_serve is found by what the report says. */
static void note_address(const fate_thing *thing, fate_value *arg)
{
    if (strcmp(thing->kind, "listener") == 0)
        served = *fate_listener_address(thing->id);
}

static fate_deferred *serve(fate_time drain_max)
{
    n_made = n_lost = 0;
    served = (fate_address){ 0 };
    net_hold_clocks();
    fate_deferred *d = fate_hold(fate_serve_with(net_reactor, "tcp:0:interface=127.0.0.1", &counting,
                                                 fate_str("an arg"), .drain_max = drain_max));
    fate_reactor_each(net_reactor, note_address, fate_none());
    return d;
}

static void expect_none(fate_deferred *d)
{
    fate_value result = net_result_of(d);

    EXPECT_NONE(&result);
    fate_drop(result);
    fate_release(d);
}

static bool is_done(const fate_deferred *d)
{
    return fate_state(d) == FATE_DONE;
}

static int connect_to_served(void)
{
    int fd = served.family ? net_connect(&served) : -1;

    if (EXPECT(fd >= 0))
        net_run_until_count(&n_made, 1);
    return fd;
}

TEST(it_serves_until_it_is_cancelled)
{
    if (!net_begin())
        return;
    fate_deferred *d = serve(0);
    int fd = connect_to_served();
    EXPECT(!is_done(d));
    if (fd >= 0)
        close(fd);
    net_run_until_count(&n_lost, 1);
    EXPECT(!is_done(d));
    fate_cancel(d);
    expect_none(d);
}

TEST(cancelled_it_drains)
{
    if (!net_begin())
        return;
    fate_deferred *d = serve(FATE_NEVER);
    int fd = connect_to_served();
    fate_cancel(d);
    net_skip_time(1000 * FATE_SECOND);
    net_events_in_rounds(3);
    EXPECT(!is_done(d));
    EXPECT_EQ(n_lost, 0);
    if (fd >= 0)
        close(fd);
    expect_none(d);
}

TEST(it_drains_for_so_long_and_no_longer)
{
    if (!net_begin())
        return;
    fate_deferred *d = serve(0);
    int fd = connect_to_served();
    fate_cancel(d);
    net_skip_time(29 * FATE_SECOND);
    net_events_in_rounds(3);
    EXPECT(!is_done(d));
    net_skip_time(FATE_SECOND);
    expect_none(d);
    EXPECT_EQ(n_lost, n_made);
    if (fd >= 0)
        close(fd);
}

TEST(cancelled_twice_it_cuts)
{
    if (!net_begin())
        return;
    fate_deferred *d = serve(FATE_NEVER);
    int fd = connect_to_served();
    fate_cancel(d);
    fate_cancel(d);
    expect_none(d);
    EXPECT_EQ(n_lost, n_made);
    if (fd >= 0) {
        EXPECT_EQ(net_end_of(fd), -ECONNRESET);
        close(fd);
    }
}

TEST(it_fails_when_it_cannot_listen)
{
    if (!net_begin())
        return;
    EXPECT_FAILS(fate_serve(net_reactor, "fd:999", &counting, fate_str("goes")), &FATE_LISTEN_ERROR,
                 "fd:999");
    EXPECT_FAILS(fate_serve(net_reactor, "tpc:80", &counting, fate_str("goes")), &FATE_ENDPOINT_ERROR, "tcp");
}

static fate_deferred *never_resolve(fate_reactor *reactor, const char *name, fate_value *arg)
{
    return fate_deferred_new(reactor);
}

TEST(cancelled_before_it_listens_it_is_over)
{
    if (!net_begin())
        return;
    fate_set_resolver(net_reactor, never_resolve, fate_none());
    fate_deferred *d =
        fate_hold(fate_serve(net_reactor, "tcp:0:interface=here", &counting, fate_str("an arg")));
    EXPECT(!is_done(d));
    fate_cancel(d);
    expect_none(d);
}

TEST(a_reactor_that_goes_ends_it)
{
    if (!net_begin())
        return;
    fate_deferred *d = serve(FATE_NEVER);
    int fd = connect_to_served();
    fate_release(d);
    if (fd >= 0)
        close(fd);
}

TEST(a_reactor_that_goes_while_it_drains_ends_it)
{
    if (!net_begin())
        return;
    fate_deferred *d = serve(FATE_NEVER);
    int fd = connect_to_served();
    fate_cancel(d);
    fate_release(d);
    test_at_end();
    EXPECT_EQ(n_lost, n_made);
    if (fd >= 0)
        close(fd);
}

/* ---- A whole program ---- */

static void terminate(fate_value *arg)
{
    kill(getpid(), SIGTERM);
}

static fate_deferred *serve_and_end(fate_reactor *reactor, int argc, char **argv)
{
    fate_call_later(reactor, 0, terminate, fate_none());
    return fate_serve(reactor, "tcp:0:interface=127.0.0.1", &counting, fate_none());
}

TEST(a_program_that_returns_it_is_a_daemon_that_ends_well)
{
    int status = -1;

    if (test_is_oom())
        return;
    pid_t child = fork();
    if (child == 0)
        _exit(fate_main(serve_and_end, 0, NULL));
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}
