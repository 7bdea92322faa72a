/* Cooperation from C++17.  Included by cooperate.h. */
#ifndef FATE_COOPERATE_CXX_H
#define FATE_COOPERATE_CXX_H

#include <fate/cooperate.h>

inline fate_task fate_cooperate(fate_reactor *reactor, fate_function *step, fate_value arg,
                                const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_cooperate_at(reactor, step, arg, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_coiterate(fate_reactor *reactor, fate_function *step, fate_value arg,
                                     const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_coiterate_at(reactor, step, arg, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_task_when_done(fate_task task, const char *file = __builtin_FILE(),
                                          int line = __builtin_LINE())
{
    return fate_task_when_done_at(task, fate_site(file, line, nullptr));
}

inline int fate_task_stop(fate_task task, const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_task_stop_at(task, fate_site(file, line, nullptr));
}

inline fate_cooperator *fate_cooperator_new(fate_reactor *reactor, const char *file = __builtin_FILE(),
                                            int line = __builtin_LINE())
{
    return fate_cooperator_new_at(reactor, nullptr, fate_site(file, line, nullptr));
}

inline fate_cooperator *fate_cooperator_new_with(fate_reactor *reactor,
                                                 const fate_cooperator_options *options,
                                                 const char *file = __builtin_FILE(),
                                                 int line = __builtin_LINE())
{
    return fate_cooperator_new_at(reactor, options, fate_site(file, line, nullptr));
}

inline void fate_cooperator_stop(fate_cooperator *cooperator, const char *file = __builtin_FILE(),
                                 int line = __builtin_LINE())
{
    fate_cooperator_stop_at(cooperator, fate_site(file, line, nullptr));
}

inline fate_task fate_cooperator_cooperate(fate_cooperator *cooperator, fate_function *step, fate_value arg,
                                           const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_cooperator_cooperate_at(cooperator, step, arg, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_cooperator_coiterate(fate_cooperator *cooperator, fate_function *step,
                                                fate_value arg, const char *file = __builtin_FILE(),
                                                int line = __builtin_LINE())
{
    return fate_cooperator_coiterate_at(cooperator, step, arg, fate_site(file, line, nullptr));
}

#endif
