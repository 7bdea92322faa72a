/* Tests of src/reactor/timeout.c (R77-R88). */
#include <errno.h>

#include <fate/fate.h>

#include "test.h"

static fate_reactor *reactor;
static int n_translated, n_drops;

static void begin(void)
{
    n_translated = n_drops = 0;
    reactor = test_reactor();
}

struct token {
    int number;
};

static void token_dropped(void *token)
{
    n_drops++;
}

static fate_deferred *held(void)
{
    return fate_hold(fate_deferred_new(reactor));
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_int(1);
}

static fate_value translate(fate_value *result, fate_value *arg)
{
    n_translated++;
    return fate_int(99);
}

static fate_value follow(fate_value *result, fate_value *d)
{
    return fate_follow(fate_as_ptr(d));
}

/* Nothing of a timeout is left in the reactor. */
static void expect_no_timer(void)
{
    fate_advance(reactor, 0);
    EXPECT(fate_next_timeout(reactor) == FATE_NEVER);
}

TEST(on_time_out_a_cancelled_failure_becomes_a_timeout)
{
    begin();
    fate_deferred *d = fate_add_timeout(held(), 2 * FATE_SECOND);
    fate_advance(reactor, 2 * FATE_SECOND - 1);
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_advance(reactor, 1);
    EXPECT_FAILURE(fate_peek(d), &FATE_TIMEOUT);
    EXPECT_DESCRIBED(fate_peek(d), "<TimeoutError: timed out after 2 s>");
    fate_add_errback(d, forgive, fate_none());
    expect_no_timer();
}

TEST(one_that_fires_in_time_has_its_timer_removed)
{
    begin();
    fate_deferred *d = fate_add_timeout(held(), FATE_SECOND);
    fate_fire(d, fate_int(5));
    EXPECT_INT(fate_peek(d), 5);
    expect_no_timer();
}

TEST(one_that_has_fired_has_its_timer_removed_within_the_call)
{
    begin();
    fate_deferred *d = fate_hold(fate_succeed(reactor, fate_int(5)));
    fate_add_timeout(d, FATE_SECOND);
    EXPECT_INT(fate_peek(d), 5);
    expect_no_timer();
}

TEST(later_levels_may_take_as_long_as_they_like)
{
    begin();
    fate_deferred *inner = held(), *d = fate_add_timeout(held(), FATE_SECOND);
    fate_add_callback(d, follow, fate_ptr(inner));
    fate_fire(d, fate_none());
    fate_advance(reactor, 10 * FATE_SECOND);
    EXPECT_EQ(fate_state(d), FATE_WAITING);
    fate_fire(inner, fate_int(3));
    EXPECT_INT(fate_peek(d), 3);
}

TEST(levels_before_it_are_covered_and_what_they_wait_for_is_cancelled)
{
    begin();
    fate_deferred *inner = held(), *d = held();
    fate_add_callback(d, follow, fate_ptr(inner));
    fate_add_timeout(d, FATE_SECOND);
    fate_fire(d, fate_none());
    fate_advance(reactor, FATE_SECOND);
    EXPECT_EQ(fate_fire(inner, fate_int(3)), -ECANCELED);
    EXPECT_FAILURE(fate_peek(d), &FATE_TIMEOUT);
    fate_add_errback(d, forgive, fate_none());
}

TEST(a_translation_runs_on_timeout_whatever_the_result_is)
{
    begin();
    fate_deferred *d = fate_add_errback(held(), forgive, fate_none());
    fate_add_timeout_with(d, FATE_SECOND, translate, fate_box_with(token_dropped, struct token, 1));
    fate_advance(reactor, FATE_SECOND);
    EXPECT_EQ(n_translated, 1);
    EXPECT_EQ(n_drops, 1);
    EXPECT_INT(fate_peek(d), 99);
}

TEST(a_translation_does_not_run_in_time_or_when_cancelled_by_someone_else)
{
    begin();
    fate_deferred *d = held(), *e = held();
    fate_add_timeout_with(d, FATE_SECOND, translate, fate_box_with(token_dropped, struct token, 1));
    fate_add_timeout_with(e, FATE_SECOND, translate, fate_none());
    fate_fire(d, fate_int(5));
    fate_cancel(e);
    EXPECT_EQ(n_translated, 0);
    EXPECT_EQ(n_drops, 1);
    EXPECT_FAILURE(fate_peek(e), &FATE_CANCELLED);
    fate_add_errback(e, forgive, fate_none());
    expect_no_timer();
}

TEST(an_errback_before_it_may_save_the_result)
{
    begin();
    fate_deferred *d = fate_add_timeout(fate_add_errback(held(), forgive, fate_none()), FATE_SECOND);
    fate_advance(reactor, FATE_SECOND);
    EXPECT_INT(fate_peek(d), 1);
}

TEST(the_late_result_after_a_timeout_is_swallowed_once)
{
    begin();
    fate_deferred *d = fate_add_timeout(fate_deferred_new(reactor), FATE_SECOND);
    fate_add_errback(d, forgive, fate_none());
    fate_advance(reactor, FATE_SECOND);
    fate_advance(reactor, FATE_SECOND);
    EXPECT_EQ(fate_fire(d, fate_int(1)), -ECANCELED);
    EXPECT_EQ(test_logs(reactor), 0);
}

TEST(a_pending_timeout_keeps_an_abandoned_one_alive)
{
    begin();
    fate_deferred *d = fate_add_timeout(fate_deferred_new(reactor), FATE_SECOND);
    fate_add_both(d, translate, fate_none());
    fate_abandon(d);
    fate_advance(reactor, 0);
    fate_advance(reactor, FATE_SECOND);
    EXPECT_EQ(n_translated, 1);
    expect_no_timer();
}

TEST(the_shorter_of_two_timeouts_fires_and_passes_the_other_unchanged)
{
    begin();
    fate_deferred *d = fate_add_timeout(fate_add_timeout(held(), FATE_SECOND), 5 * FATE_SECOND);
    fate_advance(reactor, FATE_SECOND);
    EXPECT_DESCRIBED(fate_peek(d), "<TimeoutError: timed out after 1 s>");
    fate_add_errback(d, forgive, fate_none());
    expect_no_timer();
}

static void fire_a_value(fate_deferred *d, fate_value *arg)
{
    fate_fire(d, fate_int(7));
}

TEST(the_value_of_a_canceller_passes_unchanged)
{
    begin();
    fate_deferred *d = fate_hold(fate_deferred_new_cancellable(reactor, fire_a_value, fate_none()));
    fate_add_timeout(d, FATE_SECOND);
    fate_advance(reactor, FATE_SECOND);
    EXPECT_INT(fate_peek(d), 7);
}

TEST(a_timeout_while_it_is_paused_shows_when_it_is_unpaused)
{
    begin();
    fate_deferred *d = fate_add_timeout(held(), FATE_SECOND);
    fate_pause(d);
    fate_advance(reactor, FATE_SECOND);
    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    fate_unpause(d);
    EXPECT_FAILURE(fate_peek(d), &FATE_TIMEOUT);
    fate_add_errback(d, forgive, fate_none());
}

TEST(a_pending_timeout_goes_with_its_reactor)
{
    begin();
    fate_add_timeout_with(held(), FATE_SECOND, translate, fate_box_with(token_dropped, struct token, 1));
    fate_reactor_free(reactor);
    EXPECT_EQ(n_drops, 1);
    EXPECT_EQ(n_translated, 0);
}
