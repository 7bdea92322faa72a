/* Trying again from C++17.  Included by retry.h. */
#ifndef FATE_RETRY_CXX_H
#define FATE_RETRY_CXX_H

#include <fate/retry.h>

inline fate_deferred *fate_retry(fate_reactor *reactor, fate_function *function, fate_value arg,
                                 const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_retry_at(reactor, function, arg, nullptr, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_retry_with(fate_reactor *reactor, fate_function *function, fate_value arg,
                                      const fate_retry_options *options, const char *file = __builtin_FILE(),
                                      int line = __builtin_LINE())
{
    return fate_retry_at(reactor, function, arg, options, fate_site(file, line, nullptr));
}

#endif
