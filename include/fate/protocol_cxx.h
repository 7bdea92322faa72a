/* Protocols from C++17.  Included by protocol.h. */
#ifndef FATE_PROTOCOL_CXX_H
#define FATE_PROTOCOL_CXX_H

#include <fate/protocol.h>

inline fate_deferred *fate_tie(fate_protocol *p, fate_deferred *d, const char *file = __builtin_FILE(),
                               int line = __builtin_LINE())
{
    return fate_tie_at(p, d, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_receive(fate_protocol *p, const char *file = __builtin_FILE(),
                                   int line = __builtin_LINE())
{
    return fate_receive_at(p, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_flushed(fate_transport *transport, const char *file = __builtin_FILE(),
                                   int line = __builtin_LINE())
{
    return fate_flushed_at(transport, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_written(fate_transport *transport, const char *file = __builtin_FILE(),
                                   int line = __builtin_LINE())
{
    return fate_written_at(transport, fate_site(file, line, nullptr));
}

#endif
