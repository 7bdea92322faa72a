/* Fuzzes the pure functions on values of fields: dates, lists, weights, ranges, entity tags; and the writer,
 * whose heads the parser must take for what they were. */
#include <http/message.h>

#include <stdlib.h>
#include <string.h>

#include <base/stop.h>
#include <http/date.h>
#include <http/etag.h>
#include <http/list.h>
#include <http/range.h>
#include <http/write.h>

static void lies_in(struct fate__http_slice part, struct fate__http_slice whole)
{
    fate__assert(part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

static void try_lists(struct fate__http_slice value)
{
    struct fate__http_slice rest = value, item, name, of_item;
    char *meaning = malloc(value.len + 1);

    if (!meaning)
        abort();
    while (fate__http_next_item(&rest, &item)) {
        lies_in(item, value);
        fate__assert(item.len > 0);
        int quality = fate__http_quality(item, &name);
        fate__assert(quality >= -1 && quality <= FATE__HTTP_QUALITY_MAX);
        while (fate__http_next_parameter(&item, &name, &of_item)) {
            lies_in(name, value);
            lies_in(of_item, value);
            fate__assert(fate__http_unquote(of_item, meaning) <= (ptrdiff_t)of_item.len);
        }
    }
    free(meaning);
    fate__http_accepts_coding(value, FATE__HTTP_SLICE("gzip"));
}

static void try_ranges(struct fate__http_slice value, int64_t total)
{
    struct fate__http_range ranges[FATE__HTTP_RANGES_MAX];
    char text[FATE__HTTP_CONTENT_RANGE_BYTES];
    int n = fate__http_ranges(value, total, ranges);

    fate__assert(n <= FATE__HTTP_RANGES_MAX);
    for (int i = 0; i < n; i++) {
        fate__assert(ranges[i].n > 0 && ranges[i].first >= 0 && ranges[i].first <= total - ranges[i].n);
        fate__http_content_range(&ranges[i], total, text);
    }
}

static void try_dates(struct fate__http_slice value, int64_t now)
{
    char text[FATE__HTTP_DATE_BYTES];
    int64_t seconds, again;

    fate__http_date_text(now, text);
    fate__assert(strlen(text) == FATE__HTTP_DATE_BYTES - 1);
    if (!fate__http_date_parse(value, now, &seconds))
        return;
    fate__http_date_text(seconds, text);
    fate__assert(fate__http_date_parse((struct fate__http_slice){ text, strlen(text) }, now, &again));
    fate__assert(again == seconds);
}

/* What the writer takes, the parser takes for one field of that name and value. */
static void try_writing(struct fate__http_slice name, struct fate__http_slice value)
{
    static char head[8192];
    const struct fate__http_pair pair = { name, value };
    const struct fate__http_request request = {
        .method = "POST", .target = "/", .host = "a", .fields = &pair, .n_fields = 1, .body_bytes = 1
    };
    struct fate__http_writer writer = { 0 };
    struct fate__http_parser parser;
    ssize_t len = fate__http_write_request(&writer, &request, head, sizeof head);
    size_t used;

    if (len < 0 || len > (ssize_t)sizeof head)
        return;
    fate__http_parser_init(&parser, NULL);
    fate__http_next_request(&parser);
    fate__assert(fate__http_parse(&parser, head, (size_t)len, &used) == FATE__HTTP_HEAD);
    fate__assert(used == (size_t)len && parser.head.fields.n == 4 && parser.head.content_length == 1);
    const struct fate__http_fields *fields = &parser.head.fields;
    struct fate__http_slice parsed = fate__http_field_value(fields, &fields->list[3]);
    fate__assert(fate__http_same(fate__http_field_name(fields, &fields->list[3]), name));
    value = fate__http_trim(value);
    fate__assert(parsed.len == value.len && memcmp(parsed.at, value.at, value.len) == 0);
    fate__http_parser_done(&parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says where the bytes are parted in two, the next eight are a number. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t number;

    if (size < 9 || size > 4096)
        return 0;
    memcpy(&number, data + 1, sizeof number);
    char *copy = malloc(size - 9 + 1);
    if (!copy)
        abort();
    memcpy(copy, data + 9, size - 9);
    struct fate__http_slice value = { copy, size - 9 };
    size_t first = data[0] < value.len ? data[0] : value.len;
    struct fate__http_slice a = { copy, first }, b = { copy + first, value.len - first };
    try_lists(value);
    try_ranges(value, number & INT64_MAX);
    try_dates(value, number);
    fate__http_etag_in(a, b, number & 1);
    try_writing(a, b);
    free(copy);
    return 0;
}
