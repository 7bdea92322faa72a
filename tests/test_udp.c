/* Tests of src/net/udp.c, udp_open.c, udp_socket.c and udp_receive.c: over IP. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fate/fate.h>

#include <net/udp.h>
#include <reactor/reactor.h>

#include "test_udp_helpers.h"

static bool begin(void)
{
    test_trace_clear();
    return net_begin();
}

static unsigned port_of(const struct test_udp *side)
{
    return side->udp ? fate_address_port(fate_udp_here(side->udp)) : 1;
}

/* "udp:127.0.0.1:4711", until the next call. */
static const char *to_port(const char *before, unsigned port)
{
    static char text[80];

    snprintf(text, sizeof text, "%s%u", before, port);
    return text;
}

static void got_nothing(fate_udp *udp, const fate_datagram *datagram, fate_value *arg)
{
}

static fate_deferred *try_to_open(const char *endpoint)
{
    return fate_udp_open(net_reactor, endpoint, got_nothing, fate_none());
}

/* ---- There and back ---- */

TEST(a_datagram_comes_and_is_answered)
{
    struct test_udp a;
    fate_address raw = { 0 };
    unsigned port;
    char from[FATE_ADDRESS_TEXT_BYTES];

    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp:0:interface=127.0.0.1", NULL))
        return;
    a.echoes = true;
    int fd = test_raw(AF_INET, &raw);
    test_raw_send(fd, AF_INET, port_of(&a), "hello");
    test_udp_until(&a, 1);
    EXPECT_STR(test_trace(), "a got hello; ");
    EXPECT_STR(a.from_text, fate_address_text(&raw, from));
    EXPECT_STR(test_raw_got(fd, &port), "hello");
    EXPECT_EQ(port, port_of(&a));
    EXPECT_EQ(test_udp_send(&a, NULL, "x"), -EDESTADDRREQ);
    close(fd);
}

TEST(one_socket_takes_both_families_and_says_which_it_was)
{
    struct test_udp a;
    fate_address raw = { 0 }, raw6 = { 0 };
    char from[FATE_ADDRESS_TEXT_BYTES];

    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp:0", NULL))
        return;
    a.echoes = true;
    int fd = test_raw(AF_INET, &raw);
    test_raw_send(fd, AF_INET, port_of(&a), "four");
    test_udp_until(&a, 1);
    EXPECT_STR(a.from_text, fate_address_text(&raw, from));
    EXPECT_STR(test_raw_got(fd, NULL), "four");
    close(fd);
    if (!net_has_ipv6())
        return;
    fd = test_raw(AF_INET6, &raw6);
    test_raw_send(fd, AF_INET6, port_of(&a), "six");
    test_udp_until(&a, 2);
    EXPECT_STR(a.from_text, fate_address_text(&raw6, from));
    EXPECT_STR(test_raw_got(fd, NULL), "six");
    close(fd);
}

TEST(a_socket_of_one_family_refuses_addresses_of_the_other)
{
    struct test_udp a, b;
    fate_address v4 = test_loopback(AF_INET, 9), v6 = test_loopback(AF_INET6, 9), none = { 0 };

    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp4:0", NULL))
        return;
    EXPECT_EQ(test_udp_send(&a, &v6, "x"), -EAFNOSUPPORT);
    EXPECT_EQ(test_udp_send(&a, &none, "x"), -EDESTADDRREQ);
    EXPECT_EQ(fate_udp_join(a.udp, "ff02::fb"), -EAFNOSUPPORT);
    if (!net_has_ipv6() || !test_udp_open(&b, net_reactor, "b", "udp6:0", NULL))
        return;
    EXPECT_EQ(test_udp_send(&b, &v4, "x"), -EAFNOSUPPORT);
    EXPECT_EQ(fate_udp_join(b.udp, "224.0.0.251"), -EAFNOSUPPORT);
}

TEST(nothing_and_the_most_travel_whole)
{
    struct test_udp a, b;
    char *most = calloc(1, 65508);

    memset(most, 'm', 65507);
    if (begin() && test_udp_open(&a, net_reactor, "a", "udp:0:interface=127.0.0.1", NULL) &&
        test_udp_open(&b, net_reactor, "b", to_port("udp:127.0.0.1:", port_of(&a)), NULL)) {
        EXPECT_EQ(fate_udp_send(b.udp, NULL, NULL, 0), 0);
        test_udp_until(&a, 1);
        EXPECT_EQ(a.len, 0);
        EXPECT_STR(test_trace(), "a got ; ");
        EXPECT_EQ(fate_udp_send(b.udp, NULL, most, 65507), 0);
        test_udp_until(&a, 2);
        EXPECT_EQ(a.len, 65507);
        EXPECT(!a.is_truncated);
        EXPECT_EQ(fate_udp_send(b.udp, NULL, most, 65508), -EMSGSIZE);
        EXPECT_EQ(test_udp_send(&b, NULL, "still"), 0);
        test_udp_until(&a, 3);
        EXPECT_EQ(a.len, 5);
        EXPECT_EQ(b.n, 0);
    }
    free(most);
}

/* Each is an event, so that what it fires is done before the next. */
TEST(a_round_takes_32_and_each_is_an_event)
{
    struct test_udp a;
    fate_address raw = { 0 };

    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp:0:interface=127.0.0.1", NULL))
        return;
    int fd = test_raw(AF_INET, &raw);
    for (int i = 0; i < 40; i++)
        test_raw_send(fd, AF_INET, port_of(&a), "x");
    uint64_t events = net_events_in_rounds(1);
    EXPECT_EQ(a.n, 32);
    EXPECT_EQ(events, 32);
    events = net_events_in_rounds(1);
    EXPECT_EQ(a.n, 40);
    EXPECT_EQ(events, 8);
    EXPECT_EQ(net_events_in_rounds(20), 0);
    close(fd);
}

/* ---- Connected ---- */

TEST(a_connected_one_hears_its_peer_alone)
{
    struct test_udp c;
    fate_address raw = { 0 }, other = { 0 };
    unsigned port;

    if (!begin())
        return;
    int fd = test_raw(AF_INET, &raw), stranger = test_raw(AF_INET, &other);
    if (test_udp_open(&c, net_reactor, "c", to_port("udp:127.0.0.1:", raw.port), NULL)) {
        EXPECT_EQ(test_udp_send(&c, NULL, "ask"), 0);
        EXPECT_STR(test_raw_got(fd, &port), "ask");
        EXPECT_EQ(port, port_of(&c));
        test_raw_send(stranger, AF_INET, port, "forged");
        test_raw_send(fd, AF_INET, port, "answer");
        test_udp_until(&c, 1);
        EXPECT_STR(test_trace(), "c got answer; ");
    }
    close(fd);
    close(stranger);
}

TEST(a_connected_one_hears_that_nobody_is_there_and_lives_on)
{
    struct test_udp c;
    fate_address raw = { 0 };

    if (!begin())
        return;
    close(test_raw(AF_INET, &raw));
    if (!test_udp_open(&c, net_reactor, "c", to_port("udp:127.0.0.1:", raw.port), NULL))
        return;
    EXPECT_EQ(test_udp_send(&c, NULL, "ask"), 0);
    test_udp_until(&c, 1);
    EXPECT_STR(test_trace(), "c error ECONNREFUSED; ");
    EXPECT_EQ(c.from.port, raw.port);
    EXPECT_EQ(net_events_in_rounds(20), 0);
    int fd = test_raw(AF_INET, &raw);
    EXPECT_EQ(test_udp_send(&c, NULL, "again"), 0);
    EXPECT_STR(test_raw_got(fd, NULL), "again");
    test_raw_send(fd, AF_INET, port_of(&c), "answer");
    test_udp_until(&c, 2);
    EXPECT_STR(test_trace(), "c error ECONNREFUSED; c got answer; ");
    close(fd);
}

TEST(sending_says_that_an_earlier_one_was_refused)
{
    struct test_udp c;
    fate_address raw = { 0 };

    if (!begin())
        return;
    close(test_raw(AF_INET, &raw));
    if (!test_udp_open(&c, net_reactor, "c", to_port("udp:127.0.0.1:", raw.port), NULL))
        return;
    EXPECT_EQ(test_udp_send(&c, NULL, "first"), 0);
    EXPECT_EQ(test_udp_send(&c, NULL, "second"), -ECONNREFUSED);
    test_udp_until(&c, 1);
    EXPECT_STR(test_trace(), "c error ECONNREFUSED; ");
    EXPECT_EQ(net_events_in_rounds(20), 0);
}

/* What one peer has done is no reason not to send to another. */
static void expect_refusal(const char *endpoint, int family)
{
    struct test_udp a;
    fate_address nobody = { 0 }, raw = { 0 };
    char text[FATE_ADDRESS_TEXT_BYTES];

    if (!begin() || !test_udp_open(&a, net_reactor, "a", endpoint, NULL))
        return;
    close(test_raw(family, &nobody));
    int fd = test_raw(family, &raw);
    EXPECT_EQ(test_udp_send(&a, &nobody, "lost"), 0);
    EXPECT_EQ(test_udp_send(&a, &raw, "found"), 0);
    EXPECT_STR(test_raw_got(fd, NULL), "found");
    test_udp_until(&a, 1);
    EXPECT_STR(test_trace(), "a error ECONNREFUSED; ");
    EXPECT_STR(a.from_text, fate_address_text(&nobody, text));
    EXPECT_EQ(net_events_in_rounds(20), 0);
    close(fd);
}

TEST(who_is_not_connected_hears_which_peer_is_not_there)
{
    expect_refusal("udp4:0", AF_INET);
}

TEST(the_same_of_ipv4_over_a_socket_of_both)
{
    expect_refusal("udp:0", AF_INET);
}

TEST(the_same_of_ipv6)
{
    if (net_has_ipv6())
        expect_refusal("udp:0", AF_INET6);
}

TEST(what_comes_together_with_an_error_is_not_lost)
{
    struct test_udp a;
    fate_address nobody = { 0 }, raw = { 0 };

    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp:0:interface=127.0.0.1", NULL))
        return;
    close(test_raw(AF_INET, &nobody));
    int fd = test_raw(AF_INET, &raw);
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(test_udp_send(&a, &nobody, "lost"), 0);
        test_raw_send(fd, AF_INET, port_of(&a), "here");
    }
    test_udp_until(&a, 6);
    EXPECT_EQ(a.n, 6);
    EXPECT_EQ(net_events_in_rounds(20), 0);
    close(fd);
}

/* ---- Where ---- */

TEST(a_name_is_resolved)
{
    struct test_udp c;
    fate_address raw = { 0 };

    if (!begin())
        return;
    int fd = test_raw(AF_INET, &raw);
    if (test_udp_open(&c, net_reactor, "c", to_port("udp:localhost:", raw.port), NULL)) {
        EXPECT_EQ(test_udp_send(&c, NULL, "ask"), 0);
        EXPECT_STR(test_raw_got(fd, NULL), "ask");
    }
    close(fd);
}

static fate_deferred *never(fate_reactor *reactor, const char *name, fate_value *arg)
{
    return fate_deferred_new(reactor);
}

TEST(opening_that_waits_for_a_name_is_cancelled)
{
    if (!begin() || fate_set_resolver(net_reactor, never, fate_none()) < 0)
        return;
    fate_deferred *d = try_to_open("udp:somewhere.example:53");
    fate_hold(d);
    EXPECT(fate_state(d) != FATE_DONE);
    fate_cancel(d);
    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    fate_drop(net_result_of(d));
    fate_release(d);
}

static fate_deferred *no_ipv4(fate_reactor *reactor, const char *name, fate_value *arg)
{
    const fate_address v6 = test_loopback(AF_INET6, 0);
    return fate_succeed(reactor, fate_list_of(fate_box_new("fate_address", sizeof v6, &v6, NULL)));
}

TEST(what_cannot_be_opened_says_why)
{
    struct test_udp a;

    if (!begin())
        return;
    EXPECT_FAILS(try_to_open("udp:x:y:z"), &FATE_ENDPOINT_ERROR, "open udp:x:y:z: ");
    EXPECT_FAILS(try_to_open("udp:0:interface=203.0.113.9"), &FATE_LISTEN_ERROR,
                 "must be an address of this machine");
    EXPECT_FAILS(try_to_open("udp:9999:bind=127.0.0.1\\:5000"), &FATE_ENDPOINT_ERROR, "it has two ports");
    EXPECT_FAILS(try_to_open("udp:127.0.0.1:53:bind=[::1]"), &FATE_ENDPOINT_ERROR,
                 "127.0.0.1 has no address of that family");
    EXPECT_FAILS(try_to_open("udp:255.255.255.255:53"), &FATE_CONNECT_ERROR, "255.255.255.255:53: ");
    if (!test_udp_open(&a, net_reactor, "a", "udp:0:interface=127.0.0.1", NULL))
        return;
    EXPECT_FAILS(try_to_open(to_port("udp:interface=127.0.0.1:port=", port_of(&a))), &FATE_LISTEN_IN_USE,
                 "another program has that port (ss -lunp 'sport = :");
    if (fate_set_resolver(net_reactor, no_ipv4, fate_none()) == 0)
        EXPECT_FAILS(try_to_open("udp4:six.example:53"), &FATE_DNS_NO_DATA, "no address of that family");
}

TEST(a_connected_one_may_be_bound)
{
    struct test_udp a, c;

    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp:0:interface=127.0.0.1", NULL))
        return;
    char endpoint[80];
    snprintf(endpoint, sizeof endpoint, "udp:127.0.0.1:%u:bind=127.0.0.2", port_of(&a));
    if (!test_udp_open(&c, net_reactor, "c", endpoint, NULL))
        return;
    EXPECT_EQ(test_udp_send(&c, NULL, "x"), 0);
    test_udp_until(&a, 1);
    EXPECT_EQ(a.from.as.ip[3], 2);
}

/* ---- Options ---- */

static int option_of(const struct test_udp *side, int option)
{
    int value = -1;
    socklen_t len = sizeof value;

    if (side->udp)
        getsockopt(side->udp->socket.fd, SOL_SOCKET, option, &value, &len);
    return value;
}

TEST(buffers_are_as_large_as_was_asked_for)
{
    const fate_udp_options options = { sizeof options, .receive_buffer_bytes = 40000,
                                       .send_buffer_bytes = 50000 };
    struct test_udp a;

    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp:0", &options))
        return;
    EXPECT_EQ(option_of(&a, SO_RCVBUF), 80000);
    EXPECT_EQ(option_of(&a, SO_SNDBUF), 100000);
}

TEST(broadcasts_are_sent_by_who_has_asked_for_it)
{
    const fate_udp_options options = { sizeof options, .broadcast = true };
    struct test_udp a, b, c;
    fate_address all = { .family = AF_INET, .as.ip = { 127, 255, 255, 255 } };

    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp4:0", NULL) ||
        !test_udp_open(&b, net_reactor, "b", "udp4:0", &options) ||
        !test_udp_open(&c, net_reactor, "c", "udp4:0", NULL))
        return;
    all.port = (uint16_t)port_of(&c);
    EXPECT_EQ(test_udp_send(&a, &all, "x"), -EACCES);
    EXPECT_EQ(test_udp_send(&b, &all, "all"), 0);
    test_udp_until(&c, 1);
    EXPECT_STR(test_trace(), "c got all; ");
}

/* ---- The end ---- */

TEST(it_may_be_closed_in_its_own_callback)
{
    struct test_udp a;
    fate_address raw = { 0 };

    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp:0:interface=127.0.0.1", NULL))
        return;
    a.closes = true;
    int fd = test_raw(AF_INET, &raw);
    for (int i = 0; i < 3; i++)
        test_raw_send(fd, AF_INET, port_of(&a), "bye");
    test_udp_until(&a, 1);
    EXPECT_EQ(net_events_in_rounds(5), 0);
    EXPECT_STR(test_trace(), "a got bye; ");
    close(fd);
}

static struct test_udp other;

/* At the end of the first one's turn the other one, which has something too, is closed. */
static fate_value close_other(fate_value *v, fate_value *arg)
{
    test_trace_add("closed; ");
    if (other.udp)
        fate_udp_close(other.udp);
    other.udp = NULL;
    return fate_none();
}

static void fires(fate_udp *udp, const fate_datagram *datagram, fate_value *arg)
{
    test_trace_add("got %s; ", datagram->data);
    fate_add_callback(fate_succeed(net_reactor, fate_none()), close_other, fate_none());
}

TEST(it_may_be_closed_between_two_datagrams)
{
    fate_address raw = { 0 };

    if (!begin())
        return;
    fate_deferred *d = fate_udp_open(net_reactor, "udp:0:interface=127.0.0.1", fires, fate_none());
    fate_value v = net_result_of(d);
    other = (struct test_udp){ 0 };
    if (!fate_is_failure(&v)) {
        other.udp = fate_as_udp(&v);
        int fd = test_raw(AF_INET, &raw);
        test_raw_send(fd, AF_INET, port_of(&other), "one");
        test_raw_send(fd, AF_INET, port_of(&other), "two");
        net_events_in_rounds(5);
        EXPECT_STR(test_trace(), "got one; closed; ");
        close(fd);
    }
    fate_drop(v);
}

static int n_dropped;

static void drop_it(void *data)
{
    n_dropped++;
}

TEST(arg_is_dropped_with_it_once)
{
    if (!begin())
        return;
    n_dropped = 0;
    fate_value arg = fate_box_with(drop_it, int, 1);
    bool is_there = !fate_is_failure(&arg);
    fate_value v = net_result_of(fate_udp_open(net_reactor, "udp:0", got_nothing, arg));
    if (!fate_is_failure(&v)) {
        EXPECT_EQ(n_dropped, 0);
        EXPECT_EQ(fate_udp_close(fate_as_udp(&v)), 0);
        test_rounds(net_reactor, 1);
    }
    if (is_there)
        EXPECT_EQ(n_dropped, 1);
    fate_drop(v);
}

TEST(it_goes_with_the_reactor)
{
    struct test_udp a, b;

    if (begin() && test_udp_open(&a, net_reactor, "a", "udp:0", NULL))
        test_udp_open(&b, net_reactor, "b", to_port("udp:127.0.0.1:", port_of(&a)), NULL);
}

/* ---- What goes wrong ---- */

static int n_received;

static ssize_t fail_to_receive(int fd, struct msghdr *message, int flags)
{
    n_received++;
    errno = EIO;
    return -1;
}

TEST(the_loop_does_not_spin_when_receiving_fails)
{
    struct test_udp a;
    fate_address raw = { 0 };

    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp:0:interface=127.0.0.1", NULL))
        return;
    int fd = test_raw(AF_INET, &raw);
    struct fate__sys *calls = net_own_calls();
    ssize_t (*usual)(int, struct msghdr *, int) = calls->recvmsg;
    calls->recvmsg = fail_to_receive;
    n_received = 0;
    test_raw_send(fd, AF_INET, port_of(&a), "late");
    fate_time began = fate__monotonic();
    net_events_in_rounds(50);
    fate_time rests = (fate__monotonic() - began) / (50 * FATE_MILLISECOND);
    EXPECT_CONTAINS(test_trace(), "a error EIO; ");
    EXPECT(n_received <= 3 * (rests + 1));
    calls->recvmsg = usual;
    net_skip_time(FATE_SECOND);
    test_udp_until(&a, a.n + 1);
    EXPECT_CONTAINS(test_trace(), "a error EIO; a got late; ");
    close(fd);
}

static ssize_t have_no_room(int fd, const struct msghdr *message, int flags)
{
    errno = ENOBUFS;
    return -1;
}

TEST(what_the_system_has_no_room_for_is_told)
{
    struct test_udp a;
    const fate_address to = test_loopback(AF_INET, 9);

    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp:0:interface=127.0.0.1", NULL))
        return;
    net_own_calls()->sendmsg = have_no_room;
    EXPECT_EQ(test_udp_send(&a, &to, "x"), -ENOBUFS);
}

static void open_without_function(void *arg)
{
    fate_udp_open(fate_reactor_new_simulated(), "udp:0", NULL, fate_none());
}

static void send_from_none(void *arg)
{
    fate_udp_send(NULL, NULL, "x", 1);
}

static void go_too_far(void *arg)
{
    fate_udp_open_with(fate_reactor_new_simulated(), "udp:0", got_nothing, fate_none(), .hops = 256);
}

TEST(what_cannot_be_right_stops_the_program)
{
    EXPECT_STOP(open_without_function, NULL, "fate_udp_open was given a NULL function", "test_udp.c:");
    EXPECT_STOP(send_from_none, NULL, "fate_udp_send was given NULL");
    EXPECT_STOP(go_too_far, NULL, "256 hops", "test_udp.c:");
}

/* ---- The report ---- */

static void find_udp(const fate_thing *thing, fate_value *arg)
{
    if (strcmp(thing->kind, "udp") == 0)
        test_trace_add("%s: %.11s", thing->name, thing->state);
}

TEST(the_report_shows_it)
{
    struct test_udp a;

    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp:0:interface=127.0.0.1", NULL))
        return;
    fate_reactor_each(net_reactor, find_udp, fate_none());
    EXPECT_STR(test_trace(), "udp:0:interface=127.0.0.1: receives at");
}

/* ---- An independent peer ---- */

static const char python_peer[] = "import socket, sys\n"
                                  "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                                  "s.settimeout(30)\n"
                                  "s.connect(('127.0.0.1', int(sys.argv[1])))\n"
                                  "s.send(b'from python')\n"
                                  "print(s.recv(100).decode(), end='')\n";

/* valgrind 3.19 does not know by what the end of a child is seen. */
static bool can_watch_children(void)
{
    int fd = fate__sys_real.pidfd_open(getpid(), 0);

    if (fd >= 0)
        close(fd);
    return fd >= 0 || errno != ENOSYS;
}

TEST(another_program_is_answered)
{
    struct test_udp a;
    char port[16];

    if (test_is_oom() || access("/usr/bin/python3", X_OK) < 0 || !can_watch_children())
        return;
    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp:0:interface=127.0.0.1", NULL))
        return;
    a.echoes = true;
    snprintf(port, sizeof port, "%u", port_of(&a));
    fate_value v =
        net_result_of(fate_process_output(net_reactor, fate_argv("python3", "-c", python_peer, port)));
    EXPECT_TEXT(&v, "from python");
    EXPECT_STR(test_trace(), "a got from python; ");
    fate_drop(v);
}
