/* Tests of src/coro/coro.c: cancelling, and the end of the reactor (R152-R158, R165, R262). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

static char trail[1024];
static fate_reactor *reactor;
static fate_deferred *one, *two, *own;
static fate_coroutine *inner_body;

static void begin(void)
{
    trail[0] = '\0';
    reactor = test_reactor();
    one = two = own = NULL;
}

static void say(const char *name, const fate_value *v)
{
    test_suspend_failures();
    fate_value text = fate_describe(v);
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s%s=%s", len ? " " : "", name, fate_as_str(&text));
    fate_drop(text);
    test_resume_failures();
}

static void say_word(const char *word)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s%s", len ? " " : "", word);
}

static fate_value note(fate_value *result, fate_value *name)
{
    say(fate_as_ptr(name), result);
    return fate_take(result);
}

static fate_value recover(fate_value *why, fate_value *arg)
{
    return fate_int(7);
}

static fate_value follow(fate_value *result, fate_value *d)
{
    return fate_follow(fate_as_ptr(d));
}

static void say_cancelled(fate_deferred *d, fate_value *arg)
{
    say_word(fate_as_ptr(arg));
}

static void fire_nine(fate_deferred *d, fate_value *arg)
{
    say_word("canceller");
    fate_fire(d, fate_int(9));
}

static fate_deferred *held(void)
{
    return fate_hold(fate_deferred_new(reactor));
}

/* ---- Bodies ---- */

static fate_value await_one(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_await(co, one);
    say("got", &v);
    return v;
}

static fate_value await_one_then_two(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_await(co, one);
    say("first", &v);
    fate_drop(v);
    v = fate_await(co, two);
    say("second", &v);
    return v;
}

static fate_value translate(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_await(co, one);
    say("got", &v);
    if (fate_is(&v, &FATE_CANCELLED)) {
        fate_drop(v);
        return fate_raise(&FATE_VALUE_ERROR, "stopped");
    }
    return v;
}

static fate_value await_inner(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_await(co, fate_go(reactor, inner_body, fate_none()));
    say("outer", &v);
    return v;
}

/* Two more around that. */
static fate_value await_the_one_that_awaits(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_await(co, fate_go(reactor, await_inner, fate_none()));
    say("outermost", &v);
    return v;
}

static fate_deferred *go(fate_coroutine *body)
{
    fate_deferred *d = fate_hold(fate_go(reactor, body, fate_none()));
    return fate_add_both(d, note, fate_ptr("done"));
}

static void settle(fate_deferred *d)
{
    fate_add_both(d, recover, fate_none());
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

/* ---- What is awaited is cancelled (R152-R156) ---- */

TEST(cancelling_cancels_what_is_awaited)
{
    begin();
    one = fate_hold(fate_deferred_new_cancellable(reactor, say_cancelled, fate_ptr("canceller")));
    fate_deferred *d = go(await_one);
    fate_cancel(d);
    EXPECT_STR(trail, "canceller got=<CancelledError> done=<CancelledError>");
    EXPECT_NONE(fate_peek(one));
    settle(d);
}

TEST(a_canceller_may_give_the_body_a_value)
{
    begin();
    one = fate_deferred_new_cancellable(reactor, fire_nine, fate_none());
    fate_deferred *d = go(await_one);
    fate_cancel(d);
    EXPECT_STR(trail, "canceller got=9 done=9");
    EXPECT_INT(fate_peek(d), 9);
}

TEST(the_levels_of_what_is_awaited_decide_what_the_body_sees)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_add_errback(one, recover, fate_none());
    fate_deferred *d = go(await_one);
    fate_cancel(d);
    EXPECT_STR(trail, "got=7 done=7");
}

TEST(the_body_may_translate_the_cancel)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_deferred *d = go(translate);
    fate_cancel(d);
    EXPECT_STR(trail, "got=<CancelledError> done=<ValueError: stopped>");
    settle(d);
}

TEST(the_body_may_go_on_and_is_cancelled_again)
{
    begin();
    one = fate_deferred_new(reactor);
    two = fate_deferred_new(reactor);
    fate_deferred *d = go(await_one_then_two);
    fate_cancel(d);
    EXPECT_STR(trail, "first=<CancelledError>");
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_cancel(d);
    EXPECT_STR(trail, "first=<CancelledError> second=<CancelledError> done=<CancelledError>");
    settle(d);
}

TEST(the_body_may_go_on_to_a_value)
{
    begin();
    one = fate_deferred_new(reactor);
    two = fate_deferred_new(reactor);
    fate_deferred *d = go(await_one_then_two);
    fate_cancel(d);
    fate_fire(two, fate_int(2));
    EXPECT_STR(trail, "first=<CancelledError> second=2 done=2");
    EXPECT_INT(fate_peek(d), 2);
}

TEST(a_late_result_of_what_was_cancelled_does_not_resume_it_twice)
{
    begin();
    one = fate_deferred_new(reactor);
    two = fate_deferred_new(reactor);
    fate_deferred *d = go(await_one_then_two);
    fate_cancel(d);
    int error = fate_fire(one, fate_int(1));
    EXPECT_EQ(error, -ECANCELED);
    EXPECT_STR(trail, "first=<CancelledError>");
    fate_fire(two, fate_int(2));
    EXPECT_STR(trail, "first=<CancelledError> second=2 done=2");
}

TEST(one_that_does_not_finish_when_cancelled_is_awaited_still)
{
    begin();
    one = held();
    two = held();
    fate_add_errback(one, follow, fate_ptr(two));
    fate_deferred *d = go(await_one);
    fate_cancel(d);
    EXPECT_STR(trail, "");
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_fire(two, fate_int(2));
    EXPECT_STR(trail, "got=2 done=2");
}

TEST(one_that_has_fired_and_is_paused_ignores_the_cancel)
{
    begin();
    one = held();
    fate_pause(one);
    fate_fire(one, fate_int(1));
    fate_deferred *d = go(await_one);
    fate_cancel(d);
    EXPECT_STR(trail, "");
    fate_unpause(one);
    EXPECT_STR(trail, "got=1 done=1");
}

TEST(one_that_is_paused_and_has_not_fired_is_cancelled_and_seen_when_unpaused)
{
    begin();
    one = held();
    fate_pause(one);
    fate_deferred *d = go(await_one);
    fate_cancel(d);
    EXPECT_STR(trail, "");
    fate_unpause(one);
    EXPECT_STR(trail, "got=<CancelledError> done=<CancelledError>");
    settle(d);
}

TEST(cancelling_one_that_has_ended_does_nothing)
{
    begin();
    one = held();
    fate_deferred *d = go(await_one);
    fate_fire(one, fate_int(1));
    fate_cancel(d);
    EXPECT_INT(fate_peek(d), 1);
    EXPECT_STR(trail, "got=1 done=1");
}

TEST(cancelling_one_whose_later_levels_wait_cancels_those)
{
    begin();
    one = held();
    two = fate_hold(fate_deferred_new_cancellable(reactor, say_cancelled, fate_ptr("canceller")));
    fate_deferred *d = go(await_one);
    fate_add_callback(d, follow, fate_ptr(two));
    fate_fire(one, fate_int(1));
    EXPECT_EQ(fate_state(d), FATE_WAITING);
    fate_cancel(d);
    EXPECT_STR(trail, "got=1 done=1 canceller");
    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    settle(d);
}

/* ---- From the inside ---- */

static fate_value cancel_own_then_await(fate_coro *co, fate_value *arg)
{
    fate_drop(fate_await(co, one));
    if (own)
        fate_cancel(own);
    say_word("cancelled");
    fate_value v = fate_await(co, two);
    say("got", &v);
    return v;
}

TEST(a_body_that_cancels_itself_goes_on)
{
    begin();
    one = fate_deferred_new(reactor);
    two = fate_deferred_new(reactor);
    own = fate_hold(fate_go(reactor, cancel_own_then_await, fate_none()));
    fate_fire(one, fate_none());
    EXPECT_STR(trail, "cancelled");
    fate_fire(two, fate_int(2));
    EXPECT_STR(trail, "cancelled got=2");
}

static fate_value cancel_own(fate_value *result, fate_value *name)
{
    say(fate_as_ptr(name), result);
    if (own)
        fate_cancel(own);
    return fate_take(result);
}

TEST(cancelling_from_a_level_before_the_wait_cancels_nothing_as_that_has_fired)
{
    begin();
    one = held();
    fate_add_both(one, cancel_own, fate_ptr("level"));
    own = go(await_one);
    fate_fire(one, fate_int(1));
    EXPECT_STR(trail, "level=1 got=1 done=1");
}

TEST(cancelling_from_its_own_level_does_nothing)
{
    begin();
    one = held();
    own = go(await_one);
    fate_add_both(own, cancel_own, fate_ptr("level"));
    fate_fire(one, fate_int(1));
    EXPECT_STR(trail, "got=1 done=1 level=1");
}

static fate_value await_while_own_is_cancelled(fate_coro *co, fate_value *arg)
{
    fate_drop(fate_await(co, one));
    fate_drop(
        fate_await(co, fate_add_both(fate_succeed(reactor, fate_int(1)), cancel_own, fate_ptr("level"))));
    say_word("went on");
    return fate_none();
}

TEST(a_body_that_runs_is_not_reached_by_a_cancel_from_a_callback)
{
    begin();
    one = fate_deferred_new(reactor);
    own = fate_hold(fate_go(reactor, await_while_own_is_cancelled, fate_none()));
    fate_fire(one, fate_none());
    EXPECT_STR(trail, "level=1 went on");
    EXPECT_NONE(fate_peek(own));
}

/* ---- Nested (R157) ---- */

TEST(a_cancel_goes_down_to_the_innermost_and_comes_up_through_all)
{
    begin();
    one = fate_deferred_new_cancellable(reactor, say_cancelled, fate_ptr("canceller"));
    inner_body = await_one;
    fate_deferred *d = go(await_the_one_that_awaits);
    fate_cancel(d);
    EXPECT_STR(trail, "canceller got=<CancelledError> outer=<CancelledError> "
                      "outermost=<CancelledError> done=<CancelledError>");
    settle(d);
}

TEST(an_inner_body_may_translate_for_the_outer)
{
    begin();
    one = fate_deferred_new(reactor);
    inner_body = translate;
    fate_deferred *d = go(await_inner);
    fate_cancel(d);
    EXPECT_STR(trail, "got=<CancelledError> outer=<ValueError: stopped> done=<ValueError: stopped>");
    settle(d);
}

TEST(an_inner_body_may_go_on_and_the_outer_waits)
{
    begin();
    one = fate_deferred_new(reactor);
    two = fate_deferred_new(reactor);
    inner_body = await_one_then_two;
    fate_deferred *d = go(await_the_one_that_awaits);
    fate_cancel(d);
    EXPECT_STR(trail, "first=<CancelledError>");
    fate_fire(two, fate_int(2));
    EXPECT_STR(trail, "first=<CancelledError> second=2 outer=2 outermost=2 done=2");
}

TEST(a_cancel_goes_through_a_deferred_that_follows_a_coroutine)
{
    begin();
    one = fate_deferred_new_cancellable(reactor, say_cancelled, fate_ptr("canceller"));
    two = held();
    fate_add_callback(two, follow, fate_ptr(fate_go(reactor, await_one, fate_none())));
    fate_fire(two, fate_none());
    fate_cancel(two);
    EXPECT_STR(trail, "canceller got=<CancelledError>");
    EXPECT_FAILURE(fate_peek(two), &FATE_CANCELLED);
    settle(two);
}

TEST(a_timeout_cancels_a_coroutine)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_go(reactor, await_one, fate_none()));
    fate_add_timeout(d, FATE_SECOND);
    fate_advance(reactor, FATE_SECOND);
    EXPECT_STR(trail, "got=<CancelledError>");
    EXPECT_FAILURE(fate_peek(d), &FATE_TIMEOUT);
    settle(d);
}

TEST(the_levels_of_the_deferred_run_once_with_the_final_outcome)
{
    begin();
    one = fate_deferred_new(reactor);
    two = fate_deferred_new(reactor);
    fate_deferred *d = go(await_one_then_two);
    fate_cancel(d);
    fate_cancel(d);
    fate_cancel(d);
    EXPECT_STR(trail, "first=<CancelledError> second=<CancelledError> done=<CancelledError>");
    settle(d);
}

/* ---- While a cancel is in progress (R262) ---- */

TEST(a_cancelled_one_fires_when_what_it_awaited_has_run_its_levels)
{
    begin();
    one = held();
    fate_deferred *d = go(await_one);
    fate_add_both(one, note, fate_ptr("after"));
    fate_cancel(d);
    EXPECT_STR(trail, "got=<CancelledError> after=none done=<CancelledError>");
    settle(d);
}

static fate_value await_two(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_await(co, two);
    say("outer", &v);
    return v;
}

TEST(at_every_level_the_deferred_fires_after_what_it_awaited_is_through)
{
    begin();
    one = held();
    two = go(await_one);
    fate_add_both(one, note, fate_ptr("after one"));
    fate_deferred *outer = fate_hold(fate_go(reactor, await_two, fate_none()));
    fate_add_both(outer, note, fate_ptr("outer done"));
    fate_add_both(two, note, fate_ptr("after two"));
    fate_cancel(outer);
    EXPECT_STR(trail, "got=<CancelledError> after one=none done=<CancelledError> outer=<CancelledError> "
                      "after two=none outer done=<CancelledError>");
    settle(outer);
}

TEST(further_cancels_meanwhile_do_nothing)
{
    begin();
    one = held();
    two = fate_hold(fate_deferred_new_cancellable(reactor, say_cancelled, fate_ptr("second canceller")));
    own = go(await_one_then_two);
    fate_add_both(one, cancel_own, fate_ptr("after"));
    fate_cancel(own);
    EXPECT_STR(trail, "first=<CancelledError> after=none");
    EXPECT_EQ(fate_state(own), FATE_UNFIRED);
    fate_cancel(own);
    EXPECT_STR(trail, "first=<CancelledError> after=none second canceller second=<CancelledError> "
                      "done=<CancelledError>");
    settle(own);
}

static void cancel_own_in_canceller(fate_deferred *d, fate_value *arg)
{
    say_word("canceller");
    if (own)
        fate_cancel(own);
}

TEST(a_canceller_that_cancels_the_coroutine_again_is_called_once)
{
    begin();
    one = fate_deferred_new_cancellable(reactor, cancel_own_in_canceller, fate_none());
    own = go(await_one);
    fate_cancel(own);
    EXPECT_STR(trail, "canceller got=<CancelledError> done=<CancelledError>");
    settle(own);
}

TEST(one_that_ends_while_it_is_cancelled_may_be_paused)
{
    begin();
    one = held();
    fate_deferred *d = go(await_one);
    fate_pause(d);
    fate_cancel(d);
    EXPECT_STR(trail, "got=<CancelledError>");
    fate_unpause(d);
    EXPECT_STR(trail, "got=<CancelledError> done=<CancelledError>");
    settle(d);
}

/* ---- The end of the reactor ---- */

TEST(freeing_the_reactor_cancels_all_coroutines)
{
    begin();
    one = fate_deferred_new_cancellable(reactor, say_cancelled, fate_ptr("canceller"));
    go(await_one);
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "canceller got=<CancelledError> done=<CancelledError>");
}

TEST(a_body_may_go_on_a_little_while_the_reactor_is_freed)
{
    begin();
    one = fate_deferred_new(reactor);
    two = fate_deferred_new(reactor);
    go(await_one_then_two);
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "first=<CancelledError> second=<CancelledError> done=<CancelledError>");
}

static fate_value clean_up_slowly(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_await(co, one);
    say("got", &v);
    fate_drop(v);
    v = fate_coro_sleep(co, FATE_SECOND);
    say("slept", &v);
    fate_drop(v);
    v = fate_await(co, fate_go(reactor, await_one, fate_none()));
    say("started", &v);
    return v;
}

TEST(what_a_body_begins_while_the_reactor_is_freed_is_born_cancelled)
{
    begin();
    one = held();
    go(clean_up_slowly);
    fate_reactor_free(reactor);
    EXPECT_CONTAINS(trail, "got=<CancelledError> slept=<CancelledError");
    EXPECT_CONTAINS(trail, "started=<CancelledError");
    EXPECT_CONTAINS(trail, "done=<CancelledError");
}

TEST(coroutines_that_await_one_another_go_with_the_reactor)
{
    begin();
    one = fate_deferred_new(reactor);
    inner_body = await_one;
    go(await_the_one_that_awaits);
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "got=<CancelledError> outer=<CancelledError> outermost=<CancelledError> "
                      "done=<CancelledError>");
}

static fate_value go_on_for_ever(fate_coro *co, fate_value *arg)
{
    for (int i = 0; i < 1000; i++)
        fate_drop(fate_coro_sleep(co, FATE_SECOND));
    return fate_none();
}

static void free_under_one_that_goes_on(void *unused)
{
    fate_reactor *here = fate_reactor_new_simulated();

    fate_go(here, go_on_for_ever, fate_none());
    fate_play(here, 10 * FATE_SECOND);
    fate_reactor_free(here);
}

static fate_value await_many_times(fate_coro *co, fate_value *n)
{
    fate_drop(fate_await(co, one));
    for (int64_t i = 0; i < fate_as_int(n); i++)
        fate_drop(fate_await(co, fate_deferred_new(reactor)));
    say_word("enough");
    return fate_none();
}

TEST(one_that_goes_on_awaiting_while_the_reactor_is_freed_stops_the_program)
{
    EXPECT_STOP(free_under_one_that_goes_on, NULL, "go_on_for_ever", "100 times", "fate_reactor_free",
                "await test_coro_cancel.c:");
}

TEST(a_hundred_awaits_while_the_reactor_is_freed_are_no_fault)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_go(reactor, await_many_times, fate_int(100));
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "enough");
}
