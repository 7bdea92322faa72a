/* Tools for tests: a simulated network, protocols without one, and a look at what is left.
 *
 * On a test reactor every endpoint is joined in memory: tcp:quotes:17 needs no port and no DNS, and the
 * program under test is the one that ships.  A run is the same, bit for bit, from its seed.
 *
 * Hosts are there as soon as they are named: each has an address, 10.0.0.1 and so on by first use, and
 * fate_resolve finds it.  "tcp:17" listens on all of them, "tcp:quotes:17" on one; what the program connects
 * comes from the host "client", unless bind= says otherwise.  unix: and memory: endpoints are joined by name,
 * without a network between: of the link they have the pieces and the buffer.  Without latency, two who
 * answer each other for ever leave no time to go by.
 *
 * What does not fit the test stops the program, naming the line. */
#ifndef FATE_TEST_H
#define FATE_TEST_H

#include <fate/endpoint.h>

FATE_BEGIN

/* ---- A reactor for a test ---- */

/* A simulated reactor that counts reported failures instead of printing them.  NULL: errno says why. */
FATE_API fate_reactor *fate_test_reactor(void);
/* Frees it.  The number of leftovers, each printed on standard error with its line: unfired deferreds,
 * suspended coroutines, pending calls, connections, listeners, children, reports nobody has taken away, and
 * descriptors of the process that were not open when the reactor was made.  NULL: none. */
FATE_API int fate_test_done_at(fate_reactor *reactor, const char *site);
/* How many failures of that class, or below it, have been reported; they are forgotten. */
FATE_API size_t fate_test_reports_at(fate_reactor *reactor, const fate_class *c, const char *site);

/* ---- The network ---- */

/* How bytes travel between any two hosts.  Zero: at once, in one piece, without loss. */
typedef struct fate_link {
    size_t size;
    uint64_t seed;             /* of jitter, pieces and loss */
    uint64_t bytes_per_second; /* each way of each connection; 0: no limit */
    fate_time latency, jitter; /* each piece is under way for latency, and up to jitter longer; in order, but
                                  datagrams overtake one another */
    size_t piece_bytes_max;    /* what arrives is cut into pieces of 1 to that many bytes; 0: it is not */
    size_t buffer_bytes;       /* in flight or unread, beyond which a writer waits: 256 KiB */
    unsigned loss_percent;     /* of the pieces of streams: each is sent again after 200 ms; datagrams go */
} fate_link;

/* Between all hosts, for what is sent from now on; in C a macro takes it as .field = value.  0 or -ENOMEM. */
FATE_API int fate_test_link_at(fate_reactor *reactor, const fate_link *link, const char *site);
/* Cuts a host off, until it is healed: connections with it are reset, and connecting fails with
 * FATE_UNREACHABLE; or with is_silent nothing arrives any more, and connecting times out: what is sent
 * meanwhile, as it would be sent again, arrives when it is healed; datagrams go.  0 or -ENOMEM. */
FATE_API int fate_test_cut_at(fate_reactor *reactor, const char *host, bool is_silent, const char *site);
FATE_API void fate_test_heal_at(fate_reactor *reactor, const char *host, const char *site);

/* ---- A protocol without a network ---- */

/* A protocol of a test reactor on a transport that only records; connection_made has been called.  It stays
 * until fate_test_done, lost or not, so that it can still be looked at; one with build until it is lost.
 * NULL: no memory, or build has refused; arg has been dropped then. */
FATE_API fate_protocol *fate_test_protocol_at(fate_reactor *reactor, fate_ops ops, fate_value arg,
                                              const char *site);
/* Bytes come from the peer, as an event; NULL and 0: it says that nothing more comes.  They wait while p does
 * not read, and are dropped once it is lost.  0 or -ENOMEM. */
FATE_API int fate_test_give_at(fate_protocol *p, const void *data, size_t len, const char *site);
/* The connection is lost for that reason, given, as an event. */
FATE_API void fate_test_lose_at(fate_protocol *p, fate_value why, const char *site);
/* What was written since the last look, as a text. */
FATE_API fate_value fate_test_taken_at(fate_protocol *p, const char *site);
/* Has it ended its writing, by closing or half-closing? */
FATE_API bool fate_test_has_ended_at(fate_protocol *p, const char *site);
/* The peer reads no more, or again: what is written is queued. */
FATE_API void fate_test_block_at(fate_protocol *p, bool is_blocked, const char *site);

/* ---- Results ---- */

/* Has d not fired, or does it wait for another? */
FATE_API bool fate_test_pending(const fate_deferred *d);
/* Its value or failure, lent as long as d; anything else stops the program, saying what it was.  A failure
 * that is taken (fate_take) leaves none, and is not reported.  Hold a deferred at which you look in a later
 * turn. */
FATE_API fate_value *fate_test_success_at(fate_deferred *d, const char *site);
FATE_API fate_value *fate_test_failure_at(fate_deferred *d, const char *site);

FATE_END

#ifdef __cplusplus
#include <fate/test_cxx.h>
#else
FATE_API int fate_test_done(fate_reactor *reactor);
FATE_API size_t fate_test_reports(fate_reactor *reactor, const fate_class *c);
FATE_API int fate_test_link(fate_reactor *reactor, const fate_link *link);
FATE_API int fate_test_cut(fate_reactor *reactor, const char *host, bool is_silent);
FATE_API void fate_test_heal(fate_reactor *reactor, const char *host);
FATE_API fate_protocol *fate_test_protocol(fate_reactor *reactor, fate_ops ops, fate_value arg);
FATE_API int fate_test_give(fate_protocol *p, const void *data, size_t len);
FATE_API void fate_test_lose(fate_protocol *p, fate_value why);
FATE_API fate_value fate_test_taken(fate_protocol *p);
FATE_API bool fate_test_has_ended(fate_protocol *p);
FATE_API void fate_test_block(fate_protocol *p, bool is_blocked);
FATE_API fate_value *fate_test_success(fate_deferred *d);
FATE_API fate_value *fate_test_failure(fate_deferred *d);

#define fate_test_done(reactor)       fate_test_done_at(reactor, FATE_HERE)
#define fate_test_reports(reactor, c) fate_test_reports_at(reactor, c, FATE_HERE)

#define fate_test_link(reactor, ...) fate_test_link_at(reactor, FATE_WITH(fate_link, __VA_ARGS__), FATE_HERE)

#define fate_test_cut(reactor, host, is_silent) fate_test_cut_at(reactor, host, is_silent, FATE_HERE)
#define fate_test_heal(reactor, host)           fate_test_heal_at(reactor, host, FATE_HERE)

#define fate_test_protocol(reactor, ops, ...) fate_test_protocol_at(reactor, ops, __VA_ARGS__, FATE_HERE)
#define fate_test_give(p, data, len)          fate_test_give_at(p, data, len, FATE_HERE)
#define fate_test_lose(p, ...)                fate_test_lose_at(p, __VA_ARGS__, FATE_HERE)
#define fate_test_taken(p)                    fate_test_taken_at(p, FATE_HERE)
#define fate_test_has_ended(p)                fate_test_has_ended_at(p, FATE_HERE)
#define fate_test_block(p, is_blocked)        fate_test_block_at(p, is_blocked, FATE_HERE)

#define fate_test_success(d) fate_test_success_at(d, FATE_HERE)
#define fate_test_failure(d) fate_test_failure_at(d, FATE_HERE)
#endif

#endif
