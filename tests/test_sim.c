/* The simulated network: connections. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fate/fate.h>
#include <fate/test.h>

#include "test_sim_helpers.h"

#define MS FATE_MILLISECOND

static fate_reactor *reactor;
static struct test_server server;
static struct test_client client;

static void call(const char *endpoint, fate_ops ops)
{
    test_call(&client, reactor, endpoint, ops, fate_ptr("c"));
}

static void serve(const char *endpoint, fate_ops ops)
{
    test_serve(&server, reactor, endpoint, ops, fate_ptr("s"));
}

static void begin(void)
{
    test_trace_clear();
    reactor = test_reactor();
    server = (struct test_server){ .kept = fate_none() };
    client = (struct test_client){ .kept = fate_none() };
}

/* The two are connected, over that link or NULL; false: there was no memory. */
static bool begin_connected(const fate_link *link, fate_ops ops)
{
    begin();
    if (link && fate_test_link_at(reactor, link, FATE_HERE) < 0)
        return false;
    serve("tcp:quotes:17", ops);
    call("tcp:quotes:17", ops);
    fate_play(reactor, FATE_SECOND);
    test_trace_clear();
    return client.p && server.last;
}

static void end(void)
{
    test_call_done(&client);
    test_serve_done(&server);
    fate_reactor_free(reactor);
}

static void say(fate_protocol *p, const char *text)
{
    fate_write(p->transport, text, strlen(text));
}

/* ---- Names ---- */

static const char *address_of(const char *name)
{
    static char text[FATE_ADDRESS_TEXT_BYTES];
    fate_address address;

    return fate__sim_resolve(reactor, name, &address) == 0 ? fate_address_host(&address, text) : "";
}

TEST(hosts_have_addresses_by_first_use)
{
    begin();
    EXPECT_STR(address_of("quotes"), "10.0.0.1");
    EXPECT_STR(address_of("db"), "10.0.0.2");
    EXPECT_STR(address_of("quotes"), "10.0.0.1");
    EXPECT_STR(address_of("localhost"), "127.0.0.1");
    EXPECT_STR(address_of("127.0.0.1"), "127.0.0.1");
    EXPECT_STR(address_of("192.0.2.7"), "192.0.2.7");
    EXPECT_STR(address_of("2001:0db8::1"), "2001:db8::1");
    end();
}

TEST(a_number_that_a_literal_has_is_passed_over)
{
    begin();
    EXPECT_STR(address_of("10.0.0.1"), "10.0.0.1");
    EXPECT_STR(address_of("quotes"), "10.0.0.2");
    for (int i = 3; i <= 256; i++) {
        char name[16];
        snprintf(name, sizeof name, "h%d", i);
        address_of(name);
    }
    EXPECT_STR(address_of("last"), "10.0.1.1");
    end();
}

/* ---- Connecting ---- */

TEST(two_are_joined_without_latency_in_no_time)
{
    begin();
    serve("tcp:quotes:17", &test_side);
    call("tcp:quotes:17", &test_side);
    EXPECT_EQ(client.error, 1);
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "s made; c made; c connected; ");
    EXPECT_EQ(fate_now(reactor), 0);
    end();
}

TEST(each_end_knows_the_other)
{
    char text[FATE_ADDRESS_TEXT_BYTES];

    if (begin_connected(NULL, &test_side)) {
        EXPECT_STR(fate_address_text(fate_peer(client.p->transport), text), "10.0.0.1:17");
        EXPECT_STR(fate_address_text(fate_here(client.p->transport), text), "10.0.0.2:49152");
        EXPECT_STR(fate_address_text(fate_peer(server.last->transport), text), "10.0.0.2:49152");
        EXPECT_STR(fate_address_text(fate_here(server.last->transport), text), "10.0.0.1:17");
    }
    end();
}

TEST(bind_says_where_a_connection_comes_from)
{
    char text[FATE_ADDRESS_TEXT_BYTES];

    begin();
    serve("tcp:17", &test_side);
    call("tcp:quotes:17:bind=192.0.2.1\\:4000", &test_side);
    fate_advance(reactor, 0);
    if (server.last)
        EXPECT_STR(fate_address_text(fate_peer(server.last->transport), text), "192.0.2.1:4000");

    struct test_client second;
    test_call(&second, reactor, "tcp:quotes:17:bind=192.0.2.1\\:4000", &test_side, fate_ptr("c"));
    fate_advance(reactor, 0);
    EXPECT_EQ(second.error, -EADDRINUSE);
    test_call_done(&second);
    end();
}

TEST(connecting_takes_a_round_trip)
{
    begin();
    fate_test_link(reactor, .latency = 10 * MS);
    serve("tcp:quotes:17", &test_side);
    call("tcp:quotes:17", &test_side);
    fate_play(reactor, 10 * MS - 1);
    EXPECT_STR(test_trace(), "");
    fate_play(reactor, 1);
    EXPECT_STR(test_trace(), "s made; ");
    fate_play(reactor, 10 * MS - 1);
    EXPECT_STR(test_trace(), "s made; ");
    fate_play(reactor, 1);
    EXPECT_STR(test_trace(), "s made; c made; c connected; ");
    end();
}

TEST(where_nobody_listens_one_is_refused_a_round_trip_later)
{
    begin();
    fate_test_link(reactor, .latency = 10 * MS);
    serve("tcp:quotes:17", &test_side);
    call("tcp:quotes:18", &test_side);
    fate_play(reactor, 20 * MS - 1);
    EXPECT_EQ(client.error, 1);
    fate_play(reactor, 1);
    EXPECT_EQ(client.error, -ECONNREFUSED);
    test_call_done(&client);
    call("tcp:other:17", &test_side);
    fate_play(reactor, 20 * MS);
    EXPECT_EQ(client.error, -ECONNREFUSED);
    end();
}

TEST(who_listens_without_a_host_is_on_all)
{
    begin();
    serve("tcp:17", &test_side);
    call("tcp:other:17", &test_side);
    fate_advance(reactor, 0);
    EXPECT_EQ(client.error, 0);
    test_call_done(&client);
    call("tcp:127.0.0.1:17", &test_side);
    fate_advance(reactor, 0);
    EXPECT_EQ(client.error, 0);
    EXPECT_EQ(server.n_accepted, 2);
    end();
}

TEST(a_port_is_chosen)
{
    char text[FATE_ADDRESS_TEXT_BYTES];

    begin();
    serve("tcp:quotes:0", &test_side);
    if (server.listener)
        EXPECT_STR(fate_address_text(fate__sim_listener_address(server.listener), text), "10.0.0.1:49152");
    call("tcp:quotes:49152", &test_side);
    fate_advance(reactor, 0);
    EXPECT_EQ(client.error, 0);
    end();
}

static int listen_again(const char *endpoint)
{
    struct test_server second = { .is_lazy = false };

    test_serve(&second, reactor, endpoint, &test_side, fate_ptr("t"));
    test_serve_done(&second);
    return second.error;
}

TEST(a_port_has_one_listener)
{
    begin();
    serve("tcp:quotes:17", &test_side);
    EXPECT_EQ(listen_again("tcp:quotes:17"), -EADDRINUSE);
    EXPECT_EQ(listen_again("tcp:17"), -EADDRINUSE);
    EXPECT_EQ(listen_again("tcp:10.0.0.1:17"), -EADDRINUSE);
    EXPECT_EQ(listen_again("tcp:other:17"), 0);
    EXPECT_EQ(listen_again("tcp:18"), 0);
    EXPECT_EQ(listen_again("systemd:web"), -EOPNOTSUPP);
    test_serve_done(&server);
    EXPECT_EQ(listen_again("tcp:quotes:17"), 0);
    end();
}

TEST(families_have_ports_of_their_own)
{
    begin();
    serve("tcp6:17", &test_side);
    EXPECT_EQ(listen_again("tcp4:17"), 0);
    EXPECT_EQ(listen_again("tcp:17"), -EADDRINUSE);
    call("tcp:127.0.0.1:17", &test_side);
    fate_advance(reactor, 0);
    EXPECT_EQ(client.error, -ECONNREFUSED);
    test_call_done(&client);
    call("tcp:[::1]:17", &test_side);
    fate_advance(reactor, 0);
    EXPECT_EQ(client.error, 0);
    end();
}

TEST(those_who_share_a_port_are_called_in_turn)
{
    struct test_server second = { .is_lazy = false };
    struct test_client more[3];

    begin();
    serve("tcp:quotes:17:reuseport=yes", &test_side);
    test_serve(&second, reactor, "tcp:quotes:17:reuseport=yes", &test_side, fate_ptr("t"));
    EXPECT_EQ(second.error, 0);
    call("tcp:quotes:17", &test_side);
    for (int i = 0; i < 3; i++)
        test_call(&more[i], reactor, "tcp:quotes:17", &test_side, fate_ptr("c"));
    fate_advance(reactor, 0);
    EXPECT_EQ(server.n_accepted, 2);
    EXPECT_EQ(second.n_accepted, 2);
    for (int i = 0; i < 3; i++)
        test_call_done(&more[i]);
    test_serve_done(&second);
    end();
}

TEST(paths_are_joined_by_name)
{
    char text[FATE_ADDRESS_TEXT_BYTES];

    begin();
    fate_test_link(reactor, .latency = FATE_SECOND);
    serve("unix:/run/x", &test_side);
    EXPECT_EQ(listen_again("unix:/run/x"), -EADDRINUSE);
    EXPECT_EQ(listen_again("unix:@/run/x"), 0);
    call("unix:/run/x", &test_side);
    fate_advance(reactor, 0);
    EXPECT_EQ(client.error, 0);
    if (client.p) {
        EXPECT_STR(fate_address_text(fate_peer(client.p->transport), text), "unix:/run/x");
        EXPECT_STR(fate_address_text(fate_here(client.p->transport), text), "unix:");
    }
    test_call_done(&client);
    call("unix:/run/y", &test_side);
    fate_advance(reactor, 0);
    EXPECT_EQ(client.error, -ENOENT);
    test_call_done(&client);
    call("unix:@x", &test_side);
    fate_advance(reactor, 0);
    EXPECT_EQ(client.error, -ECONNREFUSED);
    end();
}

TEST(who_gives_up_connecting_is_not_told)
{
    begin();
    fate_test_link(reactor, .latency = 10 * MS);
    serve("tcp:quotes:17", &test_side);
    call("tcp:quotes:17", &test_side);
    test_call_done(&client);
    fate_play(reactor, FATE_SECOND);
    EXPECT_EQ(client.error, 1);
    EXPECT_STR(test_trace(), "");

    call("tcp:quotes:17", &test_side);
    fate_play(reactor, 15 * MS);
    test_call_done(&client);
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(test_trace(), "s made; s lost ConnectionReset; ");
    end();
}

/* ---- The backlog ---- */

TEST(who_is_not_accepted_yet_may_write)
{
    begin();
    server.is_lazy = true;
    serve("tcp:quotes:17", &test_side);
    call("tcp:quotes:17", &test_side);
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "c made; c connected; ");
    if (client.p) {
        say(client.p, "hello");
        fate_advance(reactor, 0);
        EXPECT_EQ(server.n_told, 1);
        test_accept(&server);
        fate_advance(reactor, 0);
        EXPECT_STR(test_trace(), "c made; c connected; s made; s got hello; ");
    }
    end();
}

TEST(a_full_backlog_lets_callers_wait)
{
    struct test_client more[3];

    begin();
    server.is_lazy = true;
    serve("tcp:quotes:17:backlog=2", &test_side);
    for (int i = 0; i < 3; i++)
        test_call(&more[i], reactor, "tcp:quotes:17", &test_side, fate_ptr("c"));
    fate_play(reactor, 60 * FATE_SECOND);
    EXPECT_EQ(more[0].error, 0);
    EXPECT_EQ(more[1].error, 0);
    EXPECT_EQ(more[2].error, 1);
    if (server.listener)
        test_accept(&server);
    fate_play(reactor, 0);
    EXPECT_EQ(more[2].error, 0);
    for (int i = 0; i < 3; i++)
        test_call_done(&more[i]);
    end();
}

TEST(a_listener_that_closes_resets_those_who_wait)
{
    struct test_client more[2];

    begin();
    server.is_lazy = true;
    serve("tcp:quotes:17:backlog=1", &test_side);
    for (int i = 0; i < 2; i++)
        test_call(&more[i], reactor, "tcp:quotes:17", &test_side, fate_ptr(i ? "d" : "c"));
    fate_advance(reactor, 0);
    test_trace_clear();
    test_serve_done(&server);
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "c lost ConnectionReset; d ECONNREFUSED; ");
    for (int i = 0; i < 2; i++)
        test_call_done(&more[i]);
    end();
}

/* ---- Bytes ---- */

TEST(what_a_turn_writes_comes_in_one_piece)
{
    if (begin_connected(NULL, &test_side)) {
        say(client.p, "hel");
        say(client.p, "lo");
        fate_write_value(client.p->transport, fate_str(" there"));
        fate_advance(reactor, 0);
        EXPECT_STR(test_trace(), "s got hello there; ");
    }
    end();
}

TEST(bytes_take_their_time)
{
    if (begin_connected(&(fate_link){ sizeof(fate_link), .latency = 30 * MS }, &test_side)) {
        say(client.p, "one");
        fate_play(reactor, 10 * MS);
        say(client.p, "two");
        fate_play(reactor, 20 * MS - 1);
        EXPECT_STR(test_trace(), "");
        fate_play(reactor, 1);
        EXPECT_STR(test_trace(), "s got one; ");
        fate_play(reactor, 10 * MS);
        EXPECT_STR(test_trace(), "s got one; s got two; ");
    }
    end();
}

TEST(bytes_are_cut_into_pieces)
{
    if (begin_connected(&(fate_link){ sizeof(fate_link), .piece_bytes_max = 1 }, &test_side)) {
        say(client.p, "abc");
        fate_advance(reactor, 0);
        EXPECT_STR(test_trace(), "s got a; s got b; s got c; ");
    }
    end();
}

/* Each is late by itself, but they stay in order. */
TEST(lost_pieces_come_later_and_in_order)
{
    const fate_link link = { sizeof link, .seed = 3, .latency = 10 * MS, .loss_percent = 50,
                             .piece_bytes_max = 1 };

    if (begin_connected(&link, &test_side)) {
        fate_time sent = fate_now(reactor);
        say(client.p, "abcdefghij");
        fate_play(reactor, 5 * FATE_SECOND);
        EXPECT_STR(test_trace(), "s got a; s got b; s got c; s got d; s got e; s got f; s got g; s got h; "
                                 "s got i; s got j; ");
        test_trace_clear();
        say(client.p, "k");
        fate_play(reactor, 210 * MS);
        EXPECT_STR(test_trace(), "s got k; ");
        EXPECT(fate_now(reactor) > sent);
    }
    end();
}

static size_t n_got;
static fate_time last_got;

static void count(fate_protocol *p, const void *data, size_t len)
{
    n_got += len;
    last_got = fate_now(p->reactor);
}

static const fate_protocol_ops counting = { .size = sizeof counting,
                                            .name = "counting",
                                            .data_received = count };

static const char kilobyte[1024];

TEST(bandwidth_is_shared_out_by_the_clock)
{
    const fate_link link = { sizeof link, .bytes_per_second = 64 * 1024, .latency = 5 * MS };

    n_got = 0;
    if (begin_connected(&link, &counting)) {
        fate_time sent = fate_now(reactor);
        for (int i = 0; i < 64; i++)
            fate_write(client.p->transport, kilobyte, sizeof kilobyte);
        fate_play(reactor, 500 * MS);
        EXPECT(n_got > 28 * 1024);
        EXPECT(n_got < 34 * 1024);
        fate_play(reactor, 600 * MS);
        EXPECT_EQ(n_got, 64 * 1024);
        EXPECT_EQ((last_got - sent + FATE_MICROSECOND / 2) / FATE_MICROSECOND, 1005000);
    }
    end();
}

TEST(a_writer_waits_while_nobody_reads)
{
    if (begin_connected(&(fate_link){ sizeof(fate_link), .buffer_bytes = 4096 }, &counting)) {
        n_got = 0;
        fate_pause_reading(server.last->transport);
        for (int i = 0; i < 64; i++)
            fate_write(client.p->transport, kilobyte, sizeof kilobyte);
        fate_advance(reactor, 0);
        EXPECT_EQ(n_got, 0);
        EXPECT_EQ(fate_write_queued(client.p->transport), 60 * 1024);
        fate_resume_reading(server.last->transport);
        fate_advance(reactor, 0);
        EXPECT_EQ(n_got, 64 * 1024);
        EXPECT_EQ(fate_write_queued(client.p->transport), 0);
    }
    end();
}

/* ---- Ends ---- */

TEST(a_side_that_closes_is_heard_of_after_its_bytes)
{
    if (begin_connected(&(fate_link){ sizeof(fate_link), .latency = 10 * MS }, &test_closing_side)) {
        say(client.p, "bye");
        fate_lose_connection(client.p->transport);
        fate_play(reactor, FATE_SECOND);
        EXPECT_STR(test_trace(), "c lost ConnectionDone; s got bye; s lost ConnectionDone; ");
    }
    end();
}

TEST(a_half_close_lets_the_other_half_go_on)
{
    if (begin_connected(NULL, &test_side)) {
        say(client.p, "ask");
        fate_lose_write_connection(client.p->transport);
        fate_advance(reactor, 0);
        EXPECT_STR(test_trace(), "s got ask; s read_lost; ");
        say(server.last, "answer");
        fate_lose_connection(server.last->transport);
        fate_advance(reactor, 0);
        EXPECT_STR(test_trace(), "s got ask; s read_lost; s lost ConnectionDone; c got answer; c read_lost; "
                                 "c lost ConnectionDone; ");
    }
    end();
}

TEST(an_abort_is_a_reset_and_loses_what_is_under_way)
{
    if (begin_connected(&(fate_link){ sizeof(fate_link), .latency = 10 * MS }, &test_side)) {
        say(client.p, "here");
        fate_play(reactor, 10 * MS);
        say(client.p, "lost");
        fate_play(reactor, 5 * MS);
        fate_abort_connection(client.p->transport);
        fate_play(reactor, 10 * MS);
        EXPECT_STR(test_trace(), "s got here; c lost ConnectionAborted; s lost ConnectionReset; ");
    }
    end();
}

TEST(writing_to_one_who_has_gone_is_answered_by_a_reset)
{
    if (begin_connected(&(fate_link){ sizeof(fate_link), .latency = 10 * MS }, &test_side)) {
        fate_lose_connection(client.p->transport);
        say(server.last, "late");
        fate_play(reactor, 15 * MS);
        EXPECT_STR(test_trace(), "c lost ConnectionDone; s read_lost; ");
        fate_play(reactor, 5 * MS);
        EXPECT_STR(test_trace(), "c lost ConnectionDone; s read_lost; s lost ConnectionReset; ");
    }
    end();
}

TEST(a_reset_is_heard_of_by_who_does_not_read)
{
    if (begin_connected(NULL, &test_side)) {
        fate_pause_reading(server.last->transport);
        say(client.p, "unread");
        fate_advance(reactor, 0);
        fate_abort_connection(client.p->transport);
        fate_advance(reactor, 0);
        EXPECT_STR(test_trace(), "c lost ConnectionAborted; s lost ConnectionReset; ");
    }
    end();
}

static void pause_at_once(fate_protocol *p)
{
    test_trace_add("s made; ");
    fate_pause_reading(p->transport);
}

static void note_loss(fate_protocol *p, fate_value *why)
{
    test_trace_add("s lost %s; ", fate_class_of(why)->name);
}

/* As the kernel's poller tells of it. */
TEST(a_reset_from_before_it_was_accepted_is_heard_of_by_who_does_not_read)
{
    const fate_protocol_ops ops = { .size = sizeof ops,
                                    .connection_made = pause_at_once,
                                    .data_received = test_side.data_received,
                                    .connection_lost = note_loss };

    begin();
    server.is_lazy = true;
    serve("tcp:quotes:17", &ops);
    call("tcp:quotes:17", &test_side);
    fate_advance(reactor, 0);
    if (client.p && server.listener) {
        fate_abort_connection(client.p->transport);
        fate_advance(reactor, 0);
        test_trace_clear();
        test_accept(&server);
        fate_advance(reactor, 0);
        EXPECT_STR(test_trace(),
                   test_is_oom() && !server.n_accepted ? "" : "s made; s lost ConnectionReset; ");
    }
    end();
}

/* An orderly end would tell the peer that it has got all. */
TEST(who_gives_up_with_bytes_queued_resets)
{
    if (begin_connected(&(fate_link){ sizeof(fate_link), .buffer_bytes = 100 }, &test_side)) {
        fate_pause_reading(server.last->transport);
        fate_set_idle_timeout(client.p->transport, FATE_SECOND);
        fate_write(client.p->transport, kilobyte, sizeof kilobyte);
        fate_play(reactor, 2 * FATE_SECOND);
        EXPECT_STR(test_trace(), "c lost IdleTimeout; s lost ConnectionReset; ");
    }
    end();
}

static int written;

static void write_much(fate_protocol *p)
{
    static const char much[65536];

    fate_pause_reading(p->transport);
    written = fate_write(p->transport, much, sizeof much);
}

static const fate_protocol_ops writing_much = { .size = sizeof writing_much,
                                                .connection_made = write_much,
                                                .data_received = count };

TEST(much_written_into_a_connection_that_was_reset_before_is_refused)
{
    begin();
    written = 0;
    server.is_lazy = true;
    serve("tcp:quotes:17", &writing_much);
    call("tcp:quotes:17", &test_side);
    fate_advance(reactor, 0);
    if (client.p) {
        fate_abort_connection(client.p->transport);
        fate_advance(reactor, 0);
        test_accept(&server);
        EXPECT_EQ(server.n_accepted, 1);
        EXPECT_EQ(written, -ENOTCONN);
    }
    end();
}

TEST(the_reactor_may_go_at_any_stage)
{
    for (int i = 0; i < 6; i++) {
        begin();
        server.is_lazy = i == 3;
        fate_test_link(reactor, .latency = 10 * MS);
        serve("tcp:quotes:17", &test_closing_side);
        call("tcp:quotes:17", &test_closing_side);
        fate_play(reactor, i * 6 * MS);
        if (client.p)
            say(client.p, "hello");
        if (i == 5 && client.p)
            fate_lose_connection(client.p->transport);
        end();
    }
}

/* ---- Cuts ---- */

TEST(a_cut_resets_connections_and_refuses_new_ones)
{
    if (begin_connected(&(fate_link){ sizeof(fate_link), .latency = 10 * MS }, &test_side)) {
        say(client.p, "lost");
        if (fate_test_cut(reactor, "quotes", false) == 0) {
            fate_play(reactor, 0);
            EXPECT_STR(test_trace(), "c lost ConnectionReset; s lost ConnectionReset; ");
        }
        test_call_done(&client);
        call("tcp:quotes:17", &test_side);
        fate_play(reactor, 20 * MS);
        EXPECT_EQ(client.error, -EHOSTUNREACH);
        test_call_done(&client);
        fate_test_heal(reactor, "quotes");
        call("tcp:quotes:17", &test_side);
        fate_play(reactor, 20 * MS);
        EXPECT_EQ(client.error, 0);
    }
    end();
}

TEST(who_is_connecting_hears_of_a_cut)
{
    begin();
    fate_test_link(reactor, .latency = 10 * MS);
    serve("tcp:quotes:17", &test_side);
    call("tcp:quotes:17", &test_side);
    fate_play(reactor, 5 * MS);
    fate_test_cut(reactor, "quotes", false);
    fate_play(reactor, 5 * MS);
    EXPECT_EQ(client.error, -EHOSTUNREACH);
    end();
}

TEST(a_silent_cut_holds_all_back_until_it_is_healed)
{
    if (begin_connected(&(fate_link){ sizeof(fate_link), .latency = 10 * MS }, &test_side)) {
        say(client.p, "held");
        fate_test_cut(reactor, "10.0.0.1", true);
        say(server.last, "too");
        fate_play(reactor, 60 * FATE_SECOND);
        EXPECT_STR(test_trace(), "");
        fate_test_heal(reactor, "quotes");
        fate_play(reactor, 10 * MS - 1);
        EXPECT_STR(test_trace(), "");
        fate_play(reactor, 1);
        EXPECT_STR(test_trace(), "c got too; s got held; ");
    }
    end();
}

TEST(connecting_over_a_silent_cut_does_not_end)
{
    begin();
    serve("tcp:17", &test_side);
    fate_test_cut(reactor, "quotes", true);
    call("tcp:quotes:17", &test_side);
    fate_play(reactor, 3600 * FATE_SECOND);
    EXPECT_EQ(client.error, 1);
    fate_test_heal(reactor, "quotes");
    fate_play(reactor, 0);
    EXPECT_EQ(client.error, 0);
    end();
}

/* ---- Memory on real time ---- */

TEST(memory_joins_two_on_a_real_reactor)
{
    test_trace_clear();
    reactor = test_real_reactor(NULL);
    server = (struct test_server){ .kept = fate_none() };
    client = (struct test_client){ .kept = fate_none() };
    if (!reactor)
        return;
    serve("memory:lane", &test_closing_side);
    call("memory:lane", &test_closing_side);
    for (int i = 0; i < 4; i++)
        fate_iterate(reactor, 0);
    EXPECT_STR(test_trace(), "s made; c made; c connected; ");
    if (client.p && server.last) {
        char text[FATE_ADDRESS_TEXT_BYTES];
        EXPECT_STR(fate_address_text(fate_peer(client.p->transport), text), "unix:memory:lane");
        say(client.p, "hello");
        fate_lose_connection(client.p->transport);
        for (int i = 0; i < 6; i++)
            fate_iterate(reactor, 0);
        EXPECT_STR(test_trace(), "s made; c made; c connected; c lost ConnectionDone; s got hello; "
                                 "s lost ConnectionDone; ");
    }
    end();
}

/* ---- Misuse ---- */

static void link_a_real_one(void *arg)
{
    fate_test_link(fate_reactor_new(), .latency = MS);
}

static void link_backwards(void *arg)
{
    fate_test_link(fate_reactor_new_simulated(), .latency = -MS);
}

static void link_without_size(void *arg)
{
    const fate_link link = { .latency = MS };
    (fate_test_link)(fate_reactor_new_simulated(), &link);
}

TEST(links_that_cannot_be_stop_the_program)
{
    EXPECT_STOP(link_a_real_one, NULL, "test_sim.c:", "fate_test_link", "real time", "fate_test_reactor");
    EXPECT_STOP(link_backwards, NULL, "test_sim.c:", "latency", "before it is sent");
    EXPECT_STOP(link_without_size, NULL, "size is 0");
}
