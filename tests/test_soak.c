/* Random histories of connections over the simulated network. */
#include "test.h"
#include "test_soak_helpers.h"

#define STEPS 300

/* Also with each allocation failing. */
TEST(a_short_history)
{
    uint64_t hash;

    EXPECT(test_soak(13, 120, &hash));
}

VOLUME_TEST(random_histories)
{
    EXPECT(test_soak_all(1, 200, STEPS));
}
