/* Reading: once for each event, into one buffer for all; and giving the protocol what has come, as it is or
 * cut into messages. */
#include <net/stream.h>

#include <errno.h>
#include <string.h>

#include <base/alloc.h>

FATE_CLASS(FATE_MESSAGE_TOO_LONG, "MessageTooLong", &FATE_CONNECTION_LOST);
FATE_CLASS(FATE_FRAMING_ERROR, "FramingError", &FATE_CONNECTION_LOST);

#define FRAME_BYTES_MAX ((size_t)64)   /* what a framing may add to its longest message */
#define KEPT_ROOM       ((size_t)2048) /* of the bytes that wait: more is given back when none do */

/* May the protocol be given something? */
static bool can_take(const fate_transport *transport)
{
    const unsigned against = FATE__PAUSED | FATE__UNASKED | FATE__NO_MORE_DATA | FATE__IS_LOST;
    return !(transport->flags & against);
}

static const fate_framing *framing_of(const fate_transport *transport)
{
    const struct fate__extra *extra = transport->extra;
    return extra && extra->has_framing ? extra->framing : transport->protocol->ops->framing;
}

/* ---- Messages ---- */

static void lose_after_flush(fate_transport *transport, fate_value why)
{
    fate__flush(transport);
    fate__lose(transport, why, false);
}

static ptrdiff_t too_long(fate_transport *transport, const fate_framing *framing)
{
    lose_after_flush(transport, fate__raise(fate__site_of_transport(transport), &FATE_MESSAGE_TOO_LONG,
                                            "received a message of %s longer than %zu bytes", framing->name,
                                            framing->message_bytes_max));
    return 0;
}

static ptrdiff_t bad(fate_transport *transport, const fate_framing *framing)
{
    lose_after_flush(transport, fate__raise(fate__site_of_transport(transport), &FATE_FRAMING_ERROR,
                                            "received what is no message of %s", framing->name));
    return 0;
}

static void give(fate_transport *transport, const fate_framing *framing, const char *message, size_t len)
{
    fate_protocol *p = transport->protocol;

    if (transport->flags & FATE__RECEIVES)
        fate__received(transport, message, len);
    else if (framing && framing->size > offsetof(fate_framing, deliver) && framing->deliver)
        framing->deliver(p, message, len);
    else if (framing && p->ops->message_received)
        p->ops->message_received(p, message, len);
    else if (p->ops->data_received)
        p->ops->data_received(p, message, len);
}

/* Gives the first message, if it is whole: how many bytes it took, 0: nothing can be given.  A byte may be
 * written behind data. */
static ptrdiff_t give_first(fate_transport *transport, char *data, size_t len)
{
    const fate_framing *framing = framing_of(transport);
    size_t at = 0, message_len = 0;

    if (!framing) {
        give(transport, NULL, data, len);
        return (ptrdiff_t)len;
    }
    ptrdiff_t taken = framing->cut(framing, data, len, &at, &message_len);
    bool is_hopeless =
        taken == 0 && len > FRAME_BYTES_MAX && len - FRAME_BYTES_MAX > framing->message_bytes_max;
    if (taken == -EMSGSIZE || is_hopeless)
        return too_long(transport, framing);
    if (taken <= 0)
        return taken ? bad(transport, framing) : 0;
    if (message_len == SIZE_MAX)
        return taken;
    fate__assert((size_t)taken <= len);
    fate__assert(at <= len && message_len <= len - at);
    if (message_len > framing->message_bytes_max)
        return too_long(transport, framing);
    char behind = data[at + message_len];
    data[at + message_len] = '\0';
    give(transport, framing, data + at, message_len);
    data[at + message_len] = behind;
    return taken;
}

/* Gives what can be given; how many bytes that took. */
static size_t give_all(fate_transport *transport, char *data, size_t len)
{
    size_t done = 0;

    transport->flags |= FATE__DELIVERING;
    while (done < len && can_take(transport)) {
        ptrdiff_t taken = give_first(transport, data + done, len - done);
        if (taken <= 0)
            break;
        done += (size_t)taken;
    }
    transport->flags &= ~(unsigned)FATE__DELIVERING;
    return done;
}

/* ---- Bytes that wait ---- */

static void forget_in(struct fate__extra *extra)
{
    extra->in_at = extra->n_in = 0;
    if (extra->in_room <= KEPT_ROOM)
        return;
    fate__free(extra->in);
    extra->in = NULL;
    extra->in_room = 0;
}

/* With room for one more, which is written behind a message. */
static bool keep(fate_transport *transport, const char *data, size_t len)
{
    struct fate__extra *extra = fate__extra(transport);

    if (!extra)
        return false;
    if (extra->in_at) {
        memmove(extra->in, extra->in + extra->in_at, extra->n_in - extra->in_at);
        extra->n_in -= extra->in_at;
        extra->in_at = 0;
    }
    if (extra->n_in + len + 1 > extra->in_room) {
        size_t room = 2 * extra->in_room > extra->n_in + len + 1 ? 2 * extra->in_room : extra->n_in + len + 1;
        char *in = fate__realloc(extra->in, room);
        if (!in) {
            fate__lose(transport, fate__no_memory(), true);
            return false;
        }
        extra->in = in;
        extra->in_room = room;
    }
    memcpy(extra->in + extra->n_in, data, len);
    extra->n_in += len;
    return true;
}

static bool has_in(const fate_transport *transport)
{
    return transport->extra && transport->extra->n_in > transport->extra->in_at;
}

/* Gives from the bytes that wait. */
static void give_in(fate_transport *transport)
{
    struct fate__extra *extra = transport->extra;

    extra->in_at += give_all(transport, extra->in + extra->in_at, extra->n_in - extra->in_at);
    if (extra->in_at == extra->n_in || transport->flags & FATE__NO_MORE_DATA)
        forget_in(extra);
}

static void got_messages(fate_transport *transport, char *data, size_t len)
{
    if (has_in(transport)) {
        if (keep(transport, data, len))
            give_in(transport);
        return;
    }
    size_t done = give_all(transport, data, len);
    if (done < len && !(transport->flags & FATE__NO_MORE_DATA))
        keep(transport, data + done, len - done);
}

/* ---- Reading ---- */

static void got(fate_transport *transport, char *data, size_t len)
{
    fate_protocol *p = transport->protocol;
    struct fate__net *net = transport->net;

    fate__is_active(transport);
    if (fate__unlikely(transport->flags & FATE__NO_MORE_DATA)) {
        transport->flags |= FATE__HAS_DROPPED;
        return;
    }
    net->lent = data;
    net->lent_end = data + len;
    net->reading = transport;
    if (transport->flags & FATE__IN_MESSAGES)
        got_messages(transport, data, len);
    else
        p->ops->data_received(p, data, len);
    net->reading = NULL;
    if (net->corked == transport)
        fate__flush(transport);
    net->lent = net->lent_end = NULL;
}

/* The peer has said all. */
static void ended(fate_transport *transport)
{
    fate_protocol *p = transport->protocol;

    transport->flags = (transport->flags & ~(unsigned)FATE__CAN_READ) | FATE__READ_ENDED;
    if (transport->flags & FATE__BROKEN) {
        fate__lose(transport, fate_take(&transport->extra->broken), false);
        return;
    }
    if (transport->flags & FATE__NO_MORE_DATA)
        return;
    if (transport->flags & FATE__RECEIVES) {
        const fate_value why =
            fate__raise(fate__site_of_transport(transport), &FATE_CONNECTION_DONE, "closed by the peer");
        fate__no_more_messages(transport, &why);
        fate_drop(why);
    }
    if (transport->flags & FATE__NO_MORE_DATA) /* by whoever has been told */
        return;
    if (p->ops->read_lost)
        p->ops->read_lost(p);
    bool goes_on = p->ops->read_lost || p->ops->converse;
    if (!goes_on || transport->flags & FATE__SHUT)
        fate_lose_connection(transport);
}

static void could_not(fate_transport *transport, int error)
{
    transport->flags &= ~(unsigned)FATE__CAN_READ;
    if (error == EAGAIN && !(transport->flags & FATE__BROKEN))
        return;
    if (transport->flags & FATE__BROKEN) /* all that had come has been read */
        fate__lose(transport, fate_take(&transport->extra->broken), false);
    else
        fate__lose(transport, fate__connection_failure(transport, "reading from", error), false);
}

/* What lies in the buffer and waits to be written must not be overwritten. */
bool fate__prepare_hot(struct fate__net *net)
{
    if (fate__likely(net->hot && !net->attend && !net->corked))
        return true;
    for (fate_transport *other = net->attend; other; other = other->next_attend)
        if (!(other->flags & FATE__IS_LOST) && !fate__copy_lent(other))
            fate__lose(other, fate__no_memory(), true);
    if (!net->cork)
        net->cork = fate__alloc(FATE__CORK_BYTES);
    if (net->cork && !net->hot) /* whoever writes what was read may cork it */
        net->hot = fate__alloc(FATE__HOT_BYTES + 1);
    net->is_plain = net->hot && !net->reactor->is_simulated && !net->reactor->poller.ops->rearm;
    return net->hot != NULL;
}

void fate__has_read(fate_transport *transport, ssize_t n, bool is_empty)
{
    if (n < 0) {
        could_not(transport, (int)-n);
        return;
    }
    if (n == 0) {
        ended(transport);
        return;
    }
    if (is_empty && !(transport->flags & FATE__BROKEN))
        transport->flags &= ~(unsigned)FATE__CAN_READ;
    else
        fate__read_next_round(transport);
    got(transport, transport->net->hot, (size_t)n);
}

static void read_once(fate_transport *transport)
{
    struct fate__net *net = transport->net;
    bool is_empty = false;

    if (!fate__prepare_hot(net)) {
        fate__lose(transport, fate__no_memory(), true);
        return;
    }
    if (transport->flags & FATE__IS_LOST) /* there was no memory for what it has written */
        return;
    ssize_t n = transport->wire->receive(transport, net->hot, FATE__HOT_BYTES, &is_empty);
    fate__has_read(transport, n, is_empty);
}

/* While the connection is being closed, what comes is read and dropped. */
static bool wants_to_read(const fate_transport *transport)
{
    if ((transport->flags & (FATE__CAN_READ | FATE__READ_ENDED | FATE__IS_LOST)) != FATE__CAN_READ)
        return false;
    return transport->flags & FATE__NO_MORE_DATA || !(transport->flags & (FATE__PAUSED | FATE__UNASKED));
}

void fate__read(fate_transport *transport)
{
    if (fate__unlikely(has_in(transport)) && can_take(transport))
        give_in(transport);
    if (!wants_to_read(transport))
        return;
    if (transport->net->reading) /* the buffer is in use: in a test, what one gets may be given to another */
        fate__read_next_round(transport);
    else
        read_once(transport);
}

void fate__read_now(fate_transport *transport)
{
    transport->flags &= ~(unsigned)FATE__IN_READY;
    if (transport->flags & FATE__OVER)
        fate__free_if_over(transport);
    else if (!(transport->flags & FATE__IS_LOST))
        fate__read(transport);
}

void fate__transport_can_read(fate_transport *transport)
{
    transport->flags |= FATE__CAN_READ;
    if (wants_to_read(transport))
        fate__read(transport);
}

/* A connection that is not read is told of its end, too. */
void fate__look_for_trouble(fate_transport *transport)
{
    if (wants_to_read(transport) || transport->flags & FATE__IS_LOST || !transport->wire->trouble)
        return;
    int error = transport->wire->trouble(transport);
    if (error)
        could_not(transport, error);
}

/* ---- What the program calls ---- */

int fate_pause_reading(fate_transport *transport)
{
    fate__check_transport(transport, "fate_pause_reading");
    if (transport->flags & FATE__IS_LOST)
        return -ENOTCONN;
    transport->flags |= FATE__PAUSED;
    if (transport->flags & FATE__BROKEN) /* nobody is going to read what was still to come */
        fate__lose(transport, fate_take(&transport->extra->broken), false);
    return 0;
}

bool fate__give_waiting(fate_transport *transport)
{
    if (transport->flags & FATE__DELIVERING || !has_in(transport) || !can_take(transport))
        return false;
    give_in(transport);
    return true;
}

/* There may be something to give, or to read: not here, where the caller does not expect it. */
void fate__resume(fate_transport *transport)
{
    if (has_in(transport) || transport->flags & FATE__CAN_READ)
        fate__read_next_round(transport);
}

int fate_resume_reading(fate_transport *transport)
{
    fate__check_transport(transport, "fate_resume_reading");
    if (transport->flags & FATE__IS_LOST)
        return -ENOTCONN;
    transport->flags &= ~(unsigned)FATE__PAUSED;
    fate__resume(transport);
    return 0;
}

int fate_set_framing(fate_protocol *p, const fate_framing *framing)
{
    fate__check_transport(p->transport, "fate_set_framing");
    if (framing && (framing->size < offsetof(fate_framing, deliver) || !framing->cut || !framing->wrap))
        fate__stop(NULL, "fate_set_framing was given a framing without size, cut or wrap.");
    if (p->transport->flags & FATE__IS_LOST)
        return -ENOTCONN;
    struct fate__extra *extra = fate__extra(p->transport);
    if (!extra)
        return -ENOMEM;
    extra->framing = framing;
    extra->has_framing = true;
    p->transport->flags |= FATE__IN_MESSAGES;
    if (has_in(p->transport) && !(p->transport->flags & FATE__DELIVERING))
        fate__resume(p->transport);
    return 0;
}

/* ---- Sending messages ---- */

int fate_send(fate_protocol *p, const void *message, size_t len)
{
    fate__check_transport(p->transport, "fate_send");
    const fate_framing *framing = framing_of(p->transport);
    char head[16], tail[16];
    size_t head_len = 0;

    if (!framing)
        return fate_write(p->transport, message, len);
    size_t tail_len = framing->wrap(framing, len, head, &head_len, tail);
    if (len > framing->message_bytes_max || tail_len == SIZE_MAX)
        return p->transport->flags & FATE__NO_WRITING ? -ENOTCONN : -EMSGSIZE;
    p->transport->flags |= FATE__SENDING;
    int why = fate_write(p->transport, head, head_len);
    if (why == 0)
        why = fate_write(p->transport, message, len);
    if (why == 0)
        why = fate_write(p->transport, tail, tail_len);
    fate__message_is_written(p->transport);
    return why;
}

int fate_send_format(fate_protocol *p, const char *fmt, ...)
{
    va_list args;

    fate__check_transport(p->transport, "fate_send_format");
    va_start(args, fmt);
    fate_value text = fate_format_v(fmt, args);
    va_end(args);
    if (fate_is_failure(&text)) {
        fate_drop(text);
        return fate_write_value(p->transport, fate__no_memory());
    }
    int why = fate_send(p, fate_as_str(&text), fate_count(&text));
    fate_drop(text);
    return why;
}
