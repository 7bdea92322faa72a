/* Tests of src/reactor/wheel.c and of what lies beneath fate_run: rounds (R188), the exact next deadline,
 * lists that are long. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <reactor/reactor.h>

#include "test.h"

#define MANY 20000

static fate_reactor *reactor;
static struct fate__timers *timers;
static char trail[64];
static fate_time last_due;
static int64_t n_called, n_unordered;

static void begin(void)
{
    trail[0] = '\0';
    last_due = INT64_MIN;
    n_called = n_unordered = 0;
    reactor = test_reactor();
    timers = &reactor->timers;
}

static void call(fate_value *name)
{
    strncat(trail, fate_as_ptr(name), sizeof trail - strlen(trail) - 1);
}

static fate_timer later(fate_time delay, const char *name)
{
    return fate_call_later(reactor, delay, call, fate_ptr(name));
}

/* One round of a real clock. */
static void run_round(fate_time t)
{
    fate__set_now(reactor, reactor->now + t);
    uint64_t mark = fate__timers_mark(timers);
    while (fate__timers_call_due(timers, reactor->now, mark))
        ;
}

/* ---- Rounds ---- */

static fate_timer moved;

static void disturb(fate_value *arg)
{
    later(0, "new ");
    later(-9, "past ");
    fate_timer_reset(moved, 0);
    strncat(trail, "disturbed ", 11);
}

TEST(what_is_scheduled_or_moved_in_a_round_waits_for_the_next)
{
    begin();
    if (fate_call_later(reactor, 1, disturb, fate_none()).id < 0)
        return;
    moved = later(1, "moved ");
    later(2, "old ");
    run_round(10);
    EXPECT_STR(trail, "disturbed old ");
    EXPECT_EQ(fate__timers_next(timers), 1);
    run_round(0);
    EXPECT_STR(trail, "disturbed old past new moved ");
    EXPECT(fate__timers_next(timers) == FATE_NEVER);
}

TEST(what_waits_for_the_next_round_can_be_cancelled_and_is_called_on_simulated_time_too)
{
    begin();
    if (fate_call_later(reactor, 1, disturb, fate_none()).id < 0)
        return;
    moved = later(1, "moved ");
    run_round(10);
    EXPECT_EQ(fate_timer_cancel(moved), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "disturbed past new ");
}

/* ---- The next deadline ---- */

TEST(the_next_deadline_is_exact_whatever_was_moved)
{
    begin();
    fate_timer a = later(10 * FATE_SECOND, "a");
    fate_timer b = later(10 * FATE_SECOND + 1, "b");
    if (a.id < 0 || b.id < 0)
        return;
    EXPECT_EQ(fate__timers_next(timers), 10 * FATE_SECOND);
    fate_timer_reset(a, 10 * FATE_SECOND + 5); /* in the same slot */
    EXPECT_EQ(fate__timers_next(timers), 10 * FATE_SECOND + 1);
    fate_timer_reset(b, 90 * FATE_SECOND); /* in another one */
    EXPECT_EQ(fate__timers_next(timers), 10 * FATE_SECOND + 5);
    fate_timer_cancel(a);
    EXPECT_EQ(fate__timers_next(timers), 90 * FATE_SECOND);
    fate_timer_cancel(b);
    EXPECT(fate__timers_next(timers) == FATE_NEVER);
}

/* ---- Long lists ---- */

static void note(fate_value *due)
{
    fate_time t = fate_as_int(due);

    n_called++;
    n_unordered += t < last_due;
    last_due = t;
}

static void schedule_scattered(int64_t n, fate_time step)
{
    for (int64_t i = 0; i < n; i++) {
        fate_time delay = FATE_SECOND + i * 7919 % n * step;
        fate_call_later(reactor, delay, note, fate_int(fate_now(reactor) + delay));
    }
}

VOLUME_TEST(many_in_one_slot_are_called_in_order)
{
    begin();
    schedule_scattered(MANY, 1);
    fate_advance(reactor, FATE_SECOND + MANY / 2);
    EXPECT_EQ(n_called, MANY / 2 + 1);
    schedule_scattered(MANY, 1);
    fate_advance(reactor, 5 * FATE_SECOND);
    EXPECT_EQ(n_called, 2 * MANY);
    EXPECT_EQ(n_unordered, 0);
}

static void schedule_past(fate_value *n)
{
    int64_t left = fate_as_int(n);

    n_called++;
    if (left > 0)
        fate_call_later(reactor, -left, schedule_past, fate_int(left - 1));
}

VOLUME_TEST(calls_that_schedule_into_the_past_do_not_look_through_what_else_is_due)
{
    begin();
    schedule_scattered(MANY, 1);
    fate_call_later(reactor, FATE_SECOND, schedule_past, fate_int(MANY));
    fate_advance(reactor, 2 * FATE_SECOND);
    EXPECT_EQ(n_called, 2 * MANY + 1);
}

/* ---- Listing ---- */

struct seen {
    int n;
    fate_time sum;
    int64_t id;
    const char *site;
};

static void see(const struct fate__timer_view *view, void *arg)
{
    struct seen *seen = arg;

    seen->n++;
    seen->sum += view->due;
    seen->id = view->id;
    seen->site = view->site;
    EXPECT_EQ(view->made_ms, 2000);
}

TEST(those_that_are_pending_can_be_listed)
{
    struct seen seen = { 0 };

    begin();
    fate__timers_each(timers, see, &seen);
    EXPECT_EQ(seen.n, 0);
    later(1, "called");
    fate_advance(reactor, 2 * FATE_SECOND);
    fate_timer_cancel(later(1, "cancelled"));
    fate_timer a = later(3, "a");
    fate_timer b = fate_call_later_at(reactor, 5, call, fate_ptr("b"), "here.c:1");
    if (a.id < 0 || b.id < 0)
        return;
    fate_timer_delay(a, 4);
    fate__timers_each(timers, see, &seen);
    EXPECT_EQ(seen.n, 2);
    EXPECT_EQ(seen.sum, 4 * FATE_SECOND + 12);
    seen.n = 0;
    fate_timer_cancel(a);
    fate__timers_each(timers, see, &seen);
    EXPECT_EQ(seen.n, 1);
    EXPECT_EQ(seen.id, b.id);
    EXPECT_STR(seen.site, "here.c:1");
}
