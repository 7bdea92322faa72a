/* Names from C++17.  Included by resolve.h. */
#ifndef FATE_RESOLVE_CXX_H
#define FATE_RESOLVE_CXX_H

#include <fate/resolve.h>

inline fate_deferred *fate_resolve(fate_reactor *reactor, const char *name,
                                   const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_resolve_at(reactor, name, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_resolve_by_default(fate_reactor *reactor, const char *name,
                                              const char *file = __builtin_FILE(),
                                              int line = __builtin_LINE())
{
    return fate_resolve_by_default_at(reactor, name, fate_site(file, line, nullptr));
}

#endif
