/* Switching stacks: saving what a function must preserve, and going on elsewhere. */
#ifndef FATE_SRC_CORO_SWITCH_H
#define FATE_SRC_CORO_SWITCH_H

#include <fate/base.h>

/* Where a stack that is not running is to be continued; opaque but for its size. */
typedef void *fate__context;

/* How this machine, or this process, switches. */
struct fate__switcher {
    const char *name;
    /* Makes the context that, when first switched to, calls entry(co) on that stack.  entry does not return.
     * memory has context_bytes for whatever the switcher needs, as long as the coroutine lives. */
    fate__context (*make)(void *co, void (*entry)(void *co), void *stack_low, void *stack_top, void *memory);
    /* Saves where we are in *ret_from and goes on at to. */
    void (*go)(fate__context *ret_from, fate__context to);
    size_t context_bytes;
};

/* The machine's own, or ucontext where there is none, or when FATE_CORO=ucontext is in the environment. */
const struct fate__switcher *fate__choose_switcher(void);

extern const struct fate__switcher fate__switcher_ucontext;
#if defined(__x86_64__) || defined(__aarch64__)
#define FATE__HAS_OWN_SWITCH 1
extern const struct fate__switcher fate__switcher_own;
#endif

#endif
