/* The floor of offload: a queue with a mutex and a condition variable, and for the way back an intrusive
 * lock-free stack, with an eventfd that is written only if the loop sleeps.
 *
 * What it costs is wake-ups.  To signal a worker for each job while one idles would be three times slower
 * with all threads on one CPU, and up to ten times where the scheduler spreads them. */
#include "../common/bench.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

struct job;
typedef void job_fn(struct job *);
struct job {
    struct job *next;
    job_fn *work, *after;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t is_work = PTHREAD_COND_INITIALIZER;
static struct job *first, **last = &first;
static int n_idle;           /* workers that wait */
static bool is_wake_pending; /* one of them has been woken and does not run yet */

static _Alignas(64) _Atomic(struct job *) done; /* the last one done is the first */
static _Alignas(64) _Atomic bool is_asleep;
static bool is_stopped;
static int wake_fd, epoll_fd;

/* ---- Waking workers ---- */

/* One wake-up at a time: the woken worker wakes the next if it leaves work behind.  So a job never waits for
 * a worker that is busy while another idles, but those that come quickly do not have a wake-up each. */
static bool claim_wake(void)
{
    if (!first || !n_idle || is_wake_pending)
        return false;
    is_wake_pending = true;
    return true;
}

/* Lets go of the mutex, and only then wakes, so that the woken one does not wait for it. */
static void unlock_and_wake(void)
{
    bool is_waking = claim_wake();
    pthread_mutex_unlock(&mutex);
    if (is_waking)
        pthread_cond_signal(&is_work);
}

/* ---- The workers ---- */

static void wait_for_work(void)
{
    n_idle++;
    pthread_cond_wait(&is_work, &mutex);
    n_idle--;
    is_wake_pending = false;
}

static struct job *next_job(void)
{
    pthread_mutex_lock(&mutex);
    while (!first)
        wait_for_work();
    struct job *job = first;
    first = job->next;
    if (!first)
        last = &first;
    unlock_and_wake();
    return job;
}

static void give_back(struct job *job)
{
    job->next = atomic_load_explicit(&done, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&done, &job->next, job))
        ;
    if (atomic_load(&is_asleep) && atomic_exchange(&is_asleep, false)) {
        uint64_t one = 1;
        if (write(wake_fd, &one, sizeof one) < 0)
            die("write");
    }
}

static void *run_worker(void *arg)
{
    (void)arg;
    for (;;) {
        struct job *job = next_job();
        job->work(job);
        give_back(job);
    }
    return NULL;
}

/* ---- The loop ---- */

static void o_init(int n_threads)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLET };
    pthread_t thread;
    wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &event);
    while (n_threads--)
        pthread_create(&thread, NULL, run_worker, NULL);
}

static void o_submit(struct job *job, job_fn *work, job_fn *after)
{
    *job = (struct job){ NULL, work, after };
    pthread_mutex_lock(&mutex);
    *last = job;
    last = &job->next;
    unlock_and_wake();
}

static struct job *in_order(struct job *job)
{
    struct job *reversed = NULL;
    while (job) {
        struct job *next = job->next;
        job->next = reversed;
        reversed = job;
        job = next;
    }
    return reversed;
}

static void run_afters(struct job *job)
{
    while (job) {
        struct job *next = job->next;
        job->after(job);
        job = next;
    }
}

static void wait_for_jobs(void)
{
    struct epoll_event event;
    atomic_store(&is_asleep, true);
    if (!atomic_load(&done))
        epoll_wait(epoll_fd, &event, 1, -1);
    atomic_store(&is_asleep, false);
}

static void o_run(void)
{
    struct epoll_event event;
    for (is_stopped = false; !is_stopped;) {
        struct job *finished = atomic_exchange(&done, NULL);
        if (!finished) {
            wait_for_jobs();
            continue;
        }
        run_afters(in_order(finished));
        epoll_wait(epoll_fd, &event, 1, 0); /* the loop's other descriptors; and more jobs gather meanwhile */
    }
}

static void o_stop(void)
{
    is_stopped = true;
}

#include "offload.h"

int main(void)
{
    return offload_main();
}
