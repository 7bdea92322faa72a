/* The simulated network from inside: what its files know of one another. */
#ifndef FATE_SRC_NET_SIM_INSIDE_H
#define FATE_SRC_NET_SIM_INSIDE_H

#include <net/sim.h>

/* A host is there as soon as its name is used, and as long as the network. */
struct fate__sim_host {
    struct fate__link link;
    fate_address v4, v6; /* no address, where its name is a literal of the other family */
    bool is_cut, is_silent;
    char name[]; /* a literal in the one form that fate_address_host writes */
};

/* Made with the first use.  Listeners and ends may outlive the reactor's end of it, by which nothing happens
 * any more: the last of them frees it. */
struct fate__sim {
    struct fate__owned owned;
    fate_reactor *reactor;
    size_t n_users; /* 1 for the reactor, and each listener, pair and udp */
    bool is_over;
    fate_link link;
    uint64_t random;
    struct fate__link hosts;
    uint32_t n_numbered;         /* hosts that have an address of ours */
    struct fate__link listeners; /* who was called longest ago first */
    struct fate__link pairs, udps, packets;
    unsigned next_port;
};

/* The reactor's; NULL without memory. */
struct fate__sim *fate__sim(fate_reactor *reactor);
void fate__sim_release(struct fate__sim *sim);

/* ---- Hosts ---- */

/* NULL without memory. */
struct fate__sim_host *fate__sim_host_named(struct fate__sim *sim, const char *name);
/* Who has that address; localhost for one of zeros. */
struct fate__sim_host *fate__sim_host_at(struct fate__sim *sim, const fate_address *address);
/* Where the program is that says nothing else: the host "client", but localhost to those who are there. */
struct fate__sim_host *fate__sim_own_host(struct fate__sim *sim, const struct fate__sim_host *to);
/* Its address of that family, with that port. */
fate_address fate__sim_address(const struct fate__sim_host *host, int family, unsigned port);
bool fate__sim_is_any(const fate_address *address);
bool fate__sim_same_host(const fate_address *a, const fate_address *b);
unsigned fate__sim_next_port(struct fate__sim *sim);

/* Nothing passes between them, now; either may be NULL: there is no network between. */
static inline bool fate__sim_is_silent(const struct fate__sim_host *a, const struct fate__sim_host *b)
{
    return (a && a->is_cut && a->is_silent) || (b && b->is_cut && b->is_silent);
}
static inline bool fate__sim_is_reset(const struct fate__sim_host *a, const struct fate__sim_host *b)
{
    return (a && a->is_cut && !a->is_silent) || (b && b->is_cut && !b->is_silent);
}

/* ---- Chance ---- */

/* 0 to n - 1. */
uint64_t fate__sim_random(struct fate__sim *sim, uint64_t n);
/* How long a piece is under way. */
fate_time fate__sim_latency(struct fate__sim *sim);
bool fate__sim_loses(struct fate__sim *sim);
/* When that many bytes have left, whose way is free at *at. */
fate_time fate__sim_leaves(struct fate__sim *sim, fate_time *at, size_t len);

/* ---- Connections: two ends ----
 *
 * Who calls has the first, and its call makes the second one wait at a listener.  All that one end says to
 * the other is a piece: what it writes, that it calls or has taken a call, that it says no more, that it is
 * gone. The last three lie in the connection itself, so that they need no memory. */

struct fate__sim_piece {
    struct fate__sim_piece *next;
    enum { FATE__SIM_DATA, FATE__SIM_CALL, FATE__SIM_END, FATE__SIM_RESET } kind;
    fate_time due;
    size_t at, len; /* of its data, which lie behind it: read up to at */
    int error;      /* of a reset */
};

/* What comes to an end. */
struct fate__sim_way {
    struct fate__sim_piece *coming, **coming_last; /* under way, in order */
    struct fate__sim_piece *here, **here_last;     /* arrived, and not read */
    size_t n_bytes;                                /* in both */
    fate_time last_due, free_at;
    bool is_reset;    /* that has arrived */
    fate_timer timer; /* for the first that is under way */
    struct fate__sim_piece call, end, reset;
};

enum fate__sim_stage {
    FATE__SIM_NEW,        /* the second, until the call arrives */
    FATE__SIM_CONNECTING, /* the first, until it hears that the call was taken */
    FATE__SIM_WAITING,    /* the second, in a listener's line */
    FATE__SIM_OPEN,
    FATE__SIM_CLOSED
};

struct fate__sim_end {
    struct fate__sim_pair *pair;
    enum fate__sim_stage stage;
    bool wants_to_write;       /* it has been told to wait */
    fate_transport *transport; /* NULL unless it is a connection */
    struct fate__sim_way in;
    struct fate__ready ready;
    struct fate__sim_host *host; /* NULL: there is no network between the two */
    fate_address here;
    /* While it connects. */
    void (*connected)(void *owner, int error);
    void *owner;
    /* While it waits. */
    struct fate__sim_listener *listener;
    struct fate__link line;
    bool is_taken; /* the one who calls has been told so */
};

struct fate__sim_pair {
    struct fate__link link;
    struct fate__sim *sim;
    unsigned refs; /* of the ends that are not closed, and of whoever is busy with it */
    struct fate__sim_end ends[2];
    size_t path_len; /* what was called, unless by address */
    char path[];
};

static inline struct fate__sim_end *fate__sim_other(struct fate__sim_end *end)
{
    return end == &end->pair->ends[0] ? &end->pair->ends[1] : &end->pair->ends[0];
}

/* Its first end connects, its second is new.  NULL without memory. */
struct fate__sim_pair *fate__sim_pair_new(struct fate__sim *sim, const char *path, size_t path_len);
/* That it calls, or has taken the call, goes to the other end. */
void fate__sim_call(struct fate__sim_end *end);
/* It hears of an error; what is under way to it is lost. */
void fate__sim_reset(struct fate__sim_end *end, int error);
/* What was held back goes on. */
void fate__sim_heal(struct fate__sim_end *end);
/* A call has arrived: it waits at its listener.  0, or why it cannot. */
int fate__sim_called(struct fate__sim_end *end);
/* It waits no more. */
void fate__sim_leave_line(struct fate__sim_end *end);

/* ---- Datagrams ---- */

void fate__sim_drop_packets(struct fate__sim *sim);

#endif
