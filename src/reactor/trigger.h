/* Triggers: what is done before, during and after the startup and the shutdown (R225-R237). */
#ifndef FATE_SRC_REACTOR_TRIGGER_H
#define FATE_SRC_REACTOR_TRIGGER_H

#include <base/list.h>
#include <fate/reactor.h>

struct fate__occasion {
    struct fate__link triggers[3]; /* by phase */
    fate_phase phase;              /* the one that is running, if is_firing */
    bool is_firing;
    unsigned n_waiting; /* deferreds of triggers before it that are not done */
    size_t n_firings;   /* so that those of one that a crash has ended are not taken for these */
};

struct fate__triggers {
    struct fate__occasion occasions[2];
};

void fate__triggers_init(struct fate__triggers *triggers);
/* Runs the triggers before it and counts the deferreds that they follow. */
void fate__occasion_begin(fate_reactor *reactor, fate_occasion when);
/* Are those deferreds done? */
bool fate__occasion_is_ready(const fate_reactor *reactor, fate_occasion when);
/* Runs the others. */
void fate__occasion_finish(fate_reactor *reactor, fate_occasion when);
/* A crash came between. */
void fate__occasion_give_up(fate_reactor *reactor, fate_occasion when);

#endif
