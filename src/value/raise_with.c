/* Failures that the library itself makes, carrying what the public functions for them take one at a time. */
#include <value/value.h>

static fate_value raise_v(const char *function, const char *here, const fate_class *c, fate_value payload,
                          fate_value cause, const char *fmt, ...) FATE_PRINTF(6, 7);

static fate_value raise_v(const char *function, const char *here, const fate_class *c, fate_value payload,
                          fate_value cause, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_value failure = fate_raise_v(function, here, c, payload, cause, fmt, args);
    va_end(args);
    return failure;
}

fate_value fate__raise_with(const char *function, const char *here, const fate_class *c, fate_value payload,
                            fate_value cause)
{
    return raise_v(function, here, c, payload, cause, "%s", "");
}
