/* One multiplication after the other: it takes 15 seconds.
 *
 * From the talk on Deferreds, 5 Deferred Lists, the second multiplyFourNumbers. */
#include "multiplier.h"

static fate_value multiply_by(fate_value *product, fate_value *arg)
{
    struct factors *next = fate_unbox(struct factors, arg);
    return fate_follow(remote_multiply(next->reactor, fate_as_int(product), next->b));
}

static fate_deferred *multiply_four_numbers(fate_reactor *reactor, int64_t a, int64_t b, int64_t c, int64_t d)
{
    fate_deferred *product = remote_multiply(reactor, a, b);
    fate_add_callback(product, multiply_by, fate_box(struct factors, reactor, .b = c));
    return fate_add_callback(product, multiply_by, fate_box(struct factors, reactor, .b = d));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();
    fate_deferred *d = multiply_four_numbers(reactor, 2, 3, 4, 5);

    fate_add_callback(d, print_timed, stopwatch(reactor));
    fate_add_errback(d, fate_log_failure, fate_ptr(reactor));
    run_for(reactor, 16 * FATE_SECOND);
}
