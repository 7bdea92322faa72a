/* Diagrams: what happened on a deferred's chain, as a picture.
 *
 * It is the red and green diagram of Twisted's documentation.  Levels lie below one another, callbacks on the
 * left and errbacks on the right; a green arrow carries a value, a red and dashed one a failure, always
 * downwards, and what was carried is written on it.  Levels that have not been reached are grey.  Deferreds
 * that a level followed are drawn beside, each with its own chain. */
#ifndef FATE_DIAGRAM_H
#define FATE_DIAGRAM_H

#include <stdio.h>

#include <fate/deferred.h>

FATE_BEGIN

typedef struct fate_diagram fate_diagram;

/* Records from now on what d's levels do, and those of each deferred that one of them follows.
 *
 * It holds no deferred and no value, only texts that describe them: nothing lives longer or happens in
 * another order because of it.  What d did before, or one that is followed did before that, is not known: it
 * begins with the result that it has then.  A deferred may be in any number of diagrams.  Awaiting is not
 * following: what a coroutine awaits is not drawn.
 *
 * It records 1,000 levels of 200 deferreds that follow each other 12 deep; beyond that, and without memory,
 * the picture says what is missing.  It goes with the reactor if it has not been freed.  It never gives NULL:
 * without memory it is one that cannot be written.
 *
 * Use it to explain a chain, or to see why one did not do what you thought. */
FATE_API fate_diagram *fate_diagram_new(fate_deferred *d);
/* Writes what has been recorded as an SVG picture, at any time and as often as you like.
 * 0; -ENOMEM, and nothing has been written; else the negative errno of the writing. */
FATE_API int fate_diagram_write(const fate_diagram *diagram, FILE *to);
/* Ends recording.  NULL does nothing. */
FATE_API void fate_diagram_free(fate_diagram *diagram);

FATE_END

#endif
