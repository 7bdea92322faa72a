/* What math_sqrt.c does, without deferreds: only what get_stuff fails with is caught; -1 is a bug, which
 * leaves print_root as a failure.
 *
 * From the talk on Deferreds, 2 The rules: "the equivalent non-deferred code", with try, except and else.  An
 * argument is the seed of the dice; they are rolled four times. */
#include "helpers.h"

static fate_value get_stuff(void)
{
    switch (roll_dice(3)) {
    case 0:
        return fate_float(-1);
    case 1:
        return fate_float(5);
    default:
        return fate_raise(&FATE_VALUE_ERROR, "nothing exists");
    }
}

/* By Newton, so that the program needs no libm. */
static fate_value square_root(double x)
{
    double root = 1;

    if (x < 0)
        return fate_raise(&FATE_VALUE_ERROR, "math domain error");
    for (int i = 0; i < 50; i++)
        root = (root + x / root) / 2;
    return fate_float(root);
}

static fate_value print_root(void)
{
    fate_value stuff = get_stuff();
    fate_value x = fate_is(&stuff, &FATE_VALUE_ERROR) ? fate_float(-1) : square_root(fate_as_float(&stuff));

    fate_drop(stuff);
    if (fate_is_failure(&x))
        return x;
    printf("got %.12g\n", fate_as_float(&x));
    return fate_none();
}

int main(int argc, char **argv)
{
    seed_dice(argc, argv);
    for (int i = 0; i < 4; i++) {
        fate_value result = print_root();
        if (fate_is_failure(&result))
            printf("traceback: %s\n", fate_message(&result));
        fate_drop(result);
    }
}
