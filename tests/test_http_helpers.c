/* Messages as texts. */
#include "test_http_helpers.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#define TRACE_BYTES (256 * 1024)
/* Longer ones are cut at some places only. */
#define CUTS_MAX 700

struct trace {
    char text[TRACE_BYTES];
    size_t len;
    bool in_body;
};

static struct trace first_trace, other_trace;

static void add_n(struct trace *trace, const char *s, size_t n)
{
    if (n >= TRACE_BYTES - trace->len)
        n = TRACE_BYTES - trace->len - 1;
    memcpy(trace->text + trace->len, s, n);
    trace->len += n;
    trace->text[trace->len] = '\0';
}

static void add(struct trace *trace, const char *fmt, ...) FATE_PRINTF(2, 3);

static void add(struct trace *trace, const char *fmt, ...)
{
    char line[512];
    va_list args;

    va_start(args, fmt);
    int len = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    add_n(trace, line, (size_t)len < sizeof line ? (size_t)len : sizeof line - 1);
}

static void add_slice(struct trace *trace, const char *name, struct fate__http_slice slice)
{
    if (!slice.len)
        return;
    add(trace, " %s=", name);
    add_n(trace, slice.at, slice.len);
}

static void add_fields(struct trace *trace, const struct fate__http_fields *fields, const char *mark)
{
    for (uint32_t i = 0; i < fields->n; i++) {
        struct fate__http_slice name = fate__http_field_name(fields, &fields->list[i]);
        struct fate__http_slice value = fate__http_field_value(fields, &fields->list[i]);
        add(trace, "%s", mark);
        add_n(trace, name.at, name.len);
        add(trace, "=");
        add_n(trace, value.at, value.len);
        add(trace, "\n");
    }
}

static void add_head(struct trace *trace, const struct fate__http_parser *parser)
{
    static const char *const framings[] = { "", " length", " chunked", " until-close" };
    static const char *const forms[] = { "", " absolute", " authority", " asterisk" };
    static const char *const expects[] = { "", " continue", " expects" };
    const struct fate__http_head *head = &parser->head;
    const struct fate__http_fields *fields = &head->fields;

    if (parser->is_response)
        add(trace, "%d", head->status);
    add_slice(trace, "reason", fate__http_at(fields, head->reason));
    add_slice(trace, "method", fate__http_at(fields, head->method_name));
    add_slice(trace, "target", fate__http_at(fields, head->target));
    add_slice(trace, "host", fate__http_at(fields, head->host));
    add_slice(trace, "path", fate__http_at(fields, head->path));
    add(trace, " 1.%d%s%s%s%s%s%s%s%s", head->minor, forms[head->form], framings[head->framing],
        expects[head->expect], head->is_https ? " https" : "", head->keeps_alive ? " keeps" : " closes",
        head->wants_upgrade ? " upgrade" : "", head->is_interim ? " interim" : "",
        head->is_tunnel ? " tunnel" : "");
    if (head->content_length >= 0)
        add(trace, " %lld", (long long)head->content_length);
    add(trace, "\n");
    add_fields(trace, fields, "");
}

static void add_step(struct trace *trace, const struct fate__http_parser *parser, enum fate__http_step step)
{
    if (trace->in_body && step != FATE__HTTP_DATA && step != FATE__HTTP_MORE) {
        add(trace, "]\n");
        trace->in_body = false;
    }
    if (step == FATE__HTTP_HEAD)
        add_head(trace, parser);
    if (step == FATE__HTTP_DATA) {
        add(trace, "%s", trace->in_body ? "" : "[");
        trace->in_body = true;
        add_n(trace, parser->data.at, parser->data.len);
    }
    if (step == FATE__HTTP_DONE) {
        add_fields(trace, &parser->trailers, "+");
        add(trace, "done\n");
    }
    if (step == FATE__HTTP_IDLE)
        add(trace, "idle\n");
    if (step == FATE__HTTP_ERROR)
        add(trace, "error %d %s\n", parser->status, parser->said);
}

static bool is_last(enum fate__http_step step)
{
    return step == FATE__HTTP_DONE || step == FATE__HTTP_ERROR;
}

/* Gives the parser a part of the bytes; how many it has taken in *used.  The memory ends where the part ends.
 */
static enum fate__http_step feed(struct fate__http_parser *parser, struct trace *trace, const char *bytes,
                                 size_t n, size_t *used)
{
    char *part = malloc(n ? n : 1);
    enum fate__http_step step;
    size_t taken;

    memcpy(part, bytes, n);
    *used = 0;
    do {
        step = fate__http_parse(parser, part + *used, n - *used, &taken);
        *used += taken;
        add_step(trace, parser, step);
    } while (step == FATE__HTTP_HEAD || step == FATE__HTTP_DATA);
    free(part);
    return step;
}

/* The first part has that many bytes, the others each as many as each says. */
static void run(struct trace *trace, const struct test_http *input, size_t n, size_t first, size_t each)
{
    struct fate__http_parser parser;
    enum fate__http_step step = FATE__HTTP_MORE;
    size_t at = 0, part = first;

    *trace->text = '\0';
    trace->len = 0;
    trace->in_body = false;
    fate__http_parser_init(&parser, input->limits);
    if (input->is_response)
        fate__http_next_response(&parser, input->answers_to);
    else
        fate__http_next_request(&parser);
    while (at < n && !is_last(step)) {
        size_t used;
        part = part < n - at ? part : n - at;
        step = feed(&parser, trace, input->bytes + at, part, &used);
        EXPECT(used == part || is_last(step));
        at += used;
        part = each;
    }
    if (input->ends && !is_last(step))
        add_step(trace, &parser, step = fate__http_eof(&parser));
    if (step == FATE__HTTP_DONE)
        add(trace, "left %zu\n", n - at);
    fate__http_parser_done(&parser);
}

static void expect_same(const struct test_http *input, size_t n, size_t first, size_t each)
{
    run(&other_trace, input, n, first, each);
    if (!test_expect_str(FATE_HERE, other_trace.text, first_trace.text, "a message in parts") &&
        !test_is_oom())
        fprintf(stderr, "  cut at %zu, then each %zu, of \"%.*s\"\n", first, each, (int)(n < 200 ? n : 200),
                input->bytes);
}

const char *test_http(const struct test_http *input)
{
    size_t n = input->len ? input->len : strlen(input->bytes);
    size_t stride = n / CUTS_MAX + 1;

    run(&first_trace, input, n, n, n);
    expect_same(input, n, 1, 1);
    if (test_is_oom())
        return first_trace.text;
    expect_same(input, n, 3, 7);
    for (size_t cut = 1; cut < n; cut += stride)
        expect_same(input, n, cut, n);
    return first_trace.text;
}

const char *test_http_request(const char *bytes)
{
    return test_http(&(struct test_http){ .bytes = bytes });
}

const char *test_http_response(const char *bytes)
{
    return test_http(
        &(struct test_http){ .bytes = bytes, .is_response = true, .answers_to = FATE__HTTP_GET });
}

const char *test_http_error(const struct test_http *input)
{
    const char *error = strstr(test_http(input), "error ");

    return error ? error + strlen("error ") : "";
}
