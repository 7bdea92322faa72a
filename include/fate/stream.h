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
    /* As write, for len bytes, at least one, of a plain file from offset on; fd is given.  fate_pump calls it
     * instead of write where the source is a file that nobody has read.  NULL: files are read as all is. */
    fate_deferred *(*write_file)(fate_reactor *reactor, fate_value *arg, int fd, int64_t offset, int64_t len);
} fate_sink_ops;

/* Values; the arg is given, lent to each call, and dropped with the last reference.  Without memory a source
 * is one whose reads fail with FATE_NO_MEMORY, and a sink is the NO_MEMORY failure, with which all that is
 * done with it fails; so nobody need check. */
FATE_API fate_value fate_source(fate_reactor *reactor, const fate_source_ops *ops, fate_value arg);
FATE_API fate_value fate_sink(const fate_sink_ops *ops, fate_value arg);

/* Is it one?  Data from outside never is. */
FATE_API bool fate_is_source(const fate_value *v);

/* ---- Files ----
 *
 * Both work in threads of the reactor's pool, so that a slow disk holds up nobody else. */

/* A plain file, in texts of at most 64 KiB; opened by the first read, whose failure is that of the errno,
 * with the path.  Pumped into a transport, unread, it is sent by the kernel, as long as it was when it was
 * opened; one that becomes shorter meanwhile loses the connection.  path is copied. */
FATE_API fate_value fate_file_source(fate_reactor *reactor, const char *path);
/* Takes text and bytes, written to a temporary file in the same folder, ".NAME.PID-0", which takes the place
 * of path when the sink is ended; what was there before stays until then.  The file's mode is 0666 less the
 * umask.  A failure, a cancelled end, an end with a failure or none at all remove the temporary file; only a
 * process that is killed leaves it behind.  It has not been forced to the disk when the end fires.  A
 * directory, a device or a pipe is not replaced, nor a symbolic link to one; another link is.  A write fires
 * when the piece has been written; several may be under way, in order. */
FATE_API fate_value fate_file_sink(const char *path);

/* ---- Channels: one says, many hear ---- */

typedef struct fate_channel fate_channel;

/* It goes with the reactor, or before that by fate_channel_free, which ends the sources as none does. Without
 * memory it is one that nobody hears, never NULL. */
FATE_API fate_channel *fate_channel_new_at(fate_reactor *reactor, const char *site);
FATE_API void fate_channel_free(fate_channel *channel);
/* Each source of the channel gets a copy, in the order in which it was said; what nobody has read yet waits,
 * 64 values for each source at most: beyond, that source loses its oldest.  value is given; all hear the same
 * one, so it is not to be changed any more.  None, or a failure, is the last: the sources end with it, and so
 * do those that are made later.  Returns how many hear it. */
FATE_API size_t fate_channel_say(fate_channel *channel, fate_value value);
/* A source of all that is said from now on.  Its pieces are the values, whatever they are. */
FATE_API fate_value fate_channel_source(fate_channel *channel);

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
FATE_API fate_channel *fate_channel_new(fate_reactor *reactor);

#define fate_channel_new(reactor)           fate_channel_new_at(reactor, FATE_HERE)
#define fate_read(source)                   fate_read_at(source, FATE_HERE)
#define fate_read_all(source, bytes_max)    fate_read_all_at(source, bytes_max, FATE_HERE)
#define fate_sink_write(reactor, sink, ...) fate_sink_write_at(reactor, sink, __VA_ARGS__, FATE_HERE)
#define fate_sink_end(reactor, sink, ...)   fate_sink_end_at(reactor, sink, __VA_ARGS__, FATE_HERE)
#define fate_pump(source, ...)              fate_pump_at(source, __VA_ARGS__, FATE_HERE)
#endif

#endif
