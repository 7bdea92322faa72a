/* fate_fire_later: a deferred whose producer is the clock. */
#include <errno.h>
#include <stdio.h>

#include <base/alloc.h>
#include <reactor/reactor.h>

struct later {
    struct fate__entry entry; /* by d */
    fate_deferred *d;         /* held */
    fate_value value;
    fate_timer timer;
    const char *site;
};

static void forget(struct later *later)
{
    fate_drop(later->value);
    fate__free(later);
}

static void remove_later(fate_reactor *reactor, struct later *later)
{
    fate__table_remove(&reactor->laters, &later->entry);
    if (!fate__table_find(&reactor->laters, later->d))
        later->d->flags &= (uint16_t)~FATE__TIMED;
}

static void due(fate_value *arg)
{
    struct later *later = fate_as_ptr(arg);
    fate_deferred *d = later->d;

    remove_later(fate__reactor_of(d), later);
    fate__fire(d, fate_take(&later->value), later->site);
    forget(later);
    fate__release(d);
}

/* d has fired by other means: what was to fire it later goes, and drops its value silently. */
void fate__drop_laters(fate_deferred *d)
{
    fate_reactor *reactor = fate__reactor_of(d);
    struct fate__entry *entry;

    while ((entry = fate__table_find(&reactor->laters, d))) {
        struct later *later = fate_container_of(entry, struct later, entry);
        remove_later(reactor, later);
        fate_timer_cancel(later->timer);
        forget(later);
        fate__release(d);
    }
}

void fate__describe_later(const fate_deferred *d, char *to, size_t n)
{
    struct fate__entry *entry = fate__table_find(&fate__reactor_of(d)->laters, d);
    char due[FATE__DUE_BYTES];

    if (entry)
        snprintf(to, n, "timer %s",
                 fate__due_text(fate_container_of(entry, struct later, entry)->timer, due));
}

/* Refused as fate_fire would be, and by it. */
static bool is_refused(const fate_deferred *d)
{
    return !d || fate__slab_is_poisoned(d) || d->magic != FATE__ALIVE ||
           (d->flags & (FATE__FIRED | FATE__LIBRARY));
}

static struct later *plan(fate_deferred *d, fate_time delay, const char *site)
{
    fate_reactor *reactor = fate__reactor_of(d);
    struct later *later = fate__zalloc(sizeof *later);

    if (!later)
        return NULL;
    later->d = d;
    later->site = site;
    if (fate__table_add(&reactor->laters, &later->entry, d) < 0) {
        fate__free(later);
        return NULL;
    }
    later->timer = fate_call_later_at(reactor, delay, due, fate_ptr(later), site);
    if (later->timer.id < 0) {
        fate__table_remove(&reactor->laters, &later->entry);
        fate__free(later);
        return NULL;
    }
    return later;
}

int fate_fire_later_at(fate_deferred *d, fate_time delay, fate_value value, const char *site)
{
    fate__check_given(&value, "fate_fire_later", site);
    if (is_refused(d))
        return fate_fire_at(d, value, site);
    struct later *later = fate__is_no_memory(&value) ? NULL : plan(d, delay, site);
    if (!later) {
        fate_drop(value);
        fate__fire(d, fate__no_memory(), site);
        return -ENOMEM;
    }
    later->value = value;
    d->flags |= FATE__TIMED;
    fate__hold(d);
    return 0;
}

int(fate_fire_later)(fate_deferred *d, fate_time delay, fate_value value)
{
    return fate_fire_later_at(d, delay, value, "fate_fire_later");
}
