/* Tests of src/deferred/settle.c and members.c: settle and gather (R97-R113). */
#include <errno.h>

#include <fate/fate.h>

#include "test.h"

#define N 3

static fate_reactor *reactor;
static fate_deferred *members[N];

/* N members, held. */
static void begin(void)
{
    reactor = test_reactor();
    for (int i = 0; i < N; i++)
        members[i] = fate_hold(fate_deferred_new(reactor));
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static void forgive_all(void)
{
    for (int i = 0; i < N; i++)
        fate_add_errback(members[i], forgive, fate_none());
}

static fate_value failure(const char *text)
{
    return fate_raise(&FATE_VALUE_ERROR, "%s", text);
}

TEST(settle_fires_when_all_have_reported_with_their_results_in_order)
{
    begin();
    fate_deferred *d = fate_hold(fate_settle(reactor, N, members));

    fate_fire(members[2], fate_int(3));
    fate_fire(members[0], fate_int(1));
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_fire(members[1], failure("two"));
    EXPECT_DESCRIBED(fate_peek(d), "[1, <ValueError: two>, 3]");
    forgive_all();
}

TEST(settle_passes_results_on_and_the_failure_is_reported_on_its_member)
{
    begin();
    fate_settle(reactor, N, members);
    fate_fire(members[0], fate_int(1));
    fate_fire(members[1], failure("two"));
    EXPECT_INT(fate_peek(members[0]), 1);
    EXPECT_FAILURE(fate_peek(members[1]), &FATE_VALUE_ERROR);
    fate_fire(members[2], fate_none());
    for (int i = 0; i < N; i++)
        fate_release(members[i]);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1);
    EXPECT_STR(test_last_report(reactor), "ValueError: two");
}

TEST(consumed_errors_are_none_on_their_members)
{
    begin();
    fate_deferred *d = fate_hold(fate_settle_with(reactor, N, members, .consume_errors = true));

    fate_fire(members[1], failure("two"));
    EXPECT_NONE(fate_peek(members[1]));
    fate_fire(members[0], fate_int(1));
    fate_fire(members[2], fate_int(3));
    EXPECT_DESCRIBED(fate_peek(d), "[1, <ValueError: two>, 3]");
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(settling_nobody_gives_an_empty_list_at_once)
{
    begin();
    EXPECT_DESCRIBED(fate_peek(fate_settle(reactor, 0, NULL)), "[]");
    EXPECT_DESCRIBED(fate_peek(fate_gather(reactor, 0, NULL)), "[]");
    EXPECT_EQ(fate_state(fate_settle_with(reactor, 0, NULL, .fire_on_one_callback = true)), FATE_UNFIRED);
}

TEST(members_that_have_fired_report_at_once)
{
    begin();
    fate_deferred *d =
        fate_settle_of(reactor, fate_succeed(reactor, fate_int(1)), fate_succeed(reactor, fate_int(2)));

    EXPECT_DESCRIBED(fate_peek(d), "[1, 2]");
}

TEST(the_first_success_fires_with_value_and_index)
{
    begin();
    fate_deferred *d = fate_hold(fate_settle_with(reactor, N, members, .fire_on_one_callback = true));

    fate_fire(members[0], failure("one"));
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_fire(members[1], fate_int(2));
    EXPECT_DESCRIBED(fate_peek(d), "[2, 1]");
    fate_fire(members[2], fate_int(3));
    EXPECT_DESCRIBED(fate_peek(d), "[2, 1]");
    forgive_all();
}

TEST(without_any_success_the_whole_list_comes)
{
    begin();
    fate_deferred *d = fate_hold(fate_settle_with(reactor, 2, members, .fire_on_one_callback = true));

    fate_fire(members[0], failure("one"));
    fate_fire(members[1], failure("two"));
    EXPECT_DESCRIBED(fate_peek(d), "[<ValueError: one>, <ValueError: two>]");
    forgive_all();
}

TEST(the_first_failure_is_a_first_error_with_cause_and_index)
{
    begin();
    fate_deferred *d =
        fate_hold(fate_settle_with(reactor, N, members, .fire_on_one_errback = true, .consume_errors = true));

    fate_fire(members[2], failure("three"));
    EXPECT_FAILURE(fate_peek(d), &FATE_FIRST_ERROR);
    if (fate_is(fate_peek(d), &FATE_FIRST_ERROR)) {
        EXPECT_INT(fate_payload(fate_peek(d)), 2);
        EXPECT_DESCRIBED(fate_cause(fate_peek(d)), "<ValueError: three>");
    }
    fate_fire(members[0], failure("one"));
    EXPECT_NONE(fate_peek(members[0]));
    fate_add_errback(d, forgive, fate_none());
    fate_fire(members[1], fate_none());
}

TEST(of_members_that_have_failed_the_first_in_order_wins)
{
    begin();
    fate_fire(members[2], failure("three"));
    fate_fire(members[1], failure("two"));
    fate_deferred *d = fate_hold(fate_gather(reactor, N, members));

    EXPECT_INT(fate_payload(fate_peek(d)), 1);
    fate_add_errback(d, forgive, fate_none());
    forgive_all();
}

TEST(gather_gives_the_list_of_values)
{
    begin();
    fate_deferred *d = fate_hold(fate_gather(reactor, N, members));

    for (int i = N - 1; i >= 0; i--)
        fate_fire(members[i], fate_int(i));
    EXPECT_DESCRIBED(fate_peek(d), "[0, 1, 2]");
    EXPECT_INT(fate_peek(members[2]), 2);
}

TEST(a_gather_that_failed_passes_later_results_on)
{
    begin();
    fate_deferred *d = fate_hold(fate_gather_with(reactor, N, members, .consume_errors = true));

    fate_fire(members[0], failure("one"));
    fate_fire(members[1], failure("two"));
    fate_fire(members[2], fate_int(3));
    EXPECT_INT(fate_payload(fate_peek(d)), 0);
    EXPECT_NONE(fate_peek(members[1]));
    EXPECT_INT(fate_peek(members[2]), 3);
    fate_add_errback(d, forgive, fate_none());
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(a_member_that_is_given_twice_reports_twice)
{
    begin();
    fate_deferred *const twice[] = { members[0], members[0] };
    fate_deferred *d = fate_hold(fate_settle_with(reactor, 2, twice, .consume_errors = true));

    fate_fire(members[0], failure("one"));
    EXPECT_DESCRIBED(fate_peek(d), "[<ValueError: one>, none]");
}

/* ---- Cancelling ---- */

static int64_t cancelled_in_order;

static void note_cancel(fate_deferred *d, fate_value *number)
{
    cancelled_in_order = cancelled_in_order * 10 + fate_as_int(number);
}

static void fire_number(fate_deferred *d, fate_value *number)
{
    fate_fire(d, fate_copy(number));
}

static void begin_cancellable(fate_canceller *canceller)
{
    reactor = test_reactor();
    cancelled_in_order = 0;
    for (int i = 0; i < N; i++)
        members[i] = fate_hold(fate_deferred_new_cancellable(reactor, canceller, fate_int(i + 1)));
}

TEST(cancelling_settle_cancels_all_members_in_order_and_it_succeeds)
{
    begin_cancellable(note_cancel);
    fate_deferred *d = fate_hold(fate_settle_with(reactor, N, members, .consume_errors = true));

    fate_cancel(d);
    EXPECT_EQ(cancelled_in_order, 123);
    EXPECT_DESCRIBED(fate_peek(d), "[<CancelledError>, <CancelledError>, <CancelledError>]");
}

TEST(cancelling_gather_fails_with_the_first_and_cancels_the_rest)
{
    begin_cancellable(note_cancel);
    fate_deferred *d = fate_hold(fate_gather_with(reactor, N, members, .consume_errors = true));

    fate_cancel(d);
    EXPECT_EQ(cancelled_in_order, 123);
    EXPECT_FAILURE(fate_peek(d), &FATE_FIRST_ERROR);
    fate_add_errback(d, forgive, fate_none());
}

TEST(cancelling_gather_gives_the_values_that_the_cancellers_fire)
{
    begin_cancellable(fire_number);
    fate_deferred *d = fate_hold(fate_gather(reactor, N, members));

    fate_cancel(d);
    EXPECT_DESCRIBED(fate_peek(d), "[1, 2, 3]");
}

TEST(cancelling_a_list_that_has_fired_leaves_its_members_alone)
{
    begin_cancellable(note_cancel);
    fate_deferred *d = fate_hold(fate_settle_with(reactor, N, members, .fire_on_one_callback = true));

    fate_fire(members[0], fate_int(1));
    fate_cancel(d);
    EXPECT_EQ(cancelled_in_order, 0);
    EXPECT_EQ(fate_state(members[1]), FATE_UNFIRED);
}

TEST(a_list_whose_member_does_not_end_stays_unfired_when_it_is_cancelled)
{
    begin();
    fate_pause(members[1]);
    fate_deferred *d = fate_hold(fate_settle_with(reactor, N, members, .consume_errors = true));

    fate_cancel(d);
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_unpause(members[1]);
    EXPECT_EQ(fate_state(d), FATE_DONE);
}

static fate_value follow(fate_value *result, fate_value *d)
{
    return fate_follow(fate_as_ptr(d));
}

TEST(a_cancel_goes_through_members_to_what_they_wait_for)
{
    begin();
    fate_deferred *inner = fate_hold(fate_deferred_new(reactor));

    fate_add_callback(members[0], follow, fate_ptr(inner));
    fate_fire(members[0], fate_none());
    fate_deferred *d = fate_hold(fate_settle_with(reactor, 1, members, .consume_errors = true));
    fate_cancel(d);
    EXPECT_DESCRIBED(fate_peek(d), "[<CancelledError>]");
}

/* ---- Who keeps whom ---- */

static int n_drops;

struct token {
    int number;
};

static void token_dropped(void *token)
{
    n_drops++;
}

TEST(the_list_needs_no_hold_while_a_member_is_pending)
{
    begin();
    n_drops = 0;
    fate_deferred *d = fate_settle(reactor, N, members);

    fate_add_callback(d, forgive, fate_box_with(token_dropped, struct token, 1));
    fate_fire(members[0], fate_none());
    fate_fire(members[1], fate_none());
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 0);
    fate_fire(members[2], fate_none());
    EXPECT_EQ(n_drops, 1);
}

TEST(a_list_keeps_its_members_as_long_as_it_lives)
{
    begin();
    fate_deferred *d = fate_hold(fate_settle(reactor, N, members));

    for (int i = 0; i < N; i++) {
        fate_fire(members[i], failure("x"));
        fate_release(members[i]);
    }
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
    if (!test_is_oom()) /* without a list nobody keeps it */
        EXPECT_FAILURE(fate_peek(members[0]), &FATE_VALUE_ERROR);
    fate_release(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), N);
}

TEST(a_list_refuses_to_be_fired)
{
    begin();
    EXPECT_EQ(fate_fire(fate_settle(reactor, N, members), fate_none()), -EPERM);
}

TEST(a_member_without_memory_is_a_failure_in_its_place)
{
    begin();
    if (test_is_oom())
        return;
    test_fail_allocation(1, true);
    fate_deferred *lost = fate_deferred_new_cancellable(reactor, NULL, fate_str("x"));
    test_fail_allocation(0, false);
    EXPECT_FAILURE(fate_peek(lost), &FATE_NO_MEMORY);
    fate_deferred *d = fate_hold(fate_settle_of(reactor, members[0], lost));
    fate_fire(members[0], fate_int(1));
    EXPECT_EQ(fate_count(fate_peek(d)), 2);
    EXPECT_FAILURE(fate_at(fate_peek(d), 1), &FATE_NO_MEMORY);
}

static fate_value follow_what_is_in(fate_value *result, fate_value *box)
{
    fate_deferred **list = fate_as_ptr(box);
    return fate_follow(*list);
}

/* Found by fuzz/chain.c: the cancel went round without end (R53). */
TEST(a_list_whose_member_waits_for_it_can_be_cancelled)
{
    reactor = test_reactor();
    fate_deferred *member = fate_hold(fate_deferred_new(reactor));
    fate_deferred *box[1] = { NULL };
    fate_deferred *list;

    fate_add_callback(member, follow_what_is_in, fate_ptr(box));
    list = fate_hold(fate_settle(reactor, 1, &member));
    box[0] = list;
    fate_fire(member, fate_none());
    EXPECT(test_is_oom() || fate_state(member) == FATE_WAITING);
    fate_cancel(list);
    fate_cancel(member);
    EXPECT(test_is_oom() || fate_state(list) == FATE_UNFIRED);
    fate_release(list);
    fate_release(member);
}

#define N_SINGLES 10000

/* Found by fuzz/chain.c: the list went before its members' levels, which look at it.  What goes singly is
 * reused last in first out, so that the list lies before its member. */
VOLUME_TEST(a_list_and_a_member_that_wait_for_one_another_go_with_the_reactor)
{
    static fate_deferred *singles[N_SINGLES];
    fate_deferred *box[1] = { NULL };

    reactor = test_reactor();
    for (int i = 0; i < N_SINGLES; i++)
        singles[i] = fate_deferred_new(reactor);
    for (int i = 0; i < N_SINGLES; i++) {
        fate_forget(singles[i]);
        fate_fire(singles[i], fate_none());
    }
    fate_deferred *member = fate_deferred_new(reactor);
    fate_add_callback(member, follow_what_is_in, fate_ptr(box));
    box[0] = fate_settle(reactor, 1, &member);
    EXPECT(box[0] < member);
    fate_fire(member, fate_none());
    fate_reactor_free(reactor);
}
