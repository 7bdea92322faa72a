/* fate_converse: a connection for the time of one conversation. */
#include <net/connect.h>

#include <stdio.h>

#include <base/alloc.h>
#include <net/stream.h>

struct conversing {
    fate_deferred *d;
    fate_reactor *reactor;
    struct fate__factory *factory; /* which tells us what converse has returned */
    struct fate__ear connecting;
    fate_value self; /* the protocol, while it converses */
    bool has_fired;
    unsigned n_inside; /* it is in use, and goes afterwards */
};

/* ---- Memory ---- */

static void enter(struct conversing *conversing)
{
    conversing->n_inside++;
}

static void leave(struct conversing *conversing)
{
    if (--conversing->n_inside || !conversing->has_fired || conversing->connecting.d)
        return;
    conversing->factory->owner = NULL;
    fate__factory_unref(conversing->factory);
    fate_drop(conversing->self);
    fate__free(conversing);
}

/* ---- Results ---- */

static void finish(struct conversing *conversing, fate_value result)
{
    if (conversing->has_fired) {
        fate_drop(result);
        return;
    }
    conversing->has_fired = true;
    fate__fire(conversing->d, result, conversing->factory->site);
}

/* It may have returned before connecting is over for us. */
static void conversed(struct fate__factory *factory, fate_value result)
{
    struct conversing *conversing = factory->owner;

    if (!conversing) {
        fate_drop(result);
        return;
    }
    enter(conversing);
    finish(conversing, result);
    leave(conversing);
}

/* It was lost before there could be a conversation. */
static void one_has_gone(struct fate__factory *factory, const fate_value *why)
{
    struct conversing *conversing = factory->owner;

    if (!conversing)
        return;
    enter(conversing);
    finish(conversing, fate_raise_at("fate_converse", factory->site, &FATE_CONNECTION_LOST,
                                     "lost before converse could begin: %s", fate_message(why)));
    leave(conversing);
}

static void heard(struct fate__ear *ear, fate_value result)
{
    struct conversing *conversing = fate_container_of(ear, struct conversing, connecting);

    enter(conversing);
    if (fate_is_failure(&result))
        finish(conversing, result);
    else if (conversing->has_fired)
        fate_drop(result);
    else
        conversing->self = result;
    leave(conversing);
}

/* ---- The deferred ---- */

/* NULL once it is lost: what build has made may be gone before we hear of that. */
static fate_transport *transport_of(const struct conversing *conversing)
{
    const fate_protocol *p = conversing->factory->first;
    return p ? p->transport : NULL;
}

/* What converse awaits fails, and it may clean up; its result is waited for, but not by a reactor that is
 * about to go. */
static bool cancel(fate_deferred *d, void *data, const char *site)
{
    struct conversing *conversing = data;
    bool is_ending = conversing->reactor->turns.is_ending;

    if (conversing->has_fired)
        return false;
    enter(conversing);
    if (conversing->connecting.d)
        fate_cancel_at(conversing->connecting.d, site);
    else if (transport_of(conversing))
        fate__cancel_conversation(transport_of(conversing));
    conversing->has_fired = conversing->has_fired || is_ending;
    leave(conversing);
    return is_ending;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    const struct conversing *conversing = data;
    const struct fate__ear *ear = &conversing->connecting;

    snprintf(ret->text, sizeof ret->text, "%s", ear->d ? "a connection" : "the conversation");
    ret->on = ear->d ? (const void *)ear->d : transport_of(conversing);
}

static const struct fate__source source = { .cancel = cancel, .waits = say_what };

/* ---- Beginning ---- */

static fate_deferred *start(struct conversing *conversing, const char *endpoint,
                            const fate_connect_options *options)
{
    struct fate__factory *factory = conversing->factory;
    fate_deferred *d = fate__sourced(conversing->reactor, &source, conversing, factory->site);

    if (!(d->flags & FATE__SOURCE)) {
        fate__factory_unref(factory);
        fate__free(conversing);
        return d;
    }
    conversing->d = d;
    conversing->connecting.hear = heard;
    factory->owner = conversing;
    factory->conversed = conversed;
    factory->one_has_gone = one_has_gone;
    factory->refs++; /* fate__connect's */
    enter(conversing);
    fate__listen(&conversing->connecting, fate__connect(factory, endpoint, options));
    leave(conversing);
    return d;
}

fate_deferred *fate_converse_at(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg,
                                const fate_connect_options *options, const char *site)
{
    const struct fate__client client = { "fate_converse", reactor, endpoint, ops, options, site };
    fate_connect_options ours;
    struct fate__factory *factory = fate__client_factory(&client, arg, &ours);

    if (!ops->converse)
        fate__stop(site,
                   "fate_converse was given a protocol without converse, whose result it would fire with. "
                   "fate_connect is for protocols that have callbacks.");
    struct conversing *conversing = factory ? fate__zalloc(sizeof *conversing) : NULL;
    if (!conversing) {
        if (factory)
            fate__factory_unref(factory);
        return fate__hand_out_no_memory(&reactor->turns);
    }
    conversing->reactor = reactor;
    conversing->factory = factory;
    return start(conversing, endpoint, &ours);
}

fate_deferred *(fate_converse)(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg)
{
    return fate_converse_at(reactor, endpoint, ops, arg, NULL, "fate_converse");
}

fate_deferred *(fate_converse_with)(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg,
                                    const fate_connect_options *options)
{
    return fate_converse_at(reactor, endpoint, ops, arg, options, "fate_converse_with");
}
