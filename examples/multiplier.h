/* The library for remote arithmetic that the talk on Deferreds assumes.  It simulates arithmetic that happens
 * a long time ago, on a server far away.
 *
 * The talk's server fails by chance, one time in a hundred; remote_multiply.c has that one.  This one fails
 * where a program wants it to, so that what the programs print does not change. */
#ifndef EXAMPLES_MULTIPLIER_H
#define EXAMPLES_MULTIPLIER_H

#include "helpers.h"
#include <string.h>

#define KEY "friend"

static FATE_CLASS(TOO_LARGE, "TooLarge", &FATE_VALUE_ERROR);

/* A deferred that fires with value, or fails with it, that much later. */
static inline fate_deferred *fire_later(fate_reactor *reactor, fate_time delay, fate_value value)
{
    fate_deferred *d = fate_deferred_new(reactor);
    fate_fire_later(d, delay, value);
    return d;
}

/* How many of the next multiplications fail. */
static int n_to_fail = 0;

/* Fires with a * b after 5 seconds.  It cannot multiply by 13, and no product is larger than a million: it
 * fails then with FATE_VALUE_ERROR, and with TOO_LARGE, which is one. */
static inline fate_deferred *remote_multiply(fate_reactor *reactor, int64_t a, int64_t b)
{
    bool is_to_fail = n_to_fail > 0;

    n_to_fail -= is_to_fail;
    if (a == 13 || b == 13 || is_to_fail)
        return fire_later(reactor, 5 * FATE_SECOND, fate_raise(&FATE_VALUE_ERROR, "could not multiply"));
    if (a * b > 1000000)
        return fire_later(reactor, 5 * FATE_SECOND, fate_raise(&TOO_LARGE, "Value too large"));
    return fire_later(reactor, 5 * FATE_SECOND, fate_int(a * b));
}

/* Two numbers and where to multiply them, for the arg of a callback. */
struct factors {
    fate_reactor *reactor;
    int64_t a, b;
};

/* Two numbers and the deferred that was given out for their product. */
struct promise {
    fate_deferred *d;
    int64_t a, b;
};

/* remote_multiply for whoever calls a function with one arg, which is a box of struct factors. */
static inline fate_value multiply_remotely(fate_value *arg)
{
    struct factors *factors = fate_unbox(struct factors, arg);
    return fate_follow(remote_multiply(factors->reactor, factors->a, factors->b));
}

/* Fires with the key, text, after 5 seconds. */
static inline fate_deferred *authenticate(fate_reactor *reactor)
{
    return fire_later(reactor, 5 * FATE_SECOND, fate_str(KEY));
}

/* Fires with a * b after 5 seconds, or fails at once when token is not the key. */
static inline fate_deferred *secure_remote_multiply(fate_reactor *reactor, const char *token, int64_t a,
                                                    int64_t b)
{
    if (strcmp(token, KEY) != 0)
        return fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "wrong token"));
    return fire_later(reactor, 5 * FATE_SECOND, fate_int(a * b));
}

#endif
