/* Tests of src/reactor/reactor.c: running, stopping, time. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <base/sys.h>
#include <fate/fate.h>

#include "test.h"

static fate_reactor *reactor;
static char trail[256];

static void begin(void)
{
    trail[0] = '\0';
    reactor = test_reactor();
}

/* Says its name and the time in seconds. */
static void say_time(fate_value *name)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s%s@%lld", len ? " " : "", (const char *)fate_as_ptr(name),
             (long long)(fate_now(reactor) / FATE_SECOND));
}

static void later(int seconds, const char *name)
{
    fate_call_later(reactor, seconds * FATE_SECOND, say_time, fate_ptr(name));
}

TEST(a_simulated_clock_begins_at_zero_and_moves_when_told)
{
    begin();
    EXPECT_EQ(fate_now(reactor), 0);
    fate_advance(reactor, 5);
    EXPECT_EQ(fate_now(reactor), 5);
    fate_advance(reactor, 0);
    EXPECT_EQ(fate_now(reactor), 5);
}

TEST(the_clock_stops_at_the_end_of_time)
{
    begin();
    fate_advance(reactor, FATE_NEVER);
    fate_advance(reactor, FATE_SECOND);
    EXPECT(fate_now(reactor) == FATE_NEVER);
}

TEST(with_advance_everything_sees_the_final_time)
{
    begin();
    later(1, "a");
    later(2, "b");
    fate_advance(reactor, 5 * FATE_SECOND);
    EXPECT_STR(trail, "a@5 b@5");
}

TEST(with_play_each_event_has_its_own_time)
{
    begin();
    later(1, "a");
    later(2, "b");
    later(9, "c");
    fate_play(reactor, 5 * FATE_SECOND);
    EXPECT_STR(trail, "a@1 b@2");
    EXPECT_EQ(fate_now(reactor), 5 * FATE_SECOND);
}

static void schedule_more(fate_value *arg)
{
    later(1, "more");
}

TEST(play_runs_what_is_scheduled_meanwhile)
{
    begin();
    fate_call_later(reactor, FATE_SECOND, schedule_more, fate_none());
    fate_play(reactor, 2 * FATE_SECOND);
    EXPECT_STR(trail, "more@2");
}

TEST(run_goes_from_event_to_event_until_it_is_stopped)
{
    begin();
    later(1, "a");
    later(3, "c");
    if (fate_stop_later(reactor, 2 * FATE_SECOND) == 0)
        EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "a@1");
    EXPECT_EQ(fate_now(reactor), 2 * FATE_SECOND);
}

TEST(run_with_nothing_left_to_happen_is_a_deadlock)
{
    begin();
    EXPECT_EQ(fate_run(reactor), -EDEADLK);
    later(1, "a");
    EXPECT_EQ(fate_run(reactor), -EDEADLK);
    EXPECT_STR(trail, "a@1");
}

TEST(stop_without_run_is_refused)
{
    begin();
    EXPECT_EQ(fate_stop(reactor), -ENOTCONN);
}

static void stop_twice(fate_value *arg)
{
    EXPECT_EQ(fate_stop(reactor), 0);
    EXPECT_EQ(fate_stop(reactor), -EALREADY);
    later(0, "not any more");
}

TEST(a_stop_ends_run_when_the_event_is_over_and_for_good)
{
    begin();
    fate_call_later(reactor, 0, stop_twice, fate_none());
    later(0, "next");
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "");
    EXPECT_EQ(fate_stop(reactor), -ENOTCONN);
    EXPECT_EQ(fate_run(reactor), -ESHUTDOWN);
    EXPECT_STR(trail, "");
}

static void crash(fate_value *arg)
{
    EXPECT_EQ(fate_crash(reactor), 0);
    later(0, "the next time");
}

TEST(a_crash_ends_run_when_the_event_is_over_and_it_can_run_again)
{
    begin();
    EXPECT_EQ(fate_crash(reactor), -ENOTCONN);
    fate_call_later(reactor, 0, crash, fate_none());
    later(0, "next");
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "");
    EXPECT_EQ(fate_run(reactor), -EDEADLK);
    EXPECT_STR(trail, "next@0 the next time@0");
}

TEST(shutdown_is_an_action_that_stops)
{
    begin();
    fate_timer t = fate_call_later(reactor, FATE_SECOND, fate_shutdown, fate_ptr(reactor));
    EXPECT_EQ(fate_run(reactor), t.id < 0 ? -EDEADLK : 0);
}

static fate_value stop_it(fate_value *result, fate_value *arg)
{
    fate_stop(reactor);
    return fate_none();
}

TEST(a_callback_may_stop_the_reactor)
{
    begin();
    fate_deferred *d = fate_add_both(fate_deferred_new(reactor), stop_it, fate_none());
    fate_fire_later(d, 3 * FATE_SECOND, fate_int(1));
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_EQ(fate_now(reactor), 3 * FATE_SECOND);
}

TEST(run_ends_the_turn_outside_first)
{
    begin();
    fate_fail(reactor, fate_raise(&FATE_ERROR, "x"));
    EXPECT_EQ(fate_run(reactor), -EDEADLK);
    EXPECT_EQ(test_reports(reactor), 1);
}

TEST(the_next_timeout_is_none_while_there_is_something_to_sweep)
{
    begin();
    later(5, "a");
    EXPECT_EQ(fate_next_timeout(reactor), 5 * FATE_SECOND);
    fate_succeed(reactor, fate_none());
    EXPECT_EQ(fate_next_timeout(reactor), 0);
    fate_turn(reactor, say_time, fate_ptr("turn"));
    EXPECT_EQ(fate_next_timeout(reactor), 5 * FATE_SECOND);
}

TEST(several_reactors_have_their_own_time)
{
    begin();
    fate_reactor *other = test_reactor();
    fate_advance(other, 5);
    EXPECT_EQ(fate_now(reactor), 0);
    fate_deferred *d = fate_deferred_new(other);
    EXPECT_PTR(fate_deferred_reactor(d), other);
}

TEST(without_memory_there_is_no_reactor)
{
    if (test_is_oom())
        return;
    test_fail_allocation(1, true);
    errno = 0;
    EXPECT_PTR(fate_reactor_new_simulated(), NULL);
    EXPECT_EQ(errno, ENOMEM);
    test_fail_allocation(2, false);
    EXPECT_PTR(fate_reactor_new_simulated(), NULL);
    test_fail_allocation(0, false);
}

/* ---- The time of day ---- */

TEST(of_a_simulated_reactor_the_clock_is_the_time_of_day)
{
    begin();
    EXPECT_EQ(fate_time_of_day(reactor), 0);
    fate_advance(reactor, 90 * FATE_SECOND);
    EXPECT_EQ(fate_time_of_day(reactor), 90 * FATE_SECOND);
    fate_advance(reactor, FATE_NEVER);
    EXPECT(fate_time_of_day(reactor) == FATE_NEVER);
}

static int64_t seconds_of_day; /* as the system's clock of that kind says */

static int clock_of_test(clockid_t clock, struct timespec *ret_now)
{
    if (clock != CLOCK_REALTIME)
        return fate__sys_real.clock_gettime(clock, ret_now);
    *ret_now = (struct timespec){ (time_t)seconds_of_day, 500000000 };
    return 0;
}

static void read_twice(fate_value *arg)
{
    fate_time now = fate_now(reactor);

    for (seconds_of_day = 2000000000; seconds_of_day >= -1; seconds_of_day -= 2000000001)
        EXPECT_EQ(fate_time_of_day(reactor), seconds_of_day * FATE_SECOND + FATE_SECOND / 2);
    EXPECT_EQ(fate_now(reactor), now); /* is another clock */
    ++*(int *)fate_as_ptr(arg);
}

/* Unlike the reactor's clock it is read at each call, and may be put back. */
TEST(the_time_of_day_is_what_the_system_says_now)
{
    const struct fate__sys *usual = fate__sys;
    struct fate__sys table = *usual;
    int n_calls = 0;

    table.clock_gettime = clock_of_test;
    reactor = test_real_reactor(NULL);
    fate__sys = &table;
    if (reactor && fate_call_later(reactor, 0, read_twice, fate_ptr(&n_calls)).id >= 0) {
        for (int i = 0; i < 1000 && !n_calls; i++)
            fate_iterate(reactor, FATE_MILLISECOND);
        EXPECT_EQ(n_calls, 1);
    }
    fate_reactor_free(reactor);
    fate__sys = usual;
}

static void ask_nobody_for_the_time(void *arg)
{
    fate_time_of_day(NULL);
}

TEST(the_time_of_day_is_that_of_a_reactor)
{
    EXPECT_STOP(ask_nobody_for_the_time, NULL, "fate_time_of_day");
}

/* ---- Without what is to be called ---- */

static void turn_nothing(void *arg)
{
    fate_turn(fate_reactor_new_simulated(), NULL, fate_none());
}

static void loop_nothing(void *arg)
{
    fate_looping_call_new_at(fate_reactor_new_simulated(), NULL, fate_none(), "here a.c:1");
}

static void loop_nothing_counted(void *arg)
{
    fate_looping_call_new_counted_at(fate_reactor_new_simulated(), NULL, fate_none(), "here a.c:2");
}

static void report_to_nobody(void *arg)
{
    fate_reactor_report(fate_reactor_new_simulated(), NULL);
}

static void look_with_nothing(void *arg)
{
    fate_reactor_each(fate_reactor_new_simulated(), NULL, fate_none());
}

TEST(null_where_a_function_or_a_file_is_wanted_stops_the_program)
{
    EXPECT_STOP(turn_nothing, NULL, "fate_turn", "NULL action");
    EXPECT_STOP(loop_nothing, NULL, "here a.c:1", "fate_looping_call_new", "NULL function");
    EXPECT_STOP(loop_nothing_counted, NULL, "here a.c:2", "NULL function");
    EXPECT_STOP(report_to_nobody, NULL, "fate_reactor_report", "NULL file", "stderr");
    EXPECT_STOP(look_with_nothing, NULL, "fate_reactor_each", "NULL look");
}
