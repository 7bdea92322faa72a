/* A web server: curl localhost:8080/hello/Ben.  With the name of a folder as its argument, of its files.
 *
 * With the argument "demo" it asks itself. */
#include "demo.h"

#include <fate/http_client.h>
#include <fate/http_server.h>

static fate_value hello(fate_request *request, fate_value *arg)
{
    return fate_format("Hello, %s!\n", fate_request_param(request, "name"));
}

static const fate_route routes[] = { { "GET /hello/{name}", hello }, { 0 } };

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    if (argc > 1 && !is_demo(argc, argv))
        return fate_serve_files(reactor, "tcp:8080", argv[1]);
    fate_deferred *serving = fate_serve_routes(reactor, "tcp:8080", routes, fate_none());

    if (!is_demo(argc, argv))
        return serving;
    fate_deferred *asking = fate_get_page(reactor, "http://localhost:8080/hello/Ben");
    return serve_until(serving, fate_add_callback(asking, fate_print, fate_none()));
}

int main(int argc, char **argv)
{
    return fate_main(start, argc, argv);
}
