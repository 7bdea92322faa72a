/* What the fields say about the message: where its body ends, and what becomes of the connection.
 *
 * Where two fields could be read in two ways, the message is refused, since a request that two servers cut
 * differently is how one smuggles another past the first. */
#include <http/parse.h>

#include <base/stop.h>
#include <http/list.h>
#include <http/names.h>

static bool refuse(struct fate__http_parser *parser, const char *why)
{
    fate__http_fail(parser, FATE__HTTP_WRONG, 400, "%s", why);
    return false;
}

static void note(struct fate__http_parser *parser, enum fate__http_saw what)
{
    parser->saw |= (uint8_t)what;
}

static bool has_seen(const struct fate__http_parser *parser, enum fate__http_saw what)
{
    return parser->saw & what;
}

/* ---- Fields ---- */

/* Names, addresses and short ports, as nearly all are, seen at once. */
static inline bool is_plain_host(struct fate__http_slice value)
{
    const char *s = fate__http_skip(value.at, FATE__HTTP_HOST), *end = value.at + value.len;

    if (s > value.at && *s == ':' && end - s <= 5)
        s = fate__http_skip(s + 1, FATE__HTTP_DIGIT);
    return s == end;
}

/* An empty one is that of a target without a host; where the target has one, it is that. */
static inline bool set_host(struct fate__http_parser *parser, const struct fate__http_field *field)
{
    struct fate__http_head *head = &parser->head;

    note(parser, FATE__HTTP_SAW_HOST);
    if (head->form == FATE__HTTP_ORIGIN_FORM || head->form == FATE__HTTP_ASTERISK_FORM)
        head->host = (struct fate__http_span){ field->value, field->value_len };
    return true;
}

static fate__apart bool take_odd_host(struct fate__http_parser *parser, const struct fate__http_field *field)
{
    struct fate__http_slice value = fate__http_field_value(&parser->head.fields, field);

    if (parser->is_response)
        return true;
    if (has_seen(parser, FATE__HTTP_SAW_HOST))
        return refuse(parser, "more than one field Host (RFC 9112, 3.2)");
    if (!is_plain_host(value) && !fate__http_is_host(value))
        return refuse(parser, "a field Host that is no host (RFC 9112, 3.2)");
    return set_host(parser, field);
}

static inline bool take_host(struct fate__http_parser *parser, const struct fate__http_field *field)
{
    bool is_plain = is_plain_host(fate__http_field_value(&parser->head.fields, field));

    if (fate__unlikely(!is_plain || parser->is_response || has_seen(parser, FATE__HTTP_SAW_HOST)))
        return take_odd_host(parser, field);
    return set_host(parser, field);
}

/* Several are refused even where they agree, as RFC 9112, 6.3 allows. */
static bool take_length(struct fate__http_parser *parser, struct fate__http_slice value)
{
    if (parser->head.content_length >= 0)
        return refuse(parser, "more than one field Content-Length (RFC 9112, 6.3)");
    parser->head.content_length = fate__http_number(value);
    if (parser->head.content_length < 0)
        return refuse(parser, "a Content-Length that is not a number up to 2^63-1 (RFC 9110, 8.6)");
    return true;
}

/* Only notes what comes in which order: what it means depends on the whole head. */
static bool take_codings(struct fate__http_parser *parser, struct fate__http_slice value)
{
    struct fate__http_slice coding;

    note(parser, FATE__HTTP_SAW_CODINGS);
    while (fate__http_next_item(&value, &coding)) {
        if (has_seen(parser, FATE__HTTP_SAW_CHUNKED))
            return refuse(parser, "a transfer coding behind chunked (RFC 9112, 6.1)");
        bool is_chunked = fate__http_same(coding, FATE__HTTP_SLICE("chunked"));
        note(parser, is_chunked ? FATE__HTTP_SAW_CHUNKED : FATE__HTTP_SAW_OTHER_CODING);
    }
    return true;
}

/* All that most clients say. */
static inline bool is_keep_alive(struct fate__http_slice value)
{
    return value.len == 10 && fate__http_eight(value.at) == fate__http_eight("keep-ali") &&
           fate__http_eight(value.at + 2) == fate__http_eight("ep-alive");
}

static void take_connection(struct fate__http_parser *parser, struct fate__http_slice value)
{
    struct fate__http_slice option;

    if (is_keep_alive(value)) {
        note(parser, FATE__HTTP_SAW_KEEP_ALIVE);
        return;
    }
    while (fate__http_next_item(&value, &option)) {
        if (fate__http_same(option, FATE__HTTP_SLICE("close")))
            note(parser, FATE__HTTP_SAW_CLOSE);
        else if (fate__http_same(option, FATE__HTTP_SLICE("keep-alive")))
            note(parser, FATE__HTTP_SAW_KEEP_ALIVE);
        else if (fate__http_same(option, FATE__HTTP_SLICE("upgrade")))
            note(parser, FATE__HTTP_SAW_UPGRADE_OPTION);
    }
}

static void take_expect(struct fate__http_head *head, struct fate__http_slice value)
{
    struct fate__http_slice item;

    while (fate__http_next_item(&value, &item)) {
        if (!fate__http_same(item, FATE__HTTP_SLICE("100-continue")))
            head->expect = FATE__HTTP_EXPECTS_OTHER;
        else if (head->expect == FATE__HTTP_EXPECTS_NOTHING)
            head->expect = FATE__HTTP_EXPECTS_CONTINUE;
    }
}

static fate__apart bool take_other(struct fate__http_parser *parser, const struct fate__http_field *field)
{
    struct fate__http_slice value = fate__http_field_value(&parser->head.fields, field);

    switch ((enum fate__http_name)field->known) {
    case FATE__HTTP_CONTENT_LENGTH:
        return take_length(parser, value);
    case FATE__HTTP_TRANSFER_ENCODING:
        return take_codings(parser, value);
    case FATE__HTTP_CONNECTION:
        take_connection(parser, value);
        return true;
    case FATE__HTTP_EXPECT:
        take_expect(&parser->head, value);
        return true;
    case FATE__HTTP_UPGRADE:
        note(parser, FATE__HTTP_SAW_UPGRADE);
        return true;
    default:
        return true;
    }
}

bool fate__http_take_known(struct fate__http_parser *parser, const struct fate__http_field *field)
{
    return field->known == FATE__HTTP_HOST_FIELD ? take_host(parser, field) : take_other(parser, field);
}

/* ---- The whole ---- */

/* Transfer-Encoding as all agree on it: chunked, alone, in HTTP/1.1, without a length (RFC 9112, 6.1
 * and 6.3). */
static bool check_codings(struct fate__http_parser *parser)
{
    if (parser->head.content_length >= 0)
        return refuse(parser, "both Content-Length and Transfer-Encoding (RFC 9112, 6.1)");
    if (parser->head.minor == 0)
        return refuse(parser, "Transfer-Encoding in HTTP/1.0 (RFC 9112, 6.1)");
    if (!has_seen(parser, FATE__HTTP_SAW_CHUNKED))
        return refuse(parser, "a Transfer-Encoding that does not end with chunked (RFC 9112, 6.3)");
    if (has_seen(parser, FATE__HTTP_SAW_OTHER_CODING)) {
        fate__http_fail(parser, FATE__HTTP_UNSUPPORTED, 501,
                        "a transfer coding besides chunked (RFC 9112, 6.1)");
        return false;
    }
    return true;
}

static void set_framing(struct fate__http_parser *parser, enum fate__http_framing framing)
{
    struct fate__http_head *head = &parser->head;

    head->framing = (uint8_t)framing;
    parser->n_digits = 0;
    parser->left = framing == FATE__HTTP_LENGTH ? (uint64_t)head->content_length : 0;
    if (framing == FATE__HTTP_NO_BODY)
        parser->state = FATE__HTTP_AT_END;
    else
        parser->state = framing == FATE__HTTP_CHUNKED ? FATE__HTTP_AT_SIZE : FATE__HTTP_AT_BODY;
}

/* A length of 0 is no body, for whoever reads. */
static bool frame_by_fields(struct fate__http_parser *parser, enum fate__http_framing otherwise)
{
    if (fate__unlikely(has_seen(parser, FATE__HTTP_SAW_CODINGS))) {
        set_framing(parser, FATE__HTTP_CHUNKED);
        return check_codings(parser);
    }
    if (parser->head.content_length >= 0)
        otherwise = parser->head.content_length ? FATE__HTTP_LENGTH : FATE__HTTP_NO_BODY;
    set_framing(parser, otherwise);
    return true;
}

/* RFC 9112, 9.3. */
static void decide_on_connection(struct fate__http_parser *parser)
{
    struct fate__http_head *head = &parser->head;

    head->keeps_alive = !has_seen(parser, FATE__HTTP_SAW_CLOSE) &&
                        (head->minor || has_seen(parser, FATE__HTTP_SAW_KEEP_ALIVE)) &&
                        head->framing != FATE__HTTP_UNTIL_CLOSE;
}

/* What HTTP/1.0 expects or upgrades to is ignored, and so is an expectation without a body: RFC 9110, 7.8 and
 * 10.1.1. */
static bool decide_on_request(struct fate__http_parser *parser)
{
    struct fate__http_head *head = &parser->head;

    if (head->minor && !has_seen(parser, FATE__HTTP_SAW_HOST))
        return refuse(parser, "no field Host in HTTP/1.1 (RFC 9112, 3.2)");
    if (!frame_by_fields(parser, FATE__HTTP_NO_BODY))
        return false;
    if (head->method == FATE__HTTP_CONNECT && head->framing != FATE__HTTP_NO_BODY)
        return refuse(parser, "CONNECT with a body (RFC 9110, 9.3.6)");
    if (!head->minor || (head->framing == FATE__HTTP_NO_BODY && head->expect == FATE__HTTP_EXPECTS_CONTINUE))
        head->expect = FATE__HTTP_EXPECTS_NOTHING;
    head->wants_upgrade = head->minor && has_seen(parser, FATE__HTTP_SAW_UPGRADE) &&
                          has_seen(parser, FATE__HTTP_SAW_UPGRADE_OPTION);
    return true;
}

/* RFC 9112, 6.3, in its order: what has no body whatever its fields say comes first. */
static bool decide_on_response(struct fate__http_parser *parser)
{
    struct fate__http_head *head = &parser->head;
    bool is_ok = head->status / 100 == 2;

    head->is_tunnel = head->status == 101 || (is_ok && parser->answers_to == FATE__HTTP_CONNECT);
    head->is_interim = head->status / 100 == 1 && !head->is_tunnel;
    if (head->is_interim || head->is_tunnel || head->status == 204) {
        set_framing(parser, FATE__HTTP_NO_BODY);
    } else {
        if (!frame_by_fields(parser, FATE__HTTP_UNTIL_CLOSE))
            return false;
        if (head->status == 304 || parser->answers_to == FATE__HTTP_HEAD_METHOD)
            set_framing(parser, FATE__HTTP_NO_BODY);
    }
    if (head->is_interim && ++parser->n_interim > parser->limits.interim_max) {
        fate__http_fail(parser, FATE__HTTP_TOO_LARGE, 431, "more than %u responses 1xx before the final one",
                        parser->limits.interim_max);
        return false;
    }
    if (head->is_interim)
        parser->state = FATE__HTTP_AT_START;
    return true;
}

/* Most requests say nothing of all this but whom they are for, and what goes without saying. */
static bool is_plain(const struct fate__http_parser *parser)
{
    const struct fate__http_head *head = &parser->head;
    unsigned said = parser->saw & ~(unsigned)FATE__HTTP_SAW_KEEP_ALIVE;

    return said == FATE__HTTP_SAW_HOST && head->minor && head->content_length < 0 && !head->expect &&
           !parser->is_response;
}

bool fate__http_decide(struct fate__http_parser *parser)
{
    parser->n_head_bytes = parser->at;
    if (fate__likely(is_plain(parser))) {
        parser->head.keeps_alive = true;
        parser->state = FATE__HTTP_AT_END;
        return true;
    }
    bool is_right = parser->is_response ? decide_on_response(parser) : decide_on_request(parser);
    if (is_right)
        decide_on_connection(parser);
    return is_right;
}
