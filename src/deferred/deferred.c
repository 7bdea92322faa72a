/* Deferreds: making them, holding them, looking at them. */
#include <deferred/deferred.h>

#include <errno.h>

#include <base/text.h>

/* ---- Stale pointers ---- */

_Noreturn void fate__not_alive(const fate_deferred *d, const char *what, const char *site)
{
    char made[128] = "an unknown place";

    if (!d)
        fate__stop(site, "%s was given a NULL deferred. No function of libfate returns one: was it ever set?",
                   what);
    fate__slab_unpoison(d, sizeof *d);
    if (d->magic != FATE__FREED && d->magic != FATE__BARE && d->magic != FATE__GOING)
        fate__stop(site, "%s was given a pointer that is no deferred, or one that was overwritten.", what);
    fate__site_short(d->site, made, sizeof made);
    fate__stop(site,
               "%s: the deferred made at %s has gone. One that is done and not held goes at the end of its "
               "turn, or as "
               "soon as its result has been followed (ownership, rule 2). Whoever may cancel, add or look in "
               "a later "
               "turn must fate_hold it, and fate_release it when that is over.",
               what, made);
}

/* ---- Making ---- */

static inline void set_up(struct fate__turns *turns, fate_deferred *d, unsigned flags, const char *site)
{
    fate__set_head(d, FATE__ALIVE, flags);
    d->holds = 0;
    d->result = fate_none();
    d->site = site;
    d->link = NULL;
    d->waiters = NULL;
    d->age_ms = turns->now_ms;
    d->serial = turns->serial++;
    d->pauses = 0;
    d->marks = 0;
    d->next = d->n = 0;
}

static fate_deferred *make(struct fate__turns *turns, unsigned flags, const char *site)
{
    fate_deferred *d = fate__slab_take(&turns->deferreds);

    if (fate__likely(d != NULL))
        set_up(turns, d, flags, site);
    return d;
}

/* While the reactor is being freed, what is new is born cancelled. */
static fate_deferred *born(struct fate__turns *turns, unsigned flags, const char *site)
{
    fate_deferred *d = make(turns, flags, site);

    if (fate__unlikely(!d))
        return fate__hand_out_no_memory(turns);
    if (fate__unlikely(turns->is_ending)) {
        fate__fire(d, fate__raise(site, &FATE_CANCELLED, "the reactor is being freed"), site);
        if (!(flags & FATE__LIBRARY))
            d->flags |= FATE__SWALLOW; /* its producer does not know yet */
    }
    return d;
}

static fate__apart fate_deferred *new_slowly(fate_reactor *reactor, const char *site)
{
    fate__check_reactor(reactor, "fate_deferred_new", site);
    return born(fate__turns(reactor), 0, site);
}

fate_deferred *fate_deferred_new_at(fate_reactor *reactor, const char *site)
{
    struct fate__turns *turns = fate__turns(reactor);

    if (fate__unlikely(!turns || turns->is_ending || !fate__slab_has_free(&turns->deferreds)))
        return new_slowly(reactor, site);
    fate_deferred *d = fate__slab_take_free(&turns->deferreds);
    set_up(turns, d, 0, site);
    return d;
}

fate_deferred *fate_deferred_new_cancellable_at(fate_reactor *reactor, fate_canceller *canceller,
                                                fate_value arg, const char *site)
{
    struct fate__turns *turns = fate__turns(reactor);

    fate__check_reactor(reactor, "fate_deferred_new_cancellable", site);
    fate__check_given(&arg, "fate_deferred_new_cancellable", site);
    if (fate__is_no_memory(&arg))
        return fate__hand_out_no_memory(turns);
    fate_deferred *d = born(turns, 0, site);
    if (fate__is_no_memory_deferred(d) || (d->flags & FATE__FIRED)) {
        fate_drop(arg);
        return d;
    }
    if (!canceller) {
        fate_drop(arg);
        return d;
    }
    d->flags |= FATE__CANCELLER;
    d->places[FATE__PLACES - 1] = (struct fate__level){ .as.canceller = canceller, .site = site, .arg = arg };
    return d;
}

fate_deferred *fate__library_deferred(fate_reactor *reactor, const char *site)
{
    return born(fate__turns(reactor), FATE__LIBRARY, site);
}

/* d has FATE__SOURCE. */
static inline fate_deferred *set_source(fate_deferred *d, const struct fate__source *source, void *data,
                                        const char *site)
{
    struct fate__level *last = &d->places[FATE__PLACES - 1];

    last->as.source = source;
    last->site = site;
    last->arg = (fate_value){ NULL, { .p = data } };
    return d;
}

fate_deferred *fate__sourced(fate_reactor *reactor, const struct fate__source *source, void *data,
                             const char *site)
{
    struct fate__turns *turns = fate__turns(reactor);

    if (fate__likely(!turns->is_ending && fate__slab_has_free(&turns->deferreds))) {
        fate_deferred *d = fate__slab_take_free(&turns->deferreds);
        set_up(turns, d, FATE__LIBRARY | FATE__SOURCE, site);
        return set_source(d, source, data, site);
    }
    fate_deferred *d = fate__library_deferred(reactor, site);
    if (fate__is_no_memory_deferred(d) || (d->flags & FATE__FIRED)) {
        if (source->gone)
            source->gone(d, data);
        return d;
    }
    d->flags |= FATE__SOURCE;
    return set_source(d, source, data, site);
}

fate_deferred *fate_succeed_at(fate_reactor *reactor, fate_value value, const char *site)
{
    fate__check_reactor(reactor, "fate_succeed", site);
    fate__check_given(&value, "fate_succeed", site);
    struct fate__turns *turns = fate__turns(reactor);
    fate_deferred *d = make(turns, fate_is_failure(&value) ? FATE__FIRED | FATE__ARMED : FATE__FIRED, site);
    if (fate__unlikely(!d)) {
        fate_drop(value);
        return fate__hand_out_no_memory(turns);
    }
    fate__store(&d->result, value);
    d->places[FATE__PLACES - 1].site = site;
    d->marks = FATE__KNOWS_FIRE;
    fate__join_sweep(turns, d);
    return d;
}

fate_deferred *fate_fail_at(fate_reactor *reactor, fate_value failure, const char *site)
{
    if (!fate_is_failure(&failure))
        fate__stop(site, "fate_fail was given a value that is no failure. Make one with fate_raise, or use "
                         "fate_succeed.");
    return fate_succeed_at(reactor, failure, site);
}

bool fate__returned_untaken(const fate_value *out, const fate_value *lent)
{
    if (!out->type || !out->type->is_counted || !lent->type)
        return false;
    bool is_same = out->type->plain == lent->type->plain && out->as.p == lent->as.p;
    bool is_only = out->type->kind != FATE_KIND_DEFERRED && fate__refs(out) == 1;
    return is_same && (out->type->is_lent || is_only);
}

fate_value fate__call_function(fate_function *function, fate_value arg, const char *site)
{
    if (fate__is_no_memory(&arg))
        return fate__no_memory();
    fate__lend(&arg);
    fate_value out = function(&arg);
    fate__unlend(&arg);
    if (fate__returned_untaken(&out, &arg))
        fate__stop(site, "the function returned *arg, which is only lent to it (ownership, rule 1). Return "
                         "fate_take(arg), or fate_copy(arg) to keep it as well.");
    fate_drop(arg);
    return out;
}

struct maybe_call {
    fate_reactor *reactor;
    fate_function *function;
    fate_value arg;
    const char *site;
    fate_deferred *d;
};

static void maybe_outside(void *arg)
{
    struct maybe_call *call = arg;
    call->d = fate_maybe_at(call->reactor, call->function, call->arg, call->site);
}

fate_deferred *fate_maybe_at(fate_reactor *reactor, fate_function *function, fate_value arg, const char *site)
{
    fate__check_reactor(reactor, "fate_maybe", site);
    fate__check_given(&arg, "fate_maybe", site);
    struct fate__turns *turns = fate__turns(reactor);
    if (turns->outside) {
        struct maybe_call call = { reactor, function, arg, site, NULL };
        turns->outside(turns, maybe_outside, &call);
        return call.d;
    }
    fate_value out = fate__call_function(function, arg, site);
    if (out.type && out.type->kind == FATE_KIND_FOLLOW)
        return out.as.p;
    return fate_succeed_at(reactor, out, site);
}

fate_value fate_follow(fate_deferred *d)
{
    fate__check(d, "fate_follow", NULL);
    return (fate_value){ &fate__type_follow, { .p = d } };
}

/* ---- Holding ---- */

static void hold_for_value(fate_deferred *d)
{
    if (!fate__is_no_memory_deferred(d))
        d->holds++;
}

static const char *site_for_value(const fate_deferred *d)
{
    return fate__site_of(d);
}

void fate__release(fate_deferred *d)
{
    fate__assert(d->holds > 0);
    if (--d->holds == 0)
        fate__settle(d);
}

static void release_for_value(fate_deferred *d)
{
    if (!fate__is_no_memory_deferred(d))
        fate__release(d);
}

static const struct fate__held_ops held_ops = { hold_for_value, release_for_value, site_for_value };

fate_deferred *fate_hold(fate_deferred *d)
{
    if (fate__check(d, "fate_hold", NULL))
        d->holds++;
    return d;
}

void fate_release(fate_deferred *d)
{
    if (!fate__check(d, "fate_release", NULL))
        return;
    if (d->holds == 0)
        fate__stop(fate__site_of(d),
                   "fate_release of a deferred made here that nobody holds. Each fate_release answers "
                   "one fate_hold (ownership, rule 2).");
    fate__release(d);
}

fate_value fate_held(fate_deferred *d)
{
    if (!fate__held) /* once: reactors of other threads read it */
        fate__held = &held_ops;
    fate_hold(d);
    return (fate_value){ &fate__type_deferred, { .p = d } };
}

fate_deferred *fate_as_deferred(const fate_value *v)
{
    return fate__as_object(&fate__type_deferred, v, "fate_as_deferred");
}

/* ---- Pausing ---- */

void fate_pause(fate_deferred *d)
{
    if (!fate__check(d, "fate_pause", NULL))
        return;
    if (d->pauses == UINT16_MAX)
        fate__stop(fate__site_of(d),
                   "fate_pause: the deferred made here has been paused 65,535 times without "
                   "fate_unpause. Is a pause in a loop missing its counterpart?");
    d->pauses++;
}

int fate_unpause(fate_deferred *d)
{
    if (!fate__check(d, "fate_unpause", NULL))
        return 0;
    if (d->pauses == 0)
        return -EINVAL;
    d->pauses--;
    if (fate__can_run(d))
        fate__run(d);
    return 0;
}

/* ---- Looking ---- */

fate_deferred_state fate_state(const fate_deferred *d)
{
    fate__check(d, "fate_state", NULL);
    if (!(d->flags & FATE__FIRED))
        return FATE_UNFIRED;
    return d->flags & FATE__WAITING ? FATE_WAITING : FATE_DONE;
}

bool fate_is_paused(const fate_deferred *d)
{
    return fate__check(d, "fate_is_paused", NULL) && d->pauses > 0;
}

const fate_value *fate_peek(const fate_deferred *d)
{
    return fate_state(d) == FATE_DONE ? &d->result : NULL;
}

const char *fate_deferred_site(const fate_deferred *d)
{
    fate__check(d, "fate_deferred_site", NULL);
    return fate__site_of(d);
}

fate_reactor *fate_deferred_reactor(const fate_deferred *d)
{
    fate__check(d, "fate_deferred_reactor", NULL);
    return fate__reactor(fate__turns_of(d));
}

/* ---- Without a line ---- */

fate_deferred *(fate_deferred_new)(fate_reactor *reactor)
{
    return fate_deferred_new_at(reactor, "fate_deferred_new");
}

fate_deferred *(fate_deferred_new_cancellable)(fate_reactor *reactor, fate_canceller *canceller,
                                               fate_value arg)
{
    return fate_deferred_new_cancellable_at(reactor, canceller, arg, "fate_deferred_new_cancellable");
}

fate_deferred *(fate_succeed)(fate_reactor *reactor, fate_value value)
{
    return fate_succeed_at(reactor, value, "fate_succeed");
}

fate_deferred *(fate_fail)(fate_reactor *reactor, fate_value failure)
{
    return fate_fail_at(reactor, failure, "fate_fail");
}

fate_deferred *(fate_maybe)(fate_reactor *reactor, fate_function *function, fate_value arg)
{
    return fate_maybe_at(reactor, function, arg, "fate_maybe");
}
