/* libfate's delayed calls on simulated time, through the public functions: a timer is a handle, whose memory
 * the library has.  Where the others read their clocks, this one's moves by a microsecond and the reactor
 * looks for what is due.  For expire it jumps past all deadlines, where the others sleep; each call is a
 * turn. */
#include "../common/bench.h"
#include <fate/fate.h>

struct T {
    fate_timer t;
};
static uint64_t fired;
static fate_reactor *reactor;
static fate_time to_pass;
static bool asks_next;
static volatile fate_time sleep_for;

static void on_fire(fate_value *arg)
{
    fired++;
}

static inline void t_start(struct T *t, unsigned ms)
{
    t->t = fate_call_later(reactor, ms * FATE_MILLISECOND, on_fire, fate_ptr(t));
    if (t->t.id < 0)
        die("fate_call_later");
}

static inline void t_rearm(struct T *t, unsigned ms)
{
    if (fate_timer_reset(t->t, ms * FATE_MILLISECOND) < 0)
        die("fate_timer_reset");
}

static inline void t_cancel(struct T *t)
{
    if (fate_timer_cancel(t->t) < 0)
        die("fate_timer_cancel");
}

static void t_tick(void)
{
    fate_advance(reactor, FATE_MICROSECOND);
    if (asks_next)
        sleep_for = fate_next_timeout(reactor);
}

static void t_pass(unsigned ms)
{
    to_pass = ms * FATE_MILLISECOND;
}

static void t_expire(void)
{
    fate_advance(reactor, to_pass);
}

static void t_in_loop(void (*fn)(void))
{
    fn(); /* outside events; inside one the clock does not move */
}

static void t_setup(void)
{
    reactor = fate_reactor_new_simulated();
    if (!reactor)
        die("fate_reactor_new_simulated");
}

#include "timers.h"

/* What the figures leave out: a timer that was moved later is put into another list only when its old one
 * comes up.  Here each tick also asks for how long the loop might sleep, so that all lists come up in time.
 */
static void rearm_asking(uint32_t n)
{
    uint64_t seed = 42;
    ts = calloc(n, sizeof *ts);
    perm = permutation(n, 7);
    if (!ts)
        die("calloc");
    t_setup();
    asks_next = true;
    for (uint32_t i = 0; i < n; i++)
        t_start(&ts[i], (unsigned)(30000 + rng(&seed) % 30000));
    t_tick();
    uint64_t t0 = now_ns();
    for (uint32_t i = 0; i < n; i++) {
        t_rearm(&ts[perm[i]], 60000);
        if ((i & 63) == 63)
            t_tick();
    }
    reportn("rearm_asking", "1e6", (double)(now_ns() - t0) / n, "ns/op");
}

int main(int argc, char **argv)
{
    int result = timers_main(argc, argv);
    if (argc == 1 && result == 0)
        rearm_asking(1000000);
    return result;
}
