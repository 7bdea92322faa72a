/* Tests of src/reactor/channel.c. */
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

static fate_reactor *reactor;
static fate_channel *channel;
static char heard[512];

static void begin(void)
{
    reactor = test_reactor();
    channel = fate_channel_new(reactor);
    heard[0] = '\0';
}

static void note(const char *who, const fate_value *v)
{
    fate_value text = fate_describe(v);
    const char *s = "?";

    fate_get_str(&text, &s);
    snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%s %s; ", who, s);
    fate_drop(text);
}

static fate_value note_one(fate_value *v, fate_value *who)
{
    note(fate_as_ptr(who), v);
    return fate_none();
}

static void read_one(fate_value *source, const char *who)
{
    fate_add_both(fate_read(source), note_one, fate_ptr((void *)(uintptr_t)who));
}

static size_t say(int n)
{
    return fate_channel_say(channel, fate_int(n));
}

TEST(all_hear_what_is_said_from_now_on)
{
    begin();
    EXPECT_EQ(say(1), 0);
    fate_value a = fate_channel_source(channel);
    EXPECT_EQ(say(2), 1);
    fate_value b = fate_channel_source(channel);
    EXPECT_EQ(say(3), 2);
    read_one(&a, "a");
    read_one(&a, "a");
    read_one(&b, "b");
    read_one(&b, "b");
    EXPECT_STR(heard, "a 2; a 3; b 3; ");
    EXPECT_EQ(say(4), 2);
    EXPECT_STR(heard, "a 2; a 3; b 3; b 4; ");
    fate_drop(a);
    EXPECT_EQ(say(5), 1);
    fate_drop(b);
    EXPECT_EQ(say(6), 0);
}

TEST(who_is_too_far_behind_loses_the_oldest)
{
    begin();
    fate_value source = fate_channel_source(channel);
    for (int i = 1; i <= 70; i++)
        say(i);
    read_one(&source, "a");
    EXPECT_STR(heard, "a 7; ");
    for (int i = 8; i < 70; i++)
        fate_forget(fate_read(&source));
    heard[0] = '\0';
    read_one(&source, "a");
    read_one(&source, "a");
    EXPECT_STR(heard, "a 70; ");
    say(71);
    EXPECT_STR(heard, "a 70; a 71; ");
    fate_drop(source);
}

TEST(none_is_the_end_behind_what_was_said)
{
    begin();
    fate_value a = fate_channel_source(channel);
    fate_value b = fate_channel_source(channel);
    read_one(&b, "b");
    say(1);
    EXPECT_EQ(fate_channel_say(channel, fate_none()), 2);
    EXPECT_EQ(say(2), 0);
    read_one(&a, "a");
    read_one(&a, "a");
    read_one(&b, "b");
    fate_value late = fate_channel_source(channel);
    read_one(&late, "late");
    EXPECT_STR(heard, "b 1; a 1; a none; b none; late none; ");
    fate_drop(a);
    fate_drop(b);
    fate_drop(late);
}

TEST(a_failure_ends_it_for_all)
{
    begin();
    fate_value a = fate_channel_source(channel);
    fate_value b = fate_channel_source(channel);
    read_one(&a, "a");
    EXPECT_EQ(fate_channel_say(channel, fate_raise(&FATE_VALUE_ERROR, "broken")), 2);
    read_one(&b, "b");
    read_one(&a, "a");
    EXPECT_STR(heard, "a <ValueError: broken>; b <ValueError: broken>; a <ValueError: broken>; ");
    fate_drop(a);
    fate_drop(b);
}

TEST(freeing_it_ends_its_sources)
{
    begin();
    fate_value a = fate_channel_source(channel);
    fate_value b = fate_channel_source(channel);
    read_one(&a, "a");
    fate_channel_free(channel);
    EXPECT_STR(heard, "a none; ");
    read_one(&b, "b");
    EXPECT_STR(heard, "a none; b none; ");
    fate_drop(a);
    fate_drop(b);
    fate_channel_free(NULL);
}

TEST(what_nobody_has_read_goes_with_the_reactor)
{
    begin();
    fate_value source = fate_channel_source(channel);
    fate_channel_say(channel, fate_str("unread"));
    fate_value waiting = fate_channel_source(channel);
    read_one(&waiting, "w");
    fate_reactor_free(reactor);
    fate_drop(source);
    fate_drop(waiting);
}

TEST(a_cancelled_read_loses_nothing)
{
    begin();
    fate_value source = fate_channel_source(channel);
    fate_deferred *d = fate_read(&source);
    fate_add_both(d, note_one, fate_ptr("cancelled"));
    fate_cancel(d);
    heard[0] = '\0';
    say(1);
    read_one(&source, "a");
    EXPECT_STR(heard, "a 1; ");
    fate_drop(source);
}

/* ---- From inside ---- */

static fate_value *other, second;

static fate_value say_more(fate_value *v, fate_value *arg)
{
    note("first", v);
    say(2);
    return fate_none();
}

TEST(what_is_said_by_who_hears_comes_after_for_all)
{
    begin();
    fate_value a = fate_channel_source(channel), b = fate_channel_source(channel);
    fate_add_callback(fate_read(&a), say_more, fate_none());
    read_one(&b, "b");
    say(1);
    read_one(&b, "b");
    read_one(&a, "a");
    EXPECT_STR(heard, "first 1; b 1; b 2; a 2; ");
    fate_drop(a);
    fate_drop(b);
}

static fate_value drop_other(fate_value *v, fate_value *arg)
{
    note("first", v);
    fate_drop(fate_take(other));
    fate_channel_free(channel);
    return fate_none();
}

TEST(others_and_the_channel_may_go_while_it_is_heard)
{
    begin();
    fate_value a = fate_channel_source(channel);
    second = fate_channel_source(channel);
    other = &second;
    fate_add_callback(fate_read(&a), drop_other, fate_none());
    fate_deferred *d = fate_hold(fate_read(&second));
    say(1);
    EXPECT_STR(heard, "first 1; ");
    read_one(&a, "a");
    EXPECT_STR(heard, "first 1; a none; ");
    fate_release(d);
    fate_drop(a);
    fate_drop(fate_take(&second));
}

TEST(it_is_pumped_as_any_source)
{
    begin();
    fate_value source = fate_channel_source(channel);
    fate_deferred *d = fate_read_all(source, 100);
    fate_add_both(d, note_one, fate_ptr("all"));
    fate_channel_say(channel, fate_str("one "));
    fate_channel_say(channel, fate_str("two"));
    fate_channel_say(channel, fate_none());
    EXPECT_STR(heard, "all \"one two\"; ");
}
