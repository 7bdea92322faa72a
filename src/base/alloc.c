/* Allocation hooks, and malloc behind them by default. */
#include <base/alloc.h>

#include <stdlib.h>
#include <string.h>

static void *obtain(size_t bytes, void *user)
{
    return malloc(bytes);
}

static void *resize(void *block, size_t bytes, void *user)
{
    return realloc(block, bytes);
}

static void release(void *block, void *user)
{
    free(block);
}

static const fate_allocator standard = { obtain, resize, release, NULL };
static fate_allocator allocator = { obtain, resize, release, NULL };

fate__block_hook *fate__on_block;

void fate_set_allocator(const fate_allocator *wanted)
{
    allocator = wanted ? *wanted : standard;
}

void *fate__alloc(size_t bytes)
{
    return allocator.obtain(bytes ? bytes : 1, allocator.user);
}

void *fate__zalloc(size_t bytes)
{
    void *block = fate__alloc(bytes);
    if (block)
        memset(block, 0, bytes);
    return block;
}

void *fate__realloc(void *block, size_t bytes)
{
    return allocator.resize(block, bytes ? bytes : 1, allocator.user);
}

void fate__free(void *block)
{
    allocator.release(block, allocator.user);
}
