/* Bodies: of known length, in chunks (RFC 9112, 7.1), or until the close. */
#include <http/parse.h>

#include <string.h>

#include <base/stop.h>

/* As many as a number up to INT64_MAX has, and one more for a zero in front. */
#define SIZE_DIGITS_MAX 16

static enum fate__http_step hand_out(struct fate__http_parser *parser, const char *bytes, size_t n,
                                     size_t *ret_used)
{
    parser->data = (struct fate__http_slice){ bytes, n };
    *ret_used += n;
    return FATE__HTTP_DATA;
}

/* The next piece of what is left, and the state that follows the last one. */
static enum fate__http_step hand_out_left(struct fate__http_parser *parser, const char *bytes, size_t n,
                                          size_t *ret_used, enum fate__http_state then)
{
    size_t piece = n < parser->left ? n : (size_t)parser->left;

    parser->left -= piece;
    if (!parser->left)
        parser->state = (uint8_t)then;
    return hand_out(parser, bytes, piece, ret_used);
}

/* ---- Chunks ---- */

static void fail_chunk(struct fate__http_parser *parser, const char *what, char byte)
{
    fate__http_fail(parser, FATE__HTTP_WRONG, 400, "chunk %llu: %s, not the byte 0x%02x (RFC 9112, 7.1)",
                    (unsigned long long)parser->n_chunks + 1, what, (unsigned char)byte);
}

static unsigned digit_of(char byte)
{
    return (unsigned)(byte <= '9' ? byte - '0' : (byte | 0x20) - 'a' + 10);
}

static void take_digit(struct fate__http_parser *parser, char byte)
{
    if (parser->n_digits == SIZE_DIGITS_MAX || parser->left > (uint64_t)INT64_MAX >> 4) {
        fate__http_fail(parser, FATE__HTTP_WRONG, 400, "chunk %llu: its size has too many digits",
                        (unsigned long long)parser->n_chunks + 1);
        return;
    }
    parser->left = parser->left << 4 | digit_of(byte);
    parser->n_digits++;
    parser->state = FATE__HTTP_AT_DIGITS;
}

static void count_extension(struct fate__http_parser *parser, enum fate__http_state state)
{
    if (++parser->n_extension_bytes > parser->limits.extension_bytes_max)
        fate__http_fail(parser, FATE__HTTP_TOO_LARGE, 400, "more than %zu bytes of chunk extensions",
                        parser->limits.extension_bytes_max);
    else
        parser->state = (uint8_t)state;
}

/* Blanks behind the size may only come before an extension: RFC 9112, 7.1.1.  What is in an extension is
 * ignored, but for bytes that nothing in it may have. */
static void take_size_byte(struct fate__http_parser *parser, char byte)
{
    bool is_blank = fate__http_is(byte, FATE__HTTP_BLANK);

    if (parser->state == FATE__HTTP_AT_EXTENSION) {
        if (byte == '\r')
            parser->state = FATE__HTTP_AT_SIZE_LF;
        else if (fate__http_is(byte, FATE__HTTP_VALUE))
            count_extension(parser, FATE__HTTP_AT_EXTENSION);
        else
            fail_chunk(parser, "a line end must follow its extensions", byte);
    } else if (parser->state != FATE__HTTP_AT_BLANKS && fate__http_is(byte, FATE__HTTP_HEX)) {
        take_digit(parser, byte);
    } else if (parser->state == FATE__HTTP_AT_SIZE) {
        fail_chunk(parser, "its size must begin with a hexadecimal digit", byte);
    } else if (byte == ';' || is_blank) {
        count_extension(parser, is_blank ? FATE__HTTP_AT_BLANKS : FATE__HTTP_AT_EXTENSION);
    } else if (byte == '\r' && parser->state == FATE__HTTP_AT_DIGITS) {
        parser->state = FATE__HTTP_AT_SIZE_LF;
    } else {
        fail_chunk(parser, "a line end or an extension must follow its size", byte);
    }
}

static void begin_size(struct fate__http_parser *parser)
{
    parser->left = 0;
    parser->n_digits = 0;
    parser->state = FATE__HTTP_AT_SIZE;
}

static void end_size(struct fate__http_parser *parser)
{
    parser->n_chunks++;
    parser->at = 0;
    parser->state = parser->left ? FATE__HTTP_AT_CHUNK : FATE__HTTP_AT_TRAILERS;
}

/* A byte that is not data. */
static void take_byte(struct fate__http_parser *parser, char byte)
{
    switch (parser->state) {
    case FATE__HTTP_AT_SIZE_LF:
        if (byte == '\n')
            end_size(parser);
        else
            fail_chunk(parser, "a line feed must follow the carriage return behind its size", byte);
        return;
    case FATE__HTTP_AT_CHUNK_CR:
        if (byte == '\r')
            parser->state = FATE__HTTP_AT_CHUNK_LF;
        else
            fail_chunk(parser, "a line end must precede it", byte);
        return;
    case FATE__HTTP_AT_CHUNK_LF:
        if (byte == '\n')
            begin_size(parser);
        else
            fail_chunk(parser, "a line end must precede it", byte);
        return;
    default:
        take_size_byte(parser, byte);
    }
}

/* ---- Trailers ---- */

static bool collect(struct fate__http_parser *parser, const char *bytes, size_t n)
{
    struct fate__text *lines = &parser->trailer_lines;

    if (lines->len + n > parser->limits.trailer_bytes_max) {
        fate__http_fail(parser, FATE__HTTP_TOO_LARGE, 431, "the trailers have more than %zu bytes",
                        parser->limits.trailer_bytes_max);
        return false;
    }
    fate__text_add_n(lines, bytes, n);
    if (lines->has_failed)
        fate__http_fail(parser, FATE__HTTP_NO_MEMORY, 503, "no memory for the trailers");
    return !lines->has_failed;
}

/* As fields, RFC 9112, 7.1.2; they are collected, since the head they belong to may lie elsewhere. */
static void take_trailers(struct fate__http_parser *parser, const char *bytes, size_t n, size_t *ret_used)
{
    while (*ret_used < n && parser->state == FATE__HTTP_AT_TRAILERS) {
        const char *from = bytes + *ret_used, *line_end = memchr(from, '\n', n - *ret_used);
        size_t len = line_end ? (size_t)(line_end - from) + 1 : n - *ret_used;
        if (!collect(parser, from, len))
            return;
        *ret_used += len;
        if (line_end && !fate__http_parse_trailer(parser, parser->trailer_lines.len))
            return;
    }
}

/* ---- Bodies ---- */

static enum fate__http_step parse_chunks(struct fate__http_parser *parser, const char *bytes, size_t n,
                                         size_t *ret_used)
{
    while (*ret_used < n && parser->state != FATE__HTTP_AT_END && parser->state != FATE__HTTP_AT_ERROR) {
        const char *from = bytes + *ret_used;
        if (parser->state == FATE__HTTP_AT_CHUNK)
            return hand_out_left(parser, from, n - *ret_used, ret_used, FATE__HTTP_AT_CHUNK_CR);
        if (parser->state == FATE__HTTP_AT_TRAILERS) {
            take_trailers(parser, bytes, n, ret_used);
        } else {
            take_byte(parser, *from);
            ++*ret_used;
        }
    }
    if (parser->state == FATE__HTTP_AT_END)
        return FATE__HTTP_DONE;
    if (parser->state != FATE__HTTP_AT_ERROR)
        return FATE__HTTP_MORE;
    *ret_used = 0;
    return FATE__HTTP_ERROR;
}

enum fate__http_step fate__http_parse_body(struct fate__http_parser *parser, const char *bytes, size_t n,
                                           size_t *ret_used)
{
    if (n == 0)
        return FATE__HTTP_MORE;
    if (parser->head.framing == FATE__HTTP_CHUNKED)
        return parse_chunks(parser, bytes, n, ret_used);
    if (parser->head.framing == FATE__HTTP_UNTIL_CLOSE)
        return hand_out(parser, bytes, n, ret_used);
    return hand_out_left(parser, bytes, n, ret_used, FATE__HTTP_AT_END);
}
