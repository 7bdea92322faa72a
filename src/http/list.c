/* Comma lists, parameters and weights: RFC 9110, 5.6 and 12.4. */
#include <http/list.h>

/* The end of the quoted string that begins at s: behind its quote, or the end of all if there is none. */
static const char *skip_quoted(const char *s, const char *end)
{
    for (s++; s < end; s++) {
        if (*s == '"')
            return s + 1;
        if (*s == '\\' && s + 1 < end)
            s++;
    }
    return s;
}

/* Cuts off what precedes the next separator outside of quoted strings. */
static struct fate__http_slice cut_off(struct fate__http_slice *rest, char separator)
{
    const char *s = rest->at, *end = rest->at + rest->len;

    while (s < end && *s != separator)
        s = *s == '"' ? skip_quoted(s, end) : s + 1;
    struct fate__http_slice part = { rest->at, (size_t)(s - rest->at) };
    if (s < end)
        s++;
    *rest = (struct fate__http_slice){ s, (size_t)(end - s) };
    return fate__http_trim(part);
}

bool fate__http_next_item(struct fate__http_slice *list, struct fate__http_slice *ret_item)
{
    while (list->len) {
        struct fate__http_slice item = cut_off(list, ',');
        if (item.len) {
            *ret_item = item;
            return true;
        }
    }
    return false;
}

bool fate__http_has_item(struct fate__http_slice list, struct fate__http_slice token)
{
    struct fate__http_slice item;

    while (fate__http_next_item(&list, &item))
        if (fate__http_same(item, token))
            return true;
    return false;
}

bool fate__http_next_parameter(struct fate__http_slice *item, struct fate__http_slice *ret_name,
                               struct fate__http_slice *ret_value)
{
    while (item->len) {
        struct fate__http_slice value = cut_off(item, ';');
        if (!value.len)
            continue;
        size_t name_len = 0;
        while (name_len < value.len && fate__http_is(value.at[name_len], FATE__HTTP_TOKEN))
            name_len++;
        bool has_value = name_len && name_len < value.len && value.at[name_len] == '=';
        *ret_name = (struct fate__http_slice){ value.at, has_value ? name_len : value.len };
        *ret_value = has_value
                         ? (struct fate__http_slice){ value.at + name_len + 1, value.len - name_len - 1 }
                         : (struct fate__http_slice){ value.at + value.len, 0 };
        return true;
    }
    return false;
}

/* Between the quotes; -1: a quote comes too early, or a backslash has nothing behind it. */
static ptrdiff_t unquote(const char *s, const char *end, char *to)
{
    char *at = to;

    for (; s < end; s++) {
        if (*s == '"' || (*s == '\\' && ++s == end) || !fate__http_is(*s, FATE__HTTP_VALUE))
            return -1;
        *at++ = *s;
    }
    return at - to;
}

ptrdiff_t fate__http_unquote(struct fate__http_slice value, char *to)
{
    const char *end = value.at + value.len;

    if (value.len >= 2 && value.at[0] == '"' && end[-1] == '"')
        return unquote(value.at + 1, end - 1, to);
    if (!value.len || !fate__http_all(value, FATE__HTTP_TOKEN))
        return -1;
    for (size_t i = 0; i < value.len; i++)
        to[i] = value.at[i];
    return (ptrdiff_t)value.len;
}

/* ---- Weights ---- */

/* ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ) */
static int weight_of(struct fate__http_slice text)
{
    int weight, scale = 100;

    if (text.len < 1 || text.len > 5 || (text.at[0] != '0' && text.at[0] != '1'))
        return -1;
    if (text.len > 1 && text.at[1] != '.')
        return -1;
    weight = (text.at[0] - '0') * FATE__HTTP_QUALITY_MAX;
    for (size_t i = 2; i < text.len; i++, scale /= 10) {
        if (!fate__http_is(text.at[i], FATE__HTTP_DIGIT))
            return -1;
        weight += (text.at[i] - '0') * scale;
    }
    return weight <= FATE__HTTP_QUALITY_MAX ? weight : -1;
}

int fate__http_quality(struct fate__http_slice item, struct fate__http_slice *ret_name)
{
    struct fate__http_slice name, value;

    *ret_name = (struct fate__http_slice){ item.at, 0 };
    fate__http_next_parameter(&item, ret_name, &value);
    while (fate__http_next_parameter(&item, &name, &value))
        if (fate__http_same(name, FATE__HTTP_SLICE("q")))
            return weight_of(value);
    return FATE__HTTP_QUALITY_MAX;
}

/* gzip is also called x-gzip: RFC 9110, 8.4.1.3. */
static bool is_coding(struct fate__http_slice name, struct fate__http_slice coding)
{
    return fate__http_same(name, coding) || (fate__http_same(coding, FATE__HTTP_SLICE("gzip")) &&
                                             fate__http_same(name, FATE__HTTP_SLICE("x-gzip")));
}

int fate__http_accepts_coding(struct fate__http_slice accept_encoding, struct fate__http_slice coding)
{
    struct fate__http_slice item, name;
    int of_all_others = -1;

    while (fate__http_next_item(&accept_encoding, &item)) {
        int quality = fate__http_quality(item, &name);
        if (quality >= 0 && is_coding(name, coding))
            return quality;
        if (quality >= 0 && fate__http_same(name, FATE__HTTP_SLICE("*")))
            of_all_others = quality;
    }
    if (of_all_others >= 0)
        return of_all_others;
    return fate__http_same(coding, FATE__HTTP_SLICE("identity")) ? FATE__HTTP_QUALITY_MAX : 0;
}
