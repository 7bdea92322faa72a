/* The queue: values on one side, waiting gets on the other, never both (R133-R137). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <deferred/line.h>
#include <fate/sync.h>

struct fate_queue {
    struct fate__owned owned;
    bool is_freed;
    size_t size_max, backlog_max;
    fate_value *items; /* a ring: n of them from first on */
    size_t first, n, room;
    struct fate__line line;
};

static void destroy(struct fate__owned *owned)
{
    fate_queue_free((fate_queue *)owned);
}

static void look(struct fate__owned *owned, fate__see_fn *see, void *arg)
{
    const fate_queue *queue = (const fate_queue *)owned;
    char state[96];

    if (queue->line.n)
        snprintf(state, sizeof state, "empty, %zu wait", queue->line.n);
    else
        snprintf(state, sizeof state, "%zu in it", queue->n);
    fate__see_owned(owned, see, arg, state, NULL);
}

fate_queue *fate_queue_new_at(fate_reactor *reactor, size_t size_max, size_t backlog_max, const char *site)
{
    fate_queue *queue = fate__own(reactor, sizeof *queue, destroy, "fate_queue_new");

    if (queue->owned.is_no_memory)
        return queue;
    fate__made_at(&queue->owned, site);
    queue->size_max = size_max;
    queue->backlog_max = backlog_max;
    queue->owned.look = look;
    fate__line_init(&queue->line, "queue", queue);
    return queue;
}

fate_queue *(fate_queue_new)(fate_reactor *reactor, size_t size_max, size_t backlog_max)
{
    return fate_queue_new_at(reactor, size_max, backlog_max, "");
}

static fate_value take_first(fate_queue *queue)
{
    fate_value v = queue->items[queue->first];

    queue->first = queue->first + 1 == queue->room ? 0 : queue->first + 1;
    queue->n--;
    return v;
}

void fate_queue_free(fate_queue *queue)
{
    if (!queue || queue->owned.is_no_memory || queue->is_freed)
        return;
    queue->is_freed = true; /* those who wait may do things with it when they are cancelled */
    fate__line_cancel(&queue->line);
    while (queue->n)
        fate_drop(take_first(queue));
    fate__disown(&queue->owned);
    fate__free(queue->items);
    fate__free(queue);
}

/* A ring twice as large; its items begin at 0 again. */
static bool grow(fate_queue *queue)
{
    size_t room = queue->room ? 2 * queue->room : 8;
    fate_value *items = fate__alloc(room * sizeof *items);
    if (!items)
        return false;
    size_t n_to_end = queue->room - queue->first;
    if (queue->n) {
        memcpy(items, queue->items + queue->first, n_to_end * sizeof *items);
        memcpy(items + n_to_end, queue->items, queue->first * sizeof *items);
    }
    fate__free(queue->items);
    queue->items = items;
    queue->first = 0;
    queue->room = room;
    return true;
}

static int store(fate_queue *queue, fate_value value)
{
    int why = 0;

    if (fate__is_no_memory(&value))
        why = -ENOMEM;
    else if (queue->n >= queue->size_max)
        why = -EOVERFLOW;
    else if (queue->n == queue->room && !grow(queue))
        why = -ENOMEM;
    if (why) {
        fate_drop(value);
        return why;
    }
    size_t at = queue->first + queue->n;
    queue->items[at >= queue->room ? at - queue->room : at] = value;
    queue->n++;
    return 0;
}

int fate_queue_put(fate_queue *queue, fate_value value)
{
    fate__check_given(&value, "fate_queue_put", NULL);
    if (queue->owned.is_no_memory || queue->is_freed) {
        fate_drop(value);
        return queue->owned.is_no_memory ? -ENOMEM : -ECANCELED;
    }
    fate_deferred *next = fate__line_next(&queue->line);
    if (!next)
        return store(queue, value);
    fate__fire(next, value, fate__site_of(next));
    return 0;
}

fate_deferred *fate_queue_get_at(fate_queue *queue, const char *site)
{
    fate_reactor *reactor = fate__reactor(queue->owned.turns);

    if (queue->owned.is_no_memory)
        return fate__hand_out_no_memory(queue->owned.turns);
    if (queue->is_freed)
        return fate_succeed_at(reactor, fate__raise(site, &FATE_CANCELLED, "the queue is being freed"), site);
    if (queue->n == 0 && queue->line.n < queue->backlog_max)
        return fate__line_join(&queue->line, reactor, site);

    fate_deferred *d = fate__library_deferred(reactor, site);
    if (fate__is_no_memory_deferred(d) || (d->flags & FATE__FIRED))
        return d;
    if (queue->n)
        fate__fire(d, take_first(queue), site);
    else
        fate__fire(
            d, fate__raise(site, &FATE_QUEUE_UNDERFLOW, "%zu already wait, the most that may", queue->line.n),
            site);
    return d;
}

size_t fate_queue_size(const fate_queue *queue)
{
    return queue->owned.is_no_memory ? 0 : queue->n;
}

size_t fate_queue_waiting(const fate_queue *queue)
{
    return queue->owned.is_no_memory ? 0 : queue->line.n;
}

fate_deferred *(fate_queue_get)(fate_queue *queue)
{
    return fate_queue_get_at(queue, "fate_queue_get");
}
