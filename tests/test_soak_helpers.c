/* Random histories of connections over the simulated network.
 *
 * The bytes of a stream are a function of the connection, the side and the place, so that whoever gets them
 * knows whether they are right without the writer's help. */
#include "test_soak_helpers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fate/fate.h>
#include <fate/test.h>

#include <net/sim_inside.h>

#include "test.h"

#define SERVERS   3
#define CALLERS   24
#define SIDES_MAX 256
#define MS        FATE_MILLISECOND

/* One side of a connection, which is remembered when that is over. */
struct side {
    fate_protocol *p; /* NULL: it is lost */
    const void *pair; /* both sides have the same; a later connection may have it again */
    bool is_server;
    uint64_t offered, written, received;
    bool is_paused, has_shut, has_closed, has_ended, has_lost;
    bool is_write_paused;
};

static struct soak {
    fate_reactor *reactor;
    uint64_t seed, random, hash;
    const char *wrong; /* the first thing that did not hold */
    fate_listener *listeners[SERVERS];
    fate_deferred *calls[CALLERS]; /* held; NULL: none */
    struct side sides[SIDES_MAX];
    int n_sides, depth;
    bool is_settling; /* callbacks do nothing more */
    size_t write_bytes_max;
} soak;

/* ---- Chance, and what happened ---- */

static uint64_t draw(uint64_t n)
{
    uint64_t z = soak.random += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (z ^ z >> 31) % n;
}

static bool one_in(uint64_t n)
{
    return draw(n) == 0;
}

static void note(int what, const struct side *side, uint64_t more)
{
    const uint64_t parts[] = { (uint64_t)what, side ? (uint64_t)(side - soak.sides) : 0, more,
                               (uint64_t)fate_now(soak.reactor) };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        soak.hash = (soak.hash ^ parts[i]) * 0x100000001b3u;
}

static void check(bool holds, const char *what)
{
    if (holds || soak.wrong)
        return;
    soak.wrong = what;
    if (!test_is_oom())
        fprintf(stderr, "soak with seed %llu, at %g s: %s\n", (unsigned long long)soak.seed,
                (double)fate_now(soak.reactor) / 1e9, what);
}

/* ---- Bytes ---- */

static unsigned char byte_at(const struct side *writer, uint64_t at)
{
    return (unsigned char)((at * 31 + (at >> 8) * 7) ^ (uint64_t)(writer - soak.sides) * 5);
}

static struct side *other_side(const struct side *side)
{
    for (int i = soak.n_sides; i-- > 0;)
        if (soak.sides[i].pair == side->pair && soak.sides[i].is_server != side->is_server)
            return &soak.sides[i];
    return NULL;
}

static void write_some(struct side *side)
{
    static unsigned char bytes[65536];
    size_t len = 1 + draw(one_in(8) ? soak.write_bytes_max : 100);

    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_at(side, side->written + i);
    side->offered = side->written + len;
    int why = one_in(3) ? fate_write_value(side->p->transport, fate_bytes(bytes, len))
                        : fate_write(side->p->transport, bytes, len);
    if (why == 0)
        side->written += len;
    else
        check(why == -ENOTCONN || why == -ENOBUFS || test_is_oom(), "a write failed in a way of its own");
    note('w', side, len);
}

/* ---- What is done to a connection ---- */

static void close_side(struct side *side)
{
    side->has_closed = true;
    fate_lose_connection(side->p->transport);
}

static void abort_side(struct side *side)
{
    side->has_closed = true;
    fate_abort_connection(side->p->transport);
}

static void shut_side(struct side *side)
{
    if (fate_lose_write_connection(side->p->transport) == 0)
        side->has_shut = true;
}

static void pause_side(struct side *side)
{
    if (fate_pause_reading(side->p->transport) == 0)
        side->is_paused = true;
}

static void resume_side(struct side *side)
{
    fate_resume_reading(side->p->transport);
    side->is_paused = false;
}

static void limit_side(struct side *side)
{
    size_t low = draw(2000), high = low + draw(4000);

    fate_set_write_marks(side->p->transport, low, high, one_in(4) ? high + draw(10000) : (size_t)1 << 24);
}

static void act(struct side *side)
{
    uint64_t what = draw(100);

    note('a', side, what);
    if (what < 60)
        write_some(side);
    else if (what < 70)
        pause_side(side);
    else if (what < 82)
        resume_side(side);
    else if (what < 86)
        shut_side(side);
    else if (what < 90)
        close_side(side);
    else if (what < 92)
        abort_side(side);
    else if (what < 96)
        limit_side(side);
    else
        fate_set_idle_timeout(side->p->transport, (fate_time)(draw(3) * draw(3000)) * MS);
}

/* Callbacks act too, now and then, but not for ever: a write may call back from inside. */
static void act_inside(struct side *side)
{
    if (soak.is_settling || soak.depth > 3 || !one_in(6))
        return;
    soak.depth++;
    act(side);
    soak.depth--;
}

/* ---- The protocol ---- */

struct soaked {
    fate_protocol base;
    struct side *side;
};

static struct side *side_of(fate_protocol *p)
{
    return fate_container_of(p, struct soaked, base)->side;
}

static void made(fate_protocol *p)
{
    bool is_server = fate_as_bool(p->arg);
    struct soaked *soaked = fate_container_of(p, struct soaked, base);
    const struct fate__sim_end *wire = p->transport->wire_data;

    if (soak.n_sides == SIDES_MAX) {
        fate_abort_connection(p->transport);
        return;
    }
    struct side *side = soaked->side = &soak.sides[soak.n_sides++];
    *side = (struct side){ .p = p, .pair = wire->pair, .is_server = is_server };
    note('m', side, is_server);
    act_inside(side);
}

static void got(fate_protocol *p, const void *data, size_t len)
{
    struct side *side = side_of(p);
    const unsigned char *bytes = data;

    if (!side)
        return;
    struct side *writer = other_side(side);
    check(!side->has_lost, "bytes came after connection_lost");
    check(!side->is_paused, "bytes came while reading was paused");
    check(!side->has_ended, "bytes came after the end");
    check(!side->has_closed, "bytes came after closing");
    check(writer && side->received + len <= writer->offered, "more came than was written");
    for (size_t i = 0; writer && i < len; i++)
        if (bytes[i] != byte_at(writer, side->received + i))
            check(false, "other bytes came than were written");
    side->received += len;
    note('g', side, len);
    act_inside(side);
}

/* The other side has said all: then all of it must have come. */
static void saw_end(struct side *side)
{
    const struct side *writer = other_side(side);

    check(writer && writer->written == side->received, "an end was seen before all had come");
    side->has_ended = true;
}

static void read_lost(fate_protocol *p)
{
    struct side *side = side_of(p);

    if (!side)
        return;
    note('e', side, side->received);
    check(!side->has_ended && !side->has_lost, "read_lost was called too late");
    saw_end(side);
    act_inside(side);
    if (one_in(2))
        close_side(side);
}

static void write_paused(fate_protocol *p)
{
    struct side *side = side_of(p);

    if (!side)
        return;
    check(!side->is_write_paused && !side->has_lost, "write_paused came twice, or too late");
    side->is_write_paused = true;
    note('p', side, 0);
}

static void write_resumed(fate_protocol *p)
{
    struct side *side = side_of(p);

    if (!side)
        return;
    check(side->is_write_paused && !side->has_lost, "write_resumed came without a pause, or too late");
    side->is_write_paused = false;
    note('r', side, 0);
    act_inside(side);
}

static bool is_a_reason(const fate_value *why)
{
    const fate_class *reasons[] = { &FATE_CONNECTION_DONE, &FATE_CONNECTION_RESET, &FATE_CONNECTION_ABORTED,
                                    &FATE_WRITE_OVERFLOW, &FATE_IDLE_TIMEOUT };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (fate_class_of(why) == reasons[i])
            return true;
    return false;
}

static void lost(fate_protocol *p, fate_value *why)
{
    struct side *side = side_of(p);

    if (!side)
        return;
    check(!side->has_lost, "connection_lost was called twice");
    check(is_a_reason(why) || test_is_oom(), "the connection was lost for a reason of its own");
    check(fate_write(p->transport, "x", 1) == -ENOTCONN, "a lost connection could be written to");
    bool is_done = fate_is(why, &FATE_CONNECTION_DONE);
    if (is_done && !side->has_closed && !side->has_ended)
        saw_end(side);
    side->has_lost = true;
    side->p = NULL;
    note('l', side, strlen(fate_class_of(why)->name)); /* no two reasons are of the same length */
}

/* One that receives in a coroutine, and stops in the middle now and then. */
static fate_value talk(fate_coro *co, fate_protocol *p)
{
    struct side *side = side_of(p);
    size_t len;

    while (side && !one_in(50)) {
        fate_value message = fate_await(co, fate_receive(p));
        bool is_over = fate_is_failure(&message);
        if (fate_is(&message, &FATE_CONNECTION_DONE) && !side->has_closed && fate_is_connected(p->transport))
            saw_end(side);
        if (!is_over) {
            const void *bytes = fate_as_bytes(&message, &len);
            got(p, bytes, len);
        }
        fate_drop(message);
        if (is_over)
            break;
    }
    if (side)
        side->has_closed = true;
    return one_in(10) ? fate_raise(&FATE_CONNECTION_RESET, "of a peer's peer") : fate_none();
}

/* ---- Four kinds of it ---- */

#define COMMON                                                                                               \
    .connection_made = made, .data_received = got, .write_paused = write_paused,                             \
    .write_resumed = write_resumed

static void free_built(fate_protocol *p, fate_value *why)
{
    lost(p, why);
    free(fate_container_of(p, struct soaked, base));
}

static fate_protocol *build(fate_value *arg, const fate_address *peer)
{
    struct soaked *soaked = one_in(10) ? NULL : calloc(1, sizeof *soaked);
    return soaked ? &soaked->base : NULL;
}

static const fate_protocol_ops listening_to_ends = { FATE_PROTOCOL(struct soaked), COMMON,
                                                     .read_lost = read_lost, .connection_lost = lost };
static const fate_protocol_ops closing_at_ends = { FATE_PROTOCOL(struct soaked), COMMON,
                                                   .connection_lost = lost };
static const fate_protocol_ops built = { .size = sizeof built,
                                         .name = "built",
                                         COMMON,
                                         .build = build,
                                         .read_lost = read_lost,
                                         .connection_lost = free_built };

static const fate_protocol_ops talking = {
    FATE_PROTOCOL(struct soaked), .connection_made = made,        .converse = talk,
    .write_paused = write_paused, .write_resumed = write_resumed, .connection_lost = lost
};

static fate_ops any_ops(void)
{
    uint64_t which = draw(5);
    return which == 4 ? &talking : which == 0 ? &built : which == 1 ? &closing_at_ends : &listening_to_ends;
}

/* ---- The world around them ---- */

static void change_link(void)
{
    fate_link link = { .size = sizeof link, .seed = draw(1000000) };

    if (one_in(2))
        link.latency = (fate_time)draw(200) * MS;
    if (one_in(2))
        link.jitter = (fate_time)draw(50) * MS;
    if (one_in(3))
        link.bytes_per_second = 2000 + draw(200000);
    if (one_in(3))
        link.piece_bytes_max = 1 + draw(one_in(2) ? 3 : 2000);
    if (one_in(3))
        link.buffer_bytes = 1 + draw(20000);
    if (one_in(3))
        link.loss_percent = (unsigned)draw(30);
    fate_test_link_at(soak.reactor, &link, FATE_HERE);
    note('k', NULL, link.seed);
}

static const char *const hosts[SERVERS] = { "tcp:h0:1", "tcp:h1:1", "unix:/run/soak" };
static const char *const names[] = { "h0", "h1", "client" };

static void let_go(int i)
{
    fate_deferred *d = soak.calls[i];

    soak.calls[i] = NULL;
    if (!d)
        return;
    if (fate_test_pending(d))
        fate_cancel(d);
    note('c', NULL, fate_peek(d) && fate_is_failure(fate_peek(d)));
    fate_release(d);
}

/* Whoever called in that place before gives up, or is forgotten. */
static void call_somebody(void)
{
    int i = (int)draw(CALLERS);
    fate_ops ops = any_ops();

    let_go(i);
    if (one_in(4))
        return;
    soak.calls[i] = fate_hold(fate_connect_with(soak.reactor, hosts[draw(SERVERS)], ops, fate_bool(false),
                                                .timeout = (fate_time)(1 + draw(10)) * FATE_SECOND));
}

static void cut_or_heal(void)
{
    const char *name = names[draw(3)];

    if (one_in(3))
        fate_test_cut(soak.reactor, name, one_in(2));
    else
        fate_test_heal(soak.reactor, name);
}

static void let_time_pass(void)
{
    fate_time t = (fate_time)draw(one_in(20) ? 20000 : 300) * MS / 10;

    if (one_in(4))
        fate_advance(soak.reactor, t);
    else
        fate_play(soak.reactor, t);
}

static struct side *any_side(void)
{
    int from = soak.n_sides ? (int)draw((uint64_t)soak.n_sides) : 0;

    for (int i = 0; i < soak.n_sides; i++) {
        struct side *side = &soak.sides[(from + i) % soak.n_sides];
        if (side->p)
            return side;
    }
    return NULL;
}

static void take_step(void)
{
    uint64_t what = draw(100);
    struct side *side = any_side();

    if (what < 12)
        call_somebody();
    else if (what < 14)
        cut_or_heal();
    else if (what < 15)
        change_link();
    else if (what < 45)
        let_time_pass();
    else if (side)
        act(side);
}

/* ---- A history ---- */

static void listen_at(int i)
{
    fate_deferred *d = fate_listen_with(soak.reactor, hosts[i], any_ops(), fate_bool(true),
                                        .connections_max = one_in(3) ? 1 + draw(5) : FATE_UNLIMITED,
                                        .backlog = one_in(3) ? 1 + (int)draw(3) : 0,
                                        .idle_timeout = one_in(4) ? 5 * FATE_SECOND : 0);
    const fate_value *listener = fate_peek(d);

    check((listener && !fate_is_failure(listener)) || test_is_oom(), "could not listen");
    if (listener && !fate_is_failure(listener))
        soak.listeners[i] = fate_as_listener(listener);
}

static bool begin(uint64_t seed)
{
    memset(&soak, 0, sizeof soak);
    soak.seed = soak.random = seed;
    soak.hash = 0xcbf29ce484222325u;
    soak.write_bytes_max = one_in(10) ? 65536 : 4096;
    soak.reactor = fate_test_reactor();
    if (!soak.reactor)
        return false;
    change_link();
    for (int i = 0; i < SERVERS; i++)
        listen_at(i);
    return true;
}

/* Time has passed, and nothing was in the way: what was said must have been heard. */
static void check_heard(const struct side *side)
{
    const struct side *writer = other_side(side);
    bool is_over = !side->p || !writer || !writer->p || side->has_closed || writer->has_closed;

    if (is_over)
        return;
    check(fate_write_queued(writer->p->transport) == 0, "something that was written never left");
    check(side->received == writer->written, "something that was written never came");
    check(side->has_ended == writer->has_shut, "an end was never seen");
}

static void each_living(void (*visit)(struct side *side))
{
    for (int i = 0; i < soak.n_sides; i++)
        if (soak.sides[i].p)
            visit(&soak.sides[i]);
}

static void must_be_lost(struct side *side)
{
    check(false, "a connection that was closed did not end");
    abort_side(side);
}

static bool some_are_living(void)
{
    for (int i = 0; i < soak.n_sides; i++)
        if (soak.sides[i].p)
            return true;
    return false;
}

/* All goes on that waits, and is closed: also those who have waited for the others to go. */
static void settle(void)
{
    soak.is_settling = true;
    for (int i = 0; i < 3; i++)
        fate_test_heal(soak.reactor, names[i]);
    each_living(resume_side);
    fate_play(soak.reactor, 10000 * FATE_SECOND);
    for (int i = 0; i < soak.n_sides; i++)
        check_heard(&soak.sides[i]);
    for (int i = 0; i < SIDES_MAX && some_are_living(); i++) {
        each_living(close_side);
        fate_play(soak.reactor, 10000 * FATE_SECOND);
    }
    each_living(must_be_lost);
    fate_play(soak.reactor, FATE_SECOND);
}

static void end(void)
{
    for (int i = 0; i < CALLERS; i++)
        let_go(i);
    settle();
    for (int i = 0; i < SERVERS; i++)
        if (soak.listeners[i])
            fate_listener_stop(soak.listeners[i], one_in(2) ? FATE_SECOND : 0);
    fate_play(soak.reactor, 60 * FATE_SECOND);
    for (int i = 0; i < soak.n_sides; i++)
        check(soak.sides[i].has_lost, "a connection was never lost");
    note('z', NULL, (uint64_t)soak.n_sides);
    fate_test_reports(soak.reactor, &FATE_ERROR); /* of calls that were given up */
    check(fate_test_done(soak.reactor) == 0, "something is left");
}

bool test_soak(uint64_t seed, int n_steps, uint64_t *ret_hash)
{
    *ret_hash = 0;
    if (!begin(seed))
        return test_is_oom();
    for (int i = 0; i < n_steps && !soak.wrong; i++)
        take_step();
    end();
    *ret_hash = soak.hash;
    return !soak.wrong;
}

bool test_soak_all(uint64_t first, uint64_t n, int n_steps)
{
    bool holds = true;

    for (uint64_t seed = first; seed < first + n; seed++) {
        uint64_t hash, again;
        if (!test_soak(seed, n_steps, &hash) || !test_soak(seed, n_steps, &again)) {
            holds = false;
            continue;
        }
        if (hash == again)
            continue;
        fprintf(stderr, "soak with seed %llu: two runs are not the same\n", (unsigned long long)seed);
        holds = false;
    }
    return holds;
}
