/* Threads from C++17.  Included by thread.h. */
#ifndef FATE_THREAD_CXX_H
#define FATE_THREAD_CXX_H

#include <fate/thread.h>

inline int fate_call_from_thread(fate_reactor *reactor, fate_action *action, fate_value arg,
                                 const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_call_from_thread_at(reactor, action, arg, fate_site(file, line, nullptr));
}

#endif
