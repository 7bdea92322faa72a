/* The first context of a coroutine, laid out as the switch in assembly expects it. */
#include <coro/switch.h>

#ifdef FATE__HAS_OWN_SWITCH

void fate__coro_start(void);

#if defined(__x86_64__)
/* r15, r14, r13, r12: entry, rbx: co, rbp, return address. */
enum { N_WORDS = 7, AT_ENTRY = 3, AT_CO = 4, AT_RETURN = 6 };
#else
/* x19: co, x20: entry, …, x29, x30: return address. */
enum { N_WORDS = 20, AT_ENTRY = 1, AT_CO = 0, AT_RETURN = 19 };
#endif

static fate__context make(void *co, void (*entry)(void *co), void *stack_low, void *stack_top, void *memory)
{
    uintptr_t *words = (uintptr_t *)((uintptr_t)stack_top & ~(uintptr_t)15) - N_WORDS;

    for (int i = 0; i < N_WORDS; i++)
        words[i] = 0;
    words[AT_CO] = (uintptr_t)co;
    words[AT_ENTRY] = (uintptr_t)entry;
    words[AT_RETURN] = (uintptr_t)fate__coro_start;
    return words;
}

const struct fate__switcher fate__switcher_own = { "own", make, fate__switch_stacks, 0 };

#endif
