/* Partial error recovery: a multiplication that failed does not matter where another factor is 0.
 *
 * From the talk on Deferreds, 5 Deferred Lists, the third multiplyFourNumbers.  fate_settle is a
 * DeferredList, whose result holds failures as well as values; 13 is a number that the server cannot multiply
 * by. */
#include "multiplier.h"

static bool is_zero(const fate_value *result)
{
    return !fate_is_failure(result) && fate_as_int(result) == 0;
}

static fate_value multiply_products(fate_value *results, fate_value *reactor)
{
    const fate_value *ab = fate_at(results, 0);
    const fate_value *cd = fate_at(results, 1);

    if (is_zero(ab) || is_zero(cd))
        return fate_int(0);
    if (fate_is_failure(ab))
        return fate_copy(ab);
    if (fate_is_failure(cd))
        return fate_copy(cd);
    return fate_follow(remote_multiply(fate_as_ptr(reactor), fate_as_int(ab), fate_as_int(cd)));
}

static fate_deferred *multiply_four_numbers(fate_reactor *reactor, int64_t a, int64_t b, int64_t c, int64_t d)
{
    fate_deferred *ab = remote_multiply(reactor, a, b);
    fate_deferred *cd = remote_multiply(reactor, c, d);
    fate_deferred *both = fate_settle_with(reactor, 2, FATE_DEFERREDS(ab, cd), .consume_errors = true);
    return fate_add_callback(both, multiply_products, fate_ptr(reactor));
}

static void print_four(fate_reactor *reactor, int64_t a, int64_t b, int64_t c, int64_t d)
{
    fate_deferred *product = multiply_four_numbers(reactor, a, b, c, d);
    fate_add_callback(product, print_timed, stopwatch(reactor));
    fate_add_errback(product, fate_log_failure, fate_ptr(reactor));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();

    print_log(reactor);
    print_four(reactor, 2, 3, 4, 5);
    print_four(reactor, 0, 3, 13, 5);
    print_four(reactor, 2, 3, 13, 5);
    run_for(reactor, 16 * FATE_SECOND);
}
