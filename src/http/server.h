/* The HTTP server from inside: sites, their connections, and requests.
 *
 * A connection takes bytes in (server.c), a request at a time.  When a head is there, the site finds its page
 * (site.c) and calls it; what that returns becomes the answer (server_answer.c, server_head.c).  The requests
 * of one connection are answered one after the other: what comes behind one that is not answered yet waits,
 * and reading pauses.
 *
 * Parsers, and all else that a request needs, lie in the request, of which the site keeps a few for the next
 * ones: a connection that rests has none. */
#ifndef FATE_SRC_HTTP_SERVER_H
#define FATE_SRC_HTTP_SERVER_H

#include <string.h>

#include <base/text.h>
#include <fate/http_server.h>
#include <http/json.h>
#include <http/date.h>
#include <http/message.h>
#include <http/percent.h>
#include <http/routes.h>
#include <http/write.h>

#define FATE__HTTP_OUT_BYTES     ((size_t)16384) /* answers of one event that leave together */
#define FATE__HTTP_FREE_MAX      64              /* requests that a site keeps for the next */
#define FATE__HTTP_ARENA_BYTES   1024            /* of a request, before it asks for more */
#define FATE__HTTP_OWN_HEAD_ROOM 512
#define FATE__HTTP_REST          "rest"

/* Of a body that nobody reads: so much is dropped to keep the connection. */
#define FATE__HTTP_DROPPED_MAX  ((int64_t)256 * 1024)
#define FATE__HTTP_AHEAD_BYTES  ((size_t)65536)       /* of a body that are taken before somebody asks */
#define FATE__HTTP_BODY_RATE    1024                  /* bytes of a body for which it has a second more */
#define FATE__HTTP_FILE_PORTION ((int64_t)256 * 1024) /* of a file are given to the transport at once */

/* Behind the last answer, what still comes is read and dropped: so much at most, since the kernel may hold
 * much that was under way already; for that long from a silent peer; and so many times as long from one that
 * still sends. */
#define FATE__HTTP_LINGER_BYTES ((size_t)64 << 20)
#define FATE__HTTP_LINGER_TIME  (5 * FATE_SECOND)
#define FATE__HTTP_LINGER_TIMES 6
/* A client that waits for a page is asked by the kernel whether it is still there. */
#define FATE__HTTP_WATCHED_AFTER (60 * FATE_SECOND)
/* Of an answer, in idle_timeout: less is no progress. */
#define FATE__HTTP_TAKEN_MIN ((size_t)16 * 1024)

struct fate__http_connection;

/* ---- Resources ---- */

struct fate_resource {
    fate_reactor *reactor;
    fate_value self; /* the box in which it lies: not counted */
    fate_page *page;
    fate_value arg;
    const char *where;
    fate_value trouble; /* a failure, or none */
};

/* NULL, and arg has been dropped: no memory. */
fate_resource *fate__resource_new(fate_reactor *reactor, fate_page *page, fate_value arg, const char *where);

/* Made without memory: the reactor, with a mark.  So whoever makes one need not check. */
static inline void *fate__http_nothing(fate_reactor *reactor)
{
    return (void *)((uintptr_t)reactor | 1);
}
static inline bool fate__http_is_nothing(const void *thing)
{
    return (uintptr_t)thing & 1;
}
static inline fate_reactor *fate__http_reactor_of_nothing(const void *thing)
{
    return (fate_reactor *)((uintptr_t)thing & ~(uintptr_t)1);
}

/* ---- Sites ---- */

struct fate__http_mount {
    char *prefix; /* without a slash at the end */
    size_t len;
    char *host; /* in small letters; NULL: any */
    fate_resource *resource;
    fate_value kept; /* the same */
};

struct fate__http_page {
    fate_page *page;
    size_t arg; /* its place among the site's */
};

/* A path without parameters that has been asked for before, and whose page it was. */
#define FATE__HTTP_KNOWN_PATHS 64
#define FATE__HTTP_KNOWN_BYTES 40
struct fate__http_known {
    uint8_t len, method; /* len 0: nothing.  method: enum fate__http_method */
    uint16_t page;
    char path[FATE__HTTP_KNOWN_BYTES];
};

struct fate__access_log {
    bool is_on, is_json;
    int fd;                  /* -1: the reactor's log */
    struct fate__text lines; /* not written yet */
    fate_timer timer;
};

struct fate_website {
    fate_reactor *reactor;
    fate_value self; /* the box in which it lies: not counted */
    const char *where;
    fate_site_options options; /* without zeros; its texts are copies */
    struct fate__http_limits limits;
    struct fate__routes *routes;
    struct fate__routes *any;      /* that decode all paths there are */
    struct fate__http_page *pages; /* by the number of the route */
    size_t n_pages, pages_room;
    struct fate__http_known known[FATE__HTTP_KNOWN_PATHS];
    fate_value *args;
    size_t n_args;
    struct fate__http_mount *mounts; /* those of hosts first, longer prefixes before shorter ones */
    size_t n_mounts, n_host_mounts;
    fate_value trouble; /* why it cannot be served: a failure, or none */
    fate_request *free;
    unsigned n_free;
    /* Whose bytes are taken in now, and what was answered meanwhile. */
    struct fate__http_connection *writer;
    char *out;
    size_t n_out;
    /* "HTTP/1.1 200 OK", Date and Server, as long as the second lasts. */
    fate_time head_until;
    int64_t head_seconds;
    char head[FATE__HTTP_OWN_HEAD_ROOM]; /* and behind them what is said of texts, up to their length */
    size_t head_len, text_head_len;
    char date[FATE__HTTP_DATE_BYTES];
    struct fate__access_log log;
};

/* ---- Connections ---- */

enum fate__http_waiting {
    FATE__HTTP_RESTS,
    FATE__HTTP_FOR_HEAD,
    FATE__HTTP_FOR_BODY,
    FATE__HTTP_FOR_PAGE,
    FATE__HTTP_FOR_ROOM, /* the peer does not take what was written */
    FATE__HTTP_LINGERS,
};

struct fate__http_connection {
    fate_protocol base;
    fate_website *site;
    fate_request *request; /* NULL: it rests */
    char *rest;            /* bytes that wait: rest[rest_at .. n_rest) */
    uint32_t rest_at, n_rest, rest_room;
    fate_timer timer;
    fate_time timer_at, deadline; /* the timer may be due earlier: it is moved when it is */
    uint8_t waits_for;            /* enum fate__http_waiting */
    bool is_taking : 1;           /* bytes in, further down the stack */
    bool is_closing : 1;          /* nothing more is served */
    bool is_lingering : 1;
    bool is_write_paused : 1;
    bool is_read_paused : 1;
    bool has_read_ended : 1;
    bool is_stopping : 1;
    bool will_go_on : 1; /* a call is planned */
    bool is_lost : 1;
    bool is_watched : 1; /* by the kernel: whether the peer is still there */
    uint8_t n_times_lingered;
    size_t n_lingered;
    size_t seen; /* of what was queued, or lingered, when waiting for it began: whether there is progress */
};

/* ---- Requests ---- */

struct fate__http_chunk;

struct fate_request {
    struct fate__http_parser parser;
    struct fate__http_connection *connection; /* NULL: it is over */
    fate_website *site;
    fate_request *next_free;
    unsigned refs;     /* the connection, what its page follows, what is read for its answer, and values */
    fate_address peer; /* once the connection has gone */
    const char *path;  /* decoded; NULL: not yet */
    struct fate__route_match match;
    struct fate__fields query;
    int64_t began_at; /* time of day, for the log */

    /* The body. */
    struct fate__text body; /* what nobody has asked for yet: from body_at on */
    size_t body_at;
    fate_deferred *reader; /* who waits for the next piece */
    fate_value body_why;   /* why no more comes: a failure, or none */
    fate_time body_left;   /* of body_timeout */
    int64_t n_come;

    /* The answer. */
    int status;
    struct fate__http_pair *fields;
    size_t n_fields, fields_room;
    struct fate__http_writer writer;
    fate_value followed; /* on its way from the page to the deferred that follows it */
    fate_deferred *page; /* held, while it is not done */
    fate_time page_deadline;
    fate_value source;                   /* whose pieces are sent */
    fate_deferred *piece;                /* held: the next of them, or what waits for room */
    struct fate__http_segment *segments; /* of a file: what is left to be sent */
    size_t n_segments;
    int fd;               /* of the file, -1 */
    int64_t n_body_bytes; /* sent, for the log */
    int64_t source_bytes; /* as the page has announced; FATE__HTTP_LENGTH_UNKNOWN */

    bool has_head;
    bool has_all;       /* of its bytes */
    bool has_query;     /* parsed */
    bool has_asked;     /* for the body */
    bool must_continue; /* the client waits for a 100 */
    bool drops_body;
    bool has_begun; /* the answer */
    bool is_answered;
    bool keeps_alive;
    bool wants_more; /* pieces, when there is room */
    bool asks;       /* for the next piece, further down the stack */

    /* Memory until it is over. */
    struct fate__http_chunk *chunks;
    size_t n_arena;
    char arena[FATE__HTTP_ARENA_BYTES];
};

/* ---- server.c: connections ---- */

extern const fate_protocol_ops fate__http_server_ops;

/* Sends bytes of an answer: in order, with what else this event answers. */
void fate__http_send(struct fate__http_connection *connection, const char *bytes, size_t n);
/* All that was sent so is the transport's. */
void fate__http_flush(struct fate__http_connection *connection);
/* The answer is complete. */
void fate__http_answered(fate_request *request);
/* The body is wanted: what waits is taken in soon. */
void fate__http_go_on_soon(struct fate__http_connection *connection);
/* What it waits for has changed. */
void fate__http_set_deadline(struct fate__http_connection *connection);

/* ---- server_life.c: requests that come and go ---- */

/* NULL: no memory. */
fate_request *fate__http_request_new(struct fate__http_connection *connection);
void fate__http_ref(fate_request *request);
void fate__http_unref(fate_request *request);
/* The connection needs it no more. */
void fate__http_request_over(fate_request *request);
/* Memory until the request goes; NULL: there is none. */
char *fate__http_room(fate_request *request, size_t n);
char *fate__http_copy(fate_request *request, const char *s, size_t n);
void fate__http_free_requests(fate_website *site);

static inline struct fate__http_slice fate__http_target_path(const fate_request *request)
{
    struct fate__http_slice path = fate__http_at(&request->parser.head.fields, request->parser.head.path);
    const char *query = path.len ? memchr(path.at, '?', path.len) : NULL;

    if (query)
        path.len = (size_t)(query - path.at);
    return path.len ? path : FATE__HTTP_SLICE("/");
}

/* ---- site_dispatch.c ---- */

/* The head is there: finds the page, calls it, and answers with what it says. */
void fate__http_dispatch(fate_request *request);

/* ---- server_body.c ---- */

void fate__http_got_body(fate_request *request, struct fate__http_slice piece);
void fate__http_body_ended(fate_request *request);
/* No more of it comes: why is given. */
void fate__http_body_failed(fate_request *request, fate_value why);
/* The answer does not wait for it: what is short is read and dropped, else the connection is to be closed. */
void fate__http_drop_body(fate_request *request);
/* Is so much there that nobody has asked for that reading must wait? */
static inline bool fate__http_is_ahead(const fate_request *request)
{
    return !request->drops_body && !request->reader &&
           request->body.len - request->body_at >= FATE__HTTP_AHEAD_BYTES;
}

/* ---- server_answer.c ---- */

/* Answers with what a page has returned, given. */
void fate__http_answer(fate_request *request, fate_value v);
/* Answers with a page that says no, and with is_last closes the connection then; what the page of the request
 * follows is given up.  Where an answer has begun the connection is lost. */
void fate__http_refuse(fate_request *request, int status, const char *detail, bool is_last);
/* The same of a request whose page has not begun to answer. */
void fate__http_answer_error(fate_request *request, int status, const char *detail);
/* Gives up what its page follows, and what is being read for its answer. */
void fate__http_give_up(fate_request *request);
/* There is room for more pieces. */
void fate__http_send_more(fate_request *request);

/* ---- server_head.c ---- */

#define FATE__HTTP_TEXT_TYPE "text/plain; charset=utf-8"

/* Sends the head of an answer with a body of that length, or FATE__HTTP_LENGTH_UNKNOWN; type NULL: none.
 * False: there is no memory, and the connection is being lost. */
bool fate__http_send_head(fate_request *request, int64_t body_bytes, const char *type);
/* An answer with head and body: text or bytes that are lent. */
void fate__http_send_whole(fate_request *request, const char *type, const char *body, size_t n);
/* The same of a 200 without fields of the page's own, over a connection that stays; else false. */
bool fate__http_send_plain(fate_request *request, struct fate__http_slice type, const char *body, size_t n);
/* A field of the answer whose texts are lent as long as the request.  0 or -ENOMEM. */
int fate__http_add_field(fate_request *request, const char *name, const char *value);
const char *fate__http_field(const fate_request *request, const char *name);

/* ---- server_file.c ---- */

/* A piece of an answer: text, or a part of the file. */
struct fate__http_segment {
    const char *text; /* lent as long as the request; NULL: of the file */
    int64_t at, n;
};

/* Sends segments, lent as long as the request, of a file that is given, behind a head. */
void fate__http_send_file(fate_request *request, int fd, struct fate__http_segment *segments, size_t n);
/* Goes on when there is room. */
void fate__http_send_segments(fate_request *request);

/* ---- access_log.c ---- */

/* 0 or -errno. */
int fate__access_log_open(fate_website *site);
void fate__access_log_close(fate_website *site);
void fate__access_log_add(const fate_request *request);

#endif
