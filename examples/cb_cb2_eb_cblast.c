/* If anything fails, the intervening callbacks are bypassed on the way to the errback.
 *
 * From the talk on Deferreds, 2 The rules; its cb, cb2, eb and cblast have names here that tell what they do,
 * since a traceback prints them.  An argument is the seed of the dice; they are rolled for four chains. */
#include "helpers.h"

static fate_value return_one(fate_value *ignored, fate_value *arg)
{
    printf("I'm in a callback, about to return 1\n");
    if (roll_dice(2) == 0)
        return fate_raise(&FATE_VALUE_ERROR, "failed");
    return fate_int(1);
}

static fate_value return_one_more(fate_value *value, fate_value *arg)
{
    printf("I'm in a callback, got %lld and going to return one more\n", (long long)fate_as_int(value));
    if (roll_dice(2) == 0)
        return fate_raise(&FATE_VALUE_ERROR, "failed");
    return fate_int(fate_as_int(value) + 1);
}

static fate_value print_failure(fate_value *why, fate_value *arg)
{
    if (!fate_is(why, &FATE_VALUE_ERROR))
        return fate_take(why);
    printf("Something failed: %s\n", fate_message(why));
    return fate_none();
}

static fate_value print_final_value(fate_value *value, fate_value *arg)
{
    printf("Final value calculated: %lld\n", (long long)fate_as_int(value));
    return fate_none();
}

int main(int argc, char **argv)
{
    fate_reactor *reactor = fate_reactor_new();

    seed_dice(argc, argv);
    for (int i = 0; i < 4; i++) {
        fate_deferred *d = fate_succeed(reactor, fate_none());
        fate_add_callback(d, return_one, fate_none());
        fate_add_callback(d, return_one_more, fate_none());
        fate_add_callbacks(d, print_final_value, print_failure, fate_none());
    }
    fate_reactor_free(reactor);
}
