/* Connections whose sends are counted, or fail; and peers that hear much. */
#ifndef FATE_TESTS_TEST_WRITE_HELPERS_H
#define FATE_TESTS_TEST_WRITE_HELPERS_H

#include "test_net_helpers.h"

/* Since the last test_counting. */
struct test_sends {
    int n;                     /* calls of send and sendmsg */
    int n_files;               /* and of sendfile */
    int n_failing, fails_with; /* so many of the next fail so */
    bool spares_bytes;         /* but only those of sendfile */
    bool breaks_pipe;          /* sendfile sends half and raises SIGPIPE */
};
extern struct test_sends test_sends;

/* A new reactor in real time, and a connection of it.  False where memory or a call fails: the reactor may be
 * there, and the pair is none. */
bool test_counting(fate_reactor **ret_reactor, struct test_pair *ret_pair, int kind, fate_ops ops);
/* Frees both; in any case. */
void test_counting_done(fate_reactor *reactor, struct test_pair *pair);

/* Bytes of which each place has its own, given. */
char test_pattern(size_t i);
char *test_patterned(size_t len);
/* Runs until the peer has heard that many of them, in order, and with until_end nothing behind them. */
void test_expect_flood(fate_reactor *reactor, const struct test_pair *pair, size_t wanted, bool until_end);

#endif
