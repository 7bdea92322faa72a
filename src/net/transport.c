/* Transports: how they come to be, are lost, and go. */
#include <net/transport.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <base/alloc.h>
#include <net/stream.h>

FATE_CLASS(FATE_CONNECTION_DONE, "ConnectionDone", &FATE_CONNECTION_CLOSED);

/* ---- Memory ----
 *
 * The library's own: a box with the protocol, and behind that the transport.  With build the transport is
 * alone.  It goes when connection_lost has been called and no value keeps it. */

static size_t instance_bytes(fate_ops ops)
{
    size_t bytes = ops->instance_bytes ? ops->instance_bytes : sizeof(fate_protocol);
    return (bytes + 15) & ~(size_t)15;
}

static void free_extra(struct fate__extra *extra)
{
    if (!extra)
        return;
    fate_drop(extra->broken);
    fate__free(extra->peer_path);
    fate__free(extra->in);
    fate__free(extra);
}

void fate__free_if_over(fate_transport *transport)
{
    const unsigned in_use = FATE__KEPT | FATE__IN_READY | FATE__ATTENDED;

    if ((transport->flags & (FATE__OVER | in_use)) != FATE__OVER)
        return;
    struct fate__factory *factory = NULL;
    fate_drop(transport->why);
    free_extra(transport->extra);
    if (transport->flags & FATE__HAS_BUILT) {
        fate__free(transport);
        return;
    }
    factory = fate__factory_of(transport->protocol);
    fate__own_box_free(transport->protocol);
    fate__factory_unref(factory);
}

/* Has it nothing but fate_receive to be told by? */
static bool only_receives(fate_ops ops)
{
    bool has_delivery = ops->framing && ops->framing->deliver;
    return !ops->data_received && !ops->message_received && !has_delivery;
}

/* The last value of fate_self has gone. */
static void is_unkept(void *data)
{
    fate_protocol *p = data;
    fate_transport *transport = p->transport;

    transport->flags &= ~(unsigned)FATE__KEPT;
    if (transport->flags & FATE__OVER)
        fate__free_if_over(transport);
    else if (only_receives(p->ops) && !p->ops->converse)
        fate_lose_connection(transport);
}

static fate_transport *allocate(fate_ops ops)
{
    size_t before = instance_bytes(ops);

    if (ops->build)
        return fate__zalloc(sizeof(fate_transport));
    char *data = fate__own_box_new(ops->name ? ops->name : "fate_protocol", before + sizeof(fate_transport),
                                   is_unkept);
    if (!data)
        return NULL;
    fate_transport *transport = (fate_transport *)(void *)(data + before);
    transport->protocol = (fate_protocol *)(void *)data;
    return transport;
}

static struct fate__extra *make_extra(fate_transport *transport)
{
    struct fate__extra *extra = fate__zalloc(sizeof *extra);

    if (!extra)
        return NULL;
    extra->transport = transport;
    fate__list_init(&extra->ties);
    fate__line_init(&extra->flushed, "room in the queue of a connection", transport);
    fate__line_init(&extra->written, "end of what was written to a connection", transport);
    extra->low = FATE__LOW_MARK;
    extra->high = FATE__HIGH_MARK;
    extra->cap = FATE__CAP;
    transport->extra = extra;
    return extra;
}

struct fate__extra *fate__extra(fate_transport *transport)
{
    if (!transport->extra && !make_extra(transport))
        fate__lose(transport, fate__no_memory(), true);
    return transport->extra;
}

/* ---- Coming ---- */

static void join(struct fate__factory *factory, fate_protocol *p)
{
    p->links[0] = factory->last;
    p->links[1] = NULL;
    p->links[2] = factory;
    if (factory->last)
        factory->last->links[1] = p;
    else
        factory->first = p;
    factory->last = p;
    factory->n_connections++;
    factory->refs++;
}

static void leave(struct fate__factory *factory, fate_protocol *p)
{
    fate_protocol *before = p->links[0], *behind = p->links[1];

    if (before)
        before->links[1] = behind;
    else
        factory->first = behind;
    if (behind)
        behind->links[0] = before;
    else
        factory->last = before;
}

/* The peer's path lies in the caller's memory. */
static bool copy_peer(fate_transport *transport, const fate_address *peer)
{
    transport->peer = *peer;
    if (peer->family != AF_UNIX || !peer->as.local.path)
        return true;
    struct fate__extra *extra = make_extra(transport);
    char *path = extra ? fate__alloc(peer->as.local.len + 1) : NULL;
    if (!path)
        return false;
    memcpy(path, peer->as.local.path, peer->as.local.len);
    path[peer->as.local.len] = '\0';
    extra->peer_path = path;
    transport->peer.as.local.path = path;
    return true;
}

static void discard(fate_transport *transport)
{
    fate_protocol *p = transport->protocol;

    free_extra(transport->extra);
    if (p)
        fate__own_box_free(p);
    else
        fate__free(transport);
}

static void fill_in(fate_transport *transport, struct fate__factory *factory)
{
    fate_protocol *p = transport->protocol;

    p->transport = transport;
    p->reactor = factory->reactor;
    p->arg = &factory->arg;
    p->ops = factory->ops;
    join(factory, p);
    if (only_receives(p->ops))
        transport->flags |= FATE__RECEIVES | FATE__UNASKED | FATE__IN_MESSAGES;
    if (p->ops->framing || !p->ops->data_received)
        transport->flags |= FATE__IN_MESSAGES;
}

static int build(fate_transport *transport, struct fate__factory *factory, const fate_address *peer)
{
    if (!factory->ops->build)
        return 0;
    transport->protocol = factory->ops->build(&factory->arg, peer);
    if (!transport->protocol)
        return -ECONNREFUSED;
    transport->flags |= FATE__HAS_BUILT;
    return 0;
}

int fate__transport_new(struct fate__factory *factory, const struct fate__new_wire *wire,
                        fate_transport **ret_transport)
{
    fate_transport *transport = factory->reactor->net ? allocate(factory->ops) : NULL;

    if (!transport)
        return -ENOMEM;
    transport->wire = wire->ops;
    transport->wire_data = wire->data;
    transport->fd = wire->fd;
    transport->net = factory->reactor->net;
    transport->flags = (wire->can_read ? FATE__CAN_READ : 0u) | (wire->can_write ? FATE__CAN_WRITE : 0u);
    int why = copy_peer(transport, wire->peer) ? build(transport, factory, wire->peer) : -ENOMEM;
    if (why < 0) {
        discard(transport);
        return why;
    }
    fill_in(transport, factory);
    transport->net->n_connections++;
    *ret_transport = transport;
    return 0;
}

/* Whatever hears of its loss has heard of it before, be there memory for the timeout or not. */
void fate__transport_begin(fate_transport *transport)
{
    fate_protocol *p = transport->protocol;
    fate_time idle_timeout = fate__factory_of(p)->idle_timeout;

    if (idle_timeout && !(transport->flags & FATE__IS_LOST))
        fate_set_idle_timeout(transport, idle_timeout);
    if (p->ops->connection_made)
        p->ops->connection_made(p);
    if (p->ops->converse && !(transport->flags & FATE__IS_LOST))
        fate__begin_conversation(transport);
    if (transport->flags & FATE__CAN_READ)
        fate__read_next_round(transport);
}

/* ---- fate_self ---- */

static const fate_type built_protocol = { "protocol", FATE_KIND_OBJECT, false, false, &built_protocol, NULL,
                                          true };

fate_value fate_self(fate_protocol *p)
{
    fate__check_transport(p->transport, "fate_self");
    if (p->transport->flags & FATE__HAS_BUILT)
        return fate__object(&built_protocol, p);
    p->transport->flags |= FATE__KEPT;
    return fate__own_box_value(p);
}

fate_protocol *fate_as_protocol(const fate_value *v)
{
    if (v && v->type == &built_protocol)
        return v->as.p;
    fate_protocol *p = v ? fate__own_box_data(v) : NULL;
    if (!p)
        fate__stop(NULL, "fate_as_protocol was given a value that is no protocol. fate_self makes one, and "
                         "fate_connect fires with one.");
    return p;
}

/* ---- Being lost ---- */

static inline bool has_to_write(const fate_transport *transport)
{
    return transport->out || transport->net->corked == transport;
}

void fate__lose(fate_transport *transport, fate_value why, bool is_abort)
{
    if (transport->flags & FATE__IS_LOST) {
        fate_drop(why);
        return;
    }
    /* To an orderly end the peer would say that it has got all, and it has not got what is queued. */
    bool is_cut = is_abort || has_to_write(transport);
    transport->flags |= FATE__IS_LOST | FATE__NO_MORE_DATA;
    fate__drop_out(transport);
    transport->why = why;
    transport->wire->close(transport, is_cut);
    leave(fate__factory_of(transport->protocol), transport->protocol);
    fate__attend(transport);
}

void fate__transport_break(fate_transport *transport, fate_value why)
{
    fate__lose(transport, why, false);
}

static void tell_lost(fate_transport *transport)
{
    fate_protocol *p = transport->protocol;
    struct fate__factory *factory = fate__factory_of(p);
    const fate_protocol_ops *ops = p->ops;
    fate_value why = fate_copy(&transport->why);
    const fate_framing *framing =
        transport->extra && transport->extra->has_framing ? transport->extra->framing : ops->framing;

    p->links[0] = p->links[1] = NULL;
    fate__lend(&why);
    if (framing && framing->size > offsetof(fate_framing, lost) && framing->lost)
        framing->lost(p, &why);
    if (ops->size > offsetof(fate_protocol_ops, connection_lost) && ops->connection_lost)
        ops->connection_lost(p, &why);
    fate_drop(fate_take(&why));
    factory->n_connections--;
    if (factory->one_has_gone)
        factory->one_has_gone(factory, &transport->why);
}

/* Those who wait are told first, connection_lost comes last. */
static void finish(fate_transport *transport)
{
    struct fate__factory *factory = fate__factory_of(transport->protocol);
    bool has_built = transport->flags & FATE__HAS_BUILT;

    fate__stop_timers(transport);
    fate__cancel_ties(transport);
    fate__no_more_messages(transport, &transport->why);
    fate__has_room(transport);
    if (!fate__end_conversation(transport))
        return;
    bool is_attended = transport->flags & FATE__ATTENDED;
    /* The last value that keeps it may go in connection_lost; so it counts as being looked after. */
    transport->flags |= FATE__OVER | FATE__ATTENDED;
    transport->net->n_connections--;
    tell_lost(transport); /* what build has made may be gone now */
    if (!is_attended)
        transport->flags &= ~(unsigned)FATE__ATTENDED;
    fate__free_if_over(transport);
    if (has_built)
        fate__factory_unref(factory);
}

static void attend_to_end(fate_transport *transport)
{
    fate_protocol *p = transport->protocol;

    if (transport->flags & FATE__TELLS_STOP) {
        transport->flags &= ~(unsigned)FATE__TELLS_STOP;
        p->ops->stopping(p);
    }
    bool is_to_end = transport->flags & (FATE__CLOSING | FATE__SHUTTING);
    /* Whoever was told that there is room may have written some more, and has its turn once more then. */
    if (is_to_end && !has_to_write(transport) && !(transport->flags & FATE__IS_LOST))
        fate__written_all(transport);
}

/* What was written leaves, and what is to be said of that is said. */
void fate__attend_now(fate_transport *transport)
{
    transport->flags &= ~(unsigned)FATE__ATTENDED;
    if (transport->flags & FATE__OVER) {
        fate__free_if_over(transport);
        return;
    }
    if (!(transport->flags & FATE__IS_LOST)) {
        if (has_to_write(transport))
            fate__flush(transport);
        if (fate__unlikely(transport->extra || transport->n_out > FATE__LOW_MARK ||
                           transport->flags & FATE__TOLD_PAUSE))
            fate__has_room(transport);
        const unsigned rare = FATE__CLOSING | FATE__SHUTTING | FATE__TELLS_STOP;
        if (fate__unlikely(transport->flags & rare))
            attend_to_end(transport);
    }
    if (fate__unlikely(transport->flags & FATE__IS_LOST))
        finish(transport);
}

/* ---- Closing ---- */

_Noreturn void fate__no_transport(const char *what)
{
    fate__stop(
        NULL,
        "%s was given a transport that is none. p->transport is one from connection_made on, as long as "
        "the protocol's memory.",
        what);
}

static fate_value why_closed(fate_transport *transport)
{
    if (transport->flags & FATE__BROKEN)
        return fate_take(&transport->extra->broken);
    return fate__raise(fate__site_of_transport(transport), &FATE_CONNECTION_DONE, "closed by %s",
                       transport->flags & FATE__READ_ENDED ? "the peer" : "this side");
}

void fate__written_all(fate_transport *transport)
{
    if (transport->flags & FATE__CLOSING) {
        fate__lose(transport, why_closed(transport), false);
        return;
    }
    if (transport->flags & FATE__BROKEN)
        return;
    transport->flags = (transport->flags & ~(unsigned)FATE__SHUTTING) | FATE__SHUT;
    int why = transport->wire->shut(transport);
    if (why < 0)
        fate__lose(transport, fate__connection_failure(transport, "ending the writing side of", -why), true);
    else if (transport->flags & FATE__READ_ENDED)
        fate_lose_connection(transport);
}

int fate_lose_connection(fate_transport *transport)
{
    fate__check_transport(transport, "fate_lose_connection");
    if (transport->flags & (FATE__IS_LOST | FATE__CLOSING))
        return -ENOTCONN;
    transport->flags |= FATE__CLOSING | FATE__NO_MORE_DATA;
    fate__attend(transport);
    if (transport->flags & FATE__CAN_READ) /* it is read and dropped, so that the peer does not wait for us */
        fate__read_next_round(transport);
    return 0;
}

int fate_lose_write_connection(fate_transport *transport)
{
    fate__check_transport(transport, "fate_lose_write_connection");
    if (transport->flags & FATE__NO_WRITING)
        return -ENOTCONN;
    transport->flags |= FATE__SHUTTING;
    fate__attend(transport);
    return 0;
}

int fate_abort_connection(fate_transport *transport)
{
    fate__check_transport(transport, "fate_abort_connection");
    if (transport->flags & FATE__IS_LOST)
        return -ENOTCONN;
    fate__lose(transport,
               fate__raise("fate_abort_connection", &FATE_CONNECTION_ABORTED,
                           "the connection was aborted on this side"),
               true);
    return 0;
}

bool fate_is_connected(const fate_transport *transport)
{
    return transport && !(transport->flags & FATE__IS_LOST);
}
