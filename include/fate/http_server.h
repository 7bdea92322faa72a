/* An HTTP/1.1 server: sites, their pages, and files.
 *
 *     static fate_value hello(fate_request *request, fate_value *arg)
 *     {
 *         return fate_format("Hello, %s!\n", fate_request_param(request, "name"));
 *     }
 *
 *     static const fate_route routes[] = { { "GET /hello/{name}", hello }, { 0 } };
 *
 *     fate_serve_routes(reactor, "tcp:8080", routes, fate_none());
 *
 * A page returns the body of its answer:
 *     text                    as text/plain; charset=utf-8, so that echoing a parameter is no hole
 *     bytes                   as application/octet-stream
 *     dict, list, number      as JSON; a float that is not finite, or what JSON has not, is a 500
 *     a source                its pieces, as they come, as application/octet-stream
 *     none                    an answer without a body: 204, unless another status was set
 *     fate_follow(d)          whatever of these comes from d
 *     fate_http_raise(…)      that status, with the text as its page
 *     another failure         500, and it is logged with its path
 * fate_set_header and fate_set_status say more.  When the connection is lost before the page is done, the
 * deferred that it follows is cancelled.  A peer that has only said that it sends no more is still answered;
 * one that has closed looks the same, until something is written to it, or the kernel asks, which it does of
 * those who wait for more than a minute or two.
 *
 * The requests of a connection are answered one after the other.  What is wrong with a request is answered as
 * RFC 9110 and RFC 9112 say, and nothing behind it is served.  A page that does not read the body of its
 * request need not: it is read and dropped, or the connection closed behind the answer.
 *
 * This is libfate-web, beyond the core.  All of it belongs to the reactor's thread. */
#ifndef FATE_HTTP_SERVER_H
#define FATE_HTTP_SERVER_H

#include <fate/endpoint.h>
#include <fate/http.h>
#include <fate/reactor.h>
#include <fate/stream.h>

FATE_BEGIN

/* Not fate_site, which is of call sites. */
typedef struct fate_website fate_website;
typedef struct fate_resource fate_resource;
typedef struct fate_request fate_request;

/* ---- Pages and routes ---- */

/* Both lent for the call.  The request may be kept by fate_request_self. */
typedef fate_value fate_page(fate_request *request, fate_value *arg);

/* "GET /users/{id:int}": a method, a blank, and a path whose segments are texts, {name} for any, {name:int}
 * for digits that fit into an int64_t, and at the end {*name} for all that is left, perhaps nothing. */
typedef struct fate_route {
    const char *pattern;
    fate_page *page;
} fate_route;

/* Zero is the default; FATE_NEVER is no limit of time, FATE_UNLIMITED none of a number. */
typedef struct fate_site_options {
    size_t size;
    size_t head_bytes_max; /* of a request line and its fields: 32 KiB, beyond it 431; 8 KiB of them for the
                              line, beyond it 414 */
    size_t headers_max;    /* fields: 100, beyond it 431 */
    size_t body_bytes_max; /* of a body that is collected, as text, form or JSON: 1 MiB, beyond it 413.  A
                              page that reads the source says itself when it has enough */
    size_t pipelined_max;  /* requests of one connection that are answered before others get their turn: 32 */
    fate_time head_timeout;  /* from the first byte of a head to its last: 10 s, beyond it 408 */
    fate_time body_timeout;  /* from the head's end to the body's, without the time in which the page reads
                                nothing: 60 s, beyond it 408.  For each KiB that comes a second is given back,
                                so that a long body may take longer */
    fate_time idle_timeout;  /* between two requests, and of a peer that takes next to nothing of an answer:
                                less than 16 KiB, or 256 KiB of a file; 75 s */
    fate_time page_timeout;  /* for what a page follows, beyond it 503: none */
    fate_time drain_max;     /* see fate_serve_site: 30 s */
    const char *server_name; /* for the field Server, copied: "libfate"; "" for none */
    const char *log_format;  /* "common" or "json": an access log; NULL: none.  What was refused before its
                                head was whole has "-" for a request line, or empty texts */
    const char *log_file;    /* to be appended to, copied; NULL: the reactor's log */
    bool show_traceback;     /* on the page of a 500: for developers alone */
    size_t connections_max;  /* of each endpoint; beyond it others wait to be accepted: FATE_UNLIMITED */
} fate_site_options;

/* ---- Sites ---- */

/* A site without pages.  It goes with the reactor, or later with its last connection.  Options are lent for
 * the call, NULL: the defaults; those that cannot be used, and want of memory, come out of each
 * fate_serve_site: it never gives NULL. */
FATE_API fate_website *fate_site_new_at(fate_reactor *reactor, const fate_site_options *options,
                                        const char *where);
/* Adds pages, up to { 0 }.  Patterns are copied; arg is given, lent to each page, and dropped with the site.
 * HEAD is answered by the page of GET; OPTIONS, 404 and 405 by themselves.  A pattern that is wrong, or for
 * the same requests as another, stops the program. */
FATE_API void fate_site_routes_at(fate_website *site, const fate_route routes[], fate_value arg,
                                  const char *where);
/* Gives the site a resource for all paths at and below a prefix, "/docs", and with "//host/docs" for those of
 * one host.  A longer prefix wins over a shorter one, a host over none.  Routes come before prefixes without
 * a host, as far as they know the path and the method.  A prefix that is wrong or taken stops the program. */
FATE_API void fate_site_mount_at(fate_website *site, const char *prefix, fate_resource *resource,
                                 const char *where);
/* Listens, and fires with the listener: as fate_listen, whose failures and cancel it has. */
FATE_API fate_deferred *fate_site_listen_at(fate_website *site, const char *endpoint, const char *where);
/* Serves until it is cancelled, then drains: connections that rest are closed, requests that have begun get
 * drain_max to be answered.  Then it fires with none; a second cancel cuts them.  Fails as fate_listen, and
 * with what is wrong with the site.  A site may be served at several endpoints. */
FATE_API fate_deferred *fate_serve_site_at(fate_website *site, const char *endpoint, const char *where);
/* The same of a site of these routes alone, with arg as in fate_site_routes, or of these files. */
FATE_API fate_deferred *fate_serve_routes_at(fate_reactor *reactor, const char *endpoint,
                                             const fate_route routes[], fate_value arg, const char *where);
FATE_API fate_deferred *fate_serve_files_at(fate_reactor *reactor, const char *endpoint,
                                            const char *directory, const char *where);

/* ---- Resources ----
 *
 * Given to the site at which they are mounted; one that is not goes with the reactor.  Never NULL. */

/* One page for all methods and all paths below the prefix: fate_request_param(request, "rest") is what is
 * left of the path behind it, without a slash in front.  arg as with routes. */
FATE_API fate_resource *fate_resource_new_at(fate_reactor *reactor, fate_page *page, fate_value arg,
                                             const char *where);
/* Zero is the default. */
typedef struct fate_static_options {
    size_t size;
    const char *cache_control; /* the field Cache-Control of each file, copied: "max-age=3600"; NULL: none */
    bool hides_folders;        /* a folder without index.html is a 404 instead of a listing */
} fate_static_options;

/* The files below a folder, which is opened at once: GET and HEAD, one range or several (RFC 9110, 14),
 * conditions (RFC 9110, 13), index.html, else a listing; for a folder without a slash a redirect.  Where
 * a.css.gz lies beside a.css and is not older, it is sent to those who accept gzip.  What begins with a dot
 * is not there.  Nothing outside of the folder is reached; symbolic links are followed as far as they stay
 * inside, but absolute ones never.  options may be NULL.  A folder that cannot be opened, and options that
 * cannot be used, fail each fate_serve_site. */
FATE_API fate_resource *fate_static_new_at(fate_reactor *reactor, const char *directory,
                                           const fate_static_options *options, const char *where);

/* ---- Requests: what was asked ----
 *
 * Texts are lent as long as the request: while its page runs, until what that follows is done, and as long as
 * a value of fate_request_self keeps it. */

/* "GET". */
FATE_API const char *fate_request_method(const fate_request *request);
/* Decoded, without the query. */
FATE_API const char *fate_request_path(const fate_request *request);
/* As it was sent, with the query. */
FATE_API const char *fate_request_target(const fate_request *request);
/* Each NULL: it is not there, or there is no memory.  A parameter of the route; a field of the query, the
 * first of that name, decoded; a header, whatever its case, of several of that name all with ", " between, of
 * cookies with "; ". */
FATE_API const char *fate_request_param(const fate_request *request, const char *name);
FATE_API const char *fate_request_query(fate_request *request, const char *name);
FATE_API const char *fate_request_header(fate_request *request, const char *name);
/* Of an {x:int}; another name stops the program. */
FATE_API int64_t fate_request_int(const fate_request *request, const char *name);
/* Who asks; lent as the texts. */
FATE_API const fate_address *fate_request_peer(const fate_request *request);
FATE_API fate_reactor *fate_request_reactor(const fate_request *request);

/* ---- Requests: their bodies ----
 *
 * One of the four, once; a second time stops the program.  Whoever asks for a body makes the server send
 * 100 Continue to a client that waits for it.  A body that is cut fails with FATE_HTTP_SHORT_BODY, one that
 * is wrong with FATE_HTTP_PROTOCOL. */

/* A source, of bytes; an empty one where there is no body.  Reading pauses while nobody asks.  It may be
 * kept and dropped at any time; what is not read of a body is dropped behind the answer. */
FATE_API fate_value fate_request_body(fate_request *request);
/* All of it, as one text: more than body_bytes_max is a failure that is a 413.  Cancel gives it up. */
FATE_API fate_deferred *fate_request_text_at(fate_request *request, const char *where);
/* The fields of a form (application/x-www-form-urlencoded, else a 415), as a dict of texts; of several with
 * one name the first.  Capped as the text. */
FATE_API fate_deferred *fate_request_form_at(fate_request *request, const char *where);
/* Its JSON (application/json or one of +json, else a 415), RFC 8259: null is none, an integer an int, any
 * other number a float.  What is no JSON is a 400 that says where, and so are integers of more than 64 bits,
 * keys that are there twice, and more than 64 lists and dicts in one another.  Capped as the text. */
FATE_API fate_deferred *fate_request_json_at(fate_request *request, const char *where);

/* ---- Requests: the answer ---- */

/* 0; -EALREADY: the head has left, or the request is over; -EINVAL: not a status from 200 to 599. */
FATE_API int fate_set_status(fate_request *request, int status);
/* A field of the answer, copied; of one name the last counts, but of Set-Cookie all.  -EALREADY as above;
 * -EINVAL: a name or a value that a field may not have (CR, LF and NUL among them), or a field that the
 * server makes itself: Connection, Date, Keep-Alive, Trailer, Transfer-Encoding, Upgrade, or one of requests
 * alone, Host; -ENOMEM.
 * Content-Length announces how many bytes a source will give, and counts for sources alone: one that gives
 * more or fewer has its connection aborted. */
FATE_API int fate_set_header(fate_request *request, const char *name, const char *value);
/* A failure for a page to return or to end in: answered with that status, 400 to 599, and the text.  Its
 * class is FATE_HTTP_STATUS.  Another status stops the program. */
FATE_API fate_value fate_http_raise_at(const char *function, const char *here, int status, const char *fmt,
                                       ...) FATE_PRINTF(4, 5);
FATE_API fate_value fate_http_raise_v(const char *function, const char *here, int status, const char *fmt,
                                      va_list args) FATE_PRINTF(4, 0);

/* A value that keeps the request; when it is over, setters say so.  The NO_MEMORY failure without memory. */
FATE_API fate_value fate_request_self(fate_request *request);
/* The request in such a value, lent as long as that; stops the program when it is none. */
FATE_API fate_request *fate_as_request(const fate_value *v);

FATE_END

#ifdef __cplusplus
#include <fate/http_server_cxx.h>
#else
FATE_API fate_website *fate_site_new(fate_reactor *reactor);
FATE_API fate_website *fate_site_new_with(fate_reactor *reactor, const fate_site_options *options);
FATE_API void fate_site_routes(fate_website *site, const fate_route routes[], fate_value arg);
FATE_API void fate_site_mount(fate_website *site, const char *prefix, fate_resource *resource);
FATE_API fate_deferred *fate_site_listen(fate_website *site, const char *endpoint);
FATE_API fate_deferred *fate_serve_site(fate_website *site, const char *endpoint);
FATE_API fate_deferred *fate_serve_routes(fate_reactor *reactor, const char *endpoint,
                                          const fate_route routes[], fate_value arg);
FATE_API fate_deferred *fate_serve_files(fate_reactor *reactor, const char *endpoint, const char *directory);
FATE_API fate_resource *fate_resource_new(fate_reactor *reactor, fate_page *page, fate_value arg);
FATE_API fate_resource *fate_static_new(fate_reactor *reactor, const char *directory);
FATE_API fate_resource *fate_static_new_with(fate_reactor *reactor, const char *directory,
                                             const fate_static_options *options);
FATE_API fate_deferred *fate_request_text(fate_request *request);
FATE_API fate_deferred *fate_request_form(fate_request *request);
FATE_API fate_deferred *fate_request_json(fate_request *request);
FATE_API fate_value fate_http_raise(int status, const char *fmt, ...) FATE_PRINTF(2, 3);

#define fate_site_new(reactor) fate_site_new_at(reactor, NULL, FATE_HERE)
#define fate_site_new_with(reactor, ...)                                                                     \
    fate_site_new_at(reactor, FATE_WITH(fate_site_options, __VA_ARGS__), FATE_HERE)
#define fate_site_routes(site, routes, ...)      fate_site_routes_at(site, routes, __VA_ARGS__, FATE_HERE)
#define fate_site_mount(site, prefix, resource)  fate_site_mount_at(site, prefix, resource, FATE_HERE)
#define fate_site_listen(site, endpoint)         fate_site_listen_at(site, endpoint, FATE_HERE)
#define fate_serve_site(site, endpoint)          fate_serve_site_at(site, endpoint, FATE_HERE)
#define fate_serve_files(reactor, endpoint, dir) fate_serve_files_at(reactor, endpoint, dir, FATE_HERE)
#define fate_serve_routes(reactor, endpoint, routes, ...)                                                    \
    fate_serve_routes_at(reactor, endpoint, routes, __VA_ARGS__, FATE_HERE)
#define fate_resource_new(reactor, page, ...)                                                                \
    fate_resource_new_at(reactor, page, __VA_ARGS__, #page " " FATE_HERE)
#define fate_static_new(reactor, directory) fate_static_new_at(reactor, directory, NULL, FATE_HERE)
#define fate_static_new_with(reactor, directory, ...)                                                        \
    fate_static_new_at(reactor, directory, FATE_WITH(fate_static_options, __VA_ARGS__), FATE_HERE)
#define fate_request_text(request)   fate_request_text_at(request, FATE_HERE)
#define fate_request_form(request)   fate_request_form_at(request, FATE_HERE)
#define fate_request_json(request)   fate_request_json_at(request, FATE_HERE)
#define fate_http_raise(status, ...) fate_http_raise_at(__func__, FATE_HERE, status, __VA_ARGS__)
#endif

#endif
