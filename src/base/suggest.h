/* "Did you mean": the name that somebody probably wanted. */
#ifndef FATE_SRC_BASE_SUGGEST_H
#define FATE_SRC_BASE_SUGGEST_H

#include <base/shared.h>

/* The nearest of the names to a word that is none of them: one mistake in three letters is allowed, a mistake
 * being a letter too many, too few, wrong, or two that are swapped; letters of the other case are the same.
 * A name that is the word's beginning, or the other way round, is near too, if it has three letters.  NULL:
 * nothing is near. */
FATE__SHARED const char *fate__suggest(const char *word, const char *const names[], size_t n);

#endif
