/* Cancelling: to where the work is done, or as far as that can be told (R64-R76). */
#include <deferred/deferred.h>

static bool hands_cancel_on(const fate_deferred *d)
{
    if ((d->flags & (FATE__FIRED | FATE__WAITING)) != (FATE__FIRED | FATE__WAITING))
        return false;
    return !(d->flags & FATE__SOURCE) || !d->places[FATE__PLACES - 1].as.source->ignores_cancel_once_fired;
}

/* The canceller is called at most once, also when it cancels d itself (R71). */
static void call_canceller(fate_deferred *d)
{
    struct fate__level canceller = d->places[FATE__PLACES - 1];

    d->flags &= (uint16_t)~FATE__CANCELLER;
    d->marks |= FATE__WAS_CANCELLED;
    fate__lend(&canceller.arg);
    if (!fate__is_no_memory(&canceller.arg))
        canceller.as.canceller(d, &canceller.arg);
    fate_drop(fate_take(&canceller.arg));
}

/* Asks whoever makes d's result to stop.  Returns whether d is to fail if it has not fired by then. */
static bool stop_producer(fate_deferred *d, const char *site)
{
    if (d->flags & FATE__CANCELLER) {
        call_canceller(d);
        return true;
    }
    if (d->flags & FATE__SOURCE) {
        const struct fate__level *last = &d->places[FATE__PLACES - 1];
        return last->as.source->cancel(d, last->arg.as.p, site);
    }
    /* The producer does not know.  Its one late result is swallowed; a fire_later, which goes now, was that
     * result. */
    if (!(d->flags & (FATE__LIBRARY | FATE__TIMED)) && !(d->marks & FATE__WAS_CANCELLED))
        d->flags |= FATE__SWALLOW;
    return true;
}

/* One whose producer is asked, or that has no producer to ask. */
static void cancel_here(fate_deferred *d, const char *site)
{
    const uint8_t before = d->marks & (FATE__CANCELLING | FATE__CANCELLING_2);

    fate__hold(d);
    d->marks |= before ? FATE__CANCELLING_2 : FATE__CANCELLING;
    if (stop_producer(d, site) && !(d->flags & FATE__FIRED))
        fate__fire(d, fate__raise_with("fate_cancel", site, &FATE_CANCELLED, fate_none(), fate_none()), site);
    d->marks = (uint8_t)((d->marks & ~(FATE__CANCELLING | FATE__CANCELLING_2)) | before);
    fate__release(d);
}

static const struct fate__source *coroutine_source(const fate_deferred *d)
{
    const struct fate__source *source =
        d->flags & FATE__SOURCE ? d->places[FATE__PLACES - 1].as.source : NULL;
    return source && source->begin_cancel ? source : NULL;
}

/* Down to where something can be cancelled.  ret_above: the coroutines passed, the innermost first, held. */
static fate_deferred *descend(fate_deferred *d, fate_deferred **ret_above)
{
    fate_deferred *above = NULL;

    for (;;) {
        while (hands_cancel_on(d))
            d = d->wait.on;
        const struct fate__source *source = d->flags & FATE__FIRED ? NULL : coroutine_source(d);
        fate_deferred *inner = source ? source->begin_cancel(d, fate__source_data(d), above) : NULL;
        if (!inner) {
            *ret_above = above;
            return source || (d->flags & FATE__FIRED) ? NULL : d;
        }
        fate__hold(d);
        above = d;
        d = inner;
    }
}

static void cancel(fate_deferred *d, const char *site)
{
    fate_deferred *asked = d;
    fate_deferred *above;

    d = descend(d, &above);
    /* A list may have a member that waits for the list: its cancel comes back, and is not taken in again. */
    bool comes_back = d && d != asked && (d->marks & FATE__CANCELLING_2);
    if (d && !comes_back)
        cancel_here(d, site);
    while (above) {
        fate_deferred *coroutine = above;
        above = coroutine_source(coroutine)->end_cancel(coroutine, fate__source_data(coroutine));
        fate__release(coroutine);
    }
}

struct cancel_call {
    fate_deferred *d;
    const char *site;
};

static void cancel_outside(void *arg)
{
    struct cancel_call *call = arg;
    cancel(call->d, call->site);
}

void fate_cancel_at(fate_deferred *d, const char *site)
{
    if (!fate__check(d, "fate_cancel", site))
        return;
    struct fate__turns *turns = fate__turns_of(d);
    struct cancel_call call = { d, site };
    if (turns->outside)
        turns->outside(turns, cancel_outside, &call);
    else
        cancel(d, site);
}

void(fate_cancel)(fate_deferred *d)
{
    fate_cancel_at(d, "");
}
