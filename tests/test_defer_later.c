/* Tests of src/reactor/defer_later.c (R201, R202). */
#include <errno.h>

#include <fate/fate.h>

#include "test.h"

static fate_reactor *reactor;
static int n_called, n_drops;

static void begin(void)
{
    n_called = n_drops = 0;
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

static fate_value seven(fate_value *arg)
{
    n_called++;
    return fate_int(7);
}

static fate_value refuse(fate_value *arg)
{
    return fate_raise(&FATE_VALUE_ERROR, "refused");
}

static fate_value follow(fate_value *d)
{
    return fate_follow(fate_as_ptr(d));
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static fate_deferred *later(fate_function *function, fate_value arg)
{
    return fate_hold(fate_defer_later(reactor, FATE_SECOND, function, arg));
}

TEST(it_calls_after_the_delay_and_fires_with_the_value)
{
    begin();
    fate_deferred *d = later(seven, token());
    fate_advance(reactor, FATE_SECOND - 1);
    EXPECT_EQ(n_called, 0);
    EXPECT_EQ(n_drops, 0);
    fate_advance(reactor, 1);
    EXPECT_INT(fate_peek(d), 7);
    EXPECT_EQ(n_called, 1);
    EXPECT_EQ(n_drops, 1);
}

TEST(without_a_function_it_fires_with_none)
{
    begin();
    fate_deferred *d = later(NULL, token());
    fate_advance(reactor, FATE_SECOND);
    EXPECT_NONE(fate_peek(d));
    EXPECT_EQ(n_drops, 1);
}

TEST(the_functions_failure_is_its_own)
{
    begin();
    fate_deferred *d = later(refuse, fate_none());
    fate_advance(reactor, FATE_SECOND);
    EXPECT_FAILURE(fate_peek(d), &FATE_VALUE_ERROR);
    fate_add_errback(d, forgive, fate_none());
}

TEST(what_the_function_follows_is_waited_for)
{
    begin();
    fate_deferred *inner = fate_hold(fate_deferred_new(reactor));
    fate_deferred *d = later(follow, fate_ptr(inner));
    fate_advance(reactor, FATE_SECOND);
    fate_fire(inner, fate_int(3));
    EXPECT_INT(fate_peek(d), 3);
}

static fate_value add_one(fate_value *result, fate_value *arg)
{
    return fate_int(fate_as_int(result) + 1);
}

TEST(levels_added_before_see_the_functions_result)
{
    begin();
    fate_deferred *d = fate_add_callback(later(seven, fate_none()), add_one, fate_none());
    fate_advance(reactor, FATE_SECOND);
    EXPECT_INT(fate_peek(d), 8);
}

TEST(cancelling_before_the_time_cancels_the_call)
{
    begin();
    fate_deferred *d = later(seven, token());
    fate_cancel(d);
    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    EXPECT_EQ(n_drops, 1);
    fate_add_errback(d, forgive, fate_none());
    fate_advance(reactor, 0);
    EXPECT(fate_next_timeout(reactor) == FATE_NEVER);
    fate_advance(reactor, FATE_SECOND);
    EXPECT_EQ(n_called, 0);
}

TEST(cancelling_afterwards_cancels_what_the_function_followed)
{
    begin();
    fate_deferred *inner = fate_hold(fate_deferred_new(reactor));
    fate_deferred *d = later(follow, fate_ptr(inner));
    fate_advance(reactor, FATE_SECOND);
    fate_cancel(d);
    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    fate_add_errback(d, forgive, fate_none());
}

TEST(it_refuses_to_be_fired)
{
    begin();
    fate_deferred *d = later(seven, fate_none());
    if (!test_is_oom())
        EXPECT_EQ(fate_fire(d, fate_int(1)), -EPERM);
    fate_advance(reactor, FATE_SECOND);
    EXPECT_INT(fate_peek(d), 7);
}

TEST(it_needs_no_hold_and_goes_with_its_reactor)
{
    begin();
    fate_defer_later(reactor, FATE_SECOND, seven, fate_none());
    fate_advance(reactor, FATE_SECOND);
    EXPECT_EQ(n_called, 1);
    fate_defer_later(reactor, FATE_SECOND, seven, token());
    fate_reactor_free(reactor);
    EXPECT_EQ(n_called, 1);
    EXPECT_EQ(n_drops, 1);
}
