/* Tests of the HTTP client over real sockets, which are run with calls that fail, too: whatever happens, a
 * fetch has one end. */
#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/sys.h>
#include <fate/http_client.h>

#include "test.h"
#include "test_net_helpers.h"

static int n_ended, n_right;

struct server {
    fate_protocol base;
};

static void answer(fate_protocol *p, const char *line, size_t len)
{
    static char page[300];
    char head[64];
    size_t n = strncmp(line, "GET /big", 8) == 0 ? sizeof page : 5;

    if (strncmp(line, "GET ", 4) != 0)
        return;
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
    fate_write(p->transport, head, strlen(head));
    fate_write(p->transport, page, n);
}

static const fate_protocol_ops ops = { FATE_PROTOCOL(struct server), .framing = &FATE_LINES,
                                       .message_received = answer };

static fate_value got(fate_value *page, fate_value *len)
{
    n_ended++;
    n_right += (int64_t)fate_count(page) == fate_as_int(len);
    return fate_none();
}

static fate_value failed(fate_value *why, fate_value *len)
{
    n_ended++;
    return fate_none();
}

static fate_value read_body(fate_value *response, fate_value *arg)
{
    return fate_follow(fate_read_all(fate_response_body(fate_as_response(response)), 1 << 20));
}

static bool have_ended(void *n)
{
    return n_ended == *(int *)n;
}

/* n pages, some of them streamed, some big; four connections at once. */
static void fetch_pages(fate_reactor *reactor, int port, int n)
{
    fate_agent *agent = fate_agent_new_with(reactor, .per_host_max = 4);
    char small[64], big[64];

    snprintf(small, sizeof small, "http://127.0.0.1:%d/", port);
    snprintf(big, sizeof big, "http://127.0.0.1:%d/big", port);
    n_ended = n_right = 0;
    for (int i = 0; i < n; i++) {
        const char *url = i % 3 ? small : big;
        fate_deferred *d =
            i % 2 ? fate_get_page_with(reactor, url, .agent = agent)
                  : fate_add_callback(fate_fetch_with(reactor, url, .agent = agent), read_body, fate_none());
        fate_add_callbacks(d, got, failed, fate_int(i % 3 ? 5 : 300));
    }
    if (EXPECT(test_until(reactor, have_ended, &n)))
        EXPECT_EQ(n_right, n);
    fate_agent_free(agent);
    test_rounds(reactor, 3);
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

TEST(pages_come_over_real_sockets)
{
    fate_reactor *reactor = test_real_reactor(NULL);

    if (!reactor)
        return;
    fate_deferred *listening =
        fate_hold(fate_listen(reactor, "tcp:0:interface=127.0.0.1", &ops, fate_none()));
    const fate_value *listener = fate_peek(listening);
    if (EXPECT(listener && !fate_is_failure(listener)))
        fetch_pages(reactor, fate_listener_address(fate_as_listener(listener))->port, 4);
    fate_add_errback(listening, forgive, fate_none());
    fate_release(listening);
    fate_reactor_free(reactor);
}

TEST(a_port_that_nobody_listens_on_is_refused)
{
    fate_reactor *reactor = test_real_reactor(NULL);
    int one = 1;

    if (!reactor)
        return;
    n_ended = n_right = 0;
    fate_add_callbacks(fate_get_page(reactor, "http://127.0.0.1:1/"), got, failed, fate_int(0));
    EXPECT(test_until(reactor, have_ended, &one));
    EXPECT_EQ(n_right, 0);
    fate_reactor_free(reactor);
}

/* ---- A server that has had enough ---- */

/* As much as anybody takes, but not for ever. */
static int n_reads;

static fate_deferred *read_zeros(fate_value *arg, size_t bytes_max)
{
    static const char zeros[50000] = { 0 };

    return fate_succeed(fate_as_ptr(arg), n_reads++ < 20000 ? fate_bytes(zeros, sizeof zeros) : fate_none());
}

static const fate_source_ops zero_ops = { .size = sizeof zero_ops, .read = read_zeros };

static int refusing; /* -1: not connected yet */

/* Says that it wants the body, and hangs up before it has come. */
static bool welcome_and_reset(void *listening)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    char head[1000];

    if (refusing < 0)
        refusing = accept4(*(int *)listening, NULL, NULL, SOCK_CLOEXEC);
    if (refusing < 0 || recv(refusing, head, sizeof head, MSG_DONTWAIT) <= 0)
        return false;
    if (send(refusing, go_on, sizeof go_on - 1, MSG_NOSIGNAL) < 0)
        abort();
    setsockopt(refusing, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
    close(refusing);
    return true;
}

VOLUME_TEST(a_server_that_resets_stops_the_source_of_the_body)
{
    fate_reactor *reactor = test_real_reactor(NULL);
    int port, one = 1, listening = test_listening(&port);
    char url[64];

    n_ended = n_right = n_reads = 0;
    refusing = -1;
    fcntl(listening, F_SETFL, O_NONBLOCK);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    fate_value body = fate_source(reactor, &zero_ops, fate_ptr(reactor));
    fate_add_callbacks(fate_get_page_with(reactor, url, .body = body), got, failed, fate_int(0));
    EXPECT(test_until(reactor, welcome_and_reset, &listening));
    EXPECT(test_until(reactor, have_ended, &one));
    EXPECT_EQ(n_right, 0);
    EXPECT(n_reads < 1000);
    close(listening);
    fate_reactor_free(reactor);
}

/* ---- Names that take their time ---- */

static sem_t may_answer;
static atomic_int n_asked;

static int slow_getaddrinfo(const char *name, const char *service, const struct addrinfo *wanted,
                            struct addrinfo **ret_found)
{
    n_asked++;
    while (sem_wait(&may_answer) < 0)
        ;
    return EAI_NONAME;
}

static bool was_asked(void *arg)
{
    return n_asked > 0;
}

/* What the thread that still asks has allocated goes when it has been answered. */
static bool is_alone(long blocks)
{
    for (int i = 0; i < 2000000 && test_blocks() > blocks; i++)
        sched_yield();
    return test_blocks() <= blocks;
}

/* Cancelled, or with its agent freed, while the system is asked for the name. */
static void leave_while_resolving(bool frees_agent)
{
    const struct fate__sys *usual = fate__sys;
    struct fate__sys table = *usual;
    long blocks = test_blocks();

    table.getaddrinfo = slow_getaddrinfo;
    fate__sys = &table;
    sem_init(&may_answer, 0, 0);
    n_ended = n_right = 0;
    n_asked = 0;
    fate_reactor *reactor = test_real_reactor(NULL);
    fate_agent *agent = fate_agent_new(reactor);
    fate_deferred *d = fate_hold(fate_get_page_with(reactor, "http://slow.example/", .agent = agent));
    fate_add_callbacks(d, got, failed, fate_int(0));
    EXPECT(test_until(reactor, was_asked, NULL));
    EXPECT_EQ(n_ended, 0);
    if (frees_agent)
        fate_agent_free(agent);
    else
        fate_cancel(d);
    EXPECT_EQ(n_ended, 1);
    if (!frees_agent)
        EXPECT_EQ(fate_agent_connections(agent), 0);
    fate_release(d);
    test_rounds(reactor, 3);
    sem_post(&may_answer);
    fate_reactor_free(reactor);
    EXPECT(is_alone(blocks));
    sem_destroy(&may_answer);
    fate__sys = usual;
}

VOLUME_TEST(a_fetch_is_cancelled_while_its_host_is_being_looked_up)
{
    leave_while_resolving(false);
    leave_while_resolving(true);
}
