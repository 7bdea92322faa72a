/* Extra work before the one that counts: a callback that follows a deferred makes the chain wait for it.
 *
 * From the talk on Deferreds, 4 Chaining deferreds, authenticate and secureRemoteMultiply, which are in
 * multiplier.h. */
#include "multiplier.h"

static fate_value multiply_with_key(fate_value *key, fate_value *arg)
{
    struct factors *factors = fate_unbox(struct factors, arg);
    return fate_follow(secure_remote_multiply(factors->reactor, fate_as_str(key), factors->a, factors->b));
}

/* Somebody who does not ask for the key. */
static void guess_key(fate_reactor *reactor)
{
    fate_deferred *d = secure_remote_multiply(reactor, "foe", 5, 5);
    fate_add_callback(d, print_timed, stopwatch(reactor));
    fate_add_errback(d, fate_log_failure, fate_ptr(reactor));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();
    fate_deferred *d = authenticate(reactor);

    print_log(reactor);
    fate_add_callback(d, multiply_with_key, fate_box(struct factors, reactor, 5, 5));
    fate_add_callback(d, print_timed, stopwatch(reactor));
    guess_key(reactor);

    run_for(reactor, 11 * FATE_SECOND);
}
