/* fate_keep_connected: connecting again and again. */
#include <net/connect.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <base/text.h>
#include <fate/log.h>
#include <reactor/backoff.h>

#define PAUSE_FIRST    FATE_SECOND
#define PAUSE_MAX      (60 * FATE_SECOND)
#define JITTER_PERCENT 10
/* A connection that has lasted that long has worked: the next pause is the first again.  One that its peer
 * closes sooner, again and again, must not be asked for every second. */
#define LASTING (10 * FATE_SECOND)

static const char own_site[] = FATE__OWN_SITE("fate_keep_connected");

struct keeping {
    fate_deferred *d;
    fate_reactor *reactor;
    struct fate__factory *factory; /* of all its connections */
    fate_connect_options options;
    struct fate__ear connecting;
    fate_value self; /* the protocol, kept while it is connected */
    fate_timer pause;
    struct fate__backoff backoff;
    fate_time connected; /* when */
    bool is_ending;      /* it has been cancelled */
    bool has_fired;
    unsigned n_inside; /* it is in use, and goes afterwards */
    char endpoint[];
};

/* ---- Memory ---- */

static void enter(struct keeping *keeping)
{
    keeping->n_inside++;
}

static void leave(struct keeping *keeping)
{
    if (--keeping->n_inside || !keeping->has_fired || keeping->connecting.d)
        return;
    keeping->factory->owner = NULL;
    fate__factory_unref(keeping->factory);
    fate_drop(keeping->self);
    fate__free(keeping);
}

static bool is_connected(const struct keeping *keeping)
{
    return !fate_is_none(&keeping->self);
}

static void finish(struct keeping *keeping, fate_value result)
{
    if (keeping->has_fired) {
        fate_drop(result);
        return;
    }
    keeping->has_fired = true;
    fate_timer_cancel(keeping->pause);
    fate__fire(keeping->d, result, keeping->factory->site);
}

/* ---- Pauses ---- */

static void try(struct keeping *keeping);

static void pause_is_over(fate_value *arg)
{
    struct keeping *keeping = fate_as_ptr(arg);

    enter(keeping);
    keeping->pause.id = 0;
    try(keeping);
    leave(keeping);
}

/* why: what was lost or could not be made; lent. */
static void say(const struct keeping *keeping, const char *why, fate_time delay)
{
    char span[FATE__SPAN_BYTES];

    fate_log_at(keeping->reactor, FATE_LOG_INFO, keeping->factory->site, "%s; connecting again in %s", why,
                fate__span_text(delay, span));
}

/* Who hears of it in the log may cancel it: so it waits already. */
static void pause(struct keeping *keeping, const char *why)
{
    fate_time delay = fate__backoff_next(&keeping->backoff, fate__random(keeping->reactor));

    keeping->pause = fate_call_later_at(keeping->reactor, delay, pause_is_over, fate_ptr(keeping), own_site);
    if (keeping->pause.id < 0)
        finish(keeping, fate__no_memory());
    else
        say(keeping, why, delay);
}

/* ---- Trying ---- */

static void has_failed(struct keeping *keeping, fate_value why)
{
    if (keeping->is_ending) {
        finish(keeping, fate_none());
        fate_drop(why);
    } else if (fate_is(&why, &FATE_ENDPOINT_ERROR)) {
        finish(keeping, why);
    } else {
        pause(keeping, fate_message(&why));
        fate_drop(why);
    }
}

static void heard(struct fate__ear *ear, fate_value result)
{
    struct keeping *keeping = fate_container_of(ear, struct keeping, connecting);

    enter(keeping);
    if (fate_is_failure(&result)) {
        has_failed(keeping, result);
    } else {
        keeping->self = result;
        keeping->connected = keeping->reactor->now;
    }
    leave(keeping);
}

static void try(struct keeping *keeping)
{
    keeping->factory->refs++; /* fate__connect's */
    fate__listen(&keeping->connecting, fate__connect(keeping->factory, keeping->endpoint, &keeping->options));
}

static void has_lost(struct keeping *keeping, const fate_value *why)
{
    char text[512];

    snprintf(text, sizeof text, "the connection to %.100s is lost: %s", keeping->endpoint, fate_message(why));
    fate_drop(fate_take(&keeping->self));
    if (keeping->is_ending) {
        finish(keeping, fate_none());
        return;
    }
    if (keeping->reactor->now - keeping->connected >= LASTING)
        fate__backoff_reset(&keeping->backoff);
    pause(keeping, text);
}

/* One that was aborted since it came too late for us is none of ours. */
static void one_has_gone(struct fate__factory *factory, const fate_value *why)
{
    struct keeping *keeping = factory->owner;

    if (!keeping || !is_connected(keeping))
        return;
    enter(keeping);
    has_lost(keeping, why);
    leave(keeping);
}

/* ---- The deferred ---- */

/* NULL once it is lost: what build has made may be gone before we hear of that. */
static fate_transport *transport_of(const struct keeping *keeping)
{
    const fate_protocol *p = is_connected(keeping) ? keeping->factory->first : NULL;
    return p ? p->transport : NULL;
}

/* In the orderly way; the second time, and where the reactor does not wait, at once. */
static void close_connection(struct keeping *keeping)
{
    bool is_abort = keeping->is_ending || keeping->reactor->turns.is_ending;
    fate_transport *transport = transport_of(keeping);

    if (!transport)
        return;
    if (is_abort)
        fate_abort_connection(transport);
    else
        fate_lose_connection(transport);
}

static bool cancel(fate_deferred *d, void *data, const char *site)
{
    struct keeping *keeping = data;
    bool is_last_chance = keeping->reactor->turns.is_ending;

    if (keeping->has_fired)
        return false;
    enter(keeping);
    close_connection(keeping);
    keeping->is_ending = true;
    if (keeping->connecting.d)
        fate_cancel_at(keeping->connecting.d, site);
    else if (!is_connected(keeping) || is_last_chance)
        finish(keeping, fate_none());
    leave(keeping);
    return false;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    const struct keeping *keeping = data;
    char due[FATE__DUE_BYTES];

    if (is_connected(keeping)) {
        snprintf(ret->text, sizeof ret->text, "the connection to be lost");
        ret->on = transport_of(keeping);
        return;
    }
    if (keeping->connecting.d) {
        snprintf(ret->text, sizeof ret->text, "a connection");
        ret->on = keeping->connecting.d;
        return;
    }
    snprintf(ret->text, sizeof ret->text, "the pause before connecting again, %s",
             fate__due_text(keeping->pause, due));
}

static const struct fate__source source = { .cancel = cancel, .waits = say_what };

/* ---- Beginning ---- */

static struct keeping *new_keeping(struct fate__factory *factory, const char *endpoint,
                                   const fate_connect_options *options)
{
    size_t len = strlen(endpoint);
    struct keeping *keeping = fate__zalloc(sizeof *keeping + len + 1);

    if (!keeping)
        return NULL;
    memcpy(keeping->endpoint, endpoint, len + 1);
    keeping->options = *options;
    keeping->reactor = factory->reactor;
    keeping->factory = factory;
    keeping->connecting.hear = heard;
    keeping->backoff = (struct fate__backoff){ .first = PAUSE_FIRST,
                                               .delay_max = PAUSE_MAX,
                                               .jitter_percent = JITTER_PERCENT };
    return keeping;
}

static fate_deferred *start(struct keeping *keeping)
{
    fate_deferred *d = fate__sourced(keeping->reactor, &source, keeping, keeping->factory->site);

    if (!(d->flags & FATE__SOURCE)) {
        fate__factory_unref(keeping->factory);
        fate__free(keeping);
        return d;
    }
    keeping->d = d;
    keeping->factory->owner = keeping;
    keeping->factory->one_has_gone = one_has_gone;
    enter(keeping);
    try(keeping);
    leave(keeping);
    return d;
}

/* Once it is closed, the next try would take whatever has that number then. */
static fate_deferred *refuse_descriptor(struct fate__factory *factory, const char *endpoint)
{
    fate_deferred *d =
        fate_succeed_at(factory->reactor,
                        fate_raise_at("fate_keep_connected", factory->site, &FATE_ENDPOINT_ERROR,
                                      "keep connected to %.20s: a descriptor that is closed cannot be "
                                      "connected again; fate_connect takes it, once",
                                      endpoint),
                        factory->site);

    fate__factory_unref(factory);
    return d;
}

fate_deferred *fate_keep_connected_at(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                      fate_value arg, const fate_connect_options *options, const char *site)
{
    const struct fate__client client = { "fate_keep_connected", reactor, endpoint, ops, options, site };
    fate_connect_options ours;
    struct fate__factory *factory = fate__client_factory(&client, arg, &ours);

    if (factory && strncmp(endpoint, "fd:", 3) == 0)
        return refuse_descriptor(factory, endpoint);
    struct keeping *keeping = factory ? new_keeping(factory, endpoint, &ours) : NULL;
    if (keeping)
        return start(keeping);
    if (factory)
        fate__factory_unref(factory);
    return fate__hand_out_no_memory(&reactor->turns);
}

fate_deferred *(fate_keep_connected)(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                     fate_value arg)
{
    return fate_keep_connected_at(reactor, endpoint, ops, arg, NULL, "fate_keep_connected");
}

fate_deferred *(fate_keep_connected_with)(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                          fate_value arg, const fate_connect_options *options)
{
    return fate_keep_connected_at(reactor, endpoint, ops, arg, options, "fate_keep_connected_with");
}
