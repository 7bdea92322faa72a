/* Structs of options, whose first member is a size. */
#ifndef FATE_SRC_BASE_OPTIONS_H
#define FATE_SRC_BASE_OPTIONS_H

#include <base/shared.h>

/* Copies the caller's struct into ours, which is zeroed and has that many bytes.  The caller's may be shorter
 * or longer, having been compiled with another version of the header; NULL is none.  A size of 0 stops the
 * program: all that was set would be lost without a word.  what: the function, site: where it was called. */
FATE__SHARED void fate__take_options(void *ret_ours, size_t bytes, const void *theirs, const char *what,
                                     const char *site);

#endif
