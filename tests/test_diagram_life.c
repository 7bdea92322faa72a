/* Tests of src/diagram/: that it disturbs nothing, comes and goes, and bears want of memory. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/diagram.h>
#include <fate/fate.h>

#include "test.h"
#include "test_diagram_helpers.h"

static fate_reactor *reactor;
static fate_deferred *other;
static fate_diagram *held_diagram;
static char trail[256];

static void begin(void)
{
    trail[0] = '\0';
    other = NULL;
    held_diagram = NULL;
    reactor = test_reactor();
}

static fate_deferred *held(void)
{
    return fate_hold(fate_deferred_new(reactor));
}

/* ---- Callbacks ---- */

static void leave_trail(const char *what)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s%s", len ? " " : "", what);
}

static fate_value add_one(fate_value *n, fate_value *arg)
{
    return fate_kind_of(n) == FATE_KIND_INT ? fate_int(fate_as_int(n) + 1) : fate_take(n);
}

static fate_value fail_here(fate_value *result, fate_value *arg)
{
    return fate_raise(&FATE_VALUE_ERROR, "wrong token");
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_int(0);
}

static fate_value note_name(fate_value *result, fate_value *name)
{
    leave_trail(fate_as_ptr(name));
    return fate_take(result);
}

static fate_value follow_other(fate_value *result, fate_value *arg)
{
    return fate_follow(other);
}

/* ---- Nothing is disturbed ---- */

/* The same chain, which leaves a trail. */
static void run_chain(bool is_traced)
{
    begin();
    other = fate_deferred_new(reactor);
    fate_deferred *d = fate_deferred_new(reactor);
    if (is_traced)
        held_diagram = fate_diagram_new(d);
    fate_add_callback(d, note_name, fate_ptr("a"));
    fate_add_callback(d, follow_other, fate_none());
    fate_add_callback(other, note_name, fate_ptr("other"));
    fate_add_callback(d, fail_here, fate_none());
    fate_add_callback(d, note_name, fate_ptr("never"));
    fate_add_both(d, note_name, fate_ptr("b"));
    fate_fire(d, fate_none());
    fate_add_both(other, note_name, fate_ptr("later"));
    fate_fire(other, fate_none());
    fate_advance(reactor, 0);
}

TEST(a_chain_does_the_same_with_a_diagram)
{
    run_chain(false);
    EXPECT_STR(trail, "a other b later");
    EXPECT_EQ(test_reports(reactor), 1);
    run_chain(true);
    EXPECT_STR(trail, "a other b later");
    EXPECT_EQ(test_reports(reactor), 1);
    EXPECT_EQ(test_draw(held_diagram), 0);
    EXPECT_IN_ORDER(test_picture(), ">note_name<", "Nobody handled this failure: it has been reported.");
}

TEST(values_go_as_early_as_without)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    fate_value text = fate_str("mine alone");
    long blocks = test_blocks();
    fate_fire(d, text);
    fate_advance(reactor, 0);
    EXPECT(test_blocks() < blocks);
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_CONTAINS(test_picture(), ">&quot;mine alone&quot;</text>");
}

/* ---- Coming and going ---- */

TEST(the_record_of_one_that_has_gone_stays)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback(d, add_one, fate_none());
    fate_abandon(d);
    fate_advance(reactor, 0);
    fate_deferred_new(reactor);
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_IN_ORDER(test_picture(), "box later", ">add_one<", "It went without a result.");
    fate_diagram_free(diagram);
}

TEST(a_diagram_freed_first_leaves_the_chain_as_it_is)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback(d, note_name, fate_ptr("a"));
    fate_add_callback(d, note_name, fate_ptr("b"));
    fate_diagram_free(diagram);
    fate_diagram_free(NULL);
    fate_fire(d, fate_none());
    EXPECT_STR(trail, "a b");
}

TEST(diagrams_of_one_deferred_come_and_go_on_their_own)
{
    begin();
    fate_deferred *d = held();
    fate_diagram *first = fate_diagram_new(d), *second = fate_diagram_new(d), *third = fate_diagram_new(d);
    fate_diagram *fourth = fate_diagram_new(d);
    fate_diagram_free(fourth);
    fate_add_callback(d, add_one, fate_none());
    fate_fire(d, fate_int(1));
    fate_diagram_free(first);
    fate_add_callback(d, fail_here, fate_none());
    fate_diagram_free(third);
    fate_add_errback(d, forgive, fate_none());
    EXPECT_EQ(test_draw(second), 0);
    EXPECT_IN_ORDER(test_picture(), ">add_one<", ">fail_here<", ">forgive<");
    fate_diagram_free(second);
    fate_add_callback(d, note_name, fate_ptr("after all"));
    EXPECT_STR(trail, "after all");
    fate_release(d);
}

TEST(many_diagrams_on_one_reactor)
{
    begin();
    fate_diagram *diagrams[100];
    fate_deferred *ds[100];
    for (int i = 0; i < 100; i++) {
        ds[i] = fate_deferred_new(reactor);
        diagrams[i] = fate_diagram_new(ds[i]);
        fate_add_callback(ds[i], add_one, fate_none());
    }
    for (int i = 0; i < 100; i++) {
        fate_fire(ds[i], fate_int(1000 + i));
        if (i % 3 == 0)
            fate_diagram_free(diagrams[i]);
    }
    EXPECT_EQ(test_draw(diagrams[50]), 0);
    EXPECT_IN_ORDER(test_picture(), ">1050<", ">add_one<", ">1051<");
}

static fate_value free_diagram(fate_value *result, fate_value *arg)
{
    fate_diagram_free(held_diagram);
    return fate_take(result);
}

static fate_value make_diagram(fate_value *result, fate_value *d)
{
    held_diagram = fate_diagram_new(fate_as_ptr(d));
    return fate_int(20);
}

TEST(a_diagram_may_be_freed_and_made_inside_the_chain)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    held_diagram = fate_diagram_new(d);
    fate_add_callback(d, free_diagram, fate_none());
    fate_add_callback(d, make_diagram, fate_ptr(d));
    fate_add_callback(d, add_one, fate_none());
    fate_fire(d, fate_int(1));
    EXPECT_EQ(test_draw(held_diagram), 0);
    EXPECT_IN_ORDER(test_picture(), ">20<", ">add_one<", ">21<");
    EXPECT(!strstr(test_picture(), "make_diagram"));
}

static fate_value draw_here(fate_value *result, fate_value *arg)
{
    EXPECT_EQ(test_draw(held_diagram), 0);
    return fate_take(result);
}

static fate_value make_diagram_and_follow(fate_value *result, fate_value *d)
{
    held_diagram = fate_diagram_new(fate_as_ptr(d));
    return fate_follow(other);
}

TEST(a_diagram_made_inside_a_level_begins_with_what_that_leaves)
{
    begin();
    other = fate_deferred_new(reactor);
    fate_deferred *d = fate_deferred_new(reactor);
    fate_add_callback(d, make_diagram_and_follow, fate_ptr(d));
    fate_add_callback(d, add_one, fate_none());
    fate_fire(d, fate_int(1));
    fate_fire(other, fate_int(5));
    if (!EXPECT(held_diagram != NULL))
        return;
    EXPECT_EQ(test_draw(held_diagram), 0);
    EXPECT_EQ(test_count(test_picture(), "class=\"panel\""), 1);
    EXPECT_IN_ORDER(test_picture(), ">5<", ">add_one<", ">6<");
}

TEST(a_level_may_draw_its_own_chain)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    held_diagram = fate_diagram_new(d);
    fate_add_callback(d, draw_here, fate_none());
    fate_add_callback(d, add_one, fate_none());
    fate_fire(d, fate_int(1));
    EXPECT_IN_ORDER(test_picture(), ">draw_here<", "box later", ">add_one<", "It is running now.");
}

TEST(a_diagram_goes_with_its_reactor)
{
    begin();
    other = held();
    fate_deferred *d = held();
    fate_diagram_new(d);
    fate_add_callback(d, follow_other, fate_none());
    fate_add_callback(d, note_name, fate_ptr("never"));
    fate_fire(d, fate_none());
    fate_reactor_free(reactor);
    EXPECT_STR(trail, "");
}

TEST(one_that_is_paused_says_so)
{
    begin();
    fate_deferred *d = held();
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback(d, add_one, fate_none());
    fate_pause(d);
    fate_fire(d, fate_int(6));
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_IN_ORDER(test_picture(), ">add_one<", "It is paused.");
    EXPECT_IN_ORDER(test_picture(), "value green", ">6<", "box later");
    fate_abandon(d);
    fate_release(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_IN_ORDER(test_picture(), ">add_one<", "It was paused to the end.");
}

/* ---- Limits ---- */

VOLUME_TEST(what_is_too_much_is_not_recorded)
{
    begin();
    fate_deferred *d = held();
    fate_diagram *diagram = fate_diagram_new(d);
    for (int i = 0; i < 1500; i++)
        fate_add_callback(d, add_one, fate_none());
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_EQ(test_count(test_picture(), ">add_one<"), 1000);
    EXPECT_CONTAINS(test_picture(), "More levels wait than are shown.");
    fate_fire(d, fate_int(0));
    EXPECT_INT(fate_peek(d), 1500);
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_EQ(test_count(test_picture(), ">add_one<"), 1000);
    EXPECT_CONTAINS(test_picture(), "More levels have been passed than were recorded.");
    EXPECT(!strstr(test_picture(), "Memory ran out"));
    fate_release(d);
}

TEST(without_memory_there_is_no_picture)
{
    begin();
    fate_deferred *d = held();
    test_fail_allocation(1, true);
    fate_diagram *diagram = fate_diagram_new(d);
    test_fail_allocation(0, false);
    EXPECT(diagram != NULL);
    EXPECT_EQ(test_draw(diagram), -ENOMEM);
    EXPECT_STR(test_svg(), "");
    fate_diagram_free(diagram);
    for (unsigned long n = 2; n < 4; n++) {
        test_fail_allocation(n, false);
        diagram = fate_diagram_new(d);
        test_fail_allocation(0, false);
        EXPECT_EQ(test_draw(diagram), -ENOMEM);
        fate_diagram_free(diagram);
    }
    diagram = fate_diagram_new(d);
    test_fail_allocation(3, true);
    int status = test_draw(diagram);
    test_fail_allocation(0, false);
    EXPECT_EQ(status, -ENOMEM);
    EXPECT_STR(test_svg(), "");
    EXPECT_EQ(test_draw(diagram), 0);
    fate_release(d);
}

TEST(memory_that_ran_out_while_recording_is_told)
{
    begin();
    fate_deferred *d = held();
    fate_diagram *diagram = fate_diagram_new(d);
    for (int i = 0; i < 10; i++)
        fate_add_callback(d, add_one, fate_none());
    test_fail_allocation(1, true);
    fate_fire(d, fate_int(0));
    test_fail_allocation(0, false);
    EXPECT_INT(fate_peek(d), 10);
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_CONTAINS(test_picture(), "More levels have been passed than were recorded.");
    EXPECT_CONTAINS(test_picture(), "Memory ran out while this was recorded");
    EXPECT_EQ(test_count(test_picture(), ">add_one<"), 3);
    fate_release(d);
}

TEST(the_no_memory_deferred_has_no_picture)
{
    begin();
    test_fail_allocation(1, true);
    fate_value lost = fate_str("y");
    fate_deferred *d = fate_deferred_new_cancellable(reactor, NULL, lost);
    test_fail_allocation(0, false);
    fate_diagram *diagram = fate_diagram_new(d);
    EXPECT(test_is_oom() || test_draw(diagram) == -ENOMEM);
    fate_add_errback(d, forgive, fate_none());
    fate_diagram_free(diagram);
}

TEST(an_error_of_writing_is_told)
{
    begin();
    fate_diagram *diagram = fate_diagram_new(fate_deferred_new(reactor));
    FILE *full = fopen("/dev/full", "w");
    if (!EXPECT(full != NULL))
        return;
    int status = fate_diagram_write(diagram, full);
    EXPECT_EQ(status, -ENOSPC);
    fclose(full);
}
