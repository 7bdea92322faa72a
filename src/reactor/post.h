/* Calls that other threads hand in, and how they wake a loop that sleeps.
 *
 * The queue is Vyukov's for many producers and one consumer: a post is one exchange.  Nodes are the
 * library's; the consumer gives them back in batches, and each producer keeps those it has taken back for
 * itself.
 *
 * Waking: before it sleeps the loop says so in `asleep`, and then looks once more for work.  A producer
 * first puts its node in, and then looks at `asleep`: so one of the two sees the other.  Whoever turns
 * `asleep` off writes the eventfd, so that only the first post to a sleeping loop costs a system call.
 * tests/models/wake.pml is a model of it. */
#ifndef FATE_SRC_REACTOR_POST_H
#define FATE_SRC_REACTOR_POST_H

#include <stdatomic.h>

#include <base/stop.h>
#include <fate/reactor.h>

struct fate__post {
    _Atomic(struct fate__post *) next;
    fate_action *action;
    fate_value arg;
    const char *site;
};

struct fate__posts {
    /* Producers and the consumer have a line of the cache each, and share none with what is around. */
    char begin[64];
    _Atomic(struct fate__post *) newest;
    _Atomic(struct fate__post *) returned; /* nodes that producers may take back, all at once */
    char producers_end[64];
    struct fate__post *oldest; /* empty: those behind it are waiting */
    /* To be returned: from spent on to last_spent, the one before oldest; none while spent is oldest. */
    struct fate__post *spent, *last_spent, *last_returned;
    uint64_t n_called;
    char consumer_end[64];
    atomic_bool asleep;
    atomic_bool is_closed; /* no more is taken in */
    int wake_fd;
};

/* 0 or -errno; done follows in any case.  posts is zeroed, and wake_fd -1. */
int fate__posts_init(struct fate__posts *posts);
void fate__posts_done(struct fate__posts *posts);
/* Drops what waits, without calling it. */
void fate__posts_drop(struct fate__posts *posts);

/* From any thread.  0, -ENOMEM or -ESHUTDOWN; arg is given. */
int fate__post(struct fate__posts *posts, fate_action *action, fate_value arg, const char *site);
/* For what must not fail when it comes to be posted: a node for it, or NULL without memory.  It is posted
 * from any thread, also when no more is taken in, or given up. */
struct fate__post *fate__post_prepare(struct fate__posts *posts);
void fate__post_prepared(struct fate__posts *posts, struct fate__post *post);
void fate__post_give_up(struct fate__post *post);
/* From any thread, and from signal handlers: the loop does not go on sleeping. */
void fate__posts_wake(struct fate__posts *posts);

static inline bool fate__posts_are_waiting(struct fate__posts *posts)
{
    return atomic_load(&posts->newest) != posts->oldest;
}

static inline void fate__posts_awake(struct fate__posts *posts)
{
    if (atomic_load_explicit(&posts->asleep, memory_order_relaxed))
        atomic_store(&posts->asleep, false);
}

/* Nodes go round, and so are mostly used in the order in which they lie in memory.  What another processor
 * has written is fetched some nodes ahead, wherever that may lead. */
#define FATE__AHEAD_BYTES ((uintptr_t)256)
#define fate__post_prefetch(post, is_for_writing)                                                            \
    __builtin_prefetch((const void *)((uintptr_t)(post) + FATE__AHEAD_BYTES), is_for_writing)

/* The newest post of now, up to which one round goes (R239). */
static inline struct fate__post *fate__posts_mark(struct fate__posts *posts)
{
    return atomic_load_explicit(&posts->newest, memory_order_acquire);
}
struct fate__post *fate__posts_wait(struct fate__post *post);
/* Takes the oldest post out, which must not be behind a mark that has been reached.  It can be read until the
 * next call. */
static inline const struct fate__post *fate__posts_next(struct fate__posts *posts)
{
    struct fate__post *spent = posts->oldest;
    struct fate__post *next = atomic_load_explicit(&spent->next, memory_order_acquire);

    if (fate__unlikely(!next))
        next = fate__posts_wait(spent);
    fate__post_prefetch(next, 0);
    posts->last_spent = spent;
    posts->oldest = next;
    posts->n_called++;
    return next;
}
/* For the report: each that waits, oldest first. */
void fate__posts_each(const struct fate__posts *posts,
                      void (*visit)(const struct fate__post *post, void *arg), void *arg);
/* Gives the nodes that were taken back to the producers, as they hang together. */
void fate__posts_recycle(struct fate__posts *posts);

#endif
