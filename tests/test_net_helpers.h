/* Real sockets for tests: connections whose other end is the test's, and a protocol that notes what it is
 * told. */
#ifndef FATE_TESTS_TEST_NET_HELPERS_H
#define FATE_TESTS_TEST_NET_HELPERS_H

#include <fate/endpoint.h>

#include "test.h"

/* ---- What happened ---- */

/* A text that grows, "made; got hello; lost ConnectionDone; ", emptied before each test that begins with it.
 */
void test_trace_clear(void);
void test_trace_add(const char *fmt, ...) FATE_PRINTF(1, 2);
const char *test_trace(void);

/* Notes made, got, read_lost, paused, resumed and lost.  The second has no read_lost, and so closes when its
 * peer does; the third gets lines. */
extern const fate_protocol_ops test_recorder, test_closing_recorder, test_line_recorder;

/* ---- Connections ---- */

/* One end is a protocol's, the other, blocking no more than a second, the test's. */
struct test_pair {
    fate_protocol *p; /* NULL: there was no memory, or a call has failed */
    int peer;         /* -1: none */
};
enum { TEST_TCP, TEST_UNIX };
struct test_pair test_pair(fate_reactor *reactor, int kind, fate_ops ops, fate_value arg);
/* Closes the test's end, with a reset. */
void test_pair_done(struct test_pair *pair);
void test_pair_reset(struct test_pair *pair);

/* The test's end, past the table of system calls. */
void test_peer_says(const struct test_pair *pair, const char *text);
void test_peer_ends(const struct test_pair *pair); /* half-closes */
void test_peer_closes(struct test_pair *pair);
/* What has come so far, at most len - 1 bytes: their number, 0 at the end, -1: nothing is there. */
int test_peer_hears(const struct test_pair *pair, char *to, size_t len);
/* A listening socket of the test's on a free loopback port; -1: none. */
int test_listening(int *ret_port);

/* ---- Running ---- */

/* Runs rounds until it holds; false when it seems that it never will. */
bool test_until(fate_reactor *reactor, bool (*holds)(void *arg), void *arg);
/* The same until the trace ends with that, or contains it. */
bool test_until_trace(fate_reactor *reactor, const char *part);
/* The same until the test's end has heard that text, in all. */
bool test_until_heard(fate_reactor *reactor, const struct test_pair *pair, const char *text);
/* Some rounds in which nothing special is awaited. */
void test_rounds(fate_reactor *reactor, int n);

#endif
