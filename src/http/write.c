/* Writing heads, chunks and trailers. */
#include <http/write.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <base/stop.h>
#include <http/names.h>
#include <http/parse.h>

/* Counts on when it is full, so that the caller hears how much room it takes. */
struct sink {
    char *to;
    size_t room, len;
    bool is_wrong;
};

static void put_n(struct sink *sink, const char *s, size_t n)
{
    if (n <= sink->room && sink->len <= sink->room - n)
        memcpy(sink->to + sink->len, s, n);
    sink->len += n;
}

static void put(struct sink *sink, const char *s)
{
    put_n(sink, s, strlen(s));
}

static void put_number(struct sink *sink, int64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)n);

    put_n(sink, digits, (size_t)len);
}

static void require(struct sink *sink, bool holds)
{
    sink->is_wrong = sink->is_wrong || !holds;
}

static ssize_t result(const struct sink *sink)
{
    return sink->is_wrong ? -EINVAL : (ssize_t)sink->len;
}

static bool fits(const struct sink *sink)
{
    return !sink->is_wrong && sink->len <= sink->room;
}

static struct fate__http_slice slice(const char *text)
{
    return (struct fate__http_slice){ text, strlen(text) };
}

/* ---- Fields ---- */

static char *copy(char *to, struct fate__http_slice text)
{
    memcpy(to, text.at, text.len);
    return to + text.len;
}

static void put_field(struct sink *sink, struct fate__http_slice name, struct fate__http_slice value)
{
    size_t n = name.len + value.len + 4;

    if (n <= sink->room && sink->len <= sink->room - n) {
        char *to = copy(copy(sink->to + sink->len, name), FATE__HTTP_SLICE(": "));
        copy(copy(to, value), FATE__HTTP_SLICE("\r\n"));
    }
    sink->len += n;
}

static bool is_value(struct fate__http_slice value)
{
    return fate__http_all(value, FATE__HTTP_VALUE);
}

/* Those that say where a message ends, and others that come from the members of the structs. */
static bool is_made_here(struct fate__http_slice name)
{
    return (fate__http_name_of(name) != FATE__HTTP_OTHER && fate__http_name_of(name) != FATE__HTTP_EXPECT) ||
           fate__http_same(name, FATE__HTTP_SLICE("date"));
}

static void put_pair(struct sink *sink, const struct fate__http_pair *pair)
{
    require(sink, pair->name.len && fate__http_all(pair->name, FATE__HTTP_TOKEN) && is_value(pair->value));
    if (sink->is_wrong)
        return;
    require(sink, !is_made_here(pair->name));
    put_field(sink, pair->name, pair->value);
}

static void put_pairs(struct sink *sink, const struct fate__http_pair *pairs, size_t n)
{
    for (size_t i = 0; i < n && !sink->is_wrong; i++)
        put_pair(sink, &pairs[i]);
}

/* Of a name that is not the program's. */
static void put_own(struct sink *sink, struct fate__http_slice name, struct fate__http_slice value)
{
    require(sink, is_value(value));
    put_field(sink, name, value);
}

static void put_length(struct sink *sink, int64_t n)
{
    put(sink, "Content-Length: ");
    put_number(sink, n);
    put(sink, "\r\n");
}

/* One of the two, or neither: RFC 9112, 6.2. */
static void put_framing(struct sink *sink, const struct fate__http_writer *writer)
{
    if (writer->framing == FATE__HTTP_LENGTH)
        put_length(sink, writer->left);
    else if (writer->framing == FATE__HTTP_CHUNKED)
        put(sink, "Transfer-Encoding: chunked\r\n");
}

/* RFC 9112, 9.3: HTTP/1.1 keeps connections alive without saying so, HTTP/1.0 only when told. */
static void put_connection(struct sink *sink, bool keeps_alive, int minor, const char *upgrade)
{
    if (!keeps_alive)
        put(sink, upgrade ? "Connection: close, upgrade\r\n" : "Connection: close\r\n");
    else if (upgrade)
        put(sink, "Connection: upgrade\r\n");
    else if (minor == 0)
        put(sink, "Connection: keep-alive\r\n");
    if (upgrade)
        put_own(sink, FATE__HTTP_SLICE("Upgrade"), slice(upgrade));
}

/* ---- Responses ---- */

/* What has no body, and no field that speaks of one: RFC 9110, 8.6 and 15; RFC 9112, 6.1. */
static bool is_bodiless(const struct fate__http_response *response)
{
    bool is_tunnel = response->answers_to == FATE__HTTP_CONNECT && response->status / 100 == 2;

    return response->status < 200 || response->status == 204 || response->status == 304 || is_tunnel;
}

/* Answers to HEAD announce a length and have no body: RFC 9110, 9.3.2.  A body of unknown length goes in
 * chunks, or, to HTTP/1.0, which knows none, until the close. */
static struct fate__http_writer frame_response(const struct fate__http_response *response)
{
    struct fate__http_writer writer = { .keeps_alive = response->keeps_alive, .has_begun = true };

    if (is_bodiless(response) || response->answers_to == FATE__HTTP_HEAD_METHOD) {
        writer.framing = FATE__HTTP_NO_BODY;
    } else if (response->body_bytes >= 0) {
        writer.framing = FATE__HTTP_LENGTH;
        writer.left = response->body_bytes;
    } else if (response->minor >= 1) {
        writer.framing = FATE__HTTP_CHUNKED;
    } else {
        writer.framing = FATE__HTTP_UNTIL_CLOSE;
        writer.keeps_alive = false;
    }
    return writer;
}

/* An interim response says nothing of the connection, which the final one does. */
static void put_response_fields(struct sink *sink, const struct fate__http_writer *writer,
                                const struct fate__http_response *response)
{
    bool is_head = response->answers_to == FATE__HTTP_HEAD_METHOD;

    if (response->date)
        put_own(sink, FATE__HTTP_SLICE("Date"), slice(response->date));
    if (response->status >= 200 || response->upgrade)
        put_connection(sink, writer->keeps_alive, response->minor, response->upgrade);
    if (is_head && !is_bodiless(response) && response->body_bytes >= 0)
        put_length(sink, response->body_bytes);
    put_framing(sink, writer);
    put_pairs(sink, response->fields, response->n_fields);
    put(sink, "\r\n");
}

ssize_t fate__http_write_response(struct fate__http_writer *writer,
                                  const struct fate__http_response *response, char *to, size_t room)
{
    struct sink sink = { .to = to, .room = room };
    struct fate__http_writer framed = frame_response(response);
    const char *reason = response->reason ? response->reason : "";

    require(&sink, response->status >= 100 && response->status <= 999 && is_value(slice(reason)));
    /* 205 tells that a form is to be emptied, and has nothing to say besides: RFC 9110, 15.3.6. */
    require(&sink, response->status != 205 || response->body_bytes == 0);
    require(&sink, !response->upgrade || response->status == 101 || response->status == 426);
    put(&sink, "HTTP/1.1 ");
    put_number(&sink, response->status);
    put(&sink, " ");
    put(&sink, reason);
    put(&sink, "\r\n");
    put_response_fields(&sink, &framed, response);
    if (fits(&sink))
        *writer = framed;
    return result(&sink);
}

/* ---- Requests ---- */

/* Methods whose requests are taken to have a body say so even when it is empty: RFC 9110, 8.6. */
static bool expects_body(enum fate__http_method method)
{
    return method == FATE__HTTP_POST || method == FATE__HTTP_PUT || method == FATE__HTTP_PATCH;
}

static struct fate__http_writer frame_request(const struct fate__http_request *request,
                                              enum fate__http_method method)
{
    struct fate__http_writer writer = { .keeps_alive = request->keeps_alive, .has_begun = true };

    if (request->body_bytes < 0) {
        writer.framing = FATE__HTTP_CHUNKED;
    } else if (request->body_bytes > 0 || expects_body(method)) {
        writer.framing = FATE__HTTP_LENGTH;
        writer.left = request->body_bytes;
    }
    return writer;
}

static bool is_right_host(const char *host)
{
    return !*host || fate__http_is_host(slice(host));
}

ssize_t fate__http_write_request(struct fate__http_writer *writer, const struct fate__http_request *request,
                                 char *to, size_t room)
{
    struct sink sink = { .to = to, .room = room };
    struct fate__http_slice name = slice(request->method);
    enum fate__http_method method = fate__http_method_of(name);
    struct fate__http_writer framed = frame_request(request, method);

    require(&sink, name.len && fate__http_all(name, FATE__HTTP_TOKEN));
    require(&sink, fate__http_is_target(slice(request->target), method) && is_right_host(request->host));
    require(&sink, method != FATE__HTTP_CONNECT || request->body_bytes == 0);
    put(&sink, request->method);
    put(&sink, " ");
    put(&sink, request->target);
    put(&sink, " HTTP/1.1\r\n");
    put_own(&sink, FATE__HTTP_SLICE("Host"), slice(request->host));
    put_connection(&sink, request->keeps_alive, 1, request->upgrade);
    put_framing(&sink, &framed);
    for (size_t i = 0; i < request->n_own; i++)
        put_own(&sink, request->own[i].name, request->own[i].value);
    put_pairs(&sink, request->fields, request->n_fields);
    put(&sink, "\r\n");
    if (fits(&sink))
        *writer = framed;
    return result(&sink);
}

/* ---- Bodies ---- */

/* The line end behind a chunk is sent before what follows it, so that each piece is sent with one text before
 * it and none behind. */
ssize_t fate__http_write_piece(struct fate__http_writer *writer, size_t n, char to[FATE__HTTP_PIECE_BYTES])
{
    fate__assert(writer->has_begun && !writer->is_over);
    if (n == 0 || writer->framing == FATE__HTTP_UNTIL_CLOSE)
        return 0;
    if (writer->framing == FATE__HTTP_CHUNKED) {
        int len = snprintf(to, FATE__HTTP_PIECE_BYTES, "%s%zx\r\n", writer->left ? "\r\n" : "", n);
        writer->left = 1;
        return len;
    }
    if (writer->framing == FATE__HTTP_NO_BODY || n > (uint64_t)writer->left)
        return -EMSGSIZE;
    writer->left -= (int64_t)n;
    return 0;
}

ssize_t fate__http_write_end(struct fate__http_writer *writer, const struct fate__http_pair *trailers,
                             size_t n, char *to, size_t room)
{
    struct sink sink = { .to = to, .room = room };

    fate__assert(writer->has_begun && !writer->is_over);
    if (writer->framing == FATE__HTTP_LENGTH && writer->left) {
        writer->keeps_alive = false;
        return -ENODATA;
    }
    if (writer->framing == FATE__HTTP_CHUNKED) {
        put(&sink, writer->left ? "\r\n0\r\n" : "0\r\n");
        put_pairs(&sink, trailers, n);
        put(&sink, "\r\n");
    }
    writer->is_over = fits(&sink);
    return result(&sink);
}
