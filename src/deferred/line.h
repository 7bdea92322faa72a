/* A line of deferreds that wait their turn: for a lock's token, for a queue's next value. */
#ifndef FATE_SRC_DEFERRED_LINE_H
#define FATE_SRC_DEFERRED_LINE_H

#include <base/list.h>
#include <deferred/deferred.h>

struct fate__line {
    struct fate__link waiting;
    size_t n;
    const char *what;  /* is waited for: "the lock" */
    const void *whose; /* the id of the thing that has the line */
};

void fate__line_init(struct fate__line *line, const char *what, const void *whose);
/* A new deferred at the end of the line; cancelling it takes it out.  Without memory the NO_MEMORY deferred.
 */
fate_deferred *fate__line_join(struct fate__line *line, fate_reactor *reactor, const char *site);
/* Takes the first out, for the caller to fire; NULL: nobody waits. */
fate_deferred *fate__line_next(struct fate__line *line);
/* Cancels all. */
void fate__line_cancel(struct fate__line *line);

#endif
