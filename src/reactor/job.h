/* Jobs for threads, and the pools that do them. */
#ifndef FATE_SRC_REACTOR_JOB_H
#define FATE_SRC_REACTOR_JOB_H

#include <stdatomic.h>

#include <base/list.h>
#include <deferred/turn.h>
#include <fate/thread.h>
#include <reactor/post.h>

enum fate__job_state {
    FATE__JOB_FREE,  /* in the slab */
    FATE__JOB_WAITS, /* in line; the pool is alive */
    FATE__JOB_BEGUN, /* a thread has it; the pool is alive */
    FATE__JOB_OVER   /* it is no thread's any more, or will be none's; the pool may be gone */
};

/* It is the reactor's; between begun and told it belongs to a thread, but for d and log_failure. */
struct fate__job {
    struct fate__link link; /* in its pool's line, under the pool's lock */
    fate_pool *pool;
    struct fate__post *told; /* the post of its end, made at its beginning, so that it cannot fail */
    fate_function *function;
    fate_value value; /* its arg, then its result */
    const char *site;
    fate_deferred *d; /* NULL: nobody waits for it */
    fate_time since;  /* it waits, or a thread has it, on the coarse clock; under the pool's lock */
    _Atomic int state;
    bool logs_failure;
};

/* ---- pool.c ---- */

/* By its link in the reactor's list. */
fate_pool *fate__pool_of(struct fate__link *link);
/* Has it no place for one more? */
bool fate__pool_is_full(fate_pool *pool);
/* A job for it.  0, or the errno for which there is no thread and none can be made; it then has not taken the
 * job. */
int fate__pool_give(fate_pool *pool, struct fate__job *job);
/* Takes a job out of its line; false: it has begun. */
bool fate__pool_take_back(struct fate__job *job);
bool fate__pool_has_started(const fate_pool *pool);
/* It is being freed, or its reactor has stopped; for its threads too. */
bool fate__pool_is_closed(fate_pool *pool);
/* The pool whose thread this is; NULL: none. */
fate_pool *fate__this_pool(void);
/* For the report: what a job waits for, and the pool, NULL when it is no thread's business any more. */
const fate_pool *fate__pool_describe(const struct fate__job *job, char *to, size_t n);
fate_reactor *fate__pool_reactor(const fate_pool *pool);
bool fate__pool_is_no_memory(const fate_pool *pool);
void fate__pool_start(fate_pool *pool);
/* Finishes what it has been given and joins its threads.  From one that has not started the jobs are not
 * taken out. */
void fate__pool_stop(fate_pool *pool);

/* ---- job.c ---- */

/* In a thread: does the job. */
void fate__job_do(struct fate__job *job);
/* In a thread: the reactor is told that it is done.  It may be gone then. */
void fate__job_tell(struct fate__job *job);
/* In the reactor's thread: a job that has not begun will not, for that errno, or ECANCELED. */
void fate__job_refuse(struct fate__job *job, int why);
/* The same, but who waits for it is told in the next round, as of any end: for those who go on with the pool.
 */
void fate__job_refuse_later(struct fate__job *job, int why);
/* For the report: a job that nobody waits for, which else nothing would show. */
void fate__job_see(const struct fate__job *job, fate__see_fn *see, void *arg);

#endif
