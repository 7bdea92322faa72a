/* Tests of src/net/stream_transport.c: connections as sources and sinks. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fate/fate.h>
#include <fate/test.h>

#include "test_net_helpers.h"

#define BIG 3000000

static fate_reactor *reactor;
static fate_protocol *p;

static void stay(fate_protocol *closing)
{
}

/* They are told nothing, so all is asked for. */
static const fate_protocol_ops plain = { .size = sizeof plain };
static const fate_protocol_ops staying = { .size = sizeof staying, .read_lost = stay };
static const fate_protocol_ops lines = { .size = sizeof lines, .framing = &FATE_LINES, .read_lost = stay };

/* False: there was no memory. */
static bool begin(fate_ops ops)
{
    reactor = fate_test_reactor();
    p = reactor ? fate_test_protocol(reactor, ops, fate_none()) : NULL;
    if (reactor && !p)
        fate_test_done(reactor);
    return p != NULL;
}

static void end(void)
{
    int n = fate_test_done(reactor);

    if (!test_is_oom())
        EXPECT_EQ(n, 0);
}

static fate_value *awaited; /* where the result goes; NULL: nobody waits for it any more */

static fate_value note_result(fate_value *result, fate_value *arg)
{
    if (awaited)
        *awaited = fate_take(result);
    awaited = NULL;
    return fate_none();
}

/* Given; none where it has no result. */
static fate_value result_of(fate_deferred *d)
{
    fate_value result = fate_none();

    awaited = &result;
    fate_add_both(d, note_result, fate_none());
    fate_play(reactor, FATE_SECOND);
    EXPECT(!awaited);
    awaited = NULL;
    return result;
}

#define EXPECT_RESULT(how, d, ...)                                                                           \
    do {                                                                                                     \
        fate_value result = result_of(d);                                                                    \
        how(&result, __VA_ARGS__);                                                                           \
        fate_drop(result);                                                                                   \
    } while (0)

static void give(const char *text)
{
    fate_test_give(p, text, strlen(text));
}

static void expect_taken(const char *text)
{
    fate_value taken = fate_test_taken(p);

    EXPECT_TEXT(&taken, text);
    fate_drop(taken);
}

/* ---- Sources ---- */

TEST(what_the_peer_says_is_read_until_it_has_said_all)
{
    if (!begin(&plain))
        return;
    fate_value source = fate_transport_source(p);
    give("one ");
    EXPECT_RESULT(EXPECT_TEXT, fate_read(&source), "one ");
    fate_deferred *d = fate_read_all(source, 100);
    fate_hold(d);
    give("two ");
    give("three");
    fate_test_give(p, NULL, 0);
    EXPECT_RESULT(EXPECT_TEXT, d, "two three");
    fate_release(d);
    end();
}

TEST(messages_are_pieces_where_there_is_a_framing)
{
    if (!begin(&lines))
        return;
    fate_value source = fate_transport_source(p);
    give("one\ntwo\nthr");
    EXPECT_RESULT(EXPECT_TEXT, fate_read(&source), "one");
    EXPECT_RESULT(EXPECT_TEXT, fate_read(&source), "two");
    fate_drop(source);
    end();
}

TEST(a_connection_that_breaks_is_a_failure_and_no_end)
{
    if (!begin(&staying))
        return;
    fate_value source = fate_transport_source(p);
    fate_deferred *d = fate_hold(fate_read(&source));
    fate_test_lose(p, fate_raise(&FATE_CONNECTION_RESET, "gone"));
    EXPECT_RESULT(EXPECT_FAILURE, d, &FATE_CONNECTION_RESET);
    fate_release(d);
    EXPECT_RESULT(EXPECT_FAILURE, fate_read(&source), &FATE_CONNECTION_RESET);
    fate_drop(source);
    end();
}

TEST(a_connection_that_is_closed_here_is_a_failure)
{
    if (!begin(&staying))
        return;
    fate_value source = fate_transport_source(p);
    fate_deferred *d = fate_hold(fate_read(&source));
    fate_lose_connection(p->transport);
    EXPECT_RESULT(EXPECT_FAILURE, d, &FATE_CONNECTION_DONE);
    fate_release(d);
    fate_drop(source);
    end();
}

TEST(a_source_that_nobody_wants_closes_the_connection)
{
    if (!begin(&staying))
        return;
    fate_value self = fate_self(p), source = fate_transport_source(p);
    fate_write(p->transport, "bye", 3);
    fate_drop(source);
    fate_play(reactor, FATE_SECOND);
    EXPECT(!fate_is_connected(p->transport));
    expect_taken("bye");
    fate_drop(self);
    end();
}

TEST(a_source_that_has_ended_leaves_the_connection_open)
{
    if (!begin(&staying))
        return;
    fate_value self = fate_self(p), source = fate_transport_source(p);
    fate_test_give(p, NULL, 0);
    EXPECT_RESULT(EXPECT_DESCRIBED, fate_read(&source), "none");
    fate_drop(source);
    fate_play(reactor, FATE_SECOND);
    EXPECT(fate_is_connected(p->transport));
    fate_drop(self);
    end();
}

/* ---- Sinks ---- */

static fate_deferred *write_text(fate_value *sink, const char *text)
{
    return fate_sink_write(reactor, sink, fate_str(text));
}

TEST(the_end_of_a_sink_half_closes)
{
    if (!begin(&staying))
        return;
    fate_value self = fate_self(p), sink = fate_transport_sink(p);
    EXPECT_RESULT(EXPECT_DESCRIBED, write_text(&sink, "one "), "none");
    EXPECT_RESULT(EXPECT_DESCRIBED, write_text(&sink, "two"), "none");
    EXPECT(!fate_test_has_ended(p));
    EXPECT_RESULT(EXPECT_DESCRIBED, fate_sink_end(reactor, &sink, fate_none()), "none");
    EXPECT(fate_test_has_ended(p));
    EXPECT(fate_is_connected(p->transport));
    expect_taken("one two");
    fate_drop(sink);
    fate_drop(self);
    end();
}

static fate_value text_of(size_t len)
{
    static char bytes[BIG];

    for (size_t i = 0; i < BIG; i++)
        bytes[i] = (char)('a' + i % 23);
    return fate_str_n(bytes, len);
}

TEST(a_write_waits_for_room_and_the_end_for_all)
{
    if (!begin(&staying))
        return;
    fate_value sink = fate_transport_sink(p);
    fate_test_block(p, true);
    fate_deferred *first = fate_hold(fate_sink_write(reactor, &sink, text_of(65536)));
    fate_deferred *second = fate_hold(fate_sink_write(reactor, &sink, text_of(10)));
    fate_play(reactor, FATE_SECOND);
    EXPECT(!fate_test_pending(first));
    EXPECT(fate_test_pending(second));
    fate_deferred *ended = fate_hold(fate_sink_end(reactor, &sink, fate_none()));
    fate_play(reactor, FATE_SECOND);
    EXPECT(fate_test_pending(ended));
    fate_test_block(p, false);
    EXPECT_RESULT(EXPECT_DESCRIBED, second, "none");
    EXPECT_RESULT(EXPECT_DESCRIBED, ended, "none");
    fate_release(first);
    fate_release(second);
    fate_release(ended);
    fate_drop(sink);
    end();
}

TEST(an_end_with_a_failure_aborts)
{
    if (!begin(&staying))
        return;
    fate_value self = fate_self(p), sink = fate_transport_sink(p);
    fate_value why = fate_raise(&FATE_VALUE_ERROR, "cut");
    EXPECT_RESULT(EXPECT_DESCRIBED, fate_sink_end(reactor, &sink, why), "none");
    EXPECT(!fate_is_connected(p->transport));
    EXPECT_RESULT(EXPECT_FAILURE, fate_receive(p), &FATE_CONNECTION_ABORTED);
    fate_drop(sink);
    fate_drop(self);
    end();
}

TEST(what_is_lost_before_it_was_written_is_a_failure)
{
    if (!begin(&staying))
        return;
    fate_value sink = fate_transport_sink(p);
    fate_test_block(p, true);
    write_text(&sink, "one");
    fate_play(reactor, FATE_SECOND);
    fate_deferred *ended = fate_hold(fate_sink_end(reactor, &sink, fate_none()));
    fate_test_lose(p, fate_raise(&FATE_CONNECTION_RESET, "gone"));
    EXPECT_RESULT(EXPECT_FAILURE, ended, &FATE_CONNECTION_RESET);
    fate_release(ended);
    fate_drop(sink);
    sink = fate_transport_sink(p);
    EXPECT_RESULT(EXPECT_FAILURE, write_text(&sink, "two"), &FATE_CONNECTION_RESET);
    EXPECT_RESULT(EXPECT_FAILURE, fate_sink_end(reactor, &sink, fate_none()), &FATE_CONNECTION_RESET);
    fate_drop(sink);
    end();
}

TEST(a_closed_writing_side_and_what_is_no_text_are_failures)
{
    if (!begin(&staying))
        return;
    fate_value sink = fate_transport_sink(p);
    EXPECT_RESULT(EXPECT_FAILURE, fate_sink_write(reactor, &sink, fate_int(1)), &FATE_TYPE_ERROR);
    fate_lose_write_connection(p->transport);
    EXPECT_RESULT(EXPECT_FAILURE, write_text(&sink, "one"), &FATE_BROKEN_PIPE);
    EXPECT_RESULT(EXPECT_DESCRIBED, fate_sink_end(reactor, &sink, fate_none()), "none");
    fate_drop(sink);
    end();
}

/* ---- Files ---- */

static char path[64];

static void put_file(size_t len)
{
    snprintf(path, sizeof path, "/tmp/fate-test-XXXXXX");
    int fd = mkstemp(path);
    test_suspend_failures();
    fate_value text = text_of(len);
    size_t n;
    const char *bytes = fate_as_bytes(&text, &n);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
        abort();
    close(fd);
    fate_drop(text);
    test_resume_failures();
}

/* Is it what put_file puts in? */
static bool is_right(const char *bytes, size_t at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != (char)('a' + (at + i) % 23))
            return false;
    return true;
}

TEST(a_file_is_pumped_into_a_connection)
{
    if (!begin(&staying))
        return;
    put_file(100000);
    fate_value self = fate_self(p), source = fate_file_source(reactor, path);
    EXPECT_RESULT(EXPECT_INT, fate_pump(source, fate_transport_sink(p)), 100000);
    EXPECT(fate_test_has_ended(p));
    fate_value taken = fate_test_taken(p);
    size_t len = 0;
    const void *bytes = "";
    fate_get_bytes(&taken, &bytes, &len);
    EXPECT_EQ(len, 100000);
    EXPECT(is_right(bytes, 0, len));
    fate_drop(taken);
    fate_drop(self);
    unlink(path);
    end();
}

TEST(a_file_that_becomes_shorter_loses_the_connection)
{
    if (!begin(&staying))
        return;
    put_file(100000);
    fate_value self = fate_self(p), source = fate_file_source(reactor, path);
    fate_test_block(p, true);
    fate_deferred *d = fate_hold(fate_pump(source, fate_transport_sink(p)));
    fate_play(reactor, FATE_SECOND);
    EXPECT_EQ(truncate(path, 50000), 0);
    fate_test_block(p, false);
    EXPECT_RESULT(EXPECT_FAILURE, d, &FATE_CONNECTION_LOST);
    EXPECT(!fate_is_connected(p->transport));
    fate_release(d);
    fate_drop(self);
    unlink(path);
    end();
}

/* ---- Real sockets ---- */

struct download {
    struct test_pair pair;
    fate_deferred *pump; /* held */
    size_t n;
    bool is_right, has_ended;
};

static bool has_downloaded(void *arg)
{
    struct download *download = arg;
    static char bytes[65537];
    int n = test_peer_hears(&download->pair, bytes, sizeof bytes);

    download->has_ended |= n == 0;
    if (n > 0) {
        download->is_right &= is_right(bytes, download->n, (size_t)n);
        download->n += (size_t)n;
    }
    return download->has_ended;
}

static void download(int kind, size_t len)
{
    reactor = test_real_reactor(NULL);
    if (!reactor)
        return;
    struct download download = { .pair = test_pair(reactor, kind, &staying, fate_none()), .is_right = true };
    if (download.pair.p) {
        put_file(len);
        fate_value self = fate_self(download.pair.p);
        download.pump =
            fate_hold(fate_pump(fate_file_source(reactor, path), fate_transport_sink(download.pair.p)));
        EXPECT(test_until(reactor, has_downloaded, &download));
        test_rounds(reactor, 3);
        if (EXPECT(!fate_test_pending(download.pump)))
            EXPECT_INT(fate_peek(download.pump), (int64_t)len);
        EXPECT_EQ(download.n, len);
        EXPECT(download.is_right);
        fate_cancel(download.pump);
        fate_add_both(download.pump, note_result, fate_none());
        fate_release(download.pump);
        fate_drop(self);
        unlink(path);
    }
    test_pair_done(&download.pair);
}

TEST(a_file_goes_over_tcp)
{
    download(TEST_TCP, 10000);
}

VOLUME_TEST(a_file_of_several_parts_goes_over_tcp)
{
    download(TEST_TCP, BIG);
}

TEST(a_file_goes_over_a_unix_socket)
{
    download(TEST_UNIX, 10000);
}

/* ---- Through a third one ---- */

static char said[256];

static fate_value note_said(fate_value *text, fate_value *arg)
{
    fate_value shown = fate_describe(text);
    const char *s = "?";

    fate_get_str(&shown, &s);
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s; ", s);
    fate_drop(shown);
    return fate_none();
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static fate_value join(fate_value *server, fate_value *client)
{
    fate_protocol *a = fate_as_protocol(client), *b = fate_as_protocol(server);

    fate_add_errback(fate_pump(fate_transport_source(a), fate_transport_sink(b)), forgive, fate_none());
    fate_add_errback(fate_pump(fate_transport_source(b), fate_transport_sink(a)), forgive, fate_none());
    return fate_none();
}

static void forward(fate_protocol *client)
{
    fate_deferred *d = fate_connect(client->reactor, "tcp:server:2", &staying, fate_none());

    fate_add_callbacks(d, join, forgive, fate_self(client));
}

static fate_value answer(fate_value *question, fate_value *self)
{
    const char *s = "nothing";

    fate_get_str(question, &s);
    fate_value text = fate_format("you said %s", s);
    fate_value sink = fate_transport_sink(fate_as_protocol(self));
    fate_deferred *d = fate_sink_write(reactor, &sink, text);
    fate_add_both(d, forgive, fate_none());
    fate_add_both(fate_sink_end(reactor, &sink, fate_none()), forgive, fate_none());
    fate_drop(sink);
    return fate_none();
}

static void serve(fate_protocol *client)
{
    fate_add_both(fate_read_all(fate_transport_source(client), 100), answer, fate_self(client));
}

static fate_value ask(fate_value *self, fate_value *arg)
{
    fate_protocol *client = fate_as_protocol(self);

    fate_write(client->transport, "hello", 5);
    fate_lose_write_connection(client->transport);
    return fate_follow(
        fate_add_both(fate_read_all(fate_transport_source(client), 100), note_said, fate_none()));
}

static const fate_protocol_ops forwarder = { .size = sizeof forwarder,
                                             .connection_made = forward,
                                             .read_lost = stay };
static const fate_protocol_ops server = { .size = sizeof server,
                                          .connection_made = serve,
                                          .read_lost = stay };

/* Each end is passed on by itself, so the answer comes back though the question has ended. */
TEST(half_closes_pass_through_two_pumps)
{
    reactor = test_reactor();
    said[0] = '\0';
    fate_add_errback(fate_listen(reactor, "tcp:proxy:1", &forwarder, fate_none()), forgive, fate_none());
    fate_add_errback(fate_listen(reactor, "tcp:server:2", &server, fate_none()), forgive, fate_none());
    fate_deferred *d = fate_connect(reactor, "tcp:proxy:1", &staying, fate_none());
    fate_add_callbacks(d, ask, forgive, fate_none());
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(said, "\"you said hello\"; ");
}

/* ---- Misuse ---- */

static void ignore(fate_protocol *of, const void *data, size_t len)
{
}

static fate_protocol *build(fate_value *arg, const fate_address *peer)
{
    return calloc(1, sizeof(fate_protocol));
}

static void lost(fate_protocol *of, fate_value *why)
{
    free(of);
}

static const fate_protocol_ops told = { .size = sizeof told, .data_received = ignore };
static const fate_protocol_ops built = { .size = sizeof built, .build = build, .connection_lost = lost };

static void make_source(void *ops)
{
    fate_transport_source(fate_test_protocol(fate_test_reactor(), ops, fate_none()));
}

static void make_sink(void *ops)
{
    fate_transport_sink(fate_test_protocol(fate_test_reactor(), ops, fate_none()));
}

TEST(misuse_stops_the_program)
{
    EXPECT_STOP(make_source, (void *)(uintptr_t)&told, "fate_transport_source", "data_received",
                "Leave these out");
    EXPECT_STOP(make_source, (void *)(uintptr_t)&built, "fate_transport_source", "Leave build out");
    EXPECT_STOP(make_sink, (void *)(uintptr_t)&built, "fate_transport_sink", "Leave build out");
}
