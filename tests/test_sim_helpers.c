/* Listening and connecting in the simulated network. */
#include "test_sim_helpers.h"

#include <errno.h>

#include <net/endpoint.h>

/* ---- Listening ---- */

static void accept_all(fate_value *arg)
{
    struct test_server *server = fate_as_ptr(arg);
    fate_protocol *p;
    int why;

    while ((why = fate__sim_accept(server->listener, server->factory, &p)) != -EAGAIN) {
        if (why < 0)
            continue;
        fate_drop(fate_take(&server->kept));
        server->last = p;
        server->kept = fate_self(p);
        server->n_accepted++;
    }
}

void test_accept(struct test_server *server)
{
    fate_turn(server->reactor, accept_all, fate_ptr(server));
}

static void is_waited_for(void *owner)
{
    struct test_server *server = owner;

    server->n_told++;
    if (!server->is_lazy)
        test_accept(server);
}

static int read_endpoint(const char *text, enum fate__endpoint_use use, struct fate__endpoint *ret_endpoint)
{
    fate_value why = fate__endpoint_read(text, use, FATE_HERE, ret_endpoint);
    int error = fate_is_failure(&why) ? -ENOMEM : 0;

    if (fate_is_failure(&why))
        LACKS(&why);
    fate_drop(why);
    return error;
}

void test_serve(struct test_server *server, fate_reactor *reactor, const char *text, fate_ops ops,
                fate_value arg)
{
    struct fate__endpoint endpoint;

    *server = (struct test_server){ .reactor = reactor, .kept = fate_none(), .is_lazy = server->is_lazy };
    server->factory = fate__factory_new(reactor, ops, arg, FATE_HERE);
    server->error = server->factory ? read_endpoint(text, FATE__TO_LISTEN, &endpoint) : -ENOMEM;
    if (server->error < 0)
        return;
    server->error = fate__sim_listen(reactor, &endpoint, endpoint.backlog ? endpoint.backlog : 511,
                                     endpoint.share_port, is_waited_for, server, &server->listener);
    fate__endpoint_done(&endpoint);
}

void test_serve_done(struct test_server *server)
{
    fate__sim_listener_close(server->listener);
    server->listener = NULL;
    server->last = NULL;
    fate_drop(fate_take(&server->kept));
    if (server->factory)
        fate__factory_unref(server->factory);
    server->factory = NULL;
}

/* ---- Connecting ---- */

static void is_connected(void *owner, int error)
{
    struct test_client *client = owner;
    struct fate__sim_end *end = client->end;

    client->end = NULL;
    client->error = error;
    if (error == 0)
        client->error = fate__sim_open(end, client->factory, &client->p);
    if (client->p)
        client->kept = fate_self(client->p);
    const fate_value *arg = &client->factory->arg;
    test_trace_add("%s %s; ", fate_kind_of(arg) == FATE_KIND_PTR ? (const char *)fate_as_ptr(arg) : "client",
                   client->error ? fate_errno_name(-client->error) : "connected");
}

static void begin_call(struct test_client *client, fate_reactor *reactor,
                       const struct fate__endpoint *endpoint)
{
    fate_address address;

    if (endpoint->kind == FATE__ENDPOINT_TCP) {
        client->error = fate__sim_resolve(reactor, endpoint->host, &address);
        if (client->error < 0)
            return;
        address.port = (uint16_t)endpoint->port;
    }
    client->error = 1;
    client->end = fate__sim_connect(reactor, endpoint, endpoint->kind == FATE__ENDPOINT_TCP ? &address : NULL,
                                    is_connected, client);
    if (!client->end)
        client->error = -ENOMEM;
}

void test_call(struct test_client *client, fate_reactor *reactor, const char *text, fate_ops ops,
               fate_value arg)
{
    struct fate__endpoint endpoint;

    *client = (struct test_client){ .kept = fate_none(), .error = -ENOMEM };
    client->factory = fate__factory_new(reactor, ops, arg, FATE_HERE);
    if (!client->factory || read_endpoint(text, FATE__TO_CONNECT, &endpoint) < 0)
        return;
    begin_call(client, reactor, &endpoint);
    fate__endpoint_done(&endpoint);
}

void test_call_done(struct test_client *client)
{
    if (client->end)
        fate__sim_close(client->end);
    client->end = NULL;
    client->p = NULL;
    fate_drop(fate_take(&client->kept));
    if (client->factory)
        fate__factory_unref(client->factory);
    client->factory = NULL;
}

/* ---- Sides ---- */

static const char *side_of(const fate_protocol *p)
{
    return fate_as_ptr(p->arg);
}

static void made(fate_protocol *p)
{
    test_trace_add("%s made; ", side_of(p));
}

static void got(fate_protocol *p, const void *data, size_t len)
{
    test_trace_add("%s got %.*s; ", side_of(p), (int)len, (const char *)data);
}

static void read_lost(fate_protocol *p)
{
    test_trace_add("%s read_lost; ", side_of(p));
}

static void paused(fate_protocol *p)
{
    test_trace_add("%s paused; ", side_of(p));
}

static void resumed(fate_protocol *p)
{
    test_trace_add("%s resumed; ", side_of(p));
}

static void lost(fate_protocol *p, fate_value *why)
{
    test_trace_add("%s lost %s; ", side_of(p), fate_class_of(why)->name);
}

#define COMMON                                                                                               \
    .size = sizeof(fate_protocol_ops), .name = "side", .connection_made = made, .data_received = got,        \
    .write_paused = paused, .write_resumed = resumed, .connection_lost = lost
const fate_protocol_ops test_side = { COMMON, .read_lost = read_lost };
const fate_protocol_ops test_closing_side = { COMMON };
