/* Tests of src/reactor/retry.c: attempts, the pauses between them, and what ends them. */
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

static fate_reactor *reactor;
static fate_deferred *attempt; /* followed by those who follow, and held */
static char trail[256];
static int n_left; /* attempts that fail */

static void begin(int n)
{
    trail[0] = '\0';
    n_left = n;
    attempt = NULL;
    reactor = test_reactor();
}

static void end(fate_deferred *d)
{
    fate_release(d);
    if (attempt)
        fate_release(attempt);
}

static void say_number(int64_t n)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s%lld", len ? " " : "", (long long)n);
}

/* Each attempt says its time in seconds. */
static fate_value fail_for_a_while(fate_value *arg)
{
    say_number(fate_now(reactor) / FATE_SECOND);
    return n_left-- > 0 ? fate_raise(&FATE_CONNECTION_REFUSED, "%d left", n_left + 1) : fate_int(7);
}

static fate_value follow_attempt(fate_value *arg)
{
    say_number(fate_now(reactor) / FATE_SECOND);
    if (attempt)
        fate_release(attempt);
    attempt = fate_hold(fate_deferred_new(reactor));
    return fate_follow(attempt);
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

/* ---- Attempts and pauses ---- */

TEST(what_works_at_once_is_called_once)
{
    begin(0);
    fate_deferred *d = fate_hold(fate_retry(reactor, fail_for_a_while, fate_none()));
    if (!test_is_oom())
        EXPECT_INT(fate_peek(d), 7);
    fate_play(reactor, 100 * FATE_SECOND);
    EXPECT_STR(trail, "0");
    end(d);
}

TEST(each_pause_is_twice_as_long)
{
    begin(3);
    fate_deferred *d = fate_hold(fate_retry(reactor, fail_for_a_while, fate_none()));
    fate_play(reactor, 6 * FATE_SECOND);
    EXPECT(test_is_oom() || fate_state(d) == FATE_UNFIRED);
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, "0 1 3 7");
    if (!test_is_oom())
        EXPECT_INT(fate_peek(d), 7);
    end(d);
}

TEST(the_last_failure_comes_out_after_five_attempts)
{
    begin(100);
    fate_deferred *d = fate_hold(fate_retry(reactor, fail_for_a_while, fate_none()));
    fate_play(reactor, 1000 * FATE_SECOND);
    EXPECT_STR(trail, "0 1 3 7 15");
    if (!test_is_oom() && EXPECT_FAILURE(fate_peek(d), &FATE_CONNECTION_REFUSED))
        EXPECT_STR(fate_message(fate_peek(d)), "96 left");
    fate_add_errback(d, forgive, fate_none());
    end(d);
}

TEST(without_a_limit_it_goes_on_every_minute)
{
    begin(8);
    fate_deferred *d =
        fate_hold(fate_retry_with(reactor, fail_for_a_while, fate_none(), .attempts_max = FATE_UNLIMITED));
    fate_play(reactor, 1000 * FATE_SECOND);
    EXPECT_STR(trail, "0 1 3 7 15 31 63 123 183");
    if (!test_is_oom())
        EXPECT_INT(fate_peek(d), 7);
    end(d);
}

TEST(the_pauses_are_as_they_were_asked_for)
{
    begin(100);
    fate_deferred *d = fate_hold(fate_retry_with(reactor, fail_for_a_while, fate_none(), .attempts_max = 4,
                                                 .first = 2 * FATE_SECOND, .delay_max = 3 * FATE_SECOND));
    fate_play(reactor, 100 * FATE_SECOND);
    EXPECT_STR(trail, "0 2 5 8");
    fate_add_errback(d, forgive, fate_none());
    end(d);
}

TEST(a_first_pause_above_a_minute_is_the_longest_too)
{
    begin(3);
    fate_deferred *d =
        fate_hold(fate_retry_with(reactor, fail_for_a_while, fate_none(), .first = 100 * FATE_SECOND));
    fate_play(reactor, 1000 * FATE_SECOND);
    EXPECT_STR(trail, "0 100 200 300");
    end(d);
}

static fate_time ends_of[2];

static fate_value note_end(fate_value *result, fate_value *place)
{
    *(fate_time *)fate_as_ptr(place) = fate_now(reactor);
    return fate_none();
}

TEST(jitter_shortens_the_pauses_and_is_the_same_in_each_simulation)
{
    for (int i = 0; i < 2; i++) {
        begin(4);
        ends_of[i] = 0;
        fate_deferred *d = fate_retry_with(reactor, fail_for_a_while, fate_none(), .jitter_percent = 20);
        fate_add_both(d, note_end, fate_ptr(&ends_of[i]));
        fate_play(reactor, 100 * FATE_SECOND);
    }
    EXPECT(ends_of[0] < 15 * FATE_SECOND && ends_of[0] >= 12 * FATE_SECOND);
    EXPECT_EQ(ends_of[0], ends_of[1]);
}

/* ---- What it follows ---- */

TEST(what_an_attempt_follows_is_waited_for)
{
    begin(0);
    fate_deferred *d = fate_hold(fate_retry(reactor, follow_attempt, fate_none()));
    fate_play(reactor, 5 * FATE_SECOND);
    if (attempt)
        fate_fire(attempt, fate_raise(&FATE_CONNECTION_LOST, "first"));
    fate_play(reactor, 5 * FATE_SECOND);
    EXPECT_STR(trail, "0 6");
    EXPECT(test_is_oom() || fate_state(d) == FATE_UNFIRED);
    if (attempt)
        fate_fire(attempt, fate_int(3));
    if (!test_is_oom())
        EXPECT_INT(fate_peek(d), 3);
    fate_play(reactor, 100 * FATE_SECOND);
    EXPECT_STR(trail, "0 6");
    fate_add_errback(d, forgive, fate_none());
    end(d);
}

static fate_value follow_failed(fate_value *arg)
{
    say_number(fate_now(reactor) / FATE_SECOND);
    return fate_follow(fate_succeed(reactor, fate_raise(&FATE_VALUE_ERROR, "no")));
}

TEST(what_an_attempt_follows_may_have_failed_already)
{
    begin(0);
    fate_deferred *d = fate_hold(fate_retry(reactor, follow_failed, fate_none()));
    fate_play(reactor, 100 * FATE_SECOND);
    EXPECT_STR(trail, "0 1 3 7 15");
    if (!test_is_oom())
        EXPECT_FAILURE(fate_peek(d), &FATE_VALUE_ERROR);
    fate_add_errback(d, forgive, fate_none());
    end(d);
    EXPECT_EQ(test_reports(reactor), 0);
}

/* ---- What is not tried again ---- */

TEST(a_failure_of_another_class_is_final)
{
    begin(100);
    fate_deferred *d =
        fate_hold(fate_retry_with(reactor, fail_for_a_while, fate_none(), .only = &FATE_CONNECTION_CLOSED));
    if (!test_is_oom())
        EXPECT_FAILURE(fate_peek(d), &FATE_CONNECTION_REFUSED);
    fate_play(reactor, 100 * FATE_SECOND);
    EXPECT_STR(trail, "0");
    fate_add_errback(d, forgive, fate_none());
    end(d);
}

TEST(a_class_stands_for_those_derived_from_it)
{
    begin(2);
    fate_deferred *d =
        fate_hold(fate_retry_with(reactor, fail_for_a_while, fate_none(), .only = &FATE_CONNECT_ERROR));
    fate_play(reactor, 100 * FATE_SECOND);
    EXPECT_STR(trail, "0 1 3");
    end(d);
}

TEST(an_attempt_that_was_cancelled_is_final)
{
    begin(0);
    fate_deferred *d = fate_hold(fate_retry(reactor, follow_attempt, fate_none()));
    if (attempt)
        fate_cancel(attempt);
    if (!test_is_oom())
        EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    fate_play(reactor, 100 * FATE_SECOND);
    EXPECT_STR(trail, "0");
    fate_add_errback(d, forgive, fate_none());
    end(d);
}

/* ---- Cancelling ---- */

TEST(a_cancel_cancels_the_attempt)
{
    begin(0);
    fate_deferred *d = fate_hold(fate_retry(reactor, follow_attempt, fate_none()));
    fate_cancel(d);
    if (!test_is_oom())
        EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    EXPECT(!attempt || fate_state(attempt) == FATE_DONE);
    fate_play(reactor, 100 * FATE_SECOND);
    EXPECT_STR(trail, "0");
    fate_add_errback(d, forgive, fate_none());
    end(d);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(a_cancel_ends_the_pause)
{
    begin(100);
    fate_deferred *d = fate_hold(fate_retry(reactor, fail_for_a_while, fate_none()));
    fate_play(reactor, 2 * FATE_SECOND);
    fate_cancel(d);
    if (!test_is_oom())
        EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    EXPECT_EQ(fate_next_timeout(reactor), FATE_NEVER);
    fate_play(reactor, 100 * FATE_SECOND);
    EXPECT_STR(trail, "0 1");
    fate_add_errback(d, forgive, fate_none());
    end(d);
}

static fate_deferred *cancelled_inside;

static fate_value cancel_inside(fate_value *arg)
{
    say_number(fate_now(reactor) / FATE_SECOND);
    if (!cancelled_inside)
        return fate_raise(&FATE_VALUE_ERROR, "first");
    fate_cancel(cancelled_inside);
    attempt = fate_hold(fate_deferred_new(reactor));
    return fate_follow(attempt);
}

TEST(a_cancel_from_inside_cancels_what_the_function_goes_on_to_follow)
{
    begin(0);
    cancelled_inside = NULL;
    cancelled_inside = fate_hold(fate_retry(reactor, cancel_inside, fate_none()));
    fate_play(reactor, 100 * FATE_SECOND);
    EXPECT_STR(trail, "0 1");
    EXPECT(!attempt || fate_state(attempt) == FATE_DONE);
    if (!test_is_oom())
        EXPECT_FAILURE(fate_peek(cancelled_inside), &FATE_CANCELLED);
    fate_add_errback(cancelled_inside, forgive, fate_none());
    end(cancelled_inside);
}

static void cancel_at_log(const fate_log_entry *entry, fate_value *arg)
{
    if (cancelled_inside && strstr(entry->text, "attempt 2"))
        fate_cancel(cancelled_inside);
}

TEST(whoever_hears_of_an_attempt_in_the_log_may_cancel)
{
    begin(100);
    cancelled_inside = NULL;
    fate_watch watch = fate_log_observe(reactor, FATE_LOG_DEBUG, cancel_at_log, fate_none());
    cancelled_inside = fate_hold(fate_retry(reactor, fail_for_a_while, fate_none()));
    fate_play(reactor, 100 * FATE_SECOND);
    EXPECT(watch.id < 0 || !strcmp(trail, "0 1") || test_is_oom());
    fate_add_errback(cancelled_inside, forgive, fate_none());
    end(cancelled_inside);
}

/* ---- The arg ---- */

static int n_dropped;

static void dropped(void *unused)
{
    n_dropped++;
}

static fate_value take_arg(fate_value *arg)
{
    fate_value own = fate_take(arg);
    fate_drop(own);
    return fail_for_a_while(&own);
}

TEST(each_attempt_has_a_copy_of_arg_and_the_last_takes_it_along)
{
    begin(2);
    n_dropped = 0;
    fate_value box = fate_box_with(dropped, int, 0);
    bool has_box = !fate_is_failure(&box);
    fate_deferred *d = fate_hold(fate_retry(reactor, take_arg, box));
    fate_play(reactor, 2 * FATE_SECOND);
    EXPECT(test_is_oom() || n_dropped == 0);
    fate_play(reactor, FATE_SECOND);
    EXPECT_EQ(n_dropped, has_box);
    EXPECT_STR(trail, "0 1 3");
    end(d);
}

static void cancel_when_dropped(void *unused)
{
    n_dropped++;
    if (cancelled_inside)
        fate_cancel(cancelled_inside);
}

TEST(what_the_arg_does_when_it_is_dropped_does_no_harm)
{
    begin(100);
    n_dropped = 0;
    cancelled_inside = NULL;
    fate_value box = fate_box_with(cancel_when_dropped, int, 0);
    if (fate_is_failure(&box))
        return;
    cancelled_inside = fate_hold(fate_retry(reactor, fail_for_a_while, box));
    fate_cancel(cancelled_inside);
    EXPECT_EQ(n_dropped, 1);
    fate_add_errback(cancelled_inside, forgive, fate_none());
    end(cancelled_inside);
}

TEST(a_reactor_that_goes_takes_attempts_and_pauses_along)
{
    begin(100);
    n_dropped = 0;
    fate_value first = fate_box_with(dropped, int, 0), second = fate_box_with(dropped, int, 0);
    int n_boxes = !fate_is_failure(&first) + !fate_is_failure(&second);
    fate_retry(reactor, take_arg, first);
    fate_retry(reactor, follow_attempt, second);
    fate_advance(reactor, 0);
    fate_reactor_free(reactor);
    EXPECT_EQ(n_dropped, n_boxes);
}

/* ---- What is said of it ---- */

static char report[4096];

static void print_report(void)
{
    memset(report, 0, sizeof report);
    FILE *file = fmemopen(report, sizeof report - 1, "w");
    if (!file)
        return;
    fate_reactor_report(reactor, file);
    fclose(file);
}

TEST(the_report_says_what_is_waited_for)
{
    begin(100);
    fate_deferred *failing = fate_hold(fate_retry(reactor, fail_for_a_while, fate_none()));
    fate_deferred *following =
        fate_hold(fate_retry_with(reactor, follow_attempt, fate_none(), .attempts_max = FATE_UNLIMITED));
    fate_play(reactor, 2 * FATE_SECOND);
    print_report();
    if (!test_is_oom()) {
        EXPECT_CONTAINS(report, "waits for attempt 3 of 5, due in 1.0 s");
        EXPECT_CONTAINS(report, "waits for attempt 1\n");
    }
    fate_cancel(failing);
    fate_cancel(following);
    fate_add_errback(failing, forgive, fate_none());
    fate_add_errback(following, forgive, fate_none());
    fate_release(failing);
    end(following);
}

TEST(the_log_says_how_often_it_was_tried)
{
    begin(100);
    fate_deferred *d = fate_retry_with(reactor, fail_for_a_while, fate_none(), .attempts_max = 2);
    fate_add_errback(d, forgive, fate_none());
    if (!test_is_oom())
        EXPECT_STR(test_last_log(reactor), "attempt 1 of 2 failed, the next in 1.0 s");
    fate_play(reactor, FATE_SECOND);
    if (!test_is_oom())
        EXPECT_STR(test_last_log(reactor), "attempt 2 of 2 failed, the last");
}

/* ---- Elsewhere ---- */

static fate_value await_retry(fate_coro *co, fate_value *arg)
{
    return fate_await(co, fate_retry(reactor, fail_for_a_while, fate_none()));
}

TEST(a_coroutine_may_await_it)
{
    begin(2);
    fate_deferred *d = fate_hold(fate_go(reactor, await_retry, fate_none()));
    fate_play(reactor, 100 * FATE_SECOND);
    if (!test_is_oom()) {
        EXPECT_INT(fate_peek(d), 7);
        EXPECT_STR(trail, "0 1 3");
    }
    fate_add_errback(d, forgive, fate_none());
    end(d);
}

TEST(without_memory_for_a_pause_it_fails_with_that)
{
    if (test_is_oom())
        return;
    begin(100);
    bool has_failed = false;
    for (unsigned long n = 1; !has_failed && n < 20; n++) {
        test_fail_allocation(n, true);
        fate_deferred *d = fate_hold(fate_retry(reactor, fail_for_a_while, fate_none()));
        has_failed = test_fail_allocation(0, false);
        fate_play(reactor, 100 * FATE_SECOND);
        has_failed = has_failed && EXPECT(fate_is_failure(fate_peek(d)));
        fate_add_errback(d, forgive, fate_none());
        fate_release(d);
    }
}

/* ---- Misuse ---- */

static void without_a_function(void *unused)
{
    begin(0);
    fate_retry(reactor, NULL, fate_none());
}

static void with_a_negative_pause(void *unused)
{
    begin(0);
    fate_retry_with(reactor, fail_for_a_while, fate_none(), .first = -1);
}

static void with_too_much_jitter(void *unused)
{
    begin(0);
    fate_retry_with(reactor, fail_for_a_while, fate_none(), .jitter_percent = 101);
}

TEST(misuse_stops_the_program)
{
    EXPECT_STOP(without_a_function, NULL, "fate_retry", "NULL function", "test_retry.c");
    EXPECT_STOP(with_a_negative_pause, NULL, "fate_retry", "negative", "test_retry.c");
    EXPECT_STOP(with_too_much_jitter, NULL, "fate_retry", "101 %", "test_retry.c");
}
