/* Connections as sources and sinks. */
#include <net/stream.h>

#include <errno.h>

#include <fate/stream.h>
#include <reactor/stream.h>

/* What a value of either holds. */
struct connection {
    fate_value self;
};

static void let_go(void *connection)
{
    fate_drop(((struct connection *)connection)->self);
}

static fate_protocol *protocol_in(const fate_value *arg)
{
    return fate_as_protocol(&fate_unbox(struct connection, arg)->self);
}

static void check(fate_protocol *p, const char *what)
{
    fate__check_transport(p->transport, what);
    if (p->transport->flags & FATE__HAS_BUILT)
        fate__stop(NULL,
                   "%s was given a protocol with a build function, whose memory a stream cannot keep. Leave "
                   "build out, and let the library make the instances (FATE_PROTOCOL).",
                   what);
}

/* ---- Sources ---- */

/* The peer has said all, and so that was the end.  That a connection is closed on this side is none. */
static fate_value end_of_source(fate_value *why, fate_value *self)
{
    const fate_transport *transport = fate_as_protocol(self)->transport;

    return transport->flags & FATE__READ_ENDED && fate_is(why, &FATE_CONNECTION_DONE) ? fate_none()
                                                                                      : fate_take(why);
}

static fate_deferred *read_piece(fate_value *arg, size_t bytes_max)
{
    fate_protocol *p = protocol_in(arg);
    const char *site = fate__site_of_transport(p->transport);

    return fate_add_errback_at(fate_receive_at(p, site), end_of_source, fate_self(p), site);
}

static void stop_reading(fate_value *arg)
{
    fate_lose_connection(protocol_in(arg)->transport);
}

static const fate_source_ops transport_source_ops = {
    .size = sizeof transport_source_ops, .name = "connection", .read = read_piece, .stop = stop_reading
};

fate_value fate_transport_source(fate_protocol *p)
{
    check(p, "fate_transport_source");
    if (!(p->transport->flags & FATE__RECEIVES))
        fate__stop(
            NULL, "fate_transport_source was given a protocol that has data_received or message_received, to "
                  "which all goes. Leave these out of its fate_protocol_ops.");
    return fate_source(p->transport->net->reactor, &transport_source_ops,
                       fate_box_with(let_go, struct connection, fate_self(p)));
}

/* ---- Sinks ---- */

static fate_deferred *fail(fate_transport *transport, fate_value why)
{
    return fate_succeed_at(transport->net->reactor, why, fate__site_of_transport(transport));
}

/* Why nothing can be written. */
static fate_value refusal(const fate_transport *transport, int why)
{
    const char *site = fate__site_of_transport(transport);

    if (transport->flags & FATE__IS_LOST)
        return fate_copy(&transport->why);
    if (transport->flags & FATE__BROKEN)
        return fate_copy(&transport->extra->broken);
    if (why == -ENOTCONN)
        return fate__raise(site, &FATE_BROKEN_PIPE,
                           "written to a connection whose writing side has been closed on this side");
    return fate_raise_errno_at("fate_transport_sink", site, why, "write to a connection");
}

static fate_deferred *write_piece(fate_reactor *reactor, fate_value *arg, fate_value piece)
{
    fate_transport *transport = protocol_in(arg)->transport;
    const char *site = fate__site_of_transport(transport);
    const char *kind = piece.type ? piece.type->name : "none";
    int why = fate_write_value(transport, piece);

    if (why == -EINVAL)
        return fail(transport, fate__raise(site, &FATE_TYPE_ERROR,
                                           "write to a connection: a piece is %s, not text or bytes", kind));
    return why < 0 ? fail(transport, refusal(transport, why)) : fate_flushed_at(transport, site);
}

static fate_deferred *write_file(fate_reactor *reactor, fate_value *arg, int fd, int64_t offset, int64_t len)
{
    fate_transport *transport = protocol_in(arg)->transport;
    int why = fate_write_file(transport, fd, offset, len);

    return why < 0 ? fail(transport, refusal(transport, why))
                   : fate_written_at(transport, fate__site_of_transport(transport));
}

/* An end that is none of the peer's must not look like one: so the peer sees a reset. */
static fate_deferred *end_writing(fate_reactor *reactor, fate_value *arg, fate_value *why)
{
    fate_transport *transport = protocol_in(arg)->transport;

    if (fate_is_failure(why)) {
        fate_abort_connection(transport);
        return fate_succeed_at(reactor, fate_none(), fate__site_of_transport(transport));
    }
    (void)fate_lose_write_connection(transport); /* it may be closing already, and then all is written, too */
    return fate_written_at(transport, fate__site_of_transport(transport));
}

static const fate_sink_ops transport_sink_ops = { .size = sizeof transport_sink_ops,
                                                  .name = "connection",
                                                  .write = write_piece,
                                                  .end = end_writing,
                                                  .write_file = write_file };

fate_value fate_transport_sink(fate_protocol *p)
{
    check(p, "fate_transport_sink");
    return fate_sink(&transport_sink_ops, fate_box_with(let_go, struct connection, fate_self(p)));
}
