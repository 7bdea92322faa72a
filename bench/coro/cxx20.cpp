// C++20 stackless coroutines: frames from operator new, no stack.
#include "../common/bench.h"
#include <coroutine>
#include <exception>
struct task {
    struct promise_type {
        task get_return_object()
        {
            return { std::coroutine_handle<promise_type>::from_promise(*this) };
        }
        std::suspend_always initial_suspend() noexcept
        {
            return {};
        }
        std::suspend_always final_suspend() noexcept
        {
            return {};
        }
        void return_void()
        {
        }
        void unhandled_exception()
        {
            std::terminate();
        }
    };
    std::coroutine_handle<promise_type> h;
};
typedef std::coroutine_handle<task::promise_type> co;
static uint64_t hits;
static __attribute__((noinline)) task loop_fn()
{
    for (;;) {
        hits++;
        co_await std::suspend_always{};
    }
}
static __attribute__((noinline)) task once_fn()
{
    hits++;
    co_return;
}
int main()
{
    unsigned n = 10000000, m = 1000000, k = 100000;
    co c = loop_fn().h;
    uint64_t t0 = now_ns();
    for (unsigned i = 0; i < n; i++)
        c.resume();
    report("switch", double(now_ns() - t0) / n, "ns/pair");
    c.destroy();
    t0 = now_ns();
    for (unsigned i = 0; i < m; i++) {
        c = once_fn().h;
        c.resume();
        c.destroy();
    }
    report("create", double(now_ns() - t0) / m, "ns");
    co *all = new co[k]();
    memset((void *)all, 0, sizeof *all * k);
    long rss = rss_kib();
    t0 = now_ns();
    for (unsigned i = 0; i < k; i++) {
        all[i] = loop_fn().h;
        all[i].resume();
    }
    report("create_cold", double(now_ns() - t0) / k, "ns");
    report("bytes", double(rss_kib() - rss) * 1024 / k, "B");
    for (int rep = 0; rep < 3; rep++) {
        t0 = now_ns();
        for (unsigned i = 0; i < k; i++)
            all[i].resume();
    }
    report("ring@100k", double(now_ns() - t0) / k, "ns/pair");
}
