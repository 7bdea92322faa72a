/* The framings that come with the library: pure functions over bytes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/protocol.h>

/* ---- Lines ---- */

static ptrdiff_t cut_line(const fate_framing *framing, const char *data, size_t len, size_t *ret_at,
                          size_t *ret_len)
{
    const char *end = memchr(data, '\n', len);

    if (!end) {
        bool may_end = len > 0 && data[len - 1] == '\r';
        return len - may_end > framing->message_bytes_max ? -EMSGSIZE : 0;
    }
    size_t n = (size_t)(end - data);
    *ret_at = 0;
    *ret_len = n > 0 && data[n - 1] == '\r' ? n - 1 : n;
    return (ptrdiff_t)(n + 1);
}

static size_t wrap_line(const fate_framing *framing, size_t len, char ret_head[16], size_t *ret_head_len,
                        char ret_tail[16])
{
    *ret_head_len = 0;
    memcpy(ret_tail, "\r\n", 2);
    return 2;
}

const fate_framing FATE_LINES = { .size = sizeof(fate_framing),
                                  .message_bytes_max = 16384,
                                  .name = "lines",
                                  .cut = cut_line,
                                  .wrap = wrap_line };

/* ---- Netstrings: https://cr.yp.to/proto/netstrings.txt ---- */

#define DIGITS_MAX 19

/* The number before the colon, which is no longer than it must be.  How many bytes it has, 0: more must come,
 * negative: it is none. */
static ptrdiff_t read_length(const char *data, size_t len, uint64_t *ret_length)
{
    uint64_t length = 0;
    size_t i = 0;

    for (; i < len && data[i] >= '0' && data[i] <= '9'; i++) {
        if (i == DIGITS_MAX || (i == 1 && data[0] == '0'))
            return -EINVAL;
        length = 10 * length + (uint64_t)(data[i] - '0');
    }
    if (i == len)
        return len > DIGITS_MAX ? -EINVAL : 0;
    if (i == 0 || data[i] != ':')
        return -EINVAL;
    *ret_length = length;
    return (ptrdiff_t)i;
}

static ptrdiff_t cut_netstring(const fate_framing *framing, const char *data, size_t len, size_t *ret_at,
                               size_t *ret_len)
{
    uint64_t length = 0;
    ptrdiff_t n_digits = read_length(data, len, &length);

    if (n_digits <= 0)
        return n_digits;
    if (length > framing->message_bytes_max)
        return -EMSGSIZE;
    size_t at = (size_t)n_digits + 1, end = at + (size_t)length;
    if (end >= len)
        return 0;
    if (data[end] != ',')
        return -EINVAL;
    *ret_at = at;
    *ret_len = (size_t)length;
    return (ptrdiff_t)(end + 1);
}

static size_t wrap_netstring(const fate_framing *framing, size_t len, char ret_head[16], size_t *ret_head_len,
                             char ret_tail[16])
{
    char head[24];
    int n = snprintf(head, sizeof head, "%zu:", len);

    if (n > 16)
        return SIZE_MAX;
    memcpy(ret_head, head, (size_t)n);
    *ret_head_len = (size_t)n;
    ret_tail[0] = ',';
    return 1;
}

const fate_framing FATE_NETSTRINGS = { .size = sizeof(fate_framing),
                                       .message_bytes_max = 1 << 20,
                                       .name = "netstrings",
                                       .cut = cut_netstring,
                                       .wrap = wrap_netstring };

/* ---- The length before each message, big-endian ---- */

static ptrdiff_t cut_counted(const fate_framing *framing, unsigned width, const char *data, size_t len,
                             size_t *ret_at, size_t *ret_len)
{
    size_t length = 0;

    if (len < width)
        return 0;
    for (unsigned i = 0; i < width; i++)
        length = length << 8 | (unsigned char)data[i];
    if (length > framing->message_bytes_max)
        return -EMSGSIZE;
    if (len - width < length)
        return 0;
    *ret_at = width;
    *ret_len = length;
    return (ptrdiff_t)(width + length);
}

static size_t wrap_counted(unsigned width, size_t len, char ret_head[16], size_t *ret_head_len)
{
    if (len >> (8 * width - 1) >> 1)
        return SIZE_MAX;
    for (unsigned i = 0; i < width; i++)
        ret_head[i] = (char)(len >> (8 * (width - 1 - i)));
    *ret_head_len = width;
    return 0;
}

#define COUNTED(width)                                                                                       \
    static ptrdiff_t cut_##width(const fate_framing *framing, const char *data, size_t len, size_t *ret_at,  \
                                 size_t *ret_len)                                                            \
    {                                                                                                        \
        return cut_counted(framing, width, data, len, ret_at, ret_len);                                      \
    }                                                                                                        \
    static size_t wrap_##width(const fate_framing *framing, size_t len, char ret_head[16],                   \
                               size_t *ret_head_len, char ret_tail[16])                                      \
    {                                                                                                        \
        return wrap_counted(width, len, ret_head, ret_head_len);                                             \
    }
COUNTED(1)
COUNTED(2)
COUNTED(4)

const fate_framing FATE_INT8_STRINGS = { .size = sizeof(fate_framing),
                                         .message_bytes_max = 255,
                                         .name = "8-bit strings",
                                         .cut = cut_1,
                                         .wrap = wrap_1 };
const fate_framing FATE_INT16_STRINGS = { .size = sizeof(fate_framing),
                                          .message_bytes_max = 65535,
                                          .name = "16-bit strings",
                                          .cut = cut_2,
                                          .wrap = wrap_2 };
const fate_framing FATE_INT32_STRINGS = { .size = sizeof(fate_framing),
                                          .message_bytes_max = 1 << 20,
                                          .name = "32-bit strings",
                                          .cut = cut_4,
                                          .wrap = wrap_4 };
