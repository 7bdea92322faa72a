/* Listening and connecting in the simulated network without listeners and connects: what is tested is the
 * network alone. */
#ifndef FATE_TESTS_TEST_SIM_HELPERS_H
#define FATE_TESTS_TEST_SIM_HELPERS_H

#include <net/sim.h>

#include "test.h"
#include "test_net_helpers.h"

/* Who listens.  It accepts everybody, unless it is lazy. */
struct test_server {
    fate_reactor *reactor;
    struct fate__factory *factory;
    struct fate__sim_listener *listener; /* NULL: error says why */
    fate_protocol *last;                 /* who was accepted last, kept */
    fate_value kept;
    int n_accepted, n_told, error;
    bool is_lazy;
};

/* Who connects. */
struct test_client {
    struct fate__factory *factory;
    struct fate__sim_end *end; /* while it connects */
    fate_protocol *p;          /* kept; NULL, unless it is connected */
    fate_value kept;
    int error; /* 1: it has not been told yet */
};

void test_serve(struct test_server *server, fate_reactor *reactor, const char *endpoint, fate_ops ops,
                fate_value arg);
/* Accepts all who wait, as an event. */
void test_accept(struct test_server *server);
void test_serve_done(struct test_server *server);

/* A tcp endpoint's host is looked up in the network.  error is -ENOMEM when it could not begin. */
void test_call(struct test_client *client, fate_reactor *reactor, const char *endpoint, fate_ops ops,
               fate_value arg);
void test_call_done(struct test_client *client);

/* These note as test_recorder does, each after its arg, a fate_ptr of a text: "s made; c got hello; ". */
extern const fate_protocol_ops test_side, test_closing_side;

#endif
