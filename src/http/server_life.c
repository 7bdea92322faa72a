/* Requests of a server: how they come, are kept, and go; and their memory. */
#include <http/server.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <base/alloc.h>
#include <base/stop.h>
#include <base/sys.h>

/* ---- Memory until a request is over ---- */

struct fate__http_chunk {
    struct fate__http_chunk *next;
    size_t n, room;
    char bytes[];
};

#define CHUNK_BYTES ((size_t)4096)

static char *room_in_chunk(fate_request *request, size_t n)
{
    struct fate__http_chunk *chunk = request->chunks;

    if (!chunk || n > chunk->room - chunk->n) {
        size_t room = n > CHUNK_BYTES ? n : CHUNK_BYTES;
        chunk = fate__alloc(sizeof *chunk + room);
        if (!chunk)
            return NULL;
        *chunk = (struct fate__http_chunk){ .next = request->chunks, .room = room };
        request->chunks = chunk;
    }
    char *at = chunk->bytes + chunk->n;
    chunk->n += n;
    return at;
}

char *fate__http_room(fate_request *request, size_t n)
{
    size_t at = request->n_arena;

    if (n > SIZE_MAX / 2)
        return NULL;
    n = (n + 15) & ~(size_t)15;
    if (n > sizeof request->arena - at)
        return room_in_chunk(request, n);
    request->n_arena = at + n;
    return request->arena + at;
}

char *fate__http_copy(fate_request *request, const char *s, size_t n)
{
    char *to = fate__http_room(request, n + 1);

    if (!to)
        return NULL;
    memcpy(to, s, n);
    to[n] = '\0';
    return to;
}

static void free_chunks(fate_request *request)
{
    struct fate__http_chunk *chunk;

    while ((chunk = request->chunks)) {
        request->chunks = chunk->next;
        fate__free(chunk);
    }
}

/* ---- Coming and going ---- */

static fate_request *make(fate_website *site)
{
    fate_request *request = fate__zalloc(sizeof *request);

    if (!request)
        return NULL;
    fate__http_parser_init(&request->parser, &site->limits);
    request->site = site;
    request->fd = -1;
    request->page_deadline = FATE_NEVER;
    request->source_bytes = FATE__HTTP_LENGTH_UNKNOWN;
    return request;
}

static void destroy(fate_request *request)
{
    fate__http_parser_done(&request->parser);
    fate__text_done(&request->body);
    fate__free(request);
}

static void free_fields_of_query(fate_request *request)
{
    if (request->has_query)
        fate__fields_done(&request->query);
    request->query = (struct fate__fields){ 0 };
}

/* What most requests have not. */
static void forget_rare(fate_request *request)
{
    free_fields_of_query(request);
    free_chunks(request);
    fate_drop(fate_take(&request->body_why));
    fate_drop(fate_take(&request->source));
    fate__text_done(&request->body);
    request->body = (struct fate__text){ 0 };
    fate__close(request->fd);
    request->fd = -1;
    request->segments = NULL;
    request->n_segments = 0;
}

static bool has_rare(const fate_request *request)
{
    return request->has_query || request->chunks || request->body_why.type || request->source.type ||
           request->body.bytes || request->fd >= 0;
}

fate_request *fate__http_request_new(struct fate__http_connection *connection)
{
    fate_website *site = connection->site;
    fate_request *request = site->free;

    if (request) {
        site->free = request->next_free;
        site->n_free--;
    } else {
        request = make(site);
        if (!request)
            return NULL;
    }
    request->connection = connection;
    request->refs = 1;
    fate__http_next_request(&request->parser);
    return request;
}

/* As new, but for the parser's memory. */
static void reset(fate_request *request)
{
    if (has_rare(request))
        forget_rare(request);
    request->n_arena = 0;
    request->path = NULL;
    request->body_at = 0;
    request->n_come = 0;
    request->status = 0;
    request->fields = NULL;
    request->n_fields = request->fields_room = 0;
    request->page_deadline = FATE_NEVER;
    request->n_body_bytes = 0;
    request->source_bytes = FATE__HTTP_LENGTH_UNKNOWN;
    request->began_at = 0;
    request->has_head = request->has_all = request->has_query = request->has_asked = false;
    request->must_continue = request->drops_body = request->has_begun = request->is_answered = false;
    request->keeps_alive = request->wants_more = request->asks = false;
}

/* A parser that has stopped in the middle is of no use for another message. */
static bool is_of_use(const fate_request *request)
{
    return request->has_all && request->site->n_free < FATE__HTTP_FREE_MAX;
}

static void go(fate_request *request)
{
    fate_website *site = request->site;
    bool is_kept = is_of_use(request);

    fate__assert(!request->page && !request->piece && !request->reader);
    reset(request);
    if (!is_kept) {
        destroy(request);
        return;
    }
    request->next_free = site->free;
    site->free = request;
    site->n_free++;
}

/* The site stays as long as somebody but the connection has the request. */
void fate__http_ref(fate_request *request)
{
    fate_copy(&request->site->self);
    request->refs++;
}

void fate__http_unref(fate_request *request)
{
    fate_value site = request->site->self;

    fate__assert(request->refs > 0);
    if (--request->refs == 0)
        go(request);
    fate_drop(site);
}

/* The path of a UNIX socket goes with the transport. */
static void keep_peer(fate_request *request)
{
    fate_address *peer = &request->peer;

    *peer = *fate_peer(request->connection->base.transport);
    if (peer->family == AF_UNIX && peer->as.local.path)
        peer->as.local.path = fate__http_copy(request, peer->as.local.path, peer->as.local.len);
}

/* Whoever keeps it may ask who it was. */
void fate__http_request_over(fate_request *request)
{
    if (request->refs > 1)
        keep_peer(request);
    request->connection = NULL;
    if (--request->refs == 0)
        go(request);
}

void fate__http_free_requests(fate_website *site)
{
    fate_request *request;

    while ((request = site->free)) {
        site->free = request->next_free;
        destroy(request);
    }
}

/* ---- Values that keep one ---- */

struct kept_request {
    fate_request *request;
};

static void unkeep(void *data)
{
    fate__http_unref(((struct kept_request *)data)->request);
}

/* Its bytes may be about to go with the buffer into which they were read. */
fate_value fate_request_self(fate_request *request)
{
    if (fate__http_keep_head(&request->parser) < 0)
        return fate_raise(&FATE_NO_MEMORY, "no memory to keep a request");
    fate__http_ref(request);
    return fate_box_new("fate_request", sizeof(struct kept_request), &(struct kept_request){ request },
                        unkeep);
}

fate_request *fate_as_request(const fate_value *v)
{
    return ((struct kept_request *)fate_box_data("fate_request", v, "fate_as_request"))->request;
}
