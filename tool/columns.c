/* Columns: which characters take none, one or two. */
#include <columns.h>

#include <string.h>

#include <base/utf8.h>

struct range {
    uint32_t first, last;
};

/* Marks that stand on the character before them, and what joins others; the common blocks. */
static const struct range without_width[] = {
    { 0x300, 0x36f },   { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x200b, 0x200d },
    { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
};

/* East Asian characters and pictures (Unicode Standard Annex 11: W and F), by block. */
static const struct range wide[] = {
    { 0x1100, 0x115f }, { 0x2e80, 0x303e }, { 0x3041, 0xa4cf }, { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },
    { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1faff }, { 0x20000, 0x3fffd },
};

static bool is_in(uint32_t c, const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

/* A character as it is shown. */
struct shown {
    const char *s;
    size_t len, columns, taken; /* bytes that are written; and taken from the text */
};

static uint32_t code_of(const unsigned char *s, size_t len)
{
    uint32_t c = len == 1 ? s[0] : s[0] & (0x7fu >> len);

    for (size_t i = 1; i < len; i++)
        c = c << 6 | (s[i] & 0x3f);
    return c;
}

/* Characters that turn the direction of a line would make it lie. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

static struct shown next(const char *s, bool is_utf8)
{
    size_t len = fate__utf8_len(s, strnlen(s, 4));
    uint32_t c = len ? code_of((const unsigned char *)s, len) : 0;

    if (is_control(c) || (len > 1 && !is_utf8))
        return (struct shown){ "?", 1, 1, len ? len : 1 };
    if (is_in(c, without_width, sizeof without_width / sizeof *without_width))
        return (struct shown){ s, len, 0, len };
    return (struct shown){ s, len, 1u + is_in(c, wide, sizeof wide / sizeof *wide), len };
}

size_t fate__columns_of(const char *s, bool is_utf8)
{
    size_t columns = 0;

    while (*s) {
        struct shown shown = next(s, is_utf8);
        columns += shown.columns;
        s += shown.taken;
    }
    return columns;
}

void fate__add_columns(struct fate__text *to, const char *s, size_t columns, bool is_utf8)
{
    bool is_cut = fate__columns_of(s, is_utf8) > columns;
    size_t left = columns - (is_cut && columns);

    while (*s && columns) {
        struct shown shown = next(s, is_utf8);
        if (shown.columns > left)
            break;
        fate__text_add_n(to, shown.s, shown.len);
        left -= shown.columns;
        s += shown.taken;
    }
    if (is_cut && columns)
        fate__text_add(to, is_utf8 ? "\xe2\x80\xa6" : "~");
    for (; left; left--)
        fate__text_add(to, " ");
}

void fate__add_last_columns(struct fate__text *to, const char *s, size_t columns, bool is_utf8)
{
    size_t n = fate__columns_of(s, is_utf8);

    if (n <= columns || !columns) {
        fate__add_columns(to, s, columns, is_utf8);
        return;
    }
    while (n > columns - 1) {
        struct shown shown = next(s, is_utf8);
        n -= shown.columns;
        s += shown.taken;
    }
    fate__text_add(to, is_utf8 ? "\xe2\x80\xa6" : "~");
    fate__add_columns(to, s, columns - 1, is_utf8);
}
