/* Tests of the HTTP server over real sockets: what only the system knows of a client. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/sys.h>
#include <fate/http_server.h>

#include "test.h"
#include "test_net_helpers.h"

static int n_kept_alive;

static int note_option(int fd, int level, int option, const void *value, socklen_t len)
{
    n_kept_alive += level == SOL_SOCKET && option == SO_KEEPALIVE;
    return setsockopt(fd, level, option, value, len);
}

static fate_value slow(fate_request *request, fate_value *arg)
{
    return fate_follow(fate_deferred_new(fate_request_reactor(request)));
}

static const fate_route routes[] = { { "GET /slow", slow }, { 0 } };

static int connect_to(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const char *request = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";

    bool is_connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    EXPECT(is_connected && write(fd, request, strlen(request)) > 0);
    return fd;
}

static bool is_kept_alive(void *arg)
{
    return n_kept_alive > 0;
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static void wait_for_a_page(fate_reactor *reactor)
{
    fate_website *site = fate_site_new_with(reactor, .idle_timeout = 20 * FATE_MILLISECOND);
    fate_site_routes(site, routes, fate_none());
    fate_deferred *listening = fate_hold(fate_site_listen(site, "tcp:0:interface=127.0.0.1"));
    const fate_value *listener = fate_peek(listening);

    if (EXPECT(listener && !fate_is_failure(listener))) {
        int fd = connect_to(fate_listener_address(fate_as_listener(listener))->port);
        EXPECT(test_until(reactor, is_kept_alive, NULL));
        close(fd);
    }
    fate_add_errback(listening, forgive, fate_none());
    fate_release(listening);
}

/* Its end is no reason to stop, but it may have gone without a word, or altogether. */
VOLUME_TEST(a_client_that_waits_long_is_asked_whether_it_is_still_there)
{
    struct fate__sys calls = *fate__sys;
    const struct fate__sys *before = fate__sys;
    fate_reactor *reactor = test_real_reactor(NULL);

    if (!reactor)
        return;
    calls.setsockopt = note_option;
    fate__sys = &calls;
    n_kept_alive = 0;
    wait_for_a_page(reactor);
    fate_reactor_free(reactor);
    fate__sys = before;
}
