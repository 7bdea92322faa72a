/* Tests of src/net/systemd.c: sockets that were passed on. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fate/fate.h>

#include <net/listener.h>

#include "test_listen_helpers.h"

/* ---- What the environment says ---- */

static const struct {
    struct fate__passed passed;
    const char *name;
    int index, fd; /* fd: what is found */
    const char *why;
} cases[] = {
    { { "7", "1", "web" }, "web", -1, 3, NULL },
    { { "7", "3", "a:web:b" }, "web", -1, 4, NULL },
    { { "7", "3", "a:web:b" }, "b", -1, 5, NULL },
    { { "7", "3", "a:web:b" }, NULL, 2, 5, NULL },
    { { "7", "2", NULL }, NULL, 1, 4, NULL },
    { { "7", "2", "a::b" }, "", -1, 4, NULL },
    { { NULL, NULL, NULL }, "web", -1, -1, "no sockets were passed to this process" },
    { { "7", NULL, NULL }, NULL, 0, -1, "systemd-socket-activate" },
    { { "8", "1", "web" }, "web", -1, -1, "($LISTEN_PID is 8, this is 7)" },
    { { "x", "1", "web" }, "web", -1, -1, "passed to another process" },
    { { "", "1", "web" }, "web", -1, -1, "passed to another process" },
    { { "7", "0", "web" }, "web", -1, -1, "$LISTEN_FDS is \"0\"" },
    { { "7", "-1", "web" }, "web", -1, -1, "$LISTEN_FDS is \"-1\"" },
    { { "7", "4097", "web" }, "web", -1, -1, "$LISTEN_FDS is \"4097\"" },
    { { "7", "99999999999999999999", "web" }, NULL, 0, -1, "not the number of sockets passed" },
    { { "7", "2", "a:b" }, NULL, 2, -1, "2 sockets were passed, counted from systemd:0" },
    { { "7", "2", "a:b" }, "we", -1, -1, "the names are a:b" },
    { { "7", "2", "web1:awe" }, "we", -1, -1, "none of the sockets passed has that name" },
    { { "7", "1", "a:web" }, "web", -1, -1, "none of the sockets passed has that name" },
    { { "7", "2", NULL }, "web", -1, -1, "passed without names" },
    { { "7", "3", "a:web:web" },
      "web",
      -1,
      -1,
      "2 of the sockets passed have that name: listen on each by its "
      "number, the first is systemd:1" },
};

TEST(a_socket_is_found_by_its_name_and_by_its_index)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char why[256] = "";
        EXPECT_EQ(fate__passed_find(&cases[i].passed, 7, cases[i].name, cases[i].index, why), cases[i].fd);
        if (cases[i].why)
            EXPECT_CONTAINS(why, cases[i].why);
    }
}

/* ---- Descriptors ---- */

struct counted {
    fate_protocol base;
};

static int n_made;

static void made(fate_protocol *p)
{
    n_made++;
}

static void ignore(fate_protocol *p, const void *data, size_t len)
{
}

static const fate_protocol_ops counting = { FATE_PROTOCOL(struct counted), .connection_made = made,
                                            .data_received = ignore };

static fate_deferred *listen_on(const char *scheme, int n)
{
    char endpoint[32];

    snprintf(endpoint, sizeof endpoint, "%s:%d", scheme, n);
    return fate_listen(net_reactor, endpoint, &counting, fate_none());
}

static fate_listener *listener_of(fate_deferred *d)
{
    fate_value v = net_result_of(d);
    fate_listener *listener = fate_is_failure(&v) ? NULL : fate_as_listener(&v);

    if (!listener)
        EXPECT_DESCRIBED(&v, "a listener");
    fate_drop(v);
    return listener;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

TEST(an_inherited_socket_is_listened_on_and_goes_with_the_listener)
{
    fate_address address;
    int fd = net_listen(&address);

    n_made = 0;
    fcntl(fd, F_SETFD, 0);
    fcntl(fd, F_SETFL, 0);
    fate_listener *listener = net_begin() ? listener_of(listen_on("fd", fd)) : NULL;
    if (listener) {
        EXPECT(fate_address_equal(fate_listener_address(listener), &address));
        EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        int peer = net_connect(&address);
        net_run_until_count(&n_made, 1);
        if (peer >= 0)
            close(peer);
        test_at_end();
        EXPECT(!is_open(fd));
    }
    if (is_open(fd))
        close(fd);
}

TEST(a_socket_that_was_given_is_not_given_again)
{
    fate_address address;
    int fd = net_listen(&address);

    if (net_begin() && listener_of(listen_on("fd", fd))) {
        EXPECT_FAILS(listen_on("fd", fd), &FATE_LISTEN_ERROR,
                     "was given before, and is in use: give a copy (dup)");
        EXPECT(is_open(fd));
        test_at_end();
    }
    if (is_open(fd))
        close(fd);
}

static void expect_refused(int fd, const char *words)
{
    EXPECT_FAILS(listen_on("fd", fd), &FATE_LISTEN_ERROR, words);
    if (EXPECT(is_open(fd)))
        close(fd);
}

TEST(what_cannot_be_listened_on_is_refused_and_left_as_it_is)
{
    int ends[2];

    if (!net_begin())
        return;
    expect_refused(open("/dev/null", O_RDONLY | O_CLOEXEC), "is no socket");
    expect_refused(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "not of a stream (TCP or UNIX)");
    expect_refused(net_socket(AF_INET),
                   "is a connection, not a socket that listens: in a socket unit of systemd "
                   "say Accept=no");
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    close(ends[1]);
    expect_refused(ends[0], "is a connection");
    EXPECT_FAILS(listen_on("fd", 999), &FATE_LISTEN_ERROR, "there is no such descriptor");
}

TEST(without_systemd_it_is_said_how_to_try_it)
{
    if (!net_begin())
        return;
    EXPECT_FAILS(
        listen_on("systemd", 0), &FATE_LISTEN_ERROR,
        "listen on systemd:0: no sockets were passed to this process ($LISTEN_PID and $LISTEN_FDS are "
        "not set): start it by a socket unit");
}

/* ---- As systemd does it, in a child ---- */

static _Noreturn void end_child(const char *why)
{
    if (why)
        fprintf(stderr, "a child with sockets passed on: %s\n", why);
    _exit(why ? 1 : 0);
}

static fate_listener *listen_in_child(const char *endpoint)
{
    fate_value v = net_result_of(fate_listen(net_reactor, endpoint, &counting, fate_none()));

    if (fate_is_failure(&v))
        end_child(fate_message(&v));
    return fate_as_listener(&v);
}

/* Sockets 3 and 4, of which the second is called web.  It can be listened on again after a stop. */
static _Noreturn void be_started(int fd, const fate_address *address)
{
    char pid[32];

    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "2", 1);
    setenv("LISTEN_FDNAMES", "other:web", 1);
    int copy = fcntl(fd, F_DUPFD, 5);
    if (dup2(copy, 4) != 4 || dup2(copy, 3) != 3 || !net_begin())
        end_child("there is no beginning");
    n_made = 0;
    for (int i = 1; i <= 2; i++) {
        fate_listener *listener = listen_in_child(i == 1 ? "systemd:web" : "systemd:0");
        if (fcntl(4, F_GETFD) != FD_CLOEXEC)
            end_child("it is inherited further");
        if (net_connect(address) < 0 || !net_run_until_count(&n_made, i))
            end_child("nobody comes");
        net_result_of(fate_listener_stop(listener, 0));
    }
    end_child(NULL);
}

TEST(sockets_of_systemd_are_listened_on)
{
    fate_address address;
    int status = -1;

    if (test_is_oom())
        return;
    int fd = net_listen(&address);
    pid_t child = fork();
    if (child == 0)
        be_started(fd, &address);
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    close(fd);
}
