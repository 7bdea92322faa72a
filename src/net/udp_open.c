/* fate_udp_open: from an endpoint to a udp. */
#include <net/udp.h>

#include <errno.h>
#include <stdio.h>

#include <base/alloc.h>
#include <base/options.h>
#include <deferred/ear.h>
#include <fate/resolve.h>

#define ADDRESSES_MAX 16

/* To whom it is connected has to be resolved first. */
struct opening {
    struct fate__udp_wanted wanted;
    struct fate__ear ear;
    fate_deferred *d; /* NULL: cancelled */
};

static void wanted_done(struct fate__udp_wanted *wanted)
{
    fate_drop(fate_take(&wanted->arg));
    fate__endpoint_done(&wanted->endpoint);
}

/* ---- Addresses ---- */

/* Those that are to be tried. */
struct found {
    size_t n;
    fate_address addresses[ADDRESSES_MAX];
};

static void add_found(const struct fate__udp_wanted *wanted, struct found *found, const fate_address *address)
{
    int family = wanted->bind.family ? wanted->bind.family : wanted->endpoint.family;

    if (found->n == ADDRESSES_MAX || (family != AF_UNSPEC && address->family != family))
        return;
    found->addresses[found->n] = *address;
    found->addresses[found->n++].port = (uint16_t)wanted->endpoint.port;
}

static fate_value open_found(struct fate__udp_wanted *wanted, const struct found *found,
                             const fate_class *none)
{
    if (found->n)
        return fate__udp_open(wanted, found->addresses, found->n);
    return fate_raise_at("fate_udp_open", wanted->site, none, "open %s: %s has no address of that family",
                         wanted->endpoint.text, wanted->endpoint.host);
}

/* ---- By name ---- */

/* The list is given. */
static fate_value open_list(struct fate__udp_wanted *wanted, fate_value list)
{
    struct found found = { 0 };

    for (size_t i = 0; i < fate_count(&list); i++)
        add_found(wanted, &found, fate_unbox(fate_address, fate_at(&list, i)));
    fate_drop(list);
    return open_found(wanted, &found, &FATE_DNS_NO_DATA);
}

static void free_opening(struct opening *opening)
{
    wanted_done(&opening->wanted);
    fate__free(opening);
}

static void resolved(struct fate__ear *ear, fate_value result)
{
    struct opening *opening = fate_container_of(ear, struct opening, ear);
    fate_deferred *d = opening->d;
    const char *site = opening->wanted.site;

    if (!d)
        fate_drop(result);
    else if (!fate_is_failure(&result))
        result = open_list(&opening->wanted, result);
    free_opening(opening);
    if (d)
        fate__fire(d, result, site);
}

static bool cancel(fate_deferred *d, void *data, const char *site)
{
    struct opening *opening = data;

    opening->d = NULL;
    if (opening->ear.d)
        fate_cancel_at(opening->ear.d, site);
    return true;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    const struct opening *opening = data;

    snprintf(ret->text, sizeof ret->text, "the address of %.48s", opening->wanted.endpoint.host);
    ret->on = opening->ear.d;
}

static const struct fate__source opening_source = { .cancel = cancel, .waits = say_what };

static fate_deferred *open_by_name(struct fate__udp_wanted *wanted)
{
    struct opening *opening = fate__zalloc(sizeof *opening);
    fate_reactor *reactor = wanted->reactor;

    if (!opening) {
        wanted_done(wanted);
        return fate__hand_out_no_memory(&reactor->turns);
    }
    opening->wanted = *wanted;
    opening->ear.hear = resolved;
    fate_deferred *d = fate__sourced(reactor, &opening_source, opening, wanted->site);
    if (!(d->flags & FATE__SOURCE)) {
        free_opening(opening);
        return d;
    }
    opening->d = d;
    fate__listen(&opening->ear, fate_resolve_at(reactor, opening->wanted.endpoint.host, wanted->site));
    return d;
}

/* ---- At once ---- */

/* v is given. */
static fate_deferred *fired(struct fate__udp_wanted *wanted, fate_value v)
{
    fate_udp *udp = fate_is_failure(&v) ? NULL : fate_as_udp(&v);
    fate_deferred *d = fate_succeed_at(wanted->reactor, v, wanted->site);

    if (udp && fate__is_no_memory_deferred(d)) /* nobody would know of it */
        fate_udp_close(udp);
    wanted_done(wanted);
    return d;
}

static fate_deferred *open_literal(struct fate__udp_wanted *wanted, const fate_address *literal)
{
    struct found found = { 0 };

    add_found(wanted, &found, literal);
    return fired(wanted, open_found(wanted, &found, &FATE_ENDPOINT_ERROR));
}

/* The endpoint was read, and has none that cannot be. */
static fate_value read_bind(struct fate__udp_wanted *wanted)
{
    const struct fate__endpoint *endpoint = &wanted->endpoint;

    if (!endpoint->bind)
        return fate_none();
    if (!endpoint->host && endpoint->port && endpoint->bind_port && endpoint->port != endpoint->bind_port)
        return fate_raise_at("fate_udp_open", wanted->site, &FATE_ENDPOINT_ERROR,
                             "open %s: it has two ports, %u and the %u of bind=: leave one away",
                             endpoint->text, endpoint->port, endpoint->bind_port);
    int why = fate_address_parse(endpoint->bind, &wanted->bind);
    return why < 0 ? fate__udp_failure(wanted, FATE__UDP_BINDING, -why, NULL) : fate_none();
}

static fate_deferred *open_read(struct fate__udp_wanted *wanted)
{
    fate_value why = read_bind(wanted);
    fate_address literal;

    if (fate_is_failure(&why))
        return fired(wanted, why);
    if (wanted->endpoint.kind != FATE__ENDPOINT_UDP || !wanted->endpoint.host)
        return fired(wanted, fate__udp_open(wanted, NULL, 0));
    if (fate_address_parse(wanted->endpoint.host, &literal) == 0)
        return open_literal(wanted, &literal);
    return open_by_name(wanted);
}

/* ---- The public functions ---- */

static void check(const struct fate__udp_wanted *wanted, const char *endpoint, const fate_value *arg)
{
    const char *site = wanted->site;

    fate__check_reactor(wanted->reactor, "fate_udp_open", site);
    if (!endpoint)
        fate__stop(site, "fate_udp_open was given no endpoint, but NULL: \"udp:9999\" is one.");
    if (!wanted->got)
        fate__stop(site, "fate_udp_open was given a NULL function: it is called for each datagram.");
    if (wanted->options.hops > 255)
        fate__stop(site, "fate_udp_open was given %u hops; packets go through 255 routers at most.",
                   wanted->options.hops);
    fate__check_given(arg, "fate_udp_open", site);
}

fate_deferred *fate_udp_open_at(fate_reactor *reactor, const char *endpoint, fate_datagram_fn *got,
                                fate_value arg, const fate_udp_options *options, const char *site)
{
    struct fate__udp_wanted wanted = { .reactor = reactor, .got = got, .site = site };

    fate__take_options(&wanted.options, sizeof wanted.options, options, "fate_udp_open", site);
    check(&wanted, endpoint, &arg);
    if (reactor->turns.is_ending || fate__is_no_memory(&arg)) {
        fate_drop(arg);
        return reactor->turns.is_ending ? fate__library_deferred(reactor, site)
                                        : fate__hand_out_no_memory(&reactor->turns);
    }
    fate_value why = fate__endpoint_read(endpoint, FATE__FOR_DATAGRAMS, site, &wanted.endpoint);
    if (fate_is_failure(&why)) {
        fate_drop(arg);
        return fate_succeed_at(reactor, why, site);
    }
    wanted.arg = arg;
    return open_read(&wanted);
}

fate_deferred *(fate_udp_open)(fate_reactor *reactor, const char *endpoint, fate_datagram_fn *got,
                               fate_value arg)
{
    return fate_udp_open_at(reactor, endpoint, got, arg, NULL, "fate_udp_open");
}

fate_deferred *(fate_udp_open_with)(fate_reactor *reactor, const char *endpoint, fate_datagram_fn *got,
                                    fate_value arg, const fate_udp_options *options)
{
    return fate_udp_open_at(reactor, endpoint, got, arg, options, "fate_udp_open_with");
}
