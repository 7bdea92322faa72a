/* A table of system calls that fail when they are told to. */
#ifndef FATE_TESTS_TEST_SYS_HELPERS_H
#define FATE_TESTS_TEST_SYS_HELPERS_H

#include <stdbool.h>
#include <stddef.h>

/* Puts the table in the place of the system's, where it stays. */
void test_sys_install(void);

/* The n-th call of that name from now fails with that errno, once or from then on; n 0: none does.  Only
 * calls that can fail so are counted: a write to an eventfd never would with EPIPE. */
void test_sys_fail(const char *call, unsigned long n, int why, bool is_lasting);
/* How many calls of that name could have failed with what was asked for since then. */
unsigned long test_sys_count(void);
bool test_sys_has_failed(void);

/* No call fails until as many calls with false. */
void test_sys_suspend(bool is_suspended);

/* Reads and writes of at most that many bytes; 0: as many as there are. */
void test_sys_cut(size_t bytes_max);
/* Each call takes that much longer. */
void test_sys_delay(unsigned microseconds);
/* The coarse and the monotonic clock show that many nanoseconds more. */
void test_sys_move_clocks(long long by);

/* Each way in which a call may fail: the i-th; false: there are no more. */
bool test_sys_fault(size_t i, const char **ret_call, int *ret_why, bool *ret_may_last);

#endif
