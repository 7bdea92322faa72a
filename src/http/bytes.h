/* Classes of bytes. */
#ifndef FATE_SRC_HTTP_BYTES_H
#define FATE_SRC_HTTP_BYTES_H

#include <fate/base.h>

/* A part of somebody else's bytes. */
struct fate__http_slice {
    const char *at;
    size_t len;
};

#define FATE__HTTP_SLICE(literal) ((struct fate__http_slice){ "" literal, sizeof(literal) - 1 })

enum fate__http_class {
    FATE__HTTP_TOKEN = 1,  /* tchar: RFC 9110, 5.6.2 */
    FATE__HTTP_VALUE = 2,  /* in the value of a field: tab, blank, VCHAR, obs-text; RFC 9110, 5.5 */
    FATE__HTTP_TARGET = 4, /* VCHAR without " # < >: what browsers leave as it is in paths and queries */
    FATE__HTTP_HOST = 8,   /* unreserved and sub-delims: RFC 3986, 3.2.2 */
    FATE__HTTP_HEX = 16,   /* HEXDIG, small letters too */
    FATE__HTTP_DIGIT = 32, /* DIGIT */
    FATE__HTTP_BLANK = 64, /* tab and blank: what OWS is made of */
    FATE__HTTP_ETAG = 128, /* etagc: RFC 9110, 8.8.3 */
};

extern const unsigned char fate__http_classes[256];

static inline unsigned fate__http_class_of(char byte)
{
    return fate__http_classes[(unsigned char)byte];
}

static inline bool fate__http_is(char byte, enum fate__http_class wanted)
{
    return fate__http_class_of(byte) & wanted;
}

/* The first byte from s on that is not of the class.  There must be one.
 *
 * Most of parsing is this loop.  The compiler is kept from carrying each byte along for the caller, who would
 * look at the last one again: that would be a fourth instruction for each byte. */
static inline const char *fate__http_skip(const char *s, enum fate__http_class wanted)
{
    for (; fate__http_is(s[0], wanted); s += 4) {
        if (!fate__http_is(s[1], wanted)) {
            s += 1;
            break;
        }
        if (!fate__http_is(s[2], wanted)) {
            s += 2;
            break;
        }
        if (!fate__http_is(s[3], wanted)) {
            s += 3;
            break;
        }
    }
    __asm__("" : "+r"(s));
    return s;
}

static inline bool fate__http_all(struct fate__http_slice text, enum fate__http_class wanted)
{
    const char *s = text.at, *end = s + text.len;

    for (; end - s >= 4; s += 4)
        if (!(fate__http_class_of(s[0]) & fate__http_class_of(s[1]) & fate__http_class_of(s[2]) &
              fate__http_class_of(s[3]) & wanted))
            return false;
    while (s < end && fate__http_is(*s, wanted))
        s++;
    return s == end;
}

/* As ASCII letters, and nothing else, are made small. */
static inline char fate__http_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* Without regard to the case of ASCII letters. */
bool fate__http_same(struct fate__http_slice a, struct fate__http_slice b);

/* Without the blanks and tabs at both ends. */
struct fate__http_slice fate__http_trim(struct fate__http_slice text);

/* Digits alone, at least one, as a number up to INT64_MAX; -1: anything else. */
int64_t fate__http_number(struct fate__http_slice digits);

#endif
