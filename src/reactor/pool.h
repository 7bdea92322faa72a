/* A pool from inside, for pool.c and pool_look.c. */
#ifndef FATE_SRC_REACTOR_POOL_H
#define FATE_SRC_REACTOR_POOL_H

#include <pthread.h>
#include <stdatomic.h>

#include <reactor/job.h>
#include <reactor/reactor.h>

struct fate_pool {
    struct fate__owned owned;
    struct fate__link link; /* in the reactor's list */
    const char *name;
    size_t waiting_max;
    bool has_started;
    bool may_spin;          /* there is more than one processor */
    atomic_uint n_looking;  /* threads that look for a job for a while before they sleep */
    pthread_mutex_t lock;   /* for what follows */
    struct fate__link line; /* of jobs, the oldest first */
    size_t n_waiting;
    struct fate__link idle, busy, ended; /* threads; those that are looking come first */
    unsigned n_threads, n_idle, threads_min, threads_max;
    unsigned n_coming;     /* threads that have been given a job and have not looked at the line yet */
    atomic_bool is_closed; /* no more is taken in; its threads look at it without the lock too */
    fate_time longest_wait;
    uint64_t n_done;
};

/* Its `look`, for the report. */
void fate__pool_look(struct fate__owned *owned, fate__see_fn *see, void *arg);

#endif
