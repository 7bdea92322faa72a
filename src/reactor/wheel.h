/* The wheel of timers, from inside.
 *
 * Time is cut into units of 4.096 us and a unit's number into digits of six bits.  The hand stands at a unit,
 * never beyond now.  A timer lies in the list of its deadline's highest digit that differs from the hand's:
 * at that digit's level, in the slot with that digit.  So all of one level comes before all of the next, the
 * occupied slots of a level come in order, and finding the first is a matter of two bit scans.  While the
 * hand moves and passes no occupied slot, every timer stays in its list.  What is due at the hand's unit or
 * before has a list of its own, which comes first of all.
 *
 * Lists are not sorted, and a timer that is moved to a later time stays where it is.  Only when a list may
 * hold the earliest deadline it is opened: what has been moved beyond it goes back into the wheel, and the
 * rest is sorted and becomes a run, a list in the order of calls.  Runs are merged when the newer one is no
 * longer much smaller, so that there are few, and a timer is part of few merges.  The earliest of all is the
 * first of a run.  Nothing of this allocates; whatever list a timer is in, it leaves it in a few stores. */
#ifndef FATE_SRC_REACTOR_WHEEL_H
#define FATE_SRC_REACTOR_WHEEL_H

#include <base/stop.h>
#include <reactor/timer.h>

struct fate__timer {
    uint32_t tag; /* the generation above the state */
    uint32_t made_ms;
    fate_time due;
    uint64_t serial; /* equal times run in order of scheduling */
    fate_action *action;
    const char *site;
    fate_value arg;
};

_Static_assert(sizeof(struct fate__timer) == 56, "with its link a timer takes 64 bytes");

/* IN_RUN: at its place in a sorted run, so that it must not be moved without leaving it. */
enum { FATE__TIMER_IN_WHEEL, FATE__TIMER_IN_RUN, FATE__TIMER_CALLED, FATE__TIMER_CANCELLED };
#define FATE__TIMER_STATE      3u
#define FATE__TIMER_GENERATION 4u /* one, in a tag */

/* Timers have numbers from FATE__PLACE on; the numbers below are those of heads.  Their links lie beside one
 * another, away from what else they have: who leaves a list changes the links of two others, and who goes
 * through one reads nothing else, so it matters that many are in the cache. */
#define FATE__PLACE 1024u /* the numbers in a place; a power of two */
struct fate__timer_place {
    struct fate__timer_link links[FATE__PLACE];
    struct fate__timer timers[FATE__PLACE];
};

static inline struct fate__timer_link *fate__timer_link_at(const struct fate__timers *timers, uint32_t link)
{
    return &timers->places[link / FATE__PLACE]->links[link % FATE__PLACE];
}

static inline struct fate__timer *fate__timer_at(const struct fate__timers *timers, uint32_t link)
{
    return &timers->places[link / FATE__PLACE]->timers[link % FATE__PLACE];
}

/* ---- Lists: circular, with a head ----
 *
 * A list that is not empty is marked as occupied.  One that has become empty stays so until somebody looks,
 * which spares those who leave a list the question which one it is. */

static inline void fate__timers_occupy(struct fate__timers *timers, uint32_t head)
{
    timers->occupied[head / 64] |= (uint64_t)1 << head % 64;
    timers->levels |= 1u << head / 64;
}

static inline void fate__timers_vacate(struct fate__timers *timers, uint32_t head)
{
    uint64_t rest = timers->occupied[head / 64] & ~((uint64_t)1 << head % 64);

    timers->occupied[head / 64] = rest;
    timers->exact[head / 64] &= rest;
    timers->levels &= ~((uint32_t)!rest << head / 64);
    timers->bounds[head] = FATE_NEVER;
}

static inline void fate__timer_append(struct fate__timers *timers, uint32_t head, uint32_t link)
{
    uint32_t last = timers->heads[head].prev;

    *fate__timer_link_at(timers, link) = (struct fate__timer_link){ head, last };
    timers->heads[head].prev = link;
    fate__timer_link_at(timers, last)->next = link;
    if (last == head)
        fate__timers_occupy(timers, head);
}

static inline void fate__timer_unlink(struct fate__timers *timers, uint32_t link)
{
    const struct fate__timer_link at = *fate__timer_link_at(timers, link);

    fate__timer_link_at(timers, at.next)->prev = at.prev;
    fate__timer_link_at(timers, at.prev)->next = at.next;
}

/* ---- The wheel ---- */

#define FATE__UNIT_BITS  12
#define FATE__DIGIT_BITS 6

/* The unit of a time, which may be negative. */
static inline uint64_t fate__unit_of(fate_time t)
{
    return ((uint64_t)t ^ (uint64_t)1 << 63) >> FATE__UNIT_BITS;
}

static inline uint32_t fate__slot_of(const struct fate__timers *timers, fate_time due)
{
    uint64_t unit = fate__unit_of(due);

    if (unit <= timers->hand)
        return FATE__WHEEL_DUE;
    unsigned bit = 63u - (unsigned)__builtin_clzll(unit ^ timers->hand);
    unsigned level = bit * 43 >> 8; /* divided by 6 */
    return 64 * level + (uint32_t)(unit >> FATE__DIGIT_BITS * level & 63);
}

static inline void fate__wheel_insert(struct fate__timers *timers, uint32_t link, struct fate__timer *timer)
{
    uint32_t slot = fate__slot_of(timers, timer->due);

    fate__timer_append(timers, slot, link);
    if (timer->due < timers->bounds[slot])
        timers->bounds[slot] = timer->due;
}

/* Moves the hand towards now, as far as it passes no occupied slot. */
void fate__wheel_follow(struct fate__timers *timers);
/* The earliest deadline; FATE_NEVER when nothing is pending. */
fate_time fate__wheel_next(struct fate__timers *timers);
/* The earliest timer's link if it is due by limit.  0: if there is one, it is due later. */
uint32_t fate__wheel_earliest(struct fate__timers *timers, fate_time limit);

/* Before a timer with that deadline leaves or moves: when it is what a bound is of, nothing need be due then.
 */
static inline void fate__wheel_forget_exact(struct fate__timers *timers, fate_time due)
{
    if (fate__likely(due > timers->exact_max))
        return;
    uint32_t slot = fate__slot_of(timers, due);
    if (timers->bounds[slot] == due)
        timers->exact[slot / 64] &= ~((uint64_t)1 << slot % 64);
}

/* ---- Order ---- */

static inline bool fate__timer_is_before(const struct fate__timer *a, const struct fate__timer *b)
{
    return a->due < b->due || (a->due == b->due && a->serial < b->serial);
}

/* Timers linked by next alone; what the last one's link holds is undefined. */
struct fate__timer_chain {
    uint32_t first, last;
    uint32_t n;
    const struct fate__timer *last_timer; /* where it grows */
    uint64_t varying;                     /* the bits in which the deadlines differ */
    fate_time some_due;
    bool is_unsorted;
};

static inline void fate__chain_add(const struct fate__timers *timers, struct fate__timer_chain *chain,
                                   uint32_t link, const struct fate__timer *timer)
{
    if (chain->n++ == 0) {
        chain->first = link;
        chain->some_due = timer->due;
    } else {
        fate__timer_link_at(timers, chain->last)->next = link;
        chain->is_unsorted |= fate__timer_is_before(timer, chain->last_timer);
        chain->varying |= (uint64_t)(timer->due ^ chain->some_due);
    }
    chain->last = link;
    chain->last_timer = timer;
}

void fate__chain_sort(const struct fate__timers *timers, struct fate__timer_chain *chain);

/* ---- Memory ---- */

/* The link of a timer never used yet, or 0 for want of memory. */
uint32_t fate__timer_take_fresh(struct fate__timers *timers);

/* Which timers of a place were used and have no call now.  These lie beside one another, away from the
 * timers: whoever cancels among millions misses the cache often enough. */
struct fate__timer_free {
    uint64_t free[FATE__PLACE / 64];
    uint32_t words; /* a bit for each of those that is not 0 */
    uint32_t next;  /* the next place that has some, or 0 */
};

/* The last one given comes first.  After it those with the lowest addresses in a chunk: a program that has
 * had a million walks through memory when it schedules, instead of jumping about.  0: there is none but fresh
 * ones. */
static inline uint32_t fate__timer_take(struct fate__timers *timers)
{
    uint32_t link = timers->spare;
    uint32_t place = timers->with_free;

    timers->spare = 0;
    if (link || !place)
        return link;
    struct fate__timer_free *of = &timers->free[place];
    unsigned word = (unsigned)__builtin_ctz(of->words);
    uint64_t bits = of->free[word];
    link = FATE__PLACE * place + 64 * word + (uint32_t)__builtin_ctzll(bits);
    of->free[word] = bits &= bits - 1;
    if (!bits && !(of->words &= of->words - 1))
        timers->with_free = of->next;
    return link;
}

static inline void fate__timer_give(struct fate__timers *timers, uint32_t link)
{
    uint32_t place = link / FATE__PLACE;
    uint32_t at = link % FATE__PLACE;

    if (!timers->spare) {
        timers->spare = link;
        return;
    }
    struct fate__timer_free *of = &timers->free[place];
    if (!of->words) {
        of->next = timers->with_free;
        timers->with_free = place;
    }
    of->words |= 1u << at / 64;
    of->free[at / 64] |= (uint64_t)1 << at % 64;
}

void fate__timers_free_memory(struct fate__timers *timers);

#endif
