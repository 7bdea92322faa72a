/* Tests of src/deferred/deferred.c and fire.c: making, firing, holding, giving up, looking (R1-R26, R66). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

static int n_drops;

struct token {
    int number;
};

static void token_dropped(void *token)
{
    n_drops++;
}

/* A value that is counted when it goes. */
static fate_value token(void)
{
    return fate_box_with(token_dropped, struct token, 1);
}

static fate_reactor *begin(void)
{
    n_drops = 0;
    return test_reactor();
}

static fate_deferred *held(fate_reactor *reactor)
{
    return fate_hold(fate_deferred_new(reactor));
}

static int n_calls;

static fate_value count(fate_value *result, fate_value *arg)
{
    n_calls++;
    return fate_take(result);
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

/* ---- Making ---- */

TEST(a_new_one_is_unfired_and_has_no_result)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor);

    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    EXPECT_PTR(fate_peek(d), NULL);
    EXPECT(!fate_is_paused(d));
    EXPECT_PTR(fate_deferred_reactor(d), reactor);
    EXPECT_CONTAINS(fate_deferred_site(d), "test_deferred.c:");
}

TEST(one_that_succeeded_has_its_value_at_once)
{
    fate_deferred *d = fate_succeed(begin(), fate_int(5));

    EXPECT_EQ(fate_state(d), FATE_DONE);
    EXPECT_INT(fate_peek(d), 5);
}

TEST(one_that_failed_has_its_failure_at_once)
{
    fate_deferred *d = fate_fail(begin(), fate_raise(&FATE_KEY_ERROR, "k"));

    EXPECT_EQ(fate_state(d), FATE_DONE);
    EXPECT_FAILURE(fate_peek(d), &FATE_KEY_ERROR);
    fate_add_errback(d, forgive, fate_none());
}

TEST(a_failure_given_to_succeed_is_a_failure_all_the_same)
{
    fate_deferred *d = fate_succeed(begin(), fate_raise(&FATE_KEY_ERROR, "k"));

    n_calls = 0;
    fate_add_callback(d, count, fate_none());
    EXPECT_EQ(n_calls, 0);
    fate_add_errback(d, forgive, fate_none());
}

static fate_value seven(fate_value *arg)
{
    return fate_int(7);
}

static fate_value refuse(fate_value *arg)
{
    return fate_raise(&FATE_VALUE_ERROR, "refused");
}

static fate_value follow_arg(fate_value *arg)
{
    return fate_follow(fate_as_ptr(arg));
}

static fate_value pass_arg(fate_value *arg)
{
    return fate_take(arg);
}

TEST(maybe_gives_the_functions_value_or_failure)
{
    fate_reactor *reactor = begin();

    EXPECT_INT(fate_peek(fate_maybe(reactor, seven, fate_none())), 7);
    fate_deferred *d = fate_maybe(reactor, refuse, fate_none());
    EXPECT_FAILURE(fate_peek(d), &FATE_VALUE_ERROR);
    fate_add_errback(d, forgive, fate_none());
}

TEST(maybe_gives_the_deferred_itself_that_the_function_follows)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor);

    EXPECT_PTR(fate_maybe(reactor, follow_arg, fate_ptr(d)), d);
}

TEST(maybe_drops_its_arg_when_the_function_has_returned)
{
    fate_reactor *reactor = begin();

    fate_maybe(reactor, seven, token());
    EXPECT_EQ(n_drops, 1);
    fate_maybe(reactor, pass_arg, token());
    EXPECT_EQ(n_drops, 1);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 2);
}

/* ---- Firing ---- */

TEST(firing_runs_the_levels_before_it_returns)
{
    fate_deferred *d = fate_add_callback(held(begin()), count, fate_none());

    n_calls = 0;
    EXPECT_EQ(fate_fire(d, fate_int(5)), 0);
    EXPECT_EQ(n_calls, 1);
    EXPECT_INT(fate_peek(d), 5);
}

TEST(adding_gives_the_deferred_back)
{
    fate_deferred *d = held(begin());

    EXPECT_PTR(fate_add_callback(d, count, fate_none()), d);
    EXPECT_PTR(fate_add_errback(d, count, fate_none()), d);
    EXPECT_PTR(fate_add_both(d, count, fate_none()), d);
    EXPECT_PTR(fate_add_callbacks(d, count, count, fate_none()), d);
    EXPECT_PTR(fate_add_trap(d, &FATE_ERROR, count, fate_none()), d);
    EXPECT_PTR(fate_add_handlers(d, .callback = count), d);
}

TEST(a_second_firing_is_refused_dropped_and_logged_with_both_places)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor);

    fate_fire(d, fate_int(5));
    EXPECT_EQ(fate_fire(d, token()), -EALREADY);
    EXPECT_EQ(n_drops, 1);
    EXPECT_INT(fate_peek(d), 5);
    EXPECT_EQ(test_logs(reactor), 1);
    EXPECT_CONTAINS(test_last_log(reactor), "fired a second time");
    EXPECT_CONTAINS(test_last_log(reactor), "fired first at test_deferred.c:");
    EXPECT_CONTAINS(test_last_log(reactor), "made at test_deferred.c:");
}

TEST(all_orders_of_value_and_failure_refuse_the_second)
{
    fate_reactor *reactor = begin();

    for (int i = 0; i < 4; i++) {
        fate_deferred *d = held(reactor);
        fate_fire(d, i & 1 ? fate_raise(&FATE_KEY_ERROR, "first") : fate_int(1));
        EXPECT_EQ(fate_fire(d, i & 2 ? fate_raise(&FATE_VALUE_ERROR, "second") : fate_int(2)), -EALREADY);
        if (i & 1)
            EXPECT_FAILURE(fate_peek(d), &FATE_KEY_ERROR);
        else
            EXPECT_INT(fate_peek(d), 1);
        fate_add_errback(d, forgive, fate_none());
    }
}

TEST(a_second_firing_while_it_is_paused_is_refused)
{
    fate_deferred *d = held(begin());

    fate_pause(d);
    EXPECT_EQ(fate_fire(d, fate_int(1)), 0);
    EXPECT_EQ(fate_fire(d, fate_int(2)), -EALREADY);
    fate_unpause(d);
    EXPECT_INT(fate_peek(d), 1);
}

TEST(one_whose_producer_is_the_library_refuses_to_be_fired)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor), *branch = fate_hold(fate_branch(d));

    EXPECT_EQ(fate_fire(branch, token()), -EPERM);
    EXPECT_EQ(n_drops, 1);
    EXPECT_EQ(fate_state(branch), FATE_UNFIRED);
    EXPECT_EQ(fate_abandon(branch), -EPERM);
    fate_fire(d, fate_int(3));
    EXPECT_INT(fate_peek(branch), 3);
}

/* ---- Args of levels ---- */

static fate_value expect_drops(fate_value *result, fate_value *arg)
{
    int64_t expected = 0;

    EXPECT(fate_get_int(result, &expected));
    EXPECT_EQ(n_drops, expected);
    return fate_int(expected + 1);
}

TEST(the_arg_of_a_level_goes_as_soon_as_that_has_been_passed)
{
    fate_deferred *d = held(begin());

    fate_add_callback(d, expect_drops, token());
    fate_add_both(d, expect_drops, token());
    fate_fire(d, fate_int(0));
    EXPECT_EQ(n_drops, 2);
}

TEST(the_arg_of_a_skipped_level_goes_when_it_is_skipped)
{
    fate_deferred *d = held(begin());

    fate_add_errback(d, count, token());
    fate_add_callback(d, expect_drops, token());
    fate_fire(d, fate_int(1));
    EXPECT_EQ(n_drops, 2);
}

/* ---- The late result of one that was cancelled ---- */

TEST(a_late_result_after_a_cancel_is_dropped_silently_once)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor);

    fate_cancel(d);
    fate_add_errback(d, forgive, fate_none());
    EXPECT_EQ(fate_fire(d, token()), -ECANCELED);
    EXPECT_EQ(n_drops, 1);
    EXPECT_EQ(test_logs(reactor), 0);
    EXPECT_EQ(fate_fire(d, fate_int(2)), -EALREADY);
    EXPECT_EQ(test_logs(reactor), 1);
}

VOLUME_TEST(a_late_result_finds_the_bare_block_many_turns_later)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor);

    fate_add_callback(d, count, token());
    fate_add_errback(d, forgive, fate_none());
    fate_cancel(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 1);
    for (int i = 0; i < 10000; i++)
        fate_succeed(reactor, fate_none());
    fate_advance(reactor, FATE_SECOND);
    EXPECT_EQ(fate_fire(d, token()), -ECANCELED);
    EXPECT_EQ(n_drops, 2);
    EXPECT_EQ(test_logs(reactor), 0);
}

TEST(a_late_abandon_frees_the_bare_block)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor);

    fate_add_errback(d, forgive, fate_none());
    fate_cancel(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(fate_abandon(d), -ECANCELED);
}

TEST(the_failure_of_one_that_was_cancelled_is_reported_without_waiting_for_the_late_result)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor);

    fate_cancel(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1);
    EXPECT_EQ(fate_fire(d, fate_none()), -ECANCELED);
}

/* ---- Holding ---- */

TEST(one_that_is_held_stays_beyond_its_turn)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_hold(fate_succeed(reactor, token()));

    fate_advance(reactor, FATE_SECOND);
    EXPECT_EQ(n_drops, 0);
    EXPECT(fate_is_box(struct token, fate_peek(d)));
    fate_release(d);
    EXPECT_EQ(n_drops, 0);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 1);
}

TEST(one_that_was_held_twice_is_released_twice)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_hold(fate_hold(fate_succeed(reactor, token())));

    fate_release(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 0);
    fate_release(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 1);
}

TEST(one_that_was_released_and_held_again_in_one_turn_stays)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_hold(fate_succeed(reactor, token()));

    fate_release(d);
    fate_hold(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 0);
    fate_release(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 1);
}

TEST(one_that_has_still_to_fire_needs_no_hold)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor);

    n_calls = 0;
    fate_add_callback(d, count, fate_none());
    fate_advance(reactor, FATE_SECOND);
    EXPECT_EQ(fate_fire(d, token()), 0);
    EXPECT_EQ(n_calls, 1);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 1);
}

TEST(one_that_is_paused_needs_no_hold)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_succeed(reactor, token());

    fate_pause(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 0);
    EXPECT_EQ(fate_unpause(d), 0);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 1);
}

TEST(a_held_value_holds_until_it_is_dropped)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_succeed(reactor, token());
    fate_value v = fate_held(d), w = fate_copy(&v);

    EXPECT_EQ(fate_kind_of(&v), FATE_KIND_DEFERRED);
    EXPECT_PTR(fate_as_deferred(&v), d);
    fate_drop(v);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 0);
    fate_drop(w);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 1);
}

TEST(a_held_value_in_a_timer_holds_until_that_has_been_called)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_succeed(reactor, token());
    fate_timer timer = fate_call_later(reactor, FATE_SECOND, fate_shutdown, fate_held(d));

    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 0);
    fate_timer_cancel(timer);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 1);
}

/* ---- Pausing (R54-R58) ---- */

TEST(a_paused_one_keeps_its_result_until_the_last_unpause)
{
    fate_deferred *d = fate_add_callback(held(begin()), count, fate_none());

    n_calls = 0;
    fate_pause(d);
    fate_pause(d);
    EXPECT_EQ(fate_fire(d, fate_int(5)), 0);
    EXPECT_EQ(fate_unpause(d), 0);
    EXPECT_EQ(n_calls, 0);
    fate_add_callback(d, count, fate_none());
    EXPECT_EQ(n_calls, 0);
    EXPECT_EQ(fate_unpause(d), 0);
    EXPECT_EQ(n_calls, 2);
}

TEST(an_unpause_before_firing_only_undoes_the_pause)
{
    fate_deferred *d = fate_add_callback(held(begin()), count, fate_none());

    n_calls = 0;
    fate_pause(d);
    EXPECT_EQ(fate_unpause(d), 0);
    EXPECT_EQ(n_calls, 0);
    fate_fire(d, fate_int(5));
    EXPECT_EQ(n_calls, 1);
}

/* ---- Giving up ---- */

TEST(an_abandoned_one_goes_unfired_and_runs_nothing)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor);

    n_calls = 0;
    fate_add_both(d, count, token());
    fate_add_callbacks(d, count, count, token());
    fate_add_handlers(d, .callback = count, .callback_arg = token(), .errback_arg = token());
    fate_add_trap(d, &FATE_ERROR, count, token());
    EXPECT_EQ(fate_abandon(d), 0);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 5);
    EXPECT_EQ(n_calls, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(an_abandoned_one_drops_the_arg_of_its_canceller_without_calling_it)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new_cancellable(reactor, NULL, token());

    EXPECT_EQ(n_drops, 1);
    fate_abandon(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(an_abandoned_one_that_is_held_is_fired_by_a_chain)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor), *target = fate_deferred_new(reactor);

    n_calls = 0;
    fate_add_callback(target, count, fate_none());
    fate_chain(d, target);
    EXPECT_EQ(fate_abandon(target), 0);
    fate_advance(reactor, 0);
    fate_fire(d, token());
    EXPECT_EQ(n_calls, 1);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 1);
}

TEST(an_abandoned_one_that_is_held_can_be_cancelled)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor);

    fate_abandon(d);
    fate_advance(reactor, 0);
    fate_cancel(d);
    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    fate_add_errback(d, forgive, fate_none());
    fate_release(d);
}

TEST(abandoning_one_that_has_fired_is_refused)
{
    fate_deferred *d = held(begin());

    fate_fire(d, fate_int(1));
    EXPECT_EQ(fate_abandon(d), -EALREADY);
    EXPECT_INT(fate_peek(d), 1);
}

TEST(an_abandoned_paused_one_goes_without_running_its_levels)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor);

    n_calls = 0;
    fate_add_both(d, count, token());
    fate_pause(d);
    fate_fire(d, token());
    EXPECT_EQ(fate_abandon(d), 0);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_calls, 0);
    EXPECT_EQ(n_drops, 2);
}

TEST(a_failure_that_no_run_has_passed_is_not_reported_when_its_paused_deferred_is_abandoned)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor);

    fate_pause(d);
    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "v"));
    fate_abandon(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(a_failure_that_a_run_has_left_is_reported_when_its_paused_deferred_is_abandoned)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "v"));

    fate_pause(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
    fate_abandon(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1);
}

TEST(a_forgotten_one_goes_as_soon_as_it_is_done)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor);

    fate_forget(d);
    fate_fire(d, token());
    EXPECT_EQ(n_drops, 1);
    fate_forget(fate_succeed(reactor, token()));
    EXPECT_EQ(n_drops, 2);
}

TEST(a_forgotten_one_that_fails_is_reported_at_once)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor);

    fate_forget(d);
    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "v"));
    EXPECT_EQ(test_reports(reactor), 1);
}

TEST(a_forgotten_one_that_is_held_stays_until_its_release)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_hold(fate_succeed(reactor, token()));

    fate_forget(d);
    EXPECT_EQ(n_drops, 0);
    fate_release(d);
    EXPECT_EQ(n_drops, 1);
}

/* ---- Looking ---- */

TEST(the_result_that_others_see_during_a_level_is_its_input)
{
    fate_deferred *d = held(begin());

    fate_add_callback(d, count, fate_none());
    fate_pause(d);
    fate_fire(d, fate_int(5));
    EXPECT_EQ(fate_state(d), FATE_DONE);
    EXPECT(fate_is_paused(d));
    EXPECT_INT(fate_peek(d), 5);
    fate_unpause(d);
    EXPECT(!fate_is_paused(d));
}

static fate_value look(fate_value *result, fate_value *d)
{
    EXPECT_INT(fate_peek(fate_as_ptr(d)), 5);
    return fate_int(6);
}

TEST(a_callback_can_look_at_its_own_deferred)
{
    fate_deferred *d = held(begin());

    fate_add_callback(d, look, fate_ptr(d));
    fate_fire(d, fate_int(5));
    EXPECT_INT(fate_peek(d), 6);
}

/* ---- Without memory ---- */

TEST(without_memory_there_is_a_deferred_that_fails_every_level)
{
    fate_reactor *reactor = begin();

    if (test_is_oom())
        return;
    n_calls = 0;
    fate_deferred *d = NULL;
    test_fail_allocation(1, true);
    for (int i = 0; i < 10000 && !(d && fate_peek(d)); i++)
        d = fate_deferred_new(reactor);
    EXPECT(test_fail_allocation(0, false));
    EXPECT_FAILURE(fate_peek(d), &FATE_NO_MEMORY);
    fate_add_callback(d, count, token());
    EXPECT_EQ(n_calls, 0);
    EXPECT_EQ(n_drops, 1);
    fate_add_errback(d, count, fate_none());
    EXPECT_EQ(n_calls, 1);
    EXPECT_EQ(fate_fire(d, token()), -ENOMEM);
    EXPECT_EQ(n_drops, 2);
    fate_release(fate_hold(d));
    fate_pause(d);
    EXPECT_EQ(fate_unpause(d), 0);
    fate_cancel(d);
    fate_forget(d);
    EXPECT_FAILURE(fate_peek(d), &FATE_NO_MEMORY);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(want_of_memory_that_gets_no_errback_is_reported_once_a_turn)
{
    fate_reactor *reactor = begin();

    if (test_is_oom())
        return;
    test_fail_allocation(1, true);
    for (int i = 0; i < 3; i++)
        fate_add_callback(fate_deferred_new_cancellable(reactor, NULL, fate_str("x")), count, fate_none());
    test_fail_allocation(0, false);
    EXPECT_EQ(test_reports(reactor), 0);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1);
}

TEST(a_level_whose_arg_could_not_be_made_fails_instead_of_running)
{
    fate_deferred *d = held(begin());

    if (test_is_oom())
        return;
    n_calls = 0;
    test_fail_allocation(1, true);
    fate_value arg = fate_str("x");
    test_fail_allocation(0, false);
    fate_add_callback(d, count, arg);
    fate_fire(d, fate_int(1));
    EXPECT_EQ(n_calls, 0);
    EXPECT_FAILURE(fate_peek(d), &FATE_NO_MEMORY);
    fate_add_errback(d, forgive, fate_none());
}
