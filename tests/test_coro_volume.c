/* Coroutines in large numbers: memory and stack stay bounded (R146, R147, R157, R262). */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fate/fate.h>

#include "test.h"

#if defined(__SANITIZE_ADDRESS__)
#define IS_ADDRESS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_ADDRESS_SANITIZED 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define IS_THREAD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IS_THREAD_SANITIZED 1
#endif
#endif

/* ThreadSanitizer has room for some thousand fibers, and valgrind looks through all stacks at each switch. */
#if defined(IS_THREAD_SANITIZED) || defined(FATE_VALGRIND)
#define MANY  ((int64_t)2000)
#define TURNS ((int64_t)10000)
#elif defined(IS_ADDRESS_SANITIZED)
#define MANY  ((int64_t)20000)
#define TURNS ((int64_t)1000000)
#else
#define MANY  ((int64_t)100000)
#define TURNS ((int64_t)1000000)
#endif

#define MILLION           ((int64_t)1000000)
#define BYTES_FOR_MILLION ((size_t)8 << 30)

static fate_reactor *reactor;
static fate_deferred *one;
static uintptr_t main_frame, deepest;

static void begin(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = (rlim_t)8 << 20;
    EXPECT_EQ(setrlimit(RLIMIT_STACK, &limit), 0);
    reactor = test_reactor();
    one = NULL;
    main_frame = (uintptr_t)__builtin_frame_address(0);
    deepest = 0;
}

/* In callbacks: how far from the test's frame they run. */
static fate_value probe(fate_value *result, fate_value *arg)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    uintptr_t depth = here < main_frame ? main_frame - here : here - main_frame;

    deepest = depth > deepest ? depth : deepest;
    return fate_take(result);
}

static void expect_shallow(void)
{
    EXPECT(deepest > 0);
    EXPECT(deepest < (uintptr_t)64 << 10);
}

static size_t resident(void)
{
    unsigned long mapped, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file)
        return 0;
    if (fscanf(file, "%lu %lu", &mapped, &pages) != 2)
        pages = 0;
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* ---- What has fired, again and again ---- */

static size_t used_first, used_last, resident_first, resident_last;

/* The sanitizers keep what has been freed for a while, and what they know of it. */
static void expect_no_growth(void)
{
#if !defined(IS_ADDRESS_SANITIZED) && !defined(IS_THREAD_SANITIZED)
    EXPECT(resident_last < resident_first + ((size_t)1 << 20));
#endif
}

static fate_value await_fired(fate_coro *co, fate_value *arg)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < TURNS; i++) {
        int64_t n = 0;
        fate_value v = fate_await(co, fate_succeed(reactor, fate_int(1)));
        fate_get_int(&v, &n);
        sum += n;
        if (i == 100) {
            used_first = fate_coro_stack_used(co);
            resident_first = resident();
        }
    }
    used_last = fate_coro_stack_used(co);
    resident_last = resident();
    return fate_int(sum);
}

VOLUME_TEST(a_million_that_have_fired_are_awaited_in_one_turn)
{
    begin();
    EXPECT_INT(fate_peek(fate_go(reactor, await_fired, fate_none())), TURNS);
    EXPECT(used_first > 0);
    EXPECT(used_last < used_first + 4096);
    expect_no_growth();
}

static fate_value give_one(fate_coro *co, fate_value *arg)
{
    return fate_int(1);
}

static fate_value await_coroutines(fate_coro *co, fate_value *arg)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < TURNS; i++) {
        int64_t n = 0;
        fate_value v = fate_await(co, fate_go(reactor, give_one, fate_none()));
        fate_get_int(&v, &n);
        sum += n;
        if (i == 100)
            resident_first = resident();
    }
    resident_last = resident();
    return fate_int(sum);
}

VOLUME_TEST(a_million_coroutines_that_end_at_once_are_awaited_in_one_turn)
{
    begin();
    EXPECT_INT(fate_peek(fate_go(reactor, await_coroutines, fate_none())), TURNS);
    expect_no_growth();
}

static fate_value sleep_often(fate_coro *co, fate_value *arg)
{
    int64_t n = 0;

    for (; n < TURNS / 10; n++) {
        fate_drop(fate_coro_sleep(co, FATE_MILLISECOND));
        if (n == 100)
            resident_first = resident();
    }
    resident_last = resident();
    return fate_int(n);
}

VOLUME_TEST(a_hundred_thousand_sleeps_take_no_more_memory)
{
    begin();
    fate_deferred *d = fate_hold(fate_go(reactor, sleep_often, fate_none()));
    fate_play(reactor, TURNS / 10 * FATE_MILLISECOND);
    EXPECT_INT(fate_peek(d), TURNS / 10);
    expect_no_growth();
}

static fate_value pass_on(fate_value *result, fate_value *next)
{
    return fate_follow(fate_as_ptr(next));
}

static fate_value await_waiting_again(fate_coro *co, fate_value *arg)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < TURNS; i++) {
        int64_t n = 0;
        fate_deferred *d = fate_add_callback(fate_succeed(reactor, fate_none()), pass_on,
                                             fate_ptr(fate_succeed(reactor, fate_int(1))));
        fate_value v = fate_await(co, fate_add_both(d, probe, fate_none()));
        fate_get_int(&v, &n);
        sum += n;
    }
    return fate_int(sum);
}

VOLUME_TEST(a_million_with_levels_are_awaited_in_one_frame)
{
    begin();
    EXPECT_INT(fate_peek(fate_go(reactor, await_waiting_again, fate_none())), TURNS);
    expect_shallow();
}

/* ---- Many at once ---- */

static int64_t n_resumed;

static fate_value await_arg(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_await(co, fate_as_ptr(arg));
    n_resumed += !fate_is_failure(&v);
    fate_drop(v);
    return fate_none();
}

static fate_value sleep_a_second(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_coro_sleep(co, FATE_SECOND);
    n_resumed += !fate_is_failure(&v);
    fate_drop(v);
    return fate_none();
}

VOLUME_TEST(a_hundred_thousand_sleep_at_once)
{
    begin();
    n_resumed = 0;
    for (int64_t i = 0; i < MANY; i++)
        fate_go(reactor, sleep_a_second, fate_none());
    EXPECT_EQ(n_resumed, 0);
    fate_advance(reactor, FATE_SECOND);
    EXPECT_EQ(n_resumed, MANY);
}

VOLUME_TEST(a_hundred_thousand_await_one_deferred)
{
    begin();
    n_resumed = 0;
    one = fate_deferred_new(reactor);
    for (int64_t i = 0; i < MANY; i++)
        fate_add_both(fate_go(reactor, await_arg, fate_ptr(one)), probe, fate_none());
    fate_fire(one, fate_none());
    EXPECT_EQ(n_resumed, MANY);
    expect_shallow();
}

static fate_value count_cancelled(fate_coro *co, fate_value *arg)
{
    fate_value v = fate_await(co, fate_deferred_new(reactor));
    n_resumed += fate_is(&v, &FATE_CANCELLED);
    return v;
}

VOLUME_TEST(a_hundred_thousand_that_wait_are_cancelled_with_the_reactor)
{
    begin();
    n_resumed = 0;
    for (int64_t i = 0; i < MANY; i++)
        fate_go(reactor, count_cancelled, fate_none());
    fate_reactor_free(reactor);
    EXPECT_EQ(n_resumed, MANY);
}

VOLUME_TEST(the_stacks_of_many_are_used_again)
{
    begin();
    for (int round = 0; round < 5; round++) {
        for (int64_t i = 0; i < MANY / 10; i++)
            fate_go(reactor, sleep_a_second, fate_none());
        fate_advance(reactor, FATE_SECOND);
        if (round == 1)
            resident_first = resident();
    }
    EXPECT(resident() < resident_first + ((size_t)2 << 20));
}

/* ---- Long chains ---- */

static fate_value nest(fate_coro *co, fate_value *arg)
{
    int64_t depth = fate_as_int(arg), i = 0;
    fate_deferred *inner = depth ? fate_go(reactor, nest, fate_int(depth - 1)) : one;

    if (depth % 1000 == 0)
        fate_add_both(inner, probe, fate_none());
    fate_value v = fate_await(co, inner);
    return fate_get_int(&v, &i) ? fate_int(i + 1) : v;
}

static void expect_unwound(int64_t n)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_go(reactor, nest, fate_int(n)));
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_fire(one, fate_int(0));
    EXPECT_INT(fate_peek(d), n + 1);
    expect_shallow();
}

static void expect_cancelled(int64_t n)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_deferred *d = fate_hold(fate_go(reactor, nest, fate_int(n)));
    fate_cancel(d);
    EXPECT_FAILURE(fate_peek(d), &FATE_CANCELLED);
    fate_reactor_free(reactor);
    expect_shallow();
}

VOLUME_TEST(a_long_chain_unwinds_in_one_frame)
{
    expect_unwound(MANY);
}

VOLUME_TEST(a_long_chain_is_cancelled_from_outside_in_one_frame)
{
    expect_cancelled(MANY);
}

VOLUME_TEST(a_long_chain_goes_with_the_reactor)
{
    begin();
    one = fate_deferred_new(reactor);
    fate_add_both(fate_go(reactor, nest, fate_int(MANY)), probe, fate_none());
    fate_reactor_free(reactor);
    expect_shallow();
}

VOLUME_TEST(a_long_chain_of_those_that_never_wait_ends_in_one_frame)
{
    begin();
    one = fate_succeed(reactor, fate_int(0));
    EXPECT_INT(fate_peek(fate_go(reactor, nest, fate_int(MANY))), MANY + 1);
    expect_shallow();
}

/* Each goes on when its inner one has been cancelled, and awaits another. */
static fate_value nest_and_catch(fate_coro *co, fate_value *arg)
{
    int64_t depth = fate_as_int(arg);
    fate_deferred *inner =
        depth ? fate_go(reactor, nest_and_catch, fate_int(depth - 1)) : fate_deferred_new(reactor);
    fate_value v = fate_await(co, fate_add_both(inner, probe, fate_none()));
    n_resumed += fate_is(&v, &FATE_CANCELLED);
    return v;
}

VOLUME_TEST(a_cancel_reaches_every_body_of_a_long_chain)
{
    begin();
    n_resumed = 0;
    fate_deferred *d = fate_hold(fate_go(reactor, nest_and_catch, fate_int(MANY / 10)));
    fate_cancel(d);
    EXPECT_EQ(n_resumed, MANY / 10 + 1);
    fate_reactor_free(reactor);
    expect_shallow();
}

static size_t available(void)
{
    return (size_t)sysconf(_SC_AVPHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
}

static bool has_room_for_a_million(void)
{
    if (MANY == 100000 && available() >= BYTES_FOR_MILLION)
        return true;
    fprintf(stderr, "left out: it takes %zu GiB, in a plain build\n", BYTES_FOR_MILLION >> 30);
    return false;
}

VOLUME_TEST(a_chain_of_a_million_unwinds_in_one_frame)
{
    if (has_room_for_a_million())
        expect_unwound(MILLION);
}

VOLUME_TEST(a_chain_of_a_million_is_cancelled_in_one_frame)
{
    if (has_room_for_a_million())
        expect_cancelled(MILLION);
}
