/* Tests of the HTTP client: pages, pools, redirects, on the simulated network. */
#include <stdio.h>
#include <string.h>

#include "test_http_client_helpers.h"

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

TEST(a_page_is_fetched)
{
    if (web_open((const struct web_answer[]){ { .says = OK_HELLO }, { 0 } })) {
        web_expect_text(fate_get_page(client_reactor, "http://web/dir/page?q=1#part"), "hello");
        EXPECT_CONTAINS(client_heard(), "GET /dir/page?q=1 HTTP/1.1\r\nHost: web\r\n");
        EXPECT_CONTAINS(client_heard(), "User-Agent: libfate/");
        EXPECT_CONTAINS(client_heard(), "Accept: */*\r\n");
    }
    web_close();
}

/* The script whole, and in pieces of one byte: what comes is the same. */
static void expect_page(const char *answer, enum web_then then, const char *page)
{
    for (size_t pieces = 0; pieces <= 3; pieces++) {
        const struct web_answer script[] = { { .says = answer, .then = then }, { 0 } };
        if (web_open(script)) {
            fate_test_link(client_reactor, .piece_bytes_max = pieces, .latency = FATE_MILLISECOND);
            web_expect_text(fate_get_page(client_reactor, "http://web/"), page);
        }
        web_close();
    }
}

VOLUME_TEST(bodies_end_by_length_by_chunks_and_by_the_close)
{
    expect_page(OK_HELLO, WEB_KEEP, "hello");
    expect_page(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nA: b\r\n\r\n",
        WEB_KEEP, "hello");
    expect_page("HTTP/1.1 200 OK\r\n\r\nhello", WEB_CLOSE, "hello");
    expect_page("HTTP/1.0 200 OK\r\n\r\n", WEB_CLOSE, "");
    expect_page("HTTP/1.1 204 No Content\r\n\r\n", WEB_KEEP, "");
    expect_page("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK_HELLO, WEB_KEEP, "hello");
}

/* The same for what must not be taken for a page.  In how many pieces it comes makes no other allocations. */
static void expect_trouble(const char *answer, enum web_then then, const fate_class *c, const char *part)
{
    size_t pieces_max = test_is_oom() ? 0 : 3;

    for (size_t pieces = 0; pieces <= pieces_max; pieces++) {
        const struct web_answer script[] = { { .says = answer, .then = then }, { 0 } };
        if (web_open(script)) {
            fate_test_link(client_reactor, .piece_bytes_max = pieces, .latency = FATE_MILLISECOND);
            web_expect_failure(fate_get_page(client_reactor, "http://web/x"), c, part);
        }
        web_close();
    }
}

TEST(what_is_cut_is_never_a_page)
{
    expect_trouble("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", WEB_CLOSE, &FATE_HTTP_SHORT_BODY,
                   "GET http://web/x: ");
    expect_trouble("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", WEB_RESET, &FATE_HTTP_SHORT_BODY, "");
    expect_trouble("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", WEB_CLOSE,
                   &FATE_HTTP_SHORT_BODY, "");
    expect_trouble("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", WEB_CLOSE,
                   &FATE_HTTP_SHORT_BODY, "");
    expect_trouble("HTTP/1.1 200 OK\r\n\r\nhell", WEB_RESET, &FATE_HTTP_SHORT_BODY, "");
    expect_trouble("HTTP/1.1 200 OK\r\nContent-Le", WEB_CLOSE, &FATE_HTTP_PROTOCOL, "");
    expect_trouble(NULL, WEB_CLOSE, &FATE_HTTP_PROTOCOL, "without an answer");
    expect_trouble(NULL, WEB_RESET, &FATE_CONNECTION_RESET, "");
}

VOLUME_TEST(tricks_with_lengths_are_errors)
{
    static const char *const heads[] = { "Content-Length: 5\r\nContent-Length: 6",
                                         "Content-Length: +5",
                                         "Content-Length: 5\r\nTransfer-Encoding: chunked",
                                         "Content-Length: 99999999999999999999",
                                         "Content-Length: -1",
                                         "Transfer-Encoding: chunked, chunked",
                                         "Content-Length : 5",
                                         "X: a\r\n Folded: b",
                                         "X: a\rb" };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        char answer[200];
        snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\n%s\r\n\r\nhello", heads[i]);
        expect_trouble(answer, WEB_CLOSE, &FATE_HTTP_PROTOCOL, "");
    }
    expect_trouble("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", WEB_KEEP,
                   &FATE_HTTP_PROTOCOL, "");
    expect_trouble("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello",
                   WEB_KEEP, &FATE_HTTP_PROTOCOL, "");
    expect_trouble("SSH-2.0-OpenSSH_9.2\r\n", WEB_KEEP, &FATE_HTTP_PROTOCOL, "");
}

TEST(a_status_that_says_no_carries_the_page)
{
    const char *answer = "HTTP/1.1 404 Not Found\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 4\r\n\r\ngone";

    if (web_open((const struct web_answer[]){ { .says = answer }, { 0 } })) {
        fate_value why = web_result(fate_get_page(client_reactor, "http://me:secret@web/nope"));
        if (EXPECT_FAILURE(&why, &FATE_HTTP_STATUS)) {
            const fate_value *payload = fate_payload(&why);
            EXPECT_STR(fate_message(&why), "GET http://web/nope: 404 Not Found");
            EXPECT_INT(fate_dict_get(payload, "status"), 404);
            EXPECT_TEXT(fate_dict_get(payload, "page"), "gone");
            EXPECT_TEXT(fate_dict_get(payload, "url"), "http://web/nope");
            EXPECT_TEXT(fate_dict_get(fate_dict_get(payload, "headers"), "x-a"), "1, 2");
        }
        fate_drop(why);
        EXPECT_CONTAINS(client_heard(), "Authorization: Basic bWU6c2VjcmV0\r\n");
    }
    web_close();
}

TEST(what_cannot_be_fetched_says_why)
{
    if (web_open((const struct web_answer[]){ { 0 } })) {
        web_expect_failure(fate_get_page(client_reactor, "a_bad_url"), &FATE_VALUE_ERROR,
                           "fetch a_bad_url: ");
        web_expect_failure(fate_get_page(client_reactor, "http://u:hush@we b/"), &FATE_VALUE_ERROR,
                           "fetch we b/: ");
        web_expect_failure(fate_get_page(client_reactor, "https://web/"), &FATE_NOT_IMPLEMENTED, "no TLS");
        web_expect_failure(fate_get_page(client_reactor, "http://web:81/"), &FATE_CONNECTION_REFUSED,
                           "refused");
        web_expect_failure(fate_get_page_with(client_reactor, "http://web/", .method = "CONNECT"),
                           &FATE_VALUE_ERROR, "CONNECT");
        const fate_header split[] = { { "X", "a\r\nHost: evil" }, { 0 } };
        web_expect_failure(fate_get_page_with(client_reactor, "http://web/", .headers = split),
                           &FATE_VALUE_ERROR, "cannot be sent");
        const fate_header own[] = { { "Host", "evil" }, { 0 } };
        web_expect_failure(fate_get_page_with(client_reactor, "http://web/", .headers = own),
                           &FATE_VALUE_ERROR, "not yours to set");
        EXPECT_EQ(web_heard_times("evil"), 0);
    }
    web_close();
}

/* ---- The pool ---- */

TEST(a_connection_is_used_again)
{
    if (web_open((const struct web_answer[]){
            { .says = OK_HELLO }, { .says = OK_HELLO }, { .says = OK_HELLO }, { 0 } })) {
        for (int i = 0; i < 3; i++)
            web_expect_text(fate_get_page(client_reactor, "http://web/"), "hello");
        EXPECT_EQ(web_connections, 1);
    }
    web_close();
}

TEST(an_idle_connection_is_closed_in_the_end)
{
    if (web_open((const struct web_answer[]){ { .says = OK_HELLO }, { .says = OK_HELLO }, { 0 } })) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .idle_timeout = 2 * FATE_SECOND);
        web_expect_text(fate_get_page_with(client_reactor, "http://web/", .agent = agent), "hello");
        EXPECT_EQ(fate_agent_connections(agent), 1);
        fate_play(client_reactor, 3 * FATE_SECOND);
        EXPECT_EQ(fate_agent_connections(agent), 0);
        web_expect_text(fate_get_page_with(client_reactor, "http://web/", .agent = agent), "hello");
        EXPECT_EQ(web_connections, 2);
    }
    web_close();
}

TEST(bytes_that_nobody_has_asked_for_end_a_connection)
{
    const char *two = OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    const struct web_answer script[] = { { .says = two }, { .says = OK_HELLO }, { 0 } };

    if (web_open(script)) {
        web_expect_text(fate_get_page(client_reactor, "http://web/1"), "hello");
        web_expect_text(fate_get_page(client_reactor, "http://web/2"), "hello");
        EXPECT_EQ(web_connections, 2);
    }
    web_close();
    const struct web_answer late[] = {
        { .says = OK_HELLO, .and_says = two, .n_times = 2, .every = FATE_SECOND / 10 },
        { .says = OK_HELLO },
        { 0 }
    };
    if (web_open(late)) {
        web_expect_text(fate_get_page(client_reactor, "http://web/1"), "hello");
        fate_play(client_reactor, FATE_SECOND);
        web_expect_text(fate_get_page(client_reactor, "http://web/2"), "hello");
        EXPECT_EQ(web_connections, 2);
    }
    web_close();
}

TEST(a_stale_connection_is_tried_again_once_where_that_is_safe)
{
    const struct web_answer script[] = { { .says = OK_HELLO },
                                         { .when = "GET", .then = WEB_CLOSE },
                                         { .says = OK_HELLO },
                                         { .when = "POST", .then = WEB_CLOSE },
                                         { 0 } };

    if (web_open(script)) {
        web_expect_text(fate_get_page(client_reactor, "http://web/1"), "hello");
        web_expect_text(fate_get_page(client_reactor, "http://web/2"), "hello");
        EXPECT_EQ(web_heard_times("GET /2"), 2);
        EXPECT_EQ(web_connections, 2);
        web_expect_failure(fate_get_page_with(client_reactor, "http://web/3", .body = fate_str("x")),
                           &FATE_HTTP_PROTOCOL, "without an answer");
        EXPECT_EQ(web_heard_times("POST /3"), 1);
    }
    web_close();
}

TEST(a_408_on_a_used_connection_is_a_stale_one)
{
    const char *late = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 4\r\n\r\nslow";
    const struct web_answer script[] = { { .says = OK_HELLO },
                                         { .says = late, .then = WEB_CLOSE },
                                         { .says = OK_HELLO },
                                         { .says = late },
                                         { .says = late },
                                         { .says = late },
                                         { 0 } };

    if (web_open(script)) {
        web_expect_text(fate_get_page(client_reactor, "http://web/1"), "hello");
        web_expect_text(fate_get_page(client_reactor, "http://web/2"), "hello");
        EXPECT_EQ(web_heard_times("GET /2"), 2);
        web_expect_failure(fate_get_page_with(client_reactor, "http://web/3", .body = fate_str("x")),
                           &FATE_HTTP_STATUS, "408");
        EXPECT_EQ(web_heard_times("POST /3"), 1);
        web_expect_failure(fate_get_page(client_reactor, "http://web/4"), &FATE_HTTP_STATUS, "408");
        EXPECT_EQ(web_heard_times("GET /4"), 1);
    }
    web_close();
}

static int n_got;

static fate_value count(fate_value *page, fate_value *arg)
{
    n_got += fate_count(page) == 5;
    return fate_none();
}

TEST(more_than_per_host_max_wait_in_line)
{
    const struct web_answer later = { .says = OK_HELLO, .after = FATE_SECOND };
    struct web_answer script[13] = { { 0 } };

    for (int i = 0; i < 12; i++)
        script[i] = later;
    n_got = 0;
    if (web_open(script)) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .per_host_max = 4);
        for (int i = 0; i < 12; i++)
            fate_add_callback(fate_get_page_with(client_reactor, "http://web/", .agent = agent), count,
                              fate_none());
        fate_play(client_reactor, FATE_SECOND);
        EXPECT_EQ(n_got, 4);
        EXPECT_EQ(web_connections, 4);
        fate_play(client_reactor, 2 * FATE_SECOND);
        EXPECT_EQ(n_got, 12);
        EXPECT_EQ(web_connections, 4);
    }
    web_close();
}

TEST(connections_max_holds_for_all_hosts)
{
    struct web_answer script[5] = {
        { .says = OK_HELLO }, { .says = OK_HELLO }, { .says = OK_HELLO }, { .says = OK_HELLO }, { 0 }
    };

    n_got = 0;
    if (web_open(script)) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .connections_max = 1);
        for (int i = 0; i < 4; i++)
            fate_add_callback(fate_get_page_with(client_reactor, i % 2 ? "http://web/" : "http://10.0.0.1/",
                                                 .agent = agent),
                              count, fate_none());
        for (int i = 0; i < 20; i++) {
            EXPECT(fate_agent_connections(agent) <= 1);
            fate_play(client_reactor, FATE_SECOND);
        }
        EXPECT_EQ(n_got, 4);
    }
    web_close();
}

/* A host all of whose connections are in use has nothing to gain from those of others. */
TEST(a_line_leaves_the_connections_of_other_hosts_alone)
{
    const struct web_answer script[] = { { .says = OK_HELLO, .when = "GET /other" },
                                         { .says = "", .when = "GET /slow" },
                                         { .says = OK_HELLO, .when = "GET /other" },
                                         { 0 } };

    if (web_open(script)) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .per_host_max = 1);
        web_expect_text(fate_get_page_with(client_reactor, "http://10.0.0.1/other", .agent = agent), "hello");
        fate_deferred *slow = fate_get_page_with(client_reactor, "http://web/slow", .agent = agent);
        fate_deferred *behind = fate_get_page_with(client_reactor, "http://web/behind", .agent = agent);
        fate_hold(slow);
        fate_hold(behind);
        fate_play(client_reactor, FATE_SECOND);
        EXPECT_EQ(fate_agent_connections(agent), 2);
        fate_cancel(behind);
        web_expect_failure(behind, &FATE_CANCELLED, "");
        fate_cancel(slow);
        web_expect_failure(slow, &FATE_CANCELLED, "");
        fate_release(slow);
        fate_release(behind);
    }
    web_close();
}

/* The server says of none of its connections that it closes it. */
TEST(whoever_asks_again_gets_no_used_connection_from_the_line)
{
    const struct web_answer close = { .says = OK_HELLO, .then = WEB_CLOSE };
    const struct web_answer script[] = { close, close, close, close, { 0 } };

    n_got = 0;
    if (web_open(script)) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .per_host_max = 1);
        for (int i = 0; i < 4; i++)
            fate_add_callback(fate_get_page_with(client_reactor, "http://web/", .agent = agent), count,
                              fate_none());
        fate_play(client_reactor, 20 * FATE_SECOND);
        EXPECT_EQ(n_got, 4);
    }
    web_close();
}

TEST(hosts_take_turns_where_there_are_too_few_connections)
{
    static const char *const urls[] = { "http://web/1", "http://web/2", "http://web/3",
                                        "http://10.0.0.1/other" };
    const struct web_answer close = { .says = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello",
                                      .then = WEB_CLOSE };
    const struct web_answer script[] = { close, close, close, close, { 0 } };

    n_got = 0;
    if (web_open(script)) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .connections_max = 1);
        for (int i = 0; i < 4; i++)
            fate_add_callback(fate_get_page_with(client_reactor, urls[i], .agent = agent), count,
                              fate_none());
        fate_play(client_reactor, 20 * FATE_SECOND);
        EXPECT_EQ(n_got, 4);
        const char *other = strstr(client_heard(), "GET /other"), *last = strstr(client_heard(), "GET /3");
        EXPECT(other && last && other < last);
    }
    web_close();
}

/* ---- Cancel ---- */

TEST(cancel_at_every_stage)
{
    const struct web_answer script[] = { { .says = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello" },
                                         { .says = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello" },
                                         { .says = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello" },
                                         { .says = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello" },
                                         { 0 } };

    for (fate_time after = 0; after < 10; after++) {
        if (web_open(script)) {
            fate_test_link(client_reactor, .latency = FATE_SECOND);
            fate_agent *agent = fate_agent_new_with(client_reactor, .per_host_max = 1);
            fate_deferred *d = fate_hold(fate_get_page_with(client_reactor, "http://web/", .agent = agent));
            fate_deferred *in_line =
                fate_hold(fate_get_page_with(client_reactor, "http://web/", .agent = agent));
            fate_play(client_reactor, after * FATE_SECOND / 2);
            if (after % 2)
                fate_cancel(in_line);
            fate_cancel(d);
            fate_cancel(in_line);
            web_expect_failure(d, &FATE_CANCELLED, "");
            web_expect_failure(in_line, &FATE_CANCELLED, "");
            fate_release(d);
            fate_release(in_line);
            fate_play(client_reactor, 10 * FATE_SECOND);
            EXPECT_EQ(fate_agent_connections(agent), 0);
        }
        web_close();
    }
}

TEST(whoever_is_behind_a_cancelled_one_gets_its_turn)
{
    const struct web_answer silent[] = { { .says = "", .when = "GET /1" },
                                         { .says = OK_HELLO, .when = "GET /2" },
                                         { 0 } };

    if (web_open(silent)) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .per_host_max = 1);
        fate_deferred *first = fate_hold(fate_get_page_with(client_reactor, "http://web/1", .agent = agent));
        fate_deferred *second = fate_hold(fate_get_page_with(client_reactor, "http://web/2", .agent = agent));
        fate_play(client_reactor, FATE_SECOND);
        fate_cancel(first);
        web_expect_failure(first, &FATE_CANCELLED, "");
        web_expect_text(second, "hello");
        fate_release(first);
        fate_release(second);
    }
    web_close();
}

TEST(an_agent_that_is_freed_ends_its_fetches)
{
    if (web_open((const struct web_answer[]){ { .says = "", .when = "GET" }, { 0 } })) {
        fate_agent *agent = fate_agent_new(client_reactor);
        fate_deferred *d = fate_hold(fate_get_page_with(client_reactor, "http://web/", .agent = agent));
        fate_play(client_reactor, FATE_SECOND);
        fate_agent_free(agent);
        web_expect_failure(d, &FATE_CANCELLED, "the agent has gone");
        fate_release(d);
    }
    web_close();
}

/* ---- Time ---- */

static void expect_timeout(const struct web_answer *answer, const fate_agent_options *options,
                           const char *part)
{
    const struct web_answer script[] = { *answer, { 0 } };

    if (web_open(script)) {
        fate_agent *agent = fate_agent_new_at(client_reactor, options, FATE_HERE);
        web_expect_failure(fate_get_page_with(client_reactor, "http://web/", .agent = agent),
                           &FATE_HTTP_TIMEOUT, part);
        EXPECT_EQ(fate_agent_connections(agent), 0);
    }
    web_close();
}

TEST(whoever_is_too_slow_is_cut_off)
{
    expect_timeout(&(const struct web_answer){ .says = "", .when = "GET" },
                   FATE_WITH(fate_agent_options, .first_byte_timeout = 2 * FATE_SECOND),
                   "no answer within 2 s");
    expect_timeout(
        &(const struct web_answer){
            .says = "HTTP/1.1 200 OK\r\n", .and_says = "A: b\r\n", .n_times = 90, .every = FATE_SECOND },
        FATE_WITH(fate_agent_options, .first_byte_timeout = 20 * FATE_SECOND), "no answer within 20 s");
    expect_timeout(&(const struct web_answer){ .says = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nh" },
                   FATE_WITH(fate_agent_options, .idle_timeout = 3 * FATE_SECOND),
                   "nothing more of the body came for 3 s");
    expect_timeout(&(const struct web_answer){ .says = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n",
                                               .and_says = "x",
                                               .n_times = 500,
                                               .every = FATE_SECOND },
                   FATE_WITH(fate_agent_options, .page_timeout = 0), "not done within 60 s");
    expect_timeout(
        &(const struct web_answer){
            .says = "", .and_says = "HTTP/1.1 102 Wait\r\n\r\n", .n_times = 10, .every = 5 * FATE_SECOND },
        FATE_WITH(fate_agent_options, .first_byte_timeout = 0), "no answer within 30 s");
}

TEST(a_host_that_is_silent_is_given_up)
{
    if (web_open((const struct web_answer[]){ { 0 } })) {
        fate_test_cut(client_reactor, "web", true);
        web_expect_failure(fate_get_page(client_reactor, "http://web/"), &FATE_CONNECT_TIMEOUT, "");
    }
    web_close();
}

/* ---- Limits ---- */

TEST(endless_answers_are_cut_off)
{
    const struct web_answer heads[] = {
        { .says = "HTTP/1.1 200 OK\r\n", .and_says = "Name: value\r\n", .n_times = 9000 }, { 0 }
    };
    const struct web_answer interims[] = {
        { .says = "", .and_says = "HTTP/1.1 102 Wait\r\n\r\n", .n_times = 90 }, { 0 }
    };
    const struct web_answer pages[] = {
        { .says = "HTTP/1.1 200 OK\r\n\r\n", .and_says = "0123456789", .n_times = 300 },
        { .says = "HTTP/1.1 200 OK\r\nContent-Length: 1025\r\n\r\n" },
        { 0 }
    };
    if (web_open(heads))
        web_expect_failure(fate_get_page(client_reactor, "http://web/"), &FATE_HTTP_TOO_LARGE, "");
    web_close();
    if (web_open(interims))
        web_expect_failure(fate_get_page(client_reactor, "http://web/"), &FATE_HTTP_TOO_LARGE, "");
    web_close();
    if (web_open(pages)) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .page_bytes_max = 1024);
        for (int i = 0; i < 2; i++)
            web_expect_failure(fate_get_page_with(client_reactor, "http://web/", .agent = agent),
                               &FATE_HTTP_TOO_LARGE, "more than 1024 bytes");
    }
    web_close();
}
