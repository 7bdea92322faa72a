/* The heads of a server's answers.  Most are made of pieces that lie ready. */
#include <http/server.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <base/stop.h>
#include <http/names.h>
#include <http/status.h>

/* ---- Fields ---- */

static bool is_same(struct fate__http_slice name, const char *text)
{
    return fate__http_same(name, (struct fate__http_slice){ text, strlen(text) });
}

static struct fate__http_pair *find(const fate_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_fields; i++)
        if (is_same(request->fields[i].name, name))
            return &request->fields[i];
    return NULL;
}

const char *fate__http_field(const fate_request *request, const char *name)
{
    const struct fate__http_pair *pair = find(request, name);

    return pair ? pair->value.at : NULL;
}

static bool has_room(fate_request *request)
{
    if (request->n_fields < request->fields_room)
        return true;
    size_t room = request->fields_room ? 2 * request->fields_room : 4;
    struct fate__http_pair *fields = (void *)fate__http_room(request, room * sizeof *fields);
    if (!fields)
        return false;
    if (request->n_fields)
        memcpy(fields, request->fields, request->n_fields * sizeof *fields);
    request->fields = fields;
    request->fields_room = room;
    return true;
}

int fate__http_add_field(fate_request *request, const char *name, const char *value)
{
    struct fate__http_pair *pair = strcasecmp(name, "set-cookie") == 0 ? NULL : find(request, name);

    if (!pair && !has_room(request))
        return -ENOMEM;
    if (!pair)
        pair = &request->fields[request->n_fields++];
    pair->name = (struct fate__http_slice){ name, strlen(name) };
    pair->value = (struct fate__http_slice){ value, strlen(value) };
    return 0;
}

static bool is_made_here(const char *name)
{
    static const char *const names[] = { "connection",        "date",   "host", "keep-alive", "trailer",
                                         "transfer-encoding", "upgrade" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Of a source; of all else the length is known here. */
static int announce_length(fate_request *request, struct fate__http_slice digits)
{
    int64_t n = fate__http_number(digits);

    if (n < 0)
        return -EINVAL;
    request->source_bytes = n;
    return 0;
}

int fate_set_header(fate_request *request, const char *name, const char *value)
{
    struct fate__http_slice name_slice = { name, strlen(name) }, value_slice = { value, strlen(value) };

    if (!request->connection || request->has_begun)
        return -EALREADY;
    if (!name_slice.len || !fate__http_all(name_slice, FATE__HTTP_TOKEN) ||
        !fate__http_all(value_slice, FATE__HTTP_VALUE) || is_made_here(name))
        return -EINVAL;
    if (is_same(name_slice, "content-length"))
        return announce_length(request, value_slice);
    const char *own_name = fate__http_copy(request, name, name_slice.len);
    const char *own_value = fate__http_copy(request, value, value_slice.len);
    return own_name && own_value ? fate__http_add_field(request, own_name, own_value) : -ENOMEM;
}

int fate_set_status(fate_request *request, int status)
{
    if (!request->connection || request->has_begun)
        return -EALREADY;
    if (status < 200 || status > 599)
        return -EINVAL;
    request->status = status;
    return 0;
}

/* ---- What lies ready ---- */

/* The first lines of most answers, again when the second is over. */
static void prepare(fate_website *site, fate_time now)
{
    int64_t time = fate_time_of_day(site->reactor);
    const char *server = site->options.server_name;

    site->head_seconds = time / FATE_SECOND;
    site->head_until = now + FATE_SECOND - time % FATE_SECOND;
    fate__http_date_text(site->head_seconds, site->date);
    int n = snprintf(site->head, sizeof site->head, "HTTP/1.1 200 OK\r\nDate: %s\r\n%s%s%s", site->date,
                     *server ? "Server: " : "", server, *server ? "\r\n" : "");
    static const char text[] = "Content-Type: " FATE__HTTP_TEXT_TYPE "\r\nContent-Length: ";
    fate__assert(n > 0 && (size_t)n + sizeof text < sizeof site->head);
    site->head_len = (size_t)n;
    memcpy(site->head + n, text, sizeof text - 1);
    site->text_head_len = (size_t)n + sizeof text - 1;
}

static inline void freshen(fate_website *site)
{
    fate_time now = fate_now(site->reactor);

    if (fate__unlikely(now >= site->head_until))
        prepare(site, now);
}

/* ---- Any head ---- */

/* Content-Type and Server, unless the page has set them, behind its own. */
static size_t all_fields(const fate_request *request, const char *type, struct fate__http_pair *to)
{
    const char *server = request->site->options.server_name;
    size_t n = request->n_fields;

    if (n)
        memcpy(to, request->fields, n * sizeof *to);
    if (type && !find(request, "content-type"))
        to[n++] = (struct fate__http_pair){ FATE__HTTP_SLICE("Content-Type"), { type, strlen(type) } };
    if (*server && !find(request, "server"))
        to[n++] = (struct fate__http_pair){ FATE__HTTP_SLICE("Server"), { server, strlen(server) } };
    return n;
}

static bool lacks_memory(fate_request *request)
{
    fate_abort_connection(request->connection->base.transport);
    return false;
}

static bool send_head(fate_request *request, const struct fate__http_response *response)
{
    char room[2048], *to = room;
    ssize_t n = fate__http_write_response(&request->writer, response, room, sizeof room);

    fate__assert(n > 0);
    if ((size_t)n > sizeof room) {
        to = fate__alloc((size_t)n);
        if (!to)
            return lacks_memory(request);
        fate__http_write_response(&request->writer, response, to, (size_t)n);
    }
    fate__http_send(request->connection, to, (size_t)n);
    if (to != room)
        fate__free(to);
    return true;
}

bool fate__http_send_head(fate_request *request, int64_t body_bytes, const char *type)
{
    const struct fate__http_head *head = &request->parser.head;
    if (fate__unlikely(!request->has_all) && (body_bytes >= 0 || !request->has_asked))
        fate__http_drop_body(request);
    struct fate__http_pair *fields =
        (void *)fate__http_room(request, (request->n_fields + 2) * sizeof *fields);

    if (!fields)
        return lacks_memory(request);
    freshen(request->site);
    const struct fate__http_response response = {
        .fields = fields,
        .n_fields = all_fields(request, type, fields),
        .status = request->status,
        .reason = fate__status_reason(request->status),
        .date = request->site->date,
        .body_bytes = body_bytes,
        .answers_to = request->has_head ? head->method : FATE__HTTP_GET,
        .minor = request->has_head ? head->minor : 1,
        .keeps_alive = request->keeps_alive,
    };
    request->has_begun = true;
    return send_head(request, &response);
}

/* ---- Most answers ---- */

static char *put(char *to, const char *s, size_t n)
{
    memcpy(to, s, n);
    return to + n;
}

#define PUT(to, literal) put(to, literal, sizeof(literal) - 1)

static char *put_number(char *to, size_t n)
{
    char *end = to + 1;

    for (size_t rest = n; rest >= 10; rest /= 10)
        end++;
    for (char *at = end; at > to; n /= 10)
        *--at = (char)('0' + n % 10);
    return end;
}

/* A 200 without fields of the page's own, over a connection that stays.  The type is short. */
static bool is_plain(const fate_request *request)
{
    const struct fate__http_head *head = &request->parser.head;

    return request->status == 200 && !request->n_fields && request->keeps_alive && head->minor &&
           head->method != FATE__HTTP_HEAD_METHOD;
}

#define TYPE_BYTES_MAX       64
#define PLAIN_HEAD_BYTES_MAX (FATE__HTTP_OWN_HEAD_ROOM + TYPE_BYTES_MAX + 96)

static inline char *put_plain_head(char *to, const fate_website *site, struct fate__http_slice type, size_t n)
{
    if (fate__likely(type.len == sizeof FATE__HTTP_TEXT_TYPE - 1 && *type.at == 't')) {
        to = put(to, site->head, site->text_head_len);
    } else {
        to = put(PUT(put(to, site->head, site->head_len), "Content-Type: "), type.at, type.len);
        to = PUT(to, "\r\nContent-Length: ");
    }
    return PUT(put_number(to, n), "\r\n\r\n");
}

/* Where nothing is collected, or there is no room for it. */
static fate__apart void send_apart(struct fate__http_connection *connection, struct fate__http_slice type,
                                   const char *body, size_t n)
{
    char head[PLAIN_HEAD_BYTES_MAX], *end = put_plain_head(head, connection->site, type, n);

    fate__http_send(connection, head, (size_t)(end - head));
    fate__http_send(connection, body, n);
}

bool fate__http_send_plain(fate_request *request, struct fate__http_slice type, const char *body, size_t n)
{
    fate_website *site = request->site;

    if (fate__unlikely(!is_plain(request) || !request->has_all))
        return false;
    fate__assert(type.len <= TYPE_BYTES_MAX);
    request->has_begun = true;
    request->n_body_bytes = (int64_t)n;
    freshen(site);
    bool is_collected = site->writer == request->connection;
    if (fate__unlikely(!is_collected || site->n_out + PLAIN_HEAD_BYTES_MAX + n > FATE__HTTP_OUT_BYTES)) {
        send_apart(request->connection, type, body, n);
        return true;
    }
    char *end = put_plain_head(site->out + site->n_out, site, type, n);
    site->n_out = (size_t)(put(end, body, n) - site->out);
    return true;
}

void fate__http_send_whole(fate_request *request, const char *type, const char *body, size_t n)
{
    request->n_body_bytes = (int64_t)n;
    if (!fate__http_send_head(request, (int64_t)n, type))
        return;
    if (fate__http_has_body(&request->writer))
        fate__http_send(request->connection, body, n);
    else
        request->n_body_bytes = 0;
}
