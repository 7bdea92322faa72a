/* Writing HTTP/1.1 messages: heads, and what stands between the pieces of a body.  No I/O.
 *
 * Who has a writer asks for the head, then for what precedes each piece of the body, then for the end:
 *
 *     len = fate__http_write_response(&writer, &response, to, room);
 *     ... send that; then, for each piece, if fate__http_has_body(&writer):
 *     len = fate__http_write_piece(&writer, n, to);
 *     ... send that and the n bytes; at last
 *     len = fate__http_write_end(&writer, NULL, 0, to, room);
 *     ... send that; if !writer.keeps_alive, close.
 *
 * How the body is framed is decided here and nowhere else: callers give no field that is about it. */
#ifndef FATE_SRC_HTTP_WRITE_H
#define FATE_SRC_HTTP_WRITE_H

#include <sys/types.h>

#include <http/message.h>

struct fate__http_writer {
    uint8_t framing;  /* enum fate__http_framing, to read */
    bool keeps_alive; /* to read: the connection may be used again when the body is over */
    bool has_begun, is_over;
    int64_t left; /* with FATE__HTTP_LENGTH: bytes still owed.  With chunks: not 0 behind the first */
};

struct fate__http_pair {
    struct fate__http_slice name, value;
};

#define FATE__HTTP_LENGTH_UNKNOWN ((int64_t)-1)

/* All texts are lent.  Fields that the writer makes itself are refused: Connection, Content-Length, Date,
 * Host, Transfer-Encoding, Upgrade. */
struct fate__http_response {
    const struct fate__http_pair *fields;
    size_t n_fields;
    int status;          /* 100 to 999 */
    const char *reason;  /* may be NULL */
    const char *date;    /* as of fate__http_date_text; NULL: none */
    int64_t body_bytes;  /* or FATE__HTTP_LENGTH_UNKNOWN.  Of an answer to HEAD: what GET would have got */
    const char *upgrade; /* with 101: the protocol; else NULL */
    uint8_t answers_to;  /* enum fate__http_method */
    int minor;           /* of the request's version */
    bool keeps_alive;    /* as of the request, and no reason of ours to close */
};

struct fate__http_request {
    const struct fate__http_pair *own; /* come first; their names are the caller's own, and not checked */
    const struct fate__http_pair *fields;
    size_t n_own, n_fields;
    const char *method;
    const char *target;  /* in the form that the method wants */
    const char *host;    /* with the port; "": the target has none */
    int64_t body_bytes;  /* or FATE__HTTP_LENGTH_UNKNOWN */
    const char *upgrade; /* protocols that are offered, or NULL */
    bool keeps_alive;
};

/* Writes a head: how many bytes it has.  Where that is more than room, nothing of use has been written and
 * the writer is as before: call it again with more; room may be 0.
 *
 * -EINVAL: a name, a value, the method, the target, the host or the reason has bytes that may not be there
 * (CR, LF and NUL among them), a field is one that the writer makes, or the message cannot have the body
 * (205, CONNECT). */
ssize_t fate__http_write_response(struct fate__http_writer *writer,
                                  const struct fate__http_response *response, char *to, size_t room);
ssize_t fate__http_write_request(struct fate__http_writer *writer, const struct fate__http_request *request,
                                 char *to, size_t room);

/* False: what follows the head is no body; for answers to HEAD, 204, 304 and the like. */
static inline bool fate__http_has_body(const struct fate__http_writer *writer)
{
    return writer->framing != FATE__HTTP_NO_BODY;
}

#define FATE__HTTP_PIECE_BYTES 24

/* What is to be sent before the next n bytes of the body: how many bytes, perhaps 0.  A piece of 0 bytes is
 * none. -EMSGSIZE: the body is longer than was announced, or there is to be none; nothing of this piece may
 * be sent. */
ssize_t fate__http_write_piece(struct fate__http_writer *writer, size_t n, char to[FATE__HTTP_PIECE_BYTES]);

/* The body is over: what is to be sent behind it, as with heads.  Trailers are sent only behind chunks; else
 * they are left out.  -ENODATA: the body is shorter than was announced, and the connection is of no more use.
 * -EINVAL: as with heads. */
ssize_t fate__http_write_end(struct fate__http_writer *writer, const struct fate__http_pair *trailers,
                             size_t n, char *to, size_t room);

#endif
