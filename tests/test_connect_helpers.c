/* Addresses that lead elsewhere. */
#include "test_connect_helpers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <base/sys.h>
#include <fate/resolve.h>
#include <net/address.h>

#define ROUTES_MAX 16

static struct {
    char host[64];
    int port, error;
} routes[ROUTES_MAX];
static int n_routes, n_connects;
static const struct fate__sys *usual;
static struct fate__sys routed;
static fate_time clock_by, stopped_at; /* 0: it goes */
static int hole[3];                    /* a listener that does not accept, and those who fill its backlog */
static void (*usual_end)(void);

/* ---- The table ---- */

/* Whatever the address that will be connected to, it is an IPv4 one in the end. */
static int routed_socket(int family, int type, int protocol)
{
    return usual->socket(family == AF_INET6 ? AF_INET : family, type, protocol);
}

static int find(const struct sockaddr_storage *to, socklen_t len)
{
    char text[FATE_ADDRESS_TEXT_BYTES];
    fate_address address;

    fate__address_from(to, len, &address);
    if (address.family != AF_INET && address.family != AF_INET6)
        return -1;
    fate_address_host(&address, text);
    for (int i = 0; i < n_routes; i++)
        if (strcmp(routes[i].host, text) == 0)
            return i;
    return -1;
}

static int routed_connect(int fd, const struct sockaddr *to, socklen_t len)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_storage address = { 0 };

    memcpy(&address, to, len);
    int i = find(&address, len);
    n_connects++;
    if (i < 0)
        return usual->connect(fd, to, len);
    if (routes[i].error) {
        errno = routes[i].error;
        return -1;
    }
    here.sin_port = htons((uint16_t)routes[i].port);
    return usual->connect(fd, (struct sockaddr *)&here, sizeof here);
}

static int moved_clock(clockid_t clock, struct timespec *ret_now)
{
    int failed = usual->clock_gettime(clock, ret_now);

    if (failed)
        return failed;
    fate_time now = stopped_at ? stopped_at : ret_now->tv_sec * FATE_SECOND + ret_now->tv_nsec;
    now += clock_by;
    ret_now->tv_sec = now / FATE_SECOND;
    ret_now->tv_nsec = now % FATE_SECOND;
    return 0;
}

static void close_hole(void)
{
    for (int i = 0; i < 3; i++)
        if (hole[i] > 0)
            close(hole[i]);
    memset(hole, 0, sizeof hole);
}

static void end(void)
{
    usual_end();
    close_hole();
    fate__sys = usual;
}

fate_reactor *test_connect_reactor(void)
{
    if (fate__sys != &routed) /* a test may make several */
        usual = fate__sys;
    routed = *usual;
    routed.socket = routed_socket;
    routed.connect = routed_connect;
    routed.clock_gettime = moved_clock;
    n_routes = n_connects = 0;
    clock_by = stopped_at = 0;
    test_trace_clear();
    fate__sys = &routed;
    fate_reactor *reactor = test_real_reactor(NULL);
    if (!reactor) {
        fate__sys = usual;
        return NULL;
    }
    usual_end = test_at_end;
    test_at_end = end;
    return reactor;
}

/* ---- Routes ---- */

static void add_route(const char *host, int port, int error)
{
    snprintf(routes[n_routes].host, sizeof routes[n_routes].host, "%s", host);
    routes[n_routes].port = port;
    routes[n_routes++].error = error;
}

void test_route(const char *host, int port)
{
    add_route(host, port, 0);
}

void test_route_error(const char *host, int error)
{
    add_route(host, 0, error);
}

int test_connects(void)
{
    return n_connects;
}

void test_connect_stop_clock(fate_reactor *reactor)
{
    stopped_at = fate_now(reactor) - clock_by;
}

void test_connect_later(fate_time by)
{
    clock_by += by;
}

static int loopback_socket(int *ret_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &len) == 0)
        *ret_port = ntohs(address.sin_port);
    return fd;
}

/* A listener whose backlog is full drops what comes, without a word. */
int test_black_hole(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    static int port;

    if (hole[0])
        return port;
    hole[0] = loopback_socket(&port);
    listen(hole[0], 0);
    address.sin_port = htons((uint16_t)port);
    for (int i = 1; i < 3; i++) {
        hole[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(hole[i], (struct sockaddr *)&address, sizeof address);
    }
    return port;
}

int test_refused_port(void)
{
    int port = -1, fd = loopback_socket(&port);

    close(fd);
    return port;
}

/* ---- Names ---- */

static fate_value read_addresses(const char *text)
{
    fate_value list = fate_list(0, NULL);
    char host[64];
    int taken;

    for (; sscanf(text, "%63s%n", host, &taken) == 1 && !fate_is_failure(&list); text += taken) {
        fate_address address;
        test_expect(FATE_HERE, fate_address_parse(host, &address) == 0, host);
        if (fate_list_append(&list, fate_box_new("fate_address", sizeof address, &address, NULL)) < 0) {
            fate_drop(list);
            return fate_raise(&FATE_NO_MEMORY, "a list");
        }
    }
    return list;
}

static fate_deferred *resolve(fate_reactor *reactor, const char *name, fate_value *arg)
{
    test_trace_add("resolve %s; ", name);
    if (fate_is_none(arg))
        return fate_deferred_new(reactor);
    return fate_succeed(reactor, read_addresses(fate_as_ptr(arg)));
}

void test_name(fate_reactor *reactor, const char *addresses)
{
    fate_set_resolver(reactor, resolve, addresses ? fate_ptr(addresses) : fate_none());
}

/* ---- Results ---- */

static bool is_done(void *d)
{
    return fate_state(d) == FATE_DONE;
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

fate_value test_result_of(fate_reactor *reactor, fate_deferred *d)
{
    fate_hold(d);
    if (!test_until(reactor, is_done, d)) {
        fate_cancel(d);
        test_until(reactor, is_done, d);
    }
    const fate_value *seen = fate_peek(d);
    fate_value result = seen ? fate_copy(seen) : fate_none();
    fate_add_errback(d, forgive, fate_none());
    fate_release(d);
    return result;
}

static void expect_fails(fate_reactor *reactor, fate_deferred *d, const fate_class *c, const char *text,
                         bool is_whole)
{
    fate_value why = test_result_of(reactor, d);

    if (EXPECT_FAILURE(&why, c))
        is_whole ? EXPECT_STR(fate_message(&why), text) : EXPECT_CONTAINS(fate_message(&why), text);
    fate_drop(why);
}

void test_expect_fails(fate_reactor *reactor, fate_deferred *d, const fate_class *c, const char *text)
{
    expect_fails(reactor, d, c, text, true);
}

void test_expect_fails_with(fate_reactor *reactor, fate_deferred *d, const fate_class *c, const char *part)
{
    expect_fails(reactor, d, c, part, false);
}

const char *test_tcp(const char *host, int port)
{
    static char text[128];

    snprintf(text, sizeof text, "tcp:%s:%d", host, port);
    return text;
}
