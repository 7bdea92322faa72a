/* Offload on libfate: fate_defer_to_pool, with a callback, for result and failure, on each deferred. */
#include "../common/bench.h"
#include <fate/fate.h>

struct job;
typedef void job_fn(struct job *);
struct job {
    job_fn *work, *after;
};

static fate_reactor *reactor;
static fate_pool *pool;

static fate_value run_job(fate_value *arg)
{
    struct job *job = fate_as_ptr(arg);
    job->work(job);
    return fate_none();
}

static fate_value job_is_done(fate_value *result, fate_value *arg)
{
    struct job *job = fate_as_ptr(arg);
    if (fate_is_failure(result))
        die("a job failed");
    job->after(job);
    return fate_none();
}

static void o_init(int n_threads)
{
    reactor = fate_reactor_new();
    if (!reactor)
        die("fate_reactor_new");
    pool = fate_pool_new_with(reactor, .name = "bench", .threads_max = (unsigned)n_threads);
}

static void o_submit(struct job *job, job_fn *work, job_fn *after)
{
    job->work = work;
    job->after = after;
    fate_deferred *d = fate_defer_to_pool(pool, run_job, fate_ptr(job));
    fate_add_both(d, job_is_done, fate_ptr(job));
}

static void o_run(void)
{
    errno = -fate_run(reactor);
    if (errno)
        die("fate_run");
}

static void o_stop(void)
{
    fate_crash(reactor); /* after fate_stop it could not run again */
}

#include "offload.h"

int main(void)
{
    int status = offload_main();
    fate_reactor_free(reactor);
    return status;
}
