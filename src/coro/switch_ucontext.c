/* The switch by ucontext, for machines without one of our own, and to compare with. */
#include <coro/switch.h>

#include <ucontext.h>

#include <base/stop.h>

/* A context points to a ucontext_t; that of whoever switches lies on its own stack. */

/* makecontext hands on ints only. */
static void begin(unsigned co_high, unsigned co_low, unsigned entry_high, unsigned entry_low)
{
    void *co = (void *)(uintptr_t)((uint64_t)co_high << 32 | co_low);
    uintptr_t entry = (uintptr_t)((uint64_t)entry_high << 32 | entry_low);

    ((void (*)(void *))entry)(co);
    fate__never("a coroutine's entry does not return");
}

static fate__context make(void *co, void (*entry)(void *co), void *stack_low, void *stack_top, void *memory)
{
    ucontext_t *context = memory;
    uint64_t co_word = (uintptr_t)co;
    uint64_t entry_word = (uintptr_t)entry;

    if (getcontext(context) < 0)
        fate__stop(NULL, "getcontext failed, so no coroutine can be made here.");
    context->uc_stack.ss_sp = stack_low;
    context->uc_stack.ss_size = (size_t)((char *)stack_top - (char *)stack_low);
    context->uc_link = NULL;
    makecontext(context, (void (*)(void))(uintptr_t)begin, 4, (unsigned)(co_word >> 32), (unsigned)co_word,
                (unsigned)(entry_word >> 32), (unsigned)entry_word);
    return context;
}

static void go(fate__context *ret_from, fate__context to)
{
    ucontext_t here;

    *ret_from = &here;
    if (swapcontext(&here, to) < 0)
        fate__stop(NULL, "swapcontext failed, so a coroutine cannot be resumed.");
}

const struct fate__switcher fate__switcher_ucontext = { "ucontext", make, go, sizeof(ucontext_t) };
