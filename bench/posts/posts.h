/* Posts from other threads into the loop, common to the C peers.  A peer defines:
 *   struct post                    what a post needs; it is the caller's and stays until the function has run
 *   NEEDS_POST                     0: the peer ignores it, having nodes of its own
 *   posted                         what its loop gives to a posted function,
 *   size_t number_of(posted)       and the number that was posted with it
 *   void w_post(struct post *, void (*function)(posted), size_t number)      from any thread
 *   void w_init(void); void w_run(void)                 the loop, in the calling thread, until w_stop
 *   void w_stop(void)                                   called in the loop's thread
 *
 *   posts@1p, posts@2p   one and two threads post as fast as they can, at most WINDOW ahead of the loop
 *   posts_malloc@...     the same, with malloc for each post in its thread and free in the loop's
 *   loop@1p, loop@2p     processor time of the loop's thread for each post of the first two
 *   rtt_cross            post, the function wakes the poster by a semaphore, again
 *   rtt                  the same with both threads where the scheduler likes
 * But for the last the loop is on the first CPU and the posters are on the second. */
#ifndef POSTS_H
#define POSTS_H
#include "../common/bench.h"
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { WINDOW = 65536, PUBLISHED_EACH = 256, POSTS = 4000000, TRIPS = 50000 };

struct own_post {
    struct post post;
    size_t poster;
};

/* In lines of the cache: what both write seldom, the loop's, the thread's. */
static struct poster {
    _Alignas(64) _Atomic uint64_t n_done; /* as far as it is published */
    _Alignas(64) uint64_t n_counted;
    _Alignas(64) struct post *posts;
    struct post last;
    bool has_malloc;
} posters[2];
static _Atomic int n_finished, n_posters;
static sem_t reply;

/* ---- Posted functions ---- */

static void count(struct poster *poster)
{
    /* Published now and then: the counter must not become the contended line. */
    if (++poster->n_counted % PUBLISHED_EACH == 0)
        atomic_store_explicit(&poster->n_done, poster->n_counted, memory_order_release);
}

static void count_post(posted arg)
{
    count(&posters[number_of(arg)]);
}

static void count_and_free(posted arg)
{
    struct own_post *own = (struct own_post *)number_of(arg);
    count(&posters[own->poster]);
    free(own);
}

static void post_reply(posted arg)
{
    (void)arg;
    sem_post(&reply);
}

static void stop(posted arg)
{
    (void)arg;
    w_stop();
}

/* ---- The posting threads ---- */

static void post_with_malloc(size_t number)
{
    struct own_post *own = (struct own_post *)xmalloc(sizeof *own);
    memset(own, 0, sizeof *own);
    own->poster = number;
    w_post(&own->post, count_and_free, (size_t)own);
}

static void *post_all(void *arg)
{
    size_t number = (size_t)arg;
    struct poster *poster = &posters[number];

    pin(1);
    for (uint64_t i = 0; i < POSTS; i++) {
        while (i - atomic_load_explicit(&poster->n_done, memory_order_acquire) >= WINDOW - 2 * PUBLISHED_EACH)
            sched_yield();
        if (poster->has_malloc)
            post_with_malloc(number);
        else
            w_post(&poster->posts[i % WINDOW], count_post, number);
    }
    /* Each thread's posts come in order, so when the last thread's last one has run, so have all. */
    if (atomic_fetch_add(&n_finished, 1) + 1 == n_posters)
        w_post(&poster->last, stop, 0);
    return NULL;
}

static void *make_trips(void *is_free)
{
    static struct post post, last;

    if (is_free)
        unpin();
    else
        pin(1);
    for (int i = 0; i < TRIPS; i++) {
        w_post(&post, post_reply, 0);
        while (sem_wait(&reply))
            ;
    }
    w_post(&last, stop, 0);
    return NULL;
}

/* ---- Measuring ---- */

static uint64_t thread_cpu_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

/* Returns the processor time of the calling thread for each post. */
static double measure_posts(const char *metric, int n, bool has_malloc)
{
    pthread_t threads[2];

    atomic_store(&n_finished, 0);
    atomic_store(&n_posters, n);
    for (int i = 0; i < n; i++) {
        atomic_store(&posters[i].n_done, 0);
        posters[i].n_counted = 0;
        posters[i].has_malloc = has_malloc;
    }
    uint64_t t0 = now_ns(), cpu0 = thread_cpu_ns();
    for (size_t i = 0; i < (size_t)n; i++)
        pthread_create(&threads[i], NULL, post_all, (void *)i);
    w_run();
    double took = (double)(now_ns() - t0), cpu = (double)(thread_cpu_ns() - cpu0);
    for (int i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        if (posters[i].n_counted != POSTS)
            die("not all that was posted has run");
    }
    report(metric, (double)POSTS * n / took * 1e9, "posts/s");
    return cpu / ((double)POSTS * n);
}

static void measure_trips(const char *metric, bool is_free)
{
    pthread_t thread;

    if (is_free)
        unpin();
    uint64_t t0 = now_ns();
    pthread_create(&thread, NULL, make_trips, is_free ? &thread : NULL);
    w_run();
    report(metric, (double)(now_ns() - t0) / TRIPS, "ns");
    pthread_join(thread, NULL);
}

static int posts_main(void)
{
    pin(0);
    w_init();
    sem_init(&reply, 0, 0);
    for (int i = 0; i < 2; i++) {
        posters[i].posts = (struct post *)xmalloc(WINDOW * sizeof(struct post));
        memset(posters[i].posts, 0, WINDOW * sizeof(struct post));
    }
    report("loop@1p", measure_posts("posts@1p", 1, false), "ns");
    report("loop@2p", measure_posts("posts@2p", 2, false), "ns");
    if (NEEDS_POST) {
        (void)measure_posts("posts_malloc@1p", 1, true);
        (void)measure_posts("posts_malloc@2p", 2, true);
    }
    measure_trips("rtt_cross", false);
    measure_trips("rtt", true);
    return 0;
}
#endif
