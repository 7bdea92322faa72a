/* Deferreds waiting in line, first in first out. */
#include <deferred/line.h>

#include <stdio.h>

#include <base/alloc.h>

struct place {
    struct fate__link link;
    struct fate__line *line;
    fate_deferred *d;
};

void fate__line_init(struct fate__line *line, const char *what, const void *whose)
{
    fate__list_init(&line->waiting);
    line->n = 0;
    line->what = what;
    line->whose = whose;
}

static void leave(struct place *place)
{
    fate__list_remove(&place->link);
    place->line->n--;
    fate__free(place);
}

static bool cancel(fate_deferred *d, void *data, const char *site)
{
    leave(data);
    return true;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    const struct place *place = data;

    snprintf(ret->text, sizeof ret->text, "the %s", place->line->what);
    ret->on = place->line->whose;
}

static const struct fate__source waiting = { .cancel = cancel, .waits = say_what };

fate_deferred *fate__line_join(struct fate__line *line, fate_reactor *reactor, const char *site)
{
    struct place *place = fate__alloc(sizeof *place);
    if (!place)
        return fate__hand_out_no_memory(fate__turns(reactor));
    fate_deferred *d = fate__sourced(reactor, &waiting, place, site);
    if (!(d->flags & FATE__SOURCE)) {
        fate__free(place);
        return d;
    }
    place->line = line;
    place->d = d;
    fate__list_add_last(&line->waiting, &place->link);
    line->n++;
    return d;
}

fate_deferred *fate__line_next(struct fate__line *line)
{
    if (fate__list_is_empty(&line->waiting))
        return NULL;
    struct place *place = fate_container_of(line->waiting.next, struct place, link);
    fate_deferred *d = place->d;
    leave(place);
    return d;
}

void fate__line_cancel(struct fate__line *line)
{
    while (!fate__list_is_empty(&line->waiting)) {
        struct place *place = fate_container_of(line->waiting.next, struct place, link);
        fate_cancel(place->d);
    }
}
