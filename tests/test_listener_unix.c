/* Tests of src/net/listener_unix.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fate/fate.h>

#include <net/address.h>
#include <net/listener.h>

#include "test_listen_helpers.h"

struct counted {
    fate_protocol base;
};

static int n_made;
static char folder[64], path[128], endpoint[160];

static void made(fate_protocol *p)
{
    n_made++;
}

static void ignore(fate_protocol *p, const void *data, size_t len)
{
}

static const fate_protocol_ops counting = { FATE_PROTOCOL(struct counted), .connection_made = made,
                                            .data_received = ignore };

/* A folder of its own, with the path of a socket in it. */
static bool begin(void)
{
    n_made = 0;
    snprintf(folder, sizeof folder, "/tmp/fate-test-XXXXXX");
    if (!mkdtemp(folder)) {
        perror(folder);
        abort();
    }
    snprintf(path, sizeof path, "%s/s", folder);
    snprintf(endpoint, sizeof endpoint, "unix:%s", path);
    return net_begin();
}

static void end(void)
{
    if (test_at_end)
        test_at_end();
    unlink(path);
    rmdir(folder);
}

static fate_listener *listen_on(const char *where)
{
    fate_value v = net_result_of(fate_listen(net_reactor, where, &counting, fate_none()));
    fate_listener *listener = fate_is_failure(&v) ? NULL : fate_as_listener(&v);

    if (!listener)
        EXPECT_DESCRIBED(&v, "a listener");
    fate_drop(v);
    return listener;
}

static fate_deferred *try_to_listen(void)
{
    return fate_listen(net_reactor, endpoint, &counting, fate_none());
}

static bool is_there(void)
{
    struct stat about;
    return lstat(path, &about) == 0;
}

/* A socket of another program. */
static int bind_raw(int type, bool listens)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    EXPECT_EQ(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    if (listens)
        EXPECT_EQ(listen(fd, 1), 0);
    return fd;
}

static void expect_connection(const fate_listener *listener)
{
    int fd = net_connect(fate_listener_address(listener));

    if (EXPECT(fd >= 0)) {
        net_run_until_count(&n_made, 1);
        close(fd);
    }
}

TEST(a_unix_socket_has_its_path_for_as_long_as_it_listens)
{
    char text[FATE_ADDRESS_TEXT_BYTES];
    fate_listener *listener = begin() ? listen_on(endpoint) : NULL;

    if (listener) {
        EXPECT_STR(fate_address_host(fate_listener_address(listener), text), path);
        expect_connection(listener);
        EXPECT(is_there());
        fate_listener_stop(listener, 0);
        EXPECT(!is_there());
    }
    end();
}

TEST(its_path_goes_with_the_reactor_too)
{
    if (begin() && listen_on(endpoint)) {
        test_at_end();
        EXPECT(!is_there());
    }
    end();
}

TEST(an_abstract_one_has_no_file)
{
    char where[64];

    if (begin()) {
        snprintf(where, sizeof where, "unix:@fate-test-%d", (int)getpid());
        fate_listener *listener = listen_on(where);
        if (listener) {
            expect_connection(listener);
            EXPECT_FAILS(fate_listen(net_reactor, where, &counting, fate_none()), &FATE_LISTEN_IN_USE,
                         "somebody listens there");
        }
    }
    end();
}

TEST(its_file_has_the_mode_that_was_asked_for)
{
    struct stat about = { 0 };

    if (begin()) {
        strcat(endpoint, ":mode=620");
        if (listen_on(endpoint)) {
            EXPECT_EQ(lstat(path, &about), 0);
            EXPECT_EQ(about.st_mode & 0777, 0620);
        }
    }
    end();
}

/* ---- What is there already ---- */

TEST(a_file_that_nobody_listens_at_is_taken_over)
{
    if (begin()) {
        close(bind_raw(SOCK_STREAM, true));
        EXPECT(is_there());
        fate_listener *listener = listen_on(endpoint);
        if (listener)
            expect_connection(listener);
    }
    end();
}

TEST(a_file_that_somebody_listens_at_is_left_to_him)
{
    static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (begin()) {
            int fd = bind_raw(types[i], types[i] != SOCK_DGRAM);
            EXPECT_FAILS(try_to_listen(), &FATE_LISTEN_IN_USE,
                         "Address already in use (EADDRINUSE); somebody listens there: stop that program, or "
                         "choose another path");
            EXPECT(is_there());
            close(fd);
        }
        end();
    }
}

TEST(who_listens_hears_nothing_of_those_who_try)
{
    if (begin()) {
        int fd = bind_raw(SOCK_STREAM | SOCK_NONBLOCK, true);
        EXPECT_FAILS(try_to_listen(), &FATE_LISTEN_IN_USE, "somebody listens there");
        EXPECT_EQ(accept4(fd, NULL, NULL, SOCK_CLOEXEC), -1);
        EXPECT_EQ(errno, EAGAIN);
        close(fd);
    }
    end();
}

TEST(who_does_not_listen_as_yet_keeps_his_file)
{
    if (begin()) {
        int fd = bind_raw(SOCK_STREAM, false);
        EXPECT_FAILS(try_to_listen(), &FATE_LISTEN_IN_USE, "somebody listens there");
        EXPECT(is_there());
        close(fd);
    }
    end();
}

static int of_another = -1;

/* Another program is faster. */
static int connect_while_another_takes_it(int fd, const struct sockaddr *address, socklen_t len)
{
    int n = net_calls_below()->connect(fd, address, len), error = errno;

    if (n < 0 && error == ECONNREFUSED && of_another < 0) {
        unlink(path);
        of_another = bind_raw(SOCK_STREAM, true);
    }
    errno = error;
    return n;
}

TEST(of_two_that_find_a_stale_file_one_gets_it)
{
    of_another = -1;
    if (begin()) {
        close(bind_raw(SOCK_STREAM, true));
        net_own_calls()->connect = connect_while_another_takes_it;
        EXPECT_FAILS(try_to_listen(), &FATE_LISTEN_IN_USE, "somebody listens there");
        EXPECT(is_there());
    }
    if (of_another >= 0)
        close(of_another);
    end();
}

TEST(what_is_no_socket_is_not_removed)
{
    if (begin()) {
        close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        EXPECT_FAILS(try_to_listen(), &FATE_LISTEN_ERROR,
                     "File exists (EEXIST); what is there is no socket: remove it, or choose another path");
        EXPECT(is_there());
    }
    end();
}

TEST(a_file_that_has_been_replaced_is_not_removed_at_the_end)
{
    fate_listener *listener = begin() ? listen_on(endpoint) : NULL;

    if (listener) {
        unlink(path);
        int fd = bind_raw(SOCK_STREAM, true);
        fate_listener_stop(listener, 0);
        EXPECT(is_there());
        close(fd);
    }
    end();
}

/* ---- What cannot be ---- */

TEST(a_folder_that_is_not_there_is_named)
{
    if (begin()) {
        snprintf(endpoint, sizeof endpoint, "unix:%s/no/s", folder);
        EXPECT_FAILS(try_to_listen(), &FATE_LISTEN_ERROR, "the folder must be there first");
    }
    end();
}

TEST(a_path_may_have_107_bytes)
{
    if (begin()) {
        size_t len = strlen(path);
        memset(path + len, 'x', 107 - len);
        path[107] = '\0';
        snprintf(endpoint, sizeof endpoint, "unix:%s", path);
        fate_listener *listener = listen_on(endpoint);
        if (listener)
            expect_connection(listener);
        strcat(endpoint, "x");
        fate_value why = net_result_of(try_to_listen());
        if (EXPECT(fate_is_failure(&why)))
            EXPECT_CONTAINS(fate_message(&why), "107");
        fate_drop(why);
    }
    end();
}

static int refused_chmod(const char *where, mode_t mode)
{
    errno = EPERM;
    return -1;
}

TEST(one_whose_mode_cannot_be_set_leaves_nothing)
{
    if (begin()) {
        strcat(endpoint, ":mode=600");
        net_own_calls()->chmod = refused_chmod;
        EXPECT_FAILS(try_to_listen(), &FATE_LISTEN_PERMISSION, "Operation not permitted (EPERM)");
        EXPECT(test_is_oom() || !is_there());
    }
    end();
}
