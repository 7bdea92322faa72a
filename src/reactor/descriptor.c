/* fate_watch_fd: descriptors of the program's own and of other libraries. */
#include <reactor/descriptor.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <base/sys.h>
#include <reactor/reactor.h>

struct fate__fd_watch {
    struct fate__watched watched;
    struct fate__fd_watch *next;
    fate_fd_fn *fn;
    fate_value arg;
    int fd;
    unsigned events;
    bool is_called, is_over; /* being called: it goes afterwards */
};

#define BOTH ((unsigned)(FATE_READABLE | FATE_WRITABLE))

/* ---- What the poller is asked for ---- */

static unsigned wanted(const struct fate__descriptor *descriptor)
{
    unsigned events = 0;

    if (descriptor->events & FATE__OWNED)
        return BOTH | FATE__EDGE;
    for (const struct fate__fd_watch *watch = descriptor->first; watch; watch = watch->next)
        events |= watch->events;
    return events;
}

static int ask(fate_reactor *reactor, int fd)
{
    struct fate__descriptor *descriptor = &reactor->descriptors.by_fd[fd];
    unsigned events = wanted(descriptor), owned = descriptor->events & FATE__OWNED;
    unsigned before = descriptor->events & ~FATE__OWNED;

    if (events == before)
        return 0;
    int why = reactor->poller.ops->set(&reactor->poller, fd, descriptor->generation, before, events);
    if (why == 0)
        descriptor->events = events | owned;
    return why;
}

static int make_room(struct fate__descriptors *descriptors, int fd)
{
    size_t n = descriptors->n ? descriptors->n : 16;

    if ((size_t)fd < descriptors->n)
        return 0;
    struct stat about;
    if (fate__sys->fstat(fd, &about) < 0) /* a number that is none may be as large as it likes */
        return -errno;
    while (n <= (size_t)fd)
        n *= 2;
    struct fate__descriptor *by_fd = fate__realloc(descriptors->by_fd, n * sizeof *by_fd);
    if (!by_fd)
        return -ENOMEM;
    memset(by_fd + descriptors->n, 0, (n - descriptors->n) * sizeof *by_fd);
    descriptors->by_fd = by_fd;
    descriptors->n = n;
    return 0;
}

/* ---- Coming and going ---- */

static void free_watch(struct fate__fd_watch *watch)
{
    fate_drop(watch->arg);
    fate__free(watch);
}

static void take_out(fate_reactor *reactor, struct fate__fd_watch *watch)
{
    struct fate__descriptors *descriptors = &reactor->descriptors;
    struct fate__descriptor *descriptor = &descriptors->by_fd[watch->fd];
    struct fate__fd_watch **at = &descriptor->first;

    while (*at != watch)
        at = &(*at)->next;
    *at = watch->next;
    if (descriptors->next == watch)
        descriptors->next = watch->next;
    if (!descriptor->first)
        descriptor->generation++;
    descriptors->n_watched--;
    (void)ask(reactor, watch->fd); /* what comes although nobody wants it is dropped */
    if (!descriptor->first)
        descriptor->events = 0; /* whoever comes next asks again, whether that has worked or not */
}

static void stop(fate_reactor *reactor, struct fate__watched *watched)
{
    struct fate__fd_watch *watch = (struct fate__fd_watch *)watched;

    take_out(reactor, watch);
    watch->is_over = true;
    if (!watch->is_called)
        free_watch(watch);
}

static void describe(const struct fate__watched *watched, char *to, size_t n)
{
    const struct fate__fd_watch *watch = (const struct fate__fd_watch *)watched;
    static const char *const what[] = { "nothing", "readable", "writable", "readable or writable" };

    snprintf(to, n, "descriptor %d to be %s", watch->fd, what[watch->events]);
}

static const struct fate__watch_kind kind = { "watched descriptor", stop, describe };

static int add(fate_reactor *reactor, struct fate__fd_watch *watch, const char *site)
{
    struct fate__descriptors *descriptors = &reactor->descriptors;
    int why = make_room(descriptors, watch->fd);

    if (why < 0)
        return why;
    if (fate__watch_open(reactor, &watch->watched, &kind, site).id < 0)
        return -ENOMEM;
    struct fate__descriptor *descriptor = &descriptors->by_fd[watch->fd];
    watch->next = descriptor->first;
    descriptor->first = watch;
    descriptors->n_watched++;
    why = ask(reactor, watch->fd);
    if (why < 0) {
        take_out(reactor, watch);
        fate__watch_close(reactor, &watch->watched);
    }
    return why;
}

static bool is_owned(const fate_reactor *reactor, int fd)
{
    return (size_t)fd < reactor->descriptors.n && reactor->descriptors.by_fd[fd].events & FATE__OWNED;
}

static int check_watch(fate_reactor *reactor, int fd, unsigned events, const fate_value *arg)
{
    if (fate__is_no_memory(arg))
        return -ENOMEM;
    if (reactor->turns.is_ending)
        return -ESHUTDOWN;
    if (reactor->is_simulated)
        return -EOPNOTSUPP;
    if (fd < 0)
        return -EBADF;
    if (is_owned(reactor, fd))
        return -EBUSY;
    return events & ~BOTH ? -EINVAL : 0;
}

static int new_watch(fate_reactor *reactor, const struct fate__fd_watch *wanted_watch, const char *site,
                     struct fate__fd_watch **ret_watch)
{
    struct fate__fd_watch *watch = fate__alloc(sizeof *watch);

    if (!watch)
        return -ENOMEM;
    *watch = *wanted_watch;
    int why = add(reactor, watch, site);
    if (why < 0)
        fate__free(watch);
    *ret_watch = watch;
    return why;
}

fate_watch fate_watch_fd_at(fate_reactor *reactor, int fd, unsigned events, fate_fd_fn *fn, fate_value arg,
                            const char *site)
{
    const struct fate__fd_watch wanted_watch = { .fn = fn, .arg = arg, .fd = fd, .events = events };
    struct fate__fd_watch *watch = NULL;

    fate__check_reactor(reactor, "fate_watch_fd", site);
    fate__check_given(&arg, "fate_watch_fd", site);
    if (!fn)
        fate__stop(site, "fate_watch_fd was given a NULL function.");
    int why = check_watch(reactor, fd, events, &arg);
    if (why == 0)
        why = new_watch(reactor, &wanted_watch, site, &watch);
    if (why < 0) {
        fate_drop(arg);
        return (fate_watch){ reactor, why };
    }
    return (fate_watch){ reactor, watch->watched.id };
}

fate_watch(fate_watch_fd)(fate_reactor *reactor, int fd, unsigned events, fate_fd_fn *fn, fate_value arg)
{
    return fate_watch_fd_at(reactor, fd, events, fn, arg, "fate_watch_fd");
}

int fate_watch_events(fate_watch handle, unsigned events)
{
    struct fate__fd_watch *watch = (struct fate__fd_watch *)fate__watch_find(handle, &kind);

    if (!watch)
        return -ENOENT;
    fate__check_reactor(handle.reactor, "fate_watch_events", watch->watched.site);
    if (events & ~BOTH)
        return -EINVAL;
    unsigned before = watch->events;
    watch->events = events;
    int why = ask(handle.reactor, watch->fd);
    if (why < 0)
        watch->events = before;
    return why;
}

bool fate__is_in_use(const fate_reactor *reactor, int fd)
{
    return is_owned(reactor, fd) ||
           ((size_t)fd < reactor->descriptors.n && reactor->descriptors.by_fd[fd].first);
}

/* ---- Descriptors with an owner ---- */

int fate__own_descriptor(fate_reactor *reactor, int fd, void *owner)
{
    struct fate__descriptors *descriptors = &reactor->descriptors;
    int why = make_room(descriptors, fd);

    if (why < 0)
        return why;
    struct fate__descriptor *descriptor = &descriptors->by_fd[fd];
    if (descriptor->events & FATE__OWNED || descriptor->first)
        return -EBUSY;
    why = reactor->poller.ops->set(&reactor->poller, fd, descriptor->generation, 0, BOTH | FATE__EDGE);
    if (why < 0)
        return why;
    descriptor->owner = owner;
    descriptor->events = BOTH | FATE__EDGE | FATE__OWNED;
    descriptors->n_watched++;
    return 0;
}

/* epoll forgets it when it is closed, which is what comes next: so nothing is said to it. */
void fate__disown_descriptor(fate_reactor *reactor, int fd)
{
    struct fate__descriptor *descriptor = &reactor->descriptors.by_fd[fd];

    if (reactor->poller.ops->rearm)
        (void)reactor->poller.ops->set(&reactor->poller, fd, descriptor->generation, BOTH, 0);
    descriptor->owner = NULL;
    descriptor->events = 0;
    descriptor->generation++;
    reactor->descriptors.n_watched--;
}

/* ---- Delivering ---- */

static void call(fate_reactor *reactor, struct fate__fd_watch *watch, unsigned events)
{
    watch->is_called = true;
    fate__event_begin(reactor, watch->watched.site);
    fate_value arg = fate_copy(&watch->arg);
    fate__lend(&arg);
    watch->fn(watch->fd, events, &arg);
    fate_drop(fate_take(&arg));
    watch->is_called = false;
    if (watch->is_over)
        free_watch(watch);
    fate__event_end(reactor);
}

/* An error or a hang-up is for all: reading or writing tells which. */
static unsigned events_for(const struct fate__fd_watch *watch, unsigned events)
{
    return events & FATE__ERROR ? watch->events : watch->events & events;
}

/* The loop's own descriptors have done their work by waking it. */
static bool is_own(fate_reactor *reactor, const struct fate__event *event)
{
    bool is_timer = event->fd == reactor->timer_fd && reactor->timer_fd >= 0;

    if (is_timer)
        reactor->timer_fd_due = FATE_NEVER; /* it has to be set again */
    return is_timer || event->fd == FATE__WAKE_FD;
}

/* Sockets, mostly.  False: it has none. */
static inline bool tell_owner(struct fate__descriptors *descriptors, const struct fate__event *event)
{
    if (fate__unlikely((size_t)event->fd >= descriptors->n))
        return false;
    const struct fate__descriptor *descriptor = &descriptors->by_fd[event->fd];
    if (fate__unlikely(descriptor->generation != event->generation || !(descriptor->events & FATE__OWNED)))
        return false;
    descriptors->ready(descriptor->owner, event->events);
    return true;
}

/* False: there is nobody whom it concerns. */
static bool deliver(fate_reactor *reactor, const struct fate__event *event)
{
    struct fate__descriptors *descriptors = &reactor->descriptors;
    bool is_known = (size_t)event->fd < descriptors->n;

    if (!is_known || descriptors->by_fd[event->fd].generation != event->generation)
        return false;
    const struct fate__descriptor *descriptor = &descriptors->by_fd[event->fd];
    fate__quick_events_end(reactor);
    descriptors->next = descriptor->first;
    while (descriptors->next && !reactor->has_crashed) {
        struct fate__fd_watch *watch = descriptors->next;
        unsigned events = events_for(watch, event->events);
        descriptors->next = watch->next;
        if (events)
            call(reactor, watch, events);
    }
    descriptors->next = NULL;
    return true;
}

/* A descriptor was closed while it was watched, and a copy of it lives on elsewhere: the set still has it,
 * and without a number nobody can take it out.  So the set is made anew. */
static void make_set_anew(fate_reactor *reactor)
{
    struct fate__poller *poller = &reactor->poller;
    const struct fate__poller_ops *ops = poller->ops;

    fate__warn(
        &reactor->turns, NULL,
        "a descriptor was closed while it was watched, and a copy of it is still open. Call fate_unwatch "
        "before closing.");
    if (reactor->is_foreign)
        return;
    struct fate__poller old = *poller;
    if (ops->open(poller) < 0) {
        ops->close(poller);
        *poller = old;
        return;
    }
    ops->close(&old);
    for (size_t fd = 0; fd < reactor->descriptors.n; fd++) {
        reactor->descriptors.by_fd[fd].events &= FATE__OWNED;
        (void)ask(reactor, (int)fd);
    }
}

void fate__descriptors_deliver(fate_reactor *reactor, const struct fate__event *events, int n)
{
    struct fate__descriptors *descriptors = &reactor->descriptors;
    bool any = n == 0;

    reactor->readings = (struct fate__readings){ 0, 1 };
    for (int i = 0; i < n && !reactor->has_crashed; i++) {
        if (fate__likely(tell_owner(descriptors, &events[i])))
            any = true;
        else if (is_own(reactor, &events[i]) || deliver(reactor, &events[i]))
            any = true;
    }
    fate__quick_events_end(reactor);
    descriptors->n_stale = any ? 0 : descriptors->n_stale + 1;
    if (descriptors->n_stale < 3)
        return;
    descriptors->n_stale = 0;
    make_set_anew(reactor);
}

void fate__descriptors_done(struct fate__descriptors *descriptors)
{
    fate__free(descriptors->by_fd);
}
