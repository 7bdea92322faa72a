/* An echo server, and who asks it through port_forward, says all at once and then listens. */
#ifndef EXAMPLES_PORT_FORWARD_DEMO_H
#define EXAMPLES_PORT_FORWARD_DEMO_H

#include "demo.h"
#include "helpers.h"

static inline void send_back(fate_protocol *p, const void *data, size_t len)
{
    fate_write(p->transport, data, len);
}

static const fate_protocol_ops echo = { .size = sizeof echo, .data_received = send_back };

static inline void hear_all(fate_protocol *p)
{
}

static inline fate_value ask(fate_coro *co, fate_protocol *server)
{
    fate_write(server->transport, "hello", 5);
    fate_lose_write_connection(server->transport);
    return fate_await(co, fate_read_all(fate_transport_source(server), 100));
}

static const fate_protocol_ops asking = { .size = sizeof asking, .converse = ask, .read_lost = hear_all };

static inline fate_value say_dropped(fate_value *why, fate_value *arg)
{
    puts("dropped");
    return fate_none();
}

/* Four clients ask. */
static inline fate_deferred *demonstrate(fate_reactor *reactor, const char *here, const char *there)
{
    fate_deferred *asked[4];

    fate_listen(reactor, there, &echo, fate_none());
    for (int i = 0; i < 4; i++) {
        asked[i] = fate_converse(reactor, here, &asking, fate_none());
        fate_add_callbacks(asked[i], print_timed, say_dropped, stopwatch(reactor));
    }
    return fate_settle(reactor, 4, asked);
}

#endif
