/* Listening to one deferred after the other, for what the library does in steps. */
#ifndef FATE_SRC_DEFERRED_EAR_H
#define FATE_SRC_DEFERRED_EAR_H

#include <fate/deferred.h>

/* Part of the struct of the one who listens. */
struct fate__ear {
    fate_deferred *d; /* listened to, and held; NULL: nobody */
    /* Gets the result, given; d is left with none.  It may free the ear. */
    void (*hear)(struct fate__ear *ear, fate_value result);
};

/* Adds a level to d that tells the ear of its result, perhaps before this returns.  Without memory for the
 * level d is cancelled and the ear gets that failure; so it always hears something, at the latest when the
 * reactor goes. */
void fate__listen(struct fate__ear *ear, fate_deferred *d);

#endif
