/* A small generator for each reactor. */
#include <reactor/random.h>

#include <base/sys.h>
#include <reactor/reactor.h>

#define SIMULATED_SEED 20260101

/* Where the kernel gives none, or none yet, as it is with a sandbox or early after the start of the system,
 * two reactors differ by their addresses and by the time. */
static uint64_t seed_by_kernel(const fate_reactor *reactor)
{
    uint64_t seed;

    if (fate__sys->getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed)
        return seed;
    return (uint64_t)(uintptr_t)reactor ^ (uint64_t)fate__wall_time() ^ (uint64_t)reactor->turns.pid << 48;
}

static uint64_t seed_of(const fate_reactor *reactor)
{
    if (reactor->options.seed)
        return reactor->options.seed;
    return reactor->is_simulated ? SIMULATED_SEED : seed_by_kernel(reactor);
}

/* SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014): a counter in steps
 * of the golden ratio, whose bits are mixed until each bears on all. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t fate__random(fate_reactor *reactor)
{
    struct fate__random *random = &reactor->random;

    if (!random->is_seeded) {
        random->state = seed_of(reactor);
        random->is_seeded = true;
    }
    return next(&random->state);
}
