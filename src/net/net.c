/* What a reactor keeps for its connections: made with the first, gone with the reactor. */
#include <net/net.h>

#include <base/alloc.h>
#include <net/stream.h>

static void attend_all(struct fate__turn_end *end);
static void read_ready(struct fate__ready *ready);

/* Those whose turn does not come any more. */
static void drop_ready(struct fate__net *net)
{
    fate_transport *transport;

    while ((transport = net->ready)) {
        net->ready = transport->next_ready;
        transport->flags &= ~(unsigned)FATE__IN_READY;
        fate__free_if_over(transport);
    }
}

static void free_net(struct fate__owned *owned)
{
    struct fate__net *net = (struct fate__net *)owned;

    fate__transports_end(net);
    drop_ready(net);
    fate__turn_end_remove(&net->turn_end);
    fate__ready_remove(&net->next_round);
    fate__list_remove(&owned->link);
    fate__free_out(net);
    fate__free(net->hot);
    fate__free(net->cork);
    net->reactor->net = NULL;
    fate__free(net);
}

static void look(struct fate__owned *owned, fate__see_fn *see, void *arg)
{
    const struct fate__net *net = (const struct fate__net *)owned;

    for (const struct fate__link *link = net->factories.next; link != &net->factories; link = link->next)
        fate__factory_look(fate_container_of(link, struct fate__factory, link), see, arg);
}

static struct fate__net *make(fate_reactor *reactor)
{
    struct fate__owned *owned = fate__own(reactor, sizeof(struct fate__net), free_net, "a connection");
    struct fate__net *net = (struct fate__net *)owned;

    if (owned->is_no_memory)
        return NULL;
    owned->look = look;
    net->reactor = reactor;
    net->attend_last = &net->attend;
    net->ready_last = &net->ready;
    net->turn_end.go = attend_all;
    fate__list_init(&net->turn_end.link);
    net->next_round.go = read_ready;
    net->next_round.site = FATE__OWN_SITE("connections with more to read");
    fate__list_init(&net->next_round.link);
    fate__list_init(&net->factories);
    fate__list_init(&net->resting);
    fate__list_init(&net->lingering);
    reactor->net = net;
    reactor->end_net = fate__transports_end;
    reactor->descriptors.ready = fate__socket_ready;
    return net;
}

struct fate__net *fate__net(fate_reactor *reactor)
{
    return reactor->net ? reactor->net : make(reactor);
}

/* ---- The end of a turn, and the next round ---- */

static void attend_all(struct fate__turn_end *end)
{
    struct fate__net *net = fate_container_of(end, struct fate__net, turn_end);
    fate_transport *transport;

    while ((transport = net->attend)) {
        net->attend = transport->next_attend;
        if (!net->attend)
            net->attend_last = &net->attend;
        fate__attend_now(transport);
    }
}

void fate__attend(fate_transport *transport)
{
    struct fate__net *net = transport->net;

    if (transport->flags & (FATE__ATTENDED | FATE__OVER))
        return;
    transport->flags |= FATE__ATTENDED;
    transport->next_attend = NULL;
    if (!net->attend)
        fate__turn_end_add(&net->reactor->turns, &net->turn_end);
    *net->attend_last = transport;
    net->attend_last = &transport->next_attend;
}

/* Each is an event of its own, so that what it writes leaves; those that come meanwhile wait for the round
 * after. */
static void read_ready(struct fate__ready *ready)
{
    struct fate__net *net = fate_container_of(ready, struct fate__net, next_round);
    const fate_transport *last = fate_container_of(net->ready_last, fate_transport, next_ready);
    fate_transport *transport;
    bool is_last = false;

    while (!is_last && !net->reactor->has_crashed) {
        transport = net->ready;
        net->ready = transport->next_ready;
        if (!net->ready)
            net->ready_last = &net->ready;
        is_last = transport == last;
        fate__read_now(transport);
        if (!is_last) {
            fate__event_end(net->reactor);
            fate__event_begin(net->reactor, ready->site);
        }
    }
    if (net->ready)
        fate__ready_add(net->reactor, ready);
}

void fate__read_next_round(fate_transport *transport)
{
    struct fate__net *net = transport->net;

    if (transport->flags & (FATE__IN_READY | FATE__IS_LOST))
        return;
    transport->flags |= FATE__IN_READY;
    transport->next_ready = NULL;
    if (!net->ready)
        fate__ready_add(net->reactor, &net->next_round);
    *net->ready_last = transport;
    net->ready_last = &transport->next_ready;
}
