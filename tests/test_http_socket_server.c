/* Tests of the HTTP server over real sockets, which are run with calls that fail, too: whatever happens, a
 * page that is fetched is the right one or a failure, and nothing is left open. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/sys.h>
#include <fate/http_client.h>
#include <fate/http_server.h>
#include <http/server.h>

#include "test.h"
#include "test_net_helpers.h"

#define SMALL_BYTES ((size_t)100)
#define BIG_BYTES   ((size_t)9000) /* is sent by the kernel */
#define HUGE_BYTES  ((size_t)64 << 20)

/* ---- Files: the same for all tests, and gone with the program ---- */

static char folder[] = "/tmp/fate-served-XXXXXX";

static void remove_files(void)
{
    static const char *const names[] = { "small.txt", "big.txt", "huge", "log" };
    char path[64];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void put_file(const char *name, size_t len)
{
    static char bytes[BIG_BYTES];
    char path[64];

    memset(bytes, *name, len);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
        abort();
    close(fd);
}

static void make_files(void)
{
    static bool is_made;
    char path[64];

    if (is_made)
        return;
    is_made = true;
    if (!mkdtemp(folder))
        abort();
    atexit(remove_files);
    put_file("small.txt", SMALL_BYTES);
    put_file("big.txt", BIG_BYTES);
    put_file("huge", 0);
    snprintf(path, sizeof path, "%s/huge", folder);
    if (truncate(path, HUGE_BYTES) < 0)
        abort();
}

/* ---- The site ---- */

static fate_value hello(fate_request *request, fate_value *arg)
{
    return fate_str("hello");
}

static fate_value echo(fate_request *request, fate_value *arg)
{
    return fate_request_body(request);
}

/* As much as anybody takes, but not for ever. */
static int n_reads, n_gone;

struct endless {
    fate_reactor *reactor;
};

static fate_deferred *read_zeros(fate_value *arg, size_t bytes_max)
{
    static const char zeros[50000] = { 0 };
    const struct endless *endless = fate_unbox(struct endless, arg);

    return fate_succeed(endless->reactor, n_reads++ < 20000 ? fate_bytes(zeros, sizeof zeros) : fate_none());
}

static void note_gone(void *data)
{
    n_gone++;
}

static const fate_source_ops zero_ops = { .size = sizeof zero_ops, .read = read_zeros };

static fate_value stream(fate_request *request, fate_value *arg)
{
    fate_reactor *reactor = fate_request_reactor(request);

    return fate_source(reactor, &zero_ops, fate_box_with(note_gone, struct endless, reactor));
}

static const fate_route routes[] = {
    { "GET /hello", hello }, { "POST /echo", echo }, { "GET /endless", stream }, { 0 }
};

static fate_deferred *listen_to_all(fate_reactor *reactor)
{
    char log[64];

    snprintf(log, sizeof log, "%s/log", folder);
    fate_website *site = fate_site_new_with(reactor, .log_format = "common", .log_file = log);
    fate_site_routes(site, routes, fate_none());
    fate_site_mount(site, "/files", fate_static_new(reactor, folder));
    return fate_hold(fate_site_listen(site, "tcp:0:interface=127.0.0.1"));
}

/* ---- Its client ---- */

static int n_ended, n_right;

static bool is_all(const char *bytes, char c, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != c)
            return false;
    return true;
}

/* What has come is right, whatever has failed meanwhile: an EXPECT that does not hold is no failure then. */
static fate_value got(fate_value *page, fate_value *len)
{
    const char *s = fate_as_str(page);
    size_t n = fate_count(page);

    if ((int64_t)n != fate_as_int(len) || (n >= SMALL_BYTES && !is_all(s, n == BIG_BYTES ? 'b' : 's', n)))
        abort();
    n_ended++;
    n_right++;
    return fate_none();
}

static fate_value failed(fate_value *why, fate_value *len)
{
    n_ended++;
    return fate_none();
}

static bool have_ended(void *n)
{
    return n_ended == *(int *)n;
}

static void fetch(fate_reactor *reactor, int port, const char *path, fate_value body, size_t len)
{
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    fate_add_callbacks(fate_get_page_with(reactor, url, .body = body), got, failed, fate_int((int64_t)len));
}

static void fetch_all(fate_reactor *reactor, int port)
{
    int n = 4;

    n_ended = n_right = 0;
    fetch(reactor, port, "/hello", fate_none(), 5);
    fetch(reactor, port, "/echo", fate_str("to and fro"), 10);
    fetch(reactor, port, "/files/small.txt", fate_none(), SMALL_BYTES);
    fetch(reactor, port, "/files/big.txt", fate_none(), BIG_BYTES);
    bool is_over = test_until(reactor, have_ended, &n);
    for (int i = 0; i < 10 && !is_over && !test_is_oom(); i++) /* of so many bytes each may need a round */
        is_over = test_until(reactor, have_ended, &n);
    if (EXPECT(is_over))
        EXPECT_EQ(n_right, n);
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

TEST(a_site_is_served_over_real_sockets)
{
    test_suspend_failures();
    make_files();
    test_resume_failures();
    fate_reactor *reactor = test_real_reactor(NULL);
    if (!reactor)
        return;
    fate_deferred *listening = listen_to_all(reactor);
    const fate_value *listener = fate_peek(listening);
    if (EXPECT(listener && !fate_is_failure(listener)))
        fetch_all(reactor, fate_listener_address(fate_as_listener(listener))->port);
    fate_add_errback(listening, forgive, fate_none());
    fate_release(listening);
    fate_reactor_free(reactor);
}

/* ---- A client that has had enough ---- */

static int ask_for_all(int port)
{
    static const char request[] = "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n";
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0 ||
        send(fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0)
        abort();
    return fd;
}

static void reset(int fd)
{
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
    close(fd);
}

static bool has_gone(void *arg)
{
    return n_gone > 0;
}

/* Before the server has said a word, while it is about to, and while it waits for room. */
VOLUME_TEST(a_client_that_resets_stops_the_source)
{
    for (int rounds = 0; rounds < 4; rounds++) {
        fate_reactor *reactor = test_real_reactor(NULL);
        make_files();
        fate_deferred *listening = listen_to_all(reactor);
        n_reads = n_gone = 0;
        int fd = ask_for_all(fate_listener_address(fate_as_listener(fate_peek(listening)))->port);
        test_rounds(reactor, rounds);
        reset(fd);
        test_rounds(reactor, 5);
        EXPECT(n_reads == 0 || test_until(reactor, has_gone, NULL));
        EXPECT(n_reads < 1000);
        fate_release(listening);
        fate_reactor_free(reactor);
    }
}

/* ---- A client that takes whatever comes ---- */

static size_t n_taken;

static ssize_t take_all(int to, int from, off_t *offset, size_t len)
{
    n_taken += len;
    *offset += (off_t)len;
    return (ssize_t)len;
}

/* The most that was taken in one round. */
static size_t run_while_it_sends(fate_reactor *reactor)
{
    size_t most = 0;

    for (int i = 0; i < 1000 && n_taken < HUGE_BYTES; i++) {
        size_t before = n_taken;
        fate_iterate(reactor, FATE_MILLISECOND);
        most = n_taken - before > most ? n_taken - before : most;
    }
    return most;
}

VOLUME_TEST(a_huge_file_lets_others_have_their_turn)
{
    const struct fate__sys *usual = fate__sys;
    struct fate__sys taking = *usual;

    test_suspend_failures();
    make_files();
    test_resume_failures();
    fate_reactor *reactor = test_real_reactor(NULL);
    if (!reactor)
        return;
    fate_website *site = fate_site_new(reactor);
    fate_site_mount(site, "/files", fate_static_new(reactor, folder));
    struct test_pair pair = { NULL, -1 };
    if (!fate__http_is_nothing(site) && fate_is_none(&site->trouble))
        pair = test_pair(reactor, TEST_TCP, &fate__http_server_ops, fate_copy(&site->self));
    n_taken = 0;
    taking.sendfile = take_all;
    fate__sys = &taking;
    if (pair.p) {
        test_peer_says(&pair, "GET /files/huge HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT(run_while_it_sends(reactor) <= HUGE_BYTES / 16);
        EXPECT_EQ(n_taken, HUGE_BYTES);
    }
    fate__sys = usual;
    test_pair_done(&pair);
    fate_reactor_free(reactor);
}
