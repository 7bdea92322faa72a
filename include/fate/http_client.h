/* Fetching pages over HTTP/1.1: RFC 9110 and RFC 9112.  It is part of libfate-web.
 *
 *     fate_deferred *d = fate_get_page(reactor, "http://localhost:8080/hello");
 *     fate_add_callbacks(d, fate_print, print_trouble, fate_none());
 *
 * URLs are those of RFC 3986; characters beyond ASCII in path and query are written as %XX, hosts beyond
 * ASCII by their A-labels.  This build has no TLS: https: fails with FATE_NOT_IMPLEMENTED.  Proxies are not
 * there yet: http_proxy in the environment is not looked at.
 *
 * Failures, besides those of fate/http.h: FATE_VALUE_ERROR for a URL, a method or a header that cannot be,
 * those of fate_connect, and FATE_NO_MEMORY.  All of it belongs to the reactor's thread. */
#ifndef FATE_HTTP_CLIENT_H
#define FATE_HTTP_CLIENT_H

#include <fate/endpoint.h>
#include <fate/http.h>
#include <fate/stream.h>

FATE_BEGIN

/* ---- Agents ---- */

typedef struct fate_agent fate_agent;
typedef struct fate_response fate_response;

/* Zero means the default; FATE_NEVER no limit of time.  A negative time stops the program. */
typedef struct fate_agent_options {
    size_t size;
    size_t head_bytes_max;        /* of an answer: 64 KiB */
    size_t page_bytes_max;        /* of a page as it arrives, and unzipped too: 16 MiB */
    unsigned per_host_max;        /* connections with one host and port: 6; more fetches wait in line */
    unsigned connections_max;     /* in all: 256 */
    unsigned redirects_max;       /* for one fetch: 10 */
    fate_time connect_timeout;    /* names included: 10 s */
    fate_time first_byte_timeout; /* from the end of the request to the end of the answer's head: 30 s */
    fate_time idle_timeout;       /* nothing comes, or goes, or nobody uses a connection: 30 s */
    fate_time page_timeout;       /* for all of fate_get_page: 60 s */
    const char *user_agent;       /* "libfate/" and the version; "": none is sent */
    const char *proxy;            /* a place kept for proxies: fetches fail with FATE_NOT_IMPLEMENTED */
    fate_tls *tls;                /* the same for TLS */
    bool keep_cookies;            /* the same for cookies */
} fate_agent_options;

/* A pool of connections with settings of its own; each reactor has one already.  It goes with its reactor.
 * Connections are used again, the last one first, until they have been idle for too long.  It never gives
 * NULL: without memory it is an agent whose fetches fail with FATE_NO_MEMORY.  Options are lent for the call,
 * NULL: the defaults. */
FATE_API fate_agent *fate_agent_new_at(fate_reactor *reactor, const fate_agent_options *options,
                                       const char *site);
/* Earlier: its fetches fail with FATE_CANCELLED, bodies that are still to come too, and its connections are
 * closed.  It may be called in their callbacks.  NULL does nothing. */
FATE_API void fate_agent_free(fate_agent *agent);
/* How many connections it has, idle ones and those that are being made among them. */
FATE_API size_t fate_agent_connections(const fate_agent *agent);

/* ---- Fetching ---- */

typedef struct fate_header {
    const char *name, *value;
} fate_header;

/* Zero means the default.  All is lent for the call, but for the body, which is given, whatever comes of the
 * fetch. */
typedef struct fate_fetch_options {
    size_t size;
    fate_agent *agent;          /* of the same reactor; its own */
    const char *method;         /* GET, or POST with a body */
    const char *user_password;  /* "user:password", sent as Basic authentication; else that of the URL */
    const fate_header *headers; /* ends with { 0 }.  Those about the connection and the length of the body are
                                   the library's; but Content-Length tells the length of a source */
    /* Text, bytes; a dict or list, as JSON; or a source, sent in chunks, and only once: neither a redirect
     * that keeps the body nor a stale connection is then got over.  A text is sent as text/plain, bytes as
     * application/octet-stream, unless headers have a Content-Type.  A body beyond 1 MiB and a source wait up
     * to 1 s for the server to say that it wants them (Expect: 100-continue). */
    fate_value body;
    fate_time timeout; /* for all of it, waiting in line, redirects and the body included; fate_get_page: the
                          agent's page_timeout; fate_fetch: none */
    bool keep_redirects; /* a redirect is an answer like others */
} fate_fetch_options;

/* The page, a text, of a 2xx answer; else FATE_HTTP_STATUS, whose payload has the page that came with it.
 * Also FATE_HTTP_TOO_LARGE, FATE_HTTP_SHORT_BODY, FATE_HTTP_PROTOCOL, FATE_HTTP_REDIRECT, FATE_HTTP_TIMEOUT.
 *
 * Redirects are followed (RFC 9110, 15.4): 303 by GET, 301 and 302 of a POST too, others by the same method
 * with the same body.  Another origin gets neither Authorization nor Cookie nor a password.  What comes as
 * gzip or deflate is unpacked, unless headers have an Accept-Encoding; what is packed otherwise is no page,
 * and fate_fetch gives it as it is.  Where a connection that had been used before is lost without an answer,
 * an idempotent request (RFC 9110, 9.2.2) is sent once more over a new one.
 *
 * Cancel leaves the line, stops connecting, or closes the connection; a source that is its body is stopped.
 */
FATE_API fate_deferred *fate_get_page_at(fate_reactor *reactor, const char *url,
                                         const fate_fetch_options *options, const char *site);
/* A response of whatever status, which fate_as_response reads, at the end of its head; else it fails, and is
 * cancelled, as fate_get_page.  The rest comes by fate_response_body; until then at most some 64 KiB of it
 * are read.  When the last value that holds the response goes before its body has been read, the connection
 * is closed. */
FATE_API fate_deferred *fate_fetch_at(fate_reactor *reactor, const char *url,
                                      const fate_fetch_options *options, const char *site);

/* The response in such a value, lent as long as that; stops the program when it is none. */
FATE_API fate_response *fate_as_response(const fate_value *v);
/* 200 */
FATE_API int fate_response_status(const fate_response *response);
/* Of that name, whatever its case, the first if there are several; NULL: there is none.  Lent as long as the
 * response. */
FATE_API const char *fate_response_header(const fate_response *response, const char *name);
/* All of them: a new dict whose names are in small letters.  Several of a name are joined by ", ", but
 * Set-Cookie by line ends.  The NO_MEMORY failure without memory; so is it with the next. */
FATE_API fate_value fate_response_headers(const fate_response *response);
/* Where it came from, after redirects; a text without user and password. */
FATE_API fate_value fate_response_url(const fate_response *response);
/* The body: a source of bytes, once; a second time stops the program.  It keeps what it needs of the
 * response.  Who reads slowly slows the sender.  Cut short it fails with FATE_HTTP_SHORT_BODY; with
 * FATE_HTTP_TIMEOUT when nothing comes for too long; with FATE_HTTP_PROTOCOL when what comes is wrong, or
 * cannot be unpacked.  Dropped before its end it closes the connection. */
FATE_API fate_value fate_response_body_at(fate_response *response, const char *site);

/* Ready-made, a callback: passes a 2xx response on, and makes others FATE_HTTP_STATUS, with the page that
 * came with it, if that has no more than 64 KiB.  arg is not looked at. */
FATE_API fate_value fate_require_ok(fate_value *response, fate_value *arg);

FATE_END

#ifdef __cplusplus
#include <fate/http_client_cxx.h>
#else
/* The plain functions, without a line, for dlsym and other languages; the macros over them name the place. */
FATE_API fate_agent *fate_agent_new(fate_reactor *reactor);
FATE_API fate_agent *fate_agent_new_with(fate_reactor *reactor, const fate_agent_options *options);
FATE_API fate_deferred *fate_get_page(fate_reactor *reactor, const char *url);
FATE_API fate_deferred *fate_get_page_with(fate_reactor *reactor, const char *url,
                                           const fate_fetch_options *options);
FATE_API fate_deferred *fate_fetch(fate_reactor *reactor, const char *url);
FATE_API fate_deferred *fate_fetch_with(fate_reactor *reactor, const char *url,
                                        const fate_fetch_options *options);
FATE_API fate_value fate_response_body(fate_response *response);

#define fate_agent_new(reactor) fate_agent_new_at(reactor, NULL, FATE_HERE)
#define fate_agent_new_with(reactor, ...)                                                                    \
    fate_agent_new_at(reactor, FATE_WITH(fate_agent_options, __VA_ARGS__), FATE_HERE)
#define fate_get_page(reactor, url) fate_get_page_at(reactor, url, NULL, FATE_HERE)
#define fate_get_page_with(reactor, url, ...)                                                                \
    fate_get_page_at(reactor, url, FATE_WITH(fate_fetch_options, __VA_ARGS__), FATE_HERE)
#define fate_fetch(reactor, url) fate_fetch_at(reactor, url, NULL, FATE_HERE)
#define fate_fetch_with(reactor, url, ...)                                                                   \
    fate_fetch_at(reactor, url, FATE_WITH(fate_fetch_options, __VA_ARGS__), FATE_HERE)
#define fate_response_body(response) fate_response_body_at(response, FATE_HERE)
#endif

#endif
