/* The switch by ucontext, for machines without one of our own, and to compare with. */
#include <coro/switch.h>

#include <ucontext.h>

#include <base/stop.h>

/* What a context points to; that of whoever switches lies on its own stack. */
struct place {
    ucontext_t context;
    fate_value given; /* to it, when it goes on */
};

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
    struct place *place = memory;
    ucontext_t *context = &place->context;
    uint64_t co_word = (uintptr_t)co;
    uint64_t entry_word = (uintptr_t)entry;

    if (getcontext(context) < 0)
        fate__stop(NULL, "getcontext failed, so no coroutine can be made here.");
    context->uc_stack.ss_sp = stack_low;
    context->uc_stack.ss_size = (size_t)((char *)stack_top - (char *)stack_low);
    context->uc_link = NULL;
    makecontext(context, (void (*)(void))(uintptr_t)begin, 4, (unsigned)(co_word >> 32), (unsigned)co_word,
                (unsigned)(entry_word >> 32), (unsigned)entry_word);
    return place;
}

static fate_value go(fate__context *ret_from, fate__context to, fate_value given)
{
    struct place here, *there = to;

    *ret_from = &here;
    there->given = given;
    if (swapcontext(&here.context, &there->context) < 0)
        fate__stop(NULL, "swapcontext failed, so a coroutine cannot be resumed.");
    return here.given;
}

const struct fate__switcher fate__switcher_ucontext = { "ucontext", make, go, sizeof(struct place) };
