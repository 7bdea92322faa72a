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
    /* Asked when the transport is told of trouble but must not read: 0, or the errno; NULL: never. */
    int (*trouble)(fate_transport *transport);
    /* Options of the socket; NULL: not supported. */
    int (*set_option)(fate_transport *transport, int level, int option, int value);
};

/* ---- A factory: what the connections of a listener, or of one connect, share ---- */

struct fate__factory {
    struct fate__link link; /* in the net's list */
    fate_ops ops;
    fate_value arg;
    fate_reactor *reactor;
    const char *site;
    unsigned refs; /* one each: its listener or connect, and its connections */
    size_t n_connections;
    fate_protocol *first, *last; /* those that are connected, oldest first, by links[0] and links[1] */
    fate_time idle_timeout;      /* 0: none */
    /* A connection has gone, and connection_lost been called; why is lent.  Or NULL. */
    void (*one_has_gone)(struct fate__factory *factory, const fate_value *why);
    /* The result of a converse, given; NULL: it is logged if it is a failure. */
    void (*conversed)(struct fate__factory *factory, fate_value result);
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
    FATE__CAN_READ = 1 << 0,     /* the wire has said so, and has not been found empty */
    FATE__CAN_WRITE = 1 << 1,    /* it has not been found full */
    FATE__PEER_ENDED = 1 << 2,   /* the end has been seen from afar: a read that gives less is not the last */
    FATE__PAUSED = 1 << 3,       /* by fate_pause_reading */
    FATE__UNASKED = 1 << 4,      /* nobody has asked for the next message */
    FATE__READ_ENDED = 1 << 5,   /* the peer has said all */
    FATE__NO_MORE_DATA = 1 << 6, /* what comes is not for the protocol any more */
    FATE__CLOSING = 1 << 7,      /* to be closed when all is written */
    FATE__SHUTTING = 1 << 8,     /* to be shut when all is written */
    FATE__SHUT = 1 << 9,         /* its writing side is */
    FATE__IS_LOST = 1 << 10,     /* the wire is closed; connection_lost is to be called */
    FATE__OVER = 1 << 11,        /* it has been called */
    FATE__TOLD_PAUSE = 1 << 12,  /* write_paused was called, and write_resumed not since */
    FATE__ATTENDED = 1 << 13,    /* in the net's list for the end of the turn */
    FATE__IN_READY = 1 << 14,    /* in the net's list for the next round */
    FATE__DELIVERING = 1 << 15,  /* messages are being given to the protocol */
    FATE__HAS_BUILT = 1 << 16,   /* the protocol is the program's memory */
    FATE__KEPT = 1 << 17,        /* by values of fate_self */
    FATE__TIMES = 1 << 18,       /* has an idle timeout */
    FATE__IN_MESSAGES = 1 << 19, /* not simply data_received */
    FATE__RECEIVES = 1 << 20,    /* by fate_receive: it has no data_received and no message_received */
    FATE__BROKEN = 1 << 21,      /* writing has failed; what has come is still read */
    FATE__OWN_MARKS = 1 << 22,   /* fate_set_write_marks was called */
    FATE__LOCAL = 1 << 24,       /* a UNIX socket: descriptors may come along */
    FATE__SENDING = 1 << 23,     /* a message is being written: nobody is to write in between */
    FATE__TELLS_STOP = 1 << 25,  /* its protocol is to be told that the listener stops */
    FATE__HAS_DROPPED = 1 << 26  /* something came that was not for the protocol any more */
};
#define FATE__NO_WRITING (FATE__IS_LOST | FATE__CLOSING | FATE__SHUTTING | FATE__SHUT | FATE__BROKEN)

struct fate__extra;

/* It lies behind the protocol, in the box that fate_self gives; or alone.  An idle connection has little more
 * than this: so it is to stay small. */
struct fate_transport {
    /* First what each event looks at, beside the end of the protocol. */
    fate_protocol *protocol;
    struct fate__net *net;
    unsigned flags;
    int fd; /* of a socket, -1 */
    union {
        struct {
            struct fate__out *out, *out_last;
        };
        fate_value why; /* once it is lost */
    };
    size_t n_out; /* bytes in them, but for files */
    fate_transport *next_attend, *next_ready;
    struct fate__extra *extra; /* what few connections need; NULL until then */
    const struct fate__wire_ops *wire;
    void *wire_data; /* the wire's own */
    fate_address peer;
};

static inline struct fate__factory *fate__factory_of(const fate_protocol *p)
{
    return (struct fate__factory *)p->links[2];
}

/* ---- For wires, listeners and those who connect ---- */

/* A wire that is connected. */
struct fate__new_wire {
    const struct fate__wire_ops *ops;
    void *data;
    int fd;
    const fate_address *peer; /* its path is copied */
    bool can_read, can_write; /* as far as is known */
};
/* Makes protocol and transport.  0; or -ENOMEM, -ECONNREFUSED: build has said no; and the wire is the
 * caller's still.  Then the wire may tell the transport of things; fate__transport_begin comes next. */
int fate__transport_new(struct fate__factory *factory, const struct fate__new_wire *wire,
                        fate_transport **ret_transport);
/* Calls connection_made, inside an event.  The transport may be lost already when this returns, but it lasts
 * until the end of the turn. */
void fate__transport_begin(fate_transport *transport);
/* Both for a connected socket, non-blocking, which is given: it is watched by the poller.  0 or -errno, and
 * then it is closed. */
int fate__socket_open(struct fate__factory *factory, int fd, const fate_address *peer,
                      fate_protocol **ret_protocol);

/* Something may be read, or written again: in an event. */
void fate__transport_can_read(fate_transport *transport);
void fate__transport_can_write(fate_transport *transport);
/* The wire is broken: lost with that reason, given, at the end of the turn. */
void fate__transport_break(fate_transport *transport, fate_value why);
/* The failure for an errno of a connection: FATE_CONNECTION_RESET and so on.  doing: "reading from". */
fate_value fate__connection_failure(const fate_transport *transport, const char *doing, int error);

/* Ends a factory's connections: in the orderly way, or at once. */
void fate__factory_lose_all(struct fate__factory *factory, bool is_abort);
/* Its listener drains: the protocols are told. */
void fate__factory_stopping(struct fate__factory *factory);
/* The network is about to go with its reactor: first its connections, so that connection_lost still finds
 * listeners and all else that the reactor has. */
void fate__transports_end(struct fate__net *net);

#endif
