/* Tests of src/coro/coro.c: starting, awaiting, ending (R139-R151, R159, R162, R164, R165). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

/* ---- What was said, in order; and what bodies use, which may outlive their test's frame ---- */

static char trail[1024];
static fate_reactor *reactor;
static fate_deferred *one, *two, *own;

static void begin(void)
{
    trail[0] = '\0';
    reactor = test_reactor();
    one = two = own = NULL;
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

static fate_value note(fate_value *result, fate_value *name)
{
    say(fate_as_ptr(name), result);
    return fate_take(result);
}

static fate_value add_one(fate_value *result, fate_value *arg)
{
    int64_t i = 0;

    fate_get_int(result, &i);
    return fate_int(i + 1);
}

static fate_value recover(fate_value *why, fate_value *arg)
{
    return fate_int(7);
}

static fate_value follow(fate_value *result, fate_value *d)
{
    return fate_follow(fate_as_ptr(d));
}

static fate_deferred *held(void)
{
    return fate_hold(fate_deferred_new(reactor));
}

/* A body that awaits the deferred in its arg and returns what it gets. */
static fate_value await_arg(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_await(co, fate_as_ptr(arg));
    say("got", &v);
    return v;
}

/* The same that takes over what it started with a word before. */
static fate_value await_one_then_two(fate_coro *co, fate_value *arg)
{
    say_word("begin");
    fate_value v = fate_await(co, one);
    say("first", &v);
    fate_drop(v);
    v = fate_await(co, two);
    say("second", &v);
    return v;
}

/* ---- Starting and ending (R139, R142-R145) ---- */

static fate_value give_five(fate_coro *co, fate_value *arg)
{
    return fate_int(5);
}

static fate_value fail_at_once(fate_coro *co, fate_value *arg)
{
    return fate_raise(&FATE_VALUE_ERROR, "at once");
}

static fate_value give_nothing(fate_coro *co, fate_value *arg)
{
    return fate_none();
}

TEST(the_body_runs_to_its_first_wait_before_go_returns)
{
    begin();
    one = fate_deferred_new(reactor);
    two = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_go(reactor, await_one_then_two, fate_none()));

    EXPECT_STR(trail, "begin");
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    EXPECT(fate_peek(d) == NULL);
    fate_fire(one, fate_int(1));
    EXPECT_STR(trail, "begin first=1");
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_fire(two, fate_int(2));
    EXPECT_STR(trail, "begin first=1 second=2");
    EXPECT_EQ(fate_state(d), FATE_DONE);
    EXPECT_INT(fate_peek(d), 2);
}

TEST(a_body_that_never_waits_makes_a_fired_deferred)
{
    begin();
    EXPECT_INT(fate_peek(fate_go(reactor, give_five, fate_none())), 5);
    EXPECT_NONE(fate_peek(fate_go(reactor, give_nothing, fate_none())));
}

TEST(a_failure_before_the_first_wait_is_the_deferreds)
{
    begin();
    fate_deferred *d = fate_go(reactor, fail_at_once, fate_none());

    EXPECT_FAILURE(fate_peek(d), &FATE_VALUE_ERROR);
    fate_add_errback(d, note, fate_ptr("lost"));
    fate_add_errback(d, recover, fate_none());
    EXPECT_STR(trail, "lost=<ValueError: at once>");
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(a_failure_nobody_takes_is_reported_when_the_deferred_goes)
{
    begin();
    fate_go(reactor, fail_at_once, fate_none());
    EXPECT_EQ(test_reports(reactor), 0);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1);
    EXPECT_STR(test_last_report(reactor), "ValueError: at once");
}

static fate_value fail_after_waiting(fate_coro *co, fate_value *arg)
{
    fate_drop(fate_await(co, one));
    return fate_raise(&FATE_KEY_ERROR, "late");
}

TEST(a_failure_after_a_wait_is_reported_too)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_go(reactor, fail_after_waiting, fate_none());
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
    fate_fire(one, fate_none());
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1);
    EXPECT_STR(test_last_report(reactor), "KeyError: late");
}

TEST(a_coroutines_deferred_cannot_be_fired_by_others)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_go(reactor, await_arg, fate_ptr(one)));

    EXPECT_EQ(fate_fire(d, fate_int(9)), -EPERM);
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_fire(one, fate_int(1));
    EXPECT_INT(fate_peek(d), 1);
}

static fate_value describe_arg(fate_coro *co, fate_value *arg)
{
    fate_drop(fate_await(co, one));
    return fate_describe(arg);
}

static fate_value take_arg(fate_coro *co, fate_value *arg)
{
    return fate_take(arg);
}

static fate_value copy_arg(fate_coro *co, fate_value *arg)
{
    return fate_copy(arg);
}

TEST(the_arg_lives_as_long_as_the_body)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_go(reactor, describe_arg, fate_str("arg")));

    fate_fire(one, fate_none());
    EXPECT_TEXT(fate_peek(d), "\"arg\"");
}

TEST(the_arg_may_be_taken_or_copied_to_be_returned)
{
    begin();
    EXPECT_TEXT(fate_peek(fate_go(reactor, take_arg, fate_str("taken"))), "taken");
    EXPECT_TEXT(fate_peek(fate_go(reactor, copy_arg, fate_str("copied"))), "copied");
}

static fate_value is_mine(fate_coro *co, fate_value *arg)
{
    EXPECT_PTR(fate_coro_reactor(co), reactor);
    return fate_none();
}

TEST(a_coroutine_knows_its_reactor)
{
    begin();
    fate_go(reactor, is_mine, fate_none());
}

TEST(the_plain_functions_do_the_same)
{
    begin();
    EXPECT_INT(fate_peek((fate_go)(reactor, give_five, fate_none())), 5);
    EXPECT_INT(fate_peek((fate_go_with)(reactor, give_five, fate_none(), NULL)), 5);
}

/* ---- Awaiting what has fired (R140, R141, R146, R150, R151) ---- */

static fate_value await_fired(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_await(co, fate_succeed(reactor, fate_int(1)));
    say("value", &v);
    fate_drop(v);
    v = fate_await(co, fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "no")));
    say("failure", &v);
    fate_drop(v);
    say_word("end");
    return fate_none();
}

TEST(awaiting_what_has_fired_goes_on_at_once)
{
    begin();
    fate_deferred *d = fate_go(reactor, await_fired, fate_none());

    EXPECT_STR(trail, "value=1 failure=<ValueError: no> end");
    EXPECT_NONE(fate_peek(d));
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

static fate_value await_one_twice(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_await(co, one);
    say("first", &v);
    fate_drop(v);
    v = fate_await(co, one);
    say("second", &v);
    return v;
}

TEST(awaiting_takes_the_result_away)
{
    begin();
    one = fate_hold(fate_succeed(reactor, fate_int(3)));
    fate_go(reactor, await_one_twice, fate_none());
    EXPECT_STR(trail, "first=3 second=none");
    EXPECT_NONE(fate_peek(one));
}

TEST(awaiting_twice_while_it_fires_gives_none_the_second_time)
{
    begin();
    one = held();
    fate_go(reactor, await_one_twice, fate_none());
    fate_fire(one, fate_int(3));
    EXPECT_STR(trail, "first=3 second=none");
    EXPECT_NONE(fate_peek(one));
}

TEST(a_failure_taken_by_a_coroutine_is_not_reported_where_it_came_from)
{
    begin();
    one = held();
    fate_deferred *d = fate_go(reactor, await_arg, fate_ptr(one));

    fate_fire(one, fate_raise(&FATE_VALUE_ERROR, "no"));
    fate_add_errback(d, recover, fate_none());
    EXPECT_STR(trail, "got=<ValueError: no>");
    EXPECT_NONE(fate_peek(one));
    fate_release(one);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

static fate_value await_many_fired(fate_coro *co, fate_value *arg)
{
    int64_t sum = 0;

    for (int i = 0; i < 5000; i++) {
        int64_t n = 0;
        fate_value v = fate_await(co, fate_succeed(reactor, fate_int(1)));
        fate_get_int(&v, &n);
        sum += n;
    }
    return fate_int(sum);
}

VOLUME_TEST(thousands_of_fired_deferreds_are_awaited_in_a_row)
{
    begin();
    EXPECT_INT(fate_peek(fate_go(reactor, await_many_fired, fate_none())), 5000);
}

/* ---- Awaiting what has not (R148, R149, R164) ---- */

TEST(the_body_goes_on_inside_the_firing_at_its_place_in_the_chain)
{
    begin();
    one = held();
    fate_add_both(one, note, fate_ptr("before"));
    fate_deferred *d = fate_hold(fate_go(reactor, await_arg, fate_ptr(one)));
    fate_add_both(d, note, fate_ptr("done"));
    fate_add_both(one, note, fate_ptr("after"));

    fate_fire(one, fate_int(4));
    EXPECT_STR(trail, "before=4 got=4 done=4 after=none");
}

TEST(the_levels_before_the_wait_change_what_is_awaited)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_add_callback(one, add_one, fate_none());
    fate_go(reactor, await_arg, fate_ptr(one));
    fate_fire(one, fate_int(4));
    EXPECT_STR(trail, "got=5");
}

TEST(levels_added_after_the_wait_do_not_resume_it_again)
{
    begin();
    one = held();
    fate_go(reactor, await_arg, fate_ptr(one));
    fate_fire(one, fate_int(4));
    fate_add_both(one, note, fate_ptr("later"));
    fate_add_both(one, note, fate_ptr("later still"));
    EXPECT_STR(trail, "got=4 later=none later still=none");
}

TEST(a_paused_one_is_awaited_until_it_is_unpaused)
{
    begin();
    one = held();
    fate_pause(one);
    fate_fire(one, fate_int(4));
    fate_deferred *d = fate_hold(fate_go(reactor, await_arg, fate_ptr(one)));
    EXPECT_STR(trail, "");
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    EXPECT_EQ(fate_unpause(one), 0);
    EXPECT_STR(trail, "got=4");
}

TEST(one_paused_after_the_wait_began_holds_the_body_back)
{
    begin();
    one = held();
    fate_go(reactor, await_arg, fate_ptr(one));
    fate_pause(one);
    fate_fire(one, fate_int(4));
    EXPECT_STR(trail, "");
    fate_unpause(one);
    EXPECT_STR(trail, "got=4");
}

TEST(one_that_waits_itself_is_awaited)
{
    begin();
    two = held();
    one = held();
    fate_add_callback(one, follow, fate_ptr(two));
    fate_fire(one, fate_none());
    EXPECT_EQ(fate_state(one), FATE_WAITING);
    fate_go(reactor, await_arg, fate_ptr(one));
    EXPECT_STR(trail, "");
    fate_fire(two, fate_int(6));
    EXPECT_STR(trail, "got=6");
}

/* A callback of one that starts a coroutine which awaits one. */
static fate_value go_and_await_myself(fate_value *result, fate_value *arg)
{
    say("level", result);
    fate_go(reactor, await_arg, fate_ptr(one));
    say_word("started");
    return fate_int(8);
}

TEST(one_that_runs_its_levels_is_awaited_until_they_have_run)
{
    begin();
    one = held();
    fate_add_callback(one, go_and_await_myself, fate_none());
    fate_add_callback(one, add_one, fate_none());
    fate_fire(one, fate_int(4));
    EXPECT_STR(trail, "level=4 started got=9");
}

TEST(one_that_has_waiting_levels_of_a_hand_over_runs_them_first)
{
    begin();
    one = held();
    fate_deferred *outer = held();
    fate_add_callback(outer, follow, fate_ptr(one));
    fate_fire(outer, fate_none());
    fate_add_callback(outer, go_and_await_myself, fate_none());
    fate_add_callback(one, add_one, fate_none());
    fate_fire(one, fate_int(4));
    EXPECT_STR(trail, "level=4 got=1 started");
}

TEST(of_two_who_await_one_the_first_gets_its_result)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_deferred *first = fate_hold(fate_go(reactor, await_arg, fate_ptr(one)));
    fate_deferred *second = fate_hold(fate_go(reactor, await_arg, fate_ptr(one)));

    fate_fire(one, fate_int(4));
    EXPECT_INT(fate_peek(first), 4);
    EXPECT_NONE(fate_peek(second));
}

static fate_value await_made_here(fate_coro *co, fate_value *arg)
{
    one = fate_deferred_new(reactor);
    fate_value v = fate_await(co, one);
    say("got", &v);
    return v;
}

TEST(what_is_awaited_and_not_held_goes_with_its_result)
{
    begin();
    fate_go(reactor, await_made_here, fate_none());
    for (int i = 0; i < 3; i++)
        fate_advance(reactor, FATE_SECOND);
    if (one) /* there was memory to start it */
        fate_fire(one, fate_int(2));
    EXPECT_STR(trail, "got=2");
}

/* What a switch must preserve: whole and floating numbers that the compiler keeps in registers. */
static fate_value add_up(fate_coro *co, fate_value *arg)
{
    int64_t a = fate_as_int(arg), b = a + 1, c = a + 2, e = a + 3, f = a + 4;
    double p = (double)a / 2, q = p + 1, r = p + 2, s = p + 3;

    for (int i = 0; i < 3; i++) {
        fate_value v = fate_await(co, i ? two : one);
        int64_t n = 0;
        fate_get_int(&v, &n);
        fate_drop(v);
        a += n, b += a, c += b, e += c, f += e;
        p += (double)n, q += p, r += q, s += r;
    }
    return fate_format("%lld %lld %.1f %.1f", (long long)a, (long long)f, p, s);
}

TEST(locals_survive_waits)
{
    begin();
    one = held();
    two = held();
    fate_deferred *first = fate_hold(fate_go(reactor, add_up, fate_int(1)));
    fate_deferred *second = fate_hold(fate_go(reactor, add_up, fate_int(100)));
    fate_fire(one, fate_int(7));
    fate_fire(two, fate_int(5));
    EXPECT_TEXT(fate_peek(first), "13 200 12.5 115.0");
    EXPECT_TEXT(fate_peek(second), "100 3535 50.0 1015.0");
}

/* ---- The coroutine's own, rings, and want of memory ---- */

static fate_value await_own(fate_coro *co, fate_value *arg)
{
    fate_drop(fate_await(co, one));
    if (!own) /* without memory it has not waited */
        return fate_none();
    fate_value v = fate_await(co, own);
    EXPECT_FAILURE(&v, &FATE_FOLLOW_ERROR);
    say_word("went on");
    fate_drop(v);
    return fate_int(1);
}

TEST(awaiting_its_own_deferred_is_a_failure)
{
    begin();
    one = fate_deferred_new(reactor);
    own = fate_hold(fate_go(reactor, await_own, fate_none()));
    fate_fire(one, fate_none());
    EXPECT_STR(trail, "went on");
    EXPECT_INT(fate_peek(own), 1);
}

TEST(a_ring_of_two_coroutines_is_a_failure)
{
    begin();
    one = fate_deferred_new(reactor);
    own = fate_hold(fate_go(reactor, await_own, fate_none()));
    fate_deferred *other = fate_hold(fate_go(reactor, await_arg, fate_ptr(own)));
    fate_deferred *first = own;
    own = other;
    fate_fire(one, fate_none());
    EXPECT_STR(trail, "went on got=1");
    EXPECT_INT(fate_peek(other), 1);
    fate_release(first);
}

static fate_value follow_a_coroutine_that_awaits_me(fate_value *result, fate_value *arg)
{
    return fate_follow(fate_go(reactor, await_arg, fate_ptr(one)));
}

TEST(a_level_that_follows_a_coroutine_that_awaits_its_deferred_fails)
{
    begin();
    one = held();
    fate_add_callback(one, follow_a_coroutine_that_awaits_me, fate_none());
    fate_fire(one, fate_int(1));
    EXPECT_STR(trail, "got=<FollowError: the deferred that was followed waits, in a ring, for the one that "
                      "followed it>");
    fate_add_both(one, recover, fate_none());
}

static fate_value await_without_memory(fate_coro *co, fate_value *arg)
{
    test_fail_allocation(1, true);
    fate_deferred *d = fate_deferred_new_cancellable(reactor, NULL, fate_str("x"));
    test_fail_allocation(0, false);
    fate_value v = fate_await(co, d);
    say("got", &v);
    return v;
}

TEST(awaiting_the_no_memory_deferred_gives_that_failure)
{
    begin();
    fate_deferred *d = fate_go(reactor, await_without_memory, fate_none());

    EXPECT_FAILURE(fate_peek(d), &FATE_NO_MEMORY);
    fate_add_both(d, recover, fate_none());
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(without_memory_for_its_arg_a_coroutine_does_not_run)
{
    begin();
    test_fail_allocation(1, true);
    fate_value text = fate_str("text");
    test_fail_allocation(0, false);
    fate_deferred *d = fate_go(reactor, take_arg, text);
    EXPECT_FAILURE(fate_peek(d), &FATE_NO_MEMORY);
    fate_add_both(d, note, fate_ptr("lost"));
    EXPECT_CONTAINS(trail, "lost=<NoMemory");
}

/* ---- One coroutine inside the other (R147) ---- */

static fate_value nest(fate_coro *co, fate_value *arg)
{
    int64_t depth = fate_as_int(arg);

    if (depth == 0)
        return fate_await(co, one);
    fate_value v = fate_await(co, fate_go(reactor, nest, fate_int(depth - 1)));
    int64_t i = 0;
    if (!fate_get_int(&v, &i))
        return v;
    return fate_int(i + 1);
}

TEST(coroutines_await_one_another_to_any_depth)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_go(reactor, nest, fate_int(20)));

    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_fire(one, fate_int(100));
    EXPECT_INT(fate_peek(d), 120);
}

TEST(coroutines_that_never_wait_await_one_another)
{
    begin();
    one = fate_succeed(reactor, fate_int(100));
    fate_deferred *d = fate_hold(fate_go(reactor, nest, fate_int(20)));
    EXPECT_INT(fate_peek(d), 120);
}

static fate_value start_two(fate_coro *co, fate_value *arg)
{
    fate_deferred *first = fate_go(reactor, await_arg, fate_ptr(one));
    fate_deferred *second = fate_go(reactor, await_arg, fate_ptr(two));
    say_word("both");
    fate_value v = fate_await(co, second);
    say("second", &v);
    fate_drop(v);
    v = fate_await(co, first);
    say("first", &v);
    return v;
}

TEST(a_coroutine_may_start_several_and_await_them_in_any_order)
{
    begin();
    one = fate_deferred_new(reactor);
    two = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_go(reactor, start_two, fate_none()));

    fate_fire(one, fate_int(1));
    EXPECT_STR(trail, "both got=1");
    fate_fire(two, fate_int(2));
    EXPECT_STR(trail, "both got=1 got=2 second=2 first=1");
    EXPECT_INT(fate_peek(d), 1);
}

/* ---- Holding, pausing and forgetting a coroutine's deferred ---- */

TEST(a_paused_deferred_does_not_pause_its_coroutine)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_go(reactor, await_arg, fate_ptr(one)));
    fate_add_both(d, note, fate_ptr("done"));
    fate_pause(d);
    fate_fire(one, fate_int(1));
    EXPECT_STR(trail, "got=1");
    EXPECT_INT(fate_peek(d), 1);
    fate_unpause(d);
    EXPECT_STR(trail, "got=1 done=1");
}

TEST(a_paused_deferred_stays_until_it_is_unpaused)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_deferred *d = fate_go(reactor, await_arg, fate_ptr(one));
    fate_add_both(d, note, fate_ptr("done"));
    fate_pause(d);
    fate_fire(one, fate_int(1));
    fate_advance(reactor, 0);
    EXPECT_EQ(fate_unpause(d), 0);
    EXPECT_STR(trail, "got=1 done=1");
}

static int n_dropped;

static void count_drop(void *data)
{
    n_dropped++;
}

struct counted {
    int unused;
};

static fate_value counted(void)
{
    return fate_box_with(count_drop, struct counted, 0);
}

static fate_value pass(fate_value *result, fate_value *arg)
{
    return fate_take(result);
}

TEST(one_whose_pauses_are_given_up_goes_when_the_body_has_ended)
{
    begin();
    n_dropped = 0;
    one = fate_deferred_new(reactor);
    fate_deferred *d = fate_go(reactor, await_arg, fate_ptr(one));
    fate_add_both(d, pass, counted());
    fate_pause(d);
    EXPECT_EQ(fate_abandon(d), 0);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_dropped, 0);
    fate_fire(one, fate_int(1));
    fate_advance(reactor, 0);
    EXPECT_EQ(n_dropped, 1);
}

TEST(one_whose_pauses_are_given_up_goes_when_it_has_been_cancelled)
{
    begin();
    n_dropped = 0;
    one = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_go(reactor, await_arg, fate_ptr(one)));
    fate_add_both(d, pass, counted());
    fate_pause(d);
    EXPECT_EQ(fate_abandon(d), 0);
    fate_cancel(d);
    EXPECT_EQ(n_dropped, 0);
    fate_release(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_dropped, 1);
}

TEST(a_forgotten_one_goes_as_soon_as_its_body_has_ended)
{
    begin();
    n_dropped = 0;
    one = fate_deferred_new(reactor);
    fate_deferred *d = fate_go(reactor, await_arg, fate_ptr(one));
    fate_forget(d);
    fate_fire(one, counted());
    EXPECT_EQ(n_dropped, 1);
}

TEST(nothing_is_kept_when_the_body_has_ended)
{
    begin();
    n_dropped = 0;
    one = fate_deferred_new(reactor);
    fate_go(reactor, await_arg, fate_ptr(one));
    fate_fire(one, counted());
    EXPECT_EQ(n_dropped, 0);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_dropped, 1);
}

TEST(a_body_and_what_it_awaits_that_nobody_keeps_go_with_the_reactor)
{
    begin();
    n_dropped = 0;
    one = fate_deferred_new(reactor);
    fate_go(reactor, describe_arg, counted());
    fate_abandon(one);
    fate_advance(reactor, FATE_SECOND);
    fate_reactor_free(reactor);
    EXPECT_EQ(n_dropped, 1);
}

/* ---- The path that a failure took ---- */

static void expect_path(const fate_value *failure, const char *const *parts)
{
    fate_value path = failure ? fate_traceback(failure) : fate_none();
    const char *text = NULL;

    fate_get_str(&path, &text);
    for (; *parts; parts++)
        EXPECT_CONTAINS(text, *parts);
    fate_drop(path);
}

TEST(a_failure_names_the_coroutine_and_where_it_was_awaited)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_go(reactor, await_arg, fate_ptr(one)));

    fate_fire(one, fate_raise(&FATE_VALUE_ERROR, "no"));
    expect_path(fate_peek(d), (const char *const[]){ "ValueError: no", "raised ", "past   await test_coro.c:",
                                                     "past   await_arg test_coro.c:", NULL });
    fate_add_both(d, recover, fate_none());
}

TEST(a_failure_through_nested_coroutines_names_each_wait)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_go(reactor, nest, fate_int(2)));
    fate_fire(one, fate_raise(&FATE_VALUE_ERROR, "no"));

    const fate_value *v = fate_peek(d);
    fate_value path = v ? fate_traceback(v) : fate_none();
    const char *text = "";
    int n = 0;
    fate_get_str(&path, &text);
    for (const char *at = text; (at = strstr(at, "past   nest test_coro.c:")); at++)
        n++;
    EXPECT_EQ(n, 3);
    fate_drop(path);
    fate_add_both(d, recover, fate_none());
}
