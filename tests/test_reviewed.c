/* What a review found by reading, each once a crash or a loss: code of the user's that is called where one
 * does not think of it. */
#include "test.h"

#include <stdlib.h>

#include <base/alloc.h>
#include <fate/fate.h>

static fate_reactor *reactor;
static fate_lock *lock;
static fate_queue *queue;
static fate_deferred *held;
static int n_calls;

static void begin(void)
{
    reactor = test_reactor();
    held = NULL;
    n_calls = 0;
}

static fate_value answer(fate_value *result, fate_value *arg)
{
    n_calls++;
    return fate_none();
}

/* ---- Drop functions while a deferred goes ---- */

static void hold_what_goes(void *unused)
{
    fate_hold(held);
}

static void drop_that_holds(void *unused)
{
    fate_reactor *mine = fate_reactor_new_simulated();
    held = fate_succeed(mine, fate_box_with(hold_what_goes, int, 7));
    fate_advance(mine, 0);
}

static void drop_of_a_cancellers_arg(void *unused)
{
    fate_cancel(held);
}

static void canceller(fate_deferred *d, fate_value *arg)
{
    n_calls++;
}

static void drop_that_cancels(void *unused)
{
    fate_reactor *mine = fate_reactor_new_simulated();
    held = fate_deferred_new_cancellable(mine, canceller, fate_box_with(drop_of_a_cancellers_arg, int, 7));
    fate_abandon(held);
    fate_advance(mine, 0);
}

TEST(a_deferred_that_goes_is_gone_for_what_it_drops)
{
    EXPECT_STOP(drop_that_holds, NULL, "has gone", NULL);
    EXPECT_STOP(drop_that_cancels, NULL, "has gone", NULL);
}

/* ---- The end of a reactor ---- */

static void release_lock(void *unused)
{
    n_calls++;
    fate_lock_release(lock);
}

TEST(a_delayed_call_may_own_what_releases_a_lock)
{
    begin();
    lock = fate_lock_new(reactor);
    fate_lock_acquire(lock);
    if (fate_lock_is_held(lock))
        fate_call_later(reactor, FATE_SECOND, fate_shutdown, fate_box_with(release_lock, int, 1));
    fate_reactor_free(reactor);
    EXPECT_EQ(n_calls, 1);
}

static void put_into_queue(void *unused)
{
    n_calls++;
    fate_queue_put(queue, fate_int(1));
}

TEST(a_result_that_is_left_may_use_a_queue_when_it_is_dropped)
{
    begin();
    queue = fate_queue_new(reactor, FATE_UNLIMITED, FATE_UNLIMITED);
    fate_hold(fate_succeed(reactor, fate_box_with(put_into_queue, int, 1)));
    fate_reactor_free(reactor);
    EXPECT(n_calls == 1 || test_is_oom());
}

static void make_things(void *unused)
{
    n_calls++;
    fate_lock_acquire(fate_lock_new(reactor));
    fate_succeed(reactor, fate_str("late"));
}

TEST(what_is_made_while_the_rest_is_dropped_goes_too)
{
    begin();
    fate_hold(fate_succeed(reactor, fate_box_with(make_things, int, 1)));
    fate_reactor_free(reactor);
    EXPECT(n_calls == 1 || test_is_oom());
}

static void observe_nothing(const fate_log_entry *entry, fate_value *arg)
{
}

TEST(an_observer_may_hold_a_deferred_to_the_end)
{
    begin();
    fate_log_observe(reactor, FATE_LOG_ERROR, observe_nothing, fate_held(fate_deferred_new(reactor)));
    fate_reactor_free(reactor);
}

static fate_value free_reactor(fate_value *result, fate_value *mine)
{
    fate_reactor_free(fate_as_ptr(mine));
    return fate_none();
}

static void free_inside_a_callback(void *unused)
{
    fate_reactor *mine = fate_reactor_new_simulated();
    fate_deferred *d = fate_deferred_new(mine);
    fate_add_callback(d, free_reactor, fate_ptr(mine));
    fate_fire(d, fate_none());
}

TEST(freeing_the_reactor_inside_a_callback_stops_also_outside_an_event)
{
    EXPECT_STOP(free_inside_a_callback, NULL, "fate_reactor_free", "inside a callback", NULL);
}

/* ---- Others ---- */

static fate_value another_failure(fate_value *why, fate_value *arg)
{
    fate_drop(fate_take(why));
    return fate_raise(&FATE_KEY_ERROR, "a new failure");
}

TEST(a_new_failure_is_reported_though_the_old_one_was_answered_for)
{
    begin();
    fate_deferred *d = fate_hold(fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "old")));
    fate_add_errback(fate_branch(d), answer, fate_none());
    fate_add_errback(d, another_failure, fate_none());
    fate_release(d);
    fate_advance(reactor, 0);
    EXPECT(test_reports(reactor) == 1 || test_is_oom());
}

/* The place for the timeout's level is what cannot be had. */
TEST(without_memory_for_its_level_a_timeout_cancels)
{
    for (unsigned long n = 1; n < 6; n++) {
        begin();
        fate_deferred *d = fate_hold(fate_deferred_new(reactor));
        for (int i = 0; i < 3; i++)
            fate_add_callback(d, answer, fate_none());
        test_fail_allocation(n, false);
        fate_add_timeout(d, FATE_SECOND);
        test_fail_allocation(0, false);
        fate_advance(reactor, 10 * FATE_SECOND);
        EXPECT(test_is_oom() || fate_state(d) == FATE_DONE);
        fate_add_errback(d, answer, fate_none());
        fate_release(d);
        fate_reactor_free(reactor);
    }
}

static fate_value lock_and_wait(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_coro_lock(co, lock);
    if (fate_is_failure(&v))
        return v;
    return fate_await(co, held);
}

TEST(a_lock_may_be_freed_while_a_coroutine_has_it)
{
    begin();
    lock = fate_lock_new(reactor);
    held = fate_hold(fate_deferred_new(reactor));
    fate_go(reactor, lock_and_wait, fate_none());
    fate_lock_free(lock);
    fate_fire(held, fate_none());
    fate_release(held);
}

TEST(a_lock_that_was_freed_can_still_be_released)
{
    begin();
    lock = fate_lock_new(reactor);
    fate_lock_acquire(lock);
    bool is_held = fate_lock_is_held(lock);
    fate_lock_free(lock);
    if (is_held)
        EXPECT_EQ(fate_lock_release(lock), 0);
}

static void log_again(const fate_log_entry *entry, fate_value *arg)
{
    n_calls++;
    fate_log(reactor, FATE_LOG_INFO, "%s", "again");
}

static void let_observer_log(void *unused)
{
    reactor = fate_reactor_new_simulated();
    fate_log_observe(reactor, FATE_LOG_DEBUG, log_again, fate_none());
    fate_log(reactor, FATE_LOG_DEBUG, "%s", "once");
    if (n_calls == 1)
        abort();
}

TEST(an_observer_that_logs_is_not_called_for_that)
{
    n_calls = 0;
    EXPECT_STOP(let_observer_log, NULL, "info: test_reviewed.c:", ": again\n");
}

static fate_looping_call *loop;

static fate_value start_it_again(fate_value *arg)
{
    fate_looping_call_stop(loop);
    fate_looping_call_start(loop, FATE_SECOND, false);
    return fate_none();
}

static void restart_while_busy(void *unused)
{
    fate_reactor *mine = fate_reactor_new_simulated();
    loop = fate_looping_call_new(mine, start_it_again, fate_none());
    fate_looping_call_start(loop, FATE_SECOND, true);
}

TEST(a_looping_call_is_not_started_again_while_its_function_runs)
{
    EXPECT_STOP(restart_while_busy, NULL, "R203", "is not done yet", NULL);
}
