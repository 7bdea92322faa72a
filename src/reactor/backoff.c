/* Pauses between attempts. */
#include <reactor/backoff.h>

static fate_time min(fate_time a, fate_time b)
{
    return a < b ? a : b;
}

/* percent of t, rounded down, without overflow. */
static fate_time part_of(fate_time t, unsigned percent)
{
    return t / 100 * percent + t % 100 * percent / 100;
}

fate_time fate__backoff_next(struct fate__backoff *backoff, uint64_t random)
{
    fate_time delay = min(backoff->next ? backoff->next : backoff->first, backoff->delay_max);
    uint64_t jitter = (uint64_t)part_of(delay, backoff->jitter_percent);

    backoff->next = delay > backoff->delay_max / 2 ? backoff->delay_max : 2 * delay;
    return delay - (fate_time)(random % (jitter + 1));
}
