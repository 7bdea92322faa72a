/* What the three multiplier caches share. */
#ifndef EXAMPLES_CACHER_H
#define EXAMPLES_CACHER_H

#include "multiplier.h"

/* What a cacher was asked, for the arg of a callback. */
struct question {
    struct cacher *cacher;
    int64_t a, b;
};

/* What a * b is called in a dict, whose keys are text: "5*6". */
struct key {
    char text[48];
};

static inline struct key key_of(int64_t a, int64_t b)
{
    struct key key;
    snprintf(key.text, sizeof key.text, "%lld*%lld", (long long)a, (long long)b);
    return key;
}

/* Appends item to the list that a dict has under that key, first an empty one, and returns its new length. */
static inline size_t append_under(fate_value *dict, const char *key, fate_value item)
{
    fate_value list = fate_dict_take(dict, key);
    size_t n;

    if (fate_is_none(&list))
        list = fate_list(0, NULL);
    fate_list_append(&list, item);
    n = fate_count(&list);
    fate_dict_set(dict, key, list);
    return n;
}

#endif
