/* The log from C++17.  Included by log.h. */
#ifndef FATE_LOG_CXX_H
#define FATE_LOG_CXX_H

#include <fate/log.h>

/* Ours: a level, and the place of the call, which is where it is turned into this. */
struct fate_level_here {
    int level;
    const char *site;

    fate_level_here(int level_, const char *file = __builtin_FILE(), int line = __builtin_LINE())
        : level(level_), site(fate_site(file, line, nullptr))
    {
    }
};

FATE_PRINTF(3, 4) inline void fate_log(fate_reactor *reactor, fate_level_here level, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_log_v_at(reactor, level.level, level.site, fmt, args);
    va_end(args);
}

inline void fate_log_fields(fate_reactor *reactor, int level, const char *text, fate_value dict,
                            const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    fate_log_fields_at(reactor, level, text, dict, fate_site(file, line, nullptr));
}

inline fate_watch fate_log_observe(fate_reactor *reactor, int level_min, fate_log_observer *observer,
                                   fate_value arg, const char *file = __builtin_FILE(),
                                   int line = __builtin_LINE())
{
    return fate_log_observe_at(reactor, level_min, observer, arg, fate_site(file, line, nullptr));
}

#endif
