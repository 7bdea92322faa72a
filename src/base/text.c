/* Growing texts, and call sites in their short form. */
#include <base/text.h>

#include <stdio.h>
#include <string.h>

#include <base/alloc.h>

static bool make_room(struct fate__text *text, size_t more)
{
    if (text->has_failed)
        return false;
    if (text->len + more < text->room)
        return true;
    size_t room = text->room ? text->room : 64;
    while (room <= text->len + more)
        room *= 2;
    char *bytes = fate__realloc(text->bytes, room);
    if (!bytes) {
        text->has_failed = true;
        return false;
    }
    text->bytes = bytes;
    text->room = room;
    return true;
}

void fate__text_add_n(struct fate__text *text, const char *s, size_t len)
{
    if (!make_room(text, len))
        return;
    memcpy(text->bytes + text->len, s, len);
    text->len += len;
    text->bytes[text->len] = '\0';
}

void fate__text_add(struct fate__text *text, const char *s)
{
    fate__text_add_n(text, s, strlen(s));
}

void fate__text_format_v(struct fate__text *text, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    if (len >= 0 && make_room(text, (size_t)len)) {
        vsnprintf(text->bytes + text->len, (size_t)len + 1, fmt, again);
        text->len += (size_t)len;
    }
    va_end(again);
}

void fate__text_format(struct fate__text *text, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate__text_format_v(text, fmt, args);
    va_end(args);
}

/* A site is "name path:line" or "path:line"; names hold no blank, a path may. */
static size_t name_len(const char *site)
{
    const char *blank = strchr(site, ' ');
    const char *slash = strchr(site, '/');
    return blank && (!slash || blank < slash) ? (size_t)(blank - site) + 1 : 0;
}

static const char *file_of(const char *site)
{
    const char *slash = strrchr(site, '/');
    return slash ? slash + 1 : site + name_len(site);
}

void fate__text_add_site(struct fate__text *text, const char *site)
{
    fate__text_add_n(text, site, name_len(site));
    fate__text_add(text, file_of(site));
}

void fate__text_done(struct fate__text *text)
{
    fate__free(text->bytes);
    *text = (struct fate__text){ 0 };
}

const char *fate__site_short(const char *site, char *to, size_t n)
{
    snprintf(to, n, "%.*s%s", (int)name_len(site), site, file_of(site));
    return to;
}

const char *fate__span_text(fate_time t, char to[FATE__SPAN_BYTES])
{
    const fate_time minute = 60 * FATE_SECOND, hour = 60 * minute;

    if (t < FATE_SECOND)
        snprintf(to, FATE__SPAN_BYTES, "%lld ms", (long long)(t / FATE_MILLISECOND));
    else if (t < 2 * minute)
        snprintf(to, FATE__SPAN_BYTES, "%.1f s", (double)t / (double)FATE_SECOND);
    else if (t < 2 * hour)
        snprintf(to, FATE__SPAN_BYTES, "%lld min", (long long)(t / minute));
    else if (t < 48 * hour)
        snprintf(to, FATE__SPAN_BYTES, "%lld h", (long long)(t / hour));
    else
        snprintf(to, FATE__SPAN_BYTES, "%lld days", (long long)(t / (24 * hour)));
    return to;
}
