/* Amounts as people write and read them: times and sizes. */
#ifndef FATE_TOOL_AMOUNT_H
#define FATE_TOOL_AMOUNT_H

#include <fate/base.h>

/* "1.5s", "200ms", "10": a number, perhaps with a fraction, and ns, us, ms, s, min, h or d; without one,
 * seconds. False: it is not that, or it is FATE_NEVER or more. */
bool fate__read_span(const char *s, fate_time *ret_span);
/* "512", "10K", "1.5MiB": bytes, or K, M, G or T of 1024, with iB behind or not.  False: it is not that, or
 * it does not fit. */
bool fate__read_size(const char *s, uint64_t *ret_bytes);

#define FATE__AMOUNT_BYTES 16
/* "512 B", "1.5 KiB", "1023.9 MiB": at most ten characters; returns to. */
const char *fate__size_text(uint64_t bytes, char to[FATE__AMOUNT_BYTES]);
/* "0:05", "1:02:03"; "-:--" from a hundred hours on; returns to. */
const char *fate__clock_text(fate_time span, char to[FATE__AMOUNT_BYTES]);

#endif
