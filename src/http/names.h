/* Which name a field or a method has: comparing whole words, since each line of each head asks. */
#ifndef FATE_SRC_HTTP_NAMES_H
#define FATE_SRC_HTTP_NAMES_H

#include <string.h>

#include <http/message.h>

/* Eight bytes with letters made small.  Other bytes of a token stay what they are, or become what is in none
 * of the names. */
static inline uint64_t fate__http_eight(const char *s)
{
    uint64_t word;
    memcpy(&word, s, sizeof word);
    return word | 0x2020202020202020u;
}

static inline uint32_t fate__http_four(const char *s)
{
    uint32_t word;
    memcpy(&word, s, sizeof word);
    return word | 0x20202020u;
}

/* Which of the known names this token is, without regard to case.  No two of them have the same length. Words
 * that overlap make up for lengths that are no multiples. */
static inline enum fate__http_name fate__http_name_of(struct fate__http_slice name)
{
    const char *s = name.at;

    switch (name.len) {
    case 4:
        return fate__http_four(s) == fate__http_four("host") ? FATE__HTTP_HOST_FIELD : FATE__HTTP_OTHER;
    case 6:
        return fate__http_four(s) == fate__http_four("expe") &&
                       fate__http_four(s + 2) == fate__http_four("pect")
                   ? FATE__HTTP_EXPECT
                   : FATE__HTTP_OTHER;
    case 7:
        return fate__http_four(s) == fate__http_four("upgr") &&
                       fate__http_four(s + 3) == fate__http_four("rade")
                   ? FATE__HTTP_UPGRADE
                   : FATE__HTTP_OTHER;
    case 10:
        return fate__http_eight(s) == fate__http_eight("connecti") &&
                       fate__http_eight(s + 2) == fate__http_eight("nnection")
                   ? FATE__HTTP_CONNECTION
                   : FATE__HTTP_OTHER;
    case 14:
        return fate__http_eight(s) == fate__http_eight("content-") &&
                       fate__http_eight(s + 6) == fate__http_eight("t-length")
                   ? FATE__HTTP_CONTENT_LENGTH
                   : FATE__HTTP_OTHER;
    case 17:
        return fate__http_eight(s) == fate__http_eight("transfer") &&
                       fate__http_eight(s + 8) == fate__http_eight("-encodin") && (s[16] | 0x20) == 'g'
                   ? FATE__HTTP_TRANSFER_ENCODING
                   : FATE__HTTP_OTHER;
    default:
        return FATE__HTTP_OTHER;
    }
}

static inline bool fate__http_begins(const char *s, struct fate__http_slice literal)
{
    return memcmp(s, literal.at, literal.len) == 0;
}

#define FATE__HTTP_METHOD(s, name, method)                                                                   \
    if (fate__http_begins(s, FATE__HTTP_SLICE(name)))                                                        \
    return method

/* Methods are case-sensitive: RFC 9110, 9.1. */
static inline enum fate__http_method fate__http_method_of(struct fate__http_slice name)
{
    const char *s = name.at;

    switch (name.len) {
    case 3:
        FATE__HTTP_METHOD(s, "GET", FATE__HTTP_GET);
        FATE__HTTP_METHOD(s, "PUT", FATE__HTTP_PUT);
        break;
    case 4:
        FATE__HTTP_METHOD(s, "POST", FATE__HTTP_POST);
        FATE__HTTP_METHOD(s, "HEAD", FATE__HTTP_HEAD_METHOD);
        break;
    case 5:
        FATE__HTTP_METHOD(s, "PATCH", FATE__HTTP_PATCH);
        FATE__HTTP_METHOD(s, "TRACE", FATE__HTTP_TRACE);
        break;
    case 6:
        FATE__HTTP_METHOD(s, "DELETE", FATE__HTTP_DELETE);
        break;
    case 7:
        FATE__HTTP_METHOD(s, "OPTIONS", FATE__HTTP_OPTIONS);
        FATE__HTTP_METHOD(s, "CONNECT", FATE__HTTP_CONNECT);
        break;
    default:
        break;
    }
    return FATE__HTTP_METHOD_OTHER;
}

#endif
