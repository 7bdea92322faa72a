/* Sockets that listen over TCP. */
#include <net/listener.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>

#include <base/sys.h>
#include <base/text.h>
#include <net/address.h>

#define BACKLOG 511

FATE_CLASS(FATE_LISTEN_PERMISSION, "ListenPermission", &FATE_LISTEN_ERROR);

/* ---- What all kinds of sockets share ---- */

static const fate_class *class_of(int why)
{
    if (why == EADDRINUSE)
        return &FATE_LISTEN_IN_USE;
    return why == EACCES || why == EPERM ? &FATE_LISTEN_PERMISSION : &FATE_LISTEN_ERROR;
}

fate_value fate__listen_failure(const struct fate__listen *wanted, int why, const char *remedy)
{
    int error = why < 0 ? -why : why;

    return fate_raise_with_at("fate_listen", wanted->site, class_of(error), fate_int(error),
                              "listen on %s: %s (%s)%s%s", wanted->endpoint.text, fate__errno_words(error),
                              fate_errno_name(error), remedy ? "; " : "", remedy ? remedy : "");
}

fate_value fate__listen_refusal(const struct fate__listen *wanted, const char *fmt, ...)
{
    struct fate__text words = { 0 };
    va_list args;

    va_start(args, fmt);
    fate__text_format_v(&words, fmt, args);
    va_end(args);
    fate_value why = words.has_failed ? fate__no_memory()
                                      : fate_raise_at("fate_listen", wanted->site, &FATE_LISTEN_ERROR,
                                                      "listen on %s: %s", wanted->endpoint.text, words.bytes);
    fate__text_done(&words);
    return why;
}

int fate__listen_backlog(const struct fate__listen *wanted)
{
    if (wanted->endpoint.backlog > 0)
        return wanted->endpoint.backlog;
    return wanted->options.backlog > 0 ? wanted->options.backlog : BACKLOG;
}

/* ---- TCP ---- */

static int set(int fd, int level, int option, int value)
{
    return fate__sys->setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

static bool shares_port(const struct fate__listen *wanted)
{
    return wanted->endpoint.share_port || wanted->options.share_port;
}

/* On Linux connections inherit TCP_NODELAY from who listens: one call instead of one for each of them. */
static int set_options(int fd, const struct fate__listen *wanted, int family)
{
    bool is_v6_only = wanted->endpoint.family == AF_INET6;
    int why = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);

    if (why == 0 && shares_port(wanted))
        why = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (why == 0 && family == AF_INET6)
        why = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, is_v6_only);
    return why < 0 ? why : set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

static int bind_and_listen(int fd, const struct fate__listen *wanted, const fate_address *at)
{
    struct sockaddr_storage to;
    int len = fate__address_to(at, &to);

    if (len <= 0)
        return len < 0 ? len : -EAFNOSUPPORT;
    if (fate__sys->bind(fd, (const struct sockaddr *)&to, (socklen_t)len) < 0)
        return -errno;
    /* Only now: with it another program, or this one started twice, would get its share, too. */
    int why = wanted->is_for_workers ? set(fd, SOL_SOCKET, SO_REUSEPORT, 1) : 0;
    if (why < 0)
        return why;
    return fate__sys->listen(fd, fate__listen_backlog(wanted)) < 0 ? -errno : 0;
}

/* The descriptor or -errno. */
static int listen_at(const struct fate__listen *wanted, fate_address at)
{
    int fd = fate__sys->socket(at.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    at.port = (uint16_t)wanted->endpoint.port;
    int why = set_options(fd, wanted, at.family);
    if (why == 0)
        why = bind_and_listen(fd, wanted, &at);
    if (why == 0)
        return fd;
    fate__close(fd);
    return why;
}

static bool is_without_ipv6(int why)
{
    return why == -EAFNOSUPPORT || why == -EADDRNOTAVAIL || why == -EPROTONOSUPPORT;
}

/* On all addresses: a socket of IPv6 takes both families, but where there is none. */
static int listen_everywhere(const struct fate__listen *wanted)
{
    const fate_address v6 = { .family = AF_INET6 };
    const fate_address v4 = { .family = AF_INET };
    int family = wanted->endpoint.family;
    int fd = family == AF_INET ? listen_at(wanted, v4) : listen_at(wanted, v6);

    return family == AF_UNSPEC && is_without_ipv6(fd) ? listen_at(wanted, v4) : fd;
}

static const char *remedy_for(const struct fate__listen *wanted, int why, char to[128])
{
    unsigned port = wanted->endpoint.port;

    switch (why) {
    case EADDRINUSE:
        snprintf(to, 128,
                 "another program has that port (ss -ltnp 'sport = :%u' names it): stop it, or "
                 "choose another port",
                 port);
        return to;
    case EACCES:
        return port > 0 && port < 1024 ? "ports below 1024 need CAP_NET_BIND_SERVICE: choose another, or get "
                                         "the socket from systemd (systemd:NAME)"
                                       : NULL;
    case EADDRNOTAVAIL:
        return "interface= must be an address of this machine (ip address shows them)";
    case EAFNOSUPPORT:
        return "this machine has no IPv6: tcp takes either, tcp4 only IPv4";
    case EMFILE:
        return "the process may have no more descriptors: raise RLIMIT_NOFILE (ulimit -n, or LimitNOFILE= of "
               "a systemd unit)";
    default:
        return NULL;
    }
}

fate_value fate__listen_tcp(const struct fate__listen *wanted, const fate_address *at,
                            struct fate__listening *ret_socket)
{
    char remedy[128];
    int fd = at ? listen_at(wanted, *at) : listen_everywhere(wanted);

    if (fd < 0)
        return fate__listen_failure(wanted, fd, remedy_for(wanted, -fd, remedy));
    *ret_socket = (struct fate__listening){ .fd = fd };
    return fate_none();
}
