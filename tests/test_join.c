/* Tests of src/deferred/join.c: chain (R59-R63) and branch. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

static char trail[256];
static fate_reactor *reactor;

static void begin(void)
{
    trail[0] = '\0';
    reactor = test_reactor();
}

static fate_deferred *held(void)
{
    return fate_hold(fate_deferred_new(reactor));
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

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static fate_value fail_anew(fate_value *result, fate_value *arg)
{
    return fate_raise(&FATE_KEY_ERROR, "anew");
}

/* ---- Chain ---- */

TEST(a_chain_fires_its_target_and_leaves_none)
{
    begin();
    fate_deferred *d = held(), *target = held();
    fate_add_callback(target, note, fate_ptr("target"));
    EXPECT_PTR(fate_chain(d, target), d);
    fate_add_callback(d, note, fate_ptr("d"));
    fate_fire(d, fate_int(5));
    EXPECT_STR(trail, "target=5 d=none");
}

TEST(a_failure_moves_to_the_target)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor), *target = held();
    fate_chain(d, target);
    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "v"));
    EXPECT_FAILURE(fate_peek(target), &FATE_VALUE_ERROR);
    fate_add_errback(target, forgive, fate_none());
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(a_chain_to_one_that_has_fired_fails)
{
    begin();
    fate_deferred *d = held(), *target = fate_hold(fate_succeed(reactor, fate_int(1)));
    fate_chain(d, target);
    fate_fire(d, fate_int(5));
    EXPECT_FAILURE(fate_peek(d), &FATE_ALREADY_CALLED);
    EXPECT_INT(fate_peek(target), 1);
    fate_add_errback(d, forgive, fate_none());
}

TEST(a_chain_to_one_that_was_cancelled_is_swallowed_once)
{
    begin();
    fate_deferred *d = held(), *e = held(), *target = held();
    fate_chain(d, target);
    fate_chain(e, target);
    fate_cancel(target);
    fate_add_errback(target, forgive, fate_none());
    fate_fire(d, fate_int(5));
    EXPECT_NONE(fate_peek(d));
    fate_fire(e, fate_int(6));
    EXPECT_FAILURE(fate_peek(e), &FATE_ALREADY_CALLED);
    fate_add_errback(e, forgive, fate_none());
}

TEST(cancelling_the_target_does_not_cancel_the_chained_one)
{
    begin();
    fate_deferred *d = held(), *target = held();
    fate_chain(d, target);
    fate_cancel(target);
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_add_errback(target, forgive, fate_none());
}

TEST(firing_the_target_does_not_touch_the_chained_one)
{
    begin();
    fate_deferred *d = held(), *target = held();
    fate_chain(d, target);
    EXPECT_EQ(fate_fire(target, fate_int(1)), 0);
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
}

TEST(a_chain_keeps_its_target_until_the_level_has_run)
{
    begin();
    fate_deferred *d = held(), *target = fate_deferred_new(reactor);
    fate_add_both(target, note, fate_ptr("target"));
    fate_chain(d, target);
    fate_abandon(target);
    fate_advance(reactor, 0);
    fate_fire(d, fate_int(5));
    EXPECT_STR(trail, "target=5");
}

TEST(a_target_whose_chain_goes_unfired_goes_with_it)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor), *target = fate_deferred_new(reactor);
    fate_add_both(target, note, fate_ptr("target"));
    fate_chain(d, target);
    fate_abandon(target);
    fate_abandon(d);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "");
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(a_paused_target_takes_the_result_and_runs_later)
{
    begin();
    fate_deferred *d = held(), *target = held();
    fate_add_both(target, note, fate_ptr("target"));
    fate_pause(target);
    fate_chain(d, target);
    fate_fire(d, fate_int(5));
    EXPECT_STR(trail, "");
    fate_unpause(target);
    EXPECT_STR(trail, "target=5");
}

TEST(one_that_is_chained_to_itself_fails)
{
    begin();
    fate_deferred *d = held();
    fate_chain(d, d);
    fate_fire(d, fate_int(5));
    EXPECT_FAILURE(fate_peek(d), &FATE_ALREADY_CALLED);
    fate_add_errback(d, forgive, fate_none());
}

/* ---- Branch ---- */

TEST(a_branch_gets_a_copy_and_its_trunk_keeps_the_result)
{
    begin();
    fate_deferred *d = held(), *branch = fate_hold(fate_branch(d));
    fate_add_callback(branch, note, fate_ptr("branch"));
    fate_add_callback(d, note, fate_ptr("d"));
    fate_fire(d, fate_str("x"));
    EXPECT_STR(trail, "branch=\"x\" d=\"x\"");
}

TEST(a_branch_of_one_that_has_fired_has_fired)
{
    begin();
    fate_deferred *d = fate_hold(fate_succeed(reactor, fate_int(5)));
    EXPECT_INT(fate_peek(fate_branch(d)), 5);
    EXPECT_INT(fate_peek(fate_branch(d)), 5);
}

TEST(a_failure_that_a_branch_took_is_not_reported_on_the_trunk)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_add_errback(fate_branch(d), forgive, fate_none());
    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "v"));
    EXPECT_FAILURE(fate_peek(d), &FATE_VALUE_ERROR);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(a_failure_that_no_branch_handles_is_reported_on_the_branch)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_branch(d);
    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "v"));
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1);
}

TEST(another_failure_of_the_trunk_is_reported_again)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_add_errback(fate_branch(d), forgive, fate_none());
    fate_add_errback(d, fail_anew, fate_none());
    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "v"));
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1);
    EXPECT_STR(test_last_report(reactor), "KeyError: anew");
}

TEST(an_answered_failure_that_is_passed_on_stays_answered)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_add_errback(fate_branch(d), forgive, fate_none());
    fate_add_errback(d, note, fate_ptr("d"));
    fate_add_callback(d, forgive, fate_none());
    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "v"));
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(every_branch_and_every_later_one_sees_the_failure)
{
    begin();
    fate_deferred *d = held(), *a = fate_hold(fate_branch(d)), *b = fate_hold(fate_branch(d));
    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "v"));
    fate_deferred *c = fate_hold(fate_branch(d));
    EXPECT_FAILURE(fate_peek(a), &FATE_VALUE_ERROR);
    EXPECT_FAILURE(fate_peek(b), &FATE_VALUE_ERROR);
    EXPECT_FAILURE(fate_peek(c), &FATE_VALUE_ERROR);
    fate_add_errback(a, forgive, fate_none());
    fate_add_errback(b, forgive, fate_none());
    fate_add_errback(c, forgive, fate_none());
}

TEST(cancelling_a_branch_cancels_only_the_branch)
{
    begin();
    fate_deferred *d = held(), *a = fate_hold(fate_branch(d)), *b = fate_hold(fate_branch(d));
    fate_cancel(a);
    EXPECT_FAILURE(fate_peek(a), &FATE_CANCELLED);
    fate_add_errback(a, forgive, fate_none());
    fate_fire(d, fate_int(5));
    EXPECT_INT(fate_peek(b), 5);
    EXPECT_INT(fate_peek(d), 5);
    EXPECT_EQ(test_logs(reactor), 0);
}

TEST(a_cancelled_branch_does_not_answer_for_the_trunks_failure)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor), *branch = fate_branch(d);
    fate_cancel(branch);
    fate_add_errback(branch, forgive, fate_none());
    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "v"));
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1);
}

TEST(a_branch_goes_with_a_trunk_that_was_abandoned)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_add_both(fate_branch(d), note, fate_ptr("branch"));
    fate_abandon(d);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "");
    EXPECT_EQ(test_reports(reactor), 0);
}

static fate_value branch_it(fate_value *result, fate_value *d)
{
    fate_add_both(fate_branch(fate_as_ptr(d)), note, fate_ptr("branch"));
    return fate_int(6);
}

TEST(a_branch_from_inside_sees_what_the_running_level_leaves)
{
    begin();
    fate_deferred *d = held();
    fate_add_callback(d, branch_it, fate_ptr(d));
    fate_fire(d, fate_int(5));
    EXPECT_STR(trail, "branch=6");
}

TEST(the_paths_of_branches_are_their_own)
{
    begin();
    fate_deferred *d = held(), *branch = fate_hold(fate_branch(d));
    fate_add_callback(branch, forgive, fate_none());
    fate_add_callback(d, fail_anew, fate_none());
    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "v"));
    fate_value of_d = fate_traceback(fate_peek(d)), of_branch = fate_traceback(fate_peek(branch));
    const char *text = NULL;
    EXPECT(fate_get_str(&of_branch, &text) && strstr(text, "forgive") && !strstr(text, "fail_anew"));
    EXPECT(fate_get_str(&of_d, &text) && strstr(text, "fail_anew") && !strstr(text, "forgive"));
    fate_drop(of_d);
    fate_drop(of_branch);
    fate_add_errback(branch, forgive, fate_none());
}
