/* A naive client: it asks for a key each time, so that every multiplication takes 10 seconds.
 *
 * From the talk on Deferreds, 4 Chaining deferreds, myMultiply. */
#include "multiplier.h"

static fate_value multiply_with_key(fate_value *key, fate_value *arg)
{
    struct factors *factors = fate_unbox(struct factors, arg);
    return fate_follow(secure_remote_multiply(factors->reactor, fate_as_str(key), factors->a, factors->b));
}

static fate_deferred *my_multiply(fate_reactor *reactor, int64_t a, int64_t b)
{
    return fate_add_callback(authenticate(reactor), multiply_with_key,
                             fate_box(struct factors, reactor, a, b));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();

    fate_add_callback(my_multiply(reactor, 5, 6), print_timed, stopwatch(reactor));
    run_for(reactor, 11 * FATE_SECOND);
}
