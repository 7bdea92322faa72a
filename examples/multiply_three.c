/* Calls a function that might return a deferred or might not: fate_maybe makes a deferred of either.
 *
 * From the talk on Deferreds, 3 Some generic advice, multiplyThree with maybeDeferred. */
#include "multiplier.h"

static fate_value multiply_locally(fate_value *arg)
{
    struct factors *factors = fate_unbox(struct factors, arg);
    return fate_int(factors->a * factors->b);
}

struct third {
    fate_reactor *reactor;
    fate_function *multiply;
    int64_t c;
};

static fate_value multiply_by_third(fate_value *product, fate_value *arg)
{
    struct third *third = fate_unbox(struct third, arg);
    fate_value factors = fate_box(struct factors, third->reactor, fate_as_int(product), third->c);
    return fate_follow(fate_maybe(third->reactor, third->multiply, factors));
}

static fate_deferred *multiply_three(fate_reactor *reactor, fate_function *multiply, int64_t a, int64_t b,
                                     int64_t c)
{
    fate_deferred *d = fate_maybe(reactor, multiply, fate_box(struct factors, reactor, a, b));
    return fate_add_callback(d, multiply_by_third, fate_box(struct third, reactor, multiply, c));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();

    fate_add_callback(multiply_three(reactor, multiply_remotely, 2, 3, 4), print_timed, stopwatch(reactor));
    fate_add_callback(multiply_three(reactor, multiply_locally, 2, 3, 4), print_timed, stopwatch(reactor));
    run_for(reactor, 11 * FATE_SECOND);
}
