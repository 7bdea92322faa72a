/* Why something could not be done, in words: for those who read texts that people and peers have written. */
#ifndef FATE_SRC_BASE_WHY_H
#define FATE_SRC_BASE_WHY_H

#include <base/shared.h>

/* The text names the bad part and what to write instead.  A longer one is cut. */
struct fate__why {
    char text[256];
};

/* Returns error.  why may be NULL. */
FATE__SHARED int fate__because(struct fate__why *why, int error, const char *fmt, ...) FATE_PRINTF(3, 4);

#define FATE__SHOWN_BYTES 128
/* Bytes of whatever kind as they may be shown on a terminal or in a log: what is no printable character is
 * \xNN, and what is too long ends in "...".  Returns to. */
FATE__SHARED const char *fate__shown(const char *s, size_t len, char to[FATE__SHOWN_BYTES]);

#endif
