/* Serving and fetching over HTTP from C++17, on the simulated network: pages, options, bodies that stream,
 * fetches that fail, and sites that name the line. */
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include <fate/http_client.h>
#include <fate/http_server.h>
#include <fate/report.h>
#include <fate/test.h>

namespace
{

int n_failed;

void expect(bool holds, const char *what, int line)
{
    if (holds)
        return;
    n_failed++;
    std::fprintf(stderr, "test_http_cxx.cc:%d: expected: %s\n", line, what);
}

#define EXPECT(condition) expect((condition), #condition, __LINE__)

/* ---- A site ---- */

fate_value hello(fate_request *request, fate_value *)
{
    return fate_format("Hello, %s!", fate_request_param(request, "name"));
}

fate_value pass(fate_value *text, fate_value *)
{
    return fate_take(text);
}

fate_value echo(fate_request *request, fate_value *)
{
    return fate_follow(fate_add_callback(fate_request_text(request), pass, fate_none()));
}

fate_value first_field(fate_value *form, fate_value *)
{
    const fate_value *field = fate_dict_get(form, "a");

    return field ? fate_copy(field) : fate_str("(none)");
}

fate_value form(fate_request *request, fate_value *)
{
    return fate_follow(fate_add_callback(fate_request_form(request), first_field, fate_none()));
}

fate_value teapot(fate_request *request, fate_value *)
{
    EXPECT(fate_set_header(request, "X-Tea", "a\r\nb") == -EINVAL);
    return fate_http_raise(418, "no %s for %s", "tea", "you");
}

fate_value stream(fate_request *request, fate_value *)
{
    EXPECT(fate_set_status(request, 202) == 0);
    return fate_request_body(request);
}

fate_value rest(fate_request *request, fate_value *arg)
{
    return fate_format("%s %s", fate_as_str(arg), fate_request_param(request, "rest"));
}

const fate_route routes[] = { { "GET /hello/{name}", hello }, { "POST /echo", echo },
                              { "POST /form", form },         { "GET /teapot", teapot },
                              { "POST /stream", stream },     { nullptr, nullptr } };

/* ---- Results ---- */

fate_value keep(fate_value *result, fate_value *arg)
{
    *static_cast<fate_value *>(fate_as_ptr(arg)) = fate_take(result);
    return fate_none();
}

fate_value result_of(fate_reactor *reactor, fate_deferred *d)
{
    fate_value result = fate_none();

    fate_add_both(d, keep, fate_ptr(&result));
    fate_play(reactor, FATE_SECOND);
    return result;
}

bool is_text(fate_value v, const char *text)
{
    const char *s = "";
    bool is_equal = fate_get_str(&v, &s) && std::strcmp(s, text) == 0;

    if (!is_equal)
        std::fprintf(stderr, "it is %s\n", fate_is_failure(&v) ? fate_message(&v) : s);
    fate_drop(v);
    return is_equal;
}

bool has_past(const fate_value *failure, int line)
{
    fate_value text = fate_traceback(failure);
    bool has = std::strstr(fate_as_str(&text), ("test_http_cxx.cc:" + std::to_string(line)).c_str());

    if (!has)
        std::fprintf(stderr, "it came by\n%s\n", fate_as_str(&text));
    fate_drop(text);
    return has;
}

/* ---- Serving and fetching ---- */

void fetch_pages(fate_reactor *reactor)
{
    const fate_header headers[] = { { "Content-Type", "application/x-www-form-urlencoded" },
                                    { nullptr, nullptr } };
    fate_fetch_options options = {};

    EXPECT(is_text(result_of(reactor, fate_get_page(reactor, "http://web/hello/Ben")), "Hello, Ben!"));
    options.size = sizeof options;
    options.body = fate_str("a body");
    EXPECT(is_text(result_of(reactor, fate_get_page_with(reactor, "http://web/echo", &options)), "a body"));
    options.body = fate_str("a=1&b=2");
    options.headers = headers;
    EXPECT(is_text(result_of(reactor, fate_get_page_with(reactor, "http://web/form", &options)), "1"));
    EXPECT(is_text(result_of(reactor, fate_get_page(reactor, "http://web/rest/of/it")), "the of/it"));
}

void fetch_streams(fate_reactor *reactor)
{
    fate_agent_options wants = {};
    fate_fetch_options options = {};

    wants.size = sizeof wants;
    wants.per_host_max = 1;
    options.size = sizeof options;
    options.agent = fate_agent_new_with(reactor, &wants);
    options.body = fate_str("piece by piece");
    fate_value v = result_of(reactor, fate_fetch_with(reactor, "http://web/stream", &options));
    if (!fate_is_failure(&v)) {
        fate_response *response = fate_as_response(&v);
        EXPECT(fate_response_status(response) == 202);
        EXPECT(std::strcmp(fate_response_header(response, "transfer-encoding"), "chunked") == 0);
        fate_deferred *all = fate_read_all(fate_response_body(response), 1000);
        EXPECT(is_text(result_of(reactor, all), "piece by piece"));
    }
    EXPECT(!fate_is_failure(&v));
    fate_drop(v);
    EXPECT(fate_agent_connections(options.agent) == 1);
    fate_agent_free(options.agent);
    fate_agent_free(fate_agent_new(reactor));
}

void fetch_in_vain(fate_reactor *reactor)
{
    fate_value why = result_of(reactor, fate_get_page(reactor, "http://web/teapot"));
    const int line = __LINE__ - 1;
    if (fate_is(&why, &FATE_HTTP_STATUS)) {
        EXPECT(fate_as_int(fate_dict_get(fate_payload(&why), "status")) == 418);
        EXPECT(std::strstr(fate_as_str(fate_dict_get(fate_payload(&why), "page")), "no tea for you"));
        EXPECT(has_past(&why, line));
    }
    EXPECT(fate_is(&why, &FATE_HTTP_STATUS));
    fate_drop(why);
    why = result_of(reactor, fate_get_page(reactor, "a_bad_url"));
    EXPECT(fate_is(&why, &FATE_VALUE_ERROR));
    EXPECT(has_past(&why, __LINE__ - 2));
    fate_drop(why);
    why = result_of(reactor,
                    fate_add_callback(fate_fetch(reactor, "http://web/no"), fate_require_ok, fate_none()));
    EXPECT(fate_is(&why, &FATE_HTTP_STATUS));
    EXPECT(has_past(&why, __LINE__ - 2));
    fate_drop(why);
    why = result_of(reactor, fate_get_page(reactor, "http://web:81/"));
    EXPECT(fate_is(&why, &FATE_CONNECTION_REFUSED));
    fate_drop(why);
}

fate_deferred *serve(fate_reactor *reactor)
{
    fate_site_options options = {};

    options.size = sizeof options;
    options.server_name = "C++";
    fate_website *site = fate_site_new_with(reactor, &options);
    fate_site_routes(site, routes, fate_none());
    fate_site_mount(site, "/rest", fate_resource_new(reactor, rest, fate_str("the")));
    fate_site_mount(site, "/files", fate_static_new(reactor, "/"));
    return fate_hold(fate_serve_site(site, "tcp:web:80"));
}

void try_serving_and_fetching()
{
    fate_reactor *reactor = fate_test_reactor();
    fate_deferred *serving = serve(reactor);

    fetch_pages(reactor);
    fetch_streams(reactor);
    fetch_in_vain(reactor);
    fate_cancel(serving);
    fate_play(reactor, FATE_SECOND);
    EXPECT(fate_is_none(fate_test_success(serving)));
    fate_release(serving);
    EXPECT(fate_test_done(reactor) == 0);
}

/* ---- What else may be said in one line ---- */

void note_listener(const fate_thing *thing, fate_value *arg)
{
    if (std::strcmp(thing->kind, "listener") == 0)
        *static_cast<std::string *>(fate_as_ptr(arg)) = thing->site;
}

void try_one_liners()
{
    fate_reactor *reactor = fate_test_reactor();
    std::string site;

    fate_deferred *pages = fate_hold(fate_serve_routes(reactor, "tcp:web:80", routes, fate_none()));
    const int line = __LINE__ - 1;
    fate_reactor_each(reactor, note_listener, fate_ptr(&site));
    EXPECT(site.find("test_http_cxx.cc:" + std::to_string(line)) != std::string::npos);
    fate_deferred *files = fate_hold(fate_serve_files(reactor, "tcp:web:81", "/"));
    EXPECT(fate_test_pending(pages));
    EXPECT(fate_test_pending(files));
    fate_cancel(pages);
    fate_cancel(files);
    fate_release(pages);
    fate_release(files);
    fate_deferred *d = fate_hold(fate_site_listen(fate_site_new(reactor), "tcp:web:82"));
    fate_listener_stop(fate_as_listener(fate_test_success(d)), 0);
    fate_release(d);
    fate_value why = fate_http_raise(404, "no %d", 17);
    EXPECT(has_past(&why, __LINE__ - 1));
    EXPECT(std::strcmp(fate_message(&why), "no 17") == 0);
    fate_drop(why);
    fate_play(reactor, FATE_SECOND);
    EXPECT(fate_test_done(reactor) == 0);
}

} // namespace

int main()
{
    try_serving_and_fetching();
    try_one_liners();
    return n_failed ? 1 : 0;
}
