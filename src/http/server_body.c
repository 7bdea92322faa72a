/* The bodies of requests, as pages read them. */
#include <http/server.h>

#include <errno.h>
#include <string.h>

#include <base/stop.h>
#include <http/list.h>

/* ---- From the connection ---- */

static void tell_reader(fate_request *request, fate_value v)
{
    fate_deferred *d = request->reader;

    request->reader = NULL;
    fate_fire(d, v);
}

/* A reader that is never quite done must not make it grow. */
static void forget_what_was_read(fate_request *request)
{
    struct fate__text *body = &request->body;
    size_t n = body->len - request->body_at;

    if (request->body_at < n)
        return;
    memmove(body->bytes, body->bytes + request->body_at, n);
    body->len = n;
    request->body_at = 0;
}

void fate__http_got_body(fate_request *request, struct fate__http_slice piece)
{
    if (request->drops_body)
        return;
    if (request->reader) {
        tell_reader(request, fate_bytes(piece.at, piece.len));
        return;
    }
    if (request->body_at)
        forget_what_was_read(request);
    fate__text_add_n(&request->body, piece.at, piece.len);
    if (request->body.has_failed)
        fate__http_body_failed(request, fate_raise(&FATE_NO_MEMORY, "no memory for the body of a request"));
}

void fate__http_body_ended(fate_request *request)
{
    if (request->reader)
        tell_reader(request, fate_none());
}

/* The first reason stays. */
void fate__http_body_failed(fate_request *request, fate_value why)
{
    if (request->has_all || !fate_is_none(&request->body_why)) {
        fate_drop(why);
        return;
    }
    request->body_why = why;
    if (request->reader)
        tell_reader(request, fate_copy(&request->body_why));
}

void fate__http_drop_body(fate_request *request)
{
    const struct fate__http_parser *parser = &request->parser;
    bool is_short = request->has_head && parser->head.framing == FATE__HTTP_LENGTH &&
                    parser->head.content_length <= FATE__HTTP_DROPPED_MAX;

    if (request->drops_body)
        return;
    bool will_come =
        request->connection && !request->connection->has_read_ended && fate_is_none(&request->body_why);
    if (request->must_continue || !is_short || !will_come)
        request->keeps_alive = false;
    request->drops_body = true;
    fate__text_done(&request->body);
    request->body = (struct fate__text){ 0 };
    request->body_at = 0;
    if (request->reader)
        tell_reader(request, fate_raise(&FATE_HTTP_SHORT_BODY, "the request has been answered"));
}

/* ---- For the page: a source ---- */

struct body_source {
    fate_request *request;
};

static void body_has_gone(void *data)
{
    fate__http_unref(((struct body_source *)data)->request);
}

static void cancel_read(fate_deferred *d, fate_value *arg)
{
    fate_request *request = fate_as_ptr(arg);

    if (request->reader == d)
        request->reader = NULL;
}

static fate_value take_piece(fate_request *request, size_t bytes_max)
{
    size_t n = request->body.len - request->body_at;

    n = n < bytes_max ? n : bytes_max;
    fate_value piece = fate_bytes(request->body.bytes + request->body_at, n);
    request->body_at += n;
    if (request->body_at == request->body.len)
        request->body_at = request->body.len = 0;
    return piece;
}

static fate_deferred *read_body(fate_value *arg, size_t bytes_max)
{
    fate_request *request = fate_unbox(struct body_source, arg)->request;
    fate_reactor *reactor = request->site->reactor;

    if (request->body.len > request->body_at) {
        fate_value piece = take_piece(request, bytes_max);
        if (request->connection)
            fate__http_go_on_soon(request->connection);
        return fate_succeed(reactor, piece);
    }
    if (!fate_is_none(&request->body_why))
        return fate_fail(reactor, fate_copy(&request->body_why));
    if (request->has_all)
        return fate_succeed(reactor, fate_none());
    if (!request->connection || request->drops_body)
        return fate_fail(reactor, fate_raise(&FATE_HTTP_SHORT_BODY, "the request is over"));
    fate_deferred *d = fate_deferred_new_cancellable(reactor, cancel_read, fate_ptr(request));
    if (fate_state(d) != FATE_UNFIRED) /* no memory */
        return d;
    request->reader = d;
    fate__http_go_on_soon(request->connection);
    return d;
}

static const fate_source_ops body_source_ops = { .size = sizeof body_source_ops,
                                                 .name = "the body of a request",
                                                 .read = read_body };

static void ask_for_body(fate_request *request)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

    request->has_asked = true;
    if (!request->must_continue || !request->connection || request->has_begun)
        return;
    request->must_continue = false;
    fate__http_send(request->connection, go_on, sizeof go_on - 1);
}

static void check_asked(const fate_request *request, const char *what, const char *where)
{
    if (request->has_asked)
        fate__stop(where,
                   "%s was called on a request whose body has been asked for already. It comes once: keep "
                   "the source, or what it gave.",
                   what);
}

static fate_value make_source(fate_request *request)
{
    ask_for_body(request);
    fate__http_ref(request);
    return fate_source(request->site->reactor, &body_source_ops,
                       fate_box_with(body_has_gone, struct body_source, request));
}

fate_value fate_request_body(fate_request *request)
{
    check_asked(request, "fate_request_body", NULL);
    return make_source(request);
}

/* ---- For the page: all of it ---- */

static fate_value too_long(fate_value *why, fate_value *bytes_max)
{
    return fate_http_raise(413, "the body is longer than %lld bytes", (long long)fate_as_int(bytes_max));
}

/* One that says that it is too long is not even read. */
fate_deferred *fate_request_text_at(fate_request *request, const char *where)
{
    size_t max = request->site->options.body_bytes_max;
    int64_t announced = request->parser.head.content_length;
    fate_reactor *reactor = request->site->reactor;

    check_asked(request, "fate_request_text", where);
    fate_value max_value = fate_int(max > INT64_MAX ? INT64_MAX : (int64_t)max);
    if (announced > 0 && (uint64_t)announced > max) {
        request->has_asked = true;
        return fate_fail_at(reactor, too_long(NULL, &max_value), where);
    }
    fate_deferred *d = fate_read_all_at(make_source(request), max, where);
    return fate_add_trap(d, &FATE_TOO_LONG, too_long, max_value);
}

/* Without its parameters; empty: it is not said. */
static struct fate__http_slice type_of(fate_request *request)
{
    const char *type = fate_request_header(request, "content-type");
    struct fate__http_slice rest = { type ? type : "", type ? strlen(type) : 0 }, name = { "", 0 }, value;

    fate__http_next_parameter(&rest, &name, &value);
    return name;
}

static bool has_form(fate_request *request)
{
    return fate__http_same(type_of(request), FATE__HTTP_SLICE("application/x-www-form-urlencoded"));
}

#define FORM_FIELDS_MAX 1000

static fate_value as_dict(const struct fate__fields *fields)
{
    fate_value dict = fate_dict();

    for (size_t i = 0; i < fields->n && !fate_is_failure(&dict); i++) {
        const struct fate__field *field = &fields->fields[i];
        if (fate_dict_get(&dict, field->name.s))
            continue;
        if (fate_dict_set(&dict, field->name.s, fate_str_n(field->value.s, field->value.len)) < 0) {
            fate_drop(dict);
            return fate_raise(&FATE_NO_MEMORY, "no memory for a form");
        }
    }
    return dict;
}

static fate_value read_form(fate_value *text, fate_value *arg)
{
    struct fate__fields fields;
    int why = fate__fields_parse(&fields, fate_as_str(text), fate_count(text), FORM_FIELDS_MAX);

    if (why == -ENOMEM)
        return fate_raise(&FATE_NO_MEMORY, "no memory for a form");
    if (why < 0)
        return fate_http_raise(413, "a form with more than %d fields", FORM_FIELDS_MAX);
    fate_value dict = as_dict(&fields);
    fate__fields_done(&fields);
    return dict;
}

fate_deferred *fate_request_form_at(fate_request *request, const char *where)
{
    if (!has_form(request))
        return fate_fail_at(request->site->reactor,
                            fate_http_raise(415, "the body is no application/x-www-form-urlencoded"), where);
    return fate_add_callback(fate_request_text_at(request, where), read_form, fate_none());
}

/* ---- For the page: as JSON ---- */

/* "application/problem+json" is JSON, too: RFC 6839, 3.1. */
static bool has_json(fate_request *request)
{
    struct fate__http_slice type = type_of(request), end = type;
    const size_t len = sizeof "+json" - 1;

    if (type.len > len)
        end = (struct fate__http_slice){ type.at + type.len - len, len };
    return fate__http_same(type, FATE__HTTP_SLICE("application/json")) ||
           fate__http_same(end, FATE__HTTP_SLICE("+json"));
}

static fate_value read_json(fate_value *text, fate_value *arg)
{
    struct fate__why why;
    fate_value v = fate_none();
    int error = fate__read_json(fate_as_str(text), fate_count(text), &v, &why);

    if (error == -ENOMEM)
        return fate_raise(&FATE_NO_MEMORY, "no memory for JSON");
    return error < 0 ? fate_http_raise(400, "the body is no JSON: %s", why.text) : v;
}

fate_deferred *fate_request_json_at(fate_request *request, const char *where)
{
    if (!has_json(request))
        return fate_fail_at(request->site->reactor, fate_http_raise(415, "the body is no application/json"),
                            where);
    return fate_add_callback(fate_request_text_at(request, where), read_json, fate_none());
}

fate_deferred *(fate_request_json)(fate_request *request)
{
    return fate_request_json_at(request, "fate_request_json");
}

fate_deferred *(fate_request_text)(fate_request *request)
{
    return fate_request_text_at(request, "fate_request_text");
}

fate_deferred *(fate_request_form)(fate_request *request)
{
    return fate_request_form_at(request, "fate_request_form");
}
