/* Texts inside of JSON and HTML. */
#ifndef FATE_SRC_BASE_ESCAPE_H
#define FATE_SRC_BASE_ESCAPE_H

#include <base/text.h>

/* The next character as it stands in a string of JSON (RFC 8259, 7), with a NUL behind; how many bytes of s
 * it took.  n is at least 1.  Bytes that are no character become U+FFFD, one each. */
FATE__SHARED size_t fate__json_next(const char *s, size_t n, char to[8]);
/* A string of JSON, with its quotes. */
FATE__SHARED void fate__add_json_string(struct fate__text *to, const char *s, size_t n);

/* Text for HTML, between tags or inside of a quoted attribute.  What is no UTF-8 and what HTML does not allow
 * becomes U+FFFD. */
FATE__SHARED void fate__add_html(struct fate__text *to, const char *s, size_t n);

#endif
