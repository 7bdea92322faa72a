/* Pools: how many threads, what waits, what is refused, and what is done when none can be made (R246-R253).
 */
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <base/sys.h>
#include <fate/fate.h>

#include "test.h"

static int64_t count_of(const fate_pool *pool, const char *name)
{
    fate_value counts = fate_pool_counts(pool);
    int64_t n = fate_is_failure(&counts) ? -1 : fate_as_int(fate_dict_get(&counts, name));

    fate_drop(counts);
    return n;
}

static fate_value return_arg(fate_value *arg)
{
    return fate_take(arg);
}

/* ---- Jobs that are held up ---- */

static sem_t has_begun, may_end;

static fate_value wait_for_permission(fate_value *arg)
{
    sem_post(&has_begun);
    sem_wait(&may_end);
    return fate_take(arg);
}

static void init_semaphores(void)
{
    sem_init(&has_begun, 0, 0);
    sem_init(&may_end, 0, 0);
}

/* They have all begun when this returns; memory must not fail meanwhile. */
static void begin_held_up(fate_pool *pool, int n)
{
    for (int i = 0; i < n; i++)
        fate_defer_to_pool(pool, wait_for_permission, fate_int(i));
    for (int i = 0; i < n; i++)
        sem_wait(&has_begun);
}

static void permit(int n)
{
    for (int i = 0; i < n; i++)
        sem_post(&may_end);
}

#define EXPECT_RESULT(d, as)                                                                                 \
    do {                                                                                                     \
        EXPECT_DESCRIBED(fate_peek(d), as);                                                                  \
        fate_release(d);                                                                                     \
    } while (0)

/* ---- How many threads ---- */

TEST(an_idle_thread_is_used_again)
{
    fate_reactor *reactor = test_reactor();
    fate_pool *pool = fate_pool_new(reactor);

    for (int i = 0; i < 5; i++) {
        fate_defer_to_pool(pool, return_arg, fate_int(i));
        fate_play(reactor, 0);
    }
    EXPECT_EQ(count_of(pool, "threads"), 1);
    EXPECT_EQ(count_of(pool, "idle"), 1);
    EXPECT_EQ(count_of(pool, "done"), 5);
}

TEST(a_thread_is_made_only_when_none_is_idle_and_the_limit_allows)
{
    fate_reactor *reactor = test_reactor();
    test_suspend_failures();
    fate_pool *pool = fate_pool_new_with(reactor, .threads_max = 3);
    fate_advance(reactor, 0);

    init_semaphores();
    begin_held_up(pool, 2);
    EXPECT_EQ(count_of(pool, "threads"), 2);
    EXPECT_EQ(count_of(pool, "idle"), 0);
    begin_held_up(pool, 1);
    EXPECT_EQ(count_of(pool, "threads"), 3);
    fate_defer_to_pool(pool, wait_for_permission, fate_none());
    EXPECT_EQ(count_of(pool, "threads"), 3);
    EXPECT_EQ(count_of(pool, "waiting"), 1);
    permit(4);
    fate_play(reactor, 0);
    EXPECT_EQ(count_of(pool, "idle"), 3);
    EXPECT_EQ(count_of(pool, "done"), 4);
    EXPECT(count_of(pool, "longest_wait_ns") >= 0);
    EXPECT_EQ(count_of(pool, "waiting_ns"), 0);
    test_resume_failures();
}

TEST(the_least_of_threads_is_there_from_the_start)
{
    fate_reactor *reactor = test_reactor();
    fate_pool *before = fate_pool_new_with(reactor, .threads_min = 2);

    EXPECT_EQ(count_of(before, "threads"), 0);
    fate_advance(reactor, 0);
    fate_pool *after = fate_pool_new_with(reactor, .threads_min = 3, .threads_max = 3);
    EXPECT_EQ(count_of(before, "threads"), 2);
    EXPECT_EQ(count_of(after, "threads"), 3);
}

TEST(the_start_makes_threads_for_the_backlog)
{
    fate_reactor *reactor = test_reactor();
    test_suspend_failures();
    fate_pool *pool = fate_pool_new_with(reactor, .threads_max = 4);

    init_semaphores();
    for (int i = 0; i < 6; i++)
        fate_defer_to_pool(pool, wait_for_permission, fate_none());
    EXPECT_EQ(count_of(pool, "waiting"), 6);
    fate_advance(reactor, 0);
    EXPECT_EQ(count_of(pool, "threads"), 4);
    EXPECT_EQ(count_of(pool, "waiting"), 2);
    permit(6);
    fate_play(reactor, 0);
    EXPECT_EQ(count_of(pool, "done"), 6);
    test_resume_failures();
}

static fate_value post_permission(fate_value *arg)
{
    permit(1);
    return fate_none();
}

TEST(a_job_that_waits_for_another_does_not_keep_it_from_running)
{
    fate_reactor *reactor = test_reactor();
    test_suspend_failures();
    fate_pool *pool = fate_pool_new_with(reactor, .threads_max = 2);
    fate_advance(reactor, 0);

    for (int i = 0; i < 200; i++) {
        init_semaphores();
        fate_defer_to_pool(pool, wait_for_permission, fate_none());
        fate_defer_to_pool(pool, post_permission, fate_none());
        fate_play(reactor, 0);
    }
    EXPECT_EQ(count_of(pool, "done"), 400);
    EXPECT_EQ(count_of(pool, "threads"), 2);
    test_resume_failures();
}

TEST(of_many_jobs_at_once_each_gets_a_thread_of_its_own_while_there_are_idle_ones)
{
    fate_reactor *reactor = test_reactor();
    test_suspend_failures();
    fate_pool *pool = fate_pool_new_with(reactor, .threads_max = 4, .threads_min = 4);
    fate_advance(reactor, 0);

    init_semaphores();
    for (int i = 0; i < 50; i++) {
        begin_held_up(pool, 4);
        EXPECT_EQ(count_of(pool, "idle"), 0);
        permit(4);
        fate_play(reactor, 0);
    }
    EXPECT_EQ(count_of(pool, "threads"), 4);
    test_resume_failures();
}

static int64_t seen[64];
static int n_seen;

static fate_value note_number(fate_value *arg)
{
    seen[n_seen++] = fate_as_int(arg);
    return fate_none();
}

TEST(jobs_that_wait_are_begun_in_order)
{
    fate_reactor *reactor = test_reactor();
    test_suspend_failures();
    fate_pool *pool = fate_pool_new_with(reactor, .threads_max = 1);

    n_seen = 0;
    for (int i = 0; i < 64; i++)
        fate_defer_to_pool(pool, note_number, fate_int(i));
    fate_play(reactor, 0);
    EXPECT_EQ(n_seen, 64);
    for (int i = 0; i < 64; i++)
        EXPECT_EQ(seen[i], i);
    test_resume_failures();
}

/* ---- Resizing ---- */

TEST(idle_surplus_threads_go_at_once_and_busy_ones_when_they_are_done)
{
    fate_reactor *reactor = test_reactor();
    test_suspend_failures();
    fate_pool *pool = fate_pool_new_with(reactor, .threads_max = 4, .threads_min = 4);
    fate_advance(reactor, 0);

    init_semaphores();
    begin_held_up(pool, 2);
    EXPECT_EQ(fate_pool_resize(pool, 0, 1), 0);
    EXPECT_EQ(count_of(pool, "threads"), 2);
    permit(2);
    fate_play(reactor, 0);
    EXPECT_EQ(count_of(pool, "threads"), 1);
    EXPECT_EQ(count_of(pool, "idle"), 1);
    EXPECT_EQ(fate_pool_resize(pool, 3, 5), 0);
    EXPECT_EQ(count_of(pool, "threads"), 3);
    test_resume_failures();
}

TEST(more_threads_take_what_is_in_line)
{
    fate_reactor *reactor = test_reactor();
    test_suspend_failures();
    fate_pool *pool = fate_pool_new_with(reactor, .threads_max = 1);
    fate_advance(reactor, 0);

    init_semaphores();
    begin_held_up(pool, 1);
    fate_defer_to_pool(pool, post_permission, fate_none());
    EXPECT_EQ(count_of(pool, "waiting"), 1);
    EXPECT_EQ(fate_pool_resize(pool, 0, 2), 0);
    fate_play(reactor, 0);
    EXPECT_EQ(count_of(pool, "done"), 2);
    test_resume_failures();
}

TEST(before_the_start_resizing_changes_only_the_numbers)
{
    fate_reactor *reactor = test_reactor();
    fate_pool *pool = fate_pool_new(reactor);

    EXPECT_EQ(fate_pool_resize(pool, 2, 3), 0);
    EXPECT_EQ(count_of(pool, "threads"), 0);
    fate_advance(reactor, 0);
    EXPECT_EQ(count_of(pool, "threads"), 2);
}

TEST(with_no_threads_allowed_jobs_wait_and_are_done_at_the_end)
{
    fate_reactor *reactor = test_reactor();
    test_suspend_failures();
    fate_pool *pool = fate_pool_new(reactor);
    fate_advance(reactor, 0);

    EXPECT_EQ(fate_pool_resize(pool, 0, 0), 0);
    fate_deferred *d = fate_hold(fate_defer_to_pool(pool, return_arg, fate_int(3)));
    fate_advance(reactor, 0);
    EXPECT_EQ(count_of(pool, "waiting"), 1);
    fate_pool_free(pool);
    fate_play(reactor, 0);
    EXPECT_RESULT(d, "3");
    test_resume_failures();
}

/* ---- Full pools ---- */

TEST(a_full_pool_refuses)
{
    fate_reactor *reactor = test_reactor();
    test_suspend_failures();
    fate_pool *pool = fate_pool_new_with(reactor, .threads_max = 2, .waiting_max = 1);
    fate_advance(reactor, 0);

    init_semaphores();
    begin_held_up(pool, 2);
    fate_deferred *waiting = fate_hold(fate_defer_to_pool(pool, return_arg, fate_int(1)));
    fate_deferred *refused = fate_hold(fate_defer_to_pool(pool, return_arg, fate_str("dropped")));
    EXPECT_FAILURE(fate_peek(refused), &FATE_POOL_FULL);
    fate_release(refused);
    fate_cancel(waiting);
    fate_release(waiting);
    waiting = fate_hold(fate_defer_to_pool(pool, return_arg, fate_int(2)));
    permit(2);
    fate_play(reactor, 0);
    EXPECT_RESULT(waiting, "2");
    test_resume_failures();
}

/* ---- Freeing ---- */

TEST(freeing_a_pool_finishes_its_jobs_whose_deferreds_fire_later)
{
    fate_reactor *reactor = test_reactor();
    fate_pool *pool = fate_pool_new(reactor);
    fate_advance(reactor, 0);
    fate_deferred *d = fate_hold(fate_defer_to_pool(pool, return_arg, fate_str("done")));
    fate_deferred *cancelled = fate_hold(fate_defer_to_pool(pool, return_arg, fate_str("done")));

    fate_pool_free(pool);
    fate_cancel(cancelled);
    fate_release(cancelled);
    fate_play(reactor, 0);
    EXPECT_RESULT(d, "\"done\"");
}

TEST(freeing_a_pool_that_has_not_started_cancels_its_jobs)
{
    fate_reactor *reactor = test_reactor();
    fate_pool *pool = fate_pool_new(reactor);
    fate_deferred *d = fate_hold(fate_defer_to_pool(pool, return_arg, fate_str("never")));

    fate_pool_free(pool);
    fate_pool_free(NULL);
    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    fate_release(d);
}

/* ---- No threads ---- */

static int n_creations_left = INT_MAX;
static void (*before_refusing)(void);

static int create_some(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*body)(void *),
                       void *arg)
{
    if (n_creations_left-- <= 0) {
        if (before_refusing)
            before_refusing();
        return EAGAIN;
    }
    return pthread_create(ret_thread, attributes, body, arg);
}

/* Once for all, since threads look at it too. */
__attribute__((constructor)) static void put_in_place(void)
{
    static struct fate__sys own_sys;

    own_sys = fate__sys_real;
    own_sys.thread_create = create_some;
    fate__sys = &own_sys;
}

/* From now on only n more threads can be made. */
static void limit_threads(int n)
{
    n_creations_left = n;
}

TEST(without_any_thread_the_deferred_fails_with_the_errno)
{
    fate_reactor *reactor = test_reactor();

    fate_advance(reactor, 0);
    limit_threads(0);
    fate_deferred *d = fate_hold(fate_defer_to_thread(reactor, return_arg, fate_int(1)));
    fate_call_in_thread(reactor, return_arg, fate_int(1));
    limit_threads(INT_MAX);
    EXPECT_FAILURE(fate_peek(d), &FATE_WOULD_BLOCK);
    if (fate_is(fate_peek(d), &FATE_WOULD_BLOCK))
        EXPECT_EQ(fate_failure_errno(fate_peek(d)), EAGAIN);
    fate_release(d);
    EXPECT_EQ(test_logs(reactor), 1);
    d = fate_hold(fate_defer_to_thread(reactor, return_arg, fate_int(2)));
    fate_play(reactor, 0);
    EXPECT_RESULT(d, "2");
}

TEST(without_any_thread_at_the_start_all_that_waits_fails)
{
    fate_reactor *reactor = test_reactor();
    fate_deferred *a = fate_hold(fate_defer_to_thread(reactor, return_arg, fate_str("a")));
    fate_deferred *b = fate_hold(fate_defer_to_thread(reactor, return_arg, fate_str("b")));

    limit_threads(0);
    fate_play(reactor, 0);
    limit_threads(INT_MAX);
    EXPECT_FAILURE(fate_peek(a), &FATE_WOULD_BLOCK);
    EXPECT_FAILURE(fate_peek(b), &FATE_WOULD_BLOCK);
    fate_release(a);
    fate_release(b);
}

TEST(with_fewer_threads_than_wanted_jobs_run_later)
{
    fate_reactor *reactor = test_reactor();
    test_suspend_failures();
    fate_pool *pool = fate_pool_new(reactor);
    fate_advance(reactor, 0);
    limit_threads(1);

    init_semaphores();
    begin_held_up(pool, 1);
    fate_deferred *d = fate_hold(fate_defer_to_pool(pool, return_arg, fate_int(2)));
    EXPECT_EQ(count_of(pool, "threads"), 1);
    EXPECT_EQ(count_of(pool, "waiting"), 1);
    permit(1);
    fate_play(reactor, 0);
    limit_threads(INT_MAX);
    EXPECT_RESULT(d, "2");
    test_resume_failures();
}

static fate_pool *small_pool;

static void let_the_other_become_idle(void)
{
    permit(1);
    while (count_of(small_pool, "idle") == 0)
        sched_yield();
}

TEST(a_thread_that_becomes_idle_while_another_cannot_be_made_gets_the_job)
{
    fate_reactor *reactor = test_reactor();
    test_suspend_failures();
    small_pool = fate_pool_new(reactor);
    fate_advance(reactor, 0);
    limit_threads(1);

    init_semaphores();
    begin_held_up(small_pool, 1);
    before_refusing = let_the_other_become_idle;
    fate_deferred *d = fate_hold(fate_defer_to_pool(small_pool, return_arg, fate_int(2)));
    before_refusing = NULL;
    if (EXPECT_EQ(count_of(small_pool, "waiting"), 0))
        fate_play(reactor, 0);
    limit_threads(INT_MAX);
    EXPECT_RESULT(d, "2");
    test_resume_failures();
}

static fate_value free_small_pool(fate_value *v, fate_value *arg)
{
    fate_pool_free(small_pool);
    small_pool = NULL;
    return fate_none();
}

TEST(whoever_is_refused_at_the_start_may_free_the_pool)
{
    fate_reactor *reactor = test_reactor();

    small_pool = fate_pool_new(reactor);
    fate_pool_new(reactor);
    fate_deferred *first = fate_defer_to_pool(small_pool, return_arg, fate_int(1));
    fate_deferred *second = fate_hold(fate_defer_to_pool(small_pool, return_arg, fate_int(2)));
    fate_add_both(first, free_small_pool, fate_none());

    limit_threads(0);
    fate_play(reactor, 0);
    limit_threads(INT_MAX);
    EXPECT_FAILURE(fate_peek(second), &FATE_WOULD_BLOCK);
    EXPECT_PTR(small_pool, NULL);
    fate_release(second);
}

TEST(a_pool_of_a_reactor_that_has_stopped_has_no_threads)
{
    fate_reactor *reactor = test_reactor();
    fate_call_later(reactor, 0, fate_shutdown, fate_ptr(reactor));
    fate_run(reactor);

    fate_pool *pool = fate_pool_new_with(reactor, .threads_min = 2);
    EXPECT_EQ(count_of(pool, "threads"), 0);
    fate_pool_free(pool);
}

/* ---- In the report ---- */

static char *report_of(fate_reactor *reactor)
{
    char *text = NULL;
    size_t len;
    FILE *file = open_memstream(&text, &len);

    fate_reactor_report(reactor, file);
    fclose(file);
    return text;
}

TEST(the_report_says_what_pools_do_and_jobs_wait_for)
{
    fate_reactor *reactor = test_reactor();
    test_suspend_failures();
    fate_pool *pool = fate_pool_new_with(reactor, .name = "sqlite", .threads_max = 1);
    fate_call_in_thread(reactor, wait_for_permission, fate_none());
    char *report = report_of(reactor);
    EXPECT_CONTAINS(report, "  sqlite test_pool.c:");
    EXPECT_CONTAINS(report, ": 0 threads, not started\n");
    EXPECT_CONTAINS(report, "waits for pool 'main' to start, in line for ");
    free(report);

    init_semaphores();
    fate_advance(reactor, 0);
    sem_wait(&has_begun);
    begin_held_up(pool, 1);
    fate_defer_to_pool(pool, return_arg, fate_none());
    fate_defer_to_pool(pool, return_arg, fate_none());
    report = report_of(reactor);
    EXPECT_CONTAINS(report, ": 1 thread, 2 jobs waiting for ");
    EXPECT_CONTAINS(report, ": waits for thread of pool 'sqlite' running wait_for_permission test_pool.c:");
    EXPECT_CONTAINS(report, ": waits for pool 'sqlite', in line for ");
    EXPECT_CONTAINS(report, ": waits for thread of pool 'main' running wait_for_permission test_pool.c:");
    free(report);

    permit(2);
    fate_pool_free(pool);
    report = report_of(reactor);
    EXPECT_CONTAINS(report, ": waits for the next round, its thread being done");
    free(report);
    fate_play(reactor, 0);
    test_resume_failures();
}

/* ---- Wrong numbers ---- */

static void more_at_least_than_at_most(void *arg)
{
    fate_pool_new_with(test_reactor(), .threads_min = 11);
}

static void resize_wrongly(void *arg)
{
    fate_pool_resize(fate_pool_new(test_reactor()), 2, 1);
}

static void free_own_pool(void *arg)
{
    fate_pool_free(fate_reactor_pool(test_reactor()));
}

static void no_pool(void *arg)
{
    fate_defer_to_pool(NULL, return_arg, fate_none());
}

TEST(wrong_numbers_stop_the_program)
{
    EXPECT_STOP(more_at_least_than_at_most, NULL, "threads_min of 11", "R247");
    EXPECT_STOP(resize_wrongly, NULL, "fate_pool_resize", "R247");
    EXPECT_STOP(free_own_pool, NULL, "own pool");
    EXPECT_STOP(no_pool, NULL, "test_pool.c:", "NULL pool");
}

/* ---- What is left ---- */

/* How much FATE_DEBUG=1 has to say of a reactor that has used its own pool and cooperator, and of another
 * pool. */
static void free_used_one(void *other)
{
    FILE *before = stderr;
    char *text = NULL;
    size_t len = 0;

    setenv("FATE_DEBUG", "1", 1);
    fate_reactor *reactor = fate_reactor_new_simulated();
    fate_defer_to_thread(reactor, return_arg, fate_none());
    fate_cooperate(reactor, return_arg, fate_none());
    if (other)
        fate_pool_new_at(reactor, NULL, "src/a.c:1");
    fate_play(reactor, FATE_SECOND);
    stderr = open_memstream(&text, &len);
    fate_reactor_free(reactor);
    fclose(stderr);
    stderr = before;
    fprintf(stderr, "it says %zu bytes: %s", len, text);
    abort();
}

TEST(the_reactors_own_pool_and_cooperator_are_not_left_behind)
{
    EXPECT_STOP(free_used_one, NULL, "it says 0 bytes: ");
    EXPECT_STOP(free_used_one, "other", "this is left", " fate a.c:1: 0 threads\n");
}

/* ---- The shutdown waits for jobs ---- */

static atomic_llong fake_ns;

static int fake_clock(clockid_t clock, struct timespec *ret_now)
{
    int64_t ns = 1000 * FATE_SECOND + atomic_load(&fake_ns);

    ret_now->tv_sec = ns / FATE_SECOND;
    ret_now->tv_nsec = ns % FATE_SECOND;
    return 0;
}

static fate_value stop_and_never_answer(fate_value *reactor)
{
    fate_stop(fate_as_ptr(reactor));
    return fate_follow(fate_deferred_new(fate_as_ptr(reactor)));
}

/* Its question is refused when the shutdown waits for it, and then it takes a second. */
static fate_value ask_and_take_long(fate_value *arg)
{
    fate_drop(fate_blocking_call_from_thread(fate_as_ptr(arg), stop_and_never_answer, fate_copy(arg)));
    atomic_fetch_add(&fake_ns, FATE_SECOND);
    return fate_none();
}

static fate_value begin_to_ask(fate_value *reactor)
{
    fate_call_in_thread(fate_as_ptr(reactor), ask_and_take_long, fate_copy(reactor));
    return fate_none();
}

static void count_entry(const fate_log_entry *entry, fate_value *n)
{
    if (strstr(entry->text, "blocked the loop"))
        ++*(int *)fate_as_ptr(n);
}

TEST(that_the_shutdown_waits_for_a_job_is_not_called_blocking)
{
    const struct fate__sys *sys = fate__sys;
    struct fate__sys fake = *sys;
    int n_named = 0;

    test_suspend_failures();
    fake.clock_gettime = fake_clock;
    fate__sys = &fake;
    fate_reactor *reactor = test_real_reactor(NULL);
    if (reactor) {
        fate_log_observe(reactor, FATE_LOG_WARNING, count_entry, fate_ptr(&n_named));
        fate_call_when_running(reactor, begin_to_ask, fate_ptr(reactor));
        EXPECT_EQ(fate_run(reactor), 0);
        EXPECT_EQ(n_named, 0);
        EXPECT(fate_now(reactor) >= 1001 * FATE_SECOND);
        fate_reactor_free(reactor);
    }
    fate__sys = sys;
    test_resume_failures();
}
