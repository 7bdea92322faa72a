/* The coroutine workload, common to the C peers. A peer defines:
 *   typedef ... *co;  co co_new(void (*fn)(void))  void co_resume(co)  void co_yield_(void)  void co_free(co)
 * (co_free of a coroutine that has returned, or that is suspended and abandoned)
 *   switch     resume + yield of one coroutine, ns per pair
 *   create     new, first resume to the end, free, ns
 *   ring@100k  100,000 suspended coroutines resumed in turn, ns per pair (cache-cold)
 *   bytes      RSS per coroutine, of the 100,000, each run once and suspended
 */
#ifndef CORO_H
#define CORO_H
#include "../common/bench.h"

static uint64_t hits;

static void loop_fn(void)
{
    for (;;) {
        hits++;
        co_yield_();
    }
}
static void once_fn(void)
{
    hits++;
}

static int coro_main(void)
{
    uint32_t n = 10000000, m = 1000000, k = 100000;
    co c = co_new(loop_fn);
    co_resume(c);
    uint64_t t0 = now_ns();
    for (uint32_t i = 0; i < n; i++)
        co_resume(c);
    report("switch", (double)(now_ns() - t0) / n, "ns/pair");
    co_free(c);

    for (int rep = 0; rep < 2; rep++) {
        t0 = now_ns();
        for (uint32_t i = 0; i < m; i++) {
            c = co_new(once_fn);
            co_resume(c);
            co_free(c);
        }
    }
    report("create", (double)(now_ns() - t0) / m, "ns");

    co *all = xmalloc(sizeof *all * k);
    memset(all, 0, sizeof *all * k);
    long rss = rss_kib();
    t0 = now_ns();
    for (uint32_t i = 0; i < k; i++) {
        all[i] = co_new(loop_fn);
        if (!all[i]) {
            fprintf(stderr, "only %u coroutines\n", i);
            return 1;
        }
        co_resume(all[i]);
    }
    report("create_cold", (double)(now_ns() - t0) / k, "ns");
    report("bytes", (double)(rss_kib() - rss) * 1024 / k, "B");
    for (int rep = 0; rep < 3; rep++) {
        t0 = now_ns();
        for (uint32_t i = 0; i < k; i++)
            co_resume(all[i]);
    }
    report("ring@100k", (double)(now_ns() - t0) / k, "ns/pair");
    return 0;
}
#endif
