/* Watched descriptors. */
#ifndef FATE_SRC_REACTOR_DESCRIPTOR_H
#define FATE_SRC_REACTOR_DESCRIPTOR_H

#include <fate/reactor.h>
#include <reactor/poller.h>

struct fate__fd_watch;

/* One for each descriptor number up to the highest watched. */
struct fate__descriptor {
    struct fate__fd_watch *first; /* those who watch it */
    uint32_t generation;          /* of those: events fetched for others before are dropped */
    unsigned events;              /* what the poller was asked for */
};

struct fate__descriptors {
    struct fate__descriptor *by_fd;
    size_t n;
    size_t n_watched;
    struct fate__fd_watch *next; /* whose turn is next, while events are delivered */
    unsigned n_stale;            /* waits in a row that brought only events for nobody */
};

/* Calls those whom the events concern, each in a turn. */
void fate__descriptors_deliver(fate_reactor *reactor, const struct fate__event *events, int n);
void fate__descriptors_done(struct fate__descriptors *descriptors);

#endif
