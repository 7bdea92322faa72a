/* Fetching pages from C++17.  Included by http_client.h. */
#ifndef FATE_HTTP_CLIENT_CXX_H
#define FATE_HTTP_CLIENT_CXX_H

#include <fate/http_client.h>

inline fate_agent *fate_agent_new(fate_reactor *reactor, const char *file = __builtin_FILE(),
                                  int line = __builtin_LINE())
{
    return fate_agent_new_at(reactor, nullptr, fate_site(file, line, nullptr));
}

inline fate_agent *fate_agent_new_with(fate_reactor *reactor, const fate_agent_options *options,
                                       const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_agent_new_at(reactor, options, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_get_page(fate_reactor *reactor, const char *url,
                                    const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_get_page_at(reactor, url, nullptr, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_get_page_with(fate_reactor *reactor, const char *url,
                                         const fate_fetch_options *options,
                                         const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_get_page_at(reactor, url, options, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_fetch(fate_reactor *reactor, const char *url, const char *file = __builtin_FILE(),
                                 int line = __builtin_LINE())
{
    return fate_fetch_at(reactor, url, nullptr, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_fetch_with(fate_reactor *reactor, const char *url,
                                      const fate_fetch_options *options, const char *file = __builtin_FILE(),
                                      int line = __builtin_LINE())
{
    return fate_fetch_at(reactor, url, options, fate_site(file, line, nullptr));
}

inline fate_value fate_response_body(fate_response *response, const char *file = __builtin_FILE(),
                                     int line = __builtin_LINE())
{
    return fate_response_body_at(response, fate_site(file, line, nullptr));
}

#endif
