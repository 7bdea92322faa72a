/* Random histories of connections over the simulated network. */
#ifndef FATE_TESTS_TEST_SOAK_HELPERS_H
#define FATE_TESTS_TEST_SOAK_HELPERS_H

#include <stdbool.h>
#include <stdint.h>

/* Runs one of so many steps, and checks it: bytes arrive as they were written, all of them where an end was
 * seen; one connection_lost for each connection_made, with a reason out of the closed set, and nothing after
 * it; nothing is left. False: it did not hold, which has been said on standard error together with the seed.
 * The hash is of all that happened. */
bool test_soak(uint64_t seed, int n_steps, uint64_t *ret_hash);
/* Each of those seeds twice, which must be the same. */
bool test_soak_all(uint64_t first, uint64_t n, int n_steps);

#endif
