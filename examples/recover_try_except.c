/* What recover.c does, without deferreds: a failure is a value that a function may return.
 *
 * From the talk on Deferreds, 2 The rules: "this is the equivalent of", with try and except.  An argument is
 * the seed of the dice; they are rolled four times. */
#include "helpers.h"

static fate_value roll_for_one(void)
{
    if (roll_dice(2) == 0)
        return fate_raise(&FATE_VALUE_ERROR, "failed");
    return fate_int(1);
}

static void see_value(void)
{
    fate_value value = roll_for_one();

    if (!fate_is_failure(&value)) {
        value = fate_int(fate_as_int(&value) + 1);
    } else if (fate_is(&value, &FATE_VALUE_ERROR)) {
        fate_drop(value);
        value = fate_int(0);
    }
    printf("Saw value %lld\n", (long long)fate_as_int(&value));
}

int main(int argc, char **argv)
{
    seed_dice(argc, argv);
    for (int i = 0; i < 4; i++)
        see_value();
}
