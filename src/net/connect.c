/* fate_connect: from an endpoint over its addresses to a connection. */
#include <net/connect.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <base/options.h>
#include <base/sys.h>
#include <fate/resolve.h>

#define TIMEOUT_DEFAULT       (30 * FATE_SECOND)
#define ATTEMPT_DELAY_DEFAULT (250 * FATE_MILLISECOND)

static const char own_site[] = FATE__OWN_SITE("fate_connect");

/* ---- Memory ---- */

static void free_connecting(struct fate__connecting *connecting)
{
    fate__endpoint_done(&connecting->endpoint);
    fate__free(connecting->attempts);
    fate__factory_unref(connecting->factory);
    fate__free(connecting);
}

static void enter(struct fate__connecting *connecting)
{
    connecting->n_inside++;
}

static void leave(struct fate__connecting *connecting)
{
    if (--connecting->n_inside == 0 && connecting->has_fired && !connecting->names.d)
        free_connecting(connecting);
}

/* ---- The end ---- */

static void follow_steps(struct fate__connecting *connecting);

/* From here on nothing happens any more. */
static void close_up(struct fate__connecting *connecting)
{
    connecting->has_fired = true;
    fate_timer_cancel(connecting->limit);
    if (connecting->names.d)
        fate_cancel_at(connecting->names.d, own_site);
    fate__eyeballs_cancel(&connecting->eyeballs);
    follow_steps(connecting);
}

static void finish(struct fate__connecting *connecting, fate_value result)
{
    if (connecting->has_fired) {
        fate_drop(result);
        return;
    }
    close_up(connecting);
    fate__fire(connecting->d, result, connecting->site);
}

/* build and connection_made may have cancelled d: then nobody has a use for the connection. */
static void win(struct fate__connecting *connecting, struct fate__attempt *attempt)
{
    fate_protocol *p = NULL;

    fate_timer_cancel(connecting->limit);
    attempt->error = -fate__attempt_open(attempt, &p);
    if (attempt->error == ECONNREFUSED)
        finish(connecting, fate__connect_raise(connecting, &FATE_CONNECT_ERROR,
                                               "the protocol does not want this peer: build returned NULL"));
    else if (attempt->error)
        finish(connecting, fate__attempt_failure(attempt));
    else if (connecting->has_fired)
        fate_abort_connection(p->transport);
    else
        finish(connecting, fate_self(p));
}

/* ---- Attempts ---- */

static void try(struct fate__connecting *connecting, unsigned i)
{
    struct fate__attempt *attempt = &connecting->attempts[i];
    int why = fate__attempt_begin(attempt);

    if (why == 0)
        return;
    attempt->error = -why;
    fate__eyeballs_failed(&connecting->eyeballs, i);
}

static void become_due(fate_value *arg)
{
    struct fate__connecting *connecting = fate_as_ptr(arg);

    enter(connecting);
    fate__eyeballs_due(&connecting->eyeballs);
    follow_steps(connecting);
    leave(connecting);
}

/* Without a timer the next address would wait for the end of this attempt; so it is tried at once. */
static void set_timer(struct fate__connecting *connecting)
{
    fate_timer_cancel(connecting->stagger);
    connecting->stagger = fate_call_later_at(connecting->reactor, connecting->attempt_delay, become_due,
                                             fate_ptr(connecting), own_site);
    if (connecting->stagger.id < 0)
        fate__eyeballs_due(&connecting->eyeballs);
}

/* False: that was the last. */
static bool take_step(struct fate__connecting *connecting)
{
    const struct fate__step step = fate__eyeballs_next(&connecting->eyeballs);

    switch (step.kind) {
    case FATE__STEP_TRY:
        try(connecting, step.i);
        return true;
    case FATE__STEP_GIVE_UP:
        fate__attempt_close(&connecting->attempts[step.i]);
        return true;
    case FATE__STEP_SET_TIMER:
        set_timer(connecting);
        return true;
    case FATE__STEP_STOP_TIMER:
        fate_timer_cancel(connecting->stagger);
        return true;
    case FATE__STEP_WON:
        win(connecting, &connecting->attempts[step.i]);
        return false;
    case FATE__STEP_LOST:
        finish(connecting, fate__connect_failure(connecting));
        return false;
    default:
        return false;
    }
}

static void follow_steps(struct fate__connecting *connecting)
{
    while (take_step(connecting))
        ;
}

void fate__attempt_ended(struct fate__attempt *attempt, int error)
{
    struct fate__connecting *connecting = attempt->of;
    unsigned i = (unsigned)(attempt - connecting->attempts);

    enter(connecting);
    attempt->error = error;
    if (error) {
        fate__attempt_close(attempt);
        fate__eyeballs_failed(&connecting->eyeballs, i);
    } else {
        fate__eyeballs_connected(&connecting->eyeballs, i);
    }
    follow_steps(connecting);
    leave(connecting);
}

/* ---- Addresses ---- */

/* Those that are to be tried, at most FATE__TRIES_MAX. */
struct found {
    size_t n;
    fate_address addresses[FATE__TRIES_MAX];
    uint16_t families[FATE__TRIES_MAX];
};

static bool is_wanted(const struct fate__connecting *connecting, const fate_address *address)
{
    int family = connecting->endpoint.family;

    if (family != AF_UNSPEC && address->family != family)
        return false;
    return !connecting->bind.family || address->family == connecting->bind.family;
}

static void add_found(struct fate__connecting *connecting, struct found *found, const fate_address *address)
{
    if (found->n == FATE__TRIES_MAX || !is_wanted(connecting, address))
        return;
    found->addresses[found->n] = *address;
    found->addresses[found->n].port = (uint16_t)connecting->endpoint.port;
    found->families[found->n++] = address->family;
}

/* There may be addresses, but none that is to be tried. */
static fate_value none_wanted(const struct fate__connecting *connecting)
{
    const struct fate__endpoint *endpoint = &connecting->endpoint;
    int family = connecting->bind.family ? connecting->bind.family : endpoint->family;
    const char *name = family == AF_INET6 ? "IPv6 " : family == AF_INET ? "IPv4 " : "";

    if (connecting->has_name)
        return fate__connect_raise(connecting, &FATE_DNS_NO_DATA, "%s has no %saddress", endpoint->host,
                                   name);
    return fate__connect_raise(connecting, &FATE_ENDPOINT_ERROR, "%s is no %saddress, as that of bind= is",
                               endpoint->host, name);
}

/* Attempts for these; no more come. */
static void arrive(struct fate__connecting *connecting, const struct found *found)
{
    size_t order[FATE__TRIES_MAX];

    connecting->attempts = fate__zalloc(found->n * sizeof *connecting->attempts);
    if (!connecting->attempts) {
        finish(connecting, fate__no_memory());
        return;
    }
    fate__alternate(found->families, found->n, order);
    for (size_t i = 0; i < found->n; i++)
        connecting->attempts[i] =
            (struct fate__attempt){ .of = connecting, .address = found->addresses[order[i]], .fd = -1 };
    fate__eyeballs_arrived(&connecting->eyeballs, found->n, true);
    follow_steps(connecting);
}

static void arrive_if_any(struct fate__connecting *connecting, const struct found *found)
{
    if (found->n)
        arrive(connecting, found);
    else
        finish(connecting, none_wanted(connecting));
}

static void use_list(struct fate__connecting *connecting, const fate_value *list)
{
    struct found found = { .n = 0 };

    for (size_t i = 0; i < fate_count(list); i++)
        add_found(connecting, &found, fate_unbox(fate_address, fate_at(list, i)));
    arrive_if_any(connecting, &found);
}

static void heard_names(struct fate__ear *ear, fate_value result)
{
    struct fate__connecting *connecting = fate_container_of(ear, struct fate__connecting, names);

    enter(connecting);
    if (connecting->has_fired)
        fate_drop(result);
    else if (fate_is_failure(&result))
        finish(connecting, result);
    else {
        use_list(connecting, &result);
        fate_drop(result);
    }
    leave(connecting);
}

/* A literal is used at once, whatever resolver there is. */
static void find_addresses(struct fate__connecting *connecting)
{
    const char *host = connecting->endpoint.host;
    struct found found = { .n = 0 };
    fate_address literal;

    connecting->has_name = fate_address_parse(host, &literal) < 0;
    if (connecting->has_name) {
        fate__listen(&connecting->names, fate_resolve_at(connecting->reactor, host, connecting->site));
        return;
    }
    add_found(connecting, &found, &literal);
    arrive_if_any(connecting, &found);
}

/* An abstract name begins with a NUL in place of the '@'. */
static fate_address path_address(struct fate__connecting *connecting)
{
    const char *name = connecting->endpoint.name;
    size_t len = strlen(name);

    if (name[0] == '@' && len <= sizeof connecting->abstract) {
        memcpy(connecting->abstract, name, len);
        connecting->abstract[0] = '\0';
        name = connecting->abstract;
    }
    return (fate_address){ .family = AF_UNIX, .as.local = { name, len } };
}

/* A single place, which no name stands for. */
static void use_place(struct fate__connecting *connecting)
{
    struct found found = { .n = 1 };

    if (connecting->endpoint.kind == FATE__ENDPOINT_UNIX)
        found.addresses[0] = path_address(connecting);
    arrive(connecting, &found);
}

static bool reads_bind(struct fate__connecting *connecting)
{
    const char *bind = connecting->endpoint.bind;

    if (!bind)
        return true;
    if (fate_address_parse(bind, &connecting->bind) < 0)
        return false;
    connecting->bind.port = (uint16_t)connecting->endpoint.bind_port;
    return true;
}

/* ---- Beginning ---- */

static void time_out(fate_value *arg)
{
    struct fate__connecting *connecting = fate_as_ptr(arg);

    enter(connecting);
    finish(connecting, fate__connect_timeout(connecting));
    leave(connecting);
}

static bool is_limited(struct fate__connecting *connecting)
{
    if (connecting->timeout == FATE_NEVER)
        return true;
    connecting->limit = fate_call_later_at(connecting->reactor, connecting->timeout, time_out,
                                           fate_ptr(connecting), own_site);
    return connecting->limit.id >= 0;
}

static void begin(struct fate__connecting *connecting)
{
    if (!is_limited(connecting))
        finish(connecting, fate__no_memory());
    else if (!reads_bind(connecting))
        finish(connecting, fate__connect_raise(connecting, &FATE_ENDPOINT_ERROR,
                                               "bind=%s: write an address of this machine, 10.0.0.2 say",
                                               connecting->endpoint.bind));
    else if (connecting->endpoint.kind == FATE__ENDPOINT_TCP)
        find_addresses(connecting);
    else
        use_place(connecting);
}

/* ---- The deferred ---- */

static bool cancel(fate_deferred *d, void *data, const char *site)
{
    struct fate__connecting *connecting = data;

    if (connecting->has_fired) /* it is about to: what is let go on the way may cancel it */
        return false;
    enter(connecting);
    close_up(connecting);
    leave(connecting);
    return true;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    const struct fate__connecting *connecting = data;
    const struct fate__eyeballs *eyeballs = &connecting->eyeballs;

    if (connecting->names.d) {
        snprintf(ret->text, sizeof ret->text, "the addresses of %.50s", connecting->endpoint.host);
        ret->on = connecting->names.d;
        return;
    }
    snprintf(ret->text, sizeof ret->text, "%.50s to answer", connecting->endpoint.text);
    if (eyeballs->n > 1)
        snprintf(ret->text, sizeof ret->text, "%.40s to answer, %u of %u addresses",
                 connecting->endpoint.text, eyeballs->next, eyeballs->n);
}

static const struct fate__source connecting_source = { .cancel = cancel, .waits = say_what };

/* ---- What there is no use in trying ---- */

static fate_value read_endpoint(const char *text, const fate_connect_options *options, const char *site,
                                struct fate__endpoint *ret_endpoint)
{
    fate_value failure = fate__endpoint_read(text, FATE__TO_CONNECT, site, ret_endpoint);

    if (fate_is_failure(&failure) || (ret_endpoint->kind != FATE__ENDPOINT_TLS && !options->tls))
        return failure;
    fate__endpoint_done(ret_endpoint);
    return fate_raise_at("fate_connect", site, &FATE_ENDPOINT_ERROR,
                         "connect to %s: this build has no TLS. Connect with tcp: where that is safe", text);
}

static struct fate__connecting *new_connecting(struct fate__factory *factory,
                                               const fate_connect_options *options)
{
    struct fate__connecting *connecting = fate__zalloc(sizeof *connecting);

    if (!connecting)
        return NULL;
    connecting->reactor = factory->reactor;
    connecting->site = factory->site;
    connecting->factory = factory;
    connecting->timeout = options->timeout;
    connecting->attempt_delay = options->attempt_delay;
    connecting->names.hear = heard_names;
    return connecting;
}

static fate_deferred *start(struct fate__connecting *connecting)
{
    fate_deferred *d = fate__sourced(connecting->reactor, &connecting_source, connecting, connecting->site);

    if (!(d->flags & FATE__SOURCE)) {
        free_connecting(connecting);
        return d;
    }
    connecting->d = d;
    enter(connecting);
    begin(connecting);
    leave(connecting);
    return d;
}

fate_deferred *fate__connect(struct fate__factory *factory, const char *endpoint,
                             const fate_connect_options *options)
{
    fate_reactor *reactor = factory->reactor;
    struct fate__endpoint read = { .memory = NULL };
    fate_value failure = read_endpoint(endpoint, options, factory->site, &read);

    if (fate_is_failure(&failure)) {
        fate_deferred *d = fate_succeed_at(reactor, failure, factory->site);
        fate__factory_unref(factory);
        return d;
    }
    struct fate__connecting *connecting = new_connecting(factory, options);
    if (!connecting) {
        fate__endpoint_done(&read);
        fate__factory_unref(factory);
        return fate__hand_out_no_memory(&reactor->turns);
    }
    connecting->endpoint = read;
    return start(connecting);
}

/* ---- The public functions ---- */

/* With the defaults in place of zeros. */
static fate_connect_options take_options(const struct fate__client *client)
{
    fate_connect_options ours = { .size = sizeof ours };

    fate__take_options(&ours, sizeof ours, client->options, client->what, client->site);
    if (ours.timeout < 0 || ours.attempt_delay < 0 || ours.handshake_timeout < 0 || ours.idle_timeout < 0)
        fate__stop(client->site,
                   "%s was given a negative time in its options. 0 is the default; FATE_NEVER is no limit.",
                   client->what);
    if (ours.timeout == 0)
        ours.timeout = TIMEOUT_DEFAULT;
    if (ours.attempt_delay == 0)
        ours.attempt_delay = ATTEMPT_DELAY_DEFAULT;
    if (ours.idle_timeout == FATE_NEVER)
        ours.idle_timeout = 0;
    return ours;
}

static void check_client(const struct fate__client *client)
{
    fate__check_reactor(client->reactor, client->what, client->site);
    if (!client->endpoint)
        fate__stop(client->site,
                   "%s was given NULL for the endpoint. It wants a text, \"tcp:example.org:80\" say.",
                   client->what);
    fate__check_ops(client->ops, client->what, client->site);
}

struct fate__factory *fate__client_factory(const struct fate__client *client, fate_value arg,
                                           fate_connect_options *ret_options)
{
    check_client(client);
    fate__check_given(&arg, client->what, client->site);
    *ret_options = take_options(client);
    if (fate__is_no_memory(&arg))
        return NULL;
    struct fate__factory *factory = fate__factory_new(client->reactor, client->ops, arg, client->site);
    if (factory)
        factory->idle_timeout = ret_options->idle_timeout;
    return factory;
}

fate_deferred *fate_connect_at(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg,
                               const fate_connect_options *options, const char *site)
{
    const struct fate__client client = { "fate_connect", reactor, endpoint, ops, options, site };
    fate_connect_options ours;
    struct fate__factory *factory = fate__client_factory(&client, arg, &ours);

    return factory ? fate__connect(factory, endpoint, &ours) : fate__hand_out_no_memory(&reactor->turns);
}

fate_deferred *(fate_connect)(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg)
{
    return fate_connect_at(reactor, endpoint, ops, arg, NULL, "fate_connect");
}

fate_deferred *(fate_connect_with)(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg,
                                   const fate_connect_options *options)
{
    return fate_connect_at(reactor, endpoint, ops, arg, options, "fate_connect_with");
}
