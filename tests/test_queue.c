/* Tests of src/deferred/queue.c (R133-R137). */
#include <errno.h>

#include <fate/fate.h>

#include "test.h"

static fate_reactor *reactor;
static fate_queue *queue;
static int n_drops;

static void begin(size_t size_max, size_t backlog_max)
{
    n_drops = 0;
    reactor = test_reactor();
    queue = fate_queue_new(reactor, size_max, backlog_max);
}

struct token {
    int number;
};

static void token_dropped(void *token)
{
    n_drops++;
}

static fate_value token(void)
{
    return fate_box_with(token_dropped, struct token, 1);
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static fate_deferred *get(void)
{
    return fate_hold(fate_queue_get(queue));
}

TEST(what_was_put_comes_out_in_order)
{
    begin(FATE_UNLIMITED, FATE_UNLIMITED);
    for (int i = 0; i < 100; i++)
        EXPECT_EQ(fate_queue_put(queue, fate_int(i)), 0);
    EXPECT_EQ(fate_queue_size(queue), 100);
    for (int i = 0; i < 100; i++)
        EXPECT_INT(fate_peek(get()), i);
    EXPECT_EQ(fate_queue_size(queue), 0);
}

/* The ring wraps around and grows while it does. */
TEST(putting_and_getting_by_turns_keeps_the_order)
{
    begin(FATE_UNLIMITED, FATE_UNLIMITED);
    int64_t next_in = 0, next_out = 0;

    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 5; i++)
            fate_queue_put(queue, fate_int(next_in++));
        for (int i = 0; i < 3; i++)
            EXPECT_INT(fate_peek(get()), next_out++);
    }
    EXPECT_EQ(fate_queue_size(queue), 80);
}

TEST(those_who_wait_are_served_in_order_before_put_returns)
{
    begin(0, FATE_UNLIMITED);
    fate_deferred *a = get(), *b = get();
    EXPECT_EQ(fate_queue_waiting(queue), 2);
    EXPECT_EQ(fate_queue_put(queue, fate_int(1)), 0);
    EXPECT_INT(fate_peek(a), 1);
    EXPECT_EQ(fate_state(b), FATE_UNFIRED);
    EXPECT_EQ(fate_queue_put(queue, fate_int(2)), 0);
    EXPECT_INT(fate_peek(b), 2);
}

TEST(a_full_queue_refuses_and_drops)
{
    begin(1, FATE_UNLIMITED);
    EXPECT_EQ(fate_queue_put(queue, fate_int(1)), 0);
    EXPECT_EQ(fate_queue_put(queue, token()), -EOVERFLOW);
    EXPECT_EQ(n_drops, 1);
    EXPECT_INT(fate_peek(get()), 1);
    EXPECT_EQ(fate_queue_put(queue, fate_int(2)), 0);
}

TEST(a_queue_of_size_none_only_hands_over)
{
    begin(0, FATE_UNLIMITED);
    EXPECT_EQ(fate_queue_put(queue, fate_int(1)), -EOVERFLOW);
    fate_deferred *d = get();
    EXPECT_EQ(fate_queue_put(queue, fate_int(2)), 0);
    EXPECT_INT(fate_peek(d), 2);
}

TEST(a_get_beyond_the_backlog_fails)
{
    begin(FATE_UNLIMITED, 1);
    get();
    fate_deferred *d = get();
    EXPECT_FAILURE(fate_peek(d), &FATE_QUEUE_UNDERFLOW);
    EXPECT_EQ(fate_queue_waiting(queue), 1);
    fate_add_errback(d, forgive, fate_none());
}

TEST(without_a_backlog_a_get_works_only_when_something_is_stored)
{
    begin(FATE_UNLIMITED, 0);
    fate_deferred *d = get();
    EXPECT_FAILURE(fate_peek(d), &FATE_QUEUE_UNDERFLOW);
    fate_add_errback(d, forgive, fate_none());
    fate_queue_put(queue, fate_int(1));
    EXPECT_INT(fate_peek(get()), 1);
}

TEST(a_cancelled_get_is_skipped_by_later_puts)
{
    begin(0, FATE_UNLIMITED);
    fate_deferred *a = get(), *b = get();
    fate_cancel(a);
    EXPECT_FAILURE(fate_peek(a), &FATE_CANCELLED);
    fate_add_errback(a, forgive, fate_none());
    EXPECT_EQ(fate_queue_put(queue, fate_int(1)), 0);
    EXPECT_INT(fate_peek(b), 1);
}

TEST(cancelling_a_satisfied_get_leaves_the_item_with_it)
{
    begin(1, 1);
    fate_queue_put(queue, fate_int(1));
    fate_deferred *d = get();
    fate_cancel(d);
    EXPECT_INT(fate_peek(d), 1);
    EXPECT_EQ(fate_queue_size(queue), 0);
}

static fate_value get_again(fate_value *result, fate_value *arg)
{
    fate_deferred *next = fate_queue_get(queue);
    fate_add_both(next, forgive, fate_none());
    return fate_take(result);
}

TEST(one_that_is_served_may_ask_again)
{
    begin(2, FATE_UNLIMITED);
    fate_add_callback(get(), get_again, fate_none());
    EXPECT_EQ(fate_queue_put(queue, fate_int(1)), 0);
    EXPECT_EQ(fate_queue_waiting(queue), 1);
    EXPECT_EQ(fate_queue_put(queue, fate_int(2)), 0);
    EXPECT_EQ(fate_queue_waiting(queue), 0);
}

TEST(freeing_a_queue_drops_what_lies_in_it)
{
    begin(2, FATE_UNLIMITED);
    fate_queue_put(queue, token());
    fate_queue_put(queue, token());
    fate_queue_free(queue);
    EXPECT_EQ(n_drops, 2);
    fate_queue_free(NULL);
}

TEST(freeing_a_queue_cancels_those_who_wait)
{
    begin(2, FATE_UNLIMITED);
    fate_deferred *d = get();
    fate_queue_free(queue);
    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    fate_add_errback(d, forgive, fate_none());
}

TEST(what_lies_in_a_queue_goes_with_its_reactor)
{
    begin(2, FATE_UNLIMITED);
    fate_queue_put(queue, token());
    fate_reactor_free(reactor);
    EXPECT_EQ(n_drops, 1);
}

TEST(a_failure_can_be_put_and_comes_out_as_one)
{
    begin(2, FATE_UNLIMITED);
    fate_queue_put(queue, fate_raise(&FATE_KEY_ERROR, "k"));
    fate_deferred *d = get();
    EXPECT_FAILURE(fate_peek(d), &FATE_KEY_ERROR);
    fate_add_errback(d, forgive, fate_none());
}

TEST(without_memory_a_put_is_refused_and_dropped)
{
    begin(FATE_UNLIMITED, FATE_UNLIMITED);
    if (test_is_oom())
        return;
    fate_value v = token();
    test_fail_allocation(1, true);
    EXPECT_EQ(fate_queue_put(queue, v), -ENOMEM);
    EXPECT(test_fail_allocation(0, false));
    EXPECT_EQ(n_drops, 1);
    EXPECT_EQ(fate_queue_size(queue), 0);
}
