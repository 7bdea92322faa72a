/* libfate's deferreds, with everything on that a release build has: sites, paths, reports, sweeps.
 * Deferreds go at the end of their turn; a turn here has 1,000 of them, and 10,000 in fire1_turn10k. */
#include "../common/bench.h"
#include <fate/fate.h>

static volatile int64_t sink;

static fate_value add(fate_value *v, fate_value *arg)
{
    return fate_int(fate_as_int(v) + fate_as_int(arg));
}

struct batch {
    fate_reactor *reactor;
    int n_callbacks, n;
};

static void run_batch(fate_value *arg)
{
    struct batch *batch = fate_as_ptr(arg);
    for (int i = 0; i < batch->n; i++) {
        fate_deferred *d = fate_deferred_new(batch->reactor);
        for (int c = 0; c < batch->n_callbacks; c++)
            fate_add_callback(d, add, fate_int(1));
        fate_fire(d, fate_int(i));
    }
}

static void flat(fate_reactor *reactor, const char *name, int n_callbacks, int per_turn)
{
    struct batch batch = { reactor, n_callbacks, per_turn };
    int n = 3000000 / per_turn;

    fate_turn(reactor, run_batch, fate_ptr(&batch));
    uint64_t t0 = now_ns();
    for (int i = 0; i < n; i++)
        fate_turn(reactor, run_batch, fate_ptr(&batch));
    report(name, (double)(now_ns() - t0) / ((double)n * per_turn), "ns/deferred");
}

static fate_value return_fired(fate_value *v, fate_value *arg)
{
    return fate_follow(fate_succeed(fate_as_ptr(arg), fate_int(fate_as_int(v) + 1)));
}

static void chain(fate_reactor *reactor, uint32_t n, const char *name)
{
    uint64_t t0 = now_ns();
    fate_deferred *d = fate_hold(fate_deferred_new(reactor));
    for (uint32_t i = 0; i < n; i++)
        fate_add_callback(d, return_fired, fate_ptr(reactor));
    fate_fire(d, fate_int(0));
    sink = fate_as_int(fate_peek(d));
    fate_release(d);
    fate_advance(reactor, 0);
    report(name, (double)(now_ns() - t0) / n, "ns/callback");
    if (sink != n)
        die("chain");
}

static fate_value return_inner(fate_value *v, fate_value *inner)
{
    return fate_follow(fate_as_ptr(inner));
}

/* Each waits for the next, which is fired after it; the last one's value goes all the way out. */
static void nested(fate_reactor *reactor, uint32_t n)
{
    fate_deferred **ds = xmalloc(n * sizeof *ds);
    memset(ds, 0, n * sizeof *ds);
    long rss = rss_kib();
    uint64_t t0 = now_ns();
    for (uint32_t i = 0; i < n; i++)
        ds[i] = fate_deferred_new(reactor);
    fate_hold(ds[0]);
    for (uint32_t i = 0; i + 1 < n; i++)
        fate_add_callback(ds[i], return_inner, fate_ptr(ds[i + 1]));
    for (uint32_t i = 0; i + 1 < n; i++)
        fate_fire(ds[i], fate_none());
    rss = rss_kib() - rss;
    fate_fire(ds[n - 1], fate_int(1));
    sink = fate_as_int(fate_peek(ds[0]));
    fate_release(ds[0]);
    fate_advance(reactor, 0);
    report("nested@1e6", (double)(now_ns() - t0) / n, "ns/level");
    report("nested_bytes", (double)rss * 1024 / n, "B/deferred");
    free(ds);
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new_simulated();

    flat(reactor, "fire1", 1, 1000);
    flat(reactor, "fire3", 3, 1000);
    flat(reactor, "fire10", 10, 1000);
    flat(reactor, "fire1_turn10k", 1, 10000);
    chain(reactor, 100000, "chain@1e5");
    chain(reactor, 1000000, "chain@1e6");
    nested(reactor, 1000000);
    fate_reactor_free(reactor);
    return 0;
}
