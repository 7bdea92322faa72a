/* Real sockets for tests: a reactor in real time, and raw peers that know nothing of it. */
#ifndef FATE_TESTS_TEST_LISTEN_HELPERS_H
#define FATE_TESTS_TEST_LISTEN_HELPERS_H

#include <fate/address.h>
#include <fate/deferred.h>

#include <base/sys.h>

#include "test.h"

/* The reactor of the test, made by net_begin and gone after it; NULL when it could not be made. */
extern fate_reactor *net_reactor;
bool net_begin(void);

/* Rounds of the loop until the condition holds.  False, where calls or allocations are made to fail, when it
 * seems that it never will; else it stops the program. */
bool net_run_until(bool (*holds)(void *arg), void *arg);
/* The same until a counter has that value. */
bool net_run_until_count(const int *counter, int n);
/* Rounds that do not wait: how many events they have brought. */
uint64_t net_events_in_rounds(int n_rounds);
/* Runs until d has its result: takes that out of it, handles a failure, and lets d go. */
fate_value net_result_of(fate_deferred *d);
/* d ends in a failure of that class, whose text has the part in it. */
#define EXPECT_FAILS(d, class, part) net_expect_failure(FATE_HERE, (d), (class), (part))
bool net_expect_failure(const char *here, fate_deferred *d, const fate_class *c, const char *part);

/* ---- Raw peers ---- */

/* Is there an IPv6 of loopback? */
bool net_has_ipv6(void);
/* A socket of that family, non-blocking, not connected. */
int net_socket(int family);
/* Connects it; for the wildcard addresses to loopback.  0 or -errno. */
int net_connect_socket(int fd, const fate_address *to);
/* Both: the descriptor, or -errno. */
int net_connect(const fate_address *to);
/* One that listens on loopback, port 0; its address. */
int net_listen(fate_address *ret_address);
/* A read: how many bytes, 0 at the end, -errno. */
ssize_t net_read(int fd, char *to, size_t len);
/* Runs until the peer has seen the end of the connection: 0, or -ECONNRESET. */
int net_end_of(int fd);
/* Closes it with a reset. */
void net_reset(int fd);

/* ---- Calls of the test's own ---- */

/* A copy of the table of calls, to be changed; in place until the end of the test. */
struct fate__sys *net_own_calls(void);
/* What lies under it, for those of its calls that go on. */
const struct fate__sys *net_calls_below(void);
/* The clocks stand still from now on, but for what is skipped. */
void net_hold_clocks(void);
void net_skip_time(fate_time by);

#endif
