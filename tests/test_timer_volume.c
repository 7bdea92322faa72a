/* Delayed calls by the million: time and memory stay in proportion (R187). */
#include <stdio.h>
#include <unistd.h>

#include <fate/fate.h>

#include "test.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MANY ((int64_t)1000000)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MANY ((int64_t)1000000)
#endif
#endif
#ifndef MANY
#define MANY ((int64_t)10000000)
#endif

static fate_reactor *reactor;
static int64_t n_called, n_unordered, last;

static void begin(void)
{
    n_called = n_unordered = 0;
    last = INT64_MIN;
    reactor = test_reactor();
}

static void note(fate_value *key)
{
    int64_t k = fate_as_int(key);

    n_called++;
    n_unordered += k < last;
    last = k;
}

static long resident_bytes(void)
{
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file && fscanf(file, "%ld %ld", &size, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

/* A permutation of 0..MANY-1. */
static int64_t scattered(int64_t i)
{
    return i * 7919 % MANY;
}

VOLUME_TEST(ten_million_take_64_bytes_each_and_are_called_in_order)
{
    begin();
    long before = resident_bytes();
    for (int64_t i = 0; i < MANY; i++)
        fate_call_later(reactor, scattered(i) * FATE_MICROSECOND, note, fate_int(scattered(i)));
    double each = (double)(resident_bytes() - before) / (double)MANY;
    if (!EXPECT(each < 65))
        fprintf(stderr, "%g bytes each\n", each);
    fate_advance(reactor, MANY * FATE_MICROSECOND);
    EXPECT_EQ(n_called, MANY);
    EXPECT_EQ(n_unordered, 0);
}

VOLUME_TEST(a_million_at_one_time_are_called_in_order_of_scheduling)
{
    begin();
    for (int64_t i = 0; i < MANY / 10; i++)
        fate_call_later(reactor, FATE_SECOND, note, fate_int(i));
    EXPECT_EQ(fate_next_timeout(reactor), FATE_SECOND);
    fate_advance(reactor, FATE_SECOND);
    EXPECT_EQ(n_called, MANY / 10);
    EXPECT_EQ(n_unordered, 0);
}

VOLUME_TEST(a_million_in_one_microsecond_are_called_in_order)
{
    begin();
    for (int64_t i = 0; i < MANY / 10; i++)
        fate_call_later(reactor, FATE_SECOND + scattered(i) % 1000, note, fate_int(scattered(i) % 1000));
    EXPECT_EQ(fate_next_timeout(reactor), FATE_SECOND);
    fate_advance(reactor, 2 * FATE_SECOND);
    EXPECT_EQ(n_called, MANY / 10);
    EXPECT_EQ(n_unordered, 0);
}

/* Requests with one timeout, answered in order: the list is asked for its earliest each time, which must not
 * mean going through it each time. */
VOLUME_TEST(the_earliest_of_a_million_may_always_be_the_next_to_go)
{
    static fate_timer handles[MANY / 10];

    begin();
    for (int64_t i = 0; i < MANY / 10; i++)
        handles[i] = fate_call_later(reactor, 10 * FATE_SECOND + i, note, fate_int(i));
    for (int64_t i = 0; i < MANY / 10; i++) {
        if (!EXPECT_EQ(fate_next_timeout(reactor), 10 * FATE_SECOND + i))
            return;
        fate_timer_cancel(handles[i]);
    }
    EXPECT(fate_next_timeout(reactor) == FATE_NEVER);
}

static void again(fate_value *left)
{
    int64_t n = fate_as_int(left);

    note(left);
    last = INT64_MIN;
    if (n > 0)
        fate_call_later(reactor, n % 3, again, fate_int(n - 1));
}

VOLUME_TEST(years_pass_without_looking_at_each_slot)
{
    const fate_time year = 365 * 86400 * FATE_SECOND;

    begin();
    fate_call_later(reactor, 1, again, fate_int(MANY / 10));
    for (int i = 0; i < 1000; i++)
        fate_call_later(reactor, i * (year / 10), note, fate_int(i));
    for (int i = 0; i < 100; i++)
        fate_play(reactor, year);
    EXPECT_EQ(n_called, MANY / 10 + 1001);
}
