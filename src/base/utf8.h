/* UTF-8, RFC 3629. */
#ifndef FATE_SRC_BASE_UTF8_H
#define FATE_SRC_BASE_UTF8_H

#include <base/shared.h>

/* How many bytes the character at s has, of n that are there; 0: these bytes are no character. */
FATE__SHARED size_t fate__utf8_len(const char *s, size_t n);

#endif
