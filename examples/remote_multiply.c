/* A remote function call: it returns the right value, but it takes a while and might fail.
 *
 * From the talk on Deferreds, 2 The rules, remoteMultiply.  An argument is the seed of the dice, which let
 * one multiplication in a hundred fail. */
#include "helpers.h"

/* Simulates arithmetic that happens on a server far away. */
static fate_deferred *remote_multiply(fate_reactor *reactor, int64_t a, int64_t b)
{
    fate_deferred *d = fate_deferred_new(reactor);

    if (roll_dice(100) > 0)
        fate_fire_later(d, 5 * FATE_SECOND, fate_int(a * b));
    else
        fate_fire_later(d, 5 * FATE_SECOND, fate_raise(&FATE_VALUE_ERROR, "could not multiply"));
    return d;
}

int main(int argc, char **argv)
{
    fate_reactor *reactor = fate_reactor_new();
    fate_deferred *d;

    seed_dice(argc, argv);
    d = remote_multiply(reactor, 5, 5);
    fate_add_callback(d, print_timed, stopwatch(reactor));
    fate_add_errback(d, fate_log_failure, fate_ptr(reactor));

    fate_stop_later(reactor, 6 * FATE_SECOND);
    fate_run(reactor);
    fate_reactor_free(reactor);
}
