/* Coroutines on Boost.Context's assembly (make_fcontext, jump_fcontext), from C. */
#include "stack.h"
typedef void *fctx;
struct transfer {
    fctx from;
    void *data;
};
struct transfer jump_fcontext(fctx to, void *data);
fctx make_fcontext(void *sp, size_t size, void (*fn)(struct transfer));
struct coro {
    fctx self, caller;
    void *stack;
    void (*fn)(void);
};
typedef struct coro *co;
static co current;
static void co_yield_(void)
{
    co c = current;
    c->caller = jump_fcontext(c->caller, NULL).from;
}
static void entry(struct transfer t)
{
    co c = current;
    c->caller = t.from;
    c->fn();
    co_yield_();
}
static co co_new(void (*fn)(void))
{
    char *s = stack_get();
    if (!s)
        return NULL;
    co c = (co)(s + STACK - 192);
    *c = (struct coro){ .stack = s, .fn = fn };
    c->self = make_fcontext((char *)c, STACK - 192, entry);
    return c;
}
static void co_resume(co c)
{
    co prev = current;
    current = c;
    c->self = jump_fcontext(c->self, NULL).from;
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
