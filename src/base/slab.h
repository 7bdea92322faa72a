/* A slab: blocks of one size, each found again in a few instructions, none given back before the slab goes.
 *
 * Blocks lie in aligned chunks, so that a block's address tells its owner without a pointer in the block.  A
 * freed block rests until some others have been freed after it, and is then reused, last in first out: what
 * still points to it sees it freed.  Those that rest lie in two groups, the old and the young; when the young
 * group is full it becomes the old one, whose blocks may now be reused. */
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
/* How many others are freed, at least, before a block is used again: one that programs have pointers to; one
 * that only the library has. */
#ifdef FATE__ASAN
#define FATE__REST       4096
#define FATE__REST_SHORT FATE__REST
#else
#define FATE__REST       64
#define FATE__REST_SHORT 4
#endif

/* The head of a chunk; as big as a block, so that blocks keep the chunk's alignment. */
struct fate__chunk {
    void *owner;
    struct fate__region *region;
};

/* Freed blocks, linked through the word at link_at. */
struct fate__rest {
    void *first, *last;
};

struct fate__slab {
    void *free; /* linked likewise */
    size_t block_bytes;
    size_t link_at;
    void *owner;
    struct fate__region *regions;
    unsigned char *fresh, *fresh_end; /* blocks never used yet */
    size_t chunks_next;               /* how many chunks the next region gets */
    bool is_counted; /* each block asks fate__on_block first; then, and under ASan, spare is used, not free */
    void *spare;
    struct fate__rest young, old;
    unsigned rest; /* how many blocks a group is to have */
    unsigned room; /* how many more the young one takes */
};

/* block_bytes is a multiple of 16; link_at is where in a freed block the slab may keep a pointer.  Blocks
 * rest FATE__REST long. */
void fate__slab_init(struct fate__slab *slab, size_t block_bytes, size_t link_at, void *owner);
/* Gives all its memory back. */
void fate__slab_done(struct fate__slab *slab);

void *fate__slab_take_slow(struct fate__slab *slab);

/* Is there a block at hand?  It is taken without looking again. */
static inline bool fate__slab_has_free(const struct fate__slab *slab)
{
    return slab->free != NULL;
}

static inline void *fate__slab_take_free(struct fate__slab *slab)
{
    void *block = slab->free;
    slab->free = *(void **)(void *)((char *)block + slab->link_at);
    return block;
}

/* A block with undefined content, or NULL. */
static inline void *fate__slab_take(struct fate__slab *slab)
{
    if (fate__unlikely(!fate__slab_has_free(slab)))
        return fate__slab_take_slow(slab);
    return fate__slab_take_free(slab);
}

/* For where the inline one below stops short: a full group, an ASan build. */
void fate__slab_give_slow(struct fate__slab *slab, void *block);

static inline void fate__slab_give(struct fate__slab *slab, void *block)
{
#ifndef FATE__ASAN
    if (fate__likely(slab->room > 0)) {
        slab->room--;
        *(void **)(void *)((char *)block + slab->link_at) = slab->young.first;
        slab->young.first = block;
        return;
    }
#endif
    fate__slab_give_slow(slab, block);
}

/* Gives n blocks, at least one, that are linked already: they rest together. */
void fate__slab_give_list(struct fate__slab *slab, void *first, void *last, unsigned n);

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
#ifdef FATE__ASAN
bool fate__slab_is_poisoned(const void *block);
#else
static inline bool fate__slab_is_poisoned(const void *block)
{
    return false;
}
#endif
/* Makes a freed block readable again in an ASan build, to say what it was. */
void fate__slab_unpoison(const void *block, size_t bytes);

#endif
