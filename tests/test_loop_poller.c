/* Tests of src/reactor/poll_epoll.c and poll_poll.c: descriptors that are told of by edges, and how a peer's
 * end is seen.  Each test is run with both pollers. */
#include "test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <reactor/poller.h>

#define BOTH ((unsigned)(FATE_READABLE | FATE_WRITABLE))
#define EDGE ((unsigned)FATE__EDGE)

static struct fate__poller poller;
static int ours, peer, hung; /* hung: one that hang_up has made, or -1 */

/* ---- With each poller ---- */

static bool open_pair(int *ret_ours, int *ret_peer)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        return false;
    *ret_ours = ends[0];
    *ret_peer = ends[1];
    return true;
}

static void run_with(const char *name, void (*test)(void))
{
    poller = (struct fate__poller){ .ops = fate__poller_named(name), .wake_fd = eventfd(0, EFD_CLOEXEC) };
    hung = -1;
    if (open_pair(&ours, &peer)) {
        if (poller.ops->open(&poller) == 0)
            test();
        poller.ops->close(&poller);
        close(ours);
        close(peer);
        close(hung);
    }
    close(poller.wake_fd);
}

#define EDGE_TEST(name)                                                                                      \
    static void check_##name(void);                                                                          \
    TEST(name)                                                                                               \
    {                                                                                                        \
        run_with("epoll", check_##name);                                                                     \
        run_with("poll", check_##name);                                                                      \
    }                                                                                                        \
    static void check_##name(void)

static bool ask_for(int fd, unsigned events)
{
    return poller.ops->set(&poller, fd, 7, 0, events) == 0;
}

/* What is told of fd now, and of no other. */
static unsigned told_of(int fd)
{
    struct fate__event events[FATE__EVENTS_MAX];
    int n = poller.ops->wait(&poller, 0, events);

    if (n <= 0)
        return 0;
    EXPECT_EQ(n, 1);
    EXPECT_EQ(events[0].fd, fd);
    EXPECT_EQ(events[0].generation, 7);
    return events[0].events;
}

static void send_byte(int fd)
{
    EXPECT_EQ(write(fd, "x", 1), 1);
}

static void read_all(int fd)
{
    char bytes[4096];

    while (read(fd, bytes, sizeof bytes) > 0)
        ;
}

static void fill(int fd)
{
    static const char bytes[4096];

    while (write(fd, bytes, sizeof bytes) > 0)
        ;
}

/* ---- Reading and writing ---- */

EDGE_TEST(without_an_edge_what_is_ready_is_told_again_and_again)
{
    if (!ask_for(ours, FATE_READABLE))
        return;
    send_byte(peer);
    EXPECT_EQ(told_of(ours), FATE_READABLE);
    EXPECT_EQ(told_of(ours), FATE_READABLE);
    shutdown(peer, SHUT_WR);
    EXPECT_EQ(told_of(ours), FATE_READABLE | FATE__HANGUP);
    EXPECT_EQ(told_of(ours), FATE_READABLE | FATE__HANGUP);
}

EDGE_TEST(with_an_edge_it_is_told_once)
{
    if (!ask_for(ours, FATE_READABLE | EDGE))
        return;
    EXPECT_EQ(told_of(ours), 0);
    send_byte(peer);
    EXPECT_EQ(told_of(ours), FATE_READABLE);
    EXPECT_EQ(told_of(ours), 0);
}

EDGE_TEST(after_rearming_what_comes_is_told)
{
    if (!ask_for(ours, FATE_READABLE | EDGE))
        return;
    for (int i = 0; i < 3; i++) {
        send_byte(peer);
        EXPECT_EQ(told_of(ours), FATE_READABLE);
        read_all(ours);
        fate__poller_rearm(&poller, ours, FATE_READABLE);
        EXPECT_EQ(told_of(ours), 0);
    }
}

/* It came before the rearming, but after the last read. */
EDGE_TEST(what_comes_just_before_rearming_is_told)
{
    if (!ask_for(ours, FATE_READABLE | EDGE))
        return;
    send_byte(peer);
    EXPECT_EQ(told_of(ours), FATE_READABLE);
    read_all(ours);
    send_byte(peer);
    fate__poller_rearm(&poller, ours, FATE_READABLE);
    EXPECT_EQ(told_of(ours), FATE_READABLE);
    EXPECT_EQ(told_of(ours), 0);
}

EDGE_TEST(reading_and_writing_have_an_edge_each)
{
    if (!ask_for(ours, BOTH | EDGE))
        return;
    EXPECT_EQ(told_of(ours), FATE_WRITABLE);
    EXPECT_EQ(told_of(ours), 0);
    send_byte(peer);
    EXPECT(told_of(ours) & FATE_READABLE);
    EXPECT_EQ(told_of(ours), 0);
    fill(ours);
    fate__poller_rearm(&poller, ours, FATE_WRITABLE);
    EXPECT_EQ(told_of(ours), 0);
    read_all(peer);
    EXPECT(told_of(ours) & FATE_WRITABLE);
    EXPECT_EQ(told_of(ours), 0);
}

EDGE_TEST(asking_anew_tells_what_is_ready_once_more)
{
    if (!ask_for(ours, FATE_READABLE | EDGE))
        return;
    send_byte(peer);
    EXPECT_EQ(told_of(ours), FATE_READABLE);
    if (poller.ops->set(&poller, ours, 7, FATE_READABLE | EDGE, BOTH | EDGE) < 0)
        return;
    EXPECT_EQ(told_of(ours), BOTH);
    EXPECT_EQ(told_of(ours), 0);
}

EDGE_TEST(rearming_asks_for_nothing_that_was_not_asked_for)
{
    fate__poller_rearm(&poller, ours, BOTH);
    EXPECT_EQ(told_of(ours), 0);
    if (!ask_for(ours, FATE_READABLE | EDGE))
        return;
    fate__poller_rearm(&poller, ours, BOTH);
    EXPECT_EQ(told_of(ours), 0);
}

/* ---- The peer's end ---- */

EDGE_TEST(the_end_of_the_peers_side_is_told_once)
{
    if (!ask_for(ours, FATE_READABLE | EDGE))
        return;
    shutdown(peer, SHUT_WR);
    EXPECT_EQ(told_of(ours), FATE_READABLE | FATE__HANGUP);
    EXPECT_EQ(told_of(ours), 0);
}

EDGE_TEST(it_is_told_to_who_still_has_data_to_read)
{
    if (!ask_for(ours, FATE_READABLE | EDGE))
        return;
    send_byte(peer);
    EXPECT_EQ(told_of(ours), FATE_READABLE);
    shutdown(peer, SHUT_WR);
    EXPECT_EQ(told_of(ours), FATE_READABLE | FATE__HANGUP);
    EXPECT_EQ(told_of(ours), 0);
}

/* poll(2) would tell of it for ever, whatever it is asked for. */
EDGE_TEST(a_hang_up_of_both_sides_is_told_once)
{
    if (!ask_for(ours, BOTH | EDGE))
        return;
    EXPECT_EQ(told_of(ours), FATE_WRITABLE);
    close(peer);
    peer = -1;
    EXPECT_EQ(told_of(ours) & (FATE__ERROR | FATE__HANGUP), FATE__ERROR | FATE__HANGUP);
    EXPECT_EQ(told_of(ours), 0);
    if (poller.ops->set(&poller, ours, 7, BOTH | EDGE, FATE_READABLE | EDGE) == 0)
        EXPECT(told_of(ours) & FATE__ERROR);
    EXPECT_EQ(told_of(ours), 0);
}

/* Only who finds that there is nothing left rearms it; with poll(2) it then hears of the end once more. */
EDGE_TEST(who_rearms_after_a_hang_up_is_not_told_for_ever)
{
    if (!ask_for(ours, FATE_READABLE | EDGE))
        return;
    close(peer);
    peer = -1;
    EXPECT(told_of(ours) & FATE__ERROR);
    fate__poller_rearm(&poller, ours, FATE_READABLE);
    unsigned again = told_of(ours);
    EXPECT_EQ(again & FATE__ERROR, poller.ops == &fate__poll ? FATE__ERROR : 0);
    EXPECT_EQ(told_of(ours), 0);
}

EDGE_TEST(who_rearms_after_the_end_of_the_peers_side_may_hear_of_it_again)
{
    if (!ask_for(ours, FATE_READABLE | EDGE))
        return;
    shutdown(peer, SHUT_WR);
    EXPECT_EQ(told_of(ours), FATE_READABLE | FATE__HANGUP);
    fate__poller_rearm(&poller, ours, FATE_READABLE);
    EXPECT_EQ(told_of(ours), poller.ops == &fate__poll ? FATE_READABLE | FATE__HANGUP : 0);
    EXPECT_EQ(told_of(ours), 0);
}

/* ---- Others beside one that is left out ---- */

static bool hang_up(void)
{
    int end;

    if (!open_pair(&hung, &end))
        return false;
    bool can_ask = ask_for(hung, FATE_READABLE | EDGE);
    close(end);
    if (can_ask)
        EXPECT(told_of(hung) & FATE__ERROR);
    return can_ask;
}

EDGE_TEST(one_that_has_hung_up_can_be_taken_out_before_others)
{
    if (!hang_up() || !ask_for(ours, FATE_READABLE | EDGE))
        return;
    EXPECT_EQ(poller.ops->set(&poller, hung, 7, FATE_READABLE | EDGE, 0), 0);
    send_byte(peer);
    EXPECT_EQ(told_of(ours), FATE_READABLE);
    EXPECT_EQ(told_of(ours), 0);
}

EDGE_TEST(one_that_has_hung_up_can_be_taken_out_after_others)
{
    if (!ask_for(ours, FATE_READABLE | EDGE) || !hang_up())
        return;
    EXPECT_EQ(poller.ops->set(&poller, ours, 7, FATE_READABLE | EDGE, 0), 0);
    send_byte(peer);
    EXPECT_EQ(told_of(ours), 0);
    EXPECT_EQ(poller.ops->set(&poller, hung, 7, FATE_READABLE | EDGE, 0), 0);
    if (ask_for(ours, FATE_READABLE))
        EXPECT_EQ(told_of(ours), FATE_READABLE);
}

/* Its number is another's now. */
EDGE_TEST(one_that_was_closed_after_its_hang_up_leaves_its_place_to_the_next)
{
    if (!hang_up())
        return;
    close(hung);
    if (dup2(ours, hung) != hung || !ask_for(hung, FATE_READABLE | EDGE))
        return;
    send_byte(peer);
    EXPECT_EQ(told_of(hung), FATE_READABLE);
}
