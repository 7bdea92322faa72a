/* fate_udp_open: from an endpoint to a udp. */
#include <net/udp.h>

#include <errno.h>

#include <base/alloc.h>
#include <base/options.h>
#include <fate/resolve.h>
#include <net/by_name.h>

#define ADDRESSES_MAX 16

/* To whom it is connected has to be resolved first. */
struct opening {
    struct fate__by_name by_name;
    struct fate__udp_wanted wanted;
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

static fate_value open_list(struct fate__by_name *opening, fate_value list)
{
    struct fate__udp_wanted *wanted = &fate_container_of(opening, struct opening, by_name)->wanted;
    struct found found = { 0 };

    for (size_t i = 0; i < fate_count(&list); i++)
        add_found(wanted, &found, fate_unbox(fate_address, fate_at(&list, i)));
    fate_drop(list);
    return open_found(wanted, &found, &FATE_DNS_NO_DATA);
}

static void free_opening(struct fate__by_name *by_name)
{
    struct opening *opening = fate_container_of(by_name, struct opening, by_name);

    wanted_done(&opening->wanted);
    fate__free(opening);
}

static fate_deferred *open_by_name(struct fate__udp_wanted *wanted)
{
    struct opening *opening = fate__zalloc(sizeof *opening);

    if (!opening) {
        wanted_done(wanted);
        return fate__hand_out_no_memory(&wanted->reactor->turns);
    }
    opening->wanted = *wanted;
    opening->by_name.host = opening->wanted.endpoint.host;
    opening->by_name.site = wanted->site;
    opening->by_name.open = open_list;
    opening->by_name.free = free_opening;
    return fate__open_by_name(wanted->reactor, &opening->by_name);
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
