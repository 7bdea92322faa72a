/* Reasons in words, and the parts that they quote. */
#include <base/why.h>

#include <stdio.h>
#include <string.h>

#include <base/utf8.h>

int fate__because(struct fate__why *why, int error, const char *fmt, ...)
{
    va_list args;

    if (!why)
        return error;
    va_start(args, fmt);
    vsnprintf(why->text, sizeof why->text, fmt, args);
    va_end(args);
    return error;
}

/* How many bytes of s stand as they are: a character of UTF-8 that controls nothing.  U+0080 to U+009F are
 * controls too. */
static size_t printable_len(const char *s, size_t len)
{
    unsigned char first = (unsigned char)s[0];

    if (first < 0x20 || first == 0x7f)
        return 0;
    size_t n = fate__utf8_len(s, len);
    return n == 2 && first == 0xc2 && (unsigned char)s[1] < 0xa0 ? 0 : n;
}

const char *fate__shown(const char *s, size_t len, char to[FATE__SHOWN_BYTES])
{
    size_t at = 0;

    for (size_t i = 0; i < len;) {
        size_t n = printable_len(s + i, len - i);
        if (at + 8 > FATE__SHOWN_BYTES) {
            strcpy(to + at, "...");
            return to;
        }
        if (n)
            memcpy(to + at, s + i, n);
        else
            snprintf(to + at, 5, "\\x%02x", (unsigned char)s[i]);
        at += n ? n : 4;
        i += n ? n : 1;
    }
    to[at] = '\0';
    return to;
}
