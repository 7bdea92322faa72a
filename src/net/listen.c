/* fate_listen: from an endpoint to a listener. */
#include <net/listener.h>

#include <errno.h>

#include <base/alloc.h>
#include <base/options.h>
#include <net/by_name.h>

/* An interface that is a name has to be resolved first. */
struct opening {
    struct fate__by_name by_name;
    struct fate__listen wanted;
};

static void wanted_done(struct fate__listen *wanted)
{
    fate_drop(fate_take(&wanted->arg));
    fate__endpoint_done(&wanted->endpoint);
}

/* ---- By name ---- */

static bool fits(const struct fate__listen *wanted, const fate_address *address)
{
    return wanted->endpoint.family == AF_UNSPEC || wanted->endpoint.family == address->family;
}

/* Of localhost, say, the address of IPv6 where there is none. */
static bool is_of_another_machine(const fate_value *v)
{
    int64_t error = fate_is_failure(v) && fate_is(v, &FATE_LISTEN_ERROR) ? fate_as_int(fate_payload(v)) : 0;

    return error == EADDRNOTAVAIL || error == EAFNOSUPPORT || error == EPROTONOSUPPORT;
}

/* At the first that this machine has. */
static fate_value open_at_first(struct fate__by_name *opening, fate_value addresses)
{
    struct fate__listen *wanted = &fate_container_of(opening, struct opening, by_name)->wanted;
    fate_value arg = fate_take(&wanted->arg), v = fate_none();

    for (size_t i = 0; i < fate_count(&addresses); i++) {
        const fate_address *address = fate_unbox(fate_address, fate_at(&addresses, i));
        if (!fits(wanted, address))
            continue;
        fate_drop(v);
        wanted->arg = fate_copy(&arg);
        v = fate__listener_open(wanted, address);
        if (!is_of_another_machine(&v))
            break;
    }
    fate_drop(arg);
    fate_drop(addresses);
    return fate_is_none(&v)
               ? fate__listen_refusal(wanted, "%s has no address of that family", wanted->endpoint.host)
               : v;
}

static void free_opening(struct fate__by_name *by_name)
{
    struct opening *opening = fate_container_of(by_name, struct opening, by_name);

    wanted_done(&opening->wanted);
    fate__free(opening);
}

/* Literals are resolved at once, and so is what is to be listened at. */
static fate_deferred *open_by_name(struct fate__listen *wanted)
{
    struct opening *opening = fate__zalloc(sizeof *opening);

    if (!opening) {
        wanted_done(wanted);
        return fate__hand_out_no_memory(&wanted->reactor->turns);
    }
    opening->wanted = *wanted;
    opening->by_name.host = opening->wanted.endpoint.host;
    opening->by_name.site = wanted->site;
    opening->by_name.open = open_at_first;
    opening->by_name.free = free_opening;
    return fate__open_by_name(wanted->reactor, &opening->by_name);
}

/* ---- At once ---- */

static fate_deferred *open_now(struct fate__listen *wanted)
{
    fate_reactor *reactor = wanted->reactor;
    fate_value v = fate__listener_open(wanted, NULL);
    fate_listener *listener = fate_is_failure(&v) ? NULL : fate_as_listener(&v);
    fate_deferred *d = fate_succeed_at(reactor, v, wanted->site);

    wanted_done(wanted);
    if (listener && fate__is_no_memory_deferred(d)) { /* nobody would know of it */
        fate__listener_enter(listener);
        fate__listener_close(listener);
        fate__listener_leave(listener);
    }
    return d;
}

static fate_deferred *refuse_tls(struct fate__listen *wanted)
{
    fate_value why =
        fate__listen_refusal(wanted, "this build has no TLS: listen with tcp:, behind a proxy that has it");

    wanted_done(wanted);
    return fate_succeed_at(wanted->reactor, why, wanted->site);
}

static fate_deferred *listen_to(struct fate__listen *wanted)
{
    bool has_name = wanted->endpoint.kind == FATE__ENDPOINT_TCP && wanted->endpoint.host;

    if (wanted->endpoint.kind == FATE__ENDPOINT_TLS || wanted->options.tls)
        return refuse_tls(wanted);
    if (has_name && !fate__is_simulated(wanted->reactor, &wanted->endpoint))
        return open_by_name(wanted);
    return open_now(wanted);
}

static void check(const struct fate__listen *wanted, const char *endpoint, const fate_value *arg)
{
    const char *site = wanted->site;

    fate__check_reactor(wanted->reactor, "fate_listen", site);
    if (!endpoint)
        fate__stop(site, "fate_listen was given no endpoint, but NULL: \"tcp:8080\" is one.");
    const fate_listen_options *options = &wanted->options;
    if (options->idle_timeout < 0 || options->handshake_timeout < 0 || options->drain_max < 0)
        fate__stop(site,
                   "fate_listen was given a negative time in its options. 0 is the default; FATE_NEVER is "
                   "no limit.");
    fate__check_ops(wanted->ops, "fate_listen", site);
    fate__check_given(arg, "fate_listen", site);
}

fate_deferred *fate_listen_at(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg,
                              const fate_listen_options *options, const char *site)
{
    struct fate__listen wanted = { .reactor = reactor, .ops = ops, .site = site };

    fate__take_options(&wanted.options, sizeof wanted.options, options, "fate_listen", site);
    check(&wanted, endpoint, &arg);
    if (reactor->turns.is_ending || fate__is_no_memory(&arg)) {
        fate_drop(arg);
        return reactor->turns.is_ending ? fate__library_deferred(reactor, site)
                                        : fate__hand_out_no_memory(&reactor->turns);
    }
    fate_value why = fate__endpoint_read(endpoint, FATE__TO_LISTEN, site, &wanted.endpoint);
    if (fate_is_failure(&why)) {
        fate_drop(arg);
        return fate_succeed_at(reactor, why, site);
    }
    wanted.arg = arg;
    return listen_to(&wanted);
}

fate_deferred *(fate_listen)(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg)
{
    return fate_listen_at(reactor, endpoint, ops, arg, NULL, "fate_listen");
}

fate_deferred *(fate_listen_with)(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg,
                                  const fate_listen_options *options)
{
    return fate_listen_at(reactor, endpoint, ops, arg, options, "fate_listen_with");
}
