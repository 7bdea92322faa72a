/* A program on several threads: a reactor each, and the connections divided among them. */
#ifndef FATE_WORKERS_H
#define FATE_WORKERS_H

#include <fate/reactor.h>

FATE_BEGIN

/* fate_main on n threads, 0: as many as there are processors for this process.  main_fn is called on each,
 * with that thread's reactor, and must share nothing with the others but what is made for several threads.
 *
 * What they listen on by the same endpoint they share: the kernel gives each connection to one of them.
 * Another program does not get the port, but by reuseport=yes in both; the file of a UNIX socket goes with
 * the last of them; connections_max is that of each.  A port of "tcp:0" is chosen once; who listens twice on
 * it has two, which the others get in the same order.  Datagrams are not shared.
 *
 * It runs until the deferreds of all are done.  SIGINT and SIGTERM cancel all; a second one ends the program
 * at once.  A failure of one cancels the others, and so does the stop of the first one's reactor.  The exit
 * status is 0 when all end in a value; 1, with the traceback on standard error, when one has failed; 130 or
 * 143 when the signal has cut one short (FATE_CANCELLED). */
FATE_API int fate_workers(unsigned n, fate_main_fn *main_fn, int argc, char **argv);
/* The reactor of the i-th worker, counted from 0, for fate_call_from_thread: from any worker, by its reactor.
 * NULL beyond the last one.  A reactor that is no worker's is the only one. */
FATE_API fate_reactor *fate_worker(const fate_reactor *reactor, unsigned i);

FATE_END

#endif
