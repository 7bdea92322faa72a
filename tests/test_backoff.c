/* Tests of src/reactor/backoff.c and random.c: pauses that grow, and numbers by chance. */
#include "test.h"

#include <reactor/backoff.h>
#include <reactor/random.h>
#include <reactor/reactor.h>

static struct fate__backoff backoff_of(fate_time first, fate_time delay_max, unsigned jitter_percent)
{
    return (struct fate__backoff){ .first = first, .delay_max = delay_max, .jitter_percent = jitter_percent };
}

/* ---- Pauses ---- */

TEST(each_pause_is_twice_as_long_up_to_the_limit)
{
    const fate_time expected[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
    struct fate__backoff backoff = backoff_of(FATE_SECOND, 60 * FATE_SECOND, 0);

    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        EXPECT_EQ(fate__backoff_next(&backoff, UINT64_MAX - i), expected[i] * FATE_SECOND);
    fate__backoff_reset(&backoff);
    EXPECT_EQ(fate__backoff_next(&backoff, 7), FATE_SECOND);
    EXPECT_EQ(fate__backoff_next(&backoff, 7), 2 * FATE_SECOND);
}

TEST(the_limit_holds_for_the_first_pause_too)
{
    struct fate__backoff backoff = backoff_of(10, 3, 0);

    EXPECT_EQ(fate__backoff_next(&backoff, 0), 3);
    EXPECT_EQ(fate__backoff_next(&backoff, 0), 3);
}

TEST(jitter_shortens_by_at_most_its_part)
{
    struct fate__backoff backoff = backoff_of(1000, 1000, 30);

    EXPECT_EQ(fate__backoff_next(&backoff, 0), 1000);
    EXPECT_EQ(fate__backoff_next(&backoff, 300), 700);
    EXPECT_EQ(fate__backoff_next(&backoff, 301), 1000);
}

TEST(jitter_does_not_change_what_comes_after)
{
    struct fate__backoff backoff = backoff_of(100, 1000, 50);

    EXPECT_EQ(fate__backoff_next(&backoff, 50), 50);
    EXPECT_EQ(fate__backoff_next(&backoff, 0), 200);
}

TEST(jitter_of_a_hundred_percent_may_leave_nothing)
{
    struct fate__backoff backoff = backoff_of(1000, 1000, 100);

    EXPECT_EQ(fate__backoff_next(&backoff, 1000), 0);
    EXPECT_EQ(fate__backoff_next(&backoff, 1001), 1000);
}

TEST(the_longest_pauses_do_not_overflow)
{
    struct fate__backoff backoff = backoff_of(FATE_NEVER / 2 + 2, FATE_NEVER, 100);

    EXPECT_EQ(fate__backoff_next(&backoff, 0), FATE_NEVER / 2 + 2);
    EXPECT_EQ(fate__backoff_next(&backoff, 0), FATE_NEVER);
    EXPECT_EQ(fate__backoff_next(&backoff, (uint64_t)FATE_NEVER), 0);
    backoff = backoff_of(1, FATE_NEVER, 0);
    fate_time before = 0;
    for (int i = 0; i < 64; i++) {
        fate_time delay = fate__backoff_next(&backoff, 0);
        EXPECT(delay > before || delay == FATE_NEVER);
        before = delay;
    }
    EXPECT_EQ(before, FATE_NEVER);
}

/* ---- Numbers by chance ---- */

TEST(simulated_reactors_draw_the_same)
{
    fate_reactor *a = test_reactor(), *b = test_reactor();

    for (int i = 0; i < 10; i++)
        EXPECT(fate__random(a) == fate__random(b));
    EXPECT(fate__random(a) != fate__random(a));
}

/* The reference implementation's first numbers for this seed. */
TEST(a_seed_gives_its_own_numbers)
{
    const fate_reactor_options options = { .size = sizeof options, .seed = 1234567 };
    fate_reactor *reactor = test_real_reactor(&options);

    if (!reactor)
        return;
    EXPECT(fate__random(reactor) == 6457827717110365317u);
    EXPECT(fate__random(reactor) == 3203168211198807973u);
    EXPECT(fate__random(reactor) == 9817491932198370423u);
}

/* By the kernel, or where that fails by the reactor's address. */
TEST(real_reactors_differ)
{
    fate_reactor *a = test_real_reactor(NULL), *b = test_real_reactor(NULL);

    if (a && b)
        EXPECT(fate__random(a) != fate__random(b));
}
