/* Threads, as the loop sees them. */
#ifndef FATE_SRC_REACTOR_THREAD_H
#define FATE_SRC_REACTOR_THREAD_H

#include <pthread.h>

#include <base/list.h>
#include <base/slab.h>
#include <fate/thread.h>

struct fate__threads {
    fate_pool *own;          /* the reactor's own pool; NULL: not asked for yet */
    struct fate__link pools; /* all of them */
    struct fate__slab *jobs; /* NULL: there has been no pool yet */
    bool has_started, has_stopped;
    /* Blocking calls that are not answered yet, under the lock. */
    pthread_mutex_t lock;
    struct fate__link blocking;
    bool refuses_blocking;
};

void fate__threads_init(fate_reactor *reactor);
/* The reactor begins to run, or to be iterated: so do its pools.  Twice is once. */
void fate__threads_begin(fate_reactor *reactor);
/* Part of the shutdown: unanswered blocking calls return a FATE_CANCELLED failure; then the pools finish what
 * they have been given, and their threads are joined.  Twice is once. */
void fate__threads_stop(fate_reactor *reactor);
/* Drops what jobs have in them that nobody was told of any more. */
void fate__threads_drop(fate_reactor *reactor);
/* Gives the memory back. */
void fate__threads_done(fate_reactor *reactor);
/* 0, or -ENOMEM: there is no memory for jobs. */
int fate__threads_need_jobs(fate_reactor *reactor);

/* A thread that takes no signals but those of its own faults.  0 or an errno. */
int fate__thread_create(pthread_t *ret_thread, void *(*body)(void *arg), void *arg);

/* A value is to cross to another thread: 0, or -ENOMEM.  One that must not stops the program; what: the
 * function, site: where it was called. */
int fate__cross(fate_value *v, const char *what, const char *site);

#endif
