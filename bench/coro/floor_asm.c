/* Coroutine floor: six callee-saved registers and the stack pointer, System V x86-64.
 * The FP control words are left alone. The control block lies at the top of the stack. */
#include "stack.h"

struct coro {
    void *sp, *caller_sp, *stack;
    void (*fn)(void);
    int done;
};
typedef struct coro *co;
static co current;

void co_swap(void **save, void *to);
__asm__(".text\n.p2align 4\n.type co_swap,@function\nco_swap:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  movq %rsp, (%rdi)\n  movq %rsi, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  popq %rcx\n  jmp *%rcx\n.size co_swap,.-co_swap\n");

static void co_yield_(void)
{
    co c = current;
    co_swap(&c->sp, c->caller_sp);
}
static void entry(void)
{
    co c = current;
    c->fn();
    c->done = 1;
    co_yield_();
    __builtin_trap();
}
static co co_new(void (*fn)(void))
{
    char *s = stack_get();
    if (!s)
        return NULL;
    co c = (co)(s + STACK - 192);
    void **sp = (void **)((uintptr_t)c & ~15ull);
    *c = (struct coro){ .stack = s, .fn = fn };
    *--sp = NULL;
    *--sp = (void *)entry;
    sp -= 6;
    c->sp = sp;
    return c;
}
static void co_resume(co c)
{
    co prev = current;
    current = c;
    co_swap(&c->caller_sp, c->sp);
    current = prev;
}
static void co_free(co c)
{
    stack_put(c->stack);
}

#include "coro.h"
int main(void)
{
    return coro_main();
}
