/* What it costs an event to be watched: by nobody, by the clock that names who blocks, by a tracer.
 *
 *     bench-seeing [never|slow|trace] [EVENTS]
 *
 * It has no peers, so the driver leaves it out.  Instructions are exact, and the same in each run:
 *
 *     valgrind --tool=callgrind --callgrind-out-file=/dev/null bench-seeing slow 30000
 *
 * less the same with 10000, divided by 20000. */
#include "../common/bench.h"
#include <fate/fate.h>

static void nothing(fate_value *arg)
{
}

static void turned(const char *site, fate_time took, fate_value *arg)
{
}

static fate_reactor *make(const char *how)
{
    fate_reactor_options options = { .size = sizeof options };

    if (strcmp(how, "slow") != 0)
        options.slow_callback = FATE_NEVER;
    fate_reactor *reactor = (fate_reactor_new_with)(&options);
    if (!reactor)
        die("fate_reactor_new");
    if (strcmp(how, "trace") == 0)
        fate_reactor_trace(reactor, turned, fate_none());
    return reactor;
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "slow";
    long n = argc > 2 ? atol(argv[2]) : 1000000;
    fate_reactor *reactor = make(how);

    for (long i = 0; i < n; i++)
        fate_call_from_thread(reactor, nothing, fate_none());
    fate_call_later(reactor, 0, fate_shutdown, fate_ptr(reactor));
    uint64_t began = now_ns();
    fate_run(reactor);
    report(how, (double)(now_ns() - began) / (double)n, "ns");
    fate_reactor_free(reactor);
    return 0;
}
