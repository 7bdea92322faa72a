/* Tests of src/http/agent.c where test_http_client.c has none: what an agent is told, room for connections,
 * what comes unasked, and the end of its reactor. */
#include <stdio.h>
#include <string.h>

#include "test_http_client_helpers.h"

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

/* ---- Options ---- */

static void expect_user_agent(const char *name, const char *field)
{
    if (web_open((const struct web_answer[]){ { .says = OK_HELLO }, { 0 } })) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .user_agent = name);
        web_expect_text(fate_get_page_with(client_reactor, "http://web/", .agent = agent), "hello");
        EXPECT_EQ(web_heard_times("User-Agent"), field != NULL);
        if (field)
            EXPECT_CONTAINS(client_heard(), field);
    }
    web_close();
}

TEST(an_agent_may_have_another_name_or_none)
{
    expect_user_agent("me/1.0 (test)", "User-Agent: me/1.0 (test)\r\n");
    expect_user_agent("", NULL);
}

TEST(a_name_that_cannot_be_a_field_fails_each_fetch)
{
    if (web_open((const struct web_answer[]){ { .says = OK_HELLO }, { 0 } })) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .user_agent = "me\r\nEvil: x");
        web_expect_failure(fate_get_page_with(client_reactor, "http://web/", .agent = agent),
                           &FATE_VALUE_ERROR, "cannot be sent");
        EXPECT_EQ(web_heard_times("Evil"), 0);
    }
    web_close();
}

static void expect_not_there(const fate_agent_options *options, const char *part)
{
    if (web_open((const struct web_answer[]){ { 0 } })) {
        fate_agent *agent = fate_agent_new_at(client_reactor, options, FATE_HERE);
        web_expect_failure(fate_get_page_with(client_reactor, "http://web/", .agent = agent),
                           &FATE_NOT_IMPLEMENTED, part);
        EXPECT_EQ(web_connections, 0);
    }
    web_close();
}

TEST(what_is_not_there_yet_is_said)
{
    expect_not_there(FATE_WITH(fate_agent_options, .proxy = "http://proxy:3128/"),
                     "proxies are not there yet");
    expect_not_there(FATE_WITH(fate_agent_options, .keep_cookies = true), "cookies");
}

static void ask_for_less_than_no_time(void *arg)
{
    fate_agent_new_with(fate_test_reactor(), .idle_timeout = -1);
}

static void fetch_in_less_than_no_time(void *arg)
{
    fate_get_page_with(fate_test_reactor(), "http://web/", .timeout = -1);
}

static void fetch_by_another(void *arg)
{
    fate_agent *agent = fate_agent_new(fate_test_reactor());

    fate_get_page_with(fate_test_reactor(), "http://web/", .agent = agent);
}

static void send_a_number(void *arg)
{
    fate_get_page_with(fate_test_reactor(), "http://web/", .body = fate_int(5));
}

TEST(what_the_programmer_does_wrong_stops)
{
    EXPECT_STOP(ask_for_less_than_no_time, NULL, "fate_agent_new", "negative time", "FATE_NEVER");
    EXPECT_STOP(fetch_in_less_than_no_time, NULL, "fate_get_page", "negative timeout", "FATE_NEVER");
    EXPECT_STOP(fetch_by_another, NULL, "agent of another");
    EXPECT_STOP(send_a_number, NULL, "fate_get_page", "neither text nor bytes");
}

/* ---- Room ---- */

TEST(what_rests_makes_room_for_another_host)
{
    if (web_open((const struct web_answer[]){
            { .says = OK_HELLO }, { .says = OK_HELLO }, { .says = OK_HELLO }, { 0 } })) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .connections_max = 1);
        web_expect_text(fate_get_page_with(client_reactor, "http://web/", .agent = agent), "hello");
        web_expect_text(fate_get_page_with(client_reactor, "http://10.0.0.1/", .agent = agent), "hello");
        web_expect_text(fate_get_page_with(client_reactor, "http://web/", .agent = agent), "hello");
        EXPECT_EQ(web_connections, 3);
        EXPECT_EQ(fate_agent_connections(agent), 1);
    }
    web_close();
}

/* The new connection for what a stale one has not answered waits for room as others do. */
TEST(a_second_try_needs_room_too)
{
    const struct web_answer script[] = { { .says = OK_HELLO, .when = "GET /1" },
                                         { .when = "GET /2", .then = WEB_CLOSE, .after = FATE_SECOND },
                                         { .says = OK_HELLO, .when = "GET /" },
                                         { .says = OK_HELLO, .when = "GET /" },
                                         { 0 } };

    if (web_open(script)) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .per_host_max = 1);
        web_expect_text(fate_get_page_with(client_reactor, "http://web/1", .agent = agent), "hello");
        fate_deferred *second = fate_hold(fate_get_page_with(client_reactor, "http://web/2", .agent = agent));
        fate_deferred *third = fate_hold(fate_get_page_with(client_reactor, "http://web/3", .agent = agent));
        web_expect_text(second, "hello");
        web_expect_text(third, "hello");
        fate_release(second);
        fate_release(third);
        EXPECT_EQ(web_heard_times("GET /2"), 2);
        EXPECT_EQ(web_heard_times("GET /3"), 1);
        EXPECT_EQ(fate_agent_connections(agent), 1);
    }
    web_close();
}

/* ---- What comes unasked ---- */

static const char evil[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";

/* Behind an answer, but not with it: it finds a connection that rests. */
TEST(what_comes_while_a_connection_rests_ends_it)
{
    const struct web_answer script[] = {
        { .says = "HTTP/1.1 200 OK\r\n", .and_says = "Content-Length: 0\r\n\r\n", .n_times = 1 },
        { .says = OK_HELLO },
        { 0 }
    };

    if (web_open(script)) {
        fate_agent *agent = fate_agent_new(client_reactor);
        web_expect_text(fate_get_page_with(client_reactor, "http://web/1", .agent = agent), "");
        EXPECT_EQ(fate_agent_connections(agent), 1);
        web_say_unasked(evil);
        fate_play(client_reactor, FATE_SECOND);
        EXPECT_EQ(fate_agent_connections(agent), 0);
        web_expect_text(fate_get_page_with(client_reactor, "http://web/2", .agent = agent), "hello");
        EXPECT_EQ(web_connections, 2);
    }
    web_close();
}

/* A body where none may be is the beginning of nobody's answer. */
static void expect_no_body(const char *answer, const char *method)
{
    if (web_open((const struct web_answer[]){ { .says = answer }, { .says = OK_HELLO }, { 0 } })) {
        fate_drop(web_result(fate_get_page_with(client_reactor, "http://web/1", .method = method)));
        web_expect_text(fate_get_page(client_reactor, "http://web/2"), "hello");
        EXPECT_EQ(web_connections, 2);
    }
    web_close();
}

TEST(a_body_where_there_may_be_none_is_no_answer_to_the_next)
{
    expect_no_body(OK_HELLO, "HEAD");
    expect_no_body("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", "GET");
    expect_no_body("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "GET");
    expect_no_body("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello", "GET");
}

TEST(a_protocol_that_is_changed_unasked_is_an_error)
{
    const char *answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";

    if (web_open((const struct web_answer[]){ { .says = answer }, { 0 } }))
        web_expect_failure(fate_get_page(client_reactor, "http://web/"), &FATE_HTTP_PROTOCOL, "unasked");
    web_close();
}

/* ---- The end of the reactor ---- */

static int n_gone;

static fate_value note_gone(fate_value *why, fate_value *arg)
{
    n_gone += fate_is(why, &FATE_CANCELLED);
    return fate_none();
}

static void fetch(fate_agent *agent)
{
    fate_deferred *d = fate_get_page_with(client_reactor, "http://web/never", .agent = agent);

    fate_add_errback(d, note_gone, fate_none());
}

static fate_value fetch_late(fate_value *agent)
{
    fetch(fate_as_ptr(agent));
    return fate_none();
}

TEST(a_reactor_that_stops_ends_its_fetches)
{
    n_gone = 0;
    if (web_open((const struct web_answer[]){ { .says = "", .when = "GET /never" }, { 0 } })) {
        fate_agent *agent = fate_agent_new(client_reactor);
        fetch(agent);
        fetch(NULL);
        fate_watch after =
            fate_add_trigger(client_reactor, FATE_AFTER, FATE_SHUTDOWN, fetch_late, fate_ptr(agent));
        if (fate_stop_later(client_reactor, FATE_SECOND) == 0 && fate_run(client_reactor) == 0)
            EXPECT_EQ(n_gone, 2 + (after.id >= 0));
        EXPECT_EQ(fate_agent_connections(agent), 0);
        n_gone = 0;
        fetch(agent); /* which is still there */
        fetch(NULL);
        EXPECT_EQ(n_gone, 2);
        fate_agent_free(agent);
    }
    web_leave();
}

/* ---- The plain functions, for other languages ---- */

TEST(there_are_functions_beside_the_macros)
{
    const fate_agent_options wants = { .size = sizeof wants, .user_agent = "plain" };

    if (web_open((const struct web_answer[]){ { .says = OK_HELLO },
                                              { .says = OK_HELLO },
                                              { .says = OK_HELLO },
                                              { .says = OK_HELLO },
                                              { 0 } })) {
        fate_agent_free((fate_agent_new)(client_reactor));
        const fate_fetch_options options = { .size = sizeof options,
                                             .agent = (fate_agent_new_with)(client_reactor, &wants) };
        web_expect_text((fate_get_page)(client_reactor, "http://web/"), "hello");
        web_expect_text((fate_get_page_with)(client_reactor, "http://web/", &options), "hello");
        EXPECT_EQ(web_heard_times("User-Agent: plain\r\n"), 1);
        fate_drop(web_result((fate_fetch_with)(client_reactor, "http://web/", &options)));
        fate_value v = web_result((fate_fetch)(client_reactor, "http://web/"));
        if (EXPECT(!fate_is_failure(&v)))
            web_expect_text(fate_read_all((fate_response_body)(fate_as_response(&v)), 100), "hello");
        fate_drop(v);
        fate_add_errback((fate_get_page)(client_reactor, "a_bad_url"), forgive, fate_none());
    }
    web_close();
}
