/* Coroutines from C++17.  Included by coro.h. */
#ifndef FATE_CORO_CXX_H
#define FATE_CORO_CXX_H

#include <fate/coro.h>

inline fate_deferred *fate_go(fate_reactor *reactor, fate_coroutine *body, fate_value arg,
                              const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_go_at(reactor, body, arg, nullptr, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_go_with(fate_reactor *reactor, fate_coroutine *body, fate_value arg,
                                   const fate_go_options *options, const char *file = __builtin_FILE(),
                                   int line = __builtin_LINE())
{
    return fate_go_at(reactor, body, arg, options, fate_site(file, line, nullptr));
}

inline fate_value fate_await(fate_coro *co, fate_deferred *d, const char *file = __builtin_FILE(),
                             int line = __builtin_LINE())
{
    return fate_await_at(co, d, fate_site(file, line, "await"));
}

inline fate_value fate_await_all(fate_coro *co, size_t n, fate_deferred *const *members,
                                 const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_await_all_at(co, n, members, fate_site(file, line, "await"));
}

inline fate_value fate_await_any(fate_coro *co, size_t n, fate_deferred *const *members,
                                 const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_await_any_at(co, n, members, fate_site(file, line, "await"));
}

inline fate_value fate_coro_sleep(fate_coro *co, fate_time t, const char *file = __builtin_FILE(),
                                  int line = __builtin_LINE())
{
    return fate_coro_sleep_at(co, t, fate_site(file, line, "await"));
}

inline int fate_coro_at_exit(fate_coro *co, fate_action *action, fate_value arg,
                             const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_coro_at_exit_at(co, action, arg, fate_site(file, line, nullptr));
}

inline fate_value fate_coro_lock(fate_coro *co, fate_lock *lock, const char *file = __builtin_FILE(),
                                 int line = __builtin_LINE())
{
    return fate_coro_lock_at(co, lock, fate_site(file, line, "await"));
}

inline fate_value fate_coro_semaphore(fate_coro *co, fate_semaphore *semaphore,
                                      const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_coro_semaphore_at(co, semaphore, fate_site(file, line, "await"));
}

#endif
