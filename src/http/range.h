/* Ranges of bytes: RFC 9110, 14.  Pure functions. */
#ifndef FATE_SRC_HTTP_RANGE_H
#define FATE_SRC_HTTP_RANGE_H

#include <http/bytes.h>

struct fate__http_range {
    int64_t first, n; /* n bytes from first on, all there, at least one */
};

/* More ranges than that are not honest; whoever asks for them gets the whole. */
#define FATE__HTTP_RANGES_MAX 16

/* The value of a field Range, for a body of total bytes, into room for FATE__HTTP_RANGES_MAX: how many, in
 * the order in which they were asked for, those outside of the body left out.
 *
 * 0: the field is to be ignored, and the whole sent with 200: another unit, a wrong syntax, too many, or
 * ranges that overlap (RFC 9110, 14.2).  -ERANGE: none lies in the body: 416. */
int fate__http_ranges(struct fate__http_slice value, int64_t total, struct fate__http_range *ret_ranges);

/* "bytes 0-499/1234" of a part, or, with range NULL, what a 416 says; with a NUL. */
#define FATE__HTTP_CONTENT_RANGE_BYTES 72
void fate__http_content_range(const struct fate__http_range *range, int64_t total,
                              char to[FATE__HTTP_CONTENT_RANGE_BYTES]);

#endif
