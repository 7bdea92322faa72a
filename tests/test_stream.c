/* Tests of src/reactor/stream_source.c, stream_sink.c and stream_pump.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fate/fate.h>

#include "test.h"

/* ---- A source of what the test puts in, and a sink that notes what comes out ---- */

static fate_reactor *reactor;
static fate_queue *queue;
static int n_asked, n_stopped, n_drops;

static char noted[256];
static char ended[128]; /* "" while it has not; "none", or the failure */
static int n_ends;
static bool has_no_room; /* writes wait for `room` */
static fate_deferred *room, *end_of_sink;

static void begin(void)
{
    n_asked = n_stopped = n_drops = n_ends = 0;
    noted[0] = ended[0] = '\0';
    has_no_room = false;
    room = end_of_sink = NULL;
    reactor = test_reactor();
    queue = fate_queue_new(reactor, FATE_UNLIMITED, FATE_UNLIMITED);
}

struct token {
    int number;
};

static void token_dropped(void *token)
{
    n_drops++;
}

static fate_deferred *read_queue(fate_value *arg, size_t bytes_max)
{
    n_asked++;
    return fate_queue_get(queue);
}

static void stop_queue(fate_value *arg)
{
    n_stopped++;
}

static const fate_source_ops queue_ops = {
    .size = sizeof queue_ops, .name = "queue", .read = read_queue, .stop = stop_queue
};

static fate_value source(void)
{
    return fate_source(reactor, &queue_ops, fate_box_with(token_dropped, struct token, 1));
}

static void put(const char *text)
{
    fate_queue_put(queue, fate_str(text));
}

static void put_end(void)
{
    fate_queue_put(queue, fate_none());
}

static void put_failure(void)
{
    fate_queue_put(queue, fate_raise(&FATE_VALUE_ERROR, "broken"));
}

static fate_deferred *note(fate_reactor *on, fate_value *arg, fate_value piece)
{
    const char *text = "?";
    size_t len = strlen(noted);

    fate_get_str(&piece, &text);
    snprintf(noted + len, sizeof noted - len, "%s,", text);
    bool is_bad = strcmp(text, "bad") == 0;
    fate_drop(piece);
    if (is_bad)
        return fate_fail(on, fate_raise(&FATE_BROKEN_PIPE, "no more"));
    if (!has_no_room)
        return fate_succeed(on, fate_none());
    return room = fate_hold(fate_deferred_new(on));
}

static fate_deferred *note_end(fate_reactor *on, fate_value *arg, fate_value *why)
{
    n_ends++;
    snprintf(ended, sizeof ended, "%s", fate_is_failure(why) ? fate_message(why) : "none");
    if (fate_is(why, &FATE_CANCELLED))
        snprintf(ended, sizeof ended, "cancelled");
    return end_of_sink ? end_of_sink : fate_succeed(on, fate_none());
}

static const fate_sink_ops note_ops = {
    .size = sizeof note_ops, .name = "notes", .write = note, .end = note_end
};

static fate_value sink(void)
{
    return fate_sink(&note_ops, fate_box_with(token_dropped, struct token, 2));
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

/* Held, so that it can be looked at; its failure is looked at and handled by `is_failed`. */
static fate_deferred *kept(fate_deferred *d)
{
    return fate_hold(d);
}

static bool is_failed(fate_deferred *d, const fate_class *c)
{
    bool is = fate_state(d) == FATE_DONE && EXPECT_FAILURE(fate_peek(d), c);

    fate_add_errback(d, forgive, fate_none());
    return is;
}

static void release_all(size_t n, fate_deferred *const all[])
{
    for (size_t i = 0; i < n; i++)
        fate_release(all[i]);
}

#define RELEASE(...)                                                                                         \
    release_all(sizeof((fate_deferred *[]){ __VA_ARGS__ }) / sizeof(fate_deferred *),                        \
                (fate_deferred *[]){ __VA_ARGS__ })

/* ---- Reading ---- */

TEST(a_read_gets_the_next_piece_and_nothing_is_asked_for_before)
{
    begin();
    fate_value s = source();
    put("a");
    put("b");
    EXPECT_EQ(n_asked, 0);
    fate_deferred *a = kept(fate_read(&s));
    EXPECT_TEXT(fate_peek(a), "a");
    EXPECT_EQ(n_asked, 1);
    fate_deferred *b = kept(fate_read(&s));
    EXPECT_TEXT(fate_peek(b), "b");
    RELEASE(a, b);
    fate_drop(s);
    EXPECT_EQ(n_stopped, 1);
    EXPECT_EQ(n_drops, 1);
}

TEST(those_who_read_get_a_piece_each_in_order)
{
    begin();
    fate_value s = source();
    fate_deferred *a = kept(fate_read(&s)), *b = kept(fate_read(&s)), *c = kept(fate_read(&s));
    EXPECT_EQ(n_asked, 1);
    put("a");
    EXPECT_TEXT(fate_peek(a), "a");
    EXPECT_EQ(fate_state(b), FATE_UNFIRED);
    put("b");
    put("c");
    EXPECT_TEXT(fate_peek(b), "b");
    EXPECT_TEXT(fate_peek(c), "c");
    RELEASE(a, b, c);
    fate_drop(s);
}

TEST(the_end_comes_again_for_each_who_asks_and_the_source_is_not_asked_again)
{
    begin();
    fate_value s = source();
    put_end();
    fate_deferred *a = kept(fate_read(&s)), *b = kept(fate_read(&s));
    EXPECT_NONE(fate_peek(a));
    EXPECT_NONE(fate_peek(b));
    EXPECT_EQ(n_asked, 1);
    RELEASE(a, b);
    fate_drop(s);
    EXPECT_EQ(n_stopped, 0);
    EXPECT_EQ(n_drops, 1);
}

TEST(a_failure_is_the_end_too_and_comes_to_each)
{
    begin();
    fate_value s = source();
    fate_deferred *a = kept(fate_read(&s)), *b = kept(fate_read(&s));
    put_failure();
    EXPECT(is_failed(a, &FATE_VALUE_ERROR));
    EXPECT(is_failed(b, &FATE_VALUE_ERROR));
    fate_deferred *c = kept(fate_read(&s));
    EXPECT(is_failed(c, &FATE_VALUE_ERROR));
    EXPECT_EQ(n_asked, 1);
    RELEASE(a, b, c);
    fate_drop(s);
    EXPECT_EQ(n_stopped, 0);
    EXPECT_EQ(test_reports(reactor), 0);
}

TEST(a_cancelled_read_loses_nothing)
{
    begin();
    fate_value s = source();
    fate_deferred *a = kept(fate_read(&s));
    fate_cancel(a);
    EXPECT(is_failed(a, &FATE_CANCELLED));
    put("a");
    put("b");
    fate_deferred *b = kept(fate_read(&s)), *c = kept(fate_read(&s));
    EXPECT_TEXT(fate_peek(b), "a");
    EXPECT_TEXT(fate_peek(c), "b");
    RELEASE(a, b, c);
    fate_drop(s);
}

TEST(a_read_that_waits_keeps_its_source)
{
    begin();
    fate_value s = source();
    fate_deferred *a = kept(fate_read(&s));
    fate_drop(s);
    EXPECT_EQ(n_stopped, 0);
    put("a");
    EXPECT_TEXT(fate_peek(a), "a");
    EXPECT_EQ(n_stopped, 1);
    EXPECT_EQ(n_drops, 1);
    RELEASE(a);
}

TEST(the_last_read_that_is_cancelled_lets_the_source_go)
{
    begin();
    fate_value s = source();
    fate_deferred *a = kept(fate_read(&s));
    fate_drop(s);
    fate_cancel(a);
    EXPECT(is_failed(a, &FATE_CANCELLED));
    EXPECT_EQ(n_stopped, 1);
    EXPECT_EQ(n_drops, 1);
    EXPECT_EQ(fate_queue_waiting(queue), 0);
    RELEASE(a);
}

static fate_value drop_source(fate_value *piece, fate_value *s)
{
    fate_drop(fate_take(fate_as_ptr(s)));
    return fate_take(piece);
}

static fate_deferred *last_read;

static void look_and_cancel_again(fate_value *arg)
{
    FILE *nowhere = fopen("/dev/null", "w");

    n_stopped++;
    fate_reactor_report(reactor, nowhere);
    fclose(nowhere);
    fate_cancel(last_read);
}

TEST(a_source_that_goes_with_its_last_read_may_look_and_cancel_that_again)
{
    static const fate_source_ops ops = {
        .size = sizeof ops, .name = "queue", .read = read_queue, .stop = look_and_cancel_again
    };

    begin();
    test_suspend_failures();
    fate_value from = fate_source(reactor, &ops, fate_none());
    last_read = kept(fate_read(&from));
    fate_drop(from);
    fate_cancel(last_read);
    EXPECT_EQ(n_stopped, 1);
    EXPECT(is_failed(last_read, &FATE_CANCELLED));
    fate_release(last_read);
    test_resume_failures();
}

TEST(a_source_that_is_stopped_by_a_pump_may_cancel_that)
{
    static const fate_source_ops ops = {
        .size = sizeof ops, .name = "queue", .read = read_queue, .stop = look_and_cancel_again
    };

    begin();
    test_suspend_failures();
    last_read = kept(fate_read_all(fate_source(reactor, &ops, fate_none()), 3));
    put("much");
    EXPECT_EQ(n_stopped, 1);
    EXPECT(is_failed(last_read, &FATE_TOO_LONG));
    fate_release(last_read);
    has_no_room = true;
    last_read = kept(fate_pump(fate_source(reactor, &ops, fate_none()), sink()));
    put("a");
    if (EXPECT(room != NULL)) { /* there is no queue without memory */
        fate_fire(room, fate_raise(&FATE_BROKEN_PIPE, "no more"));
        EXPECT_EQ(n_ends, 1);
        EXPECT(is_failed(last_read, &FATE_CANCELLED));
        fate_release(room);
    }
    fate_release(last_read);
    test_resume_failures();
}

TEST(a_source_may_go_in_the_callback_of_its_own_piece)
{
    begin();
    fate_value s = source();
    fate_deferred *a = kept(fate_read(&s)), *b = kept(fate_read(&s));
    fate_add_both(a, drop_source, fate_ptr(&s));
    put("a");
    EXPECT_TEXT(fate_peek(a), "a");
    EXPECT_EQ(fate_state(b), FATE_UNFIRED);
    fate_cancel(b);
    EXPECT(is_failed(b, &FATE_CANCELLED));
    EXPECT_EQ(n_stopped, 1);
    RELEASE(a, b);
    fate_drop(s);
}

static fate_value cancel_other(fate_value *piece, fate_value *other)
{
    fate_cancel(fate_as_ptr(other));
    return fate_take(piece);
}

TEST(a_reader_may_cancel_the_next_one)
{
    begin();
    fate_value s = source();
    fate_deferred *a = kept(fate_read(&s)), *b = kept(fate_read(&s)), *c = kept(fate_read(&s));
    fate_add_both(a, cancel_other, fate_ptr(b));
    put("a");
    put("b");
    EXPECT(is_failed(b, &FATE_CANCELLED));
    EXPECT_TEXT(fate_peek(c), "b");
    RELEASE(a, b, c);
    fate_drop(s);
}

/* ---- Reading all ---- */

TEST(all_is_read_as_one_text)
{
    begin();
    fate_deferred *d = kept(fate_read_all(source(), 100));
    put("one ");
    fate_queue_put(queue, fate_bytes("two", 3));
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    put_end();
    EXPECT_TEXT(fate_peek(d), "one two");
    EXPECT_EQ(n_drops, 1);
    RELEASE(d);
}

TEST(nothing_at_all_is_an_empty_text)
{
    begin();
    put_end();
    fate_deferred *d = kept(fate_read_all(source(), 0));
    EXPECT_TEXT(fate_peek(d), "");
    RELEASE(d);
}

TEST(as_much_as_the_limit_is_read_and_not_a_byte_more)
{
    begin();
    put("12345");
    put_end();
    fate_deferred *d = kept(fate_read_all(source(), 5));
    EXPECT_TEXT(fate_peek(d), "12345");
    put("12345");
    put("6");
    fate_deferred *e = kept(fate_read_all(source(), 5));
    if (fate_state(e) == FATE_DONE && fate_is_failure(fate_peek(e)))
        EXPECT_CONTAINS(fate_message(fate_peek(e)), "more than 5 bytes");
    EXPECT(is_failed(e, &FATE_TOO_LONG));
    EXPECT_EQ(n_stopped, 1);
    RELEASE(d, e);
}

TEST(reading_all_ends_with_the_failure_of_the_source)
{
    begin();
    put("some");
    put_failure();
    fate_deferred *d = kept(fate_read_all(source(), 100));
    EXPECT(is_failed(d, &FATE_VALUE_ERROR));
    EXPECT_EQ(n_drops, 1);
    RELEASE(d);
}

TEST(a_piece_that_is_no_text_cannot_be_part_of_one)
{
    begin();
    fate_queue_put(queue, fate_int(1));
    fate_deferred *d = kept(fate_read_all(source(), 100));
    EXPECT(is_failed(d, &FATE_TYPE_ERROR));
    EXPECT_EQ(n_stopped, 1);
    RELEASE(d);
}

TEST(reading_all_when_cancelled_stops_the_source)
{
    begin();
    fate_deferred *d = kept(fate_read_all(source(), 100));
    put("some");
    fate_cancel(d);
    EXPECT(is_failed(d, &FATE_CANCELLED));
    EXPECT_EQ(n_stopped, 1);
    EXPECT_EQ(fate_queue_waiting(queue), 0);
    RELEASE(d);
}

/* ---- Writing ---- */

TEST(what_is_written_arrives_and_after_the_end_nothing_does)
{
    begin();
    fate_value s = sink();
    fate_deferred *a = kept(fate_sink_write(reactor, &s, fate_str("a")));
    EXPECT_NONE(fate_peek(a));
    fate_deferred *b = kept(fate_sink_end(reactor, &s, fate_none()));
    EXPECT_STR(ended, "none");
    fate_deferred *c = kept(fate_sink_write(reactor, &s, fate_str("c")));
    EXPECT(is_failed(c, &FATE_BROKEN_PIPE));
    fate_deferred *e = kept(fate_sink_end(reactor, &s, fate_none()));
    EXPECT_EQ(n_ends, 1);
    EXPECT_STR(noted, "a,");
    RELEASE(a, b, c, e);
    fate_drop(s);
    EXPECT_EQ(n_drops, 1);
}

TEST(a_sink_without_an_end_function_just_ends)
{
    static const fate_sink_ops ops = { .size = sizeof ops, .write = note };
    begin();
    fate_value s = fate_sink(&ops, fate_none());
    fate_deferred *d = kept(fate_sink_end(reactor, &s, fate_none()));
    EXPECT_NONE(fate_peek(d));
    RELEASE(d);
    fate_drop(s);
}

TEST(what_is_done_with_a_failure_for_a_sink_fails_with_it)
{
    begin();
    fate_value s = fate_raise(&FATE_VALUE_ERROR, "no sink");
    fate_deferred *a = kept(fate_sink_write(reactor, &s, fate_str("a")));
    fate_deferred *b = kept(fate_sink_end(reactor, &s, fate_none()));
    EXPECT(is_failed(a, &FATE_VALUE_ERROR));
    EXPECT(is_failed(b, &FATE_VALUE_ERROR));
    RELEASE(a, b);
    fate_drop(s);
}

/* ---- Pumping ---- */

TEST(a_pump_moves_all_and_says_how_much)
{
    begin();
    put("one");
    fate_deferred *d = kept(fate_pump(source(), sink()));
    EXPECT_STR(noted, "one,");
    put("four");
    EXPECT_STR(noted, "one,four,");
    EXPECT_STR(ended, "");
    put_end();
    EXPECT_STR(ended, "none");
    EXPECT_INT(fate_peek(d), 7);
    EXPECT_EQ(n_drops, 2);
    EXPECT_EQ(n_stopped, 0);
    RELEASE(d);
}

TEST(a_sink_without_room_holds_the_source_up)
{
    begin();
    has_no_room = true;
    for (int i = 0; i < 10; i++)
        put("x");
    fate_deferred *d = kept(fate_pump(source(), sink()));
    EXPECT_STR(noted, "x,");
    EXPECT_EQ(n_asked, 1);
    for (int i = 0; i < 3 && room; i++) {
        fate_deferred *before = room;
        room = NULL;
        fate_fire(before, fate_none());
        fate_release(before);
    }
    EXPECT_STR(noted, "x,x,x,x,");
    EXPECT_EQ(n_asked, 4);
    fate_cancel(d);
    EXPECT(is_failed(d, &FATE_CANCELLED));
    EXPECT_STR(ended, "cancelled");
    EXPECT_EQ(n_stopped, 1);
    RELEASE(d);
    if (room)
        RELEASE(room);
}

VOLUME_TEST(a_long_stream_that_never_waits_does_not_recurse)
{
    begin();
    for (int i = 0; i < 100000; i++)
        put("");
    put_end();
    fate_deferred *d = kept(fate_pump(source(), sink()));
    for (int i = 0; i < 100000 && !fate_peek(d); i++)
        fate_advance(reactor, 0);
    EXPECT_INT(fate_peek(d), 0);
    EXPECT_EQ(n_asked, 100001);
    RELEASE(d);
}

TEST(a_stream_that_never_waits_lets_others_have_their_turn)
{
    begin();
    for (int i = 0; i < 200; i++)
        put("");
    fate_deferred *d = kept(fate_pump(source(), sink()));
    EXPECT(n_asked < 100);
    fate_cancel(d);
    EXPECT(is_failed(d, &FATE_CANCELLED));
    EXPECT_STR(ended, "cancelled");
    EXPECT_EQ(n_stopped, 1);
    RELEASE(d);
}

VOLUME_TEST(many_who_wait_for_a_source_that_never_does_are_served_without_recursion)
{
    begin();
    fate_value s = source();
    for (int i = 0; i < 100000; i++)
        fate_read(&s);
    for (int i = 0; i < 100000; i++)
        put("");
    EXPECT_EQ(fate_queue_size(queue), 0);
    fate_drop(s);
}

TEST(the_failure_of_the_source_is_told_to_the_sink)
{
    begin();
    put("one");
    put_failure();
    fate_deferred *d = kept(fate_pump(source(), sink()));
    EXPECT(is_failed(d, &FATE_VALUE_ERROR));
    EXPECT_STR(ended, "broken");
    EXPECT_EQ(n_drops, 2);
    RELEASE(d);
}

TEST(the_failure_of_the_sink_stops_the_source)
{
    begin();
    put("bad");
    put("never read");
    fate_deferred *d = kept(fate_pump(source(), sink()));
    EXPECT(is_failed(d, &FATE_BROKEN_PIPE));
    EXPECT_STR(ended, "no more");
    EXPECT_EQ(n_asked, 1);
    EXPECT_EQ(n_stopped, 1);
    RELEASE(d);
}

TEST(a_pump_is_done_when_the_sink_is)
{
    begin();
    put_end();
    end_of_sink = fate_hold(fate_deferred_new(reactor));
    fate_deferred *d = kept(fate_pump(source(), sink()));
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_fire(end_of_sink, fate_raise(&FATE_NO_SPACE, "full"));
    EXPECT(is_failed(d, &FATE_NO_SPACE));
    RELEASE(d, end_of_sink);
    end_of_sink = NULL;
}

TEST(a_pump_cancelled_while_reading_ends_both)
{
    begin();
    fate_deferred *d = kept(fate_pump(source(), sink()));
    fate_cancel(d);
    EXPECT(is_failed(d, &FATE_CANCELLED));
    EXPECT_STR(ended, "cancelled");
    EXPECT_EQ(n_stopped, 1);
    EXPECT_EQ(n_drops, 2);
    EXPECT_EQ(fate_queue_waiting(queue), 0);
    RELEASE(d);
}

TEST(a_pump_cancelled_at_the_end_cancels_that)
{
    begin();
    put_end();
    end_of_sink = fate_hold(fate_deferred_new(reactor));
    fate_deferred *d = kept(fate_pump(source(), sink()));
    fate_cancel(d);
    EXPECT(is_failed(d, &FATE_CANCELLED));
    EXPECT_EQ(fate_fire(end_of_sink, fate_none()), -ECANCELED);
    EXPECT_EQ(n_ends, 1);
    EXPECT_STR(ended, "none");
    RELEASE(d, end_of_sink);
    end_of_sink = NULL;
}

TEST(pumps_that_are_under_way_go_with_the_reactor)
{
    begin();
    fate_pump(source(), sink());
    fate_read_all(source(), 100);
    fate_value s = source();
    fate_read(&s);
    fate_drop(s);
    fate_reactor_free(reactor);
    EXPECT_EQ(n_stopped, 3);
    EXPECT_EQ(n_drops, 4);
    EXPECT_STR(ended, "cancelled");
}

/* ---- In coroutines ---- */

static fate_value read_twice(fate_coro *co, fate_value *arg)
{
    fate_value s = source();
    fate_value a = fate_await(co, fate_read(&s));
    fate_value b = fate_await(co, fate_read(&s));
    fate_value both = fate_list_of(a, b);

    fate_drop(s);
    return both;
}

TEST(a_coroutine_reads_piece_by_piece)
{
    begin();
    put("a");
    fate_deferred *d = kept(fate_go(reactor, read_twice, fate_none()));
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    put("b");
    EXPECT_DESCRIBED(fate_peek(d), "[\"a\", \"b\"]");
    fate_add_both(d, forgive, fate_none());
    RELEASE(d);
}

/* ---- Misuse ---- */

static void read_a_text(void *arg)
{
    fate_value text = fate_str("a");
    fate_read(&text);
}

static void read_without_read(void *arg)
{
    static const fate_source_ops ops = { .size = sizeof ops };
    fate_source(test_reactor(), &ops, fate_none());
}

static fate_deferred *return_null(fate_value *arg, size_t bytes_max)
{
    return NULL;
}

static void read_that_returns_null(void *arg)
{
    static const fate_source_ops ops = { .size = sizeof ops, .name = "empty", .read = return_null };
    fate_value s = fate_source(test_reactor(), &ops, fate_none());
    fate_read(&s);
}

static void write_to_a_text(void *arg)
{
    fate_value text = fate_str("a");
    fate_sink_write(test_reactor(), &text, fate_none());
}

static void end_by_a_number(void *arg)
{
    begin();
    fate_value s = sink();
    fate_sink_end(reactor, &s, fate_int(1));
}

TEST(misuse_stops_the_program)
{
    EXPECT_STOP(read_a_text, NULL, "fate_read", "no source", "test_stream.c");
    EXPECT_STOP(read_without_read, NULL, "fate_source", "without `read`");
    EXPECT_STOP(read_that_returns_null, NULL, "empty", "returned NULL");
    EXPECT_STOP(write_to_a_text, NULL, "fate_sink_write", "no sink");
    EXPECT_STOP(end_by_a_number, NULL, "fate_sink_end", "no failure");
}
