/* Datagrams from C++17.  Included by datagram.h. */
#ifndef FATE_DATAGRAM_CXX_H
#define FATE_DATAGRAM_CXX_H

#include <fate/datagram.h>

inline fate_deferred *fate_udp_open(fate_reactor *reactor, const char *endpoint, fate_datagram_fn *got,
                                    fate_value arg, const char *file = __builtin_FILE(),
                                    int line = __builtin_LINE())
{
    return fate_udp_open_at(reactor, endpoint, got, arg, nullptr, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_udp_open_with(fate_reactor *reactor, const char *endpoint, fate_datagram_fn *got,
                                         fate_value arg, const fate_udp_options *options,
                                         const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_udp_open_at(reactor, endpoint, got, arg, options, fate_site(file, line, nullptr));
}

#endif
