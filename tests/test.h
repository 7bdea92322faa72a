/* The tests' harness: a thin layer over cmocka.
 *
 *     TEST(a_list_has_the_items_that_it_was_given) { … }
 *
 * A test registers itself.  An EXPECT that does not hold is recorded and the test goes on, since cmocka's
 * longjmp must not cross frames of the library; the test fails when it has ended.  A test that leaves blocks
 * of memory or descriptors behind fails too.
 *
 *     program                 runs all tests
 *     program NAME ...        runs these
 *     program --list          names them
 *     program --oom [NAME]    runs each again and again, with the n-th allocation failing, for each n; alone,
 * and with all that come after it
 *     program --sys [NAME]    the same with system calls: the n-th call of each failing in each of its ways;
 * cut short; slow
 *
 * Under --oom and --sys results may honestly differ, so an EXPECT that does not hold is no failure there; a
 * leak, a stop or a crash is. */
#ifndef FATE_TESTS_TEST_H
#define FATE_TESTS_TEST_H

#include <fate/failure.h>
#include <fate/reactor.h>
#include <fate/value.h>

struct test {
    const char *name;
    void (*run)(void);
    bool is_volume;
    struct test *next;
};
void test_register(struct test *test);

#define TEST_OF(test_name, volume)                                                                           \
    static void test_name(void);                                                                             \
    static struct test test_of_##test_name = { #test_name, test_name, volume, NULL };                        \
    __attribute__((constructor)) static void test_register_##test_name(void)                                 \
    {                                                                                                        \
        test_register(&test_of_##test_name);                                                                 \
    }                                                                                                        \
    static void test_name(void)

#define TEST(name) TEST_OF(name, false)
/* One that is too big to be run once for each of its allocations: --oom leaves it out. */
#define VOLUME_TEST(name) TEST_OF(name, true)

/* ---- Expecting ----
 *
 * Each is an expression that is true when it holds. */

#define EXPECT(condition)     test_expect(FATE_HERE, (condition), #condition)
#define EXPECT_EQ(a, b)       test_expect_eq(FATE_HERE, (long long)(a), (long long)(b), #a)
#define EXPECT_PTR(a, b)      test_expect_ptr(FATE_HERE, (a), (b), #a)
#define EXPECT_STR(a, b)      test_expect_str(FATE_HERE, (a), (b), #a)
#define EXPECT_CONTAINS(a, b) test_expect_contains(FATE_HERE, (a), (b), #a)

/* The same for values.  The pointer may be NULL, and the value of any type: that is not what was expected. */
#define EXPECT_NONE(v)           test_expect_described(FATE_HERE, (v), "none", #v)
#define EXPECT_INT(v, n)         test_expect_int(FATE_HERE, (v), (n), #v)
#define EXPECT_TEXT(v, text)     test_expect_text(FATE_HERE, (v), (text), #v)
#define EXPECT_FAILURE(v, class) test_expect_failure(FATE_HERE, (v), (class), #v)
#define EXPECT_DESCRIBED(v, as)  test_expect_described(FATE_HERE, (v), (as), #v)

/* function(arg), run in a child, stops the program, and the parts are all in what it says.  Nothing under
 * --oom. */
#define EXPECT_STOP(function, arg, ...)                                                                      \
    test_expect_stop(FATE_HERE, #function, (function), (arg), (const char *const[]){ __VA_ARGS__, NULL })

bool test_expect(const char *here, bool holds, const char *what);
bool test_expect_eq(const char *here, long long a, long long b, const char *what);
bool test_expect_ptr(const char *here, const void *a, const void *b, const char *what);
bool test_expect_str(const char *here, const char *a, const char *b, const char *what);
bool test_expect_contains(const char *here, const char *text, const char *part, const char *what);
bool test_expect_int(const char *here, const fate_value *v, int64_t n, const char *what);
bool test_expect_text(const char *here, const fate_value *v, const char *text, const char *what);
bool test_expect_failure(const char *here, const fate_value *v, const fate_class *c, const char *what);
bool test_expect_described(const char *here, const fate_value *v, const char *as, const char *what);
void test_expect_stop(const char *here, const char *what, void (*function)(void *arg), void *arg,
                      const char *const *parts);

/* ---- Memory ---- */

/* Is v the NO_MEMORY failure?  A failure of the test where memory does not fail. */
bool test_lacks(const fate_value *v);
#define LACKS(v) test_lacks(v)

/* Allocations do not fail until as many calls of the other. */
void test_suspend_failures(void);
void test_resume_failures(void);

/* Makes the n-th allocation from now fail, and with is_lasting those after it too, in a test that is about
 * that. n 0 ends it; returns whether one has failed.  Under --oom it does nothing and returns false. */
bool test_fail_allocation(unsigned long n, bool is_lasting);
bool test_is_oom(void);
/* The blocks that are held now, and how many bytes they have. */
long test_blocks(void);
long test_bytes(void);

/* ---- Reactors: in test_reactor_helpers.c ---- */

/* A simulated reactor whose reports and log entries are noted.  It is freed after the test if the test has
 * not. */
fate_reactor *test_reactor(void);
/* The same on real time, with these options or NULL.  NULL: it could not be made, because a call or an
 * allocation was made to fail. */
fate_reactor *test_real_reactor(const fate_reactor_options *options);
/* The unhandled failures that it has reported, and the line of the last one: "ValueError: wrong token". */
int test_reports(fate_reactor *reactor);
const char *test_last_report(fate_reactor *reactor);
/* The same of what it has logged, but for who has blocked the loop. */
int test_logs(fate_reactor *reactor);
const char *test_last_log(fate_reactor *reactor);
/* Takes out of a log's text the lines that say who has blocked a loop: a busy machine does that, too. */
void test_forget_blocked(char *text);

/* Called after each test, before leaks are looked for. */
extern void (*test_at_end)(void);

#endif
