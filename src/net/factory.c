/* Factories: what the connections of one listener, or of one connect, share. */
#include <net/transport.h>

#include <stdio.h>

#include <base/alloc.h>
#include <net/linger.h>
#include <net/stream.h>

/* ---- Life ---- */

void fate__check_ops(fate_ops ops, const char *what, const char *site)
{
    if (!ops)
        fate__stop(site, "%s was given NULL for the protocol. It wants a fate_protocol_ops.", what);
    if (ops->size < offsetof(fate_protocol_ops, connection_made))
        fate__stop(
            site,
            "%s was given a fate_protocol_ops without its size. Begin it with FATE_PROTOCOL(struct T), or "
            "with .size = sizeof of the table.",
            what);
    if (ops->instance_bytes && ops->instance_bytes < sizeof(fate_protocol))
        fate__stop(site, "%s was given a protocol whose instances are too small to hold a fate_protocol.",
                   what);
    if (ops->instance_bytes && ops->build)
        fate__stop(site,
                   "%s was given a protocol with both instance_bytes and build. Either the library makes the "
                   "instances, or build does.",
                   what);
    if (ops->converse && (ops->data_received || ops->message_received))
        fate__stop(site,
                   "%s was given a protocol with converse and data_received or message_received. A converse "
                   "asks for its messages itself, by fate_receive.",
                   what);
}

struct fate__factory *fate__factory_new(fate_reactor *reactor, fate_ops ops, fate_value arg, const char *site)
{
    struct fate__net *net = fate__is_no_memory(&arg) ? NULL : fate__net(reactor);
    struct fate__factory *factory = net ? fate__zalloc(sizeof *factory) : NULL;

    if (!factory) {
        fate_drop(arg);
        return NULL;
    }
    factory->ops = ops;
    factory->arg = arg;
    fate__lend(&factory->arg);
    factory->reactor = reactor;
    factory->site = site;
    factory->refs = 1;
    fate__list_add_last(&net->factories, &factory->link);
    return factory;
}

void fate__factory_unref(struct fate__factory *factory)
{
    if (--factory->refs)
        return;
    fate__list_remove(&factory->link);
    fate_drop(fate_take(&factory->arg));
    fate__free(factory);
}

/* ---- Its connections ---- */

fate_protocol *fate_next_connection(fate_protocol *p, fate_protocol *after)
{
    fate_protocol *next = after ? after->links[1] : fate__factory_of(p)->first;

    /* Those that were lost in this turn still lead on. */
    while (next && next->transport->flags & FATE__IS_LOST)
        next = next->links[1];
    return next;
}

void fate__factory_lose_all(struct fate__factory *factory, bool is_abort)
{
    fate_protocol *next;

    for (fate_protocol *p = factory->first; p; p = next) {
        next = p->links[1];
        if (is_abort)
            fate_abort_connection(p->transport);
        else
            fate_lose_connection(p->transport);
    }
}

void fate__factory_stopping(struct fate__factory *factory)
{
    fate_ops ops = factory->ops;

    if (ops->size <= offsetof(fate_protocol_ops, stopping) || !ops->stopping)
        return;
    for (fate_protocol *p = factory->first; p; p = p->links[1]) {
        p->transport->flags |= FATE__TELLS_STOP;
        fate__attend(p->transport);
    }
}

/* ---- The end of all ---- */

void fate__transports_end(struct fate__net *net)
{
    fate__turn_enter(&net->reactor->turns);
    fate__linger_end(net);
    for (struct fate__link *link = net->factories.next, *next; link != &net->factories; link = next) {
        struct fate__factory *factory = fate_container_of(link, struct fate__factory, link);
        factory->refs++; /* so that the next one is known when it goes */
        fate__factory_lose_all(factory, true);
        fate__sweep(&net->reactor->turns);
        next = link->next;
        fate__list_remove(link); /* connections that values keep need it for longer than the list lasts */
        fate__factory_unref(factory);
    }
    fate__turn_leave(&net->reactor->turns);
}

/* ---- For the report ---- */

static const char *state_of(const fate_transport *transport)
{
    unsigned flags = transport->flags;

    return flags & FATE__CLOSING      ? "closing"
           : flags & FATE__SHUT       ? "half closed by us"
           : flags & FATE__READ_ENDED ? "half closed by the peer"
           : flags & FATE__PAUSED     ? "reading is paused"
           : transport->out           ? "the peer does not read"
                                      : "open";
}

static void look_at(const fate_protocol *p, fate__see_fn *see, void *arg)
{
    const struct fate__factory *factory = fate__factory_of(p);
    char peer[FATE_ADDRESS_TEXT_BYTES], state[80 + FATE_ADDRESS_TEXT_BYTES];
    const fate_transport *transport = p->transport;

    snprintf(state, sizeof state, "%s, with %s, %zu bytes queued", state_of(transport),
             fate_address_text(&transport->peer, peer), transport->n_out);
    const struct fate__seen seen = { .kind = "connection",
                                     .name = factory->ops->name ? factory->ops->name : "",
                                     .site = factory->site,
                                     .state = state,
                                     .id = transport };
    see(&seen, arg);
}

void fate__factory_look(struct fate__factory *factory, fate__see_fn *see, void *arg)
{
    for (const fate_protocol *p = factory->first; p; p = p->links[1])
        look_at(p, see, arg);
}
