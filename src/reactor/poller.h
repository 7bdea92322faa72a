/* What waits for descriptors: epoll, or poll(2) where there is none, behind one table. */
#ifndef FATE_SRC_REACTOR_POLLER_H
#define FATE_SRC_REACTOR_POLLER_H

#include <poll.h>

#include <fate/reactor.h>

/* What is asked for, beside FATE_READABLE and FATE_WRITABLE, and what comes. */
enum {
    FATE__EDGE = 1 << 2,  /* only when it becomes ready; a poller may tell more often */
    FATE__ERROR = 1 << 3, /* comes unasked: an error or a hang-up */
};

/* An event of a descriptor; the generation tells whether it is still the one that was asked for. */
struct fate__event {
    int fd;
    uint32_t generation;
    unsigned events;
};

#define FATE__WAKE_FD    (-1) /* in an event: the descriptor that wakes the loop */
#define FATE__EVENTS_MAX 256

struct fate__poller {
    const struct fate__poller_ops *ops;
    int wake_fd; /* watched from the beginning */
    /* epoll */
    int set;
    bool has_no_pwait2;
    /* poll */
    struct pollfd *fds;    /* the first is wake_fd */
    uint32_t *generations; /* of fds[i] */
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
};

extern const struct fate__poller_ops fate__epoll, fate__poll;
/* By name, or the best for NULL and ""; NULL: there is none of that name. */
const struct fate__poller_ops *fate__poller_named(const char *name);

#endif
