/* The reactor from C++17.  Included by reactor.h. */
#ifndef FATE_REACTOR_CXX_H
#define FATE_REACTOR_CXX_H

#include <fate/reactor.h>

inline fate_watch fate_watch_fd(fate_reactor *reactor, int fd, unsigned events, fate_fd_fn *fn,
                                fate_value arg, const char *file = __builtin_FILE(),
                                int line = __builtin_LINE())
{
    return fate_watch_fd_at(reactor, fd, events, fn, arg, fate_site(file, line, nullptr));
}

inline fate_watch fate_add_trigger(fate_reactor *reactor, fate_phase phase, fate_occasion when,
                                   fate_function *function, fate_value arg,
                                   const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_add_trigger_at(reactor, phase, when, function, arg, fate_site(file, line, nullptr));
}

inline fate_watch fate_call_when_running(fate_reactor *reactor, fate_function *function, fate_value arg,
                                         const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_call_when_running_at(reactor, function, arg, fate_site(file, line, nullptr));
}

inline fate_watch fate_on_signal(fate_reactor *reactor, int signo, fate_action *action, fate_value arg,
                                 const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_on_signal_at(reactor, signo, action, arg, fate_site(file, line, nullptr));
}

inline int fate_stop_later(fate_reactor *reactor, fate_time delay, const char *file = __builtin_FILE(),
                           int line = __builtin_LINE())
{
    return fate_stop_later_at(reactor, delay, fate_site(file, line, nullptr));
}

inline fate_timer fate_call_later(fate_reactor *reactor, fate_time delay, fate_action *action, fate_value arg,
                                  const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_call_later_at(reactor, delay, action, arg, fate_site(file, line, nullptr));
}

inline int fate_fire_later(fate_deferred *d, fate_time delay, fate_value value,
                           const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_fire_later_at(d, delay, value, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_add_timeout(fate_deferred *d, fate_time delay, const char *file = __builtin_FILE(),
                                       int line = __builtin_LINE())
{
    return fate_add_timeout_at(d, delay, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_add_timeout_with(fate_deferred *d, fate_time delay, fate_callback *translate,
                                            fate_value arg, const char *file = __builtin_FILE(),
                                            int line = __builtin_LINE())
{
    return fate_add_timeout_with_at(d, delay, translate, arg, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_defer_later(fate_reactor *reactor, fate_time delay, fate_function *function,
                                       fate_value arg, const char *file = __builtin_FILE(),
                                       int line = __builtin_LINE())
{
    return fate_defer_later_at(reactor, delay, function, arg, fate_site(file, line, nullptr));
}

inline fate_looping_call *fate_looping_call_new(fate_reactor *reactor, fate_function *function,
                                                fate_value arg, const char *file = __builtin_FILE(),
                                                int line = __builtin_LINE())
{
    return fate_looping_call_new_at(reactor, function, arg, fate_site(file, line, nullptr));
}

inline fate_looping_call *fate_looping_call_new_counted(fate_reactor *reactor,
                                                        fate_counted_function *function, fate_value arg,
                                                        const char *file = __builtin_FILE(),
                                                        int line = __builtin_LINE())
{
    return fate_looping_call_new_counted_at(reactor, function, arg, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_looping_call_start(fate_looping_call *loop, fate_time interval, bool now,
                                              const char *file = __builtin_FILE(),
                                              int line = __builtin_LINE())
{
    return fate_looping_call_start_at(loop, interval, now, fate_site(file, line, nullptr));
}

#endif
