/* Parsers: where they lie, which part of a message they are in, and what is kept between two calls. */
#include <http/parse.h>

#include <errno.h>
#include <string.h>

#include <base/alloc.h>
#include <base/stop.h>

/* What a parser keeps for the next head that comes in pieces; more is given back. */
#define KEPT_BYTES_MAX ((size_t)4096)
/* Offsets have 32 bits. */
#define LIMIT_MAX ((size_t)1 << 30)

/* ---- Life ---- */

void fate__http_parser_init(struct fate__http_parser *parser, const struct fate__http_limits *limits)
{
    *parser = (struct fate__http_parser){ 0 };
    if (limits)
        parser->given = *limits;
}

void fate__http_parser_done(struct fate__http_parser *parser)
{
    fate__text_done(&parser->collected);
    fate__text_done(&parser->trailer_lines);
    fate__free(parser->head.fields.list);
    fate__free(parser->trailers.list);
    *parser = (struct fate__http_parser){ 0 };
}

static size_t limit_of(size_t given, size_t otherwise)
{
    size_t limit = given ? given : otherwise;
    return limit < LIMIT_MAX ? limit : LIMIT_MAX;
}

static void set_limits(struct fate__http_parser *parser)
{
    const struct fate__http_limits *given = &parser->given;
    size_t head_max = parser->is_response ? FATE__HTTP_RESPONSE_HEAD_BYTES_MAX : FATE__HTTP_HEAD_BYTES_MAX;

    parser->limits = (struct fate__http_limits){
        .line_bytes_max = limit_of(given->line_bytes_max, 8 * 1024),
        .head_bytes_max = limit_of(given->head_bytes_max, head_max),
        .trailer_bytes_max = limit_of(given->trailer_bytes_max, 8 * 1024),
        .extension_bytes_max = limit_of(given->extension_bytes_max, 4 * 1024),
        .fields_max = (uint32_t)limit_of(given->fields_max, 100),
        .interim_max = (uint32_t)limit_of(given->interim_max, 16),
    };
}

static void empty_text(struct fate__text *text)
{
    text->len = 0;
    if (text->room > KEPT_BYTES_MAX)
        fate__text_done(text);
}

/* Nothing of the last head is left but its memory. */
static inline void begin_head(struct fate__http_parser *parser)
{
    parser->head = (struct fate__http_head){
        .fields = { .list = parser->head.fields.list, .room = parser->head.fields.room }, .content_length = -1
    };
    parser->at = 0;
    parser->n_empty_lines = 0;
    parser->saw = 0;
    parser->state = FATE__HTTP_AT_START;
    if (parser->collected.len)
        empty_text(&parser->collected);
}

static void begin_message(struct fate__http_parser *parser)
{
    begin_head(parser);
    parser->trailers.n = 0;
    if (parser->trailer_lines.len)
        empty_text(&parser->trailer_lines);
    parser->n_interim = 0;
    parser->n_extension_bytes = 0;
    parser->n_chunks = 0;
}

static void begin(struct fate__http_parser *parser, bool is_response)
{
    if (parser->state == FATE__HTTP_AT_ERROR)
        return;
    fate__assert(parser->state == FATE__HTTP_AT_NOTHING || parser->state == FATE__HTTP_AT_END);
    if (parser->state == FATE__HTTP_AT_NOTHING) {
        parser->is_response = is_response;
        set_limits(parser);
    }
    fate__assert(parser->is_response == is_response);
    begin_message(parser);
}

void fate__http_next_request(struct fate__http_parser *parser)
{
    begin(parser, false);
}

void fate__http_next_response(struct fate__http_parser *parser, enum fate__http_method answers_to)
{
    begin(parser, true);
    parser->answers_to = (uint8_t)answers_to;
}

/* ---- Heads ---- */

/* True: they are in parser->collected. */
static bool collect(struct fate__http_parser *parser, const char *bytes, size_t n)
{
    fate__text_add_n(&parser->collected, bytes, n);
    parser->head.fields.bytes = parser->collected.bytes;
    if (parser->collected.has_failed)
        fate__http_fail(parser, FATE__HTTP_NO_MEMORY, 503, "no memory for a head that comes in pieces");
    return !parser->collected.has_failed;
}

/* The last line feed of the first n bytes: most often the last of them, since most heads come whole and
 * alone. */
static inline const char *last_line_feed(const char *bytes, size_t n)
{
    return fate__likely(bytes[n - 1] == '\n') ? bytes + n - 1 : memrchr(bytes, '\n', n);
}

/* Nothing has come before these bytes: the head is parsed where it is, and copied only if it is not whole.
 * Behind the most that a head may have nothing is looked at, so that each line found lies within the limit.
 */
static enum fate__http_step parse_in_place(struct fate__http_parser *parser, const char *bytes, size_t n,
                                           size_t *ret_used)
{
    size_t head_max = parser->limits.head_bytes_max;
    const char *last = last_line_feed(bytes, n < head_max ? n : head_max);
    enum fate__http_step step = FATE__HTTP_MORE;

    parser->head.fields.bytes = bytes;
    if (last)
        step = fate__http_parse_lines(parser, (size_t)(last - bytes) + 1);
    if (step == FATE__HTTP_HEAD)
        *ret_used = parser->at;
    if (step != FATE__HTTP_MORE)
        return step;
    if (!fate__http_may_go_on(parser, bytes + parser->at, n) || !collect(parser, bytes, n))
        return FATE__HTTP_ERROR;
    *ret_used = n;
    return FATE__HTTP_MORE;
}

/* The head goes on in these bytes: line by line, since where it ends is not known before. */
static enum fate__http_step parse_collected(struct fate__http_parser *parser, const char *bytes, size_t n,
                                            size_t *ret_used)
{
    enum fate__http_step step = FATE__HTTP_MORE;
    size_t used = 0;

    while (used < n && step == FATE__HTTP_MORE) {
        const char *line_end = memchr(bytes + used, '\n', n - used);
        size_t len = line_end ? (size_t)(line_end - bytes) + 1 - used : n - used;
        bool is_new = parser->at == parser->collected.len;
        const char *line = is_new ? bytes + used : parser->collected.bytes + parser->at;
        if (!fate__http_may_go_on(parser, line, parser->collected.len + len) ||
            !collect(parser, bytes + used, len))
            return FATE__HTTP_ERROR;
        used += len;
        if (line_end)
            step = fate__http_parse_lines(parser, parser->collected.len);
    }
    if (step != FATE__HTTP_ERROR)
        *ret_used = used;
    return step;
}

static fate__apart enum fate__http_step parse_head(struct fate__http_parser *parser, const char *bytes,
                                                   size_t n, size_t *ret_used)
{
    if (parser->head.is_interim)
        begin_head(parser);
    if (n == 0)
        return FATE__HTTP_MORE;
    if (parser->collected.len)
        return parse_collected(parser, bytes, n, ret_used);
    return parse_in_place(parser, bytes, n, ret_used);
}

int fate__http_keep_head(struct fate__http_parser *parser)
{
    struct fate__text *collected = &parser->collected;

    if (collected->len || !parser->head.fields.bytes)
        return 0;
    fate__text_add_n(collected, parser->head.fields.bytes, parser->n_head_bytes);
    if (collected->has_failed) {
        collected->has_failed = false;
        return -ENOMEM;
    }
    parser->head.fields.bytes = collected->bytes;
    return 0;
}

/* ---- Messages ---- */

enum fate__http_step fate__http_parse(struct fate__http_parser *parser, const char *bytes, size_t n,
                                      size_t *ret_used)
{
    *ret_used = 0;
    if (parser->state == FATE__HTTP_AT_START || parser->state == FATE__HTTP_AT_FIELDS)
        return parse_head(parser, bytes, n, ret_used);
    if (parser->state == FATE__HTTP_AT_END)
        return FATE__HTTP_DONE;
    if (parser->state == FATE__HTTP_AT_ERROR)
        return FATE__HTTP_ERROR;
    fate__assert(parser->state != FATE__HTTP_AT_NOTHING);
    return fate__http_parse_body(parser, bytes, n, ret_used);
}

static enum fate__http_step cut(struct fate__http_parser *parser)
{
    const char *what = "the connection ended in";

    switch (parser->state) {
    case FATE__HTTP_AT_START:
    case FATE__HTTP_AT_FIELDS:
        return fate__http_fail(parser, FATE__HTTP_CUT, 400, "%s the head, behind %zu bytes of it", what,
                               parser->collected.len);
    case FATE__HTTP_AT_BODY:
        return fate__http_fail(parser, FATE__HTTP_CUT, 400,
                               "%s the body: %llu of its %lld bytes were missing", what,
                               (unsigned long long)parser->left, (long long)parser->head.content_length);
    case FATE__HTTP_AT_CHUNK:
        return fate__http_fail(parser, FATE__HTTP_CUT, 400, "%s chunk %llu: %llu of its bytes were missing",
                               what, (unsigned long long)parser->n_chunks, (unsigned long long)parser->left);
    case FATE__HTTP_AT_TRAILERS:
        return fate__http_fail(parser, FATE__HTTP_CUT, 400, "%s the trailers", what);
    default:
        return fate__http_fail(parser, FATE__HTTP_CUT, 400, "%s the body, before its last chunk", what);
    }
}

/* A connection may end behind empty lines as behind nothing; behind an interim response another was owed. */
bool fate__http_is_idle(const struct fate__http_parser *parser)
{
    if (parser->state != FATE__HTTP_AT_START || parser->n_interim)
        return parser->state == FATE__HTTP_AT_NOTHING;
    return parser->collected.len == parser->at;
}

enum fate__http_step fate__http_eof(struct fate__http_parser *parser)
{
    if (parser->state == FATE__HTTP_AT_ERROR)
        return FATE__HTTP_ERROR;
    if (parser->state == FATE__HTTP_AT_START && parser->head.is_interim)
        begin_head(parser);
    if (fate__http_is_idle(parser))
        return FATE__HTTP_IDLE;
    if (parser->state == FATE__HTTP_AT_BODY && parser->head.framing == FATE__HTTP_UNTIL_CLOSE)
        parser->state = FATE__HTTP_AT_END;
    return parser->state == FATE__HTTP_AT_END ? FATE__HTTP_DONE : cut(parser);
}
