/* Channels: one says, many hear.
 *
 * A value first joins the line of every source, and only then are those woken that waited; so all hear all in
 * the same order, also what is said by somebody who has just been woken. */
#include <reactor/stream.h>

#include <stdio.h>

#include <base/alloc.h>
#include <base/list.h>
#include <reactor/reactor.h>

#define VALUES_MAX 64

struct fate_channel {
    struct fate__owned owned;
    struct fate__link listeners, waiting;
    fate_value last; /* once it has ended: none, or the failure */
    bool has_ended, is_freed;
};

/* A source. */
struct listener {
    struct fate__link link;    /* in the channel's list, or alone once that has gone */
    struct fate__link waiting; /* in its other one, while it has nothing to give to who reads */
    fate_channel *channel;     /* NULL: it has ended */
    fate_reactor *reactor;
    fate_deferred *d; /* of who reads; NULL: nobody */
    const char *site;
    size_t first, n; /* a ring */
    fate_value values[VALUES_MAX];
    fate_value last; /* behind them, once the channel has ended */
};

struct listener_ref {
    struct listener *listener;
};

/* ---- Listeners ---- */

static fate_value take_first(struct listener *listener)
{
    if (listener->n == 0)
        return fate_take(&listener->last);
    fate_value v = listener->values[listener->first];
    listener->first = (listener->first + 1) % VALUES_MAX;
    listener->n--;
    return v;
}

static void add(struct listener *listener, fate_value value)
{
    if (listener->n == VALUES_MAX)
        fate_drop(take_first(listener));
    listener->values[(listener->first + listener->n++) % VALUES_MAX] = value;
}

static void end(struct listener *listener, const fate_value *last)
{
    listener->channel = NULL;
    listener->last = fate_copy(last);
    fate__list_remove(&listener->link);
}

static void has_gone(void *ref)
{
    struct listener *listener = ((struct listener_ref *)ref)->listener;

    fate__list_remove(&listener->link);
    fate__list_remove(&listener->waiting);
    while (listener->n)
        fate_drop(take_first(listener));
    fate_drop(listener->last);
    fate__free(listener);
}

static bool cancel_read(fate_deferred *d, void *data, const char *site)
{
    struct listener *listener = data;

    listener->d = NULL;
    fate__list_remove(&listener->waiting);
    return true;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    snprintf(ret->text, sizeof ret->text, "what is said on a channel");
}

static const struct fate__source reading = { .cancel = cancel_read, .waits = say_what };

static struct listener *listener_in(const fate_value *arg)
{
    return fate_unbox(struct listener_ref, arg)->listener;
}

static fate_deferred *read_value(fate_value *arg, size_t bytes_max)
{
    struct listener *listener = listener_in(arg);

    if (listener->n || !listener->channel)
        return fate_succeed_at(listener->reactor, take_first(listener), listener->site);
    fate_deferred *d = fate__sourced(listener->reactor, &reading, listener, listener->site);
    if (!(d->flags & FATE__SOURCE))
        return d;
    listener->d = d;
    fate__list_add_last(&listener->channel->waiting, &listener->waiting);
    return d;
}

static const fate_source_ops channel_ops = { .size = sizeof channel_ops,
                                             .name = "channel",
                                             .read = read_value };

/* ---- Saying ---- */

/* Those that waited have something now.  What a reader does may wake others of them, or let them go. */
static void wake(struct fate__link *waiting)
{
    struct fate__link woken;

    if (fate__list_is_empty(waiting))
        return;
    woken = *waiting;
    woken.next->prev = woken.prev->next = &woken;
    fate__list_init(waiting);
    while (!fate__list_is_empty(&woken)) {
        struct listener *listener = fate_container_of(woken.next, struct listener, waiting);
        fate_deferred *d = listener->d;
        fate__list_remove(&listener->waiting);
        listener->d = NULL;
        fate__fire(d, take_first(listener), listener->site);
    }
}

static size_t tell_all(fate_channel *channel, const fate_value *value, bool is_last)
{
    struct fate__link *link = channel->listeners.next, *next;
    size_t n = 0;

    for (; link != &channel->listeners; link = next, n++) {
        struct listener *listener = fate_container_of(link, struct listener, link);
        next = link->next;
        if (is_last)
            end(listener, value);
        else
            add(listener, fate_copy(value));
    }
    return n;
}

size_t fate_channel_say(fate_channel *channel, fate_value value)
{
    fate__check_given(&value, "fate_channel_say", NULL);
    bool is_last = fate_is_none(&value) || fate_is_failure(&value);
    size_t n = 0;

    if (!channel->owned.is_no_memory && !channel->has_ended) {
        fate__check_reactor(fate__reactor(channel->owned.turns), "fate_channel_say", NULL);
        n = tell_all(channel, &value, is_last);
        if (is_last) {
            channel->has_ended = true;
            channel->last = fate_copy(&value);
        }
        wake(&channel->waiting);
    }
    fate_drop(value);
    return n;
}

/* ---- Life ---- */

void fate_channel_free(fate_channel *channel)
{
    if (!channel || channel->owned.is_no_memory || channel->is_freed)
        return;
    channel->is_freed = true; /* those who are woken may do things with it */
    fate_channel_say(channel, fate_none());
    fate_drop(channel->last);
    fate__disown(&channel->owned);
    fate__free(channel);
}

static void destroy(struct fate__owned *owned)
{
    fate_channel_free((fate_channel *)owned);
}

static void look(struct fate__owned *owned, fate__see_fn *see, void *arg)
{
    const fate_channel *channel = (const fate_channel *)owned;
    size_t n = 0;
    char state[32];

    for (const struct fate__link *link = channel->listeners.next; link != &channel->listeners;
         link = link->next)
        n++;
    snprintf(state, sizeof state, channel->has_ended ? "has ended" : "%zu hear it", n);
    fate__see_owned(owned, see, arg, state, NULL);
}

fate_channel *fate_channel_new_at(fate_reactor *reactor, const char *site)
{
    fate_channel *channel = fate__own(reactor, sizeof *channel, destroy, "fate_channel_new");

    if (channel->owned.is_no_memory)
        return channel;
    fate__made_at(&channel->owned, site);
    channel->owned.look = look;
    fate__list_init(&channel->listeners);
    fate__list_init(&channel->waiting);
    return channel;
}

fate_channel *(fate_channel_new)(fate_reactor *reactor)
{
    return fate_channel_new_at(reactor, "fate_channel_new");
}

static struct listener *new_listener(fate_channel *channel, fate_reactor *reactor)
{
    struct listener *listener = channel->owned.is_no_memory ? NULL : fate__zalloc(sizeof *listener);

    if (!listener)
        return NULL;
    listener->reactor = reactor;
    listener->site = channel->owned.site;
    fate__list_init(&listener->waiting);
    fate__list_init(&listener->link);
    if (channel->has_ended) {
        listener->last = fate_copy(&channel->last);
        return listener;
    }
    listener->channel = channel;
    fate__list_add_last(&channel->listeners, &listener->link);
    return listener;
}

fate_value fate_channel_source(fate_channel *channel)
{
    fate_reactor *reactor = fate__reactor(channel->owned.turns);
    fate__check_reactor(reactor, "fate_channel_source", NULL);
    struct listener *listener = new_listener(channel, reactor);
    fate_value arg = fate__no_memory();

    if (listener)
        arg = fate_box_with(has_gone, struct listener_ref, listener);
    return fate_source(reactor, &channel_ops, arg);
}
