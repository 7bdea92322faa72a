/* Switching stacks: saving what a function must preserve, and going on elsewhere. */
#ifndef FATE_SRC_CORO_SWITCH_H
#define FATE_SRC_CORO_SWITCH_H

#include <base/stop.h>
#include <fate/value.h>

/* Where a stack that is not running is to be continued; opaque but for its size. */
typedef void *fate__context;

/* How this machine, or this process, switches. */
struct fate__switcher {
    const char *name;
    /* Makes the context that, when first switched to, calls entry(co) on that stack.  entry does not return.
     * memory has context_bytes for whatever the switcher needs, as long as the coroutine lives. */
    fate__context (*make)(void *co, void (*entry)(void *co), void *stack_low, void *stack_top, void *memory);
    /* Saves where we are in *ret_from and goes on at to, where the go that left from there returns given. */
    fate_value (*go)(fate__context *ret_from, fate__context to, fate_value given);
    size_t context_bytes;
};

/* The machine's own, or ucontext where there is none, or when FATE_CORO=ucontext is in the environment. */
const struct fate__switcher *fate__choose_switcher(void);

extern const struct fate__switcher fate__switcher_ucontext;
#if defined(__x86_64__) || defined(__aarch64__)
#define FATE__HAS_OWN_SWITCH 1
extern const struct fate__switcher fate__switcher_own;
fate_value fate__switch_stacks(fate__context *ret_from, fate__context to, fate_value given);
#endif

/* go, which is not called but jumped to.  A processor remembers calls, and takes each return for that from
 * the last one; calls of go are left by jumps, so all returns after a switch would be taken for others.  The
 * function that this is in calls others too, so that what lies below its stack pointer is free. */
static inline void fate__switch_here(const struct fate__switcher *switcher, fate__context *ret_from,
                                     fate__context to, fate_value given)
{
#if defined(__x86_64__)
    if (fate__likely(switcher == &fate__switcher_own)) {
        const void *type = given.type;
        int64_t word = given.as.i;
        __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
                         "pushq %%rax\n\t"
                         "jmp fate__switch_stacks\n"
                         "1:"
                         : "+D"(ret_from), "+S"(to), "+d"(type), "+c"(word)
                         :
                         : "rax", "r8", "r9", "r10", "r11", "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3",
                           "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                           "xmm14", "xmm15");
        return;
    }
#endif
    switcher->go(ret_from, to, given);
}

#endif
