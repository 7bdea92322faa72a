/* Values as JSON (RFC 8259). */
#ifndef FATE_SRC_HTTP_JSON_H
#define FATE_SRC_HTTP_JSON_H

#include <base/text.h>
#include <fate/value.h>

/* Adds the value: none, bools, ints, finite floats, datetimes as texts, texts, lists and dicts, nested at
 * most 64 deep.  0; -ENOMEM; -EINVAL, and *ret_why says what JSON has not. */
int fate__add_json(struct fate__text *to, const fate_value *v, const char **ret_why);

#endif
