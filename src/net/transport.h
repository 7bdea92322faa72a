/* Transports: what is common to all streams, above the wire that carries the bytes. */
#ifndef FATE_SRC_NET_TRANSPORT_H
#define FATE_SRC_NET_TRANSPORT_H

#include <sys/uio.h>

#include <fate/endpoint.h>
#include <fate/protocol.h>
#include <net/net.h>

/* ---- Wires ----
 *
 * A wire moves bytes and knows nothing of protocols: a socket, the simulated network, a recorder, and later
 * TLS, which is a wire over a protocol of its own.  The transport asks it to write and to read; it tells the
 * transport when that is possible. */
struct fate__wire_ops {
    const char *name; /* "tcp" */
    /* Sends what goes of these: how many bytes, or -errno; -EAGAIN, and whenever less than all went, it calls
     * fate__transport_can_write later. */
    ssize_t (*send)(fate_transport *transport, const struct iovec *pieces, int n);
    /* The same of a file; NULL: it is read and sent by send. */
    ssize_t (*send_file)(fate_transport *transport, int fd, int64_t offset, size_t len);
    /* Reads once into to: how many bytes, 0 at the end of the stream, -EAGAIN: nothing is there, and it calls
     * fate__transport_can_read later; or another -errno, and the connection is lost.  When it says in
     * ret_is_empty that it has given all there was, it calls that later, too. */
    ssize_t (*receive)(fate_transport *transport, char *to, size_t len, bool *ret_is_empty);
    /* Nothing more will be written; the peer is told.  0 or -errno. */
    int (*shut)(fate_transport *transport);
    /* The end, once; is_abort: with a reset if there is such a thing. */
    void (*close)(fate_transport *transport, bool is_abort);
    /* This end; its path may lie in the wire. */
    void (*here)(const fate_transport *transport, fate_address *ret_address);
    /* Options of the socket; NULL: not supported. */
    int (*set_option)(fate_transport *transport, int level, int option, int value);
};

/* ---- A factory: what the connections of a listener, or of one connect, share ---- */

struct fate__factory {
    fate_ops ops;
    fate_value arg;
    fate_reactor *reactor;
    const char *site;
    unsigned refs; /* one each: its listener or connect, and its connections */
    size_t n_connections;
    fate_protocol *first, *last; /* those that are connected, oldest first, by links[0] and links[1] */
    fate_time idle_timeout;      /* 0: none */
    /* A connection has gone; or NULL. */
    void (*one_has_gone)(struct fate__factory *factory);
    void *owner; /* the listener, or whoever connects */
};

/* NULL without memory: arg has been dropped then. */
struct fate__factory *fate__factory_new(fate_reactor *reactor, fate_ops ops, fate_value arg,
                                        const char *site);
void fate__factory_unref(struct fate__factory *factory);
/* Stops the program when the ops cannot be right. */
void fate__check_ops(fate_ops ops, const char *what, const char *site);

/* ---- A transport ---- */

enum {
    FATE__CONNECTED = 1 << 0,    /* between connection_made and the decision that it is lost */
    FATE__CAN_READ = 1 << 1,     /* the wire has said so, and has not been found empty */
    FATE__CAN_WRITE = 1 << 2,    /* it has not been found full */
    FATE__PAUSED = 1 << 3,       /* by fate_pause_reading */
    FATE__UNASKED = 1 << 4,      /* nobody has asked for the next message */
    FATE__READ_ENDED = 1 << 5,   /* the peer has said all */
    FATE__NO_MORE_DATA = 1 << 6, /* nothing is to be given to the protocol any more */
    FATE__CLOSING = 1 << 7,      /* to be closed when all is written */
    FATE__SHUTTING = 1 << 8,     /* to be shut when all is written */
    FATE__SHUT = 1 << 9,         /* its writing side */
    FATE__LOST = 1 << 10,        /* the wire is closed; connection_lost is to be called */
    FATE__OVER = 1 << 11,        /* connection_lost has been called */
    FATE__TOLD_PAUSE = 1 << 12,  /* write_paused was called, and write_resumed not since */
    FATE__ATTENDED = 1 << 13,    /* in the net's list for the end of the turn */
    FATE__IN_READY = 1 << 14,    /* in the net's list for the next round */
    FATE__DELIVERING = 1 << 15,  /* messages are being given to the protocol */
    FATE__HAS_BUILT = 1 << 16,   /* the protocol is the program's memory */
    FATE__KEPT = 1 << 17,        /* fate_self has been given out */
    FATE__MEMORY = 1 << 18,      /* being made: connection_made has not returned */
    FATE__TIMES = 1 << 19,       /* has an idle timeout */
    FATE__MESSAGES = 1 << 20     /* not simply data_received: a framing, or who receives */
};

/* What few connections need. */
struct fate__extra;

/* It lies behind the protocol, in the box that fate_self gives; or alone.  An idle connection has little more
 * than this: so it is to stay small. */
struct fate_transport {
    const struct fate__wire_ops *wire;
    fate_protocol *protocol;
    struct fate__net *net;
    unsigned flags;
    int fd; /* of a socket, -1 */
    struct fate__out *out, *out_last;
    size_t n_out; /* bytes in them, but for files */
    fate_transport *next_attend, *next_ready;
    struct fate__extra *extra; /* NULL until needed */
    void *wire_data;           /* the wire's own */
    const char *site;          /* of the listen or connect */
    fate_address peer;
};

static inline struct fate__factory *fate__factory_of(const fate_transport *transport)
{
    return (struct fate__factory *)transport->protocol->links[2];
}

/* ---- For wires, listeners and those who connect ---- */

/* A wire that is connected. */
struct fate__new_wire {
    const struct fate__wire_ops *ops;
    void *data;
    int fd;
    const fate_address *peer;
    const char *peer_path;    /* of a UNIX peer, copied; its length is in peer */
    bool can_read, can_write; /* now, as far as is known */
};
/* Makes protocol and transport and calls connection_made, inside an event; the wire is given, and closed if
 * it cannot be.  0; -ENOMEM; -ECONNREFUSED: build has said no.  ret_protocol may be lost already. */
int fate__transport_open(struct fate__factory *factory, const struct fate__new_wire *wire,
                         fate_protocol **ret_protocol);
/* The same for a connected socket, non-blocking, which is given: it is watched by the poller. */
int fate__socket_open(struct fate__factory *factory, int fd, const fate_address *peer,
                      fate_protocol **ret_protocol);

/* Something may be read, or written again: as an event, or in one. */
void fate__transport_can_read(fate_transport *transport);
void fate__transport_can_write(fate_transport *transport);
/* The wire is broken: lost with that reason, given, at the end of the turn. */
void fate__transport_break(fate_transport *transport, fate_value why);
/* The failure for an errno of a connection: FATE_CONNECTION_RESET and so on. */
fate_value fate__connection_failure(const fate_transport *transport, const char *doing, int error);

/* Ends a listener's connections: in the orderly way, or at once. */
void fate__factory_lose_all(struct fate__factory *factory, bool is_abort);

#endif
