/* Seconds as nanoseconds. */
#include <fate/base.h>

#define SECONDS_MAX 9223372036.0 /* what whole seconds fit in a fate_time with any fraction behind them */

/* The whole seconds and the fraction are turned apart: so a fraction keeps its precision behind many
 * seconds. */
fate_time fate_seconds(double seconds)
{
    if (seconds != seconds || seconds >= SECONDS_MAX)
        return FATE_NEVER;
    if (seconds <= -SECONDS_MAX)
        return -FATE_NEVER;

    int64_t whole = (int64_t)seconds;
    double nanoseconds = (seconds - (double)whole) * 1e9;
    return whole * FATE_SECOND + (int64_t)(nanoseconds + (nanoseconds < 0 ? -0.5 : 0.5));
}
