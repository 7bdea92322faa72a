/* Stacks: mapped in segments of many, each with a guard page at its low end.
 *
 * MADV_GUARD_INSTALL (Linux 6.13) makes a guard without splitting the mapping, so that 100,000 stacks fit
 * under vm.max_map_count.  Older kernels refuse it; then mprotect does it, for as many as the limit bears. */
#include <coro/stack.h>

#include <sys/mman.h>
#include <unistd.h>

#include <base/alloc.h>
#include <base/slab.h>
#include <coro/tools.h>

#ifdef FATE__ASAN
#include <sanitizer/asan_interface.h>
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define STACKS_PER_SEGMENT ((size_t)256)
#define MPROTECTED_MAX     ((size_t)8192)

struct fate__segment {
    struct fate__segment *next;
    unsigned char *memory;
    size_t n_used; /* stacks handed out at least once */
};

void fate__stacks_init(struct fate__stacks *stacks)
{
    *stacks = (struct fate__stacks){ .page_bytes = (size_t)sysconf(_SC_PAGESIZE) };
}

static unsigned char *map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

#define CANARY UINT64_C(0xfa7ecafebaadf00d)

static enum fate__guard guard(struct fate__stacks *stacks, unsigned char *page)
{
    if (madvise(page, stacks->page_bytes, MADV_GUARD_INSTALL) == 0)
        return FATE__GUARDED;
    if (stacks->n_mprotected == MPROTECTED_MAX || mprotect(page, stacks->page_bytes, PROT_NONE) < 0)
        return FATE__UNGUARDED;
    stacks->n_mprotected++;
    return FATE__MPROTECTED;
}

static uint64_t *canary_of(const struct fate__stack_memory *stack)
{
    return (uint64_t *)(void *)stack->low;
}

bool fate__stack_is_whole(const struct fate__stack_memory *stack)
{
    return *canary_of(stack) == CANARY;
}

static void set_up(struct fate__stacks *stacks, unsigned char *memory, size_t bytes,
                   struct fate__stack_memory *ret_stack)
{
    ret_stack->guard = guard(stacks, memory);
    ret_stack->low = memory + stacks->page_bytes;
    ret_stack->top = memory + bytes;
    ret_stack->is_common = bytes == FATE__STACK_BYTES;
    if (ret_stack->guard == FATE__UNGUARDED)
        *canary_of(ret_stack) = CANARY;
    ret_stack->valgrind_id = fate__tools_new_stack(ret_stack->low, ret_stack->top);
}

static struct fate__segment *new_segment(struct fate__stacks *stacks)
{
    struct fate__segment *segment = fate__alloc(sizeof *segment);
    if (!segment)
        return NULL;
    segment->memory = map(STACKS_PER_SEGMENT * FATE__STACK_BYTES);
    if (!segment->memory) {
        fate__free(segment);
        return NULL;
    }
    segment->n_used = 0;
    segment->next = stacks->segments;
    stacks->segments = segment;
    return segment;
}

static bool take_common(struct fate__stacks *stacks, struct fate__stack_memory *ret_stack)
{
    struct fate__segment *segment = stacks->segments;
    if (!segment || segment->n_used == STACKS_PER_SEGMENT)
        segment = new_segment(stacks);
    if (!segment)
        return false;
    set_up(stacks, segment->memory + segment->n_used * FATE__STACK_BYTES, FATE__STACK_BYTES, ret_stack);
    segment->n_used++;
    return true;
}

static size_t stack_bytes(const struct fate__stack_memory *stack, const struct fate__stacks *stacks)
{
    return (size_t)(stack->top - stack->low) + stacks->page_bytes;
}

bool fate__stack_take(struct fate__stacks *stacks, size_t bytes, struct fate__stack_memory *ret_stack)
{
    size_t page = stacks->page_bytes;

    if (fate__on_block && !fate__on_block())
        return false;
    if (bytes > SIZE_MAX / 2)
        return false;
    size_t whole = (bytes + 2 * page - 1) / page * page;
    if (bytes == 0 || whole == FATE__STACK_BYTES)
        return take_common(stacks, ret_stack);
    unsigned char *memory = map(whole);
    if (!memory)
        return false;
    set_up(stacks, memory, whole, ret_stack);
    return true;
}

#ifdef FATE__ASAN
void fate__stack_rest(const struct fate__stack_memory *stack)
{
    ASAN_UNPOISON_MEMORY_REGION(stack->low, (size_t)(stack->top - stack->low));
}
#endif

void fate__stack_give(struct fate__stacks *stacks, const struct fate__stack_memory *stack)
{
    fate__tools_end_stack(stack->valgrind_id);
    if (stack->is_common)
        return;
    stacks->n_mprotected -= stack->guard == FATE__MPROTECTED;
    munmap(stack->low - stacks->page_bytes, stack_bytes(stack, stacks));
}

void fate__stacks_done(struct fate__stacks *stacks)
{
    while (stacks->segments) {
        struct fate__segment *segment = stacks->segments;
        stacks->segments = segment->next;
        munmap(segment->memory, STACKS_PER_SEGMENT * FATE__STACK_BYTES);
        fate__free(segment);
    }
}

/* Pages never touched are not resident, and are not touched by asking; in the deepest that is, the first word
 * that is not zero tells. */
static const uint64_t *first_used_word(const struct fate__stack_memory *stack, const unsigned char *page,
                                       size_t bytes)
{
    const uint64_t *word = (const uint64_t *)(const void *)page;
    const uint64_t *end = (const uint64_t *)(const void *)(page + bytes);

    if (stack->guard == FATE__UNGUARDED && word == canary_of(stack) && *word == CANARY)
        word++;
    while (word < end && !*word)
        word++;
    return word < end ? word : NULL;
}

size_t fate__stack_used(const struct fate__stacks *stacks, const struct fate__stack_memory *stack)
{
    size_t page = stacks->page_bytes;
    unsigned char is_resident;

    for (unsigned char *at = stack->low; at < stack->top; at += page) {
        if (mincore(at, page, &is_resident) < 0 || !(is_resident & 1))
            continue;
        fate__tools_look_away();
        const uint64_t *word = first_used_word(stack, at, page);
        fate__tools_look_again();
        if (word)
            return (size_t)(stack->top - (const unsigned char *)word);
    }
    return 0;
}
