/* Real sockets for tests. */
#include "test_listen_helpers.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fate/report.h>
#include <net/address.h>
#include <reactor/reactor.h>

#define ROUNDS_MAX 60000
#define ROUNDS_OOM 10

fate_reactor *net_reactor;

static const struct fate__sys *usual_calls;
static struct fate__sys own_calls;
static fate_time held_at, skipped;
static void (*at_end_before)(void);

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "a test of sockets: %s\n", why);
    abort();
}

/* ---- The reactor ---- */

static void finish(void)
{
    if (at_end_before)
        at_end_before();
    if (usual_calls)
        fate__sys = usual_calls;
    usual_calls = NULL;
    net_reactor = NULL;
}

bool net_begin(void)
{
    net_reactor = test_real_reactor(NULL);
    if (test_at_end != finish)
        at_end_before = test_at_end;
    test_at_end = finish;
    return net_reactor != NULL;
}

/* What has come may be done with in the next round only: so no round waits for long. */
bool net_run_until(bool (*holds)(void *arg), void *arg)
{
    fate_iterate(net_reactor, 0);
    for (int n = test_is_oom() ? ROUNDS_OOM : ROUNDS_MAX; n > 0 && !holds(arg); n--)
        fate_iterate(net_reactor, FATE_MILLISECOND);
    if (!holds(arg) && !test_is_oom())
        give_up("what is waited for does not come");
    return holds(arg);
}

struct count {
    const int *counter;
    int n;
};

static bool has_count(void *arg)
{
    const struct count *count = arg;
    return *count->counter >= count->n;
}

bool net_run_until_count(const int *counter, int n)
{
    return net_run_until(has_count, &(struct count){ counter, n });
}

static uint64_t n_turns(void)
{
    fate_value counts = fate_reactor_counts(net_reactor);
    const fate_value *turns = fate_is_failure(&counts) ? NULL : fate_dict_get(&counts, "turns");
    uint64_t n = turns ? (uint64_t)fate_as_int(turns) : 0;

    fate_drop(counts);
    return n;
}

uint64_t net_events_in_rounds(int n_rounds)
{
    test_suspend_failures();
    uint64_t before = n_turns();
    for (int i = 0; i < n_rounds; i++)
        fate_iterate(net_reactor, 0);
    uint64_t n = n_turns() - before;
    test_resume_failures();
    return n;
}

static bool is_done(void *d)
{
    return fate_state(d) == FATE_DONE;
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

fate_value net_result_of(fate_deferred *d)
{
    fate_hold(d);
    if (!net_run_until(is_done, d)) {
        fate_cancel(d);
        fate_cancel(d);
        if (!net_run_until(is_done, d)) {
            fate_release(d);
            return fate_raise(&FATE_CANCELLED, "it does not come");
        }
    }
    fate_value result = fate_copy(fate_peek(d));
    fate_add_errback(d, forgive, fate_none());
    fate_release(d);
    return result;
}

bool net_expect_failure(const char *here, fate_deferred *d, const fate_class *c, const char *part)
{
    fate_value why = net_result_of(d);
    bool is_as_expected = test_expect_failure(here, &why, c, "the result") &&
                          test_expect_contains(here, fate_message(&why), part, "its text");

    fate_drop(why);
    return is_as_expected;
}

/* ---- Raw peers ---- */

int net_socket(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        give_up("there is no socket");
    return fd;
}

static void to_loopback(fate_address *address)
{
    static const unsigned char nowhere[16], v4[4] = { 127, 0, 0, 1 }, v6[16] = { [15] = 1 };

    if (address->family == AF_INET && memcmp(address->as.ip, nowhere, 4) == 0)
        memcpy(address->as.ip, v4, 4);
    if (address->family == AF_INET6 && memcmp(address->as.ip, nowhere, 16) == 0)
        memcpy(address->as.ip, v6, 16);
}

int net_connect_socket(int fd, const fate_address *to)
{
    fate_address address = *to;
    struct sockaddr_storage kernel;

    if (to->family != AF_UNIX)
        to_loopback(&address);
    int len = fate__address_to(&address, &kernel);
    int n = connect(fd, (const struct sockaddr *)&kernel, (socklen_t)len);
    return n < 0 && errno != EINPROGRESS ? -errno : 0;
}

int net_connect(const fate_address *to)
{
    int fd = net_socket(to->family);
    int why = net_connect_socket(fd, to);

    if (why == 0)
        return fd;
    close(fd);
    return why;
}

static void find_address(int fd, fate_address *ret_address)
{
    struct sockaddr_storage kernel;
    socklen_t len = sizeof kernel;

    getsockname(fd, (struct sockaddr *)&kernel, &len);
    fate__address_from(&kernel, len, ret_address);
}

int net_listen(fate_address *ret_address)
{
    const struct sockaddr_in loopback = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = net_socket(AF_INET);

    if (bind(fd, (const struct sockaddr *)&loopback, sizeof loopback) < 0 || listen(fd, 16) < 0)
        give_up("nobody can listen on loopback");
    find_address(fd, ret_address);
    return fd;
}

bool net_has_ipv6(void)
{
    const struct sockaddr_in6 loopback = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    bool has = bind(fd, (const struct sockaddr *)&loopback, sizeof loopback) == 0;
    close(fd);
    return has;
}

ssize_t net_read(int fd, char *to, size_t len)
{
    ssize_t n = recv(fd, to, len, 0);
    return n < 0 ? -errno : n;
}

struct ending {
    int fd, result;
    bool is_known; /* asked once more, it would be another */
};

static bool has_ended(void *arg)
{
    struct ending *ending = arg;
    char bytes[4096];
    ssize_t n;

    if (ending->is_known)
        return true;
    while ((n = net_read(ending->fd, bytes, sizeof bytes)) > 0)
        ;
    ending->result = (int)n;
    ending->is_known = n != -EAGAIN;
    return ending->is_known;
}

int net_end_of(int fd)
{
    struct ending ending = { .fd = fd };

    net_run_until(has_ended, &ending);
    return ending.result;
}

void net_reset(int fd)
{
    const struct linger at_once = { 1, 0 };

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

/* ---- Calls ---- */

struct fate__sys *net_own_calls(void)
{
    if (!usual_calls) {
        usual_calls = fate__sys;
        own_calls = *fate__sys;
        fate__sys = &own_calls;
    }
    return &own_calls;
}

const struct fate__sys *net_calls_below(void)
{
    return usual_calls;
}

static int still_clock(clockid_t clock, struct timespec *ret_now)
{
    fate_time now = held_at + skipped;

    ret_now->tv_sec = (time_t)(now / FATE_SECOND);
    ret_now->tv_nsec = (long)(now % FATE_SECOND);
    return 0;
}

void net_hold_clocks(void)
{
    held_at = fate__monotonic();
    skipped = 0;
    net_own_calls()->clock_gettime = still_clock;
}

void net_skip_time(fate_time by)
{
    skipped += by;
}
