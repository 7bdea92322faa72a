/* Text and bytes: counted, immutable copies. */
#include <value/object.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <base/text.h>

/* A string whose bytes are still to be written; NULL: no memory. */
static struct fate__string *make_string(size_t len, fate_kind kind)
{
    if (len > SIZE_MAX / 2)
        return NULL;
    struct fate__string *string = fate__alloc(sizeof *string + len + 1);
    if (!string)
        return NULL;
    fate__count_first(&string->head, kind);
    string->len = len;
    string->bytes[len] = '\0';
    return string;
}

static fate_value copy_of(const fate_type *type, const void *bytes, size_t len)
{
    struct fate__string *string = make_string(len, (fate_kind)type->kind);
    if (!string)
        return fate__no_memory();
    if (len)
        memcpy(string->bytes, bytes, len);
    return fate__of(type, string);
}

static void need_bytes(const char *what, const void *p, size_t len)
{
    if (!p && len)
        fate__stop(NULL,
                   "%s: given NULL for %zu bytes. Give the address of the bytes; NULL is for none of them.",
                   what, len);
}

fate_value fate_str(const char *s)
{
    if (!s)
        fate__stop(NULL, "fate_str: given NULL for a text. Use fate_none() where there is no text.");
    return copy_of(&fate__type_text, s, strlen(s));
}

fate_value fate_str_n(const char *s, size_t len)
{
    need_bytes("fate_str_n", s, len);
    return copy_of(&fate__type_text, s, len);
}

fate_value fate_bytes(const void *p, size_t len)
{
    need_bytes("fate_bytes", p, len);
    return copy_of(&fate__type_bytes, p, len);
}

fate_value fate__text_value(struct fate__text *text)
{
    fate_value v = text->has_failed ? fate__no_memory() : fate_str_n(text->bytes, text->len);
    fate__text_done(text);
    return v;
}

/* ---- As printf does ---- */

/* A text may name errno by %m, so that is kept until the bytes are there. */
int fate__format_begin(struct fate__formatting *f, const char *fmt, va_list args)
{
    int kept = errno;
    va_list again;

    va_copy(again, args);
    f->len = vsnprintf(f->small, sizeof f->small, fmt, again);
    va_end(again);
    if (f->len >= 0)
        errno = kept;
    return f->len;
}

void fate__format_end(const struct fate__formatting *f, char *to, const char *fmt, va_list args)
{
    size_t len = (size_t)f->len;

    if (len < sizeof f->small)
        memcpy(to, f->small, len + 1);
    else
        vsnprintf(to, len + 1, fmt, args);
}

fate_value fate_format_v(const char *fmt, va_list args)
{
    struct fate__formatting f;
    int kept = errno;

    if (fate__format_begin(&f, fmt, args) < 0 && errno == EILSEQ)
        return fate__raise(NULL, &FATE_UNICODE_ERROR, "fate_format of \"%s\": a wide text is not valid", fmt);
    if (f.len < 0)
        return fate__no_memory();
    struct fate__string *string = make_string((size_t)f.len, FATE_KIND_TEXT);
    if (!string)
        return fate__no_memory();
    errno = kept;
    fate__format_end(&f, string->bytes, fmt, args);
    return fate__of(&fate__type_text, string);
}

fate_value fate_format(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_value v = fate_format_v(fmt, args);
    va_end(args);
    return v;
}

/* ---- Reading ---- */

bool fate_get_str(const fate_value *v, const char **ret_s)
{
    if (!v || fate_kind_of(v) != FATE_KIND_TEXT)
        return false;
    *ret_s = ((const struct fate__string *)v->as.p)->bytes;
    return true;
}

bool fate_get_bytes(const fate_value *v, const void **ret_p, size_t *ret_len)
{
    if (!v || (fate_kind_of(v) != FATE_KIND_TEXT && fate_kind_of(v) != FATE_KIND_BYTES))
        return false;
    const struct fate__string *string = v->as.p;
    *ret_p = string->bytes;
    *ret_len = string->len;
    return true;
}

const char *fate_as_str(const fate_value *v)
{
    const char *s;
    if (fate__unlikely(!fate_get_str(v, &s)))
        fate__stop_wrong_kind("fate_as_str", v, "a text",
                              "Ask fate_kind_of first, or use fate_get_str for data from outside.", NULL);
    return s;
}

const void *fate_as_bytes(const fate_value *v, size_t *ret_len)
{
    const void *p;
    if (fate__unlikely(!fate_get_bytes(v, &p, ret_len)))
        fate__stop_wrong_kind("fate_as_bytes", v, "bytes or a text",
                              "Ask fate_kind_of first, or use fate_get_bytes for data from outside.", NULL);
    return p;
}
