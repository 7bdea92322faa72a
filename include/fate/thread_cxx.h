/* Threads from C++17.  Included by thread.h. */
#ifndef FATE_THREAD_CXX_H
#define FATE_THREAD_CXX_H

#include <fate/thread.h>

inline int fate_call_from_thread(fate_reactor *reactor, fate_action *action, fate_value arg,
                                 const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_call_from_thread_at(reactor, action, arg, fate_site(file, line, nullptr));
}

inline fate_value fate_blocking_call_from_thread(fate_reactor *reactor, fate_function *function,
                                                 fate_value arg, const char *file = __builtin_FILE(),
                                                 int line = __builtin_LINE())
{
    return fate_blocking_call_from_thread_at(reactor, function, arg, fate_site(file, line, nullptr));
}

inline fate_pool *fate_pool_new(fate_reactor *reactor, const char *file = __builtin_FILE(),
                                int line = __builtin_LINE())
{
    return fate_pool_new_at(reactor, nullptr, fate_site(file, line, nullptr));
}

inline fate_pool *fate_pool_new_with(fate_reactor *reactor, const fate_pool_options *options,
                                     const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_pool_new_at(reactor, options, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_defer_to_thread(fate_reactor *reactor, fate_function *function, fate_value arg,
                                           const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_defer_to_thread_at(reactor, function, arg, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_defer_to_pool(fate_pool *pool, fate_function *function, fate_value arg,
                                         const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_defer_to_pool_at(pool, function, arg, fate_site(file, line, nullptr));
}

inline void fate_call_in_thread(fate_reactor *reactor, fate_function *function, fate_value arg,
                                const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    fate_call_in_thread_at(reactor, function, arg, fate_site(file, line, nullptr));
}

inline void fate_call_multiple_in_thread(fate_reactor *reactor, size_t n, fate_function *const functions[],
                                         fate_value args[], const char *file = __builtin_FILE(),
                                         int line = __builtin_LINE())
{
    fate_call_multiple_in_thread_at(reactor, n, functions, args, fate_site(file, line, nullptr));
}

#endif
