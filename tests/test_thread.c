/* Work in threads and what comes back (R242-R244, R249), and blocking calls (R245).
 *
 * fate_play waits for threads without letting time pass, so nothing here depends on how fast they are. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

static fate_value add_one(fate_value *arg)
{
    return fate_int(fate_as_int(arg) + 1);
}

static fate_value fail_with(fate_value *arg)
{
    return fate_raise(&FATE_VALUE_ERROR, "%s", fate_as_str(arg));
}

static fate_value return_arg(fate_value *arg)
{
    return fate_take(arg);
}

/* What d has ended in; the test gives it up. */
#define EXPECT_RESULT(d, as)                                                                                 \
    do {                                                                                                     \
        EXPECT_DESCRIBED(fate_peek(d), as);                                                                  \
        fate_release(d);                                                                                     \
    } while (0)

/* One of the counts of a pool. */
static int64_t count_of(const fate_pool *pool, const char *name)
{
    fate_value counts = fate_pool_counts(pool);
    int64_t n = fate_is_failure(&counts) ? -1 : fate_as_int(fate_dict_get(&counts, name));

    fate_drop(counts);
    return n;
}

/* ---- A job that can be held up ---- */

static sem_t has_begun, may_end;

static fate_value wait_for_permission(fate_value *arg)
{
    sem_post(&has_begun);
    sem_wait(&may_end);
    return fate_take(arg);
}

/* Such a job has begun; memory does not fail meanwhile. */
static fate_deferred *begin_held_up(fate_pool *pool, fate_value arg)
{
    sem_init(&has_begun, 0, 0);
    sem_init(&may_end, 0, 0);
    fate_deferred *d = fate_hold(fate_defer_to_pool(pool, wait_for_permission, arg));
    sem_wait(&has_begun);
    return d;
}

/* A pool of one thread, which is held up; it has started.  Followed by test_resume_failures. */
static fate_pool *busy_pool(fate_reactor *reactor, fate_deferred **ret_d)
{
    test_suspend_failures();
    fate_pool *pool = fate_pool_new_with(reactor, .threads_max = 1);
    fate_advance(reactor, 0);
    *ret_d = begin_held_up(pool, fate_int(1));
    return pool;
}

/* ---- Deferring to a thread ---- */

TEST(a_deferred_has_the_result_of_a_function_in_a_thread)
{
    fate_reactor *reactor = test_reactor();
    fate_deferred *d = fate_hold(fate_defer_to_thread(reactor, add_one, fate_int(4)));

    fate_play(reactor, 0);
    EXPECT_RESULT(d, "5");
}

TEST(a_failure_of_the_function_crosses_too)
{
    fate_reactor *reactor = test_reactor();
    fate_deferred *d = fate_hold(fate_defer_to_thread(reactor, fail_with, fate_str("wrong token")));

    fate_play(reactor, 0);
    EXPECT_RESULT(d, "<ValueError: wrong token>");
    fate_play(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1);
}

TEST(containers_cross_both_ways)
{
    fate_reactor *reactor = test_reactor();
    fate_value list = fate_list_of(fate_str("a"), fate_dict_of({ "k", fate_int(1) }));
    fate_deferred *d = fate_hold(fate_defer_to_thread(reactor, return_arg, list));

    fate_play(reactor, 0);
    EXPECT_RESULT(d, "[\"a\", {\"k\": 1}]");
}

TEST(text_that_is_shared_crosses_as_a_copy)
{
    fate_reactor *reactor = test_reactor();
    fate_value text = fate_str("shared");
    fate_deferred *d = fate_hold(fate_defer_to_thread(reactor, return_arg, fate_copy(&text)));

    fate_play(reactor, 0);
    const fate_value *result = fate_peek(d);
    EXPECT(result && result->as.p != text.as.p);
    EXPECT_RESULT(d, "\"shared\"");
    fate_drop(text);
}

static pthread_t thread_of_job;

static fate_value note_thread(fate_value *arg)
{
    sigset_t blocked;

    thread_of_job = pthread_self();
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    return fate_bool(sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGCHLD) &&
                     !sigismember(&blocked, SIGSEGV));
}

TEST(the_function_runs_in_another_thread_which_blocks_signals)
{
    fate_reactor *reactor = test_reactor();
    thread_of_job = pthread_self();
    fate_deferred *d = fate_hold(fate_defer_to_thread(reactor, note_thread, fate_none()));

    fate_play(reactor, 0);
    EXPECT_RESULT(d, "true");
    EXPECT(!pthread_equal(thread_of_job, pthread_self()));
}

TEST(work_handed_in_before_the_reactor_runs_waits_for_it)
{
    fate_reactor *reactor = test_reactor();
    fate_deferred *d = fate_hold(fate_defer_to_thread(reactor, add_one, fate_int(1)));

    EXPECT_EQ(count_of(fate_reactor_pool(reactor), "threads"), 0);
    EXPECT_EQ(count_of(fate_reactor_pool(reactor), "waiting"), 1);
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    EXPECT_EQ(fate_run(reactor), -EDEADLK); /* when there was nothing left to do */
    EXPECT_RESULT(d, "2");
}

static fate_value defer_in_trigger(fate_value *reactor)
{
    return fate_follow(fate_defer_to_thread((fate_reactor *)fate_as_ptr(reactor), add_one, fate_int(1)));
}

static fate_value note_startup(fate_value *arg)
{
    ++*(int *)fate_as_ptr(arg);
    return fate_none();
}

TEST(a_trigger_before_startup_may_wait_for_a_thread)
{
    fate_reactor *reactor = test_reactor();
    int n = 0;

    fate_add_trigger(reactor, FATE_BEFORE, FATE_STARTUP, defer_in_trigger, fate_ptr(reactor));
    fate_add_trigger(reactor, FATE_AFTER, FATE_STARTUP, note_startup, fate_ptr(&n));
    fate_run(reactor);
    EXPECT_EQ(n, 1);
}

static fate_value sum_later(fate_value *v, fate_value *sum)
{
    int64_t n;

    if (fate_get_int(v, &n))
        *(int64_t *)fate_as_ptr(sum) += n;
    return fate_none();
}

TEST(many_jobs_all_come_back)
{
    fate_reactor *reactor = test_reactor();
    int64_t sum = 0;

    for (int i = 0; i < 1000; i++)
        fate_add_callback(fate_defer_to_thread(reactor, add_one, fate_int(i)), sum_later, fate_ptr(&sum));
    fate_play(reactor, 0);
    EXPECT_EQ(sum, 1000 * 1001 / 2);
}

static fate_value defer_once_more(fate_value *v, fate_value *reactor)
{
    return fate_follow(fate_defer_to_thread((fate_reactor *)fate_as_ptr(reactor), add_one, fate_take(v)));
}

TEST(a_callback_may_defer_again)
{
    fate_reactor *reactor = test_reactor();
    fate_deferred *d = fate_hold(fate_defer_to_thread(reactor, add_one, fate_int(0)));

    for (int i = 0; i < 5; i++)
        fate_add_callback(d, defer_once_more, fate_ptr(reactor));
    fate_play(reactor, 0);
    EXPECT_RESULT(d, "6");
}

TEST(a_simulated_clock_stands_still_while_a_thread_works)
{
    fate_reactor *reactor = test_reactor();
    fate_deferred *d = fate_hold(fate_defer_to_thread(reactor, add_one, fate_int(1)));

    fate_add_timeout(d, FATE_SECOND);
    fate_play(reactor, 10 * FATE_SECOND);
    EXPECT_RESULT(d, "2");
}

/* ---- The arg goes before the result comes (R249) ---- */

static atomic_int n_dropped;

static void note_drop(void *data)
{
    n_dropped++;
}

static fate_value check_dropped(fate_value *v, fate_value *arg)
{
    EXPECT_EQ(n_dropped, 1);
    return fate_none();
}

static fate_value ignore_arg(fate_value *arg)
{
    return fate_none();
}

TEST(the_arg_is_dropped_before_the_result_arrives)
{
    fate_reactor *reactor = test_reactor();
    n_dropped = 0;
    fate_value arg = fate_box_with(note_drop, int, 1);
    fate_deferred *d = fate_defer_to_thread(reactor, ignore_arg, arg);

    fate_add_callback(d, check_dropped, fate_none());
    fate_play(reactor, 0);
    EXPECT_EQ(n_dropped, 1);
}

/* ---- Cancelling ---- */

TEST(cancelling_a_job_in_line_takes_it_out)
{
    fate_reactor *reactor = test_reactor();
    fate_deferred *first;
    fate_pool *pool = busy_pool(reactor, &first);
    test_resume_failures();

    n_dropped = 0;
    fate_deferred *d = fate_hold(fate_defer_to_pool(pool, ignore_arg, fate_box_with(note_drop, int, 1)));
    fate_cancel(d);
    EXPECT_EQ(n_dropped, 1);
    EXPECT_EQ(count_of(pool, "waiting"), 0);
    EXPECT_RESULT(d, "<CancelledError>");
    sem_post(&may_end);
    fate_play(reactor, 0);
    EXPECT_RESULT(first, "1");
}

static pthread_t thread_of_drop;

static void note_dropping_thread(void *data)
{
    thread_of_drop = pthread_self();
    n_dropped++;
}

TEST(the_result_of_a_cancelled_job_is_dropped_in_the_reactors_thread)
{
    fate_reactor *reactor = test_reactor();
    fate_deferred *first;

    fate_pool *pool = busy_pool(reactor, &first);
    sem_post(&may_end);
    fate_play(reactor, 0);
    fate_release(first);
    n_dropped = 0;
    fate_deferred *d = begin_held_up(pool, fate_box_with(note_dropping_thread, int, 1));
    fate_cancel(d);
    test_resume_failures();
    EXPECT_RESULT(d, "<CancelledError>");
    EXPECT_EQ(n_dropped, 0);
    sem_post(&may_end);
    fate_play(reactor, 0);
    EXPECT_EQ(n_dropped, 1);
    EXPECT(pthread_equal(thread_of_drop, pthread_self()));
}

TEST(cancelling_before_the_reactor_runs_takes_the_job_out)
{
    fate_reactor *reactor = test_reactor();
    fate_deferred *d = fate_hold(fate_defer_to_thread(reactor, add_one, fate_int(1)));

    fate_cancel(d);
    EXPECT_RESULT(d, "<CancelledError>");
    fate_play(reactor, 0);
}

/* ---- Calling in a thread ---- */

static atomic_int n_calls;

static fate_value count_call(fate_value *arg)
{
    n_calls++;
    return fate_take(arg);
}

TEST(the_value_of_a_call_is_dropped_and_its_failure_logged)
{
    fate_reactor *reactor = test_reactor();

    n_calls = 0;
    fate_call_in_thread(reactor, count_call, fate_str("dropped"));
    fate_play(reactor, 0);
    EXPECT_EQ(n_calls, 1);
    EXPECT_EQ(test_logs(reactor), 0);
    fate_call_in_thread(reactor, fail_with, fate_str("no"));
    fate_play(reactor, 0);
    EXPECT_EQ(test_logs(reactor), 1);
    EXPECT_STR(test_last_log(reactor), "Failure in thread");
    EXPECT_EQ(test_reports(reactor), 0);
}

static int order[4], n_ordered;
static pthread_t thread_of_first;

static fate_value note_order(fate_value *arg)
{
    if (n_ordered == 0)
        thread_of_first = pthread_self();
    EXPECT(pthread_equal(thread_of_first, pthread_self()));
    order[n_ordered++] = (int)fate_as_int(arg);
    return fate_none();
}

TEST(several_functions_run_in_order_in_one_thread)
{
    fate_reactor *reactor = test_reactor();
    fate_function *const functions[] = { note_order, note_order, fail_with, note_order };
    fate_value args[] = { fate_int(1), fate_int(2), fate_str("stop"), fate_str("never read") };

    n_ordered = 0;
    fate_call_multiple_in_thread(reactor, 4, functions, args);
    fate_play(reactor, 0);
    EXPECT_EQ(n_ordered, 2);
    EXPECT_EQ(order[0], 1);
    EXPECT_EQ(order[1], 2);
    EXPECT_EQ(test_logs(reactor), 1);
}

TEST(no_functions_at_all_are_fine)
{
    fate_reactor *reactor = test_reactor();

    fate_call_multiple_in_thread(reactor, 0, NULL, NULL);
    fate_play(reactor, 0);
    EXPECT_EQ(test_logs(reactor), 0);
}

/* ---- The end ---- */

TEST(freeing_the_reactor_finishes_what_has_begun_and_cancels_what_has_not)
{
    fate_reactor *reactor = test_reactor();
    n_calls = 0;

    fate_call_in_thread(reactor, count_call, fate_str("never begun"));
    fate_defer_to_thread(reactor, count_call, fate_str("never begun"));
    fate_reactor_free(reactor);
    EXPECT_EQ(n_calls, 0);

    reactor = test_reactor();
    fate_advance(reactor, 0);
    test_suspend_failures();
    for (int i = 0; i < 40; i++)
        fate_defer_to_thread(reactor, count_call, fate_str("a text"));
    test_resume_failures();
    fate_reactor_free(reactor);
    EXPECT_EQ(n_calls, 40);
}

/* What a deferred ended in whose end may come when the test is over. */
static fate_value late_result;

static fate_value note_late(fate_value *v, fate_value *arg)
{
    fate_drop(late_result);
    late_result = fate_copy(v);
    return fate_none();
}

static void expect_late(const char *as)
{
    EXPECT_DESCRIBED(&late_result, as);
    fate_drop(fate_take(&late_result));
}

static fate_value stop_and_defer(fate_value *arg)
{
    fate_reactor *reactor = fate_as_ptr(arg);

    fate_stop(reactor);
    test_suspend_failures();
    for (int i = 0; i < 20; i++)
        fate_call_in_thread(reactor, count_call, fate_none());
    test_resume_failures();
    return fate_none();
}

static fate_value defer_late(fate_value *arg)
{
    fate_reactor *reactor = fate_as_ptr(arg);

    fate_call_in_thread(reactor, count_call, fate_str("not taken in"));
    fate_add_both(fate_defer_to_thread(reactor, count_call, fate_str("not taken in")), note_late,
                  fate_none());
    return fate_none();
}

TEST(the_shutdown_finishes_the_jobs_and_takes_no_more)
{
    fate_reactor *reactor = test_reactor();

    n_calls = 0;
    fate_call_when_running(reactor, stop_and_defer, fate_ptr(reactor));
    fate_watch late = fate_add_trigger(reactor, FATE_DURING, FATE_SHUTDOWN, defer_late, fate_ptr(reactor));
    if (late.id >= 0 && fate_run(reactor) == 0)
        EXPECT_EQ(n_calls, 20);
    expect_late("<CancelledError: the reactor has stopped, and its threads with it>");
}

/* ---- Blocking calls ---- */

static fate_reactor *asked;

static fate_value ask_for(fate_function *function, fate_value *arg)
{
    return fate_blocking_call_from_thread(asked, function, fate_take(arg));
}

static fate_value ask_to_add(fate_value *arg)
{
    return ask_for(add_one, arg);
}

static fate_value ask_to_fail(fate_value *arg)
{
    return ask_for(fail_with, arg);
}

static fate_value answer_later(fate_value *arg)
{
    return fate_follow(fate_defer_later(asked, 5 * FATE_SECOND, return_arg, fate_take(arg)));
}

static fate_value ask_to_wait(fate_value *arg)
{
    return ask_for(answer_later, arg);
}

TEST(a_blocking_call_returns_what_the_function_returns)
{
    asked = test_reactor();
    fate_deferred *d = fate_hold(fate_defer_to_thread(asked, ask_to_add, fate_int(1)));
    fate_deferred *failing = fate_hold(fate_defer_to_thread(asked, ask_to_fail, fate_str("no")));

    fate_play(asked, 0);
    EXPECT_RESULT(d, "2");
    EXPECT_RESULT(failing, "<ValueError: no>");
}

TEST(a_blocking_call_waits_for_a_deferred_while_simulated_time_goes_on)
{
    asked = test_reactor();
    fate_deferred *d = fate_hold(fate_defer_to_thread(asked, ask_to_wait, fate_str("late")));

    EXPECT_EQ(fate_run(asked), -EDEADLK);
    EXPECT_RESULT(d, "\"late\"");
    EXPECT_EQ(fate_now(asked), 5 * FATE_SECOND);
}

static fate_value answer_never(fate_value *arg)
{
    fate_call_later(asked, 0, fate_shutdown, fate_ptr(asked));
    return fate_follow(fate_deferred_new(asked));
}

static fate_value ask_in_vain(fate_value *arg)
{
    return ask_for(answer_never, arg);
}

TEST(a_blocking_call_is_cancelled_when_the_reactor_stops)
{
    asked = test_reactor();
    fate_deferred *d = fate_defer_to_thread(asked, ask_in_vain, fate_none());

    fate_add_both(d, note_late, fate_none());
    fate_run(asked);
    fate_reactor_free(asked);
    expect_late("<CancelledError: the reactor stopped before it answered>");
}

TEST(a_blocking_call_is_cancelled_when_the_reactor_is_freed)
{
    asked = test_reactor();
    fate_advance(asked, 0);
    test_suspend_failures();
    n_dropped = 0;
    fate_call_in_thread(asked, ask_to_add, fate_box_with(note_drop, int, 1));
    test_resume_failures();
    fate_reactor_free(asked);
    EXPECT_EQ(n_dropped, 1);
}

static fate_deferred *read_broken(fate_value *arg, size_t bytes_max)
{
    return fate_fail(asked, fate_raise(&FATE_OS_ERROR, "the disk is gone"));
}

static fate_value broken_source;

static fate_value answer_by_reading(fate_value *arg)
{
    return fate_follow(fate_read(&broken_source));
}

static fate_value ask_to_read(fate_value *arg)
{
    return ask_for(answer_by_reading, arg);
}

TEST(a_failure_that_its_source_keeps_crosses_as_a_copy)
{
    static const fate_source_ops ops = { .size = sizeof ops, .read = read_broken };

    asked = test_reactor();
    test_suspend_failures();
    broken_source = fate_source(asked, &ops, fate_none());
    for (int i = 0; i < 2; i++) {
        fate_deferred *d = fate_hold(fate_defer_to_thread(asked, ask_to_read, fate_none()));
        fate_play(asked, 0);
        EXPECT_RESULT(d, "<OSError: the disk is gone>");
    }
    fate_drop(broken_source);
    test_resume_failures();
}

static fate_pool *own_pool;

static void free_own_pool(fate_value *arg)
{
    fate_pool_free(own_pool);
}

static fate_value free_before_the_answer(fate_value *arg)
{
    fate_call_later(asked, 0, free_own_pool, fate_none());
    return fate_follow(fate_deferred_new(asked));
}

/* One of its calls is under way when the pool is freed, and one comes after that. */
static fate_value ask_while_the_pool_goes(fate_value *arg)
{
    fate_value v = fate_blocking_call_from_thread(asked, free_before_the_answer, fate_none());
    n_calls += fate_is(&v, &FATE_CANCELLED);
    fate_drop(v);
    return fate_blocking_call_from_thread(asked, add_one, fate_int(1));
}

TEST(freeing_a_pool_cancels_the_blocking_calls_of_its_jobs)
{
    asked = test_reactor();
    test_suspend_failures();
    n_calls = 0;
    own_pool = fate_pool_new(asked);
    fate_deferred *d = fate_hold(fate_defer_to_pool(own_pool, ask_while_the_pool_goes, fate_none()));

    fate_play(asked, 0);
    EXPECT_EQ(n_calls, 1);
    EXPECT_RESULT(d, "<CancelledError: the pool of its thread was freed before it was answered>");
    test_resume_failures();
}

static fate_value ask_when_permitted(fate_value *arg)
{
    wait_for_permission(arg);
    fate_value v = fate_blocking_call_from_thread(asked, add_one, fate_int(1));
    n_calls += fate_is(&v, &FATE_CANCELLED);
    fate_drop(v);
    return fate_none();
}

/* Its own call is refused only when all are. */
static fate_value permit_when_refused(fate_value *arg)
{
    fate_drop(fate_blocking_call_from_thread(asked, add_one, fate_int(1)));
    sem_post(&may_end);
    return fate_none();
}

TEST(a_blocking_call_that_comes_late_is_cancelled_at_once)
{
    asked = test_reactor();
    n_calls = 0;
    test_suspend_failures();
    sem_init(&has_begun, 0, 0);
    sem_init(&may_end, 0, 0);
    fate_advance(asked, 0);
    fate_call_in_thread(asked, ask_when_permitted, fate_none());
    sem_wait(&has_begun);
    fate_call_in_thread(asked, permit_when_refused, fate_none());
    fate_reactor_free(asked);
    EXPECT_EQ(n_calls, 1);
    test_resume_failures();
}

/* ---- What must not be done ---- */

static fate_value follow_in_thread(fate_value *d)
{
    return fate_follow((fate_deferred *)fate_as_ptr(d));
}

static void return_a_follow(void *arg)
{
    fate_reactor *reactor = test_reactor();

    fate_call_in_thread(reactor, follow_in_thread, fate_ptr(fate_deferred_new(reactor)));
    fate_play(reactor, 0);
}

static void share_a_list(void *arg)
{
    fate_reactor *reactor = test_reactor();
    fate_value list = fate_list_of(fate_int(1));

    fate_defer_to_thread(reactor, return_arg, fate_copy(&list));
}

static fate_value kept;

static fate_value return_and_keep(fate_value *arg)
{
    kept = fate_take(arg);
    return fate_copy(&kept);
}

static void return_what_is_shared(void *arg)
{
    fate_reactor *reactor = test_reactor();

    fate_defer_to_thread(reactor, return_and_keep, fate_list_of(fate_int(1)));
    fate_play(reactor, 0);
}

static void give_a_deferred(void *arg)
{
    fate_reactor *reactor = test_reactor();

    fate_defer_to_thread(reactor, return_arg, fate_held(fate_deferred_new(reactor)));
}

static void block_the_loop(void *arg)
{
    fate_reactor *reactor = test_reactor();

    fate_blocking_call_from_thread(reactor, return_arg, fate_none());
}

static void unpause_too_often(void *arg)
{
    fate_reactor *reactor = test_reactor();

    fate_pause_clock(reactor);
    fate_unpause_clock(reactor);
    fate_unpause_clock(reactor);
}

TEST(what_must_not_cross_stops_the_program)
{
    EXPECT_STOP(return_a_follow, NULL, "fate_follow", "thread");
    EXPECT_STOP(share_a_list, NULL, "test_thread.c:", "fate_defer_to_thread", "two threads must not share");
    EXPECT_STOP(return_what_is_shared, NULL, "return_and_keep", "two threads must not share");
    EXPECT_STOP(give_a_deferred, NULL, "holds a deferred");
    EXPECT_STOP(block_the_loop, NULL, "fate_blocking_call_from_thread", "own thread", "R245");
    EXPECT_STOP(unpause_too_often, NULL, "fate_unpause_clock");
}

/* ---- Threads of one's own ---- */

struct multiplication {
    fate_reactor *reactor;
    int a, b;
    int64_t result;
};

static void got_product(fate_value *product)
{
    struct multiplication *m = fate_as_ptr(product);

    m->result *= 2;
    fate_unpause_clock(m->reactor);
}

static void *multiply(void *arg)
{
    struct multiplication *m = arg;

    m->result = (int64_t)m->a * m->b;
    while (fate_call_from_thread(m->reactor, got_product, fate_ptr(m)) == -ENOMEM)
        ;
    return NULL;
}

TEST(a_simulated_reactor_waits_for_a_thread_of_ones_own)
{
    struct multiplication m = { test_reactor(), 5, 6, 0 };
    pthread_t thread;

    fate_pause_clock(m.reactor);
    test_suspend_failures();
    pthread_create(&thread, NULL, multiply, &m);
    EXPECT_EQ(fate_run(m.reactor), -EDEADLK);
    EXPECT_EQ(m.result, 60);
    pthread_join(thread, NULL);
    test_resume_failures();
}
