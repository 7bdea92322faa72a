/* Tests of src/net/listener_accept.c where accepting fails. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fate/fate.h>

#include <net/listener.h>

#include "test_listen_helpers.h"

struct counted {
    fate_protocol base;
};

static int n_made, n_lost;
static char last_warning[512];
static int n_warnings;

static void made(fate_protocol *p)
{
    n_made++;
}

static void ignore(fate_protocol *p, const void *data, size_t len)
{
}

static void lost(fate_protocol *p, fate_value *why)
{
    n_lost++;
}

static const fate_protocol_ops counting = { FATE_PROTOCOL(struct counted), .connection_made = made,
                                            .data_received = ignore, .connection_lost = lost };

static void note_warning(const fate_log_entry *entry, fate_value *arg)
{
    snprintf(last_warning, sizeof last_warning, "%s", entry->text);
    n_warnings++;
}

static fate_listener *begin(void)
{
    n_made = n_lost = n_warnings = 0;
    last_warning[0] = '\0';
    if (!net_begin())
        return NULL;
    net_hold_clocks();
    fate_log_observe(net_reactor, FATE_LOG_WARNING, note_warning, fate_none());
    fate_value v =
        net_result_of(fate_listen(net_reactor, "tcp:0:interface=127.0.0.1", &counting, fate_none()));
    fate_listener *listener = fate_is_failure(&v) ? NULL : fate_as_listener(&v);
    fate_drop(v);
    return listener;
}

/* ---- accept4 that fails ---- */

static const int *failures; /* how calls fail, one after the other; 0: the last for ever */
static int n_accepts;

static int failing_accept4(int fd, struct sockaddr *ret_peer, socklen_t *len, int flags)
{
    n_accepts++;
    if (!failures || *failures < 0)
        return net_calls_below()->accept4(fd, ret_peer, len, flags);
    errno = *failures;
    if (failures[1] != 0)
        failures++;
    return -1;
}

/* The list ends with -1: then it works again; or with 0. */
static void let_accepts_fail(const int *how)
{
    net_own_calls()->accept4 = failing_accept4;
    failures = how;
    n_accepts = 0;
}

TEST(what_is_wrong_with_one_peer_does_not_keep_the_next_from_coming)
{
    static const int errors[] = { ECONNABORTED, EPROTO,    EPERM,  EINTR,        ENETDOWN,
                                  ENOPROTOOPT,  EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
                                  ENETUNREACH,  ETIMEDOUT, -1 };
    const fate_listener *listener = begin();

    if (!listener)
        return;
    let_accepts_fail(errors);
    int fd = net_connect(fate_listener_address(listener));
    net_run_until_count(&n_made, 1);
    EXPECT_EQ(*failures, -1);
    EXPECT_EQ(n_warnings, 0);
    if (fd >= 0)
        close(fd);
}

static bool has_tried(void *arg)
{
    return n_accepts >= 1;
}

/* Accepting rests, and is tried again later. */
static void expect_rest(int error, const char *words)
{
    const fate_listener *listener = begin();

    if (!listener)
        return;
    let_accepts_fail((const int[]){ error, 0 });
    int fd = net_connect(fate_listener_address(listener));
    net_run_until(has_tried, NULL);
    EXPECT_EQ(net_events_in_rounds(20), 0);
    EXPECT_EQ(n_warnings, 1);
    EXPECT_CONTAINS(last_warning, words);
    failures = NULL;
    net_skip_time(FATE_SECOND);
    net_run_until_count(&n_made, 1);
    EXPECT_EQ(n_warnings, 1);
    if (fd >= 0)
        close(fd);
    test_at_end();
}

TEST(accepting_that_does_not_work_at_all_rests)
{
    expect_rest(EPERM, "Operation not permitted (EPERM)");
    expect_rest(ENOBUFS, "ENOBUFS");
    expect_rest(ENOMEM, "ENOMEM");
    expect_rest(EBADF, "accept on tcp:0:interface=127.0.0.1: Bad file descriptor (EBADF)");
}

TEST(each_rest_is_longer_up_to_a_second)
{
    fate_listener *listener = begin();

    if (!listener)
        return;
    let_accepts_fail((const int[]){ ENOBUFS, 0 });
    int fd = net_connect(fate_listener_address(listener));
    net_run_until(has_tried, NULL);
    EXPECT_EQ(listener->rest, 50 * FATE_MILLISECOND);
    for (int i = 1; i <= 6; i++) {
        net_skip_time(listener->rest);
        net_run_until_count(&n_accepts, i + 1);
        fate_time rest = 50 * FATE_MILLISECOND << i;
        EXPECT_EQ(listener->rest, rest < FATE_SECOND ? rest : FATE_SECOND);
    }
    EXPECT_EQ(n_warnings, 3); /* a line a second, in 2.5 of them */
    failures = NULL;
    net_skip_time(FATE_SECOND);
    net_run_until_count(&n_made, 1);
    EXPECT_EQ(listener->rest, 0);
    if (fd >= 0)
        close(fd);
}

/* ---- No descriptors ---- */

static struct rlimit limit_before;

/* From now on the process has just the descriptors that it has, and so many more. */
static void take_all_descriptors_but(int n)
{
    int next = dup(0);

    getrlimit(RLIMIT_NOFILE, &limit_before);
    struct rlimit limit = { (rlim_t)(next + n), limit_before.rlim_max };
    close(next);
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void take_all_descriptors(void)
{
    take_all_descriptors_but(0);
}

static void give_descriptors_back(void)
{
    setrlimit(RLIMIT_NOFILE, &limit_before);
}

/* valgrind accepts first and finds then that there is no descriptor; so nobody waits to be refused. */
#if defined(FATE_VALGRIND)
#include <valgrind/valgrind.h>
#define ACCEPTS_WITHOUT_ROOM RUNNING_ON_VALGRIND
#else
#define ACCEPTS_WITHOUT_ROOM false
#endif

static fate_listener *begin_without_room(void)
{
    return ACCEPTS_WITHOUT_ROOM ? NULL : begin();
}

static int connect_raw(int fd, const fate_listener *listener)
{
    return net_connect_socket(fd, fate_listener_address(listener));
}

TEST(without_descriptors_those_who_wait_are_refused_and_the_log_says_what_to_do)
{
    const fate_listener *listener = begin_without_room();
    int fds[3] = { net_socket(AF_INET), net_socket(AF_INET), net_socket(AF_INET) };

    if (listener && connect_raw(fds[0], listener) == 0 && net_run_until_count(&n_made, 1)) {
        take_all_descriptors();
        EXPECT_EQ(connect_raw(fds[1], listener), 0);
        EXPECT_EQ(connect_raw(fds[2], listener), 0);
        EXPECT_EQ(net_end_of(fds[1]), -ECONNRESET);
        EXPECT_EQ(net_end_of(fds[2]), -ECONNRESET);
        EXPECT_EQ(net_events_in_rounds(20), 0);
        give_descriptors_back();
        EXPECT_EQ(n_made, 1);
        EXPECT_EQ(n_warnings, 1);
        EXPECT_CONTAINS(last_warning, "Too many open files (EMFILE): connections open: 1, descriptors of the "
                                      "process at most: ");
        EXPECT_CONTAINS(last_warning,
                        "Raise RLIMIT_NOFILE (ulimit -n, or LimitNOFILE= of a systemd unit), or "
                        "set connections_max; refused: ");
    }
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

TEST(who_gets_the_last_descriptor_is_no_reason_to_complain)
{
    const fate_listener *listener = begin_without_room();
    int fds[2] = { net_socket(AF_INET), net_socket(AF_INET) };

    if (listener) {
        take_all_descriptors_but(1);
        EXPECT_EQ(connect_raw(fds[0], listener), 0);
        if (net_run_until_count(&n_made, 1)) {
            EXPECT_EQ(n_warnings, 0);
            EXPECT_EQ(listener->gate, FATE__GATE_OPEN);
            EXPECT_EQ(connect_raw(fds[1], listener), 0);
            EXPECT_EQ(net_end_of(fds[1]), -ECONNRESET);
            EXPECT_EQ(n_warnings, 1);
        }
        give_descriptors_back();
    }
    for (int i = 0; i < 2; i++)
        close(fds[i]);
}

TEST(a_connection_that_goes_makes_room_for_one_that_waits)
{
    fate_listener *listener = begin_without_room();
    int fds[3] = { net_socket(AF_INET), net_socket(AF_INET), net_socket(AF_INET) };

    if (listener && connect_raw(fds[0], listener) == 0 && net_run_until_count(&n_made, 1)) {
        take_all_descriptors();
        EXPECT_EQ(connect_raw(fds[1], listener), 0);
        EXPECT_EQ(net_end_of(fds[1]), -ECONNRESET);
        EXPECT_EQ(listener->gate, FATE__GATE_REST);
        EXPECT_EQ(connect_raw(fds[2], listener), 0);
        shutdown(fds[0], SHUT_RDWR);
        net_run_until_count(&n_made, 2);
        give_descriptors_back();
        EXPECT_EQ(n_lost, 1);
    }
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

/* Another thread, say, is faster, and takes what was given up for a moment. */
static int cannot_open(const char *path, int flags, mode_t mode)
{
    errno = EMFILE;
    return -1;
}

TEST(a_spare_descriptor_that_was_lost_is_taken_again_when_accepting_works)
{
    static const int errors[] = { EMFILE, -1 };
    const fate_listener *listener = begin();
    struct fate__sys *calls = net_own_calls();
    bool had_spare = listener && listener->spare_fd >= 0;
    int fds[2] = { -1, -1 };

    if (had_spare) {
        calls->open = cannot_open;
        let_accepts_fail(errors);
        fds[0] = net_connect(fate_listener_address(listener));
        EXPECT_EQ(net_end_of(fds[0]), -ECONNRESET);
        EXPECT_EQ(listener->spare_fd, -1);
        calls->open = net_calls_below()->open;
        net_skip_time(FATE_SECOND);
        fds[1] = net_connect(fate_listener_address(listener));
        EXPECT(!net_run_until_count(&n_made, 1) || listener->spare_fd >= 0 || test_is_oom());
    }
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

TEST(a_listener_without_descriptors_may_go)
{
    const fate_listener *listener = begin();
    int fd = net_socket(AF_INET);

    if (listener) {
        take_all_descriptors();
        EXPECT_EQ(connect_raw(fd, listener), 0);
        net_end_of(fd);
        give_descriptors_back();
        test_at_end();
    }
    close(fd);
}

/* ---- No memory ---- */

static bool has_warned(void *arg)
{
    return n_warnings > 0;
}

TEST(a_connection_for_which_there_is_no_memory_is_dropped_and_the_next_comes)
{
    const fate_listener *listener = begin();

    if (!listener)
        return;
    int fd = net_connect(fate_listener_address(listener));
    bool may_fail = test_fail_allocation(1, false);
    net_run_until(has_warned, NULL);
    EXPECT(test_fail_allocation(0, false) || may_fail || test_is_oom());
    EXPECT_CONTAINS(last_warning, "ENOMEM");
    EXPECT_CONTAINS(last_warning, "refused: 1");
    EXPECT_EQ(n_made, 0);
    if (fd >= 0)
        close(fd);
    fd = net_connect(fate_listener_address(listener));
    net_run_until_count(&n_made, 1);
    if (fd >= 0)
        close(fd);
}

/* ---- Many ---- */

#define RESETS 2000

static bool is_quiet(void *arg)
{
    return n_lost == n_made && net_events_in_rounds(2) == 0;
}

VOLUME_TEST(peers_that_reset_leave_nothing_and_nothing_spins)
{
    const fate_listener *listener = begin();

    if (!listener)
        return;
    for (int i = 0; i < RESETS; i++) {
        int fd = net_connect(fate_listener_address(listener));
        if (EXPECT(fd >= 0))
            net_reset(fd);
        if (i % 50 == 0)
            fate_iterate(net_reactor, 0);
    }
    net_run_until(is_quiet, NULL);
    EXPECT_EQ(fate_listener_connections(listener), 0);
    EXPECT_EQ(n_warnings, 0);
    EXPECT_EQ(net_events_in_rounds(50), 0);
}

#define MANY 70

VOLUME_TEST(many_who_wait_are_accepted_in_several_rounds)
{
    const fate_listener *listener = begin();
    static int fds[MANY];

    if (!listener)
        return;
    for (int i = 0; i < MANY; i++)
        fds[i] = net_connect(fate_listener_address(listener));
    fate_iterate(net_reactor, 0);
    EXPECT_EQ(n_made, 64);
    net_run_until_count(&n_made, MANY);
    for (int i = 0; i < MANY; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}
