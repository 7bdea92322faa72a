/* Listening and connecting in the simulated network.
 *
 * A call arrives at its host, joins the line of whoever listens there, and is taken at once while there is
 * room in the backlog: the caller hears of it one way later, and may write before anybody has accepted. */
#include <net/sim_inside.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <base/stop.h>
#include <net/address.h>

#define MEMORY "memory:"

/* What a UNIX or memory endpoint is called: a path as the kernel has it. */
struct path {
    char bytes[256];
    size_t len; /* 0: it has none */
};

struct fate__sim_listener {
    struct fate__link link;
    struct fate__sim *sim;
    struct path path;
    struct fate__sim_host *host; /* NULL: any */
    int family;                  /* AF_UNSPEC: both */
    bool shares_port;
    fate_address address;
    unsigned backlog, n_taken;
    struct fate__link taken, outside; /* ends that wait, by their line */
    bool has_told;
    void (*waiting)(void *owner);
    void *owner;
};

/* 0, or -EOPNOTSUPP: it is not of this network. */
static int path_of(const struct fate__endpoint *endpoint, struct path *ret_path)
{
    const char *name = endpoint->name;
    bool is_memory = endpoint->kind == FATE__ENDPOINT_MEMORY;

    ret_path->len = 0;
    if (endpoint->kind == FATE__ENDPOINT_TCP)
        return 0;
    if (!is_memory && endpoint->kind != FATE__ENDPOINT_UNIX)
        return -EOPNOTSUPP;
    int len = snprintf(ret_path->bytes, sizeof ret_path->bytes, "%s%s", is_memory ? MEMORY : "", name);
    if ((size_t)len >= sizeof ret_path->bytes)
        return -ENAMETOOLONG;
    ret_path->len = (size_t)len;
    if (!is_memory && name[0] == '@')
        ret_path->bytes[0] = '\0';
    return 0;
}

static fate_address local_address(const char *path, size_t len)
{
    return (fate_address){ .family = AF_UNIX, .as.local = { path, len } };
}

static bool is_path(const struct fate__sim_listener *listener, const char *path, size_t len)
{
    return listener->path.len == len && memcmp(listener->path.bytes, path, len) == 0;
}

/* ---- Who is called ---- */

static bool takes_family(const struct fate__sim_listener *listener, int family)
{
    return listener->family == AF_UNSPEC || family == AF_UNSPEC || listener->family == family;
}

static bool is_called_by(const struct fate__sim_listener *listener, const struct fate__sim_end *end)
{
    const struct fate__sim_pair *pair = end->pair;
    const fate_address *called = &end->here;

    if (listener->path.len || pair->path_len)
        return is_path(listener, pair->path, pair->path_len);
    return listener->address.port == called->port && takes_family(listener, called->family) &&
           (!listener->host || listener->host == end->host);
}

/* Who listens on that very host comes before who listens on any; of several that share a port each in turn.
 */
static struct fate__sim_listener *find_called(struct fate__sim *sim, const struct fate__sim_end *end)
{
    struct fate__sim_listener *found = NULL;

    for (struct fate__link *at = sim->listeners.next; at != &sim->listeners; at = at->next) {
        struct fate__sim_listener *listener = fate_container_of(at, struct fate__sim_listener, link);
        if (is_called_by(listener, end) && (!found || (listener->host && !found->host)))
            found = listener;
    }
    if (found && found->shares_port) {
        fate__list_remove(&found->link);
        fate__list_add_last(&sim->listeners, &found->link);
    }
    return found;
}

/* ---- The line ---- */

static struct fate__sim_end *first_of(struct fate__link *line)
{
    return fate_container_of(line->next, struct fate__sim_end, line);
}

static void take_calls(struct fate__sim_listener *listener)
{
    while (listener->n_taken < listener->backlog && !fate__list_is_empty(&listener->outside)) {
        struct fate__sim_end *end = first_of(&listener->outside);
        fate__list_remove(&end->line);
        fate__list_add_last(&listener->taken, &end->line);
        end->is_taken = true;
        listener->n_taken++;
        fate__sim_call(end);
    }
}

/* Abstract sockets have none, and memory has none. */
static bool is_file(const struct fate__sim_pair *pair)
{
    return pair->path_len && pair->path[0] != '\0' && strncmp(pair->path, MEMORY, strlen(MEMORY)) != 0;
}

int fate__sim_called(struct fate__sim_end *end)
{
    struct fate__sim *sim = end->pair->sim;

    if (fate__sim_is_reset(end->host, fate__sim_other(end)->host))
        return -EHOSTUNREACH;
    struct fate__sim_listener *listener = find_called(sim, end);
    if (!listener)
        return is_file(end->pair) ? -ENOENT : -ECONNREFUSED;
    end->stage = FATE__SIM_WAITING;
    end->listener = listener;
    fate__list_add_last(&listener->outside, &end->line);
    take_calls(listener);
    if (!listener->has_told) {
        listener->has_told = true;
        listener->waiting(listener->owner);
    }
    return 0;
}

void fate__sim_leave_line(struct fate__sim_end *end)
{
    fate__list_remove(&end->line);
    end->listener->n_taken -= end->is_taken;
    end->listener = NULL;
}

int fate__sim_accept(struct fate__sim_listener *listener, struct fate__factory *factory,
                     fate_protocol **ret_protocol)
{
    if (fate__list_is_empty(&listener->taken)) {
        listener->has_told = false;
        return -EAGAIN;
    }
    struct fate__sim_end *end = first_of(&listener->taken);
    fate__sim_leave_line(end);
    end->stage = FATE__SIM_OPEN;
    take_calls(listener);
    return fate__sim_open(end, factory, ret_protocol);
}

/* ---- Listening ---- */

static bool is_in_the_way(const struct fate__sim_listener *other, const struct fate__sim_listener *listener)
{
    if (other->path.len || listener->path.len)
        return is_path(other, listener->path.bytes, listener->path.len);
    bool is_same_host = !other->host || !listener->host || other->host == listener->host;
    bool share = other->shares_port && listener->shares_port;
    return is_same_host && !share && other->address.port == listener->address.port &&
           takes_family(other, listener->family);
}

static bool is_in_use(const struct fate__sim_listener *listener)
{
    struct fate__link *all = &listener->sim->listeners;

    for (struct fate__link *at = all->next; at != all; at = at->next)
        if (is_in_the_way(fate_container_of(at, struct fate__sim_listener, link), listener))
            return true;
    return false;
}

/* Its family, its host and its port: 0 is chosen.  An address has its family, but :: takes both, unless it is
 * tcp6 that listens. */
static int place(struct fate__sim_listener *listener, const struct fate__endpoint *endpoint)
{
    bool is_v6 = endpoint->family == AF_INET6;
    fate_address literal = { .family = AF_UNSPEC };
    bool is_literal = endpoint->host && fate_address_parse(endpoint->host, &literal) == 0;
    bool is_any = is_literal && fate__sim_is_any(&literal);

    listener->family = endpoint->family;
    if (is_literal && !(is_any && literal.family == AF_INET6))
        listener->family = literal.family;
    if (endpoint->host && !is_any) {
        listener->host = fate__sim_host_named(listener->sim, endpoint->host);
        if (!listener->host)
            return -ENOMEM;
        listener->address = fate__sim_address(listener->host, listener->family, endpoint->port);
    } else if (is_any) {
        listener->address = literal;
    } else {
        fate_address_parse(is_v6 ? "::" : "0.0.0.0", &listener->address);
    }
    listener->address.port = (uint16_t)endpoint->port;
    return 0;
}

#define PORTS 16384

/* 0, or -EADDRINUSE: it is taken, or all that could be chosen are. */
static int choose_port(struct fate__sim_listener *listener)
{
    if (listener->path.len || listener->address.port)
        return is_in_use(listener) ? -EADDRINUSE : 0;
    for (int i = 0; i < PORTS; i++) {
        listener->address.port = (uint16_t)fate__sim_next_port(listener->sim);
        if (!is_in_use(listener))
            return 0;
    }
    return -EADDRINUSE;
}

static struct fate__sim_listener *make_listener(struct fate__sim *sim, const struct path *path)
{
    struct fate__sim_listener *listener = fate__zalloc(sizeof *listener);

    if (!listener)
        return NULL;
    listener->sim = sim;
    listener->path = *path;
    listener->address = local_address(listener->path.bytes, path->len);
    fate__list_init(&listener->taken);
    fate__list_init(&listener->outside);
    return listener;
}

int fate__sim_listen(fate_reactor *reactor, const struct fate__endpoint *endpoint, int backlog,
                     bool share_port, void (*waiting)(void *owner), void *owner,
                     struct fate__sim_listener **ret_listener)
{
    struct fate__sim *sim = fate__sim(reactor);
    struct path path;
    int why = path_of(endpoint, &path);

    if (why < 0)
        return why;
    struct fate__sim_listener *listener = sim ? make_listener(sim, &path) : NULL;
    if (!listener)
        return -ENOMEM;
    listener->shares_port = share_port;
    listener->backlog = backlog > 0 ? (unsigned)backlog : 1;
    listener->waiting = waiting;
    listener->owner = owner;
    why = path.len ? 0 : place(listener, endpoint);
    if (why == 0)
        why = choose_port(listener);
    if (why < 0) {
        fate__free(listener);
        return why;
    }
    fate__list_add_last(&sim->listeners, &listener->link);
    sim->n_users++;
    *ret_listener = listener;
    return 0;
}

const fate_address *fate__sim_listener_address(const struct fate__sim_listener *listener)
{
    return &listener->address;
}

void fate__sim_listener_close(struct fate__sim_listener *listener)
{
    if (!listener)
        return;
    while (!fate__list_is_empty(&listener->taken))
        fate__sim_close(first_of(&listener->taken));
    while (!fate__list_is_empty(&listener->outside))
        fate__sim_close(first_of(&listener->outside));
    struct fate__sim *sim = listener->sim;
    fate__list_remove(&listener->link);
    fate__free(listener);
    fate__sim_release(sim);
}

/* ---- Connecting ---- */

/* Where the call comes from: bind=, or the program's own host. */
static int from_where(struct fate__sim_end *end, const struct fate__endpoint *endpoint)
{
    struct fate__sim *sim = end->pair->sim;
    const struct fate__sim_end *to = fate__sim_other(end);
    fate_address bound = { .family = AF_UNSPEC };
    unsigned port = endpoint->bind_port ? endpoint->bind_port : fate__sim_next_port(sim);

    if (endpoint->bind && fate_address_parse(endpoint->bind, &bound) < 0)
        return -EADDRNOTAVAIL;
    end->host = bound.family ? fate__sim_host_at(sim, &bound) : fate__sim_own_host(sim, to->host);
    if (!end->host)
        return -ENOMEM;
    end->here = fate__sim_address(end->host, to->here.family, port);
    return 0;
}

static bool is_other_pair(const struct fate__sim_pair *other, const struct fate__sim_pair *pair)
{
    return other != pair && fate_address_equal(&other->ends[0].here, &pair->ends[0].here) &&
           fate_address_equal(&other->ends[1].here, &pair->ends[1].here);
}

static bool is_bound_already(const struct fate__sim_pair *pair)
{
    const struct fate__link *all = &pair->sim->pairs;

    for (const struct fate__link *at = all->next; at != all; at = at->next)
        if (is_other_pair(fate_container_of(at, struct fate__sim_pair, link), pair))
            return true;
    return false;
}

static int join(struct fate__sim_pair *pair, const struct fate__endpoint *endpoint,
                const fate_address *address)
{
    struct fate__sim_end *end = &pair->ends[0], *to = &pair->ends[1];

    if (pair->path_len) {
        end->here = local_address(NULL, 0);
        to->here = local_address(pair->path, pair->path_len);
        return 0;
    }
    to->here = *address;
    to->host = fate__sim_host_at(pair->sim, address);
    if (!to->host)
        return -ENOMEM;
    int why = from_where(end, endpoint);
    if (why == 0 && endpoint->bind_port && is_bound_already(pair))
        why = -EADDRINUSE;
    return why;
}

struct fate__sim_end *fate__sim_connect(fate_reactor *reactor, const struct fate__endpoint *endpoint,
                                        const fate_address *address,
                                        void (*connected)(void *owner, int error), void *owner)
{
    struct fate__sim *sim = fate__sim(reactor);
    struct path path;
    int why = path_of(endpoint, &path);

    struct fate__sim_pair *pair = sim ? fate__sim_pair_new(sim, path.bytes, path.len) : NULL;
    if (!pair)
        return NULL;
    struct fate__sim_end *end = &pair->ends[0];
    end->connected = connected;
    end->owner = owner;
    if (why == 0)
        why = join(pair, endpoint, address);
    if (why == -ENOMEM) {
        fate__sim_close(end);
        return NULL;
    }
    if (why == 0)
        fate__sim_call(end);
    else
        fate__sim_reset(end, why);
    return end;
}
