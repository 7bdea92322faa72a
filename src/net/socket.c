/* The wire of sockets: TCP and UNIX.
 *
 * The poller is asked once, for the edges of both ways.  A send or a receive that gives less than was asked
 * for has found the end, so nothing is asked twice; what the peer has ended is read to the last byte. */
#include <net/stream.h>

#include <errno.h>
#include <sys/socket.h>

#include <base/quiet.h>
#include <base/sys.h>
#include <net/address.h>
#include <net/linger.h>

static void await(const fate_transport *transport, unsigned events)
{
    fate__poller_rearm(&transport->net->reactor->poller, transport->fd, events);
}

static size_t length_of(const struct iovec *pieces, int n)
{
    size_t len = 0;

    for (int i = 0; i < n; i++)
        len += pieces[i].iov_len;
    return len;
}

static ssize_t send_pieces(int fd, const struct iovec *pieces, int n)
{
    const struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = (size_t)n };

    if (n == 1)
        return fate__sys->send(fd, pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
    return fate__sys->sendmsg(fd, &message, MSG_NOSIGNAL);
}

static ssize_t send_now(fate_transport *transport, const struct iovec *pieces, int n)
{
    ssize_t sent;

    do
        sent = send_pieces(transport->fd, pieces, n);
    while (sent < 0 && errno == EINTR);
    int error = sent < 0 ? errno : 0;
    if (error == EAGAIN || (sent >= 0 && (size_t)sent < length_of(pieces, n)))
        await(transport, FATE_WRITABLE);
    return error ? -error : sent;
}

/* The signal also comes when the peer has gone after some of it was taken, and then the call does not fail.
 */
static ssize_t send_file(fate_transport *transport, int fd, int64_t offset, size_t len)
{
    struct fate__quiet quiet;
    off_t at = (off_t)offset;
    ssize_t sent;

    fate__quiet_begin(&quiet);
    do
        sent = fate__sys->sendfile(transport->fd, fd, &at, len);
    while (sent < 0 && errno == EINTR);
    int error = sent < 0 ? errno : 0;
    fate__quiet_end(&quiet, error == EPIPE || (sent >= 0 && (size_t)sent < len));
    if (error == EAGAIN)
        await(transport, FATE_WRITABLE);
    return error ? -error : sent;
}

/* The kernel ends a read where a descriptor has come along, and says so when it throws that away. */
static ssize_t receive_local(int fd, char *to, size_t len, bool *ret_is_cut)
{
    struct iovec piece = { to, len };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
    ssize_t n = fate__sys->recvmsg(fd, &message, 0);

    *ret_is_cut = n > 0 && message.msg_flags & MSG_CTRUNC;
    return n;
}

static ssize_t receive(fate_transport *transport, char *to, size_t len, bool *ret_is_empty)
{
    bool is_cut = false;
    ssize_t n;

    do
        n = transport->flags & FATE__LOCAL ? receive_local(transport->fd, to, len, &is_cut)
                                           : fate__sys->recv(transport->fd, to, len, 0);
    while (n < 0 && errno == EINTR);
    int error = n < 0 ? errno : 0;
    *ret_is_empty = n > 0 && (size_t)n < len && !is_cut && !(transport->flags & FATE__PEER_ENDED);
    if (*ret_is_empty || error == EAGAIN)
        await(transport, FATE_READABLE);
    return error ? -error : n;
}

static int shut(fate_transport *transport)
{
    return fate__sys->shutdown(transport->fd, SHUT_WR) < 0 ? -errno : 0;
}

/* Closed while the peer sends, it would be reset, and what was written might not arrive.  The poller may not
 * have told of that yet, where much was written in one event. */
static bool has_to_linger(const fate_transport *transport)
{
    return !(transport->flags & FATE__READ_ENDED) &&
           fate__still_sends(transport->fd, transport->flags & FATE__HAS_DROPPED);
}

static void close_socket(fate_transport *transport, bool is_abort)
{
    const struct linger reset = { .l_onoff = 1 };
    bool lingers = !is_abort && has_to_linger(transport);

    fate__disown_descriptor(transport->net->reactor, transport->fd);
    if (is_abort)
        (void)fate__sys->setsockopt(transport->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (lingers)
        fate__linger(transport->net, transport->fd);
    else
        fate__close(transport->fd);
    transport->fd = -1;
}

static void here(const fate_transport *transport, fate_address *ret_address)
{
    static _Thread_local struct sockaddr_storage name; /* the address' path lies in it */
    socklen_t len = sizeof name;

    *ret_address = (fate_address){ 0 };
    if (fate__sys->getsockname(transport->fd, (struct sockaddr *)&name, &len) == 0)
        fate__address_from(&name, len, ret_address);
}

static int trouble(fate_transport *transport)
{
    int error = 0;
    socklen_t len = sizeof error;

    if (fate__sys->getsockopt(transport->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return errno;
    return error;
}

static int set_option(fate_transport *transport, int level, int option, int value)
{
    if (transport->flags & FATE__LOCAL)
        return -EOPNOTSUPP;
    return fate__sys->setsockopt(transport->fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

static const struct fate__wire_ops socket_wire = {
    .name = "socket",
    .send = send_now,
    .send_file = send_file,
    .receive = receive,
    .shut = shut,
    .close = close_socket,
    .here = here,
    .trouble = trouble,
    .set_option = set_option,
};

/* ---- What the poller says ---- */

static __attribute__((noinline)) void is_ready(fate_transport *transport, unsigned events)
{
    if (events & (FATE__HANGUP | FATE__ERROR))
        transport->flags |= FATE__PEER_ENDED;
    if (events & (FATE_WRITABLE | FATE__ERROR) && !(transport->flags & FATE__CAN_WRITE))
        fate__transport_can_write(transport);
    if (events & (FATE_READABLE | FATE__HANGUP | FATE__ERROR))
        fate__transport_can_read(transport);
    if (events & FATE__ERROR)
        fate__look_for_trouble(transport);
}

/* Is there something to read, and nothing else to be minded? */
static inline bool is_plain(const fate_transport *transport, unsigned events)
{
    const unsigned harmless = FATE__KEPT | FATE__HAS_BUILT | FATE__OWN_MARKS;
    const unsigned others = FATE__HANGUP | FATE__ERROR | FATE_READABLE;
    const struct fate__net *net = transport->net;
    bool is_quiet = ((uintptr_t)net->corked | (uintptr_t)net->attend) == 0;

    return (transport->flags & ~harmless) == FATE__CAN_WRITE && (events & others) == FATE_READABLE &&
           is_quiet && net->is_plain;
}

static inline void write_plainly(fate_transport *transport, struct fate__net *net)
{
    const char *bytes = net->cork_at;
    size_t len = net->cork_len;

    net->corked = NULL;
    ssize_t n = fate__sys->send(transport->fd, bytes, len, MSG_NOSIGNAL);
    if (fate__likely(n == (ssize_t)len))
        return;
    if (n < 0) { /* asked once more where it is looked at what has failed */
        net->corked = transport;
        fate__flush(transport);
    } else {
        fate__cork_was_sent(transport, bytes, len, n);
    }
}

/* All that was asked for, the end, or nothing. */
static __attribute__((noinline)) void read_otherwise(fate_transport *transport, ssize_t n)
{
    transport->flags |= FATE__CAN_READ;
    if (n < 0)
        fate__read(transport);
    else
        fate__has_read(transport, n, false);
}

/* The same as is_ready, for what happens most: bytes come for data_received, and it answers. */
static inline void read_plainly(fate_transport *transport, struct fate__net *net)
{
    ssize_t n = fate__sys->recv(transport->fd, net->hot, FATE__HOT_BYTES, 0);

    if (fate__unlikely((size_t)n - 1 >= FATE__HOT_BYTES - 1)) {
        read_otherwise(transport, n);
        return;
    }
    fate_protocol *p = transport->protocol;
    net->lent = net->hot;
    net->lent_end = net->hot + n;
    net->reading = transport;
    p->ops->data_received(p, net->hot, (size_t)n);
    net->reading = NULL;
    if (net->corked == transport)
        write_plainly(transport, net);
    net->lent = net->lent_end = NULL;
}

void fate__socket_ready(void *owner, unsigned events)
{
    fate_transport *transport = owner;
    fate_reactor *reactor = transport->net->reactor;

    fate__quick_event_begin(reactor, fate__site_of_transport(transport));
    if (fate__likely(is_plain(transport, events)))
        read_plainly(transport, transport->net);
    else
        is_ready(transport, events);
    fate__quick_event_end(reactor);
}

int fate__socket_open(struct fate__factory *factory, int fd, const fate_address *peer,
                      fate_protocol **ret_protocol)
{
    fate_reactor *reactor = factory->reactor;
    const struct fate__new_wire wire = { .ops = &socket_wire, .fd = fd, .peer = peer, .can_write = true };
    fate_transport *transport;
    int why = fate__own_descriptor(reactor, fd, NULL);

    if (why == 0) {
        why = fate__transport_new(factory, &wire, &transport);
        if (why < 0)
            fate__disown_descriptor(reactor, fd);
    }
    if (why < 0) {
        fate__close(fd);
        return why;
    }
    reactor->descriptors.by_fd[fd].owner = transport;
    if (peer->family == AF_UNIX)
        transport->flags |= FATE__LOCAL;
    if (ret_protocol)
        *ret_protocol = transport->protocol;
    fate__transport_begin(transport);
    return 0;
}
