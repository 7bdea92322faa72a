/* A piece of bytes that lie elsewhere. */
#ifndef FATE_SRC_BASE_SLICE_H
#define FATE_SRC_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* No NUL need follow.  s NULL: there is none, which is not the same as an empty one where that matters. */
struct fate__slice {
    const char *s;
    size_t len;
};

static inline struct fate__slice fate__slice_of(const char *text)
{
    return (struct fate__slice){ text, text ? strlen(text) : 0 };
}

static inline bool fate__slice_is(struct fate__slice slice, const char *text)
{
    return slice.s && strlen(text) == slice.len && memcmp(slice.s, text, slice.len) == 0;
}

#endif
