/* Fuzzes framings: what they find lies in what they take, does not depend on the pieces in which it comes,
 * and is found again when it is wrapped. */
#include <stdlib.h>
#include <string.h>

#include <fate/protocol.h>

static const fate_framing *const framings[] = { &FATE_LINES, &FATE_NETSTRINGS, &FATE_INT8_STRINGS,
                                                &FATE_INT16_STRINGS, &FATE_INT32_STRINGS };

static void expect(bool holds)
{
    if (!holds)
        abort();
}

struct found {
    ptrdiff_t taken;
    size_t at, len;
};

/* The bytes in memory of their own, so that a look beyond them is seen. */
static struct found cut(const fate_framing *framing, const uint8_t *data, size_t len)
{
    struct found found = { 0, 0, 0 };
    char *bytes = malloc(len ? len : 1);

    if (!bytes)
        return found;
    memcpy(bytes, data, len);
    found.taken = framing->cut(framing, bytes, len, &found.at, &found.len);
    free(bytes);
    return found;
}

/* Less of it gives the same, or nothing yet. */
static void check_parts(const fate_framing *framing, const uint8_t *data, size_t len, struct found whole)
{
    size_t n = whole.taken > 0 ? (size_t)whole.taken : len;
    bool is_bad = whole.taken < 0 || whole.len > framing->message_bytes_max;

    for (size_t part = 0; part < n; part += 1 + n / 64) {
        struct found found = cut(framing, data, part);
        expect(found.taken == 0 || (is_bad && found.taken < 0));
    }
}

static void check_wrapped(const fate_framing *framing, const uint8_t *message, size_t len)
{
    char head[16], tail[16];
    size_t head_len = 0, tail_len = framing->wrap(framing, len, head, &head_len, tail);

    expect(tail_len <= sizeof tail && head_len <= sizeof head);
    uint8_t *bytes = malloc(head_len + len + tail_len + 1);
    if (!bytes)
        return;
    memcpy(bytes, head, head_len);
    memcpy(bytes + head_len, message, len);
    memcpy(bytes + head_len + len, tail, tail_len);
    struct found found = cut(framing, bytes, head_len + len + tail_len);
    expect(found.taken == (ptrdiff_t)(head_len + len + tail_len));
    expect(found.len == len && memcmp(bytes + found.at, message, len) == 0);
    free(bytes);
}

static void go_through(const fate_framing *framing, const uint8_t *data, size_t len)
{
    struct found found;

    do {
        found = cut(framing, data, len);
        check_parts(framing, data, len, found);
        if (found.taken <= 0)
            return;
        expect((size_t)found.taken <= len && found.at <= len && found.len <= len - found.at);
        if (found.len <= framing->message_bytes_max)
            check_wrapped(framing, data + found.at, found.len);
        data += found.taken;
        len -= (size_t)found.taken;
    } while (len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size)
        go_through(framings[data[0] % (sizeof framings / sizeof *framings)], data + 1, size - 1);
    return 0;
}
