/* Tests of what the HTTP client sends: bodies that are long, slow, wrong, or not taken; heads that are long.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_http_client_helpers.h"

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define GO_ON    "HTTP/1.1 100 Continue\r\n\r\n"
#define MIB      ((size_t)1024 * 1024)

/* ---- A server that takes what it is given, as fast as it likes ---- */

struct taker {
    fate_protocol base;
    fate_timer timer;
};

static size_t n_taken, n_wanted; /* bytes; beyond n_wanted it answers */
static fate_time rests_for;      /* after each piece; FATE_NEVER: it takes nothing more then */

static void take_again(fate_value *arg)
{
    fate_resume_reading(((struct taker *)fate_as_ptr(arg))->base.transport);
}

static void take(fate_protocol *p, const void *data, size_t len)
{
    struct taker *taker = fate_container_of(p, struct taker, base);
    bool is_first = !n_taken;

    n_taken += len;
    if (is_first)
        fate_write(p->transport, GO_ON, strlen(GO_ON));
    if (n_taken >= n_wanted)
        fate_write(p->transport, OK_HELLO, strlen(OK_HELLO));
    else if (rests_for && !is_first)
        fate_pause_reading(p->transport);
    if (rests_for && rests_for != FATE_NEVER)
        taker->timer = fate_call_later(p->reactor, rests_for, take_again, fate_ptr(taker));
}

static void lost(fate_protocol *p, fate_value *why)
{
    fate_timer_cancel(fate_container_of(p, struct taker, base)->timer);
}

static const fate_protocol_ops taking = { FATE_PROTOCOL(struct taker), .data_received = take,
                                          .connection_lost = lost };

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

/* Beside the scripted one, on port 81. */
static bool begin(size_t wanted, fate_time rests)
{
    n_taken = 0;
    n_wanted = wanted;
    rests_for = rests;
    if (!web_open((const struct web_answer[]){ { 0 } }))
        return false;
    fate_deferred *d = fate_serve(client_reactor, "tcp:web:81", &taking, fate_none());
    fate_add_errback(d, forgive, fate_none());
    return true;
}

static fate_deferred *post(fate_value body, fate_agent *agent)
{
    return fate_get_page_with(client_reactor, "http://web:81/", .body = body, .agent = agent);
}

/* ---- Bodies that are long ---- */

static size_t n_made;

static fate_deferred *make_piece(fate_value *arg, size_t bytes_max)
{
    static const char piece[10000] = { 0 };

    if (n_made >= (size_t)fate_as_int(arg))
        return fate_succeed(client_reactor, fate_none());
    n_made += sizeof piece;
    return fate_succeed(client_reactor, fate_bytes(piece, sizeof piece));
}

static const fate_source_ops much = { .size = sizeof much, .name = "much", .read = make_piece };

static fate_value zeros(size_t n)
{
    n_made = 0;
    return fate_source(client_reactor, &much, fate_int((int64_t)n));
}

/* A source is read as fast as the server takes it: what waits is bounded. */
VOLUME_TEST(a_server_that_takes_slowly_slows_the_source)
{
    if (begin(5 * MIB, 100 * FATE_MILLISECOND)) {
        fate_test_link(client_reactor, .latency = FATE_MILLISECOND, .buffer_bytes = 100000);
        fate_agent *agent = fate_agent_new_with(client_reactor, .page_timeout = FATE_NEVER);
        fate_deferred *d = fate_hold(post(zeros(5 * MIB), agent));
        for (int i = 0; i < 100 && fate_state(d) != FATE_DONE; i++) {
            fate_play(client_reactor, FATE_SECOND);
            EXPECT(n_made <= n_taken + MIB);
        }
        web_expect_text(d, "hello");
        fate_release(d);
        EXPECT(n_made >= 5 * MIB);
    }
    web_leave();
}

VOLUME_TEST(a_text_of_any_length_is_sent)
{
    const size_t n = 20 * MIB; /* beyond what may be queued otherwise */
    char *bytes = calloc(1, n);

    if (begin(n, 0))
        web_expect_text(post(fate_bytes(bytes, n), NULL), "hello");
    EXPECT(n_taken > n);
    web_leave();
    free(bytes);
}

/* ---- Servers that do not take it ---- */

VOLUME_TEST(a_server_that_takes_nothing_more_is_given_up)
{
    if (begin(5 * MIB, FATE_NEVER)) {
        fate_agent *agent =
            fate_agent_new_with(client_reactor, .page_timeout = FATE_NEVER, .idle_timeout = 7 * FATE_SECOND);
        web_expect_failure(post(zeros(5 * MIB), agent), &FATE_HTTP_TIMEOUT,
                           "the server took nothing more for 7 s");
        EXPECT_EQ(fate_agent_connections(agent), 0);
        EXPECT(fate_now(client_reactor) < 60 * FATE_SECOND);
    }
    web_leave();
}

/* It takes something, if little, in each idle_timeout: that is slow, and not silent. */
VOLUME_TEST(a_server_that_takes_little_is_waited_for)
{
    if (begin(3 * MIB, 5 * FATE_SECOND)) {
        fate_test_link(client_reactor, .buffer_bytes = 100000);
        fate_agent *agent =
            fate_agent_new_with(client_reactor, .page_timeout = FATE_NEVER, .idle_timeout = 7 * FATE_SECOND);
        web_expect_text(post(zeros(3 * MIB), agent), "hello");
        EXPECT(fate_now(client_reactor) > 60 * FATE_SECOND);
    }
    web_leave();
}

/* ---- Sources that are wrong ---- */

static fate_deferred *fail_to_read(fate_value *arg, size_t bytes_max)
{
    return fate_fail(client_reactor, fate_raise(&FATE_VALUE_ERROR, "out of tea"));
}

static fate_deferred *read_number(fate_value *arg, size_t bytes_max)
{
    return fate_succeed(client_reactor, fate_int(5));
}

static const fate_source_ops failing = { .size = sizeof failing, .read = fail_to_read };
static const fate_source_ops numbers = { .size = sizeof numbers, .read = read_number };

static void expect_wrong(const fate_source_ops *ops, const fate_class *c, const char *part)
{
    if (web_open((const struct web_answer[]){
            { .says = GO_ON }, { .says = OK_HELLO, .when = "0\r\n\r\n" }, { 0 } })) {
        fate_value body = fate_source(client_reactor, ops, fate_none());
        fate_agent *agent = fate_agent_new(client_reactor);
        fate_deferred *d = fate_get_page_with(client_reactor, "http://web/", .body = body, .agent = agent);
        web_expect_failure(d, c, part);
        fate_play(client_reactor, FATE_SECOND);
        EXPECT_EQ(fate_agent_connections(agent), 0);
        EXPECT_EQ(web_heard_times("\r\n0\r\n\r\n"), 0); /* the server does not take it for the whole */
    }
    web_close();
}

TEST(a_source_that_fails_fails_its_fetch)
{
    expect_wrong(&failing, &FATE_VALUE_ERROR, "out of tea");
    expect_wrong(&numbers, &FATE_TYPE_ERROR, "neither text nor bytes");
}

TEST(a_body_that_could_not_be_made_fails_its_fetch)
{
    if (web_open((const struct web_answer[]){ { 0 } })) {
        fate_deferred *d = fate_get_page_with(client_reactor, "http://web/",
                                              .body = fate_raise(&FATE_VALUE_ERROR, "no body"));
        web_expect_failure(d, &FATE_VALUE_ERROR, "no body");
        EXPECT_EQ(web_connections, 0);
    }
    web_close();
}

/* ---- Heads ---- */

#define N_HEADERS 40

TEST(a_head_may_have_many_fields_and_long_ones)
{
    static char value[3000];
    fate_header headers[N_HEADERS + 2] = { { "X-Long", value } };

    memset(value, 'v', sizeof value - 1);
    for (int i = 1; i <= N_HEADERS; i++)
        headers[i] = (fate_header){ "X-Many", "1" };
    if (web_open((const struct web_answer[]){ { .says = OK_HELLO }, { 0 } })) {
        web_expect_text(fate_get_page_with(client_reactor, "http://web/", .headers = headers), "hello");
        EXPECT_EQ(web_heard_times("X-Many: 1\r\n"), N_HEADERS);
        EXPECT_EQ(web_heard_times(value), 1);
    }
    web_close();
}

TEST(a_type_of_the_program_takes_the_place_of_ours)
{
    const fate_header headers[] = { { "content-type", "text/x-tea" }, { 0 } };

    if (web_open((const struct web_answer[]){ { .says = OK_HELLO, .when = "tea" }, { 0 } })) {
        web_expect_text(
            fate_get_page_with(client_reactor, "http://web/", .headers = headers, .body = fate_str("tea")),
            "hello");
        EXPECT_EQ(web_heard_times("ype: "), 1);
        EXPECT_CONTAINS(client_heard(), "content-type: text/x-tea\r\n");
    }
    web_close();
}

/* What spoke of a body goes with it. */
TEST(a_post_that_becomes_a_get_loses_what_was_said_of_its_body)
{
    const char *to = "HTTP/1.1 303 See Other\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n";
    const fate_header headers[] = {
        { "Content-Type", "text/x-tea" }, { "content-language", "en" }, { "X", "stays" }, { 0 }
    };

    if (web_open((const struct web_answer[]){
            { .says = to, .when = "tea" }, { .says = OK_HELLO, .when = "GET /b" }, { 0 } })) {
        web_expect_text(
            fate_get_page_with(client_reactor, "http://web/a", .headers = headers, .body = fate_str("tea")),
            "hello");
        EXPECT_EQ(web_heard_times("text/x-tea\r\n"), 1);
        EXPECT_EQ(web_heard_times("content-language"), 1);
        EXPECT_EQ(web_heard_times("X: stays\r\n"), 2);
        EXPECT_EQ(web_heard_times("Content-Length"), 1);
    }
    web_close();
}
