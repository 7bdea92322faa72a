/* The connections of a server: taking bytes in, one request after the other, and ending. */
#include <http/server.h>

#include <errno.h>
#include <string.h>

#include <base/alloc.h>
#include <base/stop.h>

/* ---- What is sent ---- */

void fate__http_flush(struct fate__http_connection *connection)
{
    fate_website *site = connection->site;
    size_t n = site->n_out;

    if (site->writer != connection || !n)
        return;
    site->n_out = 0;
    fate_write(connection->base.transport, site->out, n);
}

void fate__http_send(struct fate__http_connection *connection, const char *bytes, size_t n)
{
    fate_website *site = connection->site;

    if (site->writer == connection && n <= FATE__HTTP_OUT_BYTES - site->n_out) {
        memcpy(site->out + site->n_out, bytes, n);
        site->n_out += n;
        return;
    }
    fate__http_flush(connection);
    if (n)
        fate_write(connection->base.transport, bytes, n);
}

/* Answers of this event are collected, unless another connection's are: one page may wake another's. */
static bool begin_collecting(struct fate__http_connection *connection)
{
    fate_website *site = connection->site;

    if (site->writer)
        return false;
    if (fate__unlikely(!site->out))
        site->out = fate__alloc(FATE__HTTP_OUT_BYTES);
    if (!site->out)
        return false;
    site->writer = connection;
    return true;
}

static void end_collecting(struct fate__http_connection *connection)
{
    fate__http_flush(connection);
    connection->site->writer = NULL;
}

/* ---- Time ---- */

static void is_due(fate_value *arg);

static void plan(struct fate__http_connection *connection, fate_time now)
{
    fate_time deadline = connection->deadline, after = deadline > now ? deadline - now : 0;

    if (deadline == FATE_NEVER)
        return;
    connection->timer_at = deadline;
    if (fate_timer_reset(connection->timer, after) == 0)
        return;
    connection->timer = fate_call_later(connection->base.reactor, after, is_due, fate_ptr(connection));
    if (connection->timer.id < 0) /* a peer that can no more be cut off is cut off now */
        fate_abort_connection(connection->base.transport);
}

static fate_time after(fate_time now, fate_time timeout)
{
    return timeout >= FATE_NEVER - now ? FATE_NEVER : now + timeout;
}

static enum fate__http_waiting what_it_waits_for(const struct fate__http_connection *connection)
{
    const fate_request *request = connection->request;

    if (connection->is_lingering && !fate_write_queued(connection->base.transport))
        return FATE__HTTP_LINGERS;
    if (connection->is_closing || connection->is_write_paused ||
        (request && request->is_answered && request->has_all))
        return FATE__HTTP_FOR_ROOM;
    if (!request || fate__http_is_idle(&request->parser))
        return FATE__HTTP_RESTS;
    if (!request->has_head)
        return FATE__HTTP_FOR_HEAD;
    bool wants_body = !request->has_all && !connection->is_read_paused;
    if (request->segments)
        return FATE__HTTP_FOR_ROOM;
    return wants_body && (request->drops_body || request->reader || request->is_answered)
               ? FATE__HTTP_FOR_BODY
               : FATE__HTTP_FOR_PAGE;
}

static fate_time time_for(const struct fate__http_connection *connection, enum fate__http_waiting what)
{
    const fate_site_options *options = &connection->site->options;

    switch (what) {
    case FATE__HTTP_FOR_HEAD:
        return options->head_timeout;
    case FATE__HTTP_FOR_BODY:
        return connection->request->body_left;
    case FATE__HTTP_FOR_PAGE:
        return FATE_NEVER;
    case FATE__HTTP_LINGERS:
        return FATE__HTTP_LINGER_TIME;
    default:
        return options->idle_timeout;
    }
}

/* The time of a body goes on while it is waited for, and only then. */
static void leave_body(struct fate__http_connection *connection, fate_time now)
{
    fate_request *request = connection->request;

    if (!request || connection->deadline == FATE_NEVER || request->body_left == FATE_NEVER)
        return;
    fate_time left = connection->deadline - now;
    request->body_left = left > 0 ? left : 0;
}

/* A body that comes steadily has more time, but never more than at first: to be early is no credit. */
static void has_come(struct fate__http_connection *connection, size_t n)
{
    fate_request *request = connection->request;
    fate_time most = connection->site->options.body_timeout, left = request->body_left;
    fate_time now = fate_now(connection->base.reactor);
    int64_t before = request->n_come / FATE__HTTP_BODY_RATE;
    bool is_awaited = connection->waits_for == FATE__HTTP_FOR_BODY;

    request->n_come += (int64_t)n;
    fate_time more = (request->n_come / FATE__HTTP_BODY_RATE - before) * FATE_SECOND;
    if (!more || most == FATE_NEVER)
        return;
    left = is_awaited ? connection->deadline - now : left;
    left = more < most - left ? left + more : most;
    if (!is_awaited)
        request->body_left = left;
    else if (!request->page || now + left < request->page_deadline)
        connection->deadline = now + left;
}

static void begin_waiting(struct fate__http_connection *connection, enum fate__http_waiting what,
                          fate_time now)
{
    const fate_request *request = connection->request;
    bool is_for_page = what == FATE__HTTP_FOR_BODY || what == FATE__HTTP_FOR_PAGE;

    if (connection->waits_for == FATE__HTTP_FOR_BODY && what != FATE__HTTP_FOR_BODY)
        leave_body(connection, now);
    connection->waits_for = (uint8_t)what;
    connection->deadline = after(now, time_for(connection, what));
    if (is_for_page && request && request->page && request->page_deadline < connection->deadline)
        connection->deadline = request->page_deadline;
    if (what == FATE__HTTP_FOR_ROOM)
        connection->seen = fate_write_queued(connection->base.transport);
    else if (what == FATE__HTTP_LINGERS)
        connection->seen = connection->n_lingered;
}

static fate__apart void wait_for(struct fate__http_connection *connection, enum fate__http_waiting what,
                                 fate_time now)
{
    begin_waiting(connection, what, now);
    if (connection->deadline < connection->timer_at)
        plan(connection, now);
}

/* A total begins when what is waited for begins, and is not moved by what comes meanwhile; only rest begins
 * anew with each request. */
void fate__http_set_deadline(struct fate__http_connection *connection)
{
    bool rests = !connection->request && !connection->is_write_paused && !connection->is_closing;

    if (fate__unlikely(connection->is_lost))
        return;
    if (fate__likely(rests && connection->waits_for == FATE__HTTP_RESTS &&
                     connection->timer_at != FATE_NEVER)) {
        connection->deadline =
            after(fate_now(connection->base.reactor), connection->site->options.idle_timeout);
        return;
    }
    enum fate__http_waiting what = what_it_waits_for(connection);
    if (what != connection->waits_for || what == FATE__HTTP_RESTS || what == FATE__HTTP_FOR_PAGE)
        wait_for(connection, what, fate_now(connection->base.reactor));
}

static void take_too_long(struct fate__http_connection *connection)
{
    fate_request *request = connection->request;
    fate_transport *transport = connection->base.transport;

    switch ((enum fate__http_waiting)connection->waits_for) {
    case FATE__HTTP_RESTS:
        fate_lose_connection(transport);
        return;
    case FATE__HTTP_FOR_HEAD:
        fate__http_refuse(request, 408, "the head of the request took too long", true);
        return;
    case FATE__HTTP_FOR_BODY:
    case FATE__HTTP_FOR_PAGE:
        if (request->page && request->page_deadline <= fate_now(connection->base.reactor))
            fate__http_refuse(request, 503, "the page took too long", true);
        else
            fate__http_refuse(request, 408, "the body of the request took too long", true);
        return;
    case FATE__HTTP_FOR_ROOM:
    case FATE__HTTP_LINGERS:
        fate_abort_connection(transport);
    }
}

/* Whoever takes of an answer, if slowly, has the same time again for more of it; whoever still sends what is
 * dropped has it for a while. */
static bool gets_on(struct fate__http_connection *connection)
{
    size_t queued = fate_write_queued(connection->base.transport);

    if (connection->waits_for == FATE__HTTP_FOR_ROOM)
        return queued < connection->seen && connection->seen - queued >= FATE__HTTP_TAKEN_MIN;
    if (connection->waits_for == FATE__HTTP_LINGERS)
        return connection->n_lingered > connection->seen &&
               ++connection->n_times_lingered < FATE__HTTP_LINGER_TIMES;
    return false;
}

/* What it waits for may have become something else without a word. */
static void look_again(struct fate__http_connection *connection, fate_time now)
{
    enum fate__http_waiting what = what_it_waits_for(connection);

    if (what == FATE__HTTP_RESTS && fate_write_queued(connection->base.transport))
        what = FATE__HTTP_FOR_ROOM;
    if (what == FATE__HTTP_FOR_PAGE && !connection->is_watched) {
        /* For long.  Of a client that is lost without a word nothing would be known before the page says
         * something; nor of one that has closed, which looks as if it had only said all. */
        connection->is_watched = true;
        fate_set_keep_alive(connection->base.transport, FATE__HTTP_WATCHED_AFTER);
    }
    bool is_other = what != connection->waits_for || what == FATE__HTTP_FOR_PAGE;
    if (is_other || (connection->deadline <= now && gets_on(connection)))
        begin_waiting(connection, what, now);
}

static void is_due(fate_value *arg)
{
    struct fate__http_connection *connection = fate_as_ptr(arg);
    fate_time now = fate_now(connection->base.reactor);

    connection->timer_at = FATE_NEVER;
    look_again(connection, now);
    if (connection->deadline > now)
        plan(connection, now);
    else
        take_too_long(connection);
}

/* ---- Closing ---- */

/* What the peer is still sending would reset the connection, and with it the answer, before it is read. */
static void linger(struct fate__http_connection *connection)
{
    connection->is_lingering = true;
    fate_lose_write_connection(connection->base.transport);
    fate_resume_reading(connection->base.transport);
    connection->is_read_paused = false;
    fate__http_go_on_soon(connection); /* then it is known whether the peer takes the answer */
}

static void forget_rest(struct fate__http_connection *connection)
{
    fate__free(connection->rest);
    connection->rest = NULL;
    connection->rest_at = connection->n_rest = connection->rest_room = 0;
}

static void close_behind(struct fate__http_connection *connection, bool peer_may_send)
{
    connection->is_closing = true;
    fate__http_flush(connection);
    if (!connection->is_taking)
        forget_rest(connection);
    if (peer_may_send && !connection->has_read_ended)
        linger(connection);
    else
        fate_lose_connection(connection->base.transport);
    fate__http_set_deadline(connection);
}

/* ---- Answers that are complete ---- */

static void end_request(struct fate__http_connection *connection)
{
    fate_request *request = connection->request;
    const struct fate__http_head *head = &request->parser.head;
    bool closes = !request->keeps_alive || connection->is_stopping;
    bool peer_may_send = closes && (!request->has_all || (request->has_head && head->keeps_alive));

    if (fate__unlikely(connection->site->log.is_on))
        fate__access_log_add(request);
    connection->request = NULL;
    fate__http_request_over(request);
    if (fate__unlikely(closes))
        close_behind(connection, peer_may_send);
}

static bool is_over(const fate_request *request)
{
    return request->is_answered && (request->has_all || !request->keeps_alive);
}

static void go_on(struct fate__http_connection *connection);

void fate__http_answered(fate_request *request)
{
    struct fate__http_connection *connection = request->connection;

    request->is_answered = true;
    if (fate__unlikely(!request->has_all))
        fate__http_drop_body(request);
    if (fate__likely(connection->is_taking))
        return;
    if (is_over(request))
        end_request(connection);
    go_on(connection);
}

/* ---- Taking bytes in ---- */

static bool may_take(const struct fate__http_connection *connection)
{
    const fate_request *request = connection->request;

    if (connection->is_closing || connection->is_lost || connection->is_write_paused)
        return false;
    return !request || !(request->has_all || fate__http_is_ahead(request));
}

static void got_head(struct fate__http_connection *connection, fate_request *request)
{
    const struct fate__http_head *head = &request->parser.head;

    request->has_head = true;
    request->keeps_alive = head->keeps_alive && !connection->is_stopping;
    request->status = 0;
    if (fate__likely(head->framing == FATE__HTTP_NO_BODY)) {
        request->has_all = true;
    } else {
        request->body_left = connection->site->options.body_timeout;
        request->must_continue = head->expect == FATE__HTTP_EXPECTS_CONTINUE;
    }
    if (fate__unlikely(connection->site->log.is_on))
        request->began_at = fate_time_of_day(connection->base.reactor);
    fate__http_dispatch(request);
    bool is_over = request->is_answered && request->has_all; /* else it is looked at later, in the log */
    if (!is_over && fate__http_keep_head(&request->parser) < 0)
        fate_abort_connection(connection->base.transport);
}

/* The page may have answered when it heard that its body is wrong, or before. */
static void refuse_unless_answered(struct fate__http_connection *connection, fate_request *request)
{
    const struct fate__http_parser *parser = &request->parser;

    if (connection->is_closing || connection->is_lost || connection->request != request)
        return;
    request->keeps_alive = false;
    if (request->is_answered && !connection->is_taking)
        end_request(connection);
    else if (!request->is_answered)
        fate__http_refuse(request, parser->status ? parser->status : 400, parser->said, true);
}

static void is_wrong(struct fate__http_connection *connection, fate_request *request)
{
    const struct fate__http_parser *parser = &request->parser;

    if (request->has_head)
        fate__http_body_failed(request, fate_raise(&FATE_HTTP_PROTOCOL, "%s", parser->said));
    refuse_unless_answered(connection, request);
}

static void got_all(fate_request *request)
{
    request->has_all = true;
    fate__http_body_ended(request);
}

/* That it ends with these bytes is noted now: no others may be taken in before somebody reads these. */
static void got_data(fate_request *request)
{
    size_t none;

    has_come(request->connection, request->parser.data.len);
    fate__http_got_body(request, request->parser.data);
    if (fate__http_parse(&request->parser, NULL, 0, &none) == FATE__HTTP_DONE)
        got_all(request);
}

static void take_step(struct fate__http_connection *connection, fate_request *request,
                      enum fate__http_step step)
{
    switch (step) {
    case FATE__HTTP_HEAD:
        got_head(connection, request);
        return;
    case FATE__HTTP_DATA:
        got_data(request);
        return;
    case FATE__HTTP_DONE:
        got_all(request);
        return;
    case FATE__HTTP_ERROR:
        is_wrong(connection, request);
        return;
    default:
        return;
    }
}

/* Takes what it may: how many bytes that were.  Each answer that comes at once goes into the same write. */
static size_t take(struct fate__http_connection *connection, const char *bytes, size_t n)
{
    size_t used = 0, taken, n_requests = 0;

    connection->is_taking = true;
    while (used < n && may_take(connection)) {
        fate_request *request = connection->request;
        if (!request) {
            if (n_requests++ == connection->site->options.pipelined_max)
                break;
            request = connection->request = fate__http_request_new(connection);
        }
        if (!request) {
            fate_abort_connection(connection->base.transport);
            break;
        }
        enum fate__http_step step = fate__http_parse(&request->parser, bytes + used, n - used, &taken);
        used += taken;
        take_step(connection, request, step);
        if (connection->request && is_over(connection->request))
            end_request(connection);
    }
    connection->is_taking = false;
    return used;
}

/* A chunked body whose end has come with the last bytes, and the like. */
static bool keep_rest(struct fate__http_connection *connection, const char *bytes, size_t n)
{
    size_t len = connection->n_rest + n;

    if (len > connection->rest_room) {
        char *rest = len < UINT32_MAX / 2 ? fate__realloc(connection->rest, len) : NULL;
        if (!rest)
            return false;
        connection->rest = rest;
        connection->rest_room = (uint32_t)len;
    }
    memcpy(connection->rest + connection->n_rest, bytes, n);
    connection->n_rest += (uint32_t)n;
    return true;
}

static void pause_reading(struct fate__http_connection *connection)
{
    if (connection->is_read_paused)
        return;
    connection->is_read_paused = true;
    fate_pause_reading(connection->base.transport);
}

/* The peer has said all that it will: what is not whole now never will be. */
static void look_at_end(struct fate__http_connection *connection)
{
    fate_request *request = connection->request;

    if (!request) {
        fate_lose_connection(connection->base.transport);
        return;
    }
    if (request->has_all)
        return;
    if (fate__http_eof(&request->parser) == FATE__HTTP_IDLE) {
        fate_lose_connection(connection->base.transport);
        return;
    }
    if (request->has_head)
        fate__http_body_failed(request, fate_raise(&FATE_HTTP_SHORT_BODY, "%s", request->parser.said));
    refuse_unless_answered(connection, request);
}

static void settle(struct fate__http_connection *connection)
{
    if (connection->is_lost || connection->is_closing)
        return;
    if (connection->has_read_ended && connection->n_rest == 0)
        look_at_end(connection);
    if (connection->is_stopping && !connection->request && connection->n_rest == 0)
        fate_lose_connection(connection->base.transport);
    fate__http_set_deadline(connection);
}

static void send_more(struct fate__http_connection *connection)
{
    if (connection->request && connection->request->wants_more && !connection->is_write_paused)
        fate__http_send_more(connection->request);
}

static void goes_on(fate_value *arg)
{
    struct fate__http_connection *connection = (struct fate__http_connection *)fate_as_protocol(arg);

    connection->will_go_on = false;
    if (connection->is_lost)
        return;
    send_more(connection);
    go_on(connection);
}

void fate__http_go_on_soon(struct fate__http_connection *connection)
{
    if (connection->will_go_on || connection->is_lost)
        return;
    connection->will_go_on = true;
    if (fate_call_later(connection->base.reactor, 0, goes_on, fate_self(&connection->base)).id < 0)
        fate_abort_connection(connection->base.transport);
}

/* What waited may be taken in now. */
static void take_rest(struct fate__http_connection *connection)
{
    char *rest = connection->rest;
    size_t n = connection->n_rest - connection->rest_at;

    connection->rest_at += (uint32_t)take(connection, rest + connection->rest_at, n);
    if (connection->is_closing || connection->rest_at == connection->n_rest)
        forget_rest(connection);
    else if (may_take(connection)) /* others first */
        fate__http_go_on_soon(connection);
}

static void go_on(struct fate__http_connection *connection)
{
    if (connection->is_closing)
        fate__http_set_deadline(connection);
    if (connection->is_taking || connection->is_closing || connection->is_lost)
        return;
    bool collects = begin_collecting(connection);
    if (connection->n_rest && may_take(connection))
        take_rest(connection);
    if (collects)
        end_collecting(connection);
    if (connection->is_read_paused && !connection->n_rest && may_take(connection)) {
        connection->is_read_paused = false;
        fate_resume_reading(connection->base.transport);
    }
    settle(connection);
}

/* ---- What the transport says ---- */

static struct fate__http_connection *connection_of(fate_protocol *p)
{
    return (struct fate__http_connection *)p;
}

static void made(fate_protocol *p)
{
    struct fate__http_connection *connection = connection_of(p);

    connection->site = fate_unbox(struct fate_website, p->arg);
    connection->timer_at = connection->deadline = FATE_NEVER;
    fate__http_set_deadline(connection);
}

static void lingered(struct fate__http_connection *connection, size_t n)
{
    connection->n_lingered += n;
    if (connection->n_lingered > FATE__HTTP_LINGER_BYTES)
        fate_abort_connection(connection->base.transport);
    else
        fate__http_set_deadline(connection);
}

/* Reading pauses as long as something waits. */
static void received(fate_protocol *p, const void *data, size_t n)
{
    struct fate__http_connection *connection = connection_of(p);
    bool collects;
    size_t used = 0;

    if (connection->is_closing) {
        lingered(connection, n);
        return;
    }
    collects = begin_collecting(connection);
    if (fate__likely(!connection->n_rest))
        used = take(connection, data, n);
    if (collects)
        end_collecting(connection);
    if (used < n && !connection->is_closing && !connection->is_lost) {
        if (!keep_rest(connection, (const char *)data + used, n - used)) {
            fate_abort_connection(p->transport);
            return;
        }
        pause_reading(connection);
        if (may_take(connection))
            fate__http_go_on_soon(connection);
    } else if (connection->request && fate__http_is_ahead(connection->request)) {
        pause_reading(connection);
    }
    settle(connection);
}

static void read_lost(fate_protocol *p)
{
    struct fate__http_connection *connection = connection_of(p);

    connection->has_read_ended = true;
    settle(connection);
}

static void write_paused(fate_protocol *p)
{
    struct fate__http_connection *connection = connection_of(p);

    connection->is_write_paused = true;
    if (!connection->is_taking)
        fate__http_set_deadline(connection);
}

static void write_resumed(fate_protocol *p)
{
    struct fate__http_connection *connection = connection_of(p);

    connection->is_write_paused = false;
    connection->seen = SIZE_MAX; /* whatever is queued behind it is less */
    if (connection->is_lost)
        return;
    send_more(connection);
    go_on(connection);
}

static void stopping(fate_protocol *p)
{
    struct fate__http_connection *connection = connection_of(p);

    connection->is_stopping = true;
    if (connection->request && !connection->request->has_begun)
        connection->request->keeps_alive = false;
    settle(connection);
}

/* What still refers to the request lets it go when it is done. */
static void lost(fate_protocol *p, fate_value *why)
{
    struct fate__http_connection *connection = connection_of(p);
    fate_request *request = connection->request;

    connection->is_lost = true;
    fate_timer_cancel(connection->timer);
    forget_rest(connection);
    if (!request)
        return;
    connection->request = NULL;
    if (fate__unlikely(connection->site->log.is_on) && request->has_head)
        fate__access_log_add(request);
    if (!request->has_all)
        fate__http_body_failed(request, fate_raise_from(&FATE_HTTP_SHORT_BODY, fate_copy(why),
                                                        "the connection was lost before the body had come"));
    fate__http_give_up(request);
    fate__http_request_over(request);
}

const fate_protocol_ops fate__http_server_ops = {
    FATE_PROTOCOL(struct fate__http_connection),
    .connection_made = made,
    .data_received = received,
    .read_lost = read_lost,
    .write_paused = write_paused,
    .write_resumed = write_resumed,
    .connection_lost = lost,
    .stopping = stopping,
};
