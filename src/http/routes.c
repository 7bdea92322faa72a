/* Matching: which route a request is for. */
#include <http/routes_tree.h>

#include <base/utf8.h>
#include <http/percent.h>

/* CONNECT asks for no path, and TRACE is answered by nobody's page. */
const char *const fate__methods[FATE__N_METHODS] = {
    "GET",   "HEAD", "POST", "PUT",  "PATCH",  "DELETE", "OPTIONS", "PROPFIND", "PROPPATCH",
    "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH",  "QUERY",
};

int fate__method_number(struct fate__slice method)
{
    for (int i = 0; i < FATE__N_METHODS; i++)
        if (fate__slice_is(method, fate__methods[i]))
            return i;
    return -1;
}

struct fate__route_node *fate__route_child(const struct fate__route_node *node, const char *text,
                                           size_t *ret_at)
{
    size_t low = 0, high = node->n_texts;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(text, node->texts[middle]->text);
        if (order == 0) {
            *ret_at = middle;
            return node->texts[middle];
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    *ret_at = low;
    return NULL;
}

/* ---- The path ---- */

/* Decodes one segment to `to`, with a NUL behind.  Its length, or -1: it is not what a path may have. */
static ssize_t decode_segment(char *to, const char *s, size_t len)
{
    ssize_t n = fate__percent_decode(to, s, len);

    if (n < 0 || memchr(to, '\0', (size_t)n))
        return -1;
    if ((n == 1 || n == 2) && to[0] == '.' && to[n - 1] == '.')
        return -1;
    for (size_t i = 0, step; i < (size_t)n; i += step) {
        step = fate__utf8_len(to + i, (size_t)n - i);
        if (!step)
            return -1;
    }
    to[n] = '\0';
    return n;
}

static size_t segment_len(const char *s, const char *end)
{
    const char *slash = memchr(s, '/', (size_t)(end - s));
    return (size_t)((slash ? slash : end) - s);
}

/* Decodes all segments, each with a NUL behind it.  None is longer than it was, so the one that begins at s
 * has room up to where it would have ended undecoded. */
static bool decode_path(struct fate__slice path, char *room)
{
    const char *end = path.s + path.len;

    for (const char *s = path.s; s < end;) {
        size_t len = segment_len(s + 1, end);
        ssize_t n = decode_segment(room, s + 1, len);
        if (n < 0)
            return false;
        room += n + 1;
        s += len + 1;
    }
    return true;
}

/* ---- Walking ---- */

struct walk {
    int method;
    const char *end; /* of the path */
    unsigned allowed;
    size_t n_values;
    char *values[FATE__ROUTE_PARAMS_MAX];
    const char *rest; /* undecoded; NULL: the route has none */
};

/* Where the walk is: what is left of the path, behind the slash, and the same decoded; s NULL: nothing is
 * left, not even an empty segment. */
struct place {
    const char *s;
    char *decoded;
};

static struct place next_place(const struct walk *walk, struct place place)
{
    const char *slash = place.s + segment_len(place.s, walk->end);

    return (struct place){ slash < walk->end ? slash + 1 : NULL, place.decoded + strlen(place.decoded) + 1 };
}

/* The route of the method that ends here; else its methods are noted. */
static int route_here(struct walk *walk, const struct fate__route_node *node)
{
    int route = walk->method < 0 ? FATE__NO_ROUTE : node->routes[walk->method];

    if (route == FATE__NO_ROUTE && walk->method == FATE__METHOD_HEAD)
        route = node->routes[FATE__METHOD_GET];
    for (int i = 0; i < FATE__N_METHODS && route == FATE__NO_ROUTE; i++)
        walk->allowed |= node->routes[i] == FATE__NO_ROUTE ? 0 : 1u << i;
    return route;
}

static bool is_number(const char *s, int64_t *ret_number)
{
    int64_t n = 0;

    if (!*s)
        return false;
    for (; *s; s++)
        if (*s < '0' || *s > '9' || __builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, *s - '0', &n))
            return false;
    *ret_number = n;
    return true;
}

static int walk_from(struct walk *walk, const struct fate__route_node *node, struct place place);

/* As deep as a pattern has segments, and each node is come to at most once: its way from the root is the only
 * one. */
static int walk_param(struct walk *walk, const struct fate__route_node *node, struct place place)
{
    if (!node)
        return FATE__NO_ROUTE;
    walk->values[walk->n_values++] = place.decoded;
    int route = walk_from(walk, node, next_place(walk, place));
    if (route == FATE__NO_ROUTE)
        walk->n_values--;
    return route;
}

static int walk_rest(struct walk *walk, const struct fate__route_node *node, struct place place)
{
    int route = node ? route_here(walk, node) : FATE__NO_ROUTE;

    if (route == FATE__NO_ROUTE)
        return route;
    walk->rest = place.s;
    walk->values[walk->n_values++] = place.decoded;
    return route;
}

static int walk_from(struct walk *walk, const struct fate__route_node *node, struct place place)
{
    int64_t number;
    size_t at;

    if (!place.s)
        return route_here(walk, node);
    const struct fate__route_node *child = fate__route_child(node, place.decoded, &at);
    int route = child ? walk_from(walk, child, next_place(walk, place)) : FATE__NO_ROUTE;
    if (route == FATE__NO_ROUTE && is_number(place.decoded, &number))
        route = walk_param(walk, node->of_int, place);
    if (route == FATE__NO_ROUTE && *place.decoded)
        route = walk_param(walk, node->of_text, place);
    return route == FATE__NO_ROUTE ? walk_rest(walk, node->of_rest, place) : route;
}

/* ---- The result ---- */

static bool is_slash_code(const char *s, const char *end)
{
    return fate__percent_byte(s, (size_t)(end - s)) == '/';
}

/* Writes rest over what was decoded: %2F stays, slashes are there again.  It takes no more than what it was.
 */
static void decode_rest(char *to, const char *s, const char *end)
{
    while (s < end) {
        int byte = is_slash_code(s, end) ? -1 : fate__percent_byte(s, (size_t)(end - s));
        *to++ = byte < 0 ? *s : (char)byte;
        s += byte < 0 ? 1 : 3;
    }
    *to = '\0';
}

static void fill(const struct fate__route *route, const struct walk *walk, struct fate__route_match *match)
{
    match->n_params = walk->n_values;
    for (size_t i = 0; i < walk->n_values; i++) {
        struct fate__route_param *param = &match->params[i];
        param->name = route->names[i];
        param->value = fate__slice_of(walk->values[i]);
        param->number = 0;
        param->is_int = route->is_int[i] && is_number(walk->values[i], &param->number);
    }
}

void fate__routes_match(const struct fate__routes *routes, struct fate__slice method, struct fate__slice path,
                        char *room, struct fate__route_match *ret_match)
{
    struct walk walk = { .method = fate__method_number(method), .end = path.s + path.len };

    ret_match->n_params = 0;
    ret_match->status = 400;
    if (!path.len || *path.s != '/' || !decode_path(path, room))
        return;
    int route = walk_from(&walk, routes->root, (struct place){ path.s + 1, room });
    ret_match->allowed = walk.allowed;
    ret_match->status = walk.allowed ? 405 : 404;
    if (route == FATE__NO_ROUTE)
        return;
    ret_match->status = 200;
    ret_match->route = (size_t)route;
    if (walk.rest)
        decode_rest(walk.values[walk.n_values - 1], walk.rest, walk.end);
    fill(&routes->routes[route], &walk, ret_match);
}

const struct fate__route_param *fate__route_param(const struct fate__route_match *match, const char *name)
{
    for (size_t i = 0; i < match->n_params; i++)
        if (fate__slice_is(match->params[i].name, name))
            return &match->params[i];
    return NULL;
}

void fate__routes_add_allow(struct fate__text *to, unsigned allowed)
{
    const char *between = "";

    if (allowed & 1u << FATE__METHOD_GET)
        allowed |= 1u << FATE__METHOD_HEAD;
    for (int i = 0; i < FATE__N_METHODS; i++) {
        if (!(allowed & 1u << i))
            continue;
        fate__text_add(to, between);
        fate__text_add(to, fate__methods[i]);
        between = ", ";
    }
}
