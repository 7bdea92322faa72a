/* For tests/coro_gdb.py: a coroutine that is resumed by a firing, and stops several frames deep on its own
 * stack. */
#include <fate/fate.h>

static volatile int64_t reached;

__attribute__((noinline)) static void stop_here(int64_t n)
{
    reached = n;
}

__attribute__((noinline)) static int64_t deeper(int64_t n)
{
    stop_here(n);
    return reached + 1;
}

__attribute__((noinline)) static int64_t deep(int64_t n)
{
    return deeper(n + 1) + 1;
}

static fate_value inner_body(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_await(co, fate_as_ptr(arg));
    int64_t n = 0;

    fate_get_int(&v, &n);
    fate_drop(v);
    return fate_int(deep(n));
}

static fate_value outer_body(fate_coro *co, fate_value *arg)
{
    fate_reactor *reactor = fate_coro_reactor(co);
    return fate_await(co, fate_go(reactor, inner_body, fate_take(arg)));
}

__attribute__((noinline)) static void fire_it(fate_deferred *d)
{
    fate_fire(d, fate_int(1));
    reached = 0;
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new_simulated();
    if (!reactor)
        return 1;
    fate_deferred *d = fate_deferred_new(reactor);

    fate_go(reactor, outer_body, fate_ptr(d));
    fire_it(d);
    fate_reactor_free(reactor);
    return 0;
}
