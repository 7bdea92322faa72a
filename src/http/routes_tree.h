/* The tree of routes: what compiling makes (routes_compile.c) and matching walks (routes.c). */
#ifndef FATE_SRC_HTTP_ROUTES_TREE_H
#define FATE_SRC_HTTP_ROUTES_TREE_H

#include <http/routes.h>

/* Of the methods that routes know, by number; the order is that of the Allow header. */
enum {
    FATE__METHOD_GET,
    FATE__METHOD_HEAD,
    FATE__N_METHODS = 17,
};
extern const char *const fate__methods[FATE__N_METHODS];
/* -1: it is none of them.  Methods are told apart by case (RFC 9110, 9.1). */
int fate__method_number(struct fate__slice method);

#define FATE__NO_ROUTE (-1)

/* A segment below others.  The way from the root is what a path must look like to come here. */
struct fate__route_node {
    struct fate__route_node **texts; /* sorted by text */
    size_t n_texts;
    struct fate__route_node *of_int, *of_text, *of_rest;
    int routes[FATE__N_METHODS]; /* that end here, by method */
    char text[];                 /* of those in texts */
};

struct fate__route {
    char *pattern;
    size_t n_params;
    struct fate__slice names[FATE__ROUTE_PARAMS_MAX]; /* in pattern */
    bool is_int[FATE__ROUTE_PARAMS_MAX];
};

struct fate__routes {
    struct fate__route_node *root;
    struct fate__route *routes;
    size_t n_routes;
};

/* The child of that text, and where it is or belongs; NULL: there is none. */
struct fate__route_node *fate__route_child(const struct fate__route_node *node, const char *text,
                                           size_t *ret_at);

#endif
