/* Tests of src/reactor/keep.c: what is kept until the reactor goes. */
#include <errno.h>

#include <fate/fate.h>

#include "test.h"

static int n_dropped, last_dropped;

struct noting {
    int number;
};

static void note(void *data)
{
    n_dropped++;
    last_dropped = ((struct noting *)data)->number;
}

static fate_value noting(int number)
{
    return fate_box_new("struct noting", sizeof(struct noting), &(struct noting){ number }, note);
}

/* 0; -ENOMEM: it has been dropped already, or was never made. */
static int keep(fate_reactor *reactor, int number)
{
    n_dropped = 0;
    return fate_reactor_keep(reactor, noting(number));
}

TEST(what_is_kept_goes_with_the_reactor)
{
    fate_reactor *reactor = test_reactor();

    if (keep(reactor, 1) < 0)
        return;
    fate_advance(reactor, 100 * FATE_SECOND);
    fate_run(reactor);
    EXPECT_EQ(n_dropped, 0);
    fate_reactor_free(reactor);
    EXPECT_EQ(n_dropped, 1);
}

TEST(each_value_is_kept_for_itself)
{
    fate_reactor *reactor = test_reactor(), *other = test_reactor();
    fate_value shared = noting(3);

    n_dropped = 0;
    int why = fate_reactor_keep(reactor, fate_copy(&shared));
    int other_why = fate_reactor_keep(other, shared);
    if (why < 0 || other_why < 0)
        return;
    EXPECT_EQ(fate_reactor_keep(reactor, fate_int(1)), 0);
    EXPECT_EQ(fate_reactor_keep(reactor, fate_none()), 0);
    fate_reactor_free(reactor);
    EXPECT_EQ(n_dropped, 0);
    fate_reactor_free(other);
    EXPECT_EQ(n_dropped, 1);
}

static void keep_in_event(fate_value *reactor)
{
    fate_reactor_keep(fate_as_ptr(reactor), noting(5));
}

TEST(a_value_may_be_kept_inside_an_event)
{
    fate_reactor *reactor = test_reactor();

    n_dropped = 0;
    fate_timer timer = fate_call_later(reactor, FATE_SECOND, keep_in_event, fate_ptr(reactor));
    fate_advance(reactor, FATE_SECOND);
    if (!test_is_oom())
        EXPECT_EQ(n_dropped, 0);
    fate_reactor_free(reactor);
    if (timer.id >= 0 && !test_is_oom())
        EXPECT_EQ(n_dropped, 1);
}

/* With FATE_DEBUG=1 a program would be told of it, as of something that it has left behind. */
static void count(const fate_thing *thing, fate_value *n)
{
    ++*(int *)fate_as_ptr(n);
}

TEST(reports_leave_out_what_is_kept)
{
    fate_reactor *reactor = test_reactor();
    int n_before = 0, n = 0;

    fate_reactor_each(reactor, count, fate_ptr(&n_before));
    if (keep(reactor, 1) < 0)
        return;
    fate_reactor_each(reactor, count, fate_ptr(&n));
    EXPECT_EQ(n, n_before);
    EXPECT_EQ(fate_run(reactor), -EDEADLK);
    fate_reactor_free(reactor);
}

static void keep_another(void *data)
{
    fate_reactor *reactor = *(fate_reactor **)data;

    EXPECT(fate_reactor_keep(reactor, noting(7)) <= 0);
}

/* One that keeps another as it goes: that one goes too. */
TEST(what_is_kept_while_the_reactor_goes_goes_with_it)
{
    fate_reactor *reactor = test_reactor();

    n_dropped = 0;
    fate_value last = fate_box_new("keeping", sizeof(fate_reactor *), &reactor, keep_another);
    int why = fate_reactor_keep(reactor, last);
    fate_reactor_free(reactor);
    if (why == 0 && !test_is_oom())
        EXPECT_EQ(n_dropped, 1);
}

TEST(without_memory_a_value_is_dropped_at_once)
{
    fate_reactor *reactor = test_reactor();

    if (test_is_oom())
        return;
    n_dropped = 0;
    fate_value v = noting(9);
    test_fail_allocation(1, true);
    EXPECT_EQ(fate_reactor_keep(reactor, v), -ENOMEM);
    test_fail_allocation(0, false);
    EXPECT_EQ(n_dropped, 1);
    EXPECT_EQ(last_dropped, 9);
}

/* Whoever makes the value and has it kept in one line need not look between. */
TEST(the_failure_of_a_value_that_could_not_be_made_is_taken_too)
{
    fate_reactor *reactor = test_reactor();

    if (test_is_oom())
        return;
    test_fail_allocation(1, true);
    fate_value v = noting(1);
    test_fail_allocation(0, false);
    EXPECT_FAILURE(&v, &FATE_NO_MEMORY);
    EXPECT_EQ(fate_reactor_keep(reactor, v), -ENOMEM);
}

static void keep_on_nothing(void *arg)
{
    fate_reactor_keep(NULL, fate_none());
}

#ifdef FATE_DEBUG_CHECKS
static void keep_arg(fate_value *arg)
{
    fate_reactor_keep(test_reactor(), *arg);
}

static void keep_what_is_lent(void *arg)
{
    fate_turn(test_reactor(), keep_arg, fate_box_new("lent", 1, "", NULL));
}
#endif

static void keep_what_follows(void *arg)
{
    fate_reactor *reactor = test_reactor();

    fate_reactor_keep(reactor, fate_follow(fate_deferred_new(reactor)));
}

TEST(what_cannot_be_kept_stops_the_program)
{
    EXPECT_STOP(keep_on_nothing, NULL, "fate_reactor_keep");
#ifdef FATE_DEBUG_CHECKS
    EXPECT_STOP(keep_what_is_lent, NULL, "fate_reactor_keep", "lent");
#endif
    EXPECT_STOP(keep_what_follows, NULL, "fate_reactor_keep", "fate_follow");
}
