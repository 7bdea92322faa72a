/* The poller over poll(2): for systems without epoll, and to hold the other against. */
#include <errno.h>
#include <string.h>

#include <base/alloc.h>
#include <base/stop.h>
#include <base/sys.h>
#include <reactor/poller.h>

static short to_poll(unsigned events)
{
    return (short)((events & FATE_READABLE ? POLLIN | POLLRDHUP : 0) |
                   (events & FATE_WRITABLE ? POLLOUT : 0));
}

static unsigned from_poll(short events)
{
    return (events & (POLLIN | POLLPRI | POLLRDHUP) ? FATE_READABLE : 0u) |
           (events & POLLRDHUP ? FATE__HANGUP : 0u) | (events & POLLOUT ? FATE_WRITABLE : 0u) |
           (events & (POLLERR | POLLHUP | POLLNVAL) ? FATE__ERROR : 0u);
}

static int make_room(struct fate__poller *poller)
{
    size_t room = poller->room ? 2 * poller->room : 8;

    if (poller->n < poller->room)
        return 0;
    struct pollfd *fds = fate__realloc(poller->fds, room * sizeof *fds);
    if (!fds)
        return -ENOMEM;
    poller->fds = fds;
    struct fate__polled *polled = fate__realloc(poller->polled, room * sizeof *polled);
    if (!polled)
        return -ENOMEM;
    poller->polled = polled;
    poller->room = room;
    return 0;
}

static int make_places(struct fate__poller *poller, int fd)
{
    size_t n = poller->n_places ? poller->n_places : 16;

    if ((size_t)fd < poller->n_places)
        return 0;
    while (n <= (size_t)fd)
        n *= 2;
    uint32_t *places = fate__realloc(poller->places, n * sizeof *places);
    if (!places)
        return -ENOMEM;
    memset(places + poller->n_places, 0, (n - poller->n_places) * sizeof *places);
    poller->places = places;
    poller->n_places = n;
    return 0;
}

static int open_list(struct fate__poller *poller)
{
    poller->set = -1;
    int why = make_room(poller);
    if (why < 0)
        return why;
    poller->fds[0] = (struct pollfd){ .fd = poller->wake_fd, .events = POLLIN };
    poller->polled[0] = (struct fate__polled){ 0 };
    poller->n = 1;
    return 0;
}

static void close_list(struct fate__poller *poller)
{
    fate__free(poller->fds);
    fate__free(poller->polled);
    fate__free(poller->places);
}

/* What epoll refuses, poll(2) would call always ready. */
static int can_wait_for(int fd)
{
    struct stat about;

    if (fate__sys->fstat(fd, &about) < 0)
        return -errno;
    return S_ISREG(about.st_mode) || S_ISDIR(about.st_mode) || S_ISBLK(about.st_mode) ? -EPERM : 0;
}

static int add(struct fate__poller *poller, int fd, uint32_t generation, unsigned events)
{
    int why = can_wait_for(fd);

    if (why == 0)
        why = make_places(poller, fd);
    if (why == 0)
        why = make_room(poller);
    if (why < 0)
        return why;
    poller->places[fd] = (uint32_t)poller->n;
    poller->polled[poller->n] = (struct fate__polled){ generation, events };
    poller->fds[poller->n++] = (struct pollfd){ .fd = fd, .events = to_poll(events) };
    return 0;
}

static uint32_t place_of(const struct fate__poller *poller, int fd)
{
    return (size_t)fd < poller->n_places ? poller->places[fd] : 0;
}

/* While it is left out, which poll(2) takes a negative number for. */
static int descriptor_at(const struct fate__poller *poller, uint32_t place)
{
    int fd = poller->fds[place].fd;

    return fd < 0 ? ~fd : fd;
}

static void take_out(struct fate__poller *poller, int fd)
{
    uint32_t place = poller->places[fd];
    size_t last = --poller->n;

    poller->places[fd] = 0;
    if (place == last)
        return;
    poller->fds[place] = poller->fds[last];
    poller->polled[place] = poller->polled[last];
    poller->places[descriptor_at(poller, place)] = place;
}

static int set(struct fate__poller *poller, int fd, uint32_t generation, unsigned before, unsigned after)
{
    uint32_t place = place_of(poller, fd);

    if (!after) {
        if (place)
            take_out(poller, fd);
        return 0;
    }
    if (!place)
        return add(poller, fd, generation, after);
    poller->fds[place].fd = fd;
    poller->fds[place].events = to_poll(after);
    poller->polled[place] = (struct fate__polled){ generation, after };
    return 0;
}

/* ---- Edges ---- */

/* poll(2) tells what is, not what has changed: so who has been told is not asked about again until rearm.
 * What was told without being asked, an error, would be told again whatever is asked: so all is left out. The
 * end of the peer is another event than its data, and is told of even so. */
static void disarm(struct fate__poller *poller, size_t place)
{
    struct pollfd *at = &poller->fds[place];

    at->events &= (short)~at->revents;
    if (at->revents & (POLLERR | POLLHUP))
        at->fd = ~at->fd;
}

static void rearm(struct fate__poller *poller, int fd, unsigned events)
{
    uint32_t place = place_of(poller, fd);

    if (!place)
        return;
    struct pollfd *at = &poller->fds[place];
    at->fd = fd;
    at->events |= to_poll(events & poller->polled[place].events);
}

/* ---- Waiting ---- */

static void read_wake(struct fate__poller *poller)
{
    uint64_t count;
    /* Should it not work, the loop wakes once more than it must. */
    (void)!fate__sys->read(poller->wake_fd, &count, sizeof count);
}

/* Who is told of a descriptor that is not open any more has no need to hear it again. */
static void take_out_closed(struct fate__poller *poller, const struct fate__event *events, int n)
{
    for (int i = 0; i < n; i++) {
        int fd = events[i].fd;
        if (fd >= 0 && poller->fds[poller->places[fd]].revents & POLLNVAL)
            take_out(poller, fd);
    }
}

static int collect(struct fate__poller *poller, struct fate__event ret_events[])
{
    int n = 0;

    if (poller->fds[0].revents) {
        read_wake(poller);
        ret_events[n++] = (struct fate__event){ .fd = FATE__WAKE_FD };
    }
    size_t watched = poller->n - 1;
    for (size_t seen = 0; seen < watched && n < FATE__EVENTS_MAX; seen++) {
        size_t i =
            1 + poller->first++ % watched; /* where the last round ended, so that all have their turn */
        if (!poller->fds[i].revents)
            continue;
        ret_events[n++] = (struct fate__event){ from_poll(poller->fds[i].revents), poller->fds[i].fd,
                                                poller->polled[i].generation };
        if (poller->polled[i].events & FATE__EDGE)
            disarm(poller, i);
    }
    take_out_closed(poller, ret_events, n);
    return n;
}

static int await(struct fate__poller *poller, fate_time timeout, struct fate__event ret_events[])
{
    const struct timespec left = { (time_t)(timeout / FATE_SECOND), (long)(timeout % FATE_SECOND) };
    int n = fate__sys->ppoll(poller->fds, poller->n, timeout == FATE_NEVER ? NULL : &left, NULL);

    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    return n ? collect(poller, ret_events) : 0;
}

const struct fate__poller_ops fate__poll = { "poll", open_list, close_list, set, await, rearm };
