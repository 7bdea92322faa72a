/* fate_serve: a listener for as long as a deferred is not cancelled. */
#include <fate/endpoint.h>

#include <stdio.h>

#include <base/alloc.h>
#include <base/options.h>
#include <deferred/ear.h>
#include <net/listener.h>

#define DRAIN_MAX (30 * FATE_SECOND)

/* It hears first of the listener, and then of that one's end. */
struct serving {
    fate_deferred *d;
    struct fate__ear ear;
    fate_listener *listener; /* NULL: not yet */
    fate_time drain_max;
    bool is_cancelled;
    const char *site;
};

static void finish(struct serving *serving, fate_value v)
{
    fate_deferred *d = serving->d;
    const char *site = serving->site;

    fate__free(serving);
    fate__fire(d, v, site);
}

/* What a cancel has ended ends with none. */
static fate_value verdict(const struct serving *serving, fate_value result)
{
    bool is_over = !fate_is_failure(&result) || (serving->is_cancelled && fate_is(&result, &FATE_CANCELLED));

    if (!is_over)
        return result;
    fate_drop(result);
    return fate_none();
}

static void has_ended(struct fate__ear *ear, fate_value result)
{
    struct serving *serving = fate_container_of(ear, struct serving, ear);

    finish(serving, verdict(serving, result));
}

static void stop(struct serving *serving)
{
    serving->ear.hear = has_ended;
    fate__listen(&serving->ear, fate_listener_stop_at(serving->listener, serving->drain_max, serving->site));
}

static void listens(struct fate__ear *ear, fate_value result)
{
    struct serving *serving = fate_container_of(ear, struct serving, ear);

    if (fate_is_failure(&result)) {
        finish(serving, verdict(serving, result));
        return;
    }
    serving->listener = fate_as_listener(&result);
    if (serving->is_cancelled)
        stop(serving);
}

/* Once to drain, and once more to cut. */
static bool cancel(fate_deferred *d, void *data, const char *site)
{
    struct serving *serving = data;
    bool is_first = !serving->is_cancelled;

    serving->is_cancelled = true;
    if (serving->listener && is_first)
        stop(serving);
    else if (serving->ear.d)
        fate_cancel(serving->ear.d);
    return false;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    const struct serving *serving = data;

    if (!serving->listener || serving->is_cancelled) {
        ret->on = serving->ear.d;
        return;
    }
    snprintf(ret->text, sizeof ret->text, "a cancel, serving %.48s", serving->listener->text);
    ret->on = serving->listener;
}

static const struct fate__source serving_source = { .cancel = cancel, .waits = say_what };

static struct serving *new_serving(const fate_listen_options *options, const char *site)
{
    struct serving *serving = fate__zalloc(sizeof *serving);

    if (!serving)
        return NULL;
    serving->ear.hear = listens;
    serving->drain_max = options->drain_max ? options->drain_max : DRAIN_MAX;
    serving->site = site;
    return serving;
}

fate_deferred *fate_serve_at(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg,
                             const fate_listen_options *options, const char *site)
{
    fate_listen_options ours = { 0 };

    fate__check_reactor(reactor, "fate_serve", site);
    fate__take_options(&ours, sizeof ours, options, "fate_serve", site);
    ours.size = sizeof ours;
    struct serving *serving = new_serving(&ours, site);
    if (!serving) {
        fate_drop(arg);
        return fate__hand_out_no_memory(&reactor->turns);
    }
    fate_deferred *d = fate__sourced(reactor, &serving_source, serving, site);
    if (!(d->flags & FATE__SOURCE)) {
        fate__free(serving);
        fate_drop(arg);
        return d;
    }
    serving->d = d;
    fate__listen(&serving->ear, fate_listen_at(reactor, endpoint, ops, arg, &ours, site));
    return d;
}

fate_deferred *(fate_serve)(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg)
{
    return fate_serve_at(reactor, endpoint, ops, arg, NULL, "fate_serve");
}

fate_deferred *(fate_serve_with)(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg,
                                 const fate_listen_options *options)
{
    return fate_serve_at(reactor, endpoint, ops, arg, options, "fate_serve_with");
}
