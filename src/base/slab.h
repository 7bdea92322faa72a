/* A slab: blocks of one size, each found again in a few instructions, none given back before the slab goes.
 *
 * Blocks lie in aligned chunks, so that a block's address tells its owner without a pointer in the block.  A
 * freed block waits in a short ring before it is reused, last in first out: what still points to it sees it
 * freed. */
#ifndef FATE_SRC_BASE_SLAB_H
#define FATE_SRC_BASE_SLAB_H

#include <base/stop.h>
#include <fate/base.h>

#if defined(__SANITIZE_ADDRESS__)
#define FATE__ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FATE__ASAN 1
#endif
#endif

#define FATE__CHUNK_BYTES ((size_t)16384)
#ifdef FATE__ASAN
#define FATE__RING 4096 /* a power of two */
#else
#define FATE__RING 64
#endif

/* The head of a chunk; as big as a block, so that blocks keep the chunk's alignment. */
struct fate__chunk {
    void *owner;
    struct fate__region *region;
};

struct fate__slab {
    void *free; /* linked through the word at link_at */
    size_t block_bytes;
    size_t link_at;
    void *owner;
    struct fate__region *regions;
    unsigned char *fresh, *fresh_end; /* blocks never used yet */
    size_t chunks_next;               /* how many chunks the next region gets */
    bool is_counted; /* each block asks fate__on_block first; free stays NULL, spare is used */
    void *spare;
    unsigned ring_at;
    void *ring[FATE__RING];
};

/* block_bytes is a multiple of 16; link_at is where in a freed block the slab may keep a pointer. */
void fate__slab_init(struct fate__slab *slab, size_t block_bytes, size_t link_at, void *owner);
/* Gives all its memory back. */
void fate__slab_done(struct fate__slab *slab);

void *fate__slab_take_slow(struct fate__slab *slab);

/* A block with undefined content, or NULL. */
static inline void *fate__slab_take(struct fate__slab *slab)
{
    void *block = slab->free;
    if (fate__unlikely(!block))
        return fate__slab_take_slow(slab);
    slab->free = *(void **)(void *)((char *)block + slab->link_at);
    return block;
}

void fate__slab_give_slow(struct fate__slab *slab, void *block);

static inline void fate__slab_give(struct fate__slab *slab, void *block)
{
#ifdef FATE__ASAN
    fate__slab_give_slow(slab, block);
#else
    if (fate__unlikely(slab->is_counted)) {
        fate__slab_give_slow(slab, block);
        return;
    }
    unsigned at = slab->ring_at++ & (FATE__RING - 1);
    void *oldest = slab->ring[at];
    slab->ring[at] = block;
    if (fate__likely(oldest != NULL)) {
        *(void **)(void *)((char *)oldest + slab->link_at) = slab->free;
        slab->free = oldest;
    }
#endif
}

/* The owner of the slab that a block is from. */
static inline void *fate__slab_owner(const void *block)
{
    const struct fate__chunk *chunk =
        (const struct fate__chunk *)((uintptr_t)block & ~(uintptr_t)(FATE__CHUNK_BYTES - 1));
    return chunk->owner;
}

/* Calls visit with each block ever taken, used or freed, in order of address.  visit tells them apart. */
void fate__slab_each(struct fate__slab *slab, void (*visit)(void *block, void *arg), void *arg);

/* Is it a block that has been freed?  Only an ASan build can tell; others answer false. */
bool fate__slab_is_poisoned(const void *block);
/* Makes a freed block readable again in an ASan build, to say what it was. */
void fate__slab_unpoison(const void *block, size_t bytes);

#endif
