/* A user's program that fetches what is no page, and tells the library's version. */
#include <fate/fate.h>
#include <fate/http_client.h>
#include <stdio.h>

static fate_value print_trouble(fate_value *why, fate_value *arg)
{
    printf("%s %s\n", fate_is(why, &FATE_VALUE_ERROR) ? "no URL" : fate_message(why), fate_version());
    return fate_none();
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new_simulated();
    fate_add_errback(fate_get_page(reactor, "a_bad_url"), print_trouble, fate_none());
    fate_reactor_free(reactor);
    return 0;
}
