/* Datagrams: the life of a udp, over a socket or in the simulated network. */
#include <net/udp.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <base/sys.h>

static const fate_type udp_type = { "udp", FATE_KIND_OBJECT, false, false, &udp_type, NULL, true };

/* ---- Going ---- */

static void close_now(fate_udp *udp)
{
    if (udp->is_closed)
        return;
    udp->is_closed = true;
    fate__sim_udp_close(udp->sim);
    fate__udp_unmake(udp);
}

static void free_udp(fate_udp *udp)
{
    close_now(udp);
    fate__turn_end_remove(&udp->end);
    fate__disown(&udp->owned);
    fate_drop(fate_take(&udp->arg));
    fate__free(udp);
}

static void destroy(struct fate__owned *owned)
{
    free_udp((fate_udp *)owned);
}

/* In use it goes when that is over. */
static void go(struct fate__turn_end *end)
{
    fate_udp *udp = fate_container_of(end, fate_udp, end);

    if (!udp->is_receiving)
        free_udp(udp);
}

/* ---- Coming ---- */

static void describe(const fate_udp *udp, char *to, size_t room)
{
    char address[FATE_ADDRESS_TEXT_BYTES];

    if (udp->is_closed)
        snprintf(to, room, "closed");
    else if (udp->to.family)
        snprintf(to, room, "connected to %s", fate_address_text(&udp->to, address));
    else
        snprintf(to, room, "receives at %s", fate_address_text(fate_udp_here(udp), address));
    size_t len = strlen(to);
    if (udp->n_groups)
        snprintf(to + len, room - len, ", in %zu group%s", udp->n_groups, udp->n_groups == 1 ? "" : "s");
}

static void look(struct fate__owned *owned, fate__see_fn *see, void *arg)
{
    const fate_udp *udp = (const fate_udp *)owned;
    char state[FATE_ADDRESS_TEXT_BYTES + 64];

    describe(udp, state, sizeof state);
    const struct fate__seen seen = {
        .kind = "udp",
        .name = udp->text,
        .site = owned->site ? owned->site : "",
        .state = state,
        .age = fate__age(owned->turns, owned->made_ms),
        .id = owned,
    };
    see(&seen, arg);
}

/* NULL: no memory.  At the reactor's end it goes before the net, which it uses. */
static fate_udp *new_udp(struct fate__udp_wanted *wanted)
{
    size_t text_bytes = strlen(wanted->endpoint.text) + 1;
    fate_reactor *reactor = wanted->reactor;
    fate_udp *udp = fate__own(reactor, sizeof *udp + text_bytes, destroy, "fate_udp_open");

    if (udp->owned.is_no_memory)
        return NULL;
    fate__list_remove(&udp->owned.link);
    fate__list_add_first(&reactor->turns.owned, &udp->owned.link);
    udp->owned.look = look;
    fate__made_at(&udp->owned, wanted->site);
    udp->reactor = reactor;
    udp->got = wanted->got;
    udp->arg = fate_take(&wanted->arg);
    udp->socket.fd = -1;
    udp->end.go = go;
    fate__list_init(&udp->end.link);
    memcpy(udp->text, wanted->endpoint.text, text_bytes);
    return udp;
}

/* ---- Giving ---- */

void fate__udp_give(fate_udp *udp, const fate_datagram *datagram)
{
    fate_value arg = fate_copy(&udp->arg);

    fate__lend(&arg);
    udp->got(udp, datagram, &arg);
    fate_drop(fate_take(&arg));
}

/* ---- In the simulated network ---- */

static void got_simulated(fate_udp *udp, const fate_datagram *datagram, fate_value *arg)
{
    fate__udp_give(udp, datagram);
}

static int make_simulated(fate_udp *udp, const struct fate__udp_wanted *wanted, const fate_address *here,
                          const fate_address *to)
{
    const struct fate__sim_udp_options options = {
        .here = here,
        .to = to,
        .share_port = wanted->options.share_port,
        .broadcast = wanted->options.broadcast,
        .no_loop = wanted->options.no_loop,
        .got = got_simulated,
        .udp = udp,
        .arg = &udp->arg,
    };
    int why = fate__sim_udp_open(udp->reactor, &options, &udp->sim);

    udp->doing = to && why != -EADDRINUSE && why != -EADDRNOTAVAIL ? FATE__UDP_CONNECTING : FATE__UDP_BINDING;
    if (why < 0)
        return why;
    udp->here = *fate__sim_udp_here(udp->sim);
    if (to && to->family != AF_UNIX)
        udp->to = *to;
    return 0;
}

static int simulate_unix(fate_udp *udp, const struct fate__udp_wanted *wanted)
{
    struct fate__unix_place place;
    int why = fate__unix_place(wanted->endpoint.name, &place);
    const fate_address at = { .family = AF_UNIX, .as.local = { place.name, strlen(wanted->endpoint.name) } };
    bool receives = wanted->endpoint.kind == FATE__ENDPOINT_UNIXGRAM;

    if (why < 0)
        return why;
    return make_simulated(udp, wanted, receives ? &at : NULL, receives ? NULL : &at);
}

static int simulate(fate_udp *udp, const struct fate__udp_wanted *wanted, const fate_address *to)
{
    const struct fate__endpoint *endpoint = &wanted->endpoint;
    int family = to ? to->family : endpoint->family == AF_INET6 ? AF_INET6 : AF_INET;

    if (endpoint->kind != FATE__ENDPOINT_UDP)
        return simulate_unix(udp, wanted);
    fate_address here = wanted->bind.family ? wanted->bind : (fate_address){ .family = (uint16_t)family };
    here.port = (uint16_t)(to || !endpoint->port ? endpoint->bind_port : endpoint->port);
    return make_simulated(udp, wanted, &here, to);
}

/* ---- Opening ---- */

static int make_to(fate_udp *udp, const struct fate__udp_wanted *wanted, const fate_address *to)
{
    if (wanted->reactor->is_simulated)
        return simulate(udp, wanted, to);
    int why = fate__udp_make(udp, wanted, to);
    if (why < 0)
        fate__udp_unmake(udp);
    return why;
}

fate_value fate__udp_open(struct fate__udp_wanted *wanted, const fate_address *addresses, size_t n)
{
    fate_udp *udp = new_udp(wanted);
    size_t i = 0;

    if (!udp)
        return fate__no_memory();
    int why = make_to(udp, wanted, n ? &addresses[0] : NULL);
    while (why < 0 && ++i < n)
        why = make_to(udp, wanted, &addresses[i]);
    if (why == 0)
        return fate__object(&udp_type, udp);
    fate_value failure = fate__udp_failure(wanted, udp->doing, -why, n ? &addresses[n - 1] : NULL);
    free_udp(udp);
    return failure;
}

/* ---- Open ---- */

static void check(const fate_udp *udp, const char *what)
{
    if (!udp)
        fate__stop(NULL, "%s was given NULL, not what fate_udp_open has fired with.", what);
    fate__check_reactor(udp->reactor, what, udp->owned.site);
}

fate_udp *fate_as_udp(const fate_value *v)
{
    return fate__as_object(&udp_type, v, "fate_as_udp");
}

int fate_udp_send(fate_udp *udp, const fate_address *to, const void *data, size_t len)
{
    check(udp, "fate_udp_send");
    if (udp->is_closed)
        return -ENOTCONN;
    return udp->sim ? fate__sim_udp_send(udp->sim, to, data, len) : fate__udp_send(udp, to, data, len);
}

const fate_address *fate_udp_here(const fate_udp *udp)
{
    return &udp->here;
}

int fate_udp_close(fate_udp *udp)
{
    check(udp, "fate_udp_close");
    if (udp->is_closed)
        return -ENOTCONN;
    close_now(udp);
    fate__turn_end_add(&udp->reactor->turns, &udp->end);
    return 0;
}
