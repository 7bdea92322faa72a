/* Names for the files that come from others. */
#include <http/url.h>

#include <base/alloc.h>
#include <base/utf8.h>
#include <http/percent.h>

/* Behind the last slash or backslash: what other systems take for a path is none here either. */
static struct fate__slice last_segment(const char *s, size_t len)
{
    size_t from = len;

    while (from && s[from - 1] != '/' && s[from - 1] != '\\')
        from--;
    return (struct fate__slice){ s + from, len - from };
}

/* How many bytes at s are a character that a name may have; 0: the first one is not. */
static size_t usable_len(const char *s, size_t len, bool is_first)
{
    unsigned char c = (unsigned char)s[0];
    size_t n = fate__utf8_len(s, len);

    if (c < 0x20 || c == 0x7f || (is_first && (c == '.' || c == '-')))
        return 0;
    return n == 2 && c == 0xc2 && (unsigned char)s[1] < 0xa0 ? 0 : n;
}

void fate__add_file_name(struct fate__text *to, const char *s, size_t len)
{
    struct fate__slice name = last_segment(s, len);
    size_t written = 0;

    for (size_t i = 0; i < name.len;) {
        size_t n = usable_len(name.s + i, name.len - i, i == 0), out = n ? n : 1;
        if (written + out > FATE__FILE_NAME_MAX)
            return;
        fate__text_add_n(to, n ? name.s + i : "_", out);
        written += out;
        i += out;
    }
    if (!written)
        fate__text_add(to, "index.html");
}

void fate__url_add_file_name(struct fate__text *to, const struct fate__url *url)
{
    const char *last = strrchr(url->path, '/') + 1;
    size_t len = strlen(last);
    char *decoded = fate__alloc(len);

    if (!decoded) {
        to->has_failed = true;
        return;
    }
    ssize_t n = fate__percent_decode(decoded, last, len);
    fate__add_file_name(to, decoded, n < 0 ? 0 : (size_t)n);
    fate__free(decoded);
}
