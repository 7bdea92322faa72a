/* The one door to memory. */
#ifndef FATE_SRC_BASE_ALLOC_H
#define FATE_SRC_BASE_ALLOC_H

#include <base/shared.h>

/* NULL when there is no memory. */
FATE__SHARED void *fate__alloc(size_t bytes);
FATE__SHARED void *fate__zalloc(size_t bytes);
FATE__SHARED void *fate__realloc(void *block, size_t bytes);
FATE__SHARED void fate__free(void *block);

/* Tests set it before they make a reactor: it is then asked for each block taken from a slab, and false makes
 * that fail, so that such a block counts as an allocation of its own. */
typedef bool fate__block_hook(void);
extern fate__block_hook *fate__on_block;

#endif
