/* Connecting from inside: one fate_connect on its way, and its attempts, one for each address. */
#ifndef FATE_SRC_NET_CONNECT_H
#define FATE_SRC_NET_CONNECT_H

#include <deferred/ear.h>
#include <net/endpoint.h>
#include <net/eyeballs.h>
#include <net/transport.h>

/* What an attempt was about when it failed. */
enum fate__doing { FATE__MAKING_SOCKET, FATE__BINDING, FATE__CONNECTING };

/* One address, a socket or an end of the simulated network. */
struct fate__attempt {
    struct fate__connecting *of;
    fate_address address; /* none for what has no address: memory and a descriptor */
    int fd;               /* -1 */
    struct fate__sim_end *end;
    fate_watch watch; /* for the socket to become writable: connected, or failed */
    fate_timer again; /* asks the kernel once more */
    fate_time again_after;
    enum fate__doing doing;
    int error; /* why it has failed, an errno; 0: it has not */
};

struct fate__connecting {
    fate_deferred *d;
    fate_reactor *reactor;
    const char *site;
    struct fate__factory *factory;
    struct fate__endpoint endpoint;
    char abstract[108]; /* the name of a UNIX endpoint, as the kernel has it */
    fate_address bind;  /* bind=, or none */
    bool has_name;      /* the host is a name, not an address */
    bool has_fired;
    unsigned n_inside; /* it is in use, and goes afterwards */
    fate_time timeout, attempt_delay;
    fate_timer limit, stagger;
    struct fate__ear names;
    struct fate__eyeballs eyeballs;
    struct fate__attempt *attempts; /* as many as eyeballs know */
};

/* ---- connect.c ---- */

/* What the public functions are given. */
struct fate__client {
    const char *what; /* the function */
    fate_reactor *reactor;
    const char *endpoint;
    fate_ops ops;
    const fate_connect_options *options;
    const char *site;
};
/* Stops the program when something in it cannot be.  A factory for the arg, given, and the options with their
 * defaults; NULL: no memory. */
struct fate__factory *fate__client_factory(const struct fate__client *client, fate_value arg,
                                           fate_connect_options *ret_options);
/* As fate_connect; a reference to the factory is given. */
fate_deferred *fate__connect(struct fate__factory *factory, const char *endpoint,
                             const fate_connect_options *options);
/* An attempt that was begun has ended, as an event: 0, it is connected, or an errno. */
void fate__attempt_ended(struct fate__attempt *attempt, int error);

/* ---- connect_attempt.c ---- */

/* 0: it is under way, and fate__attempt_ended will be called, though not before this returns.  -errno. */
int fate__attempt_begin(struct fate__attempt *attempt);
/* Gives up what it has; does nothing where there is nothing. */
void fate__attempt_close(struct fate__attempt *attempt);
/* One that is connected becomes a connection: 0 or -errno. */
int fate__attempt_open(struct fate__attempt *attempt, fate_protocol **ret_protocol);

/* ---- connect_failure.c ---- */

/* That attempt has failed. */
fate_value fate__attempt_failure(const struct fate__attempt *attempt);
/* All attempts have. */
fate_value fate__connect_failure(const struct fate__connecting *connecting);
/* There was not enough time. */
fate_value fate__connect_timeout(const struct fate__connecting *connecting);
/* Another failure of that class; its text comes after "connect to tcp:…: ". */
fate_value fate__connect_raise(const struct fate__connecting *connecting, const fate_class *c,
                               const char *fmt, ...) FATE_PRINTF(3, 4);

#endif
