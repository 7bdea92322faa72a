/* Optimizes the 0 case in multiplication: what is known at once is returned as a deferred that has fired.
 *
 * From the talk on Deferreds, 3 Some generic advice, fastRemoteMultiply. */
#include "multiplier.h"

static fate_deferred *fast_remote_multiply(fate_reactor *reactor, int64_t a, int64_t b)
{
    if (a == 0 || b == 0)
        return fate_succeed(reactor, fate_int(0));
    return remote_multiply(reactor, a, b);
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();

    fate_add_callback(fast_remote_multiply(reactor, 5, 0), print_timed, stopwatch(reactor));
    fate_add_callback(fast_remote_multiply(reactor, 5, 5), print_timed, stopwatch(reactor));
    run_for(reactor, 6 * FATE_SECOND);
}
