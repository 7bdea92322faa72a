/* Offload on libuv: uv_queue_work. */
#include "../common/bench.h"
#include <uv.h>

struct job;
typedef void job_fn(struct job *);
struct job {
    uv_work_t request;
    job_fn *work, *after;
};

static uv_loop_t *loop;

static void run_job(uv_work_t *request)
{
    struct job *job = request->data;
    job->work(job);
}

static void job_is_done(uv_work_t *request, int status)
{
    struct job *job = request->data;
    (void)status;
    job->after(job);
}

static void o_init(int n_threads)
{
    char text[12];
    snprintf(text, sizeof text, "%d", n_threads);
    setenv("UV_THREADPOOL_SIZE", text, 1);
    loop = uv_default_loop();
}

static void o_submit(struct job *job, job_fn *work, job_fn *after)
{
    job->work = work;
    job->after = after;
    job->request.data = job;
    uv_queue_work(loop, &job->request, run_job, job_is_done);
}

static void o_run(void)
{
    uv_run(loop, UV_RUN_DEFAULT);
}

static void o_stop(void)
{
    uv_stop(loop);
}

#include "offload.h"

int main(void)
{
    return offload_main();
}
