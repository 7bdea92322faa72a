/* Fuses: Fate of the first seed, and what it could not do. */
#include "test.h"

#include <fate/fuse.h>
#include <fate/reactor.h>

static int n_called;
static char order[8];

static void note(fate_value *arg)
{
    const char *name;

    if (fate_get_str(arg, &name) && n_called < 7)
        order[n_called++] = *name;
    order[n_called] = '\0';
}

static fate_reactor *begin(void)
{
    n_called = 0;
    order[0] = '\0';
    return test_reactor();
}

TEST(a_fuse_calls_its_handler_when_it_has_burnt_and_not_before)
{
    fate_reactor *reactor = begin();
    fate_fuse *fuse = fate_fuse_new(reactor, 2 * FATE_SECOND);

    EXPECT(!fate_fuse_has_handler(fuse));
    fate_fuse_set_handler(fuse, note, fate_str("a"));
    EXPECT(fate_fuse_has_handler(fuse));
    EXPECT(!fate_fuse_is_burned(fuse));
    fate_advance(reactor, 1999 * FATE_MILLISECOND);
    EXPECT_STR(order, "");
    fate_advance(reactor, FATE_MILLISECOND);
    EXPECT_STR(order, "a");
    fate_advance(reactor, 100 * FATE_SECOND);
    EXPECT_EQ(n_called, 1);
}

TEST(a_burnt_fuse_waits_for_a_handler)
{
    fate_reactor *reactor = begin();
    fate_fuse *fuse = fate_fuse_new(reactor, FATE_SECOND);

    fate_advance(reactor, 5 * FATE_SECOND);
    EXPECT(fate_fuse_is_burned(fuse));
    fate_fuse_set_handler(fuse, note, fate_str("a"));
    EXPECT_STR(order, "");
    fate_advance(reactor, 0);
    EXPECT_STR(order, "a");
}

TEST(the_last_handler_set_is_the_only_one)
{
    fate_reactor *reactor = begin();
    fate_fuse *fuse = fate_fuse_new(reactor, FATE_SECOND);

    fate_fuse_set_handler(fuse, note, fate_str("a"));
    fate_fuse_add_handler(fuse, note, fate_str("b"));
    fate_fuse_set_handler(fuse, note, fate_str("c"));
    fate_advance(reactor, FATE_SECOND);
    EXPECT_STR(order, "c");
}

TEST(several_handlers_are_called_in_order)
{
    fate_reactor *reactor = begin();
    fate_fuse *fuse = fate_fuse_new(reactor, FATE_SECOND);

    fate_fuse_add_handler(fuse, note, fate_str("a"));
    fate_fuse_add_handler(fuse, note, fate_str("b"));
    fate_fuse_add_handler(fuse, note, fate_str("c"));
    fate_advance(reactor, FATE_SECOND);
    EXPECT_STR(order, "abc");
}

TEST(handlers_added_to_a_burnt_fuse_in_one_turn_are_all_called)
{
    fate_reactor *reactor = begin();
    fate_fuse *fuse = fate_fuse_new(reactor, 0);

    fate_advance(reactor, 0);
    fate_fuse_add_handler(fuse, note, fate_str("a"));
    fate_fuse_add_handler(fuse, note, fate_str("b"));
    fate_advance(reactor, 0);
    EXPECT_STR(order, "ab");
}

static void add_another(fate_value *fuse)
{
    note(&(fate_value){ 0 });
    fate_fuse_add_handler(fate_as_ptr(fuse), note, fate_str("z"));
}

TEST(a_handler_may_add_a_handler)
{
    fate_reactor *reactor = begin();
    fate_fuse *fuse = fate_fuse_new(reactor, FATE_SECOND);

    fate_fuse_add_handler(fuse, add_another, fate_ptr(fuse));
    fate_advance(reactor, FATE_SECOND);
    EXPECT_STR(order, "z");
}

TEST(a_fuse_on_a_deferred_burns_when_that_fires_and_passes_the_result_on)
{
    fate_reactor *reactor = begin();
    fate_deferred *spark = fate_hold(fate_deferred_new(reactor));
    fate_fuse *fuse = fate_fuse_on(spark);

    fate_fuse_set_handler(fuse, note, fate_str("a"));
    EXPECT_STR(order, "");
    fate_fire(spark, fate_int(7));
    EXPECT_STR(order, "a");
    EXPECT_INT(fate_peek(spark), 7);
    fate_release(spark);
}

TEST(the_failure_that_burns_a_fuse_is_still_reported)
{
    fate_reactor *reactor = begin();
    fate_deferred *spark = fate_deferred_new(reactor);

    fate_fuse_set_handler(fate_fuse_on(spark), note, fate_str("a"));
    fate_fire(spark, fate_raise(&FATE_VALUE_ERROR, "wet"));
    EXPECT_STR(order, "a");
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1);
}

TEST(fuses_that_never_burn_go_with_their_reactor)
{
    fate_reactor *reactor = begin();

    fate_fuse_set_handler(fate_fuse_new(reactor, 1000 * FATE_SECOND), note, fate_str("a"));
    fate_fuse_set_handler(fate_fuse_on(fate_deferred_new(reactor)), note, fate_str("b"));
    fate_fuse_new(reactor, FATE_SECOND);
    fate_advance(reactor, 2 * FATE_SECOND);
    EXPECT_STR(order, "");
}
