/* The wheel of timers: which comes next. */
#include <reactor/wheel.h>

#define NONE UINT32_MAX

/* ---- Runs ---- */

static uint64_t runs_of(const struct fate__timers *timers)
{
    const uint64_t all = ((uint64_t)1 << FATE__WHEEL_RUNS) - 1;
    return timers->occupied[FATE__WHEEL_LEVELS] >> FATE__WHEEL_RUN % 64 & all;
}

/* The earliest in the runs, NULL when they are empty. */
static struct fate__timer *first_of_runs(struct fate__timers *timers, uint32_t *ret_link)
{
    struct fate__timer *best = NULL;

    for (uint64_t runs = runs_of(timers); runs; runs &= runs - 1) {
        uint32_t run = FATE__WHEEL_RUN + (uint32_t)__builtin_ctzll(runs);
        uint32_t link = timers->heads[run].next;
        if (link == run) {
            fate__timers_vacate(timers, run);
            continue;
        }
        struct fate__timer *timer = fate__timer_at(timers, link);
        if (best && !fate__timer_is_before(timer, best))
            continue;
        best = timer;
        *ret_link = link;
    }
    return best;
}

/* Puts all from first to last, linked to one another, before the link `at`. */
static void splice(struct fate__timers *timers, uint32_t at, struct fate__timer_link all)
{
    struct fate__timer_link *here = fate__timer_link_at(timers, at);

    fate__timer_link_at(timers, here->prev)->next = all.next;
    fate__timer_link_at(timers, all.next)->prev = here->prev;
    fate__timer_link_at(timers, all.prev)->next = at;
    here->prev = all.prev;
}

/* Into, which is not empty, takes all of the run `from`. */
static void merge_runs(struct fate__timers *timers, uint32_t into, uint32_t from)
{
    struct fate__timer_link rest = timers->heads[from];
    const struct fate__timer *last = fate__timer_at(timers, timers->heads[into].prev);
    uint32_t at = into;

    timers->heads[from] = (struct fate__timer_link){ from, from };
    fate__timers_vacate(timers, from);
    if (fate__timer_is_before(fate__timer_at(timers, rest.next), last))
        at = timers->heads[into].next;
    while (at != into) {
        const struct fate__timer *here = fate__timer_at(timers, at);
        uint32_t moving = rest.next;
        struct fate__timer *timer = fate__timer_at(timers, moving);
        if (!fate__timer_is_before(timer, here)) {
            at = fate__timer_link_at(timers, at)->next;
            continue;
        }
        rest.next = fate__timer_link_at(timers, moving)->next;
        splice(timers, at, (struct fate__timer_link){ moving, moving });
        if (moving == rest.prev)
            return;
    }
    splice(timers, into, rest);
}

/* Each run was made of more than twice as many timers as the next; so there are few. */
static void merge_what_is_small(struct fate__timers *timers)
{
    uint64_t runs = runs_of(timers);

    while (runs & (runs - 1)) {
        uint32_t top = 63u - (uint32_t)__builtin_clzll(runs);
        uint32_t below = 63u - (uint32_t)__builtin_clzll(runs ^ (uint64_t)1 << top);
        bool is_last = top == FATE__WHEEL_RUNS - 1;
        if (timers->run_sizes[below] / 2 > timers->run_sizes[top] && !is_last)
            return;
        timers->run_sizes[below] += timers->run_sizes[top];
        merge_runs(timers, FATE__WHEEL_RUN + below, FATE__WHEEL_RUN + top);
        runs = runs_of(timers);
    }
}

/* Gives a chain its links back. */
static struct fate__timer_link linked(const struct fate__timers *timers,
                                      const struct fate__timer_chain *chain)
{
    uint32_t at = chain->first;
    uint32_t previous = at;

    for (uint32_t i = chain->n; i > 0; i--) {
        struct fate__timer_link *link = fate__timer_link_at(timers, at);
        link->prev = previous;
        previous = at;
        at = link->next;
    }
    return (struct fate__timer_link){ chain->first, previous };
}

/* The newest run, if a chain that begins with that timer can go on at its end; else a new one. */
static uint32_t run_for(const struct fate__timers *timers, uint32_t first)
{
    uint64_t runs = runs_of(timers);

    if (!runs)
        return 0;
    uint32_t top = 63u - (uint32_t)__builtin_clzll(runs);
    uint32_t last = timers->heads[FATE__WHEEL_RUN + top].prev;
    return fate__timer_is_before(fate__timer_at(timers, first), fate__timer_at(timers, last)) ? top + 1 : top;
}

/* A chain, sorted now, becomes a run or the end of one. */
static void add_run(struct fate__timers *timers, const struct fate__timer_chain *chain)
{
    const struct fate__timer_link all = linked(timers, chain);
    uint32_t run = run_for(timers, chain->first);
    bool is_new = !(runs_of(timers) >> run & 1);

    timers->run_sizes[run] = (is_new ? 0 : timers->run_sizes[run]) + chain->n;
    splice(timers, FATE__WHEEL_RUN + run, all);
    fate__timers_occupy(timers, FATE__WHEEL_RUN + run);
    merge_what_is_small(timers);
}

/* ---- Slots ---- */

/* Of the wheel alone. */
static uint32_t first_ahead(const struct fate__timers *timers)
{
    uint32_t levels = timers->levels & ~(1u << FATE__WHEEL_LEVELS);

    if (!levels)
        return NONE;
    uint32_t level = (uint32_t)__builtin_ctz(levels);
    return 64 * level + (uint32_t)__builtin_ctzll(timers->occupied[level]);
}

static uint32_t first_slot(const struct fate__timers *timers)
{
    bool has_due = timers->occupied[FATE__WHEEL_LEVELS] & 1;
    return has_due ? FATE__WHEEL_DUE : first_ahead(timers);
}

/* The first unit of a slot. */
static uint64_t beginning_of(const struct fate__timers *timers, uint32_t slot)
{
    unsigned bits = FATE__DIGIT_BITS * (slot / 64);
    uint64_t above = timers->hand >> bits >> FATE__DIGIT_BITS << FATE__DIGIT_BITS;
    return (above | slot % 64) << bits;
}

/* The last one. */
static uint64_t end_of(const struct fate__timers *timers, uint32_t slot)
{
    if (slot == FATE__WHEEL_DUE)
        return timers->hand;
    unsigned bits = FATE__DIGIT_BITS * (slot / 64);
    return beginning_of(timers, slot) + (((uint64_t)1 << bits) - 1);
}

void fate__wheel_follow(struct fate__timers *timers)
{
    uint64_t to = fate__unit_of(timers->now);
    uint32_t slot = first_ahead(timers);

    if (slot != NONE && beginning_of(timers, slot) <= to)
        to = beginning_of(timers, slot) - 1;
    if (to > timers->hand)
        timers->hand = to;
}

#define STEPS_AHEAD 12

/* Links lie close to one another, and timers do not: whoever reads the links some steps ahead can fetch the
 * timers in time. */
static uint32_t fetch_ahead(const struct fate__timers *timers, uint32_t link)
{
    const struct fate__timer *timer = fate__timer_at(timers, link);

    __builtin_prefetch(timer);
    __builtin_prefetch(&timer->arg);
    return fate__timer_link_at(timers, link)->next;
}

/* Sorts a list into a run, but for what was moved beyond it, which goes back into the wheel. */
static void open_slot(struct fate__timers *timers, uint32_t slot)
{
    struct fate__timer_chain chain = { 0 };
    uint64_t end = end_of(timers, slot);
    uint32_t link = timers->heads[slot].next;
    uint32_t ahead = link;

    for (int i = 0; i < STEPS_AHEAD && ahead != slot; i++)
        ahead = fetch_ahead(timers, ahead);
    timers->heads[slot] = (struct fate__timer_link){ slot, slot };
    fate__timers_vacate(timers, slot);
    fate__wheel_follow(timers);
    while (link != slot) {
        struct fate__timer *timer = fate__timer_at(timers, link);
        uint32_t next = fate__timer_link_at(timers, link)->next;
        if (ahead != slot)
            ahead = fetch_ahead(timers, ahead);
        if (fate__unit_of(timer->due) > end) {
            fate__wheel_insert(timers, link, timer);
        } else {
            timer->tag |= FATE__TIMER_IN_RUN;
            fate__chain_add(timers, &chain, link, timer);
        }
        link = next;
    }
    if (!chain.n)
        return;
    fate__chain_sort(timers, &chain);
    add_run(timers, &chain);
}

/* ---- The earliest deadline ---- */

#define MANY 64

static bool has_exact(const struct fate__timers *timers)
{
    uint64_t any = 0;

    for (int i = 0; i <= FATE__WHEEL_LEVELS; i++)
        any |= timers->exact[i];
    return any;
}

/* Finds it in a list, which stays as it is but for what was moved beyond. */
static void scan_slot(struct fate__timers *timers, uint32_t slot)
{
    uint64_t end = end_of(timers, slot);
    uint32_t link = timers->heads[slot].next;
    uint32_t n = 0;
    fate_time earliest = FATE_NEVER;

    if (!has_exact(timers))
        timers->exact_max = INT64_MIN;
    while (link != slot) {
        struct fate__timer *timer = fate__timer_at(timers, link);
        uint32_t next = fate__timer_link_at(timers, link)->next;
        if (fate__unit_of(timer->due) > end) {
            fate__timer_unlink(timers, link);
            fate__wheel_insert(timers, link, timer);
        } else if (timer->due < earliest) {
            earliest = timer->due;
        }
        n++;
        link = next;
    }
    timers->bounds[slot] = earliest;
    timers->exact[slot / 64] |= (uint64_t)1 << slot % 64;
    if (timers->heads[slot].next == slot)
        fate__timers_vacate(timers, slot);
    if (earliest > timers->exact_max)
        timers->exact_max = earliest;
    if (n >= MANY) {
        timers->scanned_at = timers->serial;
        timers->scanned = slot;
        timers->n_scanned = n;
    }
}

/* A long list that is asked for its earliest again and again is better sorted: when the earliest always goes
 * first, say.  Scanning is right as long as there are changes enough between to pay for it. */
static bool is_scan_paid_for(const struct fate__timers *timers, uint32_t slot)
{
    return slot != timers->scanned || timers->serial - timers->scanned_at >= timers->n_scanned / 4;
}

fate_time fate__wheel_next(struct fate__timers *timers)
{
    for (;;) {
        uint32_t link;
        const struct fate__timer *best = first_of_runs(timers, &link);
        uint32_t slot = first_slot(timers);
        if (slot == NONE || (best && best->due <= timers->bounds[slot]))
            return best ? best->due : FATE_NEVER;
        if (timers->exact[slot / 64] >> slot % 64 & 1)
            return timers->bounds[slot];
        if (is_scan_paid_for(timers, slot))
            scan_slot(timers, slot);
        else
            open_slot(timers, slot);
    }
}

uint32_t fate__wheel_earliest(struct fate__timers *timers, fate_time limit)
{
    if (fate__unit_of(timers->now) > timers->hand)
        fate__wheel_follow(timers);
    for (;;) {
        uint32_t link = 0;
        const struct fate__timer *best = first_of_runs(timers, &link);
        uint32_t slot = first_slot(timers);
        if (slot != NONE && timers->bounds[slot] <= limit && (!best || timers->bounds[slot] <= best->due)) {
            open_slot(timers, slot);
            continue;
        }
        return best && best->due <= limit ? link : 0;
    }
}
