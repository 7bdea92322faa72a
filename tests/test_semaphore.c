/* Tests of src/deferred/semaphore.c (R131). */
#include <errno.h>

#include <fate/fate.h>

#include "test.h"

static fate_reactor *reactor;
static fate_semaphore *semaphore;

static void begin(size_t n)
{
    reactor = test_reactor();
    semaphore = fate_semaphore_new(reactor, n);
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static fate_deferred *acquire(void)
{
    return fate_hold(fate_semaphore_acquire(semaphore));
}

TEST(so_many_get_a_token_and_the_rest_wait)
{
    begin(2);
    EXPECT_EQ(fate_semaphore_limit(semaphore), 2);
    EXPECT_EQ(fate_semaphore_tokens(semaphore), 2);
    fate_deferred *a = acquire(), *b = acquire(), *c = acquire();
    EXPECT_EQ(fate_state(a), FATE_DONE);
    EXPECT_EQ(fate_state(b), FATE_DONE);
    EXPECT_EQ(fate_state(c), FATE_UNFIRED);
    EXPECT_EQ(fate_semaphore_tokens(semaphore), 0);
    EXPECT_EQ(fate_semaphore_waiting(semaphore), 1);
    if (!test_is_oom())
        EXPECT_PTR(fate_as_semaphore(fate_peek(a)), semaphore);
}

TEST(a_token_that_comes_back_goes_to_the_oldest_who_waits_or_to_the_pool)
{
    begin(2);
    acquire();
    acquire();
    fate_deferred *c = acquire(), *d = acquire();
    if (test_is_oom())
        return;
    EXPECT_EQ(fate_semaphore_release(semaphore), 0);
    EXPECT_EQ(fate_state(c), FATE_DONE);
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_semaphore_release(semaphore);
    EXPECT_EQ(fate_state(d), FATE_DONE);
    fate_semaphore_release(semaphore);
    fate_semaphore_release(semaphore);
    EXPECT_EQ(fate_semaphore_tokens(semaphore), 2);
}

TEST(cancelling_one_that_waits_for_a_token_takes_it_out_of_the_line)
{
    begin(1);
    acquire();
    fate_deferred *b = acquire(), *c = acquire();
    fate_cancel(b);
    EXPECT_FAILURE(fate_peek(b), &FATE_CANCELLED);
    fate_add_errback(b, forgive, fate_none());
    if (test_is_oom())
        return;
    fate_semaphore_release(semaphore);
    EXPECT_EQ(fate_state(c), FATE_DONE);
}

static int n_at_once, n_at_once_max, n_started;
static fate_deferred *jobs[10];

static fate_value start(fate_value *arg)
{
    n_at_once++;
    if (n_at_once > n_at_once_max)
        n_at_once_max = n_at_once;
    return fate_follow(jobs[n_started++]);
}

static fate_value ended(fate_value *result, fate_value *arg)
{
    n_at_once--;
    return fate_take(result);
}

TEST(runs_are_never_more_at_once_than_there_are_tokens)
{
    begin(3);
    n_at_once = n_at_once_max = n_started = 0;
    for (int i = 0; i < 10; i++)
        jobs[i] = fate_add_both(fate_hold(fate_deferred_new(reactor)), ended, fate_none());
    for (int i = 0; i < 10; i++)
        fate_add_errback(fate_semaphore_run(semaphore, start, fate_none()), forgive, fate_none());
    for (int i = 0; i < 10; i++)
        fate_fire(jobs[i], i & 1 ? fate_raise(&FATE_ERROR, "x") : fate_int(i));
    EXPECT_EQ(n_started, 10);
    EXPECT_EQ(n_at_once_max, 3);
    EXPECT_EQ(fate_semaphore_tokens(semaphore), 3);
}

TEST(freeing_a_semaphore_cancels_those_who_wait)
{
    begin(1);
    acquire();
    fate_deferred *b = acquire();
    fate_semaphore_free(semaphore);
    EXPECT_FAILURE(fate_peek(b), &FATE_CANCELLED);
    fate_add_errback(b, forgive, fate_none());
    fate_semaphore_free(NULL);
}

TEST(a_semaphore_goes_with_its_reactor)
{
    begin(1);
    acquire();
    acquire();
    fate_reactor_free(reactor);
}
