/* What a reactor keeps for its connections. */
#ifndef FATE_SRC_NET_NET_H
#define FATE_SRC_NET_NET_H

#include <base/list.h>
#include <fate/address.h>
#include <reactor/ready.h>
#include <reactor/reactor.h>

#define FATE__HOT_BYTES  ((size_t)65536)
#define FATE__CORK_BYTES ((size_t)16384)

struct fate__out;

/* Made with the first use, and gone with the reactor. */
struct fate__net {
    struct fate__owned owned;
    fate_reactor *reactor;
    /* Whose turn it is at the end of this one, and in the next round: linked by their transports. */
    struct fate_transport *attend, **attend_last;
    struct fate__turn_end turn_end;
    struct fate_transport *ready, **ready_last;
    struct fate__ready next_round;
    /* Into which is read, a byte longer for a NUL; made with the first read.  What a callback is lent of it
     * may be written without a copy until the event ends. */
    char *hot;
    bool is_plain; /* it is there, and the poller need not be told what has been found empty */
    const char *lent, *lent_end;
    /* What one of them has written in this turn, mostly the one that was just read: in no queue as yet, but
     * in cork, or still where it was read. */
    struct fate_transport *corked;
    const char *cork_at;
    size_t cork_len;
    char *cork;
    struct fate_transport *reading; /* whose cork is looked after when its callback has returned */
    struct fate__out *free_nodes, *free_chunks; /* of the common sizes */
    unsigned n_free_nodes, n_free_chunks;
    size_t n_connections;
    struct fate__link resting;   /* listeners that could not accept, until a connection goes */
    struct fate__link factories; /* of struct fate__factory */
    struct fate__link lingering; /* see linger.h; the oldest first */
    unsigned n_lingering;
    struct fate__names *names; /* what resolving keeps; NULL until it is used */
    struct fate__sim *sim;     /* of a simulated reactor: its network; NULL until it is used */
};

/* The reactor's; NULL without memory. */
struct fate__net *fate__net(fate_reactor *reactor);

#endif
