/* Values of several parts: comma lists, quoted strings, parameters, weights.  Pure functions. */
#ifndef FATE_SRC_HTTP_LIST_H
#define FATE_SRC_HTTP_LIST_H

#include <http/bytes.h>

/* Takes the next element out of a comma list, RFC 9110, 5.6.1: without the blanks around it, empty ones left
 * out, commas in quoted strings part of it.  False: there is no more. */
bool fate__http_next_item(struct fate__http_slice *list, struct fate__http_slice *ret_item);

/* Is this token an element of the list, without regard to case? */
bool fate__http_has_item(struct fate__http_slice list, struct fate__http_slice token);

/* Takes the next part out of `name; a=1; b="x;y"`: first the name, with ret_value empty, then each parameter
 * (RFC 9110, 5.6.6).  Values are as they were sent, with their quotes.  False: there is no more. */
bool fate__http_next_parameter(struct fate__http_slice *item, struct fate__http_slice *ret_name,
                               struct fate__http_slice *ret_value);

/* A token or a quoted string as what it means (RFC 9110, 5.6.4), into room for value.len bytes; its length.
 * -1: it is neither. */
ptrdiff_t fate__http_unquote(struct fate__http_slice value, char *to);

#define FATE__HTTP_QUALITY_MAX 1000

/* The weight of an element, `gzip;q=0.8`, in thousandths; 1000 without one, -1: it is no weight (RFC
 * 9110, 12.4.2). ret_name is what precedes the parameters. */
int fate__http_quality(struct fate__http_slice item, struct fate__http_slice *ret_name);

/* How much a coding is wanted by the value of Accept-Encoding, in thousandths; 0: not acceptable (RFC 9110,
 * 12.5.3).  identity is acceptable unless excluded.  Elements that are wrong are left out. */
int fate__http_accepts_coding(struct fate__http_slice accept_encoding, struct fate__http_slice coding);

#endif
