/* Transports over real sockets: what a protocol is told, and when. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <base/sys.h>
#include <fate/fate.h>
#include <fate/test.h>

#include "test_net_helpers.h"

static fate_reactor *reactor;
static fate_value kept; /* so that a connection that is lost because something fails may be looked at */

/* False where memory or a call fails: there is nothing to be tested then. */
static bool begin_unkept(struct test_pair *pair, int kind, fate_ops ops)
{
    test_trace_clear();
    reactor = test_real_reactor(NULL);
    *pair = (struct test_pair){ NULL, -1 };
    if (reactor)
        *pair = test_pair(reactor, kind, ops, fate_none());
    if (!pair->p)
        test_pair_done(pair);
    return pair->p != NULL;
}

static bool begin(struct test_pair *pair, int kind, fate_ops ops)
{
    if (!begin_unkept(pair, kind, ops))
        return false;
    kept = fate_self(pair->p);
    return true;
}

static void end(struct test_pair *pair)
{
    test_pair_done(pair);
    fate_reactor_free(reactor);
    fate_drop(fate_take(&kept));
}

/* ---- Life ---- */

TEST(a_protocol_is_told_in_order)
{
    struct test_pair pair;

    if (!begin(&pair, TEST_TCP, &test_recorder))
        return;
    EXPECT_STR(test_trace(), "made; ");
    test_peer_says(&pair, "hello");
    test_until_trace(reactor, "got hello; ");
    test_peer_ends(&pair);
    test_until_trace(reactor, "read_lost; ");
    EXPECT_EQ(fate_write(pair.p->transport, "bye", 3), 0);
    test_until_heard(reactor, &pair, "bye");
    EXPECT_EQ(fate_lose_connection(pair.p->transport), 0);
    test_rounds(reactor, 3);
    EXPECT_STR(test_trace(), "made; got hello; read_lost; lost ConnectionDone; ");
    end(&pair);
}

TEST(without_read_lost_what_was_written_is_flushed_and_the_connection_closed)
{
    struct test_pair pair;
    char text[16];

    if (!begin(&pair, TEST_TCP, &test_closing_recorder))
        return;
    fate_write(pair.p->transport, "late", 4);
    test_peer_ends(&pair);
    test_until_trace(reactor, "lost ConnectionDone; ");
    test_until_heard(reactor, &pair, "late");
    EXPECT_EQ(test_peer_hears(&pair, text, sizeof text), 0);
    EXPECT_STR(test_trace(), "made; lost ConnectionDone; ");
    end(&pair);
}

TEST(a_reset_by_the_peer_is_told_apart_from_its_end)
{
    struct test_pair pair;

    if (!begin(&pair, TEST_TCP, &test_recorder))
        return;
    test_pair_reset(&pair);
    test_until_trace(reactor, "lost ");
    EXPECT_STR(test_trace(), "made; lost ConnectionReset; ");
    end(&pair);
}

TEST(a_reset_is_seen_while_reading_is_paused)
{
    struct test_pair pair;

    if (!begin(&pair, TEST_TCP, &test_recorder))
        return;
    EXPECT_EQ(fate_pause_reading(pair.p->transport), 0);
    test_peer_says(&pair, "unread");
    test_rounds(reactor, 3);
    test_pair_reset(&pair);
    test_until_trace(reactor, "lost ");
    EXPECT_STR(test_trace(), "made; lost ConnectionReset; ");
    end(&pair);
}

TEST(nothing_is_told_while_reading_is_paused)
{
    struct test_pair pair;

    if (!begin(&pair, TEST_TCP, &test_recorder))
        return;
    EXPECT_EQ(fate_pause_reading(pair.p->transport), 0);
    test_peer_says(&pair, "hello");
    test_rounds(reactor, 5);
    EXPECT_STR(test_trace(), "made; ");
    EXPECT_EQ(fate_resume_reading(pair.p->transport), 0);
    EXPECT_STR(test_trace(), "made; ");
    test_until_trace(reactor, "got hello; ");
    EXPECT_STR(test_trace(), "made; got hello; ");
    end(&pair);
}

TEST(abort_resets_and_is_told_at_the_end_of_the_turn)
{
    struct test_pair pair;
    char text[16];

    if (!begin(&pair, TEST_TCP, &test_recorder))
        return;
    fate_write(pair.p->transport, "never", 5);
    EXPECT_EQ(fate_abort_connection(pair.p->transport), 0);
    EXPECT_EQ(fate_abort_connection(pair.p->transport), -ENOTCONN);
    EXPECT_EQ(fate_lose_connection(pair.p->transport), -ENOTCONN);
    EXPECT_EQ(fate_write(pair.p->transport, "x", 1), -ENOTCONN);
    EXPECT(!fate_is_connected(pair.p->transport));
    EXPECT_STR(test_trace(), "made; ");
    test_rounds(reactor, 1);
    EXPECT_STR(test_trace(), "made; lost ConnectionAborted; ");
    EXPECT_EQ(test_peer_hears(&pair, text, sizeof text), -1);
    EXPECT_EQ(errno, ECONNRESET);
    end(&pair);
}

TEST(half_closing_tells_the_peer_and_goes_on_reading)
{
    struct test_pair pair;
    char text[16];

    if (!begin(&pair, TEST_TCP, &test_recorder))
        return;
    fate_write(pair.p->transport, "all", 3);
    EXPECT_EQ(fate_lose_write_connection(pair.p->transport), 0);
    EXPECT_EQ(fate_lose_write_connection(pair.p->transport), -ENOTCONN);
    EXPECT_EQ(fate_write(pair.p->transport, "x", 1), -ENOTCONN);
    test_until_heard(reactor, &pair, "all");
    test_rounds(reactor, 3);
    EXPECT_EQ(test_peer_hears(&pair, text, sizeof text), 0);
    test_peer_says(&pair, "answer");
    test_until_trace(reactor, "got answer; ");
    test_peer_ends(&pair);
    test_until_trace(reactor, "lost ");
    EXPECT_STR(test_trace(), "made; got answer; read_lost; lost ConnectionDone; ");
    end(&pair);
}

TEST(a_freed_reactor_tells_its_connections)
{
    struct test_pair pair;

    if (!begin(&pair, TEST_UNIX, &test_recorder))
        return;
    fate_reactor_free(reactor);
    EXPECT_STR(test_trace(), "made; lost ConnectionAborted; ");
    test_pair_done(&pair);
    fate_drop(fate_take(&kept));
}

/* ---- From inside callbacks ---- */

static void lose_when_got(fate_protocol *p, const void *data, size_t len)
{
    test_trace_add("got; ");
    fate_write(p->transport, "bye", 3);
    fate_lose_connection(p->transport);
}

static void lose_when_made(fate_protocol *p)
{
    test_trace_add("made; ");
    fate_abort_connection(p->transport);
}

static void try_all(fate_protocol *p, fate_value *why)
{
    test_trace_add("lost %s; ", fate_class_of(why)->name);
    EXPECT_EQ(fate_write(p->transport, "x", 1), -ENOTCONN);
    EXPECT_EQ(fate_write_value(p->transport, fate_str("x")), -ENOTCONN);
    EXPECT_EQ(fate_lose_connection(p->transport), -ENOTCONN);
    EXPECT_EQ(fate_abort_connection(p->transport), -ENOTCONN);
    EXPECT_EQ(fate_pause_reading(p->transport), -ENOTCONN);
    EXPECT_EQ(fate_resume_reading(p->transport), -ENOTCONN);
    EXPECT_EQ(fate_set_idle_timeout(p->transport, FATE_SECOND), -ENOTCONN);
    EXPECT_EQ(fate_set_framing(p, &FATE_LINES), -ENOTCONN);
    EXPECT(fate_next_connection(p, NULL) == NULL);
}

TEST(closing_when_data_comes_sends_what_was_written)
{
    static const fate_protocol_ops ops = { .size = sizeof ops,
                                           .data_received = lose_when_got,
                                           .connection_lost = try_all };
    struct test_pair pair;

    if (!begin(&pair, TEST_TCP, &ops))
        return;
    test_peer_says(&pair, "one");
    test_until_trace(reactor, "lost ");
    test_until_heard(reactor, &pair, "bye");
    EXPECT_STR(test_trace(), "got; lost ConnectionDone; ");
    end(&pair);
}

/* ---- A peer that still sends when the connection is closed ---- */

/* More than is read at once, so that some of it comes too late. */
static void say_much(const struct test_pair *pair)
{
    static const char much[70000];

    (void)send(pair->peer, much, sizeof much, MSG_NOSIGNAL);
}

static bool all_works(void)
{
    return !test_is_oom() && fate__sys == &fate__sys_real;
}

static const struct test_pair *of_event;

/* The poller has no time to tell of that. */
static void get_much_and_lose(fate_protocol *p, const void *data, size_t len)
{
    say_much(of_event);
    lose_when_got(p, data, len);
}

static int64_t n_watched(void)
{
    fate_value counts = fate_reactor_counts(reactor);
    const fate_value *entry = fate_is_failure(&counts) ? NULL : fate_dict_get(&counts, "descriptors");
    int64_t n = entry ? fate_as_int(entry) : 0;

    fate_drop(counts);
    return n;
}

static bool begin_lingering(struct test_pair *pair)
{
    static const fate_protocol_ops ops = { .size = sizeof ops,
                                           .data_received = lose_when_got,
                                           .connection_lost = try_all };

    if (!begin(pair, TEST_TCP, &ops))
        return false;
    say_much(pair);
    test_until_trace(reactor, "lost ");
    EXPECT_STR(test_trace(), "got; lost ConnectionDone; ");
    return true;
}

static bool is_forgotten(void *arg)
{
    return n_watched() == 0;
}

TEST(who_still_sends_is_not_reset_before_it_has_heard_the_last_words)
{
    struct test_pair pair;
    char text[16];

    if (!begin_lingering(&pair))
        return;
    say_much(&pair);
    test_rounds(reactor, 10);
    say_much(&pair);
    test_until_heard(reactor, &pair, "bye");
    if (all_works()) { /* otherwise it is closed at once */
        EXPECT_EQ(test_peer_hears(&pair, text, sizeof text), 0);
        EXPECT_EQ(n_watched(), 1);
    }
    test_peer_ends(&pair);
    EXPECT(test_until(reactor, is_forgotten, NULL) || !all_works());
    end(&pair);
}

TEST(what_comes_while_the_last_words_are_said_resets_nothing)
{
    static const fate_protocol_ops ops = { .size = sizeof ops, .data_received = get_much_and_lose };
    struct test_pair pair;
    char text[16];

    if (!begin(&pair, TEST_TCP, &ops))
        return;
    of_event = &pair;
    test_peer_says(&pair, "one");
    test_until_trace(reactor, "got; ");
    test_rounds(reactor, 3);
    test_until_heard(reactor, &pair, "bye");
    if (all_works())
        EXPECT_EQ(test_peer_hears(&pair, text, sizeof text), 0);
    end(&pair);
}

static time_t n_seconds_later;

static int later(clockid_t clock, struct timespec *ret_now)
{
    int failed = fate__sys_real.clock_gettime(clock, ret_now);

    ret_now->tv_sec += n_seconds_later;
    return failed;
}

TEST(who_never_ends_is_let_go_after_two_seconds)
{
    const struct fate__sys *before = fate__sys;
    struct fate__sys moved = *before;
    struct test_pair pair;

    moved.clock_gettime = later;
    n_seconds_later = 0;
    fate__sys = &moved;
    if (begin_lingering(&pair)) {
        n_seconds_later = 1;
        test_rounds(reactor, 3);
        if (all_works())
            EXPECT_EQ(n_watched(), 1);
        n_seconds_later = 3;
        EXPECT(test_until(reactor, is_forgotten, NULL) || !all_works());
        end(&pair);
    }
    fate__sys = before;
}

TEST(who_lingers_is_let_go_with_the_reactor)
{
    struct test_pair pair;

    if (!begin_lingering(&pair))
        return;
    end(&pair); /* a descriptor left open would be found */
}

TEST(of_many_that_linger_the_oldest_goes)
{
    struct test_pair pairs[66];
    size_t n = 0;

    test_trace_clear();
    reactor = test_real_reactor(NULL);
    for (; reactor && all_works() && n < 66; n++) {
        static const fate_protocol_ops ops = { .size = sizeof ops, .data_received = lose_when_got };
        pairs[n] = test_pair(reactor, TEST_TCP, &ops, fate_none());
        if (!pairs[n].p)
            break;
        say_much(&pairs[n]);
        test_rounds(reactor, 10);
    }
    if (n == 66)
        EXPECT_EQ(n_watched(), 64);
    while (n-- > 0)
        test_pair_done(&pairs[n]);
    fate_reactor_free(reactor);
}

TEST(aborting_when_it_is_made_is_told_once)
{
    static const fate_protocol_ops ops = { .size = sizeof ops,
                                           .connection_made = lose_when_made,
                                           .data_received = lose_when_got,
                                           .connection_lost = try_all };
    struct test_pair pair;

    if (!begin_unkept(&pair, TEST_TCP, &ops))
        return;
    test_rounds(reactor, 2);
    EXPECT_STR(test_trace(), "made; lost ConnectionAborted; ");
    end(&pair);
}

/* ---- Whose memory it is ---- */

struct counter {
    fate_protocol base;
    int n;
};

static void count(fate_protocol *p, const void *data, size_t len)
{
    fate_container_of(p, struct counter, base)->n += (int)len;
}

TEST(a_value_keeps_the_protocol_beyond_its_connection)
{
    static const fate_protocol_ops ops = { FATE_PROTOCOL(struct counter), .data_received = count };
    struct test_pair pair;

    if (!begin(&pair, TEST_TCP, &ops))
        return;
    fate_value self = fate_self(pair.p);
    test_peer_says(&pair, "four");
    test_rounds(reactor, 10);
    EXPECT_PTR(fate_as_protocol(&self), pair.p);
    EXPECT_EQ(fate_unbox(struct counter, &self)->n, 4);
    fate_abort_connection(pair.p->transport);
    test_rounds(reactor, 1);
    EXPECT_EQ(fate_write(pair.p->transport, "x", 1), -ENOTCONN);
    EXPECT_EQ(fate_unbox(struct counter, &self)->n, 4);
    EXPECT_EQ(fate_detach(&self), -EBUSY);
    fate_drop(self);
    end(&pair);
}

TEST(a_protocol_that_only_receives_closes_with_its_last_value)
{
    static const fate_protocol_ops ops = { .size = sizeof ops, .framing = &FATE_LINES };
    struct test_pair pair;
    char text[16];

    if (!begin_unkept(&pair, TEST_TCP, &ops))
        return;
    fate_value self = fate_self(pair.p), again = fate_copy(&self);
    fate_drop(self);
    test_rounds(reactor, 3);
    EXPECT_EQ(test_peer_hears(&pair, text, sizeof text), -1);
    fate_drop(again);
    test_rounds(reactor, 3);
    EXPECT_EQ(test_peer_hears(&pair, text, sizeof text), 0);
    end(&pair);
}

static struct counter built;

static fate_protocol *build(fate_value *arg, const fate_address *peer)
{
    built = (struct counter){ .n = (int)fate_address_port(peer) };
    return fate_as_bool(arg) ? &built.base : NULL;
}

static void is_built(fate_protocol *p, fate_value *why)
{
    test_trace_add("lost %s; ", fate_class_of(why)->name);
    memset(&built, 0xff, sizeof built); /* it is the program's to free here */
}

static const fate_protocol_ops builder = {
    .size = sizeof builder, .build = build, .data_received = count, .connection_lost = is_built
};

TEST(build_may_use_memory_of_its_own)
{
    test_trace_clear();
    reactor = test_real_reactor(NULL);
    if (!reactor)
        return;
    struct test_pair pair = test_pair(reactor, TEST_TCP, &builder, fate_bool(true));
    if (pair.p) {
        EXPECT_PTR(pair.p, &built.base);
        EXPECT(built.n != 0);
        fate_value self = fate_self(pair.p);
        EXPECT_PTR(fate_as_protocol(&self), pair.p);
        fate_drop(self);
        test_peer_closes(&pair);
        test_until_trace(reactor, "lost ");
        EXPECT_STR(test_trace(), "lost ConnectionDone; ");
    }
    end(&pair);
}

TEST(build_may_refuse)
{
    char text[16];

    test_trace_clear();
    reactor = test_real_reactor(NULL);
    if (!reactor)
        return;
    struct test_pair pair = test_pair(reactor, TEST_TCP, &builder, fate_bool(false));
    EXPECT(pair.p == NULL);
    EXPECT_EQ(test_peer_hears(&pair, text, sizeof text), 0);
    EXPECT_STR(test_trace(), "");
    end(&pair);
}

/* ---- Idle timeouts ---- */

static fate_protocol *begin_simulated(fate_ops ops)
{
    test_trace_clear();
    reactor = fate_test_reactor();
    return reactor ? fate_test_protocol(reactor, ops, fate_none()) : NULL;
}

static void end_simulated(void)
{
    int n = reactor ? fate_test_done(reactor) : 0;

    if (!test_is_oom())
        EXPECT_EQ(n, 0);
}

TEST(a_connection_is_lost_when_it_has_been_idle_for_that_long)
{
    fate_protocol *p = begin_simulated(&test_recorder);

    if (p && fate_set_idle_timeout(p->transport, FATE_SECOND) == 0) {
        fate_advance(reactor, FATE_SECOND - 1);
        EXPECT_STR(test_trace(), "made; ");
        fate_advance(reactor, 1);
        EXPECT_STR(test_trace(), "made; lost IdleTimeout; ");
    }
    end_simulated();
}

TEST(what_goes_either_way_is_no_idleness)
{
    fate_protocol *p = begin_simulated(&test_recorder);

    if (p && fate_set_idle_timeout(p->transport, FATE_SECOND) == 0) {
        fate_advance(reactor, FATE_SECOND - 1);
        fate_test_give(p, "a", 1);
        fate_advance(reactor, FATE_SECOND - 1);
        EXPECT_STR(test_trace(), "made; got a; ");
        fate_write(p->transport, "b", 1);
        fate_advance(reactor, FATE_SECOND - 1);
        EXPECT_STR(test_trace(), "made; got a; ");
        fate_test_block(p, true);
        fate_write(p->transport, "c", 1); /* does not go */
        fate_advance(reactor, 1);
        EXPECT_STR(test_trace(), "made; got a; lost IdleTimeout; ");
    }
    end_simulated();
}

TEST(an_idle_timeout_can_be_changed_and_taken_back)
{
    fate_protocol *p = begin_simulated(&test_recorder);

    if (p) {
        EXPECT_EQ(fate_set_idle_timeout(p->transport, FATE_SECOND), 0);
        EXPECT_EQ(fate_set_idle_timeout(p->transport, FATE_NEVER), 0);
        fate_advance(reactor, 10 * FATE_SECOND);
        EXPECT_STR(test_trace(), "made; ");
        EXPECT_EQ(fate_set_idle_timeout(p->transport, 2 * FATE_SECOND), 0);
        fate_advance(reactor, FATE_SECOND);
        EXPECT_EQ(fate_set_idle_timeout(p->transport, 0), 0);
        fate_advance(reactor, 10 * FATE_SECOND);
        EXPECT_STR(test_trace(), "made; ");
    }
    end_simulated();
}

/* ---- Several ---- */

static void tell_others(fate_protocol *p, const void *data, size_t len)
{
    fate_for_each_connection(other, p)
    {
        fate_write(other->transport, data, len);
        if (other != p)
            fate_abort_connection(other->transport);
    }
}

TEST(connections_are_gone_through_while_they_are_lost)
{
    static const fate_protocol_ops ops = { .size = sizeof ops, .data_received = tell_others };
    struct test_pair pair;

    if (!begin(&pair, TEST_UNIX, &ops))
        return;
    EXPECT_PTR(fate_next_connection(pair.p, NULL), pair.p);
    EXPECT(fate_next_connection(pair.p, pair.p) == NULL);
    test_peer_says(&pair, "hi");
    test_until_heard(reactor, &pair, "hi");
    end(&pair);
}

/* ---- Addresses ---- */

TEST(both_ends_have_addresses)
{
    struct test_pair pair;
    char text[FATE_ADDRESS_TEXT_BYTES];

    if (!begin(&pair, TEST_TCP, &test_recorder))
        return;
    EXPECT_STR(fate_address_host(fate_peer(pair.p->transport), text), "127.0.0.1");
    EXPECT_STR(fate_address_host(fate_here(pair.p->transport), text), "127.0.0.1");
    EXPECT_EQ(fate_set_no_delay(pair.p->transport, true), 0);
    EXPECT_EQ(fate_set_keep_alive(pair.p->transport, 60 * FATE_SECOND), 0);
    EXPECT_EQ(fate_set_keep_alive(pair.p->transport, 0), 0);
    end(&pair);
}

TEST(unix_sockets_have_no_tcp_options)
{
    struct test_pair pair;

    if (!begin(&pair, TEST_UNIX, &test_recorder))
        return;
    EXPECT_EQ(fate_set_no_delay(pair.p->transport, true), -EOPNOTSUPP);
    EXPECT_EQ(fate_address_family(fate_peer(pair.p->transport)), 1);
    end(&pair);
}
