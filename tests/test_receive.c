/* fate_receive, conversations, deferreds that end with their connection, and values that keep a protocol. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fate/fate.h>
#include <fate/test.h>

#include "test_net_helpers.h"

static fate_reactor *reactor;

/* One that could not be given its message, or its callbacks, waits on: only one at a time may. */
static bool is_waiting;

static fate_protocol *begin(fate_ops ops)
{
    test_trace_clear();
    is_waiting = false;
    reactor = fate_test_reactor();
    return reactor ? fate_test_protocol(reactor, ops, fate_none()) : NULL;
}

static void end(void)
{
    int n = reactor ? fate_test_done(reactor) : 0;

    if (!test_is_oom())
        EXPECT_EQ(n, 0);
    reactor = NULL;
}

static void lost(fate_protocol *p, fate_value *why)
{
    test_trace_add("lost %s; ", fate_class_of(why)->name);
}

/* ---- fate_receive ---- */

static const fate_protocol_ops line_receiver = { .size = sizeof line_receiver,
                                                 .framing = &FATE_LINES,
                                                 .connection_lost = lost };
static const fate_protocol_ops byte_receiver = { .size = sizeof byte_receiver, .connection_lost = lost };

static fate_value note_received(fate_value *v, fate_value *arg)
{
    is_waiting = false;
    test_trace_add("received %s; ", fate_as_str(v));
    return fate_none();
}

static fate_value note_why(fate_value *why, fate_value *arg)
{
    is_waiting = false;
    test_trace_add("none: %s; ", fate_class_of(why)->name);
    return fate_none();
}

static void receive(fate_protocol *p)
{
    if (is_waiting && test_is_oom())
        return;
    is_waiting = true;
    fate_add_callbacks(fate_receive(p), note_received, note_why, fate_none());
}

static void give(fate_protocol *p, const char *text)
{
    fate_test_give(p, text, strlen(text));
}

TEST(messages_are_received_one_by_one_as_they_are_asked_for)
{
    fate_protocol *p = begin(&line_receiver);

    if (p) {
        receive(p);
        EXPECT_STR(test_trace(), "");
        give(p, "one\ntwo\nthr");
        EXPECT_STR(test_trace(), "received one; ");
        receive(p);
        EXPECT_STR(test_trace(), "received one; received two; ");
        receive(p);
        give(p, "ee\n");
        EXPECT_STR(test_trace(), "received one; received two; received three; ");
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "received one; received two; received three; ");
    }
    end();
}

TEST(bytes_are_received_as_they_come)
{
    fate_protocol *p = begin(&byte_receiver);

    if (p) {
        give(p, "one");
        test_rounds(reactor, 2);
        receive(p);
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "received one; ");
        receive(p);
        give(p, "two");
        EXPECT_STR(test_trace(), "received one; received two; ");
    }
    end();
}

TEST(a_cancel_loses_no_message)
{
    fate_protocol *p = begin(&line_receiver);

    if (p) {
        fate_cancel(fate_add_errback(fate_receive(p), note_why, fate_none()));
        EXPECT_STR(test_trace(), "none: CancelledError; ");
        give(p, "one\ntwo\n");
        test_rounds(reactor, 2);
        receive(p);
        test_rounds(reactor, 2);
        receive(p);
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "none: CancelledError; received one; received two; ");
    }
    end();
}

TEST(after_the_last_message_comes_the_end)
{
    fate_protocol *p = begin(&line_receiver);

    if (p) {
        give(p, "one\ntwo\npart");
        fate_test_give(p, NULL, 0);
        for (int i = 0; i < 4; i++) {
            receive(p);
            test_rounds(reactor, 2);
        }
        EXPECT_STR(test_trace(), "received one; received two; none: ConnectionDone; lost ConnectionDone; "
                                 "none: ConnectionDone; ");
    }
    end();
}

static fate_value abort_it(fate_value *why, fate_value *arg)
{
    fate_protocol *p = fate_as_ptr(arg);

    test_trace_add("none: %s; ", fate_class_of(why)->name);
    fate_abort_connection(p->transport);
    return fate_none();
}

static void read_lost(fate_protocol *p)
{
    test_trace_add("read_lost; ");
}

TEST(no_end_of_reading_is_told_once_the_connection_is_aborted)
{
    static const fate_protocol_ops ops = {
        .size = sizeof ops, .framing = &FATE_LINES, .read_lost = read_lost, .connection_lost = lost
    };
    fate_protocol *p = begin(&ops);

    if (p) {
        fate_add_errback(fate_receive(p), abort_it, fate_ptr(p));
        fate_test_give(p, NULL, 0);
        test_rounds(reactor, 1);
        EXPECT_STR(test_trace(), "none: ConnectionDone; lost ConnectionAborted; ");
    }
    end();
}

TEST(a_receiver_is_told_why_the_connection_is_lost)
{
    fate_protocol *p = begin(&line_receiver);

    if (p) {
        receive(p);
        fate_test_lose(p, fate_raise(&FATE_CONNECTION_RESET, "a test"));
        receive(p);
        EXPECT_STR(test_trace(), "none: ConnectionReset; lost ConnectionReset; none: ConnectionReset; ");
    }
    end();
}

TEST(a_bad_message_is_told_to_the_receiver)
{
    static const fate_protocol_ops ops = { .size = sizeof ops,
                                           .framing = &FATE_NETSTRINGS,
                                           .connection_lost = lost };
    fate_protocol *p = begin(&ops);

    if (p) {
        receive(p);
        give(p, "2:hi,nonsense");
        receive(p);
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "received hi; none: FramingError; lost FramingError; ");
    }
    end();
}

static void receive_twice(void *arg)
{
    fate_protocol *p = begin(&line_receiver);
    if (p) {
        fate_receive(p);
        fate_receive(p);
    }
}

static void receive_beside_data_received(void *arg)
{
    fate_protocol *p = begin(&test_recorder);
    if (p)
        fate_receive(p);
}

TEST(misuse_of_receive_stops)
{
    EXPECT_STOP(receive_twice, NULL, "another one waits");
    EXPECT_STOP(receive_beside_data_received, NULL, "has data_received");
}

/* ---- fate_tie ---- */

static fate_value note_fired(fate_value *v, fate_value *arg)
{
    test_trace_add("fired; ");
    return fate_none();
}

static fate_value note_cancelled(fate_value *why, fate_value *arg)
{
    test_trace_add("%s; ", fate_class_of(why)->name);
    return fate_none();
}

static fate_deferred *note(fate_deferred *d)
{
    return fate_add_callbacks(d, note_fired, note_cancelled, fate_none());
}

TEST(what_is_tied_ends_with_the_connection_before_it_is_told)
{
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        fate_deferred *fired = fate_deferred_new(reactor);
        EXPECT_PTR(fate_tie(p, fired), fired);
        note(fired);
        note(fate_tie(p, fate_deferred_new(reactor)));
        note(fate_tie(p, fate_succeed(reactor, fate_int(1))));
        fate_fire(fired, fate_none());
        EXPECT_STR(test_trace(), "made; fired; fired; ");
        fate_abort_connection(p->transport);
        EXPECT_STR(test_trace(), "made; fired; fired; ");
        test_rounds(reactor, 1);
        EXPECT_STR(test_trace(), "made; fired; fired; CancelledError; lost ConnectionAborted; ");
        note(fate_tie(p, fate_deferred_new(reactor)));
        EXPECT_STR(test_trace(), "made; fired; fired; CancelledError; lost ConnectionAborted; "
                                 "CancelledError; ");
    }
    end();
}

static fate_value tie_another(fate_value *why, fate_value *arg)
{
    fate_protocol *p = fate_as_ptr(arg);

    note(fate_tie(p, fate_deferred_new(reactor)));
    return fate_none();
}

TEST(what_is_tied_while_the_connection_goes_ends_at_once)
{
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        fate_add_errback(fate_tie(p, fate_deferred_new(reactor)), tie_another, fate_ptr(p));
        fate_test_lose(p, fate_raise(&FATE_CONNECTION_RESET, "a test"));
        EXPECT_STR(test_trace(), "made; CancelledError; lost ConnectionReset; ");
    }
    end();
}

/* ---- Conversations ---- */

static fate_value converse(fate_coro *co, fate_protocol *p)
{
    for (;;) {
        fate_value line = fate_await(co, fate_receive(p));
        if (fate_is_failure(&line)) {
            test_trace_add("ends: %s; ", fate_class_of(&line)->name);
            return line;
        }
        test_trace_add("said %s; ", fate_as_str(&line));
        bool is_last = strcmp(fate_as_str(&line), "bye") == 0;
        fate_send(p, fate_as_str(&line), fate_count(&line));
        fate_drop(line);
        if (is_last)
            return fate_none();
    }
}

static const fate_protocol_ops conversation = {
    .size = sizeof conversation, .framing = &FATE_LINES, .converse = converse, .connection_lost = lost
};

static void expect_taken(fate_protocol *p, const char *text)
{
    fate_value taken = fate_test_taken(p);
    EXPECT_TEXT(&taken, text);
    fate_drop(taken);
}

static int n_logs;

static void count_log(const fate_log_entry *entry, fate_value *arg)
{
    n_logs++;
}

static fate_protocol *begin_conversation(fate_ops ops)
{
    fate_protocol *p = begin(ops);

    n_logs = 0;
    if (reactor)
        fate_log_observe(reactor, FATE_LOG_INFO, count_log, fate_none());
    return p;
}

TEST(a_conversation_that_returns_closes)
{
    fate_protocol *p = begin_conversation(&conversation);

    if (p) {
        give(p, "hello\nbye\nignored\n");
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "said hello; said bye; lost ConnectionDone; ");
        expect_taken(p, "hello\r\nbye\r\n");
        EXPECT_EQ(n_logs, 0);
    }
    end();
}

TEST(a_conversation_hears_of_the_end_and_may_still_write)
{
    fate_protocol *p = begin_conversation(&conversation);

    if (p) {
        give(p, "hello\n");
        fate_test_give(p, NULL, 0);
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "said hello; ends: ConnectionDone; lost ConnectionDone; ");
        EXPECT_EQ(n_logs, 0);
    }
    end();
}

TEST(a_conversation_that_only_passes_on_why_it_was_lost_is_not_logged)
{
    fate_protocol *p = begin_conversation(&conversation);

    if (p) {
        fate_test_lose(p, fate_raise(&FATE_CONNECTION_RESET, "a test"));
        EXPECT_STR(test_trace(), "ends: ConnectionReset; lost ConnectionReset; ");
        EXPECT_EQ(n_logs, 0);
    }
    end();
    p = begin_conversation(&conversation);
    if (p) {
        fate_set_idle_timeout(p->transport, FATE_SECOND);
        fate_advance(reactor, FATE_SECOND);
        EXPECT_STR(test_trace(), "ends: IdleTimeout; lost IdleTimeout; ");
        EXPECT_EQ(n_logs, 0);
    }
    end();
}

static fate_value wait_and_fail(fate_coro *co, fate_protocol *p)
{
    fate_value v = fate_await(co, fate_receive(p));

    fate_drop(v);
    return fate_raise(&FATE_VALUE_ERROR, "wrong");
}

TEST(other_failures_of_conversations_are_logged_and_close)
{
    static const fate_protocol_ops ops = { .size = sizeof ops,
                                           .converse = wait_and_fail,
                                           .connection_lost = lost };
    fate_protocol *p = begin_conversation(&ops);

    if (p) {
        give(p, "x");
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "lost ConnectionDone; ");
        EXPECT_EQ(n_logs, 1);
    }
    end();
}

static fate_value return_at_once(fate_coro *co, fate_protocol *p)
{
    fate_write(p->transport, "hi", 2);
    return fate_none();
}

static fate_value abort_at_once(fate_coro *co, fate_protocol *p)
{
    fate_abort_connection(p->transport);
    return fate_await(co, fate_receive(p));
}

TEST(a_conversation_may_end_at_once)
{
    static const fate_protocol_ops returning = { .size = sizeof returning,
                                                 .converse = return_at_once,
                                                 .connection_lost = lost };
    static const fate_protocol_ops aborting = { .size = sizeof aborting,
                                                .converse = abort_at_once,
                                                .connection_lost = lost };
    fate_protocol *p = begin_conversation(&returning);

    if (p) {
        test_rounds(reactor, 1);
        EXPECT_STR(test_trace(), "lost ConnectionDone; ");
        expect_taken(p, "hi");
    }
    end();
    p = begin_conversation(&aborting);
    if (p) {
        test_rounds(reactor, 1);
        EXPECT_STR(test_trace(), "lost ConnectionAborted; ");
        EXPECT_EQ(n_logs, 0);
    }
    end();
}

static fate_deferred *a_second(void)
{
    return fate_defer_later_at(reactor, FATE_SECOND, NULL, fate_none(), FATE_HERE);
}

/* It goes on after it was cancelled, and uses what is left. */
static fate_value linger(fate_coro *co, fate_protocol *p)
{
    fate_value v = fate_await(co, a_second());

    test_trace_add("woken: %s; ", fate_is_failure(&v) ? fate_class_of(&v)->name : "in time");
    fate_drop(v);
    fate_drop(fate_await(co, a_second()));
    test_trace_add("write: %d; ", fate_write(p->transport, "x", 1) == -ENOTCONN);
    fate_drop(fate_await(co, fate_receive(p)));
    return fate_none();
}

TEST(the_loss_is_told_when_the_conversation_has_ended)
{
    static const fate_protocol_ops ops = { .size = sizeof ops, .converse = linger, .connection_lost = lost };
    fate_protocol *p = begin_conversation(&ops);

    if (p) {
        fate_abort_connection(p->transport);
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "woken: CancelledError; ");
        fate_advance(reactor, FATE_SECOND);
        EXPECT_STR(test_trace(), "woken: CancelledError; write: 1; lost ConnectionAborted; ");
    }
    end();
}

TEST(a_conversation_ends_with_its_reactor)
{
    static const fate_protocol_ops ops = { .size = sizeof ops, .converse = linger, .connection_lost = lost };
    struct test_pair pair = { NULL, -1 };

    test_trace_clear();
    reactor = test_real_reactor(NULL);
    if (reactor)
        pair = test_pair(reactor, TEST_UNIX, &ops, fate_none());
    if (pair.p) {
        fate_reactor_free(reactor);
        reactor = NULL;
        EXPECT_STR(test_trace(), "woken: CancelledError; write: 0; lost ConnectionDone; ");
    }
    test_pair_done(&pair);
}

/* ---- Values that keep a protocol ---- */

static fate_value kept;

static void forget(fate_protocol *p, fate_value *why)
{
    test_trace_add("lost %s; ", fate_class_of(why)->name);
    fate_drop(fate_take(&kept));
    fate_drop(fate_self(p));
}

static bool begin_kept(struct test_pair *pair, fate_ops ops)
{
    test_trace_clear();
    kept = fate_none();
    *pair = (struct test_pair){ NULL, -1 };
    reactor = test_real_reactor(NULL);
    if (reactor)
        *pair = test_pair(reactor, TEST_UNIX, ops, fate_str("an arg"));
    if (pair->p)
        kept = fate_self(pair->p);
    return pair->p != NULL;
}

TEST(the_last_value_may_go_in_connection_lost)
{
    static const fate_protocol_ops ops = { .size = sizeof ops, .connection_lost = forget };
    struct test_pair pair;

    if (begin_kept(&pair, &ops)) {
        fate_abort_connection(pair.p->transport);
        test_rounds(reactor, 1);
        EXPECT_STR(test_trace(), "lost ConnectionAborted; ");
    }
    test_pair_done(&pair);
    fate_reactor_free(reactor);
}

static void keep(fate_protocol *p, fate_value *why)
{
    test_trace_add("lost %s; ", fate_class_of(why)->name);
    fate_drop(fate_take(&kept));
    kept = fate_self(p);
}

TEST(a_value_may_outlive_the_reactor)
{
    static const fate_protocol_ops ops = { .size = sizeof ops, .connection_lost = keep };
    struct test_pair pair;

    if (begin_kept(&pair, &ops)) {
        fate_protocol *p = pair.p;
        fate_reactor_free(reactor);
        reactor = NULL;
        EXPECT_STR(test_trace(), "lost ConnectionAborted; ");
        EXPECT_PTR(fate_as_protocol(&kept), p);
        EXPECT(!fate_is_connected(p->transport));
        EXPECT_TEXT(p->arg, "an arg");
        EXPECT(fate_next_connection(p, NULL) == NULL);
    }
    fate_drop(fate_take(&kept));
    test_pair_done(&pair);
    fate_reactor_free(reactor);
}

static fate_value note_end(fate_value *result, fate_value *arg)
{
    test_trace_add("%s: %s; ", fate_as_str(arg),
                   fate_is_failure(result) ? fate_class_of(result)->name : "fired");
    return fate_none();
}

TEST(a_reactor_may_go_with_all_that_waits_for_a_connection)
{
    struct test_pair pair;
    char *much = calloc(1, 1 << 20);

    if (begin_kept(&pair, &line_receiver)) {
        fate_protocol *p = pair.p;
        fate_write(p->transport, much, 1 << 20);
        fate_add_both(fate_flushed(p->transport), note_end, fate_str("flushed"));
        fate_add_both(fate_receive(p), note_end, fate_str("received"));
        fate_add_both(fate_tie(p, fate_deferred_new(reactor)), note_end, fate_str("tied"));
        fate_set_idle_timeout(p->transport, 60 * FATE_SECOND);
        fate_reactor_free(reactor);
        reactor = NULL;
        EXPECT_STR(test_trace(), "flushed: CancelledError; received: CancelledError; tied: CancelledError; "
                                 "lost ConnectionAborted; ");
    }
    fate_drop(fate_take(&kept));
    test_pair_done(&pair);
    fate_reactor_free(reactor);
    free(much);
}

static void take_no_protocol(void *arg)
{
    const fate_value v = fate_int(1);
    fate_as_protocol(&v);
}

TEST(what_keeps_no_protocol_stops)
{
    EXPECT_STOP(take_no_protocol, NULL, "no protocol");
}
