/* Random histories of connections over the simulated network, and those that went wrong once. */
#include "test.h"
#include "test_soak_helpers.h"

#define STEPS 300

/* Also with each allocation failing. */
TEST(a_short_history)
{
    uint64_t hash;

    EXPECT(test_soak(1, 80, &hash));
}

static bool holds(uint64_t seed)
{
    uint64_t hash;
    return test_soak(seed, STEPS, &hash);
}

/* An idle timeout with bytes still queued looked to the peer like an orderly end; a large write into a reset
 * connection read what was no queue any more. */
VOLUME_TEST(histories_that_went_wrong_once)
{
    EXPECT(holds(1892));
    EXPECT(holds(2644));
}

VOLUME_TEST(random_histories)
{
    EXPECT(test_soak_all(1, 200, STEPS));
}
