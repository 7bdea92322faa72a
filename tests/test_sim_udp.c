/* The simulated network: datagrams. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <fate/fate.h>
#include <fate/test.h>

#include "test_sim_helpers.h"

#define MS FATE_MILLISECOND

static fate_reactor *reactor;

/* A socket that notes what it gets after its name; open: NULL when there was no memory. */
struct place {
    const char *name;
    struct fate__sim_udp *udp;
    fate_value arg;
    struct place *closes; /* when it gets something */
    int error;
};

static void note(fate_udp *udp, const fate_datagram *datagram, fate_value *arg)
{
    const struct place *place = fate_as_ptr(arg);
    char from[FATE_ADDRESS_TEXT_BYTES];

    if (datagram->error)
        test_trace_add("%s error %s from %s; ", place->name, fate_errno_name(datagram->error),
                       fate_address_text(datagram->from, from));
    else
        test_trace_add("%s got %s from %s; ", place->name, datagram->data,
                       fate_address_text(datagram->from, from));
    if (place->closes) {
        fate__sim_udp_close(place->closes->udp);
        place->closes->udp = NULL;
    }
}

static fate_address address_of(const char *text)
{
    fate_address address = { .family = AF_UNIX };

    if (fate_address_parse(text, &address) == 0)
        return address;
    address.as.local.path = *text ? text : NULL;
    address.as.local.len = strlen(text);
    return address;
}

static void open_with(struct place *place, const char *name, struct fate__sim_udp_options options)
{
    *place = (struct place){ .name = name, .arg = fate_ptr(place) };
    options.got = note;
    options.arg = &place->arg;
    place->error = fate__sim_udp_open(reactor, &options, &place->udp);
    EXPECT_EQ(place->error, 0);
}

static void open_at(struct place *place, const char *name, const char *here)
{
    fate_address address = address_of(here);
    open_with(place, name, (struct fate__sim_udp_options){ .here = &address });
}

static void open_to(struct place *place, const char *name, const char *to)
{
    fate_address address = address_of(to);
    open_with(place, name, (struct fate__sim_udp_options){ .to = &address });
}

static int send_to(const struct place *place, const char *to, const char *text)
{
    fate_address address;

    if (!place->udp)
        return -ENOMEM;
    if (!to)
        return fate__sim_udp_send(place->udp, NULL, text, strlen(text));
    address = address_of(to);
    return fate__sim_udp_send(place->udp, &address, text, strlen(text));
}

static void begin(void)
{
    test_trace_clear();
    reactor = test_reactor();
}

static void end(struct place *places, int n)
{
    for (int i = 0; i < n; i++)
        fate__sim_udp_close(places[i].udp);
    fate_reactor_free(reactor);
}

/* ---- There and back ---- */

TEST(a_datagram_says_where_it_comes_from)
{
    struct place place[2];

    begin();
    open_at(&place[0], "a", "0.0.0.0:9999");
    open_at(&place[1], "b", "10.1.1.1:53");
    EXPECT_EQ(send_to(&place[0], "10.1.1.1:53", "ask"), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "b got ask from 10.0.0.1:9999; ");
    EXPECT_EQ(send_to(&place[1], "10.0.0.1:9999", "answer"), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "b got ask from 10.0.0.1:9999; a got answer from 10.1.1.1:53; ");
    EXPECT_EQ(send_to(&place[0], NULL, "x"), -EDESTADDRREQ);
    end(place, 2);
}

TEST(a_connected_socket_hears_one_peer_alone)
{
    struct place place[3];

    begin();
    open_at(&place[0], "s", "10.1.1.1:53");
    open_to(&place[1], "c", "10.1.1.1:53");
    open_at(&place[2], "x", "10.2.2.2:53");
    EXPECT_EQ(send_to(&place[1], NULL, "ask"), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "s got ask from 10.0.0.1:49152; ");
    send_to(&place[2], "10.0.0.1:49152", "forged");
    send_to(&place[0], "10.0.0.1:49152", "answer");
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "s got ask from 10.0.0.1:49152; c got answer from 10.1.1.1:53; ");
    end(place, 3);
}

TEST(who_is_connected_hears_that_nobody_is_there)
{
    struct place place[2];

    begin();
    fate_test_link(reactor, .latency = 10 * MS);
    open_to(&place[0], "c", "10.1.1.1:53");
    open_at(&place[1], "a", "0.0.0.0:9999");
    send_to(&place[0], NULL, "ask");
    send_to(&place[1], "10.1.1.1:53", "ask");
    fate_play(reactor, 20 * MS - 1);
    EXPECT_STR(test_trace(), "");
    fate_play(reactor, 1);
    EXPECT_STR(test_trace(), "c error ECONNREFUSED from 10.1.1.1:53; ");
    end(place, 2);
}

TEST(what_cannot_be_sent_says_why)
{
    struct place place[1];
    static char large[65508];

    begin();
    open_at(&place[0], "a", "0.0.0.0:9999");
    fate_address to = address_of("10.1.1.1:53");
    EXPECT_EQ(send_to(&place[0], "[2001:db8::1]:53", "x"), -EAFNOSUPPORT);
    EXPECT_EQ(send_to(&place[0], "255.255.255.255:53", "x"), -EACCES);
    if (place[0].udp) {
        EXPECT_EQ(fate__sim_udp_send(place[0].udp, &to, large, sizeof large), -EMSGSIZE);
        for (int i = 0; i < 4; i++)
            EXPECT_EQ(fate__sim_udp_send(place[0].udp, &to, large, sizeof large - 1), 0);
        EXPECT_EQ(fate__sim_udp_send(place[0].udp, &to, large, sizeof large - 1), -EAGAIN);
        fate_advance(reactor, 0);
        EXPECT_EQ(fate__sim_udp_send(place[0].udp, &to, large, sizeof large - 1), 0);
    }
    end(place, 1);
}

/* ---- The link ---- */

TEST(datagrams_take_their_time_and_overtake_one_another)
{
    struct place place[2];

    begin();
    fate_test_link(reactor, .seed = 1, .latency = 10 * MS, .jitter = 10 * MS);
    open_at(&place[0], "a", "10.0.0.9:1");
    open_at(&place[1], "b", "10.1.1.1:53");
    for (char name[] = "0"; name[0] <= '5'; name[0]++)
        send_to(&place[0], "10.1.1.1:53", name);
    fate_play(reactor, 10 * MS - 1);
    EXPECT_STR(test_trace(), "");
    fate_play(reactor, 10 * MS + 1);
    EXPECT(strlen(test_trace()) > 6 * strlen("b got 0 from 10.0.0.9:1;"));
    EXPECT(strcmp(test_trace(),
                  "b got 0 from 10.0.0.9:1; b got 1 from 10.0.0.9:1; b got 2 from 10.0.0.9:1; b got 3 from "
                  "10.0.0.9:1; b got 4 from 10.0.0.9:1; b got 5 from 10.0.0.9:1; ") != 0);
    end(place, 2);
}

static int count_semicolons(void)
{
    int n = 0;

    for (const char *at = test_trace(); *at; at++)
        n += *at == ';';
    return n;
}

TEST(some_datagrams_are_lost)
{
    struct place place[2];

    begin();
    fate_test_link(reactor, .seed = 7, .loss_percent = 50);
    open_at(&place[0], "a", "10.0.0.9:1");
    open_at(&place[1], "b", "10.1.1.1:53");
    for (int i = 0; i < 100; i++)
        EXPECT_EQ(send_to(&place[0], "10.1.1.1:53", "x"), 0);
    fate_advance(reactor, 0);
    EXPECT(count_semicolons() > 30);
    EXPECT(count_semicolons() < 70);
    fate_test_link(reactor, .loss_percent = 100);
    test_trace_clear();
    EXPECT_EQ(send_to(&place[0], "10.1.1.1:53", "x"), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "");
    end(place, 2);
}

TEST(a_cut_host_gets_no_datagrams)
{
    struct place place[2];

    begin();
    open_at(&place[0], "s", "10.1.1.1:53");
    open_to(&place[1], "c", "10.1.1.1:53");
    fate_test_cut(reactor, "10.1.1.1", true);
    send_to(&place[1], NULL, "silence");
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "");
    fate_test_cut(reactor, "10.1.1.1", false);
    send_to(&place[1], NULL, "reset");
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "c error EHOSTUNREACH from 10.1.1.1:53; ");
    fate_test_heal(reactor, "10.1.1.1");
    send_to(&place[1], NULL, "healed");
    fate_advance(reactor, 0);
    EXPECT_CONTAINS(test_trace(), "s got healed");
    end(place, 2);
}

/* ---- Groups ---- */

TEST(a_group_gets_what_is_sent_to_it)
{
    struct place place[3];
    fate_address group = address_of("224.0.0.251"), no_group = address_of("10.1.1.1");

    begin();
    open_at(&place[0], "a", "10.1.1.1:5353");
    open_at(&place[1], "b", "10.1.1.2:5353");
    open_at(&place[2], "c", "10.1.1.3:5353");
    for (int i = 0; i < 2; i++)
        if (place[i].udp)
            EXPECT_EQ(fate__sim_udp_join(place[i].udp, &group), 0);
    if (place[0].udp) {
        EXPECT_EQ(fate__sim_udp_join(place[0].udp, &group), -EADDRINUSE);
        EXPECT_EQ(fate__sim_udp_join(place[0].udp, &no_group), -EINVAL);
    }
    send_to(&place[0], "224.0.0.251:5353", "who");
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "a got who from 10.1.1.1:5353; b got who from 10.1.1.1:5353; ");
    if (place[1].udp) {
        EXPECT_EQ(fate__sim_udp_leave(place[1].udp, &group), 0);
        EXPECT_EQ(fate__sim_udp_leave(place[1].udp, &group), -EADDRNOTAVAIL);
    }
    test_trace_clear();
    send_to(&place[2], "224.0.0.251:5353", "who");
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "a got who from 10.1.1.3:5353; ");
    end(place, 3);
}

TEST(a_cut_host_gets_nothing_of_what_is_sent_to_a_group)
{
    struct place place[3];
    fate_address group = address_of("224.0.0.251");

    begin();
    open_at(&place[0], "a", "10.1.1.1:5353");
    open_at(&place[1], "b", "10.1.1.2:5353");
    open_at(&place[2], "c", "10.1.1.3:5353");
    for (int i = 1; i < 3; i++)
        if (place[i].udp)
            fate__sim_udp_join(place[i].udp, &group);
    for (int is_silent = 0; is_silent < 2; is_silent++) {
        test_trace_clear();
        fate_test_cut(reactor, "10.1.1.2", is_silent);
        send_to(&place[0], "224.0.0.251:5353", "who");
        fate_advance(reactor, 0);
        EXPECT_STR(test_trace(), "c got who from 10.1.1.1:5353; ");
    }
    end(place, 3);
}

TEST(a_sender_may_not_want_to_hear_itself)
{
    struct place place[2];
    fate_address here = address_of("10.1.1.1:5353"), group = address_of("224.0.0.251");

    begin();
    open_with(&place[0], "a", (struct fate__sim_udp_options){ .here = &here, .no_loop = true });
    open_at(&place[1], "b", "10.1.1.2:5353");
    for (int i = 0; i < 2; i++)
        if (place[i].udp)
            fate__sim_udp_join(place[i].udp, &group);
    send_to(&place[0], "224.0.0.251:5353", "who");
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "b got who from 10.1.1.1:5353; ");
    end(place, 2);
}

TEST(a_broadcast_comes_to_all)
{
    struct place place[2];
    fate_address here = address_of("10.1.1.1:67");

    begin();
    open_with(&place[0], "a", (struct fate__sim_udp_options){ .here = &here, .broadcast = true });
    open_at(&place[1], "b", "10.1.1.2:67");
    EXPECT_EQ(send_to(&place[0], "255.255.255.255:67", "all"), 0);
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "a got all from 10.1.1.1:67; b got all from 10.1.1.1:67; ");
    end(place, 2);
}

/* ---- Paths ---- */

TEST(paths_receive)
{
    struct place place[2];

    begin();
    fate_test_link(reactor, .latency = FATE_SECOND, .loss_percent = 100);
    open_at(&place[0], "a", "/run/a");
    open_at(&place[1], "b", "");
    EXPECT_EQ(send_to(&place[1], "/run/a", "hello"), 0);
    EXPECT_EQ(send_to(&place[0], "/run/c", "hello"), -ENOENT);
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "a got hello from unix:; ");
    test_trace_clear();
    fate__sim_udp_close(place[1].udp);
    open_at(&place[1], "b", "/run/b");
    send_to(&place[1], "/run/a", "hello");
    fate__sim_udp_close(place[1].udp);
    place[1].udp = NULL;
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "a got hello from unix:/run/b; ");
    end(place, 2);
}

/* ---- Life ---- */

static int open_again(const char *here)
{
    const fate_address address = address_of(here);
    struct fate__sim_udp *udp = NULL;
    int error =
        fate__sim_udp_open(reactor, &(struct fate__sim_udp_options){ .here = &address, .got = note }, &udp);

    fate__sim_udp_close(udp);
    return error;
}

TEST(a_port_belongs_to_one)
{
    struct place place[1];

    begin();
    open_at(&place[0], "a", "10.1.1.1:53");
    EXPECT_EQ(open_again("10.1.1.1:53"), -EADDRINUSE);
    EXPECT_EQ(open_again("0.0.0.0:53"), -EADDRINUSE);
    EXPECT_EQ(open_again("10.1.1.2:53"), 0);
    EXPECT_EQ(open_again("[::]:53"), 0);
    EXPECT_EQ(open_again("0.0.0.0:0"), 0);
    end(place, 1);
}

TEST(a_socket_may_close_itself_and_others_when_it_is_called)
{
    struct place place[3];
    fate_address group = address_of("224.0.0.251");

    begin();
    open_at(&place[0], "a", "10.1.1.1:5353");
    open_at(&place[1], "b", "10.1.1.2:5353");
    open_at(&place[2], "c", "10.1.1.3:5353");
    for (int i = 0; i < 3; i++)
        if (place[i].udp)
            fate__sim_udp_join(place[i].udp, &group);
    place[0].closes = &place[1];
    place[2].closes = &place[2];
    send_to(&place[2], "224.0.0.251:5353", "who");
    send_to(&place[2], "224.0.0.251:5353", "again");
    fate_advance(reactor, 0);
    EXPECT_STR(test_trace(), "a got who from 10.1.1.3:5353; c got who from 10.1.1.3:5353; a got again from "
                             "10.1.1.3:5353; ");
    end(place, 3);
}

TEST(the_reactor_may_go_while_datagrams_are_under_way)
{
    struct place place[2];

    begin();
    fate_test_link(reactor, .latency = 10 * MS);
    open_at(&place[0], "a", "10.1.1.1:1");
    open_at(&place[1], "b", "10.1.1.2:2");
    send_to(&place[0], "10.1.1.2:2", "x");
    fate_reactor_free(reactor);
    EXPECT_EQ(send_to(&place[0], "10.1.1.2:2", "x"), -ENOTCONN);
    fate__sim_udp_close(place[0].udp);
    fate__sim_udp_close(place[1].udp);
}
