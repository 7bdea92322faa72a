/* The timer workload, common to the C programs. A program defines:
 *   struct T                                its timer (an array of them is allocated here), zeroed at first
 *   void t_start(struct T *, unsigned ms)   schedule one that is not pending
 *   void t_rearm(struct T *, unsigned ms)   move one that is
 *   void t_cancel(struct T *)
 *   void t_tick(void)                       refresh the loop's cached clock
 *   void t_pass(unsigned ms)                let so much time pass, outside the loop
 *   void t_expire(void)                     run what is due, once, without waiting
 *   void t_in_loop(void (*fn)(void))        call fn from inside a loop callback
 *   void t_setup(void)                      make the loop
 * and calls timers_main(). It counts its callbacks in `static uint64_t fired`.
 *
 * Phases, ns per operation each, at N outstanding timers; each N has a process of its own:
 *   schedule  N timers, deadlines uniform in 30..60 s
 *   rearm     N re-arms of timers in random order to 60 s, the clock refreshed every
 *             64 (the idle-timeout pattern: one iteration serves some 64 sockets)
 *   cancel    all, in another random order
 *   expire    N timers, deadlines uniform in 1..1000 ms, all overdue, one loop turn
 *   churn     with N outstanding, schedule one more and cancel it (a request timeout)
 *   bytes     resident memory for each timer when they were scheduled first, struct T included
 */
#ifndef TIMERS_H
#define TIMERS_H
#include "../common/bench.h"
#include <sys/wait.h>

static struct T *ts;
static uint32_t n_now, *perm, *perm2;
static char label[16];

/* For programs whose clock is the world's. */
static inline void pass_really(unsigned ms)
{
    sleep_until_ns(now_ns() + ms * 1000000ull);
}

static void phases(void)
{
    uint64_t seed = 42, t0, t_sched = 0, t_move = 0, t_canc = 0;
    uint32_t n = n_now, k = 1000000, reps = n < 200000 ? 200000 / n : 1;
    uint16_t *ms = xmalloc(2 * (size_t)n);
    for (uint32_t i = 0; i < n; i++)
        ms[i] = (uint16_t)(30000 + rng(&seed) % 30000);
    long rss = rss_kib();
    ts = calloc(n + 1, sizeof *ts);
    if (!ts)
        die("calloc");
    for (uint32_t r = 0; r <= reps; r++) {
        if (r == 1) /* the first turn warms caches and heaps */
            t_sched = t_move = t_canc = 0;
        t_tick();
        t0 = now_ns();
        for (uint32_t i = 0; i < n; i++)
            t_start(&ts[i], ms[i]);
        t_sched += now_ns() - t0;
        if (r == 0) {
            rss = rss_kib() - rss;
            memset(&ts[n], 0, sizeof *ts);
        }

        if (r == reps) {
            t0 = now_ns();
            for (uint32_t i = 0; i < k; i++) {
                struct T *x = &ts[n];
                t_start(x, 5000);
                t_cancel(x);
                if ((i & 63) == 63)
                    t_tick();
            }
            reportn("churn", label, (double)(now_ns() - t0) / k, "ns/op");
        }

        t0 = now_ns();
        for (uint32_t i = 0; i < n; i++) {
            t_rearm(&ts[perm[i]], 60000);
            if ((i & 63) == 63)
                t_tick();
        }
        t_move += now_ns() - t0;

        t0 = now_ns();
        for (uint32_t i = 0; i < n; i++)
            t_cancel(&ts[perm2[i]]);
        t_canc += now_ns() - t0;
    }
    reportn("schedule", label, (double)t_sched / n / reps, "ns/op");
    reportn("rearm", label, (double)t_move / n / reps, "ns/op");
    reportn("cancel", label, (double)t_canc / n / reps, "ns/op");
    if (n >= 1000000) /* else pages count, not timers */
        reportn("bytes", label, (double)rss * 1024 / n, "B");

    t_tick();
    fired = 0;
    for (uint32_t i = 0; i < n; i++)
        t_start(&ts[i], 1 + (unsigned)(rng(&seed) % 1000));
    free(ms);
}

static void run_size(uint32_t n)
{
    unsigned exp10 = 0;
    for (uint32_t m = n; m >= 10; m /= 10)
        exp10++;
    snprintf(label, sizeof label, "1e%u", exp10);
    n_now = n;
    perm = permutation(n, 7);
    perm2 = permutation(n, 8);
    t_setup();
    t_in_loop(phases);
    t_pass(1100); /* every deadline lies behind */
    uint64_t t0 = now_ns();
    while (fired < n)
        t_expire();
    reportn("expire", label, (double)(now_ns() - t0) / n, "ns/op");
}

/* Without arguments, the sizes that the workload describes. */
static int timers_main(int argc, char **argv)
{
    static const char *const usual[] = { "", "1e3", "1e5", "1e6" };
    const char *const *sizes = argc > 1 ? (const char *const *)argv : usual;
    int n = argc > 1 ? argc : 4, status;

    for (int i = 1; i < n; i++) {
        pid_t child = fork();
        if (child == 0) {
            run_size((uint32_t)atof(sizes[i]));
            fflush(stdout);
            _exit(0);
        }
        if (child < 0 || waitpid(child, &status, 0) < 0)
            die("fork");
        if (status)
            return 1;
    }
    return 0;
}
#endif
