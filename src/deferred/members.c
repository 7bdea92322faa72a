/* A level on each of several deferreds, for settle and race. */
#include <deferred/members.h>

#include <base/alloc.h>

static fate_value list_of_none(size_t n)
{
    fate_value *items = fate__zalloc(n * sizeof *items);
    if (!items)
        return fate__no_memory();
    fate_value list = fate_list(n, items);
    fate__free(items);
    return list;
}

struct fate__members *fate__members_new(size_t n, fate_deferred *const members[], const char *what,
                                        const char *site)
{
    for (size_t i = 0; i < n; i++)
        fate__check(members[i], what, site);
    if (n > (SIZE_MAX - sizeof(struct fate__members)) / sizeof(fate_value))
        return NULL;
    struct fate__members *m = fate__zalloc(sizeof *m + n * sizeof m->of[0]);
    if (!m)
        return NULL;
    m->results = list_of_none(n);
    if (fate_is_failure(&m->results)) {
        fate__free(m);
        return NULL;
    }
    m->n = m->n_unheard = n;
    m->site = site;
    for (size_t i = 0; i < n; i++)
        m->of[i] = fate_hold(members[i]);
    return m;
}

/* The level's hold on d goes; what is to run next is not settled, since its run will do that. */
static fate_deferred *unhold(fate_deferred *d, fate_deferred *next)
{
    if (next == d)
        d->holds--;
    else
        fate__release(d);
    return next;
}

static fate_deferred *hear(fate_deferred *member, struct fate__level *level)
{
    struct fate__members *m = level->arg.as.p;

    m->n_unheard--;
    m->n_heard++;
    return unhold(m->d, m->hear(m, member, level->index));
}

/* The member went without being heard. */
static void unheard(struct fate__level *level)
{
    struct fate__members *m = level->arg.as.p;
    fate_deferred *d = m->d;

    if (--m->n_unheard == 0 && !(d->flags & FATE__FIRED))
        fate__abandon(d);
    fate__release(d);
}

const struct fate__native fate__member_level = { "member", hear, unheard };

/* Want of memory at a member is its failure, for the member itself and for those who listen. */
static void hear_no_memory(struct fate__members *m, size_t i)
{
    fate_deferred *no_memory = fate__turns_of(m->d)->no_memory;
    struct fate__level level = { .as.native = &fate__member_level, .index = i, .arg = { NULL, { .p = m } } };

    fate__run_on_no_memory(no_memory, FATE__NATIVE, &level);
}

void fate__members_listen(struct fate__members *m)
{
    fate_deferred *d = m->d;

    d->holds += (uint32_t)m->n;
    for (size_t i = 0; i < m->n; i++)
        if (!fate__add_native(m->of[i], &fate__member_level, m, i))
            hear_no_memory(m, i);
}

void fate__members_cancel(struct fate__members *m, size_t but, const char *site)
{
    m->n_cancelling++;
    for (size_t i = 0; i < m->n; i++)
        if (i != but && m->of[i])
            fate_cancel_at(m->of[i], site);
    m->n_cancelling--;
}

void fate__members_release(struct fate__members *m)
{
    for (size_t i = 0; i < m->n; i++) {
        fate_deferred *member = m->of[i];
        m->of[i] = NULL;
        if (member)
            fate_release(member);
    }
}

void fate__members_wait(const void *data, struct fate__waits *ret)
{
    const struct fate__members *m = data;

    if (m->n_unheard == 0)
        return;
    ret->of = m->of;
    ret->n = m->n;
}

void fate__members_free(struct fate__members *m)
{
    fate__members_release(m);
    fate_drop(m->results);
    fate__free(m);
}
