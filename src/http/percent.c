/* Percent-encoding, and the fields of queries and forms. */
#include <http/percent.h>

#include <errno.h>

#include <base/alloc.h>

bool fate__is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int fate__percent_byte(const char *s, size_t len)
{
    if (len < 3 || s[0] != '%' || digit_of(s[1]) < 0 || digit_of(s[2]) < 0)
        return -1;
    return digit_of(s[1]) * 16 + digit_of(s[2]);
}

ssize_t fate__percent_decode(char *to, const char *s, size_t len)
{
    size_t at = 0;

    for (size_t i = 0; i < len; at++) {
        int byte = fate__percent_byte(s + i, len - i);
        if (byte < 0 && s[i] == '%')
            return -EINVAL;
        to[at] = byte < 0 ? s[i] : (char)byte;
        i += byte < 0 ? 1 : 3;
    }
    return (ssize_t)at;
}

void fate__percent_encode(struct fate__text *to, const char *s, size_t len, const char *keep)
{
    for (size_t i = 0; i < len; i++) {
        if (fate__is_unreserved(s[i]) || (s[i] && strchr(keep, s[i])))
            fate__text_add_n(to, s + i, 1);
        else
            fate__text_format(to, "%%%02X", (unsigned char)s[i]);
    }
}

/* ---- Fields ---- */

/* Decodes as forms do, with a NUL behind; moves *to beyond it. */
static struct fate__slice decode_word(char **to, const char *s, size_t len)
{
    char *word = *to, *at = word;

    for (size_t i = 0; i < len;) {
        int byte = fate__percent_byte(s + i, len - i);
        if (byte >= 0)
            *at++ = (char)byte;
        else
            *at++ = s[i] == '+' ? ' ' : s[i];
        i += byte < 0 ? 1 : 3;
    }
    *at = '\0';
    *to = at + 1;
    return (struct fate__slice){ word, (size_t)(at - word) };
}

/* Cuts s at the first c, which belongs to neither part; without one, the first part is all. */
static struct fate__slice cut(struct fate__slice *s, char c)
{
    const char *found = s->len ? memchr(s->s, c, s->len) : NULL;
    struct fate__slice first = { s->s, found ? (size_t)(found - s->s) : s->len };
    size_t taken = first.len + (found != NULL);

    s->s = s->len ? s->s + taken : s->s;
    s->len -= taken;
    return first;
}

static size_t count_fields(struct fate__slice s)
{
    size_t n = 0;

    while (s.len)
        n += cut(&s, '&').len != 0;
    return n;
}

int fate__fields_parse(struct fate__fields *ret_fields, const char *s, size_t len, size_t n_max)
{
    struct fate__slice rest = { s, len };
    size_t n = count_fields(rest);

    if (n > n_max)
        return -E2BIG;
    /* Decoding makes nothing longer, and each field has two NULs, of which one stands for its "=" or "&". */
    struct fate__field *fields = fate__alloc(n * sizeof *fields + len + 2 * n + 1);
    if (!fields)
        return -ENOMEM;
    char *to = (char *)(fields + n);
    size_t i = 0;
    while (rest.len) {
        struct fate__slice value = cut(&rest, '&');
        if (!value.len)
            continue;
        struct fate__slice name = cut(&value, '=');
        fields[i].name = decode_word(&to, name.s, name.len);
        fields[i++].value = decode_word(&to, value.s, value.len);
    }
    *ret_fields = (struct fate__fields){ fields, n };
    return 0;
}

const struct fate__field *fate__fields_find(const struct fate__fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->n; i++)
        if (fate__slice_is(fields->fields[i].name, name))
            return &fields->fields[i];
    return NULL;
}

void fate__fields_done(struct fate__fields *fields)
{
    fate__free(fields->fields);
    *fields = (struct fate__fields){ 0 };
}

static void add_word(struct fate__text *to, const char *s)
{
    for (const char *end; *s; s = end + (*end == ' ')) {
        end = strchr(s, ' ');
        end = end ? end : s + strlen(s);
        fate__percent_encode(to, s, (size_t)(end - s), "*");
        if (*end == ' ')
            fate__text_add(to, "+");
    }
}

void fate__fields_add(struct fate__text *to, const char *name, const char *value)
{
    if (to->len)
        fate__text_add(to, "&");
    add_word(to, name);
    fate__text_add(to, "=");
    add_word(to, value);
}
