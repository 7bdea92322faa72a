/* The queue of a deferred's levels: three places inside it, then blocks of fourteen from a slab. */
#include <deferred/deferred.h>

#include <string.h>

/* The last place belongs to the canceller or source while there is one. */
static unsigned places_inside(const fate_deferred *d)
{
    return d->flags & (FATE__CANCELLER | FATE__SOURCE) ? FATE__PLACES - 1 : FATE__PLACES;
}

static bool push_inside(fate_deferred *d, unsigned kind, const struct fate__level level[])
{
    unsigned n = fate__places_of(kind);

    if ((d->flags & (FATE__MORE | FATE__HAS_LOST)) || d->n + n > places_inside(d))
        return false;
    d->kinds[d->n] = (uint8_t)kind;
    for (unsigned i = 0; i < n; i++)
        fate__level_copy(&d->places[d->n++], &level[i]);
    if (d->n == FATE__PLACES)
        d->marks &= (uint8_t)~FATE__KNOWS_FIRE;
    return true;
}

struct fate__more *fate__level_new_block(fate_deferred *d)
{
    struct fate__more *block = fate__slab_take(&fate__turns_of(d)->blocks);
    if (!block)
        return NULL;
    block->next = NULL;
    block->begin = block->end = 0;
    if (d->flags & FATE__MORE) {
        d->more->last->next = block;
        d->more->last = block;
        return block;
    }
    block->last = block;
    block->site = d->site;
    d->more = block;
    fate__set_head(d, d->magic, d->flags | FATE__MORE);
    return block;
}

/* Both places of a level lie in one block. */
static bool push_more(fate_deferred *d, unsigned kind, const struct fate__level level[])
{
    unsigned n = fate__places_of(kind);
    struct fate__more *block = d->flags & FATE__MORE ? d->more->last : NULL;

    if (!block || block->end + n > FATE__MORE_LEVELS)
        block = fate__level_new_block(d);
    if (!block)
        return false;
    block->kinds[block->end] = (uint8_t)kind;
    for (unsigned i = 0; i < n; i++)
        fate__level_copy(&block->levels[block->end++], &level[i]);
    return true;
}

/* What has been lost before this level gets a level of its own, so that it keeps its place. */
static bool push_what_was_lost(fate_deferred *d)
{
    static const struct fate__level lost;

    if (!(d->flags & FATE__HAS_LOST))
        return true;
    if (!push_more(d, FATE__LOST, &lost))
        return false;
    d->flags &= (uint16_t)~FATE__HAS_LOST;
    return true;
}

bool fate__level_push(fate_deferred *d, unsigned kind, const struct fate__level level[])
{
    if (!push_inside(d, kind, level) && !(push_what_was_lost(d) && push_more(d, kind, level))) {
        if (d->waiters && !(d->flags & (FATE__HAS_LOST | FATE__SWEPT)))
            d->waiters->wait.behind++;
        d->flags |= FATE__HAS_LOST;
        return false;
    }
    if (d->waiters && !(d->flags & FATE__SWEPT))
        d->waiters->wait.behind += fate__places_of(kind);
    return true;
}

void fate__level_drop_block(fate_deferred *d)
{
    struct fate__more *block = d->more;

    if (block->next) {
        d->more = block->next;
        d->more->last = block->last;
        d->more->site = block->site;
    } else {
        d->flags &= (uint16_t)~FATE__MORE;
        d->site = block->site;
    }
    fate__slab_give(&fate__turns_of(d)->blocks, block);
}

static void pop_more(fate_deferred *d, unsigned *ret_kind, struct fate__level ret_level[2])
{
    struct fate__more *block = d->more;
    unsigned kind = block->kinds[block->begin];

    for (unsigned i = 0; i < fate__places_of(kind); i++)
        fate__level_copy(&ret_level[i], &block->levels[block->begin++]);
    if (block->begin == block->end)
        fate__level_drop_block(d);
    *ret_kind = kind;
}

bool fate__level_pop(fate_deferred *d, unsigned *ret_kind, struct fate__level ret_level[2])
{
    if (d->next != d->n) {
        unsigned kind = d->kinds[d->next];
        for (unsigned i = 0; i < fate__places_of(kind); i++)
            fate__level_copy(&ret_level[i], &d->places[d->next++]);
        if (d->next == d->n)
            d->next = d->n = 0;
        *ret_kind = kind;
        return true;
    }
    if (d->flags & FATE__MORE) {
        pop_more(d, ret_kind, ret_level);
        return true;
    }
    if (d->flags & FATE__HAS_LOST) {
        d->flags &= (uint16_t)~FATE__HAS_LOST;
        *ret_kind = FATE__LOST;
        return true;
    }
    return false;
}

void fate__levels_each(const fate_deferred *d,
                       void (*visit)(unsigned kind, const struct fate__level level[], void *arg), void *arg)
{
    static const struct fate__level lost;

    for (unsigned i = d->next; i < d->n; i += fate__places_of(d->kinds[i]))
        visit(d->kinds[i], &d->places[i], arg);
    for (const struct fate__more *block = d->flags & FATE__MORE ? d->more : NULL; block; block = block->next)
        for (unsigned i = block->begin; i < block->end; i += fate__places_of(block->kinds[i]))
            visit(block->kinds[i], &block->levels[i], arg);
    if (d->flags & FATE__HAS_LOST)
        visit(FATE__LOST, &lost, arg);
}

/* All blocks are gone through: but only when one begins to wait where none waits, and by the time it does so
 * again these have run. */
uint32_t fate__level_places(const fate_deferred *d)
{
    uint32_t n = (uint32_t)(d->n - d->next);
    for (const struct fate__more *block = d->flags & FATE__MORE ? d->more : NULL; block; block = block->next)
        n += (uint32_t)(block->end - block->begin);
    if (d->flags & FATE__HAS_LOST)
        n++;
    return n;
}

void fate__level_drop(unsigned kind, struct fate__level level[])
{
    if (kind == FATE__NATIVE) {
        level->as.native->drop(level);
        return;
    }
    if (kind == FATE__LOST)
        return;
    fate_drop(level[0].arg);
    if (kind == FATE__PAIR)
        fate_drop(level[1].arg);
}

void fate__levels_drop(fate_deferred *d)
{
    struct fate__level level[2];
    unsigned kind;

    while (fate__level_pop(d, &kind, level))
        fate__level_drop(kind, level);
}
