/* Which bytes are a character: RFC 3629, 4. */
#include <base/utf8.h>

/* What may follow a first byte: its length, and the range of the second byte, which excludes overlong
 * forms, surrogates and what lies beyond U+10FFFF. */
struct form {
    unsigned char len, second_min, second_max;
};

static struct form form_of(unsigned char first)
{
    if (first < 0x80)
        return (struct form){ 1, 0, 0 };
    if (first < 0xc2 || first > 0xf4)
        return (struct form){ 0, 0, 0 };
    if (first < 0xe0)
        return (struct form){ 2, 0x80, 0xbf };
    if (first < 0xf0)
        return (struct form){ 3, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf };
    return (struct form){ 4, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf };
}

size_t fate__utf8_len(const char *s, size_t n)
{
    const unsigned char *bytes = (const unsigned char *)s;
    if (n == 0)
        return 0;
    struct form form = form_of(bytes[0]);
    if (form.len <= 1)
        return form.len;
    if (n < form.len || bytes[1] < form.second_min || bytes[1] > form.second_max)
        return 0;
    for (size_t i = 2; i < form.len; i++)
        if (bytes[i] < 0x80 || bytes[i] > 0xbf)
            return 0;
    return form.len;
}
