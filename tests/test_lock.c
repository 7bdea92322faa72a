/* Tests of src/deferred/lock.c and tokens.c (R123-R130). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

static char trail[256];
static fate_reactor *reactor;
static fate_lock *lock;

static void begin(void)
{
    trail[0] = '\0';
    reactor = test_reactor();
    lock = fate_lock_new(reactor);
}

static void say(const char *what)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s%s", len ? " " : "", what);
}

static fate_value note(fate_value *result, fate_value *name)
{
    say(fate_as_ptr(name));
    return fate_take(result);
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static fate_deferred *acquire(const char *name)
{
    return fate_hold(fate_add_callback(fate_lock_acquire(lock), note, fate_ptr(name)));
}

/* ---- Acquire and release ---- */

TEST(a_free_lock_is_given_at_once)
{
    begin();
    EXPECT(!fate_lock_is_held(lock));
    fate_deferred *d = acquire("a");
    EXPECT_STR(trail, "a");
    EXPECT(fate_lock_is_held(lock));
    EXPECT(fate_is_failure(fate_peek(d)) || fate_as_lock(fate_peek(d)) == lock);
    if (fate_lock_is_held(lock))
        EXPECT_EQ(fate_lock_release(lock), 0);
    EXPECT(!fate_lock_is_held(lock));
}

TEST(a_released_lock_goes_to_the_oldest_in_line_before_release_returns)
{
    begin();
    acquire("a");
    acquire("b");
    acquire("c");
    EXPECT_EQ(fate_lock_waiting(lock), 2);
    if (test_is_oom())
        return; /* without all three, releases stop */
    fate_lock_release(lock);
    EXPECT_STR(trail, "a b");
    EXPECT(fate_lock_is_held(lock));
    fate_lock_release(lock);
    EXPECT_STR(trail, "a b c");
    fate_lock_release(lock);
    EXPECT(!fate_lock_is_held(lock));
}

TEST(cancelling_one_that_waits_takes_it_out_of_the_line)
{
    begin();
    acquire("a");
    fate_deferred *b = acquire("b");
    acquire("c");
    fate_cancel(b);
    EXPECT_FAILURE(fate_peek(b), &FATE_CANCELLED);
    fate_add_errback(b, forgive, fate_none());
    EXPECT_EQ(fate_lock_waiting(lock), 1);
    if (test_is_oom())
        return;
    fate_lock_release(lock);
    EXPECT_STR(trail, "a c");
}

TEST(cancelling_one_that_has_the_lock_does_not_release_it)
{
    begin();
    fate_deferred *a = acquire("a");
    fate_cancel(a);
    EXPECT(fate_lock_is_held(lock));
    fate_add_errback(a, forgive, fate_none());
}

static fate_value release_inside(fate_value *result, fate_value *name)
{
    say(fate_as_ptr(name));
    EXPECT_EQ(fate_lock_release(fate_as_lock(result)), 0);
    return fate_none();
}

TEST(one_that_gets_the_lock_may_hand_it_on_at_once)
{
    begin();
    acquire("a");
    fate_add_callback(fate_lock_acquire(lock), release_inside, fate_ptr("b"));
    fate_add_callback(fate_lock_acquire(lock), release_inside, fate_ptr("c"));
    if (test_is_oom())
        return;
    fate_lock_release(lock);
    EXPECT_STR(trail, "a b c");
    EXPECT(!fate_lock_is_held(lock));
}

TEST(freeing_a_lock_cancels_those_who_wait)
{
    begin();
    acquire("a");
    fate_deferred *b = fate_hold(fate_lock_acquire(lock));
    fate_lock_free(lock);
    EXPECT_FAILURE(fate_peek(b), &FATE_CANCELLED);
    fate_add_errback(b, forgive, fate_none());
}

TEST(freeing_no_lock_does_nothing)
{
    fate_lock_free(NULL);
}

/* ---- Run ---- */

static fate_deferred *job;

static fate_value seven(fate_value *name)
{
    EXPECT(fate_lock_is_held(lock));
    say(fate_as_ptr(name));
    return fate_int(7);
}

static fate_value refuse(fate_value *arg)
{
    return fate_raise(&FATE_VALUE_ERROR, "refused");
}

static fate_value follow_job(fate_value *name)
{
    say(fate_as_ptr(name));
    return fate_follow(job);
}

TEST(run_releases_after_a_value)
{
    begin();
    fate_deferred *d = fate_hold(fate_lock_run(lock, seven, fate_ptr("f")));
    EXPECT_INT(fate_peek(d), 7);
    EXPECT_STR(trail, "f");
    EXPECT(!fate_lock_is_held(lock));
}

TEST(run_releases_after_a_failure)
{
    begin();
    fate_deferred *d = fate_hold(fate_lock_run(lock, refuse, fate_none()));
    EXPECT_FAILURE(fate_peek(d), &FATE_VALUE_ERROR);
    EXPECT(!fate_lock_is_held(lock));
    fate_add_errback(d, forgive, fate_none());
}

static fate_value expect_free(fate_value *result, fate_value *arg)
{
    EXPECT(!fate_lock_is_held(lock));
    say("result");
    return fate_take(result);
}

TEST(run_releases_when_what_it_followed_is_done_and_before_its_own_result)
{
    begin();
    job = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_lock_run(lock, follow_job, fate_ptr("f")));
    fate_add_both(d, expect_free, fate_none());
    EXPECT(fate_lock_is_held(lock));
    fate_fire(job, fate_int(3));
    EXPECT_INT(fate_peek(d), 3);
    EXPECT_STR(trail, "f result");
}

TEST(run_releases_though_its_own_deferred_is_paused)
{
    begin();
    job = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_lock_run(lock, follow_job, fate_ptr("f")));
    fate_pause(d);
    fate_fire(job, fate_int(3));
    EXPECT(!fate_lock_is_held(lock));
    fate_unpause(d);
    EXPECT_INT(fate_peek(d), 3);
}

TEST(runs_wait_for_one_another)
{
    begin();
    job = fate_deferred_new(reactor);
    fate_deferred *a = fate_hold(fate_lock_run(lock, follow_job, fate_ptr("a")));
    fate_deferred *b = fate_hold(fate_lock_run(lock, seven, fate_ptr("b")));
    fate_add_both(a, note, fate_ptr("a done"));
    fate_add_both(b, note, fate_ptr("b done"));
    EXPECT_STR(trail, "a");
    fate_fire(job, fate_int(3));
    EXPECT_STR(trail, "a b b done a done");
    EXPECT(!fate_lock_is_held(lock));
}

static fate_value count_call(fate_value *arg)
{
    say("called");
    return fate_none();
}

static int n_drops;

struct token {
    int number;
};

static void token_dropped(void *token)
{
    n_drops++;
}

TEST(cancelling_a_run_that_waits_never_calls_its_function_and_drops_its_arg)
{
    begin();
    n_drops = 0;
    acquire("a");
    fate_deferred *d =
        fate_hold(fate_lock_run(lock, count_call, fate_box_with(token_dropped, struct token, 1)));
    fate_cancel(d);
    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    EXPECT_EQ(n_drops, 1);
    EXPECT_STR(trail, "a");
    EXPECT_EQ(fate_lock_waiting(lock), 0);
    fate_add_errback(d, forgive, fate_none());
}

TEST(cancelling_a_run_cancels_what_its_function_followed)
{
    begin();
    job = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_lock_run(lock, follow_job, fate_ptr("f")));
    fate_cancel(d);
    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    EXPECT(!fate_lock_is_held(lock));
    fate_add_errback(d, forgive, fate_none());
}

static fate_value release_behind_its_back(fate_value *arg)
{
    fate_lock_release(lock);
    return fate_int(1);
}

TEST(a_run_whose_lock_was_released_by_someone_else_fails)
{
    begin();
    fate_deferred *d = fate_hold(fate_lock_run(lock, release_behind_its_back, fate_none()));
    EXPECT_FAILURE(fate_peek(d), &FATE_ASSERTION_ERROR);
    fate_add_errback(d, forgive, fate_none());
}

/* A job that goes without ever firing must not keep the lock for ever. */
TEST(a_run_whose_job_was_abandoned_releases_when_that_goes)
{
    begin();
    job = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_lock_run(lock, follow_job, fate_ptr("f")));
    fate_abandon(job);
    fate_cancel(d);
    EXPECT(!fate_lock_is_held(lock));
    fate_add_errback(d, forgive, fate_none());
}

TEST(a_lock_may_be_freed_while_a_run_has_it)
{
    begin();
    job = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_lock_run(lock, follow_job, fate_ptr("f")));
    fate_lock_free(lock);
    fate_fire(job, fate_int(3));
    EXPECT_INT(fate_peek(d), 3);
}

VOLUME_TEST(a_thousand_runs_in_line_are_served_in_order)
{
    begin();
    int64_t n = 1000;
    fate_deferred *last = NULL;

    acquire("a");
    for (int64_t i = 0; i < n; i++)
        last = fate_hold(fate_lock_run(lock, seven, fate_ptr("")));
    EXPECT_EQ(fate_lock_waiting(lock), n);
    if (!test_is_oom())
        fate_lock_release(lock);
    EXPECT_INT(fate_peek(last), 7);
    EXPECT_EQ(fate_lock_waiting(lock), 0);
}

TEST(a_lock_without_memory_fails_all_who_ask)
{
    reactor = test_reactor();
    if (test_is_oom())
        return;
    test_fail_allocation(1, true);
    fate_lock *lacking = fate_lock_new(reactor);
    test_fail_allocation(0, false);
    fate_deferred *d = fate_lock_acquire(lacking);
    EXPECT_FAILURE(fate_peek(d), &FATE_NO_MEMORY);
    fate_add_errback(d, forgive, fate_none());
    EXPECT_FAILURE(fate_peek(fate_lock_run(lacking, seven, fate_none())), &FATE_NO_MEMORY);
    EXPECT_EQ(fate_lock_release(lacking), -ENOMEM);
    EXPECT(!fate_lock_is_held(lacking));
    EXPECT_EQ(fate_lock_waiting(lacking), 0);
    fate_lock_free(lacking);
}
