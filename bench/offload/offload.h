/* Empty jobs to a pool of 4 threads and back, common to the C peers.  A peer defines:
 *   struct job             one job, the caller's, which stays until after has run
 *   void o_init(int n_threads); void o_run(void); void o_stop(void)
 *   void o_submit(struct job *, job_fn *work, job_fn *after)    work(job) in a thread, then after(job) in the
 * loop
 *
 * So many jobs are kept in flight: after each the next is submitted.  jobs@1 has one in flight, so its
 * inverse is the time of a round trip. */
#ifndef OFFLOAD_H
#define OFFLOAD_H
#include "../common/bench.h"
#include <stdbool.h>
#include <sys/wait.h>

enum { IN_FLIGHT_MAX = 128, N_THREADS = 4 };
static struct job jobs[IN_FLIGHT_MAX];
static uint64_t n_left, n_running;

static void work(struct job *job)
{
    (void)job;
}

static void after(struct job *job)
{
    if (n_left) {
        n_left--;
        o_submit(job, work, after);
    } else if (!--n_running) {
        o_stop();
    }
}

static double jobs_per_second(int n_in_flight, uint64_t n)
{
    uint64_t t0 = now_ns();
    n_left = n - (uint64_t)n_in_flight;
    n_running = (uint64_t)n_in_flight;
    for (int i = 0; i < n_in_flight; i++)
        o_submit(&jobs[i], work, after);
    o_run();
    return (double)n / (double)(now_ns() - t0) * 1e9;
}

static void measure(const char *many, const char *one)
{
    o_init(N_THREADS);
    (void)jobs_per_second(IN_FLIGHT_MAX, 20000); /* starts the threads */
    report(many, jobs_per_second(IN_FLIGHT_MAX, 1000000), "jobs/s");
    report(one, jobs_per_second(1, 50000), "jobs/s");
}

/* In a process of its own, since its threads will keep to the CPU of the one that made them. */
static void measure_on_one_cpu(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        pin(0);
        measure("jobs@128_one_cpu", "jobs@1_one_cpu");
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
        die("the measurement on one CPU");
}

static int offload_main(void)
{
    measure_on_one_cpu();
    measure("jobs@128", "jobs@1");
    return 0;
}
#endif
