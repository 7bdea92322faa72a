/* Firing: the first result, and what is done with a second. */
#include <errno.h>

#include <base/text.h>
#include <deferred/deferred.h>

static void drop_canceller(fate_deferred *d)
{
    struct fate__level *last = &d->places[FATE__PLACES - 1];

    if (d->flags & FATE__CANCELLER) {
        d->flags &= (uint16_t)~FATE__CANCELLER;
        fate_drop(last->arg);
    } else if ((d->flags & FATE__SOURCE) && !last->as.source->gone) {
        d->flags &= (uint16_t)~FATE__SOURCE;
    }
}

/* The canceller is of no more use, nor is a pending fire_later; both may run code of the user's, who must
 * find d running, so that levels added there stay behind those that are there. */
static void forget_producer(fate_deferred *d)
{
    d->flags |= FATE__RUNNING;
    drop_canceller(d);
    if (d->flags & FATE__TIMED) {
        d->flags &= (uint16_t)~FATE__TIMED;
        fate__turns_of(d)->fired_early(d);
    }
    d->flags &= (uint16_t)~FATE__RUNNING;
}

fate_deferred *fate__accept(fate_deferred *d, fate_value v, const char *site)
{
    d->flags |= FATE__FIRED;
    fate__store(&d->result, v);
    if (fate__unlikely(d->flags & (FATE__CANCELLER | FATE__SOURCE | FATE__TIMED)))
        forget_producer(d);
    if (d->n < FATE__PLACES && !(d->flags & FATE__SOURCE)) {
        d->places[FATE__PLACES - 1].site = site;
        d->marks |= FATE__KNOWS_FIRE;
    }
    if (!d->pauses)
        return d;
    fate__settle(d); /* whoever paused it may have given up */
    return NULL;
}

void fate__fire(fate_deferred *d, fate_value v, const char *site)
{
    if (d->flags & FATE__FIRED)
        fate_drop(v);
    else if (fate__accept(d, v, site))
        fate__run(d);
}

/* ---- A firing that is refused ---- */

int fate__swallow(fate_deferred *d)
{
    d->flags &= (uint16_t)~FATE__SWALLOW;
    if (d->magic == FATE__BARE) {
        d->magic = FATE__FREED;
        fate__slab_give(&fate__turns_of(d)->deferreds, d);
    }
    return -ECANCELED;
}

static void log_second_firing(fate_deferred *d, const char *site)
{
    char made[128], fired[128];
    bool knows = d->marks & FATE__KNOWS_FIRE;

    fate__warn(fate__turns_of(d), site,
               "the deferred made at %s was fired a second time; the value was dropped (R11). It was fired "
               "first at %s",
               fate__site_short(fate__site_of(d), made, sizeof made),
               knows ? fate__site_short(d->places[FATE__PLACES - 1].site, fired, sizeof fired)
                     : "a place that is not known any more");
}

bool fate__is_bare(const fate_deferred *d)
{
    return d && !fate__slab_is_poisoned(d) && d->magic == FATE__BARE;
}

/* Why d does not take a result from its producer; 0: it does. */
static int refuse(fate_deferred *d, const char *what, const char *site)
{
    if (fate__is_bare(d))
        return fate__swallow(d);
    if (!fate__check(d, what, site))
        return -ENOMEM;
    if (d->flags & FATE__LIBRARY)
        return -EPERM;
    if (d->flags & FATE__SWALLOW)
        return fate__swallow(d);
    return d->flags & FATE__FIRED ? -EALREADY : 0;
}

static int fire_refused(fate_deferred *d, fate_value v, const char *site)
{
    int why = refuse(d, "fate_fire", site);

    fate__assert(why < 0);
    if (why == -EALREADY)
        log_second_firing(d, site);
    fate_drop(v);
    return why;
}

int fate__fire_slowly(fate_deferred *d, fate_value v, const char *site)
{
    fate__check_given(&v, "fate_fire", site);
#ifdef FATE__ASAN
    if (!fate__is_bare(d))
        fate__check(d, "fate_fire", site);
#endif
    if (fate__unlikely(!d || d->magic != FATE__ALIVE || (d->flags & (FATE__FIRED | FATE__LIBRARY))))
        return fire_refused(d, v, site);
    if (fate__accept(d, v, site))
        fate__run_fresh(d);
    return 0;
}

int(fate_fire)(fate_deferred *d, fate_value value_or_failure)
{
    return fate_fire_at(d, value_or_failure, "fate_fire");
}

/* ---- Giving up ---- */

void fate__abandon(fate_deferred *d)
{
    d->flags |= FATE__ABANDONED;
    fate__settle(d);
}

/* One that was cancelled may still be fired, in vain, by a chain: that is swallowed as before.  One that is
 * paused gives up its pauses. */
static int abandon_fired(fate_deferred *d)
{
    bool was_cancelled = d->flags & FATE__SWALLOW;

    if (!was_cancelled && !d->pauses)
        return -EALREADY;
    fate__abandon(d);
    return was_cancelled ? -ECANCELED : 0;
}

/* The library has still to fire d; only then does it matter. */
static int give_up_pauses(fate_deferred *d)
{
    if (!d->pauses)
        return -EPERM;
    d->marks |= FATE__NO_PAUSES;
    return 0;
}

int fate_abandon(fate_deferred *d)
{
    if (fate__is_bare(d))
        return fate__swallow(d);
    if (!fate__check(d, "fate_abandon", NULL))
        return -ENOMEM;
    if (d->flags & FATE__FIRED)
        return abandon_fired(d);
    if (d->flags & FATE__LIBRARY)
        return give_up_pauses(d);
    fate__abandon(d);
    return 0;
}

void fate_forget(fate_deferred *d)
{
    if (!fate__check(d, "fate_forget", NULL))
        return;
    d->flags |= FATE__FORGOTTEN;
    fate__settle(d);
}
