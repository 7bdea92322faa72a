/* Tests of src/net/connect_keep.c, on a clock that goes when it is told to. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fate/endpoint.h>
#include <fate/log.h>
#include <fate/reactor.h>
#include <fate/report.h>

#include "test_connect_helpers.h"

static fate_reactor *reactor;
static int listening, port;

static bool begin(void)
{
    reactor = test_connect_reactor();
    listening = -1;
    if (!reactor)
        return false;
    test_connect_stop_clock(reactor);
    listening = test_listening(&port);
    if (listening >= 0)
        fcntl(listening, F_SETFL, O_NONBLOCK);
    return EXPECT(listening >= 0);
}

static void end(void)
{
    close(listening);
    fate_reactor_free(reactor);
}

static fate_deferred *keep(void)
{
    return fate_hold(
        fate_keep_connected(reactor, test_tcp("127.0.0.1", port), &test_closing_recorder, fate_none()));
}

static void pass(fate_time time)
{
    test_connect_later(time);
    test_rounds(reactor, 5);
}

/* Cancelled; it fires with none once nothing is left. */
static void stop(fate_deferred *d)
{
    fate_cancel(d);
    fate_release(d);
    fate_value result = test_result_of(reactor, d);
    EXPECT_NONE(&result);
    fate_drop(result);
}

static int accepted;

static bool has_accepted(void *arg)
{
    accepted = accept(listening, NULL, NULL);
    return accepted >= 0;
}

/* The next connection is there, on both sides. */
static bool accept_one(void)
{
    bool is_there = test_until(reactor, has_accepted, NULL);

    test_rounds(reactor, 5);
    return is_there;
}

/* The next connection comes, lasts for that long, and is closed by its peer. */
static bool accept_and_close(fate_time after)
{
    if (!accept_one())
        return EXPECT(false);
    pass(after);
    close(accepted);
    test_rounds(reactor, 5);
    return true;
}

static bool is_asked_again(void)
{
    bool is_asked = has_accepted(NULL);

    if (is_asked)
        close(accepted);
    return is_asked;
}

TEST(a_connection_that_is_lost_is_made_again_after_a_second)
{
    if (!begin())
        return;
    fate_deferred *d = keep();
    if (accept_and_close(0)) {
        EXPECT_STR(test_trace(), "made; lost ConnectionDone; ");
        EXPECT_CONTAINS(test_last_log(reactor), "the connection to tcp:127.0.0.1:");
        EXPECT_CONTAINS(test_last_log(reactor), " is lost: closed by the peer; connecting again in ");
        pass(899 * FATE_MILLISECOND);
        EXPECT(!is_asked_again());
        pass(101 * FATE_MILLISECOND);
        EXPECT_STR(test_trace(), "made; lost ConnectionDone; made; ");
    }
    stop(d);
    end();
}

TEST(one_that_cannot_be_made_is_tried_with_pauses_that_grow_to_a_minute)
{
    const int pauses[] = { 1, 2, 4, 8, 16, 32, 60, 60 };

    if (!begin())
        return;
    test_route_error("192.0.2.1", ECONNREFUSED);
    fate_deferred *d =
        fate_hold(fate_keep_connected(reactor, "tcp:192.0.2.1:80", &test_recorder, fate_none()));
    EXPECT_CONTAINS(test_last_log(reactor),
                    "connect to tcp:192.0.2.1:80: refused: nothing listens there (ECONNREFUSED); "
                    "connecting again in ");
    for (int i = 0; i < 8; i++) {
        EXPECT_EQ(test_connects(), i + 1);
        pass(pauses[i] * 9 * FATE_SECOND / 10 - FATE_MILLISECOND);
        EXPECT_EQ(test_connects(), i + 1);
        pass(pauses[i] * FATE_SECOND / 10 + FATE_MILLISECOND);
        EXPECT_EQ(test_connects(), i + 2);
    }
    EXPECT(test_is_oom() || fate_state(d) == FATE_UNFIRED);
    stop(d);
    end();
}

TEST(a_connection_that_has_lasted_brings_the_pause_back_to_a_second)
{
    if (!begin())
        return;
    fate_deferred *d = keep();
    accept_and_close(0);
    pass(FATE_SECOND);
    accept_and_close(9 * FATE_SECOND);
    pass(FATE_SECOND);
    EXPECT(!is_asked_again()); /* it was too short: two seconds */
    pass(FATE_SECOND);
    accept_and_close(10 * FATE_SECOND);
    pass(FATE_SECOND);
    EXPECT(is_asked_again());
    stop(d);
    end();
}

static void dropped(void *data)
{
    test_trace_add("dropped; ");
}

TEST(the_arg_is_dropped_with_the_last_of_all_connections)
{
    if (!begin())
        return;
    fate_value arg = fate_box_new("arg", 1, "x", dropped);
    fate_deferred *d =
        fate_hold(fate_keep_connected(reactor, test_tcp("127.0.0.1", port), &test_closing_recorder, arg));
    accept_and_close(0);
    pass(FATE_SECOND);
    EXPECT_STR(test_trace(), "made; lost ConnectionDone; made; ");
    stop(d);
    test_rounds(reactor, 3);
    EXPECT_STR(test_trace(), "made; lost ConnectionDone; made; lost ConnectionDone; dropped; ");
    end();
}

static void note_lost(fate_protocol *p, fate_value *why)
{
    test_trace_add("lost %s; ", fate_class_of(why)->name);
}

TEST(it_keeps_a_protocol_that_hears_nothing)
{
    const fate_protocol_ops ops = { .size = sizeof ops, .connection_lost = note_lost };

    if (!begin())
        return;
    fate_deferred *d =
        fate_hold(fate_keep_connected(reactor, test_tcp("127.0.0.1", port), &ops, fate_none()));
    accept_one();
    pass(FATE_SECOND);
    EXPECT_STR(test_trace(), "");
    stop(d);
    EXPECT_STR(test_trace(), "lost ConnectionDone; ");
    if (accepted >= 0)
        close(accepted);
    end();
}

TEST(an_endpoint_that_cannot_be_read_fails_at_once)
{
    if (!begin())
        return;
    test_expect_fails_with(reactor,
                           fate_keep_connected(reactor, "tcq:localhost:80", &test_recorder, fate_none()),
                           &FATE_ENDPOINT_ERROR, "tcq");
    end();
}

/* Its number may be somebody else's the second time. */
TEST(a_descriptor_cannot_be_kept)
{
    if (!begin())
        return;
    test_expect_fails_with(reactor, fate_keep_connected(reactor, "fd:0", &test_recorder, fate_none()),
                           &FATE_ENDPOINT_ERROR, "a descriptor that is closed cannot be connected again");
    end();
}

/* ---- Cancelling ---- */

TEST(a_cancel_while_connected_flushes_and_closes)
{
    char text[16] = "";

    if (!begin())
        return;
    fate_deferred *d = keep();
    if (accept_one()) {
        stop(d);
        EXPECT_STR(test_trace(), "made; lost ConnectionDone; ");
        EXPECT_EQ(recv(accepted, text, sizeof text, 0), 0);
        close(accepted);
        pass(2 * FATE_SECOND);
        EXPECT(!is_asked_again());
    } else {
        stop(d);
    }
    end();
}

static void write_much(fate_protocol *p)
{
    static const char much[4 << 20];

    fate_write(p->transport, much, sizeof much);
}

TEST(a_second_cancel_aborts_what_does_not_end)
{
    const fate_protocol_ops ops = { .size = sizeof ops,
                                    .connection_made = write_much,
                                    .connection_lost = note_lost };

    if (!begin())
        return;
    fate_deferred *d =
        fate_hold(fate_keep_connected(reactor, test_tcp("127.0.0.1", port), &ops, fate_none()));
    accept_one();
    fate_cancel(d);
    test_rounds(reactor, 5);
    EXPECT(test_is_oom() || fate_state(d) == FATE_UNFIRED);
    stop(d);
    EXPECT_STR(test_trace(), "lost ConnectionAborted; ");
    if (accepted >= 0)
        close(accepted);
    end();
}

TEST(a_cancel_while_it_connects_or_pauses_ends_it)
{
    if (!begin())
        return;
    test_route("192.0.2.1", test_black_hole());
    test_route_error("192.0.2.2", ECONNREFUSED);
    stop(fate_hold(fate_keep_connected(reactor, "tcp:192.0.2.1:80", &test_recorder, fate_none())));
    stop(fate_hold(fate_keep_connected(reactor, "tcp:192.0.2.2:80", &test_recorder, fate_none())));
    end();
}

TEST(a_reactor_may_go_whatever_it_does)
{
    for (int rounds = 0; rounds < 4; rounds++) {
        if (!begin())
            return;
        test_route_error("192.0.2.2", ECONNREFUSED);
        fate_release(keep());
        fate_keep_connected(reactor, "tcp:192.0.2.2:80", &test_recorder, fate_none());
        test_rounds(reactor, rounds);
        end();
    }
}

static fate_deferred *kept;

static void cancel_kept(const fate_log_entry *entry, fate_value *arg)
{
    if (kept)
        fate_cancel(kept);
}

/* Whoever hears in the log that a connection is lost may want no other. */
TEST(a_cancel_by_who_reads_the_log_ends_it)
{
    if (!begin())
        return;
    kept = keep();
    fate_watch watch = fate_log_observe(reactor, FATE_LOG_INFO, cancel_kept, fate_none());
    if (accept_and_close(0)) {
        EXPECT(watch.id < 0 || test_is_oom() || fate_state(kept) == FATE_DONE);
        pass(2 * FATE_SECOND);
        EXPECT_CONTAINS(test_trace(), "made; lost ConnectionDone; ");
        EXPECT(watch.id < 0 || test_is_oom() || !is_asked_again());
    }
    fate_unwatch(watch);
    stop(kept);
    kept = NULL;
    end();
}

static void ignore_data(fate_protocol *p, const void *data, size_t len)
{
}

static fate_protocol *build_own(fate_value *arg, const fate_address *peer)
{
    return calloc(1, sizeof(fate_protocol));
}

static void free_and_cancel(fate_protocol *p, fate_value *why)
{
    free(p);
    fate_cancel(kept);
}

TEST(a_cancel_by_a_protocol_that_has_freed_itself_ends_it)
{
    const fate_protocol_ops ops = { .size = sizeof ops,
                                    .build = build_own,
                                    .data_received = ignore_data,
                                    .connection_lost = free_and_cancel };

    if (!begin())
        return;
    kept = fate_hold(fate_keep_connected(reactor, test_tcp("127.0.0.1", port), &ops, fate_none()));
    if (accept_and_close(0)) {
        EXPECT(test_is_oom() || fate_state(kept) == FATE_DONE);
        pass(2 * FATE_SECOND);
        EXPECT(test_is_oom() || !is_asked_again());
    }
    stop(kept);
    kept = NULL;
    end();
}

/* ---- The report ---- */

static void look_for_keep(const fate_thing *thing, fate_value *arg)
{
    if (strstr(thing->site, "test_connect_keep.c") && strstr(thing->state, fate_as_ptr(arg)))
        test_trace_add("seen; ");
}

TEST(the_report_says_what_it_waits_for)
{
    if (!begin())
        return;
    test_route_error("192.0.2.2", ECONNREFUSED);
    fate_deferred *d =
        fate_hold(fate_keep_connected(reactor, "tcp:192.0.2.2:80", &test_recorder, fate_none()));
    fate_reactor_each(reactor, look_for_keep, fate_ptr("the pause before connecting again, due in "));
    EXPECT_STR(test_trace(), "seen; ");
    stop(d);
    d = keep();
    test_trace_clear();
    fate_reactor_each(reactor, look_for_keep, fate_ptr("a connection"));
    EXPECT_CONTAINS(test_trace(), "seen; ");
    stop(d);
    end();
}

TEST(the_plain_functions_do_the_same)
{
    if (!begin())
        return;
    test_expect_fails_with(reactor, (fate_keep_connected)(reactor, "tcq:", &test_recorder, fate_none()),
                           &FATE_ENDPOINT_ERROR, "tcq");
    test_expect_fails_with(reactor,
                           (fate_keep_connected_with)(reactor, "tcq:", &test_recorder, fate_none(), NULL),
                           &FATE_ENDPOINT_ERROR, "tcq");
    end();
}
