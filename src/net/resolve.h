/* Names, for the rest of the net. */
#ifndef FATE_SRC_NET_RESOLVE_H
#define FATE_SRC_NET_RESOLVE_H

#include <fate/resolve.h>

/* Why this cannot be the name of a host, behind "is": "longer than a name may be (253 bytes)"; NULL: it can.
 * An address literal is none. */
const char *fate__name_fault(const char *name);

#endif
