/* Entity tags. */
#include <http/etag.h>

#include <string.h>

/* Where the tag that text begins with ends; 0: it begins with none.  Backslashes are what they are, so these
 * are no quoted strings. */
static size_t etag_len(struct fate__http_slice text)
{
    size_t len = text.len >= 2 && memcmp(text.at, "W/", 2) == 0 ? 2 : 0;

    if (len >= text.len || text.at[len++] != '"')
        return 0;
    while (len < text.len && fate__http_is(text.at[len], FATE__HTTP_ETAG))
        len++;
    return len < text.len && text.at[len] == '"' ? len + 1 : 0;
}

bool fate__http_is_etag(struct fate__http_slice text)
{
    return text.len && etag_len(text) == text.len;
}

static bool is_weak(struct fate__http_slice etag)
{
    return etag.at[0] == 'W';
}

static struct fate__http_slice opaque(struct fate__http_slice etag)
{
    size_t prefix = is_weak(etag) ? 2 : 0;

    return (struct fate__http_slice){ etag.at + prefix, etag.len - prefix };
}

bool fate__http_etags_match_weakly(struct fate__http_slice a, struct fate__http_slice b)
{
    if (!fate__http_is_etag(a) || !fate__http_is_etag(b))
        return false;
    a = opaque(a);
    b = opaque(b);
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

bool fate__http_etags_match_strongly(struct fate__http_slice a, struct fate__http_slice b)
{
    return fate__http_etags_match_weakly(a, b) && !is_weak(a) && !is_weak(b);
}

/* Takes the next tag off the list; false: there is none, or something else. */
static bool next_etag(struct fate__http_slice *list, struct fate__http_slice *ret_etag)
{
    while (list->len && (*list->at == ',' || fate__http_is(*list->at, FATE__HTTP_BLANK))) {
        list->at++;
        list->len--;
    }
    size_t len = etag_len(*list);
    *ret_etag = (struct fate__http_slice){ list->at, len };
    list->at += len;
    list->len -= len;
    struct fate__http_slice behind = fate__http_trim(*list);
    return len && (!behind.len || *behind.at == ',');
}

bool fate__http_etag_in(struct fate__http_slice value, struct fate__http_slice etag, bool is_strong)
{
    struct fate__http_slice one;

    if (fate__http_same(fate__http_trim(value), FATE__HTTP_SLICE("*")))
        return etag.len > 0;
    while (next_etag(&value, &one))
        if (is_strong ? fate__http_etags_match_strongly(one, etag) : fate__http_etags_match_weakly(one, etag))
            return true;
    return false;
}
