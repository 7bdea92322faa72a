/* getPage: a page that arrives later, and the callback that prints it.
 *
 * From Twisted 8.2, Asynchronous Programming with Twisted, printContents. */
#include "small_site.h"

static fate_value print_contents(fate_value *contents, fate_value *arg)
{
    printf("The Deferred has called printContents with the following contents:\n%s\n", fate_as_str(contents));
    return fate_none();
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    open_small_site(reactor);
    return fate_add_callback(fate_get_page(reactor, SITE "/"), print_contents, fate_none());
}

int main(int argc, char **argv)
{
    return fate_main(start, argc, argv);
}
