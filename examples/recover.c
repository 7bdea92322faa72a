/* An errback that turns a failure into a value, with which the chain goes on.
 *
 * From the talk on Deferreds, 2 The rules; recover_try_except.c does the same without deferreds.  An argument
 * is the seed of the dice; they are rolled four times. */
#include "helpers.h"

static fate_value roll_for_one(fate_value *ignored, fate_value *arg)
{
    if (roll_dice(2) == 0)
        return fate_raise(&FATE_VALUE_ERROR, "failed");
    return fate_int(1);
}

static fate_value increment(fate_value *value, fate_value *arg)
{
    return fate_int(fate_as_int(value) + 1);
}

static fate_value recover(fate_value *why, fate_value *arg)
{
    return fate_is(why, &FATE_VALUE_ERROR) ? fate_int(0) : fate_take(why);
}

static fate_value print_value(fate_value *value, fate_value *arg)
{
    printf("Saw value %lld\n", (long long)fate_as_int(value));
    return fate_none();
}

int main(int argc, char **argv)
{
    fate_reactor *reactor = fate_reactor_new();

    seed_dice(argc, argv);
    for (int i = 0; i < 4; i++) {
        fate_deferred *d = fate_succeed(reactor, fate_none());
        fate_add_callback(d, roll_for_one, fate_none());
        fate_add_callbacks(d, increment, recover, fate_none());
        fate_add_callback(d, print_value, fate_none());
    }
    fate_reactor_free(reactor);
}
