/* Responses as the program sees them: head and body. */
#include <http/client.h>

#include <errno.h>
#include <string.h>

#include <base/alloc.h>
#include <base/stop.h>
#include <http/status.h>

#define BOX              "fate_response"
#define AHEAD_BYTES      ((size_t)65536) /* that come before somebody reads */
#define UNPACKED_BYTES   16384
#define ERROR_PAGE_BYTES ((size_t)65536)

fate_response *fate_as_response(const fate_value *v)
{
    return fate_box_data(BOX, v, NULL);
}

int fate_response_status(const fate_response *response)
{
    return response->status;
}

fate_value fate_response_url(const fate_response *response)
{
    struct fate__text text = { 0 };

    fate__url_add(&text, &response->url);
    fate_value url = text.has_failed ? fate__fetch_no_memory() : fate_str_n(text.bytes, text.len);
    fate__text_done(&text);
    return url;
}

/* ---- The head ---- */

static char *put(char *to, struct fate__http_slice text)
{
    memcpy(to, text.at, text.len);
    to[text.len] = '\0';
    return to + text.len + 1;
}

bool fate__response_keep_head(fate_response *response, const struct fate__http_fields *fields)
{
    size_t len = 0;

    for (uint32_t i = 0; i < fields->n; i++)
        len += (size_t)fields->list[i].name_len + fields->list[i].value_len + 2;
    char *to = response->head = fate__alloc(len + 1);
    if (!to)
        return false;
    for (uint32_t i = 0; i < fields->n; i++) {
        to = put(to, fate__http_field_name(fields, &fields->list[i]));
        to = put(to, fate__http_field_value(fields, &fields->list[i]));
    }
    response->n_head = len;
    return true;
}

/* The next name and value; false: there is no more. */
static bool next_field(const fate_response *response, const char **at, const char **ret_value)
{
    const char *end = response->head + response->n_head;

    *at = *at ? *ret_value + strlen(*ret_value) + 1 : response->head;
    if (!*at || *at == end)
        return false;
    *ret_value = *at + strlen(*at) + 1;
    return true;
}

static struct fate__http_slice slice(const char *s)
{
    return (struct fate__http_slice){ s, strlen(s) };
}

const char *fate_response_header(const fate_response *response, const char *name)
{
    const char *at = NULL, *value = NULL;

    while (next_field(response, &at, &value))
        if (fate__http_same(slice(at), slice(name)))
            return value;
    return NULL;
}

static char *lower_copy(const char *name)
{
    char *copy = fate__text_copy(name, strlen(name));

    for (char *at = copy; at && *at; at++)
        *at = fate__http_lower(*at);
    return copy;
}

/* 0 or -ENOMEM. */
static int add_header(fate_value *dict, const char *name, const char *value)
{
    const fate_value *before = fate_dict_get(dict, name);
    const char *between = strcmp(name, "set-cookie") == 0 ? "\n" : ", ";

    return fate_dict_set(
        dict, name, before ? fate_format("%s%s%s", fate_as_str(before), between, value) : fate_str(value));
}

fate_value fate_response_headers(const fate_response *response)
{
    const char *at = NULL, *value = NULL;
    fate_value dict = fate_dict();

    while (!fate_is_failure(&dict) && next_field(response, &at, &value)) {
        char *name = lower_copy(at);
        if (!name || add_header(&dict, name, value) < 0) {
            fate_drop(dict);
            dict = fate__fetch_no_memory();
        }
        fate__free(name);
    }
    return dict;
}

fate_value fate__response_raise_status(const fate_response *response, fate_value page)
{
    const fate_pair pairs[] = { { "status", fate_int(response->status) },
                                { "url", fate_response_url(response) },
                                { "headers", fate_response_headers(response) },
                                { "page", page } };
    fate_value payload = fate_dict_from(sizeof pairs / sizeof *pairs, pairs);
    struct fate__text text = { 0 };

    fate__text_format(&text, "%s ", response->method);
    fate__url_add(&text, &response->url);
    fate__text_format(&text, ": %d %s", response->status, fate__status_reason(response->status));
    if (text.has_failed || fate_is_failure(&payload)) {
        fate__text_done(&text);
        fate_drop(payload);
        return fate__fetch_no_memory();
    }
    fate_value why =
        fate_raise_with_at(response->what, response->site, &FATE_HTTP_STATUS, payload, "%s", text.bytes);
    fate__text_done(&text);
    return why;
}

/* ---- Unpacking ---- */

static uint64_t unpacked_max(const fate_response *response)
{
    return response->wants_page ? response->agent->options.page_bytes_max : UINT64_MAX;
}

static fate_value unpack_failure(const fate_response *response, ssize_t error)
{
    if (error == -ENOMEM)
        return fate__fetch_no_memory();
    if (error == -EFBIG)
        return fate__fetch_raise(response, &FATE_HTTP_TOO_LARGE,
                                 "unpacked, the page has more than %zu bytes (page_bytes_max)",
                                 response->agent->options.page_bytes_max);
    return fate__fetch_raise(response, &FATE_HTTP_PROTOCOL, "the body cannot be unpacked: %s",
                             fate__decoder_why(response->decoder));
}

ssize_t fate__response_unpack(fate_response *response, struct fate__slice *input, char *to, size_t room,
                              fate_value *ret_why)
{
    ssize_t n = -ENOMEM;

    if (!response->decoder)
        response->decoder = fate__decoder_new(response->coding, unpacked_max(response));
    if (response->decoder)
        n = fate__decoder_read(response->decoder, input, to, room);
    if (n < 0)
        *ret_why = unpack_failure(response, n);
    return n;
}

fate_value fate__response_unpacked(fate_response *response)
{
    int error = response->decoder ? fate__decoder_end(response->decoder) : 0;
    return error ? unpack_failure(response, error) : fate_none();
}

/* ---- What has come ---- */

static void drop_first(fate_response *response)
{
    struct fate__came *came = response->came;

    response->came = came->next;
    response->n_came -= came->len;
    fate__free(came);
}

static bool keep(fate_response *response, struct fate__http_slice piece)
{
    struct fate__came *came = fate__alloc(sizeof *came + piece.len);

    if (!came)
        return false;
    came->next = NULL;
    came->at = 0;
    came->len = piece.len;
    memcpy(came->bytes, piece.at, piece.len);
    if (response->came)
        response->came_last->next = came;
    else
        response->came = came;
    response->came_last = came;
    response->n_came += piece.len;
    return true;
}

/* A piece for the reader out of what has come, or the end, or a failure; false: there is nothing yet. */
static bool next_unpacked(fate_response *response, fate_value *ret_piece)
{
    char to[UNPACKED_BYTES];
    struct fate__came *came;

    while ((came = response->came)) {
        struct fate__slice input = { came->bytes + came->at, came->len - came->at };
        ssize_t n = fate__response_unpack(response, &input, to, sizeof to, ret_piece);
        came->at = came->len - input.len;
        if (n < 0)
            return true;
        if (n > 0) {
            *ret_piece = fate_bytes(to, (size_t)n);
            return true;
        }
        drop_first(response);
    }
    return false;
}

static bool next_came(fate_response *response, fate_value *ret_piece)
{
    struct fate__came *came = response->came;

    if (response->coding != FATE__IDENTITY)
        return next_unpacked(response, ret_piece);
    if (!came)
        return false;
    *ret_piece = fate_bytes(came->bytes, came->len);
    drop_first(response);
    return true;
}

static bool next_piece(fate_response *response, fate_value *ret_piece)
{
    if (next_came(response, ret_piece))
        return true;
    if (!response->is_ended)
        return false;
    *ret_piece = fate_is_none(&response->why) ? fate__response_unpacked(response) : fate_copy(&response->why);
    return true;
}

/* Gives the reader what there is. */
static void serve(fate_response *response)
{
    fate_deferred *d = response->reader;
    fate_value piece;

    if (!d || !next_piece(response, &piece))
        return;
    response->reader = NULL;
    fate_fire_at(d, piece, response->site);
}

void fate__response_came(fate_response *response, struct fate__http_slice piece)
{
    if (!keep(response, piece)) {
        fate__fetch_fail(response, fate__fetch_no_memory());
        return;
    }
    serve(response);
    if (response->client && response->n_came >= AHEAD_BYTES && !response->client->is_paused)
        fate__client_pause(response->client);
}

void fate__response_ended(fate_response *response)
{
    response->is_ended = true;
    serve(response);
}

void fate__response_done(fate_response *response)
{
    while (response->came)
        drop_first(response);
    fate__decoder_free(response->decoder);
    fate__text_done(&response->page);
    fate_drop(fate_take(&response->whole));
    fate_drop(fate_take(&response->why));
    fate__free(response->head);
}

/* ---- The body ---- */

static void stop_waiting(fate_deferred *d, fate_value *arg)
{
    fate_response *response = fate_box_data(BOX, arg, NULL);
    response->reader = NULL;
}

static fate_deferred *wait_for_piece(fate_response *response)
{
    fate_deferred *d = fate_deferred_new_cancellable_at(response->reactor, stop_waiting,
                                                        fate_copy(&response->self), FATE__CLIENT_SITE);

    if (fate_state(d) == FATE_UNFIRED)
        response->reader = d;
    return d;
}

static fate_deferred *read_piece(fate_value *arg, size_t bytes_max)
{
    fate_response *response = fate_box_data(BOX, arg, NULL);
    fate_value piece;
    bool is_there = next_piece(response, &piece);

    if (response->client && response->n_came < AHEAD_BYTES / 2)
        fate__client_resume(response->client);
    return is_there ? fate_succeed_at(response->reactor, piece, FATE__CLIENT_SITE) : wait_for_piece(response);
}

/* Nobody wants the rest. */
static void stop_body(fate_value *arg)
{
    fate_response *response = fate_box_data(BOX, arg, NULL);

    if (response->stage != FATE__FETCH_OVER)
        fate__fetch_fail(response, fate__fetch_raise(response, &FATE_CANCELLED, "nobody wants the rest"));
}

static const fate_source_ops body_ops = {
    .size = sizeof body_ops, .name = "an HTTP body", read_piece, stop_body
};

fate_value fate_response_body_at(fate_response *response, const char *site)
{
    if (response->has_body_source)
        fate__stop(site,
                   "fate_response_body was called twice for one response. A body is read once: copy the "
                   "value, or collect it with fate_read_all.");
    response->has_body_source = true;
    return fate_source(response->reactor, &body_ops, fate_copy(&response->self));
}

fate_value(fate_response_body)(fate_response *response)
{
    return fate_response_body_at(response, "fate_response_body");
}

/* ---- A status that says no ---- */

static fate_value raise_status(fate_value *page, fate_value *arg)
{
    return fate__response_raise_status(fate_box_data(BOX, arg, NULL), fate_take(page));
}

/* There is more of it, or less: then it goes without. */
static fate_value without_page(fate_value *why, fate_value *arg)
{
    return fate_str("");
}

fate_value fate_require_ok(fate_value *result, fate_value *arg)
{
    fate_response *response = fate_as_response(result);

    if (response->status >= 200 && response->status <= 299)
        return fate_take(result);
    fate_deferred *page = fate_read_all_at(fate_response_body_at(response, response->site), ERROR_PAGE_BYTES,
                                           FATE__CLIENT_SITE);
    fate_add_errback_at(page, without_page, fate_none(), FATE__CLIENT_SITE);
    fate_add_callback_at(page, raise_status, fate_take(result), FATE__CLIENT_SITE);
    return fate_follow(page);
}
