/* Connecting in tests: addresses that lead elsewhere, and results. */
#ifndef FATE_TESTS_TEST_CONNECT_HELPERS_H
#define FATE_TESTS_TEST_CONNECT_HELPERS_H

#include "test_net_helpers.h"

/* A real reactor, with a table of system calls in which addresses may be routed, and names that are looked up
 * here.  NULL where a call has been made to fail. */
fate_reactor *test_connect_reactor(void);

/* Connecting to that host, a literal, leads to this port of 127.0.0.1, or fails with that errno. */
void test_route(const char *host, int port);
void test_route_error(const char *host, int error);
/* A port of 127.0.0.1 where nothing answers, until the test has ended. */
int test_black_hole(void);
/* A port where nobody listens. */
int test_refused_port(void);
/* How many connects the reactor has asked for. */
int test_connects(void);
/* The clock stands still from now on, but for what it is moved by. */
void test_connect_stop_clock(fate_reactor *reactor);
/* The clock shows that much more. */
void test_connect_later(fate_time by);

/* What that name stands for: literals with spaces between; NULL: the looking up never ends. */
void test_name(fate_reactor *reactor, const char *addresses);

/* The result of d, awaited; given.  One that does not come is cancelled. */
fate_value test_result_of(fate_reactor *reactor, fate_deferred *d);
/* Expects a failure of that class, whose text is that, or contains it. */
void test_expect_fails(fate_reactor *reactor, fate_deferred *d, const fate_class *c, const char *text);
void test_expect_fails_with(fate_reactor *reactor, fate_deferred *d, const fate_class *c, const char *part);
/* "tcp:127.0.0.1:4711", until the next call. */
const char *test_tcp(const char *host, int port);

#endif
