/* Tests of src/coro/stack.c and segv.c: stacks, their reuse, and what is said when one overflows. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fate/fate.h>

#include "test.h"

/* AddressSanitizer and ThreadSanitizer have handlers for SIGSEGV of their own, which say what has happened;
 * the library leaves them in place.  Valgrind adds last words of its own to every end by a signal. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(FATE_VALGRIND)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

static fate_reactor *reactor;
static fate_deferred *one;

static void begin(void)
{
    reactor = test_reactor();
    one = NULL;
}

static fate_value give_five(fate_coro *co, fate_value *arg)
{
    return fate_int(5);
}

static fate_value forget(fate_value *result, fate_value *arg)
{
    return fate_none();
}

/* An old kernel knows no guards but those of mprotect. */
static bool refuses_guards;

int madvise(void *address, size_t bytes, int advice)
{
    if (refuses_guards && advice == 102) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_madvise, address, bytes, advice);
}

/* A field of /proc/self/statm, in bytes: 0 all that is mapped, 1 what is resident. */
static size_t memory_in_use(int field)
{
    unsigned long pages[2] = { 0, 0 };
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file)
        return 0;
    int n = fscanf(file, "%lu %lu", &pages[0], &pages[1]);
    fclose(file);
    return n == 2 ? pages[field] * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

/* ---- Size and name ---- */

static size_t stack_bytes;
static char name[64];

static fate_value look(fate_coro *co, fate_value *arg)
{
    stack_bytes = fate_coro_stack_bytes(co);
    snprintf(name, sizeof name, "%s", fate_coro_name(co));
    return fate_none();
}

TEST(a_stack_has_64_kib_or_a_page_less_and_its_functions_name)
{
    begin();
    fate_go(reactor, look, fate_none());
    EXPECT(stack_bytes >= 65536 - 4096);
    EXPECT(stack_bytes <= 65536 + 4096);
    EXPECT_STR(name, "look");
}

static void expect_stack(size_t wanted)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    stack_bytes = 0;
    fate_go_with(reactor, look, fate_none(), .stack_bytes = wanted);
    EXPECT(stack_bytes >= wanted);
    EXPECT(stack_bytes < wanted + page);
    EXPECT_EQ(stack_bytes % page, 0);
}

TEST(a_stack_has_the_size_that_was_asked_for)
{
    begin();
    expect_stack(8192);
    expect_stack(16385);
    expect_stack(57344);
    expect_stack(57345);
    expect_stack(61440);
    expect_stack(61441);
    expect_stack(65536);
    expect_stack(1 << 20);
}

static fate_value use_half_a_megabyte(fate_coro *co, fate_value *arg)
{
    volatile char large[512 * 1024];

    for (size_t i = 0; i < sizeof large; i += 1024)
        large[i] = (char)i;
    fate_value v = fate_await(co, one);
    if (fate_is_failure(&v))
        return v;
    return fate_int(large[1024] == 0);
}

TEST(a_large_stack_can_be_used)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_deferred *d =
        fate_hold(fate_go_with(reactor, use_half_a_megabyte, fate_none(), .stack_bytes = (size_t)1 << 20));
    fate_fire(one, fate_none());
    EXPECT_INT(fate_peek(d), 1);
}

TEST(a_stack_larger_than_memory_is_want_of_memory)
{
    begin();
    fate_deferred *d = fate_go_with(reactor, give_five, fate_none(), .stack_bytes = SIZE_MAX);
    EXPECT_FAILURE(fate_peek(d), &FATE_NO_MEMORY);
    d = fate_go_with(reactor, give_five, fate_none(), .stack_bytes = SIZE_MAX / 2);
    EXPECT_FAILURE(fate_peek(d), &FATE_NO_MEMORY);
    d = fate_go_with(reactor, give_five, fate_none(), .stack_bytes = (size_t)1 << 62);
    EXPECT_FAILURE(fate_peek(d), &FATE_NO_MEMORY);
    fate_add_both(d, forget, fate_none());
}

TEST(a_name_may_be_given_and_is_cut)
{
    begin();
    fate_go_with(reactor, look, fate_none(), .name = "session of alice");
    EXPECT_STR(name, "session of alice");
    fate_go_with(reactor, look, fate_none(), .name = "0123456789012345678901234567890123456789tail");
    EXPECT_STR(name, "012345678901234567890123456789012345678");
}

/* ---- The high-water mark ---- */

static size_t used_before, used_after, used_later;

/* AddressSanitizer may keep a function's locals elsewhere. */
static fate_value __attribute__((noinline, no_sanitize("address"))) use_frame(fate_coro *co)
{
    volatile char frame[20000];

    for (size_t i = 0; i < sizeof frame; i++)
        frame[i] = 1;
    return fate_int(frame[100]);
}

static fate_value watch_use(fate_coro *co, fate_value *arg)
{
    used_before = fate_coro_stack_used(co);
    fate_drop(use_frame(co));
    used_after = fate_coro_stack_used(co);
    fate_drop(fate_await(co, one));
    used_later = fate_coro_stack_used(co);
    return fate_none();
}

TEST(the_high_water_mark_grows_with_use_and_stays)
{
    begin();
    used_before = used_after = used_later = 0;
    one = fate_deferred_new(reactor);
    fate_go_with(reactor, watch_use, fate_none(), .stack_bytes = (size_t)256 << 10);
    fate_fire(one, fate_none());
    EXPECT(used_before > 0);
    EXPECT(used_before < 20000);
    EXPECT(used_after >= 20000);
    EXPECT(used_after <= (size_t)256 << 10);
    EXPECT(used_later >= used_after);
}

static fate_value ask_use(fate_coro *co, fate_value *arg)
{
    used_later = fate_coro_stack_used(co);
    return fate_none();
}

TEST(the_high_water_mark_is_that_of_all_who_had_the_stack)
{
    begin();
    used_after = used_later = 0;
    one = fate_succeed(reactor, fate_none());
    fate_go(reactor, watch_use, fate_none());
    fate_go(reactor, ask_use, fate_none());
    EXPECT(used_after >= 20000);
    EXPECT(used_later >= used_after);
}

/* ---- Reuse ---- */

static const void *frame_of_last;

static fate_value note_frame(fate_coro *co, fate_value *arg)
{
    frame_of_last = __builtin_frame_address(0);
    return fate_await(co, one);
}

TEST(a_stack_that_has_become_free_is_the_next_to_be_used)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_go(reactor, note_frame, fate_none());
    const void *first = frame_of_last;
    fate_fire(one, fate_none());
    one = fate_deferred_new(reactor);
    fate_go(reactor, note_frame, fate_none());
    EXPECT_PTR(frame_of_last, first);
    fate_go(reactor, note_frame, fate_none());
    EXPECT(frame_of_last != first);
}

static void start_and_end(size_t n, size_t bytes)
{
    for (size_t i = 0; i < n; i++) {
        fate_go_with(reactor, give_five, fate_none(), .stack_bytes = bytes);
        fate_advance(reactor, 0);
    }
}

/* What valgrind and the sanitizers keep for themselves is counted too; but address space is given back under
 * the sanitizers as well. */
static bool has_grown(int field, size_t before)
{
#if defined(FATE_VALGRIND)
    return false;
#elif defined(IS_SANITIZED)
    return field == 0 && memory_in_use(0) >= before + ((size_t)3 << 20);
#else
    return memory_in_use(field) >= before + ((size_t)3 << 20);
#endif
}

static void expect_no_growth(size_t bytes)
{
    start_and_end(100, bytes);
    size_t mapped = memory_in_use(0), resident = memory_in_use(1);
    start_and_end(20000, bytes);
    EXPECT(!has_grown(0, mapped));
    EXPECT(!has_grown(1, resident));
}

VOLUME_TEST(many_that_come_and_go_take_no_more_memory)
{
    begin();
    expect_no_growth(0);
    expect_no_growth(16384);
    expect_no_growth((size_t)1 << 20);
}

VOLUME_TEST(reactors_give_the_stacks_of_every_size_back)
{
    for (size_t bytes = 16384; bytes <= (size_t)80 << 10; bytes += 2500) {
        size_t mapped = 0;
        for (int i = 0; i < 130; i++) {
            if (i == 30)
                mapped = memory_in_use(0);
            reactor = fate_reactor_new_simulated();
            fate_go_with(reactor, give_five, fate_none(), .stack_bytes = bytes);
            fate_reactor_free(reactor);
        }
        if (!EXPECT(!has_grown(0, mapped)))
            fprintf(stderr, "with stacks of %zu bytes\n", bytes);
    }
}

/* ---- Overflow ---- */

#ifndef IS_SANITIZED
struct ending {
    int status;
    char said[4096];
};

static void run_child(void (*function)(void *arg), void *arg, int said)
{
    struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
    signal(SIGABRT, SIG_DFL);
    signal(SIGSEGV, SIG_DFL); /* cmocka's */
    dup2(said, STDERR_FILENO);
    function(arg);
    _exit(0);
}

static struct ending run_in_child(void (*function)(void *arg), void *arg)
{
    struct ending ending = { .status = -1 };
    int ends[2];
    size_t len = 0;
    ssize_t n;

    fflush(NULL);
    if (pipe(ends) < 0)
        return ending;
    pid_t child = fork();
    if (child == 0)
        run_child(function, arg, ends[1]);
    close(ends[1]);
    while ((n = read(ends[0], ending.said + len, sizeof ending.said - 1 - len)) > 0)
        len += (size_t)n;
    close(ends[0]);
    if (child > 0)
        waitpid(child, &ending.status, 0);
    return ending;
}

static volatile int sink;

static int __attribute__((noinline)) sink_deeper(int depth)
{
    volatile char frame[1024];

    frame[0] = (char)depth;
    if (depth > 0)
        sink += sink_deeper(depth - 1);
    return frame[0];
}

static fate_value overflow(fate_coro *co, fate_value *arg)
{
    return fate_int(sink_deeper(1000000));
}

static void overflow_it(void *bytes)
{
    reactor = fate_reactor_new_simulated();
    fate_go_with(reactor, overflow, fate_none(), .stack_bytes = *(size_t *)bytes);
}

static bool died_by_segv(const struct ending *ending)
{
    return WIFSIGNALED(ending->status) && WTERMSIG(ending->status) == SIGSEGV;
}

static void expect_named(void (*function)(void *arg), size_t bytes, const char *size)
{
    struct ending ending = run_in_child(function, &bytes);

    EXPECT(died_by_segv(&ending));
    EXPECT_CONTAINS(ending.said, "coroutine overflow ");
    EXPECT_CONTAINS(ending.said, size);
}

static void expect_unnamed(void (*function)(void *arg), size_t bytes)
{
    struct ending ending = run_in_child(function, &bytes);

    EXPECT(died_by_segv(&ending));
    EXPECT_STR(ending.said, "");
}

TEST(an_overflow_names_the_coroutine_and_its_size)
{
    if (test_is_oom())
        return;
    expect_named(overflow_it, 0, "stack of 61440 bytes");
    expect_named(overflow_it, (size_t)1 << 20, "stack of 1048576 bytes");
}

static void overflow_on_an_old_kernel(void *bytes)
{
    refuses_guards = true;
    overflow_it(bytes);
}

TEST(an_overflow_is_found_without_the_kernels_guards)
{
    if (test_is_oom())
        return;
    expect_named(overflow_on_an_old_kernel, 0, "stack of 61440 bytes");
    expect_named(overflow_on_an_old_kernel, (size_t)1 << 20, "stack of 1048576 bytes");
}

static void overflow_after_many(void *bytes)
{
    refuses_guards = true;
    reactor = fate_reactor_new_simulated();
    start_and_end(10000, *(size_t *)bytes);
    fate_go_with(reactor, overflow, fate_none(), .stack_bytes = *(size_t *)bytes);
}

/* Those that are gone do not count towards the bound on guards. */
VOLUME_TEST(an_overflow_is_found_after_many_coroutines_without_the_kernels_guards)
{
    expect_named(overflow_after_many, 0, "stack of 61440 bytes");
    expect_named(overflow_after_many, (size_t)1 << 20, "stack of 1048576 bytes");
}

/* ---- More stacks at once than the bound on guards, on an old kernel ---- */

static uintptr_t body_frame;

/* Uses the stack to that many bytes below the body's frame. */
static int __attribute__((noinline)) use_to(uintptr_t bytes)
{
    volatile char frame[64];

    for (size_t i = 0; i < sizeof frame; i++)
        frame[i] = 1;
    if (body_frame - (uintptr_t)__builtin_frame_address(0) < bytes)
        sink += use_to(bytes);
    return frame[0];
}

static fate_value use_and_ask(fate_coro *co, fate_value *bytes)
{
    body_frame = (uintptr_t)__builtin_frame_address(0);
    sink += use_to((uintptr_t)fate_as_int(bytes));
    used_after = fate_coro_stack_used(co);
    return fate_none();
}

static fate_value await_one(fate_coro *co, fate_value *arg)
{
    return fate_await(co, one);
}

static void use_unguarded(int64_t bytes)
{
    refuses_guards = true;
    reactor = fate_reactor_new_simulated();
    one = fate_deferred_new(reactor);
    for (int i = 0; i < 8200; i++)
        fate_go(reactor, await_one, fate_none());
    used_after = 0;
    fate_go(reactor, use_and_ask, fate_int(bytes));
}

static void overflow_unguarded(void *unused)
{
    use_unguarded(62000);
}

/* Ends with 1 when the mark is not where it should be. */
static void use_a_little_unguarded(void *unused)
{
    use_unguarded(20000);
    _exit(used_after < 20000 || used_after > 30000);
}

VOLUME_TEST(an_overflow_without_a_guard_stops_when_the_stack_is_left)
{
    EXPECT_STOP(overflow_unguarded, NULL, "coroutine use_and_ask ", "stack of 61440 bytes");
}

VOLUME_TEST(the_high_water_mark_is_right_without_a_guard)
{
    struct ending ending = run_in_child(use_a_little_unguarded, NULL);
    EXPECT(WIFEXITED(ending.status) && WEXITSTATUS(ending.status) == 0);
}

static void overflow_with_no_segv(void *bytes)
{
    setenv("FATE_NO_SEGV", "1", 1);
    overflow_it(bytes);
}

static void got_segv(int number)
{
    static const char text[] = "mine";

    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(3);
    _exit(2);
}

static void overflow_with_a_handler(void *bytes)
{
    static char alternate[65536];
    stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate };
    struct sigaction action = { .sa_handler = got_segv, .sa_flags = SA_ONSTACK };

    sigaltstack(&stack, NULL);
    sigaction(SIGSEGV, &action, NULL);
    overflow_it(bytes);
}

TEST(an_overflow_is_left_alone_when_the_environment_says_so)
{
    if (!test_is_oom())
        expect_unnamed(overflow_with_no_segv, 0);
}

TEST(a_programs_own_handler_is_left_alone)
{
    size_t bytes = 0;

    if (test_is_oom())
        return;
    struct ending ending = run_in_child(overflow_with_a_handler, &bytes);
    EXPECT(WIFEXITED(ending.status) && WEXITSTATUS(ending.status) == 2);
    EXPECT_STR(ending.said, "mine");
}

static void overflow_nested(void *bytes)
{
    reactor = fate_reactor_new_simulated();
    one = fate_deferred_new(reactor);
    fate_go(reactor, await_one, fate_none());
    overflow_it(bytes);
}

static fate_value overflow_after_a_wait(fate_coro *co, fate_value *arg)
{
    fate_drop(fate_await(co, one));
    return fate_int(sink_deeper(1000000));
}

static void overflow_when_resumed(void *bytes)
{
    reactor = fate_reactor_new_simulated();
    one = fate_deferred_new(reactor);
    fate_go_with(reactor, overflow_after_a_wait, fate_none(), .name = "overflow late");
    fate_go(reactor, await_one, fate_none());
    fate_fire(one, fate_none());
}

static fate_value overflow_after_a_callback(fate_coro *co, fate_value *arg)
{
    fate_deferred *d = fate_deferred_new(reactor);
    fate_add_both(d, forget, fate_none());
    fate_fire(d, fate_none());
    fate_go(reactor, give_five, fate_none());
    return fate_int(sink_deeper(1000000));
}

static void overflow_after_calls(void *bytes)
{
    reactor = fate_reactor_new_simulated();
    fate_go_with(reactor, overflow_after_a_callback, fate_none(), .name = "overflow late");
}

static fate_value overflow_after_another_reactor(fate_coro *co, fate_value *arg)
{
    fate_reactor *other = fate_reactor_new_simulated();
    fate_go(other, give_five, fate_none());
    fate_reactor_free(other);
    return fate_int(sink_deeper(1000000));
}

static void overflow_with_two_reactors(void *bytes)
{
    reactor = fate_reactor_new_simulated();
    fate_go_with(reactor, overflow_after_another_reactor, fate_none(), .name = "overflow late");
}

TEST(an_overflow_names_the_one_that_runs)
{
    if (test_is_oom())
        return;
    expect_named(overflow_nested, 0, "stack of 61440 bytes");
    expect_named(overflow_when_resumed, 0, "coroutine overflow late ");
    expect_named(overflow_after_calls, 0, "coroutine overflow late ");
}

TEST(an_overflow_is_named_after_another_reactor_of_the_thread_has_run)
{
    if (!test_is_oom())
        expect_named(overflow_with_two_reactors, 0, "coroutine overflow late ");
}

/* ---- A SIGSEGV that is no overflow ends the program as it would have ---- */

static void write_nowhere(void *bytes)
{
    reactor = fate_reactor_new_simulated();
    fate_go(reactor, give_five, fate_none());
    void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *(volatile char *)page = 1;
}

static fate_value write_nowhere_in_body(fate_coro *co, fate_value *arg)
{
    void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *(volatile char *)page = 1;
    return fate_none();
}

static void go_and_write_nowhere(void *bytes)
{
    reactor = fate_reactor_new_simulated();
    fate_go(reactor, write_nowhere_in_body, fate_none());
}

static void raise_segv(void *bytes)
{
    reactor = fate_reactor_new_simulated();
    fate_go(reactor, give_five, fate_none());
    raise(SIGSEGV);
}

TEST(any_other_fault_ends_the_program_as_it_would_have)
{
    if (test_is_oom())
        return;
    expect_unnamed(write_nowhere, 0);
    expect_unnamed(go_and_write_nowhere, 0);
}

TEST(a_sigsegv_that_was_sent_ends_the_program_as_it_would_have)
{
    if (!test_is_oom())
        expect_unnamed(raise_segv, 0);
}

/* ---- Threads ---- */

static void *run_a_coroutine(void *arg)
{
    fate_reactor *here = fate_reactor_new_simulated();
    fate_go(here, give_five, fate_none());
    fate_reactor_free(here);
    return NULL;
}

static void run_threads(int n)
{
    for (int i = 0; i < n; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, run_a_coroutine, NULL) == 0)
            pthread_join(thread, NULL);
    }
}

/* Ends with 1 when it has grown. */
static void run_many_threads(void *unused)
{
    run_threads(20);
    size_t mapped = memory_in_use(0);
    run_threads(400);
    _exit(memory_in_use(0) >= mapped + ((size_t)3 << 20));
}

VOLUME_TEST(a_thread_that_ends_leaves_no_stack_for_signals_behind)
{
    struct ending ending = run_in_child(run_many_threads, NULL);
    EXPECT(WIFEXITED(ending.status) && WEXITSTATUS(ending.status) == 0);
}
#endif
