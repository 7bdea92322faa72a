/* Looking at all deferreds that are alive, for the report. */
#ifndef FATE_SRC_DEFERRED_LOOK_H
#define FATE_SRC_DEFERRED_LOOK_H

#include <deferred/deferred.h>

/* Shows each deferred that is alive, oldest first, and then those of coroutines.  What is done and not held
 * counts as gone.  Those that only wait for one another (R255, R256) are said to be abandoned.  Without
 * memory there is one line that says how many there are. */
void fate__look_at_deferreds(struct fate__turns *turns, fate__see_fn *see, void *arg);
/* How many it would show. */
size_t fate__count_deferreds(struct fate__turns *turns);

#endif
