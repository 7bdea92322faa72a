/* fate_maybe harmonizes errors too: a failure returned at once and one that comes later look the same.
 *
 * From the talk on Deferreds, 3 Some generic advice, multiplyThree with a localMultiply that may fail; here
 * it does so one time in three.  An argument is the seed of the dice; four products are asked for. */
#include "multiplier.h"

static fate_value multiply_locally(fate_value *arg)
{
    struct factors *factors = fate_unbox(struct factors, arg);

    if (roll_dice(3) > 0)
        return fate_int(factors->a * factors->b);
    return fate_raise(&FATE_VALUE_ERROR, "random failure");
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

int main(int argc, char **argv)
{
    fate_reactor *reactor = fate_reactor_new();

    seed_dice(argc, argv);
    print_log(reactor);
    for (int i = 0; i < 4; i++) {
        fate_function *multiply = roll_dice(2) == 0 ? multiply_remotely : multiply_locally;
        fate_deferred *d = multiply_three(reactor, multiply, 2, 3, 4);
        fate_add_callback(d, print_timed, stopwatch(reactor));
        fate_add_errback(d, fate_log_failure, fate_ptr(reactor));
    }
    run_for(reactor, 11 * FATE_SECOND);
}
