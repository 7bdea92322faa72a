/* What names mean, and the lines for names that mean nothing or too much. */
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

unsigned number_of(const char *name)
{
    unsigned long number = name[0] ? strtoul(name + 1, NULL, 10) : NAMES_MAX;

    if (number >= NAMES_MAX)
        give_up("a name out of range", name);
    return (unsigned)number;
}

static bool refuse(const char *why, const char *name)
{
    printf("! %s %s\n", why, name);
    return false;
}

/* ---- Finding ---- */

struct named_deferred *find_deferred(struct world *world, const char *name)
{
    struct named_deferred *named = &world->deferreds[number_of(name)];

    if (name[0] == 'd' && named->d)
        return named;
    refuse("no-such", name);
    return NULL;
}

struct named_primitive *primitive_slot(struct world *world, const char *name)
{
    unsigned i = number_of(name);

    switch (name[0]) {
    case 'l':
        return &world->locks[i];
    case 's':
        return &world->semaphores[i];
    case 'q':
        return &world->queues[i];
    default:
        give_up("no name of a primitive", name);
    }
}

static bool is_made(const struct named_primitive *primitive)
{
    return primitive->lock || primitive->semaphore || primitive->queue;
}

struct named_primitive *find_primitive(struct world *world, const char *name)
{
    struct named_primitive *primitive = primitive_slot(world, name);

    if (is_made(primitive))
        return primitive;
    refuse("no-such", name);
    return NULL;
}

struct named_call *find_call(struct world *world, const char *name)
{
    struct named_call *call = &world->calls[number_of(name)];

    if (call->is_known)
        return call;
    refuse("no-such", name);
    return NULL;
}

fate_looping_call *find_running_loop(struct world *world, const char *name)
{
    fate_looping_call *loop = world->loops[number_of(name)];

    if (!loop)
        refuse("no-such", name);
    else if (!fate_looping_call_running(loop))
        refuse("not-running", name);
    else
        return loop;
    return NULL;
}

/* ---- Making ---- */

bool is_new_deferred(struct world *world, const char *name)
{
    return !world->deferreds[number_of(name)].d || refuse("exists", name);
}

bool is_new_primitive(struct world *world, const char *name)
{
    return !is_made(primitive_slot(world, name)) || refuse("exists", name);
}

bool is_new_call(struct world *world, const char *name)
{
    return !world->calls[number_of(name)].is_known || refuse("exists", name);
}

bool is_new_loop(struct world *world, const char *name)
{
    return !world->loops[number_of(name)] || refuse("exists", name);
}

bool may_wait(struct world *world, unsigned rank, const char *name)
{
    return find_deferred(world, name) && (number_of(name) > rank || refuse("order", name));
}

struct named_deferred *bind(struct world *world, const char *name, fate_deferred *d)
{
    struct named_deferred *named = &world->deferreds[number_of(name)];

    *named = (struct named_deferred){ .d = fate_hold(d) };
    return named;
}

/* A producer that will not fire gives the deferred up, and so does the owner of a pause who goes (section
 * 11). */
void unbind(struct named_deferred *named)
{
    fate_deferred *d = named->d;
    bool is_owed = named->is_fireable && !named->is_produced;

    if (is_owed || named->n_pauses)
        fate_abandon(d);
    named->d = NULL;
    fate_release(d);
}

bool name_of_object(struct world *world, const void *p, char name[8])
{
    for (unsigned i = 0; i < NAMES_MAX; i++) {
        char letter = '\0';
        if (world->locks[i].lock == p)
            letter = 'l';
        else if (world->semaphores[i].semaphore == p)
            letter = 's';
        else if (world->loops[i] == p)
            letter = 't';
        if (letter) {
            snprintf(name, 8, "%c%u", letter, i % NAMES_MAX);
            return true;
        }
    }
    return false;
}
