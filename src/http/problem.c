/* Putting a parser into its error, with a text that says what was wrong, where and why. */
#include <http/parse.h>

#include <stdio.h>

enum fate__http_step fate__http_fail(struct fate__http_parser *parser, enum fate__http_problem problem,
                                     int status, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(parser->said, sizeof parser->said, fmt, args);
    va_end(args);
    parser->problem = problem;
    parser->status = status;
    parser->state = FATE__HTTP_AT_ERROR;
    return FATE__HTTP_ERROR;
}

/* Lines are counted as an editor would: the empty ones that were ignored too. */
void fate__http_fail_at(struct fate__http_parser *parser, int status, size_t offset, const char *what)
{
    bool in_trailers = parser->state == FATE__HTTP_AT_TRAILERS;
    uint32_t line = 1 + parser->n_empty_lines;

    if (parser->state != FATE__HTTP_AT_START)
        line += 1 + parser->head.fields.n;
    if (in_trailers)
        line = 1 + parser->trailers.n;
    fate__http_fail(parser, status == 431 ? FATE__HTTP_TOO_LARGE : FATE__HTTP_WRONG, status,
                    "line %u of the %s, byte %zu: %s", line, in_trailers ? "trailers" : "head", offset + 1,
                    what);
}

void fate__http_fail_byte(struct fate__http_parser *parser, size_t offset, char byte, const char *where)
{
    char what[96];

    if (byte == '\n')
        snprintf(what, sizeof what, "a line feed without a carriage return (RFC 9112, 2.2)");
    else if (byte == '\r')
        snprintf(what, sizeof what, "a carriage return without a line feed (RFC 9112, 2.2)");
    else if (byte == ' ' || byte == '\t')
        snprintf(what, sizeof what, "a %s in %s", byte == ' ' ? "blank" : "tab", where);
    else if (byte > ' ' && byte < 0x7f)
        snprintf(what, sizeof what, "'%c' in %s", byte, where);
    else
        snprintf(what, sizeof what, "the byte 0x%02x in %s", (unsigned char)byte, where);
    fate__http_fail_at(parser, 400, offset, what);
}
