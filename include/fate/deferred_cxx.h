/* Deferreds from C++17: what deferred.h makes of macros in C; a level is named by its line.  Included by
 * deferred.h. */
#ifndef FATE_DEFERRED_CXX_H
#define FATE_DEFERRED_CXX_H

#include <fate/deferred.h>

inline fate_deferred *fate_deferred_new(fate_reactor *reactor, const char *file = __builtin_FILE(),
                                        int line = __builtin_LINE())
{
    return fate_deferred_new_at(reactor, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_deferred_new_cancellable(fate_reactor *reactor, fate_canceller *canceller,
                                                    fate_value arg, const char *file = __builtin_FILE(),
                                                    int line = __builtin_LINE())
{
    return fate_deferred_new_cancellable_at(reactor, canceller, arg, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_succeed(fate_reactor *reactor, fate_value value,
                                   const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_succeed_at(reactor, value, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_fail(fate_reactor *reactor, fate_value failure,
                                const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_fail_at(reactor, failure, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_maybe(fate_reactor *reactor, fate_function *function, fate_value arg,
                                 const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_maybe_at(reactor, function, arg, fate_site(file, line, nullptr));
}

inline int fate_fire(fate_deferred *d, fate_value value_or_failure, const char *file = __builtin_FILE(),
                     int line = __builtin_LINE())
{
    return fate_fire_at(d, value_or_failure, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_add_callback(fate_deferred *d, fate_callback *callback, fate_value arg,
                                        const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_add_callback_at(d, callback, arg, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_add_errback(fate_deferred *d, fate_callback *errback, fate_value arg,
                                       const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_add_errback_at(d, errback, arg, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_add_both(fate_deferred *d, fate_callback *both, fate_value arg,
                                    const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_add_both_at(d, both, arg, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_add_callbacks(fate_deferred *d, fate_callback *callback, fate_callback *errback,
                                         fate_value arg, const char *file = __builtin_FILE(),
                                         int line = __builtin_LINE())
{
    return fate_add_callbacks_at(d, callback, errback, arg, fate_site(file, line, nullptr),
                                 fate_site(file, line, nullptr));
}

inline fate_deferred *fate_add_trap(fate_deferred *d, const fate_class *c, fate_callback *errback,
                                    fate_value arg, const char *file = __builtin_FILE(),
                                    int line = __builtin_LINE())
{
    return fate_add_trap_at(d, c, errback, arg, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_add_handlers(fate_deferred *d, const fate_handlers *handlers,
                                        const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_add_handlers_at(d, handlers, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_chain(fate_deferred *d, fate_deferred *target, const char *file = __builtin_FILE(),
                                 int line = __builtin_LINE())
{
    return fate_chain_at(d, target, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_branch(fate_deferred *d, const char *file = __builtin_FILE(),
                                  int line = __builtin_LINE())
{
    return fate_branch_at(d, fate_site(file, line, nullptr));
}

inline void fate_cancel(fate_deferred *d, const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    fate_cancel_at(d, fate_site(file, line, nullptr));
}

#endif
