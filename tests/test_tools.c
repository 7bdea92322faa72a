/* The tools for tests: reactors, protocols without a network, results, what is left. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fate/fate.h>
#include <fate/test.h>

#include "test_net_helpers.h"

static fate_reactor *reactor;

/* ---- What is left ----
 *
 * It is printed on standard error, which is read back. */

static char said[8192];

static int done_and_say(void)
{
    FILE *before = stderr;
    char *text = NULL;
    size_t len = 0;

    stderr = open_memstream(&text, &len);
    int n = fate_test_done(reactor);
    fclose(stderr);
    stderr = before;
    snprintf(said, sizeof said, "%s", text ? text : "");
    free(text);
    return n;
}

static bool begin(void)
{
    test_trace_clear();
    reactor = fate_test_reactor();
    return reactor != NULL;
}

TEST(nothing_is_left_of_nothing)
{
    if (!begin())
        return;
    EXPECT_EQ(done_and_say(), 0);
    EXPECT_STR(said, "");
    EXPECT_EQ(fate_test_done(NULL), 0);
}

static void nothing(fate_value *arg)
{
}

/* What is made on the line above. */
static const char *line_above(int line)
{
    static char text[64];
    snprintf(text, sizeof text, "test_tools.c:%d", line - 1);
    return text;
}

static void expect_left(const char *kind, int line)
{
    char text[128];
    snprintf(text, sizeof text, "fate_test_done: left: %s %s", kind, line_above(line));
    EXPECT_CONTAINS(said, text);
}

TEST(a_deferred_that_has_not_fired_is_left)
{
    if (!begin())
        return;
    fate_deferred_new(reactor);
    int line = __LINE__;
    fate_hold(fate_succeed(reactor, fate_int(1)));
    fate_lock_new(reactor);
    EXPECT_EQ(done_and_say(), 1);
    expect_left("deferred", line);
}

TEST(a_pending_call_is_left)
{
    if (!begin())
        return;
    fate_call_later(reactor, FATE_SECOND, nothing, fate_none());
    int line = __LINE__;
    EXPECT_EQ(done_and_say(), 1);
    expect_left("delayed call nothing", line);
    EXPECT_CONTAINS(said, "due in 1.0 s");
}

static fate_value wait_for(fate_coro *co, fate_value *arg)
{
    return fate_await(co, fate_as_deferred(arg));
}

TEST(a_suspended_coroutine_is_left_and_what_it_waits_for)
{
    if (!begin())
        return;
    fate_deferred *d = fate_deferred_new(reactor);
    fate_go(reactor, wait_for, fate_held(d));
    EXPECT_EQ(done_and_say(), 2);
    EXPECT_CONTAINS(said, "left: coroutine wait_for");
}

TEST(a_failure_that_nobody_handled_is_left)
{
    if (!begin())
        return;
    fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "wrong token"));
    int line = __LINE__;
    EXPECT_EQ(done_and_say(), 1);
    EXPECT_CONTAINS(said, line_above(line));
    EXPECT_CONTAINS(said, "ValueError: wrong token");
}

TEST(reports_are_taken_away_by_their_class)
{
    if (!begin())
        return;
    fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "one"));
    fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "two"));
    fate_fail(reactor, fate_raise(&FATE_CONNECTION_RESET, "three"));
    EXPECT_EQ(fate_test_reports(reactor, &FATE_VALUE_ERROR), 2);
    EXPECT_EQ(fate_test_reports(reactor, &FATE_VALUE_ERROR), 0);
    EXPECT_EQ(fate_test_reports(reactor, &FATE_CONNECTION_LOST), 1);
    EXPECT_EQ(done_and_say(), 0);
}

TEST(an_open_descriptor_is_left)
{
    if (!begin())
        return;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(done_and_say(), 1);
    EXPECT_CONTAINS(said, "is open: /dev/null");
    close(fd);
}

TEST(a_descriptor_that_took_the_place_of_another_is_left)
{
    int first = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (begin()) {
        int second = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        dup2(second, first);
        close(second);
        EXPECT_EQ(done_and_say(), 1);
        EXPECT_CONTAINS(said, "/dev/zero");
    }
    close(first);
}

/* ---- Results ---- */

TEST(results_are_looked_at)
{
    if (!begin())
        return;
    fate_deferred *d = fate_hold(fate_deferred_new(reactor));
    EXPECT(fate_test_pending(d) || test_is_oom());
    if (fate_fire(d, fate_int(3)) == 0) {
        EXPECT(!fate_test_pending(d));
        EXPECT_INT(fate_test_success(d), 3);
        EXPECT_INT(fate_test_success(d), 3);
    }
    fate_release(d);
    EXPECT_EQ(fate_test_done(reactor), 0);
}

TEST(a_failure_that_is_taken_is_not_reported)
{
    if (!begin())
        return;
    fate_deferred *d = fate_hold(fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "wrong")));
    EXPECT_FAILURE(fate_test_failure(d), &FATE_VALUE_ERROR);
    if (!test_is_oom())
        fate_drop(fate_take(fate_test_failure(d)));
    fate_release(d);
    EXPECT_EQ(fate_test_done(reactor), 0);
}

static void succeed_unfired(void *arg)
{
    fate_test_success(fate_deferred_new(fate_test_reactor()));
}

static void succeed_failed(void *arg)
{
    fate_test_success(fate_fail(fate_test_reactor(), fate_raise(&FATE_VALUE_ERROR, "wrong token")));
}

static void fail_succeeded(void *arg)
{
    fate_test_failure(fate_succeed(fate_test_reactor(), fate_str("fine")));
}

static void reports_of_another(void *arg)
{
    fate_test_reports(fate_reactor_new_simulated(), &FATE_ERROR);
}

TEST(what_does_not_fit_stops_the_program)
{
    EXPECT_STOP(succeed_unfired, NULL, "test_tools.c:", "fate_test_success", "has not fired");
    EXPECT_STOP(succeed_failed, NULL, "test_tools.c:", "fate_test_success", "ValueError: wrong token");
    EXPECT_STOP(fail_succeeded, NULL, "test_tools.c:", "fate_test_failure", "fine");
    EXPECT_STOP(reports_of_another, NULL, "test_tools.c:", "fate_test_reports", "fate_test_reactor");
}

/* ---- Protocols without a network ---- */

static void answer(fate_protocol *p, const char *line, size_t len)
{
    if (strcmp(line, "quit") == 0) {
        fate_send_format(p, "bye");
        fate_lose_connection(p->transport);
    } else
        fate_send_format(p, "you said %s", line);
}

static void lost(fate_protocol *p, fate_value *why)
{
    test_trace_add("lost %s; ", fate_class_of(why)->name);
}

static void greet(fate_protocol *p)
{
    fate_send_format(p, "hello");
}

static const fate_protocol_ops talker = {
    .size = sizeof talker,
    .name = "talker",
    .framing = &FATE_LINES,
    .connection_made = greet,
    .message_received = answer,
    .connection_lost = lost,
};

static void expect_taken(fate_protocol *p, const char *text)
{
    fate_value taken = fate_test_taken(p);
    EXPECT_TEXT(&taken, text);
    fate_drop(taken);
}

TEST(a_protocol_talks_to_the_test)
{
    if (!begin())
        return;
    fate_protocol *p = fate_test_protocol(reactor, &talker, fate_none());
    if (p) {
        expect_taken(p, "hello\r\n");
        EXPECT_EQ(fate_test_give(p, "one\r\ntw", 7), 0);
        expect_taken(p, "you said one\r\n");
        fate_test_give(p, "o\r\n", 3);
        expect_taken(p, "you said two\r\n");
        expect_taken(p, "");
    }
    EXPECT_EQ(fate_test_done(reactor), 0);
    EXPECT_STR(test_trace(), "lost ConnectionDone; ");
}

TEST(what_a_lost_protocol_wrote_can_be_taken)
{
    if (!begin())
        return;
    fate_protocol *p = fate_test_protocol(reactor, &talker, fate_none());
    if (p) {
        EXPECT(!fate_test_has_ended(p));
        fate_test_give(p, "quit\r\n", 6);
        EXPECT_STR(test_trace(), "lost ConnectionDone; ");
        EXPECT(fate_test_has_ended(p));
        expect_taken(p, "hello\r\nbye\r\n");
        EXPECT_EQ(fate_test_give(p, "more\r\n", 6), 0);
        expect_taken(p, "");
    }
    EXPECT_EQ(fate_test_done(reactor), 0);
}

TEST(the_peer_ends_and_is_lost)
{
    if (!begin())
        return;
    fate_protocol *p = fate_test_protocol(reactor, &talker, fate_none());
    if (p)
        fate_test_give(p, NULL, 0);
    EXPECT_STR(test_trace(), "lost ConnectionDone; ");
    p = fate_test_protocol(reactor, &talker, fate_none());
    if (p)
        fate_test_lose(p, fate_raise(&FATE_CONNECTION_RESET, "gone"));
    EXPECT_STR(test_trace(), "lost ConnectionDone; lost ConnectionReset; ");
    if (p) {
        fate_test_lose(p, fate_raise(&FATE_CONNECTION_RESET, "gone again"));
        EXPECT_EQ(fate_write(p->transport, "x", 1), -ENOTCONN);
    }
    EXPECT_EQ(fate_test_done(reactor), 0);
    EXPECT_STR(test_trace(), "lost ConnectionDone; lost ConnectionReset; ");
}

TEST(a_peer_that_does_not_read_lets_the_writes_queue)
{
    if (!begin())
        return;
    fate_protocol *p = fate_test_protocol(reactor, &test_recorder, fate_none());
    if (p) {
        fate_test_block(p, true);
        fate_set_write_marks(p->transport, 2, 4, 100);
        fate_write(p->transport, "abcdefgh", 8);
        fate_turn(reactor, nothing, fate_none());
        EXPECT_EQ(fate_write_queued(p->transport), 8);
        expect_taken(p, "");
        fate_test_block(p, false);
        EXPECT_EQ(fate_write_queued(p->transport), 0);
        expect_taken(p, "abcdefgh");
    }
    EXPECT_STR(test_trace(), "made; paused; resumed; ");
    EXPECT_EQ(fate_test_done(reactor), 0);
}

TEST(a_paused_protocol_gets_its_bytes_later)
{
    if (!begin())
        return;
    fate_protocol *p = fate_test_protocol(reactor, &test_recorder, fate_none());
    if (p) {
        fate_pause_reading(p->transport);
        fate_test_give(p, "one", 3);
        fate_test_give(p, "two", 3);
        EXPECT_STR(test_trace(), "made; ");
        fate_resume_reading(p->transport);
        fate_advance(reactor, 0);
        EXPECT_STR(test_trace(), "made; got onetwo; ");
    }
    EXPECT_EQ(fate_test_done(reactor), 0);
}

static void note_drop(void *data)
{
    test_trace_add("arg dropped; ");
}

struct noted {
    int unused;
};

static fate_protocol *refuse(fate_value *arg, const fate_address *peer)
{
    return NULL;
}

static const fate_protocol_ops refusing = { .size = sizeof refusing, .build = refuse };

TEST(the_arg_goes_with_the_protocol_and_with_one_that_is_refused)
{
    if (!begin())
        return;
    fate_value arg = fate_box_with(note_drop, struct noted, 0);
    bool is_there = !fate_is_failure(&arg);
    fate_test_protocol(reactor, &test_recorder, arg);
    EXPECT_EQ(fate_test_done(reactor), 0);
    if (is_there)
        EXPECT_STR(test_trace(), "made; lost ConnectionDone; arg dropped; ");

    if (!begin())
        return;
    EXPECT_PTR(fate_test_protocol(reactor, &refusing, fate_box_with(note_drop, struct noted, 0)), NULL);
    EXPECT_STR(test_trace(), "arg dropped; ");
    EXPECT_EQ(fate_test_done(reactor), 0);
}

TEST(a_protocol_whose_turn_to_read_does_not_come_goes_too)
{
    if (!begin())
        return;
    fate_protocol *p = fate_test_protocol(reactor, &test_recorder, fate_none());
    if (p) {
        fate_pause_reading(p->transport);
        fate_test_give(p, "unread", 6);
        fate_resume_reading(p->transport);
    }
    EXPECT_EQ(fate_test_done(reactor), 0);
    EXPECT_STR(test_trace(), "made; lost ConnectionDone; ");
}

/* Freed by the other door, the recorded connections go all the same. */
TEST(a_test_reactor_may_be_freed_as_any)
{
    if (!begin())
        return;
    fate_test_protocol(reactor, &talker, fate_none());
    fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "unheard"));
    fate_reactor_free(reactor);
    EXPECT_STR(test_trace(), "lost ConnectionAborted; ");
}

static void give_after_the_end(void *arg)
{
    fate_protocol *p = fate_test_protocol(fate_test_reactor(), &test_recorder, fate_none());
    fate_test_give(p, NULL, 0);
    fate_test_give(p, "x", 1);
}

static void give_to_nobody(void *arg)
{
    fate_test_give(NULL, "x", 1);
}

static void lose_for_no_failure(void *arg)
{
    fate_test_lose(fate_test_protocol(fate_test_reactor(), &test_recorder, fate_none()), fate_int(1));
}

TEST(misused_protocols_stop_the_program)
{
    EXPECT_STOP(give_after_the_end, NULL, "test_tools.c:", "fate_test_give", "after the end");
    EXPECT_STOP(give_to_nobody, NULL, "test_tools.c:", "fate_test_give", "NULL");
    EXPECT_STOP(lose_for_no_failure, NULL, "test_tools.c:", "fate_test_lose", "no failure");
}
