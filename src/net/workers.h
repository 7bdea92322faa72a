/* What workers share. */
#ifndef FATE_SRC_NET_WORKERS_H
#define FATE_SRC_NET_WORKERS_H

#include <base/list.h>
#include <fate/workers.h>

struct fate__worker;

/* What one of them has opened for all. */
struct fate__common {
    struct fate__link link;
    unsigned port; /* that was chosen */
    int fd;        /* or a copy of the descriptor; -1: none */
    char *text;    /* of the endpoint */
    bool taken[];  /* by which worker: each gets it once */
};

/* Around the rest: workers open one after the other. */
void fate__common_lock(struct fate__worker *worker);
void fate__common_unlock(struct fate__worker *worker);
/* What another has opened for such an endpoint, from now on taken by this one; NULL: nothing. */
struct fate__common *fate__common_take(struct fate__worker *worker, const char *text);
/* This worker has opened it; fd is given.  0 or -ENOMEM. */
int fate__common_add(struct fate__worker *worker, const char *text, unsigned port, int fd);

#endif
