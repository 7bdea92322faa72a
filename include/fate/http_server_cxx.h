/* The HTTP server from C++17.  Included by http_server.h. */
#ifndef FATE_HTTP_SERVER_CXX_H
#define FATE_HTTP_SERVER_CXX_H

#include <fate/http_server.h>

inline fate_website *fate_site_new(fate_reactor *reactor, const char *file = __builtin_FILE(),
                                   int line = __builtin_LINE())
{
    return fate_site_new_at(reactor, nullptr, fate_site(file, line, nullptr));
}

inline fate_website *fate_site_new_with(fate_reactor *reactor, const fate_site_options *options,
                                        const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_site_new_at(reactor, options, fate_site(file, line, nullptr));
}

inline void fate_site_routes(fate_website *site, const fate_route routes[], fate_value arg,
                             const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    fate_site_routes_at(site, routes, arg, fate_site(file, line, nullptr));
}

inline void fate_site_mount(fate_website *site, const char *prefix, fate_resource *resource,
                            const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    fate_site_mount_at(site, prefix, resource, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_site_listen(fate_website *site, const char *endpoint,
                                       const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_site_listen_at(site, endpoint, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_serve_site(fate_website *site, const char *endpoint,
                                      const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_serve_site_at(site, endpoint, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_serve_routes(fate_reactor *reactor, const char *endpoint,
                                        const fate_route routes[], fate_value arg,
                                        const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_serve_routes_at(reactor, endpoint, routes, arg, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_serve_files(fate_reactor *reactor, const char *endpoint, const char *directory,
                                       const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_serve_files_at(reactor, endpoint, directory, fate_site(file, line, nullptr));
}

inline fate_resource *fate_resource_new(fate_reactor *reactor, fate_page *page, fate_value arg,
                                        const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_resource_new_at(reactor, page, arg, fate_site(file, line, nullptr));
}

inline fate_resource *fate_static_new(fate_reactor *reactor, const char *directory,
                                      const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_static_new_at(reactor, directory, nullptr, fate_site(file, line, nullptr));
}

inline fate_resource *fate_static_new_with(fate_reactor *reactor, const char *directory,
                                           const fate_static_options *options,
                                           const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_static_new_at(reactor, directory, options, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_request_text(fate_request *request, const char *file = __builtin_FILE(),
                                        int line = __builtin_LINE())
{
    return fate_request_text_at(request, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_request_form(fate_request *request, const char *file = __builtin_FILE(),
                                        int line = __builtin_LINE())
{
    return fate_request_form_at(request, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_request_json(fate_request *request, const char *file = __builtin_FILE(),
                                        int line = __builtin_LINE())
{
    return fate_request_json_at(request, fate_site(file, line, nullptr));
}

/* Ours: a status, and the place of the call. */
struct fate_status_here {
    int status;
    const char *site;

    fate_status_here(int status_, const char *file = __builtin_FILE(), int line = __builtin_LINE(),
                     const char *function = __builtin_FUNCTION())
        : status(status_), site(fate_site(file, line, function))
    {
    }
};

FATE_PRINTF(2, 3)
inline fate_value fate_http_raise(fate_status_here status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_value v = fate_http_raise_v(nullptr, status.site, status.status, fmt, args);
    va_end(args);
    return v;
}

#endif
