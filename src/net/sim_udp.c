/* Datagrams of the simulated network.
 *
 * Each is a delayed call of its own, so that jitter lets them overtake one another.  Who receives it is found
 * out when it arrives; one that meets nobody tells a connected sender, a round trip after it was sent. */
#include <net/sim_inside.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <base/alloc.h>
#include <base/stop.h>

#define DATA_BYTES_MAX 65507
#define SITE           FATE__OWN_SITE("a simulated datagram")

struct membership {
    struct membership *next;
    fate_address group;
};

struct fate__sim_udp {
    struct fate__link link;
    struct fate__sim *sim;
    unsigned refs; /* one while it is open, and one while it is called */
    struct fate__sim_udp_options options;
    fate_address here, to;       /* to: of no family, unless it is connected */
    bool is_any;                 /* receives what comes to any host */
    struct fate__sim_host *host; /* where it is; NULL: AF_UNIX */
    struct membership *groups;
    size_t n_bytes; /* of its own, under way */
    fate_time free_at;
    bool is_closed;
    char paths[2][108]; /* of both, of AF_UNIX */
};

struct packet {
    struct fate__link link;
    struct fate__sim *sim;
    struct fate__sim_udp *sender; /* NULL: it has been closed */
    struct fate__sim_host *from_host, *to_host;
    fate_address from, to;
    char paths[2][108]; /* of both, of AF_UNIX */
    int error;          /* it is on its way back */
    size_t len;
    char data[]; /* and a NUL */
};

/* ---- Who receives ---- */

static bool same_path(const fate_address *a, const fate_address *b)
{
    return a->as.local.path && b->as.local.path && a->as.local.len == b->as.local.len &&
           memcmp(a->as.local.path, b->as.local.path, a->as.local.len) == 0;
}

static bool same_place(const fate_address *a, const fate_address *b)
{
    if (a->family == AF_UNIX && b->family == AF_UNIX)
        return same_path(a, b);
    return fate__sim_same_host(a, b) && a->port == b->port;
}

static bool is_group(const fate_address *address)
{
    const unsigned char *ip = address->as.ip;
    return (address->family == AF_INET && ip[0] >> 4 == 14) || (address->family == AF_INET6 && ip[0] == 0xff);
}

static bool is_broadcast(const fate_address *address)
{
    static const unsigned char all[4] = { 255, 255, 255, 255 };
    return address->family == AF_INET && memcmp(address->as.ip, all, sizeof all) == 0;
}

static bool is_in_group(const struct fate__sim_udp *udp, const fate_address *group)
{
    for (const struct membership *m = udp->groups; m; m = m->next)
        if (fate__sim_same_host(&m->group, group))
            return true;
    return false;
}

static bool takes_from(const struct fate__sim_udp *udp, const fate_address *from)
{
    return !udp->to.family || same_place(&udp->to, from);
}

static bool is_for(const struct fate__sim_udp *udp, const struct packet *packet)
{
    const fate_address *to = &packet->to;

    if (udp->is_closed || !takes_from(udp, &packet->from))
        return false;
    if (to->family == AF_UNIX || udp->here.family == AF_UNIX)
        return same_path(&udp->here, to);
    if (udp->here.port != to->port || udp->here.family != to->family)
        return false;
    if (is_group(to))
        return is_in_group(udp, to);
    return is_broadcast(to) || udp->is_any || fate__sim_same_host(&udp->here, to);
}

static bool is_for_many(const fate_address *to)
{
    return is_group(to) || is_broadcast(to);
}

static struct fate__sim_udp *udp_at(struct fate__link *link)
{
    return fate_container_of(link, struct fate__sim_udp, link);
}

/* Who is connected comes before who is bound to that host, and that one before who takes all. */
static int rank(const struct fate__sim_udp *udp)
{
    return (udp->to.family ? 2 : 0) + !udp->is_any;
}

static struct fate__sim_udp *best_for(const struct packet *packet)
{
    struct fate__link *all = &packet->sim->udps;
    struct fate__sim_udp *best = NULL;

    for (struct fate__link *at = all->next; at != all; at = at->next)
        if (is_for(udp_at(at), packet) && (!best || rank(udp_at(at)) > rank(best)))
            best = udp_at(at);
    return best;
}

/* ---- Arriving ---- */

static void release(struct fate__sim_udp *udp)
{
    struct fate__sim *sim = udp->sim;

    if (--udp->refs > 0)
        return;
    fate__list_remove(&udp->link);
    fate__free(udp);
    fate__sim_release(sim);
}

static void give(struct fate__sim_udp *udp, const struct packet *packet)
{
    const fate_datagram datagram = {
        .data = packet->data,
        .len = packet->len,
        .from = packet->error ? &packet->to : &packet->from,
        .error = -packet->error,
    };

    udp->options.got(udp->options.udp, &datagram, udp->options.arg);
}

static bool can_reach(const struct packet *packet, const struct fate__sim_udp *udp)
{
    return !fate__sim_is_silent(packet->from_host, udp->host) &&
           !fate__sim_is_reset(packet->from_host, udp->host);
}

/* What they do may close any of them. */
static void give_to_many(const struct packet *packet)
{
    struct fate__link *all = &packet->sim->udps;

    for (struct fate__link *at = all->next, *next; at != all; at = next) {
        struct fate__sim_udp *udp = udp_at(at);
        bool is_own = packet->sender && packet->sender->options.no_loop && udp->host == packet->from_host;
        udp->refs++;
        if (is_for(udp, packet) && can_reach(packet, udp) && !is_own)
            give(udp, packet);
        next = at->next;
        release(udp);
    }
}

static void free_packet(struct packet *packet)
{
    if (packet->sender)
        packet->sender->n_bytes -= packet->len;
    fate__list_remove(&packet->link);
    fate__free(packet);
}

void fate__sim_drop_packets(struct fate__sim *sim)
{
    while (!fate__list_is_empty(&sim->packets))
        free_packet(fate_container_of(sim->packets.next, struct packet, link));
}

static void arrive(fate_value *arg);

static int send_off(struct packet *packet, fate_time due)
{
    fate_reactor *reactor = packet->sim->reactor;
    fate_timer timer = fate_call_later_at(reactor, due - reactor->now, arrive, fate_ptr(packet), SITE);
    return timer.id < 0 ? -ENOBUFS : 0;
}

/* A connected sender hears that nobody is there. */
static bool send_back(struct packet *packet, int error)
{
    bool hears = packet->sender && packet->sender->to.family;

    if (!hears || packet->error || packet->to.family == AF_UNIX)
        return false;
    packet->error = error;
    return send_off(packet, fate__time_after(packet->sim->reactor->now, fate__sim_latency(packet->sim))) == 0;
}

static bool deliver(struct packet *packet)
{
    if (fate__sim_is_silent(packet->from_host, packet->to_host))
        return false;
    if (packet->error) {
        if (packet->sender)
            give(packet->sender, packet);
        return false;
    }
    if (fate__sim_is_reset(packet->from_host, packet->to_host))
        return send_back(packet, -EHOSTUNREACH);
    if (is_for_many(&packet->to)) {
        give_to_many(packet);
        return false;
    }
    struct fate__sim_udp *udp = best_for(packet);
    if (!udp)
        return send_back(packet, -ECONNREFUSED);
    udp->refs++;
    give(udp, packet);
    release(udp);
    return false;
}

static void arrive(fate_value *arg)
{
    struct packet *packet = fate_as_ptr(arg);
    struct fate__sim_udp *sender = packet->sender;

    if (sender)
        sender->refs++;
    if (!deliver(packet))
        free_packet(packet);
    if (sender)
        release(sender);
}

/* ---- Sending ---- */

static int check_send(const struct fate__sim_udp *udp, const fate_address *to, size_t len)
{
    if (udp->is_closed)
        return -ENOTCONN;
    if (!to->family)
        return -EDESTADDRREQ;
    if (to->family != udp->here.family)
        return -EAFNOSUPPORT;
    if (len > DATA_BYTES_MAX)
        return -EMSGSIZE;
    if (is_broadcast(to) && !udp->options.broadcast)
        return -EACCES;
    return udp->n_bytes + len > udp->sim->link.buffer_bytes ? -EAGAIN : 0;
}

static struct packet *new_packet(struct fate__sim_udp *udp, const fate_address *to, const void *data,
                                 size_t len)
{
    struct packet *packet = fate__zalloc(sizeof *packet + len + 1);

    if (!packet)
        return NULL;
    packet->sim = udp->sim;
    packet->sender = udp;
    packet->from = udp->here;
    packet->to = *to;
    packet->len = len;
    if (len)
        memcpy(packet->data, data, len);
    udp->n_bytes += len;
    fate__list_add_last(&udp->sim->packets, &packet->link);
    return packet;
}

/* The caller's path does not last. */
static int take_address(const fate_address *given, fate_address *ret_address, char path[108])
{
    *ret_address = *given;
    if (given->family != AF_UNIX || !given->as.local.path)
        return 0;
    if (given->as.local.len >= 108)
        return -ENAMETOOLONG;
    memcpy(path, given->as.local.path, given->as.local.len);
    path[given->as.local.len] = '\0';
    ret_address->as.local.path = path;
    return 0;
}

/* 0; or why nobody of that path can be reached. */
static int look_for_path(const struct fate__sim *sim, const fate_address *to)
{
    const struct fate__link *all = &sim->udps;

    for (struct fate__link *at = all->next; at != all; at = at->next)
        if (!udp_at(at)->is_closed && same_path(&udp_at(at)->here, to))
            return 0;
    return to->as.local.path && to->as.local.path[0] ? -ENOENT : -ECONNREFUSED;
}

/* Where it comes from, and where it goes. */
static int address(struct packet *packet, const struct fate__sim_udp *udp)
{
    struct fate__sim *sim = packet->sim;

    if (packet->to.family == AF_UNIX) {
        int why = take_address(&packet->to, &packet->to, packet->paths[0]);
        if (why == 0)
            why = take_address(&packet->from, &packet->from, packet->paths[1]);
        return why < 0 ? why : look_for_path(sim, &packet->to);
    }
    packet->to_host = is_for_many(&packet->to) ? NULL : fate__sim_host_at(sim, &packet->to);
    packet->from_host = udp->is_any ? fate__sim_own_host(sim, packet->to_host) : udp->host;
    if (!packet->from_host || (!packet->to_host && !is_for_many(&packet->to)))
        return -ENOMEM;
    packet->from = fate__sim_address(packet->from_host, udp->here.family, udp->here.port);
    return 0;
}

int fate__sim_udp_send(struct fate__sim_udp *udp, const fate_address *to, const void *data, size_t len)
{
    struct fate__sim *sim = udp->sim;

    if (!to)
        to = &udp->to;
    int why = sim->is_over ? -ENOTCONN : check_send(udp, to, len);
    struct packet *packet = why == 0 ? new_packet(udp, to, data, len) : NULL;
    if (why == 0 && !packet)
        why = -ENOBUFS;
    if (!packet)
        return why;
    why = address(packet, udp);
    fate_time due = sim->reactor->now;
    if (why == 0 && to->family != AF_UNIX) {
        due = fate__time_after(fate__sim_leaves(sim, &udp->free_at, len), fate__sim_latency(sim));
        if (fate__sim_loses(sim)) {
            free_packet(packet);
            return 0;
        }
    }
    if (why == 0)
        why = send_off(packet, due);
    if (why < 0)
        free_packet(packet);
    return why == -ENOMEM ? -ENOBUFS : why;
}

/* ---- Life ---- */

static bool is_in_the_way(const struct fate__sim_udp *other, const struct fate__sim_udp *udp)
{
    if (other->here.family == AF_UNIX || udp->here.family == AF_UNIX)
        return same_path(&other->here, &udp->here);
    bool is_same_host = other->is_any || udp->is_any || other->host == udp->host;
    bool share = other->options.share_port && udp->options.share_port;
    return is_same_host && !share && other->here.family == udp->here.family &&
           other->here.port == udp->here.port;
}

static bool is_in_use(const struct fate__sim_udp *udp)
{
    struct fate__link *all = &udp->sim->udps;

    for (struct fate__link *at = all->next; at != all; at = at->next)
        if (udp_at(at) != udp && is_in_the_way(udp_at(at), udp))
            return true;
    return false;
}

#define PORTS 16384

static int choose_port(struct fate__sim_udp *udp)
{
    if (udp->here.family == AF_UNIX || udp->here.port)
        return is_in_use(udp) ? -EADDRINUSE : 0;
    for (int i = 0; i < PORTS; i++) {
        udp->here.port = (uint16_t)fate__sim_next_port(udp->sim);
        if (!is_in_use(udp))
            return 0;
    }
    return -EADDRINUSE;
}

/* A connected one is at the host that its packets come from. */
static int place(struct fate__sim_udp *udp)
{
    struct fate__sim *sim = udp->sim;

    if (udp->here.family == AF_UNIX)
        return 0;
    udp->is_any = fate__sim_is_any(&udp->here) && !udp->to.family;
    bool is_said = !fate__sim_is_any(&udp->here);
    struct fate__sim_host *to = udp->to.family ? fate__sim_host_at(sim, &udp->to) : NULL;
    udp->host = is_said ? fate__sim_host_at(sim, &udp->here) : fate__sim_own_host(sim, to);
    if (!udp->host || (udp->to.family && !to))
        return -ENOMEM;
    if (!udp->is_any)
        udp->here = fate__sim_address(udp->host, udp->here.family, udp->here.port);
    return 0;
}

static int fill_in(struct fate__sim_udp *udp, const struct fate__sim_udp_options *options)
{
    const fate_address *any = options->to && options->to->family != AF_INET
                                  ? &(fate_address){ .family = options->to->family }
                                  : &(fate_address){ .family = AF_INET };
    int why = take_address(options->here ? options->here : any, &udp->here, udp->paths[0]);

    if (why == 0 && options->to)
        why = take_address(options->to, &udp->to, udp->paths[1]);
    if (why == 0 && udp->to.family && udp->to.family != udp->here.family)
        why = -EAFNOSUPPORT;
    if (why == 0 && udp->to.family == AF_UNIX)
        why = look_for_path(udp->sim, &udp->to);
    if (why == 0)
        why = place(udp);
    return why < 0 ? why : choose_port(udp);
}

int fate__sim_udp_open(fate_reactor *reactor, const struct fate__sim_udp_options *options,
                       struct fate__sim_udp **ret_udp)
{
    struct fate__sim *sim = fate__sim(reactor);
    struct fate__sim_udp *udp = sim ? fate__zalloc(sizeof *udp) : NULL;

    if (!udp)
        return -ENOMEM;
    udp->sim = sim;
    udp->refs = 1;
    udp->options = *options;
    sim->n_users++;
    fate__list_add_last(&sim->udps, &udp->link);
    int why = fill_in(udp, options);
    if (why < 0) {
        release(udp);
        return why;
    }
    *ret_udp = udp;
    return 0;
}

const fate_address *fate__sim_udp_here(const struct fate__sim_udp *udp)
{
    return &udp->here;
}

static void leave_all(struct fate__sim_udp *udp)
{
    while (udp->groups) {
        struct membership *first = udp->groups;
        udp->groups = first->next;
        fate__free(first);
    }
}

/* Its packets go on without it. */
void fate__sim_udp_close(struct fate__sim_udp *udp)
{
    if (!udp || udp->is_closed)
        return;
    struct fate__link *all = &udp->sim->packets;
    for (struct fate__link *at = all->next; at != all; at = at->next) {
        struct packet *packet = fate_container_of(at, struct packet, link);
        if (packet->sender == udp)
            packet->sender = NULL;
    }
    udp->is_closed = true;
    leave_all(udp);
    release(udp);
}

/* ---- Groups ---- */

int fate__sim_udp_join(struct fate__sim_udp *udp, const fate_address *group)
{
    if (!is_group(group) || group->family != udp->here.family)
        return -EINVAL;
    if (is_in_group(udp, group))
        return -EADDRINUSE;
    struct membership *m = fate__alloc(sizeof *m);
    if (!m)
        return -ENOMEM;
    *m = (struct membership){ udp->groups, *group };
    udp->groups = m;
    return 0;
}

int fate__sim_udp_leave(struct fate__sim_udp *udp, const fate_address *group)
{
    for (struct membership **at = &udp->groups; *at; at = &(*at)->next) {
        struct membership *m = *at;
        if (!fate__sim_same_host(&m->group, group))
            continue;
        *at = m->next;
        fate__free(m);
        return 0;
    }
    return -EADDRNOTAVAIL;
}
