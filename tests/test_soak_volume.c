/* Many random histories of connections: SOAK_SEED is the first seed, SOAK_COUNT how many there are,
 * SOAK_STEPS how long each is. */
#include <stdlib.h>

#include "test.h"
#include "test_soak_helpers.h"

static unsigned long setting(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 10) : otherwise;
}

VOLUME_TEST(many_random_histories)
{
    EXPECT(test_soak_all(setting("SOAK_SEED", 1000), setting("SOAK_COUNT", 5000),
                         (int)setting("SOAK_STEPS", 300)));
}
