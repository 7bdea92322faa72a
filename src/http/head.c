/* The lines of a head: request line or status line, and fields.
 *
 * Only complete lines are looked at, so that every scan ends at a line feed at the latest, without counting.
 * What is wrong with a line is said when it is complete, so that it does not depend on how the bytes came;
 * but that it is too long is said before anything else, since of an endless line no more will be known. */
#include <http/parse.h>

#include <endian.h>
#include <string.h>

#include <base/alloc.h>
#include <base/stop.h>
#include <http/names.h>

#define ROOM_AT_FIRST 16
#define ONES          0x0101010101010101u
#define HIGHS         0x8080808080808080u

/* ---- Scanning ---- */

/* The high bit of each byte that is a control byte or may be one: where a subtraction borrows or an addition
 * carries, a later byte may be marked that is none. */
static inline uint64_t mark_controls(uint64_t word)
{
    return ((word - ONES * 0x20) | (word + ONES)) & ~word & HIGHS;
}

/* The first byte from s on that may not be in a value; eight at a time as long as they are there.  Counted up
 * to the end, which is cheaper than the distance to it. */
static inline const char *skip_value(const char *s, const char *end)
{
    ptrdiff_t at = s - end;

    while (at <= -8) {
        uint64_t word;
        memcpy(&word, end + at, sizeof word);
        uint64_t marks = mark_controls(le64toh(word));
        if (fate__likely(!marks)) {
            at += 8;
            continue;
        }
        s = end + at + (unsigned)__builtin_ctzll(marks) / 8;
        if (*s == '\r' || !fate__http_is(*s, FATE__HTTP_VALUE))
            return s;
        at = s + 1 - end;
    }
    return fate__http_skip(end + at, FATE__HTTP_VALUE);
}

static bool is_line_end(const char *s)
{
    return s[0] == '\r' && s[1] == '\n';
}

static uint32_t offset_of(const struct fate__http_parser *parser, const char *s)
{
    return (uint32_t)(s - parser->head.fields.bytes);
}

static struct fate__http_span span_of(const struct fate__http_parser *parser, const char *s, const char *end)
{
    return (struct fate__http_span){ offset_of(parser, s), (uint32_t)(end - s) };
}

/* ---- Fields ---- */

/* Grows, up to the limit.  False: the parser is in error. */
static fate__apart bool more_fields(struct fate__http_parser *parser, struct fate__http_fields *fields)
{
    uint32_t max = parser->limits.fields_max, room = fields->room ? fields->room * 2 : ROOM_AT_FIRST;
    struct fate__http_field *list;

    if (fields->n >= max) {
        fate__http_fail(parser, FATE__HTTP_TOO_LARGE, 431, "more than %u fields", max);
        return false;
    }
    room = room < max ? room : max;
    list = fate__realloc(fields->list, room * sizeof *list);
    if (!list) {
        fate__http_fail(parser, FATE__HTTP_NO_MEMORY, 503, "no memory for the fields");
        return false;
    }
    fields->list = list;
    fields->room = room;
    return true;
}

static fate__apart void bad_name(struct fate__http_parser *parser, const char *line, const char *s)
{
    size_t offset = (size_t)(s - line);

    if (*s == ':')
        fate__http_fail_at(parser, 400, offset,
                           offset ? "a name of more than 65535 bytes" : "a field without a name");
    else if (s == line && fate__http_is(*s, FATE__HTTP_BLANK))
        fate__http_fail_at(parser, 400, 0, "a line that goes on with the one before (RFC 9112, 5.2)");
    else if (fate__http_is(*s, FATE__HTTP_BLANK))
        fate__http_fail_at(parser, 400, offset, "a blank in the name of a field (RFC 9112, 5.1)");
    else if (is_line_end(s))
        fate__http_fail_at(parser, 400, offset, "a field without a colon (RFC 9112, 5)");
    else
        fate__http_fail_byte(parser, offset, *s, "the name of a field (RFC 9110, 5.1)");
}

/* Nearly always nothing is to be trimmed; before an empty value there is the colon. */
static inline const char *trim_end(const char *value, const char *s)
{
    if (fate__likely(s[-1] > ' '))
        return s;
    while (s > value && (s[-1] == ' ' || s[-1] == '\t'))
        s--;
    return s;
}

/* Nearly always there is one blank. */
static inline const char *skip_blanks(const char *s)
{
    if (fate__likely(s[0] == ' ' && s[1] > ' '))
        return s + 1;
    return fate__http_skip(s, FATE__HTTP_BLANK);
}

/* NAME ":" OWS VALUE OWS CRLF: RFC 9112, 5.  Returns the next line; NULL: the parser is in error.  Offsets
 * count from fields->bytes.  Inlined where heads are read, since of this they are made. */
static inline __attribute__((always_inline)) const char *parse_field(struct fate__http_parser *parser,
                                                                     struct fate__http_fields *fields,
                                                                     const char *line, const char *end)
{
    const char *s = fate__http_skip(line, FATE__HTTP_TOKEN);
    size_t name_len = (size_t)(s - line);

    if (fate__unlikely(*s != ':' || name_len - 1 >= UINT16_MAX)) {
        bad_name(parser, line, s);
        return NULL;
    }
    const char *value = skip_blanks(s + 1);
    s = skip_value(value, end);
    if (fate__unlikely(!is_line_end(s))) {
        fate__http_fail_byte(parser, (size_t)(s - line), *s, "the value of a field (RFC 9110, 5.5)");
        return NULL;
    }

    if (fate__unlikely(fields->n == fields->room) && !more_fields(parser, fields))
        return NULL;
    struct fate__http_field *field = &fields->list[fields->n++];
    *field = (struct fate__http_field){
        .name = (uint32_t)(line - fields->bytes),
        .name_len = (uint16_t)name_len,
        .value = (uint32_t)(value - fields->bytes),
        .value_len = (uint32_t)(trim_end(value, s) - value),
        .known = (uint16_t)fate__http_name_of((struct fate__http_slice){ line, name_len }),
    };
    return s + 2;
}

static inline const char *head_field(struct fate__http_parser *parser, const char *line, const char *end)
{
    struct fate__http_fields *fields = &parser->head.fields;
    const char *next = parse_field(parser, fields, line, end);

    if (fate__unlikely(!next))
        return NULL;
    const struct fate__http_field *field = &fields->list[fields->n - 1];
    return !field->known || fate__http_take_known(parser, field) ? next : NULL;
}

/* Fields that say where the message ends or whom it is for would come too late: RFC 9110, 6.5.1. */
static bool may_be_trailer(uint16_t known)
{
    return known != FATE__HTTP_CONTENT_LENGTH && known != FATE__HTTP_TRANSFER_ENCODING &&
           known != FATE__HTTP_HOST_FIELD;
}

bool fate__http_parse_trailer(struct fate__http_parser *parser, size_t line_end)
{
    struct fate__http_fields *trailers = &parser->trailers;
    trailers->bytes = parser->trailer_lines.bytes;

    const char *line = trailers->bytes + parser->at;
    if (is_line_end(line)) {
        parser->state = FATE__HTTP_AT_END;
        return true;
    }
    if (!parse_field(parser, trailers, line, trailers->bytes + line_end))
        return false;
    if (!may_be_trailer(trailers->list[trailers->n - 1].known)) {
        trailers->n--;
        fate__http_fail_at(parser, 400, 0, "a field that may not be in trailers (RFC 9110, 6.5.1)");
        return false;
    }
    parser->at = line_end;
    return true;
}

/* ---- The first line ---- */

/* A line longer than the limit is that and nothing else, whatever it holds. */
static bool fits(struct fate__http_parser *parser, size_t end)
{
    size_t line_max = parser->at + parser->limits.line_bytes_max, head_max = parser->limits.head_bytes_max;

    if (end <= head_max && (end <= line_max || parser->state != FATE__HTTP_AT_START))
        return true;
    if (line_max <= head_max && parser->state == FATE__HTTP_AT_START)
        fate__http_fail(parser, FATE__HTTP_TOO_LARGE, 414, "the first line has more than %zu bytes",
                        parser->limits.line_bytes_max);
    else
        fate__http_fail(parser, FATE__HTTP_TOO_LARGE, 431, "the head has more than %zu bytes", head_max);
    return false;
}

/* The byte at s is wrong in that part of the first line.  Always NULL: the parser is in error. */
static fate__apart const char *bad_first(struct fate__http_parser *parser, const char *line, const char *s,
                                         const char *part)
{
    const char *line_end = (const char *)rawmemchr(line, '\n') + 1;

    if (!fits(parser, offset_of(parser, line_end)))
        return NULL;
    if (is_line_end(s))
        fate__http_fail_at(parser, 400, (size_t)(s - line), "the line ends too early (RFC 9112, 3 and 4)");
    else
        fate__http_fail_byte(parser, (size_t)(s - line), *s, part);
    return NULL;
}

/* DIGIT "." DIGIT behind HTTP/, of versions that are not 1.1.  NULL: the parser is in error. */
static fate__apart const char *other_version(struct fate__http_parser *parser, const char *line,
                                             const char *s, const char *end)
{
    bool is_version = end - s >= 9 && memcmp(s, "HTTP/", 5) == 0 && fate__http_is(s[5], FATE__HTTP_DIGIT) &&
                      s[6] == '.' && fate__http_is(s[7], FATE__HTTP_DIGIT);

    if (!is_version)
        return bad_first(parser, line, s, "the place of HTTP/1.1 (RFC 9112, 2.3)");
    if (s[5] == '1') {
        parser->head.minor = s[7] != '0';
        return s + 8;
    }
    if (!is_line_end(s + 8) && !parser->is_response)
        return bad_first(parser, line, s + 8, "a request line behind its version (RFC 9112, 3)");
    if (fits(parser, offset_of(parser, (const char *)rawmemchr(line, '\n') + 1)))
        fate__http_fail(parser, FATE__HTTP_UNSUPPORTED, 505, "HTTP/%c.%c is not spoken here, HTTP/1.1 is",
                        s[5], s[7]);
    return NULL;
}

/* What follows the version; NULL: the parser is in error. */
static inline const char *parse_version(struct fate__http_parser *parser, const char *line, const char *s,
                                        const char *end)
{
    if (fate__unlikely(end - s < 9 || memcmp(s, "HTTP/1.1", 8) != 0))
        return other_version(parser, line, s, end);
    parser->head.minor = 1;
    return s + 8;
}

/* What is wrong with a whole target is said behind the checks of its line. */
static bool take_target(struct fate__http_parser *parser, const char *line)
{
    struct fate__http_head *head = &parser->head;

    if (fate__likely(head->fields.bytes[head->target.at] == '/' && head->method != FATE__HTTP_CONNECT)) {
        head->path = head->target;
        return true;
    }
    const char *wrong = fate__http_read_target(head);
    size_t offset = head->target.at - offset_of(parser, line);

    if (wrong)
        fate__http_fail_at(parser, 400, offset, wrong);
    return !wrong;
}

/* Lines are only looked at up to the limit of the head, so only that of the line is left to be asked. */
static inline const char *end_first(struct fate__http_parser *parser, const char *next)
{
    if (fate__unlikely(offset_of(parser, next) > parser->at + parser->limits.line_bytes_max)) {
        fits(parser, offset_of(parser, next));
        return NULL;
    }
    return next;
}

/* The end of the method, which most often is GET; NULL: the parser is in error. */
static inline const char *parse_method(struct fate__http_parser *parser, const char *line, const char *end)
{
    struct fate__http_head *head = &parser->head;

    if (end - line >= 4 && memcmp(line, "GET ", 4) == 0) {
        head->method = FATE__HTTP_GET;
        head->method_name = span_of(parser, line, line + 3);
        return line + 3;
    }
    const char *s = fate__http_skip(line, FATE__HTTP_TOKEN);
    if (fate__unlikely(*s != ' '))
        return bad_first(parser, line, s, "a method (RFC 9110, 9.1)");
    head->method = (uint8_t)fate__http_method_of((struct fate__http_slice){ line, (size_t)(s - line) });
    head->method_name = span_of(parser, line, s);
    return s;
}

/* METHOD SP TARGET SP VERSION CRLF: RFC 9112, 3.  Single blanks, and no other bytes than those, since others
 * have been a way to make two servers see two requests. */
static const char *request_line(struct fate__http_parser *parser, const char *line, const char *end)
{
    struct fate__http_head *head = &parser->head;
    const char *s = parse_method(parser, line, end);

    if (fate__unlikely(!s))
        return NULL;
    const char *target = s + 1;
    s = fate__http_skip(target, FATE__HTTP_TARGET);
    if (fate__unlikely(*s != ' ' || s == target))
        return bad_first(parser, line, s, "a target (RFC 9112, 3.2)");
    head->target = span_of(parser, target, s);

    s = parse_version(parser, line, s + 1, end);
    if (fate__unlikely(!s))
        return NULL;
    if (fate__unlikely(!is_line_end(s)))
        return bad_first(parser, line, s, "a request line behind its version (RFC 9112, 3)");
    const char *next = end_first(parser, s + 2);
    return next && take_target(parser, line) ? next : NULL;
}

/* VERSION SP 3DIGIT [ SP [ REASON ] ] CRLF: RFC 9112, 4.  The second blank is often missing where there is no
 * reason; that is accepted, since nobody can see another message in it. */
static const char *status_line(struct fate__http_parser *parser, const char *line, const char *end)
{
    struct fate__http_head *head = &parser->head;
    const char *s = parse_version(parser, line, line, end);

    if (!s)
        return NULL;
    if (*s != ' ')
        return bad_first(parser, line, s, "a status line behind its version (RFC 9112, 4)");
    for (int i = 1; i <= 3; i++)
        if (!fate__http_is(s[i], FATE__HTTP_DIGIT))
            return bad_first(parser, line, s + i, "a status, which has three digits (RFC 9112, 4)");
    head->status = (s[1] - '0') * 100 + (s[2] - '0') * 10 + (s[3] - '0');
    if (head->status < 100)
        return bad_first(parser, line, s + 1, "a status, which is 100 or more (RFC 9110, 15)");
    s += 4;
    const char *reason = s + (*s == ' ');
    if (*s != ' ' && *s != '\r')
        return bad_first(parser, line, s, "a status line behind the status (RFC 9112, 4)");
    s = skip_value(reason, end);
    if (!is_line_end(s))
        return bad_first(parser, line, s, "a reason (RFC 9112, 4)");
    head->reason = span_of(parser, reason, s);
    return end_first(parser, s + 2);
}

/* Some clients send an empty line behind a body: RFC 9112, 2.2. */
static fate__apart const char *empty_line(struct fate__http_parser *parser, const char *line)
{
    if (line[1] != '\n')
        return bad_first(parser, line, line, "");
    if (!fits(parser, offset_of(parser, line + 2)))
        return NULL;
    if (parser->n_empty_lines == FATE__HTTP_EMPTY_LINES_MAX) {
        fate__http_fail_at(parser, 400, 0, "more empty lines before a request than are ignored");
        return NULL;
    }
    parser->n_empty_lines++;
    parser->at = offset_of(parser, line + 2);
    return line + 2;
}

/* Of the first byte it is said at once that it cannot begin a message: so somebody who speaks TLS need not be
 * waited for. */
static bool may_begin(struct fate__http_parser *parser, char byte)
{
    if (parser->is_response ? byte == 'H' : byte == '\r' || fate__http_is(byte, FATE__HTTP_TOKEN))
        return true;
    fate__http_fail_byte(parser, 0, byte,
                         parser->is_response ? "the place of HTTP/1.1" : "the first place of a method");
    return false;
}

static inline const char *first_line(struct fate__http_parser *parser, const char *line, const char *end)
{
    if (fate__unlikely(!fate__http_is(*line, FATE__HTTP_TOKEN) || parser->is_response)) {
        if (!may_begin(parser, *line))
            return NULL;
        if (*line == '\r')
            return empty_line(parser, line);
    }
    const char *next = parser->is_response ? status_line(parser, line, end) : request_line(parser, line, end);
    if (next)
        parser->state = FATE__HTTP_AT_FIELDS;
    return next;
}

/* ---- Heads ---- */

bool fate__http_may_go_on(struct fate__http_parser *parser, const char *line, size_t end)
{
    bool is_first = parser->state == FATE__HTTP_AT_START && end > parser->at;

    return (!is_first || may_begin(parser, *line)) && fits(parser, end);
}

static enum fate__http_step end_of_head(struct fate__http_parser *parser, const char *s)
{
    if (fate__unlikely(s[1] != '\n')) {
        fate__http_fail_byte(parser, 0, *s, "the name of a field");
        return FATE__HTTP_ERROR;
    }
    parser->at = offset_of(parser, s + 2);
    return fate__http_decide(parser) ? FATE__HTTP_HEAD : FATE__HTTP_ERROR;
}

enum fate__http_step fate__http_parse_lines(struct fate__http_parser *parser, size_t lines_end)
{
    const char *s = parser->head.fields.bytes + parser->at, *end = parser->head.fields.bytes + lines_end;

    while (s < end && parser->state == FATE__HTTP_AT_START) {
        s = first_line(parser, s, end);
        if (!s)
            return FATE__HTTP_ERROR;
    }
    while (s < end) {
        if (*s == '\r')
            return end_of_head(parser, s);
        s = head_field(parser, s, end);
        if (!s)
            return FATE__HTTP_ERROR;
    }
    parser->at = lines_end;
    return FATE__HTTP_MORE;
}
