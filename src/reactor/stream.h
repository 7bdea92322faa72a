/* Streams from inside: over descriptors, and what the files of streams do for one another. */
#ifndef FATE_SRC_REACTOR_STREAM_H
#define FATE_SRC_REACTOR_STREAM_H

#include <fate/stream.h>

/* How much is asked of a source at once. */
#define FATE__PIECE_BYTES_MAX ((size_t)64 * 1024)
/* How much of a file is handed to a sink at once. */
#define FATE__FILE_PART_BYTES ((int64_t)1 << 20)
/* A sink over a descriptor asks to wait while it holds this much, until it holds that much. */
#define FATE__SINK_BYTES_HIGH ((size_t)256 * 1024)
#define FATE__SINK_BYTES_LOW  ((size_t)64 * 1024)

/* Carries out fn(arg) on the reactor's own stack when a coroutine's is in use, and returns whether it has. */
bool fate__went_outside(fate_reactor *reactor, void (*fn)(void *arg), void *arg);

/* The reactor of a source.  Stops the program when it is none. */
fate_reactor *fate__source_reactor(const fate_value *source, const char *what, const char *site);

/* A pump for which text or bytes are a source of one piece. */
fate_deferred *fate__pump(fate_reactor *reactor, fate_value source, fate_value sink, const char *site);

/* The arg of a source of these ops that nobody has read as yet, nor can but the caller, whose reference is
 * the only one; else NULL. */
fate_value *fate__source_unread(const fate_value *source, const fate_source_ops *ops);

/* Can it have a file handed over? */
bool fate__sink_takes_files(const fate_value *sink);
/* As fate_sink_write; fd is given. */
struct fate__part_of_file {
    int fd;
    int64_t offset, len;
};
fate_deferred *fate__sink_write_file(fate_reactor *reactor, fate_value *sink, struct fate__part_of_file part,
                                     const char *site);

/* ---- stream_file.c: a file source that is not to be read but sent ---- */

/* The two below are for one that is. */
bool fate__file_is_unread(const fate_value *source);
/* Opens it in the pool; fires with its length. */
fate_deferred *fate__file_open(const fate_value *source);
/* A descriptor of it once it is open, or -errno. */
int fate__file_copy_fd(const fate_value *source);

/* ---- stream_fd.c ---- */

/* Over a descriptor that does not block and can be waited for: given, and closed at the end, after an error
 * and with the value; also when there is no memory.  what is said in failures, "stdout of cat", and cut
 * there. Pieces that are read are texts. */
fate_value fate__fd_source(fate_reactor *reactor, int fd, const char *what);
/* Takes text and bytes.  What has been written when the end is asked for is written still, also when the sink
 * itself has gone by then; without an end it is lost with the last reference.  A reader that has gone is
 * FATE_BROKEN_PIPE and never SIGPIPE. */
fate_value fate__fd_sink(fate_reactor *reactor, int fd, const char *what);

#endif
