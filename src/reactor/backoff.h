/* How long to wait before the next attempt: twice as long each time, up to a limit.  It only counts; whoever
 * waits has the clock and the numbers by chance. */
#ifndef FATE_SRC_REACTOR_BACKOFF_H
#define FATE_SRC_REACTOR_BACKOFF_H

#include <fate/base.h>

struct fate__backoff {
    fate_time first;         /* the first pause, above 0 */
    fate_time delay_max;     /* no pause is longer; above 0 */
    unsigned jitter_percent; /* each is shorter by up to that much: 0 to 100 */
    fate_time next;          /* 0: the first one comes */
};

/* The next pause, with any 64 bits by chance: those who have failed at the same time do not come again at the
 * same time. Without jitter they do not matter. */
fate_time fate__backoff_next(struct fate__backoff *backoff, uint64_t random);
/* It has worked: the first pause comes next. */
static inline void fate__backoff_reset(struct fate__backoff *backoff)
{
    backoff->next = 0;
}

#endif
