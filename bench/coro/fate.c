/* libfate's coroutines: with deferreds, reports and guard pages, as a program uses them.
 *
 *   await         make a deferred, await it, fire it, resume
 *   switch        resume + yield, for which there is no function: what awaiting adds to making and firing
 *   await_fired   await on a deferred that has fired: no switch
 *   create        start, run to the end, free
 *   create_cold, ring@100k, bytes as the peers */
#include "../common/bench.h"
#include <fate/fate.h>

static fate_reactor *reactor;
static uint64_t hits;

/* ---- One coroutine ---- */

struct loop {
    fate_deferred *next; /* what it awaits */
    uint32_t n;
};

static fate_value await_n(fate_coro *co, fate_value *arg)
{
    struct loop *loop = fate_as_ptr(arg);
    for (uint32_t i = 0; i < loop->n; i++) {
        loop->next = fate_deferred_new(reactor);
        fate_drop(fate_await(co, loop->next));
        hits++;
    }
    return fate_none();
}

static void fire_n(fate_value *arg)
{
    struct loop *loop = fate_as_ptr(arg);
    for (uint32_t i = 0; i < loop->n; i++)
        fate_fire(loop->next, fate_int(i));
}

/* What await_n and fire_n do, with nobody waiting. */
static void make_and_fire_n(fate_value *arg)
{
    struct loop *loop = fate_as_ptr(arg);
    for (uint32_t i = 0; i < loop->n; i++) {
        loop->next = fate_deferred_new(reactor);
        fate_fire(loop->next, fate_int(i));
        fate_forget(loop->next);
        hits++;
    }
}

static void bench_await(uint32_t n)
{
    struct loop loop = { NULL, n };
    uint64_t t0 = now_ns();
    fate_go(reactor, await_n, fate_ptr(&loop));
    fate_turn(reactor, fire_n, fate_ptr(&loop));
    uint64_t t1 = now_ns();
    fate_turn(reactor, make_and_fire_n, fate_ptr(&loop));
    uint64_t t2 = now_ns();
    double with = (double)(t1 - t0) / n, without = (double)(t2 - t1) / n;
    report("await", with, "ns");
    report("switch", with - without, "ns/pair");
}

static fate_value await_fired_n(fate_coro *co, fate_value *arg)
{
    int64_t n = fate_as_int(arg);
    uint64_t t0 = now_ns();
    for (int64_t i = 0; i < n; i++)
        fate_drop(fate_await(co, fate_succeed(reactor, fate_int(i))));
    uint64_t t1 = now_ns();
    for (int64_t i = 0; i < n; i++)
        fate_forget(fate_succeed(reactor, fate_int(i)));
    uint64_t t2 = now_ns();
    double with = (double)(t1 - t0) / (double)n, without = (double)(t2 - t1) / (double)n;
    report("await_fired_with_making", with, "ns");
    report("await_fired", with - without, "ns");
    return fate_none();
}

/* ---- Creating ---- */

static fate_value once(fate_coro *co, fate_value *arg)
{
    hits++;
    return fate_none();
}

static void create_n(fate_value *arg)
{
    for (int i = 0; i < 1000; i++)
        fate_go(reactor, once, fate_none());
}

static void bench_create(uint32_t m)
{
    uint64_t t0 = 0;
    for (int rep = 0; rep < 2; rep++) {
        t0 = now_ns();
        for (uint32_t i = 0; i < m; i += 1000)
            fate_turn(reactor, create_n, fate_none());
    }
    report("create", (double)(now_ns() - t0) / m, "ns");
}

/* ---- Many ---- */

struct many {
    fate_deferred **of;
    uint32_t k;
};

static fate_value wait_for_ever(fate_coro *co, fate_value *arg)
{
    fate_deferred **mine = fate_as_ptr(arg);
    for (;;) {
        *mine = fate_deferred_new(reactor);
        fate_value v = fate_await(co, *mine);
        if (fate_is_failure(&v))
            return v;
        fate_drop(v);
    }
}

static void fire_all(fate_value *arg)
{
    struct many *many = fate_as_ptr(arg);
    for (uint32_t i = 0; i < many->k; i++)
        fate_fire(many->of[i], fate_none());
}

static void bench_many(uint32_t k)
{
    struct many many = { xmalloc(k * sizeof(fate_deferred *)), k };
    memset(many.of, 0, k * sizeof(fate_deferred *));
    long rss = rss_kib();
    uint64_t t0 = now_ns();
    for (uint32_t i = 0; i < k; i++)
        fate_go(reactor, wait_for_ever, fate_ptr(&many.of[i]));
    report("create_cold", (double)(now_ns() - t0) / k, "ns");
    report("bytes", (double)(rss_kib() - rss) * 1024 / k, "B");
    for (int rep = 0; rep < 3; rep++) {
        t0 = now_ns();
        fate_turn(reactor, fire_all, fate_ptr(&many));
    }
    report("ring@100k", (double)(now_ns() - t0) / k, "ns/pair");
    fate_reactor_free(reactor);
    free(many.of);
}

int main(void)
{
    reactor = fate_reactor_new_simulated();
    bench_await(1000000);
    bench_await(10000000);
    fate_go(reactor, await_fired_n, fate_int(10000000));
    fate_advance(reactor, 0);
    bench_create(1000000);
    bench_many(100000);
    return 0;
}
