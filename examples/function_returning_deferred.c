/* The simplest function that returns a deferred, one that has fired already.
 *
 * From the talk on Deferreds, 1 Introduction. */
#include <fate/fate.h>
#include <stdio.h>

static fate_deferred *function_returning_deferred(fate_reactor *reactor)
{
    return fate_succeed(reactor, fate_str("Some value"));
}

static fate_value print_value(fate_value *value, fate_value *arg)
{
    printf("Yay, I got \"%s\"\n", fate_as_str(value));
    return fate_none();
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();

    fate_add_callback(function_returning_deferred(reactor), print_value, fate_none());
    fate_reactor_free(reactor);
}
