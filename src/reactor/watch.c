/* Handles of what can be stopped. */
#include <reactor/watch.h>

#include <errno.h>

#include <base/alloc.h>
#include <reactor/reactor.h>

#define INDEX_BITS 31
#define INDEX_MASK (((int64_t)1 << INDEX_BITS) - 1)

static bool make_room(struct fate__watches *watches)
{
    if (watches->n < watches->room)
        return true;
    uint32_t room = watches->room ? 2 * watches->room : 8;
    struct fate__watch_slot *slots = fate__realloc(watches->slots, room * sizeof *slots);
    if (!slots)
        return false;
    watches->slots = slots;
    watches->room = room;
    return true;
}

/* The index of an unused slot; -1: no memory. */
static int64_t take_slot(struct fate__watches *watches)
{
    if (watches->unused) {
        uint32_t index = watches->unused - 1;
        watches->unused = watches->slots[index].next_unused;
        return index;
    }
    if (!make_room(watches))
        return -1;
    watches->slots[watches->n] = (struct fate__watch_slot){ .generation = 1 };
    return watches->n++;
}

fate_watch fate__watch_open(fate_reactor *reactor, struct fate__watched *watched,
                            const struct fate__watch_kind *kind, const char *site)
{
    struct fate__watches *watches = &reactor->watches;
    int64_t index = take_slot(watches);

    if (index < 0)
        return (fate_watch){ reactor, -ENOMEM };
    struct fate__watch_slot *slot = &watches->slots[index];
    slot->watched = watched;
    watched->kind = kind;
    watched->site = site;
    watched->born = reactor->now;
    watched->id = (int64_t)slot->generation << INDEX_BITS | index;
    return (fate_watch){ reactor, watched->id };
}

void fate__watch_close(fate_reactor *reactor, struct fate__watched *watched)
{
    struct fate__watches *watches = &reactor->watches;
    uint32_t index = (uint32_t)(watched->id & INDEX_MASK);
    struct fate__watch_slot *slot = &watches->slots[index];

    fate__assert(slot->watched == watched);
    slot->watched = NULL;
    if (++slot->generation == 0)
        slot->generation = 1;
    slot->next_unused = watches->unused;
    watches->unused = index + 1;
}

static struct fate__watched *look_up(fate_watch watch)
{
    if (!watch.reactor || watch.id <= 0)
        return NULL;
    const struct fate__watches *watches = &watch.reactor->watches;
    int64_t index = watch.id & INDEX_MASK;
    struct fate__watched *watched = index < watches->n ? watches->slots[index].watched : NULL;
    return watched && watched->id == watch.id ? watched : NULL;
}

struct fate__watched *fate__watch_find(fate_watch watch, const struct fate__watch_kind *kind)
{
    struct fate__watched *watched = look_up(watch);
    return watched && watched->kind == kind ? watched : NULL;
}

int fate_unwatch(fate_watch watch)
{
    struct fate__watched *watched = look_up(watch);

    if (!watched)
        return -ENOENT;
    fate__check_reactor(watch.reactor, "fate_unwatch", watched->site);
    fate__watch_close(watch.reactor, watched);
    watched->kind->stop(watch.reactor, watched);
    return 0;
}

void fate__watches_each(const struct fate__watches *watches,
                        void (*visit)(const struct fate__watched *watched, void *arg), void *arg)
{
    for (uint32_t i = 0; i < watches->n; i++)
        if (watches->slots[i].watched)
            visit(watches->slots[i].watched, arg);
}

void fate__watches_end(fate_reactor *reactor, const struct fate__watch_kind *spared)
{
    const struct fate__watches *watches = &reactor->watches;

    for (uint32_t i = watches->n; i-- > 0;)
        if (watches->slots[i].watched && watches->slots[i].watched->kind != spared)
            fate_unwatch((fate_watch){ reactor, watches->slots[i].watched->id });
}

void fate__watches_done(struct fate__watches *watches)
{
    fate__free(watches->slots);
    *watches = (struct fate__watches){ 0 };
}
