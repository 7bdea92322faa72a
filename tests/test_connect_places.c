/* Tests of src/net/connect.c where there is a single place to connect to: UNIX sockets and descriptors. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fate/endpoint.h>
#include <fate/reactor.h>

#include "test_connect_helpers.h"

static fate_reactor *reactor;
static char folder[] = "/tmp/fate-connect-XXXXXX";
static char path[64], endpoint[80];
static int listening;

/* A listener at a path in a folder of its own, or at an abstract name. */
static int listen_at(const char *name, int type, int backlog)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = strlen(name);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, name, len);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    socklen_t address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (bind(fd, (struct sockaddr *)&address, address_len) == 0 &&
        (type != SOCK_STREAM || listen(fd, backlog) == 0))
        return fd;
    close(fd);
    return -1;
}

static bool begin(void)
{
    listening = -1;
    reactor = test_connect_reactor();
    if (!reactor)
        return false;
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    if (!EXPECT(mkdtemp(folder) != NULL))
        return false;
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(endpoint, sizeof endpoint, "unix:%s", path);
    return true;
}

static void end(void)
{
    if (listening >= 0)
        close(listening);
    unlink(path);
    rmdir(folder);
    fate_reactor_free(reactor);
}

static fate_deferred *connect_to(const char *place)
{
    return fate_connect(reactor, place, &test_recorder, fate_none());
}

static void expect_peer(fate_deferred *d, const char *peer)
{
    char text[FATE_ADDRESS_TEXT_BYTES];
    fate_value self = test_result_of(reactor, d);

    if (EXPECT(!fate_is_failure(&self))) {
        EXPECT_STR(test_trace(), "made; ");
        EXPECT_STR(fate_address_text(fate_peer(fate_as_protocol(&self)->transport), text), peer);
    }
    fate_drop(self);
}

/* ---- UNIX sockets ---- */

TEST(a_unix_socket_is_connected_to_but_not_before_the_call_has_returned)
{
    if (!begin())
        return;
    listening = listen_at(path, SOCK_STREAM, 5);
    fate_deferred *d = connect_to(endpoint);
    EXPECT_STR(test_trace(), "");
    expect_peer(d, endpoint);
    end();
}

TEST(an_abstract_name_is_connected_to)
{
    char name[64], place[80];

    if (!begin())
        return;
    snprintf(name, sizeof name, "@fate-test-%d", (int)getpid());
    snprintf(place, sizeof place, "unix:%s", name);
    test_expect_fails_with(reactor, connect_to(place), &FATE_CONNECTION_REFUSED,
                           ": refused: nobody listens there (ECONNREFUSED)");
    listening = listen_at(name, SOCK_STREAM, 5);
    expect_peer(connect_to(place), place);
    end();
}

TEST(a_path_without_a_socket_says_that_there_is_none)
{
    char text[200];

    if (!begin())
        return;
    snprintf(text, sizeof text,
             "connect to %s: there is no such socket: its server does not run, or listens elsewhere (ENOENT)",
             endpoint);
    test_expect_fails(reactor, connect_to(endpoint), &FATE_CONNECT_ERROR, text);
    end();
}

TEST(a_socket_that_was_left_behind_says_so)
{
    if (!begin())
        return;
    close(listen_at(path, SOCK_STREAM, 5));
    test_expect_fails_with(reactor, connect_to(endpoint), &FATE_CONNECTION_REFUSED,
                           "nobody listens there any more; the server that made it has ended");
    end();
}

TEST(a_socket_of_datagrams_says_so)
{
    if (!begin())
        return;
    listening = listen_at(path, SOCK_DGRAM, 0);
    test_expect_fails_with(reactor, connect_to(endpoint), &FATE_CONNECT_ERROR,
                           "not a socket of streams: its server takes datagrams (EPROTOTYPE)");
    end();
}

static int fill_backlog(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, path);
    EXPECT(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

TEST(a_full_backlog_is_asked_again_until_there_is_room)
{
    if (!begin())
        return;
    listening = listen_at(path, SOCK_STREAM, 0);
    int filler = fill_backlog();
    fate_deferred *d = fate_hold(connect_to(endpoint));
    test_rounds(reactor, 3);
    EXPECT(test_is_oom() || fate_state(d) == FATE_UNFIRED);
    int accepted = accept(listening, NULL, NULL);
    test_connect_later(3 * FATE_MILLISECOND);
    fate_release(d);
    expect_peer(d, endpoint);
    close(accepted);
    close(filler);
    end();
}

TEST(a_backlog_that_stays_full_is_asked_seldom_and_no_longer_than_the_timeout)
{
    if (!begin())
        return;
    listening = listen_at(path, SOCK_STREAM, 0);
    int filler = fill_backlog();
    test_connect_stop_clock(reactor);
    fate_deferred *d = fate_hold(connect_to(endpoint));
    for (int i = 0; i < 30; i++) {
        test_connect_later(100 * FATE_MILLISECOND);
        test_rounds(reactor, 1);
    }
    EXPECT(test_is_oom() || fate_state(d) == FATE_UNFIRED);
    EXPECT(test_is_oom() || (test_connects() > 20 && test_connects() < 40));
    test_connect_later(27 * FATE_SECOND);
    fate_release(d);
    test_expect_fails_with(reactor, d, &FATE_CONNECT_TIMEOUT,
                           "no connection within 30.0 s: its server does not accept connections");
    close(filler);
    end();
}

TEST(a_cancel_ends_the_asking)
{
    if (!begin())
        return;
    listening = listen_at(path, SOCK_STREAM, 0);
    int filler = fill_backlog();
    fate_deferred *d = fate_hold(connect_to(endpoint));
    fate_cancel(d);
    fate_release(d);
    test_expect_fails(reactor, d, &FATE_CANCELLED, "");
    close(filler);
    end();
}

/* ---- Descriptors ---- */

static const char *fd_endpoint(int fd)
{
    snprintf(endpoint, sizeof endpoint, "fd:%d", fd);
    return endpoint;
}

TEST(a_descriptor_that_is_connected_is_used)
{
    int ends[2];

    if (!begin() || !EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0))
        return;
    fate_deferred *d = connect_to(fd_endpoint(ends[0]));
    EXPECT_STR(test_trace(), "");
    fate_value self = test_result_of(reactor, d);
    bool is_given = !fate_is_failure(&self);
    if (EXPECT(is_given)) {
        EXPECT_STR(test_trace(), "made; ");
        EXPECT(send(ends[1], "hello", 5, MSG_NOSIGNAL) == 5);
        test_until_trace(reactor, "got hello; ");
    }
    fate_drop(self);
    close(ends[1]);
    end();
    /* Without memory for an attempt, or when a call has failed, it has not been given; closing twice does no
     * harm here. */
    if (!is_given)
        close(ends[0]);
}

TEST(a_descriptor_that_was_given_is_not_given_again)
{
    int ends[2];

    if (!begin() || !EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0))
        return;
    fate_value self = test_result_of(reactor, connect_to(fd_endpoint(ends[0])));
    bool is_given = !fate_is_failure(&self);
    if (EXPECT(is_given)) {
        test_expect_fails_with(reactor, connect_to(fd_endpoint(ends[0])), &FATE_CONNECT_ERROR,
                               "it was given before, and is in use: give a copy (dup) (EBUSY)");
        EXPECT(send(ends[1], "hello", 5, MSG_NOSIGNAL) == 5);
        test_until_trace(reactor, "got hello; ");
    }
    fate_drop(self);
    close(ends[1]);
    end();
    if (!is_given)
        close(ends[0]);
}

TEST(a_descriptor_that_cannot_be_used_says_why_and_stays_the_callers)
{
    int file, socket_fd, datagrams;

    if (!begin())
        return;
    test_expect_fails(reactor, connect_to("fd:999"), &FATE_CONNECT_ERROR,
                      "connect to fd:999: there is no such descriptor (EBADF)");
    file = dup(STDIN_FILENO);
    test_expect_fails_with(reactor, connect_to(fd_endpoint(file)), &FATE_CONNECT_ERROR, "it is not a socket");
    EXPECT_EQ(close(file), 0);
    socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    test_expect_fails_with(reactor, connect_to(fd_endpoint(socket_fd)), &FATE_CONNECT_ERROR,
                           "it is not connected, and fd: takes what is (ENOTCONN)");
    EXPECT_EQ(close(socket_fd), 0);
    datagrams = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    test_expect_fails_with(reactor, connect_to(fd_endpoint(datagrams)), &FATE_CONNECT_ERROR,
                           "it is not a socket of streams");
    EXPECT_EQ(close(datagrams), 0);
    end();
}
