/* Tests of what connections are told when their listener stops: the stopping entry of a protocol's table. */
#include <string.h>

#include <fate/fate.h>
#include <fate/test.h>

#include "test_net_helpers.h"

static fate_reactor *reactor;
static fate_deferred *serving; /* held */
static fate_protocol *newest;

struct connection {
    fate_protocol base;
};

static void made(fate_protocol *p)
{
    newest = p;
    test_trace_add("made; ");
}

static void ignore(fate_protocol *p, const void *data, size_t len)
{
}

static void note_stopping(fate_protocol *p)
{
    test_trace_add("stopping; ");
}

static void lost(fate_protocol *p, fate_value *why)
{
    newest = newest == p ? NULL : newest;
    test_trace_add("lost %s; ", fate_class_of(why)->name);
}

static const fate_protocol_ops noting = { FATE_PROTOCOL(struct connection), .connection_made = made,
                                          .data_received = ignore, .connection_lost = lost,
                                          .stopping = note_stopping };
/* Its clients: they end when the server does. */
static const fate_protocol_ops quiet = { FATE_PROTOCOL(struct connection), .data_received = ignore,
                                         .stopping = note_stopping };

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static void connect_some(int n)
{
    for (int i = 0; i < n; i++)
        fate_add_errback(fate_connect(reactor, "tcp:server:80", &quiet, fate_none()), forgive, fate_none());
    fate_play(reactor, FATE_SECOND);
}

/* False: there is no memory. */
static bool begin(fate_ops ops, int n_connections)
{
    test_trace_clear();
    newest = NULL;
    reactor = fate_test_reactor();
    serving = NULL;
    if (!reactor)
        return false;
    serving = fate_hold(
        fate_add_errback(fate_serve(reactor, "tcp:server:80", ops, fate_none()), forgive, fate_none()));
    if (fate_state(serving) == FATE_DONE)
        return false;
    connect_some(n_connections);
    return true;
}

static void cancel(void)
{
    fate_cancel(serving);
    fate_play(reactor, 0);
}

static void end(void)
{
    if (serving) {
        fate_cancel(serving);
        fate_cancel(serving);
        fate_play(reactor, FATE_SECOND);
        EXPECT_EQ(fate_state(serving), FATE_DONE);
        fate_release(serving);
    }
    int n = reactor ? fate_test_done(reactor) : 0;
    EXPECT_EQ(n, 0);
}

TEST(each_connection_is_told_once_that_its_listener_stops)
{
    if (begin(&noting, 2)) {
        cancel();
        EXPECT_STR(test_trace(), "made; made; stopping; stopping; ");
        fate_play(reactor, 29 * FATE_SECOND);
        EXPECT_STR(test_trace(), "made; made; stopping; stopping; ");
        fate_play(reactor, 2 * FATE_SECOND);
        EXPECT_STR(test_trace(), "made; made; stopping; stopping; lost ConnectionAborted; "
                                 "lost ConnectionAborted; ");
        EXPECT_EQ(fate_state(serving), FATE_DONE);
    }
    end();
}

TEST(a_stop_that_cuts_tells_nobody)
{
    if (begin(&noting, 1)) {
        fate_cancel(serving);
        fate_cancel(serving);
        fate_play(reactor, FATE_SECOND);
        EXPECT_STR(test_trace(), "made; lost ConnectionAborted; ");
    }
    end();
}

TEST(a_listener_that_is_stopped_again_has_told_its_connections)
{
    test_trace_clear();
    reactor = fate_test_reactor();
    serving = NULL;
    fate_deferred *d =
        reactor ? fate_hold(fate_listen(reactor, "tcp:server:80", &noting, fate_none())) : NULL;
    const fate_value *v = d ? fate_peek(d) : NULL;
    if (v && !fate_is_failure(v)) {
        fate_listener *listener = fate_as_listener(v);
        connect_some(1);
        fate_add_errback(fate_listener_stop(listener, 10 * FATE_SECOND), forgive, fate_none());
        fate_play(reactor, FATE_SECOND);
        if (newest)
            fate_add_errback(fate_listener_stop(listener, FATE_SECOND), forgive, fate_none());
        fate_play(reactor, 2 * FATE_SECOND);
        EXPECT_STR(test_trace(), "made; stopping; lost ConnectionAborted; ");
    }
    if (d) {
        fate_add_errback(d, forgive, fate_none());
        fate_release(d);
    }
    int n = reactor ? fate_test_done(reactor) : 0;
    EXPECT_EQ(n, 0);
}

static void say_goodbye(fate_protocol *p)
{
    test_trace_add("stopping; ");
    fate_write(p->transport, "bye", 3);
    fate_lose_connection(p->transport);
}

static void abort_all(fate_protocol *p)
{
    test_trace_add("stopping; ");
    fate_for_each_connection(other, p) fate_abort_connection(other->transport);
}

static const fate_protocol_ops polite = { FATE_PROTOCOL(struct connection), .connection_made = made,
                                          .data_received = ignore, .connection_lost = lost,
                                          .stopping = say_goodbye };
static const fate_protocol_ops rude = { FATE_PROTOCOL(struct connection), .connection_made = made,
                                        .data_received = ignore, .connection_lost = lost,
                                        .stopping = abort_all };

TEST(whoever_is_told_may_close)
{
    if (begin(&polite, 2)) {
        cancel();
        EXPECT_STR(test_trace(),
                   "made; made; stopping; stopping; lost ConnectionDone; lost ConnectionDone; ");
        EXPECT_EQ(fate_state(serving), FATE_DONE);
    }
    end();
}

TEST(whoever_is_told_may_abort_the_others_which_are_not_told_then)
{
    if (begin(&rude, 3)) {
        cancel();
        EXPECT_STR(test_trace(), "made; made; made; stopping; lost ConnectionAborted; "
                                 "lost ConnectionAborted; lost ConnectionAborted; ");
        EXPECT_EQ(fate_state(serving), FATE_DONE);
    }
    end();
}

/* In which it would have to be told: it goes on where it is, and is told at the end of the event. */
static void stop_from_inside(fate_protocol *p, const void *data, size_t len)
{
    test_trace_add("got; ");
    fate_cancel(serving);
    test_trace_add("has stopped; ");
}

static const fate_protocol_ops stopper = { FATE_PROTOCOL(struct connection), .connection_made = made,
                                           .data_received = stop_from_inside, .connection_lost = lost,
                                           .stopping = note_stopping };

static void speak(fate_protocol *p)
{
    fate_write(p->transport, "stop", 4);
}

static const fate_protocol_ops speaking = { FATE_PROTOCOL(struct connection), .connection_made = speak,
                                            .data_received = ignore };

TEST(a_connection_may_stop_its_own_listener)
{
    if (begin(&stopper, 0)) {
        fate_add_errback(fate_connect(reactor, "tcp:server:80", &speaking, fate_none()), forgive,
                         fate_none());
        fate_play(reactor, FATE_SECOND);
        EXPECT_STR(test_trace(), "made; got; has stopped; stopping; ");
    }
    end();
}

TEST(one_that_is_lost_already_is_not_told)
{
    if (begin(&noting, 1)) {
        if (newest)
            fate_abort_connection(newest->transport);
        fate_cancel(serving);
        fate_play(reactor, 0);
        EXPECT_STR(test_trace(), "made; lost ConnectionAborted; ");
        EXPECT_EQ(fate_state(serving), FATE_DONE);
    }
    end();
}

static fate_value wait_for_ever(fate_coro *co, fate_protocol *p)
{
    fate_value v = fate_await(co, fate_receive(p));

    test_trace_add("received; ");
    fate_drop(v);
    return fate_none();
}

static const fate_protocol_ops conversing = { FATE_PROTOCOL(struct connection), .converse = wait_for_ever,
                                              .stopping = say_goodbye };

TEST(a_conversation_is_told_too)
{
    if (begin(&conversing, 1)) {
        cancel();
        fate_play(reactor, FATE_SECOND);
        EXPECT_CONTAINS(test_trace(), "stopping; ");
        EXPECT_EQ(fate_state(serving), FATE_DONE);
    }
    end();
}

/* A table of a program that was built before there was such an entry. */
TEST(a_table_without_the_entry_is_as_good)
{
    fate_protocol_ops old = noting;

    old.size = offsetof(fate_protocol_ops, stopping);
    if (begin(&old, 1)) {
        cancel();
        EXPECT_STR(test_trace(), "made; ");
        fate_play(reactor, 31 * FATE_SECOND);
        EXPECT_STR(test_trace(), "made; lost ConnectionAborted; ");
    }
    end();
}

TEST(a_reactor_that_goes_tells_nobody)
{
    if (begin(&noting, 1)) {
        fate_release(serving);
        fate_reactor_free(reactor);
        EXPECT_STR(test_trace(), "made; lost ConnectionAborted; ");
        return;
    }
    end();
}
