/* Tests of src/reactor/looping_call.c (R203-R214). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

static fate_reactor *reactor;
static fate_looping_call *loop;
static fate_deferred *job; /* followed by those who follow */
static char trail[256];

static void say_number(int64_t n)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s%lld", len ? " " : "", (long long)n);
}

/* Each run says its time in seconds. */
static fate_value say_time(fate_value *arg)
{
    say_number(fate_now(reactor) / FATE_SECOND);
    return fate_none();
}

static fate_value follow_job(fate_value *arg)
{
    say_time(arg);
    return fate_follow(job);
}

static fate_value fail_at_two(fate_value *arg)
{
    say_time(arg);
    return fate_now(reactor) >= 2 * FATE_SECOND ? fate_raise(&FATE_VALUE_ERROR, "two") : fate_none();
}

static fate_value say_count(int64_t count, fate_value *arg)
{
    say_number(count);
    return fate_none();
}

static fate_value count_and_follow(int64_t count, fate_value *arg)
{
    say_number(count);
    return fate_follow(job);
}

static fate_value stop_inside(fate_value *arg)
{
    say_time(arg);
    EXPECT_EQ(fate_looping_call_stop(loop), 0);
    EXPECT(!fate_looping_call_running(loop));
    return fate_none();
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static void begin(fate_function *function)
{
    trail[0] = '\0';
    reactor = test_reactor();
    loop = fate_looping_call_new(reactor, function, fate_none());
}

static fate_deferred *start(fate_time interval, bool now)
{
    return fate_hold(fate_looping_call_start(loop, interval, now));
}

/* Without memory the loop may have ended before. */
static void expect_loop(const fate_deferred *d)
{
    if (!test_is_oom() && EXPECT_EQ(fate_state(d), FATE_DONE))
        EXPECT_PTR(fate_as_looping_call(fate_peek(d)), loop);
}

TEST(it_runs_at_once_and_then_every_interval)
{
    begin(say_time);
    start(2 * FATE_SECOND, true);
    EXPECT_STR(trail, "0");
    fate_play(reactor, 5 * FATE_SECOND);
    EXPECT_STR(trail, "0 2 4");
    EXPECT(fate_looping_call_running(loop));
}

TEST(it_begins_after_one_interval_when_not_now)
{
    begin(say_time);
    start(2 * FATE_SECOND, false);
    fate_play(reactor, 5 * FATE_SECOND);
    EXPECT_STR(trail, "2 4");
}

TEST(late_runs_skip_whole_intervals_and_do_not_drift)
{
    begin(say_time);
    start(2 * FATE_SECOND, true);
    fate_advance(reactor, 7 * FATE_SECOND);
    EXPECT_STR(trail, "0 7");
    fate_play(reactor, 4 * FATE_SECOND);
    EXPECT_STR(trail, "0 7 8 10");
}

TEST(stopping_fires_with_the_loop)
{
    begin(say_time);
    fate_deferred *d = start(FATE_SECOND, true);
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    EXPECT_EQ(fate_looping_call_stop(loop), 0);
    expect_loop(d);
    EXPECT_EQ(fate_looping_call_stop(loop), -EINVAL);
    fate_play(reactor, 5 * FATE_SECOND);
    EXPECT_STR(trail, "0");
}

TEST(a_stop_from_inside_takes_effect_when_the_function_has_returned)
{
    begin(stop_inside);
    fate_deferred *d = start(FATE_SECOND, true);
    expect_loop(d);
    fate_play(reactor, 5 * FATE_SECOND);
    EXPECT_STR(trail, "0");
}

TEST(a_failure_ends_the_loop)
{
    begin(fail_at_two);
    fate_deferred *d = start(FATE_SECOND, true);
    fate_play(reactor, 5 * FATE_SECOND);
    EXPECT_STR(trail, "0 1 2");
    EXPECT_FAILURE(fate_peek(d), &FATE_VALUE_ERROR);
    EXPECT(!fate_looping_call_running(loop));
    fate_add_errback(d, forgive, fate_none());
}

TEST(the_next_run_waits_for_what_the_function_followed)
{
    begin(follow_job);
    job = fate_deferred_new(reactor);
    start(2 * FATE_SECOND, true);
    fate_play(reactor, 5 * FATE_SECOND);
    EXPECT_STR(trail, "0");
    fate_deferred *first = job;
    job = fate_deferred_new(reactor);
    fate_fire(first, fate_int(1));
    fate_play(reactor, 3 * FATE_SECOND);
    EXPECT_STR(trail, "0 6");
}

TEST(a_failure_of_what_the_function_followed_ends_the_loop_and_is_none_there)
{
    begin(follow_job);
    job = fate_hold(fate_deferred_new(reactor));
    fate_deferred *d = start(FATE_SECOND, true);
    fate_fire(job, fate_raise(&FATE_VALUE_ERROR, "v"));
    EXPECT_FAILURE(fate_peek(d), &FATE_VALUE_ERROR);
    EXPECT_NONE(fate_peek(job));
    fate_add_errback(d, forgive, fate_none());
}

TEST(stopping_while_the_followed_one_is_pending_fires_when_that_is_done)
{
    begin(follow_job);
    job = fate_deferred_new(reactor);
    fate_deferred *d = start(FATE_SECOND, true);
    fate_looping_call_stop(loop);
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_fire(job, fate_none());
    expect_loop(d);
}

/* Nobody can fire it any more: like what hangs on any abandoned deferred it goes, and no callback runs (R92).
 */
TEST(stopping_after_the_followed_one_was_abandoned_does_not_fire)
{
    begin(follow_job);
    job = fate_deferred_new(reactor);
    fate_deferred *d = start(FATE_SECOND, true);
    fate_add_both(d, forgive, fate_none());
    fate_abandon(job);
    fate_advance(reactor, 0);
    EXPECT_EQ(fate_looping_call_stop(loop), 0);
    EXPECT(!fate_looping_call_running(loop));
    EXPECT(test_is_oom() || fate_state(d) == FATE_UNFIRED);
    fate_release(d);
}

static fate_value start_again(fate_value *result, fate_value *arg)
{
    EXPECT(!fate_looping_call_running(loop));
    start(3 * FATE_SECOND, false);
    return fate_none();
}

TEST(it_can_be_started_again_from_its_own_deferred)
{
    begin(say_time);
    fate_add_callback(start(FATE_SECOND, true), start_again, fate_none());
    fate_play(reactor, FATE_SECOND);
    fate_looping_call_stop(loop);
    EXPECT(fate_looping_call_running(loop));
    fate_play(reactor, 3 * FATE_SECOND);
    EXPECT_STR(trail, "0 1 4");
}

TEST(a_negative_interval_is_a_value_error)
{
    begin(say_time);
    fate_deferred *d = start(-1, true);
    EXPECT_FAILURE(fate_peek(d), &FATE_VALUE_ERROR);
    EXPECT(!fate_looping_call_running(loop));
    fate_add_errback(d, forgive, fate_none());
}

static int n_left;

static fate_value run_until_none_is_left(fate_value *arg)
{
    if (--n_left == 0)
        fate_looping_call_stop(loop);
    return fate_none();
}

TEST(an_interval_of_none_runs_again_and_again)
{
    begin(run_until_none_is_left);
    n_left = 5;
    fate_deferred *d = start(0, true);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_left, 0);
    expect_loop(d);
}

TEST(reset_begins_a_full_interval_from_now)
{
    begin(say_time);
    start(4 * FATE_SECOND, true);
    fate_play(reactor, 3 * FATE_SECOND);
    EXPECT_EQ(fate_looping_call_reset(loop), 0);
    fate_play(reactor, 9 * FATE_SECOND);
    EXPECT_STR(trail, "0 7 11");
    fate_looping_call_stop(loop);
    EXPECT_EQ(fate_looping_call_reset(loop), -EINVAL);
}

TEST(reset_does_nothing_while_the_followed_one_is_pending)
{
    begin(follow_job);
    job = fate_deferred_new(reactor);
    start(4 * FATE_SECOND, true);
    fate_play(reactor, 3 * FATE_SECOND);
    EXPECT_EQ(fate_looping_call_reset(loop), 0);
    fate_deferred *first = job;
    job = fate_deferred_new(reactor);
    fate_fire(first, fate_none());
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, "0 4");
}

TEST(a_counted_loop_is_told_how_many_intervals_have_passed)
{
    trail[0] = '\0';
    reactor = test_reactor();
    loop = fate_looping_call_new_counted(reactor, say_count, fate_none());
    start(2 * FATE_SECOND, true);
    fate_advance(reactor, 2 * FATE_SECOND);
    fate_advance(reactor, 7 * FATE_SECOND);
    fate_advance(reactor, 1 * FATE_SECOND);
    EXPECT_STR(trail, "1 1 3 1");
}

TEST(a_counted_loop_that_begins_later_counts_from_its_start)
{
    trail[0] = '\0';
    reactor = test_reactor();
    loop = fate_looping_call_new_counted(reactor, say_count, fate_none());
    start(2 * FATE_SECOND, false);
    fate_advance(reactor, 5 * FATE_SECOND);
    fate_advance(reactor, 1 * FATE_SECOND);
    EXPECT_STR(trail, "2 1");
}

TEST(intervals_that_passed_while_it_waited_are_counted_next)
{
    trail[0] = '\0';
    reactor = test_reactor();
    loop = fate_looping_call_new_counted(reactor, count_and_follow, fate_none());
    job = fate_deferred_new(reactor);
    start(FATE_SECOND, true);
    fate_play(reactor, 5 * FATE_SECOND);
    fate_deferred *first = job;
    job = fate_deferred_new(reactor);
    fate_fire(first, fate_none());
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, "1 6");
}

TEST(cancelling_its_deferred_does_not_stop_the_loop)
{
    begin(say_time);
    fate_deferred *d = start(FATE_SECOND, true);
    fate_cancel(d);
    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    fate_add_errback(d, forgive, fate_none());
    fate_play(reactor, 2 * FATE_SECOND);
    EXPECT_STR(trail, "0 1 2");
    EXPECT_EQ(fate_looping_call_stop(loop), 0);
    EXPECT_EQ(test_logs(reactor), 0);
}

/* ---- Going ---- */

static int n_drops;

struct token {
    int number;
};

static void token_dropped(void *token)
{
    n_drops++;
}

TEST(freeing_it_stops_it_and_drops_its_arg)
{
    begin(say_time);
    n_drops = 0;
    fate_looping_call *other =
        fate_looping_call_new(reactor, say_time, fate_box_with(token_dropped, struct token, 1));
    fate_deferred *d = fate_hold(fate_looping_call_start(other, FATE_SECOND, true));
    fate_looping_call_free(other);
    EXPECT_EQ(n_drops, 1);
    EXPECT_EQ(fate_state(d), FATE_DONE);
    fate_play(reactor, 3 * FATE_SECOND);
    EXPECT_STR(trail, "0");
    fate_looping_call_free(NULL);
}

static fate_value free_inside(fate_value *arg)
{
    fate_looping_call_free(loop);
    EXPECT_EQ(n_drops, 0);
    return fate_none();
}

TEST(freed_inside_its_function_it_goes_when_that_has_returned)
{
    begin(say_time);
    n_drops = 0;
    loop = fate_looping_call_new(reactor, free_inside, fate_box_with(token_dropped, struct token, 1));
    fate_deferred *d = start(FATE_SECOND, true);
    EXPECT_EQ(n_drops, 1);
    EXPECT_EQ(fate_state(d), FATE_DONE);
    fate_play(reactor, 3 * FATE_SECOND);
}

static fate_value restart_the_freed(fate_value *result, fate_value *arg)
{
    fate_looping_call_start(loop, FATE_SECOND, false);
    return fate_none();
}

/* Its last deferred tells that it has been stopped; starting it again from there must not outlive the free.
 */
TEST(one_that_is_started_again_while_it_is_freed_does_not_run)
{
    begin(say_time);
    fate_add_callback(start(FATE_SECOND, true), restart_the_freed, fate_none());
    fate_looping_call_free(loop);
    fate_play(reactor, 3 * FATE_SECOND);
    EXPECT_STR(trail, "0");
}

TEST(it_goes_with_its_reactor)
{
    begin(say_time);
    n_drops = 0;
    loop = fate_looping_call_new(reactor, say_time, fate_box_with(token_dropped, struct token, 1));
    start(FATE_SECOND, true);
    fate_reactor_free(reactor);
    EXPECT_EQ(n_drops, 1);
}
