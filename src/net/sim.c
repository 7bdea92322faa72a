/* The simulated network: its hosts, what lies between them, and chance. */
#include <net/sim_inside.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <base/alloc.h>
#include <base/options.h>
#include <base/stop.h>
#include <net/address.h>
#include <net/resolve.h>

#define BUFFER_BYTES  ((size_t)256 * 1024)
#define FIRST_PORT    49152
#define LAST_PORT     65535
#define LITERAL_OF_V4 "10.0.0.0"
#define LITERAL_OF_V6 "fd00::"
#define OWN_HOST      "client"
#define LOOPBACK_HOST "localhost"

/* ---- Life ---- */

static void free_hosts(struct fate__sim *sim)
{
    while (!fate__list_is_empty(&sim->hosts)) {
        struct fate__sim_host *host = fate_container_of(sim->hosts.next, struct fate__sim_host, link);
        fate__list_remove(&host->link);
        fate__free(host);
    }
}

void fate__sim_release(struct fate__sim *sim)
{
    if (--sim->n_users > 0)
        return;
    free_hosts(sim);
    fate__free(sim);
}

static void end_of_reactor(struct fate__owned *owned)
{
    struct fate__sim *sim = (struct fate__sim *)(void *)owned;

    fate__disown(owned);
    sim->is_over = true;
    fate__sim_drop_packets(sim);
    fate__sim_release(sim);
}

/* Nobody need see it in a report. */
static void look(struct fate__owned *owned, fate__see_fn *see, void *arg)
{
}

static struct fate__sim *make(fate_reactor *reactor)
{
    struct fate__sim *sim =
        fate__own(reactor, sizeof *sim, end_of_reactor, FATE__OWN_SITE("the simulated network"));

    if (sim->owned.is_no_memory)
        return NULL;
    sim->owned.look = look;
    sim->reactor = reactor;
    sim->n_users = 1;
    sim->link.buffer_bytes = BUFFER_BYTES;
    sim->next_port = FIRST_PORT;
    fate__list_init(&sim->hosts);
    fate__list_init(&sim->listeners);
    fate__list_init(&sim->pairs);
    fate__list_init(&sim->udps);
    fate__list_init(&sim->packets);
    return sim;
}

struct fate__sim *fate__sim(fate_reactor *reactor)
{
    struct fate__net *net = fate__net(reactor);

    if (net && !net->sim)
        net->sim = make(reactor);
    return net ? net->sim : NULL;
}

/* ---- Hosts ---- */

_Static_assert(FATE__NAME_ROOM >= FATE_ADDRESS_TEXT_BYTES, "a literal is a name, too");

/* The one form of a name: of a literal, that in which addresses are written. */
static const char *plain_name(const char *name, char to[FATE__NAME_ROOM], fate_address *ret_literal)
{
    if (fate_address_parse(name, ret_literal) == 0)
        return fate_address_host(ret_literal, to);
    *ret_literal = (fate_address){ .family = 0 };
    if (fate__name_is_local(name))
        return LOOPBACK_HOST;
    fate__name_key(name, to);
    return to;
}

static struct fate__sim_host *find_host(const struct fate__sim *sim, const char *name)
{
    for (struct fate__link *at = sim->hosts.next; at != &sim->hosts; at = at->next) {
        struct fate__sim_host *host = fate_container_of(at, struct fate__sim_host, link);
        if (strcmp(host->name, name) == 0)
            return host;
    }
    return NULL;
}

bool fate__sim_same_host(const fate_address *a, const fate_address *b)
{
    size_t len = a->family == AF_INET ? 4 : 16;
    return a->family == b->family && a->family != AF_UNIX && memcmp(a->as.ip, b->as.ip, len) == 0;
}

static struct fate__sim_host *host_having(const struct fate__sim *sim, const fate_address *address)
{
    for (struct fate__link *at = sim->hosts.next; at != &sim->hosts; at = at->next) {
        struct fate__sim_host *host = fate_container_of(at, struct fate__sim_host, link);
        if (fate__sim_same_host(&host->v4, address) || fate__sim_same_host(&host->v6, address))
            return host;
    }
    return NULL;
}

static void numbered(const char *first, uint32_t number, fate_address *ret_address)
{
    fate_address_parse(first, ret_address);
    unsigned char *end = ret_address->as.ip + (ret_address->family == AF_INET ? 4 : 16);
    for (; number; number >>= 8)
        *--end += (unsigned char)number;
}

/* 10.0.0.N and fd00::N, by first use; numbers that somebody has taken by a literal are passed over. */
static void give_addresses(struct fate__sim *sim, struct fate__sim_host *host)
{
    fate_address v4, v6;

    do {
        sim->n_numbered++;
        numbered(LITERAL_OF_V4, sim->n_numbered, &v4);
        numbered(LITERAL_OF_V6, sim->n_numbered, &v6);
    } while (host_having(sim, &v4) || host_having(sim, &v6));
    host->v4 = v4;
    host->v6 = v6;
}

static struct fate__sim_host *make_host(struct fate__sim *sim, const char *name, const fate_address *literal)
{
    size_t len = strlen(name);
    struct fate__sim_host *host = fate__zalloc(sizeof *host + len + 1);

    if (!host)
        return NULL;
    memcpy(host->name, name, len + 1);
    if (literal->family == AF_INET)
        host->v4 = *literal;
    else if (literal->family == AF_INET6)
        host->v6 = *literal;
    else if (strcmp(name, LOOPBACK_HOST) == 0) {
        fate_address_parse("127.0.0.1", &host->v4);
        fate_address_parse("::1", &host->v6);
    } else
        give_addresses(sim, host);
    fate__list_add_last(&sim->hosts, &host->link);
    return host;
}

static bool is_loopback(const fate_address *address)
{
    static const unsigned char v6[16] = { [15] = 1 };

    if (address->family == AF_INET)
        return address->as.ip[0] == 127;
    return address->family == AF_INET6 && memcmp(address->as.ip, v6, sizeof v6) == 0;
}

bool fate__sim_is_any(const fate_address *address)
{
    static const unsigned char zeros[16];
    return memcmp(address->as.ip, zeros, address->family == AF_INET ? 4 : 16) == 0;
}

struct fate__sim_host *fate__sim_host_named(struct fate__sim *sim, const char *name)
{
    char text[FATE__NAME_ROOM];
    fate_address literal;
    const char *plain = plain_name(name, text, &literal);

    if (literal.family && (is_loopback(&literal) || fate__sim_is_any(&literal)))
        plain = LOOPBACK_HOST;
    literal.port = 0;
    struct fate__sim_host *host = literal.family ? host_having(sim, &literal) : NULL;
    if (!host)
        host = find_host(sim, plain);
    if (host)
        return host;
    return make_host(sim, plain, plain == text ? &literal : &(fate_address){ .family = 0 });
}

struct fate__sim_host *fate__sim_host_at(struct fate__sim *sim, const fate_address *address)
{
    char text[FATE_ADDRESS_TEXT_BYTES];
    return fate__sim_host_named(sim, fate_address_host(address, text));
}

struct fate__sim_host *fate__sim_own_host(struct fate__sim *sim, const struct fate__sim_host *to)
{
    bool is_there = to && strcmp(to->name, LOOPBACK_HOST) == 0;
    return fate__sim_host_named(sim, is_there ? LOOPBACK_HOST : OWN_HOST);
}

fate_address fate__sim_address(const struct fate__sim_host *host, int family, unsigned port)
{
    fate_address address = family == AF_INET6 ? host->v6 : host->v4;

    if (!address.family)
        address = host->v4.family ? host->v4 : host->v6;
    address.port = (uint16_t)port;
    return address;
}

unsigned fate__sim_next_port(struct fate__sim *sim)
{
    unsigned port = sim->next_port;

    sim->next_port = port == LAST_PORT ? FIRST_PORT : port + 1;
    return port;
}

int fate__sim_resolve(fate_reactor *reactor, const char *name, fate_address *ret_address)
{
    struct fate__sim *sim = fate__sim(reactor);
    struct fate__sim_host *host = sim ? fate__sim_host_named(sim, name) : NULL;

    if (!host)
        return -ENOMEM;
    if (fate_address_parse(name, ret_address) < 0)
        *ret_address = fate__sim_address(host, AF_INET, 0);
    return 0;
}

/* ---- Chance (splitmix64, by Sebastiano Vigna: a counter, well mixed) ---- */

static uint64_t draw(struct fate__sim *sim)
{
    uint64_t z = sim->random += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t fate__sim_random(struct fate__sim *sim, uint64_t n)
{
    return draw(sim) % n;
}

bool fate__sim_loses(struct fate__sim *sim)
{
    return sim->link.loss_percent && fate__sim_random(sim, 100) < sim->link.loss_percent;
}

fate_time fate__sim_latency(struct fate__sim *sim)
{
    const fate_link *link = &sim->link;
    fate_time longer = link->jitter > 0 ? (fate_time)fate__sim_random(sim, (uint64_t)link->jitter + 1) : 0;

    return fate__time_after(link->latency, longer);
}

fate_time fate__sim_leaves(struct fate__sim *sim, fate_time *at, size_t len)
{
    uint64_t rate = sim->link.bytes_per_second, second = (uint64_t)FATE_SECOND;
    fate_time now = sim->reactor->now;

    if (!rate)
        return now;
    uint64_t whole = len / rate, rest = len % rate; /* the product must not run over */
    uint64_t takes = whole * second + (rest <= UINT64_MAX / second ? rest * second / rate : second);
    fate_time from = *at > now ? *at : now;
    *at = fate__time_after(from, takes < (uint64_t)FATE_NEVER ? (fate_time)takes : FATE_NEVER);
    return *at;
}

/* ---- What tests may change ---- */

static struct fate__sim *sim_of_test(fate_reactor *reactor, const char *what, const char *site)
{
    fate__check_reactor(reactor, what, site);
    if (!reactor->is_simulated)
        fate__stop(site,
                   "%s was called on a reactor that runs on real time and has a real network. Make it with "
                   "fate_test_reactor or fate_reactor_new_simulated.",
                   what);
    return fate__sim(reactor);
}

int fate_test_link_at(fate_reactor *reactor, const fate_link *link, const char *site)
{
    struct fate__sim *sim = sim_of_test(reactor, "fate_test_link", site);
    fate_link taken = { .size = 0 };

    fate__take_options(&taken, sizeof taken, link, "fate_test_link", site);
    if (taken.latency < 0 || taken.jitter < 0 || taken.loss_percent > 100)
        fate__stop(site,
                   "fate_test_link was given a latency of %g s, a jitter of %g s and a loss of %u %%: "
                   "nothing arrives before it is sent, and no more is lost than all.",
                   (double)taken.latency / 1e9, (double)taken.jitter / 1e9, taken.loss_percent);
    if (!sim)
        return -ENOMEM;
    if (!taken.buffer_bytes)
        taken.buffer_bytes = BUFFER_BYTES;
    sim->link = taken;
    sim->random = taken.seed;
    return 0;
}

static bool is_between(const struct fate__sim_pair *pair, const struct fate__sim_host *host)
{
    return pair->ends[0].host == host || pair->ends[1].host == host;
}

static void each_connection(struct fate__sim *sim, const struct fate__sim_host *host,
                            void (*visit)(struct fate__sim_end *end))
{
    for (struct fate__link *at = sim->pairs.next; at != &sim->pairs; at = at->next) {
        struct fate__sim_pair *pair = fate_container_of(at, struct fate__sim_pair, link);
        if (!is_between(pair, host))
            continue;
        visit(&pair->ends[0]);
        visit(&pair->ends[1]);
    }
}

static void cut(struct fate__sim_end *end)
{
    fate__sim_reset(end, end->stage == FATE__SIM_CONNECTING ? -EHOSTUNREACH : -ECONNRESET);
}

int fate_test_cut_at(fate_reactor *reactor, const char *name, bool is_silent, const char *site)
{
    struct fate__sim *sim = sim_of_test(reactor, "fate_test_cut", site);
    struct fate__sim_host *host = sim ? fate__sim_host_named(sim, name) : NULL;

    if (!host)
        return -ENOMEM;
    host->is_cut = true;
    host->is_silent = is_silent;
    if (!is_silent)
        each_connection(sim, host, cut);
    return 0;
}

void fate_test_heal_at(fate_reactor *reactor, const char *name, const char *site)
{
    struct fate__sim *sim = sim_of_test(reactor, "fate_test_heal", site);
    struct fate__sim_host *host = sim ? fate__sim_host_named(sim, name) : NULL;

    if (!host || !host->is_cut)
        return;
    host->is_cut = false;
    each_connection(sim, host, fate__sim_heal);
}

int(fate_test_link)(fate_reactor *reactor, const fate_link *link)
{
    return fate_test_link_at(reactor, link, NULL);
}

int(fate_test_cut)(fate_reactor *reactor, const char *host, bool is_silent)
{
    return fate_test_cut_at(reactor, host, is_silent, NULL);
}

void(fate_test_heal)(fate_reactor *reactor, const char *host)
{
    fate_test_heal_at(reactor, host, NULL);
}
