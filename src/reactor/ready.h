/* What is to be called in the next round of the loop, once, without waiting: a reader that has stopped
 * although there is more, a queue that has something for somebody. */
#ifndef FATE_SRC_REACTOR_READY_H
#define FATE_SRC_REACTOR_READY_H

#include <base/list.h>
#include <fate/reactor.h>

/* Lies in the struct of whoever is to be called, who takes it out before that goes. */
struct fate__ready {
    struct fate__link link;
    void (*go)(struct fate__ready *ready);
    const char *site; /* for those who watch: who is called */
};

struct fate__readies {
    struct fate__link next;  /* for the next round */
    struct fate__link round; /* of this one, not yet called */
};

void fate__readies_init(struct fate__readies *readies);
/* Has ready->go called as an event of its own, in the next round; then ready may be added again, by go itself
 * too, or freed.  Does nothing if it has been added already.  For the reactor's thread.  A reactor that does
 * not run any more calls nobody. */
void fate__ready_add(fate_reactor *reactor, struct fate__ready *ready);
/* Takes it out, if it is in. */
void fate__ready_remove(struct fate__ready *ready);
/* Calls those that were there when it began, unless the reactor crashes meanwhile. */
void fate__readies_run(fate_reactor *reactor);
/* While there is one, the loop does not wait, and simulated time does not move. */
static inline bool fate__readies_are_waiting(const struct fate__readies *readies)
{
    return !fate__list_is_empty(&readies->next) || !fate__list_is_empty(&readies->round);
}

#endif
