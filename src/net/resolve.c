/* fate_resolve: whom a name is asked of, and what its answers become. */
#include <net/resolve.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <base/why.h>
#include <net/address.h>
#include <net/net.h>
#include <net/sim.h>

FATE_CLASS(FATE_DNS_ERROR, "DNSError", &FATE_OS_ERROR);
FATE_CLASS(FATE_DNS_NO_NAME, "DNSNoName", &FATE_DNS_ERROR);
FATE_CLASS(FATE_DNS_NO_DATA, "DNSNoData", &FATE_DNS_ERROR);
FATE_CLASS(FATE_DNS_SERVER, "DNSServerError", &FATE_DNS_ERROR);
FATE_CLASS(FATE_DNS_REFUSED, "DNSRefused", &FATE_DNS_ERROR);
FATE_CLASS(FATE_DNS_TIMEOUT, "DNSTimeout", &FATE_TIMEOUT);

#define DEADLINE (20 * FATE_SECOND)

/* What a reactor keeps for names. */
struct fate__names {
    struct fate__owned owned;
    struct fate__net *net;
    fate_resolver *resolver; /* NULL: the system's */
    fate_value resolver_arg;
    struct fate__hosts hosts;
    struct fate__askers *askers; /* NULL until the system is asked */
    struct fate__link lookups;
};

/* A name of which the system is asked; with one thread at most, whoever asks. */
struct lookup {
    struct fate__question question;
    struct fate__link link; /* in the names */
    struct fate__names *names;
    struct fate__link asks; /* those who wait, the oldest first */
    char name[];
};

struct ask {
    struct fate__link link;
    struct lookup *lookup;
    fate_deferred *d;
    fate_timer deadline;
    const char *site;
};

/* ---- What a reactor keeps ---- */

/* Threads that are asking take their lookups with them. */
static void free_lookups(struct fate__names *names)
{
    while (!fate__list_is_empty(&names->lookups)) {
        struct lookup *lookup = fate_container_of(names->lookups.next, struct lookup, link);
        fate__list_remove(&lookup->link);
        if (fate__askers_take_back(names->askers, &lookup->question)) {
            fate__post_give_up(lookup->question.answered);
            fate__question_free(&lookup->question);
        } else if (fate__askers_give_up(names->askers, &lookup->question)) {
            fate__question_free(&lookup->question);
        }
    }
}

static void free_names(struct fate__owned *owned)
{
    struct fate__names *names = (struct fate__names *)owned;

    fate__disown(owned);
    free_lookups(names);
    if (names->askers)
        fate__askers_free(names->askers);
    fate__hosts_done(&names->hosts);
    fate_drop(names->resolver_arg);
    fate__free(names);
}

/* NULL without memory. */
static struct fate__names *names_of(fate_reactor *reactor)
{
    struct fate__net *net = fate__net(reactor);

    if (!net || net->names)
        return net ? net->names : NULL;
    struct fate__owned *owned = fate__own(reactor, sizeof(struct fate__names), free_names, "fate_resolve");
    if (owned->is_no_memory)
        return NULL;
    struct fate__names *names = (struct fate__names *)owned;
    owned->site = FATE__OWN_SITE("fate_resolve"); /* reports leave it out */
    names->net = net;
    names->hosts.path = "/etc/hosts";
    fate__list_init(&names->lookups);
    net->names = names;
    return names;
}

int fate__names_set_hosts(fate_reactor *reactor, const char *path)
{
    struct fate__names *names = names_of(reactor);

    if (!names)
        return -ENOMEM;
    names->hosts.path = path;
    return 0;
}

/* ---- Failures ---- */

static fate_value no_name(const char *name, const char *site)
{
    return fate__raise(
        site, &FATE_DNS_NO_NAME,
        "resolve %s: there is no such name; see that it is spelt right, and whether the servers "
        "in /etc/resolv.conf are those that know it",
        name);
}

static fate_value no_data(const char *name, const char *site)
{
    return fate__raise(
        site, &FATE_DNS_NO_DATA,
        "resolve %s: the name is there, but has no address of a kind that this machine can use; "
        "it may have only IPv6 addresses, or be one for mail or for services alone",
        name);
}

static fate_value not_asked(const char *name, int error, const char *site)
{
    char doing[FATE__NAME_ROOM + 64];

    if (error == ENOMEM)
        return fate__no_memory();
    snprintf(doing, sizeof doing, "resolve %s: the system could not be asked", name);
    fate_value why = fate_raise_errno_at("fate_resolve", site, error, "%s", doing);
    if (fate__is_no_memory(&why))
        return why;
    fate_value failure = fate__raise(site, &FATE_DNS_SERVER, "%s", fate_message(&why));
    fate_drop(why);
    return failure;
}

/* What getaddrinfo has said. */
static fate_value failed(const char *name, const struct fate__question *question, const char *site)
{
    switch (question->code) {
    case EAI_NONAME:
        return no_name(name, site);
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
        return no_data(name, site);
    case EAI_AGAIN:
        return fate__raise(
            site, &FATE_DNS_SERVER,
            "resolve %s: no server has answered, or one has failed for now; try again later, and "
            "see that the servers in /etc/resolv.conf can be reached",
            name);
    case EAI_FAIL:
        return fate__raise(site, &FATE_DNS_REFUSED,
                           "resolve %s: a server does not want to answer; see that those in /etc/resolv.conf "
                           "serve this machine",
                           name);
    case EAI_MEMORY:
        return fate__no_memory();
    case EAI_SYSTEM:
        return not_asked(name, question->error, site);
    default:
        return fate__raise(site, &FATE_DNS_ERROR, "resolve %s: %s", name, gai_strerror(question->code));
    }
}

static fate_value too_late(const char *name, bool has_begun, const char *site)
{
    return fate__raise(site, &FATE_DNS_TIMEOUT,
                       has_begun
                           ? "resolve %s: no answer within 20 s; see that the servers in /etc/resolv.conf "
                             "can be reached"
                           : "resolve %s: not even asked within 20 s, since all threads that ask wait for "
                             "the answers about other names; see that the servers in /etc/resolv.conf can "
                             "be reached",
                       name);
}

/* ---- Those who wait ---- */

/* Nobody waits for it, and no thread has begun: it is not needed. */
static void drop_unwanted(struct lookup *lookup)
{
    if (!fate__list_is_empty(&lookup->asks) ||
        !fate__askers_take_back(lookup->names->askers, &lookup->question))
        return;
    fate__list_remove(&lookup->link);
    fate__post_give_up(lookup->question.answered);
    fate__question_free(&lookup->question);
}

static void free_ask(struct ask *ask)
{
    fate__list_remove(&ask->link);
    fate_timer_cancel(ask->deadline);
    fate__free(ask);
}

static bool cancel(fate_deferred *d, void *data, const char *site)
{
    struct ask *ask = data;
    struct lookup *lookup = ask->lookup;

    free_ask(ask);
    drop_unwanted(lookup);
    return true;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    const struct ask *ask = data;

    snprintf(ret->text, sizeof ret->text, "the addresses of %.55s", ask->lookup->name);
}

static const struct fate__source asking = { .cancel = cancel, .waits = say_what };

static void answer(struct ask *ask, fate_value v)
{
    fate_deferred *d = ask->d;
    const char *site = ask->site;

    free_ask(ask);
    fate__fire(d, v, site);
}

static void out_of_time(fate_value *arg)
{
    struct ask *ask = fate_as_ptr(arg);
    struct lookup *lookup = ask->lookup;
    bool has_begun = true;

    /* Who else waits for it, waits in line; so it is only known when nobody does. */
    if (lookup->asks.next == lookup->asks.prev)
        has_begun = !fate__askers_take_back(lookup->names->askers, &lookup->question);
    fate_value why = too_late(lookup->name, has_begun, ask->site);
    if (!has_begun) {
        fate__list_remove(&lookup->link);
        fate__post_give_up(lookup->question.answered);
    }
    answer(ask, why);
    if (!has_begun)
        fate__question_free(&lookup->question);
}

/* ---- Answers ---- */

static void take_addresses(const struct addrinfo *found, struct fate__addresses *to)
{
    for (; found; found = found->ai_next) {
        struct sockaddr_storage storage = { 0 };
        fate_address address;
        if (!found->ai_addr || found->ai_addrlen > sizeof storage)
            continue;
        memcpy(&storage, found->ai_addr, found->ai_addrlen);
        fate__address_from(&storage, found->ai_addrlen, &address);
        if (address.family == AF_INET || address.family == AF_INET6)
            fate__addresses_add(to, &address);
    }
    fate__addresses_alternate(to);
}

/* Each who waits gets a list of its own: so may change it. */
static fate_value answer_of(const struct lookup *lookup, const struct fate__addresses *addresses,
                            const char *site)
{
    if (lookup->question.code)
        return failed(lookup->name, &lookup->question, site);
    if (addresses->n == 0 && !addresses->has_failed)
        return no_data(lookup->name, site);
    return fate__addresses_list(addresses);
}

/* Whoever is called may ask again, and that is a lookup of its own; or cancel others of this one. */
static void is_answered(fate_value *arg)
{
    struct lookup *lookup = fate_as_ptr(arg);
    struct fate__addresses addresses = { 0 };

    fate__list_remove(&lookup->link);
    take_addresses(lookup->question.found, &addresses);
    while (!fate__list_is_empty(&lookup->asks)) {
        struct ask *ask = fate_container_of(lookup->asks.next, struct ask, link);
        answer(ask, answer_of(lookup, &addresses, ask->site));
    }
    fate__addresses_done(&addresses);
    fate__question_free(&lookup->question);
}

/* ---- Asking the system ---- */

static struct lookup *find_lookup(const struct fate__names *names, const char *name)
{
    for (struct fate__link *link = names->lookups.next; link != &names->lookups; link = link->next) {
        struct lookup *lookup = fate_container_of(link, struct lookup, link);
        if (strcasecmp(lookup->name, name) == 0)
            return lookup;
    }
    return NULL;
}

static bool has_askers(struct fate__names *names)
{
    if (!names->askers)
        names->askers = fate__askers_new(&names->net->reactor->posts);
    return names->askers;
}

static struct lookup *new_lookup(struct fate__names *names, const char *name)
{
    size_t len = strlen(name);
    struct fate__post *answered = has_askers(names) ? fate__post_prepare(&names->net->reactor->posts) : NULL;
    struct lookup *lookup = answered ? fate__zalloc(sizeof *lookup + len + 1) : NULL;

    if (!lookup) {
        if (answered)
            fate__post_give_up(answered);
        return NULL;
    }
    memcpy(lookup->name, name, len + 1);
    lookup->names = names;
    lookup->question.name = lookup->name;
    lookup->question.answered = answered;
    answered->action = is_answered;
    answered->arg = fate_ptr(lookup);
    answered->site = FATE__OWN_SITE("the addresses of a name");
    fate__list_init(&lookup->question.link);
    fate__list_init(&lookup->asks);
    fate__list_add_last(&names->lookups, &lookup->link);
    return lookup;
}

static void free_unasked(struct lookup *lookup)
{
    fate__list_remove(&lookup->link);
    fate__post_give_up(lookup->question.answered);
    fate__question_free(&lookup->question);
}

/* The deferred of one more who waits; one that has failed for want of memory, and *ret_ask NULL. */
static fate_deferred *join(struct lookup *lookup, const char *site, struct ask **ret_ask)
{
    fate_reactor *reactor = lookup->names->net->reactor;
    struct ask *ask = fate__zalloc(sizeof *ask);

    *ret_ask = NULL;
    if (!ask)
        return fate__hand_out_no_memory(&reactor->turns);
    ask->deadline = fate_call_later_at(reactor, DEADLINE, out_of_time, fate_ptr(ask),
                                       FATE__OWN_SITE("the deadline of a name"));
    if (ask->deadline.id == -ENOMEM) {
        fate__free(ask);
        return fate__hand_out_no_memory(&reactor->turns);
    }
    fate_deferred *d = fate__sourced(reactor, &asking, ask, site);
    if (!(d->flags & FATE__SOURCE)) {
        fate_timer_cancel(ask->deadline);
        fate__free(ask);
        return d;
    }
    ask->lookup = lookup;
    ask->d = d;
    ask->site = site;
    fate__list_add_last(&lookup->asks, &ask->link);
    *ret_ask = ask;
    return d;
}

static fate_deferred *ask_system(struct fate__names *names, const char *name, const char *site)
{
    struct lookup *lookup = find_lookup(names, name);
    bool is_new = !lookup;
    struct ask *ask;

    if (is_new)
        lookup = new_lookup(names, name);
    if (!lookup)
        return fate__hand_out_no_memory(&names->net->reactor->turns);
    fate_deferred *d = join(lookup, site, &ask);
    if (!is_new)
        return d;
    int why = ask ? fate__askers_ask(names->askers, &lookup->question) : 0;
    if (why)
        answer(ask, not_asked(name, why, site));
    if (!ask || why)
        free_unasked(lookup);
    return d;
}

/* ---- What needs no asking ---- */

static fate_deferred *fired(fate_reactor *reactor, fate_value v, const char *site)
{
    fate_deferred *d = fate__library_deferred(reactor, site);

    if (fate__is_no_memory_deferred(d))
        fate_drop(v);
    else
        fate__fire(d, v, site);
    return d;
}

static fate_deferred *fired_with(fate_reactor *reactor, struct fate__addresses *addresses, const char *site)
{
    fate_deferred *d = fired(reactor, fate__addresses_list(addresses), site);

    fate__addresses_done(addresses);
    return d;
}

static fate_deferred *fired_with_one(fate_reactor *reactor, const fate_address *address, const char *site)
{
    struct fate__addresses one = { 0 };

    fate__addresses_add(&one, address);
    return fired_with(reactor, &one, site);
}

/* 0; -EINVAL: it is none; -ENODEV. */
static int read_literal(const char *name, fate_address *ret_address)
{
    size_t len = strlen(name);
    bool is_bracketed = len > 1 && name[0] == '[' && name[len - 1] == ']';

    if (!is_bracketed)
        return fate__address_literal(name, len, ret_address);
    int why = fate__address_literal(name + 1, len - 2, ret_address);
    return why == 0 && ret_address->family != AF_INET6 ? -EINVAL : why;
}

static fate_deferred *refuse(fate_reactor *reactor, const char *name, const char *fault, const char *site)
{
    char text[FATE__SHOWN_BYTES];
    fate_value why = fate__raise(site, &FATE_DNS_NO_NAME, "resolve \"%s\": it is %s",
                                 fate__shown(name, strlen(name), text), fault);

    return fired(reactor, why, site);
}

/* Most of what runs on a host listens to IPv4 there, or to both. */
static fate_deferred *this_host(fate_reactor *reactor, const char *site)
{
    struct fate__addresses both = { 0 };
    fate_address ip4 = { .family = AF_INET, .as.ip = { 127, 0, 0, 1 } };
    fate_address ip6 = { .family = AF_INET6, .as.ip = { [15] = 1 } };

    fate__addresses_add(&both, &ip4);
    fate__addresses_add(&both, &ip6);
    return fired_with(reactor, &both, site);
}

static fate_deferred *in_simulated_network(fate_reactor *reactor, const char *name, const char *site)
{
    fate_address address;

    if (fate__sim_resolve(reactor, fate__name_is_local(name) ? "localhost" : name, &address) < 0)
        return fate__hand_out_no_memory(&reactor->turns);
    return fired_with_one(reactor, &address, site);
}

/* ---- Whom to ask ---- */

/* Its arg is kept while it is called, in which it may be replaced. */
static fate_deferred *ask_resolver(struct fate__names *names, const char *name, const char *site)
{
    fate_value arg = fate_copy(&names->resolver_arg);
    fate_deferred *d = names->resolver(names->net->reactor, name, &arg);

    fate_drop(arg);
    if (!d)
        fate__stop(site,
                   "the resolver of fate_set_resolver returned NULL for %s. It returns a deferred: "
                   "fate_fail, if it has no addresses.",
                   name);
    return d;
}

static fate_deferred *ask_for(struct fate__names *names, const char *name, const char *site)
{
    struct fate__addresses addresses = { 0 };

    fate__hosts_find(&names->hosts, name, &addresses);
    bool is_found = addresses.n > 0 || addresses.has_failed;
    const char *fault = is_found ? NULL : fate__name_not_for_dns(name);
    if (fault)
        return fired(names->net->reactor, fate__raise(site, &FATE_DNS_NO_NAME, "resolve %s: %s", name, fault),
                     site);
    if (!is_found)
        return ask_system(names, name, site);
    fate__addresses_alternate(&addresses);
    return fired_with(names->net->reactor, &addresses, site);
}

/* Without the resolver that was set, if by_default. */
static fate_deferred *resolve(fate_reactor *reactor, const char *name, bool by_default, const char *site)
{
    fate_address address;

    fate__check_reactor(reactor, "fate_resolve", site);
    if (!name)
        fate__stop(site, "fate_resolve was given a NULL name. It is a text as in \"example.org\".");
    int why = read_literal(name, &address);
    if (why == 0)
        return fired_with_one(reactor, &address, site);
    const char *fault =
        why == -ENODEV ? "an address of an interface that is not there" : fate__name_fault(name);
    if (fault)
        return refuse(reactor, name, fault, site);
    struct fate__names *names = names_of(reactor);
    if (!names)
        return fate__hand_out_no_memory(&reactor->turns);
    if (fate__name_is_local(name) && !reactor->is_simulated)
        return this_host(reactor, site);
    if (names->resolver && !by_default)
        return ask_resolver(names, name, site);
    return reactor->is_simulated ? in_simulated_network(reactor, name, site) : ask_for(names, name, site);
}

fate_deferred *fate_resolve_at(fate_reactor *reactor, const char *name, const char *site)
{
    return resolve(reactor, name, false, site);
}

fate_deferred *fate_resolve_by_default_at(fate_reactor *reactor, const char *name, const char *site)
{
    return resolve(reactor, name, true, site);
}

fate_deferred *(fate_resolve)(fate_reactor *reactor, const char *name)
{
    return fate_resolve_at(reactor, name, "fate_resolve");
}

fate_deferred *(fate_resolve_by_default)(fate_reactor *reactor, const char *name)
{
    return fate_resolve_by_default_at(reactor, name, "fate_resolve_by_default");
}

int fate_set_resolver(fate_reactor *reactor, fate_resolver *resolver, fate_value arg)
{
    fate__check_reactor(reactor, "fate_set_resolver", NULL);
    fate__check_given(&arg, "fate_set_resolver", NULL);
    struct fate__names *names = fate__is_no_memory(&arg) ? NULL : names_of(reactor);
    if (!names) {
        fate_drop(arg);
        return -ENOMEM;
    }
    fate_value before = names->resolver_arg;
    names->resolver = resolver;
    names->resolver_arg = arg;
    fate_drop(before);
    return 0;
}
