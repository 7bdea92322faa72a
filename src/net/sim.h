/* The simulated network: hosts by name, listeners, connections and datagrams joined in memory.
 *
 * On a simulated reactor all endpoints are here; on others only memory:NAME, whose bytes come in the loop's
 * next round.  Whoever listens or connects asks it as it would ask the kernel: a listener is told that
 * somebody waits and accepts, who connects is told how that ended. */
#ifndef FATE_SRC_NET_SIM_H
#define FATE_SRC_NET_SIM_H

#include <fate/datagram.h>
#include <fate/test.h>
#include <net/endpoint.h>
#include <net/transport.h>

/* Is this endpoint's place in the simulated network? */
static inline bool fate__is_simulated(const fate_reactor *reactor, const struct fate__endpoint *endpoint)
{
    return reactor->is_simulated || endpoint->kind == FATE__ENDPOINT_MEMORY;
}

/* ---- Names ---- */

/* The address of a host of the simulated network, the same for each use: 10.0.0.N by first use, 127.0.0.1 for
 * localhost, an address literal itself.  For fate_resolve, unless a resolver has been set.  0 or -ENOMEM. */
int fate__sim_resolve(fate_reactor *reactor, const char *name, fate_address *ret_address);

/* ---- Listening ---- */

struct fate__sim_listener;

/* tcp, unix and memory.  waiting(owner) is called, as an event, when somebody waits to be accepted, and again
 * only after fate__sim_accept has said -EAGAIN.  backlog: how many may wait connected; others wait outside.
 * 0; -EADDRINUSE; -ENOMEM; -EOPNOTSUPP: such endpoints are not of this network. */
int fate__sim_listen(fate_reactor *reactor, const struct fate__endpoint *endpoint, int backlog,
                     bool share_port, void (*waiting)(void *owner), void *owner,
                     struct fate__sim_listener **ret_listener);
/* The oldest who waits becomes a connection, inside an event.  0; -EAGAIN: nobody is waiting; else it has
 * failed as fate__sim_open does, and the next may be accepted. */
int fate__sim_accept(struct fate__sim_listener *listener, struct fate__factory *factory,
                     fate_protocol **ret_protocol);
/* Where it listens: tells the port of "tcp:0".  Lent as long as the listener. */
const fate_address *fate__sim_listener_address(const struct fate__sim_listener *listener);
/* Those who wait are reset.  NULL does nothing. */
void fate__sim_listener_close(struct fate__sim_listener *listener);

/* ---- Connecting ---- */

struct fate__sim_end;

/* Begins to connect to that endpoint, for tcp to that one of its addresses, with its port; address is NULL
 * for unix and memory.  connected(owner, error) is called once, as an event, never before this has returned:
 * 0, and the end is to be opened or closed; else -ECONNREFUSED, -ENOENT (unix), -EHOSTUNREACH, -EADDRINUSE,
 * -EADDRNOTAVAIL (bind=), -EOPNOTSUPP, and the end is gone.  NULL: no memory. */
struct fate__sim_end *fate__sim_connect(fate_reactor *reactor, const struct fate__endpoint *endpoint,
                                        const fate_address *address,
                                        void (*connected)(void *owner, int error), void *owner);
/* Makes it a connection, inside an event; the end is given.  0, and the connection may be lost already, but
 * lasts until the end of the turn; -ENOMEM; -ECONNREFUSED: build has said no. */
int fate__sim_open(struct fate__sim_end *end, struct fate__factory *factory, fate_protocol **ret_protocol);
/* Gives it up: before it is connected nobody is told, and the end is gone. */
void fate__sim_close(struct fate__sim_end *end);

/* ---- Datagrams ---- */

struct fate__sim_udp;

struct fate__sim_udp_options {
    /* Where it receives: port 0 is chosen, an address of zeros is any; AF_UNIX: that path, unnamed ones only
     * send.  NULL: any, and a port that is chosen. */
    const fate_address *here;
    const fate_address *to; /* connected: sends there, receives from there; or NULL */
    bool share_port, broadcast, no_loop;
    fate_datagram_fn *got; /* each is an event */
    fate_udp *udp;
    fate_value *arg; /* lent as long as it is open */
};
/* 0; -EADDRINUSE; -EADDRNOTAVAIL; -ENOMEM; -ECONNREFUSED, -ENOENT: there is no such AF_UNIX socket. */
int fate__sim_udp_open(fate_reactor *reactor, const struct fate__sim_udp_options *options,
                       struct fate__sim_udp **ret_udp);
/* As fate_udp_send. */
int fate__sim_udp_send(struct fate__sim_udp *udp, const fate_address *to, const void *data, size_t len);
/* A group's address, without a port.  0; -EINVAL: it is none; -ENOMEM; -EADDRINUSE: is in it already;
 * -EADDRNOTAVAIL: is not. */
int fate__sim_udp_join(struct fate__sim_udp *udp, const fate_address *group);
int fate__sim_udp_leave(struct fate__sim_udp *udp, const fate_address *group);
const fate_address *fate__sim_udp_here(const struct fate__sim_udp *udp);
/* Nothing is received after it; legal in got.  NULL does nothing. */
void fate__sim_udp_close(struct fate__sim_udp *udp);

#endif
