/* The tests' harness: running, expecting, failing allocations, looking for leaks. */
#include "test.h"
#include "test_sys_helpers.h"

#include <dirent.h>
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/alloc.h>

static struct test *tests, **tests_end = &tests;
static struct test *current;
static bool is_oom;
static int n_failed; /* expectations of the current test */

void (*test_at_end)(void);

void test_register(struct test *test)
{
    *tests_end = test;
    tests_end = &test->next;
}

/* ---- Memory ---- */

/* Threads may allocate too. */
static atomic_long blocks, bytes_held;
static struct {
    atomic_ulong count, fail_at; /* fail_at 0: nothing fails */
    atomic_bool is_lasting, has_failed;
    atomic_int suspended;
} failing;

static bool may_allocate(void)
{
    unsigned long at = failing.fail_at;

    if (!at || failing.suspended)
        return true;
    unsigned long count = ++failing.count;
    if (count != at && !(failing.is_lasting && count > at))
        return true;
    failing.has_failed = true;
    return false;
}

static long size_of(void *block)
{
    return (long)malloc_usable_size(block);
}

static void *obtain(size_t bytes, void *user)
{
    void *block = may_allocate() ? malloc(bytes) : NULL;
    blocks += block != NULL;
    bytes_held += size_of(block);
    return block;
}

static void *resize(void *block, size_t bytes, void *user)
{
    long before = size_of(block);
    void *resized = may_allocate() ? realloc(block, bytes) : NULL;
    blocks += resized && !block;
    bytes_held += resized ? size_of(resized) - before : 0;
    return resized;
}

static void release(void *block, void *user)
{
    blocks -= block != NULL;
    bytes_held -= size_of(block);
    free(block);
}

static const fate_allocator allocator = { obtain, resize, release, NULL };

static void set_failing(unsigned long n, bool is_lasting)
{
    failing.fail_at = n;
    failing.count = 0;
    failing.is_lasting = is_lasting;
    failing.has_failed = false;
}

void test_suspend_failures(void)
{
    failing.suspended++;
    test_sys_suspend(true);
}

void test_resume_failures(void)
{
    failing.suspended--;
    test_sys_suspend(false);
}

bool test_fail_allocation(unsigned long n, bool is_lasting)
{
    bool has_failed = failing.has_failed;

    if (is_oom)
        return false;
    set_failing(n, is_lasting);
    return has_failed;
}

bool test_is_oom(void)
{
    return is_oom;
}

long test_blocks(void)
{
    return blocks;
}

long test_bytes(void)
{
    return bytes_held;
}

static int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    if (!dir)
        return 0;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* ---- Expecting ---- */

static bool record(const char *here, const char *fmt, ...) FATE_PRINTF(2, 3);

/* Returns false, as what has been expected does not hold. */
static bool record(const char *here, const char *fmt, ...)
{
    va_list args;

    if (is_oom)
        return false;
    n_failed++;
    fprintf(stderr, "%s: ", here);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    return false;
}

bool test_expect(const char *here, bool holds, const char *what)
{
    return holds || record(here, "expected: %s", what);
}

bool test_expect_eq(const char *here, long long a, long long b, const char *what)
{
    return a == b || record(here, "%s is %lld, expected %lld", what, a, b);
}

bool test_expect_ptr(const char *here, const void *a, const void *b, const char *what)
{
    return a == b || record(here, "%s is %p, expected %p", what, a, b);
}

bool test_expect_str(const char *here, const char *a, const char *b, const char *what)
{
    if (a && b ? strcmp(a, b) == 0 : a == b)
        return true;
    return record(here, "%s is\n  \"%s\"\nexpected\n  \"%s\"", what, a ? a : "(NULL)", b ? b : "(NULL)");
}

bool test_expect_contains(const char *here, const char *text, const char *part, const char *what)
{
    if (text && strstr(text, part))
        return true;
    return record(here, "%s is\n  \"%s\"\nwithout\n  \"%s\"", what, text ? text : "(NULL)", part);
}

/* The value as it would be printed, for a message. */
static bool record_value(const char *here, const char *what, const fate_value *v, const char *expected)
{
    fate_value shown = v ? fate_describe(v) : fate_str("(NULL)");
    const char *text = "(no memory)";

    fate_get_str(&shown, &text);
    record(here, "%s is %s, expected %s", what, text, expected);
    fate_drop(shown);
    return false;
}

bool test_expect_int(const char *here, const fate_value *v, int64_t n, const char *what)
{
    int64_t i;
    char expected[32];

    if (v && fate_get_int(v, &i) && i == n)
        return true;
    snprintf(expected, sizeof expected, "%lld", (long long)n);
    return record_value(here, what, v, expected);
}

bool test_expect_text(const char *here, const fate_value *v, const char *text, const char *what)
{
    const char *s;

    if (v && fate_get_str(v, &s) && strcmp(s, text) == 0)
        return true;
    return record_value(here, what, v, text);
}

bool test_expect_failure(const char *here, const fate_value *v, const fate_class *c, const char *what)
{
    return (v && fate_class_of(v) == c) || record_value(here, what, v, c->name);
}

bool test_expect_described(const char *here, const fate_value *v, const char *as, const char *what)
{
    fate_value shown = v ? fate_describe(v) : fate_none();
    const char *text = "(no memory)";

    if (!v)
        text = "(NULL)";
    fate_get_str(&shown, &text);
    bool holds = test_expect_str(here, text, as, what);
    fate_drop(shown);
    return holds;
}

bool test_lacks(const fate_value *v)
{
    if (!fate_is(v, &FATE_NO_MEMORY))
        return false;
    record(current ? current->name : "test", "memory has run out");
    return true;
}

/* ---- Stops ---- */

#define SAID_BYTES 8192

/* Reads to the end; what does not fit is thrown away. */
static void read_all(int fd, char *to, size_t room)
{
    char spare[512];
    size_t len = 0;

    for (;;) {
        bool fits = len + 1 < room;
        ssize_t n = read(fd, fits ? to + len : spare, fits ? room - 1 - len : sizeof spare);
        if (n <= 0)
            break;
        len += fits ? (size_t)n : 0;
    }
    to[len] = '\0';
}

static _Noreturn void run_child(int said, void (*function)(void *arg), void *arg)
{
    struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
    signal(SIGABRT, SIG_DFL);
    dup2(said, STDERR_FILENO);
    function(arg);
    _exit(0);
}

/* The child's end and its last words. */
static int run_in_child(void (*function)(void *arg), void *arg, char *said, size_t room)
{
    int ends[2], status = -1;

    fflush(NULL);
    if (pipe(ends) < 0)
        return -1;
    pid_t child = fork();
    if (child == 0)
        run_child(ends[1], function, arg);
    close(ends[1]);
    read_all(ends[0], said, room);
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return -1;
    return status;
}

void test_expect_stop(const char *here, const char *what, void (*function)(void *arg), void *arg,
                      const char *const *parts)
{
    char said[SAID_BYTES];

    if (is_oom)
        return;
    int status = run_in_child(function, arg, said, sizeof said);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT) {
        record(here, "%s did not stop the program (status %d); it said \"%s\"", what, status, said);
        return;
    }
    for (; *parts; parts++)
        test_expect_contains(here, said, *parts, what);
}

/* ---- Running ---- */

/* Runs a test and looks for what it left behind; says so in what, and returns whether there is any. */
static bool run_and_look(struct test *test, char *what, size_t room)
{
    long blocks_before = blocks;
    int descriptors_before = count_descriptors();

    current = test;
    n_failed = 0;
    test->run();
    if (test_at_end)
        test_at_end();
    failing.fail_at = 0;
    long leaked = blocks - blocks_before;
    int left_open = count_descriptors() - descriptors_before;
    blocks = blocks_before;
    if (!leaked && !left_open && !failing.suspended)
        return false;
    snprintf(what, room, "leaked %ld blocks, left %d descriptors open%s", leaked, left_open,
             failing.suspended ? ", left failures suspended" : "");
    failing.suspended = 0;
    return true;
}

static void run_with_cmocka(void **state)
{
    struct test *test = *state;
    char left[128];

    if (run_and_look(test, left, sizeof left))
        fail_msg("%s", left);
    if (n_failed)
        fail_msg("%d expectations do not hold", n_failed);
}

static bool is_named(const struct test *test, int n, char **names)
{
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], test->name) == 0)
            return true;
    return n == 0;
}

static int run_all(int n_names, char **names)
{
    size_t room = 1, n = 0;
    for (struct test *test = tests; test; test = test->next)
        room++;

    struct CMUnitTest *chosen = calloc(room, sizeof *chosen);
    if (!chosen)
        return EXIT_FAILURE;
    for (struct test *test = tests; test; test = test->next)
        if (is_named(test, n_names, names))
            chosen[n++] = (struct CMUnitTest){ test->name, run_with_cmocka, NULL, NULL, test };
    int failed = n ? _cmocka_run_group_tests("tests", chosen, n, NULL, NULL) : 1;
    if (!n)
        fprintf(stderr, "there is no test of that name; --list names them\n");
    free(chosen);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- Failing allocations ---- */

static struct {
    unsigned long n;
    bool is_lasting;
} point;

static void write_point(void)
{
    char text[256];
    int len = snprintf(text, sizeof text, "test %s, allocation %lu failing%s: died\n",
                       current ? current->name : "?", point.n, point.is_lasting ? " and all after it" : "");
    if (len > 0 && write(STDERR_FILENO, text, (size_t)len) < 0)
        _exit(EXIT_FAILURE);
}

static void got_signal(int number)
{
    write_point();
    signal(number, SIG_DFL);
    raise(number);
}

/* Returns how many points have failed; -1: something was left behind at one of them. */
static long fail_each(struct test *test, bool is_lasting)
{
    char left[128];

    for (unsigned long n = 1;; n++) {
        point.n = n;
        point.is_lasting = is_lasting;
        set_failing(n, is_lasting);
        bool has_left = run_and_look(test, left, sizeof left);
        if (has_left) {
            fprintf(stderr, "test %s, allocation %lu failing%s: %s\n", test->name, n,
                    is_lasting ? " and all after it" : "", left);
            return -1;
        }
        if (!failing.has_failed)
            return (long)n - 1;
    }
}

static int run_oom(int n_names, char **names)
{
    long points = 0;
    bool is_clean = true;

    is_oom = true;
    fate__on_block = may_allocate;
    signal(SIGABRT, got_signal);
    signal(SIGSEGV, got_signal);
    for (struct test *test = tests; test; test = test->next) {
        if (test->is_volume || !is_named(test, n_names, names))
            continue;
        long alone = fail_each(test, false);
        long lasting = fail_each(test, true);
        is_clean = is_clean && alone >= 0 && lasting >= 0;
        points += (alone > 0 ? alone : 0) + (lasting > 0 ? lasting : 0);
    }
    printf("%ld points failed\n", points);
    return is_clean ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- Failing system calls ---- */

static char fault_name[256];

static void died_of_fault(int number)
{
    char text[400];
    int len = snprintf(text, sizeof text, "test %s, %s: %s\n", current ? current->name : "?", fault_name,
                       number == SIGALRM ? "hangs" : "died");

    if (len > 0 && write(STDERR_FILENO, text, (size_t)len) < 0)
        _exit(EXIT_FAILURE);
    signal(number, SIG_DFL);
    raise(number);
}

/* Longer than any test takes that does not hang: under ThreadSanitizer, on a machine that has much else to
 * do, half a million calls of one byte each take a while. */
#define SECONDS_MAX 120

/* Runs a test under what has been set up; false: it left something behind, or did not do what it should. */
static bool run_faulty(struct test *test)
{
    char left[128];

    alarm(SECONDS_MAX);
    bool has_left = run_and_look(test, left, sizeof left);
    alarm(0);
    if (has_left)
        fprintf(stderr, "test %s, %s: %s\n", test->name, fault_name, left);
    return !has_left && (is_oom || !n_failed);
}

#define POINTS_MAX 40

/* The n-th call of one name fails in one way, for each n. */
static long fail_each_call(struct test *test, const char *call, int why, bool is_lasting)
{
    for (unsigned long n = 1; n <= POINTS_MAX; n++) {
        snprintf(fault_name, sizeof fault_name, "call %lu of %s failing with errno %d%s", n, call, why,
                 is_lasting ? ", and all after it" : "");
        test_sys_fail(call, n, why, is_lasting);
        if (!run_faulty(test))
            return -1;
        if (!test_sys_has_failed())
            return (long)n - 1;
    }
    return POINTS_MAX;
}

/* Each kind of fault; how many calls have failed, -1: something was left behind. */
static long fail_all_calls(struct test *test)
{
    const char *call;
    bool may_last;
    long points = 0;
    int why;

    for (size_t i = 0; test_sys_fault(i, &call, &why, &may_last); i++) {
        long alone = fail_each_call(test, call, why, false);
        long lasting = may_last ? fail_each_call(test, call, why, true) : 0;
        if (alone < 0 || lasting < 0)
            return -1;
        points += alone + lasting;
    }
    return points;
}

static bool run_cut_and_slow(struct test *test)
{
    test_sys_cut(1);
    snprintf(fault_name, sizeof fault_name, "reads and writes of one byte");
    bool is_clean = run_faulty(test);
    test_sys_cut(3);
    snprintf(fault_name, sizeof fault_name, "reads and writes of three bytes");
    is_clean = run_faulty(test) && is_clean;
    test_sys_cut(0);
    test_sys_delay(1000);
    snprintf(fault_name, sizeof fault_name, "each call taking 1 ms");
    is_clean = run_faulty(test) && is_clean;
    test_sys_delay(0);
    return is_clean;
}

/* An EXPECT that does not hold is no failure when a call has failed; when it was only cut or slow, it is. */
static int run_sys(int n_names, char **names)
{
    long points = 0;
    bool is_clean = true;

    test_sys_install();
    signal(SIGABRT, died_of_fault);
    signal(SIGSEGV, died_of_fault);
    signal(SIGALRM, died_of_fault);
    for (struct test *test = tests; test; test = test->next) {
        if (test->is_volume || !is_named(test, n_names, names))
            continue;
        is_clean = run_cut_and_slow(test) && is_clean;
        is_oom = true;
        long failed = fail_all_calls(test);
        is_oom = false;
        test_sys_fail(NULL, 0, 0, false);
        is_clean = is_clean && failed >= 0;
        points += failed > 0 ? failed : 0;
    }
    printf("%ld points failed\n", points);
    return is_clean ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    fate_set_allocator(&allocator);
    if (argc > 1 && strcmp(argv[1], "--oom") == 0)
        return run_oom(argc - 2, argv + 2);
    if (argc > 1 && strcmp(argv[1], "--sys") == 0)
        return run_sys(argc - 2, argv + 2);
    if (argc > 1 && strcmp(argv[1], "--list") == 0) {
        for (struct test *test = tests; test; test = test->next)
            puts(test->name);
        return EXIT_SUCCESS;
    }
    return run_all(argc - 1, argv + 1);
}
