/* Tests of src/reactor/ready.c: calls in the next round, on real and simulated time. */
#include "test.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <base/alloc.h>
#include <fate/fate.h>
#include <reactor/ready.h>
#include <reactor/reactor.h>

/* Who says its name when it is called, and does more then. */
struct named_ready {
    struct fate__ready ready;
    const char *name;
    void (*more)(struct named_ready *named);
    int n_left;
};

static char trail[256];
static fate_reactor *reactor;
static struct named_ready first, second;

static void say(const char *what)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s%s", len ? " " : "", what);
}

static void say_name(struct fate__ready *ready)
{
    struct named_ready *named = fate_container_of(ready, struct named_ready, ready);

    say(named->name);
    if (named->more)
        named->more(named);
}

static bool begin(fate_reactor *new_reactor)
{
    trail[0] = '\0';
    first = (struct named_ready){ { .go = say_name, .site = "a.c:1" }, "first", NULL, 0 };
    second = (struct named_ready){ { .go = say_name, .site = "a.c:2" }, "second", NULL, 0 };
    reactor = new_reactor;
    return reactor;
}

static void add(struct named_ready *named)
{
    fate__ready_add(reactor, &named->ready);
}

static void add_again(struct named_ready *named)
{
    if (named->n_left-- > 0)
        add(named);
}

static void say_text(fate_value *text)
{
    say(fate_as_str(text));
}

/* ---- Simulated time ---- */

TEST(each_is_called_once_in_order)
{
    begin(test_reactor());
    add(&first);
    add(&second);
    add(&first);
    EXPECT_STR(trail, "");
    EXPECT_EQ(fate_next_timeout(reactor), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "first second");
    EXPECT_EQ(fate_next_timeout(reactor), FATE_NEVER);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "first second");
}

static void say_time(struct named_ready *named)
{
    say(fate_now(reactor) == 0 ? "at 0" : "later");
    add_again(named);
}

TEST(they_run_before_time_moves)
{
    begin(test_reactor());
    first.more = say_time;
    first.n_left = 1;
    fate_call_later(reactor, FATE_SECOND, say_text, fate_str("timer"));
    add(&first);
    fate_play(reactor, FATE_SECOND);
    EXPECT(test_is_oom() || !strcmp(trail, "first at 0 first at 0 timer"));
}

TEST(they_run_before_time_is_moved)
{
    begin(test_reactor());
    first.more = say_time;
    first.n_left = 1;
    fate_call_later(reactor, FATE_SECOND, say_text, fate_str("timer"));
    add(&first);
    fate_advance(reactor, FATE_SECOND);
    EXPECT(test_is_oom() || !strcmp(trail, "first at 0 first at 0 timer"));
}

static void add_first(fate_value *arg)
{
    say("timer");
    add(&first);
}

TEST(what_a_call_adds_runs_before_the_next_call)
{
    begin(test_reactor());
    fate_call_later(reactor, FATE_SECOND, add_first, fate_none());
    fate_call_later(reactor, FATE_SECOND, add_first, fate_none());
    fate_call_later(reactor, 2 * FATE_SECOND, say_text, fate_str("last"));
    fate_play(reactor, 2 * FATE_SECOND);
    EXPECT(test_is_oom() || !strcmp(trail, "timer first timer first last"));
    trail[0] = '\0';
    fate_call_later(reactor, FATE_SECOND, add_first, fate_none());
    fate_advance(reactor, FATE_SECOND);
    EXPECT(test_is_oom() || !strcmp(trail, "timer first"));
}

static void stop_after_both(struct named_ready *named)
{
    add_again(named);
    if (named->n_left < 0)
        fate_stop(reactor);
}

TEST(a_simulated_run_does_not_end_while_there_is_one)
{
    begin(test_reactor());
    first.more = stop_after_both;
    first.n_left = 3;
    add(&first);
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "first first first first");
}

/* ---- Who adds and takes out ---- */

static void add_both(struct named_ready *named)
{
    add(&second);
    add_again(named);
}

TEST(what_is_added_meanwhile_waits_for_the_next_round)
{
    begin(test_reactor());
    first.more = add_both;
    first.n_left = 1;
    add(&first);
    fate__readies_run(reactor);
    EXPECT_STR(trail, "first");
    fate__readies_run(reactor);
    EXPECT_STR(trail, "first second first");
    fate__ready_remove(&second.ready);
}

static void remove_second(struct named_ready *named)
{
    fate__ready_remove(&second.ready);
}

TEST(one_that_was_taken_out_is_not_called)
{
    begin(test_reactor());
    first.more = remove_second;
    fate__ready_remove(&first.ready);
    add(&first);
    add(&second);
    fate__readies_run(reactor);
    EXPECT_STR(trail, "first");
    EXPECT(!fate__readies_are_waiting(&reactor->readies));
}

static void remove_first(void *unused)
{
    fate__ready_remove(&first.ready);
}

TEST(the_end_of_the_turn_outside_may_take_it_out)
{
    begin(test_reactor());
    fate_value box = fate_box_with(remove_first, int, 0);
    bool can_remove = !fate_is_failure(&box);
    fate_succeed(reactor, box);
    add(&first);
    fate__readies_run(reactor);
    EXPECT(!can_remove || !*trail);
}

static void free_itself(struct named_ready *named)
{
    fate__free(named);
}

TEST(one_may_free_itself)
{
    begin(test_reactor());
    struct named_ready *own = fate__alloc(sizeof *own);
    if (!own)
        return;
    *own = (struct named_ready){ { .go = say_name }, "own", free_itself, 0 };
    add(own);
    add(&first);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "own first");
}

static void turned(const char *site, fate_time took, fate_value *arg)
{
    say(site);
}

TEST(each_is_an_event_by_its_site)
{
    begin(test_reactor());
    if (fate_reactor_trace(reactor, turned, fate_none()).id < 0)
        return;
    add(&first);
    add(&second);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "first a.c:1 second a.c:2");
}

/* ---- Real time ---- */

struct with_end {
    struct named_ready named;
    int fd;
};

static void write_byte(struct named_ready *named)
{
    EXPECT_EQ(write(fate_container_of(named, struct with_end, named)->fd, "x", 1), 1);
}

static void got_byte(int fd, unsigned events, fate_value *arg)
{
    char byte;

    if (read(fd, &byte, 1) == 1)
        say("byte");
    fate_stop(reactor);
}

/* It would wait for ever. */
TEST(a_loop_that_has_one_does_not_wait)
{
    int ends[2];

    if (!begin(test_real_reactor(NULL)))
        return;
    first.more = add_again;
    first.n_left = 1;
    add(&first);
    fate_iterate(reactor, FATE_NEVER);
    EXPECT_STR(trail, "first");
    if (pipe(ends) < 0)
        return;
    struct with_end writer = { { { .go = say_name }, "write", write_byte, 0 }, ends[1] };
    add(&writer.named);
    fate_watch watch = fate_watch_fd(reactor, ends[0], FATE_READABLE, got_byte, fate_none());
    if (watch.id > 0)
        EXPECT(fate_run(reactor) == 0 && !strcmp(trail, "first first write byte"));
    fate__ready_remove(&writer.named.ready);
    fate_unwatch(watch);
    close(ends[0]);
    close(ends[1]);
}

static void add_for_ever(struct named_ready *named)
{
    add(named);
}

/* The others have their turn although it is always ready. */
TEST(one_that_is_always_ready_keeps_nobody_away)
{
    int ends[2];

    if (!begin(test_real_reactor(NULL)) || pipe(ends) < 0)
        return;
    first.more = add_for_ever;
    first.name = "";
    fate_watch watch = fate_watch_fd(reactor, ends[0], FATE_READABLE, got_byte, fate_none());
    add(&first);
    if (watch.id > 0 && write(ends[1], "x", 1) == 1)
        EXPECT_EQ(fate_run(reactor), 0);
    fate_unwatch(watch);
    fate__ready_remove(&first.ready);
    close(ends[0]);
    close(ends[1]);
}

static void crash(struct named_ready *named)
{
    fate_crash(reactor);
}

TEST(what_a_crash_has_left_comes_first_in_the_next_run)
{
    if (!begin(test_real_reactor(NULL)))
        return;
    first.more = crash;
    add(&first);
    add(&second);
    fate_run(reactor);
    EXPECT_STR(trail, "first");
    add(&first);
    fate_iterate(reactor, 0);
    EXPECT_STR(trail, "first second first");
}

TEST(a_foreign_loop_wakes_for_one)
{
    if (!begin(test_real_reactor(NULL)))
        return;
    struct pollfd set = { .fd = fate_reactor_fd(reactor), .events = POLLIN };
    if (set.fd < 0)
        return;
    EXPECT_EQ(poll(&set, 1, 0), 0);
    first.more = add_again;
    first.n_left = 1;
    add(&first);
    EXPECT_EQ(poll(&set, 1, 10000), 1);
    fate_iterate(reactor, 0);
    EXPECT_EQ(poll(&set, 1, 10000), 1);
    fate_iterate(reactor, 0);
    EXPECT_STR(trail, "first first");
    EXPECT_EQ(poll(&set, 1, 0), 0);
}
