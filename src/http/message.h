/* HTTP/1.1 messages, RFC 9110 and RFC 9112: from bytes to heads and bodies.  write.h is the way back.
 *
 * A parser is fed bytes as they come and says what they were, one step at a time.  It takes exactly one
 * message: what comes behind it, another message or another protocol, is left to the caller.
 *
 *     fate__http_next_request(parser);
 *     do {
 *         step = fate__http_parse(parser, bytes, n, &used);
 *         bytes += used;
 *         n -= used;
 *         ... look at step ...
 *     } while (step != FATE__HTTP_MORE && step != FATE__HTTP_DONE && step != FATE__HTTP_ERROR);
 *
 * It knows no sockets, no reactor and no clock.  How the bytes are cut changes nothing: not which steps come,
 * but for the size of the pieces of a body, and not which error.  After an error nothing is parsed again.
 *
 * A head that is whole in the bytes given is parsed where it lies, and its fields are offsets into it; one
 * that comes in pieces is collected.  Memory is kept from one message to the next, so that in the long run
 * nothing is allocated. */
#ifndef FATE_SRC_HTTP_MESSAGE_H
#define FATE_SRC_HTTP_MESSAGE_H

#include <base/text.h>
#include <http/bytes.h>

/* ---- Fields ---- */

/* The fields that the engine itself looks at; all others are FATE__HTTP_OTHER. */
enum fate__http_name {
    FATE__HTTP_OTHER,
    FATE__HTTP_HOST_FIELD,
    FATE__HTTP_CONNECTION,
    FATE__HTTP_CONTENT_LENGTH,
    FATE__HTTP_TRANSFER_ENCODING,
    FATE__HTTP_EXPECT,
    FATE__HTTP_UPGRADE,
};

/* Offsets into the bytes of the head, or of the trailers. */
struct fate__http_span {
    uint32_t at, len;
};

struct fate__http_field {
    uint32_t name, value, value_len;
    uint16_t name_len, known; /* enum fate__http_name */
};

struct fate__http_fields {
    const char *bytes; /* what the offsets count from */
    struct fate__http_field *list;
    uint32_t n, room;
};

static inline struct fate__http_slice fate__http_at(const struct fate__http_fields *fields,
                                                    struct fate__http_span span)
{
    return (struct fate__http_slice){ fields->bytes + span.at, span.len };
}

static inline struct fate__http_slice fate__http_field_name(const struct fate__http_fields *fields,
                                                            const struct fate__http_field *field)
{
    return (struct fate__http_slice){ fields->bytes + field->name, field->name_len };
}

/* Without the blanks around it. */
static inline struct fate__http_slice fate__http_field_value(const struct fate__http_fields *fields,
                                                             const struct fate__http_field *field)
{
    return (struct fate__http_slice){ fields->bytes + field->value, field->value_len };
}

/* The first field of that name behind `after`, or of all with NULL; case does not count.  NULL: there is no
 * more. */
const struct fate__http_field *fate__http_find(const struct fate__http_fields *fields,
                                               struct fate__http_slice name,
                                               const struct fate__http_field *after);

/* ---- Heads ---- */

enum fate__http_method {
    FATE__HTTP_METHOD_OTHER, /* a token that is none of these */
    FATE__HTTP_GET,
    FATE__HTTP_HEAD_METHOD,
    FATE__HTTP_POST,
    FATE__HTTP_PUT,
    FATE__HTTP_DELETE,
    FATE__HTTP_CONNECT,
    FATE__HTTP_OPTIONS,
    FATE__HTTP_TRACE,
    FATE__HTTP_PATCH,
};

/* RFC 9112, 3.2. */
enum fate__http_form {
    FATE__HTTP_ORIGIN_FORM,    /* /path?query */
    FATE__HTTP_ABSOLUTE_FORM,  /* http://host/path?query; http and https alone */
    FATE__HTTP_AUTHORITY_FORM, /* host:port, of CONNECT alone */
    FATE__HTTP_ASTERISK_FORM,  /* *, of OPTIONS alone */
};

/* How the end of a body is known: RFC 9112, 6.3. */
enum fate__http_framing {
    FATE__HTTP_NO_BODY,
    FATE__HTTP_LENGTH,
    FATE__HTTP_CHUNKED,
    FATE__HTTP_UNTIL_CLOSE, /* responses alone */
};

/* RFC 9110, 10.1.1. */
enum fate__http_expect {
    FATE__HTTP_EXPECTS_NOTHING,
    FATE__HTTP_EXPECTS_CONTINUE,
    FATE__HTTP_EXPECTS_OTHER, /* may be answered with 417 */
};

struct fate__http_head {
    struct fate__http_fields fields;       /* fields.bytes is where the spans lie too */
    struct fate__http_span method_name;    /* of requests */
    struct fate__http_span target;         /* as it was sent */
    struct fate__http_span host;           /* with the port: of the target, else of Host; empty: none */
    struct fate__http_span path;           /* with the query.  Empty: the target was http://host */
    struct fate__http_span reason;         /* of responses; may be empty */
    int64_t content_length;                /* as announced; -1: not at all */
    int status;                            /* of responses */
    int minor;                             /* of the version: 0 or 1; later ones are taken for 1 */
    uint8_t method, form, framing, expect; /* enums, see above */
    bool is_https;                         /* the target began with https:// */
    bool keeps_alive;                      /* the connection may be used again: RFC 9112, 9.3 */
    bool wants_upgrade; /* a request with Upgrade, which Connection names too; its body comes first */
    bool is_interim;    /* a response 1xx but not 101: another head follows */
    bool is_tunnel;     /* a 101, or a 2xx to CONNECT: what follows is another protocol */
};

/* ---- Parsers ---- */

/* Zero is the default. */
struct fate__http_limits {
    size_t line_bytes_max;      /* request line or status line with its line end; 8 KiB, beyond it 414 */
    size_t head_bytes_max;      /* the head with it; 32 KiB of requests, 64 KiB of responses, beyond it 431 */
    size_t trailer_bytes_max;   /* 8 KiB, beyond it 431 */
    size_t extension_bytes_max; /* of all chunks of a message together; 4 KiB, beyond it 400 */
    uint32_t fields_max;        /* in a head, and again in its trailers; 100, beyond it 431 */
    uint32_t interim_max;       /* responses 1xx before the final one; 16 */
};

/* Empty lines before a request that are ignored: RFC 9112, 2.2. */
#define FATE__HTTP_EMPTY_LINES_MAX 4

enum fate__http_step {
    FATE__HTTP_MORE,  /* all bytes were taken, and the message goes on */
    FATE__HTTP_HEAD,  /* parser->head is there; with is_interim another will follow */
    FATE__HTTP_DATA,  /* parser->data is a piece of the body, never an empty one */
    FATE__HTTP_DONE,  /* the message is over; parser->trailers are there */
    FATE__HTTP_ERROR, /* parser->problem says which; no byte was taken */
    FATE__HTTP_IDLE,  /* fate__http_eof alone: the connection ended before a message had begun */
};

enum fate__http_problem {
    FATE__HTTP_NO_PROBLEM,
    FATE__HTTP_WRONG,       /* not what the RFCs say */
    FATE__HTTP_TOO_LARGE,   /* beyond one of the limits */
    FATE__HTTP_UNSUPPORTED, /* a version or a transfer coding that this engine does not know */
    FATE__HTTP_CUT,         /* the connection ended in the middle */
    FATE__HTTP_NO_MEMORY,
};

#define FATE__HTTP_SAID_BYTES 200

struct fate__http_parser {
    /* yours, to read */
    struct fate__http_head head;
    struct fate__http_fields trailers; /* good until the next message */
    struct fate__http_slice data;      /* in the bytes that were given */
    enum fate__http_problem problem;
    int status;                       /* what to answer a request with: 400, 414, 431, 501, 503, 505 */
    char said[FATE__HTTP_SAID_BYTES]; /* what was wrong, where and why */

    /* ours */
    struct fate__http_limits limits, given;
    struct fate__text collected;     /* a head that came in pieces */
    struct fate__text trailer_lines; /* trailers always are collected */
    uint64_t left;                   /* bytes to come of the body or of the chunk */
    uint64_t n_chunks;
    size_t at; /* where the next line of the head, or of the trailers, begins */
    size_t n_head_bytes, n_extension_bytes;
    uint32_t n_interim, n_empty_lines;
    uint8_t state, n_digits;
    uint8_t answers_to; /* enum fate__http_method */
    bool is_response;
    uint8_t saw; /* enum fate__http_saw: in the fields of the head so far */
};

/* limits may be NULL.  Parses nothing before fate__http_next_request or fate__http_next_response. */
void fate__http_parser_init(struct fate__http_parser *parser, const struct fate__http_limits *limits);
void fate__http_parser_done(struct fate__http_parser *parser);

/* The next message is a request, or the response to a request of that method, on which its body depends; a
 * parser is for one of the two.  The message before must have been taken whole; after an error this does
 * nothing. */
void fate__http_next_request(struct fate__http_parser *parser);
void fate__http_next_response(struct fate__http_parser *parser, enum fate__http_method answers_to);

/* Goes one step on.  *ret_used: how many of the n bytes have been taken; give the others again.
 *
 * After FATE__HTTP_HEAD the head is good as long as the bytes given stay where they are, and at most until
 * the next message (with is_interim: until the next call); see fate__http_keep_head.  Where the framing is
 * FATE__HTTP_NO_BODY, FATE__HTTP_DONE comes next and takes nothing; n may be 0.  After FATE__HTTP_DONE it
 * comes again and again.
 *
 * A caller that answers wants_upgrade, or CONNECT, by changing the protocol just stops calling: what it has
 * not been told was used belongs to that one. */
enum fate__http_step fate__http_parse(struct fate__http_parser *parser, const char *bytes, size_t n,
                                      size_t *ret_used);

/* No more bytes will come.  FATE__HTTP_DONE (a body until the close is over, or the message was over anyway),
 * FATE__HTTP_IDLE, or FATE__HTTP_ERROR, which says what was cut. */
enum fate__http_step fate__http_eof(struct fate__http_parser *parser);

/* Nothing of the next message has come; empty lines do not count.  Whoever limits times asks: a connection
 * may rest longer than a message may take, and one that rests may be closed. */
bool fate__http_is_idle(const struct fate__http_parser *parser);

/* Makes the head independent of the bytes that were given; call it before they move or go.  0 or -ENOMEM,
 * which leaves all as it was. */
int fate__http_keep_head(struct fate__http_parser *parser);

#endif
