/* A promise may be broken: the callback gets the value, the errback the failure.
 *
 * From the talk on Deferreds, 1 Introduction.  An argument is the seed of the dice; they are rolled four
 * times. */
#include "helpers.h"

static fate_deferred *function_returning_deferred(fate_reactor *reactor)
{
    if (roll_dice(2) == 0)
        return fate_succeed(reactor, fate_str("Some value"));
    return fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "Bummer"));
}

static fate_value print_value(fate_value *value, fate_value *arg)
{
    printf("Yay, I got \"%s\"\n", fate_as_str(value));
    return fate_none();
}

static fate_value handle_problems(fate_value *why, fate_value *arg)
{
    if (!fate_is(why, &FATE_VALUE_ERROR))
        return fate_take(why);
    printf("There was a problem: %s\n", fate_message(why));
    return fate_none();
}

int main(int argc, char **argv)
{
    fate_reactor *reactor = fate_reactor_new();

    seed_dice(argc, argv);
    for (int i = 0; i < 4; i++)
        fate_add_callbacks(function_returning_deferred(reactor), print_value, handle_problems, fate_none());
    fate_reactor_free(reactor);
}
