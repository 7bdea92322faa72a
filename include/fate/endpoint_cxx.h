/* Endpoints from C++17.  Included by endpoint.h. */
#ifndef FATE_ENDPOINT_CXX_H
#define FATE_ENDPOINT_CXX_H

#include <fate/endpoint.h>

inline fate_deferred *fate_listen(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg,
                                  const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_listen_at(reactor, endpoint, ops, arg, nullptr, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_listen_with(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                       fate_value arg, const fate_listen_options *options,
                                       const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_listen_at(reactor, endpoint, ops, arg, options, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_serve(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg,
                                 const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_serve_at(reactor, endpoint, ops, arg, nullptr, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_serve_with(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                      fate_value arg, const fate_listen_options *options,
                                      const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_serve_at(reactor, endpoint, ops, arg, options, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_listener_stop(fate_listener *listener, fate_time drain_max,
                                         const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_listener_stop_at(listener, drain_max, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_connect(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg,
                                   const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_connect_at(reactor, endpoint, ops, arg, nullptr, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_connect_with(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                        fate_value arg, const fate_connect_options *options,
                                        const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_connect_at(reactor, endpoint, ops, arg, options, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_converse(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg,
                                    const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_converse_at(reactor, endpoint, ops, arg, nullptr, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_converse_with(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                         fate_value arg, const fate_connect_options *options,
                                         const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_converse_at(reactor, endpoint, ops, arg, options, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_keep_connected(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                          fate_value arg, const char *file = __builtin_FILE(),
                                          int line = __builtin_LINE())
{
    return fate_keep_connected_at(reactor, endpoint, ops, arg, nullptr, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_keep_connected_with(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                               fate_value arg, const fate_connect_options *options,
                                               const char *file = __builtin_FILE(),
                                               int line = __builtin_LINE())
{
    return fate_keep_connected_at(reactor, endpoint, ops, arg, options, fate_site(file, line, nullptr));
}

#endif
