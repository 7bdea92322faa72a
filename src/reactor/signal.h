/* Signals, delivered as events. */
#ifndef FATE_SRC_REACTOR_SIGNAL_H
#define FATE_SRC_REACTOR_SIGNAL_H

#include <fate/reactor.h>

struct fate__signals;

bool fate__signals_have_come(const fate_reactor *reactor);
/* Calls whoever asked for the signals that have come. */
void fate__signals_deliver(fate_reactor *reactor);
void fate__signals_done(fate_reactor *reactor);
/* The same in the child of a fork, for the watches that are left: nothing is dropped or called. */
void fate__signals_leave(fate_reactor *reactor);

#endif
