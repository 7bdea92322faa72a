/* Adding levels. */
#include <deferred/deferred.h>

#include <base/options.h>

static bool sees_failures(unsigned kind, const struct fate__level level[])
{
    if (kind == FATE__PAIR || kind == FATE__PAIR_SHARED)
        return level[1].as.call != NULL;
    if (kind == FATE__TRAP)
        return fate_class_is(&FATE_NO_MEMORY, level[1].as.class);
    return kind != FATE__CALLBACK;
}

static void add_to_no_memory(fate_deferred *d, unsigned kind, struct fate__level level[])
{
    if (sees_failures(kind, level))
        fate__turns_of(d)->handed_no_memory = false;
    fate__run_on_no_memory(d, kind, level);
}

bool fate__add(fate_deferred *d, unsigned kind, struct fate__level level[])
{
    if (fate__is_no_memory_deferred(d)) {
        add_to_no_memory(d, kind, level);
        return true;
    }
    if (fate__is_idle(d)) {
        fate__run_level(d, kind, level);
        return true;
    }
    bool is_stored = fate__level_push(d, kind, level);
    if (fate__can_run(d))
        fate__run(d);
    return is_stored;
}

bool fate__add_native(fate_deferred *d, const struct fate__native *native, void *data, size_t index)
{
    struct fate__level level = { .as.native = native, .index = index, .arg = { NULL, { .p = data } } };
    return fate__add(d, FATE__NATIVE, &level);
}

/* d is returned though it may have gone by now: the level may have run, and what it did is the user's. */
static fate_deferred *add(fate_deferred *d, unsigned kind, struct fate__level level[])
{
    if (!fate__add(d, kind, level))
        fate__level_drop(kind, level);
    return d;
}

static const char *const names[] = {
    [FATE__CALLBACK] = "fate_add_callback",
    [FATE__ERRBACK] = "fate_add_errback",
    [FATE__BOTH] = "fate_add_both",
};

static fate__apart fate_deferred *add_slowly(fate_deferred *d, fate_callback *callback, fate_value arg,
                                             unsigned kind, const char *site)
{
    struct fate__level level = { .as.call = callback, .site = site, .arg = arg };

    fate__check(d, names[kind], site);
    fate__check_given(&arg, names[kind], site);
    if (!callback)
        fate__stop(site, "%s was given a NULL callback.", names[kind]);
    return add(d, kind, &level);
}

static inline fate_deferred *write_level(fate_deferred *d, struct fate__level *place, fate_callback *callback,
                                         fate_value arg, const char *site)
{
    place->as.call = callback;
    place->site = site;
    place->arg.type = arg.type;
    place->arg.as.i = arg.as.i;
    return d;
}

/* Where d's levels are full, or with add_slowly where there is more to it. */
static fate__apart fate_deferred *add_in_new_block(fate_deferred *d, fate_callback *callback, fate_value arg,
                                                   unsigned kind, const char *site)
{
    bool is_full = d->magic == FATE__ALIVE && !d->waiters &&
                   (d->flags == FATE__MORE || (d->flags == 0 && d->n == FATE__PLACES));
    struct fate__more *block = is_full ? fate__level_new_block(d) : NULL;

    if (!block)
        return add_slowly(d, callback, arg, kind, site);
    block->kinds[0] = (uint8_t)kind;
    block->end = 1;
    return write_level(d, &block->levels[0], callback, arg, site);
}

/* Mostly there is nothing to do but to remember the level.  All else is left to others, with which this ends,
 * so that it needs no stack. */
static inline fate_deferred *add_one(fate_deferred *d, fate_callback *callback, fate_value arg, unsigned kind,
                                     const char *site)
{
    bool may_be = d && !fate__slab_is_poisoned(d) && callback && fate__may_be_given(&arg);

    if (fate__unlikely(!may_be))
        return add_slowly(d, callback, arg, kind, site);
    if (d->magic == FATE__ALIVE && d->flags == 0 && d->n < FATE__PLACES && !d->waiters) {
        d->kinds[d->n] = (uint8_t)kind;
        return write_level(d, &d->places[d->n++], callback, arg, site);
    }
    if (d->magic == FATE__ALIVE && d->flags == FATE__MORE && !d->waiters) {
        struct fate__more *last = d->more->last;
        if (last->end < FATE__MORE_LEVELS) {
            last->kinds[last->end] = (uint8_t)kind;
            return write_level(d, &last->levels[last->end++], callback, arg, site);
        }
    }
    return add_in_new_block(d, callback, arg, kind, site);
}

fate_deferred *fate_add_callback_at(fate_deferred *d, fate_callback *callback, fate_value arg,
                                    const char *site)
{
    return add_one(d, callback, arg, FATE__CALLBACK, site);
}

fate_deferred *fate_add_errback_at(fate_deferred *d, fate_callback *errback, fate_value arg, const char *site)
{
    return add_one(d, errback, arg, FATE__ERRBACK, site);
}

fate_deferred *fate_add_both_at(fate_deferred *d, fate_callback *both, fate_value arg, const char *site)
{
    return add_one(d, both, arg, FATE__BOTH, site);
}

fate_deferred *fate_add_callbacks_at(fate_deferred *d, fate_callback *callback, fate_callback *errback,
                                     fate_value arg, const char *callback_site, const char *errback_site)
{
    struct fate__level level[2] = {
        { .as.call = callback, .site = callback_site, .arg = arg },
        { .as.call = errback, .site = errback_site },
    };

    fate__check(d, "fate_add_callbacks", callback_site);
    fate__check_given(&arg, "fate_add_callbacks", callback_site);
    return add(d, FATE__PAIR_SHARED, level);
}

fate_deferred *fate_add_trap_at(fate_deferred *d, const fate_class *c, fate_callback *errback, fate_value arg,
                                const char *site)
{
    struct fate__level level[2] = {
        { .as.call = errback, .site = site, .arg = arg },
        { .as.class = c, .site = site },
    };

    fate__check(d, "fate_add_trap", site);
    fate__check_given(&arg, "fate_add_trap", site);
    if (fate__unlikely(!c || !errback))
        fate__stop(site, "fate_add_trap was given a NULL %s.", c ? "errback" : "class");
    return add(d, FATE__TRAP, level);
}

fate_deferred *fate_add_handlers_at(fate_deferred *d, const fate_handlers *handlers, const char *site)
{
    fate_handlers h = { 0 };
    fate__take_options(&h, sizeof h, handlers, "fate_add_handlers", site);
    struct fate__level level[2] = {
        { .as.call = h.callback, .site = site, .arg = h.callback_arg },
        { .as.call = h.errback, .site = site, .arg = h.errback_arg },
    };

    fate__check(d, "fate_add_handlers", site);
    fate__check_given(&h.callback_arg, "fate_add_handlers", site);
    fate__check_given(&h.errback_arg, "fate_add_handlers", site);
    return add(d, FATE__PAIR, level);
}

/* ---- Without a line ---- */

fate_deferred *(fate_add_callback)(fate_deferred *d, fate_callback *callback, fate_value arg)
{
    return fate_add_callback_at(d, callback, arg, "fate_add_callback");
}

fate_deferred *(fate_add_errback)(fate_deferred *d, fate_callback *errback, fate_value arg)
{
    return fate_add_errback_at(d, errback, arg, "fate_add_errback");
}

fate_deferred *(fate_add_both)(fate_deferred *d, fate_callback *both, fate_value arg)
{
    return fate_add_both_at(d, both, arg, "fate_add_both");
}

fate_deferred *(fate_add_callbacks)(fate_deferred *d, fate_callback *callback, fate_callback *errback,
                                    fate_value arg)
{
    return fate_add_callbacks_at(d, callback, errback, arg, "fate_add_callbacks", "fate_add_callbacks");
}

fate_deferred *(fate_add_trap)(fate_deferred *d, const fate_class *c, fate_callback *errback, fate_value arg)
{
    return fate_add_trap_at(d, c, errback, arg, "fate_add_trap");
}

fate_deferred *(fate_add_handlers)(fate_deferred *d, const fate_handlers *handlers)
{
    return fate_add_handlers_at(d, handlers, "fate_add_handlers");
}
