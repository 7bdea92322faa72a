/* Sending a request: its head, and its body when the server wants it, as fast as it takes it. */
#include <http/client.h>

#include <errno.h>
#include <string.h>

#include <base/alloc.h>

#define HEAD_BYTES     2048
#define FIELDS_OWN_MAX 6
#define EXPECT_BEYOND  ((int64_t)1024 * 1024)
#define EXPECT_TIMEOUT FATE_SECOND
#define CAP_BEYOND     ((int64_t)8 * 1024 * 1024) /* a text that long is queued whole, whatever the cap */

/* ---- Authorization ---- */

/* RFC 4648, 4. */
static void add_base64(struct fate__text *to, const char *s, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < len; i += 3) {
        uint32_t three = (uint32_t)(unsigned char)s[i] << 16;
        three |= i + 1 < len ? (uint32_t)(unsigned char)s[i + 1] << 8 : 0;
        three |= i + 2 < len ? (unsigned char)s[i + 2] : 0;
        const char four[4] = { digits[three >> 18], digits[three >> 12 & 63],
                               i + 1 < len ? digits[three >> 6 & 63] : '=',
                               i + 2 < len ? digits[three & 63] : '=' };
        fate__text_add_n(to, four, 4);
    }
}

/* RFC 7617. */
static void add_authorization(const fate_response *fetch, struct fate__text *to)
{
    struct fate__text decoded = { 0 };

    if (fetch->user_password)
        fate__text_add(&decoded, fetch->user_password);
    else
        fate__url_add_credentials(&decoded, &fetch->url);
    fate__text_add(to, "Basic ");
    add_base64(to, decoded.bytes ? decoded.bytes : "", decoded.len);
    to->has_failed |= decoded.has_failed;
    fate__text_done(&decoded);
}

/* ---- The head ---- */

static bool has_field(const fate_response *fetch, struct fate__http_slice name)
{
    for (size_t i = 0; i < fetch->n_fields; i++)
        if (fate__http_same(fetch->fields[i].name, name))
            return true;
    return false;
}

struct fields {
    struct fate__http_pair list[FIELDS_OWN_MAX];
    size_t n;
    const fate_response *fetch;
};

/* Unless the program has one of its own. */
static void add_field(struct fields *fields, struct fate__http_slice name, struct fate__http_slice value)
{
    if (!has_field(fields->fetch, name))
        fields->list[fields->n++] = (struct fate__http_pair){ name, value };
}

static struct fate__http_slice slice(const char *s)
{
    return (struct fate__http_slice){ s, strlen(s) };
}

static bool has_credentials(const fate_response *fetch)
{
    return fetch->user_password || fetch->url.userinfo;
}

static void add_own_fields(struct fields *fields, const char *authorization)
{
    const fate_response *fetch = fields->fetch;

    if (*fetch->agent->user_agent)
        add_field(fields, FATE__HTTP_SLICE("User-Agent"), slice(fetch->agent->user_agent));
    add_field(fields, FATE__HTTP_SLICE("Accept"), FATE__HTTP_SLICE("*/*"));
    if (fate__has_zlib)
        add_field(fields, FATE__HTTP_SLICE("Accept-Encoding"), FATE__HTTP_SLICE("gzip, deflate"));
    if (has_credentials(fetch))
        add_field(fields, FATE__HTTP_SLICE("Authorization"), slice(authorization));
    if (fetch->body_kind != FATE__BODY_NONE && fetch->body_type)
        add_field(fields, FATE__HTTP_SLICE("Content-Type"), slice(fetch->body_type));
    if (fetch->expects)
        add_field(fields, FATE__HTTP_SLICE("Expect"), FATE__HTTP_SLICE("100-continue"));
}

/* What has to be put together for some requests. */
struct texts {
    struct fate__text target, authorization;
};

static bool make_texts(const fate_response *fetch, struct texts *texts)
{
    if (fetch->url.query)
        fate__url_add_target(&texts->target, &fetch->url);
    if (has_credentials(fetch))
        add_authorization(fetch, &texts->authorization);
    return !texts->target.has_failed && !texts->authorization.has_failed;
}

/* The length, or -errno. */
static ssize_t write_head(fate_response *fetch, const struct fate__http_request *request, char *to,
                          size_t room)
{
    struct fate__http_writer *writer = &fetch->client->writer;
    ssize_t len;

    memset(writer, 0, sizeof *writer);
    len = fate__http_write_request(writer, request, to, room);
    if (len < 0 || (size_t)len > room)
        return len;
    fetch->was_written = fate_write(fetch->client->base.transport, to, (size_t)len) == 0;
    return 0;
}

static ssize_t write_long_head(fate_response *fetch, const struct fate__http_request *request, size_t len)
{
    char *to = fate__alloc(len);

    if (!to)
        return -ENOMEM;
    ssize_t why = write_head(fetch, request, to, len);
    fate__free(to);
    return why;
}

static ssize_t write_request(fate_response *fetch, const struct texts *texts)
{
    char head[HEAD_BYTES];
    struct fields own;

    own.n = 0;
    own.fetch = fetch;
    add_own_fields(&own, texts->authorization.bytes);
    const struct fate__http_request request = { .own = own.list,
                                                .n_own = own.n,
                                                .fields = fetch->fields,
                                                .n_fields = fetch->n_fields,
                                                .method = fetch->method,
                                                .target =
                                                    fetch->url.query ? texts->target.bytes : fetch->url.path,
                                                .host = fetch->host->shown.bytes,
                                                .body_bytes = fetch->body_bytes,
                                                .keeps_alive = true };
    ssize_t len = write_head(fetch, &request, head, sizeof head);
    return len > 0 ? write_long_head(fetch, &request, (size_t)len) : len;
}

static ssize_t send_head(fate_response *fetch)
{
    struct texts texts = { 0 };
    ssize_t why = make_texts(fetch, &texts) ? write_request(fetch, &texts) : -ENOMEM;

    fate__text_done(&texts.target);
    fate__text_done(&texts.authorization);
    return why;
}

/* ---- The body ---- */

static void stop_expecting(fate_response *fetch)
{
    if (!fetch->expects)
        return;
    fetch->expects = false;
    fate_timer_cancel(fetch->expected);
}

static void have_waited(fate_value *arg)
{
    fate__send_body(fate_as_ptr(arg));
}

static bool expect(fate_response *fetch)
{
    fetch->expected =
        fate_call_later_at(fetch->reactor, EXPECT_TIMEOUT, have_waited, fate_ptr(fetch), FATE__CLIENT_SITE);
    return fetch->expected.id >= 0;
}

/* The body is shorter or longer than was announced. */
static void fail_length(fate_response *fetch)
{
    fate__fetch_fail(fetch, fate__fetch_raise(fetch, &FATE_VALUE_ERROR,
                                              "the body's source does not give the %lld bytes that its "
                                              "Content-Length announced",
                                              (long long)fetch->body_bytes));
}

static void end_body(fate_response *fetch)
{
    struct fate__client *client = fetch->client;
    char tail[16];
    ssize_t len = fate__http_write_end(&client->writer, NULL, 0, tail, sizeof tail);

    fetch->is_sending = false;
    if (len < 0) {
        fail_length(fetch);
        return;
    }
    if (len > 0)
        fate_write(client->base.transport, tail, (size_t)len);
    if (fetch->stage == FATE__FETCH_ASKING)
        fate__client_arm(client, client->agent->options.first_byte_timeout);
}

/* Gives one piece to the transport.  False: there is to be less. */
static bool write_piece(fate_response *fetch, fate_value piece)
{
    struct fate__client *client = fetch->client;
    char before[FATE__HTTP_PIECE_BYTES];
    ssize_t len = fate__http_write_piece(&client->writer, fate_count(&piece), before);

    if (len < 0) {
        fate_drop(piece);
        return false;
    }
    if (len > 0)
        fate_write(client->base.transport, before, (size_t)len);
    fate_write_value(client->base.transport, piece);
    return true;
}

static void send_bytes(fate_response *fetch)
{
    if (fetch->body_bytes > CAP_BEYOND)
        fate_set_write_marks(fetch->client->base.transport, 64 * 1024, 256 * 1024, FATE_UNLIMITED);
    if (fetch->body_bytes)
        write_piece(fetch, fate_copy(&fetch->body));
    end_body(fetch);
}

static bool is_piece(const fate_value *v)
{
    return fate_kind_of(v) == FATE_KIND_TEXT || fate_kind_of(v) == FATE_KIND_BYTES;
}

static void take_piece(fate_response *fetch, fate_value *piece)
{
    if (fate_is_failure(piece))
        fate__fetch_fail(fetch, fate_take(piece));
    else if (fate_is_none(piece))
        end_body(fetch);
    else if (!is_piece(piece))
        fate__fetch_fail(fetch, fate__fetch_raise(fetch, &FATE_TYPE_ERROR,
                                                  "the body's source gave what is neither text nor bytes"));
    else if (fate_count(piece) && !write_piece(fetch, fate_take(piece)))
        fail_length(fetch);
}

static fate_value got_piece(fate_value *piece, fate_value *arg)
{
    fate_response *fetch = fate_box_data("fate_response", arg, NULL);

    if (!fetch->piece)
        return fate_none();
    fate_release(fetch->piece);
    fetch->piece = NULL;
    if (fetch->client)
        take_piece(fetch, piece);
    if (fetch->client)
        fate__send_more(fetch);
    return fate_none();
}

/* One that was lost in this event has not been told so; nor does it say that there is no room. */
static bool may_write(const struct fate__client *client)
{
    return !client->is_full && fate_write(client->base.transport, "", 0) == 0;
}

/* A piece that is there at once comes back here by got_piece: then the loop goes on with the next. */
void fate__send_more(fate_response *fetch)
{
    if (fetch->is_in_sender || fetch->body_kind != FATE__BODY_SOURCE)
        return;
    fate_value keep = fate_copy(&fetch->self);
    fetch->is_in_sender = true;
    while (fetch->client && fetch->is_sending && !fetch->piece && may_write(fetch->client)) {
        fetch->piece = fate_hold(fate_read_at(&fetch->body, FATE__CLIENT_SITE));
        fate_add_both_at(fetch->piece, got_piece, fate_copy(&fetch->self), FATE__CLIENT_SITE);
    }
    if (fetch->piece && !fetch->is_sending) /* it may have ended in reading, of which it did not know then */
        fate__send_stop(fetch);
    fetch->is_in_sender = false;
    fate_drop(keep);
}

void fate__send_stop(fate_response *fetch)
{
    fate_deferred *d = fetch->piece;

    stop_expecting(fetch);
    fetch->is_sending = false;
    if (!d)
        return;
    fetch->piece = NULL;
    fate_cancel_at(d, FATE__CLIENT_SITE);
    fate_release(d);
}

void fate__send_body(fate_response *fetch)
{
    stop_expecting(fetch);
    fetch->is_sending = true;
    fetch->has_body_begun = true;
    if (fetch->body_kind == FATE__BODY_SOURCE)
        fate__send_more(fetch);
    else
        send_bytes(fetch);
}

/* ---- The request ---- */

static fate_value refusal(const fate_response *fetch, ssize_t why)
{
    if (why == -ENOMEM)
        return fate__fetch_no_memory();
    return fate__fetch_raise(fetch, &FATE_VALUE_ERROR,
                             "the method or a header cannot be sent: names are tokens, values one line, and "
                             "Connection, Content-Length, Date, Host, Transfer-Encoding and Upgrade are not "
                             "yours to set");
}

bool fate__send_request(fate_response *fetch)
{
    bool is_large = fetch->body_kind == FATE__BODY_SOURCE || fetch->body_bytes > EXPECT_BEYOND;

    fetch->expects = is_large && !fetch->never_expects;
    ssize_t why = send_head(fetch);
    if (why == 0 && fetch->expects && !expect(fetch))
        why = -ENOMEM;
    if (why < 0) {
        fetch->expects = false;
        fate__fetch_fail(fetch, refusal(fetch, why));
        return false;
    }
    if (fetch->body_kind != FATE__BODY_NONE && !fetch->expects)
        fate__send_body(fetch);
    return true;
}
