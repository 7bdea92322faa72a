/* Threads, as the loop sees them. */
#ifndef FATE_SRC_REACTOR_THREAD_H
#define FATE_SRC_REACTOR_THREAD_H

#include <fate/reactor.h>

void fate__threads_init(fate_reactor *reactor);
/* Part of the shutdown: unanswered blocking calls return a FATE_CANCELLED failure; then the pools finish what
 * they have been given, and their threads are joined.  Twice is once. */
void fate__threads_stop(fate_reactor *reactor);

#endif
