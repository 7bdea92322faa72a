/* Listeners: their life and their end. */
#include <net/listener.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <base/sys.h>
#include <net/address.h>
#include <net/workers.h>

/* Who waits for the last connection to go.  In the listener's list, until that goes. */
struct stopping {
    struct fate__link link;
    fate_listener *listener; /* NULL: it has gone, and the deferred is about to fire */
    fate_deferred *d;
    const char *site;
};

static const fate_type listener_type = { "listener", FATE_KIND_OBJECT, false, false, &listener_type, NULL,
                                         true };

/* ---- Going ---- */

static void close_socket(fate_listener *listener)
{
    if (listener->socket.has_file)
        fate__listen_unix_done(listener->address.as.local.path, &listener->socket);
    fate__close(listener->socket.fd);
    listener->socket.fd = -1;
}

static void leave_common(fate_listener *listener)
{
    struct fate__worker *worker = listener->reactor->worker;

    fate__common_lock(worker);
    close_socket(listener);
    fate__common_leave(worker, listener->common, listener->address.as.local.path);
    fate__common_unlock(worker);
}

void fate__listener_close(fate_listener *listener)
{
    if (listener->has_stopped)
        return;
    listener->has_stopped = true;
    fate__accept_end(listener);
    fate__sim_listener_close(listener->sim);
    listener->sim = NULL;
    if (listener->common)
        leave_common(listener);
    else
        close_socket(listener);
}

/* Its connections, if it still has any, keep the factory. */
static void free_listener(fate_listener *listener)
{
    fate__listener_close(listener);
    fate_timer_cancel(listener->drain_timer);
    if (listener->factory) {
        listener->factory->one_has_gone = NULL;
        listener->factory->owner = NULL;
        fate__factory_unref(listener->factory);
    }
    fate__disown(&listener->owned);
    fate__free(listener);
}

static struct stopping *first_of(const struct fate__link *stoppings)
{
    return fate_container_of(stoppings->next, struct stopping, link);
}

static void leave_list(struct stopping *stopping)
{
    fate__list_remove(&stopping->link);
    fate__free(stopping);
}

/* The reactor goes; whoever waits has been cancelled. */
static void destroy(struct fate__owned *owned)
{
    fate_listener *listener = (fate_listener *)owned;

    while (!fate__list_is_empty(&listener->stoppings))
        leave_list(first_of(&listener->stoppings));
    free_listener(listener);
}

static void take_over(struct fate__link *stoppings, struct fate__link *ret_taken)
{
    fate__list_init(ret_taken);
    while (!fate__list_is_empty(stoppings)) {
        struct stopping *stopping = first_of(stoppings);
        stopping->listener = NULL;
        fate__list_remove(&stopping->link);
        fate__list_add_last(ret_taken, &stopping->link);
    }
}

/* Those who waited for it are told when it is gone. */
static void go(fate_listener *listener)
{
    struct fate__link stoppings;

    take_over(&listener->stoppings, &stoppings);
    free_listener(listener);
    while (!fate__list_is_empty(&stoppings)) {
        struct stopping *stopping = first_of(&stoppings);
        fate_deferred *d = stopping->d;
        const char *site = stopping->site;
        leave_list(stopping);
        fate__fire(d, fate_none(), site);
    }
}

void fate__listener_leave(fate_listener *listener)
{
    if (--listener->n_inside == 0 && listener->has_stopped && listener->factory->n_connections == 0)
        go(listener);
}

/* ---- One of its connections has gone ---- */

static void one_has_gone(struct fate__factory *factory, const fate_value *why)
{
    fate_listener *listener = factory->owner;

    fate__listener_enter(listener);
    fate__accept_again(listener);
    fate__listener_leave(listener);
}

/* ---- Coming ---- */

static void look(struct fate__owned *owned, fate__see_fn *see, void *arg)
{
    static const char *const gates[] = { "", ", as many as it may have", ", rests: accepting has failed" };
    const fate_listener *listener = (const fate_listener *)owned;
    size_t n = listener->factory->n_connections;
    char state[96];

    snprintf(state, sizeof state, "%zu connection%s%s", n, n == 1 ? "" : "s",
             listener->has_stopped ? ", stops when they have gone" : gates[listener->gate]);
    const struct fate__seen seen = {
        .kind = "listener",
        .name = listener->text,
        .site = owned->site ? owned->site : "",
        .state = state,
        .age = fate__age(owned->turns, owned->made_ms),
        .id = owned,
    };
    see(&seen, arg);
}

/* The arg of what is wanted goes to the factory. */
static struct fate__factory *new_factory(struct fate__listen *wanted, fate_listener *listener)
{
    struct fate__factory *factory =
        fate__factory_new(wanted->reactor, wanted->ops, fate_take(&wanted->arg), wanted->site);
    fate_time idle = wanted->options.idle_timeout;

    if (!factory)
        return NULL;
    factory->idle_timeout = idle == FATE_NEVER ? 0 : idle;
    factory->one_has_gone = one_has_gone;
    factory->owner = listener;
    return factory;
}

static void set_up(fate_listener *listener, const struct fate__listen *wanted, size_t text_bytes)
{
    size_t max = wanted->options.connections_max;

    listener->owned.look = look;
    fate__made_at(&listener->owned, wanted->site);
    fate__list_init(&listener->resting);
    fate__list_init(&listener->again.link);
    fate__list_init(&listener->stoppings);
    listener->reactor = wanted->reactor;
    listener->socket.fd = listener->spare_fd = -1;
    listener->connections_max = max ? max : FATE_UNLIMITED;
    memcpy(listener->text, wanted->endpoint.text, text_bytes);
}

/* NULL: no memory.  Nothing is open yet.  At the reactor's end listeners go before the net, which they use.
 */
static fate_listener *new_listener(struct fate__listen *wanted)
{
    size_t text_bytes = strlen(wanted->endpoint.text) + 1;
    fate_listener *listener =
        fate__own(wanted->reactor, sizeof *listener + text_bytes, destroy, "fate_listener");

    if (listener->owned.is_no_memory)
        return NULL;
    fate__list_remove(&listener->owned.link);
    fate__list_add_first(&wanted->reactor->turns.owned, &listener->owned.link);
    set_up(listener, wanted, text_bytes);
    listener->factory = new_factory(wanted, listener);
    if (listener->factory)
        return listener;
    free_listener(listener);
    return NULL;
}

static fate_value open_socket(fate_listener *listener, const struct fate__listen *wanted,
                              const fate_address *at)
{
    switch (wanted->endpoint.kind) {
    case FATE__ENDPOINT_TCP:
        return fate__listen_tcp(wanted, at, &listener->socket);
    case FATE__ENDPOINT_UNIX:
        return fate__listen_unix(wanted, &listener->socket);
    case FATE__ENDPOINT_SYSTEMD:
    case FATE__ENDPOINT_FD:
        return fate__listen_inherited(wanted, &listener->socket);
    default:
        fate__never("an endpoint that is not for listening");
    }
}

/* A file that cannot be found again later goes at once. */
static int find_address(fate_listener *listener, const struct fate__listen *wanted)
{
    struct sockaddr_storage *storage = &listener->kernel_address;
    socklen_t len = sizeof *storage;

    if (fate__sys->getsockname(listener->socket.fd, (struct sockaddr *)storage, &len) == 0) {
        fate__address_from(storage, len, &listener->address);
        return 0;
    }
    int error = errno;
    if (listener->socket.has_file)
        fate__listen_unix_done(wanted->endpoint.name, &listener->socket);
    listener->socket.has_file = false;
    return -error;
}

/* ---- Those of workers ---- */

/* Another worker has opened it. */
static fate_value open_again(fate_listener *listener, struct fate__listen *wanted, const fate_address *at)
{
    const struct fate__common *common = listener->common;

    if (wanted->endpoint.kind == FATE__ENDPOINT_TCP) {
        wanted->endpoint.port = common->port;
        wanted->options.share_port = true;
        return open_socket(listener, wanted, at);
    }
    listener->socket.fd = fate__sys->dup_above(common->socket.fd, 0);
    return listener->socket.fd < 0 ? fate__listen_failure(wanted, errno, NULL) : fate_none();
}

/* Of a UNIX socket the others get copies, and its file goes with the last of them. */
static int share_socket(fate_listener *listener, struct fate__listening *common)
{
    int copy = fate__sys->dup_above(listener->socket.fd, 0);

    if (copy < 0)
        return -errno;
    *common = listener->socket;
    common->fd = copy;
    listener->socket.has_file = false;
    return 0;
}

/* 0 or -errno. */
static int share(fate_listener *listener, const struct fate__listen *wanted)
{
    struct fate__common *common = fate__common_add(wanted->reactor->worker, wanted->endpoint.text);

    if (!common)
        return -ENOMEM;
    listener->common = common;
    if (wanted->endpoint.kind != FATE__ENDPOINT_TCP)
        return share_socket(listener, &common->socket);
    common->port = listener->address.port;
    common->is_chosen = wanted->endpoint.port == 0;
    return 0;
}

static fate_value open_first(fate_listener *listener, struct fate__listen *wanted, const fate_address *at)
{
    wanted->is_for_workers = wanted->endpoint.kind == FATE__ENDPOINT_TCP;
    fate_value why = open_socket(listener, wanted, at);
    if (fate_is_failure(&why))
        return why;
    int error = find_address(listener, wanted);
    if (error == 0)
        error = share(listener, wanted);
    return error < 0 ? fate__listen_failure(wanted, error, NULL) : fate_none();
}

static fate_value open_in_common(fate_listener *listener, struct fate__listen *wanted, const fate_address *at)
{
    struct fate__worker *worker = wanted->reactor->worker;

    fate__common_lock(worker);
    listener->common = fate__common_take(worker, wanted->endpoint.text);
    fate_value why = listener->common ? open_again(listener, wanted, at) : open_first(listener, wanted, at);
    fate__common_unlock(worker);
    return why;
}

/* The sockets of systemd, and those that are given, are there for all. */
static fate_value open_shared(fate_listener *listener, struct fate__listen *wanted, const fate_address *at)
{
    enum fate__endpoint_kind kind = wanted->endpoint.kind;
    bool is_common = kind == FATE__ENDPOINT_TCP || kind == FATE__ENDPOINT_UNIX;

    return wanted->reactor->worker && is_common ? open_in_common(listener, wanted, at)
                                                : open_socket(listener, wanted, at);
}

/* ---- Opening ---- */

static fate_value begin(fate_listener *listener, struct fate__listen *wanted, const fate_address *at)
{
    fate_value why = open_shared(listener, wanted, at);

    if (fate_is_failure(&why))
        return why;
    int error = find_address(listener, wanted);
    if (error == 0)
        error = fate__accept_begin(listener);
    return error < 0 ? fate__listen_failure(wanted, error, NULL) : fate_none();
}

static fate_value listener_or(fate_listener *listener, fate_value why)
{
    if (!fate_is_failure(&why))
        return fate__object(&listener_type, listener);
    free_listener(listener);
    return why;
}

fate_value fate__listener_open(struct fate__listen *wanted, const fate_address *at)
{
    bool is_simulated = fate__is_simulated(wanted->reactor, &wanted->endpoint);
    fate_listener *listener = new_listener(wanted);

    fate_drop(fate_take(&wanted->arg));
    if (!listener)
        return fate__no_memory();
    if (is_simulated)
        return listener_or(listener, fate__accept_begin_simulated(listener, wanted));
    return listener_or(listener, begin(listener, wanted, at));
}

/* ---- Stopping ---- */

static void abort_all(fate_listener *listener)
{
    fate__listener_enter(listener);
    fate__factory_lose_all(listener->factory, true);
    fate__listener_leave(listener);
}

static void drained_too_long(fate_value *arg)
{
    abort_all(fate_as_ptr(arg));
}

/* The earlier end counts.  Without memory for a timer the end is now. */
static void limit_drain(fate_listener *listener, fate_time drain_max)
{
    fate_reactor *reactor = listener->reactor;
    fate_timer timer = listener->drain_timer;
    fate_time due = fate__time_after(fate__now(reactor), drain_max);

    if (drain_max > 0 && (due == FATE_NEVER || (fate_timer_active(timer) && fate_timer_time(timer) <= due)))
        return;
    fate_timer_cancel(timer);
    if (drain_max > 0 && !reactor->turns.is_ending)
        listener->drain_timer = fate_call_later_at(reactor, drain_max, drained_too_long, fate_ptr(listener),
                                                   FATE__OWN_SITE("fate_listener_stop"));
    if (drain_max <= 0 || listener->drain_timer.id < 0 || reactor->turns.is_ending)
        abort_all(listener);
}

static bool cut(fate_deferred *d, void *data, const char *site)
{
    struct stopping *stopping = data;

    if (stopping->listener)
        abort_all(stopping->listener);
    return false;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    const fate_listener *listener = ((const struct stopping *)data)->listener;

    if (!listener)
        return;
    snprintf(ret->text, sizeof ret->text, "the connections of %.48s", listener->text);
    ret->on = listener;
}

static const struct fate__source stopping_source = { .cancel = cut, .waits = say_what };

static fate_deferred *wait_for_end(fate_listener *listener, const char *site)
{
    struct stopping *stopping = fate__alloc(sizeof *stopping);

    if (!stopping)
        return fate__hand_out_no_memory(&listener->reactor->turns);
    fate_deferred *d = fate__sourced(listener->reactor, &stopping_source, stopping, site);
    if (!(d->flags & FATE__SOURCE)) {
        fate__free(stopping);
        return d;
    }
    *stopping = (struct stopping){ .listener = listener, .d = d, .site = site };
    fate__list_add_last(&listener->stoppings, &stopping->link);
    return d;
}

fate_deferred *fate_listener_stop_at(fate_listener *listener, fate_time drain_max, const char *site)
{
    if (!listener)
        fate__stop(site, "fate_listener_stop was given NULL, not what fate_listen has fired with.");
    fate__check_reactor(listener->reactor, "fate_listener_stop", site);
    bool is_first = !listener->has_stopped;
    fate__listener_enter(listener);
    fate__listener_close(listener);
    fate_deferred *d = wait_for_end(listener, site);
    if (is_first)
        fate__factory_stopping(listener->factory);
    limit_drain(listener, drain_max);
    fate__listener_leave(listener);
    return d;
}

/* ---- Looking ---- */

fate_listener *fate_as_listener(const fate_value *v)
{
    return fate__as_object(&listener_type, v, "fate_as_listener");
}

const fate_address *fate_listener_address(const fate_listener *listener)
{
    return &listener->address;
}

size_t fate_listener_connections(const fate_listener *listener)
{
    return listener->factory->n_connections;
}

fate_deferred *(fate_listener_stop)(fate_listener *listener, fate_time drain_max)
{
    return fate_listener_stop_at(listener, drain_max, "fate_listener_stop");
}
