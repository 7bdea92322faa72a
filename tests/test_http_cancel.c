/* Tests of fetches that are cancelled: at each moment of their way, and from inside of what they call. */
#include <stdio.h>
#include <string.h>

#include "test_http_client_helpers.h"

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define TICK     (100 * FATE_MILLISECOND)

/* ---- A body of so many pieces, each after some time ---- */

static int n_sources, n_gone, n_stopped;

struct pieces {
    int n;
    fate_time delay;
};

static fate_value give(fate_value *piece)
{
    return fate_take(piece);
}

static fate_deferred *read_piece(fate_value *arg, size_t bytes_max)
{
    struct pieces *pieces = fate_unbox(struct pieces, arg);
    fate_value piece = pieces->n ? fate_format("piece %d;", pieces->n--) : fate_none();

    if (pieces->delay)
        return fate_defer_later(client_reactor, pieces->delay, give, piece);
    return fate_succeed(client_reactor, piece);
}

static void stop(fate_value *arg)
{
    n_stopped++;
}

static void go(void *data)
{
    n_gone++;
}

static const fate_source_ops piece_ops = {
    .size = sizeof piece_ops, .name = "pieces", .read = read_piece, .stop = stop
};

static fate_value pieces(int n, fate_time delay)
{
    fate_value v = fate_source(client_reactor, &piece_ops, fate_box_with(go, struct pieces, n, delay));

    n_sources += fate_is_source(&v);
    return v;
}

/* ---- The ways of a fetch ---- */

/* A stale connection, a redirect, a hint, and a body that drips. */
static const struct web_answer long_way[] = {
    { .says = OK_HELLO },
    { .when = "GET /a", .then = WEB_CLOSE, .after = FATE_SECOND },
    { .says = "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 5\r\n\r\n",
      .and_says = "x",
      .n_times = 5,
      .every = TICK,
      .after = FATE_SECOND },
    { .says = "HTTP/1.1 103 Early\r\n\r\n", .when = "GET /b" },
    { 0 },
};
static const struct web_answer dripping[] = {
    { .says = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      .and_says = "5\r\nhello\r\n",
      .n_times = 100,
      .every = TICK,
      .after = FATE_SECOND },
    { 0 },
};
static const struct web_answer uploading[] = {
    { .says = "HTTP/1.1 100 Continue\r\n\r\n", .when = "Expect: 100-continue", .after = FATE_SECOND / 2 },
    { .says = OK_HELLO, .when = "0\r\n\r\n" },
    { 0 },
};
static const struct web_answer silent[] = { { .says = "", .when = "GET /never" }, { 0 } };

static fate_value read_body(fate_value *response, fate_value *arg)
{
    return fate_follow(fate_read_all(fate_response_body(fate_as_response(response)), 1000));
}

struct way {
    const struct web_answer *script;
    const char *url;
    bool has_before; /* a fetch that leaves a connection behind */
    bool has_body, streams, is_in_line;
    int ticks;
};

static const struct way ways[] = {
    { long_way, "http://web/a", .has_before = true, .ticks = 45 },
    { long_way, "http://web/a", .has_before = true, .streams = true, .ticks = 45 },
    { dripping, "http://web/", .ticks = 40 },
    { dripping, "http://web/", .streams = true, .ticks = 40 },
    { uploading, "http://web/", .has_body = true, .ticks = 30 },
    { uploading, "http://web/", .has_body = true, .streams = true, .ticks = 30 },
    { silent, "http://web/never", .is_in_line = true, .ticks = 8 },
    { silent, "http://nobody/", .ticks = 8 },
};

static fate_deferred *set_out(const struct way *way, fate_agent *agent)
{
    fate_value body = way->has_body ? pieces(5, TICK) : fate_none();

    if (!way->streams)
        return fate_get_page_with(client_reactor, way->url, .agent = agent, .body = body);
    fate_deferred *d = fate_fetch_with(client_reactor, way->url, .agent = agent, .body = body);
    return fate_add_callback(d, read_body, fate_none());
}

static fate_deferred *first;

static void go_before(const struct way *way, fate_agent *agent)
{
    if (way->has_before)
        web_expect_text(fate_get_page_with(client_reactor, "http://web/before", .agent = agent), "hello");
    if (way->is_in_line)
        first = fate_hold(fate_get_page_with(client_reactor, way->url, .agent = agent));
}

static bool is_end(const fate_value *v)
{
    return fate_is(v, &FATE_CANCELLED) || (!fate_is_failure(v) && fate_count(v) == 5) ||
           fate_is(v, &FATE_CONNECT_ERROR) || fate_is(v, &FATE_NO_MEMORY);
}

static void let_go_of_first(void)
{
    if (!first)
        return;
    fate_cancel(first);
    web_expect_failure(first, &FATE_CANCELLED, "");
    fate_release(first);
    first = NULL;
}

/* Cancelled at that time, it has ended, and nothing is left of it. */
static void cancel_at(const struct way *way, int ticks, bool frees_agent)
{
    first = NULL;
    n_sources = n_gone = 0;
    if (web_open(way->script)) {
        fate_test_link(client_reactor, .latency = 2 * TICK, .piece_bytes_max = 40);
        fate_agent *agent = fate_agent_new_with(client_reactor, .per_host_max = 1);
        go_before(way, agent);
        fate_deferred *d = fate_hold(set_out(way, agent));
        fate_play(client_reactor, ticks * TICK);
        if (frees_agent)
            fate_agent_free(agent);
        else
            fate_cancel(d);
        EXPECT_EQ(fate_state(d), FATE_DONE);
        fate_value v = web_result(d);
        if (!EXPECT(is_end(&v)))
            fprintf(stderr, "%s after %d ticks: %s\n", way->url, ticks, fate_message(&v));
        fate_drop(v);
        fate_release(d);
        EXPECT_EQ(n_gone, n_sources);
        let_go_of_first();
        fate_play(client_reactor, 100 * FATE_SECOND);
        if (!frees_agent)
            EXPECT_EQ(fate_agent_connections(agent), 0);
    }
    web_close();
}

VOLUME_TEST(a_fetch_may_be_cancelled_at_each_moment)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        for (int ticks = 0; ticks <= ways[i].ticks; ticks++)
            cancel_at(&ways[i], ticks, false);
}

VOLUME_TEST(an_agent_may_be_freed_at_each_moment)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        for (int ticks = 0; ticks <= ways[i].ticks; ticks++)
            cancel_at(&ways[i], ticks, true);
}

/* So that each allocation of some of these ways fails, too. */
TEST(a_fetch_that_is_cancelled_is_over)
{
    cancel_at(&ways[1], 30, false);
    cancel_at(&ways[3], 25, false);
    cancel_at(&ways[4], 13, false);
    cancel_at(&ways[6], 3, false);
    cancel_at(&ways[2], 25, true);
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

VOLUME_TEST(a_reactor_may_be_freed_at_each_moment)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        for (int ticks = 0; ticks <= ways[i].ticks; ticks++) {
            n_sources = n_gone = 0;
            if (web_open(ways[i].script)) {
                fate_test_link(client_reactor, .latency = 2 * TICK);
                fate_add_errback(set_out(&ways[i], NULL), forgive, fate_none());
                fate_play(client_reactor, ticks * TICK);
            }
            web_leave();
            EXPECT_EQ(n_gone, n_sources);
        }
    }
}

/* ---- From inside ---- */

static fate_deferred *own; /* held: what is cancelled from inside */
static int n_reads;

static fate_deferred *cancel_and_read(fate_value *arg, size_t bytes_max)
{
    n_reads++;
    if (n_reads == fate_as_int(arg))
        fate_cancel(own);
    return n_reads > 3 ? fate_succeed(client_reactor, fate_none())
                       : fate_succeed(client_reactor, fate_str("piece"));
}

static void never(fate_deferred *d, fate_value *arg)
{
}

static fate_deferred *cancel_and_wait(fate_value *arg, size_t bytes_max)
{
    n_reads++;
    fate_cancel(own);
    return fate_deferred_new_cancellable(client_reactor, never, fate_none());
}

static const fate_source_ops cancelling = { .size = sizeof cancelling,
                                            .read = cancel_and_read,
                                            .stop = stop };
static const fate_source_ops waiting = { .size = sizeof waiting, .read = cancel_and_wait, .stop = stop };

static void cancel_inside_source(const fate_source_ops *ops, int at)
{
    n_reads = n_stopped = 0;
    if (web_open(uploading)) {
        fate_agent *agent = fate_agent_new(client_reactor);
        fate_value body = fate_source(client_reactor, ops, fate_int(at));
        own = fate_hold(fate_get_page_with(client_reactor, "http://web/", .agent = agent, .body = body));
        web_expect_failure(own, &FATE_CANCELLED, "");
        fate_release(own);
        EXPECT_EQ(n_reads, at);
        EXPECT_EQ(n_stopped, 1);
        fate_play(client_reactor, FATE_SECOND);
        EXPECT_EQ(fate_agent_connections(agent), 0);
    }
    web_close();
}

TEST(the_source_of_a_body_may_cancel_its_fetch)
{
    cancel_inside_source(&cancelling, 1);
    cancel_inside_source(&cancelling, 3);
    cancel_inside_source(&waiting, 1);
}

static fate_value cancel_own(fate_value *v, fate_value *arg)
{
    fate_cancel(own);
    return fate_take(v);
}

static fate_value free_agent(fate_value *v, fate_value *agent)
{
    fate_agent_free(fate_as_ptr(agent));
    return fate_take(v);
}

TEST(whoever_got_a_page_may_cancel_the_next_in_line)
{
    if (web_open((const struct web_answer[]){ { .says = OK_HELLO }, { .says = OK_HELLO }, { 0 } })) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .per_host_max = 1);
        fate_deferred *one = fate_get_page_with(client_reactor, "http://web/1", .agent = agent);
        own = fate_hold(fate_get_page_with(client_reactor, "http://web/2", .agent = agent));
        web_expect_text(fate_add_callback(one, cancel_own, fate_none()), "hello");
        web_expect_failure(own, &FATE_CANCELLED, "");
        fate_release(own);
        fate_play(client_reactor, FATE_SECOND);
        web_expect_text(fate_get_page_with(client_reactor, "http://web/3", .agent = agent), "hello");
    }
    web_close();
}

TEST(whoever_got_a_page_may_free_the_agent)
{
    if (web_open((const struct web_answer[]){ { .says = OK_HELLO }, { .says = OK_HELLO }, { 0 } })) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .per_host_max = 1);
        fate_deferred *one = fate_get_page_with(client_reactor, "http://web/1", .agent = agent);
        own = fate_hold(fate_get_page_with(client_reactor, "http://web/2", .agent = agent));
        web_expect_text(fate_add_callback(one, free_agent, fate_ptr(agent)), "hello");
        web_expect_failure(own, &FATE_CANCELLED, "");
        fate_release(own);
    }
    web_close();
}

/* In which the connection of the first becomes free, and the third's while the second's is being cut. */
static fate_value cancel_and_ask(fate_value *why, fate_value *agent)
{
    return fate_follow(fate_get_page_with(client_reactor, "http://web/again", .agent = fate_as_ptr(agent)));
}

TEST(whoever_was_cancelled_may_ask_again_at_once)
{
    if (web_open((const struct web_answer[]){
            { .says = "", .when = "GET /never" }, { .says = OK_HELLO, .when = "GET /again" }, { 0 } })) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .per_host_max = 1);
        own = fate_hold(fate_get_page_with(client_reactor, "http://web/never", .agent = agent));
        fate_add_trap(own, &FATE_CANCELLED, cancel_and_ask, fate_ptr(agent));
        fate_play(client_reactor, FATE_SECOND);
        fate_cancel(own);
        web_expect_text(own, "hello");
        fate_release(own);
        EXPECT_EQ(web_connections, 2);
    }
    web_close();
}

TEST(a_piece_that_is_waited_for_may_be_cancelled_and_asked_for_again)
{
    if (web_open(dripping)) {
        fate_value v = web_result(fate_fetch(client_reactor, "http://web/"));
        if (EXPECT(!fate_is_failure(&v))) {
            fate_value source = fate_response_body(fate_as_response(&v));
            fate_drop(web_result(fate_read(&source)));
            fate_deferred *piece = fate_hold(fate_read(&source));
            fate_cancel(piece);
            web_expect_failure(piece, &FATE_CANCELLED, "");
            fate_release(piece);
            fate_value next = web_result(fate_read(&source));
            EXPECT_DESCRIBED(&next, "b\"hello\"");
            fate_drop(next);
            fate_drop(source);
        }
        fate_drop(v);
    }
    web_close();
}
