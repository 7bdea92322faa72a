/* Streams: what comes, or goes, in pieces.
 *
 * A source gives pieces, text or bytes, to whoever asks: nothing is read that nobody asked for, so whoever is
 * slow holds up the source and no memory fills.  A sink takes pieces and says when it has room for more.
 * Both are values: copied, kept and dropped like any other; when the last reference to a source goes, it is
 * stopped.  They belong to the reactor's thread, and are of no use after the reactor has gone.
 */
#ifndef FATE_STREAM_H
#define FATE_STREAM_H

#include <fate/deferred.h>

FATE_BEGIN

/* "TooLongError": there was more than the limit. */
FATE_API extern const fate_class FATE_TOO_LONG;

/* ---- Sources and sinks of your own ---- */

/* The table must outlive its sources. */
typedef struct fate_source_ops {
    size_t size;
    const char *name; /* for messages and reports */
    /* A deferred of the next piece, of at most bytes_max; none is the end, a failure too.  It is not called
     * again before that has fired, nor after the end. */
    fate_deferred *(*read)(fate_value *arg, size_t bytes_max);
    /* Nobody wants the rest: called once unless the end has come first, after the pending read has been
     * cancelled.  NULL: nothing to do; arg is dropped in any case. */
    void (*stop)(fate_value *arg);
} fate_source_ops;

/* The table must outlive its sinks. */
typedef struct fate_sink_ops {
    size_t size;
    const char *name;
    /* Takes a piece, given; its deferred fires when there is room for more.  Its cancel gives up waiting for
     * that; the piece is taken all the same. */
    fate_deferred *(*write)(fate_reactor *reactor, fate_value *arg, fate_value piece);
    /* Nothing more will come; called once.  why is none, or the failure that has cut the stream short: of the
     * source, of the sink itself, or FATE_CANCELLED.  Its deferred fires when all is done; its cancel leaves
     * undone what is not.  NULL: nothing to do. */
    fate_deferred *(*end)(fate_reactor *reactor, fate_value *arg, fate_value *why);
} fate_sink_ops;

/* Values; the arg is given, lent to each call, and dropped with the last reference.  Without memory a source
 * is one whose reads fail with FATE_NO_MEMORY, and a sink is the NO_MEMORY failure, with which all that is
 * done with it fails; so nobody need check. */
FATE_API fate_value fate_source(fate_reactor *reactor, const fate_source_ops *ops, fate_value arg);
FATE_API fate_value fate_sink(const fate_sink_ops *ops, fate_value arg);

/* Is it one?  Data from outside never is. */
FATE_API bool fate_is_source(const fate_value *v);

/* ---- Reading ---- */

/* A deferred of the next piece; none at the end, and again for each who asks then.  A failure of the source
 * is its end, and each further read fails with it.  Several may ask: they get a piece each, in order.  A
 * cancelled read loses nothing: the piece that was meant for it goes to the next one.  A waiting read keeps
 * the source. */
FATE_API fate_deferred *fate_read_at(fate_value *source, const char *site);
/* All that is left, as one text.  The source is given.  More than bytes_max: it is stopped, FATE_TOO_LONG.
 * A piece that is neither text nor bytes: FATE_TYPE_ERROR.  Cancel stops the source. */
FATE_API fate_deferred *fate_read_all_at(fate_value source, size_t bytes_max, const char *site);

/* ---- Writing ---- */

/* Gives the sink a piece; fires with none when there is room for more.  Whoever waits for that before the
 * next piece needs little memory.  After the end: FATE_BROKEN_PIPE. */
FATE_API fate_deferred *fate_sink_write_at(fate_reactor *reactor, fate_value *sink, fate_value piece,
                                           const char *site);
/* Nothing more will come.  why is none, or the failure that has cut it short.  Fires with none when all has
 * been done with what was written; a second time at once. */
FATE_API fate_deferred *fate_sink_end_at(fate_reactor *reactor, fate_value *sink, fate_value why,
                                         const char *site);

/* Moves all from source to sink, both given, piece by piece, and then ends the sink.  Fires with the number
 * of bytes, an int; fails with the failure of either, the sink having been told.  Memory is bounded by one
 * piece and what the sink holds.  Cancel stops the source and ends the sink with FATE_CANCELLED. */
FATE_API fate_deferred *fate_pump_at(fate_value source, fate_value sink, const char *site);

FATE_END

#ifdef __cplusplus
#include <fate/stream_cxx.h>
#else
FATE_API fate_deferred *fate_read(fate_value *source);
FATE_API fate_deferred *fate_read_all(fate_value source, size_t bytes_max);
FATE_API fate_deferred *fate_sink_write(fate_reactor *reactor, fate_value *sink, fate_value piece);
FATE_API fate_deferred *fate_sink_end(fate_reactor *reactor, fate_value *sink, fate_value why);
FATE_API fate_deferred *fate_pump(fate_value source, fate_value sink);

#define fate_read(source)                   fate_read_at(source, FATE_HERE)
#define fate_read_all(source, bytes_max)    fate_read_all_at(source, bytes_max, FATE_HERE)
#define fate_sink_write(reactor, sink, ...) fate_sink_write_at(reactor, sink, __VA_ARGS__, FATE_HERE)
#define fate_sink_end(reactor, sink, ...)   fate_sink_end_at(reactor, sink, __VA_ARGS__, FATE_HERE)
#define fate_pump(source, ...)              fate_pump_at(source, __VA_ARGS__, FATE_HERE)
#endif

#endif
