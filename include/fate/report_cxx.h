/* Seeing in from C++17.  Included by report.h. */
#ifndef FATE_REPORT_CXX_H
#define FATE_REPORT_CXX_H

#include <fate/report.h>

inline fate_watch fate_reactor_trace(fate_reactor *reactor, fate_turned_fn *turned, fate_value arg,
                                     const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_reactor_trace_at(reactor, turned, arg, fate_site(file, line, nullptr));
}

#endif
