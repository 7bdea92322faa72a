/* Returns a deferred that is based on another, but modifies its value.
 *
 * From the talk on Deferreds, 3 Some generic advice, the first inverseMultiply. */
#include "multiplier.h"

static fate_value invert(fate_value *product, fate_value *arg)
{
    if (fate_as_int(product) == 0)
        return fate_raise(&FATE_ZERO_DIVISION_ERROR, "float division by zero");
    return fate_float(1. / fate_as_float(product));
}

static fate_deferred *inverse_multiply(fate_reactor *reactor, int64_t a, int64_t b)
{
    return fate_add_callback(remote_multiply(reactor, a, b), invert, fate_none());
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();

    fate_add_callback(inverse_multiply(reactor, 5, 5), print_timed, stopwatch(reactor));
    run_for(reactor, 6 * FATE_SECOND);
}
