/* What a failure looks like inside. */
#ifndef FATE_SRC_VALUE_FAILURE_H
#define FATE_SRC_VALUE_FAILURE_H

#include <value/object.h>

/* A path has a dozen entries: where it was raised and eleven levels, which are the first few and the last
 * ones. */
#define FATE__PAST_FIRST 5
#define FATE__PAST_LAST  6

struct fate__failure {
    struct fate__node node;
    const fate_class *class;
    const char *function, *here; /* where it was raised; NULL: not known */
    fate_value payload, cause;
    int errnum;      /* 0: not made of an errno */
    uint32_t n_past; /* levels it went past, those left out too */
    const char *past_first[FATE__PAST_FIRST];
    const char *past_last[FATE__PAST_LAST]; /* a ring, see fate__past_at */
    size_t len;
    const char *text; /* behind the struct */
};

static inline struct fate__failure *fate__failure_in(const fate_value *v)
{
    return v->as.p;
}

/* A copy whose path is its own; NULL: no memory. */
struct fate__failure *fate__failure_copy(const struct fate__failure *shared);
/* The site of the i-th level past, counted from 0 and with those left out. */
const char *fate__past_at(const struct fate__failure *failure, uint32_t i);

#endif
