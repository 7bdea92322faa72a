/* Tests of src/coro/: what stops the program, and that its last words name place and remedy. */
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

static fate_reactor *reactor;
static fate_coro *kept;
static fate_deferred *one;

static fate_value keep_and_await_one(fate_coro *co, fate_value *arg)
{
    kept = co;
    return fate_await(co, one);
}

static fate_value keep_and_end(fate_coro *co, fate_value *arg)
{
    kept = co;
    return fate_none();
}

static void begin(void)
{
    reactor = fate_reactor_new_simulated();
    one = fate_deferred_new(reactor);
}

/* ---- Awaiting elsewhere than in the body that runs ---- */

static fate_value await_in_callback(fate_value *result, fate_value *arg)
{
    return fate_await(kept, fate_deferred_new(reactor));
}

static void await_from_a_callback(void *unused)
{
    begin();
    fate_go(reactor, keep_and_await_one, fate_none());
    fate_add_callback(fate_succeed(reactor, fate_none()), await_in_callback, fate_none());
}

static fate_value keep_and_add(fate_coro *co, fate_value *arg)
{
    kept = co;
    fate_add_callback(fate_succeed(reactor, fate_none()), await_in_callback, fate_none());
    return fate_none();
}

static void await_from_a_callback_of_its_own(void *unused)
{
    begin();
    fate_go(reactor, keep_and_add, fate_none());
}

static void await_outside(void *unused)
{
    begin();
    fate_go(reactor, keep_and_await_one, fate_none());
    fate_await(kept, fate_succeed(reactor, fate_none()));
}

static fate_value await_by_kept(fate_coro *co, fate_value *arg)
{
    return fate_await(kept, fate_succeed(reactor, fate_none()));
}

static void await_with_the_co_of_another(void *unused)
{
    begin();
    fate_go(reactor, keep_and_await_one, fate_none());
    fate_go(reactor, await_by_kept, fate_none());
}

static void await_with_none(void *unused)
{
    begin();
    kept = NULL;
    fate_go(reactor, await_by_kept, fate_none());
}

static void await_after_the_end(void *unused)
{
    begin();
    fate_go(reactor, keep_and_end, fate_none());
    fate_await(kept, fate_succeed(reactor, fate_none()));
}

TEST(awaiting_outside_the_body_stops)
{
    const char *where = "await test_coro_misuse.c:";

    EXPECT_STOP(await_from_a_callback, NULL, where, "fate_await outside", "fate_follow(d)");
    EXPECT_STOP(await_from_a_callback_of_its_own, NULL, where, "fate_await outside", "fate_follow(d)");
    EXPECT_STOP(await_outside, NULL, where, "fate_await outside");
    EXPECT_STOP(await_with_the_co_of_another, NULL, where, "fate_await outside");
    EXPECT_STOP(await_with_none, NULL, where, "fate_await outside");
    EXPECT_STOP(await_after_the_end, NULL, where, "fate_await outside");
}

static void sleep_outside(void *unused)
{
    begin();
    fate_go(reactor, keep_and_await_one, fate_none());
    fate_coro_sleep(kept, FATE_SECOND);
}

static void all_outside(void *unused)
{
    begin();
    fate_go(reactor, keep_and_await_one, fate_none());
    fate_await_all(kept, 1, FATE_DEFERREDS(one));
}

static void any_outside(void *unused)
{
    begin();
    fate_go(reactor, keep_and_await_one, fate_none());
    fate_await_any(kept, 1, FATE_DEFERREDS(one));
}

static void lock_outside(void *unused)
{
    begin();
    fate_go(reactor, keep_and_await_one, fate_none());
    fate_coro_lock(kept, fate_lock_new(reactor));
}

static void semaphore_outside(void *unused)
{
    begin();
    fate_go(reactor, keep_and_await_one, fate_none());
    fate_coro_semaphore(kept, fate_semaphore_new(reactor, 1));
}

static void nothing(fate_value *arg)
{
}

static void at_exit_outside(void *unused)
{
    begin();
    fate_go(reactor, keep_and_await_one, fate_none());
    fate_coro_at_exit(kept, nothing, fate_none());
}

TEST(all_that_waits_or_belongs_to_a_body_stops_outside_it)
{
    EXPECT_STOP(sleep_outside, NULL, "fate_coro_sleep outside", "test_coro_misuse.c:");
    EXPECT_STOP(all_outside, NULL, "fate_await_all outside", "test_coro_misuse.c:");
    EXPECT_STOP(any_outside, NULL, "fate_await_any outside", "test_coro_misuse.c:");
    EXPECT_STOP(lock_outside, NULL, "fate_coro_lock outside", "test_coro_misuse.c:");
    EXPECT_STOP(semaphore_outside, NULL, "fate_coro_semaphore outside", "test_coro_misuse.c:");
    EXPECT_STOP(at_exit_outside, NULL, "fate_coro_at_exit outside", "test_coro_misuse.c:");
}

/* ---- What is awaited ---- */

static fate_value await_arg(fate_coro *co, fate_value *arg)
{
    return fate_await(co, fate_as_ptr(arg));
}

static void await_null(void *unused)
{
    begin();
    fate_go(reactor, await_arg, fate_ptr(NULL));
}

static void await_one_that_has_gone(void *unused)
{
    begin();
    fate_deferred *d = fate_succeed(reactor, fate_none());
    fate_advance(reactor, 0);
    fate_go(reactor, await_arg, fate_ptr(d));
}

TEST(awaiting_no_deferred_stops)
{
    EXPECT_STOP(await_null, NULL, "await test_coro_misuse.c:", "NULL deferred");
    EXPECT_STOP(await_one_that_has_gone, NULL, "await test_coro_misuse.c:");
}

/* ---- What the body returns ---- */

static fate_value return_arg(fate_coro *co, fate_value *arg)
{
    return *arg;
}

static fate_value return_follow(fate_coro *co, fate_value *arg)
{
    return fate_follow(one);
}

static void return_arg_untaken(void *unused)
{
    begin();
    fate_go(reactor, return_arg, fate_str("text"));
}

static void follow_from_a_body(void *unused)
{
    begin();
    fate_go(reactor, return_follow, fate_none());
}

TEST(returning_what_is_not_the_bodys_stops)
{
    EXPECT_STOP(return_arg_untaken, NULL, "return_arg test_coro_misuse.c:", "*arg", "fate_take(arg)",
                "fate_copy(arg)");
    EXPECT_STOP(follow_from_a_body, NULL, "return_follow test_coro_misuse.c:", "fate_follow(d)",
                "fate_await(co, d)");
}

#ifdef FATE_DEBUG_CHECKS
static void return_shared_arg_untaken(void *unused)
{
    begin();
    fate_value text = fate_str("text");
    fate_go(reactor, return_arg, fate_copy(&text));
}

static fate_value fire_with_arg(fate_coro *co, fate_value *arg)
{
    fate_fire(one, *arg);
    return fate_none();
}

static void give_arg_away(void *unused)
{
    begin();
    fate_go(reactor, fire_with_arg, fate_str("text"));
}

TEST(a_debug_build_finds_an_arg_that_is_given_untaken)
{
    EXPECT_STOP(return_shared_arg_untaken, NULL, "return_arg test_coro_misuse.c:", "fate_take(");
    EXPECT_STOP(give_arg_away, NULL, "fate_fire", "only lent", "fate_take(");
}
#endif

static fate_value return_simple_arg(fate_coro *co, fate_value *arg)
{
    return *arg;
}

TEST(a_simple_arg_may_be_returned_as_it_is)
{
    fate_deferred *d = fate_go(test_reactor(), return_simple_arg, fate_int(5));
    EXPECT_INT(fate_peek(d), 5);
}

/* ---- Starting ---- */

static void go_without_a_body(void *unused)
{
    begin();
    fate_go(reactor, NULL, fate_none());
}

static void go_without_a_reactor(void *unused)
{
    fate_go(NULL, keep_and_end, fate_none());
}

TEST(starting_without_a_body_or_a_reactor_stops)
{
    EXPECT_STOP(go_without_a_body, NULL, "NULL body", "test_coro_misuse.c:");
    EXPECT_STOP(go_without_a_reactor, NULL, "NULL reactor", "keep_and_end test_coro_misuse.c:");
}

/* ---- Running the reactor from inside ---- */

static fate_value run_here(fate_coro *co, fate_value *arg)
{
    fate_run(reactor);
    return fate_none();
}

static fate_value advance_here(fate_coro *co, fate_value *arg)
{
    fate_advance(reactor, FATE_SECOND);
    return fate_none();
}

static fate_value play_here(fate_coro *co, fate_value *arg)
{
    fate_play(reactor, FATE_SECOND);
    return fate_none();
}

static fate_value free_here(fate_coro *co, fate_value *arg)
{
    fate_reactor_free(reactor);
    return fate_none();
}

static void go(void *body)
{
    fate_coroutine *function;

    memcpy(&function, body, sizeof function);
    begin();
    fate_go(reactor, function, fate_none());
}

static fate_coroutine *after_waiting;

static fate_value wait_first(fate_coro *co, fate_value *arg)
{
    fate_drop(fate_await(co, one));
    return after_waiting(co, arg);
}

static void go_and_fire(void *body)
{
    memcpy(&after_waiting, body, sizeof after_waiting);
    begin();
    fate_go(reactor, wait_first, fate_none());
    fate_fire(one, fate_none());
}

static void expect_stop_inside(fate_coroutine *body, const char *what)
{
    EXPECT_STOP(go, &body, what, "inside an event");
    EXPECT_STOP(go_and_fire, &body, what, "inside an event");
}

TEST(running_or_freeing_the_reactor_in_a_body_stops)
{
    expect_stop_inside(run_here, "fate_run");
    expect_stop_inside(advance_here, "fate_advance");
    expect_stop_inside(play_here, "fate_play");
    expect_stop_inside(free_here, "fate_reactor_free");
}

static void free_at_exit(fate_value *arg)
{
    fate_reactor_free(reactor);
}

static fate_value plan_to_free(fate_coro *co, fate_value *arg)
{
    fate_coro_at_exit(co, free_at_exit, fate_none());
    return fate_none();
}

static void free_in_an_exit(void *unused)
{
    begin();
    fate_go(reactor, plan_to_free, fate_none());
}

TEST(freeing_the_reactor_in_an_exit_stops)
{
    EXPECT_STOP(free_in_an_exit, NULL, "fate_reactor_free");
}
