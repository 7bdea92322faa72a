/* Tests of src/deferred/turn.c: what goes at the end of a turn, what is reported, and the end of a reactor.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

static char trail[512];

static void say(const char *what)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s%s", len ? " " : "", what);
}

static fate_reactor *begin(void)
{
    trail[0] = '\0';
    return test_reactor();
}

struct named {
    const char *name;
};

static void named_dropped(void *named)
{
    say(((struct named *)named)->name);
}

/* A value that says its name when it goes. */
static fate_value named(const char *name)
{
    return fate_box_with(named_dropped, struct named, name);
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

static fate_value follow(fate_value *result, fate_value *d)
{
    return fate_follow(fate_as_ptr(d));
}

/* ---- Reports ---- */

TEST(a_failure_nobody_handles_is_reported_at_the_end_of_the_turn)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor);

    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "wrong token"));
    EXPECT_EQ(test_reports(reactor), 0);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1);
    EXPECT_STR(test_last_report(reactor), "ValueError: wrong token");
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1);
}

TEST(a_failure_that_is_handled_later_in_the_turn_is_not_reported)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor);

    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "v"));
    fate_add_errback(d, forgive, fate_none());
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(a_failure_in_one_that_is_held_is_reported_after_its_release)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_hold(fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "v")));

    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
    fate_release(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1);
}

TEST(one_that_never_fired_or_waits_reports_nothing)
{
    fate_reactor *reactor = begin();
    fate_deferred *unfired = fate_deferred_new(reactor), *outer = fate_deferred_new(reactor);

    fate_add_callback(outer, follow, fate_ptr(unfired));
    fate_add_errback(outer, forgive, fate_none());
    fate_fire(outer, fate_none());
    fate_advance(reactor, FATE_SECOND);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(a_failure_that_passed_on_after_being_noted_is_reported_once)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor);

    fate_add_errback(d, note, fate_ptr("noted"));
    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "v"));
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "noted");
    EXPECT_EQ(test_reports(reactor), 1);
}

static char reported[4][1024];
static char sites[4][128];
static int n_reported;

static void keep_report(const fate_unhandled *what, fate_value *arg)
{
    test_suspend_failures();
    fate_value text = fate_traceback(what->failure);
    if (n_reported < 4) {
        snprintf(reported[n_reported], sizeof reported[0], "%s", fate_as_str(&text));
        snprintf(sites[n_reported], sizeof sites[0], "%s", what->site);
    }
    n_reported++;
    fate_drop(text);
    test_resume_failures();
}

static fate_value use_key(fate_value *result, fate_value *arg)
{
    return fate_raise(&FATE_VALUE_ERROR, "wrong token");
}

static fate_value print_product(fate_value *result, fate_value *arg)
{
    return fate_none();
}

TEST(a_report_names_the_line_that_made_the_deferred_and_the_path_of_the_failure)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor);

    n_reported = 0;
    fate_on_unhandled(reactor, keep_report, fate_none());
    fate_add_callback(d, use_key, fate_none());
    fate_add_callback(d, print_product, fate_none());
    fate_add_errback(d, note, fate_ptr("note"));
    fate_fire(d, fate_none());
    fate_advance(reactor, 0);
    EXPECT_EQ(n_reported, 1);
    EXPECT_CONTAINS(sites[0], "test_turn.c:");
    EXPECT_CONTAINS(reported[0], "ValueError: wrong token\n  raised use_key test_turn.c:");
    EXPECT_CONTAINS(reported[0], "past   print_product test_turn.c:");
    EXPECT_CONTAINS(reported[0], "past   note test_turn.c:");
    fate_reactor_free(reactor);
}

TEST(reports_come_in_the_order_in_which_they_were_done)
{
    fate_reactor *reactor = begin();
    fate_deferred *a = fate_deferred_new(reactor), *b = fate_deferred_new(reactor);
    fate_deferred *c = fate_deferred_new(reactor);

    n_reported = 0;
    fate_on_unhandled(reactor, keep_report, fate_none());
    fate_fire(c, fate_raise(&FATE_ERROR, "first"));
    fate_fire(a, fate_raise(&FATE_ERROR, "second"));
    fate_fire(b, fate_raise(&FATE_ERROR, "third"));
    fate_advance(reactor, 0);
    EXPECT_EQ(n_reported, 3);
    EXPECT_CONTAINS(reported[0], "first");
    EXPECT_CONTAINS(reported[1], "second");
    EXPECT_CONTAINS(reported[2], "third");
    fate_reactor_free(reactor);
}

static void fail_another(const fate_unhandled *what, fate_value *arg)
{
    if (n_reported++ == 0)
        fate_fail(fate_as_ptr(arg), fate_raise(&FATE_ERROR, "from the report"));
}

TEST(what_a_report_leaves_behind_is_reported_in_the_same_sweep)
{
    fate_reactor *reactor = begin();

    n_reported = 0;
    fate_on_unhandled(reactor, fail_another, fate_ptr(reactor));
    fate_fail(reactor, fate_raise(&FATE_ERROR, "x"));
    fate_advance(reactor, 0);
    EXPECT_EQ(n_reported, 2);
    fate_reactor_free(reactor);
}

static void replace_itself(const fate_unhandled *what, fate_value *arg)
{
    fate_reactor *reactor = fate_deferred_reactor(fate_as_deferred(arg));

    fate_on_unhandled(reactor, keep_report, fate_none());
    EXPECT_EQ(fate_kind_of(arg), FATE_KIND_DEFERRED);
}

TEST(a_hook_may_replace_itself_and_still_has_its_arg)
{
    fate_reactor *reactor = begin();
    fate_deferred *d = fate_deferred_new(reactor);

    n_reported = 0;
    fate_on_unhandled(reactor, replace_itself, fate_held(d));
    fate_fail(reactor, fate_raise(&FATE_ERROR, "x"));
    fate_advance(reactor, 0);
    fate_fail(reactor, fate_raise(&FATE_ERROR, "y"));
    fate_advance(reactor, 0);
    EXPECT_EQ(n_reported, 1);
    fate_reactor_free(reactor);
}

TEST(without_a_hook_a_report_is_an_error_in_the_log)
{
    fate_reactor *reactor = begin();

    fate_on_unhandled(reactor, NULL, fate_none());
    fate_fail(reactor, fate_raise(&FATE_ERROR, "x"));
    fate_advance(reactor, 0);
    EXPECT_EQ(test_logs(reactor), 1);
    EXPECT_STR(test_last_log(reactor), "Unhandled failure in deferred");
    fate_reactor_free(reactor);
}

/* ---- The sweep ---- */

TEST(what_is_done_and_not_held_goes_when_the_reactor_is_next_entered)
{
    fate_reactor *reactor = begin();

    fate_succeed(reactor, named("a"));
    EXPECT_STR(trail, "");
    EXPECT_EQ(fate_next_timeout(reactor), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "a");
    EXPECT(fate_next_timeout(reactor) == FATE_NEVER);
}

TEST(what_goes_goes_in_the_order_in_which_it_was_done)
{
    fate_reactor *reactor = begin();
    fate_deferred *a = fate_deferred_new(reactor), *b = fate_deferred_new(reactor);

    fate_fire(b, named("b"));
    fate_fire(a, named("a"));
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "b a");
}

/* Each holds the one before as its result: one sweep takes them all. */
TEST(what_one_sweep_lets_go_goes_in_the_same_sweep)
{
    fate_reactor *reactor = begin();
    fate_value inside = named("innermost");

    for (int i = 0; i < 10; i++)
        inside = fate_held(fate_succeed(reactor, inside));
    fate_drop(inside);
    EXPECT_STR(trail, "");
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "innermost");
}

struct succeeding {
    fate_reactor *reactor;
};

static void succeed_when_dropped(void *data)
{
    say("dropped");
    fate_succeed(((struct succeeding *)data)->reactor, named("made in the sweep"));
}

TEST(a_drop_function_may_make_deferreds_which_go_in_the_same_sweep)
{
    fate_reactor *reactor = begin();

    fate_succeed(reactor, fate_box_with(succeed_when_dropped, struct succeeding, reactor));
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "dropped made in the sweep");
}

static void make_one(fate_value *reactor)
{
    fate_succeed(fate_as_ptr(reactor), named("of the event"));
    say("event");
}

static void say_arg(fate_value *name)
{
    say(fate_kind_of(name) == FATE_KIND_PTR ? fate_as_ptr(name) : "called");
}

TEST(each_event_is_a_turn_of_its_own)
{
    fate_reactor *reactor = begin();

    fate_call_later(reactor, FATE_SECOND, make_one, fate_ptr(reactor));
    fate_call_later(reactor, FATE_SECOND, say_arg, fate_ptr("next event"));
    fate_succeed(reactor, named("outside"));
    fate_advance(reactor, FATE_SECOND);
    EXPECT_STR(trail, "outside event of the event next event");
}

/* ---- fate_turn ---- */

TEST(a_turn_ends_the_turn_outside_and_sweeps_afterwards)
{
    fate_reactor *reactor = begin();

    fate_succeed(reactor, named("outside"));
    fate_turn(reactor, make_one, fate_ptr(reactor));
    EXPECT_STR(trail, "outside event of the event");
}

static void turn_within(fate_value *reactor)
{
    say("begin");
    fate_turn(fate_as_ptr(reactor), make_one, fate_ptr(fate_as_ptr(reactor)));
    say("end");
}

TEST(a_turn_inside_an_event_only_calls)
{
    fate_reactor *reactor = begin();

    fate_turn(reactor, turn_within, fate_ptr(reactor));
    EXPECT_STR(trail, "begin event end of the event");
}

TEST(a_turn_runs_no_timers_and_moves_no_time)
{
    fate_reactor *reactor = begin();

    fate_call_later(reactor, 0, say_arg, fate_ptr("timer"));
    fate_turn(reactor, say_arg, fate_ptr("turn"));
    EXPECT_STR(trail, "turn");
    EXPECT_EQ(fate_now(reactor), 0);
}

static void say_called(fate_value *arg)
{
    say("called");
}

TEST(a_turn_drops_its_arg)
{
    fate_reactor *reactor = begin();

    fate_turn(reactor, say_called, named("arg"));
    EXPECT_STR(trail, "called arg");
}

/* ---- The end of a reactor ---- */

static void say_cancelled(fate_deferred *d, fate_value *name)
{
    say_arg(name);
}

TEST(the_end_cancels_what_has_not_fired_oldest_first)
{
    fate_reactor *reactor = begin();
    fate_deferred *spare = fate_deferred_new(reactor);

    fate_deferred_new_cancellable(reactor, say_cancelled, fate_ptr("first"));
    fate_deferred_new_cancellable(reactor, say_cancelled, fate_ptr("second"));
    fate_fire(spare, fate_none());
    fate_advance(reactor, 0);
    /* Takes the place of the spare one in memory, before the others. */
    fate_deferred_new_cancellable(reactor, say_cancelled, fate_ptr("third"));
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "first second third");
}

static int64_t n_cancelled;
static bool is_in_order;

static void count_in_order(fate_deferred *d, fate_value *number)
{
    is_in_order &= fate_as_int(number) == n_cancelled++;
}

VOLUME_TEST(the_end_cancels_a_thousand_in_order)
{
    fate_reactor *reactor = begin();

    n_cancelled = 0;
    is_in_order = true;
    for (int i = 0; i < 1000; i++)
        fate_deferred_new_cancellable(reactor, count_in_order, fate_int(i));
    fate_reactor_free(reactor);
    EXPECT_EQ(n_cancelled, 1000);
    EXPECT(is_in_order);
}

TEST(the_failures_that_the_end_causes_are_not_reported)
{
    fate_reactor *reactor = begin();

    fate_add_both(fate_deferred_new(reactor), note, fate_ptr("cancelled"));
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "cancelled");
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(a_failure_from_before_the_end_is_reported_also_when_it_is_held)
{
    fate_reactor *reactor = begin(), *other = test_reactor();

    fate_fail(reactor, fate_raise(&FATE_ERROR, "x"));
    fate_reactor_free(reactor);
    EXPECT_EQ(test_reports(reactor), 1);
    fate_hold(fate_fail(other, fate_raise(&FATE_ERROR, "x")));
    fate_reactor_free(other);
    EXPECT_EQ(test_reports(other), 1);
}

static fate_value make_more(fate_value *why, fate_value *arg)
{
    fate_reactor *reactor = fate_as_ptr(arg);
    fate_deferred *d = fate_hold(fate_deferred_new(reactor));

    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    EXPECT_FAILURE(fate_peek(fate_deferred_new_cancellable(reactor, say_cancelled, named("arg"))),
                   &FATE_CANCELLED);
    EXPECT_EQ(fate_call_later(reactor, 0, say_arg, named("later")).id, -ESHUTDOWN);
    EXPECT_EQ(fate_stop_later(reactor, 0), -ESHUTDOWN);
    EXPECT_FAILURE(fate_peek(fate_defer_later(reactor, 0, NULL, named("defer"))), &FATE_CANCELLED);
    say("errback");
    return fate_none();
}

TEST(what_is_made_during_the_end_is_born_cancelled)
{
    fate_reactor *reactor = begin();

    fate_add_errback(fate_deferred_new(reactor), make_more, fate_ptr(reactor));
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "arg later defer errback");
    EXPECT_EQ(test_reports(reactor), 0);
}

static fate_value time_out_in_vain(fate_value *why, fate_value *arg)
{
    fate_deferred *d = fate_succeed(fate_as_ptr(arg), fate_int(5));

    fate_pause(d);
    fate_add_timeout(d, FATE_SECOND);
    fate_unpause(d);
    EXPECT(!fate_is(fate_peek(d), &FATE_NO_MEMORY));
    say("errback");
    return fate_none();
}

/* There is no want of memory, so nobody may be told so. */
TEST(a_timeout_that_is_refused_during_the_end_is_no_want_of_memory)
{
    fate_reactor *reactor = begin();

    fate_add_errback(fate_deferred_new(reactor), time_out_in_vain, fate_ptr(reactor));
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "errback");
}

TEST(the_end_drops_all_args_and_results_that_are_left)
{
    fate_reactor *reactor = begin();
    fate_deferred *paused = fate_deferred_new(reactor);

    fate_pause(paused);
    fate_add_callback(paused, forgive, named("level"));
    fate_fire(paused, named("result"));
    fate_hold(fate_succeed(reactor, named("held")));
    fate_call_later(reactor, FATE_SECOND, say_arg, named("timer"));
    fate_reactor_free(reactor);
    EXPECT_CONTAINS(trail, "level");
    EXPECT_CONTAINS(trail, "result");
    EXPECT_CONTAINS(trail, "held");
    EXPECT_CONTAINS(trail, "timer");
}

TEST(the_end_frees_rings_of_those_that_wait_for_one_another)
{
    fate_reactor *reactor = begin();
    fate_deferred *member = fate_deferred_new(reactor);

    fate_add_callback(member, forgive, named("arg"));
    fate_gather_of(reactor, member);
    fate_abandon(member);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "");
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "arg");
}

TEST(the_end_frees_those_that_wait)
{
    fate_reactor *reactor = begin();
    fate_deferred *inner = fate_deferred_new(reactor), *outer = fate_deferred_new(reactor);

    fate_add_callback(outer, follow, fate_ptr(inner));
    fate_add_both(outer, note, fate_ptr("outer"));
    fate_fire(outer, fate_none());
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "outer");
}

TEST(freeing_no_reactor_does_nothing)
{
    fate_reactor_free(NULL);
}
