/* Who is told of each turn, and what is counted. */
#include <errno.h>

#include <base/alloc.h>
#include <deferred/look.h>
#include <fate/report.h>
#include <reactor/reactor.h>

/* ---- Tracers ---- */

struct fate__tracing {
    struct fate__watched watched;
    struct fate__link link;
    fate_turned_fn *turned;
    fate_value arg;
    uint64_t since;  /* the turn during which it came, which it is not told of */
    bool is_stopped; /* while it is being told: it is freed afterwards */
};

static struct fate__tracing *tracing_at(struct fate__link *link)
{
    return fate_container_of(link, struct fate__tracing, link);
}

static void stop(fate_reactor *reactor, struct fate__watched *watched)
{
    struct fate__tracing *tracing = (struct fate__tracing *)watched;
    struct fate__trace *trace = &reactor->trace;

    if (trace->next == tracing)
        trace->next = tracing_at(tracing->link.next);
    fate__list_remove(&tracing->link);
    trace->n--;
    if (trace->current == tracing) {
        tracing->is_stopped = true;
        return;
    }
    fate_drop(tracing->arg);
    fate__free(tracing);
}

static const struct fate__watch_kind kind = { "tracer", stop, NULL };

static fate_watch open_tracing(fate_reactor *reactor, const struct fate__tracing *wanted, const char *site)
{
    struct fate__tracing *tracing = fate__is_no_memory(&wanted->arg) ? NULL : fate__alloc(sizeof *tracing);

    if (!tracing)
        return (fate_watch){ reactor, -ENOMEM };
    *tracing = *wanted;
    fate_watch watch = fate__watch_open(reactor, &tracing->watched, &kind, site);
    if (watch.id < 0) {
        fate__free(tracing);
        return watch;
    }
    if (reactor->trace.n++ == 0)
        reactor->trace.began = 0; /* of an event that has begun already nobody knows when */
    fate__list_add_last(&reactor->trace.tracers, &tracing->link);
    return watch;
}

fate_watch fate_reactor_trace_at(fate_reactor *reactor, fate_turned_fn *turned, fate_value arg,
                                 const char *site)
{
    fate__check_reactor(reactor, "fate_reactor_trace", site);
    fate__check_given(&arg, "fate_reactor_trace", site);
    if (!turned)
        fate__stop(site, "fate_reactor_trace was given a NULL function.");
    const struct fate__tracing wanted = { .turned = turned, .arg = arg, .since = reactor->trace.n_turns };
    bool is_ending = reactor->turns.is_ending;
    fate_watch watch = is_ending ? (fate_watch){ reactor, -ESHUTDOWN } : open_tracing(reactor, &wanted, site);
    if (watch.id < 0)
        fate_drop(arg);
    return watch;
}

fate_watch(fate_reactor_trace)(fate_reactor *reactor, fate_turned_fn *turned, fate_value arg)
{
    return fate_reactor_trace_at(reactor, turned, arg, "fate_reactor_trace");
}

/* ---- Telling ---- */

void fate__trace_begin(fate_reactor *reactor)
{
    reactor->trace.began = fate__monotonic();
}

static void tell(struct fate__trace *trace, struct fate__tracing *tracing, const char *site, fate_time took)
{
    fate_value arg = fate_copy(&tracing->arg);

    trace->current = tracing;
    tracing->turned(site, took, &arg);
    trace->current = NULL;
    fate_drop(fate_take(&arg));
    if (tracing->is_stopped) {
        fate_drop(tracing->arg);
        fate__free(tracing);
    }
}

static void tell_all(struct fate__trace *trace, const char *site, fate_time took)
{
    uint64_t number = ++trace->n_turns;
    struct fate__tracing *tracing = tracing_at(trace->tracers.next);

    for (; &tracing->link != &trace->tracers; tracing = trace->next) {
        trace->next = tracing_at(tracing->link.next);
        if (tracing->since < number)
            tell(trace, tracing, site, took);
    }
    trace->next = NULL;
}

void fate__trace_end(fate_reactor *reactor)
{
    const char *site = reactor->turn_site ? reactor->turn_site : "";
    fate_time began = reactor->trace.began;

    if (!began)
        return;
    fate_time took = fate__monotonic() - began;
    fate__turn_enter(&reactor->turns);
    tell_all(&reactor->trace, site, took);
    fate__turn_leave(&reactor->turns);
}

/* ---- Counting ---- */

void fate__count_busy(fate_reactor *reactor)
{
    fate_time now = fate__monotonic();

    if (now > reactor->woke)
        reactor->busy += now - reactor->woke;
    reactor->woke = now;
}

static void count_timer(const struct fate__timer_view *timer, void *n)
{
    ++*(int64_t *)n;
}

static void count_watch(const struct fate__watched *watched, void *n)
{
    ++*(int64_t *)n;
}

fate_value fate_reactor_counts(const fate_reactor *reactor)
{
    fate_reactor *own = (fate_reactor *)reactor;
    int64_t n_timers = 0, n_watches = 0;

    fate__check_reactor(reactor, "fate_reactor_counts", NULL);
    fate__timers_each(&own->timers, count_timer, &n_timers);
    fate__watches_each(&own->watches, count_watch, &n_watches);
    fate_time age = fate__now(own) - own->began;
    return fate_dict_of(
        { "turns", fate_int((int64_t)own->n_turns) }, { "slow_turns", fate_int((int64_t)own->n_slow_turns) },
        { "posts", fate_int((int64_t)own->posts.n_called) },
        { "deferreds", fate_int((int64_t)fate__count_deferreds(&own->turns)) },
        { "timers", fate_int(n_timers) }, { "descriptors", fate_int((int64_t)own->descriptors.n_watched) },
        { "watches", fate_int(n_watches) }, { "busy_ns", fate_int(own->busy) }, { "age_ns", fate_int(age) });
}
