/* Tests of src/net/eyeballs.c: every history of a few addresses, random ones of many, and some that have a
 * story. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include <net/eyeballs.h>

/* What the outside knows, told by steps, and what has happened to it. */
struct world {
    struct fate__eyeballs eyeballs;
    unsigned known, begun, n_open, n_failed;
    bool open[FATE__TRIES_MAX];
    bool knows_all, is_timer_set, was_due, is_cancelled, has_won;
    enum fate__step_kind told; /* WON or LOST; NONE: not yet */
    unsigned told_i, winner;
    char trail[256];
};

static void note(struct world *world, const char *what, unsigned i)
{
    size_t len = strlen(world->trail);

    snprintf(world->trail + len, sizeof world->trail - len, "%s%s%u", len ? " " : "", what, i);
}

/* One expectation for each kind, so that what breaks is named with its history. */
static void check(struct world *world, bool holds, const char *what)
{
    if (!holds)
        test_expect("test_eyeballs", false, what), fprintf(stderr, "    after: %s\n", world->trail);
}

static bool is_over(const struct world *world)
{
    return world->is_cancelled || world->has_won || world->told;
}

/* ---- The steps ---- */

static void take_try(struct world *world, unsigned i)
{
    bool may = world->begun == 0 || world->was_due || !world->open[world->begun - 1];

    note(world, "try", i);
    check(world, !is_over(world), "nothing is tried when it is over");
    check(world, i == world->begun && i < world->known, "addresses are tried in order, each once");
    check(world, may, "the next waits until the last has failed or had its time");
    world->open[i] = true;
    world->n_open++;
    world->begun = i + 1;
    world->was_due = false;
}

static void take_give_up(struct world *world, unsigned i)
{
    note(world, "close", i);
    check(world, world->is_cancelled || world->has_won, "attempts go on until one has won");
    check(world, world->open[i], "only what is open is closed");
    world->open[i] = false;
    world->n_open--;
}

static void take_end(struct world *world, const struct fate__step *step)
{
    bool has_won = step->kind == FATE__STEP_WON;

    note(world, has_won ? "won" : "lost", step->i);
    check(world, !world->told && !world->is_cancelled, "the end is told once, and not when cancelled");
    check(world, !world->n_open && !world->is_timer_set, "at the end nothing is left");
    check(world, has_won == world->has_won && (!has_won || step->i == world->winner), "who connected wins");
    if (!has_won)
        check(world, world->knows_all && world->n_failed == world->known, "all have failed");
    world->told = step->kind;
    world->told_i = step->i;
}

static void take(struct world *world, const struct fate__step *step)
{
    switch (step->kind) {
    case FATE__STEP_TRY:
        take_try(world, step->i);
        break;
    case FATE__STEP_GIVE_UP:
        take_give_up(world, step->i);
        break;
    case FATE__STEP_SET_TIMER:
        check(world, !is_over(world) && world->begun < world->known, "the timer is for the next");
        world->is_timer_set = true;
        note(world, "timer", world->begun);
        break;
    case FATE__STEP_STOP_TIMER:
        check(world, world->is_timer_set, "only a timer that is set is stopped");
        world->is_timer_set = false;
        break;
    default:
        take_end(world, step);
    }
}

/* What must hold whenever it waits. */
static void check_rest(struct world *world)
{
    if (is_over(world)) {
        check(world, !world->n_open && !world->is_timer_set, "nothing is left when it is over");
        check(world, world->is_cancelled || world->told, "its end is told");
        return;
    }
    check(world, world->n_open || !world->knows_all, "it waits for something");
    check(world, world->is_timer_set == (world->begun < world->known),
          "a timer for the next, if there is one");
    if (world->begun < world->known)
        check(world, world->begun && world->open[world->begun - 1] && !world->was_due, "it does not dawdle");
}

static void follow(struct world *world)
{
    struct fate__step step;

    while ((step = fate__eyeballs_next(&world->eyeballs)).kind != FATE__STEP_NONE)
        take(world, &step);
    check_rest(world);
}

/* ---- What happens ---- */

static void arrive(struct world *world, unsigned n, bool is_last)
{
    note(world, is_last ? "last" : "more", n);
    fate__eyeballs_arrived(&world->eyeballs, n, is_last);
    world->known += n;
    world->knows_all = is_last;
    follow(world);
}

static void fail(struct world *world, unsigned i)
{
    note(world, "failed", i);
    fate__eyeballs_failed(&world->eyeballs, i);
    world->open[i] = false;
    world->n_open--;
    world->n_failed++;
    follow(world);
}

static void connect_to(struct world *world, unsigned i)
{
    note(world, "connected", i);
    fate__eyeballs_connected(&world->eyeballs, i);
    world->open[i] = false;
    world->n_open--;
    world->has_won = true;
    world->winner = i;
    follow(world);
}

static void become_due(struct world *world)
{
    note(world, "due", 0);
    fate__eyeballs_due(&world->eyeballs);
    world->is_timer_set = false;
    world->was_due = true;
    follow(world);
}

static void cancel(struct world *world)
{
    note(world, "cancel", 0);
    fate__eyeballs_cancel(&world->eyeballs);
    world->is_cancelled = true;
    follow(world);
}

/* What can happen next is numbered: for each open attempt its two ends, then the timer, arrivals, and a
 * cancel. False: there is no such number. */
static bool happen(struct world *world, unsigned what, unsigned known_max)
{
    unsigned k = what;

    for (unsigned i = 0; i < world->begun; i++) {
        if (!world->open[i])
            continue;
        if (k < 2) {
            k ? connect_to(world, i) : fail(world, i);
            return true;
        }
        k -= 2;
    }
    if (world->is_timer_set && k-- == 0)
        become_due(world);
    else if (!world->knows_all && k < 2)
        arrive(world, world->known < known_max && k == 0, k == 1 || world->known == known_max);
    else if (world->knows_all ? k == 0 : k == 2)
        cancel(world);
    else
        return false;
    return true;
}

/* ---- All of them ---- */

static unsigned long n_histories;

static void go_on_from(const struct world *before, unsigned known_max)
{
    if (is_over(before)) {
        n_histories++;
        return;
    }
    for (unsigned what = 0;; what++) {
        struct world world = *before;
        if (!happen(&world, what, known_max))
            return;
        go_on_from(&world, known_max);
    }
}

TEST(every_history_of_four_addresses_keeps_the_rules)
{
    struct world world = { .known = 0 };

    n_histories = 0;
    follow(&world);
    go_on_from(&world, 4);
    EXPECT(n_histories > 10000);
}

static uint64_t state;

static unsigned draw(unsigned n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % n;
}

TEST(random_histories_of_many_addresses_keep_the_rules)
{
    for (unsigned seed = 1; seed <= 2000; seed++) {
        struct world world = { .known = 0 };
        state = seed;
        arrive(&world, draw(FATE__TRIES_MAX), draw(2));
        while (!is_over(&world))
            (void)happen(&world, draw(2 * world.n_open + 4), FATE__TRIES_MAX);
    }
}

/* ---- Stories ---- */

TEST(the_second_is_tried_when_the_first_has_had_its_time_and_the_first_goes_on)
{
    struct world world = { .known = 0 };

    arrive(&world, 2, true);
    become_due(&world);
    EXPECT_STR(world.trail, "last2 try0 timer1 due0 try1");
    connect_to(&world, 0);
    EXPECT_STR(world.trail, "last2 try0 timer1 due0 try1 connected0 close1 won0");
}

TEST(the_next_is_tried_at_once_when_the_last_one_fails_although_another_is_pending)
{
    struct world world = { .known = 0 };

    arrive(&world, 3, true);
    become_due(&world);
    fail(&world, 1);
    EXPECT_STR(world.trail, "last3 try0 timer1 due0 try1 timer2 failed1 try2");
    fail(&world, 0);
    EXPECT_EQ(world.told, FATE__STEP_NONE);
    fail(&world, 2);
    EXPECT_EQ(world.told, FATE__STEP_LOST);
}

TEST(a_failure_of_an_earlier_one_leaves_the_last_its_time)
{
    struct world world = { .known = 0 };

    arrive(&world, 3, true);
    become_due(&world);
    fail(&world, 0);
    EXPECT_STR(world.trail, "last3 try0 timer1 due0 try1 timer2 failed0");
    EXPECT(world.is_timer_set);
}

TEST(addresses_that_come_later_are_tried_too)
{
    struct world world = { .known = 0 };

    arrive(&world, 1, false);
    fail(&world, 0);
    EXPECT_EQ(world.told, FATE__STEP_NONE);
    arrive(&world, 1, true);
    EXPECT_STR(world.trail, "more1 try0 failed0 last1 try1");
}

TEST(no_address_at_all_is_lost)
{
    struct world world = { .known = 0 };

    arrive(&world, 0, true);
    EXPECT_EQ(world.told, FATE__STEP_LOST);
}

TEST(of_too_many_addresses_the_first_are_tried)
{
    struct fate__eyeballs eyeballs = { .n = 0 };

    fate__eyeballs_arrived(&eyeballs, 40, false);
    fate__eyeballs_arrived(&eyeballs, 40, true);
    EXPECT_EQ(eyeballs.n, FATE__TRIES_MAX);
}

/* ---- The order ---- */

static const char *order_of(const char *families)
{
    static char text[32];
    uint16_t numbers[16] = { 0 };
    size_t order[16], n = strlen(families);

    for (size_t i = 0; i < n; i++)
        numbers[i] = (uint16_t)families[i];
    fate__alternate(numbers, n, order);
    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%zu ", order[i]);
    text[n ? 2 * n - 1 : 0] = '\0';
    return text;
}

TEST(families_alternate_beginning_with_the_first)
{
    EXPECT_STR(order_of(""), "");
    EXPECT_STR(order_of("6"), "0");
    EXPECT_STR(order_of("666444"), "0 3 1 4 2 5");
    EXPECT_STR(order_of("466"), "0 1 2");
    EXPECT_STR(order_of("4664"), "0 1 3 2");
    EXPECT_STR(order_of("64444"), "0 1 2 3 4");
    EXPECT_STR(order_of("6646"), "0 2 1 3");
}
