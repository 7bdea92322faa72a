/* What is opened at an interface or for a peer that has a name: the name is resolved first. */
#ifndef FATE_SRC_NET_BY_NAME_H
#define FATE_SRC_NET_BY_NAME_H

#include <deferred/ear.h>

struct fate__by_name {
    const char *host, *site;
    /* What the deferred fires with.  The addresses are given. */
    fate_value (*open)(struct fate__by_name *opening, fate_value addresses);
    void (*free)(struct fate__by_name *opening);
    /* Its own. */
    struct fate__ear ear;
    fate_deferred *d; /* NULL: cancelled */
};

/* The opening is given, and is freed when it has been opened, or never will be. */
fate_deferred *fate__open_by_name(fate_reactor *reactor, struct fate__by_name *opening);

#endif
