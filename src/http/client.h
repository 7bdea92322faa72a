/* The HTTP client from inside: agents with their hosts, connections, and fetches.
 *
 * A fetch and its response are one object, struct fate_response: it asks its agent for a connection
 * (agent.c), which writes the request (client_send.c) and reads the answer (client.c); the fetch takes head,
 * pieces and end (fetch.c, fetch_redirect.c), and whoever wants the body reads what has come (response.c). */
#ifndef FATE_SRC_HTTP_CLIENT_H
#define FATE_SRC_HTTP_CLIENT_H

#include <base/list.h>
#include <fate/http_client.h>
#include <fate/reactor.h>
#include <http/coding.h>
#include <http/message.h>
#include <http/url.h>
#include <http/write.h>

/* What the library makes for itself, which reports leave out. */
#define FATE__CLIENT_SITE "(libfate) fate_fetch"

/* ---- Agents ---- */

/* Somewhere to connect to. */
struct fate__host {
    struct fate__host *next; /* in its bucket */
    fate_agent *agent;
    char *name;
    uint16_t port;
    struct fate__text endpoint; /* "tcp:example.org:80" */
    struct fate__text shown;    /* as the field Host says it: "example.org" */
    struct fate__link idle;     /* connections, the one used last first */
    struct fate__link line;     /* fetches that wait for one */
    struct fate__link waits;    /* in the agent's list while there is somebody in the line */
    unsigned n_connections;     /* those that are being made, too */
    unsigned n_users;           /* fetches that point to it */
};

#define FATE__HOST_BUCKETS 64

/* It lies in a box: the reactor keeps it by a call that is never due, each connection and fetch by a
 * reference of its own. */
struct fate_agent {
    fate_value self; /* that box, without a reference */
    fate_reactor *reactor;
    fate_agent_options options;
    char *user_agent;
    fate_timer kept;
    fate_watch end; /* the trigger that ends its fetches */
    struct fate__host *hosts[FATE__HOST_BUCKETS];
    struct fate__link resting; /* idle connections of all hosts, the one used last first */
    struct fate__link waiting; /* hosts with somebody in the line */
    struct fate__link fetches; /* those that are under way */
    unsigned n_connections;
    fate_agent *next; /* among the reactors' own */
    bool is_own;      /* the reactor's */
    bool is_over;     /* freed, or its reactor goes: nothing new begins */
};

/* The reactor's own, made when it is needed first; NULL: no memory. */
fate_agent *fate__agent_of(fate_reactor *reactor, const char *site);
bool fate__agent_is_no_memory(const fate_agent *agent);

/* Finds a connection for the fetch, now or later: fate__client_begin is called then, or
 * fate__fetch_fail. */
void fate__agent_ask(fate_response *fetch);
/* The fetch waits no more, in line or for a connection to be made. */
void fate__agent_leave(fate_response *fetch);
/* The fetch has no use for its host any more. */
void fate__agent_forget_host(fate_response *fetch);

/* ---- Connections ---- */

struct fate__client {
    fate_protocol base;
    fate_agent *agent; /* NULL until it has been given to its first fetch */
    struct fate__host *host;
    fate_response *fetch;   /* whose answer comes next; NULL: it is idle */
    struct fate__link idle; /* in the host's list */
    struct fate__link rest; /* in the agent's */
    struct fate__http_parser parser;
    struct fate__http_writer writer;
    fate_timer timer;
    fate_time due, armed; /* when it is over; when the timer looks, 0: it does not run */
    size_t n_queued_last; /* bytes that had still to be written when the timer looked last */
    bool has_answered;    /* at least once */
    bool is_full;         /* too much is queued for writing */
    bool is_paused;       /* reading is */
    bool keeps_alive;     /* after this answer */
    bool is_closing, is_lost;
};

extern const fate_protocol_ops fate__client_ops;

/* In agent.c: the connection is over; it is free for the next; nobody else is to have it. */
void fate__agent_lost(struct fate__client *client);
void fate__agent_rests(struct fate__client *client);
void fate__agent_takes_out(struct fate__client *client);

/* Sends the fetch's request. */
void fate__client_begin(struct fate__client *client, fate_response *fetch);
/* The fetch wants nothing more of its connection, which is closed. */
void fate__client_abort(fate_response *fetch);
/* Closes it once it is idle. */
void fate__client_close(struct fate__client *client);
/* Something is to happen within that time; false: no memory for a timer. */
bool fate__client_arm(struct fate__client *client, fate_time timeout);
void fate__client_pause(struct fate__client *client);
void fate__client_resume(struct fate__client *client);

/* ---- client_send.c ---- */

/* False: it could not be, and the fetch has failed. */
bool fate__send_request(fate_response *fetch);
/* The server says that it wants the body, or has not said so for too long. */
void fate__send_body(fate_response *fetch);
/* There is room for more of it. */
void fate__send_more(fate_response *fetch);
/* Nobody wants the rest of it. */
void fate__send_stop(fate_response *fetch);

/* ---- Fetches and responses ---- */

enum fate__fetch_stage {
    FATE__FETCH_NEW,
    FATE__FETCH_IN_LINE,
    FATE__FETCH_CONNECTING,
    FATE__FETCH_ASKING,  /* until the head of the answer has come */
    FATE__FETCH_READING, /* until its end */
    FATE__FETCH_OVER,
};

enum fate__body_kind { FATE__BODY_NONE, FATE__BODY_BYTES, FATE__BODY_SOURCE };

/* A piece of a body that nobody has read yet. */
struct fate__came {
    struct fate__came *next;
    size_t at, len;
    char bytes[];
};

struct fate_response {
    fate_value self; /* the box in which it lies, without a reference */
    fate_agent *agent;
    fate_value agent_self;
    fate_reactor *reactor;
    const char *what, *site; /* the function, and where it was called */
    fate_deferred *d;        /* to be fired; NULL: it has been */
    struct fate__link link;  /* among the agent's fetches */
    fate_timer limit;
    fate_time timeout;
    enum fate__fetch_stage stage;

    /* What is asked for. */
    struct fate__url url;
    const char *method;
    char *own_method;               /* that, where the program has said it; else NULL */
    struct fate__http_pair *fields; /* the program's; one block with their texts */
    size_t n_fields;
    char *user_password; /* NULL: none */
    enum fate__body_kind body_kind;
    fate_value body;
    const char *body_type; /* NULL: the fields say it */
    int64_t body_bytes;
    bool wants_page, keeps_redirects, is_raw; /* raw: not to be unpacked */

    /* On its way. */
    struct fate__host *host;
    struct fate__link in_line;
    fate_deferred *connecting;
    struct fate__client *client;
    unsigned n_redirects;
    bool wants_new;     /* no connection that was used before */
    bool has_retried;   /* as a stale connection was lost */
    bool was_written;   /* at least a byte of the request */
    bool expects;       /* has sent Expect: 100-continue, */
    bool never_expects; /* the server did not like that */
    fate_timer expected;
    fate_deferred *piece; /* of the body, asked for */
    bool is_sending, is_in_sender, has_body_begun;
    char *location;     /* where an answer that is being read leads */
    size_t n_discarded; /* bytes of its body */
    bool asks_again;    /* that answer is to be followed by the same request */

    /* What has come. */
    int status;
    char *head; /* name NUL value NUL, …; NULL: not kept */
    size_t n_head;
    enum fate__coding coding;
    struct fate__decoder *decoder;
    size_t n_packed;   /* bytes of a page that have gone into it */
    int64_t announced; /* the length of the body; -1: not known */
    struct fate__text page;
    fate_value whole; /* the page, when it has come in one piece */
    bool has_page;
    struct fate__came *came, *came_last;
    size_t n_came;
    fate_deferred *reader;
    bool has_body_source, is_ended;
    fate_value why; /* a failure, when the body has ended by it */
};

/* A failure that says what was fetched, "GET http://example.org/: …". */
fate_value fate__fetch_raise(const fate_response *fetch, const fate_class *c, const char *fmt, ...)
    FATE_PRINTF(3, 4);
/* The same, given what has caused it. */
fate_value fate__fetch_raise_from(const fate_response *fetch, const fate_class *c, fate_value cause,
                                  const char *fmt, ...) FATE_PRINTF(4, 5);
fate_value fate__fetch_no_memory(void);

/* It is over, by that failure, given. */
void fate__fetch_fail(fate_response *fetch, fate_value why);
/* The head is in the parser of its connection. */
void fate__fetch_head(fate_response *fetch, const struct fate__http_head *head);
/* A piece of the body; and its end, after which the connection is somebody else's. */
void fate__fetch_piece(fate_response *fetch, struct fate__http_slice piece);
void fate__fetch_end(fate_response *fetch);
/* Its connection, which had been used before, was lost before a byte of the answer had come: is it safe to
 * ask once more? */
bool fate__fetch_may_retry(const fate_response *fetch);
/* It has no connection any more, and gets a new one. */
void fate__fetch_retry(fate_response *fetch);

/* ---- fetch_redirect.c ---- */

/* Is this the head of an answer that leads to another?  It takes down where to. */
bool fate__redirects(fate_response *fetch, const struct fate__http_head *head);
/* That answer is over. */
void fate__redirect(fate_response *fetch);

/* ---- response.c ---- */

/* Keeps the fields of a head; false: no memory. */
bool fate__response_keep_head(fate_response *response, const struct fate__http_fields *fields);
/* For the body's reader: a piece, or the end. */
void fate__response_came(fate_response *response, struct fate__http_slice piece);
void fate__response_ended(fate_response *response);
void fate__response_done(fate_response *response);
/* FATE_HTTP_STATUS, with that page, given. */
fate_value fate__response_raise_status(const fate_response *response, fate_value page);
/* Unpacks what can be of *input, into at most room bytes.  How many; 0: it wants more; negative: ret_why says
 * why. */
ssize_t fate__response_unpack(fate_response *response, struct fate__slice *input, char *to, size_t room,
                              fate_value *ret_why);
/* The input is over: none, or the failure. */
fate_value fate__response_unpacked(fate_response *response);

/* ---- fetch_options.c ---- */

/* What is asked for.  False: *ret_why is the failure. */
bool fate__fetch_take_options(fate_response *fetch, const char *url, const fate_fetch_options *options,
                              fate_value *ret_why);
void fate__fetch_drop_request(fate_response *fetch);
/* A copy of a text; NULL: no memory. */
char *fate__text_copy(const char *s, size_t len);

#endif
