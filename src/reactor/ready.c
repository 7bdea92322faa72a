/* Calls for the next round. */
#include <reactor/ready.h>

#include <base/stop.h>
#include <reactor/reactor.h>

void fate__readies_init(struct fate__readies *readies)
{
    fate__list_init(&readies->next);
    fate__list_init(&readies->round);
}

void fate__ready_add(fate_reactor *reactor, struct fate__ready *ready)
{
    if (fate__is_linked(&ready->link))
        return;
    fate__assert(ready->go);
    fate__list_add_last(&reactor->readies.next, &ready->link);
    if (fate__unlikely(reactor->is_foreign && !reactor->is_iterating))
        fate__timer_fd_update(reactor);
}

void fate__ready_remove(struct fate__ready *ready)
{
    if (fate__is_linked(&ready->link))
        fate__list_remove(&ready->link);
}

/* A round that a crash has cut short has left some, which come first. */
static void begin_round(struct fate__readies *readies)
{
    while (!fate__list_is_empty(&readies->next)) {
        struct fate__link *link = readies->next.next;
        fate__list_remove(link);
        fate__list_add_last(&readies->round, link);
    }
}

static void call_first(fate_reactor *reactor)
{
    struct fate__link *round = &reactor->readies.round;

    fate__event_begin(reactor, NULL);
    if (!fate__list_is_empty(round)) { /* the end of the turn outside may have taken it out */
        struct fate__ready *ready = fate_container_of(round->next, struct fate__ready, link);
        reactor->turn_site = ready->site;
        fate__list_remove(&ready->link);
        ready->go(ready);
    }
    fate__event_end(reactor);
}

void fate__readies_run(fate_reactor *reactor)
{
    struct fate__readies *readies = &reactor->readies;

    begin_round(readies);
    while (!fate__list_is_empty(&readies->round) && !reactor->has_crashed)
        call_first(reactor);
}
