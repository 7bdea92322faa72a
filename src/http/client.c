/* Connections of the client: whose answer comes next, what has come of it, and how long that may take. */
#include <http/client.h>

#include <string.h>

#include <base/stop.h>
#include <http/names.h>

static struct fate__client *client_of(fate_protocol *p)
{
    return fate_container_of(p, struct fate__client, base);
}

/* ---- Time ---- */

static void look_at_time(fate_value *arg);

/* The timer is moved only where it would come too late: most that are set have no use. */
bool fate__client_arm(struct fate__client *client, fate_time timeout)
{
    fate_reactor *reactor = client->base.reactor;
    fate_time now = fate_now(reactor);

    client->due = timeout >= FATE_NEVER - now ? FATE_NEVER : now + timeout;
    if (client->due == FATE_NEVER || (client->armed && client->armed <= client->due))
        return true;
    if (client->armed)
        fate_timer_reset(client->timer, timeout);
    else
        client->timer =
            fate_call_later_at(reactor, timeout, look_at_time, fate_ptr(client), FATE__CLIENT_SITE);
    client->armed = client->due;
    return client->timer.id >= 0;
}

/* Is it writing, and has something left since the last look; or waits for the source of a body? */
static bool makes_progress(struct fate__client *client)
{
    size_t n_queued = fate_write_queued(client->base.transport), last = client->n_queued_last;

    client->n_queued_last = n_queued;
    return (n_queued && n_queued != last) || (!n_queued && (last || client->fetch->is_sending));
}

static fate_value timed_out(const fate_response *fetch)
{
    const fate_agent_options *options = &fetch->agent->options;

    if (fetch->stage == FATE__FETCH_READING)
        return fate__fetch_raise(fetch, &FATE_HTTP_TIMEOUT, "nothing more of the body came for %.3g s",
                                 (double)options->idle_timeout / 1e9);
    if (fate_write_queued(fetch->client->base.transport))
        return fate__fetch_raise(fetch, &FATE_HTTP_TIMEOUT, "the server took nothing more for %.3g s",
                                 (double)options->idle_timeout / 1e9);
    return fate__fetch_raise(fetch, &FATE_HTTP_TIMEOUT, "no answer within %.3g s",
                             (double)options->first_byte_timeout / 1e9);
}

static void be_late(struct fate__client *client)
{
    fate_response *fetch = client->fetch;

    if (!fetch) {
        fate__client_close(client);
        return;
    }
    if (fetch->stage == FATE__FETCH_ASKING && makes_progress(client)) {
        const fate_agent_options *options = &client->agent->options;
        fate__client_arm(client, client->n_queued_last ? options->idle_timeout : options->first_byte_timeout);
        return;
    }
    fate__fetch_fail(fetch, timed_out(fetch));
}

static void look_at_time(fate_value *arg)
{
    struct fate__client *client = fate_as_ptr(arg);
    fate_time now = fate_now(client->base.reactor);

    client->armed = 0;
    if (client->due == FATE_NEVER)
        return;
    if (now >= client->due)
        be_late(client);
    else if (!fate__client_arm(client, client->due - now) && client->fetch)
        fate__fetch_fail(client->fetch, fate__fetch_no_memory());
}

/* ---- Back-pressure ---- */

void fate__client_pause(struct fate__client *client)
{
    client->is_paused = true;
    client->due = FATE_NEVER;
    fate_pause_reading(client->base.transport);
}

void fate__client_resume(struct fate__client *client)
{
    if (!client->is_paused)
        return;
    client->is_paused = false;
    fate__client_arm(client, client->agent->options.idle_timeout);
    fate_resume_reading(client->base.transport);
}

/* ---- Life of a connection ---- */

static void made(fate_protocol *p)
{
    struct fate__client *client = client_of(p);
    const fate_agent *agent = fate_box_data("fate_agent", p->arg, NULL);
    const struct fate__http_limits limits = { .head_bytes_max = agent->options.head_bytes_max };

    fate__http_parser_init(&client->parser, &limits);
}

void fate__client_begin(struct fate__client *client, fate_response *fetch)
{
    client->fetch = fetch;
    client->n_queued_last = 0;
    fetch->client = client;
    fetch->stage = FATE__FETCH_ASKING;
    fate__http_next_response(&client->parser, fate__http_method_of((struct fate__http_slice){
                                                  fetch->method, strlen(fetch->method) }));
    if (!fate__client_arm(client, client->agent->options.first_byte_timeout)) {
        fate__fetch_fail(fetch, fate__fetch_no_memory());
        return;
    }
    fate__send_request(fetch);
}

void fate__client_abort(fate_response *fetch)
{
    struct fate__client *client = fetch->client;

    if (!client)
        return;
    fetch->client = NULL;
    client->fetch = NULL;
    client->is_closing = true;
    fate_abort_connection(client->base.transport);
}

/* What the server would not take of a request is not waited for. */
void fate__client_close(struct fate__client *client)
{
    fate_transport *transport = client->base.transport;

    fate__agent_takes_out(client);
    client->is_closing = true;
    if (fate_write_queued(transport))
        fate_abort_connection(transport);
    else
        fate_lose_connection(transport);
}

/* The last piece of a body may have paused it, and whoever comes next must hear the answer. */
static void rest(struct fate__client *client)
{
    fate__client_resume(client);
    fate__agent_rests(client);
}

/* The answer is over; n bytes came behind it.  What nobody has asked for is nobody's answer; and a server
 * that has answered without taking the whole request may never take it, and what is behind it. */
static void end_answer(struct fate__client *client, size_t n)
{
    fate_response *fetch = client->fetch;
    bool is_whole = !fetch->is_sending && !fate_write_queued(client->base.transport);

    fate__send_stop(fetch);
    client->fetch = NULL;
    fetch->client = NULL;
    client->has_answered = true;
    if (client->is_lost || client->is_closing)
        ;
    else if (client->keeps_alive && is_whole && n == 0)
        rest(client);
    else
        fate__client_close(client);
    fate__fetch_end(fetch);
}

/* ---- Reading ---- */

static fate_value problem(const fate_response *fetch, const struct fate__http_parser *parser)
{
    bool is_in_body = fetch->stage == FATE__FETCH_READING;

    switch (parser->problem) {
    case FATE__HTTP_NO_MEMORY:
        return fate__fetch_no_memory();
    case FATE__HTTP_TOO_LARGE:
        return fate__fetch_raise(fetch, &FATE_HTTP_TOO_LARGE, "%s", parser->said);
    case FATE__HTTP_CUT:
        return fate__fetch_raise(fetch, is_in_body ? &FATE_HTTP_SHORT_BODY : &FATE_HTTP_PROTOCOL, "%s",
                                 parser->said);
    default:
        return fate__fetch_raise(fetch, &FATE_HTTP_PROTOCOL, "%s", parser->said);
    }
}

static void got_interim(struct fate__client *client)
{
    if (client->parser.head.status == 100 && client->fetch->expects)
        fate__send_body(client->fetch);
}

/* 408 is what some say as they close an idle connection; here the request has crossed it: RFC 9110, 15.5.9.
 */
static void ask_elsewhere(fate_response *fetch)
{
    fate__send_stop(fetch);
    fate__client_abort(fetch);
    fate__fetch_retry(fetch);
}

/* The body of a request that was refused is not sent to its end, so the connection ends with this answer. */
static void got_head(struct fate__client *client)
{
    const struct fate__http_head *head = &client->parser.head;
    fate_response *fetch = client->fetch;

    if (head->is_interim) {
        got_interim(client);
        return;
    }
    if (head->status == 408 && client->has_answered && fate__fetch_may_retry(fetch)) {
        ask_elsewhere(fetch);
        return;
    }
    if (head->is_tunnel) {
        fate__fetch_fail(fetch, fate__fetch_raise(fetch, &FATE_HTTP_PROTOCOL,
                                                  "the server changed the protocol, status %d, unasked",
                                                  head->status));
        return;
    }
    client->keeps_alive = head->keeps_alive && client->writer.keeps_alive;
    if (fetch->expects || (fetch->is_sending && head->status >= 300)) {
        client->keeps_alive = false;
        fate__send_stop(fetch);
    }
    fetch->stage = FATE__FETCH_READING;
    fate__client_arm(client, client->agent->options.idle_timeout);
    fate__fetch_head(fetch, head);
}

/* One step; false: there is no more to do. */
static bool take_step(struct fate__client *client, const char *bytes, size_t n, size_t *ret_used)
{
    switch (fate__http_parse(&client->parser, bytes, n, ret_used)) {
    case FATE__HTTP_HEAD:
        got_head(client);
        return true;
    case FATE__HTTP_DATA:
        fate__fetch_piece(client->fetch, client->parser.data);
        return true;
    case FATE__HTTP_DONE:
        end_answer(client, n - *ret_used);
        return false;
    case FATE__HTTP_ERROR:
        fate__fetch_fail(client->fetch, problem(client->fetch, &client->parser));
        return false;
    default:
        return false;
    }
}

/* What comes while nobody waits for an answer ends the connection. */
static void got_bytes(fate_protocol *p, const void *data, size_t len)
{
    struct fate__client *client = client_of(p);
    fate_response *fetch = client->fetch;
    const char *bytes = data;
    size_t used;

    if (!fetch) {
        if (!client->is_closing)
            fate__client_close(client);
        return;
    }
    fate_value keep = fate_copy(&fetch->self);
    if (fetch->stage == FATE__FETCH_READING && !client->is_paused)
        fate__client_arm(client, client->agent->options.idle_timeout);
    for (bool goes_on = true; goes_on && client->fetch == fetch; bytes += used, len -= used)
        goes_on = take_step(client, bytes, len, &used);
    fate_drop(keep);
}

/* ---- The end of a connection ---- */

/* Without an answer, or in its middle. */
static void be_cut(struct fate__client *client, fate_response *fetch, const fate_value *why)
{
    bool is_orderly = fate_is(why, &FATE_CONNECTION_DONE);
    const fate_class *c = fetch->stage == FATE__FETCH_READING ? &FATE_HTTP_SHORT_BODY
                          : is_orderly                        ? &FATE_HTTP_PROTOCOL
                                                              : fate_class_of(why);

    if (fate_is(why, &FATE_NO_MEMORY))
        fate__fetch_fail(fetch, fate_copy(why));
    else if (is_orderly && client->parser.problem != FATE__HTTP_NO_PROBLEM)
        fate__fetch_fail(fetch, problem(fetch, &client->parser));
    else if (is_orderly)
        fate__fetch_fail(fetch, fate__fetch_raise_from(fetch, c, fate_copy(why),
                                                       "the server closed the connection without an answer"));
    else
        fate__fetch_fail(fetch, fate__fetch_raise_from(fetch, c, fate_copy(why),
                                                       "the connection was lost: %s", fate_message(why)));
}

/* A body that goes on until the close is over, if that came in the orderly way. */
static void lose_fetch(struct fate__client *client, fate_value *why)
{
    fate_response *fetch = client->fetch;
    bool has_begun = !fate__http_is_idle(&client->parser);
    enum fate__http_step step = fate__http_eof(&client->parser);

    if (fate_is(why, &FATE_CONNECTION_DONE) && step == FATE__HTTP_DONE) {
        end_answer(client, 0);
        return;
    }
    client->fetch = NULL;
    fetch->client = NULL;
    fate__send_stop(fetch);
    if (!has_begun && client->has_answered && fate__fetch_may_retry(fetch))
        fate__fetch_retry(fetch);
    else
        be_cut(client, fetch, why);
}

static void lost(fate_protocol *p, fate_value *why)
{
    struct fate__client *client = client_of(p);
    fate_value keep = client->fetch ? fate_copy(&client->fetch->self) : fate_none();

    client->is_lost = true;
    fate_timer_cancel(client->timer);
    fate__agent_lost(client);
    if (client->fetch)
        lose_fetch(client, why);
    fate__http_parser_done(&client->parser);
    fate_drop(keep);
}

static void is_full(fate_protocol *p)
{
    client_of(p)->is_full = true;
}

static void has_room(fate_protocol *p)
{
    struct fate__client *client = client_of(p);

    client->is_full = false;
    if (client->fetch)
        fate__send_more(client->fetch);
}

const fate_protocol_ops fate__client_ops = { FATE_PROTOCOL(struct fate__client), .connection_made = made,
                                             .data_received = got_bytes,         .write_paused = is_full,
                                             .write_resumed = has_room,          .connection_lost = lost };
