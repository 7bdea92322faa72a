/* Names: what addresses a host has. */
#ifndef FATE_RESOLVE_H
#define FATE_RESOLVE_H

#include <fate/address.h>
#include <fate/deferred.h>

FATE_BEGIN

/* The root. */
FATE_API extern const fate_class FATE_DNS_ERROR;
FATE_API extern const fate_class FATE_DNS_NO_NAME; /* there is no such name */
FATE_API extern const fate_class FATE_DNS_NO_DATA; /* the name is there, but has no address */
FATE_API extern const fate_class FATE_DNS_SERVER;  /* a server has failed, or none could be asked */
FATE_API extern const fate_class FATE_DNS_REFUSED; /* a server does not want to answer */
/* Of FATE_TIMEOUT. */
FATE_API extern const fate_class FATE_DNS_TIMEOUT;

/* A list of addresses without port, each a box of fate_address: fate_unbox(fate_address, fate_at(&list, i)),
 * best first, families alternating (RFC 8305, 4).
 *
 * An address is itself, "[::1]" too, and localhost and what is below it this host (RFC 6761), IPv4 first.
 * What /etc/hosts has needs no thread, and names below invalid and onion are nowhere else.  All others are
 * asked of the system, by up to four threads of the reactor's own: several who ask for one name at a time
 * share the answer, and nothing is kept for later.  Each is given 20 s, waiting for a thread included:
 * FATE_DNS_TIMEOUT.  Cancel detaches: the late answer is dropped.  A thread that still hangs in the system's
 * resolver when the reactor is freed gets 200 ms, and is left to itself then: so a program that unloads
 * libfate should let its names be answered first.
 *
 * On a simulated reactor each name has an address of the simulated network (fate/test.h). */
FATE_API fate_deferred *fate_resolve_at(fate_reactor *reactor, const char *name, const char *site);

/* Another way to resolve all but addresses and localhost, /etc/hosts included; on a simulated reactor
 * localhost, too.  It fires with such a list.  name is lent.  NULL: as before.  0 or -ENOMEM. */
typedef fate_deferred *fate_resolver(fate_reactor *reactor, const char *name, fate_value *arg);
FATE_API int fate_set_resolver(fate_reactor *reactor, fate_resolver *resolver, fate_value arg);
/* As fate_resolve if no resolver were set: for those that know some names and leave the others, since
 * fate_resolve would ask them again. */
FATE_API fate_deferred *fate_resolve_by_default_at(fate_reactor *reactor, const char *name, const char *site);

FATE_END

#ifdef __cplusplus
#include <fate/resolve_cxx.h>
#else
FATE_API fate_deferred *fate_resolve(fate_reactor *reactor, const char *name);
FATE_API fate_deferred *fate_resolve_by_default(fate_reactor *reactor, const char *name);
#define fate_resolve(reactor, name)            fate_resolve_at(reactor, name, FATE_HERE)
#define fate_resolve_by_default(reactor, name) fate_resolve_by_default_at(reactor, name, FATE_HERE)
#endif

#endif
