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

#include <fate/reactor.h>

struct fate__post {
    _Atomic(struct fate__post *) next;
    fate_action *action;
    fate_value arg;
    const char *site;
};

struct fate__posts {
    /* Producers and the consumer have a line of the cache each. */
    _Atomic(struct fate__post *) newest;
    _Atomic(struct fate__post *) returned; /* nodes that producers may take back, all at once */
    char producers_end[64];
    struct fate__post *oldest;             /* empty: those behind it are waiting */
    struct fate__post *spent, *spent_last; /* to be returned, by next */
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

/* The newest post of now, up to which one round goes (R239). */
static inline struct fate__post *fate__posts_mark(struct fate__posts *posts)
{
    return atomic_load_explicit(&posts->newest, memory_order_acquire);
}
/* Takes the oldest post out, unless it lies behind mark. */
bool fate__posts_take(struct fate__posts *posts, const struct fate__post *mark, struct fate__post *ret_post);
/* Gives the nodes that were taken back to the producers. */
void fate__posts_recycle(struct fate__posts *posts);

#endif
