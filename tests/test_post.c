/* Calls from threads (R238-R241): in order, none lost before the end, none run after it. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <base/sys.h>
#include <fate/fate.h>

#include "test.h"

#define N_THREADS 8
#define AHEAD_MAX                                                                                            \
    2000 /* so far may a thread be ahead of the loop, which else would have less and less time */

/* ---- Real reactors ---- */

static fate_reactor *real_reactor(const char *poller)
{
    test_suspend_failures();
    fate_reactor *reactor = fate_reactor_new_with(.poller = poller, .slow_callback = FATE_NEVER);
    test_resume_failures();
    return reactor;
}

/* ---- A storm ---- */

/* What a post says is who posts it, and its number there. */
struct storm {
    fate_reactor *reactor;
    int64_t n_each;                  /* 0: until it is refused */
    _Atomic int64_t next[N_THREADS]; /* the number that comes next, as the loop knows */
    int64_t n_wrong;
    atomic_int n_posters_left;
    atomic_bool has_ended;
    struct poster {
        struct storm *storm;
        pthread_t thread;
        int64_t number, n_taken;
    } posters[N_THREADS];
};

static struct storm *storm;

static void count_post(fate_value *arg)
{
    int64_t n = fate_as_int(arg), poster = n % N_THREADS;

    storm->n_wrong += storm->next[poster] != n / N_THREADS || storm->has_ended;
    storm->next[poster]++;
}

static void *post_all(void *arg)
{
    struct poster *poster = arg;
    struct storm *s = poster->storm;

    for (int64_t i = 0; !s->n_each || i < s->n_each; i++) {
        while (i - s->next[poster->number] > AHEAD_MAX && !s->has_ended)
            sched_yield();
        int why = fate_call_from_thread(s->reactor, count_post, fate_int(i * N_THREADS + poster->number));
        if (why == -ESHUTDOWN)
            break;
        if (why < 0)
            i--; /* again */
        else
            poster->n_taken++;
    }
    if (s->n_each && atomic_fetch_sub(&s->n_posters_left, 1) == 1)
        while (fate_call_from_thread(s->reactor, fate_shutdown, fate_ptr(s->reactor)) == -ENOMEM)
            ;
    return NULL;
}

static void start_storm(fate_reactor *reactor, int64_t n_each)
{
    storm = calloc(1, sizeof *storm);
    storm->reactor = reactor;
    storm->n_each = n_each;
    storm->n_posters_left = N_THREADS;
    for (int i = 0; i < N_THREADS; i++) {
        storm->posters[i].storm = storm;
        storm->posters[i].number = i;
        pthread_create(&storm->posters[i].thread, NULL, post_all, &storm->posters[i]);
    }
}

static void join_posters(void)
{
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(storm->posters[i].thread, NULL);
}

static void all_come_in_order(const char *poller)
{
    fate_reactor *reactor = real_reactor(poller);

    test_suspend_failures();
    start_storm(reactor, 5000);
    EXPECT_EQ(fate_run(reactor), 0);
    join_posters();
    for (int i = 0; i < N_THREADS; i++)
        EXPECT_EQ(storm->next[i], 5000);
    EXPECT_EQ(storm->n_wrong, 0);
    fate_reactor_free(reactor);
    free(storm);
    test_resume_failures();
}

VOLUME_TEST(all_that_eight_threads_post_comes_in_order)
{
    all_come_in_order("epoll");
    all_come_in_order("poll");
}

/* The loop stops while they post.  What was taken in before it has run; what is refused has not. */
static void stop_in_a_storm(const char *poller)
{
    fate_reactor *reactor = real_reactor(poller);
    int64_t n_before[N_THREADS], n_between = 0;

    start_storm(reactor, 0);
    fate_stop_later(reactor, 3 * FATE_MILLISECOND);
    EXPECT_EQ(fate_run(reactor), 0);
    storm->has_ended = true;
    for (int i = 0; i < N_THREADS; i++)
        n_before[i] = storm->next[i];
    join_posters();
    for (int i = 0; i < N_THREADS; i++)
        n_between += storm->posters[i].n_taken - n_before[i];
    /* One of each may have been between looking whether more is taken in, and putting its own in. */
    EXPECT(n_between >= 0 && n_between <= N_THREADS);
    EXPECT_EQ(fate_call_from_thread(reactor, count_post, fate_int(0)), -ESHUTDOWN);
    fate_reactor_free(reactor);
    for (int i = 0; i < N_THREADS; i++)
        EXPECT_EQ(storm->next[i], n_before[i]);
    EXPECT_EQ(storm->n_wrong, 0);
    free(storm);
}

VOLUME_TEST(a_loop_that_stops_in_a_storm_loses_nothing_and_runs_nothing_late)
{
    for (int i = 0; i < 5; i++) {
        stop_in_a_storm("epoll");
        stop_in_a_storm("poll");
    }
}

/* ---- Waking ---- */

static sem_t answered;

static void answer(fate_value *arg)
{
    sem_post(&answered);
}

static void *make_trips(void *arg)
{
    fate_reactor *reactor = arg;

    for (int i = 0; i < 2000; i++) {
        fate_call_from_thread(reactor, answer, fate_none());
        sem_wait(&answered); /* so that the loop goes to sleep again and again */
    }
    fate_call_from_thread(reactor, fate_shutdown, fate_ptr(reactor));
    return NULL;
}

static void always_wakes(fate_reactor *reactor)
{
    pthread_t thread;

    sem_init(&answered, 0, 0);
    pthread_create(&thread, NULL, make_trips, reactor);
    EXPECT_EQ(fate_run(reactor), 0);
    pthread_join(thread, NULL);
    fate_reactor_free(reactor);
}

VOLUME_TEST(a_loop_that_sleeps_wakes_for_each_post)
{
    always_wakes(real_reactor("epoll"));
    always_wakes(real_reactor("poll"));
    always_wakes(fate_reactor_new_with(.spin = 20 * FATE_MICROSECOND));
}

/* ---- Jobs on real reactors ---- */

static fate_value add_one(fate_value *arg)
{
    return fate_int(fate_as_int(arg) + 1);
}

static int64_t n_back;

static fate_value defer_again(fate_value *v, fate_value *arg)
{
    fate_reactor *reactor = fate_as_ptr(arg);
    int64_t n;

    n_back++;
    if (!fate_get_int(v, &n) || n >= 500) {
        fate_stop(reactor);
        return fate_none();
    }
    fate_deferred *d = fate_defer_to_thread(reactor, add_one, fate_int(n));
    fate_add_both(d, defer_again, fate_ptr(reactor));
    return fate_none();
}

static void jobs_come_back(const char *poller)
{
    fate_reactor *reactor = real_reactor(poller);
    if (!reactor)
        return;
    n_back = 0;
    fate_deferred *d = fate_defer_to_thread(reactor, add_one, fate_int(0));
    fate_add_both(d, defer_again, fate_ptr(reactor));
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_EQ(n_back, 500);
    fate_reactor_free(reactor);
}

VOLUME_TEST(jobs_come_back_to_a_loop_that_sleeps)
{
    jobs_come_back("epoll");
    jobs_come_back("poll");
}

/* ---- One at a time ---- */

static int n_called;
static fate_reactor *called;

static void count_call(fate_value *arg)
{
    n_called++;
}

static void call_again(fate_value *arg)
{
    n_called++;
    if (fate_as_int(arg) > 0)
        fate_call_from_thread(called, call_again, fate_int(fate_as_int(arg) - 1));
}

TEST(calls_before_the_reactor_runs_wait)
{
    fate_reactor *reactor = test_reactor();

    n_called = 0;
    EXPECT_EQ(fate_call_from_thread(reactor, count_call, fate_none()), 0);
    EXPECT_EQ(n_called, 0);
    fate_advance(reactor, 0);
    EXPECT_EQ(n_called, 1);
}

TEST(a_round_runs_only_the_calls_that_were_there_when_it_began)
{
    called = test_reactor();
    n_called = 0;
    fate_call_from_thread(called, call_again, fate_int(2));
    fate_advance(called, 0);
    EXPECT_EQ(n_called, 1);
    fate_advance(called, 0);
    EXPECT_EQ(n_called, 2);
    fate_advance(called, 0);
    EXPECT_EQ(n_called, 3);
}

static void share_it(fate_value *arg)
{
    n_called += (int)fate_count(arg);
}

TEST(the_reactors_own_thread_may_share_what_it_posts)
{
    fate_reactor *reactor = test_reactor();
    fate_value list = fate_list_of(fate_int(1), fate_int(2));

    n_called = 0;
    fate_call_from_thread(reactor, share_it, fate_copy(&list));
    fate_advance(reactor, 0);
    EXPECT_EQ(n_called, 2);
    fate_drop(list);
}

static void *post_shared(void *arg)
{
    fate_value list = fate_list_of(fate_int(1));

    fate_call_from_thread((fate_reactor *)arg, share_it, fate_copy(&list));
    return NULL;
}

static void post_from_a_thread(void *arg)
{
    pthread_t thread;

    pthread_create(&thread, NULL, post_shared, test_reactor());
    pthread_join(thread, NULL);
}

TEST(what_another_thread_shares_stops_the_program)
{
    EXPECT_STOP(post_from_a_thread, NULL, "fate_call_from_thread", "two threads must not share");
}

TEST(what_was_not_called_is_dropped_with_the_reactor)
{
    fate_reactor *reactor = test_reactor();

    fate_call_from_thread(reactor, count_call, fate_str("dropped"));
    fate_reactor_free(reactor);
}

/* ---- Slow ones ---- */

static struct fate__sys own_sys;
static struct timespec clock_now;

static int read_own_clock(clockid_t clock, struct timespec *ret_now)
{
    *ret_now = clock_now;
    return 0;
}

static void be_quick(fate_value *arg)
{
}

static void take_two_seconds(fate_value *arg)
{
    clock_now.tv_sec += 2;
}

static char slow_site[128];

static void note_slow_site(const fate_log_entry *entry, fate_value *arg)
{
    snprintf(slow_site, sizeof slow_site, "%s", entry->site);
    n_called++;
}

static void run_quick_and_slow(fate_reactor *reactor)
{
    n_called = 0;
    fate_log_observe(reactor, FATE_LOG_WARNING, note_slow_site, fate_none());
    fate_iterate(reactor, 0);
    for (int i = 0; i < 100; i++)
        fate_call_from_thread(reactor, be_quick, fate_none());
    fate_call_from_thread(reactor, take_two_seconds, fate_none());
    for (int i = 0; i < 100; i++)
        fate_call_from_thread(reactor, be_quick, fate_none());
    fate_iterate(reactor, 0);
}

TEST(a_post_that_blocks_the_loop_is_named_among_quick_ones)
{
    own_sys = fate__sys_real;
    own_sys.clock_gettime = read_own_clock;
    clock_now = (struct timespec){ 1, 0 };
    fate__sys = &own_sys;
    fate_reactor *reactor = fate_reactor_new();
    if (reactor) {
        run_quick_and_slow(reactor);
        EXPECT_EQ(n_called, 1);
        EXPECT_CONTAINS(slow_site, "take_two_seconds ");
    }
    fate_reactor_free(reactor);
    fate__sys = &fate__sys_real;
}
