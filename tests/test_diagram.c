/* Tests of src/diagram/: what is recorded, and the picture that is written. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fate/diagram.h>
#include <fate/fate.h>

#include "test.h"

static fate_reactor *reactor;
static char svg[1 << 20];
static char trail[256];
static fate_deferred *other;
static fate_diagram *held_diagram;

static void begin(void)
{
    trail[0] = svg[0] = '\0';
    other = NULL;
    held_diagram = NULL;
    reactor = test_reactor();
}

static fate_deferred *held(void)
{
    return fate_hold(fate_deferred_new(reactor));
}

/* ---- Is it XML? ---- */

static bool is_entity(const char *at)
{
    static const char *const entities[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };

    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (strncmp(at, entities[i], strlen(entities[i])) == 0)
            return true;
    return false;
}

static bool is_plain_text(const char *s)
{
    for (; *s; s++)
        if (((unsigned char)*s < 0x20 && *s != '\n') || (*s == '&' && !is_entity(s)))
            return false;
    return true;
}

/* Is each element closed in its turn, each attribute quoted, each & an entity? */
static bool is_well_formed(const char *s)
{
    const char *open[32];
    size_t n = 0;

    if (!is_plain_text(s))
        return false;
    while ((s = strchr(s, '<'))) {
        const char *end = strchr(s, '>');
        if (!end || memchr(s + 1, '<', (size_t)(end - s - 1)))
            return false;
        size_t quotes = 0;
        for (const char *at = s; at < end; at++)
            quotes += *at == '"';
        size_t len = strcspn(s + 1, " />");
        if (s[1] == '/') {
            len = strcspn(s + 2, ">");
            if (n == 0 || strncmp(open[--n], s + 2, len) != 0)
                return false;
        } else if (quotes % 2 || len == 0 || n == 32) {
            return false;
        } else if (end[-1] != '/') {
            open[n++] = s + 1;
        }
        s = end;
    }
    return n == 0;
}

/* ---- Drawing ---- */

static int draw(const fate_diagram *diagram)
{
    svg[0] = '\0';
    FILE *file = fmemopen(svg, sizeof svg - 1, "w");
    if (!file)
        return -errno;
    int status = fate_diagram_write(diagram, file);
    fclose(file);
    if (status == 0)
        EXPECT(is_well_formed(svg));
    return status;
}

/* What is seen: behind the description. */
static const char *picture(void)
{
    const char *end = strstr(svg, "</style>");
    return end ? end : "";
}

/* Are the parts there, one behind the other? */
static bool has_in_order(const char *text, const char *const *parts)
{
    for (; *parts; parts++) {
        text = strstr(text, *parts);
        if (!text)
            return false;
        text += strlen(*parts);
    }
    return true;
}
#define EXPECT_IN_ORDER(text, ...) EXPECT(has_in_order(text, (const char *const[]){ __VA_ARGS__, NULL }))

static size_t count(const char *text, const char *part)
{
    size_t n = 0;

    while ((text = strstr(text, part))) {
        text += strlen(part);
        n++;
    }
    return n;
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

static fate_value pass_on(fate_value *result, fate_value *arg)
{
    return fate_take(result);
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_IN_ORDER(picture(), ">Deferred<", ">test_diagram.c:", ">add_one<", ">test_diagram.c:", ">42<",
                    "box green", ">fail_here<", "box idle", ">forgive<", "value red",
                    ">ValueError: wrong token<", "box idle", ">pass_on<", "box red", ">forgive<",
                    "value green", ">0<");
    EXPECT_EQ(count(picture(), ">41</text>"), 1);
    EXPECT_EQ(count(picture(), "box later"), 1); /* the key's */
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_IN_ORDER(svg, "<title", "<desc", " It began with 1.",
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
    EXPECT_EQ(draw(diagram), 0);
    /* Curves of the way taken: from the beginning to the left, to the right, and back to the left. */
    size_t n_curves = 0;
    for (const char *at = picture(); (at = strstr(at, "class=\"taken ")); at++)
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_EQ(count(picture(), "box later"), 3);
    EXPECT_IN_ORDER(picture(), ">add_one<", ">forgive<",
                    ">KeyError: test_diagram.c:", "It has not fired yet.");
    EXPECT_EQ(count(picture(), "class=\"taken"), 2); /* the key's */
    fate_fire(d, fate_int(1));
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_EQ(count(picture(), "box later"), 1);
    EXPECT_IN_ORDER(picture(), "value green", ">1<", ">2<", ">2<");
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_IN_ORDER(picture(), "box green", ">pass_on<", "box idle", ">pass_on<", "box idle", ">errback<",
                    ">branch<", ">chain<", ">none<", ">callback<", ">fate_add_callback<");
    EXPECT_CONTAINS(svg, "A level without callbacks was passed by.");
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_IN_ORDER(picture(), ">6<", ">pass_on<", ">6<");
    EXPECT(!strstr(picture(), "add_one"));
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_IN_ORDER(picture(), "It waits for what it follows.", ">add_one<", "It has not fired yet.");
    EXPECT_EQ(count(picture(), "class=\"follow\""), 2);
    fate_fire(other, fate_int(10));
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_EQ(count(picture(), "class=\"panel\""), 2);
    EXPECT_IN_ORDER(picture(), ">1<", ">follow_other<", ">11<", ">pass_on<", ">11<", ">10<", ">add_one<",
                    ">11<");
    EXPECT_IN_ORDER(svg, "follow_other followed the deferred made at test_diagram.c:", " and got 11.");
    EXPECT(!strstr(picture(), "It waits"));
    EXPECT_EQ(count(picture(), "class=\"head green\" d=\"M"), 9); /* 7 down, one back, the key's */
}

TEST(the_result_of_one_that_has_fired_comes_at_once)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback(d, follow_other, fate_none());
    other = fate_succeed(reactor, fate_str("ready"));
    fate_fire(d, fate_int(1));
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_EQ(count(picture(), ">&quot;ready&quot;</text>"), 2);
    EXPECT_EQ(count(picture(), "class=\"panel\""), 2);
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_EQ(count(picture(), "class=\"panel\""), 1);
    EXPECT_IN_ORDER(svg, "follow_and_forget gave 3.");
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_EQ(count(picture(), "class=\"panel\""), 2);
    EXPECT_IN_ORDER(picture(), ">8<", ">add_one<", ">9<", ">8<");
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_EQ(count(picture(), "class=\"panel\""), 2);
    EXPECT_EQ(count(picture(), ">follows test_diagram.c:"), 1);
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_IN_ORDER(picture(), ">pass_on<", ">none<");
    EXPECT_IN_ORDER(picture(), ">4<", ">none<", ">pass_on<");
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_EQ(count(picture(), "class=\"panel\""), 12);
    EXPECT_EQ(count(picture(), ">follows test_diagram.c:"), 1);
    EXPECT_EQ(count(picture(), ">77</text>"), 12);
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_IN_ORDER(picture(), ">follow_other<", ">CancelledError<", ">forgive<", ">0<", ">CancelledError<");
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_EQ(count(picture(), "class=\"panel\""), 2);
    EXPECT_EQ(count(picture(), ">&quot;from afar&quot;</text>"), 2);
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
    EXPECT_EQ(draw(held_diagram), 0);
    EXPECT_IN_ORDER(picture(), ">note_name<", "Nobody handled this failure: it has been reported.");
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_CONTAINS(picture(), ">&quot;mine alone&quot;</text>");
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_IN_ORDER(picture(), "box later", ">add_one<", "It went without a result.");
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
    fate_add_callback(d, add_one, fate_none());
    fate_fire(d, fate_int(1));
    fate_diagram_free(first);
    fate_add_callback(d, fail_here, fate_none());
    fate_diagram_free(third);
    fate_add_errback(d, forgive, fate_none());
    EXPECT_EQ(draw(second), 0);
    EXPECT_IN_ORDER(picture(), ">add_one<", ">fail_here<", ">forgive<");
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
    EXPECT_EQ(draw(diagrams[50]), 0);
    EXPECT_IN_ORDER(picture(), ">1050<", ">add_one<", ">1051<");
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
    EXPECT_EQ(draw(held_diagram), 0);
    EXPECT_IN_ORDER(picture(), ">20<", ">add_one<", ">21<");
    EXPECT(!strstr(picture(), "make_diagram"));
}

static fate_value draw_here(fate_value *result, fate_value *arg)
{
    EXPECT_EQ(draw(held_diagram), 0);
    return fate_take(result);
}

TEST(a_level_may_draw_its_own_chain)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    held_diagram = fate_diagram_new(d);
    fate_add_callback(d, draw_here, fate_none());
    fate_add_callback(d, add_one, fate_none());
    fate_fire(d, fate_int(1));
    EXPECT_IN_ORDER(picture(), ">draw_here<", "box later", ">add_one<", "It is running now.");
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_IN_ORDER(picture(), ">add_one<", "It is paused.");
    EXPECT_IN_ORDER(picture(), "value green", ">6<", "box later");
    fate_abandon(d);
    fate_release(d);
    fate_advance(reactor, 0);
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_IN_ORDER(picture(), ">add_one<", "It was paused to the end.");
}

/* ---- Texts ---- */

TEST(texts_are_escaped)
{
    begin();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_diagram *diagram = fate_diagram_new(d);
    fate_add_callback_at(d, pass_on, fate_none(), "<&\"'\x01\xff\xef\xbf\xbf> a&b/\xc3\xa4.c:1");
    fate_fire(d, fate_raise(&FATE_VALUE_ERROR, "<b>&\"'\n\xc3\xa9"));
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_CONTAINS(picture(), ">&lt;&amp;&quot;&#39;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&gt;<");
    EXPECT_CONTAINS(picture(), ">\xc3\xa4.c:1<");
    EXPECT_CONTAINS(picture(), "ValueError: &lt;b&gt;&amp;&quot;&#39;\\n\xc3\xa9<");
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT(strlen(picture()) < 5000);
    EXPECT_CONTAINS(picture(), "mmm...</text>");
    EXPECT_EQ(draw(second), 0);
    EXPECT_CONTAINS(picture(), ">list of 1000 items<");
}

/* ---- Limits ---- */

VOLUME_TEST(what_is_too_much_is_not_recorded)
{
    begin();
    fate_deferred *d = held();
    fate_diagram *diagram = fate_diagram_new(d);
    for (int i = 0; i < 1500; i++)
        fate_add_callback(d, add_one, fate_none());
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_EQ(count(picture(), ">add_one<"), 1000);
    EXPECT_CONTAINS(picture(), "More levels wait than are shown.");
    fate_fire(d, fate_int(0));
    EXPECT_INT(fate_peek(d), 1500);
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_EQ(count(picture(), ">add_one<"), 1000);
    EXPECT_CONTAINS(picture(), "More levels have been passed than were recorded.");
    EXPECT(!strstr(picture(), "Memory ran out"));
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
    EXPECT_EQ(draw(diagram), -ENOMEM);
    EXPECT_STR(svg, "");
    fate_diagram_free(diagram);
    for (unsigned long n = 2; n < 4; n++) {
        test_fail_allocation(n, false);
        diagram = fate_diagram_new(d);
        test_fail_allocation(0, false);
        EXPECT_EQ(draw(diagram), -ENOMEM);
        fate_diagram_free(diagram);
    }
    diagram = fate_diagram_new(d);
    test_fail_allocation(3, true);
    int status = draw(diagram);
    test_fail_allocation(0, false);
    EXPECT_EQ(status, -ENOMEM);
    EXPECT_STR(svg, "");
    EXPECT_EQ(draw(diagram), 0);
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
    EXPECT_EQ(draw(diagram), 0);
    EXPECT_CONTAINS(picture(), "More levels have been passed than were recorded.");
    EXPECT_CONTAINS(picture(), "Memory ran out while this was recorded");
    EXPECT_EQ(count(picture(), ">add_one<"), 3);
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
    EXPECT(test_is_oom() || draw(diagram) == -ENOMEM);
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
