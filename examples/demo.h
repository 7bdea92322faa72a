/* A server that serves for a demonstration, in the program that asks it, and then ends. */
#ifndef EXAMPLES_DEMO_H
#define EXAMPLES_DEMO_H

#include <fate/fate.h>
#include <string.h>

static inline bool is_demo(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], "demo") == 0;
}

static inline fate_value end_serving(fate_value *result, fate_value *serving)
{
    fate_deferred *d = fate_as_ptr(serving);

    fate_cancel(d);
    fate_release(d);
    return fate_take(result);
}

/* Serving, which its cancel ends in the orderly way, is cancelled when asking is done. */
static inline fate_deferred *serve_until(fate_deferred *serving, fate_deferred *asking)
{
    fate_add_both(asking, end_serving, fate_ptr(fate_hold(serving)));
    return serving;
}

#endif
