/* The wires of the simulated network: what one end sends comes to the other, later, in pieces, in order.
 *
 * As with TCP, data that reach an end that is closed are answered by a reset, and who aborts loses what is
 * still under way.  A silent cut holds all back until it is healed, as what is lost would be sent again. */
#include <net/sim_inside.h>

#include <errno.h>
#include <string.h>

#include <base/alloc.h>
#include <base/stop.h>
#include <net/stream.h>

#define SENT_AGAIN ((fate_time)200 * FATE_MILLISECOND)
#define SITE       FATE__OWN_SITE("a simulated connection")
/* The least that a way of limited bandwidth has under way at once: a segment of TCP. */
#define SEGMENT_BYTES ((uint64_t)1460)

static void come(struct fate__ready *ready);
static void come_late(fate_value *arg);

/* ---- Life ---- */

static void init_end(struct fate__sim_end *end, struct fate__sim_pair *pair, enum fate__sim_stage stage)
{
    end->pair = pair;
    end->stage = stage;
    end->in.coming_last = &end->in.coming;
    end->in.here_last = &end->in.here;
    end->ready = (struct fate__ready){ .go = come, .site = SITE };
    fate__list_init(&end->line);
}

struct fate__sim_pair *fate__sim_pair_new(struct fate__sim *sim, const char *path, size_t path_len)
{
    struct fate__sim_pair *pair = fate__zalloc(sizeof *pair + path_len + 1);

    if (!pair)
        return NULL;
    pair->sim = sim;
    pair->refs = 2;
    pair->path_len = path_len;
    if (path)
        memcpy(pair->path, path, path_len);
    init_end(&pair->ends[0], pair, FATE__SIM_CONNECTING);
    init_end(&pair->ends[1], pair, FATE__SIM_NEW);
    fate__list_add_last(&sim->pairs, &pair->link);
    sim->n_users++;
    return pair;
}

static bool has_room(const struct fate__sim_end *end)
{
    return end->in.n_bytes <= end->pair->sim->link.buffer_bytes / 2;
}

static void drop_piece(struct fate__sim_end *end, struct fate__sim_piece *piece)
{
    struct fate__sim_end *writer = fate__sim_other(end);

    end->in.n_bytes -= piece->len - piece->at;
    if (piece->kind == FATE__SIM_DATA)
        fate__free(piece);
    if (writer->wants_to_write && has_room(end))
        fate__ready_add(end->pair->sim->reactor, &writer->ready);
}

static void drop_coming(struct fate__sim_end *end)
{
    struct fate__sim_way *in = &end->in;

    for (struct fate__sim_piece *piece; (piece = in->coming);) {
        in->coming = piece->next;
        drop_piece(end, piece);
    }
    in->coming_last = &in->coming;
}

static struct fate__sim_piece *take_here(struct fate__sim_end *end)
{
    struct fate__sim_way *in = &end->in;
    struct fate__sim_piece *first = in->here;

    in->here = first->next;
    if (!in->here)
        in->here_last = &in->here;
    return first;
}

/* Returns whether there were data in it. */
static bool drop_here(struct fate__sim_end *end)
{
    bool had_data = false;

    while (end->in.here) {
        struct fate__sim_piece *piece = take_here(end);
        had_data = had_data || piece->kind == FATE__SIM_DATA;
        drop_piece(end, piece);
    }
    return had_data;
}

static void end_done(struct fate__sim_end *end)
{
    drop_coming(end);
    drop_here(end);
    fate_timer_cancel(end->in.timer);
}

static void release(struct fate__sim_pair *pair)
{
    struct fate__sim *sim = pair->sim;

    if (--pair->refs > 0)
        return;
    end_done(&pair->ends[0]);
    end_done(&pair->ends[1]);
    fate__ready_remove(&pair->ends[0].ready);
    fate__ready_remove(&pair->ends[1].ready);
    fate__list_remove(&pair->link);
    fate__free(pair);
    fate__sim_release(sim);
}

/* ---- Under way ---- */

static bool is_held(const struct fate__sim_pair *pair)
{
    return fate__sim_is_silent(pair->ends[0].host, pair->ends[1].host);
}

/* Without memory for the delayed call the first comes at once. */
static void plan(struct fate__sim_end *end)
{
    fate_reactor *reactor = end->pair->sim->reactor;
    struct fate__sim_piece *first = end->in.coming;

    if (!first || is_held(end->pair) || fate_timer_active(end->in.timer))
        return;
    if (first->due > reactor->now) {
        end->in.timer =
            fate_call_later_at(reactor, first->due - reactor->now, come_late, fate_ptr(end), SITE);
        if (end->in.timer.id >= 0)
            return;
        first->due = reactor->now;
    }
    fate__ready_add(reactor, &end->ready);
}

static fate_time arrival(struct fate__sim_end *end, size_t len)
{
    struct fate__sim *sim = end->pair->sim;

    if (!end->host)
        return sim->reactor->now;
    fate_time due = fate__time_after(fate__sim_leaves(sim, &end->in.free_at, len), fate__sim_latency(sim));
    return fate__sim_loses(sim) ? fate__time_after(due, SENT_AGAIN) : due;
}

static void add_coming(struct fate__sim_end *end, struct fate__sim_piece *piece)
{
    struct fate__sim_way *in = &end->in;

    piece->next = NULL;
    *in->coming_last = piece;
    in->coming_last = &piece->next;
    in->n_bytes += piece->len;
    plan(end);
}

static void send_to(struct fate__sim_end *end, struct fate__sim_piece *piece)
{
    fate_time due = arrival(end, piece->len);

    if (due < end->in.last_due)
        due = end->in.last_due;
    piece->due = end->in.last_due = due;
    add_coming(end, piece);
}

void fate__sim_call(struct fate__sim_end *end)
{
    struct fate__sim_end *other = fate__sim_other(end);

    other->in.call.kind = FATE__SIM_CALL;
    send_to(other, &other->in.call);
}

static void send_end(struct fate__sim_end *to)
{
    if (to->in.end.kind == FATE__SIM_END || to->stage == FATE__SIM_CLOSED)
        return;
    to->in.end.kind = FATE__SIM_END;
    send_to(to, &to->in.end);
}

static void send_reset(struct fate__sim_end *to, int error)
{
    if (to->in.reset.kind == FATE__SIM_RESET || to->stage == FATE__SIM_CLOSED)
        return;
    to->in.reset.kind = FATE__SIM_RESET;
    to->in.reset.error = error;
    send_to(to, &to->in.reset);
}

void fate__sim_reset(struct fate__sim_end *end, int error)
{
    if (end->in.reset.kind == FATE__SIM_RESET || end->stage == FATE__SIM_CLOSED)
        return;
    drop_coming(end);
    fate_timer_cancel(end->in.timer);
    end->in.reset.kind = FATE__SIM_RESET;
    end->in.reset.error = error;
    end->in.reset.due = end->pair->sim->reactor->now;
    add_coming(end, &end->in.reset);
}

void fate__sim_heal(struct fate__sim_end *end)
{
    struct fate__sim *sim = end->pair->sim;
    fate_time due = fate__time_after(sim->reactor->now, fate__sim_latency(sim));

    for (struct fate__sim_piece *piece = end->in.coming; piece; piece = piece->next)
        if (piece->due < due)
            piece->due = due;
    if (end->in.last_due < due)
        end->in.last_due = due;
    plan(end);
}

/* ---- Arriving ---- */

static void close_end(struct fate__sim_end *end, bool is_abort)
{
    struct fate__sim_end *other = fate__sim_other(end);

    if (end->stage == FATE__SIM_CLOSED)
        return;
    if (end->stage == FATE__SIM_WAITING)
        fate__sim_leave_line(end);
    end->stage = FATE__SIM_CLOSED;
    end->transport = NULL;
    end->wants_to_write = false;
    drop_here(end);
    if (is_abort) {
        drop_coming(other);
        fate_timer_cancel(other->in.timer);
    }
    if (other->stage == FATE__SIM_NEW)
        close_end(other, false);
    if (is_abort)
        send_reset(other, -ECONNRESET);
    else
        send_end(other);
    release(end->pair);
}

/* Something has come to the end that is called. */
static void answer(struct fate__sim_end *end)
{
    struct fate__sim_piece *first = take_here(end);
    bool is_call = first->kind == FATE__SIM_CALL;
    int why = is_call ? fate__sim_called(end) : -ECONNRESET;

    if (why == 0)
        return;
    send_reset(fate__sim_other(end), why);
    close_end(end, false);
}

/* Something has come to the end that has called. */
static void be_answered(struct fate__sim_end *end)
{
    struct fate__sim_piece *first = take_here(end);
    int why = first->kind == FATE__SIM_RESET ? first->error : 0;
    void (*connected)(void *owner, int error) = end->connected;

    end->stage = FATE__SIM_OPEN;
    if (why < 0)
        close_end(end, false);
    connected(end->owner, why == -ECONNRESET ? -ECONNREFUSED : why);
}

/* A reset is heard of at once, also by who does not read. */
static void be_read(struct fate__sim_end *end)
{
    fate__transport_can_read(end->transport);
    if (end->in.is_reset && end->transport)
        fate__look_for_trouble(end->transport);
}

static void tell_what_came(struct fate__sim_end *end)
{
    if (end->stage == FATE__SIM_NEW)
        answer(end);
    else if (end->stage == FATE__SIM_CONNECTING)
        be_answered(end);
    else if (end->stage == FATE__SIM_OPEN && end->transport)
        be_read(end);
    else if (end->stage == FATE__SIM_CLOSED && drop_here(end))
        send_reset(fate__sim_other(end), -ECONNRESET);
}

static bool take_what_is_due(struct fate__sim_end *end)
{
    struct fate__sim_way *in = &end->in;
    fate_time now = end->pair->sim->reactor->now;
    bool has_come = false;

    while (in->coming && in->coming->due <= now && !is_held(end->pair)) {
        struct fate__sim_piece *piece = in->coming;
        in->coming = piece->next;
        if (!in->coming)
            in->coming_last = &in->coming;
        piece->next = NULL;
        *in->here_last = piece;
        in->here_last = &piece->next;
        in->is_reset = in->is_reset || piece->kind == FATE__SIM_RESET;
        has_come = true;
    }
    return has_come;
}

static void go_on(struct fate__sim_end *end)
{
    struct fate__sim_pair *pair = end->pair;

    pair->refs++;
    bool has_come = take_what_is_due(end);
    plan(end);
    if (has_come)
        tell_what_came(end);
    if (end->wants_to_write && end->transport && has_room(fate__sim_other(end))) {
        end->wants_to_write = false;
        fate__transport_can_write(end->transport);
    }
    release(pair);
}

static void come(struct fate__ready *ready)
{
    go_on(fate_container_of(ready, struct fate__sim_end, ready));
}

static void come_late(fate_value *arg)
{
    go_on(fate_as_ptr(arg));
}

/* ---- The wire ---- */

/* As long as pieces go: whole, unless the link cuts them, or is so slow that they arrive bit by bit. */
static size_t piece_bytes(struct fate__sim *sim, const struct fate__sim_end *to, size_t len)
{
    const fate_link *link = &sim->link;
    size_t most = len;

    if (link->piece_bytes_max)
        most = 1 + (size_t)fate__sim_random(sim, link->piece_bytes_max);
    else if (link->bytes_per_second && to->host)
        most = (size_t)(link->bytes_per_second / 1000 + SEGMENT_BYTES);
    return len < most ? len : most;
}

struct gathering {
    const struct iovec *pieces;
    size_t at; /* in the first */
};

static void gather(struct gathering *from, char *to, size_t len)
{
    while (len > 0) {
        size_t left = from->pieces->iov_len - from->at, some = left < len ? left : len;
        memcpy(to, (const char *)from->pieces->iov_base + from->at, some);
        to += some;
        len -= some;
        from->at += some;
        if (from->at < from->pieces->iov_len)
            break;
        from->at = 0;
        from->pieces++;
    }
}

static bool send_piece(struct fate__sim_end *to, struct gathering *from, size_t len)
{
    struct fate__sim_piece *piece = fate__alloc(sizeof *piece + len);

    if (!piece)
        return false;
    *piece = (struct fate__sim_piece){ .kind = FATE__SIM_DATA, .len = len };
    gather(from, (char *)(piece + 1), len);
    send_to(to, piece);
    return true;
}

static ssize_t send_pieces(fate_transport *transport, const struct iovec *pieces, int n)
{
    struct fate__sim_end *end = transport->wire_data, *to = fate__sim_other(end);
    struct fate__sim *sim = end->pair->sim;
    struct gathering from = { .pieces = pieces };
    size_t all = 0, sent = 0, buffer = sim->link.buffer_bytes;

    if (end->in.is_reset)
        return -ECONNRESET;
    for (int i = 0; i < n; i++)
        all += pieces[i].iov_len;
    while (sent < all && to->in.n_bytes < buffer) {
        size_t room = buffer - to->in.n_bytes, left = all - sent;
        size_t some = piece_bytes(sim, to, left < room ? left : room);
        if (!send_piece(to, &from, some))
            return sent ? (ssize_t)sent : -ENOMEM;
        sent += some;
    }
    end->wants_to_write = sent < all;
    return sent || !all ? (ssize_t)sent : -EAGAIN;
}

static size_t read_piece(struct fate__sim_end *end, char *to, size_t len)
{
    struct fate__sim_piece *piece = end->in.here;
    size_t left = piece->len - piece->at, some = left < len ? left : len;

    memcpy(to, (char *)(piece + 1) + piece->at, some);
    piece->at += some;
    end->in.n_bytes -= some;
    if (piece->at == piece->len)
        drop_piece(end, take_here(end));
    return some;
}

/* One piece, where the link cuts them; else all there is. */
static ssize_t receive(fate_transport *transport, char *to, size_t len, bool *ret_is_empty)
{
    struct fate__sim_end *end = transport->wire_data;
    struct fate__sim_piece *first = end->in.here;
    size_t n = 0;

    if (!first)
        return -EAGAIN;
    if (first->kind == FATE__SIM_RESET)
        return first->error;
    if (first->kind == FATE__SIM_END)
        return 0;
    do
        n += read_piece(end, to + n, len - n);
    while (n < len && end->in.here && end->in.here->kind == FATE__SIM_DATA &&
           !end->pair->sim->link.piece_bytes_max);
    *ret_is_empty = !end->in.here;
    return (ssize_t)n;
}

static int shut(fate_transport *transport)
{
    send_end(fate__sim_other(transport->wire_data));
    return 0;
}

static void close_wire(fate_transport *transport, bool is_abort)
{
    close_end(transport->wire_data, is_abort);
}

static void here(const fate_transport *transport, fate_address *ret_address)
{
    *ret_address = ((const struct fate__sim_end *)transport->wire_data)->here;
}

static int trouble(fate_transport *transport)
{
    const struct fate__sim_end *end = transport->wire_data;
    return end->in.is_reset ? ECONNRESET : 0;
}

static int set_option(fate_transport *transport, int level, int option, int value)
{
    const struct fate__sim_end *end = transport->wire_data;
    return end->host ? 0 : -EOPNOTSUPP;
}

const struct fate__wire_ops fate__sim_wire = {
    .name = "simulated",
    .send = send_pieces,
    .receive = receive,
    .shut = shut,
    .close = close_wire,
    .here = here,
    .trouble = trouble,
    .set_option = set_option,
};

void fate__sim_close(struct fate__sim_end *end)
{
    close_end(end, true);
}

int fate__sim_open(struct fate__sim_end *end, struct fate__factory *factory, fate_protocol **ret_protocol)
{
    const struct fate__new_wire wire = {
        .ops = &fate__sim_wire,
        .data = end,
        .fd = -1,
        .peer = &fate__sim_other(end)->here,
        .can_read = end->in.here,
        .can_write = true,
    };
    fate_transport *transport;

    fate__assert(end->stage == FATE__SIM_OPEN);
    fate__assert(!end->transport);
    int why = fate__transport_new(factory, &wire, &transport);
    if (why < 0) {
        close_end(end, true);
        return why;
    }
    bool is_reset = end->in.is_reset;
    end->transport = transport;
    *ret_protocol = transport->protocol;
    fate__transport_begin(transport);
    if (is_reset)
        fate__look_for_trouble(transport);
    return 0;
}
