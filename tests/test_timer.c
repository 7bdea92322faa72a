/* Tests of src/reactor/timer.c (R181-R187, R195-R200). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

static char trail[256];
static fate_reactor *reactor;
static int n_drops;

static void begin(void)
{
    trail[0] = '\0';
    n_drops = 0;
    reactor = test_reactor();
}

static void say(const char *what)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s%s", len ? " " : "", what);
}

static void call(fate_value *name)
{
    say(fate_as_ptr(name));
}

static fate_timer later(fate_time delay, const char *name)
{
    return fate_call_later(reactor, delay, call, fate_ptr(name));
}

struct token {
    int number;
};

static void token_dropped(void *token)
{
    n_drops++;
}

static void do_nothing(fate_value *arg)
{
}

/* ---- Order ---- */

TEST(calls_run_in_order_of_due_time)
{
    begin();
    later(3 * FATE_SECOND, "c");
    later(1 * FATE_SECOND, "a");
    later(2 * FATE_SECOND, "b");
    fate_advance(reactor, 2 * FATE_SECOND);
    EXPECT_STR(trail, "a b");
    fate_advance(reactor, FATE_SECOND);
    EXPECT_STR(trail, "a b c");
}

TEST(calls_that_are_due_at_one_time_run_in_order_of_scheduling)
{
    begin();
    later(2, "a");
    later(1, "x");
    later(2, "b");
    fate_advance(reactor, 1);
    later(1, "c");
    fate_advance(reactor, 1);
    EXPECT_STR(trail, "x a b c");
}

TEST(a_call_is_not_made_before_it_is_due)
{
    begin();
    fate_timer t = later(FATE_SECOND, "a");
    EXPECT_EQ(fate_next_timeout(reactor), FATE_SECOND);
    fate_advance(reactor, FATE_SECOND - 1);
    EXPECT_STR(trail, "");
    EXPECT(fate_timer_active(t));
    EXPECT_EQ(fate_next_timeout(reactor), 1);
    fate_advance(reactor, 1);
    EXPECT_STR(trail, "a");
    EXPECT(!fate_timer_active(t));
}

TEST(a_negative_delay_is_due_before_now)
{
    begin();
    fate_advance(reactor, FATE_SECOND);
    later(0, "now");
    fate_timer t = later(-5, "before");
    EXPECT_EQ(fate_timer_time(t), FATE_SECOND - 5);
    EXPECT_EQ(fate_next_timeout(reactor), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "before now");
    EXPECT_EQ(fate_now(reactor), FATE_SECOND);
}

TEST(the_arg_goes_when_the_call_has_been_made)
{
    begin();
    fate_call_later(reactor, 1, do_nothing, fate_box_with(token_dropped, struct token, 1));
    EXPECT_EQ(n_drops, 0);
    fate_advance(reactor, 1);
    EXPECT_EQ(n_drops, 1);
}

/* ---- Handles ---- */

TEST(a_cancelled_call_is_not_made_and_drops_its_arg_at_once)
{
    begin();
    fate_timer t = fate_call_later(reactor, 1, call, fate_box_with(token_dropped, struct token, 1));
    EXPECT_EQ(fate_timer_cancel(t), 0);
    EXPECT_EQ(n_drops, 1);
    EXPECT(!fate_timer_active(t));
    EXPECT(fate_timer_time(t) == FATE_NEVER);
    fate_advance(reactor, 1);
    EXPECT_STR(trail, "");
    EXPECT_EQ(fate_timer_cancel(t), -ECANCELED);
    EXPECT_EQ(fate_timer_reset(t, 1), -ECANCELED);
    EXPECT_EQ(fate_timer_delay(t, 1), -ECANCELED);
}

TEST(a_call_that_was_made_is_refused)
{
    begin();
    fate_timer t = later(1, "a");
    fate_advance(reactor, 1);
    EXPECT_EQ(fate_timer_cancel(t), -EALREADY);
    EXPECT_EQ(fate_timer_reset(t, 1), -EALREADY);
    EXPECT_EQ(fate_timer_delay(t, 1), -EALREADY);
    fate_advance(reactor, 5);
    EXPECT_STR(trail, "a");
}

TEST(handles_of_long_ago_are_stale)
{
    begin();
    fate_timer t = later(1, "a");
    fate_timer_cancel(t);
    for (int i = 0; i < 100; i++)
        fate_timer_cancel(later(1, "b"));
    EXPECT_EQ(fate_timer_cancel(t), -ESTALE);
    EXPECT_EQ(fate_timer_reset(t, 1), -ESTALE);
    EXPECT(!fate_timer_active(t));
    fate_timer one_that_is = later(1, "c");
    EXPECT(fate_timer_active(one_that_is));
}

TEST(a_zeroed_handle_is_never_active)
{
    fate_timer t = { 0 };

    EXPECT(!fate_timer_active(t));
    EXPECT_EQ(fate_timer_cancel(t), -ESTALE);
    EXPECT_EQ(fate_timer_reset(t, 1), -ESTALE);
    EXPECT_EQ(fate_timer_delay(t, 1), -ESTALE);
    EXPECT(fate_timer_time(t) == FATE_NEVER);
}

static fate_timer own;

static void touch_own(fate_value *arg)
{
    EXPECT(!fate_timer_active(own));
    EXPECT_EQ(fate_timer_cancel(own), -EALREADY);
    EXPECT_EQ(fate_timer_reset(own, 1), -EALREADY);
    say("called");
}

TEST(inside_its_own_call_a_timer_has_been_called)
{
    begin();
    own = fate_call_later(reactor, 1, touch_own, fate_none());
    fate_advance(reactor, 1);
    EXPECT_STR(trail, "called");
}

/* ---- Reset and delay ---- */

TEST(reset_counts_from_now_and_delay_from_the_due_time)
{
    begin();
    fate_timer a = later(5, "a"), b = later(5, "b");
    fate_advance(reactor, 2);
    EXPECT_EQ(fate_timer_reset(a, 5), 0);
    EXPECT_EQ(fate_timer_time(a), 7);
    EXPECT_EQ(fate_timer_delay(b, 5), 0);
    EXPECT_EQ(fate_timer_time(b), 10);
    EXPECT_EQ(fate_timer_delay(b, -4), 0);
    EXPECT_EQ(fate_timer_time(b), 6);
    fate_advance(reactor, 4);
    EXPECT_STR(trail, "b");
    fate_advance(reactor, 1);
    EXPECT_STR(trail, "b a");
}

TEST(reset_to_an_earlier_time_takes_effect_at_once)
{
    begin();
    fate_timer a = later(10, "a");
    later(5, "b");
    fate_timer_reset(a, 1);
    EXPECT_EQ(fate_next_timeout(reactor), 1);
    fate_advance(reactor, 5);
    EXPECT_STR(trail, "a b");
}

TEST(reset_to_later_and_a_new_call_between_keep_their_order)
{
    begin();
    fate_timer a = later(1, "a");
    fate_timer_reset(a, 3);
    later(2, "b");
    fate_advance(reactor, 3);
    EXPECT_STR(trail, "b a");
}

/* ---- The end of time ---- */

TEST(what_is_beyond_the_end_of_time_never_runs)
{
    begin();
    fate_timer never = later(FATE_NEVER, "never");
    fate_advance(reactor, FATE_SECOND);
    fate_timer beyond = later(FATE_NEVER, "beyond");
    fate_timer moved = later(1, "moved");
    EXPECT_EQ(fate_timer_delay(moved, FATE_NEVER), 0);
    EXPECT(fate_timer_time(never) == FATE_NEVER);
    EXPECT(fate_timer_time(beyond) == FATE_NEVER);
    EXPECT(fate_timer_time(moved) == FATE_NEVER);
    EXPECT(fate_next_timeout(reactor) == FATE_NEVER);
    EXPECT_EQ(fate_run(reactor), -EDEADLK);
    fate_play(reactor, FATE_NEVER);
    EXPECT_STR(trail, "");
}

TEST(advancing_to_the_end_of_time_does_not_run_what_never_runs)
{
    begin();
    later(FATE_NEVER, "never");
    later(FATE_NEVER - 1, "last");
    fate_advance(reactor, FATE_NEVER);
    EXPECT_STR(trail, "last");
}

TEST(delays_towards_the_past_do_not_overflow)
{
    begin();
    fate_timer t = later(INT64_MIN, "a");
    EXPECT_EQ(fate_timer_delay(t, INT64_MIN), 0);
    EXPECT(fate_timer_time(t) < 0);
    EXPECT_EQ(fate_next_timeout(reactor), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "a");
}

/* ---- During advance ---- */

static void call_again(fate_value *name)
{
    say(fate_as_ptr(name));
    later(0, "at once");
    later(-1, "past");
    later(100, "much later");
}

TEST(what_is_scheduled_during_advance_and_due_runs_too)
{
    begin();
    fate_call_later(reactor, 1, call_again, fate_ptr("a"));
    later(2, "b");
    fate_advance(reactor, 3);
    EXPECT_STR(trail, "a b past at once");
}

static fate_timer others[2];

static void disturb(fate_value *arg)
{
    EXPECT_EQ(fate_timer_cancel(others[0]), 0);
    EXPECT_EQ(fate_timer_reset(others[1], 10), 0);
    say("disturbed");
}

TEST(calls_cancelled_and_reset_during_advance_obey)
{
    begin();
    fate_call_later(reactor, 1, disturb, fate_none());
    others[0] = later(2, "cancelled");
    others[1] = later(2, "reset");
    fate_advance(reactor, 5);
    EXPECT_STR(trail, "disturbed");
    fate_advance(reactor, 10);
    EXPECT_STR(trail, "disturbed reset");
}

/* ---- Against a model: a plain array, searched for the earliest ---- */

#define MODEL_MAX    64
#define N_OPERATIONS 100000

struct modelled {
    bool is_pending;
    fate_timer timer;
    fate_time due;
    uint64_t order;
};

static struct modelled model[MODEL_MAX];
static uint64_t model_order;
static long n_wrong, n_called;
static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static int earliest_in_model(void)
{
    int best = -1;

    for (int i = 0; i < MODEL_MAX; i++) {
        const struct modelled *one = &model[i];
        bool is_earlier = best < 0 || one->due < model[best].due ||
                          (one->due == model[best].due && one->order < model[best].order);
        if (one->is_pending && is_earlier)
            best = i;
    }
    return best;
}

static void called(fate_value *arg)
{
    int64_t i = fate_as_int(arg);

    n_called++;
    n_wrong += i != earliest_in_model() || model[i].due > fate_now(reactor);
    model[i].is_pending = false;
}

static void schedule(struct modelled *one, fate_time delay)
{
    one->timer = fate_call_later(reactor, delay, called, fate_int(one - model));
    one->is_pending = true;
    one->due = fate_now(reactor) + delay;
    one->order = model_order++;
}

static void move_or_cancel(struct modelled *one, fate_time delay)
{
    switch (next_random() % 3) {
    case 0:
        n_wrong += fate_timer_cancel(one->timer) != 0;
        one->is_pending = false;
        return;
    case 1:
        n_wrong += fate_timer_reset(one->timer, delay) != 0;
        one->due = fate_now(reactor) + delay;
        break;
    default:
        n_wrong += fate_timer_delay(one->timer, delay - 10) != 0;
        one->due += delay - 10;
    }
    one->order = model_order++;
}

static void one_operation(void)
{
    struct modelled *one = &model[next_random() % MODEL_MAX];
    fate_time delay = (fate_time)(next_random() % 30);

    if (next_random() % 8 == 0)
        fate_advance(reactor, delay / 4);
    else if (!one->is_pending)
        schedule(one, delay);
    else
        move_or_cancel(one, delay);
    n_wrong += fate_timer_active(one->timer) != one->is_pending;
    n_wrong += one->is_pending && fate_timer_time(one->timer) != one->due;
}

VOLUME_TEST(random_operations_agree_with_a_model)
{
    begin();
    memset(model, 0, sizeof model);
    model_order = 0;
    n_wrong = n_called = 0;
    random_state = UINT64_C(0x9e3779b97f4a7c15);
    for (int i = 0; i < N_OPERATIONS; i++)
        one_operation();
    fate_advance(reactor, 1000);
    EXPECT_EQ(n_wrong, 0);
    EXPECT_EQ(earliest_in_model(), -1);
    EXPECT(n_called > 10000);
}
