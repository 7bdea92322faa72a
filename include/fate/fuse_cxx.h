/* Fuses from C++17.  Included by fuse.h. */
#ifndef FATE_FUSE_CXX_H
#define FATE_FUSE_CXX_H

#include <fate/fuse.h>

inline fate_fuse *fate_fuse_new(fate_reactor *reactor, fate_time burning_time,
                                const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_fuse_new_at(reactor, burning_time, fate_site(file, line, nullptr));
}

inline fate_fuse *fate_fuse_on(fate_deferred *d, const char *file = __builtin_FILE(),
                               int line = __builtin_LINE())
{
    return fate_fuse_on_at(d, fate_site(file, line, nullptr));
}

inline int fate_fuse_set_handler(fate_fuse *fuse, fate_action *action, fate_value arg,
                                 const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_fuse_set_handler_at(fuse, action, arg, fate_site(file, line, nullptr));
}

inline int fate_fuse_add_handler(fate_fuse *fuse, fate_action *action, fate_value arg,
                                 const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_fuse_add_handler_at(fuse, action, arg, fate_site(file, line, nullptr));
}

#endif
