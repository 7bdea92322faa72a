/* Stacks for coroutines: many, and guarded. */
#ifndef FATE_SRC_CORO_STACK_H
#define FATE_SRC_CORO_STACK_H

#include <base/slab.h>
#include <fate/base.h>

#define FATE__STACK_BYTES ((size_t)65536)

enum fate__guard { FATE__UNGUARDED, FATE__GUARDED, FATE__MPROTECTED };

/* A stack.  Below low there is a page that nobody may touch; or, unguarded, a canary at low. */
struct fate__stack_memory {
    unsigned char *low, *top;
    enum fate__guard guard;
    bool is_common; /* of the common size: kept for the next that wants one */
    void *valgrind_id;
};

struct fate__stacks {
    struct fate__segment *segments; /* of many stacks of the common size */
    size_t page_bytes;
    size_t n_mprotected; /* guards that cost two mappings each */
};

void fate__stacks_init(struct fate__stacks *stacks);
/* One with at least that many bytes to use, 0 for the common size.  False: no memory. */
bool fate__stack_take(struct fate__stacks *stacks, size_t bytes, struct fate__stack_memory *ret_stack);
/* It is not in use for now: what the frames that have ended there have marked is marked no more. */
#ifdef FATE__ASAN
void fate__stack_rest(const struct fate__stack_memory *stack);
#else
static inline void fate__stack_rest(const struct fate__stack_memory *stack)
{
}
#endif
/* One of the common size goes with the others. */
void fate__stack_give(struct fate__stacks *stacks, const struct fate__stack_memory *stack);
/* Gives all of the common size back; none may be in use. */
void fate__stacks_done(struct fate__stacks *stacks);

/* Is the canary of an unguarded stack as it was? */
bool fate__stack_is_whole(const struct fate__stack_memory *stack);
/* How deep it has ever been used, in bytes from the top. */
size_t fate__stack_used(const struct fate__stacks *stacks, const struct fate__stack_memory *stack);

#endif
