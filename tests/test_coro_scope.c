/* Tests of src/coro/helpers.c: sleeping, awaiting several, and what is done when a body ends (R132). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

static char trail[1024];
static fate_reactor *reactor;
static fate_deferred *one, *two;
static fate_lock *lock;
static fate_semaphore *semaphore;

static void begin(void)
{
    trail[0] = '\0';
    reactor = test_reactor();
    one = two = NULL;
    lock = NULL;
    semaphore = NULL;
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

static fate_value recover(fate_value *why, fate_value *arg)
{
    return fate_int(7);
}

static fate_value note(fate_value *result, fate_value *name)
{
    say(fate_as_ptr(name), result);
    return fate_take(result);
}

static fate_deferred *held(void)
{
    return fate_hold(fate_deferred_new(reactor));
}

/* ---- Time, and several at once ---- */

static fate_value sleep_and_tell(fate_coro *co, fate_value *arg)
{
    for (int i = 0; i < 2; i++) {
        fate_value v = fate_coro_sleep(co, 2 * FATE_SECOND);
        say("slept", &v);
        if (fate_is_failure(&v))
            return v;
    }
    return fate_int(fate_now(reactor) / FATE_SECOND);
}

TEST(a_coroutine_sleeps)
{
    begin();
    fate_deferred *d = fate_hold(fate_go(reactor, sleep_and_tell, fate_none()));

    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, "");
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, "slept=none");
    fate_play(reactor, 10 * FATE_SECOND);
    EXPECT_STR(trail, "slept=none slept=none");
    EXPECT_INT(fate_peek(d), 4);
}

TEST(a_sleeper_that_is_cancelled_wakes_with_a_failure_and_leaves_no_timer)
{
    begin();
    fate_deferred *d = fate_hold(fate_go(reactor, sleep_and_tell, fate_none()));

    fate_cancel(d);
    EXPECT_STR(trail, "slept=<CancelledError>");
    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    fate_add_both(d, recover, fate_none());
    fate_advance(reactor, 0);
    EXPECT_EQ(fate_next_timeout(reactor), FATE_NEVER);
}

static fate_value await_both(fate_coro *co, fate_value *arg)
{
    return fate_await_all(co, 2, FATE_DEFERREDS(one, two));
}

static fate_value await_any_of_both(fate_coro *co, fate_value *arg)
{
    return fate_await_any(co, 2, FATE_DEFERREDS(one, two));
}

static fate_deferred *go_for_two(fate_coroutine *body)
{
    begin();
    one = held();
    two = held();
    return fate_hold(fate_go(reactor, body, fate_none()));
}

TEST(all_gives_the_list_of_results)
{
    fate_deferred *d = go_for_two(await_both);

    fate_fire(two, fate_int(2));
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_fire(one, fate_int(1));
    EXPECT_DESCRIBED(fate_peek(d), "[1, 2]");
}

TEST(all_gives_the_first_failure)
{
    fate_deferred *d = go_for_two(await_both);

    fate_fire(two, fate_raise(&FATE_VALUE_ERROR, "no"));
    EXPECT_FAILURE(fate_peek(d), &FATE_FIRST_ERROR);
    fate_add_both(d, recover, fate_none());
    fate_add_both(two, recover, fate_none());
}

TEST(any_gives_the_first_success_and_cancels_the_others)
{
    fate_deferred *d = go_for_two(await_any_of_both);

    fate_fire(two, fate_int(2));
    EXPECT_DESCRIBED(fate_peek(d), "[1, 2]");
    EXPECT_NONE(fate_peek(one));
    EXPECT_EQ(fate_fire(one, fate_int(1)), -ECANCELED);
}

TEST(any_gives_all_failures_when_there_is_no_success)
{
    fate_deferred *d = go_for_two(await_any_of_both);

    fate_fire(two, fate_raise(&FATE_VALUE_ERROR, "no"));
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_fire(one, fate_raise(&FATE_VALUE_ERROR, "no"));
    EXPECT_FAILURE(fate_peek(d), &FATE_FAILURE_GROUP);
    fate_add_both(d, recover, fate_none());
}

TEST(all_and_any_cancel_what_they_wait_for)
{
    fate_deferred *d = go_for_two(await_any_of_both);
    fate_cancel(d);
    EXPECT_FAILURE(fate_peek(d), &FATE_FAILURE_GROUP);
    fate_add_both(d, recover, fate_none());

    d = go_for_two(await_both);
    fate_cancel(d);
    EXPECT_FAILURE(fate_peek(d), &FATE_FIRST_ERROR);
    EXPECT_FAILURE(fate_peek(one), &FATE_CANCELLED);
    EXPECT_FAILURE(fate_peek(two), &FATE_CANCELLED);
    fate_add_both(d, recover, fate_none());
    fate_add_both(one, recover, fate_none());
    fate_add_both(two, recover, fate_none());
}

/* ---- What is done at the end ---- */

static void tell(fate_value *word)
{
    say_word(fate_as_ptr(word));
}

static fate_value plan_and_await(fate_coro *co, fate_value *arg)
{
    EXPECT_EQ(fate_coro_at_exit(co, tell, fate_ptr("first")), 0);
    EXPECT_EQ(fate_coro_at_exit(co, tell, fate_ptr("second")), 0);
    fate_value v = fate_await(co, one);
    say("got", &v);
    EXPECT_EQ(fate_coro_at_exit(co, tell, fate_ptr("third")), 0);
    return v;
}

static fate_deferred *plan(void)
{
    begin();
    one = held();
    fate_deferred *d = fate_hold(fate_go(reactor, plan_and_await, fate_none()));
    fate_add_both(d, note, fate_ptr("done"));
    return d;
}

TEST(exits_run_in_reverse_order_before_the_deferred_fires)
{
    plan();
    fate_fire(one, fate_int(1));
    EXPECT_STR(trail, "got=1 third second first done=1");
}

TEST(exits_run_when_the_body_returns_a_failure)
{
    fate_deferred *d = plan();
    fate_fire(one, fate_raise(&FATE_VALUE_ERROR, "no"));
    EXPECT_STR(trail, "got=<ValueError: no> third second first done=<ValueError: no>");
    fate_add_both(d, recover, fate_none());
}

TEST(exits_run_when_it_is_cancelled)
{
    fate_deferred *d = plan();
    fate_cancel(d);
    EXPECT_STR(trail, "got=<CancelledError> third second first done=<CancelledError>");
    fate_add_both(d, recover, fate_none());
}

TEST(exits_run_when_the_reactor_is_freed)
{
    plan();
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "got=<CancelledError> third second first done=<CancelledError>");
}

TEST(exits_run_when_the_reactor_is_freed_and_the_body_cannot_go_on)
{
    plan();
    fate_pause(one);
    fate_fire(one, fate_int(1));
    EXPECT_STR(trail, "");
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "second first");
}

static fate_value plan_and_end(fate_coro *co, fate_value *arg)
{
    fate_coro_at_exit(co, tell, fate_ptr("first"));
    fate_coro_at_exit(co, tell, fate_ptr("second"));
    return fate_int(1);
}

TEST(exits_run_in_a_body_that_never_waits)
{
    begin();
    fate_go(reactor, plan_and_end, fate_none());
    EXPECT_STR(trail, "second first");
}

struct owner {
    const char *name;
};

static void owner_gone(void *data)
{
    const struct owner *owner = data;
    say_word(owner->name);
}

static void look_at_box(fate_value *arg)
{
    say_word("exit");
}

static fate_value give_box_to_exit(fate_coro *co, fate_value *arg)
{
    fate_coro_at_exit(co, tell, fate_ptr("other"));
    fate_coro_at_exit(co, look_at_box, fate_box_with(owner_gone, struct owner, "dropped"));
    return fate_none();
}

TEST(the_arg_of_an_exit_is_dropped_after_it)
{
    begin();
    fate_go(reactor, give_box_to_exit, fate_none());
    EXPECT_STR(trail, "exit dropped other");
}

/* The arg lives until the coroutine ends; what an exit was given may point into it. */
static fate_value plan_with_owner(fate_coro *co, fate_value *arg)
{
    fate_coro_at_exit(co, tell, fate_ptr("exit"));
    return fate_await(co, one);
}

TEST(the_coroutines_arg_outlives_its_exits)
{
    begin();
    one = held();
    fate_go(reactor, plan_with_owner, fate_box_with(owner_gone, struct owner, "arg"));
    fate_fire(one, fate_none());
    EXPECT_STR(trail, "exit arg");
}

TEST(the_coroutines_arg_outlives_its_exits_when_the_body_cannot_go_on)
{
    begin();
    one = held();
    fate_pause(one);
    fate_go(reactor, plan_with_owner, fate_box_with(owner_gone, struct owner, "arg"));
    fate_fire(one, fate_none());
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "exit arg");
}

static fate_value plan_without_memory(fate_coro *co, fate_value *arg)
{
    test_fail_allocation(1, true);
    EXPECT_EQ(fate_coro_at_exit(co, tell, fate_ptr("at once")), -ENOMEM);
    test_fail_allocation(0, false);
    say_word("end");
    return fate_none();
}

TEST(without_memory_an_exit_is_called_at_once)
{
    begin();
    fate_go(reactor, plan_without_memory, fate_none());
    EXPECT_STR(trail, "at once end");
}

static fate_coro *planner;

static void plan_another(fate_value *arg)
{
    say_word("first");
    fate_coro_at_exit(planner, tell, fate_ptr("another"));
}

static fate_value plan_a_planner(fate_coro *co, fate_value *arg)
{
    planner = co;
    fate_coro_at_exit(co, tell, fate_ptr("last"));
    fate_coro_at_exit(co, plan_another, fate_none());
    return fate_none();
}

TEST(an_exit_may_plan_another_which_is_next)
{
    begin();
    fate_go(reactor, plan_a_planner, fate_none());
    EXPECT_STR(trail, "first another last");
}

static void fire_two(fate_value *arg)
{
    say_word("exit");
    fate_fire(two, fate_int(2));
}

static fate_value plan_to_fire(fate_coro *co, fate_value *arg)
{
    fate_coro_at_exit(co, fire_two, fate_none());
    return fate_await(co, one);
}

TEST(an_exit_may_fire_others)
{
    begin();
    one = held();
    two = fate_add_both(held(), note, fate_ptr("two"));
    fate_deferred *d = fate_go(reactor, plan_to_fire, fate_none());
    fate_add_both(d, note, fate_ptr("done"));
    fate_fire(one, fate_int(1));
    EXPECT_STR(trail, "exit two=2 done=1");
}

/* ---- Locks and semaphores as a scope (R132) ---- */

static fate_value lock_and_await(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_coro_lock(co, lock);
    say("locked", &v);
    if (fate_is_failure(&v))
        return v;
    v = fate_await(co, fate_as_ptr(arg));
    say("got", &v);
    return v;
}

static void begin_with_lock(void)
{
    begin();
    lock = fate_lock_new(reactor);
    one = held();
    two = held();
}

TEST(a_lock_is_released_when_the_body_ends)
{
    begin_with_lock();
    fate_go(reactor, lock_and_await, fate_ptr(one));
    EXPECT(fate_lock_is_held(lock));
    fate_fire(one, fate_int(1));
    EXPECT_STR(trail, "locked=none got=1");
    EXPECT(!fate_lock_is_held(lock));
}

TEST(a_lock_is_released_on_failure_and_on_cancel)
{
    begin_with_lock();
    fate_deferred *first = fate_hold(fate_go(reactor, lock_and_await, fate_ptr(one)));
    fate_deferred *second = fate_hold(fate_go(reactor, lock_and_await, fate_ptr(two)));
    EXPECT_EQ(fate_lock_waiting(lock), 1);
    fate_fire(one, fate_raise(&FATE_VALUE_ERROR, "no"));
    EXPECT_STR(trail, "locked=none got=<ValueError: no> locked=none");
    EXPECT_EQ(fate_lock_waiting(lock), 0);
    EXPECT(fate_lock_is_held(lock));
    fate_cancel(second);
    EXPECT(!fate_lock_is_held(lock));
    EXPECT_FAILURE(fate_peek(second), &FATE_CANCELLED);
    fate_add_both(first, recover, fate_none());
    fate_add_both(second, recover, fate_none());
}

TEST(one_who_is_cancelled_in_line_never_gets_the_lock)
{
    begin_with_lock();
    fate_go(reactor, lock_and_await, fate_ptr(one));
    fate_deferred *second = fate_hold(fate_go(reactor, lock_and_await, fate_ptr(two)));
    fate_cancel(second);
    EXPECT_STR(trail, "locked=none locked=<CancelledError>");
    EXPECT_FAILURE(fate_peek(second), &FATE_CANCELLED);
    EXPECT_EQ(fate_lock_waiting(lock), 0);
    fate_fire(one, fate_int(1));
    EXPECT(!fate_lock_is_held(lock));
    fate_add_both(second, recover, fate_none());
}

TEST(a_lock_of_one_that_cannot_go_on_goes_with_the_reactor)
{
    begin_with_lock();
    fate_pause(one);
    fate_fire(one, fate_int(1));
    fate_go(reactor, lock_and_await, fate_ptr(one));
    fate_go(reactor, lock_and_await, fate_ptr(two));
    EXPECT_EQ(fate_lock_waiting(lock), 1);
    fate_reactor_free(reactor);
    EXPECT_CONTAINS(trail, "locked=none locked=<CancelledError>");
}

TEST(a_lock_made_after_the_first_coroutine_goes_with_the_reactor_too)
{
    begin();
    fate_go(reactor, plan_and_end, fate_none());
    lock = fate_lock_new(reactor);
    one = held();
    fate_pause(one);
    fate_fire(one, fate_int(1));
    fate_go(reactor, lock_and_await, fate_ptr(one));
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "second first locked=none");
}

TEST(a_lock_is_released_when_the_reactor_is_freed)
{
    begin_with_lock();
    fate_go(reactor, lock_and_await, fate_ptr(one));
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "locked=none got=<CancelledError>");
}

static fate_value lock_without_memory(fate_coro *co, fate_value *arg)
{
    test_fail_allocation(1, true);
    fate_value v = fate_coro_lock(co, lock);
    test_fail_allocation(0, false);
    say("locked", &v);
    return v;
}

TEST(a_lock_that_cannot_be_released_is_not_acquired)
{
    begin_with_lock();
    fate_deferred *d = fate_go(reactor, lock_without_memory, fate_none());
    EXPECT_FAILURE(fate_peek(d), &FATE_NO_MEMORY);
    EXPECT(!fate_lock_is_held(lock));
    fate_add_both(d, recover, fate_none());
}

static fate_value take_token_and_await(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_coro_semaphore(co, semaphore);
    say("taken", &v);
    if (fate_is_failure(&v))
        return v;
    return fate_await(co, fate_as_ptr(arg));
}

TEST(a_semaphores_token_comes_back_when_the_body_ends)
{
    begin();
    semaphore = fate_semaphore_new(reactor, 2);
    one = held();
    two = held();
    fate_deferred *third = held();
    fate_go(reactor, take_token_and_await, fate_ptr(one));
    fate_deferred *second = fate_hold(fate_go(reactor, take_token_and_await, fate_ptr(two)));
    fate_deferred *last = fate_hold(fate_go(reactor, take_token_and_await, fate_ptr(third)));
    EXPECT_EQ(fate_semaphore_tokens(semaphore), 0);
    EXPECT_EQ(fate_semaphore_waiting(semaphore), 1);
    fate_fire(one, fate_none());
    EXPECT_STR(trail, "taken=none taken=none taken=none");
    fate_cancel(second);
    fate_cancel(last);
    EXPECT_EQ(fate_semaphore_tokens(semaphore), 2);
    fate_add_both(second, recover, fate_none());
    fate_add_both(last, recover, fate_none());
}

static fate_value take_two_tokens(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_coro_semaphore(co, semaphore);
    if (fate_is_failure(&v))
        return v;
    v = fate_coro_semaphore(co, semaphore);
    EXPECT_EQ(fate_semaphore_tokens(semaphore), 1);
    return v;
}

TEST(a_body_may_take_several_tokens)
{
    begin();
    semaphore = fate_semaphore_new(reactor, 3);
    fate_deferred *d = fate_hold(fate_go(reactor, take_two_tokens, fate_none()));
    EXPECT_NONE(fate_peek(d));
    EXPECT_EQ(fate_semaphore_tokens(semaphore), 3);
}
