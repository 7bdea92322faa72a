/* Fuzzes the parser of HTTP messages: the input is a stream of them, parsed whole, one byte at a time and in
 * parts of random sizes.  All must see the same.
 *
 * The first byte says of which kind the messages are, the second how the stream is cut.  Each part lies in
 * memory of its own, so that the sanitizers see who reads beyond it. */
#include <http/message.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/stop.h>

#define TRACE_BYTES ((size_t)1 << 20)

struct trace {
    char *text;
    size_t len;
    bool in_body;
};

static struct trace whole, other;

static void add(struct trace *trace, const char *s, size_t n)
{
    fate__assert(n <= TRACE_BYTES - trace->len);
    memcpy(trace->text + trace->len, s, n);
    trace->len += n;
}

static void add_number(struct trace *trace, const char *name, long long n)
{
    char text[64];
    int len = snprintf(text, sizeof text, "%s=%lld;", name, n);

    add(trace, text, (size_t)len);
}

static void add_fields(struct trace *trace, const struct fate__http_fields *fields)
{
    for (uint32_t i = 0; i < fields->n; i++) {
        struct fate__http_slice name = fate__http_field_name(fields, &fields->list[i]);
        struct fate__http_slice value = fate__http_field_value(fields, &fields->list[i]);
        fate__assert(name.len > 0 && fate__http_all(name, FATE__HTTP_TOKEN));
        fate__assert(fate__http_all(value, FATE__HTTP_VALUE));
        add_number(trace, "field", fields->list[i].known);
        add(trace, name.at, name.len);
        add(trace, ":", 1);
        add(trace, value.at, value.len);
    }
}

static void add_head(struct trace *trace, const struct fate__http_head *head)
{
    const struct fate__http_span spans[] = { head->method_name, head->target, head->host, head->path,
                                             head->reason };

    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        struct fate__http_slice text = fate__http_at(&head->fields, spans[i]);
        add_number(trace, "span", spans[i].len);
        add(trace, text.at, text.len);
    }
    add_number(trace, "length", head->content_length);
    add_number(trace, "status", head->status);
    add_number(trace, "how", head->minor | head->method << 4 | head->form << 8 | head->framing << 12);
    add_number(trace, "is",
               head->expect | head->is_https << 4 | head->keeps_alive << 5 | head->wants_upgrade << 6 |
                   head->is_interim << 7 | head->is_tunnel << 8);
    add_fields(trace, &head->fields);
}

static void add_step(struct trace *trace, const struct fate__http_parser *parser, enum fate__http_step step)
{
    if (step == FATE__HTTP_MORE)
        return;
    if (step != FATE__HTTP_DATA || !trace->in_body)
        add_number(trace, "\nstep", step);
    trace->in_body = step == FATE__HTTP_DATA;
    if (step == FATE__HTTP_HEAD)
        add_head(trace, &parser->head);
    else if (step == FATE__HTTP_DATA)
        add(trace, parser->data.at, parser->data.len);
    else if (step == FATE__HTTP_DONE)
        add_fields(trace, &parser->trailers);
    else if (step == FATE__HTTP_ERROR)
        add(trace, parser->said, strlen(parser->said));
}

/* ---- Streams ---- */

struct stream {
    const char *bytes;
    size_t n;
    unsigned kind;
};

static void begin(struct fate__http_parser *parser, unsigned kind)
{
    static const enum fate__http_method methods[] = { FATE__HTTP_GET, FATE__HTTP_HEAD_METHOD,
                                                      FATE__HTTP_CONNECT, FATE__HTTP_POST };

    if (kind & 1)
        fate__http_next_response(parser, methods[kind >> 1 & 3]);
    else
        fate__http_next_request(parser);
}

static enum fate__http_step step_on(struct fate__http_parser *parser, struct trace *trace, unsigned kind,
                                    char *part, size_t n, size_t *used)
{
    size_t taken;
    enum fate__http_step step = fate__http_parse(parser, part + *used, n - *used, &taken);

    fate__assert(taken <= n - *used);
    fate__assert(step != FATE__HTTP_MORE || taken == n - *used);
    fate__assert(step != FATE__HTTP_DATA || parser->data.len > 0);
    *used += taken;
    if (step == FATE__HTTP_HEAD && (kind & 8))
        fate__assert(fate__http_keep_head(parser) == 0);
    add_step(trace, parser, step);
    return step;
}

/* Gives the parser n bytes; true: it is in error. */
static bool feed(struct fate__http_parser *parser, struct trace *trace, unsigned kind, const char *bytes,
                 size_t n)
{
    char *part = malloc(n ? n : 1);
    enum fate__http_step step = FATE__HTTP_MORE;
    size_t used = 0;

    if (!part)
        abort();
    memcpy(part, bytes, n);
    do {
        step = step_on(parser, trace, kind, part, n, &used);
        if (step == FATE__HTTP_DONE)
            begin(parser, kind);
    } while (step != FATE__HTTP_ERROR && used < n);
    free(part);
    return step == FATE__HTTP_ERROR;
}

/* In the end a message without a body may still have to be over. */
static void finish(struct fate__http_parser *parser, struct trace *trace, unsigned kind)
{
    size_t used = 0;
    char none = 0;

    if (step_on(parser, trace, kind, &none, 0, &used) == FATE__HTTP_DONE)
        begin(parser, kind);
    add_step(trace, parser, fate__http_eof(parser));
}

/* Cut where the random numbers from seed say; 0: not at all. */
static void run(struct trace *trace, const struct stream *stream, unsigned seed, size_t part_max)
{
    static const struct fate__http_limits narrow = { .line_bytes_max = 40,
                                                     .head_bytes_max = 90,
                                                     .trailer_bytes_max = 20,
                                                     .extension_bytes_max = 8,
                                                     .fields_max = 4,
                                                     .interim_max = 2 };
    struct fate__http_parser parser;
    size_t at = 0;
    bool is_wrong = false;

    trace->len = 0;
    trace->in_body = false;
    fate__http_parser_init(&parser, stream->kind & 16 ? &narrow : NULL);
    begin(&parser, stream->kind);
    while (at < stream->n && !is_wrong) {
        seed = seed * 1103515245 + 12345;
        size_t n = part_max ? 1 + (seed >> 16) % part_max : stream->n;
        n = n < stream->n - at ? n : stream->n - at;
        is_wrong = feed(&parser, trace, stream->kind, stream->bytes + at, n);
        at += n;
    }
    if (!is_wrong)
        finish(&parser, trace, stream->kind);
    fate__http_parser_done(&parser);
}

static void compare(const struct stream *stream, unsigned seed, size_t part_max)
{
    run(&other, stream, seed, part_max);
    if (whole.len == other.len && memcmp(whole.text, other.text, whole.len) == 0)
        return;
    fprintf(stderr, "whole:\n%.*s\nin parts of up to %zu:\n%.*s\n", (int)whole.len, whole.text, part_max,
            (int)other.len, other.text);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!whole.text)
        whole.text = malloc(TRACE_BYTES);
    if (!other.text)
        other.text = malloc(TRACE_BYTES);
    if (!whole.text || !other.text)
        abort();
    if (size < 2 || size > 16384)
        return 0;
    const struct stream stream = { (const char *)data + 2, size - 2, data[0] };
    run(&whole, &stream, 0, 0);
    compare(&stream, 0, 1);
    compare(&stream, data[1], 5);
    compare(&stream, data[1], 60);
    return 0;
}
