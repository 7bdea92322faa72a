/* Writing: what leaves when, in how many calls, and what becomes of it when it cannot. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fate/fate.h>
#include <fate/test.h>

#include "test_write_helpers.h"

static fate_reactor *reactor;

/* ---- On a transport that only records ---- */

static fate_protocol *begin(fate_ops ops)
{
    test_trace_clear();
    reactor = fate_test_reactor();
    return reactor ? fate_test_protocol(reactor, ops, fate_none()) : NULL;
}

static void end(void)
{
    int n = reactor ? fate_test_done(reactor) : 0;
    EXPECT_EQ(n, 0);
}

static void expect_taken(fate_protocol *p, const char *text)
{
    fate_value taken = fate_test_taken(p);
    EXPECT_TEXT(&taken, text);
    fate_drop(taken);
}

TEST(what_a_turn_writes_leaves_in_its_order)
{
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        EXPECT_EQ(fate_write(p->transport, "one ", 4), 0);
        EXPECT_EQ(fate_write_value(p->transport, fate_str("two ")), 0);
        EXPECT_EQ(fate_write(p->transport, "", 0), 0);
        EXPECT_EQ(fate_write(p->transport, "three", 5), 0);
        EXPECT_EQ(fate_write_queued(p->transport), 13);
        expect_taken(p, "");
        test_rounds(reactor, 1);
        expect_taken(p, "one two three");
        EXPECT_EQ(fate_write_queued(p->transport), 0);
    }
    end();
}

static void echo_and_write_nothing(fate_protocol *p, const void *data, size_t len)
{
    fate_write(p->transport, data, len);
    EXPECT_EQ(fate_write_value(p->transport, fate_str("")), 0);
}

static const fate_protocol_ops echo_and_nothing = { .size = sizeof echo_and_nothing,
                                                    .data_received = echo_and_write_nothing };

TEST(what_is_corked_leaves_although_nothing_is_written_behind_it)
{
    fate_protocol *p = begin(&echo_and_nothing);

    if (p) {
        fate_test_give(p, "hello", 5);
        test_rounds(reactor, 2);
        expect_taken(p, "hello");
    }
    end();
}

TEST(what_is_neither_text_nor_bytes_is_refused)
{
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        EXPECT_EQ(fate_write_value(p->transport, fate_int(1)), -EINVAL);
        EXPECT_EQ(fate_write_value(p->transport, fate_none()), -EINVAL);
    }
    end();
}

/* ---- Marks ---- */

TEST(writers_are_paused_above_the_high_mark_and_resumed_at_the_low_one)
{
    static const char bytes[3000] = { 0 };
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        EXPECT_EQ(fate_set_write_marks(p->transport, 1000, 2000, 4000), 0);
        fate_test_block(p, true);
        EXPECT_EQ(fate_write(p->transport, bytes, 2000), 0);
        EXPECT_STR(test_trace(), "made; ");
        EXPECT_EQ(fate_write(p->transport, bytes, 1), 0);
        EXPECT_STR(test_trace(), "made; paused; ");
        EXPECT_EQ(fate_write(p->transport, bytes, 1999), 0);
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "made; paused; ");
        fate_test_block(p, false);
        EXPECT_STR(test_trace(), "made; paused; resumed; ");
    }
    end();
}

TEST(a_queue_beyond_its_cap_loses_the_connection)
{
    static const char bytes[3000] = { 0 };
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        EXPECT_EQ(fate_set_write_marks(p->transport, 0, 4000, 4000), 0);
        fate_test_block(p, true);
        EXPECT_EQ(fate_write(p->transport, bytes, 3000), 0);
        EXPECT_EQ(fate_write(p->transport, bytes, 1001), -ENOBUFS);
        EXPECT_EQ(fate_write(p->transport, bytes, 1), -ENOTCONN);
        EXPECT_EQ(fate_write_queued(p->transport), 0);
        test_rounds(reactor, 1);
        EXPECT_STR(test_trace(), "made; lost WriteOverflow; ");
    }
    end();
}

TEST(what_the_wire_takes_at_once_is_not_counted)
{
    static const char bytes[5000] = { 0 };
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        EXPECT_EQ(fate_set_write_marks(p->transport, 0, 2000, 4000), 0);
        EXPECT_EQ(fate_write(p->transport, bytes, 5000), 0);
        EXPECT_EQ(fate_write_value(p->transport, fate_bytes(bytes, 5000)), 0);
        test_rounds(reactor, 1);
        EXPECT_STR(test_trace(), "made; ");
    }
    end();
}

static void set_falling_marks(void *arg)
{
    fate_protocol *p = begin(&test_recorder);
    if (p)
        fate_set_write_marks(p->transport, 2, 1, 3);
}

TEST(marks_must_rise)
{
    EXPECT_STOP(set_falling_marks, NULL, "2, 1 and 3", "low, high, cap");
}

/* ---- fate_flushed ---- */

static fate_value note_flushed(fate_value *v, fate_value *arg)
{
    test_trace_add("flushed; ");
    return fate_none();
}

static fate_value note_why(fate_value *why, fate_value *arg)
{
    test_trace_add("not flushed: %s; ", fate_class_of(why)->name);
    return fate_none();
}

static fate_deferred *note_when_flushed(fate_protocol *p)
{
    return fate_add_callbacks(fate_flushed(p->transport), note_flushed, note_why, fate_none());
}

static fate_value write_more(fate_value *v, fate_value *arg)
{
    static const char bytes[3000] = { 0 };
    fate_protocol *p = fate_as_ptr(arg);

    test_trace_add("flushed; ");
    fate_write(p->transport, bytes, sizeof bytes);
    return fate_none();
}

TEST(those_who_wait_for_room_are_told_while_there_is_some)
{
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        fate_set_write_marks(p->transport, 0, 8000, 9000);
        fate_test_block(p, true);
        fate_write(p->transport, "x", 1);
        for (int i = 0; i < 4; i++)
            fate_add_callback(fate_flushed(p->transport), write_more, fate_ptr(p));
        EXPECT_STR(test_trace(), "made; ");
        fate_test_block(p, false);
        EXPECT_STR(test_trace(), "made; flushed; flushed; flushed; flushed; ");
        EXPECT_EQ(fate_write_queued(p->transport), 0);
    }
    end();
}

static fate_value block_and_write(fate_value *v, fate_value *arg)
{
    fate_protocol *p = fate_as_ptr(arg);

    test_trace_add("blocked; ");
    fate_test_block(p, true);
    return write_more(v, arg);
}

TEST(those_for_whom_there_is_no_room_left_go_on_waiting)
{
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        fate_set_write_marks(p->transport, 0, 8000, 9000);
        fate_test_block(p, true);
        fate_write(p->transport, "x", 1);
        fate_add_callback(fate_flushed(p->transport), block_and_write, fate_ptr(p));
        note_when_flushed(p);
        fate_test_block(p, false);
        EXPECT_STR(test_trace(), "made; blocked; flushed; ");
        fate_test_block(p, false);
        EXPECT_STR(test_trace(), "made; blocked; flushed; flushed; ");
    }
    end();
}

TEST(whoever_waits_for_room_is_told_why_there_is_none)
{
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        fate_set_write_marks(p->transport, 0, 8000, 9000);
        fate_test_block(p, true);
        fate_write(p->transport, "x", 1);
        note_when_flushed(p);
        fate_cancel(note_when_flushed(p));
        EXPECT_STR(test_trace(), "made; not flushed: CancelledError; ");
        test_trace_clear();
        fate_abort_connection(p->transport);
        test_rounds(reactor, 1);
        note_when_flushed(p);
        EXPECT_STR(test_trace(), "not flushed: ConnectionAborted; lost ConnectionAborted; "
                                 "not flushed: ConnectionAborted; ");
    }
    end();
}

TEST(what_was_corked_before_the_marks_were_set_is_waited_for_too)
{
    fate_protocol *p = begin(&echo_and_nothing);

    if (p) {
        fate_test_give(p, "x", 1); /* from here on there is a cork */
        fate_write(p->transport, "hello", 5);
        fate_set_write_marks(p->transport, 0, 10, 20);
        note_when_flushed(p);
        EXPECT_STR(test_trace(), "");
        test_rounds(reactor, 1);
        EXPECT_STR(test_trace(), "flushed; ");
    }
    end();
}

/* ---- Messages ---- */

static void interrupt(fate_protocol *p)
{
    test_trace_add("paused; ");
    fate_send(p, "stop", 4);
}

static void ignore(fate_protocol *p, const char *message, size_t len)
{
}

TEST(a_message_is_not_torn_by_whoever_is_told_to_pause)
{
    static const fate_protocol_ops ops = {
        .size = sizeof ops, .framing = &FATE_NETSTRINGS, .message_received = ignore, .write_paused = interrupt
    };
    fate_protocol *p = begin(&ops);

    if (p) {
        fate_set_write_marks(p->transport, 0, 3, 100);
        fate_test_block(p, true);
        EXPECT_EQ(fate_send(p, "hello", 5), 0);
        fate_test_block(p, false);
        test_rounds(reactor, 2);
        expect_taken(p, "5:hello,4:stop,");
        EXPECT_STR(test_trace(), "paused; ");
    }
    end();
}

TEST(messages_are_written_as_the_framing_says)
{
    fate_protocol *p = begin(&test_line_recorder);

    if (p) {
        EXPECT_EQ(fate_send(p, "one", 3), 0);
        EXPECT_EQ(fate_send_format(p, "%d", 2), 0);
        EXPECT_EQ(fate_set_framing(p, &FATE_INT8_STRINGS), 0);
        EXPECT_EQ(fate_send(p, "three", 5), 0);
        EXPECT_EQ(fate_set_framing(p, NULL), 0);
        EXPECT_EQ(fate_send(p, "4", 1), 0);
        char *much = calloc(1, 20000);
        fate_set_framing(p, &FATE_LINES);
        EXPECT_EQ(fate_send(p, much, 20000), -EMSGSIZE);
        EXPECT_EQ(fate_send(p, much, 16385), -EMSGSIZE);
        free(much);
        test_rounds(reactor, 1);
        expect_taken(p, "one\r\n2\r\n\5three4");
        fate_abort_connection(p->transport);
        EXPECT_EQ(fate_send(p, "x", 1), -ENOTCONN);
        EXPECT_EQ(fate_send_format(p, "x"), -ENOTCONN);
    }
    end();
}

/* ---- Real sockets, whose calls are counted ----
 *
 * Those that answer each piece are not run with reads that are cut, which would be answered piece by piece.
 */

static void answer_in_parts(fate_protocol *p, const void *data, size_t len)
{
    fate_write(p->transport, data, len);
    fate_write(p->transport, " is ", 4);
    fate_write_value(p->transport, fate_str("what you "));
    fate_write(p->transport, "say", 3);
}

static void two_writes(fate_protocol *p, const void *data, size_t len)
{
    fate_write(p->transport, data, len);
    fate_write(p->transport, "!", 1);
}

VOLUME_TEST(what_a_turn_writes_leaves_in_one_call)
{
    static const fate_protocol_ops parts = { .size = sizeof parts, .data_received = answer_in_parts };
    static const fate_protocol_ops two = { .size = sizeof two, .data_received = two_writes };
    struct test_pair pair;

    if (test_counting(&reactor, &pair, TEST_TCP, &parts)) {
        test_peer_says(&pair, "this");
        test_until_heard(reactor, &pair, "this is what you say");
        EXPECT_EQ(test_sends.n, 1);
    }
    test_counting_done(reactor, &pair);
    if (test_counting(&reactor, &pair, TEST_UNIX, &two)) {
        for (int i = 1; i <= 3; i++) {
            test_peer_says(&pair, "hello");
            test_until_heard(reactor, &pair, "hello!");
            EXPECT_EQ(test_sends.n, i);
        }
    }
    test_counting_done(reactor, &pair);
}

VOLUME_TEST(a_reactor_without_memory_for_one_goes_on_with_the_next)
{
    static const fate_protocol_ops two = { .size = sizeof two, .data_received = two_writes };
    struct test_pair pair, next = { NULL, -1 };

    if (test_counting(&reactor, &pair, TEST_UNIX, &test_recorder)) {
        test_rounds(reactor, 2);
        test_peer_says(&pair, "hello");
        test_fail_allocation(1, false);
        test_until_trace(reactor, "lost ");
        test_fail_allocation(0, false);
        EXPECT_STR(test_trace(), "made; lost NoMemory; ");
        next = test_pair(reactor, TEST_UNIX, &two, fate_none());
    }
    if (next.p) {
        test_peer_says(&next, "hello");
        test_until_heard(reactor, &next, "hello!");
    }
    test_pair_done(&next);
    test_counting_done(reactor, &pair);
}

static fate_protocol *another;

static void write_to_both(fate_protocol *p, const void *data, size_t len)
{
    for (int i = 0; i < 3; i++) {
        fate_write(another->transport, data, len);
        fate_write(p->transport, data, len);
    }
}

VOLUME_TEST(several_transports_written_in_turn_have_one_call_each)
{
    static const fate_protocol_ops ops = { .size = sizeof ops, .data_received = write_to_both };
    struct test_pair pair, other = { NULL, -1 };

    if (test_counting(&reactor, &pair, TEST_TCP, &ops))
        other = test_pair(reactor, TEST_UNIX, &test_recorder, fate_none());
    if (other.p) {
        another = other.p;
        test_peer_says(&pair, "abc");
        test_until_heard(reactor, &pair, "abcabcabc");
        test_until_heard(reactor, &other, "abcabcabc");
        EXPECT_EQ(test_sends.n, 2);
    }
    test_pair_done(&other);
    test_counting_done(reactor, &pair);
}

#define MUCH ((size_t)600000)

VOLUME_TEST(much_that_is_written_at_once_arrives_whole_before_the_end)
{
    struct test_pair pair;
    char *bytes = test_patterned(MUCH);

    if (test_counting(&reactor, &pair, TEST_TCP, &test_recorder)) {
        EXPECT_EQ(fate_write(pair.p->transport, bytes, 10), 0);
        EXPECT_EQ(fate_write(pair.p->transport, bytes + 10, MUCH - 10), 0);
        EXPECT_EQ(fate_lose_connection(pair.p->transport), 0);
        EXPECT_EQ(fate_write(pair.p->transport, "x", 1), -ENOTCONN);
        test_expect_flood(reactor, &pair, MUCH, true);
    }
    test_counting_done(reactor, &pair);
    free(bytes);
}

TEST(more_values_than_go_in_one_call_arrive_in_order)
{
    struct test_pair pair;
    char *bytes = test_patterned(200 * 5);

    if (test_counting(&reactor, &pair, TEST_UNIX, &test_recorder)) {
        for (size_t i = 0; i < 200; i++)
            EXPECT_EQ(fate_write_value(pair.p->transport, fate_bytes(bytes + 5 * i, 5)), 0);
        test_expect_flood(reactor, &pair, 200 * 5, false);
        EXPECT(test_sends.n <= 4);
    }
    test_counting_done(reactor, &pair);
    free(bytes);
}

VOLUME_TEST(a_value_is_not_copied_and_kept_until_it_has_left)
{
    struct test_pair pair;
    char *bytes = test_patterned(MUCH);

    if (test_counting(&reactor, &pair, TEST_UNIX, &test_recorder)) {
        fate_value value = fate_bytes(bytes, MUCH);
        long before = test_blocks();
        EXPECT_EQ(fate_write_value(pair.p->transport, fate_copy(&value)), 0);
        EXPECT(test_blocks() - before <= 4);
        EXPECT(fate_write_queued(pair.p->transport) > 0);
        fate_drop(value);
        test_expect_flood(reactor, &pair, MUCH, false);
        EXPECT_EQ(fate_write_queued(pair.p->transport), 0);
    }
    test_counting_done(reactor, &pair);
    free(bytes);
}

/* ---- Trouble ---- */

TEST(writing_much_to_a_peer_that_is_gone_while_reading_is_paused)
{
    struct test_pair pair;
    char *bytes = test_patterned(100000);

    if (test_counting(&reactor, &pair, TEST_UNIX, &test_recorder)) {
        fate_pause_reading(pair.p->transport);
        test_peer_closes(&pair);
        fate_write_value(pair.p->transport, fate_str("first"));
        EXPECT_EQ(fate_write(pair.p->transport, bytes, 100000), -ENOTCONN);
        test_until_trace(reactor, "lost ");
        EXPECT_STR(test_trace(), "made; lost ConnectionReset; ");
    }
    test_counting_done(reactor, &pair);
    free(bytes);
}

TEST(what_had_come_before_writing_failed_is_still_read)
{
    struct test_pair pair;

    if (test_counting(&reactor, &pair, TEST_UNIX, &test_recorder)) {
        test_peer_says(&pair, "go away");
        test_peer_closes(&pair);
        fate_write(pair.p->transport, "hello", 5);
        test_until_trace(reactor, "lost ");
        EXPECT_STR(test_trace(), "made; got go away; lost ConnectionReset; ");
    }
    test_counting_done(reactor, &pair);
}

TEST(a_connection_whose_writing_fails_is_lost_though_its_peer_says_nothing)
{
    struct test_pair pair;

    if (test_counting(&reactor, &pair, TEST_UNIX, &test_recorder)) {
        test_sends.fails_with = EHOSTUNREACH;
        test_sends.n_failing = 1;
        fate_write(pair.p->transport, "hello", 5);
        fate_set_write_marks(pair.p->transport, 0, 10, 20);
        note_when_flushed(pair.p);
        test_until_trace(reactor, "lost ");
        EXPECT_STR(test_trace(), "made; not flushed: ConnectionLost; lost ConnectionLost; ");
    }
    test_counting_done(reactor, &pair);
}

static void go_on(fate_value *arg)
{
    test_trace_add("later; ");
}

VOLUME_TEST(a_want_of_buffers_passes)
{
    struct test_pair pair;

    if (test_counting(&reactor, &pair, TEST_TCP, &test_recorder)) {
        test_sends.fails_with = ENOBUFS;
        test_sends.n_failing = 2;
        fate_write(pair.p->transport, "hello", 5);
        test_rounds(reactor, 2);
        EXPECT_EQ(test_sends.n_failing, 1);
        test_peer_says(&pair, "a"); /* of which the poller says that it is writable as well */
        test_until_trace(reactor, "got a; ");
        EXPECT_EQ(test_sends.n_failing, 1);
        test_until_heard(reactor, &pair, "hello");
        EXPECT_STR(test_trace(), "made; got a; ");
    }
    test_counting_done(reactor, &pair);
}

VOLUME_TEST(whoever_waits_for_buffers_may_be_lost_meanwhile)
{
    struct test_pair pair;

    if (test_counting(&reactor, &pair, TEST_TCP, &test_recorder)) {
        test_sends.fails_with = ENOBUFS;
        test_sends.n_failing = 1000;
        fate_write(pair.p->transport, "hello", 5);
        test_rounds(reactor, 2);
        test_peer_says(&pair, "a");
        test_until_trace(reactor, "got a; ");
        fate_abort_connection(pair.p->transport);
        fate_call_later(reactor, 100 * FATE_MILLISECOND, go_on, fate_none());
        test_until_trace(reactor, "later; ");
        EXPECT_STR(test_trace(), "made; got a; lost ConnectionAborted; later; ");
    }
    test_counting_done(reactor, &pair);
}
