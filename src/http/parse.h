/* What the files of the parser do for one another. */
#ifndef FATE_SRC_HTTP_PARSE_H
#define FATE_SRC_HTTP_PARSE_H

#include <http/message.h>

enum fate__http_state {
    FATE__HTTP_AT_NOTHING, /* which kind of message comes has not been said */
    FATE__HTTP_AT_START,   /* before or in the first line */
    FATE__HTTP_AT_FIELDS,
    FATE__HTTP_AT_BODY, /* of known length, or until the close */
    FATE__HTTP_AT_SIZE, /* before the first digit of a chunk's size */
    FATE__HTTP_AT_DIGITS,
    FATE__HTTP_AT_BLANKS, /* behind the size, before a semicolon */
    FATE__HTTP_AT_EXTENSION,
    FATE__HTTP_AT_SIZE_LF,
    FATE__HTTP_AT_CHUNK,
    FATE__HTTP_AT_CHUNK_CR, /* behind its data */
    FATE__HTTP_AT_CHUNK_LF,
    FATE__HTTP_AT_TRAILERS,
    FATE__HTTP_AT_END,
    FATE__HTTP_AT_ERROR,
};

/* What the known fields of a head have said. */
enum fate__http_saw {
    FATE__HTTP_SAW_HOST = 1,
    FATE__HTTP_SAW_CODINGS = 2,      /* Transfer-Encoding */
    FATE__HTTP_SAW_CHUNKED = 4,      /* last in it */
    FATE__HTTP_SAW_OTHER_CODING = 8, /* any but chunked */
    FATE__HTTP_SAW_UPGRADE = 16,
    FATE__HTTP_SAW_CLOSE = 32, /* these in Connection */
    FATE__HTTP_SAW_KEEP_ALIVE = 64,
    FATE__HTTP_SAW_UPGRADE_OPTION = 128,
};

#define FATE__HTTP_HEAD_BYTES_MAX          ((size_t)32 * 1024)
#define FATE__HTTP_RESPONSE_HEAD_BYTES_MAX ((size_t)64 * 1024)

/* ---- problem.c ---- */

/* Puts the parser into its error. */
enum fate__http_step fate__http_fail(struct fate__http_parser *parser, enum fate__http_problem problem,
                                     int status, const char *fmt, ...) FATE_PRINTF(4, 5);
/* The same, for a place in a line of the head or of the trailers. */
void fate__http_fail_at(struct fate__http_parser *parser, int status, size_t offset, const char *what);
/* The same, for a byte that must not be where it is: at offset in its line, which is complete. */
void fate__http_fail_byte(struct fate__http_parser *parser, size_t offset, char byte, const char *where);

/* ---- head.c ---- */

/* Goes through the lines of the head from parser->at on; all up to lines_end are complete.  FATE__HTTP_HEAD,
 * FATE__HTTP_MORE or FATE__HTTP_ERROR. */
enum fate__http_step fate__http_parse_lines(struct fate__http_parser *parser, size_t lines_end);
/* A line begins at parser->at, is now at line and goes to end or further: may it?  False: the parser is in
 * error. */
bool fate__http_may_go_on(struct fate__http_parser *parser, const char *line, size_t end);
/* One complete line of the trailers.  False: the parser is in error. */
bool fate__http_parse_trailer(struct fate__http_parser *parser, size_t line_end);

/* ---- target.c ---- */

/* Fills in form, host and path from target and method.  NULL, or what is wrong with the target. */
const char *fate__http_read_target(struct fate__http_head *head);
/* uri-host [ ":" port ], RFC 9110, 7.2.  Behind it there must be a byte that no host has: a blank, a NUL, /
 * or ?. */
bool fate__http_is_host(struct fate__http_slice host);
/* Is it a target for that method: RFC 9112, 3.2?  The same must be behind it. */
bool fate__http_is_target(struct fate__http_slice target, enum fate__http_method method);

/* ---- framing.c ---- */

/* Takes in a field that the engine knows.  False: the parser is in error. */
bool fate__http_take_known(struct fate__http_parser *parser, const struct fate__http_field *field);
/* The head is whole: decides on the body and on the connection.  False: the parser is in error. */
bool fate__http_decide(struct fate__http_parser *parser);

/* ---- body.c ---- */

enum fate__http_step fate__http_parse_body(struct fate__http_parser *parser, const char *bytes, size_t n,
                                           size_t *ret_used);

#endif
