/* The poller over epoll. */
#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>

#include <base/sys.h>
#include <reactor/poller.h>

#define WAKE_KEY UINT64_MAX /* as an event: FATE__WAKE_FD */

static uint32_t to_epoll(unsigned events)
{
    return (events & FATE_READABLE ? EPOLLIN | EPOLLRDHUP : 0u) | (events & FATE_WRITABLE ? EPOLLOUT : 0u) |
           (events & FATE__EDGE ? (uint32_t)EPOLLET | EPOLLPRI : 0u);
}

/* Bit by bit, without branches, since it is done for each event.  Where there is EPOLLRDHUP there is EPOLLIN.
 * EPOLLPRI is asked for with edges only: a read ends at urgent data, although there is more, as with an end.
 */
static inline unsigned from_epoll(uint32_t events)
{
    enum { IN = EPOLLIN, PRI = EPOLLPRI, OUT = EPOLLOUT, ERR = EPOLLERR, HUP = EPOLLHUP, RDHUP = EPOLLRDHUP };
    _Static_assert(IN == 1 && PRI == 2 && OUT == 4 && ERR == 8 && HUP == 16 && RDHUP == 1 << 13,
                   "as in the kernel");
    _Static_assert(FATE_READABLE == 1 && FATE_WRITABLE == 2, "a bit to the right of EPOLLOUT");
    _Static_assert(FATE__ERROR == 8 && FATE__HANGUP == 16,
                   "a bit to the right of EPOLLHUP, nine of EPOLLRDHUP, three to the left of EPOLLPRI");

    return (events & FATE_READABLE) | (events >> 1 & FATE_WRITABLE) | ((events | events >> 1) & FATE__ERROR) |
           ((events >> 9 | events << 3) & FATE__HANGUP);
}

/* The descriptor that wakes is told of once for each write to it, and so need not be read. */
static int open_set(struct fate__poller *poller)
{
    struct epoll_event wake = { EPOLLIN | EPOLLET, { .u64 = WAKE_KEY } };

    poller->set = fate__sys->epoll_create1(EPOLL_CLOEXEC);
    if (poller->set < 0)
        return -errno;
    return fate__sys->epoll_ctl(poller->set, EPOLL_CTL_ADD, poller->wake_fd, &wake) < 0 ? -errno : 0;
}

static void close_set(struct fate__poller *poller)
{
    fate__close(poller->set);
}

/* Whoever closes a descriptor that is watched takes it out of the set, and another may get its number: so
 * what is thought to be in the set may not be, and the other way round. */
static int set(struct fate__poller *poller, int fd, uint32_t generation, unsigned before, unsigned after)
{
    struct epoll_event event = { to_epoll(after), { .u64 = (uint64_t)generation << 32 | (uint32_t)fd } };
    int op = !after ? EPOLL_CTL_DEL : before ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (fate__sys->epoll_ctl(poller->set, op, fd, &event) == 0)
        return 0;
    if (op == EPOLL_CTL_DEL)
        return errno == ENOENT || errno == EBADF || errno == EPERM ? 0 : -errno;
    if (op == EPOLL_CTL_MOD && errno == ENOENT)
        return fate__sys->epoll_ctl(poller->set, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
    if (op == EPOLL_CTL_ADD && errno == EEXIST)
        return fate__sys->epoll_ctl(poller->set, EPOLL_CTL_MOD, fd, &event) < 0 ? -errno : 0;
    return -errno;
}

/* Milliseconds, rounded up so that no timer is early. */
static int wait_in_ms(struct fate__poller *poller, fate_time timeout, struct epoll_event *events)
{
    fate_time ms = timeout / FATE_MILLISECOND + (timeout % FATE_MILLISECOND != 0);
    int wanted = timeout == FATE_NEVER ? -1 : ms > INT_MAX ? INT_MAX : (int)ms;

    return fate__sys->epoll_wait(poller->set, events, FATE__EVENTS_MAX, wanted);
}

static int wait_for_any(struct fate__poller *poller, fate_time timeout, struct epoll_event *events)
{
    const struct timespec left = { (time_t)(timeout / FATE_SECOND), (long)(timeout % FATE_SECOND) };

    if (timeout == 0 || timeout == FATE_NEVER || poller->has_no_pwait2)
        return wait_in_ms(poller, timeout, events);
    int n = fate__sys->epoll_pwait2(poller->set, events, FATE__EVENTS_MAX, &left, NULL);
    if (n >= 0 || (errno != ENOSYS && errno != EPERM))
        return n;
    poller->has_no_pwait2 = true; /* Linux before 5.11, or a sandbox that does not know it */
    return wait_in_ms(poller, timeout, events);
}

/* Where the kernel's events lie as ours do, they are made ours in their place. */
#if defined(__x86_64__)
_Static_assert(sizeof(struct epoll_event) == sizeof(struct fate__event), "the same bytes");
_Static_assert(offsetof(struct fate__event, fd) == 4 && offsetof(struct fate__event, generation) == 8,
               "the key's lower half, and its upper");
#define IN_PLACE true
#else
#define IN_PLACE false
#endif

static int await(struct fate__poller *poller, fate_time timeout, struct fate__event ret_events[])
{
    struct epoll_event room[IN_PLACE ? 1 : FATE__EVENTS_MAX];
    struct epoll_event *events = IN_PLACE ? (struct epoll_event *)(void *)ret_events : room;
    int n = wait_for_any(poller, timeout, events);

    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < n; i++) {
        if (!IN_PLACE)
            ret_events[i] = (struct fate__event){ .events = events[i].events,
                                                  .fd = (int)(uint32_t)events[i].data.u64,
                                                  .generation = (uint32_t)(events[i].data.u64 >> 32) };
        ret_events[i].events = from_epoll(ret_events[i].events);
    }
    return n;
}

const struct fate__poller_ops fate__epoll = { "epoll", open_set, close_set, set, await, NULL };
