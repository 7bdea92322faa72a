/* Echo on libfate: fate_listen, and a protocol that writes what it receives.  BENCH_SPIN=MICROSECONDS is the
 * reactor's option to look for work for so long before it sleeps. */
#include "../common/net.h"
#include <fate/endpoint.h>
#include <fate/fate.h>

static void send_back(fate_protocol *p, const void *data, size_t len)
{
    fate_write(p->transport, data, len);
}

static const fate_protocol_ops echo = { .size = sizeof echo, .name = "echo", .data_received = send_back };

static fate_value listening(fate_value *listener, fate_value *arg)
{
    ready();
    return fate_none();
}

static fate_value cannot_listen(fate_value *why, fate_value *arg)
{
    fprintf(stderr, "%s\n", fate_message(why));
    exit(1);
}

static fate_reactor *make_reactor(void)
{
    const char *spin = getenv("BENCH_SPIN");
    fate_reactor *reactor = fate_reactor_new_with(.spin = spin ? atol(spin) * FATE_MICROSECOND : 0);

    if (!reactor)
        die("fate_reactor_new");
    return reactor;
}

int main(int argc, char **argv)
{
    char endpoint[64];
    fate_reactor *reactor = make_reactor();

    snprintf(endpoint, sizeof endpoint, "tcp:%d:interface=127.0.0.1", port_of(argc, argv));
    fate_deferred *d = fate_listen_with(reactor, endpoint, &echo, fate_none(), .backlog = BACKLOG);
    fate_add_callbacks(d, listening, cannot_listen, fate_none());
    errno = -fate_run(reactor);
    if (errno)
        die("fate_run");
    fate_reactor_free(reactor);
    return 0;
}
