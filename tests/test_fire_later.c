/* Tests of src/reactor/fire_later.c. */
#include <errno.h>

#include <fate/fate.h>

#include "test.h"

static fate_reactor *reactor;
static int n_drops;

static void begin(void)
{
    n_drops = 0;
    reactor = test_reactor();
}

struct token {
    int number;
};

static void token_dropped(void *token)
{
    n_drops++;
}

static fate_value token(void)
{
    return fate_box_with(token_dropped, struct token, 1);
}

static fate_deferred *held(void)
{
    return fate_hold(fate_deferred_new(reactor));
}

static int64_t n_called;

static fate_value count(fate_value *result, fate_value *arg)
{
    n_called++;
    return fate_none();
}

TEST(it_fires_that_much_later)
{
    begin();
    fate_deferred *d = held();
    EXPECT_EQ(fate_fire_later(d, 2 * FATE_SECOND, fate_int(5)), 0);
    fate_advance(reactor, FATE_SECOND);
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_advance(reactor, FATE_SECOND);
    EXPECT_INT(fate_peek(d), 5);
}

TEST(without_delay_it_does_not_fire_before_the_reactor_is_entered)
{
    begin();
    fate_deferred *d = held();
    fate_fire_later(d, 0, fate_int(5));
    if (!test_is_oom())
        EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_advance(reactor, 0);
    EXPECT_INT(fate_peek(d), 5);
}

TEST(it_holds_its_deferred_until_it_is_due)
{
    begin();
    n_called = 0;
    fate_deferred *d = fate_add_both(fate_deferred_new(reactor), count, fate_none());
    fate_fire_later(d, FATE_SECOND, fate_int(5));
    fate_advance(reactor, FATE_SECOND);
    EXPECT_EQ(n_called, 1);
}

TEST(a_failure_can_be_fired_later)
{
    begin();
    fate_deferred *d = held();
    fate_fire_later(d, FATE_SECOND, fate_raise(&FATE_KEY_ERROR, "k"));
    fate_advance(reactor, FATE_SECOND);
    EXPECT_FAILURE(fate_peek(d), &FATE_KEY_ERROR);
    fate_add_errback(d, count, fate_none());
}

TEST(if_it_fires_first_the_value_is_dropped_silently)
{
    begin();
    fate_deferred *d = held();
    fate_fire_later(d, FATE_SECOND, token());
    EXPECT_EQ(fate_fire(d, fate_int(1)), 0);
    EXPECT_EQ(n_drops, 1);
    fate_advance(reactor, 0);
    EXPECT(fate_next_timeout(reactor) == FATE_NEVER);
    fate_advance(reactor, FATE_SECOND);
    EXPECT_INT(fate_peek(d), 1);
    EXPECT_EQ(test_logs(reactor), 0);
}

TEST(if_it_is_cancelled_first_the_value_is_dropped_silently)
{
    begin();
    fate_deferred *d = held();
    fate_fire_later(d, FATE_SECOND, token());
    fate_cancel(d);
    EXPECT_EQ(n_drops, 1);
    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    fate_add_errback(d, count, fate_none());
    fate_advance(reactor, FATE_SECOND);
    EXPECT_EQ(test_logs(reactor), 0);
}

/* The firing to come was the producer's one: so there is no other late result to be swallowed. */
TEST(a_cancelled_one_that_would_have_fired_later_leaves_nothing_behind)
{
    begin();
    fate_deferred *d = held();
    fate_fire_later(d, FATE_SECOND, token());
    fate_cancel(d);
    fate_add_errback(d, count, fate_none());
    if (!test_is_oom())
        EXPECT_EQ(fate_fire(d, fate_int(1)), -EALREADY);
}

TEST(on_one_that_has_fired_it_is_refused_as_a_second_firing)
{
    begin();
    fate_deferred *d = held();
    fate_fire(d, fate_int(1));
    EXPECT_EQ(fate_fire_later(d, FATE_SECOND, token()), -EALREADY);
    EXPECT_EQ(n_drops, 1);
    EXPECT_EQ(test_logs(reactor), 1);
}

TEST(of_two_the_earlier_fires_and_the_other_goes)
{
    begin();
    fate_deferred *d = held();
    fate_fire_later(d, 2 * FATE_SECOND, token());
    fate_fire_later(d, FATE_SECOND, fate_int(1));
    fate_advance(reactor, FATE_SECOND);
    EXPECT_INT(fate_peek(d), 1);
    EXPECT_EQ(n_drops, 1);
}

TEST(a_paused_one_takes_its_value_when_due)
{
    begin();
    fate_deferred *d = held();
    fate_pause(d);
    fate_fire_later(d, FATE_SECOND, fate_int(5));
    fate_advance(reactor, FATE_SECOND);
    EXPECT_INT(fate_peek(d), 5);
    fate_unpause(d);
}

TEST(what_was_to_fire_later_goes_with_its_reactor)
{
    begin();
    fate_fire_later(fate_deferred_new(reactor), FATE_SECOND, token());
    fate_reactor_free(reactor);
    EXPECT_EQ(n_drops, 1);
}

TEST(without_memory_it_fails_at_once)
{
    begin();
    if (test_is_oom())
        return;
    fate_deferred *d = held();
    fate_value v = token();
    test_fail_allocation(1, true);
    EXPECT_EQ(fate_fire_later(d, FATE_SECOND, v), -ENOMEM);
    test_fail_allocation(0, false);
    EXPECT_EQ(n_drops, 1);
    EXPECT_FAILURE(fate_peek(d), &FATE_NO_MEMORY);
    fate_add_errback(d, count, fate_none());
}
