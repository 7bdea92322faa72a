/* Tests of datagrams over UNIX sockets: src/net/udp.c, udp_socket.c, udp_receive.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fate/fate.h>

#include <net/udp.h>

#include "test_udp_helpers.h"

static char folder[] = "/tmp/fate-udp-XXXXXX";
static char path[64], receives[80], sends[80];

static bool begin(void)
{
    test_trace_clear();
    if (!net_begin())
        return false;
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    if (!EXPECT(mkdtemp(folder) != NULL))
        return false;
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(receives, sizeof receives, "unixgram:%s", path);
    snprintf(sends, sizeof sends, "unixgram-to:%s", path);
    return true;
}

static void end(void)
{
    fate_reactor_free(net_reactor);
    unlink(path);
    rmdir(folder);
}

static void got_nothing(fate_udp *udp, const fate_datagram *datagram, fate_value *arg)
{
}

static fate_deferred *try_to_open(const char *endpoint)
{
    return fate_udp_open(net_reactor, endpoint, got_nothing, fate_none());
}

static void close_side(struct test_udp *side)
{
    if (side->udp)
        fate_udp_close(side->udp);
    side->udp = NULL;
}

/* A raw one at that path, for the file to lie there. */
static int raw_at(const char *at)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    strcpy(address.sun_path, at);
    EXPECT(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

static ssize_t (*usual_recvmsg)(int, struct msghdr *, int);
static int failure;

static ssize_t fail_once(int fd, struct msghdr *message, int flags)
{
    if (!failure)
        return usual_recvmsg(fd, message, flags);
    errno = failure;
    failure = 0;
    return -1;
}

/* The first call to receive fails so. */
static void let_receiving_fail(int why)
{
    struct fate__sys *calls = net_own_calls();

    usual_recvmsg = net_calls_below()->recvmsg;
    failure = why;
    calls->recvmsg = fail_once;
}

/* ---- There ---- */

TEST(a_datagram_comes_to_a_path)
{
    struct test_udp a, b;

    if (begin() && test_udp_open(&a, net_reactor, "a", receives, NULL) &&
        test_udp_open(&b, net_reactor, "b", sends, NULL)) {
        EXPECT_EQ(test_udp_send(&b, NULL, "hello"), 0);
        EXPECT_EQ(fate_udp_send(b.udp, NULL, NULL, 0), 0);
        test_udp_until(&a, 2);
        EXPECT_STR(test_trace(), "a got hello; a got ; ");
        EXPECT_STR(a.from_text, "unix:");
        EXPECT_EQ(fate_address_family(&a.from), AF_UNIX);
        EXPECT_EQ(fate_udp_join(a.udp, "224.0.0.251"), -EAFNOSUPPORT);
    }
    end();
}

TEST(a_datagram_outlives_a_call_that_fails)
{
    struct test_udp a, b;

    for (int i = 0; i < 2; i++) {
        if (begin() && test_udp_open(&a, net_reactor, "a", receives, NULL) &&
            test_udp_open(&b, net_reactor, "b", sends, NULL)) {
            let_receiving_fail(i == 0 ? EAGAIN : ENOMEM);
            EXPECT_EQ(test_udp_send(&b, NULL, "hello"), 0);
            test_udp_until(&a, i + 1);
            EXPECT_STR(test_trace(), i == 0 ? "a got hello; " : "a error ENOMEM; a got hello; ");
        }
        end();
    }
}

TEST(who_has_a_path_is_answered)
{
    struct test_udp a;

    if (begin() && test_udp_open(&a, net_reactor, "a", receives, NULL)) {
        char other[80], text[16] = "";
        snprintf(other, sizeof other, "%s/other", folder);
        int fd = raw_at(other);
        a.echoes = true;
        struct sockaddr_un to = { .sun_family = AF_UNIX };
        strcpy(to.sun_path, path);
        EXPECT_EQ(sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof to), 5);
        test_udp_until(&a, 1);
        EXPECT_CONTAINS(a.from_text, "/other");
        EXPECT_EQ(recv(fd, text, sizeof text - 1, 0), 5);
        EXPECT_STR(text, "hello");
        close(fd);
        unlink(other);
    }
    end();
}

TEST(abstract_names_are_received_at)
{
    struct test_udp a, b;
    char at[64], to[64];

    snprintf(at, sizeof at, "unixgram:@fate-test-%d", (int)getpid());
    snprintf(to, sizeof to, "unixgram-to:@fate-test-%d", (int)getpid());
    if (begin() && test_udp_open(&a, net_reactor, "a", at, NULL) &&
        test_udp_open(&b, net_reactor, "b", to, NULL)) {
        EXPECT_EQ(test_udp_send(&b, NULL, "hello"), 0);
        test_udp_until(&a, 1);
        EXPECT_STR(test_trace(), "a got hello; ");
        EXPECT_FAILS(try_to_open(at), &FATE_LISTEN_IN_USE, "somebody receives there");
    }
    end();
}

TEST(what_is_longer_than_the_buffer_is_truncated)
{
    const fate_udp_options large = { sizeof large, .send_buffer_bytes = 200000 };
    struct test_udp a, b;
    char *most = calloc(1, 70000);

    memset(most, 'm', 70000);
    if (begin() && test_udp_open(&a, net_reactor, "a", receives, NULL) &&
        test_udp_open(&b, net_reactor, "b", sends, &large)) {
        EXPECT_EQ(fate_udp_send(b.udp, NULL, most, 65536), 0);
        test_udp_until(&a, 1);
        EXPECT_EQ(a.len, 65536);
        EXPECT(!a.is_truncated);
        EXPECT_EQ(fate_udp_send(b.udp, NULL, most, 70000), 0);
        test_udp_until(&a, 2);
        EXPECT_EQ(a.len, 65536);
        EXPECT(a.is_truncated);
    }
    free(most);
    end();
}

TEST(who_does_not_read_has_no_room)
{
    struct test_udp b;

    if (begin()) {
        int fd = raw_at(path), why = 0;
        if (test_udp_open(&b, net_reactor, "b", sends, NULL)) {
            for (int i = 0; i < 10000 && why == 0; i++)
                why = test_udp_send(&b, NULL, "x");
            EXPECT_EQ(why, -EAGAIN);
        }
        close(fd);
    }
    end();
}

/* ---- The file ---- */

static mode_t mode_of(const char *at)
{
    struct stat about;
    return stat(at, &about) == 0 ? about.st_mode & 07777 : 0;
}

TEST(the_file_has_its_mode_and_goes_with_it)
{
    struct test_udp a;
    char endpoint[96];

    if (begin()) {
        snprintf(endpoint, sizeof endpoint, "%s:mode=606", receives);
        if (test_udp_open(&a, net_reactor, "a", endpoint, NULL)) {
            EXPECT_EQ(mode_of(path), 0606);
            close_side(&a);
            EXPECT(access(path, F_OK) < 0);
        }
    }
    end();
}

TEST(a_file_that_was_put_in_its_place_stays)
{
    struct test_udp a;

    if (begin() && test_udp_open(&a, net_reactor, "a", receives, NULL)) {
        unlink(path);
        int fd = raw_at(path);
        close_side(&a);
        EXPECT(access(path, F_OK) == 0);
        close(fd);
    }
    end();
}

TEST(the_file_of_one_that_was_killed_is_replaced)
{
    struct test_udp a;

    if (begin()) {
        close(raw_at(path));
        if (test_udp_open(&a, net_reactor, "a", receives, NULL))
            EXPECT_FAILS(try_to_open(receives), &FATE_LISTEN_IN_USE, "somebody receives there");
    }
    end();
}

TEST(the_file_goes_with_the_reactor)
{
    struct test_udp a;

    if (begin())
        test_udp_open(&a, net_reactor, "a", receives, NULL);
    fate_reactor_free(net_reactor);
    EXPECT(access(path, F_OK) < 0);
    rmdir(folder);
}

TEST(what_cannot_be_opened_says_why)
{
    char endpoint[96];

    if (begin()) {
        EXPECT_FAILS(try_to_open(sends), &FATE_CONNECT_ERROR, "there is no such socket");
        snprintf(endpoint, sizeof endpoint, "%s/no/socket", receives);
        EXPECT_FAILS(try_to_open(endpoint), &FATE_LISTEN_ERROR, "the folder must be there first");
        EXPECT_FAILS(try_to_open("unixgram:/etc/passwd"), &FATE_LISTEN_ERROR, "is no socket");
        close(raw_at(path));
        EXPECT_FAILS(try_to_open(sends), &FATE_CONNECTION_REFUSED, "nobody receives there");
    }
    end();
}

/* ---- A peer that comes and goes ---- */

TEST(who_receives_may_be_started_anew)
{
    struct test_udp a, b;

    if (begin() && test_udp_open(&a, net_reactor, "a", receives, NULL) &&
        test_udp_open(&b, net_reactor, "b", sends, NULL)) {
        close_side(&a);
        EXPECT_EQ(test_udp_send(&b, NULL, "lost"), -ECONNREFUSED);
        test_rounds(net_reactor, 3);
        EXPECT(test_udp_send(&b, NULL, "lost") < 0);
        if (test_udp_open(&a, net_reactor, "a", receives, NULL)) {
            EXPECT_EQ(test_udp_send(&b, NULL, "found"), 0);
            test_udp_until(&a, 1);
            EXPECT_STR(test_trace(), "a got found; ");
            EXPECT_EQ(b.n, 0);
        }
    }
    end();
}
