/* What workers share. */
#ifndef FATE_SRC_NET_WORKERS_H
#define FATE_SRC_NET_WORKERS_H

#include <fate/workers.h>
#include <net/listener.h>

struct fate__worker;

/* What one of them has opened for all.  What has a name, a port or a path, goes with the last that listens
 * on it; a port that was chosen stays chosen. */
struct fate__common {
    struct fate__link link;
    bool is_chosen;                /* its port */
    unsigned port;                 /* of TCP, which all listen on by sockets of their own */
    struct fate__listening socket; /* of others a copy, and the file */
    unsigned n_users;
    char *text;   /* of the endpoint */
    bool taken[]; /* by which worker: each has it once at a time, and what was chosen once */
};

/* Around the rest: workers open one after the other. */
void fate__common_lock(struct fate__worker *worker);
void fate__common_unlock(struct fate__worker *worker);
/* What another has opened for such an endpoint, from now on taken by this one; NULL: nothing. */
struct fate__common *fate__common_take(struct fate__worker *worker, const char *text);
/* This worker has opened it, and taken it; NULL: no memory. */
struct fate__common *fate__common_add(struct fate__worker *worker, const char *text);
/* This worker listens on it no more; path: that of its file. */
void fate__common_leave(struct fate__worker *worker, struct fate__common *common, const char *path);

#endif
