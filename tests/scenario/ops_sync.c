/* The operations on locks, semaphores and queues (section 6, Primitives). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

void op_lock(struct world *world, struct words args)
{
    if (is_new_primitive(world, args.of[0]))
        primitive_slot(world, args.of[0])->lock = fate_lock_new(world->reactor);
}

void op_sem(struct world *world, struct words args)
{
    if (is_new_primitive(world, args.of[0]))
        primitive_slot(world, args.of[0])->semaphore =
            fate_semaphore_new(world->reactor, strtoul(args.of[1], NULL, 10));
}

static size_t parse_limit(const char *word)
{
    return strcmp(word, "-") ? strtoul(word, NULL, 10) : FATE_UNLIMITED;
}

void op_queue(struct world *world, struct words args)
{
    if (!is_new_primitive(world, args.of[0]))
        return;
    struct named_primitive *primitive = primitive_slot(world, args.of[0]);
    primitive->backlog_max = parse_limit(args.of[2]);
    primitive->queue = fate_queue_new(world->reactor, parse_limit(args.of[1]), primitive->backlog_max);
}

void op_acquire(struct world *world, struct words args)
{
    struct named_primitive *primitive = find_primitive(world, args.of[0]);

    if (!primitive || !is_new_deferred(world, args.of[1]))
        return;
    bind(world, args.of[1],
         primitive->lock ? fate_lock_acquire(primitive->lock) : fate_semaphore_acquire(primitive->semaphore));
}

static bool is_held(const struct named_primitive *primitive)
{
    if (primitive->lock)
        return fate_lock_is_held(primitive->lock);
    return fate_semaphore_tokens(primitive->semaphore) < fate_semaphore_limit(primitive->semaphore);
}

void release_named(struct world *world, const char *name)
{
    struct named_primitive *primitive = find_primitive(world, name);

    if (!primitive)
        return;
    if (!is_held(primitive))
        printf("! not-held %s\n", name);
    else if (primitive->lock)
        fate_lock_release(primitive->lock);
    else
        fate_semaphore_release(primitive->semaphore);
}

void op_release(struct world *world, struct words args)
{
    release_named(world, args.of[0]);
}

void op_run(struct world *world, struct words args)
{
    struct named_primitive *primitive = find_primitive(world, args.of[0]);
    const char *name = args.of[1];

    if (!primitive || !is_new_deferred(world, name))
        return;
    fate_value arg = fate_box(struct handler, world, "run", args.of[2], args.of[3], number_of(name));
    if (primitive->lock)
        bind(world, name, fate_lock_run(primitive->lock, call_function, arg));
    else
        bind(world, name, fate_semaphore_run(primitive->semaphore, call_function, arg));
}

void put_named(struct world *world, const char *name, fate_value value)
{
    struct named_primitive *primitive = find_primitive(world, name);

    if (!primitive)
        fate_drop(value);
    else if (fate_queue_put(primitive->queue, value) == -EOVERFLOW)
        printf("! overflow %s\n", name);
}

void op_put(struct world *world, struct words args)
{
    put_named(world, args.of[0], parse_value(args.of[1]));
}

/* An underflow is asked for beforehand, since the failed deferred that the library gives would be
 * reported. */
void op_get(struct world *world, struct words args)
{
    struct named_primitive *primitive = find_primitive(world, args.of[0]);

    if (!primitive || !is_new_deferred(world, args.of[1]))
        return;
    bool must_wait = fate_queue_size(primitive->queue) == 0;
    if (must_wait && fate_queue_waiting(primitive->queue) >= primitive->backlog_max)
        printf("! underflow %s\n", args.of[0]);
    else
        bind(world, args.of[1], fate_queue_get(primitive->queue));
}
