/* Receiving datagrams, and what ours have met.
 *
 * The socket is told of by level: each time up to 32 datagrams are taken, each an event of its own, and the
 * others have their turn in between.  Errors lie in a queue of their own in the kernel, and it is told that
 * something is there until they are read: so they are looked for when there is no datagram. */
#include <net/udp.h>

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>

#include <base/sys.h>
#include <net/address.h>
#include <net/stream.h>

#define DATAGRAMS_MAX 32
#define REST          (50 * FATE_MILLISECOND)

static const char own_site[] = FATE__OWN_SITE("fate_udp_open");

/* One that was taken. */
struct taken {
    fate_datagram datagram;
    fate_address from;
    struct sockaddr_storage kernel_from; /* has the path of a UNIX address */
    bool in_errors;                      /* there is no datagram: errors come */
    int why;                             /* an errno that is still to be told; 0: none */
};

static int receive(const fate_udp *udp, struct msghdr *message, int flags, size_t *ret_len)
{
    ssize_t n;

    do
        n = fate__sys->recvmsg(udp->socket.fd, message, flags);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    *ret_len = (size_t)n;
    return 0;
}

static void note_from(const fate_udp *udp, struct taken *taken, const struct msghdr *message)
{
    fate__address_from(&taken->kernel_from, message->msg_namelen, &taken->from);
    if (udp->here.family == AF_UNIX)
        taken->from.family = AF_UNIX;
    taken->datagram.from = &taken->from;
}

/* 0 or -errno. */
static int take_data(const fate_udp *udp, struct taken *taken)
{
    struct fate__net *net = fate__net(udp->reactor);
    size_t len;

    if (!net || !fate__prepare_hot(net))
        return -ENOMEM;
    struct iovec piece = { net->hot, FATE__HOT_BYTES };
    struct msghdr message = { .msg_name = &taken->kernel_from,
                              .msg_namelen = sizeof taken->kernel_from,
                              .msg_iov = &piece,
                              .msg_iovlen = 1 };
    int why = receive(udp, &message, 0, &len);
    if (why < 0)
        return why;
    net->hot[len] = '\0';
    taken->datagram = (fate_datagram){ .data = net->hot, .len = len };
    taken->datagram.is_truncated = (message.msg_flags & MSG_TRUNC) != 0;
    note_from(udp, taken, &message);
    return 0;
}

/* ---- Errors ---- */

static const struct sock_extended_err *find_error(struct msghdr *message)
{
    for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at; at = CMSG_NXTHDR(message, at)) {
        bool is_v4 = at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_RECVERR;
        bool is_v6 = at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_RECVERR;
        if (is_v4 || is_v6)
            return (const struct sock_extended_err *)(const void *)CMSG_DATA(at);
    }
    return NULL;
}

static void set_error(struct taken *taken, int error)
{
    taken->datagram = (fate_datagram){ .data = "", .error = error, .from = &taken->from };
}

/* 0; -EAGAIN: there is none; other -errnos.  UNIX sockets have no such queue: the kernel would give the next
 * datagram instead. */
static int take_queued_error(const fate_udp *udp, struct taken *taken)
{
    _Alignas(struct cmsghdr) char control[512];
    const struct sock_extended_err *error = NULL;
    size_t len;

    if (udp->here.family == AF_UNIX)
        return -EAGAIN;
    do {
        struct iovec piece = { NULL, 0 };
        struct msghdr message = { .msg_name = &taken->kernel_from,
                                  .msg_namelen = sizeof taken->kernel_from,
                                  .msg_iov = &piece,
                                  .msg_iovlen = 1,
                                  .msg_control = control,
                                  .msg_controllen = sizeof control };
        int why = receive(udp, &message, MSG_ERRQUEUE, &len);
        if (why < 0)
            return why;
        error = find_error(&message);
        note_from(udp, taken, &message);
        /* What has not even left was told by fate_udp_send. */
    } while (!error || error->ee_origin == SO_EE_ORIGIN_LOCAL);
    set_error(taken, (int)error->ee_errno);
    return 0;
}

static void watch_again(fate_value *arg);

/* Whatever it is that goes wrong, it may do so for ever: the loop must not spin. */
static void rest(fate_udp *udp)
{
    udp->rest = fate_call_later_at(udp->reactor, REST, watch_again, fate_ptr(udp), own_site);
    if (udp->rest.id >= 0)
        (void)fate_watch_events(udp->watch, 0);
}

static void watch_again(fate_value *arg)
{
    fate_udp *udp = fate_as_ptr(arg);

    if (fate_watch_events(udp->watch, FATE_READABLE) < 0)
        rest(udp);
}

/* An errno that is in no queue: of a connected socket it is about its peer. */
static bool take_error(fate_udp *udp, struct taken *taken)
{
    int error = taken->why;

    taken->why = 0;
    if (take_queued_error(udp, taken) == 0)
        return true;
    if (!error)
        return false;
    taken->from = udp->to;
    set_error(taken, error);
    rest(udp);
    return true;
}

/* ---- All ---- */

/* False: there is nothing more. */
static bool take(fate_udp *udp, struct taken *taken, int n_taken)
{
    if (!taken->in_errors) {
        int why = take_data(udp, taken);
        if (why == 0)
            return true;
        if (why == -EAGAIN && n_taken > 0)
            return false;
        taken->in_errors = true;
        taken->why = why == -EAGAIN ? 0 : -why;
    }
    return take_error(udp, taken);
}

/* The first is given in the event of the watch.  What happens between two may close it. */
static void give(fate_udp *udp, const struct taken *taken, bool is_first)
{
    if (!is_first) {
        fate__event_end(udp->reactor);
        fate__event_begin(udp->reactor, udp->owned.site);
    }
    if (!udp->is_closed)
        fate__udp_give(udp, &taken->datagram);
}

static void is_readable(int fd, unsigned events, fate_value *arg)
{
    fate_udp *udp = fate_as_ptr(arg);
    fate_reactor *reactor = udp->reactor;
    struct taken taken;

    taken.in_errors = false;
    udp->is_receiving = true;
    reactor->turn_site = udp->owned.site;
    for (int n = 0; n < DATAGRAMS_MAX && !udp->is_closed && !reactor->has_crashed; n++) {
        if (!take(udp, &taken, n))
            break;
        give(udp, &taken, n == 0);
    }
    udp->is_receiving = false;
    if (udp->is_closed)
        fate__turn_end_add(&reactor->turns, &udp->end);
}

int fate__udp_receive(fate_udp *udp)
{
    udp->doing = FATE__UDP_MAKING;
    udp->watch =
        fate_watch_fd_at(udp->reactor, udp->socket.fd, FATE_READABLE, is_readable, fate_ptr(udp), own_site);
    return udp->watch.id < 0 ? (int)udp->watch.id : 0;
}
