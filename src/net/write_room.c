/* Whether a connection's queue has room, and whoever wants to know. */
#include <net/stream.h>

/* A callback does not run on a coroutine's stack: then it is told at the end of the turn; nor between the
 * parts of a message. */
void fate__tell_pause(fate_transport *transport)
{
    fate_protocol *p = transport->protocol;
    const unsigned against = FATE__TOLD_PAUSE | FATE__IS_LOST | FATE__SENDING;

    if (transport->flags & against || transport->net->reactor->turns.outside)
        return;
    transport->flags |= FATE__TOLD_PAUSE;
    if (p->ops->write_paused)
        p->ops->write_paused(p);
}

void fate__message_is_written(fate_transport *transport)
{
    transport->flags &= ~(unsigned)FATE__SENDING;
    if (transport->n_out > fate__high_mark(transport))
        fate__tell_pause(transport);
}

static size_t low_mark(const fate_transport *transport)
{
    return transport->extra ? transport->extra->low : FATE__LOW_MARK;
}

/* Each whom it is told may write again. */
static bool has_flushed(const fate_transport *transport)
{
    return transport->n_out <= low_mark(transport) || transport->flags & FATE__IS_LOST;
}

static fate_value flushed_result(const fate_transport *transport)
{
    return transport->flags & FATE__IS_LOST  ? fate_copy(&transport->why)
           : transport->flags & FATE__BROKEN ? fate_copy(&transport->extra->broken)
                                             : fate_none();
}

static bool has_written(const fate_transport *transport)
{
    return (!transport->out && transport->net->corked != transport) || transport->flags & FATE__IS_LOST;
}

void fate__has_room(fate_transport *transport)
{
    struct fate__extra *extra = transport->extra;
    fate_deferred *d;

    if (transport->n_out > fate__high_mark(transport))
        fate__tell_pause(transport);
    while (extra && has_written(transport) && (d = fate__line_next(&extra->written)))
        fate__fire(d, flushed_result(transport), fate__site_of_transport(transport));
    while (extra && has_flushed(transport) && (d = fate__line_next(&extra->flushed)))
        fate__fire(d, flushed_result(transport), fate__site_of_transport(transport));
    if (!has_flushed(transport) ||
        (transport->flags & (FATE__TOLD_PAUSE | FATE__IS_LOST | FATE__BROKEN)) != FATE__TOLD_PAUSE)
        return;
    transport->flags &= ~(unsigned)FATE__TOLD_PAUSE;
    if (transport->protocol->ops->write_resumed)
        transport->protocol->ops->write_resumed(transport->protocol);
}

fate_deferred *fate_flushed_at(fate_transport *transport, const char *site)
{
    fate__check_transport(transport, "fate_flushed");
    fate_reactor *reactor = transport->net->reactor;
    struct fate__extra *extra = transport->flags & FATE__IS_LOST ? NULL : fate__extra(transport);

    if (!extra || (has_flushed(transport) && fate_write_queued(transport) <= extra->low))
        return fate_succeed_at(reactor, flushed_result(transport), site);
    return fate__line_join(&extra->flushed, reactor, site);
}

fate_deferred *(fate_flushed)(fate_transport *transport)
{
    return fate_flushed_at(transport, "fate_flushed");
}

fate_deferred *fate_written_at(fate_transport *transport, const char *site)
{
    fate__check_transport(transport, "fate_written");
    fate_reactor *reactor = transport->net->reactor;
    struct fate__extra *extra = transport->flags & FATE__IS_LOST ? NULL : fate__extra(transport);

    if (!extra || has_written(transport))
        return fate_succeed_at(reactor, flushed_result(transport), site);
    fate__attend(transport); /* the cork leaves without a word */
    return fate__line_join(&extra->written, reactor, site);
}

fate_deferred *(fate_written)(fate_transport *transport)
{
    return fate_written_at(transport, "fate_written");
}
