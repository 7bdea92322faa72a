/* Tests of what is done once at the end of a turn (src/deferred/turn.c), and of loops that must not sleep
 * over it. */
#include "test.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <deferred/turn.h>
#include <fate/fate.h>
#include <reactor/reactor.h>

/* What says its name at the end of the turn, and does more there. */
struct named_end {
    struct fate__turn_end end;
    const char *name;
    void (*more)(struct named_end *named);
    int n_left;
};

static char trail[256];
static fate_reactor *reactor;
static struct named_end first, second;

static void say(const char *what)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s%s", len ? " " : "", what);
}

static void say_name(struct fate__turn_end *end)
{
    struct named_end *named = fate_container_of(end, struct named_end, end);

    say(named->name);
    if (named->more)
        named->more(named);
}

static void begin(void)
{
    trail[0] = '\0';
    first = (struct named_end){ { .go = say_name }, "first", NULL, 0 };
    second = (struct named_end){ { .go = say_name }, "second", NULL, 0 };
}

static void add(struct named_end *named)
{
    fate__turn_end_add(fate__turns(reactor), &named->end);
}

static void add_both(fate_value *arg)
{
    say("event");
    add(&first);
    add(&second);
    add(&first);
}

static void add_first(fate_value *arg)
{
    say("event");
    add(&first);
}

static void dropped(void *name)
{
    say(*(const char **)name);
}

/* ---- When ---- */

TEST(each_is_called_once_in_order_when_the_event_ends)
{
    begin();
    reactor = test_reactor();
    fate_turn(reactor, add_both, fate_none());
    EXPECT_STR(trail, "event first second");
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "event first second");
}

static void leave_a_deferred(fate_value *arg)
{
    fate_drop(fate_take(arg));
    fate_succeed(reactor, fate_box_with(dropped, const char *, "gone"));
    add(&first);
}

TEST(they_come_before_what_is_done_and_not_held_goes)
{
    begin();
    reactor = test_reactor();
    fate_turn(reactor, leave_a_deferred, fate_none());
    EXPECT_STR(trail, "first gone");
}

TEST(outside_of_events_they_wait_until_the_reactor_is_entered)
{
    begin();
    reactor = test_reactor();
    add(&first);
    EXPECT_STR(trail, "");
    EXPECT_EQ(fate_next_timeout(reactor), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "first");
    EXPECT_EQ(fate_next_timeout(reactor), FATE_NEVER);
}

TEST(each_post_is_a_turn)
{
    begin();
    reactor = test_reactor();
    fate_call_from_thread(reactor, add_first, fate_none());
    fate_call_from_thread(reactor, add_first, fate_none());
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "event first event first");
}

TEST(what_the_reactor_has_when_it_goes_is_called)
{
    begin();
    reactor = test_reactor();
    add(&first);
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "first");
}

/* ---- What they may do ---- */

static void add_again(struct named_end *named)
{
    if (named->n_left-- > 0) {
        add(named);
        add(&second);
    }
}

TEST(one_may_add_itself_and_others_to_the_same_turn)
{
    begin();
    reactor = test_reactor();
    first.more = add_again;
    first.n_left = 2;
    fate_turn(reactor, add_first, fate_none());
    EXPECT_STR(trail, "event first first second first");
}

static void free_itself(struct named_end *named)
{
    fate__free(named);
}

TEST(one_may_free_itself)
{
    begin();
    reactor = test_reactor();
    struct named_end *own = fate__alloc(sizeof *own);
    if (!own)
        return;
    *own = (struct named_end){ { .go = say_name }, "own", free_itself, 0 };
    add(own);
    add(&first);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "own first");
}

static void remove_second(struct named_end *named)
{
    fate__turn_end_remove(&second.end);
}

TEST(one_that_was_taken_out_is_not_called)
{
    begin();
    reactor = test_reactor();
    fate__turn_end_remove(&first.end);
    add(&first);
    fate__turn_end_remove(&first.end);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "");
    first.more = remove_second;
    add(&first);
    add(&second);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "first");
}

/* ---- The sweep ---- */

static void add_when_dropped(void *named)
{
    add(*(struct named_end **)named);
}

static void succeed_in_vain(struct named_end *named)
{
    fate_succeed(reactor, fate_box_with(dropped, const char *, "gone"));
}

static void leave_one_that_adds(fate_value *arg)
{
    first.more = succeed_in_vain;
    fate_succeed(reactor, fate_box_with(add_when_dropped, struct named_end *, &first));
}

TEST(what_the_sweep_adds_is_called_and_what_that_leaves_is_swept)
{
    begin();
    reactor = test_reactor();
    fate_turn(reactor, leave_one_that_adds, fate_none());
    EXPECT_STR(trail, "first gone");
}

static void say_report(const fate_unhandled *what, fate_value *arg)
{
    say("report");
    add(&first);
}

static void lack_memory(fate_value *arg)
{
    if (test_fail_allocation(1, true))
        return;
    while (fate_deferred_new(reactor) && !fate__turns(reactor)->handed_no_memory)
        ;
    test_fail_allocation(0, false);
    add(&second);
}

TEST(the_want_of_memory_is_told_after_them)
{
    if (test_is_oom())
        return;
    begin();
    reactor = test_reactor();
    fate_on_unhandled(reactor, say_report, fate_none());
    fate_turn(reactor, lack_memory, fate_none());
    EXPECT_STR(trail, "second report");
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "second report first");
    fate_reactor_free(reactor); /* as its hook has been replaced */
}

/* ---- Loops that would sleep ---- */

TEST(a_loop_does_not_sleep_over_what_was_added_outside_of_events)
{
    begin();
    reactor = test_real_reactor(NULL);
    if (!reactor)
        return;
    add(&first);
    fate__wait(reactor, FATE_NEVER);
    EXPECT_STR(trail, "first");
}

TEST(a_foreign_loop_wakes_for_it)
{
    begin();
    reactor = test_real_reactor(NULL);
    if (!reactor)
        return;
    struct pollfd ready = { .fd = fate_reactor_fd(reactor), .events = POLLIN };
    if (ready.fd < 0)
        return;
    EXPECT_EQ(poll(&ready, 1, 0), 0);
    add(&first);
    EXPECT_EQ(poll(&ready, 1, 10000), 1);
    fate_iterate(reactor, 0);
    EXPECT_STR(trail, "first");
}

static fate_time planned;

static void plan(struct named_end *named)
{
    planned = fate_now(reactor);
}

/* Else a delay would count from the last wake-up, which may be long ago. */
TEST(at_the_end_of_the_turn_outside_the_time_is_that_of_now)
{
    begin();
    reactor = test_real_reactor(NULL);
    if (!reactor)
        return;
    first.more = plan;
    add(&first);
    fate_time before = fate__monotonic();
    fate_iterate(reactor, 0);
    EXPECT(planned >= before);
}
