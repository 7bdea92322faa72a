/* Settle, gather and race from C++17.  Included by combine.h. */
#ifndef FATE_COMBINE_CXX_H
#define FATE_COMBINE_CXX_H

#include <fate/combine.h>

inline fate_deferred *fate_settle(fate_reactor *reactor, size_t n, fate_deferred *const *members,
                                  const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_settle_at(reactor, n, members, nullptr, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_settle_with(fate_reactor *reactor, size_t n, fate_deferred *const *members,
                                       const fate_settle_options *options,
                                       const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_settle_at(reactor, n, members, options, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_gather(fate_reactor *reactor, size_t n, fate_deferred *const *members,
                                  const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_gather_at(reactor, n, members, nullptr, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_gather_with(fate_reactor *reactor, size_t n, fate_deferred *const *members,
                                       const fate_gather_options *options,
                                       const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_gather_at(reactor, n, members, options, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_race(fate_reactor *reactor, size_t n, fate_deferred *const *members,
                                const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_race_at(reactor, n, members, fate_site(file, line, nullptr));
}

#endif
