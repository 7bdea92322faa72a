/* Jobs for threads, and the pools that do them. */
#ifndef FATE_SRC_REACTOR_JOB_H
#define FATE_SRC_REACTOR_JOB_H

#include <stdatomic.h>

#include <base/list.h>
#include <fate/thread.h>
#include <reactor/post.h>

enum fate__job_state {
    FATE__JOB_FREE,  /* in the slab */
    FATE__JOB_WAITS, /* in line; the pool is alive */
    FATE__JOB_BEGUN  /* a thread has it, or has had it */
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
    fate_time since;  /* it waits, on the coarse clock */
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
const char *fate__pool_name(const fate_pool *pool);
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

#endif
