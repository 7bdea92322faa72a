/* Race: the first success, and an end for the others (R114-R122). */
#include <deferred/members.h>
#include <fate/combine.h>

enum { IS_WON = 1 };

/* When every member has been heard and the race has fired, it has no more use for them. */
static void let_members_go(struct fate__members *m)
{
    if (m->n_unheard == 0 && m->n_cancelling == 0 && (m->d->flags & FATE__FIRED))
        fate__members_release(m);
}

static bool cancel(fate_deferred *d, void *data, const char *site)
{
    fate__members_cancel(data, SIZE_MAX, site);
    let_members_go(data);
    return true;
}

static void gone(fate_deferred *d, void *data)
{
    fate__members_free(data);
}

static const struct fate__source racing = { .cancel = cancel, .gone = gone, .waits = fate__members_wait };

static fate_value index_and_value(size_t i, fate_value value)
{
    const fate_value pair[] = { fate_int((int64_t)i), value };
    return fate_list(2, pair);
}

/* The race fires, unless it was cancelled while this member could not finish: then it has failed already, and
 * the member is told so, as whoever fires twice is (R65).  Twisted does the same. */
static fate_deferred *fire(struct fate__members *m, fate_deferred *member, fate_value v)
{
    if (!(m->d->flags & FATE__FIRED))
        return fate__accept(m->d, v, m->site);
    fate_drop(v);
    member->result = fate__raise_with("fate_race", m->site, &FATE_ALREADY_CALLED, fate_none(), fate_none());
    return NULL;
}

/* The others are cancelled first, in order, and only then does the race fire. */
static fate_deferred *win(struct fate__members *m, fate_deferred *member, fate_value v, size_t winner)
{
    m->flags |= IS_WON;
    fate__members_cancel(m, winner, m->site);
    return fire(m, member, index_and_value(winner, v));
}

static fate_deferred *lose(struct fate__members *m, fate_deferred *member, fate_value failure, size_t i)
{
    *fate__members_result(m, i) = failure;
    if (m->n_heard < m->n)
        return NULL;
    fate_value group =
        fate__raise_with("fate_race", m->site, &FATE_FAILURE_GROUP, fate_take(&m->results), fate_none());
    return fire(m, member, group);
}

static fate_deferred *hear(struct fate__members *m, fate_deferred *member, size_t i)
{
    fate_value v = fate_take(&member->result);
    fate_deferred *next = NULL;

    if (m->flags & IS_WON)
        fate_drop(v);
    else if (fate_is_failure(&v))
        next = lose(m, member, v, i);
    else
        next = win(m, member, v, i);
    let_members_go(m);
    return next;
}

fate_deferred *fate_race_at(fate_reactor *reactor, size_t n, fate_deferred *const members[], const char *site)
{
    fate__check_reactor(reactor, "fate_race", site);
    struct fate__members *m = fate__members_new(n, members, "fate_race", site);
    if (!m)
        return fate__hand_out_no_memory(fate__turns(reactor));
    m->hear = hear;
    fate_deferred *d = fate__sourced(reactor, &racing, m, site);
    if (!(d->flags & FATE__SOURCE))
        return d;
    m->d = d;
    fate__hold(d);
    fate__members_listen(m);
    let_members_go(m);
    fate__release(d);
    return d;
}

fate_deferred *(fate_race)(fate_reactor *reactor, size_t n, fate_deferred *const members[])
{
    return fate_race_at(reactor, n, members, "fate_race");
}
