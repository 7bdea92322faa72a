/* Settle and gather: all results of several deferreds, or the first that decides (R97-R113). */
#include <base/options.h>
#include <deferred/members.h>
#include <fate/combine.h>

enum { FIRST_VALUE = 1, FIRST_FAILURE = 2, CONSUME = 4 };

/* The list fires only through its members' reports (R101). */
static bool cancel(fate_deferred *d, void *data, const char *site)
{
    fate__members_cancel(data, SIZE_MAX, site);
    return false;
}

static void gone(fate_deferred *d, void *data)
{
    fate__members_free(data);
}

static const struct fate__source settling = {
    .cancel = cancel, .gone = gone, .ignores_cancel_once_fired = true, .waits = fate__members_wait
};

static fate_value value_and_index(fate_value value, size_t i)
{
    const fate_value pair[] = { value, fate_int((int64_t)i) };
    return fate_list(2, pair);
}

static fate_value first_error(const struct fate__members *m, fate_value failure, size_t i)
{
    return fate__raise_with("fate_gather", m->site, &FATE_FIRST_ERROR, fate_int((int64_t)i), failure);
}

/* Member i has ended in v.  Does that decide the whole? */
static fate_deferred *decide(struct fate__members *m, fate_value v, size_t i)
{
    bool failed = fate_is_failure(&v);

    if (!failed && (m->flags & FIRST_VALUE))
        return fate__accept(m->d, value_and_index(v, i), m->site);
    if (failed && (m->flags & FIRST_FAILURE))
        return fate__accept(m->d, first_error(m, v, i), m->site);
    *fate__members_result(m, i) = v;
    if (m->n_heard == m->n)
        return fate__accept(m->d, fate_take(&m->results), m->site);
    return NULL;
}

static fate_deferred *hear(struct fate__members *m, fate_deferred *member, size_t i)
{
    bool consumes = (m->flags & CONSUME) && fate_is_failure(&member->result);
    fate_value v = consumes ? fate_take(&member->result) : fate_copy(&member->result);

    if (m->d->flags & FATE__FIRED) {
        fate_drop(v);
        return NULL;
    }
    return decide(m, v, i);
}

static fate_deferred *settle(fate_reactor *reactor, size_t n, fate_deferred *const members[], unsigned flags,
                             const char *what, const char *site)
{
    fate__check_reactor(reactor, what, site);
    struct fate__members *m = fate__members_new(n, members, what, site);
    if (!m)
        return fate__hand_out_no_memory(fate__turns(reactor));
    m->flags = flags;
    m->hear = hear;
    fate_deferred *d = fate__sourced(reactor, &settling, m, site);
    if (!(d->flags & FATE__SOURCE))
        return d;
    m->d = d;
    fate__hold(d);
    fate__members_listen(m);
    if (n == 0 && !(flags & FIRST_VALUE))
        fate__fire(d, fate_take(&m->results), site);
    fate__release(d);
    return d;
}

fate_deferred *fate_settle_at(fate_reactor *reactor, size_t n, fate_deferred *const members[],
                              const fate_settle_options *options, const char *site)
{
    fate_settle_options o = { 0 };
    unsigned flags = 0;

    fate__take_options(&o, sizeof o, options, "fate_settle_with", site);
    if (o.fire_on_one_callback)
        flags |= FIRST_VALUE;
    if (o.fire_on_one_errback)
        flags |= FIRST_FAILURE;
    if (o.consume_errors)
        flags |= CONSUME;
    return settle(reactor, n, members, flags, "fate_settle", site);
}

fate_deferred *fate_gather_at(fate_reactor *reactor, size_t n, fate_deferred *const members[],
                              const fate_gather_options *options, const char *site)
{
    fate_gather_options o = { 0 };

    fate__take_options(&o, sizeof o, options, "fate_gather_with", site);
    return settle(reactor, n, members, FIRST_FAILURE | (o.consume_errors ? CONSUME : 0), "fate_gather", site);
}

/* ---- Without a line ---- */

fate_deferred *(fate_settle)(fate_reactor *reactor, size_t n, fate_deferred *const members[])
{
    return fate_settle_at(reactor, n, members, NULL, "fate_settle");
}

fate_deferred *(fate_settle_with)(fate_reactor *reactor, size_t n, fate_deferred *const members[],
                                  const fate_settle_options *options)
{
    return fate_settle_at(reactor, n, members, options, "fate_settle");
}

fate_deferred *(fate_gather)(fate_reactor *reactor, size_t n, fate_deferred *const members[])
{
    return fate_gather_at(reactor, n, members, NULL, "fate_gather");
}

fate_deferred *(fate_gather_with)(fate_reactor *reactor, size_t n, fate_deferred *const members[],
                                  const fate_gather_options *options)
{
    return fate_gather_at(reactor, n, members, options, "fate_gather");
}
