/* Tests of src/deferred/race.c (R114-R122). */
#include <errno.h>

#include <fate/fate.h>

#include "test.h"

#define N 3

static fate_reactor *reactor;
static fate_deferred *members[N];
static int64_t cancelled_in_order;

static void note_cancel(fate_deferred *d, fate_value *number)
{
    cancelled_in_order = cancelled_in_order * 10 + fate_as_int(number);
}

static void fire_number(fate_deferred *d, fate_value *number)
{
    note_cancel(d, number);
    fate_fire(d, fate_copy(number));
}

/* N members, held, that note when they are cancelled. */
static void begin(fate_canceller *canceller)
{
    reactor = test_reactor();
    cancelled_in_order = 0;
    for (int i = 0; i < N; i++)
        members[i] = fate_hold(fate_deferred_new_cancellable(reactor, canceller, fate_int(i + 1)));
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static fate_value failure(const char *text)
{
    return fate_raise(&FATE_VALUE_ERROR, "%s", text);
}

/* No failure may be left on the members. */
static void expect_nothing_left(void)
{
    for (int i = 0; i < N; i++) {
        EXPECT_NONE(fate_peek(members[i]));
        fate_release(members[i]);
    }
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

static fate_value expect_cancels(fate_value *result, fate_value *expected)
{
    EXPECT_EQ(cancelled_in_order, fate_as_int(expected));
    return fate_take(result);
}

TEST(the_first_success_wins_when_the_others_have_been_cancelled)
{
    begin(note_cancel);
    fate_deferred *d = fate_hold(fate_race(reactor, N, members));

    fate_add_callback(d, expect_cancels, fate_int(13));
    fate_fire(members[1], fate_int(20));
    EXPECT_DESCRIBED(fate_peek(d), "[1, 20]");
    EXPECT_EQ(cancelled_in_order, 13);
    expect_nothing_left();
}

TEST(a_failure_does_not_end_a_race)
{
    begin(note_cancel);
    fate_deferred *d = fate_hold(fate_race(reactor, N, members));

    fate_fire(members[0], failure("one"));
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_fire(members[2], fate_int(30));
    EXPECT_DESCRIBED(fate_peek(d), "[2, 30]");
    EXPECT_EQ(cancelled_in_order, 2);
    expect_nothing_left();
}

TEST(if_all_fail_the_race_fails_with_all_failures_in_order)
{
    begin(note_cancel);
    fate_deferred *d = fate_hold(fate_race(reactor, N, members));

    fate_fire(members[2], failure("three"));
    fate_fire(members[0], failure("one"));
    fate_fire(members[1], failure("two"));
    EXPECT_FAILURE(fate_peek(d), &FATE_FAILURE_GROUP);
    if (fate_is(fate_peek(d), &FATE_FAILURE_GROUP))
        EXPECT_DESCRIBED(fate_payload(fate_peek(d)),
                         "[<ValueError: one>, <ValueError: two>, <ValueError: three>]");
    fate_add_errback(d, forgive, fate_none());
    expect_nothing_left();
}

TEST(a_loser_whose_canceller_gives_a_value_is_ignored)
{
    begin(fire_number);
    fate_deferred *d = fate_hold(fate_race(reactor, N, members));

    fate_fire(members[1], fate_int(20));
    EXPECT_DESCRIBED(fate_peek(d), "[1, 20]");
    expect_nothing_left();
}

TEST(cancelling_a_race_cancels_all_and_it_fails_with_the_group)
{
    begin(note_cancel);
    fate_deferred *d = fate_hold(fate_race(reactor, N, members));

    fate_cancel(d);
    EXPECT_EQ(cancelled_in_order, 123);
    EXPECT_FAILURE(fate_peek(d), &FATE_FAILURE_GROUP);
    fate_add_errback(d, forgive, fate_none());
    expect_nothing_left();
}

TEST(cancelling_a_race_gives_the_value_that_a_canceller_fires)
{
    begin(fire_number);
    fate_deferred *d = fate_hold(fate_race(reactor, N, members));

    fate_cancel(d);
    EXPECT_DESCRIBED(fate_peek(d), "[0, 1]");
    expect_nothing_left();
}

TEST(the_late_result_of_a_loser_is_swallowed)
{
    fate_reactor *its = test_reactor();
    fate_deferred *winner = fate_hold(fate_deferred_new(its)), *loser = fate_hold(fate_deferred_new(its));
    fate_deferred *d = fate_hold(fate_race_of(its, winner, loser));

    fate_fire(winner, fate_int(1));
    EXPECT_EQ(fate_fire(loser, fate_int(2)), -ECANCELED);
    EXPECT_DESCRIBED(fate_peek(d), "[0, 1]");
}

TEST(a_race_of_nobody_only_ends_by_cancel)
{
    fate_reactor *its = test_reactor();
    fate_deferred *d = fate_hold(fate_race(its, 0, NULL));

    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_advance(its, FATE_SECOND);
    fate_cancel(d);
    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    fate_add_errback(d, forgive, fate_none());
}

static fate_value follow(fate_value *result, fate_value *d)
{
    return fate_follow(fate_as_ptr(d));
}

TEST(the_winner_is_not_cancelled_though_its_later_levels_wait)
{
    begin(note_cancel);
    fate_deferred *later = fate_hold(fate_deferred_new_cancellable(reactor, note_cancel, fate_int(9)));

    fate_deferred *d = fate_hold(fate_race(reactor, N, members));
    fate_add_callback(members[0], follow, fate_ptr(later));
    fate_fire(members[0], fate_int(10));
    EXPECT_DESCRIBED(fate_peek(d), "[0, 10]");
    EXPECT_EQ(cancelled_in_order, 23);
    EXPECT_EQ(fate_state(members[0]), FATE_WAITING);
}

/* R114: it matters for a member whose later levels wait. */
TEST(a_member_that_has_failed_is_cancelled_too)
{
    begin(note_cancel);
    fate_deferred *later = fate_hold(fate_deferred_new_cancellable(reactor, note_cancel, fate_int(9)));

    fate_race(reactor, N, members);
    fate_add_both(members[0], follow, fate_ptr(later));
    fate_fire(members[0], failure("one"));
    fate_fire(members[1], fate_int(2));
    EXPECT_EQ(cancelled_in_order, 93);
    fate_add_errback(members[0], forgive, fate_none());
}

TEST(of_members_that_have_fired_the_first_success_wins)
{
    begin(note_cancel);
    fate_fire(members[0], failure("one"));
    fate_fire(members[2], fate_int(30));
    fate_deferred *d = fate_hold(fate_race(reactor, N, members));

    EXPECT_DESCRIBED(fate_peek(d), "[2, 30]");
    EXPECT_EQ(cancelled_in_order, 2);
    expect_nothing_left();
}

TEST(members_behind_one_that_has_won_get_their_level_after_the_cancel)
{
    begin(note_cancel);
    fate_fire(members[0], fate_int(10));
    fate_deferred *d = fate_hold(fate_race(reactor, N, members));

    EXPECT_DESCRIBED(fate_peek(d), "[0, 10]");
    EXPECT_EQ(cancelled_in_order, 23);
    expect_nothing_left();
}

TEST(a_race_refuses_to_be_fired)
{
    begin(note_cancel);
    EXPECT_EQ(fate_fire(fate_race(reactor, N, members), fate_none()), -EPERM);
}

TEST(a_race_needs_no_hold_and_keeps_its_members_until_all_have_been_heard)
{
    begin(note_cancel);
    fate_race(reactor, N, members);
    for (int i = 0; i < N; i++)
        fate_release(members[i]);
    fate_pause(members[2]);
    fate_advance(reactor, 0);
    fate_fire(members[0], fate_int(1));
    fate_advance(reactor, 0);
    EXPECT_EQ(cancelled_in_order, 23);
    EXPECT_EQ(fate_unpause(members[2]), 0);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}
