/* Framings: where messages lie in bytes, whatever pieces these come in. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fate/protocol.h>

#include "test.h"

#define MORE ((ptrdiff_t)0)

static const fate_framing *const all[] = { &FATE_LINES, &FATE_NETSTRINGS, &FATE_INT8_STRINGS,
                                           &FATE_INT16_STRINGS, &FATE_INT32_STRINGS };
#define N_ALL (sizeof all / sizeof *all)

/* ---- Tables ---- */

struct row {
    const fate_framing *framing;
    const char *bytes;
    size_t len;
    ptrdiff_t taken; /* or why not */
    const char *message;
    size_t message_len;
};
#define GIVES(framing, bytes, taken, message)                                                                \
    {                                                                                                        \
        &(framing), bytes, sizeof(bytes) - 1, taken, message, sizeof(message) - 1                            \
    }
#define REFUSES(framing, bytes, why)                                                                         \
    {                                                                                                        \
        &(framing), bytes, sizeof(bytes) - 1, why, NULL, 0                                                   \
    }

static const struct row rows[] = {
    GIVES(FATE_LINES, "hello\r\n", 7, "hello"),
    GIVES(FATE_LINES, "hello\n", 6, "hello"),
    GIVES(FATE_LINES, "\n", 1, ""),
    GIVES(FATE_LINES, "\r\n", 2, ""),
    GIVES(FATE_LINES, "\r\r\n", 3, "\r"),
    GIVES(FATE_LINES, "a\rb\n", 4, "a\rb"),
    GIVES(FATE_LINES, "a\0b\nrest", 4, "a\0b"),
    GIVES(FATE_LINES, "one\r\ntwo\r\n", 5, "one"),
    REFUSES(FATE_LINES, "", MORE),
    REFUSES(FATE_LINES, "hello", MORE),
    REFUSES(FATE_LINES, "hello\r", MORE),
    GIVES(FATE_NETSTRINGS, "5:hello,", 8, "hello"),
    GIVES(FATE_NETSTRINGS, "0:,", 3, ""),
    GIVES(FATE_NETSTRINGS, "3:,:,,4:", 6, ",:,"),
    GIVES(FATE_NETSTRINGS, "12:hello world!,", 16, "hello world!"),
    REFUSES(FATE_NETSTRINGS, "", MORE),
    REFUSES(FATE_NETSTRINGS, "5", MORE),
    REFUSES(FATE_NETSTRINGS, "5:", MORE),
    REFUSES(FATE_NETSTRINGS, "5:hello", MORE),
    REFUSES(FATE_NETSTRINGS, "5:hello;", -EINVAL),
    REFUSES(FATE_NETSTRINGS, ":hello,", -EINVAL),
    REFUSES(FATE_NETSTRINGS, "05:hello,", -EINVAL),
    REFUSES(FATE_NETSTRINGS, "00:,", -EINVAL),
    REFUSES(FATE_NETSTRINGS, "-1:,", -EINVAL),
    REFUSES(FATE_NETSTRINGS, " 5:hello,", -EINVAL),
    REFUSES(FATE_NETSTRINGS, "5 :hello,", -EINVAL),
    REFUSES(FATE_NETSTRINGS, "1048577:", -EMSGSIZE),
    REFUSES(FATE_NETSTRINGS, "1048576:", MORE),
    REFUSES(FATE_NETSTRINGS, "9999999999999999999:", -EMSGSIZE),
    REFUSES(FATE_NETSTRINGS, "18446744073709551617:a,",
            -EINVAL), /* 1 more than fits, and 1 too many digits */
    GIVES(FATE_INT8_STRINGS, "\5hello", 6, "hello"),
    GIVES(FATE_INT8_STRINGS, "\0", 1, ""),
    GIVES(FATE_INT8_STRINGS, "\1a\1b", 2, "a"),
    REFUSES(FATE_INT8_STRINGS, "", MORE),
    REFUSES(FATE_INT8_STRINGS, "\5hell", MORE),
    REFUSES(FATE_INT8_STRINGS, "\377short", MORE),
    GIVES(FATE_INT16_STRINGS, "\0\5hello", 7, "hello"),
    REFUSES(FATE_INT16_STRINGS, "\1", MORE),
    REFUSES(FATE_INT16_STRINGS, "\1\0hello", MORE),
    GIVES(FATE_INT32_STRINGS, "\0\0\0\5hello", 9, "hello"),
    REFUSES(FATE_INT32_STRINGS, "\0\0\0", MORE),
    REFUSES(FATE_INT32_STRINGS, "\0\20\0\0", MORE),
    REFUSES(FATE_INT32_STRINGS, "\0\20\0\1", -EMSGSIZE),
    REFUSES(FATE_INT32_STRINGS, "\377\377\377\377", -EMSGSIZE),
};

/* Exactly that many bytes in memory, so that a look beyond them is found out. */
static char *exactly(const char *bytes, size_t len)
{
    char *copy = malloc(len ? len : 1);

    if (copy)
        memcpy(copy, bytes, len);
    return copy;
}

TEST(messages_are_found_or_refused)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        size_t at = 0, len = 0;
        char *bytes = exactly(row->bytes, row->len);
        ptrdiff_t taken = row->framing->cut(row->framing, bytes, row->len, &at, &len);
        if (!EXPECT_EQ(taken, row->taken))
            test_expect_str(FATE_HERE, row->bytes, "", row->framing->name);
        if (taken > 0 && EXPECT_EQ(len, row->message_len))
            EXPECT(memcmp(bytes + at, row->message, len) == 0);
        free(bytes);
    }
}

TEST(a_line_may_be_as_long_as_it_may_be_and_no_longer)
{
    const size_t max = FATE_LINES.message_bytes_max;
    char *bytes = malloc(max + 3);
    size_t at, len;

    memset(bytes, 'a', max + 3);
    EXPECT_EQ(FATE_LINES.cut(&FATE_LINES, bytes, max, &at, &len), 0);
    EXPECT_EQ(FATE_LINES.cut(&FATE_LINES, bytes, max + 1, &at, &len), -EMSGSIZE);
    bytes[max] = '\r';
    EXPECT_EQ(FATE_LINES.cut(&FATE_LINES, bytes, max + 1, &at, &len), 0);
    bytes[max + 1] = '\n';
    EXPECT_EQ(FATE_LINES.cut(&FATE_LINES, bytes, max + 2, &at, &len), max + 2);
    EXPECT_EQ(len, max);
    free(bytes);
}

/* ---- What is wrapped is cut as it was ---- */

static size_t wrap(const fate_framing *framing, const char *message, size_t len, char *to)
{
    char head[16], tail[16];
    size_t head_len = SIZE_MAX, tail_len = framing->wrap(framing, len, head, &head_len, tail);

    if (tail_len == SIZE_MAX)
        return 0;
    memcpy(to, head, head_len);
    memcpy(to + head_len, message, len);
    memcpy(to + head_len + len, tail, tail_len);
    return head_len + len + tail_len;
}

/* No part of a message is one, and behind it may lie more. */
static void expect_found(const fate_framing *framing, const char *wrapped, size_t n, const char *message,
                         size_t len)
{
    size_t at, found;

    for (size_t part = 0; part < n; part += 1 + n / 256)
        EXPECT_EQ(framing->cut(framing, wrapped, part, &at, &found), 0);
    for (size_t behind = 0; behind < 2; behind++) {
        EXPECT_EQ(framing->cut(framing, wrapped, n + behind, &at, &found), n);
        if (EXPECT_EQ(found, len))
            EXPECT(memcmp(wrapped + at, message, len) == 0);
    }
}

TEST(what_is_wrapped_is_cut_as_it_was_and_no_part_of_it)
{
    static const size_t lens[] = { 0, 1, 9, 10, 11, 99, 100, 255, 256, 999, 16384, 65535, 65536, 1 << 20 };
    char *message = malloc((1 << 20) + 1), *wrapped = malloc((1 << 20) + 64);

    memset(message, ',', (1 << 20) + 1);
    for (size_t i = 0; i < N_ALL; i++)
        for (size_t k = 0; k < sizeof lens / sizeof *lens; k++) {
            if (lens[k] > all[i]->message_bytes_max)
                continue;
            size_t n = wrap(all[i], message, lens[k], wrapped);
            wrapped[n] = '1';
            expect_found(all[i], wrapped, n, message, lens[k]);
        }
    free(message);
    free(wrapped);
}

TEST(no_message_is_longer_than_its_length_can_say)
{
    char head[16], tail[16];
    size_t n;

    EXPECT_EQ(FATE_INT8_STRINGS.wrap(&FATE_INT8_STRINGS, 255, head, &n, tail), 0);
    EXPECT_EQ(FATE_INT8_STRINGS.wrap(&FATE_INT8_STRINGS, 256, head, &n, tail), SIZE_MAX);
    EXPECT_EQ(FATE_INT16_STRINGS.wrap(&FATE_INT16_STRINGS, 65536, head, &n, tail), SIZE_MAX);
    EXPECT_EQ(FATE_INT32_STRINGS.wrap(&FATE_INT32_STRINGS, UINT32_MAX, head, &n, tail), 0);
    EXPECT_EQ(FATE_INT32_STRINGS.wrap(&FATE_INT32_STRINGS, (size_t)UINT32_MAX + 1, head, &n, tail), SIZE_MAX);
    EXPECT_EQ(FATE_NETSTRINGS.wrap(&FATE_NETSTRINGS, SIZE_MAX, head, &n, tail), SIZE_MAX);
    EXPECT_EQ(FATE_NETSTRINGS.wrap(&FATE_NETSTRINGS, 999999999999999, head, &n, tail), 1);
    EXPECT_EQ(n, 16);
}
