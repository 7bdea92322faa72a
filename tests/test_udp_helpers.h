/* Datagrams in tests: a udp that notes what it gets, and raw sockets that know nothing of it. */
#ifndef FATE_TESTS_TEST_UDP_HELPERS_H
#define FATE_TESTS_TEST_UDP_HELPERS_H

#include <fate/datagram.h>

#include "test.h"
#include "test_listen_helpers.h"
#include "test_net_helpers.h"

/* A udp, and what it was called with: noted in the trace, too, "a got hello; a error ECONNREFUSED; ". */
struct test_udp {
    const char *name;
    fate_udp *udp; /* NULL: it could not be opened, or has been closed */
    int n;         /* calls */
    size_t len;    /* of the last one's data */
    bool is_truncated;
    fate_address from; /* of the last one; its path is not kept */
    char from_text[FATE_ADDRESS_TEXT_BYTES];
    bool closes, echoes; /* when it gets something */
};

/* Opens it; false when that could not be. */
bool test_udp_open(struct test_udp *side, fate_reactor *reactor, const char *name, const char *endpoint,
                   const fate_udp_options *options);
/* Sends a text. */
int test_udp_send(const struct test_udp *side, const fate_address *to, const char *text);
/* Runs the reactor of net_begin until it has been called that often. */
bool test_udp_until(const struct test_udp *side, int n);

/* A raw socket bound to a port of loopback of that family, non-blocking; its address. */
int test_raw(int family, fate_address *ret_address);
/* Sends a text from it to that port of loopback. */
void test_raw_send(int fd, int family, unsigned port, const char *text);
/* Runs until it has got something: that, and from which port.  "": nothing has come. */
const char *test_raw_got(int fd, unsigned *ret_port);
/* An address of loopback with that port. */
fate_address test_loopback(int family, unsigned port);

#endif
