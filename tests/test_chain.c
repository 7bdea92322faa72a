/* Tests of src/deferred/chain.c: levels, re-entrancy, pausing, following, rings, and depth (R6-R63, R261). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <fate/fate.h>

#include "test.h"

/* ---- What was said, in order ---- */

static char trail[1024];

static fate_reactor *begin(void)
{
    trail[0] = '\0';
    return test_reactor();
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

/* ---- Callbacks: the name of the level is its arg ---- */

static fate_value note(fate_value *result, fate_value *name)
{
    say(fate_as_ptr(name), result);
    return fate_take(result);
}

static fate_value note_and_give_one(fate_value *result, fate_value *name)
{
    say(fate_as_ptr(name), result);
    return fate_int(1);
}

static fate_value note_and_fail(fate_value *result, fate_value *name)
{
    say(fate_as_ptr(name), result);
    return fate_raise(&FATE_VALUE_ERROR, "%s", (const char *)fate_as_ptr(name));
}

static fate_value give_none(fate_value *result, fate_value *arg)
{
    return fate_none();
}

static fate_value add_one(fate_value *result, fate_value *arg)
{
    int64_t i = 0;

    fate_get_int(result, &i);
    return fate_int(i + 1);
}

static fate_value follow(fate_value *result, fate_value *d)
{
    return fate_follow(fate_as_ptr(d));
}

/* What an action does to a deferred from inside a callback; its arg is a box of this. */
struct deed {
    const char *name;
    fate_deferred *d, *other;
    void (*act)(struct deed *deed);
};

static fate_value act(fate_value *result, fate_value *arg)
{
    struct deed *deed = fate_unbox(struct deed, arg);

    say(deed->name, result);
    deed->act(deed);
    return fate_take(result);
}

static void add_note(struct deed *deed)
{
    fate_add_both(deed->d, note, fate_ptr("added"));
}

static void fire_other(struct deed *deed)
{
    fate_fire(deed->other, fate_int(9));
}

static void pause_it(struct deed *deed)
{
    fate_pause(deed->d);
}

static void pause_and_unpause(struct deed *deed)
{
    fate_pause(deed->d);
    EXPECT_EQ(fate_unpause(deed->d), 0);
}

static void cancel_it(struct deed *deed)
{
    fate_cancel(deed->d);
}

static fate_deferred *held(fate_reactor *reactor)
{
    return fate_hold(fate_deferred_new(reactor));
}

/* A held one with a level that notes its name. */
static fate_deferred *noted(fate_reactor *reactor, const char *name)
{
    return fate_add_both(held(reactor), note, fate_ptr(name));
}

/* ---- Levels (R13-R21) ---- */

TEST(levels_run_in_order_while_it_fires)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor);

    fate_add_callback(d, note_and_give_one, fate_ptr("a"));
    fate_add_callback(d, note, fate_ptr("b"));
    fate_fire(d, fate_int(5));
    EXPECT_STR(trail, "a=5 b=1");
    EXPECT_INT(fate_peek(d), 1);
}

TEST(an_errback_is_skipped_when_there_is_a_value)
{
    fate_deferred *d = held(begin());

    fate_add_errback(d, note, fate_ptr("errback"));
    fate_add_callback(d, note, fate_ptr("callback"));
    fate_fire(d, fate_int(5));
    EXPECT_STR(trail, "callback=5");
}

TEST(a_failure_goes_past_callbacks_to_the_next_errback)
{
    fate_deferred *d = held(begin());

    fate_add_callback(d, note_and_fail, fate_ptr("a"));
    fate_add_callback(d, note, fate_ptr("b"));
    fate_add_errback(d, note_and_give_one, fate_ptr("c"));
    fate_add_callback(d, note, fate_ptr("d"));
    fate_fire(d, fate_none());
    EXPECT_STR(trail, "a=none c=<ValueError: a> d=1");
}

TEST(an_errback_of_a_pair_does_not_see_its_callbacks_failure)
{
    fate_deferred *d = held(begin());

    fate_add_callbacks(d, note_and_fail, note, fate_ptr("pair"));
    fate_add_errback(d, note_and_give_one, fate_ptr("next"));
    fate_fire(d, fate_int(2));
    EXPECT_STR(trail, "pair=2 next=<ValueError: pair>");
}

TEST(each_side_of_handlers_has_its_own_arg)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor), *e = held(reactor);

    fate_add_handlers(d, .callback = note, .callback_arg = fate_ptr("yes"), .errback = note_and_give_one,
                      .errback_arg = fate_ptr("no"));
    fate_add_handlers(e, .callback = note, .callback_arg = fate_ptr("yes"), .errback = note_and_give_one,
                      .errback_arg = fate_ptr("no"));
    fate_fire(d, fate_int(2));
    fate_fire(e, fate_raise(&FATE_ERROR, "x"));
    EXPECT_STR(trail, "yes=2 no=<Error: x>");
}

TEST(the_absent_side_of_a_pair_passes_its_input_on)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor), *e = held(reactor);

    fate_add_callbacks(d, NULL, note, fate_ptr("errback"));
    fate_add_callbacks(e, note, NULL, fate_ptr("callback"));
    fate_add_errback(e, note_and_give_one, fate_ptr("end"));
    fate_fire(d, fate_int(3));
    fate_fire(e, fate_raise(&FATE_ERROR, "x"));
    EXPECT_INT(fate_peek(d), 3);
    EXPECT_STR(trail, "end=<Error: x>");
}

TEST(a_trap_handles_its_class_and_lets_others_pass)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor), *e = held(reactor), *f = held(reactor);

    fate_add_trap(d, &FATE_LOOKUP_ERROR, note_and_give_one, fate_ptr("d"));
    fate_add_trap(e, &FATE_LOOKUP_ERROR, note_and_give_one, fate_ptr("e"));
    fate_add_trap(f, &FATE_LOOKUP_ERROR, note_and_give_one, fate_ptr("f"));
    fate_fire(d, fate_raise(&FATE_KEY_ERROR, "k"));
    fate_fire(e, fate_raise(&FATE_VALUE_ERROR, "v"));
    fate_fire(f, fate_int(7));
    EXPECT_STR(trail, "d=<KeyError: k>");
    EXPECT_INT(fate_peek(d), 1);
    EXPECT_FAILURE(fate_peek(e), &FATE_VALUE_ERROR);
    EXPECT_INT(fate_peek(f), 7);
    fate_add_errback(e, give_none, fate_none());
}

TEST(a_level_added_later_sees_the_result_that_was_left)
{
    fate_deferred *d = held(begin());

    fate_fire(d, fate_int(4));
    fate_add_callback(d, note_and_give_one, fate_ptr("a"));
    fate_add_callback(d, note, fate_ptr("b"));
    EXPECT_STR(trail, "a=4 b=1");
}

/* More than fit inside a deferred and than fit in one block. */
TEST(any_number_of_levels_run_in_order)
{
    fate_deferred *d = held(begin());

    for (int i = 0; i < 100; i++) {
        fate_add_callback(d, add_one, fate_none());
        fate_add_callbacks(d, add_one, note, fate_ptr("errback"));
    }
    fate_fire(d, fate_int(0));
    EXPECT_INT(fate_peek(d), 200);
}

/* ---- From inside (R27-R35) ---- */

TEST(a_level_added_from_inside_runs_after_those_that_were_there)
{
    fate_deferred *d = held(begin());

    fate_add_callback(d, act, fate_box(struct deed, "a", d, NULL, add_note));
    fate_add_callback(d, note, fate_ptr("b"));
    fate_fire(d, fate_int(1));
    EXPECT_STR(trail, "a=1 b=1 added=1");
}

TEST(a_level_added_from_inside_to_a_fired_one_waits_until_the_callback_has_returned)
{
    fate_deferred *d = held(begin());

    fate_fire(d, fate_int(1));
    fate_add_callback(d, act, fate_box(struct deed, "a", d, NULL, add_note));
    EXPECT_STR(trail, "a=1 added=1");
}

TEST(firing_another_from_inside_runs_it_nested)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor), *other = noted(reactor, "other");

    fate_add_callback(d, act, fate_box(struct deed, "a", d, other, fire_other));
    fate_add_callback(d, note, fate_ptr("b"));
    fate_fire(d, fate_int(1));
    EXPECT_STR(trail, "a=1 other=9 b=1");
}

TEST(a_pause_from_inside_takes_effect_after_the_running_level)
{
    fate_deferred *d = held(begin());

    fate_add_callback(d, act, fate_box(struct deed, "a", d, NULL, pause_it));
    fate_add_callback(d, note, fate_ptr("b"));
    fate_fire(d, fate_int(1));
    EXPECT_STR(trail, "a=1");
    EXPECT(fate_is_paused(d));
    fate_unpause(d);
    EXPECT_STR(trail, "a=1 b=1");
}

TEST(an_unpause_from_inside_does_not_run_levels_within_one_another)
{
    fate_deferred *d = held(begin());

    fate_add_callback(d, act, fate_box(struct deed, "a", d, NULL, pause_and_unpause));
    fate_add_callback(d, note, fate_ptr("b"));
    fate_fire(d, fate_int(1));
    EXPECT_STR(trail, "a=1 b=1");
}

TEST(a_cancel_from_inside_its_own_callback_does_nothing)
{
    fate_deferred *d = held(begin());

    fate_add_callback(d, act, fate_box(struct deed, "a", d, NULL, cancel_it));
    fate_add_both(d, note, fate_ptr("b"));
    fate_fire(d, fate_int(1));
    EXPECT_STR(trail, "a=1 b=1");
}

static void follow_the_running_one(struct deed *deed)
{
    fate_add_callback(deed->other, follow, fate_ptr(deed->d));
    fate_add_callback(deed->other, note, fate_ptr("outer"));
    fate_fire(deed->other, fate_int(2));
    say("outer waits", fate_peek(deed->other) ? fate_peek(deed->other) : &(fate_value){ 0 });
}

/* R35, with the better answer: wait. */
TEST(one_that_runs_its_levels_is_waited_for)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor), *outer = held(reactor);

    fate_add_callback(d, act, fate_box(struct deed, "d", d, outer, follow_the_running_one));
    fate_add_callback(d, note_and_give_one, fate_ptr("d"));
    fate_fire(d, fate_int(5));
    EXPECT_STR(trail, "d=5 outer waits=none d=5 outer=1");
    EXPECT_NONE(fate_peek(d));
}

/* ---- Following (R36-R57) ---- */

TEST(an_unpause_without_a_pause_is_refused)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor), *inner = held(reactor);

    EXPECT_EQ(fate_unpause(d), -EINVAL);
    fate_add_callback(d, follow, fate_ptr(inner));
    fate_add_callback(d, note, fate_ptr("d"));
    fate_fire(d, fate_none());
    EXPECT_EQ(fate_unpause(d), -EINVAL);
    EXPECT_STR(trail, "");
    fate_fire(inner, fate_int(3));
    EXPECT_STR(trail, "d=3");
}

TEST(a_pause_and_unpause_around_a_wait_are_neutral)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor), *inner = held(reactor);

    fate_add_callback(d, follow, fate_ptr(inner));
    fate_add_callback(d, note, fate_ptr("d"));
    fate_fire(d, fate_none());
    fate_pause(d);
    fate_unpause(d);
    EXPECT_STR(trail, "");
    EXPECT(!fate_is_paused(d));
    fate_fire(inner, fate_int(3));
    EXPECT_STR(trail, "d=3");
}

TEST(the_result_of_a_fired_one_is_taken_at_once)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor), *inner = fate_hold(fate_succeed(reactor, fate_int(7)));

    fate_add_callback(d, follow, fate_ptr(inner));
    fate_add_callback(d, note, fate_ptr("d"));
    fate_fire(d, fate_none());
    EXPECT_STR(trail, "d=7");
    EXPECT_NONE(fate_peek(inner));
}

TEST(levels_of_the_inner_added_before_run_before_and_those_added_after_run_after)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor), *inner = noted(reactor, "before");

    fate_add_callback(d, follow, fate_ptr(inner));
    fate_add_callback(d, note, fate_ptr("d"));
    fate_fire(d, fate_none());
    EXPECT_EQ(fate_state(d), FATE_WAITING);
    EXPECT_PTR(fate_peek(d), NULL);
    fate_add_callback(inner, note, fate_ptr("after"));
    fate_fire(inner, fate_int(7));
    EXPECT_STR(trail, "before=7 d=7 after=none");
    EXPECT_EQ(fate_state(d), FATE_DONE);
}

TEST(a_failure_that_has_been_handed_over_is_not_reported_on_the_giver)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor), *inner = fate_deferred_new(reactor);

    fate_add_callback(d, follow, fate_ptr(inner));
    fate_add_errback(d, note_and_give_one, fate_ptr("d"));
    fate_fire(d, fate_none());
    fate_fire(inner, fate_raise(&FATE_VALUE_ERROR, "v"));
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "d=<ValueError: v>");
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(a_failure_of_a_later_level_of_the_inner_is_its_own)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor), *inner = held(reactor);

    fate_add_callback(d, follow, fate_ptr(inner));
    fate_fire(d, fate_none());
    fate_add_callback(inner, note_and_fail, fate_ptr("inner"));
    fate_fire(inner, fate_int(7));
    fate_release(inner);
    fate_advance(reactor, 0);
    EXPECT_INT(fate_peek(d), 7);
    EXPECT_EQ(test_reports(reactor), 1);
    EXPECT_STR(test_last_report(reactor), "ValueError: inner");
}

TEST(waiting_goes_on_down_a_chain)
{
    fate_reactor *reactor = begin();
    fate_deferred *a = held(reactor), *b = noted(reactor, "b before"), *c = held(reactor);

    fate_add_callback(b, follow, fate_ptr(c));
    fate_add_callback(b, note, fate_ptr("b"));
    fate_add_callback(a, follow, fate_ptr(b));
    fate_add_callback(a, note, fate_ptr("a"));
    fate_fire(a, fate_none());
    fate_fire(b, fate_int(1));
    fate_add_callback(b, note, fate_ptr("b after"));
    fate_add_callback(c, note, fate_ptr("c after"));
    fate_fire(c, fate_int(7));
    EXPECT_STR(trail, "b before=1 b=7 a=7 b after=none c after=none");
}

TEST(an_inner_that_is_paused_is_waited_for)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor), *inner = fate_hold(fate_succeed(reactor, fate_int(7)));

    fate_pause(inner);
    fate_add_callback(d, follow, fate_ptr(inner));
    fate_add_callback(d, note, fate_ptr("d"));
    fate_fire(d, fate_none());
    EXPECT_STR(trail, "");
    fate_unpause(inner);
    EXPECT_STR(trail, "d=7");
}

TEST(a_paused_outer_keeps_the_value_and_the_inner_goes_on)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor), *inner = held(reactor);

    fate_add_callback(d, follow, fate_ptr(inner));
    fate_add_callback(d, note, fate_ptr("d"));
    fate_fire(d, fate_none());
    fate_add_callback(inner, note, fate_ptr("inner after"));
    fate_pause(d);
    fate_fire(inner, fate_int(7));
    EXPECT_STR(trail, "inner after=none");
    EXPECT_EQ(fate_state(d), FATE_DONE);
    EXPECT_INT(fate_peek(d), 7);
    fate_unpause(d);
    EXPECT_STR(trail, "inner after=none d=7");
}

TEST(the_second_who_follows_one_inner_gets_none)
{
    fate_reactor *reactor = begin();
    fate_deferred *inner = held(reactor), *outer[3];

    for (int i = 0; i < 3; i++) {
        outer[i] = held(reactor);
        fate_add_callback(outer[i], follow, fate_ptr(inner));
        fate_add_callback(outer[i], note, fate_ptr(i == 0 ? "first" : i == 1 ? "second" : "third"));
        fate_fire(outer[i], fate_none());
    }
    fate_fire(inner, fate_int(7));
    EXPECT_STR(trail, "first=7 second=none third=none");
}

TEST(levels_between_two_who_follow_run_between_them)
{
    fate_reactor *reactor = begin();
    fate_deferred *inner = held(reactor), *a = held(reactor), *b = held(reactor);

    fate_add_callback(a, follow, fate_ptr(inner));
    fate_add_callback(a, note, fate_ptr("a"));
    fate_add_callback(b, follow, fate_ptr(inner));
    fate_add_callback(b, note, fate_ptr("b"));
    fate_fire(a, fate_none());
    fate_add_callback(inner, note_and_give_one, fate_ptr("inner"));
    fate_add_callbacks(inner, note_and_give_one, note, fate_ptr("pair"));
    fate_fire(b, fate_none());
    fate_add_callback(inner, note, fate_ptr("last"));
    fate_fire(inner, fate_int(7));
    EXPECT_STR(trail, "a=7 inner=none pair=1 b=1 last=none");
}

/* ---- Inside the hand-over (R261) ---- */

/* A held outer that waits for inner, and acts on it when it has the result. */
static fate_deferred *acting_outer(fate_reactor *reactor, fate_deferred *inner, void (*deed)(struct deed *))
{
    fate_deferred *outer = held(reactor);

    fate_add_callback(outer, follow, fate_ptr(inner));
    fate_add_callback(outer, act, fate_box(struct deed, "outer", inner, NULL, deed));
    fate_fire(outer, fate_none());
    return outer;
}

TEST(adding_to_the_inner_during_the_hand_over_runs_its_remaining_levels_nested)
{
    fate_reactor *reactor = begin();
    fate_deferred *inner = held(reactor);
    fate_deferred *outer = acting_outer(reactor, inner, add_note);

    fate_add_callback(outer, note, fate_ptr("outer end"));
    fate_add_callback(inner, note, fate_ptr("inner"));
    fate_fire(inner, fate_int(7));
    EXPECT_STR(trail, "outer=7 inner=none added=none outer end=7");
}

TEST(pausing_the_inner_during_the_hand_over_stops_its_remaining_levels)
{
    fate_reactor *reactor = begin();
    fate_deferred *inner = held(reactor);

    acting_outer(reactor, inner, pause_it);
    fate_add_callback(inner, note, fate_ptr("inner"));
    fate_fire(inner, fate_int(7));
    EXPECT_STR(trail, "outer=7");
    fate_unpause(inner);
    EXPECT_STR(trail, "outer=7 inner=none");
}

/* The nested run hands over once more, to the second waiter, while the first hand-over is under way. */
TEST(adding_to_the_inner_during_the_hand_over_serves_the_other_waiters_first)
{
    fate_reactor *reactor = begin();
    fate_deferred *inner = fate_deferred_new(reactor), *second = held(reactor);

    if (test_is_oom())
        return; /* without the second, inner has gone by then, as nobody holds it */
    acting_outer(reactor, inner, add_note);
    fate_add_callback(second, follow, fate_ptr(inner));
    fate_add_callback(second, note, fate_ptr("second"));
    fate_fire(second, fate_none());
    fate_fire(inner, fate_int(7));
    EXPECT_STR(trail, "outer=7 second=none added=none");
}

TEST(what_a_run_will_come_back_to_is_not_lost_by_a_nested_hand_over)
{
    fate_reactor *reactor = begin();
    fate_deferred *base = held(reactor), *inner = held(reactor), *second = held(reactor);

    fate_add_callback(inner, follow, fate_ptr(base));
    fate_fire(inner, fate_none());
    fate_add_callback(base, note, fate_ptr("base"));
    acting_outer(reactor, inner, add_note);
    fate_add_callback(second, follow, fate_ptr(inner));
    fate_add_callback(second, note, fate_ptr("second"));
    fate_fire(second, fate_none());
    fate_fire(base, fate_int(7));
    EXPECT_STR(trail, "outer=7 second=none added=none base=none");
}

/* ---- Rings (R52, R53) ---- */

TEST(one_that_follows_itself_gets_a_failure)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor);

    fate_add_callback(d, follow, fate_ptr(d));
    fate_add_both(d, note_and_give_one, fate_ptr("d"));
    fate_fire(d, fate_none());
    EXPECT_CONTAINS(trail, "d=<FollowError: ");
    EXPECT_EQ(test_logs(reactor), 1);
    EXPECT_CONTAINS(test_last_log(reactor), "cannot follow itself");
}

TEST(a_ring_of_three_becomes_a_failure_where_it_closes)
{
    fate_reactor *reactor = begin();
    fate_deferred *a = held(reactor), *b = held(reactor), *c = held(reactor);

    fate_add_callback(a, follow, fate_ptr(b));
    fate_add_both(a, note, fate_ptr("a"));
    fate_add_callback(b, follow, fate_ptr(c));
    fate_add_both(b, note, fate_ptr("b"));
    fate_add_callback(c, follow, fate_ptr(a));
    fate_add_both(c, note, fate_ptr("c"));
    fate_fire(a, fate_none());
    fate_fire(b, fate_none());
    EXPECT_STR(trail, "");
    fate_fire(c, fate_none());
    EXPECT_CONTAINS(trail, "c=<FollowError: ");
    EXPECT_CONTAINS(trail, " b=<FollowError: ");
    EXPECT_CONTAINS(trail, " a=<FollowError: ");
    EXPECT_CONTAINS(test_last_log(reactor), "ring");
    fate_add_errback(a, give_none, fate_none());
}

/* ---- Depth and memory ---- */

#define MANY 1000000

static rlim_t stack_limit_before;

/* The main thread's stack may grow to 8 MiB only. */
static void limit_stack(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_STACK, &limit);
    stack_limit_before = limit.rlim_cur;
    limit.rlim_cur = 8 << 20;
    setrlimit(RLIMIT_STACK, &limit);
}

static void restore_stack(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = stack_limit_before;
    setrlimit(RLIMIT_STACK, &limit);
}

VOLUME_TEST(a_million_deferreds_that_wait_for_one_another_need_one_frame)
{
    fate_reactor *reactor = begin();
    fate_deferred *first = fate_deferred_new(reactor), *d = first;

    limit_stack();
    for (int i = 0; i < MANY; i++) {
        fate_deferred *outer = fate_deferred_new(reactor);
        fate_add_callback(outer, follow, fate_ptr(d));
        fate_add_callback(outer, add_one, fate_none());
        fate_fire(outer, fate_none());
        d = outer;
    }
    fate_hold(d);
    fate_fire(first, fate_int(0));
    EXPECT_INT(fate_peek(d), MANY);
    fate_advance(reactor, 0);
    restore_stack();
}

/* The other way round: each waits before its inner does. */
VOLUME_TEST(a_million_nested_from_outside_in_need_one_frame)
{
    fate_reactor *reactor = begin();
    fate_deferred *outermost = held(reactor), *d = outermost, *outer = NULL;

    limit_stack();
    for (int i = 0; i < MANY; i++) {
        fate_deferred *inner = fate_deferred_new(reactor);
        fate_add_callback(d, follow, fate_ptr(inner));
        fate_add_callback(d, add_one, fate_none());
        if (outer)
            fate_fire(outer, fate_none());
        outer = d;
        d = inner;
    }
    fate_fire(outer, fate_none());
    fate_cancel(outermost);
    EXPECT_EQ(fate_state(outermost), FATE_DONE);
    EXPECT_FAILURE(fate_peek(outermost), &FATE_CANCELLED);
    fate_add_errback(outermost, give_none, fate_none());
    restore_stack();
}

/* R47 does not bind us: chained ones are run by the one loop too. */
VOLUME_TEST(a_million_chained_deferreds_need_one_frame)
{
    fate_reactor *reactor = begin();
    fate_deferred *first = fate_deferred_new(reactor), *d = first;

    limit_stack();
    for (int i = 0; i < MANY; i++) {
        fate_deferred *next = fate_deferred_new(reactor);
        fate_add_callback(d, add_one, fate_none());
        fate_chain(d, next);
        d = next;
    }
    fate_hold(d);
    fate_fire(first, fate_int(0));
    EXPECT_INT(fate_peek(d), MANY);
    fate_advance(reactor, 0);
    restore_stack();
}

VOLUME_TEST(a_million_branches_of_branches_need_one_frame)
{
    fate_reactor *reactor = begin();
    fate_deferred *first = fate_deferred_new(reactor), *d = first;

    limit_stack();
    for (int i = 0; i < MANY; i++)
        d = fate_add_callback(fate_branch(d), add_one, fate_none());
    fate_hold(d);
    fate_fire(first, fate_int(0));
    EXPECT_INT(fate_peek(d), MANY);
    fate_advance(reactor, 0);
    restore_stack();
}

VOLUME_TEST(a_million_levels_on_one_deferred_run_in_one_frame)
{
    fate_deferred *d = held(begin());

    for (int i = 0; i < MANY; i++)
        fate_add_callback(d, add_one, fate_none());
    fate_fire(d, fate_int(0));
    EXPECT_INT(fate_peek(d), MANY);
}

struct count_down {
    fate_reactor *reactor;
    int64_t n;
};

static fate_value follow_the_next(fate_value *result, fate_value *arg)
{
    struct count_down *down = fate_unbox(struct count_down, arg);
    fate_deferred *next = fate_succeed(down->reactor, fate_none());

    if (down->n > 0)
        fate_add_callback(next, follow_the_next, fate_box(struct count_down, down->reactor, down->n - 1));
    return fate_follow(next);
}

/* Each callback returns a fired deferred that it has made: nested as deep as it is long, so not a million. */
TEST(fired_ones_that_are_followed_within_one_another_hand_the_last_result_up)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = held(reactor);

    fate_add_callback(d, follow_the_next, fate_box(struct count_down, reactor, 100));
    fate_add_both(d, note, fate_ptr("d"));
    fate_fire(d, fate_none());
    EXPECT_STR(trail, "d=none");
}

static fate_value follow_a_fired_one(fate_value *result, fate_value *reactor)
{
    int64_t i = 0;

    fate_get_int(result, &i);
    return fate_follow(fate_succeed(fate_as_ptr(reactor), fate_int(i + 1)));
}

VOLUME_TEST(a_million_follows_in_one_turn_take_no_more_memory_than_a_few)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_hold(fate_succeed(reactor, fate_int(0)));
    long before = 0;

    for (int i = 0; i < MANY; i++) {
        if (i == 10000)
            before = test_blocks();
        fate_add_callback(d, follow_a_fired_one, fate_ptr(reactor));
    }
    EXPECT_INT(fate_peek(d), MANY);
    EXPECT_EQ(test_blocks(), before);
}

VOLUME_TEST(a_million_waits_in_one_turn_take_no_more_memory_than_a_few)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_hold(fate_succeed(reactor, fate_int(0)));
    long before = 0;

    for (int i = 0; i < MANY; i++) {
        if (i == 10000)
            before = test_blocks();
        fate_deferred *inner = fate_deferred_new(reactor);
        fate_add_callback(d, follow, fate_ptr(inner));
        fate_fire(inner, fate_int(i));
    }
    EXPECT_INT(fate_peek(d), MANY - 1);
    EXPECT_EQ(test_blocks(), before);
}
