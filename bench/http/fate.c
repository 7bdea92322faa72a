/* libfate-web: a page that returns a text. */
#include "../common/net.h"
#include <fate/fate.h>
#include <fate/http_server.h>

static fate_value text;

static fate_value hello(fate_request *request, fate_value *arg)
{
    return fate_copy(&text);
}

static const fate_route routes[] = { { "GET /", hello }, { 0 } };

static fate_value listening(fate_value *listener, fate_value *arg)
{
    ready();
    return fate_none();
}

static fate_value cannot_listen(fate_value *why, fate_value *arg)
{
    fprintf(stderr, "%s\n", fate_message(why));
    exit(1);
}

int main(int argc, char **argv)
{
    char endpoint[64];
    fate_reactor *reactor = fate_reactor_new();

    if (!reactor)
        die("fate_reactor_new");
    snprintf(endpoint, sizeof endpoint, "tcp:%d:interface=127.0.0.1", port_of(argc, argv));
    fate_website *site = fate_site_new(reactor);
    text = fate_str("Hello, World!");
    fate_site_routes(site, routes, fate_none());
    fate_add_callbacks(fate_site_listen(site, endpoint), listening, cannot_listen, fate_none());
    errno = -fate_run(reactor);
    if (errno)
        die("fate_run");
    fate_reactor_free(reactor);
    fate_drop(text);
    return 0;
}
