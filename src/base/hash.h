/* Hashes of bytes that a peer may have chosen. */
#ifndef FATE_SRC_BASE_HASH_H
#define FATE_SRC_BASE_HASH_H

#include <fate/base.h>

/* The same for the same bytes in this process, and not to be guessed from outside. */
uint64_t fate__hash(const void *bytes, size_t len);

#endif
