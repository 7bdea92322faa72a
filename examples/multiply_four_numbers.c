/* Two multiplications at a time, then one of the products: it takes 10 seconds.
 *
 * From the talk on Deferreds, 5 Deferred Lists, the first multiplyFourNumbers.  fate_gather is a DeferredList
 * with fireOnOneErrback, whose result is just the values. */
#include "multiplier.h"

static fate_value multiply_products(fate_value *products, fate_value *reactor)
{
    int64_t ab = fate_as_int(fate_at(products, 0));
    int64_t cd = fate_as_int(fate_at(products, 1));
    return fate_follow(remote_multiply(fate_as_ptr(reactor), ab, cd));
}

static fate_deferred *multiply_four_numbers(fate_reactor *reactor, int64_t a, int64_t b, int64_t c, int64_t d)
{
    fate_deferred *ab = remote_multiply(reactor, a, b);
    fate_deferred *cd = remote_multiply(reactor, c, d);
    return fate_add_callback(fate_gather_of(reactor, ab, cd), multiply_products, fate_ptr(reactor));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();
    fate_deferred *d = multiply_four_numbers(reactor, 2, 3, 4, 5);

    fate_add_callback(d, print_timed, stopwatch(reactor));
    fate_add_errback(d, fate_log_failure, fate_ptr(reactor));
    run_for(reactor, 16 * FATE_SECOND);
}
