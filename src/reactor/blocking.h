/* Threads that wait for an answer of the reactor. */
#ifndef FATE_SRC_REACTOR_BLOCKING_H
#define FATE_SRC_REACTOR_BLOCKING_H

#include <fate/thread.h>

/* Those that wait return a FATE_CANCELLED failure, and so do those that come later. */
void fate__blocking_refuse(fate_reactor *reactor);
/* The same for the threads of a pool that is closing: the reactor's thread is to wait for them. */
void fate__blocking_refuse_pool(fate_reactor *reactor, const fate_pool *pool);

#endif
