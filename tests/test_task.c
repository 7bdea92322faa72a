/* Tests of src/reactor/task.c (R216-R219). */
#include "test_cooperate_helpers.h"

/* ---- Following (R216, R219) ---- */

TEST(a_task_waits_for_what_its_step_followed)
{
    begin();
    job = fate_hold(fate_deferred_new(reactor));
    add(follow_job);
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, ".");
    EXPECT_EQ(fate_next_timeout(reactor), FATE_NEVER);
    fate_deferred *first = job;
    job = fate_deferred_new(reactor);
    fate_fire(first, fate_str("dropped"));
    EXPECT_NONE(fate_peek(first));
    EXPECT_STR(trail, ".");
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, "..");
}

TEST(one_that_has_fired_is_no_wait)
{
    begin();
    job = fate_hold(fate_succeed(reactor, fate_none()));
    add(follow_job);
    fate_play(reactor, 2 * SLICE);
    EXPECT_STR(trail, "...");
}

TEST(a_failure_of_what_it_followed_ends_it_and_is_none_there)
{
    begin();
    job = fate_hold(fate_deferred_new(reactor));
    fate_deferred *d = when_done(add(follow_job));
    fate_advance(reactor, 0);
    fate_fire(job, fate_raise(&FATE_KEY_ERROR, "k"));
    EXPECT_NONE(fate_peek(job));
    expect_failure(d, &FATE_KEY_ERROR);
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, ".");
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(a_failure_that_was_there_before_ends_it)
{
    begin();
    job = fate_fail(reactor, fate_raise(&FATE_KEY_ERROR, "k"));
    fate_deferred *d = fate_hold(fate_cooperator_coiterate(cooperator, follow_job, fate_none()));
    fate_hold(job);
    fate_advance(reactor, 0);
    expect_failure(d, &FATE_KEY_ERROR);
}

TEST(a_failing_step_ends_it)
{
    begin();
    fate_deferred *d = when_done(add(fail));
    fate_advance(reactor, 0);
    expect_failure(d, &FATE_VALUE_ERROR);
    EXPECT_EQ(fate_next_timeout(reactor), FATE_NEVER);
}

TEST(a_failure_nobody_asked_for_is_reported_once)
{
    begin();
    add(fail);
    fate_advance(reactor, 0);
    if (!test_is_oom()) {
        EXPECT_EQ(test_reports(reactor), 1);
        EXPECT_STR(test_last_report(reactor), "ValueError: wrong token");
    }
}

TEST(a_task_goes_with_what_it_waited_for_when_that_is_abandoned)
{
    begin();
    job = fate_deferred_new(reactor);
    fate_add_both(fate_task_when_done(add(follow_job)), forgive, fate_none());
    fate_advance(reactor, 0);
    fate_abandon(job);
    fate_advance(reactor, 0);
    EXPECT_EQ(fate_task_stop(task), -ESTALE);
    EXPECT(test_is_oom() || fate__list_is_empty(&cooperator->tasks));
}

static fate_value follow_itself(fate_value *arg)
{
    return fate_follow(job);
}

TEST(following_its_own_deferred_is_a_failure)
{
    begin();
    job = fate_hold(fate_coiterate(reactor, follow_itself, fate_none()));
    fate_advance(reactor, 0);
    expect_failure(job, &FATE_FOLLOW_ERROR);
}

TEST(one_that_is_paused_while_it_waits_needs_both)
{
    begin();
    job = fate_deferred_new(reactor);
    add(follow_job);
    fate_advance(reactor, 0);
    EXPECT_EQ(fate_task_resume(task), -EINVAL);
    EXPECT_EQ(fate_task_pause(task), 0);
    fate_deferred *first = job;
    job = fate_deferred_new(reactor);
    fate_fire(first, fate_none());
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, ".");
    EXPECT_EQ(fate_task_resume(task), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "..");

    fate_task_pause(task);
    EXPECT_EQ(fate_task_resume(task), 0);
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, "..");
    first = job;
    job = fate_deferred_new(reactor);
    fate_fire(first, fate_none());
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "...");
}

/* ---- When done (R217) ---- */

static fate_value say_int_and_pass_seven(fate_value *result, fate_value *arg)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%d", (int)fate_as_int(result));
    return fate_int(7);
}

TEST(when_done_is_a_new_one_each_time)
{
    struct worker a = { "a", 2, 0 };
    begin();
    task = fate_cooperate(reactor, work, fate_ptr(&a));
    fate_deferred *first = when_done(task), *second = when_done(task);
    fate_add_callback(first, say_int_and_pass_seven, fate_none());
    fate_cancel(when_done(task));
    fate_play(reactor, FATE_SECOND);
    EXPECT_INT(fate_peek(first), 7);
    EXPECT_INT(fate_peek(second), 2);
    EXPECT_STR(trail, "aa2");
}

static fate_value ask_again(fate_value *result, fate_value *arg)
{
    EXPECT_INT(fate_peek(fate_task_when_done(task)), 1);
    EXPECT_EQ(fate_task_stop(task), -EALREADY);
    say("again");
    return fate_none();
}

TEST(asked_within_its_last_turn_it_fires_at_once)
{
    struct worker a = { "a", 1, 0 };
    begin();
    task = fate_cooperate(reactor, work, fate_ptr(&a));
    fate_add_callback(fate_task_when_done(task), ask_again, fate_none());
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "aagain");
}

TEST(asked_later_it_fires_at_once_when_the_task_is_held)
{
    struct worker a = { "a", 1, 0 };
    begin();
    task = fate_cooperate(reactor, work, fate_ptr(&a));
    EXPECT_EQ(fate_task_hold(task), 0);
    fate_advance(reactor, 0);
    EXPECT_INT(fate_peek(fate_task_when_done(task)), 1);
    EXPECT_EQ(fate_task_release(task), 0);
    fate_advance(reactor, 0);
    fate_deferred *d = when_done(task);
    expect_failure(d, &FATE_TASK_FINISHED);
    EXPECT_EQ(fate_task_hold(task), -ESTALE);
    EXPECT_EQ(fate_task_release(task), -ESTALE);
}

TEST(a_failure_that_is_asked_for_later_is_not_reported)
{
    begin();
    fate_task_hold(add(fail));
    fate_advance(reactor, 0);
    fate_deferred *d = when_done(task);
    expect_failure(d, &FATE_VALUE_ERROR);
    fate_task_release(task);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(stopping_fails_with_task_stopped)
{
    begin();
    fate_deferred *d = when_done(add(work_for_ever));
    fate_advance(reactor, 0);
    EXPECT_EQ(fate_task_stop(task), 0);
    expect_failure(d, &FATE_TASK_STOPPED);
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, ".");
}

TEST(one_that_is_stopped_unasked_is_not_reported)
{
    begin();
    add(work_for_ever);
    fate_task_stop(task);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

/* ---- Pausing and stopping (R218) ---- */

TEST(pauses_nest)
{
    begin();
    add(work_for_ever);
    EXPECT_EQ(fate_task_resume(task), -EINVAL);
    EXPECT_EQ(fate_task_pause(task), 0);
    EXPECT_EQ(fate_task_pause(task), 0);
    EXPECT_EQ(fate_next_timeout(reactor), FATE_NEVER);
    EXPECT_EQ(fate_task_resume(task), 0);
    fate_advance(reactor, FATE_SECOND);
    EXPECT_STR(trail, "");
    EXPECT_EQ(fate_task_resume(task), 0);
    EXPECT_STR(trail, "");
    fate_advance(reactor, 0);
    EXPECT_STR(trail, ".");
    EXPECT_EQ(fate_task_resume(task), -EINVAL);
}

static void expect_ended(int how)
{
    EXPECT_EQ(fate_task_pause(task), how);
    EXPECT_EQ(fate_task_stop(task), how);
    EXPECT_EQ(fate_task_resume(task), how);
    fate_task_release(task);
    fate_advance(reactor, 0);
    EXPECT_EQ(fate_task_pause(task), -ESTALE);
    EXPECT_EQ(fate_task_stop(task), -ESTALE);
    EXPECT_EQ(fate_task_resume(task), -ESTALE);
}

TEST(pause_and_stop_say_how_it_ended)
{
    struct worker a = { "a", 1, 0 };
    begin();
    fate_task_hold(task = fate_cooperate(reactor, work, fate_ptr(&a)));
    fate_advance(reactor, 0);
    expect_ended(-EALREADY);

    fate_task_hold(add(fail));
    fate_advance(reactor, 0);
    expect_ended(-ENOTRECOVERABLE);

    fate_task_hold(add(fail));
    fate_task_stop(task);
    expect_ended(-ECANCELED);

    fate_task_hold(add(fail));
    fate_cooperator_stop(cooperator);
    expect_ended(-ESHUTDOWN);
}

TEST(resuming_one_that_was_stopped_while_paused_does_nothing)
{
    begin();
    add(work_for_ever);
    fate_task_pause(task);
    EXPECT_EQ(fate_task_stop(task), 0);
    EXPECT_EQ(fate_task_resume(task), 0);
    EXPECT_EQ(fate_task_resume(task), -ECANCELED);
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, "");
}

static fate_value pause_inside(fate_value *arg)
{
    say(".");
    EXPECT_EQ(fate_task_pause(task), 0);
    EXPECT_EQ(fate_task_resume(task), 0);
    EXPECT_EQ(fate_task_pause(task), 0);
    return fate_more();
}

TEST(a_step_may_pause_its_own_task)
{
    begin();
    add(pause_inside);
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, ".");
    EXPECT_EQ(fate_task_resume(task), 0);
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, "..");
}

static fate_value pause_and_resume_inside(fate_value *arg)
{
    say(".");
    EXPECT_EQ(fate_task_pause(task), 0);
    EXPECT_EQ(fate_task_resume(task), 0);
    return strlen(trail) < 3 ? fate_more() : fate_int(3);
}

TEST(one_that_resumes_itself_inside_its_step_goes_on_as_before)
{
    begin();
    fate_deferred *d = when_done(add(pause_and_resume_inside));
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, "...");
    EXPECT_INT(fate_peek(d), 3);
}

TEST(one_that_is_stopped_while_it_waits_leaves_what_it_waited_for_alone)
{
    begin();
    job = fate_hold(fate_deferred_new(reactor));
    add(follow_job);
    fate_advance(reactor, 0);
    fate_task_stop(task);
    fate_advance(reactor, 0);
    EXPECT_EQ(fate_state(job), FATE_UNFIRED);
    fate_fire(job, fate_str("dropped"));
    EXPECT_NONE(fate_peek(job));
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, ".");
}

TEST(a_failure_that_comes_after_the_stop_stays_where_it_is)
{
    begin();
    job = fate_deferred_new(reactor);
    add(follow_job);
    fate_advance(reactor, 0);
    fate_task_stop(task);
    fate_fire(job, fate_raise(&FATE_KEY_ERROR, "k"));
    fate_advance(reactor, 0);
    EXPECT(test_is_oom() || test_reports(reactor) == 1);

    job = fate_deferred_new(reactor);
    add(follow_job);
    fate_advance(reactor, 0);
    fate_task_stop(task);
    fate_cancel(job);
    fate_advance(reactor, 0);
    EXPECT(test_is_oom() || test_reports(reactor) == 1);
}

static fate_value stop_inside(fate_value *arg)
{
    EXPECT_EQ(fate_task_stop(task), 0);
    EXPECT_EQ(fate_task_stop(task), -ECANCELED);
    EXPECT_EQ(n_drops, 0);
    EXPECT_EQ(fate_unbox(struct token, arg)->number, 1);
    return fate_raise(&FATE_VALUE_ERROR, "after the stop");
}

TEST(a_step_may_stop_its_own_task)
{
    begin();
    task = fate_cooperate(reactor, stop_inside, token());
    fate_deferred *d = when_done(task);
    fate_advance(reactor, 0);
    expect_failure(d, &FATE_TASK_STOPPED);
    EXPECT_EQ(n_drops, 1);
    if (!test_is_oom()) {
        EXPECT_EQ(test_reports(reactor), 1);
        EXPECT_STR(test_last_report(reactor), "ValueError: after the stop");
    }
}

static fate_value stop_and_follow(fate_value *arg)
{
    fate_task_stop(task);
    return fate_follow(job);
}

TEST(what_a_stopped_step_follows_is_left_alone)
{
    begin();
    job = fate_hold(fate_deferred_new(reactor));
    add(stop_and_follow);
    fate_advance(reactor, 0);
    fate_fire(job, fate_int(5));
    EXPECT_INT(fate_peek(job), 5);
}

TEST(its_arg_is_dropped_once_when_it_is_over)
{
    begin();
    task = fate_cooperate(reactor, work_for_ever, token());
    fate_play(reactor, FATE_SECOND);
    EXPECT_EQ(n_drops, 0);
    fate_task_stop(task);
    EXPECT_EQ(n_drops, 1);
}

/* ---- Cancelling ---- */

TEST(cancelling_coiterate_stops_the_task_and_what_it_waits_for)
{
    begin();
    job = fate_hold(fate_deferred_new(reactor));
    fate_deferred *d = fate_hold(fate_coiterate(reactor, follow_job, token()));
    fate_advance(reactor, 0);
    fate_cancel(d);
    EXPECT(test_is_oom() || fate_state(job) == FATE_DONE);
    expect_failure(d, &FATE_CANCELLED);
    EXPECT_EQ(n_drops, 1);
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, ".");
    EXPECT_EQ(test_reports(reactor), 0);
}

static fate_value follow_arg(fate_value *result, fate_value *arg)
{
    return fate_follow(fate_as_deferred(arg));
}

/* The cancel comes back to where it began. */
TEST(cancelling_one_that_waits_for_itself_ends_all)
{
    begin();
    job = fate_hold(fate_deferred_new(reactor));
    fate_deferred *d = fate_hold(fate_coiterate(reactor, follow_job, token()));
    fate_add_callback(job, follow_arg, fate_held(d));
    fate_advance(reactor, 0);
    fate_fire(job, fate_none());
    EXPECT(test_is_oom() || fate_state(job) == FATE_WAITING);
    fate_cancel(d);
    EXPECT_EQ(n_drops, 1);
    EXPECT(test_is_oom() || fate_state(d) == FATE_DONE);
    EXPECT_NONE(fate_peek(job));
    fate_advance(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(a_timeout_stops_a_computation)
{
    begin();
    fate_deferred *d = fate_hold(fate_coiterate(reactor, work_for_ever, fate_none()));
    fate_add_timeout(d, 25 * FATE_MILLISECOND);
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, "...");
    expect_failure(d, &FATE_TIMEOUT);
}

static fate_value cancel_inside(fate_value *arg)
{
    fate_cancel(job);
    EXPECT_EQ(n_drops, 0);
    return fate_more();
}

/* Its deferred may have gone when the step returns. */
TEST(cancelled_inside_its_step_it_goes_when_that_has_returned)
{
    begin();
    job = fate_coiterate(reactor, cancel_inside, token());
    fate_add_errback(job, forgive, fate_none());
    fate_forget(job);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_drops, 1);
    EXPECT_EQ(fate_next_timeout(reactor), FATE_NEVER);
}

TEST(cancelling_when_done_leaves_the_task_alone)
{
    begin();
    fate_deferred *d = when_done(add(work_for_ever));
    fate_cancel(d);
    expect_failure(d, &FATE_CANCELLED);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, ".");
    EXPECT_EQ(fate_task_stop(task), 0);
}

/* ---- Coroutines ---- */

static fate_value stop_and_wait(fate_coro *co, fate_value *arg)
{
    struct worker a = { "a", 2, 0 };
    fate_deferred *d = fate_task_when_done(task);
    fate_task_stop(task);
    fate_value stopped = fate_await(co, d);
    EXPECT_FAILURE(&stopped, &FATE_TASK_STOPPED);
    fate_drop(stopped);
    return fate_await(co, fate_coiterate(reactor, work, fate_ptr(&a)));
}

TEST(coroutines_stop_tasks_and_wait_for_them)
{
    begin();
    add(work_for_ever);
    fate_deferred *d = fate_hold(fate_go(reactor, stop_and_wait, fate_none()));
    fate_play(reactor, FATE_SECOND);
    EXPECT_INT(fate_peek(d), 2);
    EXPECT_STR(trail, "aa");
}

/* ---- Without a line ---- */

TEST(the_plain_functions_do_the_same)
{
    struct worker a = { "a", 1, 0 }, b = { "b", 1, 0 };
    const fate_cooperator_options options = { .size = sizeof options, .slice = FATE_SECOND };
    begin();
    cooperator = (fate_cooperator_new_with)(reactor, &options);
    fate_cooperator *other = (fate_cooperator_new)(reactor);
    fate_deferred *d[] = {
        fate_hold((fate_task_when_done)((fate_cooperate)(reactor, work, fate_ptr(&a)))),
        fate_hold((fate_coiterate)(reactor, work, fate_ptr(&a))),
        when_done((fate_cooperator_cooperate)(cooperator, work, fate_ptr(&b))),
        fate_hold((fate_cooperator_coiterate)(cooperator, work, fate_ptr(&b))),
        when_done(task = (fate_cooperate)(reactor, work_for_ever, fate_none())),
        fate_hold((fate_cooperator_coiterate)(other, work_for_ever, fate_none())),
    };
    (fate_task_stop)(task);
    (fate_cooperator_stop)(other);
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(trail, "aabb");
    EXPECT_CONTAINS(fate_deferred_site(d[0]), "fate_task_when_done");
    for (int i = 0; i < 4; i++)
        EXPECT(fate_peek(d[i]) && !fate_is_failure(fate_peek(d[i])));
    expect_failure(d[4], &FATE_TASK_STOPPED);
    expect_failure(d[5], &FATE_SCHEDULER_STOPPED);
}

/* ---- Misuse ---- */

static fate_value return_arg(fate_value *arg)
{
    return *arg;
}

/* Each in a child, which needs a reactor of its own. */
static void return_what_is_lent(void *arg)
{
    begin();
    fate_cooperate(reactor, return_arg, fate_str("lent"));
    fate_advance(reactor, 0);
}

static void give_no_step(void *arg)
{
    begin();
    fate_coiterate(reactor, NULL, fate_none());
}

static void give_a_negative_slice(void *arg)
{
    begin();
    fate_cooperator_new_with(reactor, .slice = -1);
}

static void release_unheld(void *arg)
{
    begin();
    fate_task_release(fate_cooperate(reactor, work_for_ever, fate_none()));
}

static void ask_a_task_that_was_never_set(void *arg)
{
    const fate_task unset = { NULL, 0 };
    fate_task_when_done(unset);
}

TEST(misuse_stops_the_program_and_names_the_place)
{
    EXPECT_STOP(return_what_is_lent, NULL, "return_arg", "test_task.c", "only lent", "fate_copy");
    EXPECT_STOP(give_no_step, NULL, "test_task.c", "fate_coiterate", "NULL step");
    EXPECT_STOP(give_a_negative_slice, NULL, "test_task.c", "slice");
    EXPECT_STOP(release_unheld, NULL, "test_task.c", "fate_task_hold");
    EXPECT_STOP(ask_a_task_that_was_never_set, NULL, "test_task.c", "never set");
}

TEST(a_handle_that_was_never_set_is_stale)
{
    const fate_task unset = { NULL, 0 };
    EXPECT_EQ(fate_task_stop(unset), -ESTALE);
    EXPECT_EQ(fate_task_pause(unset), -ESTALE);
}
