/* What a page has returned becomes an answer. */
#include <http/server.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <base/stop.h>
#include <fate/log.h>
#include <http/status.h>

#define TEXT_TYPE      FATE__HTTP_SLICE(FATE__HTTP_TEXT_TYPE)
#define BYTES_TYPE     FATE__HTTP_SLICE("application/octet-stream")
#define JSON_TYPE      FATE__HTTP_SLICE("application/json")
#define COPIED_MAX     ((size_t)8192) /* longer bodies are given to the transport as they are */
#define CAPPED_MAX     ((size_t)8 << 20)
#define PIECES_AT_ONCE 16 /* of an answer, before others get their turn */

static void finish(fate_request *request)
{
    if (!request->connection->is_lost)
        fate__http_answered(request);
}

/* ---- Text and bytes ---- */

static void send_bytes(fate_request *request, struct fate__http_slice type, const char *bytes, size_t n)
{
    if (!fate__http_send_plain(request, type, bytes, n))
        fate__http_send_whole(request, type.at, bytes, n);
}

/* What is long is in memory anyway, and nothing is written behind it before most of it has left: so the
 * transport's cap, which is for queues that grow, is not for it. */
static void give(fate_request *request, fate_value bytes, size_t n)
{
    fate_transport *transport = request->connection->base.transport;

    fate__http_flush(request->connection);
    if (n > CAPPED_MAX)
        fate_set_write_marks(transport, 64 * 1024, 256 * 1024, FATE_UNLIMITED);
    fate_write_value(transport, bytes);
}

static void send_value(fate_request *request, struct fate__http_slice type, fate_value v)
{
    size_t n;
    const void *bytes = fate_as_bytes(&v, &n);

    if (fate__likely(n <= COPIED_MAX)) {
        send_bytes(request, type, bytes, n);
        fate_drop(v);
        return;
    }
    if (fate__http_send_head(request, (int64_t)n, type.at) && fate__http_has_body(&request->writer)) {
        request->n_body_bytes = (int64_t)n;
        give(request, v, n);
        return;
    }
    fate_drop(v);
}

/* ---- JSON ---- */

static void send_json_text(fate_request *request, const struct fate__text *text)
{
    if (text->len <= COPIED_MAX) {
        send_bytes(request, JSON_TYPE, text->bytes, text->len);
        finish(request);
        return;
    }
    fate_value whole = fate_str_n(text->bytes, text->len);
    if (fate_is_failure(&whole)) {
        fate__http_answer(request, whole);
        return;
    }
    send_value(request, JSON_TYPE, whole);
    finish(request);
}

static void send_json(fate_request *request, fate_value v)
{
    struct fate__text text = { 0 };
    const char *why = NULL;
    int error = fate__add_json(&text, &v, &why);

    fate_drop(v);
    if (error == -ENOMEM)
        fate__http_answer(request, fate_raise(&FATE_NO_MEMORY, "no memory for an answer"));
    else if (error < 0)
        fate__http_answer(request, fate_raise(&FATE_TYPE_ERROR, "the page's answer as JSON: %s", why));
    else
        send_json_text(request, &text);
    fate__text_done(&text);
}

/* ---- Sources ---- */

static void log_failure(const fate_request *request, fate_value failure)
{
    fate_value reactor = fate_ptr(request->site->reactor);
    fate_value why =
        fate_raise_from_at(NULL, request->site->where, &FATE_RUNTIME_ERROR, failure, "a page: %.20s %.200s",
                           fate_request_method(request), fate_request_target(request));

    fate_log_failure(&why, &reactor);
    fate_drop(why);
}

/* A body that was cut, or is wrong, is the client's doing. */
static bool is_of_body(const fate_request *request, const fate_value *why)
{
    return !fate_is_none(&request->body_why) &&
           (fate_is(why, &FATE_HTTP_SHORT_BODY) || fate_is(why, &FATE_HTTP_PROTOCOL));
}

/* An answer that is cut must not look whole. */
static void cut(fate_request *request, fate_value why)
{
    if (is_of_body(request, &why))
        fate_drop(why);
    else
        log_failure(request, why);
    fate_drop(fate_take(&request->source));
    fate_abort_connection(request->connection->base.transport);
}

static void end_pieces(fate_request *request)
{
    char end[64];
    ssize_t n = fate__http_write_end(&request->writer, NULL, 0, end, sizeof end);

    if (n == -ENODATA) {
        cut(request, fate_raise(&FATE_VALUE_ERROR,
                                "the source of an answer gave %lld bytes, not the %lld of "
                                "its Content-Length",
                                (long long)request->n_body_bytes, (long long)request->source_bytes));
        return;
    }
    fate__assert(n >= 0);
    fate__http_send(request->connection, end, (size_t)n);
    if (!request->writer.keeps_alive)
        request->keeps_alive = false;
    fate_drop(fate_take(&request->source));
    finish(request);
}

static void send_piece(fate_request *request, fate_value piece)
{
    struct fate__http_connection *connection = request->connection;
    char before[FATE__HTTP_PIECE_BYTES];
    const void *bytes;
    size_t n;

    if (!fate_get_bytes(&piece, &bytes, &n)) {
        fate_drop(piece);
        cut(request,
            fate_raise(&FATE_TYPE_ERROR, "the source of an answer gave what is no text and no bytes"));
        return;
    }
    ssize_t n_before = fate__http_write_piece(&request->writer, n, before);
    if (n_before == -EMSGSIZE) {
        fate_drop(piece);
        cut(request, fate_raise(&FATE_VALUE_ERROR,
                                "the source of an answer gave more than the %lld bytes of "
                                "its Content-Length",
                                (long long)request->source_bytes));
        return;
    }
    fate__assert(n_before >= 0);
    request->n_body_bytes += (int64_t)n;
    fate__http_send(connection, before, (size_t)n_before);
    if (n <= COPIED_MAX) {
        fate__http_send(connection, bytes, n);
        fate_drop(piece);
        return;
    }
    give(request, piece, n);
}

static void take_piece(fate_request *request, fate_value piece)
{
    if (fate_is_failure(&piece))
        cut(request, piece);
    else if (fate_is_none(&piece))
        end_pieces(request);
    else
        send_piece(request, piece);
}

static fate_value got_piece(fate_value *result, fate_value *arg)
{
    fate_request *request = fate_as_ptr(arg);
    fate_deferred *d = request->piece;
    fate_value piece = fate_take(result);

    request->piece = NULL;
    if (d && request->connection && !request->connection->is_lost) {
        take_piece(request, piece);
        if (!request->asks && request->connection && request->source.type)
            fate__http_send_more(request);
    } else {
        fate_drop(piece);
    }
    if (d)
        fate_release(d);
    fate__http_unref(request);
    return fate_none();
}

/* One that was lost in this event has not been told so; nor does it say that there is no room. */
static bool may_write(const struct fate__http_connection *connection)
{
    return !connection->is_write_paused && !connection->is_lost &&
           fate_write(connection->base.transport, "", 0) == 0;
}

/* What is there at once is taken in a loop, so that nothing recurses; but not without end: a client may read
 * as fast as its source gives. */
static void ask_for_pieces(fate_request *request)
{
    int n = 0;

    request->asks = true;
    while (request->connection && request->source.type && !request->piece) {
        if (!may_write(request->connection)) {
            request->wants_more = true;
            break;
        }
        if (n++ == PIECES_AT_ONCE) {
            request->wants_more = true;
            fate__http_go_on_soon(request->connection);
            break;
        }
        fate__http_ref(request);
        request->piece = fate_hold(fate_read(&request->source));
        fate_add_both(request->piece, got_piece, fate_ptr(request));
    }
    request->asks = false;
}

void fate__http_send_more(fate_request *request)
{
    request->wants_more = false;
    fate__http_ref(request);
    if (request->segments)
        fate__http_send_segments(request);
    else
        ask_for_pieces(request);
    fate__http_unref(request);
}

static void send_source(fate_request *request, fate_value source)
{
    request->source = source;
    if (!fate__http_send_head(request, request->source_bytes, BYTES_TYPE.at))
        return;
    if (fate__http_has_body(&request->writer)) {
        fate__http_send_more(request);
        return;
    }
    fate_drop(fate_take(&request->source));
    finish(request);
}

/* ---- Failures ---- */

/* A client's failure of that class is about another server's answer, and says which. */
static int status_of(const fate_value *why)
{
    const fate_value *payload = fate_is(why, &FATE_HTTP_STATUS) ? fate_payload(why) : NULL;
    const fate_value *status = NULL;
    int64_t n;

    if (payload && fate_kind_of(payload) == FATE_KIND_DICT && !fate_dict_get(payload, "url"))
        status = fate_dict_get(payload, "status");
    return status && fate_get_int(status, &n) && n >= 400 && n <= 599 ? (int)n : 0;
}

/* Fields that spoke of the page which there is not now. */
static void forget_field(fate_request *request, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < request->n_fields; i++)
        if (strcasecmp(request->fields[i].name.at, name) != 0)
            request->fields[n++] = request->fields[i];
    request->n_fields = n;
}

static enum fate__page_kind kind_for(fate_request *request)
{
    const char *accept = request->has_head ? fate_request_header(request, "accept") : NULL;

    if (accept && strstr(accept, "text/html"))
        return FATE__PAGE_HTML;
    return accept && strstr(accept, "application/json") ? FATE__PAGE_JSON : FATE__PAGE_TEXT;
}

void fate__http_answer_error(fate_request *request, int status, const char *detail)
{
    enum fate__page_kind kind = kind_for(request);
    struct fate__text text = { 0 };

    request->status = status;
    forget_field(request, "content-type");
    forget_field(request, "content-encoding");
    fate__add_error_page(&text, kind, status, detail);
    if (text.has_failed || !text.bytes)
        fate__http_send_whole(request, NULL, "", 0);
    else
        fate__http_send_whole(request, fate__page_type(kind), text.bytes, text.len);
    fate__text_done(&text);
    finish(request);
}

static void answer_failure(fate_request *request, fate_value why)
{
    int status = is_of_body(request, &why) ? 400 : status_of(&why);

    if (status) {
        fate__http_answer_error(request, status, fate_message(&why));
        fate_drop(why);
        return;
    }
    bool shows = request->site->options.show_traceback;
    fate_value traceback = shows ? fate_traceback(&why) : fate_none();
    const char *text = "";
    bool lacks_memory = fate_is(&why, &FATE_NO_MEMORY);
    log_failure(request, why);
    request->n_fields = 0;
    if (shows)
        fate_get_str(&traceback, &text);
    fate__http_answer_error(request, lacks_memory ? 503 : 500, text);
    fate_drop(traceback);
}

fate_value fate_http_raise_v(const char *function, const char *here, int status, const char *fmt,
                             va_list args)
{
    if (status < 400 || status > 599)
        fate__stop(here,
                   "fate_http_raise was given the status %d. It is for those from 400 to 599; others are set "
                   "by fate_set_status.",
                   status);
    fate_value payload = fate_dict_of({ "status", fate_int(status) });
    return fate_raise_v(function, here, &FATE_HTTP_STATUS, payload, fate_none(), fmt, args);
}

fate_value fate_http_raise_at(const char *function, const char *here, int status, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fate_value why = fate_http_raise_v(function, here, status, fmt, args);
    va_end(args);
    return why;
}

fate_value(fate_http_raise)(int status, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fate_value why = fate_http_raise_v("fate_http_raise", NULL, status, fmt, args);
    va_end(args);
    return why;
}

/* ---- Giving up ---- */

void fate__http_give_up(fate_request *request)
{
    fate_deferred *page = request->page, *piece = request->piece;

    request->page = request->piece = NULL;
    request->segments = NULL;
    fate_drop(fate_take(&request->source));
    if (page) {
        fate_cancel(page);
        fate_release(page);
    }
    if (piece) {
        fate_cancel(piece);
        fate_release(piece);
    }
}

void fate__http_refuse(fate_request *request, int status, const char *detail, bool is_last)
{
    struct fate__http_connection *connection = request->connection;

    fate__http_ref(request);
    fate__http_give_up(request);
    if (request->has_begun || connection->is_lost) {
        fate_abort_connection(connection->base.transport);
    } else {
        request->n_fields = 0;
        if (is_last)
            request->keeps_alive = false;
        fate__http_answer_error(request, status, detail);
    }
    fate__http_unref(request);
}

/* ---- Any value ---- */

static void answer_none(fate_request *request)
{
    if (request->status == 200)
        request->status = 204;
    fate__http_send_whole(request, NULL, "", 0);
    finish(request);
}

static void answer_other(fate_request *request, fate_value v)
{
    if (fate_is_source(&v)) {
        send_source(request, v);
        return;
    }
    fate_value text = fate_describe(&v);
    const char *shown = "";
    fate_get_str(&text, &shown);
    fate_drop(v);
    fate__http_answer(request, fate_raise(&FATE_TYPE_ERROR, "a page returned %s, which is no body", shown));
    fate_drop(text);
}

void fate__http_answer(fate_request *request, fate_value v)
{
    if (request->has_begun || request->connection->is_lost) {
        fate_drop(v);
        return;
    }
    if (!request->status)
        request->status = 200;
    if (request->status == 205 && !fate_is_failure(&v)) /* which has no body: RFC 9110, 15.3.6 */
        fate_drop(fate_take(&v));
    switch (fate_kind_of(&v)) {
    case FATE_KIND_TEXT:
        send_value(request, TEXT_TYPE, v);
        finish(request);
        return;
    case FATE_KIND_BYTES:
        send_value(request, BYTES_TYPE, v);
        finish(request);
        return;
    case FATE_KIND_NONE:
        answer_none(request);
        return;
    case FATE_KIND_FAILURE:
        answer_failure(request, v);
        return;
    case FATE_KIND_BOX:
    case FATE_KIND_OBJECT:
    case FATE_KIND_PTR:
    case FATE_KIND_DEFERRED:
        answer_other(request, v);
        return;
    default:
        send_json(request, v);
    }
}
