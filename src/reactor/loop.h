/* Running a reactor, for those who have a part in its beginning and its end. */
#ifndef FATE_SRC_REACTOR_LOOP_H
#define FATE_SRC_REACTOR_LOOP_H

#include <fate/reactor.h>

/* The posts that wait now, each a turn (R239). */
void fate__run_posts(fate_reactor *reactor);

#endif
