/* Datagrams: what the files of a udp share. */
#ifndef FATE_SRC_NET_UDP_H
#define FATE_SRC_NET_UDP_H

#include <fate/datagram.h>
#include <net/listener.h>

/* What is asked for. */
struct fate__udp_wanted {
    fate_reactor *reactor;
    fate_datagram_fn *got;
    fate_value arg; /* given */
    fate_udp_options options;
    struct fate__endpoint endpoint;
    fate_address bind; /* of its bind= or interface=; no address: none */
    const char *site;
};

/* What was being done when it failed. */
enum fate__udp_doing { FATE__UDP_MAKING, FATE__UDP_SETTING, FATE__UDP_BINDING, FATE__UDP_CONNECTING };

/* It lasts until it is closed, or the reactor goes. */
struct fate_udp {
    struct fate__owned owned;
    fate_reactor *reactor;
    fate_datagram_fn *got;
    fate_value arg;
    struct fate__listening socket; /* its descriptor, and its file */
    struct fate__sim_udp *sim;     /* instead, in the simulated network */
    fate_watch watch;
    fate_timer rest;
    enum fate__udp_doing doing;
    bool is_dual; /* of IPv6, and takes IPv4, too */
    bool is_closed;
    bool is_receiving; /* it is in use, and stays for that long */
    struct fate__turn_end end;
    fate_address here, to;                          /* to: no address, unless it is connected */
    struct sockaddr_storage kernel_here, kernel_to; /* have the paths of UNIX addresses */
    socklen_t kernel_to_len;
    size_t n_groups;
    char text[]; /* the endpoint, as it was written */
};

/* ---- udp.c ---- */

/* Opens what is asked for, connected to the first of these addresses with which that works; none: to nobody,
 * or to what the endpoint says.  Its value, or a failure; the arg is gone, or the udp's. */
fate_value fate__udp_open(struct fate__udp_wanted *wanted, const fate_address *addresses, size_t n);

/* Calls got, inside an event. */
void fate__udp_give(fate_udp *udp, const fate_datagram *datagram);

/* ---- udp_failure.c ---- */

/* What it was doing has failed; at: the address with which, or NULL. */
fate_value fate__udp_failure(const struct fate__udp_wanted *wanted, enum fate__udp_doing doing, int error,
                             const fate_address *at);

/* ---- udp_socket.c ---- */

/* Makes the socket, binds and connects it, and notes where it is.  0; or -errno, and udp->doing says at
 * what. */
int fate__udp_make(fate_udp *udp, const struct fate__udp_wanted *wanted, const fate_address *to);
/* Unmakes it, as far as it was made. */
void fate__udp_unmake(fate_udp *udp);
int fate__udp_send(fate_udp *udp, const fate_address *to, const void *data, size_t len);

/* ---- udp_receive.c ---- */

/* From now on.  0 or -errno. */
int fate__udp_receive(fate_udp *udp);

/* ---- udp_group.c ---- */

/* The options that are about groups.  0 or -errno. */
int fate__udp_set_groups(const fate_udp *udp, int family, const fate_udp_options *options);

#endif
