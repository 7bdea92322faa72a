/* Tests of src/net/write_room.c: fate_written, which waits until all has left.  fate_flushed is tested with
 * the rest of writing. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fate/fate.h>
#include <fate/test.h>

#include "test_write_helpers.h"

static fate_reactor *reactor;

static fate_protocol *begin(fate_ops ops)
{
    test_trace_clear();
    reactor = fate_test_reactor();
    return reactor ? fate_test_protocol(reactor, ops, fate_none()) : NULL;
}

static void end(void)
{
    int n = reactor ? fate_test_done(reactor) : 0;
    EXPECT_EQ(n, 0);
}

static fate_value note_written(fate_value *v, fate_value *name)
{
    EXPECT_NONE(v);
    test_trace_add("%s left; ", (const char *)fate_as_ptr(name));
    return fate_none();
}

static fate_value note_why(fate_value *why, fate_value *name)
{
    test_trace_add("%s: %s; ", (const char *)fate_as_ptr(name), fate_class_of(why)->name);
    return fate_none();
}

static fate_deferred *note_when_written(fate_protocol *p, const char *name)
{
    return fate_add_callbacks(fate_written(p->transport), note_written, note_why, fate_ptr(name));
}

/* ---- On a transport that only records ---- */

TEST(where_nothing_is_queued_all_has_left)
{
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        note_when_written(p, "nothing");
        fate_write(p->transport, "hello", 5);
        test_rounds(reactor, 1);
        note_when_written(p, "hello");
        EXPECT_STR(test_trace(), "made; nothing left; hello left; ");
    }
    end();
}

/* What fate_flushed calls room, below the low mark, has not left. */
TEST(whoever_waits_until_all_has_left_waits_for_the_last_byte)
{
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        fate_set_write_marks(p->transport, 100, 200, 300);
        fate_test_block(p, true);
        fate_write(p->transport, "x", 1);
        fate_deferred *room = fate_hold(fate_flushed(p->transport));
        EXPECT(!fate_test_pending(room));
        fate_release(room);
        note_when_written(p, "x");
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "made; ");
        fate_test_block(p, false);
        EXPECT_STR(test_trace(), "made; x left; ");
    }
    end();
}

static void answer_and_wait(fate_protocol *p, const void *data, size_t len)
{
    fate_write(p->transport, data, len);
    note_when_written(p, "the answer");
    test_trace_add("asked; ");
}

static const fate_protocol_ops answering = { .size = sizeof answering, .data_received = answer_and_wait };

TEST(what_an_event_writes_leaves_at_its_end)
{
    fate_protocol *p = begin(&answering);

    if (p) {
        for (int i = 0; i < 2; i++) {
            fate_test_give(p, "hello", 5);
            test_rounds(reactor, 1);
        }
        EXPECT_STR(test_trace(), "asked; the answer left; asked; the answer left; ");
    }
    end();
}

static fate_value block_and_write(fate_value *v, fate_value *arg)
{
    fate_protocol *p = fate_as_ptr(arg);

    test_trace_add("first left; ");
    fate_test_block(p, true);
    fate_write(p->transport, "more", 4);
    return fate_none();
}

TEST(whoever_comes_behind_one_that_writes_more_waits_for_that_too)
{
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        fate_test_block(p, true);
        fate_write(p->transport, "x", 1);
        fate_add_callback(fate_written(p->transport), block_and_write, fate_ptr(p));
        note_when_written(p, "second");
        note_when_written(p, "third");
        fate_test_block(p, false);
        EXPECT_STR(test_trace(), "made; first left; ");
        fate_test_block(p, false);
        EXPECT_STR(test_trace(), "made; first left; second left; third left; ");
    }
    end();
}

TEST(cancel_only_stops_the_waiting)
{
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        fate_test_block(p, true);
        fate_write(p->transport, "hello", 5);
        fate_deferred *first = note_when_written(p, "first");
        note_when_written(p, "second");
        fate_cancel(first);
        EXPECT_STR(test_trace(), "made; first: CancelledError; ");
        EXPECT(fate_is_connected(p->transport));
        fate_test_block(p, false);
        EXPECT_STR(test_trace(), "made; first: CancelledError; second left; ");
        fate_value taken = fate_test_taken(p);
        EXPECT_TEXT(&taken, "hello");
        fate_drop(taken);
    }
    end();
}

TEST(whoever_waits_is_told_why_the_connection_is_lost)
{
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        fate_test_block(p, true);
        fate_write(p->transport, "x", 1);
        note_when_written(p, "before");
        fate_test_lose(p, fate_raise(&FATE_CONNECTION_RESET, "gone"));
        note_when_written(p, "after");
        EXPECT_STR(test_trace(),
                   "made; before: ConnectionReset; lost ConnectionReset; after: ConnectionReset; ");
    }
    end();
}

TEST(a_queue_beyond_its_cap_never_leaves)
{
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        fate_set_write_marks(p->transport, 0, 10, 10);
        fate_test_block(p, true);
        fate_write(p->transport, "12345", 5);
        note_when_written(p, "before");
        fate_write(p->transport, "1234567890", 10);
        note_when_written(p, "behind");
        test_rounds(reactor, 1);
        EXPECT_STR(test_trace(), "made; behind: WriteOverflow; before: WriteOverflow; lost WriteOverflow; ");
    }
    end();
}

TEST(what_was_written_before_a_close_leaves_and_then_it_is_closed)
{
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        fate_test_block(p, true);
        fate_write(p->transport, "bye", 3);
        note_when_written(p, "bye");
        fate_lose_connection(p->transport);
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "made; ");
        fate_test_block(p, false);
        EXPECT_STR(test_trace(), "made; bye left; lost ConnectionDone; ");
    }
    end();
}

static fate_value close_it(fate_value *v, fate_value *arg)
{
    fate_abort_connection(((fate_protocol *)fate_as_ptr(arg))->transport);
    return fate_none();
}

TEST(whoever_hears_that_all_has_left_may_abort)
{
    fate_protocol *p = begin(&test_recorder);

    if (p) {
        fate_test_block(p, true);
        fate_write(p->transport, "x", 1);
        fate_add_callback(fate_written(p->transport), close_it, fate_ptr(p));
        note_when_written(p, "second");
        fate_test_block(p, false);
        EXPECT_STR(test_trace(), "made; second: ConnectionAborted; lost ConnectionAborted; ");
    }
    end();
}

static void note_state(const fate_thing *thing, fate_value *arg)
{
    if (strcmp(thing->kind, "deferred") == 0)
        snprintf(fate_as_ptr(arg), 100, "%s", thing->state);
}

TEST(a_report_says_what_is_waited_for)
{
    fate_protocol *p = begin(&test_recorder);
    char state[100] = "";

    if (p) {
        fate_test_block(p, true);
        fate_write(p->transport, "x", 1);
        note_when_written(p, "x");
        fate_reactor_each(reactor, note_state, fate_ptr(state));
        EXPECT_CONTAINS(state, "waits for the end of what was written to a connection");
        fate_test_block(p, false);
    }
    end();
}

TEST(without_memory_to_wait_the_connection_is_lost)
{
    fate_protocol *p = begin(&test_recorder);

    if (p && !test_is_oom()) {
        fate_write(p->transport, "x", 1);
        test_fail_allocation(1, true);
        fate_deferred *d = fate_hold(fate_written(p->transport));
        test_fail_allocation(0, false);
        fate_add_callbacks(d, note_written, note_why, fate_ptr("x"));
        fate_release(d);
        test_rounds(reactor, 1);
        EXPECT_STR(test_trace(), "made; x: NoMemory; lost NoMemory; ");
    }
    end();
}

static void wait_on_nothing(void *arg)
{
    fate_written(NULL);
}

TEST(there_must_be_a_transport)
{
    EXPECT_STOP(wait_on_nothing, NULL, "fate_written", "transport that is none");
}

/* ---- Real sockets: files count too ---- */

#define MUCH ((size_t)600000)

VOLUME_TEST(what_answers_a_real_socket_leaves_too)
{
    struct test_pair pair;

    if (test_counting(&reactor, &pair, TEST_TCP, &answering)) {
        for (int i = 0; i < 2; i++) {
            test_trace_clear();
            test_peer_says(&pair, "hello");
            test_until_heard(reactor, &pair, "hello");
            test_rounds(reactor, 1);
            EXPECT_STR(test_trace(), "asked; the answer left; ");
        }
    }
    test_counting_done(reactor, &pair);
}

static int file_of(const char *bytes, size_t len)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    if (fd >= 0 && write(fd, bytes, len) != (ssize_t)len)
        abort();
    return fd;
}

static void expect_file(size_t len)
{
    struct test_pair pair;
    char *bytes = test_patterned(len);

    if (test_counting(&reactor, &pair, TEST_UNIX, &test_recorder)) {
        int why = fate_write_file(pair.p->transport, file_of(bytes, len), 0, -1);
        note_when_written(pair.p, "the file");
        if (why == 0 && len == MUCH) {
            fate_deferred *room = fate_hold(fate_flushed(pair.p->transport));
            test_rounds(reactor, 3);
            EXPECT_EQ(fate_state(room), FATE_DONE);
            EXPECT_STR(test_trace(), "made; ");
            fate_add_errback(room, note_why, fate_ptr("room"));
            fate_release(room);
        }
        test_expect_flood(reactor, &pair, len, false);
        test_until_trace(reactor, "; ");
        EXPECT_STR(test_trace(), "made; the file left; ");
    }
    test_counting_done(reactor, &pair);
    free(bytes);
}

TEST(a_file_has_left_when_the_kernel_has_all_of_it)
{
    expect_file(1000);
}

VOLUME_TEST(a_long_file_is_waited_for_though_there_is_room)
{
    expect_file(MUCH);
}

TEST(a_file_that_is_cut_has_not_left)
{
    struct test_pair pair;

    if (test_counting(&reactor, &pair, TEST_UNIX, &test_recorder)) {
        fate_write_file(pair.p->transport, file_of("short", 5), 0, 1000);
        note_when_written(pair.p, "the file");
        test_until_trace(reactor, "lost ");
        EXPECT_CONTAINS(test_trace(), "the file: ConnectionLost; lost ConnectionLost; ");
    }
    test_counting_done(reactor, &pair);
}
