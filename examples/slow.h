/* What the examples with threads share: a multiplication that blocks its thread. */
#ifndef EXAMPLES_SLOW_H
#define EXAMPLES_SLOW_H

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "helpers.h"

/* Takes 5 seconds, as a library may that knows nothing of reactors; in simulated time none at all. */
static inline void sleep_5_seconds(void)
{
    const char *clock = getenv("FATE_CLOCK");
    struct timespec left = { 5, 0 };

    if (!clock || strcmp(clock, "simulated") != 0)
        nanosleep(&left, NULL);
}

static inline int64_t slow_multiply(int64_t a, int64_t b)
{
    sleep_5_seconds();
    return a * b;
}

#endif
