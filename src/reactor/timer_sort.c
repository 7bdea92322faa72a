/* Sorting what comes up: deadlines first by their digits, and what is then short or equal by merging. */
#include <reactor/wheel.h>

/* Below it merging is quicker than dealing out. */
#define FEW 24
/* How often a chain is dealt out, so that the stack stays small. */
#define DEPTH_MAX 4
#define BUCKETS   64

/* Link 0 is a head's, so here it ends a chain. */
#define END 0

static uint32_t *next_of(const struct fate__timers *timers, uint32_t link)
{
    return &fate__timer_link_at(timers, link)->next;
}

/* ---- Merging ---- */

/* Both are not empty; a's timers were before b's where they are equal. */
static uint32_t merge(const struct fate__timers *timers, uint32_t a, uint32_t b)
{
    uint32_t first;
    uint32_t *to = &first;

    while (a && b) {
        struct fate__timer *in_a = fate__timer_at(timers, a), *in_b = fate__timer_at(timers, b);
        if (fate__timer_is_before(in_b, in_a)) {
            *to = b;
            to = next_of(timers, b);
            b = *to;
        } else {
            *to = a;
            to = next_of(timers, a);
            a = *to;
        }
    }
    *to = a ? a : b;
    return first;
}

/* Cuts off what is in order at the beginning, and returns what is left. */
static uint32_t cut_sorted(const struct fate__timers *timers, uint32_t last)
{
    struct fate__timer *timer = fate__timer_at(timers, last);

    for (;;) {
        uint32_t next = *next_of(timers, last);
        struct fate__timer *after = next ? fate__timer_at(timers, next) : NULL;
        if (!after || fate__timer_is_before(after, timer)) {
            *next_of(timers, last) = END;
            return next;
        }
        last = next;
        timer = after;
    }
}

static uint32_t last_of(const struct fate__timers *timers, uint32_t link)
{
    while (*next_of(timers, link))
        link = *next_of(timers, link);
    return link;
}

/* sorted[i] is empty or was merged of 2^i pieces that were in order from the beginning. */
static void merge_sort(const struct fate__timers *timers, struct fate__timer_chain *chain)
{
    uint32_t sorted[32] = { END };
    uint32_t rest = chain->first;
    unsigned i;

    *next_of(timers, chain->last) = END;
    while (rest) {
        uint32_t piece = rest;
        rest = cut_sorted(timers, piece);
        for (i = 0; sorted[i]; i++) {
            piece = merge(timers, sorted[i], piece);
            sorted[i] = END;
        }
        sorted[i] = piece;
    }
    uint32_t all = END;
    for (i = 0; i < 32; i++)
        if (sorted[i])
            all = all ? merge(timers, sorted[i], all) : sorted[i];
    chain->first = all;
    chain->last = last_of(timers, all);
}

/* ---- Dealing out ---- */

static void sort(const struct fate__timers *timers, struct fate__timer_chain *chain, int depth);

static void deal_out(const struct fate__timers *timers, const struct fate__timer_chain *chain,
                     struct fate__timer_chain *buckets)
{
    int top = 63 - __builtin_clzll(chain->varying);
    int shift = top > 5 ? top - 5 : 0;
    uint32_t link = chain->first;

    for (uint32_t i = chain->n; i > 0; i--) {
        struct fate__timer *timer = fate__timer_at(timers, link);
        uint32_t next = *next_of(timers, link);
        uint64_t digits = ((uint64_t)timer->due ^ (uint64_t)1 << 63) >> shift;
        fate__chain_add(timers, &buckets[digits % BUCKETS], link, timer);
        link = next;
    }
}

static void deal_and_sort(const struct fate__timers *timers, struct fate__timer_chain *chain, int depth)
{
    struct fate__timer_chain buckets[BUCKETS] = { { 0 } };
    uint32_t first = END;
    uint32_t last = END;

    deal_out(timers, chain, buckets);
    for (int i = 0; i < BUCKETS; i++) {
        if (!buckets[i].n)
            continue;
        sort(timers, &buckets[i], depth + 1);
        if (last)
            *next_of(timers, last) = buckets[i].first;
        else
            first = buckets[i].first;
        last = buckets[i].last;
    }
    chain->first = first;
    chain->last = last;
}

static void sort(const struct fate__timers *timers, struct fate__timer_chain *chain, int depth)
{
    if (!chain->is_unsorted)
        return;
    if (chain->n <= FEW || !chain->varying || depth == DEPTH_MAX)
        merge_sort(timers, chain);
    else
        deal_and_sort(timers, chain, depth);
}

void fate__chain_sort(const struct fate__timers *timers, struct fate__timer_chain *chain)
{
    sort(timers, chain, 0);
}
