/* Endpoints: where connections come from and go to, as strings.
 *
 *     listen                                  connect
 *     tcp:8080                                tcp:host:80
 *     tcp:8080:interface=127.0.0.1            tcp:10.0.0.1:80:bind=10.0.0.2
 *     tcp6:8080                               tcp:[::1]:80
 *     unix:/run/x:mode=660                    unix:/run/x
 *     unix:@abstract                          unix:@abstract
 *     systemd:web, systemd:0                  fd:3, a connected socket, given
 *     fd:3, memory:NAME                       memory:NAME
 *
 * Options follow as name=value; a colon inside a part is written \:, a backslash \\, and IPv6 addresses stand
 * in brackets.  What cannot be read fails with FATE_ENDPOINT_ERROR, which names the bad part and what might
 * have been meant.  On a simulated reactor all are joined in memory (fate/test.h). */
#ifndef FATE_ENDPOINT_H
#define FATE_ENDPOINT_H

#include <fate/protocol.h>

FATE_BEGIN

typedef struct fate_listener fate_listener;
typedef const fate_protocol_ops *fate_ops;
typedef struct fate_tls fate_tls; /* a place kept for TLS: NULL */

/* Zero means the default; FATE_NEVER no limit of time. */
typedef struct fate_listen_options {
    size_t size;
    size_t connections_max; /* beyond, accepting pauses until one goes: FATE_UNLIMITED */
    int backlog;            /* of the kernel: 511 */
    fate_tls *tls;
    fate_time idle_timeout;      /* of each connection: none */
    fate_time handshake_timeout; /* of TLS: 10 s */
    fate_time drain_max; /* of fate_serve: 30 s; in fate_main no longer than the reactor's shutdown_max */
    bool share_port;     /* several listeners may have it, SO_REUSEPORT */
} fate_listen_options;

typedef struct fate_connect_options {
    size_t size;
    fate_tls *tls;
    fate_time timeout;           /* for all of it, names included: 30 s */
    fate_time attempt_delay;     /* before the next address is tried as well: 250 ms (RFC 8305) */
    fate_time handshake_timeout; /* of TLS: 10 s */
    fate_time idle_timeout;      /* of the connection: none */
} fate_connect_options;

/* ---- Failures ---- */

/* An endpoint that cannot be read. */
FATE_API extern const fate_class FATE_ENDPOINT_ERROR;
/* The root of what keeps one from connecting. */
FATE_API extern const fate_class FATE_CONNECT_ERROR;
FATE_API extern const fate_class FATE_CONNECTION_REFUSED;
/* Of an errno as of an attempt: fate/failure.h has it. */
#define FATE_UNREACHABLE FATE_CONNECTION_UNREACHABLE
/* More than one address was tried, and they failed in several ways: its text has each with its error, its
 * payload is the list of their failures.  If all were refused, say, it is FATE_CONNECTION_REFUSED, with the
 * same text. */
FATE_API extern const fate_class FATE_CONNECT_ALL;
/* Of FATE_TIMEOUT. */
FATE_API extern const fate_class FATE_CONNECT_TIMEOUT;
/* The root of what keeps one from listening. */
FATE_API extern const fate_class FATE_LISTEN_ERROR;
FATE_API extern const fate_class FATE_LISTEN_IN_USE;
FATE_API extern const fate_class FATE_LISTEN_PERMISSION;

/* ---- Listening ----
 *
 * arg is given, and dropped when the listener and its last connection have gone. */

/* A listener, an object of the reactor's that fate_as_listener reads: alive until it has been stopped and its
 * last connection gone, or the reactor goes, whose connections are lost before.  Cancel closes it: only what
 * waits for the address of a name has not fired when this returns. */
FATE_API fate_deferred *fate_listen_at(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                       fate_value arg, const fate_listen_options *options, const char *site);
/* Listens until it is cancelled, then drains: no new connections, and those that are there have drain_max to
 * end.  Then it fires with none; a second cancel cuts them.  So `return fate_serve(…)` in a fate_main is a
 * whole daemon.  Fails when it cannot listen. */
FATE_API fate_deferred *fate_serve_at(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                      fate_value arg, const fate_listen_options *options, const char *site);
FATE_API fate_listener *fate_as_listener(const fate_value *v);
/* Tells the port of "tcp:0".  Lent as long as the listener. */
FATE_API const fate_address *fate_listener_address(const fate_listener *listener);
/* How many connections it has. */
FATE_API size_t fate_listener_connections(const fate_listener *listener);
/* Accepts no more.  Fires with none when the last connection has gone; those that are left after drain_max
 * are aborted.  Cancel aborts them at once.  The listener is gone when it has fired. */
FATE_API fate_deferred *fate_listener_stop_at(fate_listener *listener, fate_time drain_max, const char *site);

/* ---- Connecting ---- */

/* fate_self of the protocol, when connection_made has returned; that is not called before this has.  Names
 * resolve without blocking, and all addresses, up to 64, are tried (RFC 8305).  Fails with
 * FATE_CONNECT_ERROR, whose payload is the errno, FATE_DNS_ERROR, FATE_CONNECT_TIMEOUT, FATE_ENDPOINT_ERROR.
 * Cancel closes all attempts. */
FATE_API fate_deferred *fate_connect_at(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                        fate_value arg, const fate_connect_options *options,
                                        const char *site);
/* Connects, and fires with what its converse has returned.  Cancel closes the attempts, or cancels the
 * conversation: what it awaits fails, and its result is waited for. */
FATE_API fate_deferred *fate_converse_at(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                         fate_value arg, const fate_connect_options *options,
                                         const char *site);
/* Connects again whenever the connection is lost or cannot be made, after 1 s, doubled up to 60 s, less up to
 * 10 % by chance; after a connection that has lasted 10 s it begins with 1 s again.  Each time is a line of
 * the log.  Fails only for an endpoint that cannot be read or is a descriptor, or without memory for a pause.
 * Cancel closes the connection in the orderly way, a second one at once, and it fires with none when that is
 * lost. */
FATE_API fate_deferred *fate_keep_connected_at(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                               fate_value arg, const fate_connect_options *options,
                                               const char *site);

FATE_END

#ifdef __cplusplus
#include <fate/endpoint_cxx.h>
#else
FATE_API fate_deferred *fate_listen(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                    fate_value arg);
FATE_API fate_deferred *fate_listen_with(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                         fate_value arg, const fate_listen_options *options);
FATE_API fate_deferred *fate_serve(fate_reactor *reactor, const char *endpoint, fate_ops ops, fate_value arg);
FATE_API fate_deferred *fate_serve_with(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                        fate_value arg, const fate_listen_options *options);
FATE_API fate_deferred *fate_listener_stop(fate_listener *listener, fate_time drain_max);
FATE_API fate_deferred *fate_connect(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                     fate_value arg);
FATE_API fate_deferred *fate_connect_with(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                          fate_value arg, const fate_connect_options *options);
FATE_API fate_deferred *fate_converse(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                      fate_value arg);
FATE_API fate_deferred *fate_converse_with(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                           fate_value arg, const fate_connect_options *options);
FATE_API fate_deferred *fate_keep_connected(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                            fate_value arg);
FATE_API fate_deferred *fate_keep_connected_with(fate_reactor *reactor, const char *endpoint, fate_ops ops,
                                                 fate_value arg, const fate_connect_options *options);

#define fate_listen(reactor, endpoint, ops, ...)                                                             \
    fate_listen_at(reactor, endpoint, ops, __VA_ARGS__, NULL, FATE_HERE)
#define fate_listen_with(reactor, endpoint, ops, arg, ...)                                                   \
    fate_listen_at(reactor, endpoint, ops, arg, FATE_WITH(fate_listen_options, __VA_ARGS__), FATE_HERE)
#define fate_serve(reactor, endpoint, ops, ...)                                                              \
    fate_serve_at(reactor, endpoint, ops, __VA_ARGS__, NULL, FATE_HERE)
#define fate_serve_with(reactor, endpoint, ops, arg, ...)                                                    \
    fate_serve_at(reactor, endpoint, ops, arg, FATE_WITH(fate_listen_options, __VA_ARGS__), FATE_HERE)
#define fate_listener_stop(listener, drain_max) fate_listener_stop_at(listener, drain_max, FATE_HERE)
#define fate_connect(reactor, endpoint, ops, ...)                                                            \
    fate_connect_at(reactor, endpoint, ops, __VA_ARGS__, NULL, FATE_HERE)
#define fate_connect_with(reactor, endpoint, ops, arg, ...)                                                  \
    fate_connect_at(reactor, endpoint, ops, arg, FATE_WITH(fate_connect_options, __VA_ARGS__), FATE_HERE)
#define fate_converse(reactor, endpoint, ops, ...)                                                           \
    fate_converse_at(reactor, endpoint, ops, __VA_ARGS__, NULL, FATE_HERE)
#define fate_converse_with(reactor, endpoint, ops, arg, ...)                                                 \
    fate_converse_at(reactor, endpoint, ops, arg, FATE_WITH(fate_connect_options, __VA_ARGS__), FATE_HERE)
#define fate_keep_connected(reactor, endpoint, ops, ...)                                                     \
    fate_keep_connected_at(reactor, endpoint, ops, __VA_ARGS__, NULL, FATE_HERE)
#define fate_keep_connected_with(reactor, endpoint, ops, arg, ...)                                           \
    fate_keep_connected_at(reactor, endpoint, ops, arg, FATE_WITH(fate_connect_options, __VA_ARGS__),        \
                           FATE_HERE)
#endif

#endif
