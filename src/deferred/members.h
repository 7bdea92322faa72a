/* What settling and racing share: a deferred that listens to members, and knows when each has been heard. */
#ifndef FATE_SRC_DEFERRED_MEMBERS_H
#define FATE_SRC_DEFERRED_MEMBERS_H

#include <deferred/deferred.h>

struct fate__members {
    fate_deferred *d; /* the one that fires */
    size_t n;
    size_t n_unheard; /* members whose level has not been reached */
    size_t n_heard;
    unsigned flags;        /* as settle or race likes */
    unsigned n_cancelling; /* loops over the members that are under way: none may be let go */
    const char *site;
    fate_value results; /* a list of n, none where nobody has reported */
    /* Hears member i, whose result is d->result; returns what is to run first, as a native level. */
    fate_deferred *(*hear)(struct fate__members *members, fate_deferred *member, size_t i);
    fate_deferred *of[];
};

/* The record of members, held from now on; NULL: no memory.  d and hear are the caller's to set. */
struct fate__members *fate__members_new(size_t n, fate_deferred *const members[], const char *what,
                                        const char *site);
/* Adds a level to each.  Those that have fired are heard before this returns. */
void fate__members_listen(struct fate__members *members);
/* Cancels each in order but for one; SIZE_MAX: all. */
void fate__members_cancel(struct fate__members *members, size_t but, const char *site);
void fate__members_release(struct fate__members *members);
void fate__members_free(struct fate__members *members);
/* As a source's `waits`. */
void fate__members_wait(const void *data, struct fate__waits *ret);
/* The level on each, whose arg is the record. */
extern const struct fate__native fate__member_level;

/* The place of member i in results, which is none until written. */
static inline fate_value *fate__members_result(struct fate__members *members, size_t i)
{
    return (fate_value *)(uintptr_t)fate_at(&members->results, i);
}

#endif
