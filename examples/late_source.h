/* A source that gives all that another one does, only later. */
#ifndef EXAMPLES_LATE_SOURCE_H
#define EXAMPLES_LATE_SOURCE_H

#include <fate/fate.h>

struct late {
    fate_reactor *reactor;
    fate_value source;
    fate_time delay;
};

static inline fate_value give_later(fate_value *piece, fate_value *arg)
{
    const struct late *late = fate_as_ptr(arg);
    fate_deferred *d = fate_deferred_new(late->reactor);

    fate_fire_later(d, late->delay, fate_take(piece));
    return fate_follow(d);
}

static inline fate_deferred *read_late(fate_value *arg, size_t bytes_max)
{
    struct late *late = fate_unbox(struct late, arg);
    return fate_add_callback(fate_read(&late->source), give_later, fate_ptr(late));
}

static inline void drop_late(void *late)
{
    fate_drop(((struct late *)late)->source);
}

static const fate_source_ops late_ops = { .size = sizeof late_ops, .name = "late", .read = read_late };

/* source is given.  What has been read lies in the new one meanwhile, one piece at a time. */
static inline fate_value late_source(fate_reactor *reactor, fate_value source, fate_time delay)
{
    return fate_source(reactor, &late_ops, fate_box_with(drop_late, struct late, reactor, source, delay));
}

#endif
