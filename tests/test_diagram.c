/* Tests of src/diagram/: the picture of what is recorded. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/diagram.h>
#include <fate/fate.h>

#include "test.h"
#include "test_diagram_helpers.h"

static fate_reactor *reactor;
static fate_deferred *other;

static void begin(void)
{
    other = NULL;
    reactor = test_reactor();
}

static fate_deferred *held(void)
{
    return fate_hold(fate_deferred_new(reactor));
}

/* ---- Callbacks ---- */

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

static fate_value pass_on(fate_value *result, fate_value *arg)
{
    return fate_take(result);
}

static fate_value follow_other(fate_value *result, fate_value *arg)
{
    return fate_follow(other);
}

/* ---- The chain ---- */

TEST(names_lines_and_values_are_drawn_in_order)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback(d, add_one, fate_none());
    fate_add_callbacks(d, fail_here, forgive, fate_none());
    fate_add_callbacks(d, pass_on, forgive, fate_none());
    fate_fire(d, fate_int(41));
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_IN_ORDER(test_picture(), ">Deferred<", ">test_diagram.c:", ">add_one<", ">test_diagram.c:", ">42<",
                    "box green", ">fail_here<", "box idle", ">forgive<", "value red",
                    ">ValueError: wrong token<", "box idle", ">pass_on<", "box red", ">forgive<",
                    "value green", ">0<");
    EXPECT_EQ(test_count(test_picture(), ">41</text>"), 1);
    EXPECT_EQ(test_count(test_picture(), "box later"), 1); /* the key's */
    fate_diagram_free(diagram);
}

TEST(the_description_tells_the_same_in_words)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback(d, fail_here, fate_none());
    fate_add_callback(d, add_one, fate_none());
    fate_add_errback(d, forgive, fate_none());
    fate_fire(d, fate_int(1));
    fate_pause(d);
    fate_add_callbacks(d, pass_on, forgive, fate_none());
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_IN_ORDER(test_svg(), "<title", "<desc", " It began with 1.",
                    " fail_here failed with the failure ValueError: wrong token.", " add_one was passed by.",
                    " forgive gave 0.", " pass_on or forgive has not been reached.", " It is paused.",
                    "</desc>");
    fate_unpause(d);
}

TEST(a_failure_crosses_to_the_errbacks_and_back)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback(d, fail_here, fate_none());
    fate_add_errback(d, forgive, fate_none());
    fate_fire(d, fate_none());
    EXPECT_EQ(test_draw(diagram), 0);
    /* Curves of the way taken: from the beginning to the left, to the right, and back to the left. */
    size_t n_curves = 0;
    for (const char *at = test_picture(); (at = strstr(at, "class=\"taken ")); at++)
        n_curves += strcspn(at, "C") < strcspn(at, ">");
    EXPECT_EQ(n_curves, 3);
}

TEST(levels_not_reached_are_grey)
{
    begin();
    fate_deferred *d = held();
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback(d, add_one, fate_none());
    fate_add_trap(d, &FATE_KEY_ERROR, forgive, fate_none());
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_EQ(test_count(test_picture(), "box later"), 3);
    EXPECT_IN_ORDER(test_picture(), ">add_one<", ">forgive<",
                    ">KeyError: test_diagram.c:", "It has not fired yet.");
    EXPECT_EQ(test_count(test_picture(), "class=\"taken"), 2); /* the key's */
    fate_fire(d, fate_int(1));
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_EQ(test_count(test_picture(), "box later"), 1);
    EXPECT_IN_ORDER(test_picture(), "value green", ">1<", ">2<", ">2<");
    fate_release(d);
}

TEST(each_kind_of_level_is_drawn)
{
    begin();
    fate_deferred *d = held(), *target = held();
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_both(d, pass_on, fate_none());
    fate_add_handlers(d, .errback = forgive);
    fate_add_callbacks(d, NULL, NULL, fate_none());
    fate_branch(d);
    fate_chain(d, target);
    (fate_add_callback)(d, pass_on, fate_none());
    fate_fire(d, fate_int(7));
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_IN_ORDER(test_picture(), "box green", ">pass_on<", "box idle", ">pass_on<", "box idle",
                    ">errback<", ">branch<", ">chain<", ">none<", ">callback<", ">fate_add_callback<");
    EXPECT_CONTAINS(test_svg(), "A level without callbacks was passed by.");
    fate_release(d);
    fate_release(target);
}

TEST(what_came_before_the_diagram_is_not_known)
{
    begin();
    fate_deferred *d = fate_succeed(reactor, fate_int(5));
    fate_add_callback(d, add_one, fate_none());
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback(d, pass_on, fate_none());
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_IN_ORDER(test_picture(), ">6<", ">pass_on<", ">6<");
    EXPECT(!strstr(test_picture(), "add_one"));
}

/* ---- Following ---- */

TEST(what_is_followed_is_drawn_beside)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    other = fate_deferred_new(reactor);
    fate_add_callback(other, add_one, fate_none());
    fate_add_callback(d, follow_other, fate_none());
    fate_add_callback(d, pass_on, fate_none());
    fate_fire(d, fate_int(1));
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_IN_ORDER(test_picture(), "It waits for what it follows.", ">add_one<", "It has not fired yet.");
    EXPECT_EQ(test_count(test_picture(), "class=\"follow\""), 2);
    fate_fire(other, fate_int(10));
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_EQ(test_count(test_picture(), "class=\"panel\""), 2);
    EXPECT_IN_ORDER(test_picture(), ">1<", ">follow_other<", ">11<", ">pass_on<", ">11<", ">10<", ">add_one<",
                    ">11<");
    EXPECT_IN_ORDER(test_svg(), "follow_other followed the deferred made at test_diagram.c:", " and got 11.");
    EXPECT(!strstr(test_picture(), "It waits"));
    EXPECT_EQ(test_count(test_picture(), "class=\"head green\" d=\"M"), 9); /* 7 down, one back, the key's */
}

TEST(the_result_of_one_that_has_fired_comes_at_once)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback(d, follow_other, fate_none());
    other = fate_succeed(reactor, fate_str("ready"));
    fate_fire(d, fate_int(1));
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_EQ(test_count(test_picture(), ">&quot;ready&quot;</text>"), 2);
    EXPECT_EQ(test_count(test_picture(), "class=\"panel\""), 2);
}

static fate_value follow_and_forget(fate_value *result, fate_value *arg)
{
    fate_deferred *inner = fate_deferred_new(reactor);
    fate_add_callback(inner, follow_other, fate_none());
    fate_fire(inner, fate_none());
    return fate_int(3);
}

TEST(what_another_follows_meanwhile_is_not_followed)
{
    begin();
    other = held();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback(d, follow_and_forget, fate_none());
    fate_fire(d, fate_none());
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_EQ(test_count(test_picture(), "class=\"panel\""), 1);
    EXPECT_IN_ORDER(test_svg(), "follow_and_forget gave 3.");
    fate_fire(other, fate_none());
    fate_release(other);
}

TEST(one_that_waits_already_is_drawn_with_what_it_waits_for)
{
    begin();
    other = fate_deferred_new(reactor);
    fate_deferred *d = fate_deferred_new(reactor);
    fate_add_callback(d, follow_other, fate_none());
    fate_fire(d, fate_none());
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback(d, add_one, fate_none());
    fate_fire(other, fate_int(8));
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_EQ(test_count(test_picture(), "class=\"panel\""), 2);
    EXPECT_IN_ORDER(test_picture(), ">8<", ">add_one<", ">9<", ">8<");
}

TEST(what_is_followed_twice_is_drawn_once)
{
    begin();
    other = fate_hold(fate_succeed(reactor, fate_int(4)));
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback(d, follow_other, fate_none());
    fate_add_callback(d, follow_other, fate_none());
    fate_fire(d, fate_none());
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_EQ(test_count(test_picture(), "class=\"panel\""), 2);
    EXPECT_EQ(test_count(test_picture(), ">follows test_diagram.c:"), 1);
    fate_release(other);
}

TEST(a_result_that_another_took_is_seen_to_be_gone)
{
    begin();
    fate_deferred *d = fate_hold(fate_succeed(reactor, fate_int(4)));
    fate_diagram *diagram = fate_diagram_new(d);
    other = d;
    fate_deferred *taker = fate_deferred_new(reactor);
    fate_add_callback(taker, follow_other, fate_none());
    fate_fire(taker, fate_none());
    fate_add_callback(d, pass_on, fate_none());
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_IN_ORDER(test_picture(), ">pass_on<", ">none<");
    EXPECT_IN_ORDER(test_picture(), ">4<", ">none<", ">pass_on<");
    fate_release(d);
}

static fate_value follow_arg(fate_value *result, fate_value *inner)
{
    return fate_follow(fate_as_ptr(inner));
}

TEST(following_is_drawn_to_a_depth)
{
    begin();
    fate_deferred *ds[31];
    ds[0] = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(ds[0]);
    for (int i = 0; i < 30; i++) {
        ds[i + 1] = fate_deferred_new(reactor);
        fate_add_callback(ds[i], follow_arg, fate_ptr(ds[i + 1]));
    }
    for (int i = 0; i < 30; i++)
        fate_fire(ds[i], fate_none());
    fate_fire(ds[30], fate_int(77));
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_EQ(test_count(test_picture(), "class=\"panel\""), 12);
    EXPECT_EQ(test_count(test_picture(), ">follows test_diagram.c:"), 1);
    EXPECT_EQ(test_count(test_picture(), ">77</text>"), 12);
}

/* Where the n-th panel begins and ends. */
static void find_panel(size_t n, int *ret_y, int *ret_bottom)
{
    const char *at = test_picture();
    int height = 0;

    *ret_y = 0;
    for (size_t i = 0; at && i <= n; i++)
        at = strstr(at + (*at != 0), "class=\"panel\"");
    EXPECT(at &&
           sscanf(at, "class=\"panel\" x=\"%*d\" y=\"%d\" width=\"%*d\" height=\"%d\"", ret_y, &height) == 2);
    *ret_bottom = *ret_y + height;
}

TEST(panels_in_one_column_do_not_overlap)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor), *second = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    other = held();
    fate_add_callback(d, follow_other, fate_none());
    fate_add_callback(d, follow_arg, fate_ptr(second));
    fate_fire(d, fate_none());
    for (int i = 0; i < 10; i++)
        fate_add_callback(other, pass_on, fate_none());
    fate_fire(other, fate_none());
    fate_fire(second, fate_none());
    EXPECT_EQ(test_draw(diagram), 0);
    int y, bottom, second_y, second_bottom;
    find_panel(1, &y, &bottom);
    find_panel(2, &second_y, &second_bottom);
    EXPECT(bottom - y > 1000);
    EXPECT(second_y > bottom);
    EXPECT(second_bottom > second_y);
    fate_release(other);
}

TEST(a_cancel_is_seen_to_come_back)
{
    begin();
    other = fate_deferred_new(reactor);
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback(d, follow_other, fate_none());
    fate_add_errback(d, forgive, fate_none());
    fate_fire(d, fate_none());
    fate_cancel(d);
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_IN_ORDER(test_picture(), ">follow_other<", ">CancelledError<", ">forgive<", ">0<",
                    ">CancelledError<");
}

static fate_value await_other(fate_coro *co, fate_value *arg)
{
    return fate_await(co, other);
}

static fate_value start_and_follow(fate_value *result, fate_value *arg)
{
    return fate_follow(fate_go(reactor, await_other, fate_none()));
}

TEST(a_coroutine_that_is_followed_is_drawn)
{
    begin();
    other = fate_deferred_new(reactor);
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback(d, start_and_follow, fate_none());
    fate_fire(d, fate_none());
    fate_fire(other, fate_str("from afar"));
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_EQ(test_count(test_picture(), "class=\"panel\""), 2);
    EXPECT_EQ(test_count(test_picture(), ">&quot;from afar&quot;</text>"), 2);
}

/* ---- Texts ---- */

TEST(texts_are_escaped)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback_at(d, pass_on, fate_none(), "<&\"'\x01\xff\xef\xbf\xbf> a&b/\xc3\xa4.c:1");
    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "<b>&\"'\n\xc3\xa9"));
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT_CONTAINS(test_picture(), ">&lt;&amp;&quot;&#39;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&gt;<");
    EXPECT_CONTAINS(test_picture(), ">\xc3\xa4.c:1<");
    EXPECT_CONTAINS(test_picture(), "ValueError: &lt;b&gt;&amp;&quot;&#39;\\n\xc3\xa9<");
}

TEST(long_texts_are_shortened)
{
    begin();
    char text[5000];
    memset(text, 'm', sizeof text);
    text[sizeof text - 1] = '\0';
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback(d, pass_on, fate_none());
    fate_fire(d, fate_str(text));
    fate_value list = fate_list(0, NULL);
    for (int i = 0; i < 1000; i++)
        fate_list_append(&list, fate_int(i));
    fate_deferred *of_list = fate_succeed(reactor, list);
    fate_diagram *second = fate_diagram_new(of_list);
    EXPECT_EQ(test_draw(diagram), 0);
    EXPECT(strlen(test_picture()) < 5000);
    EXPECT_CONTAINS(test_picture(), "mmm...</text>");
    EXPECT_EQ(test_draw(second), 0);
    EXPECT_CONTAINS(test_picture(), ">list of 1000 items<");
}
