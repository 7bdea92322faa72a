/* Memory that runs out, for fuzzers. */
#ifndef FATE_FUZZ_MEMORY_H
#define FATE_FUZZ_MEMORY_H

#include <stdlib.h>

#include <fate/base.h>

static unsigned fuzz_until_failure; /* the n-th allocation from now fails; 0: none */

static inline bool fuzz_may_obtain(void)
{
    return fuzz_until_failure == 0 || --fuzz_until_failure != 0;
}

static inline void *fuzz_obtain(size_t bytes, void *user)
{
    return fuzz_may_obtain() ? malloc(bytes) : NULL;
}

static inline void *fuzz_resize(void *block, size_t bytes, void *user)
{
    return fuzz_may_obtain() ? realloc(block, bytes) : NULL;
}

static inline void fuzz_release(void *block, void *user)
{
    free(block);
}

static inline void fuzz_use_memory(unsigned until_failure)
{
    static const fate_allocator allocator = { fuzz_obtain, fuzz_resize, fuzz_release, NULL };

    fate_set_allocator(&allocator);
    fuzz_until_failure = until_failure;
}

/* What is expected of the results. */
#define FUZZ_EXPECT(condition) ((condition) ? (void)0 : abort())

#endif
