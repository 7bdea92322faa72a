/* Tests of src/net/listen.c, listener.c, listener_tcp.c and listener_accept.c. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fate/fate.h>
#include <fate/resolve.h>

#include <net/listener.h>

#include "test_listen_helpers.h"

/* ---- A protocol that counts ---- */

struct counted {
    fate_protocol base;
};

static int n_made, n_lost;
static fate_protocol *newest;
static fate_listener *to_stop;
static fate_deferred *later; /* of who resolves */

static void made(fate_protocol *p)
{
    newest = p;
    n_made++;
    if (to_stop) {
        fate_listener_stop(to_stop, FATE_NEVER);
        to_stop = NULL;
    }
}

static void got(fate_protocol *p, const void *data, size_t len)
{
    fate_write(p->transport, data, len);
}

static void lost(fate_protocol *p, fate_value *why)
{
    newest = newest == p ? NULL : newest;
    n_lost++;
}

static const fate_protocol_ops counting = { FATE_PROTOCOL(struct counted), .connection_made = made,
                                            .data_received = got, .connection_lost = lost };

static bool begin(void)
{
    n_made = n_lost = 0;
    newest = NULL;
    to_stop = NULL;
    later = NULL;
    if (!net_begin())
        return false;
    net_hold_clocks();
    return true;
}

static fate_listener *listener_of(fate_deferred *d)
{
    fate_value v = net_result_of(d);
    fate_listener *listener = fate_is_failure(&v) ? NULL : fate_as_listener(&v);

    if (!listener)
        EXPECT_DESCRIBED(&v, "a listener");
    fate_drop(v);
    return listener;
}

static fate_listener *listen_on(const char *endpoint)
{
    return listener_of(fate_listen(net_reactor, endpoint, &counting, fate_none()));
}

#define LOOPBACK "tcp:0:interface=127.0.0.1"

/* n raw peers of a listener; what could not connect is -1. */
static void connect_all(const fate_listener *listener, int n, int ret_fds[])
{
    for (int i = 0; i < n; i++) {
        int fd = net_connect(fate_listener_address(listener));
        ret_fds[i] = fd < 0 ? -1 : fd;
        EXPECT(fd >= 0);
    }
}

static void close_all(int n, const int fds[])
{
    for (int i = 0; i < n; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* ---- TCP ---- */

TEST(a_listener_tells_its_port_and_takes_connections)
{
    char text[FATE_ADDRESS_TEXT_BYTES];

    if (!begin())
        return;
    fate_listener *listener = listen_on(LOOPBACK);
    if (!listener)
        return;
    EXPECT_STR(fate_address_host(fate_listener_address(listener), text), "127.0.0.1");
    EXPECT(fate_address_port(fate_listener_address(listener)) > 0);
    int fd;
    connect_all(listener, 1, &fd);
    if (net_run_until_count(&n_made, 1) && newest) {
        EXPECT_EQ(fate_listener_connections(listener), 1);
        EXPECT_STR(fate_address_host(fate_peer(newest->transport), text), "127.0.0.1");
    }
    close_all(1, &fd);
    net_run_until_count(&n_lost, 1);
    EXPECT_EQ(fate_listener_connections(listener), 0);
}

TEST(who_comes_by_ip4_has_an_address_of_ip4)
{
    char text[FATE_ADDRESS_TEXT_BYTES];
    fate_address here = { 0 };

    if (!begin())
        return;
    fate_listener *listener = listen_on("tcp:0");
    if (!listener)
        return;
    EXPECT_EQ(fate_address_parse("127.0.0.1:0", &here), 0);
    here.port = (uint16_t)fate_address_port(fate_listener_address(listener));
    int fd = net_connect(&here);
    if (net_run_until_count(&n_made, 1) && newest) {
        EXPECT_STR(fate_address_host(fate_peer(newest->transport), text), "127.0.0.1");
        EXPECT_STR(fate_address_host(fate_here(newest->transport), text), "127.0.0.1");
    }
    close_all(1, &fd);
    net_run_until_count(&n_lost, 1);
}

TEST(connections_inherit_that_small_writes_do_not_wait)
{
    int on = 0, fd;
    socklen_t len = sizeof on;

    if (!begin())
        return;
    fate_listener *listener = listen_on(LOOPBACK);
    if (!listener)
        return;
    connect_all(listener, 1, &fd);
    if (net_run_until_count(&n_made, 1) && newest) {
        EXPECT_EQ(getsockopt(newest->transport->fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
        EXPECT(on);
    }
    close_all(1, &fd);
}

TEST(tcp_takes_both_families)
{
    if (!begin())
        return;
    fate_listener *listener = listen_on("tcp:0");
    if (!listener)
        return;
    fate_address v4 = { .family = AF_INET, .port = fate_listener_address(listener)->port };
    int fds[2] = { net_connect(&v4), net_connect(fate_listener_address(listener)) };
    EXPECT(fds[0] >= 0);
    EXPECT(fds[1] >= 0);
    EXPECT_EQ(fate_listener_address(listener)->family, net_has_ipv6() ? AF_INET6 : AF_INET);
    net_run_until_count(&n_made, 2);
    close_all(2, fds);
}

static int no_ipv6_socket(int family, int type, int protocol)
{
    if (family != AF_INET6)
        return net_calls_below()->socket(family, type, protocol);
    errno = EAFNOSUPPORT;
    return -1;
}

TEST(tcp_takes_ipv4_alone_where_there_is_no_other)
{
    if (!begin())
        return;
    net_own_calls()->socket = no_ipv6_socket;
    fate_listener *listener = listen_on("tcp:0");
    if (listener)
        EXPECT_EQ(fate_listener_address(listener)->family, AF_INET);
    EXPECT_FAILS(fate_listen(net_reactor, "tcp6:0", &counting, fate_none()), &FATE_LISTEN_ERROR,
                 "this machine has no IPv6");
}

/* Another program may have the port of the other family by chance. */
static fate_deferred *listen_beside(const fate_listener *v6)
{
    char endpoint[32];

    snprintf(endpoint, sizeof endpoint, "tcp4:%u", fate_address_port(fate_listener_address(v6)));
    return fate_listen(net_reactor, endpoint, &counting, fate_none());
}

TEST(tcp4_and_tcp6_may_have_the_same_port)
{
    bool is_in_use = true;

    if (!net_has_ipv6() || !begin())
        return;
    for (int i = 0; i < 8 && is_in_use; i++) {
        const fate_listener *v6 = listen_on("tcp6:0");
        if (!v6)
            return;
        fate_value v = net_result_of(listen_beside(v6));
        is_in_use = fate_is_failure(&v) && fate_is(&v, &FATE_LISTEN_IN_USE);
        if (!fate_is_failure(&v))
            EXPECT_EQ(fate_listener_address(fate_as_listener(&v))->family, AF_INET);
        else if (!is_in_use)
            EXPECT_DESCRIBED(&v, "a listener");
        fate_drop(v);
    }
    EXPECT(!is_in_use || test_is_oom());
}

TEST(a_port_in_use_is_a_failure_that_says_what_to_do)
{
    fate_address address;
    char endpoint[64];
    int fd = net_listen(&address);

    if (begin()) {
        snprintf(endpoint, sizeof endpoint, "tcp:%u:interface=127.0.0.1", fate_address_port(&address));
        fate_value arg = fate_str("an arg that goes");
        fate_value why = net_result_of(fate_listen(net_reactor, endpoint, &counting, arg));
        if (EXPECT_FAILURE(&why, &FATE_LISTEN_IN_USE)) {
            EXPECT_CONTAINS(fate_message(&why), "listen on tcp:");
            EXPECT_CONTAINS(fate_message(&why), "Address already in use (EADDRINUSE)");
            EXPECT_CONTAINS(fate_message(&why), "ss -ltnp");
            EXPECT_INT(fate_payload(&why), EADDRINUSE);
        }
        fate_drop(why);
    }
    close(fd);
}

static int refused_bind(int fd, const struct sockaddr *address, socklen_t len)
{
    errno = EACCES;
    return -1;
}

TEST(a_port_below_1024_without_the_right_to_it_says_what_to_do)
{
    if (!begin())
        return;
    net_own_calls()->bind = refused_bind;
    EXPECT_FAILS(fate_listen(net_reactor, "tcp:80", &counting, fate_none()), &FATE_LISTEN_PERMISSION,
                 "listen on tcp:80: Permission denied (EACCES); ports below 1024 need CAP_NET_BIND_SERVICE");
    EXPECT_FAILS(fate_listen(net_reactor, "tcp:8080", &counting, fate_none()), &FATE_LISTEN_PERMISSION,
                 "listen on tcp:8080: Permission denied (EACCES)");
}

TEST(an_interface_that_is_not_of_this_machine_is_a_failure)
{
    if (!begin())
        return;
    EXPECT_FAILS(fate_listen(net_reactor, "tcp:0:interface=192.0.2.1", &counting, fate_none()),
                 &FATE_LISTEN_ERROR, "interface= must be an address of this machine");
}

TEST(an_endpoint_that_cannot_be_read_is_a_failure)
{
    if (!begin())
        return;
    EXPECT_FAILS(fate_listen(net_reactor, "tpc:80", &counting, fate_str("goes")), &FATE_ENDPOINT_ERROR,
                 "tcp");
    EXPECT_FAILS(fate_listen(net_reactor, "tls:443:cert=a.pem:key=a.key", &counting, fate_none()),
                 &FATE_LISTEN_ERROR, "this build has no TLS");
}

static void listen_without_ops(void *arg)
{
    fate_listen(fate_reactor_new(), "tcp:0", NULL, fate_none());
}

static void listen_nowhere(void *arg)
{
    fate_listen(fate_reactor_new(), NULL, &counting, fate_none());
}

static void listen_with_negative_time(void *arg)
{
    fate_listen_with(fate_reactor_new_simulated(), "tcp:80", &counting, fate_none(), .idle_timeout = -1);
}

static void stop_nothing(void *arg)
{
    fate_listener_stop(NULL, 0);
}

TEST(mistakes_of_the_program_stop_it)
{
    EXPECT_STOP(listen_without_ops, NULL, "fate_listen", "NULL");
    EXPECT_STOP(listen_nowhere, NULL, "fate_listen was given no endpoint");
    EXPECT_STOP(listen_with_negative_time, NULL, "fate_listen was given a negative time", "test_listener.c");
    EXPECT_STOP(stop_nothing, NULL, "fate_listener_stop was given NULL");
}

TEST(a_port_may_be_shared_by_those_who_say_so)
{
    char endpoint[64];

    if (!begin())
        return;
    fate_listener *first =
        listener_of(fate_listen_with(net_reactor, LOOPBACK, &counting, fate_none(), .share_port = true));
    if (!first)
        return;
    unsigned port = fate_address_port(fate_listener_address(first));
    snprintf(endpoint, sizeof endpoint, "tcp:%u:interface=127.0.0.1:reuseport=yes", port);
    EXPECT(listen_on(endpoint) != NULL);
    snprintf(endpoint, sizeof endpoint, "tcp:%u:interface=127.0.0.1", port);
    EXPECT_FAILS(fate_listen(net_reactor, endpoint, &counting, fate_none()), &FATE_LISTEN_IN_USE, "in use");
}

/* ---- Names ---- */

static fate_deferred *resolve_later(fate_reactor *reactor, const char *name, fate_value *arg)
{
    return later = fate_deferred_new(reactor);
}

TEST(an_interface_may_be_a_name)
{
    if (!begin())
        return;
    fate_set_resolver(net_reactor, resolve_later, fate_none());
    fate_deferred *d = fate_hold(fate_listen(net_reactor, "tcp4:0:interface=here", &counting, fate_none()));
    fate_address at[2] = { { .family = AF_INET6 }, { .family = AF_INET, .as.ip = { 127, 0, 0, 1 } } };
    if (later) {
        fate_fire(later, fate_list_of(fate_box_new("fate_address", sizeof at[0], &at[0], NULL),
                                      fate_box_new("fate_address", sizeof at[1], &at[1], NULL)));
        fate_listener *listener = listener_of(d);
        if (listener)
            EXPECT_EQ(fate_listener_address(listener)->family, AF_INET);
    }
    fate_release(d);
}

TEST(of_a_name_the_first_address_that_this_machine_has_is_taken)
{
    fate_address at[2] = { { .family = AF_INET6, .as.ip[15] = 1 },
                           { .family = AF_INET, .as.ip = { 127, 0, 0, 1 } } };

    if (!begin())
        return;
    net_own_calls()->socket = no_ipv6_socket;
    for (size_t n = 1; n <= 2; n++) {
        fate_set_resolver(net_reactor, resolve_later, fate_none());
        later = NULL;
        fate_deferred *d = fate_hold(
            fate_listen(net_reactor, "tcp:0:interface=here", &counting, fate_str("goes with the listener")));
        if (later && n == 1)
            fate_fire(later, fate_list_of(fate_box_new("fate_address", sizeof at[0], &at[0], NULL)));
        else if (later)
            fate_fire(later, fate_list_of(fate_box_new("fate_address", sizeof at[0], &at[0], NULL),
                                          fate_box_new("fate_address", sizeof at[1], &at[1], NULL)));
        if (n == 1)
            EXPECT_FAILS(d, &FATE_LISTEN_ERROR, "this machine has no IPv6");
        const fate_listener *listener = later && n == 2 ? listener_of(d) : NULL;
        if (listener)
            EXPECT_EQ(fate_listener_address(listener)->family, AF_INET);
        fate_release(d);
    }
}

TEST(a_listen_that_waits_for_a_name_can_be_cancelled)
{
    if (!begin())
        return;
    fate_set_resolver(net_reactor, resolve_later, fate_none());
    fate_deferred *d = fate_listen(net_reactor, "tcp:0:interface=here", &counting, fate_str("goes"));
    fate_cancel(d);
    EXPECT_FAILS(d, &FATE_CANCELLED, "");
    /* At the end of the reactor, too. */
    fate_listen(net_reactor, "tcp:0:interface=here", &counting, fate_str("goes"));
}

TEST(a_name_without_an_address_of_the_family_is_a_failure)
{
    const fate_address at = { .family = AF_INET6 };

    if (!begin())
        return;
    fate_set_resolver(net_reactor, resolve_later, fate_none());
    fate_deferred *d = fate_listen(net_reactor, "tcp4:0:interface=here", &counting, fate_none());
    if (later)
        fate_fire(later, fate_list_of(fate_box_new("fate_address", sizeof at, &at, NULL)));
    EXPECT_FAILS(d, &FATE_LISTEN_ERROR, "here has no address of that family");
}

/* ---- Stopping ---- */

static void expect_none(fate_deferred *d)
{
    fate_value result = net_result_of(d);

    EXPECT_NONE(&result);
    fate_drop(result);
}

TEST(a_stop_without_connections_is_done_at_once)
{
    if (!begin())
        return;
    fate_listener *listener = listen_on(LOOPBACK);
    if (!listener)
        return;
    fate_address address = *fate_listener_address(listener);
    expect_none(fate_listener_stop(listener, FATE_NEVER));
    int fd = net_socket(AF_INET);
    int error = 0;
    socklen_t len = sizeof error;
    int why = net_connect_socket(fd, &address);
    if (why == 0) {
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
        why = -error;
    }
    EXPECT_EQ(why, -ECONNREFUSED);
    close(fd);
}

/* A listener with one connection, whose raw end is in ret_fd. */
static fate_listener *listener_with_connection(int *ret_fd)
{
    fate_listener *listener = listen_on(LOOPBACK);

    *ret_fd = -1;
    if (!listener)
        return NULL;
    connect_all(listener, 1, ret_fd);
    return net_run_until_count(&n_made, 1) ? listener : NULL;
}

TEST(a_stop_waits_for_the_connections)
{
    int fd = -1;

    fate_listener *listener = begin() ? listener_with_connection(&fd) : NULL;
    if (listener) {
        fate_deferred *d = fate_hold(fate_listener_stop(listener, FATE_NEVER));
        net_events_in_rounds(3);
        EXPECT(fate_state(d) != FATE_DONE);
        EXPECT_EQ(n_lost, 0);
        close(fd);
        fd = -1;
        expect_none(d);
        EXPECT_EQ(n_lost, 1);
        fate_release(d);
    }
    if (fd >= 0)
        close(fd);
}

TEST(those_who_are_left_when_the_time_is_over_are_aborted)
{
    static const fate_time times[] = { 0, -1, 30 * FATE_SECOND };

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        int fd = -1;
        fate_listener *listener = begin() ? listener_with_connection(&fd) : NULL;
        if (listener) {
            fate_deferred *d = fate_listener_stop(listener, times[i]);
            net_skip_time(times[i]);
            expect_none(d);
            EXPECT_EQ(n_lost, 1);
            EXPECT_EQ(net_end_of(fd), -ECONNRESET);
        }
        if (fd >= 0)
            close(fd);
        if (test_at_end)
            test_at_end();
    }
}

TEST(a_stop_that_is_cancelled_aborts_at_once_and_all_who_wait_are_told)
{
    int fd = -1;

    fate_listener *listener = begin() ? listener_with_connection(&fd) : NULL;
    if (listener) {
        fate_deferred *other = fate_hold(fate_listener_stop(listener, FATE_NEVER));
        fate_deferred *d = fate_hold(fate_listener_stop(listener, 3600 * FATE_SECOND));
        fate_cancel(d);
        expect_none(d);
        expect_none(other);
        EXPECT_EQ(n_lost, 1);
        fate_release(d);
        fate_release(other);
    }
    if (fd >= 0)
        close(fd);
}

TEST(a_listener_may_be_stopped_by_a_connection_that_has_just_come)
{
    int fds[3] = { -1, -1, -1 };

    if (!begin())
        return;
    fate_listener *listener = listen_on(LOOPBACK);
    if (listener) {
        connect_all(listener, 3, fds);
        to_stop = listener;
        net_run_until_count(&n_made, 1);
        net_events_in_rounds(3);
        EXPECT_EQ(n_made, 1);
        EXPECT_EQ(fate_listener_connections(listener), 1);
    }
    close_all(3, fds);
    net_run_until_count(&n_lost, n_made);
}

/* ---- Limits and the end ---- */

TEST(at_most_as_many_connections_as_there_may_be)
{
    int fds[3] = { -1, -1, -1 };

    if (!begin())
        return;
    fate_listener *listener =
        listener_of(fate_listen_with(net_reactor, LOOPBACK, &counting, fate_none(), .connections_max = 2));
    if (listener) {
        connect_all(listener, 3, fds);
        net_run_until_count(&n_made, 2);
        net_events_in_rounds(2);
        EXPECT_EQ(net_events_in_rounds(50), 0);
        EXPECT_EQ(n_made, 2);
        EXPECT_EQ(fate_listener_connections(listener), 2);
        close(fds[0]);
        fds[0] = -1;
        net_run_until_count(&n_made, 3);
        EXPECT_EQ(n_lost, 1);
    }
    close_all(3, fds);
}

TEST(a_reactor_that_goes_takes_its_listeners_and_their_connections_along)
{
    int fd = -1;

    fate_listener *listener = begin() ? listener_with_connection(&fd) : NULL;
    if (listener) {
        EXPECT(listen_on("tcp:0") != NULL);
        fate_listener_stop(listener, FATE_NEVER);
        test_at_end();
        EXPECT_EQ(n_lost, 1);
    }
    if (fd >= 0)
        close(fd);
}

static fate_listener *asked;
static size_t n_left;
static int n_heard;
static fate_queue *queue;

static void ask_listener(fate_protocol *p, fate_value *why)
{
    n_lost++;
    n_left = fate_listener_connections(asked);
    fate_queue_put(queue, fate_none());
    fate_listener_stop(asked, 0);
    fate_log_at(p->reactor, FATE_LOG_INFO, FATE_HERE, "gone");
}

static void note_entry(const fate_log_entry *entry, fate_value *arg)
{
    n_heard += strcmp(entry->text, "gone") == 0;
}

static const fate_protocol_ops asking = { FATE_PROTOCOL(struct counted), .connection_made = made,
                                          .data_received = got, .connection_lost = ask_listener };

TEST(what_the_reactor_has_is_still_there_when_its_end_loses_connections)
{
    int fd = -1;

    if (!begin())
        return;
    n_heard = 0;
    fate_watch watch = fate_log_observe(net_reactor, FATE_LOG_INFO, note_entry, fate_none());
    queue = fate_queue_new(net_reactor, 1, FATE_UNLIMITED);
    asked = listener_of(fate_listen(net_reactor, LOOPBACK, &asking, fate_none()));
    if (asked && fate_listener_address(asked)->port)
        connect_all(asked, 1, &fd);
    if (fd >= 0 && net_run_until_count(&n_made, 1)) {
        test_at_end();
        EXPECT_EQ(n_lost, 1);
        EXPECT_EQ(n_left, 1);
        EXPECT(n_heard == 1 || watch.id < 0 || test_is_oom());
    }
    if (fd >= 0)
        close(fd);
}

static void note_listener(const fate_thing *thing, fate_value *arg)
{
    char *line = fate_as_ptr(arg);

    if (strcmp(thing->kind, "listener") == 0)
        snprintf(line, 256, "%s: %s (%s)", thing->name, thing->state, thing->site);
}

TEST(the_report_has_listeners)
{
    char line[256] = "";
    int fd = -1;

    if (begin() && listener_with_connection(&fd)) {
        fate_reactor_each(net_reactor, note_listener, fate_ptr(line));
        EXPECT_CONTAINS(line, LOOPBACK ": 1 connection (");
        EXPECT_CONTAINS(line, "test_listener.c:");
    }
    if (fd >= 0)
        close(fd);
}
