/* Whatever can be stopped by fate_unwatch: watched descriptors, signals, triggers, observers.
 *
 * A handle is a generation and an index, so that a stale one is refused and never stops another thing. */
#ifndef FATE_SRC_REACTOR_WATCH_H
#define FATE_SRC_REACTOR_WATCH_H

#include <fate/reactor.h>

struct fate__watched;

struct fate__watch_kind {
    const char *name; /* for the report: "descriptor" */
    /* Nothing is called after it.  The thing has left the table; it drops its arg and frees itself, unless it
     * is in use and does so later. */
    void (*stop)(fate_reactor *reactor, struct fate__watched *watched);
    /* For the report: what it waits for, "descriptor 7 to be readable"; NULL: nothing to add. */
    void (*describe)(const struct fate__watched *watched, char *to, size_t n);
};

/* Comes first in the struct of the thing. */
struct fate__watched {
    const struct fate__watch_kind *kind;
    const char *site;
    int64_t id;
    fate_time born;
};

struct fate__watch_slot {
    struct fate__watched *watched; /* NULL: unused */
    uint32_t generation, next_unused;
};

struct fate__watches {
    struct fate__watch_slot *slots;
    uint32_t n, room, unused; /* unused: index + 1 of the first unused one, 0: none */
};

/* Enters a thing; its handle, whose id is -ENOMEM when there is no memory. */
fate_watch fate__watch_open(fate_reactor *reactor, struct fate__watched *watched,
                            const struct fate__watch_kind *kind, const char *site);
/* The thing has ended by itself and leaves the table. */
void fate__watch_close(fate_reactor *reactor, struct fate__watched *watched);
/* The thing of that kind behind a handle; NULL: it is over, or of another kind. */
struct fate__watched *fate__watch_find(fate_watch watch, const struct fate__watch_kind *kind);
void fate__watches_each(const struct fate__watches *watches,
                        void (*visit)(const struct fate__watched *watched, void *arg), void *arg);
/* Stops all that are left, newest first, but for those of one kind. */
void fate__watches_end(fate_reactor *reactor, const struct fate__watch_kind *spared);
void fate__watches_done(struct fate__watches *watches);

#endif
