/* Tests of src/reactor/cooperate.c (R215, R220-R222). */
#include "test_cooperate_helpers.h"
#include "test_sys_helpers.h"

/* ---- Turns and slices (R215, R222) ---- */

TEST(tasks_make_their_steps_in_turn)
{
    struct worker a = { "a", 3, 0 }, b = { "b", 1, 0 }, c = { "c", 2, 0 };
    begin();
    fate_deferred *d = fate_hold(fate_coiterate(reactor, work, fate_ptr(&a)));
    fate_deferred *e = when_done(fate_cooperate(reactor, work, fate_ptr(&b)));
    fate_cooperate(reactor, work, fate_ptr(&c));
    EXPECT_STR(trail, "");
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, "abcaca");
    EXPECT_INT(fate_peek(d), 3);
    EXPECT_INT(fate_peek(e), 1);
    EXPECT_EQ(fate_next_timeout(reactor), FATE_NEVER);
}

TEST(on_simulated_time_each_has_one_step_per_slice)
{
    struct worker a = { "a", 9, 0 }, b = { "b", 9, 0 };
    begin();
    fate_cooperate(reactor, work, fate_ptr(&a));
    fate_cooperate(reactor, work, fate_ptr(&b));
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "ab");
    fate_advance(reactor, SLICE - 1);
    EXPECT_STR(trail, "ab");
    fate_advance(reactor, 1);
    EXPECT_STR(trail, "abab");
    fate_advance(reactor, FATE_SECOND);
    EXPECT_STR(trail, "ababab");
    fate_play(reactor, 2 * SLICE);
    EXPECT_STR(trail, "ababababab");
}

TEST(a_slice_of_ones_own)
{
    begin();
    cooperator = fate_cooperator_new_with(reactor, .slice = FATE_SECOND);
    add(work_for_ever);
    fate_play(reactor, 2 * FATE_SECOND);
    EXPECT_STR(trail, "...");
}

static void say_word(fate_value *arg)
{
    say(fate_as_str(arg));
}

TEST(what_is_due_comes_between_slices)
{
    begin();
    add(work_for_ever);
    fate_call_later(reactor, SLICE + 1, say_word, fate_str("!"));
    fate_play(reactor, 3 * SLICE);
    EXPECT_STR(trail, "..!..");
}

/* On real time each step seems to take 5 minutes, so that what it really takes does not matter. */
static void take_5_minutes(void)
{
    test_sys_move_clocks(300 * FATE_SECOND);
}

static bool begin_on_real_time(fate_time slice)
{
    trail[0] = '\0';
    test_sys_install();
    reactor = test_real_reactor(NULL);
    if (!reactor)
        return false;
    cooperator = fate_cooperator_new_with(reactor, .slice = slice);
    return true;
}

static fate_value say_and_stop_at_ten(fate_value *arg)
{
    take_5_minutes();
    say(".");
    return strlen(trail) < 10 ? fate_more() : fate_none();
}

TEST(on_real_time_a_slice_is_that_time)
{
    if (!begin_on_real_time(1000 * FATE_SECOND))
        return;
    add(say_and_stop_at_ten);
    fate_call_later(reactor, 0, say_word, fate_str("!"));
    fate_iterate(reactor, 0);
    EXPECT_STR(trail, "....!");
    fate_iterate(reactor, 0);
    EXPECT_STR(trail, "....!....");
    fate_iterate(reactor, 0);
    EXPECT_STR(trail, "....!.....");
    EXPECT_EQ(reactor->timers.n, 0);
}

static fate_value work_slowly(fate_value *arg)
{
    take_5_minutes();
    return work(arg);
}

TEST(turns_go_on_where_the_last_slice_ended)
{
    struct worker a = { "a", 2, 0 }, b = { "b", 2, 0 }, c = { "c", 2, 0 };
    if (!begin_on_real_time(400 * FATE_SECOND))
        return;
    fate_cooperator_cooperate(cooperator, work_slowly, fate_ptr(&a));
    fate_cooperator_cooperate(cooperator, work_slowly, fate_ptr(&b));
    fate_cooperator_cooperate(cooperator, work_slowly, fate_ptr(&c));
    fate_iterate(reactor, 0);
    EXPECT_STR(trail, "ab");
    fate_iterate(reactor, 0);
    EXPECT_STR(trail, "abca");
    fate_iterate(reactor, 0);
    EXPECT_STR(trail, "abcabc");
}

TEST(several_that_are_added_before_a_tick_plan_one)
{
    begin();
    for (int i = 0; i < 3; i++)
        add(work_for_ever);
    EXPECT(test_is_oom() || reactor->timers.n == 1);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "...");
    EXPECT(test_is_oom() || cooperator->n_ticks == 1);
    EXPECT(test_is_oom() || reactor->timers.n == 1);
}

static fate_value add_another(fate_value *arg)
{
    static struct worker b = { "b", 1, 0 };
    say("a");
    fate_cooperator_cooperate(cooperator, work, fate_ptr(&b));
    return strlen(trail) < 5 ? fate_more() : fate_none();
}

TEST(those_that_a_step_adds_come_after_the_others)
{
    struct worker c = { "c", 3, 0 };
    begin();
    add(add_another);
    fate_cooperator_cooperate(cooperator, work, fate_ptr(&c));
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "ac");
    fate_advance(reactor, SLICE);
    EXPECT_STR(trail, "acbac");
}

/* ---- Cooperators (R220, R221) ---- */

TEST(stopping_a_cooperator_ends_all_of_its_tasks)
{
    begin();
    job = fate_hold(fate_deferred_new(reactor));
    fate_deferred *d[] = { when_done(add(follow_job)), when_done(add(work_for_ever)),
                           when_done(add(work_for_ever)), when_done(add(work_for_ever)) };
    fate_task_pause(task);
    fate_advance(reactor, 0);
    EXPECT(fate_cooperator_running(cooperator));
    fate_cooperator_stop(cooperator);
    EXPECT(!fate_cooperator_running(cooperator));
    for (int i = 0; i < 4; i++)
        expect_failure(d[i], &FATE_SCHEDULER_STOPPED);
    EXPECT_EQ(reactor->timers.n, 0);
    fate_fire(job, fate_none());
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, "...");
    fate_cooperator_stop(cooperator);
}

TEST(one_that_is_stopped_refuses_new_tasks_until_it_is_started)
{
    begin();
    fate_cooperator_stop(cooperator);
    fate_deferred *d = fate_hold(fate_cooperator_coiterate(cooperator, work_for_ever, token()));
    expect_failure(d, &FATE_SCHEDULER_STOPPED);
    EXPECT_EQ(n_drops, 1);
    d = when_done(add(work_for_ever));
    expect_failure(d, &FATE_SCHEDULER_STOPPED);
    EXPECT_EQ(fate_task_pause(task), -ESHUTDOWN);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);

    add(work_for_ever);
    fate_advance(reactor, 0);
    EXPECT(test_is_oom() || test_reports(reactor) == 1);
    fate_cooperator_start(cooperator);
    EXPECT(fate_cooperator_running(cooperator));
    add(work_for_ever);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, ".");
}

TEST(a_deferred_of_coiterate_that_nobody_hears_is_reported)
{
    begin();
    fate_cooperator_coiterate(cooperator, work_for_ever, fate_none());
    fate_cooperator_stop(cooperator);
    fate_advance(reactor, 0);
    EXPECT(test_is_oom() || test_reports(reactor) == 1);
}

TEST(tasks_queue_until_it_is_started)
{
    begin();
    cooperator = fate_cooperator_new_with(reactor, .starts_later = true);
    EXPECT(!fate_cooperator_running(cooperator));
    add(work_for_ever);
    add(work_for_ever);
    EXPECT_EQ(fate_next_timeout(reactor), FATE_NEVER);
    fate_cooperator_start(cooperator);
    fate_cooperator_start(cooperator);
    EXPECT(test_is_oom() || reactor->timers.n == 1);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "..");
}

TEST(one_that_has_not_begun_can_be_stopped)
{
    begin();
    cooperator = fate_cooperator_new_with(reactor, .starts_later = true);
    fate_deferred *d = when_done(add(work_for_ever));
    fate_cooperator_stop(cooperator);
    expect_failure(d, &FATE_SCHEDULER_STOPPED);
}

TEST(removing_the_last_task_cancels_the_tick)
{
    begin();
    fate_task first = add(work_for_ever), second = add(work_for_ever);
    fate_task_stop(first);
    EXPECT(test_is_oom() || reactor->timers.n == 1);
    fate_task_stop(second);
    EXPECT_EQ(reactor->timers.n, 0);
    add(work_for_ever);
    EXPECT(test_is_oom() || reactor->timers.n == 1);
}

static fate_value stop_cooperator(fate_value *result, fate_value *arg)
{
    say("(");
    fate_cooperator_stop(cooperator);
    say(")");
    return fate_none();
}

TEST(a_cooperator_may_be_stopped_when_one_of_its_tasks_is_done)
{
    struct worker a = { "a", 1, 0 };
    begin();
    fate_deferred *first = fate_hold(fate_cooperator_coiterate(cooperator, work, fate_ptr(&a)));
    fate_add_both(first, stop_cooperator, fate_none());
    fate_deferred *second = when_done(add(work_for_ever));
    fate_add_both(when_done(task), stop_cooperator, fate_none());
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "a(())");
    EXPECT_NONE(fate_peek(first));
    expect_failure(second, &FATE_SCHEDULER_STOPPED);
}

static fate_value start_again(fate_value *result, fate_value *arg)
{
    fate_cooperator_start(cooperator);
    add(work_for_ever);
    return fate_none();
}

/* The one that is added stays; those that were there before are stopped all the same. */
TEST(a_cooperator_may_be_started_again_while_it_is_stopped)
{
    begin();
    fate_add_both(fate_task_when_done(add(work_for_ever)), start_again, fate_none());
    fate_deferred *second = when_done(add(work_for_ever));
    fate_cooperator_stop(cooperator);
    expect_failure(second, &FATE_SCHEDULER_STOPPED);
    fate_play(reactor, 2 * SLICE);
    EXPECT_STR(trail, "...");
}

static void free_now(void)
{
    fate_cooperator_free(cooperator);
    say("freed");
}

/* Without memory it may run before the test is over with the cooperator. */
static fate_value free_cooperator(fate_value *why, fate_value *arg)
{
    if (!fate_is(why, &FATE_NO_MEMORY))
        free_now();
    return fate_none();
}

TEST(a_cooperator_may_be_freed_when_one_of_its_tasks_is_stopped_with_it)
{
    begin();
    fate_add_both(fate_task_when_done(add(work_for_ever)), free_cooperator, fate_none());
    fate_deferred *second = when_done(add(work_for_ever));
    fate_cooperator_stop(cooperator);
    expect_failure(second, &FATE_SCHEDULER_STOPPED);
    EXPECT_STR(trail, "freed");
}

static fate_value free_inside(fate_value *arg)
{
    free_now();
    EXPECT_EQ(n_drops, 0);
    return fate_more();
}

TEST(a_cooperator_may_be_freed_inside_a_step)
{
    begin();
    task = fate_cooperator_cooperate(cooperator, free_inside, token());
    fate_deferred *first = when_done(task), *second = when_done(add(work_for_ever));
    fate_play(reactor, FATE_SECOND);
    expect_failure(first, &FATE_SCHEDULER_STOPPED);
    expect_failure(second, &FATE_SCHEDULER_STOPPED);
    EXPECT_STR(trail, "freed");
    EXPECT_EQ(n_drops, 1);
    fate_cooperator_free(NULL);
}

TEST(a_task_outlives_the_cooperator_that_was_freed)
{
    begin();
    job = fate_deferred_new(reactor);
    fate_task_hold(add(follow_job));
    fate_advance(reactor, 0);
    fate_task_pause(task);
    fate_cooperator_free(cooperator);
    EXPECT_EQ(fate_task_resume(task), 0);
    EXPECT_EQ(fate_task_stop(task), -ESHUTDOWN);
    fate_fire(job, fate_none());
    fate_task_release(task);
}

/* ---- The end of a reactor ---- */

TEST(freeing_the_reactor_cancels_its_tasks)
{
    begin();
    n_drops = 0;
    job = fate_deferred_new(reactor);
    task = fate_cooperate(reactor, work_for_ever, token());
    fate_add_errback(fate_task_when_done(task), free_cooperator, fate_none());
    fate_task_hold(task);
    fate_coiterate(reactor, follow_job, fate_none());
    add(work_for_ever);
    fate_task_pause(task);
    fate_advance(reactor, 0);
    fate_reactor_free(reactor);
    EXPECT_EQ(n_drops, 1);
    EXPECT_CONTAINS(trail, "freed");
}

static fate_value add_at_the_end(fate_value *why, fate_value *arg)
{
    task = fate_cooperate(reactor, work_for_ever, token());
    EXPECT_EQ(task.id, -ESHUTDOWN);
    EXPECT_EQ(n_drops, 1);
    EXPECT_EQ(fate_task_stop(task), -ESHUTDOWN);
    EXPECT_FAILURE(fate_peek(fate_task_when_done(task)), &FATE_CANCELLED);
    EXPECT_FAILURE(fate_peek(fate_coiterate(reactor, work_for_ever, fate_none())), &FATE_CANCELLED);
    say("refused");
    return fate_none();
}

TEST(a_reactor_that_is_freed_takes_no_more_tasks)
{
    begin();
    fate_add_errback(fate_deferred_new(reactor), add_at_the_end, fate_none());
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "refused");
}

/* ---- Want of memory ---- */

/* The next deferred needs an allocation of its own. */
static void use_up_deferreds(void)
{
    fate_deferred *d;
    test_fail_allocation(1, true);
    do {
        d = fate_deferred_new(reactor);
        fate_add_errback(d, forgive, fate_none());
    } while (fate_state(d) == FATE_UNFIRED);
    test_fail_allocation(0, false);
}

/* Each of the allocations fails in turn. */
TEST(one_for_which_there_is_no_memory_is_not_made)
{
    unsigned long n = 0;
    begin();
    if (test_is_oom())
        return;
    use_up_deferreds();
    do {
        test_fail_allocation(++n, false);
        task = fate_cooperate(reactor, work_for_ever, fate_none());
        test_fail_allocation(0, false);
        if (task.id >= 0)
            break;
        EXPECT_EQ(task.id, -ENOMEM);
        EXPECT_EQ(fate_task_pause(task), -ENOMEM);
        EXPECT_EQ(reactor->timers.n, 0);
        fate_advance(reactor, 0);
        EXPECT_EQ(test_reports(reactor), 0);
        fate_add_errback(fate_task_when_done(task), forgive, fate_none());
    } while (n < 20);
    EXPECT(n > 4 && n < 20);
    EXPECT_EQ(test_reports(reactor), 0);
}

static fate_value take_the_last_timer(fate_value *arg)
{
    int n = 0;
    test_fail_allocation(1, true);
    while (fate_call_later(reactor, FATE_SECOND, say_word, fate_none()).id >= 0 && n < 1000)
        n++;
    EXPECT(test_is_oom() || n < 1000);
    return fate_more();
}

TEST(without_memory_for_a_tick_a_task_stays_paused)
{
    begin();
    add(work_for_ever);
    fate_task_pause(task);
    take_the_last_timer(NULL);
    int why = fate_task_resume(task);
    test_fail_allocation(0, false);
    EXPECT(test_is_oom() || why == -ENOMEM);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "");
    EXPECT_EQ(fate_task_resume(task), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, ".");
}

static fate_value say_sorry(fate_value *why, fate_value *arg)
{
    say("sorry");
    return fate_none();
}

TEST(without_memory_for_a_tick_its_tasks_fail)
{
    begin();
    fate_deferred *d = when_done(add(take_the_last_timer));
    fate_add_trap(d, &FATE_NO_MEMORY, say_sorry, fate_none());
    fate_advance(reactor, 0);
    test_fail_allocation(0, false);
    EXPECT_STR(trail, "sorry");
}
