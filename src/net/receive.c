/* Asking for messages one by one, conversations in coroutines, and deferreds that end with a connection. */
#include <net/stream.h>

#include <stdio.h>

#include <base/alloc.h>
#include <fate/log.h>

/* ---- fate_receive ---- */

/* What comes for it is left for the next one. */
static bool cancel_receive(fate_deferred *d, void *data, const char *site)
{
    fate_transport *transport = data;

    transport->extra->receiver = NULL;
    transport->flags |= FATE__UNASKED;
    return true;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    const fate_transport *transport = data;
    char peer[FATE_ADDRESS_TEXT_BYTES];

    snprintf(ret->text, sizeof ret->text, "a message from %.56s", fate_address_text(&transport->peer, peer));
    ret->on = transport;
}

static const struct fate__source receiving = { .cancel = cancel_receive, .waits = say_what };

static void tell_receiver(fate_transport *transport, fate_value result)
{
    fate_deferred *d = transport->extra->receiver;

    transport->extra->receiver = NULL;
    transport->flags |= FATE__UNASKED;
    fate__fire(d, result, fate__site_of_transport(transport));
}

void fate__received(fate_transport *transport, const char *message, size_t len)
{
    tell_receiver(transport, fate_str_n(message, len));
}

void fate__no_more_messages(fate_transport *transport, const fate_value *why)
{
    if (transport->extra && transport->extra->receiver)
        tell_receiver(transport, fate_copy(why));
}

static void check_receive(const fate_protocol *p, const char *site)
{
    const fate_transport *transport = p->transport;

    if (!(transport->flags & FATE__RECEIVES))
        fate__stop(
            site,
            "fate_receive was called on a protocol that has data_received or message_received, to which "
            "its messages go. Leave these out of its fate_protocol_ops.");
    if (transport->extra && transport->extra->receiver)
        fate__stop(site,
                   "fate_receive was called while another one waits for a message of the same connection. "
                   "Ask for one after the other.");
}

static fate_deferred *ask(fate_transport *transport, struct fate__extra *extra, const char *site)
{
    fate_deferred *d = fate__sourced(transport->net->reactor, &receiving, transport, site);

    if (!(d->flags & FATE__SOURCE))
        return d;
    extra->receiver = d;
    transport->flags &= ~(unsigned)FATE__UNASKED;
    fate__give_waiting(transport);
    if (extra->receiver && transport->flags & FATE__CAN_READ)
        fate__read_next_round(transport);
    return d;
}

fate_deferred *fate_receive_at(fate_protocol *p, const char *site)
{
    fate_transport *transport = p->transport;

    fate__check_transport(transport, "fate_receive");
    check_receive(p, site);
    fate_reactor *reactor = transport->net->reactor;
    if (transport->flags & FATE__IS_LOST)
        return fate_succeed_at(reactor, fate_copy(&transport->why), site);
    if (transport->flags & FATE__READ_ENDED)
        return fate_succeed_at(reactor, fate__raise(site, &FATE_CONNECTION_DONE, "closed by the peer"), site);
    struct fate__extra *extra = fate__extra(transport);
    return extra ? ask(transport, extra, site) : fate__hand_out_no_memory(&reactor->turns);
}

fate_deferred *(fate_receive)(fate_protocol *p)
{
    return fate_receive_at(p, "fate_receive");
}

/* ---- Conversations ---- */

static fate_value converse(fate_coro *co, fate_value *arg)
{
    fate_protocol *p = fate_as_ptr(arg);
    return p->ops->converse(co, p);
}

/* A failure that tells no more than connection_lost does is not worth a line. */
static void log_failure(const fate_transport *transport, const fate_value *failure)
{
    const fate_protocol *p = transport->protocol;
    bool is_cancelled = transport->extra->is_cancelled && fate_is(failure, &FATE_CANCELLED);
    bool is_why = transport->flags & FATE__IS_LOST && fate_is(failure, fate_class_of(&transport->why));

    if (!fate_is_failure(failure) || is_cancelled || is_why || fate_is(failure, &FATE_CONNECTION_CLOSED))
        return;
    char text[64 + FATE_ADDRESS_TEXT_BYTES], peer[FATE_ADDRESS_TEXT_BYTES];
    snprintf(text, sizeof text, "The conversation of %.40s with %s failed",
             p->ops->name ? p->ops->name : "a protocol", fate_address_text(&transport->peer, peer));
    struct fate__turns *turns = &transport->net->reactor->turns;
    turns->log(turns, FATE__LOG_ERROR, failure, fate__site_of_transport(transport), text);
}

static void has_ended(struct fate__ear *ear, fate_value result)
{
    struct fate__extra *extra = fate_container_of(ear, struct fate__extra, conversation);
    fate_transport *transport = extra->transport;
    struct fate__factory *factory = fate__factory_of(transport->protocol);

    if (transport->flags & FATE__IS_LOST)
        fate__attend(transport);
    else
        fate_lose_connection(transport);
    if (factory->conversed) {
        factory->conversed(factory, result);
        return;
    }
    log_failure(transport, &result);
    fate_drop(result);
}

void fate__begin_conversation(fate_transport *transport)
{
    struct fate__extra *extra = fate__extra(transport);
    fate_protocol *p = transport->protocol;
    const char *name = p->ops->name ? p->ops->name : "converse";
    const fate_go_options options = { .size = sizeof options, .name = name };

    if (!extra)
        return;
    extra->conversation.hear = has_ended;
    fate__listen(&extra->conversation, fate_go_at(transport->net->reactor, converse, fate_ptr(p), &options,
                                                  fate__site_of_transport(transport)));
}

void fate__cancel_conversation(fate_transport *transport)
{
    struct fate__extra *extra = transport->extra;

    if (!extra || !extra->conversation.d || extra->is_cancelled)
        return;
    extra->is_cancelled = true;
    fate_cancel(extra->conversation.d);
}

bool fate__end_conversation(fate_transport *transport)
{
    fate__cancel_conversation(transport);
    return !transport->extra || !transport->extra->conversation.d;
}

/* ---- fate_tie ---- */

struct tie {
    struct fate__link link; /* in the transport's list, or alone */
    fate_deferred *d;       /* held */
};

static void untie(struct tie *tie)
{
    fate_deferred *d = tie->d;

    fate__list_remove(&tie->link);
    fate__free(tie);
    fate__release(d);
}

static fate_deferred *passed(fate_deferred *d, struct fate__level *level)
{
    untie(level->arg.as.p);
    return NULL;
}

static void never_passed(struct fate__level *level)
{
    untie(level->arg.as.p);
}

static const struct fate__native tie_level = { "tie", passed, never_passed };

static bool tie(fate_transport *transport, fate_deferred *d)
{
    struct fate__extra *extra = fate__extra(transport);
    struct tie *new_tie = extra ? fate__alloc(sizeof *new_tie) : NULL;

    if (!new_tie)
        return false;
    new_tie->d = d;
    fate__hold(d);
    fate__list_add_last(&extra->ties, &new_tie->link);
    if (fate__add_native(d, &tie_level, new_tie, 0))
        return true;
    untie(new_tie);
    return false;
}

fate_deferred *fate_tie_at(fate_protocol *p, fate_deferred *d, const char *site)
{
    fate__check_transport(p->transport, "fate_tie");
    if (!fate__check(d, "fate_tie", site))
        return d;
    fate__hold(d);
    if (p->transport->flags & FATE__IS_LOST || !tie(p->transport, d))
        fate_cancel_at(d, site);
    fate__release(d);
    return d;
}

fate_deferred *(fate_tie)(fate_protocol *p, fate_deferred *d)
{
    return fate_tie_at(p, d, "fate_tie");
}

void fate__cancel_ties(fate_transport *transport)
{
    struct fate__extra *extra = transport->extra;

    while (extra && !fate__list_is_empty(&extra->ties)) {
        struct tie *first = fate_container_of(extra->ties.next, struct tie, link);
        fate__list_remove(&first->link);
        fate_cancel_at(first->d, fate__site_of_transport(transport)); /* may free it */
    }
}
