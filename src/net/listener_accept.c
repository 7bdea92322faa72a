/* Accepting: those who wait, and what to do when it cannot be done.
 *
 * The listening socket is told of by level, for as long as somebody waits.  So each time some are accepted
 * and the others have their turn in between; and while nothing is to be accepted the socket is not watched at
 * all, since it would be told of again and again.
 *
 * Without a descriptor for a connection its peer would hang.  A spare one is kept for that: it is given up,
 * the peers who wait are accepted and reset, and it is taken back. */
#include <net/listener.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <base/sys.h>
#include <net/address.h>

#define ACCEPTS_MAX 64
#define REST_FIRST  (50 * FATE_MILLISECOND)
#define REST_MAX    FATE_SECOND

static const char own_site[] = FATE__OWN_SITE("fate_listen");

/* ---- The log: a line a second ---- */

static bool may_say(fate_listener *listener)
{
    fate_time now = fate__now(listener->reactor);

    if (now < listener->quiet_until)
        return false;
    listener->quiet_until = fate__time_after(now, FATE_SECOND);
    return true;
}

static void say_refused(fate_listener *listener, char to[64])
{
    to[0] = '\0';
    if (listener->n_refused)
        snprintf(to, 64, "; refused: %zu", listener->n_refused);
    listener->n_refused = 0;
}

static void write_limit(char to[32])
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        snprintf(to, 32, "%llu", (unsigned long long)limit.rlim_cur);
    else
        snprintf(to, 32, "unlimited");
}

static void say_no_descriptors(fate_listener *listener, int why)
{
    size_t n = fate__net(listener->reactor)->n_connections;
    char limit[32], refused[64];

    write_limit(limit);
    say_refused(listener, refused);
    fate_log_at(listener->reactor, FATE_LOG_WARNING, listener->owned.site,
                "accept on %s: %s (%s): connections open: %zu, descriptors of the process at most: %s. Raise "
                "RLIMIT_NOFILE (ulimit -n, or LimitNOFILE= of a systemd unit), or set connections_max%s",
                listener->text, fate__errno_words(why), fate_errno_name(why), n, limit, refused);
}

static void say_failed(fate_listener *listener, int why)
{
    char refused[64];

    say_refused(listener, refused);
    fate_log_at(listener->reactor, FATE_LOG_WARNING, listener->owned.site, "accept on %s: %s (%s)%s",
                listener->text, fate__errno_words(why), fate_errno_name(why), refused);
}

/* A peer was let go, since its connection could not be made. */
static void say_dropped(fate_listener *listener, int why)
{
    listener->n_refused++;
    if (may_say(listener))
        say_failed(listener, why);
}

/* ---- The gate ---- */

static void try_again(fate_value *arg);

static int watch(const fate_listener *listener, bool is_open)
{
    if (listener->sim || listener->has_stopped)
        return 0;
    return fate_watch_events(listener->watch, is_open ? FATE_READABLE : 0);
}

/* Longer each time, until it works again.  Without memory for a timer it is the next connection that goes
 * which ends the rest; when there is none, there is no rest. */
static void rest(fate_listener *listener)
{
    fate_time rest = listener->rest ? 2 * listener->rest : REST_FIRST;

    listener->rest = rest < REST_MAX ? rest : REST_MAX;
    listener->rest_timer =
        fate_call_later_at(listener->reactor, listener->rest, try_again, fate_ptr(listener), own_site);
    if (listener->rest_timer.id < 0 && listener->factory->n_connections == 0)
        return;
    listener->gate = FATE__GATE_REST;
    fate__list_add_last(&fate__net(listener->reactor)->resting, &listener->resting);
    (void)watch(listener, false);
}

static void end_rest(fate_listener *listener)
{
    fate__list_remove(&listener->resting);
    fate_timer_cancel(listener->rest_timer);
}

/* In the simulated network, which does not tell twice, those who wait are accepted in the next round. */
static void open_gate(fate_listener *listener)
{
    end_rest(listener);
    listener->gate = FATE__GATE_OPEN;
    if (listener->sim)
        fate__ready_add(listener->reactor, &listener->again);
    else if (watch(listener, true) < 0)
        rest(listener);
}

static void try_again(fate_value *arg)
{
    open_gate(fate_as_ptr(arg));
}

static bool is_full(const fate_listener *listener)
{
    return listener->factory->n_connections >= listener->connections_max;
}

/* Those that rest may have a descriptor for a peer now. */
void fate__accept_again(fate_listener *listener)
{
    struct fate__link *resting = &fate__net(listener->reactor)->resting;
    struct fate__link *last = resting->prev;
    bool is_last = fate__list_is_empty(resting) || listener->reactor->turns.is_ending;

    while (!is_last) {
        struct fate__link *first = resting->next;
        is_last = first == last;
        open_gate(fate_container_of(first, fate_listener, resting));
    }
    if (listener->gate == FATE__GATE_FULL && !listener->has_stopped && !is_full(listener))
        open_gate(listener);
}

static void shut_gate(fate_listener *listener)
{
    listener->gate = FATE__GATE_FULL;
    (void)watch(listener, false);
}

/* ---- One ---- */

struct peer {
    struct sockaddr_storage kernel_address;
    socklen_t len;
};

static int accept_fd(const fate_listener *listener, struct peer *ret_peer)
{
    ret_peer->len = sizeof ret_peer->kernel_address;
    int fd = fate__sys->accept4(listener->socket.fd, (struct sockaddr *)&ret_peer->kernel_address,
                                &ret_peer->len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

static void made_or_dropped(fate_listener *listener, int why)
{
    bool was_refused = why == -ECONNREFUSED; /* by build */

    if (why < 0 && !was_refused)
        say_dropped(listener, -why);
}

/* 0: one less waits; -errno. */
static int accept_socket(fate_listener *listener)
{
    struct peer peer;
    fate_address address;
    fate_protocol *p;
    int fd = accept_fd(listener, &peer);

    if (fd < 0)
        return fd;
    fate__address_from(&peer.kernel_address, peer.len, &address);
    made_or_dropped(listener, fate__socket_open(listener->factory, fd, &address, &p));
    return 0;
}

static int accept_simulated(fate_listener *listener)
{
    fate_protocol *p;
    int why = fate__sim_accept(listener->sim, listener->factory, &p);

    if (why == -EAGAIN)
        return why;
    made_or_dropped(listener, why);
    return 0;
}

static int accept_one(fate_listener *listener)
{
    return listener->sim ? accept_simulated(listener) : accept_socket(listener);
}

/* ---- What goes wrong ---- */

/* Is it over with that one peer, or that one call (accept(2), which hands over what the network has to say of
 * the connection)? */
static bool concerns_one(int why)
{
    switch (why) {
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case EINTR:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case ETIMEDOUT:
        return true;
    default:
        return false;
    }
}

static void take_spare(fate_listener *listener)
{
    if (listener->spare_fd < 0 && !listener->sim)
        listener->spare_fd = fate__sys->open("/dev/null", O_RDONLY | O_CLOEXEC, 0);
}

static void reset(int fd)
{
    const struct linger at_once = { 1, 0 };

    (void)fate__sys->setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    fate__close(fd);
}

/* Those who wait learn at once that there is no place for them.  False: nobody waits.  The kernel looks for a
 * descriptor first, and so complains when the last one has just been used. */
static bool refuse_peers(fate_listener *listener)
{
    struct peer peer;
    size_t before = listener->n_refused;
    int fd = 0;

    if (listener->spare_fd < 0)
        return true;
    fate__close(listener->spare_fd);
    listener->spare_fd = -1;
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        fd = accept_fd(listener, &peer);
        if (fd < 0)
            break;
        reset(fd);
        listener->n_refused++;
    }
    take_spare(listener);
    return fd != -EAGAIN || listener->n_refused > before;
}

static void has_failed(fate_listener *listener, int why)
{
    bool lacks_descriptors = why == EMFILE || why == ENFILE;

    if (lacks_descriptors && !refuse_peers(listener))
        return;
    if (may_say(listener)) {
        if (lacks_descriptors)
            say_no_descriptors(listener, why);
        else
            say_failed(listener, why);
    }
    if (!listener->has_stopped) /* by an observer of the log */
        rest(listener);
}

/* ---- Those who wait ---- */

static bool may_accept(fate_listener *listener)
{
    if (listener->has_stopped || listener->gate != FATE__GATE_OPEN || listener->reactor->has_crashed)
        return false;
    if (is_full(listener))
        shut_gate(listener);
    return listener->gate == FATE__GATE_OPEN;
}

/* The spare descriptor could perhaps not be taken back before: another has been faster, or there was none. */
static void works_again(fate_listener *listener)
{
    listener->rest = 0;
    if (!listener->has_stopped)
        take_spare(listener);
}

/* Whether more may wait. */
static bool accept_some(fate_listener *listener)
{
    int n_failed = 0, why = 0;

    for (int i = 0; i < ACCEPTS_MAX; i++) {
        if (!may_accept(listener))
            return false;
        why = accept_one(listener);
        if (why == -EAGAIN)
            return false;
        if (why == 0 && listener->rest)
            works_again(listener);
        if (why < 0 && !concerns_one(-why))
            break;
        n_failed += why < 0;
    }
    bool nothing_works = n_failed == ACCEPTS_MAX || (why < 0 && !concerns_one(-why));
    if (nothing_works && !listener->has_stopped)
        has_failed(listener, -why);
    return !nothing_works;
}

static void accept_in_event(fate_listener *listener)
{
    fate__listener_enter(listener);
    listener->reactor->turn_site = listener->owned.site;
    bool may_be_more = accept_some(listener) || listener->reactor->has_crashed;
    if (may_be_more && listener->sim)
        fate__ready_add(listener->reactor, &listener->again);
    fate__listener_leave(listener);
}

static void is_readable(int fd, unsigned events, fate_value *arg)
{
    accept_in_event(fate_as_ptr(arg));
}

static void somebody_waits(void *owner)
{
    accept_in_event(owner);
}

static void go_on(struct fate__ready *ready)
{
    accept_in_event(fate_container_of(ready, fate_listener, again));
}

/* ---- Beginning and end ---- */

int fate__accept_begin(fate_listener *listener)
{
    listener->watch = fate_watch_fd_at(listener->reactor, listener->socket.fd, FATE_READABLE, is_readable,
                                       fate_ptr(listener), own_site);
    if (listener->watch.id < 0)
        return (int)listener->watch.id;
    take_spare(listener);
    return 0;
}

/* It lasts longer than what listens. */
static void copy_address(fate_listener *listener, const fate_address *address)
{
    fate_address *ours = &listener->address;
    char *room = (char *)&listener->kernel_address;

    *ours = *address;
    if (address->family != AF_UNIX || !address->as.local.path)
        return;
    size_t len = address->as.local.len, max = sizeof listener->kernel_address - 1;
    ours->as.local.path = room;
    ours->as.local.len = len < max ? len : max;
    memcpy(room, address->as.local.path, ours->as.local.len);
}

fate_value fate__accept_begin_simulated(fate_listener *listener, const struct fate__listen *wanted)
{
    bool share_port = wanted->endpoint.share_port || wanted->options.share_port;

    listener->again.go = go_on;
    listener->again.site = wanted->site;
    int why = fate__sim_listen(listener->reactor, &wanted->endpoint, fate__listen_backlog(wanted), share_port,
                               somebody_waits, listener, &listener->sim);
    if (why < 0)
        return fate__listen_failure(wanted, why, why == -EADDRINUSE ? "somebody listens there" : NULL);
    copy_address(listener, fate__sim_listener_address(listener->sim));
    return fate_none();
}

void fate__accept_end(fate_listener *listener)
{
    if (listener->watch.id > 0)
        fate_unwatch(listener->watch);
    end_rest(listener);
    fate__ready_remove(&listener->again);
    fate__close(listener->spare_fd);
    listener->spare_fd = -1;
}
