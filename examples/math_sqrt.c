/* A failure that arrives is handled, one that comes from a bug further down is logged.
 *
 * From the talk on Deferreds, 2 The rules; get_stuff.c does the same without deferreds.  An argument is the
 * seed of the dice; they are rolled four times. */
#include "helpers.h"

static fate_deferred *get_stuff(fate_reactor *reactor)
{
    switch (roll_dice(3)) {
    case 0:
        return fate_succeed(reactor, fate_float(-1));
    case 1:
        return fate_succeed(reactor, fate_float(5));
    default:
        return fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "nothing exists"));
    }
}

/* By Newton, so that the program needs no libm. */
static fate_value take_square_root(fate_value *value, fate_value *arg)
{
    double x = fate_as_float(value), root = 1;

    if (x < 0)
        return fate_raise(&FATE_VALUE_ERROR, "math domain error");
    for (int i = 0; i < 50; i++)
        root = (root + x / root) / 2;
    return fate_float(root);
}

static fate_value return_minus_one(fate_value *why, fate_value *arg)
{
    return fate_float(-1);
}

static fate_value print_value(fate_value *value, fate_value *arg)
{
    printf("got %.12g\n", fate_as_float(value));
    return fate_none();
}

int main(int argc, char **argv)
{
    fate_reactor *reactor = fate_reactor_new();

    seed_dice(argc, argv);
    print_log(reactor);
    for (int i = 0; i < 4; i++) {
        fate_deferred *d = get_stuff(reactor);
        fate_add_callbacks(d, take_square_root, return_minus_one, fate_none());
        fate_add_callback(d, print_value, fate_none());
        fate_add_errback(d, fate_log_failure, fate_ptr(reactor));
    }
    fate_reactor_free(reactor);
}
