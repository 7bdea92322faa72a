/* Streams from C++17.  Included by stream.h. */
#ifndef FATE_STREAM_CXX_H
#define FATE_STREAM_CXX_H

#include <fate/stream.h>

inline fate_channel *fate_channel_new(fate_reactor *reactor, const char *file = __builtin_FILE(),
                                      int line = __builtin_LINE())
{
    return fate_channel_new_at(reactor, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_read(fate_value *source, const char *file = __builtin_FILE(),
                                int line = __builtin_LINE())
{
    return fate_read_at(source, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_read_all(fate_value source, size_t bytes_max, const char *file = __builtin_FILE(),
                                    int line = __builtin_LINE())
{
    return fate_read_all_at(source, bytes_max, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_sink_write(fate_reactor *reactor, fate_value *sink, fate_value piece,
                                      const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_sink_write_at(reactor, sink, piece, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_sink_end(fate_reactor *reactor, fate_value *sink, fate_value why,
                                    const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_sink_end_at(reactor, sink, why, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_pump(fate_value source, fate_value sink, const char *file = __builtin_FILE(),
                                int line = __builtin_LINE())
{
    return fate_pump_at(source, sink, fate_site(file, line, nullptr));
}

#endif
