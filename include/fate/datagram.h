/* Datagrams: UDP and UNIX. */
#ifndef FATE_DATAGRAM_H
#define FATE_DATAGRAM_H

#include <fate/address.h>
#include <fate/deferred.h>

FATE_BEGIN

typedef struct fate_udp fate_udp;

typedef struct fate_datagram {
    const char *data; /* lent for the call; a NUL follows */
    size_t len;
    const fate_address *from; /* lent for the call; AF_UNIX without a path for a sender that has none */
    bool is_truncated;        /* it was longer than the largest that is taken, 64 KiB */
    int error; /* an errno instead of data: what a packet of ours has met, ECONNREFUSED say, that was for
                  from; the socket lives on.  0: none */
} fate_datagram;

typedef void fate_datagram_fn(fate_udp *udp, const fate_datagram *datagram, fate_value *arg);

/* Zero means the default. */
typedef struct fate_udp_options {
    size_t size;
    bool share_port;             /* others may have it too, SO_REUSEADDR: for multicast */
    bool broadcast;              /* may send to broadcast addresses */
    bool no_loop;                /* what it sends to a group does not come back to this host */
    unsigned hops;               /* how far packets to a group go, 1 to 255: 1 */
    const char *group_interface; /* through which they go, "eth0" or its number or IPv4 address: the system
                                    chooses */
    size_t receive_buffer_bytes, send_buffer_bytes; /* of the kernel, which has limits: the system's */
} fate_udp_options;

/* "udp:9999", "udp6:9999", "udp:9999:interface=10.0.0.1" receive from anyone; "udp:host:53" is connected: it
 * sends there and receives from there, "udp:host:53:bind=10.0.0.1"; "udp:0" for who only sends;
 * "unixgram:/run/x" receives, and its file goes with it; "unixgram-to:/run/x" sends there, and again when
 * that is made anew.  "udp:" takes IPv4 and IPv6, "udp4:" and "udp6:" one of them.
 *
 * Fires with the udp, an object of the reactor's that fate_as_udp reads, open until it is closed or the
 * reactor goes; for what is no name it has fired when this returns.  got is called for each datagram, as an
 * event, up to 32 of them in each round of the loop; arg is given, and dropped with the udp.  Fails with
 * FATE_ENDPOINT_ERROR, FATE_LISTEN_ERROR, FATE_CONNECT_ERROR, FATE_DNS_ERROR, FATE_NO_MEMORY.  Cancel gives
 * the name up. */
FATE_API fate_deferred *fate_udp_open_at(fate_reactor *reactor, const char *endpoint, fate_datagram_fn *got,
                                         fate_value arg, const fate_udp_options *options, const char *site);
FATE_API fate_udp *fate_as_udp(const fate_value *v);
/* Sends one now, of up to 65507 bytes, also of none; to NULL: to whom it is connected.  0; -EAGAIN, -ENOBUFS:
 * dropped, the system has no room; -EMSGSIZE; -ECONNREFUSED: connected, and an earlier one has met nobody, so
 * that this one was not sent; -EDESTADDRREQ; -EAFNOSUPPORT: not an address of its family; -EACCES: broadcast
 * was not asked for; -ENOTCONN once closed; other -errnos. */
FATE_API int fate_udp_send(fate_udp *udp, const fate_address *to, const void *data, size_t len);
/* Joins and leaves a multicast group, "224.0.0.251" or "ff02::fb"; "…%eth0", "…%2" for that interface alone,
 * "224.0.0.251%10.0.0.1" for that of this address.  Groups are received by who receives on all interfaces. 0;
 * -EINVAL: no group; -ENODEV: no such interface; -EADDRINUSE, -EADDRNOTAVAIL: is in it already, is not;
 * -EAFNOSUPPORT; -ENOTCONN once closed; other -errnos. */
FATE_API int fate_udp_join(fate_udp *udp, const char *group);
FATE_API int fate_udp_leave(fate_udp *udp, const char *group);
/* Where it receives: tells the port of "udp:0".  Lent as long as the udp. */
FATE_API const fate_address *fate_udp_here(const fate_udp *udp);
/* Nothing is received from now on; legal in its own callback.  It is gone at the end of the event.  0, or
 * -ENOTCONN for the second time in it. */
FATE_API int fate_udp_close(fate_udp *udp);

FATE_END

#ifdef __cplusplus
#include <fate/datagram_cxx.h>
#else
FATE_API fate_deferred *fate_udp_open(fate_reactor *reactor, const char *endpoint, fate_datagram_fn *got,
                                      fate_value arg);
FATE_API fate_deferred *fate_udp_open_with(fate_reactor *reactor, const char *endpoint, fate_datagram_fn *got,
                                           fate_value arg, const fate_udp_options *options);
#define fate_udp_open(reactor, endpoint, got, ...)                                                           \
    fate_udp_open_at(reactor, endpoint, got, __VA_ARGS__, NULL, FATE_HERE)
#define fate_udp_open_with(reactor, endpoint, got, arg, ...)                                                 \
    fate_udp_open_at(reactor, endpoint, got, arg, FATE_WITH(fate_udp_options, __VA_ARGS__), FATE_HERE)
#endif

#endif
