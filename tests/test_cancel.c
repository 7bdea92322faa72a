/* Tests of src/deferred/cancel.c (R64-R76). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

static char trail[512];
static int n_cancels, n_drops;

struct token {
    int number;
};

static void token_dropped(void *token)
{
    n_drops++;
}

static fate_reactor *begin(void)
{
    trail[0] = '\0';
    n_cancels = n_drops = 0;
    return test_reactor();
}

static fate_value note(fate_value *result, fate_value *name)
{
    test_suspend_failures();
    fate_value text = fate_describe(result);
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s%s=%s", len ? " " : "", (const char *)fate_as_ptr(name),
             fate_as_str(&text));
    fate_drop(text);
    test_resume_failures();
    return fate_take(result);
}

static fate_value give_one(fate_value *result, fate_value *arg)
{
    return fate_int(1);
}

static fate_value follow(fate_value *result, fate_value *d)
{
    return fate_follow(fate_as_ptr(d));
}

/* ---- Cancellers ---- */

static void only_count(fate_deferred *d, fate_value *arg)
{
    n_cancels++;
}

static void fire_a_value(fate_deferred *d, fate_value *arg)
{
    n_cancels++;
    EXPECT_EQ(fate_fire(d, fate_int(42)), 0);
}

static void fire_a_failure(fate_deferred *d, fate_value *arg)
{
    n_cancels++;
    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "stopped"));
}

static void cancel_again(fate_deferred *d, fate_value *arg)
{
    n_cancels++;
    fate_cancel(d);
}

/* A held one with that canceller, whose errback notes and forgives. */
static fate_deferred *cancellable(fate_reactor *reactor, fate_canceller *canceller)
{
    fate_value arg = fate_box_with(token_dropped, struct token, 1);
    fate_deferred *d = fate_hold(fate_deferred_new_cancellable(reactor, canceller, arg));

    fate_add_both(d, note, fate_ptr("d"));
    return fate_add_errback(d, give_one, fate_none());
}

/* ---- Unfired ones ---- */

TEST(a_canceller_that_does_not_fire_leaves_a_cancelled_failure)
{
    fate_deferred *d = cancellable(begin(), only_count);

    fate_cancel(d);
    EXPECT_EQ(n_cancels, 1);
    EXPECT_STR(trail, "d=<CancelledError>");
    fate_cancel(d);
    EXPECT_EQ(n_cancels, 1);
}

TEST(the_value_that_a_canceller_fires_stands)
{
    fate_deferred *d = cancellable(begin(), fire_a_value);

    fate_cancel(d);
    EXPECT_STR(trail, "d=42");
    EXPECT_INT(fate_peek(d), 42);
}

TEST(the_failure_that_a_canceller_fires_stands)
{
    fate_deferred *d = cancellable(begin(), fire_a_failure);

    fate_cancel(d);
    EXPECT_STR(trail, "d=<ValueError: stopped>");
}

TEST(a_canceller_is_called_once_though_it_cancels_again)
{
    fate_deferred *d = cancellable(begin(), cancel_again);

    fate_cancel(d);
    EXPECT_EQ(n_cancels, 1);
    EXPECT_INT(fate_peek(d), 1);
    EXPECT_STR(trail, "d=<CancelledError>");
}

TEST(the_arg_of_a_canceller_goes_when_it_fires)
{
    fate_deferred *d = cancellable(begin(), only_count);

    EXPECT_EQ(n_drops, 0);
    fate_fire(d, fate_int(1));
    EXPECT_EQ(n_drops, 1);
    fate_cancel(d);
    EXPECT_EQ(n_cancels, 0);
}

TEST(the_arg_of_a_canceller_goes_when_that_has_been_called)
{
    fate_deferred *d = cancellable(begin(), only_count);

    fate_cancel(d);
    EXPECT_EQ(n_drops, 1);
}

TEST(a_late_result_after_a_canceller_is_a_second_firing)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = cancellable(reactor, only_count);

    fate_cancel(d);
    EXPECT_EQ(fate_fire(d, fate_int(1)), -EALREADY);
    EXPECT_EQ(test_logs(reactor), 1);
}

TEST(further_cancels_do_not_swallow_another_late_result)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_hold(fate_deferred_new(reactor));

    fate_add_errback(d, give_one, fate_none());
    fate_cancel(d);
    fate_cancel(d);
    EXPECT_EQ(fate_fire(d, fate_int(1)), -ECANCELED);
    fate_cancel(d);
    EXPECT_EQ(fate_fire(d, fate_int(1)), -EALREADY);
}

TEST(cancelling_one_that_is_done_does_nothing)
{
    fate_deferred *d = fate_hold(fate_succeed(begin(), fate_int(3)));

    fate_cancel(d);
    EXPECT_INT(fate_peek(d), 3);
}

TEST(one_that_is_paused_sees_the_cancelled_failure_when_it_is_unpaused)
{
    fate_deferred *d = cancellable(begin(), only_count);

    fate_pause(d);
    fate_cancel(d);
    EXPECT_EQ(n_cancels, 1);
    EXPECT_STR(trail, "");
    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    fate_unpause(d);
    EXPECT_STR(trail, "d=<CancelledError>");
}

TEST(an_errback_may_turn_a_cancelled_one_to_success)
{
    fate_deferred *d = cancellable(begin(), only_count);

    fate_cancel(d);
    EXPECT_INT(fate_peek(d), 1);
}

TEST(the_place_of_the_cancel_is_in_the_failure)
{
    fate_deferred *d = fate_hold(fate_deferred_new(begin()));

    fate_cancel(d);
    fate_value at = fate_raised_at(fate_peek(d));
    const char *text = NULL;
    fate_get_str(&at, &text);
    EXPECT_CONTAINS(text, "fate_cancel test_cancel.c:");
    fate_drop(at);
    fate_add_errback(d, give_one, fate_none());
}

/* ---- Those that wait ---- */

/* outer, held, that has followed inner and notes what it gets. */
static fate_deferred *outer_of(fate_reactor *reactor, fate_deferred *inner, const char *name)
{
    fate_deferred *outer = fate_hold(fate_deferred_new(reactor));

    fate_add_callback(outer, follow, fate_ptr(inner));
    fate_add_both(outer, note, fate_ptr(name));
    fate_fire(outer, fate_none());
    return outer;
}

TEST(cancelling_one_that_waits_cancels_what_it_waits_for)
{
    fate_reactor *reactor = begin();
    fate_deferred *inner = cancellable(reactor, fire_a_value);
    fate_deferred *outer = outer_of(reactor, inner, "outer");

    fate_cancel(outer);
    EXPECT_EQ(n_cancels, 1);
    EXPECT_STR(trail, "d=42 outer=42");
}

TEST(a_cancel_goes_down_to_the_innermost_and_its_failure_comes_back_through_all)
{
    fate_reactor *reactor = begin();
    fate_deferred *a = fate_hold(fate_deferred_new_cancellable(reactor, only_count, fate_none()));
    fate_deferred *b = fate_hold(fate_deferred_new(reactor));

    fate_add_callback(b, follow, fate_ptr(a));
    fate_add_both(b, note, fate_ptr("b"));
    fate_deferred *c = outer_of(reactor, b, "c");
    fate_add_errback(c, give_one, fate_none());
    fate_fire(b, fate_none());
    fate_cancel(c);
    EXPECT_EQ(n_cancels, 1);
    EXPECT_STR(trail, "b=<CancelledError> c=<CancelledError>");
}

TEST(cancelling_one_that_waits_for_a_paused_one_does_nothing)
{
    fate_reactor *reactor = begin();
    fate_deferred *inner = fate_hold(fate_succeed(reactor, fate_int(5)));

    fate_pause(inner);
    fate_deferred *outer = outer_of(reactor, inner, "outer");
    fate_cancel(outer);
    EXPECT_STR(trail, "");
    EXPECT_EQ(fate_state(outer), FATE_WAITING);
    fate_unpause(inner);
    EXPECT_STR(trail, "outer=5");
}

TEST(the_late_result_of_a_cancelled_inner_is_swallowed)
{
    fate_reactor *reactor = begin();
    fate_deferred *inner = fate_deferred_new(reactor);
    fate_deferred *outer = outer_of(reactor, inner, "outer");

    fate_add_errback(outer, give_one, fate_none());
    fate_cancel(outer);
    EXPECT_EQ(fate_fire(inner, fate_int(2)), -ECANCELED);
    EXPECT_STR(trail, "outer=<CancelledError>");
}

/* ---- Cancelling and going ---- */

static void release_it(fate_deferred *d, fate_value *arg)
{
    n_cancels++;
    fate_release(d);
}

TEST(a_canceller_may_release_the_last_hold)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = cancellable(reactor, release_it);

    fate_cancel(d);
    EXPECT_STR(trail, "d=<CancelledError>");
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 1);
}

static void abandon_it(fate_deferred *d, fate_value *arg)
{
    EXPECT_EQ(fate_abandon(d), 0);
}

TEST(a_canceller_may_abandon_and_the_failure_comes_all_the_same)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = cancellable(reactor, abandon_it);

    fate_cancel(d);
    EXPECT_STR(trail, "d=<CancelledError>");
}

TEST(dropping_cancels_nothing)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = cancellable(reactor, only_count);

    fate_release(d);
    fate_abandon(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_cancels, 0);
    EXPECT_EQ(n_drops, 1);
    EXPECT_STR(trail, "");
}
