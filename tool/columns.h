/* How wide texts are on a terminal. */
#ifndef FATE_TOOL_COLUMNS_H
#define FATE_TOOL_COLUMNS_H

#include <base/text.h>

/* Adds s in so many columns: what is longer is cut and ends in "~", or in "…" with is_utf8; what is shorter
 * is filled with blanks.  Control characters and what is no UTF-8, or not ASCII without is_utf8, become "?".
 */
void fate__add_columns(struct fate__text *to, const char *s, size_t columns, bool is_utf8);
/* The same, but of what is longer the end is kept: addresses differ there. */
void fate__add_last_columns(struct fate__text *to, const char *s, size_t columns, bool is_utf8);
/* How many it has by itself. */
size_t fate__columns_of(const char *s, bool is_utf8);

#endif
