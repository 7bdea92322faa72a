/* src/reactor/trigger.c: startup and shutdown (R223-R237). */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>

static fate_reactor *reactor;
static char trail[512];

static void begin(void)
{
    trail[0] = '\0';
    reactor = test_reactor();
}

static void note(const char *what)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s%s%s", len ? " " : "", what,
             fate_is_running(reactor) ? "+" : "-");
}

/* Notes the text, with + while the reactor is running. */
static fate_value say(fate_value *text)
{
    note(fate_as_str(text));
    return fate_none();
}

static void say_later(fate_value *text)
{
    note(fate_as_str(text));
}

static fate_watch on(fate_phase phase, fate_occasion when, const char *text)
{
    return fate_add_trigger(reactor, phase, when, say, fate_str(text));
}

static void stop_at(int seconds)
{
    fate_stop_later(reactor, seconds * FATE_SECOND);
}

/* ---- Order ---- */

TEST(triggers_run_before_during_and_after_and_see_whether_it_runs)
{
    begin();
    on(FATE_AFTER, FATE_SHUTDOWN, "z");
    on(FATE_DURING, FATE_SHUTDOWN, "y");
    on(FATE_BEFORE, FATE_SHUTDOWN, "x");
    on(FATE_AFTER, FATE_STARTUP, "c");
    on(FATE_DURING, FATE_STARTUP, "b");
    on(FATE_BEFORE, FATE_STARTUP, "a");
    on(FATE_BEFORE, FATE_STARTUP, "a2");
    fate_call_later(reactor, FATE_SECOND, say_later, fate_str("event"));
    stop_at(2);
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "a- a2- b+ c+ event+ x+ y- z-");
}

static fate_deferred *awaited, *awaited_too;

static fate_value wait_for(fate_value *arg)
{
    note("wait");
    return fate_follow(fate_as_ptr(arg));
}

TEST(those_during_wait_for_the_deferreds_of_those_before)
{
    begin();
    awaited = fate_hold(fate_deferred_new(reactor));
    awaited_too = fate_hold(fate_deferred_new(reactor));
    fate_add_trigger(reactor, FATE_BEFORE, FATE_SHUTDOWN, wait_for, fate_ptr(awaited));
    fate_add_trigger(reactor, FATE_BEFORE, FATE_SHUTDOWN, wait_for, fate_ptr(awaited_too));
    on(FATE_BEFORE, FATE_SHUTDOWN, "next");
    on(FATE_DURING, FATE_SHUTDOWN, "during");
    fate_fire_later(awaited_too, 3 * FATE_SECOND, fate_none());
    fate_fire_later(awaited, 4 * FATE_SECOND, fate_raise(&FATE_VALUE_ERROR, "not nice"));
    stop_at(1);
    fate_call_later(reactor, 2 * FATE_SECOND, say_later, fate_str("event"));
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "wait+ wait+ next+ event+ during-");
    EXPECT_EQ(fate_now(reactor), 4 * FATE_SECOND);
    fate_release(awaited);
    fate_release(awaited_too);
    fate_iterate(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1); /* a failure stays on its own deferred */
}

static fate_value fire_the_other(fate_value *arg)
{
    fate_fire(awaited, fate_none());
    note("fired");
    return fate_none();
}

TEST(a_trigger_before_may_fire_the_deferred_of_another)
{
    begin();
    awaited = fate_hold(fate_deferred_new(reactor));
    fate_add_trigger(reactor, FATE_BEFORE, FATE_SHUTDOWN, wait_for, fate_ptr(awaited));
    fate_add_trigger(reactor, FATE_BEFORE, FATE_SHUTDOWN, fire_the_other, fate_none());
    on(FATE_BEFORE, FATE_SHUTDOWN, "rest");
    on(FATE_DURING, FATE_SHUTDOWN, "during");
    stop_at(1);
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "wait+ fired+ rest+ during-");
    fate_release(awaited);
}

TEST(a_deferred_that_never_fires_delays_the_shutdown_only_so_long)
{
    begin();
    awaited = fate_hold(fate_deferred_new(reactor));
    fate_add_trigger(reactor, FATE_BEFORE, FATE_SHUTDOWN, wait_for, fate_ptr(awaited));
    on(FATE_DURING, FATE_SHUTDOWN, "during");
    stop_at(1);
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "wait+ during-");
    EXPECT_EQ(fate_now(reactor), 31 * FATE_SECOND);
    EXPECT_CONTAINS(test_last_log(reactor), "were not done after 30 s");
    fate_release(awaited);
}

static void abandon(fate_value *arg)
{
    fate_abandon(awaited);
    fate_release(awaited);
}

TEST(an_abandoned_deferred_is_waited_for_no_longer)
{
    begin();
    awaited = fate_hold(fate_deferred_new(reactor));
    fate_add_trigger(reactor, FATE_BEFORE, FATE_SHUTDOWN, wait_for, fate_ptr(awaited));
    on(FATE_DURING, FATE_SHUTDOWN, "during");
    stop_at(1);
    fate_call_later(reactor, 2 * FATE_SECOND, abandon, fate_none());
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "wait+ during-");
    EXPECT_EQ(fate_now(reactor), 2 * FATE_SECOND);
}

TEST(a_startup_that_waits_lets_events_happen_but_does_not_run)
{
    begin();
    awaited = fate_hold(fate_deferred_new(reactor));
    fate_add_trigger(reactor, FATE_BEFORE, FATE_STARTUP, wait_for, fate_ptr(awaited));
    on(FATE_DURING, FATE_STARTUP, "started");
    fate_call_later(reactor, FATE_SECOND, say_later, fate_str("event"));
    fate_fire_later(awaited, 2 * FATE_SECOND, fate_none());
    stop_at(3);
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "wait- event- started+");
    fate_release(awaited);
}

/* ---- Adding, removing, failing ---- */

static fate_watch removed;

static fate_value remove_other(fate_value *arg)
{
    EXPECT_EQ(fate_unwatch(removed), 0);
    note("removes");
    return fate_none();
}

TEST(a_removed_trigger_does_not_run)
{
    begin();
    fate_add_trigger(reactor, FATE_BEFORE, FATE_SHUTDOWN, remove_other, fate_none());
    removed = on(FATE_BEFORE, FATE_SHUTDOWN, "removed");
    stop_at(1);
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "removes+");
    EXPECT_EQ(fate_unwatch(removed), -ENOENT);
}

static fate_value add_more(fate_value *arg)
{
    note("adds");
    EXPECT_EQ(on(FATE_BEFORE, FATE_SHUTDOWN, "too late").id, -ESHUTDOWN);
    on(FATE_DURING, FATE_SHUTDOWN, "same");
    on(FATE_AFTER, FATE_SHUTDOWN, "after");
    return fate_none();
}

TEST(triggers_may_be_added_to_phases_that_are_not_over)
{
    begin();
    fate_add_trigger(reactor, FATE_DURING, FATE_SHUTDOWN, add_more, fate_none());
    stop_at(1);
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "adds- same- after-");
}

static fate_value fail(fate_value *arg)
{
    return fate_raise(&FATE_VALUE_ERROR, "bad trigger");
}

TEST(a_failing_trigger_is_logged_and_the_rest_run)
{
    begin();
    fate_add_trigger(reactor, FATE_BEFORE, FATE_SHUTDOWN, fail, fate_none());
    on(FATE_BEFORE, FATE_SHUTDOWN, "rest");
    stop_at(1);
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "rest+");
    EXPECT_EQ(test_logs(reactor), 1);
    EXPECT_STR(test_last_log(reactor), "Failure in trigger");
}

/* ---- When running ---- */

static fate_value call_now(fate_value *arg)
{
    EXPECT_EQ(fate_call_when_running(reactor, say, fate_str("at once")).id, 0);
    note("caller");
    return fate_none();
}

TEST(call_when_running_calls_at_once_or_after_startup)
{
    begin();
    on(FATE_AFTER, FATE_STARTUP, "first");
    fate_call_when_running(reactor, call_now, fate_none());
    on(FATE_DURING, FATE_STARTUP, "during");
    stop_at(1);
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "during+ first+ at once+ caller+");
}

/* ---- Stopping ---- */

static fate_value stop_here(fate_value *arg)
{
    note("start");
    EXPECT_EQ(fate_stop(reactor), 0);
    EXPECT_EQ(fate_stop(reactor), -EALREADY);
    return fate_none();
}

TEST(stop_in_startup_ends_it)
{
    begin();
    fate_call_when_running(reactor, stop_here, fate_none());
    on(FATE_BEFORE, FATE_SHUTDOWN, "end");
    fate_call_later(reactor, 0, say_later, fate_str("never"));
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "start+ end+");
}

static fate_value stop_again(fate_value *arg)
{
    EXPECT_EQ(fate_stop(reactor), -EALREADY);
    note("again");
    return fate_none();
}

TEST(stop_in_shutdown_is_refused)
{
    begin();
    fate_add_trigger(reactor, FATE_BEFORE, FATE_SHUTDOWN, stop_again, fate_none());
    stop_at(1);
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "again+");
}

static fate_value crash_here(fate_value *arg)
{
    EXPECT_EQ(fate_crash(reactor), 0);
    note("crash");
    return fate_none();
}

TEST(a_crash_in_a_trigger_ends_the_run_and_startup_runs_again)
{
    begin();
    fate_call_when_running(reactor, crash_here, fate_none());
    on(FATE_AFTER, FATE_STARTUP, "next time");
    on(FATE_BEFORE, FATE_SHUTDOWN, "end");
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "crash+");
    stop_at(1);
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "crash+ next time+ end+");
}

static fate_value wait_for_it(fate_value *d)
{
    return fate_follow(fate_as_ptr(d));
}

/* What a startup that crashed has waited for says nothing of the next one. */
TEST(a_startup_does_not_take_what_another_waited_for_as_its_own)
{
    begin();
    fate_deferred *old = fate_hold(fate_deferred_new(reactor));
    fate_deferred *new = fate_hold(fate_deferred_new(reactor));

    fate_add_trigger(reactor, FATE_BEFORE, FATE_STARTUP, wait_for_it, fate_ptr(old));
    fate_watch crash = fate_add_trigger(reactor, FATE_BEFORE, FATE_STARTUP, crash_here, fate_none());
    if (crash.id > 0)
        EXPECT_EQ(fate_run(reactor), 0);
    fate_add_trigger(reactor, FATE_BEFORE, FATE_STARTUP, wait_for_it, fate_ptr(new));
    fate_fire_later(old, 1 * FATE_SECOND, fate_none());
    fate_call_later(reactor, 2 * FATE_SECOND, say_later, fate_str("two"));
    fate_fire_later(new, 3 * FATE_SECOND, fate_none());
    on(FATE_DURING, FATE_STARTUP, "started");
    stop_at(4);
    fate_run(reactor);
    EXPECT_STR(trail, "crash- two- started+");
    fate_release(old);
    fate_release(new);
}

TEST(when_all_is_over_triggers_are_refused)
{
    begin();
    stop_at(0);
    if (fate_run(reactor) != 0 || fate_run(reactor) != -ESHUTDOWN)
        return;
    EXPECT_EQ(on(FATE_BEFORE, FATE_SHUTDOWN, "never").id, -ESHUTDOWN);
    EXPECT_EQ(fate_call_when_running(reactor, say, fate_none()).id, -ESHUTDOWN);
}
