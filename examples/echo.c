/* An echo server, on every core: what comes goes back.  Try it with `nc localhost 8007`.
 *
 * With the argument "demo" it has one thread, and asks itself. */
#include "demo.h"

#include <stdio.h>

static void send_back(fate_protocol *p, const void *data, size_t len)
{
    fate_write(p->transport, data, len);
}

static const fate_protocol_ops echo = { .size = sizeof echo, .data_received = send_back };

static fate_value ask(fate_coro *co, fate_protocol *server)
{
    fate_write(server->transport, "Is anybody there?", 17);
    fate_value answer = fate_await(co, fate_receive(server));

    if (!fate_is_failure(&answer))
        printf("it says: %s\n", fate_as_str(&answer));
    return answer;
}

static const fate_protocol_ops asking = { .size = sizeof asking, .converse = ask };

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    fate_deferred *serving = fate_serve(reactor, "tcp:8007", &echo, fate_none());

    if (!is_demo(argc, argv))
        return serving;
    return serve_until(serving, fate_converse(reactor, "tcp:localhost:8007", &asking, fate_none()));
}

int main(int argc, char **argv)
{
    return fate_workers(is_demo(argc, argv) ? 1 : 0, start, argc, argv);
}
