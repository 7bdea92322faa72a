/* Turns one error condition into a value that makes sense downstream: 1/infinity is 0.  Others pass.
 *
 * From the talk on Deferreds, 3 Some generic advice, the second inverseMultiply. */
#include "multiplier.h"

static fate_value invert(fate_value *product, fate_value *arg)
{
    if (fate_as_int(product) == 0)
        return fate_raise(&FATE_ZERO_DIVISION_ERROR, "float division by zero");
    return fate_float(1. / fate_as_float(product));
}

static fate_value approximate(fate_value *why, fate_value *arg)
{
    if (fate_is(why, &FATE_VALUE_ERROR) && strcmp(fate_message(why), "Value too large") == 0)
        return fate_int(0);
    return fate_take(why);
}

static fate_deferred *inverse_multiply(fate_reactor *reactor, int64_t a, int64_t b)
{
    return fate_add_callbacks(remote_multiply(reactor, a, b), invert, approximate, fate_none());
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
