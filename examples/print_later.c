/* Sets up some work to be done after a time.
 *
 * From the "Twisted Tutorial", print_later.py. */
#include <fate/fate.h>
#include <stdio.h>

static fate_value print_message(fate_value *message)
{
    printf("%s\n", fate_as_str(message));
    return fate_none();
}

/* Prints the given message after 1 second has passed. */
static void print_later(fate_reactor *reactor, const char *message)
{
    fate_defer_later(reactor, 1 * FATE_SECOND, print_message, fate_str(message));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();

    print_later(reactor, "The future is now!");
    fate_stop_later(reactor, 2 * FATE_SECOND);
    fate_run(reactor);
    fate_reactor_free(reactor);
}
