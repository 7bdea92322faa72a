/* Failures from C++17: what failure.h makes of macros in C.  Included by failure.h. */
#ifndef FATE_FAILURE_CXX_H
#define FATE_FAILURE_CXX_H

#include <fate/failure.h>

/* Ours: a class, or an errno, and the place of the call, which is where it is turned into this. */
struct fate_class_here {
    const fate_class *c;
    const char *site;

    fate_class_here(const fate_class *c_, const char *file = __builtin_FILE(), int line = __builtin_LINE(),
                    const char *function = __builtin_FUNCTION())
        : c(c_), site(fate_site(file, line, function))
    {
    }
};

struct fate_errno_here {
    int errnum;
    const char *site;

    fate_errno_here(int errnum_, const char *file = __builtin_FILE(), int line = __builtin_LINE(),
                    const char *function = __builtin_FUNCTION())
        : errnum(errnum_), site(fate_site(file, line, function))
    {
    }
};

FATE_PRINTF(2, 3)
inline fate_value fate_raise(fate_class_here c, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_value v = fate_raise_v(nullptr, c.site, c.c, fate_none(), fate_none(), fmt, args);
    va_end(args);
    return v;
}

FATE_PRINTF(3, 4)
inline fate_value fate_raise_with(fate_class_here c, fate_value payload, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_value v = fate_raise_v(nullptr, c.site, c.c, payload, fate_none(), fmt, args);
    va_end(args);
    return v;
}

FATE_PRINTF(3, 4)
inline fate_value fate_raise_from(fate_class_here c, fate_value cause, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_value v = fate_raise_v(nullptr, c.site, c.c, fate_none(), cause, fmt, args);
    va_end(args);
    return v;
}

FATE_PRINTF(2, 3)
inline fate_value fate_raise_errno(fate_errno_here e, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_value v = fate_raise_errno_v(nullptr, e.site, e.errnum, fmt, args);
    va_end(args);
    return v;
}

#endif
