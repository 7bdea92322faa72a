/* The sockets of datagrams: making them, and sending. */
#include <net/udp.h>

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>

#include <base/sys.h>
#include <net/address.h>

static int set(const fate_udp *udp, int level, int option, int value)
{
    return fate__sys->setsockopt(udp->socket.fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

/* ---- Options ---- */

/* What our packets have met is told in a queue of its own, with the address for which they were.  Without it
 * a connected socket still hears that it was refused. */
static void ask_for_errors(const fate_udp *udp, int family)
{
    if (family == AF_INET6)
        (void)set(udp, IPPROTO_IPV6, IPV6_RECVERR, 1);
    if (family == AF_INET || udp->is_dual)
        (void)set(udp, IPPROTO_IP, IP_RECVERR, 1);
}

static int set_buffer(const fate_udp *udp, int option, size_t bytes)
{
    return bytes ? set(udp, SOL_SOCKET, option, bytes < INT_MAX / 2 ? (int)bytes : INT_MAX / 2) : 0;
}

static int set_buffers(const fate_udp *udp, const fate_udp_options *options)
{
    int why = set_buffer(udp, SO_RCVBUF, options->receive_buffer_bytes);
    return why < 0 ? why : set_buffer(udp, SO_SNDBUF, options->send_buffer_bytes);
}

static int set_options(fate_udp *udp, const fate_udp_options *options, int family)
{
    int why = set_buffers(udp, options);

    udp->doing = FATE__UDP_SETTING;
    if (why == 0 && options->share_port)
        why = set(udp, SOL_SOCKET, SO_REUSEADDR, 1);
    if (why == 0 && options->broadcast)
        why = set(udp, SOL_SOCKET, SO_BROADCAST, 1);
    if (why == 0 && family == AF_INET6)
        why = set(udp, IPPROTO_IPV6, IPV6_V6ONLY, !udp->is_dual);
    if (why == 0)
        why = fate__udp_set_groups(udp, family, options);
    ask_for_errors(udp, family);
    return why;
}

/* ---- Making ---- */

static int make(fate_udp *udp, int family)
{
    udp->doing = FATE__UDP_MAKING;
    udp->socket.fd = fate__sys->socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return udp->socket.fd < 0 ? -errno : 0;
}

static int bind_at(fate_udp *udp, const fate_address *at)
{
    struct sockaddr_storage kernel;
    int len = fate__address_to(at, &kernel);

    udp->doing = FATE__UDP_BINDING;
    if (len <= 0)
        return -EINVAL;
    return fate__sys->bind(udp->socket.fd, (const struct sockaddr *)&kernel, (socklen_t)len) < 0 ? -errno : 0;
}

static int connect_again(fate_udp *udp)
{
    const struct sockaddr *to = (const struct sockaddr *)&udp->kernel_to;
    int n;

    do
        n = fate__sys->connect(udp->socket.fd, to, udp->kernel_to_len);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

/* The path of udp->to lies in what the kernel was given. */
static int connect_to(fate_udp *udp, const fate_address *to)
{
    int len = fate__address_to(to, &udp->kernel_to);

    udp->doing = FATE__UDP_CONNECTING;
    if (len <= 0)
        return len < 0 ? len : -EDESTADDRREQ;
    udp->kernel_to_len = (socklen_t)len;
    fate__address_from(&udp->kernel_to, udp->kernel_to_len, &udp->to);
    return connect_again(udp);
}

static int find_here(fate_udp *udp)
{
    socklen_t len = sizeof udp->kernel_here;

    udp->doing = FATE__UDP_MAKING;
    if (fate__sys->getsockname(udp->socket.fd, (struct sockaddr *)&udp->kernel_here, &len) < 0)
        return -errno;
    fate__address_from(&udp->kernel_here, len, &udp->here);
    return 0;
}

/* ---- Over IP ---- */

/* Binds where it receives; who is connected is bound only if that was asked for. */
static int make_ip(fate_udp *udp, const struct fate__udp_wanted *wanted, const fate_address *to, int family)
{
    const struct fate__endpoint *endpoint = &wanted->endpoint;
    fate_address at = wanted->bind.family ? wanted->bind : (fate_address){ .family = (uint16_t)family };
    int why = make(udp, family);

    udp->is_dual = family == AF_INET6 && endpoint->family == AF_UNSPEC && !to && !wanted->bind.family;
    at.port = (uint16_t)(to || !endpoint->port ? endpoint->bind_port : endpoint->port);
    if (why == 0)
        why = set_options(udp, &wanted->options, family);
    if (why == 0 && (!to || wanted->bind.family))
        why = bind_at(udp, &at);
    return why == 0 && to ? connect_to(udp, to) : why;
}

static bool is_without_ipv6(int why)
{
    return why == -EAFNOSUPPORT || why == -EADDRNOTAVAIL || why == -EPROTONOSUPPORT;
}

/* On all addresses: a socket of IPv6 takes both families, but where there is none. */
static int make_everywhere(fate_udp *udp, const struct fate__udp_wanted *wanted)
{
    int family = wanted->endpoint.family;
    int why = make_ip(udp, wanted, NULL, family == AF_INET ? AF_INET : AF_INET6);

    if (family != AF_UNSPEC || !is_without_ipv6(why))
        return why;
    fate__udp_unmake(udp);
    return make_ip(udp, wanted, NULL, AF_INET);
}

/* ---- UNIX ---- */

/* The kernel makes the file with the mode of the socket, as far as the umask leaves it: so nobody sends
 * before it has its mode. */
static int bind_unix(fate_udp *udp, const struct fate__udp_wanted *wanted)
{
    struct fate__unix_place place;
    int mode = wanted->endpoint.mode;
    int why = fate__unix_place(wanted->endpoint.name, &place);

    udp->doing = FATE__UDP_BINDING;
    if (why < 0)
        return why;
    if (mode >= 0 && !place.is_abstract && fate__sys->fchmod(udp->socket.fd, (mode_t)mode) < 0)
        return -errno;
    udp->kernel_here = place.address;
    fate__address_from(&udp->kernel_here, place.len, &udp->here);
    return fate__unix_bind(&place, mode, &udp->socket);
}

static int connect_unix(fate_udp *udp, const struct fate__udp_wanted *wanted)
{
    struct fate__unix_place place;
    int why = fate__unix_place(wanted->endpoint.name, &place);

    if (why < 0)
        return why;
    return connect_to(
        udp, &(fate_address){ .family = AF_UNIX, .as.local = { place.name, strlen(wanted->endpoint.name) } });
}

static int make_unix(fate_udp *udp, const struct fate__udp_wanted *wanted)
{
    int why = make(udp, AF_UNIX);

    if (why == 0)
        why = set_buffers(udp, &wanted->options);
    if (why < 0)
        return why;
    return wanted->endpoint.kind == FATE__ENDPOINT_UNIXGRAM ? bind_unix(udp, wanted)
                                                            : connect_unix(udp, wanted);
}

/* ---- All ---- */

static int make_any(fate_udp *udp, const struct fate__udp_wanted *wanted, const fate_address *to)
{
    if (wanted->endpoint.kind != FATE__ENDPOINT_UDP)
        return make_unix(udp, wanted);
    if (to)
        return make_ip(udp, wanted, to, to->family);
    if (wanted->bind.family)
        return make_ip(udp, wanted, NULL, wanted->bind.family);
    return make_everywhere(udp, wanted);
}

int fate__udp_make(fate_udp *udp, const struct fate__udp_wanted *wanted, const fate_address *to)
{
    int why = make_any(udp, wanted, to);

    if (why == 0)
        why = find_here(udp);
    return why < 0 ? why : fate__udp_receive(udp);
}

void fate__udp_unmake(fate_udp *udp)
{
    if (udp->watch.id > 0)
        fate_unwatch(udp->watch);
    fate_timer_cancel(udp->rest);
    udp->watch.id = 0;
    if (udp->socket.has_file)
        fate__listen_unix_done(udp->here.as.local.path, &udp->socket);
    fate__close(udp->socket.fd);
    udp->socket = (struct fate__listening){ .fd = -1 };
}

/* ---- Sending ---- */

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

/* Its length or -errno. */
static int kernel_form(const fate_udp *udp, const fate_address *to, struct sockaddr_storage *ret)
{
    fate_address v6 = { .family = AF_INET6, .port = to->port };

    if (!to->family)
        return -EDESTADDRREQ;
    if (udp->is_dual && to->family == AF_INET) {
        memcpy(v6.as.ip, mapped, sizeof mapped);
        memcpy(v6.as.ip + sizeof mapped, to->as.ip, 4);
        return fate__address_to(&v6, ret);
    }
    return to->family == udp->here.family ? fate__address_to(to, ret) : -EAFNOSUPPORT;
}

static int send_message(const fate_udp *udp, const struct msghdr *message)
{
    ssize_t n;

    do
        n = fate__sys->sendmsg(udp->socket.fd, message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

/* May this errno be what an earlier packet has met?  The kernel tells it once, in place of sending. */
static bool is_of_earlier(int why)
{
    return why != -EAGAIN && why != -ENOBUFS && why != -EMSGSIZE && why != -EINVAL;
}

static bool has_lost_peer(const fate_udp *udp, int why)
{
    return udp->to.family == AF_UNIX && (why == -ECONNREFUSED || why == -ENOTCONN || why == -ECONNRESET);
}

/* What was sent to one is no reason not to send to another; and whoever receives at a path may have been
 * started anew. */
static int send_once_more(fate_udp *udp, const struct msghdr *message, int why)
{
    if (message->msg_name && is_of_earlier(why))
        return send_message(udp, message);
    if (!message->msg_name && has_lost_peer(udp, why) && connect_again(udp) == 0)
        return send_message(udp, message);
    return why;
}

int fate__udp_send(fate_udp *udp, const fate_address *to, const void *data, size_t len)
{
    struct sockaddr_storage kernel;
    struct iovec piece = { (void *)(uintptr_t)data, len };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };

    if (!to && !udp->to.family)
        return -EDESTADDRREQ;
    if (to) {
        int kernel_len = kernel_form(udp, to, &kernel);
        if (kernel_len < 0)
            return kernel_len;
        message.msg_name = &kernel;
        message.msg_namelen = (socklen_t)kernel_len;
    }
    int why = send_message(udp, &message);
    return why < 0 ? send_once_more(udp, &message, why) : 0;
}
