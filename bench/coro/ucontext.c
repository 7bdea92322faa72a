/* Coroutines on ucontext: swapcontext saves the signal mask, two system calls a pair. */
#include "stack.h"
#include <ucontext.h>
struct coro {
    ucontext_t self, caller;
    void *stack;
    void (*fn)(void);
};
typedef struct coro *co;
static co current;
static void co_yield_(void)
{
    swapcontext(&current->self, &current->caller);
}
static void entry(void)
{
    current->fn();
    co_yield_();
}
/* Apart, since getcontext returns twice and what co_new has in registers need not survive that. */
static __attribute__((noinline)) void prepare(co c)
{
    getcontext(&c->self);
    c->self.uc_stack.ss_sp = c->stack;
    c->self.uc_stack.ss_size = STACK - 64;
    c->self.uc_link = NULL;
    makecontext(&c->self, entry, 0);
}

static co co_new(void (*fn)(void))
{
    co c = xmalloc(sizeof *c);
    c->stack = stack_get();
    if (!c->stack)
        return NULL;
    c->fn = fn;
    prepare(c);
    return c;
}

static void co_resume(co c)
{
    co prev = current;
    current = c;
    swapcontext(&c->caller, &c->self);
    current = prev;
}
static void co_free(co c)
{
    stack_put(c->stack);
    free(c);
}
#include "coro.h"
int main(void)
{
    return coro_main();
}
