/* Ranges of bytes. */
#include <http/range.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <http/list.h>

/* Numbers that do not fit are beyond each body: they stand for the greatest one.  -1: they are no numbers. */
static int64_t number_of(struct fate__http_slice digits)
{
    int64_t n = fate__http_number(digits);

    if (n >= 0 || !digits.len || !fate__http_all(digits, FATE__HTTP_DIGIT))
        return n;
    return INT64_MAX;
}

/* "-500": the last ones. */
static bool take_suffix(struct fate__http_slice digits, int64_t total, struct fate__http_range *ret_range)
{
    int64_t n = number_of(digits);

    if (n > total)
        n = total;
    *ret_range = (struct fate__http_range){ total - n, n };
    return n >= 0;
}

/* "0-499", "500-" or "-500".  False: it is none of them.  One outside of the body has n 0. */
static bool take_range(struct fate__http_slice item, int64_t total, struct fate__http_range *ret_range)
{
    const char *dash = memchr(item.at, '-', item.len);

    if (!dash)
        return false;
    struct fate__http_slice before = { item.at, (size_t)(dash - item.at) };
    struct fate__http_slice behind = { dash + 1, item.len - before.len - 1 };
    if (!before.len)
        return take_suffix(behind, total, ret_range);
    int64_t first = number_of(before), last = behind.len ? number_of(behind) : INT64_MAX;
    if (first < 0 || last < first)
        return false;
    if (last >= total)
        last = total - 1;
    *ret_range = (struct fate__http_range){ first, first < total ? last - first + 1 : 0 };
    return true;
}

static bool overlaps(const struct fate__http_range *ranges, int n, struct fate__http_range range)
{
    for (int i = 0; i < n; i++)
        if (range.first < ranges[i].first + ranges[i].n && ranges[i].first < range.first + range.n)
            return true;
    return false;
}

int fate__http_ranges(struct fate__http_slice value, int64_t total, struct fate__http_range *ret_ranges)
{
    const size_t unit_len = sizeof "bytes=" - 1;
    struct fate__http_slice item;
    int n = 0, n_items = 0;

    if (value.len < unit_len ||
        !fate__http_same((struct fate__http_slice){ value.at, unit_len }, FATE__HTTP_SLICE("bytes=")))
        return 0;
    value.at += unit_len;
    value.len -= unit_len;
    while (fate__http_next_item(&value, &item)) {
        struct fate__http_range range;
        if (++n_items > FATE__HTTP_RANGES_MAX || !take_range(item, total, &range))
            return 0;
        if (!range.n)
            continue;
        if (overlaps(ret_ranges, n, range))
            return 0;
        ret_ranges[n++] = range;
    }
    return n_items && !n ? -ERANGE : n;
}

void fate__http_content_range(const struct fate__http_range *range, int64_t total,
                              char to[FATE__HTTP_CONTENT_RANGE_BYTES])
{
    if (range)
        snprintf(to, FATE__HTTP_CONTENT_RANGE_BYTES, "bytes %lld-%lld/%lld", (long long)range->first,
                 (long long)(range->first + range->n - 1), (long long)total);
    else
        snprintf(to, FATE__HTTP_CONTENT_RANGE_BYTES, "bytes */%lld", (long long)total);
}
