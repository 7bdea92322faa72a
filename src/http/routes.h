/* Which page a request is for: patterns as "GET /users/{id:int}", compiled to a tree of segments.
 *
 * A pattern is a method, one blank and a path.  Its segments are
 *     users       itself, decoded: %20 for a blank; UTF-8 may stand as it is
 *     {name}      any segment that is not empty; {name:text} is the same
 *     {id:int}    digits whose number fits into an int64_t
 *     {*rest}     what is left, with its slashes, perhaps nothing; only at the end
 * and the last one may be empty: "/users/" is not "/users".
 *
 * At each place a text wins over int, that over text, and that over rest; where this leads nowhere, the next
 * is tried.  A path whose pages are all of other methods is 405.  HEAD goes to GET where it has no page of
 * its own.
 *
 * A request's path is cut at its slashes and then decoded, so a %2F is part of its segment; in rest, where
 * that would look like a slash, it stays %2F.  400 are paths that are not UTF-8 when decoded, have a NUL, a
 * percent sign without digits, or a segment "." or "..": whoever opens files below a folder by rest never
 * leaves it. */
#ifndef FATE_SRC_HTTP_ROUTES_H
#define FATE_SRC_HTTP_ROUTES_H

#include <base/slice.h>
#include <base/text.h>
#include <base/why.h>

#define FATE__ROUTE_PARAMS_MAX   16
#define FATE__ROUTE_SEGMENTS_MAX 32 /* of a pattern; requests may have any number for a rest */

struct fate__routes;

/* NULL: no memory. */
struct fate__routes *fate__routes_new(void);
void fate__routes_free(struct fate__routes *routes);
/* Adds a pattern, which is copied.  Its number, counted from 0; -EINVAL: why says what is wrong with it and
 * what to write; -EEXIST: another one is for the same requests, which why names; -ENOMEM.  On an error all is
 * as before. */
int fate__routes_add(struct fate__routes *routes, const char *pattern, struct fate__why *why);
/* The pattern of that number. */
const char *fate__routes_pattern(const struct fate__routes *routes, size_t route);

struct fate__route_param {
    struct fate__slice name;  /* as long as the routes */
    struct fate__slice value; /* decoded, with a NUL behind, but none inside */
    int64_t number;           /* of {x:int} */
    bool is_int;
};

struct fate__route_match {
    int status;       /* 200, 400, 404 or 405 */
    size_t route;     /* of 200: the number of its pattern */
    unsigned allowed; /* of 405: for fate__routes_add_allow */
    size_t n_params;  /* in the order of the pattern */
    struct fate__route_param params[FATE__ROUTE_PARAMS_MAX];
};

/* path: without query.  room: path.len + 1 bytes, where the values will lie.  It allocates nothing. */
void fate__routes_match(const struct fate__routes *routes, struct fate__slice method, struct fate__slice path,
                        char *room, struct fate__route_match *ret_match);
/* NULL: there is none of that name. */
const struct fate__route_param *fate__route_param(const struct fate__route_match *match, const char *name);
/* The value of the Allow header: "GET, HEAD, POST". */
void fate__routes_add_allow(struct fate__text *to, unsigned allowed);

#endif
