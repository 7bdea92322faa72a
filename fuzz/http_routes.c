/* Fuzzes routes: the input is a byte that says which allocation fails, and lines, which are patterns and,
 * where they begin with "!", requests as "!GET /path".
 *
 * Each request is also held against all patterns one by one, which must find the same route. */
#include <string.h>

#include <http/percent.h>
#include <http/routes.h>
#include <http/routes_tree.h>

#include "fuzz_memory.h"

#define PATTERNS_MAX 20
#define LINE_BYTES   300
#define SEGMENTS_MAX 310

/* ---- The patterns one by one ---- */

/* The segments of a path, decoded, each with a NUL behind it. */
struct segments {
    char bytes[LINE_BYTES + 2];
    const char *at[SEGMENTS_MAX];
    size_t n;
};

static void split(struct segments *segments, const char *path, bool is_pattern)
{
    char *to = segments->bytes;

    segments->n = 0;
    for (const char *s = path; *s == '/';) {
        size_t len = strcspn(++s, "/");
        bool is_param = is_pattern && *s == '{';
        ssize_t n = is_param ? -1 : fate__percent_decode(to, s, len);
        if (n < 0)
            memcpy(to, s, (size_t)(n = (ssize_t)len));
        to[n] = '\0';
        segments->at[segments->n++] = to;
        to += n + 1;
        s += len;
    }
}

static bool fits_int64(const char *s)
{
    if (!*s || s[strspn(s, "0123456789")])
        return false;
    s += strspn(s, "0");
    return strlen(s) < 19 || (strlen(s) == 19 && strcmp(s, "9223372036854775807") <= 0);
}

/* How well a segment of a pattern fits: 1, the best, to 4; 0: it does not. */
static int rank_of(const char *pattern, const char *segment, bool is_param)
{
    if (!is_param)
        return strcmp(pattern, segment) == 0;
    if (pattern[1] == '*')
        return 4;
    if (strstr(pattern, ":int}"))
        return fits_int64(segment) ? 2 : 0;
    return *segment ? 3 : 0;
}

/* Writes the ranks of its segments; false: the pattern does not fit. */
static bool rank(const char *pattern, const struct segments *path, char *ranks)
{
    struct segments own;
    const char *raw = strchr(pattern, '/');

    split(&own, raw, true);
    for (size_t i = 0; i < own.n; i++) {
        bool is_param = raw[1] == '{';
        raw += 1 + strcspn(raw + 1, "/");
        int r = i < path->n ? rank_of(own.at[i], path->at[i], is_param) : 0;
        if (!r)
            return false;
        *ranks++ = (char)r;
        *ranks = '\0';
        if (r == 4)
            return true;
    }
    return own.n == path->n;
}

struct best {
    int route;
    char ranks[SEGMENTS_MAX];
    bool is_exact; /* of that method, not GET for HEAD */
    unsigned allowed;
};

static void consider(struct best *best, int route, int method, int wanted, const char *ranks)
{
    bool is_exact = method == wanted;
    int order = best->route < 0 ? -1 : strcmp(ranks, best->ranks);

    best->allowed |= 1u << method;
    if (!is_exact && !(wanted == FATE__METHOD_HEAD && method == FATE__METHOD_GET))
        return;
    if (order > 0 || (order == 0 && !is_exact))
        return;
    best->route = route;
    best->is_exact = is_exact;
    strcpy(best->ranks, ranks);
}

static void expect_best(const struct fate__routes *routes, int n, const char *method, const char *path,
                        const struct fate__route_match *match)
{
    struct best best = { .route = -1 };
    struct segments segments;
    char ranks[SEGMENTS_MAX];

    split(&segments, path, false);
    for (int i = 0; i < n; i++) {
        const char *pattern = fate__routes_pattern(routes, (size_t)i);
        struct fate__slice own = { pattern, strcspn(pattern, " ") };
        if (rank(pattern, &segments, ranks))
            consider(&best, i, fate__method_number(own), fate__method_number(fate__slice_of(method)), ranks);
    }
    FUZZ_EXPECT((best.route >= 0) == (match->status == 200));
    FUZZ_EXPECT(best.route < 0 || best.route == (int)match->route);
    FUZZ_EXPECT(match->status == 200 || match->allowed == best.allowed);
    FUZZ_EXPECT(match->status != 404 || !best.allowed);
}

/* ---- Requests ---- */

static void request(const struct fate__routes *routes, int n, char *line)
{
    char *path = strchr(line, ' '), *room;
    struct fate__route_match match;

    if (!path)
        return;
    *path++ = '\0';
    size_t len = strlen(path);
    room = malloc(len + 1); /* so that writing behind it is seen */
    FUZZ_EXPECT(room);
    fate__routes_match(routes, fate__slice_of(line), (struct fate__slice){ path, len }, room, &match);
    for (size_t i = 0; i < match.n_params; i++) {
        struct fate__slice value = match.params[i].value;
        FUZZ_EXPECT(value.s >= room && value.s + value.len <= room + len && strlen(value.s) == value.len);
    }
    if (match.status != 400)
        expect_best(routes, n, line, path, &match);
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *s = (const char *)data + 1, *end = (const char *)data + size;
    char line[LINE_BYTES + 1];
    int n = 0;

    if (!size)
        return 0;
    fuzz_use_memory(data[0]);
    struct fate__routes *routes = fate__routes_new();
    while (s < end && routes) {
        const char *newline = memchr(s, '\n', (size_t)(end - s));
        size_t len = (size_t)((newline ? newline : end) - s);
        size_t taken = len < LINE_BYTES ? len : LINE_BYTES;
        struct fate__why why = { "" };
        memcpy(line, s, taken);
        line[taken] = '\0';
        s += len + 1;
        if (line[0] == '!') {
            request(routes, n, line + 1);
            continue;
        }
        int number = n < PATTERNS_MAX ? fate__routes_add(routes, line, &why) : -1;
        FUZZ_EXPECT(number == n || n == PATTERNS_MAX || *why.text);
        n += number == n;
    }
    fate__routes_free(routes);
    fuzz_until_failure = 0;
    return 0;
}
