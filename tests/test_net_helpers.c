/* Real sockets for tests. */
#include "test_net_helpers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/sys.h>
#include <net/address.h>
#include <net/transport.h>

#define ROUNDS_MAX 2000
#define ROUNDS_OOM 40

/* ---- What happened ---- */

static char trace[16384];
static bool was_got; /* the last thing that happened is that bytes came */

void test_trace_clear(void)
{
    trace[0] = '\0';
    was_got = false;
}

void test_trace_add(const char *fmt, ...)
{
    size_t len = strlen(trace);
    va_list args;

    va_start(args, fmt);
    vsnprintf(trace + len, sizeof trace - len, fmt, args);
    va_end(args);
    was_got = false;
}

const char *test_trace(void)
{
    return trace;
}

static void made(fate_protocol *p)
{
    test_trace_add("made; ");
}

static void got(fate_protocol *p, const void *data, size_t len)
{
    bool goes_on = was_got;

    if (goes_on) /* what comes in pieces is noted as one */
        trace[strlen(trace) - strlen("; ")] = '\0';
    test_trace_add("%s%.*s; ", goes_on ? "" : "got ", (int)len, (const char *)data);
    was_got = true;
}

static void got_line(fate_protocol *p, const char *line, size_t len)
{
    test_trace_add("line %s; ", line);
}

static void read_lost(fate_protocol *p)
{
    test_trace_add("read_lost; ");
}

static void paused(fate_protocol *p)
{
    test_trace_add("paused; ");
}

static void resumed(fate_protocol *p)
{
    test_trace_add("resumed; ");
}

static void lost(fate_protocol *p, fate_value *why)
{
    test_trace_add("lost %s; ", fate_class_of(why)->name);
}

#define COMMON                                                                                               \
    .size = sizeof(fate_protocol_ops), .name = "recorder", .connection_made = made, .write_paused = paused,  \
    .write_resumed = resumed, .connection_lost = lost
const fate_protocol_ops test_recorder = { COMMON, .data_received = got, .read_lost = read_lost };
const fate_protocol_ops test_closing_recorder = { COMMON, .data_received = got };
const fate_protocol_ops test_line_recorder = { COMMON, .framing = &FATE_LINES, .message_received = got_line };

/* ---- Connections ---- */

static void set_patience(int fd)
{
    const struct timeval second = { .tv_sec = 1 };

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
}

int test_listening(int *ret_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static bool tcp_pair(int fds[2])
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int on = 1;
    int port, listening = test_listening(&port);

    if (listening < 0)
        return false;
    address.sin_port = htons((uint16_t)port);
    fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fds[0] = -1;
    if (connect(fds[1], (struct sockaddr *)&address, sizeof address) == 0)
        fds[0] = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    close(listening);
    if (fds[0] < 0) {
        close(fds[1]);
        return false;
    }
    setsockopt(fds[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fds[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return true;
}

struct opening {
    struct fate__factory *factory;
    int fd;
    fate_address peer;
    fate_protocol *p;
};

static void open_it(fate_value *arg)
{
    struct opening *opening = fate_as_ptr(arg);
    fate__socket_open(opening->factory, opening->fd, &opening->peer, &opening->p);
}

struct test_pair test_pair(fate_reactor *reactor, int kind, fate_ops ops, fate_value arg)
{
    struct test_pair pair = { NULL, -1 };
    struct opening opening = { fate__factory_new(reactor, ops, arg, "test_pair"), -1, { 0 }, NULL };
    struct sockaddr_storage name;
    socklen_t len = sizeof name;
    int fds[2];

    if (!opening.factory)
        return pair;
    bool is_there =
        kind == TEST_TCP ? tcp_pair(fds) : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0;
    if (!is_there) {
        fate__factory_unref(opening.factory);
        return pair;
    }
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    set_patience(fds[1]);
    getpeername(fds[0], (struct sockaddr *)&name, &len);
    fate__address_from(&name, len, &opening.peer);
    opening.fd = fds[0];
    pair.peer = fds[1];
    fate_turn(reactor, open_it, fate_ptr(&opening));
    pair.p = opening.p;
    fate__factory_unref(opening.factory);
    return pair;
}

void test_peer_closes(struct test_pair *pair)
{
    if (pair->peer >= 0)
        close(pair->peer);
    pair->peer = -1;
}

void test_pair_reset(struct test_pair *pair)
{
    const struct linger reset = { .l_onoff = 1 };

    if (pair->peer >= 0)
        setsockopt(pair->peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    test_peer_closes(pair);
}

void test_pair_done(struct test_pair *pair)
{
    test_pair_reset(pair);
}

void test_peer_says(const struct test_pair *pair, const char *text)
{
    if (pair->peer >= 0)
        test_expect(FATE_HERE, send(pair->peer, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text),
                    "the peer can say something");
}

void test_peer_ends(const struct test_pair *pair)
{
    if (pair->peer >= 0)
        shutdown(pair->peer, SHUT_WR);
}

int test_peer_hears(const struct test_pair *pair, char *to, size_t len)
{
    ssize_t n = pair->peer < 0 ? -1 : recv(pair->peer, to, len - 1, MSG_DONTWAIT);

    to[n > 0 ? n : 0] = '\0';
    return (int)n;
}

/* ---- Running ---- */

bool test_until(fate_reactor *reactor, bool (*holds)(void *arg), void *arg)
{
    int n = test_is_oom() ? ROUNDS_OOM : ROUNDS_MAX;

    for (int i = 0; i < n; i++) {
        if (holds(arg))
            return true;
        fate_iterate(reactor, i < 10 ? 0 : FATE_MILLISECOND);
    }
    return holds(arg);
}

static bool trace_has(void *part)
{
    return strstr(trace, part) != NULL;
}

bool test_until_trace(fate_reactor *reactor, const char *part)
{
    return test_until(reactor, trace_has, (void *)(uintptr_t)part);
}

struct hearing {
    const struct test_pair *pair;
    char text[65536];
    size_t len, wanted;
};

static bool has_heard(void *arg)
{
    struct hearing *hearing = arg;
    int n = test_peer_hears(hearing->pair, hearing->text + hearing->len, sizeof hearing->text - hearing->len);

    if (n > 0)
        hearing->len += (size_t)n;
    return hearing->len >= hearing->wanted;
}

bool test_until_heard(fate_reactor *reactor, const struct test_pair *pair, const char *text)
{
    struct hearing hearing = { .pair = pair, .wanted = strlen(text) };

    test_until(reactor, has_heard, &hearing);
    return test_expect_str(FATE_HERE, hearing.text, text, "what the peer has heard");
}

void test_rounds(fate_reactor *reactor, int n)
{
    while (n-- > 0)
        fate_iterate(reactor, 0);
}
