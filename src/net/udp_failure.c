/* Why a udp cannot be opened, and what to do about it. */
#include <net/udp.h>

#include <errno.h>
#include <stdio.h>

static const fate_class *class_of(enum fate__udp_doing doing, bool is_to, int error)
{
    bool is_connecting = doing == FATE__UDP_CONNECTING;

    if (is_connecting && error == ECONNREFUSED)
        return &FATE_CONNECTION_REFUSED;
    if (is_connecting && (error == ENETUNREACH || error == EHOSTUNREACH))
        return &FATE_UNREACHABLE;
    if (is_connecting || (is_to && doing != FATE__UDP_BINDING))
        return &FATE_CONNECT_ERROR;
    if (doing != FATE__UDP_BINDING)
        return &FATE_LISTEN_ERROR;
    if (error == EADDRINUSE)
        return &FATE_LISTEN_IN_USE;
    return error == EACCES || error == EPERM ? &FATE_LISTEN_PERMISSION : &FATE_LISTEN_ERROR;
}

static const char *remedy_for_unix(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return "the folder must be there first (RuntimeDirectory= of a systemd unit makes one in /run)";
    case EADDRINUSE:
        return "somebody receives there: stop that program, or choose another path";
    case EEXIST:
        return "what is there is no socket: remove it, or choose another path";
    case EACCES:
    case EPERM:
        return "the folder must be writable for this user";
    default:
        return NULL;
    }
}

static const char *remedy_for_ip(const struct fate__udp_wanted *wanted, int error, char to[160])
{
    unsigned port = wanted->endpoint.port;

    switch (error) {
    case EADDRINUSE:
        snprintf(to, 160,
                 "another program has that port (ss -lunp 'sport = :%u' names it): stop it, choose another "
                 "port, or share it for multicast (share_port)",
                 port);
        return to;
    case EACCES:
        return "ports below 1024 need CAP_NET_BIND_SERVICE: choose another";
    case EADDRNOTAVAIL:
        return "interface= and bind= must be an address of this machine (ip address shows them)";
    default:
        return NULL;
    }
}

static const char *remedy_for_connecting(const struct fate__udp_wanted *wanted, int error)
{
    bool is_unix = wanted->endpoint.kind == FATE__ENDPOINT_UNIXGRAM_TO;

    switch (error) {
    case ENOENT:
        return "there is no such socket: its server does not run, or receives elsewhere";
    case ECONNREFUSED:
        return "nobody receives there";
    case EPROTOTYPE:
        return "it is not a socket of datagrams";
    case EACCES:
        return is_unix ? "no permission to write to it, or to search one of its folders"
                       : "a broadcast address needs the option broadcast";
    case ENETUNREACH:
    case EHOSTUNREACH:
        return "this machine has no route to it";
    default:
        return NULL;
    }
}

static const char *remedy_for(const struct fate__udp_wanted *wanted, enum fate__udp_doing doing, int error,
                              char to[160])
{
    if (error == EMFILE)
        return "the process may have no more descriptors: raise RLIMIT_NOFILE (ulimit -n, or LimitNOFILE= of "
               "a systemd unit)";
    if (error == EAFNOSUPPORT)
        return "this machine has no addresses of that family: udp takes either";
    if (error == ENODEV)
        return "there is no such group_interface (ip link shows them)";
    if (doing == FATE__UDP_CONNECTING)
        return remedy_for_connecting(wanted, error);
    if (doing != FATE__UDP_BINDING)
        return NULL;
    return wanted->endpoint.kind == FATE__ENDPOINT_UDP ? remedy_for_ip(wanted, error, to)
                                                       : remedy_for_unix(error);
}

fate_value fate__udp_failure(const struct fate__udp_wanted *wanted, enum fate__udp_doing doing, int error,
                             const fate_address *at)
{
    bool is_to = wanted->endpoint.host || wanted->endpoint.kind == FATE__ENDPOINT_UNIXGRAM_TO;
    char room[160], address[FATE_ADDRESS_TEXT_BYTES] = "";
    const char *remedy = remedy_for(wanted, doing, error, room);

    if (error == ENOMEM)
        return fate__no_memory();
    if (at && at->family != AF_UNIX && doing == FATE__UDP_CONNECTING)
        fate_address_text(at, address);
    return fate_raise_with_at("fate_udp_open", wanted->site, class_of(doing, is_to, error), fate_int(error),
                              "open %s: %s%s%s (%s)%s%s", wanted->endpoint.text, address,
                              *address ? ": " : "", fate__errno_words(error), fate_errno_name(error),
                              remedy ? "; " : "", remedy ? remedy : "");
}
