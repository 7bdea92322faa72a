/* getPage of a page that does not exist: the errback gets the failure, with what the server has said.
 *
 * From Twisted 8.2, Asynchronous Programming with Twisted, errorHandler. */
#include "small_site.h"

static fate_value error_handler(fate_value *error, fate_value *arg)
{
    printf("An error has occurred: <%s>\n", fate_message(error));
    printf("The server's page says: %s", fate_as_str(fate_dict_get(fate_payload(error), "page")));
    return fate_none();
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    open_small_site(reactor);
    fate_deferred *page = fate_get_page(reactor, SITE "/does-not-exist");
    fate_add_callback(page, fate_print, fate_none());
    return fate_add_errback(page, error_handler, fate_none());
}

int main(int argc, char **argv)
{
    return fate_main(start, argc, argv);
}
