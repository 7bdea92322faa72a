/* Libfate's own way to inverse_multiply_errback.c: an error class of one's own, and an errback for that class
 * only, so that nobody compares texts.
 *
 * After the talk on Deferreds, 3 Some generic advice, the second inverseMultiply. */
#include "multiplier.h"

static fate_value invert(fate_value *product, fate_value *arg)
{
    if (fate_as_int(product) == 0)
        return fate_raise(&FATE_ZERO_DIVISION_ERROR, "float division by zero");
    return fate_float(1. / fate_as_float(product));
}

static fate_value approximate(fate_value *why, fate_value *arg)
{
    return fate_int(0);
}

static fate_deferred *inverse_multiply(fate_reactor *reactor, int64_t a, int64_t b)
{
    fate_deferred *d = remote_multiply(reactor, a, b);
    fate_add_callback(d, invert, fate_none());
    return fate_add_trap(d, &TOO_LARGE, approximate, fate_none());
}

static void print_inverse(fate_reactor *reactor, int64_t a, int64_t b)
{
    fate_deferred *d = inverse_multiply(reactor, a, b);
    fate_add_callback(d, print_timed, stopwatch(reactor));
    fate_add_errback(d, fate_log_failure, fate_ptr(reactor));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();

    print_log(reactor);
    print_inverse(reactor, 5, 5);
    print_inverse(reactor, 5000000, 5000000);
    print_inverse(reactor, 5, 13);
    run_for(reactor, 6 * FATE_SECOND);
}
