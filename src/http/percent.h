/* Percent-encoding (RFC 3986, 2.1), and the fields of queries and forms. */
#ifndef FATE_SRC_HTTP_PERCENT_H
#define FATE_SRC_HTTP_PERCENT_H

#include <sys/types.h>

#include <base/slice.h>
#include <base/text.h>

/* Letters, digits and -._~ (RFC 3986, 2.3). */
bool fate__is_unreserved(char c);
/* Of a percent sign and two hexadecimal digits at s: their byte; -1: that is not what stands there. */
int fate__percent_byte(const char *s, size_t len);

/* Decodes to `to`, which has room for len bytes and may be s itself.  How many bytes it wrote, or -EINVAL
 * where a percent sign has no two digits behind it.  A NUL may be among them. */
ssize_t fate__percent_decode(char *to, const char *s, size_t len);
/* All but unreserved characters and those of keep becomes %XX. */
void fate__percent_encode(struct fate__text *to, const char *s, size_t len, const char *keep);

/* The fields of a query or a form (application/x-www-form-urlencoded), decoded: a plus is a blank, and a
 * percent sign without digits stays, as browsers have it.  Behind each name and value stands a NUL, but
 * others may be inside. */
struct fate__field {
    struct fate__slice name, value;
};

struct fate__fields {
    struct fate__field *fields;
    size_t n;
};

/* 0; -ENOMEM; -E2BIG: there are more than n_max.  "a" is a field with an empty value, "" and "&&" are none.
 */
int fate__fields_parse(struct fate__fields *ret_fields, const char *s, size_t len, size_t n_max);
/* The first of that name, or NULL. */
const struct fate__field *fate__fields_find(const struct fate__fields *fields, const char *name);
void fate__fields_done(struct fate__fields *fields);
/* Adds name=value, after a "&" unless the text is empty. */
void fate__fields_add(struct fate__text *to, const char *name, const char *value);

#endif
