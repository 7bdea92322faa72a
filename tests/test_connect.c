/* Tests of src/net/connect.c and its attempts, over real sockets and addresses that lead elsewhere. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fate/endpoint.h>
#include <fate/reactor.h>
#include <fate/report.h>
#include <fate/resolve.h>
#include <net/transport.h>

#include "test_connect_helpers.h"

static fate_reactor *reactor;
static int listening, port;

static bool begin(void)
{
    reactor = test_connect_reactor();
    listening = -1;
    return reactor != NULL;
}

static bool begin_listening(void)
{
    if (!begin())
        return false;
    listening = test_listening(&port);
    return EXPECT(listening >= 0);
}

static void end(void)
{
    if (listening >= 0)
        close(listening);
    fate_reactor_free(reactor);
}

static fate_deferred *connect_to(const char *endpoint)
{
    return fate_connect(reactor, endpoint, &test_recorder, fate_none());
}

/* Connected, and then the test's end of it is closed. */
static void expect_connected(fate_deferred *d)
{
    fate_value self = test_result_of(reactor, d);

    if (EXPECT(!fate_is_failure(&self))) {
        EXPECT_STR(test_trace(), "made; ");
        EXPECT(fate_is_connected(fate_as_protocol(&self)->transport));
        EXPECT_EQ(fate_lose_connection(fate_as_protocol(&self)->transport), 0);
    }
    fate_drop(self);
    test_until_trace(reactor, "lost ");
}

/* ---- TCP ---- */

TEST(a_port_on_which_somebody_listens_is_connected_to)
{
    char text[FATE_ADDRESS_TEXT_BYTES];
    int on = 0;
    socklen_t len = sizeof on;

    if (!begin_listening())
        return;
    fate_value self = test_result_of(reactor, connect_to(test_tcp("127.0.0.1", port)));
    if (EXPECT(!fate_is_failure(&self))) {
        fate_transport *transport = fate_as_protocol(&self)->transport;
        EXPECT_STR(test_trace(), "made; ");
        EXPECT_STR(fate_address_text(fate_peer(transport), text) + strlen("127.0.0.1:"),
                   test_tcp("127.0.0.1", port) + strlen("tcp:127.0.0.1:"));
        int fd = accept(listening, NULL, NULL);
        EXPECT(fd >= 0);
        close(fd);
        getsockopt(transport->fd, IPPROTO_TCP, TCP_NODELAY, &on, &len);
        EXPECT(on);
    }
    fate_drop(self);
    end();
}

TEST(nobody_is_called_before_the_call_has_returned)
{
    if (!begin_listening())
        return;
    fate_deferred *d = fate_hold(connect_to(test_tcp("127.0.0.1", port)));
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    EXPECT_STR(test_trace(), "");
    fate_release(d);
    expect_connected(d);
    end();
}

TEST(a_port_on_which_nobody_listens_refuses)
{
    char text[160];

    if (!begin())
        return;
    port = test_refused_port();
    snprintf(text, sizeof text, "connect to tcp:127.0.0.1:%d: refused: nothing listens there (ECONNREFUSED)",
             port);
    fate_value why = test_result_of(reactor, connect_to(test_tcp("127.0.0.1", port)));
    if (EXPECT_FAILURE(&why, &FATE_CONNECTION_REFUSED)) {
        EXPECT_STR(fate_message(&why), text);
        EXPECT_INT(fate_payload(&why), ECONNREFUSED);
    }
    fate_drop(why);
    end();
}

TEST(a_name_is_resolved_and_named_with_its_address)
{
    if (!begin_listening())
        return;
    test_name(reactor, "192.0.2.1");
    test_route("192.0.2.1", port);
    fate_value self = test_result_of(reactor, connect_to("tcp:example.org:80"));
    EXPECT(!fate_is_failure(&self));
    EXPECT_STR(test_trace(), "resolve example.org; made; ");
    fate_drop(self);
    test_route_error("192.0.2.2", EHOSTUNREACH);
    test_name(reactor, "192.0.2.2");
    test_expect_fails(reactor, connect_to("tcp:example.org:80"), &FATE_UNREACHABLE,
                      "connect to tcp:example.org:80: 192.0.2.2:80: unreachable: no router knows a way to "
                      "it, or it is not there (EHOSTUNREACH)");
    end();
}

TEST(localhost_is_this_host_without_a_resolver_of_ours)
{
    if (!begin_listening())
        return;
    expect_connected(connect_to(test_tcp("localhost", port)));
    end();
}

TEST(errnos_have_classes_words_and_remedies)
{
    static const struct {
        int error;
        const fate_class *class;
        const char *part;
    } errors[] = {
        { ENETUNREACH, &FATE_UNREACHABLE, "has no route to it (ENETUNREACH)" },
        { ENETDOWN, &FATE_UNREACHABLE, "interface is down (ENETDOWN)" },
        { ETIMEDOUT, &FATE_CONNECT_TIMEOUT, "no answer, and the system has given up (ETIMEDOUT)" },
        { EADDRNOTAVAIL, &FATE_CONNECT_ERROR, "no local port is left for it" },
        { EADDRINUSE, &FATE_CONNECT_ERROR, "leave the port of bind= away (EADDRINUSE)" },
        { EPERM, &FATE_CONNECT_ERROR, "firewall" },
        { EINVAL, &FATE_CONNECT_ERROR, "invalid: a link-local address needs its interface" },
        { EPROTO, &FATE_CONNECT_ERROR, "Protocol error (EPROTO)" },
    };

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (!begin())
            return;
        test_route_error("192.0.2.1", errors[i].error);
        test_expect_fails_with(reactor, connect_to("tcp:192.0.2.1:80"), errors[i].class, errors[i].part);
        end();
    }
}

TEST(without_a_descriptor_it_says_what_to_raise)
{
    struct rlimit limit, none_left;

    if (!begin())
        return;
    getrlimit(RLIMIT_NOFILE, &limit);
    none_left = limit;
    none_left.rlim_cur = (rlim_t)dup(STDIN_FILENO);
    close((int)none_left.rlim_cur);
    setrlimit(RLIMIT_NOFILE, &none_left);
    test_expect_fails(reactor, connect_to("tcp:127.0.0.1:80"), &FATE_CONNECT_ERROR,
                      "connect to tcp:127.0.0.1:80: this process has too many open files: raise its limit "
                      "(ulimit -n, LimitNOFILE=), or close some (EMFILE)");
    setrlimit(RLIMIT_NOFILE, &limit);
    end();
}

TEST(a_socket_that_would_be_connected_to_itself_is_refused)
{
    char endpoint[80];

    if (!begin())
        return;
    port = test_refused_port();
    snprintf(endpoint, sizeof endpoint, "tcp:127.0.0.1:%d:bind=127.0.0.1\\:%d", port, port);
    test_expect_fails_with(reactor, connect_to(endpoint), &FATE_CONNECTION_REFUSED, "nothing listens there");
    EXPECT_STR(test_trace(), "");
    end();
}

/* 0.0.0.0 is this machine, and so no address that the socket would have. */
TEST(nor_is_it_connected_to_itself_by_another_name)
{
    char endpoint[80];

    if (!begin())
        return;
    port = test_refused_port();
    snprintf(endpoint, sizeof endpoint, "tcp:0.0.0.0:%d:bind=127.0.0.1\\:%d", port, port);
    test_expect_fails_with(reactor, connect_to(endpoint), &FATE_CONNECTION_REFUSED, "nothing listens there");
    EXPECT_STR(test_trace(), "");
    end();
}

/* ---- bind= ---- */

TEST(the_local_address_is_that_of_bind)
{
    char endpoint[80], text[FATE_ADDRESS_TEXT_BYTES];

    if (!begin_listening())
        return;
    snprintf(endpoint, sizeof endpoint, "tcp:127.0.0.1:%d:bind=127.0.0.2", port);
    fate_value self = test_result_of(reactor, connect_to(endpoint));
    if (EXPECT(!fate_is_failure(&self)))
        EXPECT_STR(fate_address_host(fate_here(fate_as_protocol(&self)->transport), text), "127.0.0.2");
    fate_drop(self);
    end();
}

TEST(a_bind_that_this_machine_does_not_have_says_so)
{
    if (!begin())
        return;
    test_expect_fails_with(reactor, connect_to("tcp:127.0.0.1:80:bind=192.0.2.7"), &FATE_CONNECT_ERROR,
                           "this machine does not have the address of bind=");
    end();
}

/* The kernel takes 127.0.0.1 for the address of a peer elsewhere, and says EINVAL. */
TEST(a_bind_from_which_no_way_leads_there_says_so)
{
    if (!begin())
        return;
    test_route_error("192.0.2.1", EINVAL);
    test_expect_fails_with(reactor, connect_to("tcp:192.0.2.1:80:bind=127.0.0.1"), &FATE_CONNECT_ERROR,
                           "no way leads there from the address of bind=");
    end();
}

TEST(only_addresses_of_the_wanted_family_are_tried)
{
    if (!begin())
        return;
    test_name(reactor, "192.0.2.1 2001:db8::1");
    test_route_error("2001:db8::1", ENETUNREACH);
    test_expect_fails_with(reactor, connect_to("tcp6:example.org:80"), &FATE_UNREACHABLE,
                           "[2001:db8::1]:80: unreachable");
    test_name(reactor, "192.0.2.1");
    test_expect_fails(reactor, connect_to("tcp6:example.org:80"), &FATE_DNS_NO_DATA,
                      "connect to tcp6:example.org:80: example.org has no IPv6 address");
    test_expect_fails(reactor, connect_to("tcp:example.org:80:bind=\\:\\:1"), &FATE_DNS_NO_DATA,
                      "connect to tcp:example.org:80:bind=\\:\\:1: example.org has no IPv6 address");
    test_expect_fails(reactor, connect_to("tcp:127.0.0.1:80:bind=[::1]"), &FATE_ENDPOINT_ERROR,
                      "connect to tcp:127.0.0.1:80:bind=[::1]: 127.0.0.1 is no IPv6 address, as that of "
                      "bind= is");
    test_name(reactor, "");
    test_expect_fails(reactor, connect_to("tcp:example.org:80"), &FATE_DNS_NO_DATA,
                      "connect to tcp:example.org:80: example.org has no address");
    EXPECT_EQ(test_connects(), 1);
    end();
}

/* ---- Several addresses ---- */

TEST(when_all_addresses_fail_each_is_listed_with_its_error)
{
    if (!begin())
        return;
    test_name(reactor, "2001:db8::1 192.0.2.1");
    test_route_error("2001:db8::1", ENETUNREACH);
    test_route_error("192.0.2.1", ECONNREFUSED);
    fate_value why = test_result_of(reactor, connect_to("tcp:example.org:80"));
    if (EXPECT_FAILURE(&why, &FATE_CONNECT_ALL)) {
        EXPECT_STR(fate_message(&why),
                   "connect to tcp:example.org:80: none of 2 addresses: [2001:db8::1]:80: unreachable: this "
                   "machine has no route to it (ENETUNREACH); 192.0.2.1:80: refused: nothing listens there "
                   "(ECONNREFUSED)");
        EXPECT_EQ(fate_count(fate_payload(&why)), 2);
        EXPECT_FAILURE(fate_at(fate_payload(&why), 1), &FATE_CONNECTION_REFUSED);
    }
    fate_drop(why);
    end();
}

/* As those of localhost mostly do. */
TEST(when_all_addresses_fail_alike_the_class_says_how)
{
    int64_t error = 0;

    if (!begin())
        return;
    test_name(reactor, "2001:db8::1 192.0.2.1");
    test_route_error("2001:db8::1", ECONNREFUSED);
    test_route_error("192.0.2.1", ECONNREFUSED);
    fate_value why = test_result_of(reactor, connect_to("tcp:example.org:80"));
    if (EXPECT_FAILURE(&why, &FATE_CONNECTION_REFUSED)) {
        EXPECT_STR(
            fate_message(&why),
            "connect to tcp:example.org:80: none of 2 addresses: [2001:db8::1]:80: refused: nothing "
            "listens there (ECONNREFUSED); 192.0.2.1:80: refused: nothing listens there (ECONNREFUSED)");
        EXPECT(fate_get_int(fate_payload(&why), &error));
        EXPECT_EQ(error, ECONNREFUSED);
    }
    fate_drop(why);
    end();
}

TEST(the_next_address_is_tried_at_once_when_one_fails)
{
    if (!begin_listening())
        return;
    test_name(reactor, "2001:db8::1 192.0.2.1");
    test_route_error("2001:db8::1", ENETUNREACH);
    test_route("192.0.2.1", port);
    fate_deferred *d = connect_to("tcp:example.org:80");
    EXPECT_EQ(test_connects(), 2);
    fate_value self = test_result_of(reactor, d);
    EXPECT(!fate_is_failure(&self));
    fate_drop(self);
    end();
}

TEST(a_dead_ipv6_route_costs_less_than_300_ms)
{
    if (!begin_listening())
        return;
    test_name(reactor, "2001:db8::1 192.0.2.1");
    test_route("2001:db8::1", test_black_hole());
    test_route("192.0.2.1", port);
    test_connect_stop_clock(reactor);
    fate_time began = fate_now(reactor);
    fate_deferred *d = fate_hold(connect_to("tcp:example.org:80"));
    test_rounds(reactor, 5);
    EXPECT_EQ(test_connects(), 1);
    test_connect_later(250 * FATE_MILLISECOND);
    fate_release(d);
    fate_value self = test_result_of(reactor, d);
    EXPECT(!fate_is_failure(&self));
    EXPECT_EQ(test_connects(), 2);
    EXPECT(fate_now(reactor) - began < 300 * FATE_MILLISECOND);
    fate_drop(self);
    end();
}

TEST(the_attempt_delay_is_that_of_the_options)
{
    if (!begin_listening())
        return;
    test_name(reactor, "2001:db8::1 192.0.2.1");
    test_route("2001:db8::1", test_black_hole());
    test_route("192.0.2.1", port);
    fate_value self =
        test_result_of(reactor, fate_connect_with(reactor, "tcp:example.org:80", &test_recorder, fate_none(),
                                                  .attempt_delay = FATE_MICROSECOND));
    EXPECT(!fate_is_failure(&self));
    fate_drop(self);
    end();
}

static fate_deferred *resolve_many(fate_reactor *of, const char *name, fate_value *arg)
{
    fate_value boxes[70];
    fate_address address;

    EXPECT_EQ(fate_address_parse("192.0.2.1", &address), 0);
    for (int i = 0; i < 70; i++)
        boxes[i] = fate_box_new("fate_address", sizeof address, &address, NULL);
    return fate_succeed(of, fate_list(70, boxes));
}

TEST(of_more_than_64_addresses_the_first_64_are_tried)
{
    if (!begin())
        return;
    fate_set_resolver(reactor, resolve_many, fate_none());
    test_route_error("192.0.2.1", ECONNREFUSED);
    test_expect_fails_with(reactor, connect_to("tcp:example.org:80"), &FATE_CONNECTION_REFUSED,
                           "none of 64 addresses");
    EXPECT_EQ(test_connects(), 64);
    end();
}

/* ---- Not in time ---- */

TEST(without_an_answer_in_time_it_says_what_was_tried)
{
    if (!begin())
        return;
    test_name(reactor, "2001:db8::1 192.0.2.1");
    test_route_error("2001:db8::1", ENETUNREACH);
    test_route("192.0.2.1", test_black_hole());
    fate_deferred *d = fate_hold(connect_to("tcp:example.org:80"));
    test_rounds(reactor, 3);
    test_connect_later(29 * FATE_SECOND);
    test_rounds(reactor, 3);
    EXPECT(test_is_oom() || fate_state(d) == FATE_UNFIRED);
    test_connect_later(FATE_SECOND);
    fate_release(d);
    test_expect_fails(reactor, d, &FATE_CONNECT_TIMEOUT,
                      "connect to tcp:example.org:80: no connection within 30.0 s: 192.0.2.1:80 did not "
                      "answer; [2001:db8::1]:80: unreachable: this machine has no route to it "
                      "(ENETUNREACH)");
    EXPECT(fate_class_is(&FATE_CONNECT_TIMEOUT, &FATE_TIMEOUT));
    end();
}

TEST(the_time_for_names_counts_too)
{
    if (!begin())
        return;
    test_name(reactor, NULL);
    test_expect_fails(
        reactor,
        fate_connect_with(reactor, "tcp:example.org:80", &test_recorder, fate_none(),
                          .timeout = FATE_MILLISECOND),
        &FATE_CONNECT_TIMEOUT,
        "connect to tcp:example.org:80: no connection within 1 ms: the addresses of example.org are still "
        "being looked up");
    end();
}

static void look_for_connect(const fate_thing *thing, fate_value *arg)
{
    if (strstr(thing->site, "test_connect.c") && strstr(thing->state, fate_as_ptr(arg)))
        test_trace_add("seen; ");
}

TEST(the_report_says_what_it_waits_for)
{
    if (!begin())
        return;
    test_name(reactor, NULL);
    fate_deferred *d = fate_hold(connect_to("tcp:example.org:80"));
    test_trace_clear();
    fate_reactor_each(reactor, look_for_connect, fate_ptr("addresses of example.org"));
    EXPECT_STR(test_trace(), "seen; ");
    test_route("192.0.2.1", test_black_hole());
    fate_deferred *e = fate_hold(connect_to("tcp:192.0.2.1:80"));
    fate_reactor_each(reactor, look_for_connect, fate_ptr("tcp:192.0.2.1:80 to answer"));
    EXPECT_STR(test_trace(), "seen; seen; ");
    fate_cancel(d);
    fate_cancel(e);
    fate_release(d);
    fate_release(e);
    end();
}

/* ---- Cancelling ---- */

TEST(a_cancel_closes_all_attempts)
{
    if (!begin())
        return;
    test_name(reactor, "2001:db8::1 192.0.2.1");
    test_route("2001:db8::1", test_black_hole());
    test_route("192.0.2.1", test_black_hole());
    fate_deferred *d = fate_connect_with(reactor, "tcp:example.org:80", &test_recorder, fate_none(),
                                         .attempt_delay = FATE_MICROSECOND);
    fate_hold(d);
    test_rounds(reactor, 3);
    fate_cancel(d);
    fate_release(d);
    test_expect_fails(reactor, d, &FATE_CANCELLED, "");
    end();
}

TEST(a_cancel_detaches_from_the_names)
{
    if (!begin())
        return;
    test_name(reactor, NULL);
    fate_deferred *d = connect_to("tcp:example.org:80");
    fate_cancel(d);
    test_expect_fails(reactor, d, &FATE_CANCELLED, "");
    end();
}

static fate_deferred *to_cancel;

static void cancel_it(fate_protocol *p)
{
    test_trace_add("made; ");
    fate_cancel(to_cancel);
}

static void note_lost(fate_protocol *p, fate_value *why)
{
    test_trace_add("lost %s; ", fate_class_of(why)->name);
}

static void take_data(fate_protocol *p, const void *data, size_t len)
{
}

TEST(a_cancel_inside_connection_made_aborts_the_connection)
{
    const fate_protocol_ops ops = { .size = sizeof ops,
                                    .connection_made = cancel_it,
                                    .data_received = take_data,
                                    .connection_lost = note_lost };

    if (!begin_listening())
        return;
    to_cancel = fate_connect(reactor, test_tcp("127.0.0.1", port), &ops, fate_none());
    test_expect_fails(reactor, to_cancel, &FATE_CANCELLED, "");
    test_until_trace(reactor, "lost ");
    EXPECT_STR(test_trace(), "made; lost ConnectionAborted; ");
    end();
}

TEST(a_reactor_may_go_at_any_moment)
{
    for (int rounds = 0; rounds < 4; rounds++) {
        if (!begin_listening())
            return;
        test_name(reactor, "2001:db8::1 192.0.2.1");
        test_route("2001:db8::1", test_black_hole());
        test_route("192.0.2.1", port);
        fate_connect_with(reactor, "tcp:example.org:80", &test_recorder, fate_none(),
                          .attempt_delay = FATE_MICROSECOND);
        test_name(reactor, NULL);
        connect_to("tcp:example.org:80");
        test_rounds(reactor, rounds);
        end();
    }
}

static fate_value say_nothing(fate_coro *co, fate_protocol *p)
{
    return fate_none();
}

static const fate_protocol_ops silent = { .size = sizeof silent, .converse = say_nothing };

static void connect_at_the_end(fate_deferred *d, fate_value *arg)
{
    fate_connect(reactor, test_tcp("127.0.0.1", port), &test_recorder, fate_none());
    fate_converse(reactor, test_tcp("127.0.0.1", port), &silent, fate_none());
    fate_keep_connected(reactor, test_tcp("127.0.0.1", port), &test_recorder, fate_none());
    test_trace_add("at the end; ");
}

TEST(while_the_reactor_goes_nothing_is_begun)
{
    if (!begin_listening())
        return;
    fate_deferred_new_cancellable(reactor, connect_at_the_end, fate_none());
    end();
    EXPECT_STR(test_trace(), "at the end; ");
    EXPECT_EQ(test_connects(), 0);
}

/* ---- The protocol ---- */

static fate_protocol *refuse(fate_value *arg, const fate_address *peer)
{
    return NULL;
}

TEST(a_protocol_that_does_not_want_the_peer_fails_the_connect)
{
    const fate_protocol_ops ops = { .size = sizeof ops, .build = refuse };

    if (!begin_listening())
        return;
    test_expect_fails_with(reactor, fate_connect(reactor, test_tcp("127.0.0.1", port), &ops, fate_none()),
                           &FATE_CONNECT_ERROR, "the protocol does not want this peer: build returned NULL");
    end();
}

TEST(a_protocol_that_nobody_keeps_and_that_hears_nothing_is_closed)
{
    const fate_protocol_ops ops = { .size = sizeof ops, .connection_lost = note_lost };

    if (!begin_listening())
        return;
    fate_drop(test_result_of(reactor, fate_connect(reactor, test_tcp("127.0.0.1", port), &ops, fate_none())));
    test_until_trace(reactor, "lost ");
    EXPECT_STR(test_trace(), "lost ConnectionDone; ");
    end();
}

TEST(an_idle_timeout_is_passed_on)
{
    if (!begin_listening())
        return;
    fate_drop(test_result_of(reactor, fate_connect_with(reactor, test_tcp("127.0.0.1", port), &test_recorder,
                                                        fate_none(), .idle_timeout = FATE_SECOND)));
    test_connect_later(FATE_SECOND);
    test_until_trace(reactor, "lost ");
    EXPECT_STR(test_trace(), "made; lost IdleTimeout; ");
    end();
}

static void dropped(void *data)
{
    test_trace_add("dropped; ");
}

TEST(the_arg_is_dropped_when_there_is_no_connection)
{
    if (!begin())
        return;
    fate_value arg = fate_box_new("arg", 1, "x", dropped);
    fate_deferred *d = fate_connect(reactor, test_tcp("127.0.0.1", test_refused_port()), &test_recorder, arg);
    test_expect_fails_with(reactor, d, &FATE_CONNECTION_REFUSED, "");
    EXPECT_STR(test_trace(), "dropped; ");
    end();
}

static fate_value connect_inside(fate_coro *co, fate_value *arg)
{
    fate_value self = fate_await(co, connect_to(fate_as_ptr(arg)));

    return fate_is_failure(&self) ? fate_take(&self) : (fate_drop(self), fate_str("connected"));
}

TEST(a_coroutine_awaits_a_connection)
{
    if (!begin_listening())
        return;
    fate_value result =
        test_result_of(reactor, fate_go(reactor, connect_inside, fate_ptr(test_tcp("127.0.0.1", port))));
    EXPECT_TEXT(&result, "connected");
    fate_drop(result);
    port = test_refused_port();
    test_expect_fails_with(reactor, fate_go(reactor, connect_inside, fate_ptr(test_tcp("127.0.0.1", port))),
                           &FATE_CONNECTION_REFUSED, "nothing listens there");
    end();
}

/* ---- What cannot be ---- */

TEST(an_endpoint_that_cannot_be_read_fails)
{
    if (!begin())
        return;
    test_expect_fails_with(reactor, connect_to("tcq:localhost:80"), &FATE_ENDPOINT_ERROR, "tcq");
    test_expect_fails_with(reactor, connect_to("tls:localhost:443"), &FATE_ENDPOINT_ERROR,
                           "connect to tls:localhost:443: this build has no TLS");
    end();
}

static void connect_to_null(void *arg)
{
    reactor = fate_reactor_new_simulated();
    connect_to(NULL);
}

static void connect_without_protocol(void *arg)
{
    reactor = fate_reactor_new_simulated();
    fate_connect(reactor, "tcp:localhost:80", NULL, fate_none());
}

static void connect_with_negative_time(void *arg)
{
    reactor = fate_reactor_new_simulated();
    fate_connect_with(reactor, "tcp:localhost:80", &test_recorder, fate_none(), .timeout = -1);
}

TEST(what_the_program_does_wrong_stops_it)
{
    EXPECT_STOP(connect_with_negative_time, NULL, "fate_connect was given a negative time", "test_connect.c");
    EXPECT_STOP(connect_to_null, NULL, "fate_connect was given NULL for the endpoint", "test_connect.c");
    EXPECT_STOP(connect_without_protocol, NULL, "fate_connect was given NULL for the protocol");
}

/* The plain functions are for other languages. */
TEST(the_plain_functions_do_the_same)
{
    if (!begin())
        return;
    test_expect_fails_with(reactor, (fate_connect)(reactor, "tcq:", &test_recorder, fate_none()),
                           &FATE_ENDPOINT_ERROR, "tcq");
    test_expect_fails_with(reactor, (fate_connect_with)(reactor, "tcq:", &test_recorder, fate_none(), NULL),
                           &FATE_ENDPOINT_ERROR, "tcq");
    end();
}
