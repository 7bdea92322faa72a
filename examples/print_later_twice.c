/* Makes and fires a deferred by hand, and hands its result from one callback to the next.
 *
 * From the "Twisted Tutorial", print_later_twice.py.  fate_print is such a callback, ready-made. */
#include <fate/fate.h>
#include <stdio.h>

static fate_value print_and_pass_through(fate_value *result, fate_value *arg)
{
    printf("%s\n", fate_as_str(result));
    return fate_take(result);
}

/* Prints the given message twice after 1 second has passed. */
static void print_later_twice(fate_reactor *reactor, const char *message)
{
    fate_deferred *d = fate_deferred_new(reactor);

    fate_add_callback(d, print_and_pass_through, fate_none());
    fate_add_callback(d, print_and_pass_through, fate_none());
    fate_fire_later(d, 1 * FATE_SECOND, fate_str(message));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();

    print_later_twice(reactor, "The future is now!");
    fate_stop_later(reactor, 2 * FATE_SECOND);
    fate_run(reactor);
    fate_reactor_free(reactor);
}
