/* Protocols: what a program does with a connection.
 *
 * A table of functions is the class, the arg given to listen or connect what its connections share.  For each
 * connection the library makes an instance, zeroed, beside the transport, and calls connection_made, any
 * number of data_received, and connection_lost, once and last.  The same protocol runs over TCP, UNIX
 * sockets, memory and later TLS.
 *
 * What a turn writes leaves together at its end, in one system call where it can.  Whatever is in here may be
 * called in any callback, connection_lost included: whoever is too late gets -ENOTCONN. */
#ifndef FATE_PROTOCOL_H
#define FATE_PROTOCOL_H

#include <fate/address.h>
#include <fate/coro.h>
#include <fate/deferred.h>

FATE_BEGIN

typedef struct fate_transport fate_transport;
typedef struct fate_protocol fate_protocol;
typedef struct fate_framing fate_framing;
struct fate_protocol_ops;

/* The first member of your struct for a connection. */
struct fate_protocol {
    /* Yours to read. */
    fate_transport *transport; /* as long as this memory */
    fate_reactor *reactor;
    fate_value *arg; /* lent: what listen or connect was given, one for all */
    /* Ours. */
    const struct fate_protocol_ops *ops;
    void *links[3];
};

/* Each may be left out.  The table must outlive its connections. */
typedef struct fate_protocol_ops {
    size_t size;                 /* FATE_PROTOCOL(struct T) fills these three; */
    size_t instance_bytes;       /* 0: just a fate_protocol */
    const char *name;            /* for messages and reports */
    const fate_framing *framing; /* NULL: bytes as they come */
    /* Memory of your own: returns it, zeroed up to the end of its fate_protocol; it is yours to free in
     * connection_lost.  NULL refuses the peer, whose connection is closed. */
    fate_protocol *(*build)(fate_value *arg, const fate_address *peer);
    void (*connection_made)(fate_protocol *p);
    /* Lent for the call, and all of it counts as taken. */
    void (*data_received)(fate_protocol *p, const void *data, size_t len);
    /* With a framing, instead of data_received: one message, lent, a NUL behind it. */
    void (*message_received)(fate_protocol *p, const char *message, size_t len);
    /* A coroutine for each connection, instead of both.  When it returns, the connection is flushed and
     * closed; a failure it returns is logged, but for that of its own connection.  A lost connection cancels
     * it. */
    fate_value (*converse)(fate_coro *co, fate_protocol *p);
    /* The peer has said all, and may still listen.  Left out: what was written is flushed, and then the
     * connection closed. */
    void (*read_lost)(fate_protocol *p);
    /* More than the high mark is waiting to be written: stop writing.  Also from inside fate_write. */
    void (*write_paused)(fate_protocol *p);
    /* Less than the low mark is. */
    void (*write_resumed)(fate_protocol *p);
    /* Once, and last.  why is of the classes below, FATE_CONNECTION_DONE for the orderly end by either side.
     */
    void (*connection_lost)(fate_protocol *p, fate_value *why);
    /* Once, at the end of the event in which its listener is stopped, to drain: what has begun may be
     * finished, then the connection is to end. */
    void (*stopping)(fate_protocol *p);
} fate_protocol_ops;

/* The beginning of a table whose instances are struct T: { FATE_PROTOCOL(struct T), .data_received = … }. */
#define FATE_PROTOCOL(T)                                                                                     \
    .size = sizeof(fate_protocol_ops), /* base comes first: */                                               \
        .instance_bytes = sizeof(T) + 0 * sizeof(char[offsetof(T, base) ? -1 : 1]), .name = #T

/* ---- Why a connection is lost ---- */

/* The root is FATE_CONNECTION_CLOSED (fate/failure.h).  The orderly end: the peer has closed, or
 * fate_lose_connection was called. */
FATE_API extern const fate_class FATE_CONNECTION_DONE;
/* All others are of FATE_CONNECTION_LOST: FATE_CONNECTION_RESET, by the peer or by the network;
 * FATE_CONNECTION_ABORTED, by fate_abort_connection or a stop that drains no longer; and these.  More was
 * written than the cap; a message was too long; what came is not what the framing expects. */
FATE_API extern const fate_class FATE_WRITE_OVERFLOW;
FATE_API extern const fate_class FATE_MESSAGE_TOO_LONG;
FATE_API extern const fate_class FATE_FRAMING_ERROR;
/* Of FATE_TIMEOUT: nothing went either way for too long. */
FATE_API extern const fate_class FATE_IDLE_TIMEOUT;
/* Besides these FATE_NO_MEMORY. */

/* ---- The protocol ---- */

/* A value that keeps p: its memory stays, and is read by fate_as_protocol and fate_unbox(struct T, &v).  A
 * connected protocol without data_received, message_received and converse loses its connection when the last
 * such value goes.  Of a protocol with a build function it keeps nothing. */
FATE_API fate_value fate_self(fate_protocol *p);
/* The protocol in such a value, which fate_connect fires with; stops the program when it is none. */
FATE_API fate_protocol *fate_as_protocol(const fate_value *v);
/* Ends d with the connection: it is cancelled when that is lost, before connection_lost is called; at once
 * when that has happened.  Returns d. */
FATE_API fate_deferred *fate_tie_at(fate_protocol *p, fate_deferred *d, const char *site);
/* The next message, or without a framing the next bytes, as a text.  For protocols that have neither
 * data_received nor message_received, others stop the program; one at a time.  Nothing is read that nobody
 * asks for.  Fails with what connection_lost is given; after the peer's last message with
 * FATE_CONNECTION_DONE, though the connection may still be written to.  Cancel loses no message. */
FATE_API fate_deferred *fate_receive_at(fate_protocol *p, const char *site);
/* The connections of p's listener, oldest first: the first after NULL; NULL after the last.  Those that are
 * lost are not among them.  Of a client, it is the only one. */
FATE_API fate_protocol *fate_next_connection(fate_protocol *p, fate_protocol *after);
#define fate_for_each_connection(other, p)                                                                   \
    for (fate_protocol *other = fate_next_connection(p, NULL); other; other = fate_next_connection(p, other))

/* ---- Writing ----
 *
 * 0; -ENOTCONN once it is lost, or its writing side closed; -ENOBUFS when the cap on queued bytes broke, and
 * -ENOMEM without memory: the connection is being lost then.  What is given is gone in any case. */

/* Copied, as far as it does not leave at once. */
FATE_API int fate_write(fate_transport *transport, const void *data, size_t len);
/* Text or bytes, given and not copied; -EINVAL for what is neither. */
FATE_API int fate_write_value(fate_transport *transport, fate_value bytes);
/* len bytes of a file from offset on, len -1 for all.  fd is given, closed when they have left; sent by the
 * kernel where it can.  A file that turns out shorter, or cannot be read, loses the connection.  -errno of
 * fstat, -EINVAL for what is no plain file. */
FATE_API int fate_write_file(fate_transport *transport, int fd, int64_t offset, int64_t len);
/* A message, as the framing writes it; without one just bytes.  -EMSGSIZE: longer than the framing allows. */
FATE_API int fate_send(fate_protocol *p, const void *message, size_t len);
FATE_API int fate_send_format(fate_protocol *p, const char *fmt, ...) FATE_PRINTF(2, 3);

/* When more than high is queued, write_paused is called, below low write_resumed; more than cap loses the
 * connection, FATE_WRITE_OVERFLOW.  64 KiB, 256 KiB, 16 MiB; FATE_UNLIMITED is none.  Files are not counted.
 * low <= high <= cap, else it stops the program.  -ENOMEM, -ENOTCONN. */
FATE_API int fate_set_write_marks(fate_transport *transport, size_t low, size_t high, size_t cap);
/* How many bytes are queued. */
FATE_API size_t fate_write_queued(const fate_transport *transport);
/* Fires with none when less than the low mark is queued; fails with why the connection is lost.  Cancel only
 * stops the waiting. */
FATE_API fate_deferred *fate_flushed_at(fate_transport *transport, const char *site);
/* The same when all that was written has left, files included. */
FATE_API fate_deferred *fate_written_at(fate_transport *transport, const char *site);

/* ---- Reading ---- */

/* No data and no message comes between the two, not even what has been read already.  A paused connection
 * learns of a reset, but not of the peer's end, which comes behind what it has not read.  0 or -ENOTCONN. */
FATE_API int fate_pause_reading(fate_transport *transport);
FATE_API int fate_resume_reading(fate_transport *transport);

/* ---- As streams (fate/stream.h) ----
 *
 * Values that keep p, which is not to be one with a build function. */

/* What the peer says, as fate_receive gives it: in texts as they come, or message by message; so p must have
 * neither data_received nor message_received.  Nothing is read that nobody asks for.  It ends when the peer
 * has said all; a connection that is lost otherwise, or closed on this side, is a failure.  A source that is
 * dropped before its end closes the connection: what was written leaves, what comes is not for anybody.  Give
 * p a read_lost if it is to write when the peer has said all. */
FATE_API fate_value fate_transport_source(fate_protocol *p);
/* Takes text and bytes, not copied.  A write fires when less than the low mark is queued; a file is handed to
 * the kernel.  Its end half-closes the connection, as fate_lose_write_connection, so that reading goes on: it
 * fires when all has been handed to the system, and fails with why the connection was lost before.  An end
 * with a failure aborts the connection, so that the peer does not take what it has for the whole. */
FATE_API fate_value fate_transport_sink(fate_protocol *p);

/* ---- Closing ---- */

/* Writes what is queued, then closes.  Nothing is received any more; who still sends is heard out, for two
 * seconds after connection_lost at most, so that no reset takes what was written last. */
FATE_API int fate_lose_connection(fate_transport *transport);
/* Writes what is queued, then tells the peer that nothing more comes; reading goes on. */
FATE_API int fate_lose_write_connection(fate_transport *transport);
/* At once, with a reset where there is such a thing; connection_lost is called at the end of this event. */
FATE_API int fate_abort_connection(fate_transport *transport);
/* Nothing either way for that long: lost, FATE_IDLE_TIMEOUT.  FATE_NEVER and 0: no limit.  0, -ENOMEM or
 * -ENOTCONN. */
FATE_API int fate_set_idle_timeout(fate_transport *transport, fate_time timeout);

/* ---- About a connection ---- */

/* Is it neither lost nor about to be told so? */
FATE_API bool fate_is_connected(const fate_transport *transport);
/* The other end, and this one; lent as long as the transport's memory.  Who comes to a socket of IPv6 by IPv4
 * has an address of IPv4. */
FATE_API const fate_address *fate_peer(const fate_transport *transport);
FATE_API const fate_address *fate_here(const fate_transport *transport);
/* Over TCP: small writes do not wait for others (on from the beginning); the kernel asks a silent peer, after
 * `after`, rounded to seconds, whether it is still there (off; 0 turns it off).  0, -EOPNOTSUPP for what is
 * not TCP, or another -errno. */
FATE_API int fate_set_no_delay(fate_transport *transport, bool on);
FATE_API int fate_set_keep_alive(fate_transport *transport, fate_time after);

/* ---- Framings: how messages lie in a stream ---- */

/* Knows no transport, only bytes; make your own.  It must outlive its connections. */
struct fate_framing {
    size_t size;
    size_t message_bytes_max; /* more: the connection is lost, FATE_MESSAGE_TOO_LONG */
    const char *name;
    /* Where the first message in data lies, if it is whole.  The bytes taken, framing included, with the
     * message at ret_at; 0: there must be more; negative: it is bad, FATE_FRAMING_ERROR.  -EMSGSIZE: it can
     * be seen to be longer than message_bytes_max.  Taken with ret_len SIZE_MAX: there is no message in them.
     */
    ptrdiff_t (*cut)(const fate_framing *framing, const char *data, size_t len, size_t *ret_at,
                     size_t *ret_len);
    /* What is written before and after a message of that length: returns the length of the tail; SIZE_MAX: no
     * message may be that long. */
    size_t (*wrap)(const fate_framing *framing, size_t len, char ret_head[16], size_t *ret_head_len,
                   char ret_tail[16]);
    /* Instead of message_received, and before connection_lost.  Or NULL. */
    void (*deliver)(fate_protocol *p, const char *message, size_t len);
    void (*lost)(fate_protocol *p, fate_value *why);
};

/* Lines end with \r\n, or with \n alone; written with \r\n.  At most 16 KiB. */
FATE_API extern const fate_framing FATE_LINES;
/* "5:hello,", at most 1 MiB. */
FATE_API extern const fate_framing FATE_NETSTRINGS;
/* The length before each message, in network byte order, in 1, 2 or 4 bytes; the last at most 1 MiB. */
FATE_API extern const fate_framing FATE_INT8_STRINGS, FATE_INT16_STRINGS, FATE_INT32_STRINGS;

/* The next message is cut by this one, from where the last one has ended; NULL: bytes as they come.  The
 * framing as from the beginning of the connection.  0 or -ENOTCONN, -ENOMEM. */
FATE_API int fate_set_framing(fate_protocol *p, const fate_framing *framing);

FATE_END

#ifdef __cplusplus
#include <fate/protocol_cxx.h>
#else
FATE_API fate_deferred *fate_tie(fate_protocol *p, fate_deferred *d);
FATE_API fate_deferred *fate_receive(fate_protocol *p);
FATE_API fate_deferred *fate_flushed(fate_transport *transport);
FATE_API fate_deferred *fate_written(fate_transport *transport);
#define fate_tie(p, ...)        fate_tie_at(p, __VA_ARGS__, FATE_HERE)
#define fate_receive(p)         fate_receive_at(p, FATE_HERE)
#define fate_flushed(transport) fate_flushed_at(transport, FATE_HERE)
#define fate_written(transport) fate_written_at(transport, FATE_HERE)
#endif

#endif
