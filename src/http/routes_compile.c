/* Compiling patterns to the tree of routes. */
#include <http/routes_tree.h>

#include <errno.h>
#include <stdio.h>

#include <base/alloc.h>
#include <base/suggest.h>
#include <base/utf8.h>
#include <http/percent.h>

/* ---- Nodes ---- */

static struct fate__route_node *new_node(const char *text, size_t len)
{
    struct fate__route_node *node = fate__zalloc(sizeof *node + len + 1);

    if (!node)
        return NULL;
    memcpy(node->text, text, len);
    for (int i = 0; i < FATE__N_METHODS; i++)
        node->routes[i] = FATE__NO_ROUTE;
    return node;
}

/* Patterns have few segments, so this is not deep. */
static void free_node(struct fate__route_node *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->n_texts; i++)
        free_node(node->texts[i]);
    free_node(node->of_int);
    free_node(node->of_text);
    free_node(node->of_rest);
    fate__free(node->texts);
    fate__free(node);
}

/* The child of that text, made where there is none; NULL: no memory. */
static struct fate__route_node *text_child(struct fate__route_node *node, const char *text)
{
    size_t at;
    struct fate__route_node *child = fate__route_child(node, text, &at);

    if (child)
        return child;
    struct fate__route_node **texts = fate__realloc(node->texts, (node->n_texts + 1) * sizeof *texts);
    if (!texts)
        return NULL;
    node->texts = texts;
    child = new_node(text, strlen(text));
    if (!child)
        return NULL;
    memmove(texts + at + 1, texts + at, (node->n_texts - at) * sizeof *texts);
    texts[at] = child;
    node->n_texts++;
    return child;
}

static struct fate__route_node *param_child(struct fate__route_node **child)
{
    if (!*child)
        *child = new_node("", 0);
    return *child;
}

/* ---- Routes ---- */

struct fate__routes *fate__routes_new(void)
{
    struct fate__routes *routes = fate__zalloc(sizeof *routes);

    if (!routes)
        return NULL;
    routes->root = new_node("", 0);
    if (!routes->root) {
        fate__free(routes);
        return NULL;
    }
    return routes;
}

void fate__routes_free(struct fate__routes *routes)
{
    if (!routes)
        return;
    for (size_t i = 0; i < routes->n_routes; i++)
        fate__free(routes->routes[i].pattern);
    free_node(routes->root);
    fate__free(routes->routes);
    fate__free(routes);
}

const char *fate__routes_pattern(const struct fate__routes *routes, size_t route)
{
    return routes->routes[route].pattern;
}

/* ---- Reading a pattern ---- */

enum segment_kind { SEGMENT_TEXT, SEGMENT_INT, SEGMENT_PARAM, SEGMENT_REST };

struct segment {
    enum segment_kind kind;
    char *text; /* decoded, of SEGMENT_TEXT: in the copy */
};

/* A pattern under way.  Nothing of the tree is touched before all of it has been read. */
struct compile {
    struct fate__route route;
    char *copy; /* of the pattern, where texts are decoded */
    int method;
    struct segment segments[FATE__ROUTE_SEGMENTS_MAX];
    size_t n_segments;
    struct fate__why *why;
};

/* "the route "GET /x": " and what is wrong. */
static int refuse(struct compile *compile, const char *fmt, ...) FATE_PRINTF(2, 3);

static int refuse(struct compile *compile, const char *fmt, ...)
{
    char pattern[FATE__SHOWN_BYTES], what[192];
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    fate__shown(compile->route.pattern, strlen(compile->route.pattern), pattern);
    return fate__because(compile->why, -EINVAL, "the route \"%s\": %s", pattern, what);
}

static int refuse_method(struct compile *compile, struct fate__slice method)
{
    char shown[FATE__SHOWN_BYTES];
    const char *meant =
        fate__suggest(fate__shown(method.s, method.len, shown), fate__methods, FATE__N_METHODS);

    if (meant)
        return refuse(compile, "\"%s\" is no method that is known: did you mean %s?", shown, meant);
    return refuse(compile,
                  "\"%s\" is no method that is known: GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS are",
                  shown);
}

/* The method and its blank; what is behind them is written to *ret_path. */
static int read_method(struct compile *compile, const char **ret_path)
{
    const char *pattern = compile->route.pattern, *blank = strchr(pattern, ' ');

    if (*pattern == '/')
        return refuse(compile, "there is no method: write GET and a blank in front");
    if (!blank)
        return refuse(compile, "there is no path: write a method, a blank and a path, as in GET /users");
    struct fate__slice method = { pattern, (size_t)(blank - pattern) };
    compile->method = fate__method_number(method);
    if (compile->method < 0)
        return refuse_method(compile, method);
    if (blank[1] != '/')
        return refuse(compile, "the path must begin with a slash, after one blank");
    *ret_path = blank + 1;
    return 0;
}

/* ---- Parameters ---- */

static bool is_name(struct fate__slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.s[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return name.len > 0;
}

static int add_name(struct compile *compile, struct fate__slice name, bool is_int)
{
    struct fate__route *route = &compile->route;

    if (!is_name(name))
        return refuse(compile, "\"%.*s\" is no name: use letters, digits and _, as in {id}", (int)name.len,
                      name.s);
    if (route->n_params == FATE__ROUTE_PARAMS_MAX)
        return refuse(compile, "it has more than %d parameters", FATE__ROUTE_PARAMS_MAX);
    for (size_t i = 0; i < route->n_params; i++)
        if (route->names[i].len == name.len && memcmp(route->names[i].s, name.s, name.len) == 0)
            return refuse(compile, "{%.*s} is there twice: give each its own name", (int)name.len, name.s);
    route->is_int[route->n_params] = is_int;
    route->names[route->n_params++] = name;
    return 0;
}

/* -EINVAL, or which segment a parameter of that type is. */
static int kind_of_type(struct compile *compile, struct fate__slice type)
{
    static const char *const types[] = { "int", "text" };
    char shown[FATE__SHOWN_BYTES];

    if (fate__slice_is(type, "int"))
        return SEGMENT_INT;
    if (fate__slice_is(type, "text"))
        return SEGMENT_PARAM;
    const char *meant = fate__suggest(fate__shown(type.s, type.len, shown), types, 2);
    return refuse(compile, "\"%s\" is no type: %s%s", shown,
                  meant ? "did you mean " : "there are int and text", meant ? meant : "");
}

/* What stands between the braces: name, name:type or *name. */
static int read_param(struct compile *compile, struct fate__slice inside, bool is_last)
{
    const char *colon = inside.len ? memchr(inside.s, ':', inside.len) : NULL;
    bool is_rest = inside.len && *inside.s == '*';
    struct fate__slice name = { inside.s + is_rest, inside.len - is_rest };
    int kind = is_rest ? SEGMENT_REST : SEGMENT_PARAM;

    if (is_rest && colon)
        return refuse(compile, "{%.*s} takes all that is left and has no type", (int)inside.len, inside.s);
    if (is_rest && !is_last)
        return refuse(compile, "{%.*s} takes all that is left: it must be the last", (int)inside.len,
                      inside.s);
    if (colon) {
        name.len = (size_t)(colon - name.s);
        kind = kind_of_type(compile, (struct fate__slice){ colon + 1, inside.len - name.len - 1 });
    }
    if (kind < 0)
        return kind;
    compile->segments[compile->n_segments++].kind = (enum segment_kind)kind;
    return add_name(compile, name, kind == SEGMENT_INT);
}

/* ---- Segments ---- */

static int check_byte(struct compile *compile, const char *s)
{
    unsigned char c = (unsigned char)*s;

    if (c <= ' ' || c == 0x7f)
        return refuse(compile, "the path has a blank or a control byte: write %%%02X", c);
    if (c == '?' || c == '#')
        return refuse(compile,
                      "the path has a %c: queries take no part in matching, and a %c itself is %%%02X", c, c,
                      c);
    if (c == '{' || c == '}')
        return refuse(compile, "a parameter is a whole segment, as in /users/{id}; a %c itself is %%%02X", c,
                      c);
    return 0;
}

static bool is_utf8(const char *s)
{
    for (size_t len = strlen(s), i = 0, n; i < len; i += n) {
        n = fate__utf8_len(s + i, len - i);
        if (!n)
            return false;
    }
    return true;
}

static int read_text(struct compile *compile, char *s, size_t len, bool is_last)
{
    for (size_t i = 0; i < len; i++) {
        int error = check_byte(compile, s + i);
        if (error < 0)
            return error;
    }
    ssize_t n = fate__percent_decode(s, s, len);
    if (n < 0)
        return refuse(compile, "the path has a percent sign without two hexadecimal digits: write %%25");
    s[n] = '\0';
    if (!n && !is_last)
        return refuse(compile, "the path has an empty segment: two slashes");
    if (strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
        return refuse(compile, "the path has a segment \"%s\", which no request has", s);
    if (strlen(s) != (size_t)n || !is_utf8(s))
        return refuse(compile, "the path has a NUL or is no UTF-8, which no request has");
    compile->segments[compile->n_segments++] = (struct segment){ SEGMENT_TEXT, s };
    return 0;
}

static int read_segment(struct compile *compile, char *s, size_t len, bool is_last)
{
    if (compile->n_segments == FATE__ROUTE_SEGMENTS_MAX)
        return refuse(compile, "it has more than %d segments", FATE__ROUTE_SEGMENTS_MAX);
    bool is_param = len && s[0] == '{';
    if (!is_param)
        return read_text(compile, s, len, is_last);
    const char *close = memchr(s, '}', len);
    if (!close)
        return refuse(compile, "\"%.*s\" has no }", (int)len, s);
    if (close != s + len - 1)
        return refuse(compile, "a parameter is a whole segment: \"%.*s\" is more", (int)len, s);
    /* Names lie in the pattern itself, not in the copy, which goes. */
    const char *inside = compile->route.pattern + (s + 1 - compile->copy);
    return read_param(compile, (struct fate__slice){ inside, len - 2 }, is_last);
}

static int read_path(struct compile *compile, char *path)
{
    for (char *s = path + 1;;) {
        size_t len = strcspn(s, "/");
        bool is_last = s[len] == '\0';
        int error = read_segment(compile, s, len, is_last);
        if (error < 0 || is_last)
            return error;
        s += len + 1;
    }
}

/* ---- Into the tree ---- */

static struct fate__route_node *child_of(struct fate__route_node *node, const struct segment *segment)
{
    switch (segment->kind) {
    case SEGMENT_INT:
        return param_child(&node->of_int);
    case SEGMENT_PARAM:
        return param_child(&node->of_text);
    case SEGMENT_REST:
        return param_child(&node->of_rest);
    default:
        return text_child(node, segment->text);
    }
}

/* Nodes that were made for a route that then failed stay: they lead nowhere, and match nothing. */
static int enter(struct fate__routes *routes, struct compile *compile)
{
    char one[FATE__SHOWN_BYTES], other[FATE__SHOWN_BYTES];
    struct fate__route_node *node = routes->root;
    struct fate__route *all = fate__realloc(routes->routes, (routes->n_routes + 1) * sizeof *all);

    if (!all)
        return -ENOMEM;
    routes->routes = all;
    for (size_t i = 0; i < compile->n_segments; i++) {
        node = child_of(node, &compile->segments[i]);
        if (!node)
            return -ENOMEM;
    }
    int *place = &node->routes[compile->method];
    if (*place != FATE__NO_ROUTE) {
        const char *pattern = compile->route.pattern, *before = all[*place].pattern;
        return fate__because(compile->why, -EEXIST, "the route \"%s\" is for the same requests as \"%s\"",
                             fate__shown(pattern, strlen(pattern), one),
                             fate__shown(before, strlen(before), other));
    }
    all[routes->n_routes] = compile->route;
    *place = (int)routes->n_routes++;
    return *place;
}

static char *copy_of(const char *s)
{
    size_t len = strlen(s) + 1;
    char *copy = fate__alloc(len);

    return copy ? memcpy(copy, s, len) : NULL;
}

int fate__routes_add(struct fate__routes *routes, const char *pattern, struct fate__why *why)
{
    struct compile compile = { .route.pattern = copy_of(pattern), .copy = copy_of(pattern), .why = why };
    const char *path = NULL;
    int result = -ENOMEM;

    if (compile.copy && compile.route.pattern)
        result = read_method(&compile, &path);
    if (result == 0)
        result = read_path(&compile, compile.copy + (path - compile.route.pattern));
    if (result == 0)
        result = enter(routes, &compile);
    if (result == -ENOMEM)
        fate__because(why, result, "there is no memory for the routes");
    if (result < 0)
        fate__free(compile.route.pattern);
    fate__free(compile.copy);
    return result;
}
