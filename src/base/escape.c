/* Texts inside of JSON and HTML: which characters do not stand for themselves. */
#include <base/escape.h>

#include <stdio.h>
#include <string.h>

#include <base/utf8.h>

/* ---- JSON ---- */

static char letter_of(unsigned char c)
{
    static const char from[] = "\"\\\n\t\r\b\f", to[] = "\"\\ntrbf";
    const char *at = c ? strchr(from, c) : NULL;
    return at ? to[at - from] : '\0';
}

size_t fate__json_next(const char *s, size_t n, char to[8])
{
    size_t len = fate__utf8_len(s, n);
    unsigned char c = (unsigned char)*s;

    if (len == 0) {
        strcpy(to, "\\ufffd");
        return 1;
    }
    if (letter_of(c)) {
        snprintf(to, 8, "\\%c", letter_of(c));
    } else if (c < 0x20) {
        snprintf(to, 8, "\\u%04x", c);
    } else {
        memcpy(to, s, len);
        to[len] = '\0';
    }
    return len;
}

void fate__add_json_string(struct fate__text *to, const char *s, size_t n)
{
    char escaped[8];

    fate__text_add(to, "\"");
    for (size_t i = 0; i < n && !to->has_failed;) {
        i += fate__json_next(s + i, n - i, escaped);
        fate__text_add(to, escaped);
    }
    fate__text_add(to, "\"");
}

/* ---- HTML ---- */

static const char *entity_of(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* Whether a character of that length may stand in a page; the controls of Latin-1, U+0080 to U+009F, may not.
 */
static bool is_allowed(const char *s, size_t len)
{
    unsigned char c = (unsigned char)*s;

    if (len == 1)
        return (c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t';
    return len && !(c == 0xc2 && (unsigned char)s[1] < 0xa0);
}

void fate__add_html(struct fate__text *to, const char *s, size_t n)
{
    for (size_t i = 0; i < n && !to->has_failed;) {
        size_t len = fate__utf8_len(s + i, n - i);
        const char *entity = entity_of((unsigned char)s[i]);
        if (entity)
            fate__text_add(to, entity);
        else if (is_allowed(s + i, len))
            fate__text_add_n(to, s + i, len);
        else
            fate__text_add(to, "\xef\xbf\xbd");
        i += len ? len : 1;
    }
}
