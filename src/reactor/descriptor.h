/* Watched descriptors. */
#ifndef FATE_SRC_REACTOR_DESCRIPTOR_H
#define FATE_SRC_REACTOR_DESCRIPTOR_H

#include <fate/reactor.h>
#include <reactor/poller.h>

struct fate__fd_watch;

/* In events: it has an owner. */
#define FATE__OWNED (1u << 31)

/* One for each descriptor number up to the highest watched. */
struct fate__descriptor {
    union {
        struct fate__fd_watch *first; /* those who watch it */
        void *owner;                  /* or, with FATE__OWNED, whose it is: told of its edges, both ways */
    };
    uint32_t generation; /* of those: events fetched for others before are dropped */
    unsigned events;     /* what the poller was asked for */
};

struct fate__descriptors {
    struct fate__descriptor *by_fd;
    size_t n;
    size_t n_watched;
    struct fate__fd_watch *next; /* whose turn is next, while events are delivered */
    /* What owners are told, by the layer above; it makes the events. */
    void (*ready)(void *owner, unsigned events);
    unsigned n_stale; /* waits in a row that brought only events for nobody */
};

/* Calls those whom the events concern, each in a turn. */
void fate__descriptors_deliver(fate_reactor *reactor, const struct fate__event *events, int n);
/* From now on the owner is told when fd becomes ready for reading or for writing, until it disowns it, which
 * it does before it closes it.  0 or -errno. */
int fate__own_descriptor(fate_reactor *reactor, int fd, void *owner);
void fate__disown_descriptor(fate_reactor *reactor, int fd);
/* Is it watched, or has it an owner? */
bool fate__is_in_use(const fate_reactor *reactor, int fd);
void fate__descriptors_done(struct fate__descriptors *descriptors);

#endif
