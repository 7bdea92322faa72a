/* Values as JSON (RFC 8259). */
#ifndef FATE_SRC_HTTP_JSON_H
#define FATE_SRC_HTTP_JSON_H

#include <base/text.h>
#include <base/why.h>
#include <fate/value.h>

/* Adds the value: none, bools, ints, finite floats, datetimes as texts, texts, lists and dicts, nested at
 * most 64 deep.  0; -ENOMEM; -EINVAL, and *ret_why says what JSON has not. */
int fate__add_json(struct fate__text *to, const fate_value *v, const char **ret_why);

/* Reads one value: null is none, an integer an int, any other number a float.  0; -ENOMEM; -EINVAL, and why,
 * which may be NULL, says what is wrong: also with integers of more than 64 bits, with keys that are there
 * twice or have a NUL, and with more than 64 lists and dicts in one another. */
int fate__read_json(const char *s, size_t len, fate_value *ret_value, struct fate__why *why);

#endif
