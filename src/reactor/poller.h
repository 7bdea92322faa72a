/* What waits for descriptors: epoll, or poll(2) where there is none, behind one table. */
#ifndef FATE_SRC_REACTOR_POLLER_H
#define FATE_SRC_REACTOR_POLLER_H

#include <poll.h>

#include <fate/reactor.h>

/* What is asked for, beside FATE_READABLE and FATE_WRITABLE, and what comes.
 *
 * Who asks for FATE__EDGE is told when it becomes ready, and must not rely on hearing of it again before it
 * has found that it is not: after EAGAIN, or after a read or write that was short, it calls
 * fate__poller_rearm. A short read tells that only as long as no FATE__HANGUP or FATE__ERROR has come; after
 * those the end, or the error, has still to be read. */
enum {
    FATE__EDGE = 1 << 2,   /* only when it becomes ready; a poller may tell more often */
    FATE__ERROR = 1 << 3,  /* comes unasked: an error or a hang-up of both sides, to be seen by either */
    FATE__HANGUP = 1 << 4, /* comes with FATE_READABLE: the peer has ended its side */
};

/* An event of a descriptor; the generation tells whether it is still the one that was asked for.  It lies as
 * the kernel's do on x86-64, whose events so need not be copied. */
struct fate__event {
    unsigned events;
    int fd;
    uint32_t generation;
};

#define FATE__WAKE_FD    (-1) /* in an event: the descriptor that wakes the loop */
#define FATE__EVENTS_MAX 256

/* Of a descriptor that poll(2) waits for. */
struct fate__polled {
    uint32_t generation;
    uint32_t events; /* as they were asked for */
};

struct fate__poller {
    const struct fate__poller_ops *ops;
    int wake_fd; /* watched from the beginning */
    /* epoll */
    int set;
    bool has_no_pwait2;
    /* poll */
    struct pollfd *fds;          /* the first is wake_fd */
    struct fate__polled *polled; /* of fds[i] */
    size_t n, room, first;
    uint32_t *places; /* by descriptor: its index in fds, 0: none */
    size_t n_places;
};

struct fate__poller_ops {
    const char *name;
    /* 0 or -errno; close follows in any case. */
    int (*open)(struct fate__poller *poller);
    void (*close)(struct fate__poller *poller);
    /* fd's events change from before to after; 0: not watched.  0 or -errno, and all is as it was. */
    int (*set)(struct fate__poller *poller, int fd, uint32_t generation, unsigned before, unsigned after);
    /* Waits for at most that long; how many events, at most FATE__EVENTS_MAX, or -errno. */
    int (*wait)(struct fate__poller *poller, fate_time timeout, struct fate__event ret_events[]);
    /* With FATE__EDGE: these events, of which it has been told, have turned out to be over for now.  NULL:
     * there is nothing to be done. */
    void (*rearm)(struct fate__poller *poller, int fd, unsigned events);
};

extern const struct fate__poller_ops fate__epoll, fate__poll;
static inline void fate__poller_rearm(struct fate__poller *poller, int fd, unsigned events)
{
    if (poller->ops->rearm)
        poller->ops->rearm(poller, fd, events);
}
/* By name, or the best for NULL and ""; NULL: there is none of that name. */
const struct fate__poller_ops *fate__poller_named(const char *name);

#endif
