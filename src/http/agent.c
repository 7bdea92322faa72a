/* Agents: which connection a fetch gets, and who waits for one. */
#include <http/client.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <base/alloc.h>
#include <base/options.h>
#include <base/stop.h>

#define PER_HOST_MAX       6
#define CONNECTIONS_MAX    256
#define REDIRECTS_MAX      10
#define HEAD_BYTES_MAX     ((size_t)64 * 1024)
#define PAGE_BYTES_MAX     ((size_t)16 * 1024 * 1024)
#define CONNECT_TIMEOUT    (10 * FATE_SECOND)
#define FIRST_BYTE_TIMEOUT (30 * FATE_SECOND)
#define IDLE_TIMEOUT       (30 * FATE_SECOND)
#define PAGE_TIMEOUT       (60 * FATE_SECOND)

#define BOX "fate_agent"

/* ---- Hosts ---- */

static size_t bucket_of(const char *name, uint16_t port)
{
    uint32_t hash = 2166136261u ^ port; /* FNV-1a */

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash % FATE__HOST_BUCKETS;
}

static void free_host_memory(struct fate__host *host)
{
    fate__text_done(&host->endpoint);
    fate__text_done(&host->shown);
    fate__free(host->name);
    fate__free(host);
}

static void free_host(struct fate__host *host)
{
    struct fate__host **at = &host->agent->hosts[bucket_of(host->name, host->port)];

    while (*at != host)
        at = &(*at)->next;
    *at = host->next;
    free_host_memory(host);
}

static void free_host_if_unused(struct fate__host *host)
{
    if (host->n_connections == 0 && host->n_users == 0)
        free_host(host);
}

static bool fill_in_host(struct fate__host *host, const struct fate__url *url)
{
    const char *fmt = url->host_kind == FATE__HOST_IPV6 ? "tcp:[%s]:%u" : "tcp:%s:%u";

    fate__text_format(&host->endpoint, fmt, url->host, url->port);
    fate__url_add_host(&host->shown, url);
    host->name = fate__text_copy(url->host, strlen(url->host));
    host->port = url->port;
    return host->name && !host->endpoint.has_failed && !host->shown.has_failed;
}

static struct fate__host *new_host(fate_agent *agent, const struct fate__url *url)
{
    struct fate__host *host = fate__zalloc(sizeof *host);

    if (!host)
        return NULL;
    if (!fill_in_host(host, url)) {
        free_host_memory(host);
        return NULL;
    }
    struct fate__host **bucket = &agent->hosts[bucket_of(host->name, host->port)];
    host->agent = agent;
    fate__list_init(&host->idle);
    fate__list_init(&host->line);
    host->next = *bucket;
    *bucket = host;
    return host;
}

/* NULL: no memory. */
static struct fate__host *host_of(fate_agent *agent, const struct fate__url *url)
{
    struct fate__host *host = agent->hosts[bucket_of(url->host, url->port)];

    for (; host; host = host->next)
        if (host->port == url->port && strcmp(host->name, url->host) == 0)
            return host;
    return new_host(agent, url);
}

void fate__agent_forget_host(fate_response *fetch)
{
    struct fate__host *host = fetch->host;

    if (!host)
        return;
    fetch->host = NULL;
    host->n_users--;
    free_host_if_unused(host);
}

/* ---- The line ---- */

static void stand_in_line(fate_response *fetch)
{
    struct fate__host *host = fetch->host;

    fetch->stage = FATE__FETCH_IN_LINE;
    fate__list_add_last(&host->line, &fetch->in_line);
    if (!fate__is_linked(&host->waits))
        fate__list_add_last(&host->agent->waiting, &host->waits);
}

static void leave_line(fate_response *fetch)
{
    struct fate__host *host = fetch->host;

    fate__list_remove(&fetch->in_line);
    fetch->stage = FATE__FETCH_NEW;
    if (fate__list_is_empty(&host->line))
        fate__list_remove(&host->waits);
}

static fate_response *first_in_line(const struct fate__host *host)
{
    if (fate__list_is_empty(&host->line))
        return NULL;
    return fate_container_of(host->line.next, fate_response, in_line);
}

/* ---- Making connections ---- */

static bool has_room(const struct fate__host *host)
{
    const fate_agent *agent = host->agent;
    return host->n_connections < agent->options.per_host_max &&
           agent->n_connections < agent->options.connections_max;
}

static fate_value connected(fate_value *result, fate_value *arg);

static void connect(fate_response *fetch)
{
    struct fate__host *host = fetch->host;
    fate_agent *agent = host->agent;
    const fate_connect_options options = { .size = sizeof options,
                                           .timeout = agent->options.connect_timeout };

    host->n_connections++;
    agent->n_connections++;
    fetch->stage = FATE__FETCH_CONNECTING;
    fetch->connecting = fate_hold(fate_connect_at(agent->reactor, host->endpoint.bytes, &fate__client_ops,
                                                  fate_copy(&agent->self), &options, FATE__CLIENT_SITE));
    fate_add_both_at(fetch->connecting, connected, fate_copy(&fetch->self), FATE__CLIENT_SITE);
}

/* Of those that are in line; hosts take turns where all connections there may be are in use. */
static void serve_all(fate_agent *agent)
{
    size_t n_hosts = 0;

    for (struct fate__link *at = agent->waiting.next; at != &agent->waiting; at = at->next)
        n_hosts++;
    while (n_hosts-- > 0 && agent->n_connections < agent->options.connections_max &&
           !fate__list_is_empty(&agent->waiting)) {
        struct fate__link *link = agent->waiting.next;
        struct fate__host *host = fate_container_of(link, struct fate__host, waits);
        fate__list_remove(link);
        fate__list_add_last(&agent->waiting, link);
        if (!has_room(host))
            continue;
        fate_response *fetch = first_in_line(host);
        leave_line(fetch);
        connect(fetch);
    }
}

static void give_back(struct fate__host *host)
{
    fate_agent *agent = host->agent;
    bool was_at_most = agent->n_connections >= agent->options.connections_max;
    fate_response *next = first_in_line(host);

    host->n_connections--;
    agent->n_connections--;
    host->n_users++;
    if (was_at_most && !agent->is_over) {
        serve_all(agent);
    } else if (next && !agent->is_over) {
        leave_line(next);
        connect(next);
    }
    host->n_users--;
    free_host_if_unused(host);
}

/* Nobody waits for this connection any more. */
static void drop_connection(struct fate__host *host, const fate_value *result)
{
    if (fate_is_failure(result)) {
        give_back(host);
        return;
    }
    struct fate__client *client = fate_container_of(fate_as_protocol(result), struct fate__client, base);
    if (client->is_lost) {
        give_back(host);
        return;
    }
    client->agent = host->agent;
    client->host = host;
    fate_abort_connection(client->base.transport);
}

static void use_connection(fate_response *fetch, const fate_value *result)
{
    struct fate__client *client = fate_container_of(fate_as_protocol(result), struct fate__client, base);
    struct fate__host *host = fetch->host;

    if (client->is_lost) {
        give_back(host);
        fate__fetch_fail(fetch, fate__fetch_raise(fetch, &FATE_HTTP_PROTOCOL,
                                                  "the connection was closed as soon as it was made"));
        return;
    }
    client->agent = host->agent;
    client->host = host;
    fate__client_begin(client, fetch);
}

/* The same failure, raised where the program has asked for the page. */
static fate_value raise_here(const fate_response *fetch, const fate_value *why)
{
    const fate_value *payload = fate_payload(why);

    if (fate_is(why, &FATE_NO_MEMORY))
        return fate_copy(why);
    return fate_raise_with_at(fetch->what, fetch->site, fate_class_of(why),
                              payload ? fate_copy(payload) : fate_none(), "%s", fate_message(why));
}

static fate_value connected(fate_value *result, fate_value *arg)
{
    fate_response *fetch = fate_box_data("fate_response", arg, NULL);
    fate_agent *agent = fetch->agent;
    fate_value keep = fate_copy(&agent->self);

    if (!fetch->connecting) {
        drop_connection(fetch->host, result);
    } else {
        fate_release(fetch->connecting);
        fetch->connecting = NULL;
        if (fate_is_failure(result)) {
            give_back(fetch->host);
            fate__fetch_fail(fetch, raise_here(fetch, result));
        } else {
            use_connection(fetch, result);
        }
    }
    fate_drop(keep);
    return fate_none();
}

/* ---- Asking ---- */

static struct fate__client *first_idle(const struct fate__host *host)
{
    if (fate__list_is_empty(&host->idle))
        return NULL;
    return fate_container_of(host->idle.next, struct fate__client, idle);
}

/* The one that nobody has used for longest makes room for another: of this host, if it may have no more; else
 * of any. */
static void make_room(struct fate__host *host)
{
    const fate_agent_options *options = &host->agent->options;
    struct fate__link *own = host->idle.prev, *all = host->agent->resting.prev;
    bool is_host_full = host->n_connections >= options->per_host_max;

    if (is_host_full && own != &host->idle)
        fate__client_close(fate_container_of(own, struct fate__client, idle));
    else if (!is_host_full && all != &host->agent->resting)
        fate__client_close(fate_container_of(all, struct fate__client, rest));
}

void fate__agent_ask(fate_response *fetch)
{
    fate_agent *agent = fetch->agent;

    fate__agent_forget_host(fetch);
    fetch->host = agent->is_over ? NULL : host_of(agent, &fetch->url);
    if (!fetch->host) {
        fate__fetch_fail(fetch, agent->is_over
                                    ? fate__fetch_raise(fetch, &FATE_CANCELLED, "the agent has gone")
                                    : fate__fetch_no_memory());
        return;
    }
    fetch->host->n_users++;
    struct fate__client *client = fetch->wants_new ? NULL : first_idle(fetch->host);
    if (client) {
        fate__agent_takes_out(client);
        fate__client_begin(client, fetch);
    } else if (has_room(fetch->host)) {
        connect(fetch);
    } else {
        stand_in_line(fetch);
        make_room(fetch->host);
    }
}

void fate__agent_leave(fate_response *fetch)
{
    fate_deferred *d = fetch->connecting;

    if (fetch->stage == FATE__FETCH_IN_LINE) {
        leave_line(fetch);
    } else if (d) {
        fetch->connecting = NULL;
        fate_cancel_at(d, FATE__CLIENT_SITE);
        fate_release(d);
    }
}

/* ---- Connections that have been used ---- */

void fate__agent_takes_out(struct fate__client *client)
{
    if (!fate__is_linked(&client->idle))
        return;
    fate__list_remove(&client->idle);
    fate__list_remove(&client->rest);
}

void fate__agent_rests(struct fate__client *client)
{
    fate_agent *agent = client->agent;
    fate_response *next = first_in_line(client->host);

    if (next && next->wants_new) { /* its own is made in the room that this one leaves */
        fate__client_close(client);
        return;
    }
    if (next) {
        leave_line(next);
        fate__client_begin(client, next);
        return;
    }
    fate__list_add_first(&client->host->idle, &client->idle);
    fate__list_add_first(&agent->resting, &client->rest);
    bool is_wanted =
        agent->n_connections >= agent->options.connections_max && !fate__list_is_empty(&agent->waiting);
    if (agent->is_over || is_wanted || !fate__client_arm(client, agent->options.idle_timeout))
        fate__client_close(client);
}

void fate__agent_lost(struct fate__client *client)
{
    struct fate__host *host = client->host;

    fate__agent_takes_out(client);
    client->host = NULL;
    if (host)
        give_back(host);
}

/* ---- The reactors' own ---- */

static pthread_mutex_t own_lock = PTHREAD_MUTEX_INITIALIZER;
static fate_agent *own_agents;

static fate_agent *own_agent(const fate_reactor *reactor)
{
    pthread_mutex_lock(&own_lock);
    fate_agent *agent = own_agents;
    while (agent && agent->reactor != reactor)
        agent = agent->next;
    pthread_mutex_unlock(&own_lock);
    return agent;
}

static void add_own(fate_agent *agent)
{
    agent->is_own = true;
    pthread_mutex_lock(&own_lock);
    agent->next = own_agents;
    own_agents = agent;
    pthread_mutex_unlock(&own_lock);
}

static void remove_own(fate_agent *agent)
{
    agent->is_own = false;
    pthread_mutex_lock(&own_lock);
    fate_agent **at = &own_agents;
    while (*at != agent)
        at = &(*at)->next;
    *at = agent->next;
    pthread_mutex_unlock(&own_lock);
}

/* ---- Life ---- */

static fate_agent no_memory_agent;

bool fate__agent_is_no_memory(const fate_agent *agent)
{
    return agent == &no_memory_agent;
}

static void drop_agent(void *data)
{
    fate_agent *agent = data;

    if (agent->is_own)
        remove_own(agent);
    fate__free(agent->user_agent);
}

static void end_fetches(fate_agent *agent)
{
    while (!fate__list_is_empty(&agent->fetches)) {
        fate_response *fetch = fate_container_of(agent->fetches.next, fate_response, link);
        fate__fetch_fail(fetch, fate__fetch_raise(fetch, &FATE_CANCELLED, "the agent has gone"));
    }
}

/* Nothing new begins, nothing goes on. */
static void end(fate_agent *agent)
{
    fate_value keep = fate_copy(&agent->self);

    agent->is_over = true;
    if (agent->is_own)
        remove_own(agent);
    end_fetches(agent);
    while (!fate__list_is_empty(&agent->resting))
        fate__client_close(fate_container_of(agent->resting.next, struct fate__client, rest));
    fate_drop(keep);
}

static fate_value reactor_stops(fate_value *arg)
{
    end(fate_box_data(BOX, arg, NULL));
    return fate_none();
}

void fate_agent_free(fate_agent *agent)
{
    if (!agent || agent == &no_memory_agent)
        return;
    end(agent);
    fate_unwatch(agent->end);
    fate_timer_cancel(agent->kept);
}

size_t fate_agent_connections(const fate_agent *agent)
{
    return agent->n_connections;
}

static void fill_in_limits(fate_agent_options *options)
{
    options->head_bytes_max = options->head_bytes_max ? options->head_bytes_max : HEAD_BYTES_MAX;
    options->page_bytes_max = options->page_bytes_max ? options->page_bytes_max : PAGE_BYTES_MAX;
    options->per_host_max = options->per_host_max ? options->per_host_max : PER_HOST_MAX;
    options->connections_max = options->connections_max ? options->connections_max : CONNECTIONS_MAX;
    options->redirects_max = options->redirects_max ? options->redirects_max : REDIRECTS_MAX;
}

static void fill_in_times(fate_agent_options *options)
{
    options->connect_timeout = options->connect_timeout ? options->connect_timeout : CONNECT_TIMEOUT;
    options->first_byte_timeout =
        options->first_byte_timeout ? options->first_byte_timeout : FIRST_BYTE_TIMEOUT;
    options->idle_timeout = options->idle_timeout ? options->idle_timeout : IDLE_TIMEOUT;
    options->page_timeout = options->page_timeout ? options->page_timeout : PAGE_TIMEOUT;
}

static void check_times(const fate_agent_options *options, const char *site)
{
    if (options->connect_timeout < 0 || options->first_byte_timeout < 0 || options->idle_timeout < 0 ||
        options->page_timeout < 0)
        fate__stop(site, "fate_agent_new was given a negative time. Write FATE_NEVER for no limit.");
}

static bool take_user_agent(fate_agent *agent)
{
    const char *given = agent->options.user_agent;
    struct fate__text text = { 0 };

    if (given)
        fate__text_add(&text, given);
    else
        fate__text_format(&text, "libfate/%s", fate_version());
    agent->user_agent = text.bytes;
    agent->options.user_agent = NULL;
    return !text.has_failed;
}

/* The box that it lies in; NULL: no memory. */
static fate_agent *open_agent(fate_reactor *reactor, const fate_agent_options *options, const char *site,
                              fate_value *ret_box)
{
    fate_agent zeroed = { .reactor = NULL }; /* without memory it is what is dropped */
    fate_value box = fate_box_new(BOX, sizeof zeroed, &zeroed, drop_agent);

    if (fate_is_failure(&box))
        return NULL;
    fate_agent *agent = fate_box_data(BOX, &box, site);
    agent->self = box;
    agent->reactor = reactor;
    fate__take_options(&agent->options, sizeof agent->options, options, "fate_agent_new", site);
    check_times(&agent->options, site);
    fill_in_limits(&agent->options);
    fill_in_times(&agent->options);
    fate__list_init(&agent->resting);
    fate__list_init(&agent->waiting);
    fate__list_init(&agent->fetches);
    *ret_box = box;
    return agent;
}

static void never(fate_value *box)
{
}

/* As long as the reactor, by a call that is never due: who stops a reactor may still ask, and is refused.
 * False: no memory. */
static bool keep(fate_agent *agent)
{
    fate_reactor *reactor = agent->reactor;

    agent->kept = fate_call_later_at(reactor, FATE_NEVER, never, fate_copy(&agent->self), FATE__CLIENT_SITE);
    agent->end = fate_add_trigger_at(reactor, FATE_AFTER, FATE_SHUTDOWN, reactor_stops,
                                     fate_copy(&agent->self), FATE__CLIENT_SITE);
    agent->is_over = agent->end.id == -ESHUTDOWN;
    if (agent->kept.id >= 0 && (agent->end.id >= 0 || agent->is_over))
        return true;
    fate_unwatch(agent->end);
    fate_timer_cancel(agent->kept);
    return false;
}

fate_agent *fate_agent_new_at(fate_reactor *reactor, const fate_agent_options *options, const char *site)
{
    fate_value box;
    fate_agent *agent = open_agent(reactor, options, site, &box);

    if (!agent)
        return &no_memory_agent;
    if (!take_user_agent(agent)) {
        fate_drop(box);
        return &no_memory_agent;
    }
    bool is_kept = keep(agent);
    fate_drop(box);
    return is_kept ? agent : &no_memory_agent;
}

fate_agent *(fate_agent_new)(fate_reactor *reactor)
{
    return fate_agent_new_at(reactor, NULL, "fate_agent_new");
}

fate_agent *(fate_agent_new_with)(fate_reactor *reactor, const fate_agent_options *options)
{
    return fate_agent_new_at(reactor, options, "fate_agent_new_with");
}

fate_agent *fate__agent_of(fate_reactor *reactor, const char *site)
{
    fate_agent *agent = own_agent(reactor);

    if (agent)
        return agent;
    agent = fate_agent_new_at(reactor, NULL, site);
    if (agent == &no_memory_agent)
        return NULL;
    add_own(agent);
    return agent;
}
