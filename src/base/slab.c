/* Slabs: regions of aligned chunks, fresh blocks, and those that rest. */
#include <base/slab.h>

#include <string.h>

#include <base/alloc.h>

#ifdef FATE__ASAN
#include <sanitizer/asan_interface.h>
#endif

/* A region is one allocation that holds some chunks; its head lies wherever the allocator put it. */
struct fate__region {
    struct fate__region *next;
    unsigned char *chunks; /* the first, aligned */
    size_t n_chunks, room; /* opened, and in all */
};

#define CHUNKS_MAX ((size_t)64)

void fate__slab_init(struct fate__slab *slab, size_t block_bytes, size_t link_at, void *owner)
{
    fate__assert(block_bytes % 16 == 0);
    fate__assert(block_bytes >= sizeof(struct fate__chunk));
    fate__assert(block_bytes <= FATE__CHUNK_BYTES / 4);

    memset(slab, 0, sizeof *slab);
    slab->block_bytes = block_bytes;
    slab->link_at = link_at;
    slab->owner = owner;
    slab->chunks_next = 1;
    slab->rest = FATE__REST;
    slab->is_counted = fate__on_block != NULL;
}

static void **link_of(const struct fate__slab *slab, void *block)
{
    return (void **)(void *)((char *)block + slab->link_at);
}

static void poison(const struct fate__slab *slab, void *block)
{
#ifdef FATE__ASAN
    ASAN_POISON_MEMORY_REGION(block, slab->block_bytes);
#endif
}

static void unpoison(const struct fate__slab *slab, void *block)
{
#ifdef FATE__ASAN
    ASAN_UNPOISON_MEMORY_REGION(block, slab->block_bytes);
#endif
}

/* The blocks of the next chunk become the fresh ones. */
static void open_chunk(struct fate__slab *slab, struct fate__region *region)
{
    unsigned char *at = region->chunks + region->n_chunks * FATE__CHUNK_BYTES;
    struct fate__chunk *chunk = (struct fate__chunk *)(void *)at;
    size_t n = FATE__CHUNK_BYTES / slab->block_bytes - 1;

    chunk->owner = slab->owner;
    chunk->region = region;
    slab->fresh = at + slab->block_bytes;
    slab->fresh_end = slab->fresh + n * slab->block_bytes;
    region->n_chunks++;
}

static bool add_region(struct fate__slab *slab)
{
    size_t bytes = sizeof(struct fate__region) + (slab->chunks_next + 1) * FATE__CHUNK_BYTES;
    struct fate__region *region = fate__alloc(bytes);
    if (!region)
        return false;
    uintptr_t first = (uintptr_t)(region + 1) + FATE__CHUNK_BYTES - 1;
    region->chunks = (unsigned char *)(first & ~(uintptr_t)(FATE__CHUNK_BYTES - 1));
    region->n_chunks = 0;
    region->room = slab->chunks_next;
    region->next = slab->regions;
    slab->regions = region;
    if (slab->chunks_next < CHUNKS_MAX)
        slab->chunks_next *= 2;
    return true;
}

static void *take_fresh(struct fate__slab *slab)
{
    if (slab->fresh == slab->fresh_end) {
        struct fate__region *region = slab->regions;
        bool is_full = !region || region->n_chunks == region->room;
        if (is_full && !add_region(slab))
            return NULL;
        open_chunk(slab, slab->regions);
    }
    void *block = slab->fresh;
    slab->fresh += slab->block_bytes;
    return block;
}

void *fate__slab_take_slow(struct fate__slab *slab)
{
    if (slab->is_counted && fate__on_block && !fate__on_block())
        return NULL;
    void *block = slab->spare;
    if (!block)
        return take_fresh(slab);
    unpoison(slab, block);
    slab->spare = *link_of(slab, block);
    return block;
}

static void **blocks_to_reuse(struct fate__slab *slab)
{
#ifdef FATE__ASAN
    return &slab->spare; /* they are poisoned */
#else
    return slab->is_counted ? &slab->spare : &slab->free;
#endif
}

/* The young group is full: it becomes the old one, and those that have rested longest may be used again. */
static void grow_old(struct fate__slab *slab)
{
    void **to = blocks_to_reuse(slab);

    if (slab->old.first) {
        unpoison(slab, slab->old.last);
        *link_of(slab, slab->old.last) = *to;
        poison(slab, slab->old.last);
        *to = slab->old.first;
    }
    slab->old = slab->young;
    slab->young = (struct fate__rest){ NULL, NULL };
    slab->room = slab->rest;
}

void fate__slab_give_slow(struct fate__slab *slab, void *block)
{
    fate__slab_give_list(slab, block, block, 1);
}

void fate__slab_give_list(struct fate__slab *slab, void *first, void *last, unsigned n)
{
    if (slab->room == 0)
        grow_old(slab);
    if (!slab->young.first)
        slab->young.last = last;
    slab->room -= n < slab->room ? n : slab->room;
    *link_of(slab, last) = slab->young.first;
    slab->young.first = first;
#ifdef FATE__ASAN
    for (void *block = first, *next; n > 0; n--, block = next) {
        next = *link_of(slab, block);
        poison(slab, block);
    }
#endif
}

void fate__slab_done(struct fate__slab *slab)
{
    while (slab->regions) {
        struct fate__region *region = slab->regions;
        slab->regions = region->next;
#ifdef FATE__ASAN
        ASAN_UNPOISON_MEMORY_REGION(region->chunks, region->n_chunks * FATE__CHUNK_BYTES);
#endif
        fate__free(region);
    }
}

static void each_in_chunk(struct fate__slab *slab, unsigned char *chunk,
                          void (*visit)(void *block, void *arg), void *arg)
{
    size_t n = FATE__CHUNK_BYTES / slab->block_bytes - 1;

    for (size_t i = 1; i <= n; i++) {
        unsigned char *block = chunk + i * slab->block_bytes;
        if (block >= slab->fresh && block < slab->fresh_end)
            return;
        visit(block, arg);
    }
}

void fate__slab_each(struct fate__slab *slab, void (*visit)(void *block, void *arg), void *arg)
{
    for (struct fate__region *region = slab->regions; region; region = region->next)
        for (size_t i = 0; i < region->n_chunks; i++)
            each_in_chunk(slab, region->chunks + i * FATE__CHUNK_BYTES, visit, arg);
}

#ifdef FATE__ASAN
bool fate__slab_is_poisoned(const void *block)
{
    return __asan_address_is_poisoned(block);
}
#endif

void fate__slab_unpoison(const void *block, size_t bytes)
{
#ifdef FATE__ASAN
    ASAN_UNPOISON_MEMORY_REGION(block, bytes);
#endif
}
