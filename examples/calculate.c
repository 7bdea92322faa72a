/* Calculates 5*6+7: a function that returns a deferred, made of another such function.
 *
 * From the talk on Deferreds, 2 The rules, calculate.  13 is a number that the server cannot multiply by. */
#include "multiplier.h"

static fate_value add(fate_value *product, fate_value *c)
{
    return fate_int(fate_as_int(product) + fate_as_int(c));
}

static fate_deferred *calculate(fate_reactor *reactor, int64_t a, int64_t b, int64_t c)
{
    fate_deferred *d = remote_multiply(reactor, a, b);
    return fate_add_callback(d, add, fate_int(c));
}

static fate_value explain(fate_value *why, fate_value *arg)
{
    return fate_str("Multiplication fail!");
}

static void print_calculated(fate_reactor *reactor, int64_t a, int64_t b, int64_t c)
{
    fate_deferred *d = calculate(reactor, a, b, c);
    fate_add_errback(d, explain, fate_none());
    fate_add_callback(d, print_timed, stopwatch(reactor));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();

    print_calculated(reactor, 5, 6, 7);
    print_calculated(reactor, 13, 6, 7);
    run_for(reactor, 6 * FATE_SECOND);
}
