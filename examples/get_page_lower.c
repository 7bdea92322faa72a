/* getPage with two callbacks: what the first returns is what the second gets.
 *
 * From Twisted 8.2, Asynchronous Programming with Twisted, lowerCaseContents and printContents. */
#include "small_site.h"
#include <ctype.h>

static fate_value lower_case_contents(fate_value *contents, fate_value *arg)
{
    const char *page = fate_as_str(contents);
    char lower[1000] = "";

    for (size_t i = 0; page[i] && i < sizeof lower - 1; i++)
        lower[i] = (char)tolower((unsigned char)page[i]);
    return fate_str(lower);
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    open_small_site(reactor);
    fate_deferred *page = fate_get_page(reactor, SITE "/");
    fate_add_callback(page, lower_case_contents, fate_none());
    return fate_add_callback(page, fate_print, fate_none());
}

int main(int argc, char **argv)
{
    return fate_main(start, argc, argv);
}
