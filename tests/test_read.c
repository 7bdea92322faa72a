/* Reading: what the protocol is given of what comes, cut into messages or not, and when. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <base/sys.h>
#include <fate/fate.h>
#include <fate/test.h>

#include "test_net_helpers.h"

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

    if (!test_is_oom())
        EXPECT_EQ(n, 0);
    reactor = NULL;
}

static void give(fate_protocol *p, const char *text)
{
    fate_test_give(p, text, strlen(text));
}

/* ---- Messages, in whatever pieces they come ---- */

static void got_message(fate_protocol *p, const char *message, size_t len)
{
    EXPECT_EQ(message[len], 0);
    test_trace_add("<%.*s>", (int)len, message);
}

static void lost(fate_protocol *p, fate_value *why)
{
    test_trace_add("lost %s", fate_class_of(why)->name);
}

#define TAKES(framing_of)                                                                                    \
    {                                                                                                        \
        .size = sizeof(fate_protocol_ops), .framing = &(framing_of), .message_received = got_message,        \
        .connection_lost = lost                                                                              \
    }
static const fate_protocol_ops takes_lines = TAKES(FATE_LINES), takes_netstrings = TAKES(FATE_NETSTRINGS),
                               takes_counted = TAKES(FATE_INT8_STRINGS);

struct stream {
    fate_ops ops;
    const char *bytes;
    size_t len;
    const char *trace;
};
static const struct stream streams[] = {
    { &takes_lines, "one\r\ntwo\n\nfour\r\npart", 20, "<one><two><><four>" },
    { &takes_netstrings, "3:one,0:,5:th,ee,2:", 19, "<one><><th,ee>" },
    { &takes_counted, "\3one\0\2to\5part", 13, "<one><><to>" },
    { &takes_netstrings, "3:one,2:to;3:bad,", 17, "<one>lost FramingError" },
    { &takes_netstrings, "3:one,9999999:to", 16, "<one>lost MessageTooLong" },
};
#define N_STREAMS (sizeof streams / sizeof *streams)

/* In pieces of that many bytes, the first of which is at most first. */
static void expect_in_pieces(const struct stream *stream, size_t first, size_t most)
{
    fate_protocol *p = begin(stream->ops);
    size_t at = 0, n = first;

    for (; p && at < stream->len; at += n, n = most) {
        n = n < stream->len - at ? n : stream->len - at;
        fate_test_give(p, stream->bytes + at, n);
    }
    if (p)
        EXPECT_STR(test_trace(), stream->trace);
    end();
}

TEST(messages_are_the_same_cut_at_each_place)
{
    for (size_t i = 0; i < N_STREAMS; i++)
        for (size_t first = 1; first <= streams[i].len; first++)
            expect_in_pieces(&streams[i], first, SIZE_MAX);
}

TEST(messages_are_the_same_byte_by_byte)
{
    for (size_t i = 0; i < N_STREAMS; i++)
        for (size_t most = 1; most < 4; most++)
            expect_in_pieces(&streams[i], most, most);
}

TEST(messages_that_wait_for_their_end_may_be_long)
{
    static const fate_protocol_ops ops = TAKES(FATE_INT32_STRINGS);
    fate_protocol *p = begin(&ops);
    char *message = malloc(1 << 20), *expected = malloc(16384);

    memset(message, 'a', 1 << 20);
    if (p) {
        fate_test_give(p, "\0\0\1\0", 4);
        fate_test_give(p, message, 100);
        fate_test_give(p, message, 156);
        memset(expected + 1, 'a', 256);
        strcpy(expected, "<");
        memset(expected + 1, 'a', 256);
        strcpy(expected + 257, ">");
        EXPECT_STR(test_trace(), expected);
        test_trace_clear();
        fate_test_give(p, "\0\20\0\0", 4);
        for (int i = 0; i < 16; i++)
            fate_test_give(p, message, 1 << 16);
        test_rounds(reactor, 32);
        EXPECT_EQ(strlen(test_trace()), 16383); /* as much as the trace takes of it */
    }
    end();
    free(message);
    free(expected);
}

/* ---- A framing of one's own, without a limit ---- */

static ptrdiff_t cut_at_dot(const fate_framing *framing, const char *data, size_t len, size_t *ret_at,
                            size_t *ret_len)
{
    const char *dot = memchr(data, '.', len);

    if (len >= 1 && data[0] == '#') { /* a remark, which is no message */
        *ret_len = SIZE_MAX;
        return 1;
    }
    *ret_at = 0;
    *ret_len = dot ? (size_t)(dot - data) : 0;
    return dot ? dot - data + 1 : 0;
}

static size_t wrap_with_dot(const fate_framing *framing, size_t len, char ret_head[16], size_t *ret_head_len,
                            char ret_tail[16])
{
    *ret_head_len = 0;
    ret_tail[0] = '.';
    return 1;
}

static const fate_framing dots = { .size = sizeof dots,
                                   .message_bytes_max = FATE_UNLIMITED,
                                   .name = "dots",
                                   .cut = cut_at_dot,
                                   .wrap = wrap_with_dot };

TEST(a_framing_may_have_no_limit)
{
    static const fate_protocol_ops ops = TAKES(dots);
    static const char part[] =
        "a hundred bytes that are not a message yet, for which there is no limit, and so they "
        "are no trouble";
    fate_protocol *p = begin(&ops);

    if (p) {
        give(p, "##one.#");
        give(p, part);
        EXPECT_STR(test_trace(), "<one>");
        give(p, ".");
        EXPECT_CONTAINS(test_trace(), "<one><a hundred");
        EXPECT_EQ(fate_send(p, "x", 1), 0);
    }
    end();
}

/* ---- Pausing, and other framings, in the middle of several ---- */

static void obey(fate_protocol *p, const char *message, size_t len)
{
    got_message(p, message, len);
    if (strcmp(message, "pause") == 0)
        fate_pause_reading(p->transport);
    if (strcmp(message, "raw") == 0)
        fate_set_framing(p, NULL);
    if (strcmp(message, "counted") == 0)
        fate_set_framing(p, &FATE_INT8_STRINGS);
    if (strcmp(message, "close") == 0)
        fate_lose_connection(p->transport);
    if (strcmp(message, "abort") == 0)
        fate_abort_connection(p->transport);
}

static void got_bytes(fate_protocol *p, const void *data, size_t len)
{
    test_trace_add("[%.*s]", (int)len, (const char *)data);
    fate_set_framing(p, &FATE_LINES);
}

static const fate_protocol_ops obeys = { .size = sizeof obeys,
                                         .framing = &FATE_LINES,
                                         .message_received = obey,
                                         .data_received = got_bytes,
                                         .connection_lost = lost };

TEST(nothing_is_given_while_reading_is_paused_not_even_what_has_come)
{
    fate_protocol *p = begin(&obeys);

    if (p) {
        give(p, "one\npause\ntwo\npause\nthree\npar");
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "<one><pause>");
        give(p, "t\n");
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "<one><pause>");
        EXPECT_EQ(fate_resume_reading(p->transport), 0);
        EXPECT_STR(test_trace(), "<one><pause>");
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "<one><pause><two><pause>");
        fate_resume_reading(p->transport);
        fate_pause_reading(p->transport);
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "<one><pause><two><pause>");
        fate_resume_reading(p->transport);
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "<one><pause><two><pause><three><part>");
    }
    end();
}

TEST(the_framing_may_change_behind_each_message)
{
    fate_protocol *p = begin(&obeys);

    if (p) {
        give(p, "raw\nas it comes");
        give(p, "line\ncounted\n\3one\5pa");
        EXPECT_STR(test_trace(), "<raw>[as it comes]<line><counted><one>");
        fate_set_framing(p, NULL);
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "<raw>[as it comes]<line><counted><one>[\5pa]");
        give(p, "end\n");
        EXPECT_STR(test_trace(), "<raw>[as it comes]<line><counted><one>[\5pa]<end>");
    }
    end();
}

TEST(nothing_is_given_behind_a_message_that_closes)
{
    fate_protocol *p = begin(&obeys);

    if (p) {
        give(p, "one\nclose\ntwo\n");
        give(p, "three\n");
        test_rounds(reactor, 1);
        EXPECT_STR(test_trace(), "<one><close>lost ConnectionDone");
    }
    end();
    p = begin(&obeys);
    if (p) {
        give(p, "one\npause\nabort\ntwo\n");
        fate_resume_reading(p->transport);
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "<one><pause><abort>lost ConnectionAborted");
    }
    end();
}

TEST(what_was_written_before_a_bad_message_leaves)
{
    fate_protocol *p = begin(&takes_netstrings);

    if (p) {
        fate_send(p, "hello", 5);
        give(p, "bad");
        fate_value taken = fate_test_taken(p);
        EXPECT_TEXT(&taken, "5:hello,");
        fate_drop(taken);
        EXPECT_STR(test_trace(), "lost FramingError");
    }
    end();
}

/* ---- One reads what another is given ---- */

static fate_protocol *other;

static void pass_on(fate_protocol *p, const void *data, size_t len)
{
    fate_write(p->transport, data, len);
    fate_test_give(other, "something else", 14);
    test_trace_add("got %.*s; ", (int)len, (const char *)data);
}

TEST(what_is_read_stays_while_another_is_given_something)
{
    static const fate_protocol_ops ops = { .size = sizeof ops, .data_received = pass_on };
    fate_protocol *p = begin(&ops);

    other = p ? fate_test_protocol(reactor, &test_recorder, fate_none()) : NULL;
    if (other) {
        give(p, "this");
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "made; got this; got something else; ");
        fate_value taken = fate_test_taken(p);
        EXPECT_TEXT(&taken, "this");
        fate_drop(taken);
    }
    end();
}

static void abort_and_give(fate_value *arg)
{
    fate_protocol *p = fate_as_ptr(arg);

    fate_write(p->transport, "never", 5);
    fate_abort_connection(p->transport);
    fate_test_give(other, "hello", 5);
}

TEST(one_is_read_in_the_turn_in_which_another_is_lost)
{
    fate_protocol *p = begin(&takes_lines);

    other = p ? fate_test_protocol(reactor, &test_recorder, fate_none()) : NULL;
    if (other) {
        fate_turn(reactor, abort_and_give, fate_ptr(p));
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "made; got hello; lost ConnectionAborted");
    }
    end();
}

/* ---- The end of reading ---- */

static void say_bye(fate_protocol *p)
{
    test_trace_add("read_lost; ");
    fate_write(p->transport, "bye", 3);
    fate_lose_write_connection(p->transport);
}

static void abort_then(fate_protocol *p)
{
    test_trace_add("read_lost; ");
    fate_abort_connection(p->transport);
}

#define ENDS(read_lost_fn)                                                                                   \
    {                                                                                                        \
        .size = sizeof(fate_protocol_ops), .data_received = got_bytes, .read_lost = read_lost_fn,            \
        .connection_lost = lost                                                                              \
    }
static const fate_protocol_ops says_bye = ENDS(say_bye), aborts = ENDS(abort_then), closes = ENDS(NULL);

static void expect_end(fate_ops ops, bool ends_first, const char *trace)
{
    fate_protocol *p = begin(ops);

    if (p && ends_first) {
        EXPECT_EQ(fate_lose_write_connection(p->transport), 0);
        test_rounds(reactor, 1);
        EXPECT(fate_test_has_ended(p));
        EXPECT(fate_is_connected(p->transport));
    }
    if (p) {
        fate_test_give(p, NULL, 0);
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), trace);
    }
    end();
}

TEST(both_sides_may_end_in_either_order)
{
    expect_end(&says_bye, false, "read_lost; lost ConnectionDone");
    expect_end(&says_bye, true, "read_lost; lost ConnectionDone");
    expect_end(&closes, false, "lost ConnectionDone");
    expect_end(&closes, true, "lost ConnectionDone");
    expect_end(&aborts, false, "read_lost; lost ConnectionAborted");
    expect_end(&aborts, true, "read_lost; lost ConnectionAborted");
}

TEST(the_end_is_not_told_while_reading_is_paused)
{
    fate_protocol *p = begin(&says_bye);

    if (p) {
        fate_pause_reading(p->transport);
        fate_test_give(p, NULL, 0);
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "");
        fate_resume_reading(p->transport);
        test_rounds(reactor, 2);
        EXPECT_STR(test_trace(), "read_lost; lost ConnectionDone");
    }
    end();
}

/* ---- Over real sockets ---- */

static void flood_and_end(const struct test_pair *pair, size_t n)
{
    char *bytes = malloc(n);

    memset(bytes, 'a', n);
    if (pair->peer >= 0)
        test_expect(FATE_HERE, send(pair->peer, bytes, n, MSG_NOSIGNAL) == (ssize_t)n, "all is sent");
    test_peer_ends(pair);
    free(bytes);
}

static size_t n_got;

static void count(fate_protocol *p, const void *data, size_t len)
{
    n_got += len;
}

static void expect_all_before_the_end(size_t n)
{
    static const fate_protocol_ops ops = { .size = sizeof ops,
                                           .data_received = count,
                                           .connection_lost = lost };

    for (int kind = TEST_TCP; kind <= TEST_UNIX; kind++) {
        struct test_pair pair = { NULL, -1 };
        test_trace_clear();
        n_got = 0;
        reactor = test_real_reactor(NULL);
        if (reactor)
            pair = test_pair(reactor, kind, &ops, fate_none());
        if (pair.p) {
            flood_and_end(&pair, n);
            test_until_trace(reactor, "lost ");
            EXPECT_EQ(n_got, n);
            EXPECT_STR(test_trace(), "lost ConnectionDone");
        }
        test_pair_done(&pair);
        fate_reactor_free(reactor);
    }
}

TEST(all_that_came_before_the_end_is_given)
{
    expect_all_before_the_end(1000);
}

VOLUME_TEST(all_that_came_before_the_end_is_given_though_it_is_more_than_one_read)
{
    expect_all_before_the_end(150000);
}

/* A read that is cut by a descriptor that came along has not found the end. */
static void send_with_descriptor(int peer, const char *text)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = { { 0 } };
    struct iovec piece = { (void *)(uintptr_t)text, strlen(text) };
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &peer, sizeof peer);
    EXPECT_EQ(sendmsg(peer, &message, MSG_NOSIGNAL), strlen(text));
}

static void expect_read_behind(int kind)
{
    struct test_pair pair = { NULL, -1 };

    test_trace_clear();
    reactor = test_real_reactor(NULL);
    if (reactor)
        pair = test_pair(reactor, kind, &test_recorder, fate_none());
    if (pair.p) {
        test_rounds(reactor, 2);
        test_peer_says(&pair, "one ");
        if (kind == TEST_UNIX)
            send_with_descriptor(pair.peer, "two ");
        else
            EXPECT_EQ(send(pair.peer, "!", 1, MSG_OOB), 1);
        test_peer_says(&pair, "three");
        test_until_trace(reactor, "three; ");
        EXPECT_STR(test_trace(), kind == TEST_UNIX ? "made; got one two three; " : "made; got one three; ");
    }
    test_pair_done(&pair);
    fate_reactor_free(reactor);
}

TEST(what_lies_behind_a_descriptor_is_read_too)
{
    expect_read_behind(TEST_UNIX);
}

TEST(what_lies_behind_urgent_data_is_read_too)
{
    expect_read_behind(TEST_TCP);
}
