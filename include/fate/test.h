/* Tools for tests: a simulated network, protocols without one, and a look at what is left.
 *
 * On a test reactor every endpoint is joined in memory: tcp:quotes:17 needs no port and no DNS, and the
 * program under test is the one that ships.  A run is the same, bit for bit, from its seed. */
#ifndef FATE_TEST_H
#define FATE_TEST_H

#include <fate/endpoint.h>

FATE_BEGIN

/* How bytes travel between any two hosts.  Zero: at once, in one piece, without loss. */
typedef struct fate_link {
    size_t size;
    uint64_t seed;             /* of jitter, pieces and loss */
    uint64_t bytes_per_second; /* each way of each connection; 0: no limit */
    fate_time latency, jitter; /* each piece is under way for latency, and up to jitter longer; in order */
    size_t piece_bytes_max;    /* what arrives is cut into pieces of 1 to that many bytes; 0: it is not */
    size_t buffer_bytes;       /* in flight or unread, beyond which a writer waits: 256 KiB */
    unsigned loss_percent;     /* of the pieces of streams: each is sent again after 200 ms; datagrams go */
} fate_link;

/* A simulated reactor that counts reported failures instead of printing them.  NULL: errno says why. */
FATE_API fate_reactor *fate_test_reactor(void);
/* Frees it.  The number of leftovers, each printed on standard error with its line: unfired deferreds,
 * suspended coroutines, pending calls, connections, listeners, reports nobody has taken away, and descriptors
 * of the process that were not open when the reactor was made. */
FATE_API int fate_test_done(fate_reactor *reactor);

/* Between all hosts, for what is sent from now on. */
FATE_API void fate_test_link(fate_reactor *reactor, const fate_link *link);
/* Cuts a host off: connections to it, and from it, are reset; or with is_silent nothing arrives any more,
 * and connecting times out.  Until it is healed. */
FATE_API void fate_test_cut(fate_reactor *reactor, const char *host, bool is_silent);
FATE_API void fate_test_heal(fate_reactor *reactor, const char *host);

/* A protocol on a transport that only records; connection_made has been called.  It lasts until it is lost,
 * at the latest by fate_test_done.  Stops the program when there is no memory. */
FATE_API fate_protocol *fate_test_protocol(fate_reactor *reactor, fate_ops ops, fate_value arg);
/* Bytes come from the peer, as an event; and it closes: NULL and 0 are its end. */
FATE_API void fate_test_give(fate_protocol *p, const void *data, size_t len);
/* The connection is lost for that reason, given. */
FATE_API void fate_test_lose(fate_protocol *p, fate_value why);
/* What was written since the last look, as a text. */
FATE_API fate_value fate_test_taken(fate_protocol *p);
/* The peer reads no more, or again: what is written is queued. */
FATE_API void fate_test_block(fate_protocol *p, bool is_blocked);

/* Has d not fired? */
FATE_API bool fate_test_pending(fate_deferred *d);
/* Its value or failure, lent as long as d; anything else stops the program, saying what it was. */
FATE_API fate_value *fate_test_success(fate_deferred *d);
FATE_API fate_value *fate_test_failure(fate_deferred *d);
/* How many failures of that class, or below it, have been reported; they are forgotten. */
FATE_API size_t fate_test_reports(fate_reactor *reactor, const fate_class *c);

FATE_END

#endif
