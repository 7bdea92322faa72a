/* Tests of src/net/connect_converse.c. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fate/endpoint.h>
#include <fate/reactor.h>
#include <fate/report.h>

#include "test_connect_helpers.h"

static fate_reactor *reactor;
static int listening, port, peer;

static bool begin(void)
{
    reactor = test_connect_reactor();
    listening = peer = -1;
    if (!reactor)
        return false;
    listening = test_listening(&port);
    return EXPECT(listening >= 0);
}

static void end(void)
{
    if (peer >= 0)
        close(peer);
    close(listening);
    fate_reactor_free(reactor);
}

static void lost(fate_protocol *p, fate_value *why)
{
    test_trace_add("lost %s; ", fate_class_of(why)->name);
}

static fate_value ask(fate_coro *co, fate_protocol *p)
{
    fate_write(p->transport, "?\n", 2);
    return fate_await(co, fate_receive(p));
}

static fate_value answer_at_once(fate_coro *co, fate_protocol *p)
{
    fate_write(p->transport, "bye\n", 4);
    return fate_int(42);
}

static fate_value fail_at_once(fate_coro *co, fate_protocol *p)
{
    return fate_raise(&FATE_VALUE_ERROR, "no");
}

static fate_value clean_up(fate_coro *co, fate_protocol *p)
{
    fate_value got = fate_await(co, fate_receive(p));

    test_trace_add("cleans up after %s; ", fate_is_failure(&got) ? fate_class_of(&got)->name : "a message");
    fate_drop(got);
    fate_write(p->transport, "bye\n", 4);
    return fate_str("clean");
}

#define LINES(function)                                                                                      \
    {                                                                                                        \
        .size = sizeof(fate_protocol_ops), .name = "asker", .framing = &FATE_LINES, .converse = function,    \
        .connection_lost = lost                                                                              \
    }
static const fate_protocol_ops asker = LINES(ask), quick = LINES(answer_at_once),
                               failing = LINES(fail_at_once), tidy = LINES(clean_up);

static fate_deferred *converse(fate_ops ops)
{
    return fate_converse(reactor, test_tcp("127.0.0.1", port), ops, fate_none());
}

static bool has_peer(void *arg)
{
    peer = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return peer >= 0;
}

static bool accept_peer(void)
{
    fcntl(listening, F_SETFL, O_NONBLOCK);
    bool is_there = test_until(reactor, has_peer, NULL);
    test_rounds(reactor, 5);
    return is_there;
}

/* What has come, in all. */
static const char *heard(void)
{
    static char text[64];
    ssize_t n = peer < 0 ? -1 : recv(peer, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

TEST(it_fires_with_what_converse_has_returned_and_the_connection_is_closed)
{
    if (!begin())
        return;
    fate_deferred *d = fate_hold(converse(&asker));
    if (accept_peer()) {
        EXPECT_STR(heard(), "?\n");
        EXPECT(send(peer, "yes\r\n", 5, MSG_NOSIGNAL) == 5);
    }
    fate_release(d);
    fate_value result = test_result_of(reactor, d);
    EXPECT_TEXT(&result, "yes");
    fate_drop(result);
    test_rounds(reactor, 5);
    EXPECT_STR(test_trace(), "lost ConnectionDone; ");
    EXPECT_EQ(recv(peer, &(char){ 0 }, 1, 0), 0);
    end();
}

TEST(one_that_returns_at_once_has_its_words_flushed)
{
    if (!begin())
        return;
    fate_value result = test_result_of(reactor, converse(&quick));
    EXPECT_INT(&result, 42);
    fate_drop(result);
    test_rounds(reactor, 5);
    if (accept_peer())
        EXPECT_STR(heard(), "bye\n");
    EXPECT_STR(test_trace(), "lost ConnectionDone; ");
    end();
}

TEST(its_failure_is_the_deferreds_and_is_not_logged)
{
    if (!begin())
        return;
    test_expect_fails(reactor, converse(&failing), &FATE_VALUE_ERROR, "no");
    EXPECT_EQ(test_logs(reactor), 0);
    end();
}

TEST(without_a_connection_it_fails_as_connecting_does)
{
    if (!begin())
        return;
    port = test_refused_port();
    test_expect_fails_with(reactor, converse(&asker), &FATE_CONNECTION_REFUSED, "nothing listens there");
    end();
}

TEST(a_connection_that_is_lost_ends_the_conversation)
{
    if (!begin())
        return;
    fate_deferred *d = fate_hold(converse(&asker));
    if (accept_peer()) {
        const struct linger reset = { 1, 0 };
        setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(peer);
        peer = -1;
    }
    fate_release(d);
    test_expect_fails_with(reactor, d, &FATE_CONNECTION_RESET, "");
    test_until_trace(reactor, "lost ");
    EXPECT_STR(test_trace(), "lost ConnectionReset; ");
    end();
}

/* ---- Cancelling ---- */

TEST(a_cancel_while_it_connects_closes_the_attempts)
{
    if (!begin())
        return;
    test_route("192.0.2.1", test_black_hole());
    fate_deferred *d = fate_hold(fate_converse(reactor, "tcp:192.0.2.1:80", &asker, fate_none()));
    test_rounds(reactor, 2);
    fate_cancel(d);
    fate_release(d);
    test_expect_fails(reactor, d, &FATE_CANCELLED, "");
    end();
}

TEST(a_cancel_fails_what_converse_awaits_and_its_result_is_waited_for)
{
    if (!begin())
        return;
    fate_deferred *d = fate_hold(converse(&tidy));
    accept_peer();
    fate_cancel(d);
    fate_release(d);
    fate_value result = test_result_of(reactor, d);
    EXPECT_TEXT(&result, "clean");
    fate_drop(result);
    test_rounds(reactor, 5);
    EXPECT_STR(heard(), "bye\n");
    EXPECT_STR(test_trace(), "cleans up after CancelledError; lost ConnectionDone; ");
    end();
}

static fate_deferred *to_cancel;

static fate_value cancel_itself(fate_coro *co, fate_protocol *p)
{
    fate_cancel(to_cancel);
    fate_value got = fate_await(co, fate_receive(p));
    test_trace_add("got %s; ", fate_is_failure(&got) ? fate_class_of(&got)->name : "a message");
    fate_drop(got);
    return fate_str("too late");
}

TEST(a_cancel_in_the_first_words_of_a_conversation_aborts_it)
{
    static const fate_protocol_ops ops = LINES(cancel_itself);

    if (!begin())
        return;
    to_cancel = converse(&ops);
    test_expect_fails(reactor, to_cancel, &FATE_CANCELLED, "");
    test_until_trace(reactor, "lost ");
    EXPECT_STR(test_trace(), "got ConnectionAborted; lost ConnectionAborted; ");
    end();
}

TEST(a_reactor_may_go_in_the_midst_of_a_conversation)
{
    for (int rounds = 0; rounds < 4; rounds++) {
        if (!begin())
            return;
        converse(&asker);
        converse(&tidy);
        test_rounds(reactor, rounds);
        end();
    }
}

/* ---- What it is told of, and what cannot be ---- */

static void look_for_converse(const fate_thing *thing, fate_value *arg)
{
    if (strstr(thing->site, "test_connect_converse.c") && strstr(thing->state, fate_as_ptr(arg)))
        test_trace_add("seen; ");
}

TEST(the_report_says_what_it_does)
{
    if (!begin())
        return;
    fate_deferred *d = fate_hold(converse(&asker));
    fate_reactor_each(reactor, look_for_converse, fate_ptr("to answer"));
    EXPECT_CONTAINS(test_trace(), "seen; ");
    test_trace_clear();
    accept_peer();
    fate_reactor_each(reactor, look_for_converse, fate_ptr("the conversation"));
    EXPECT_CONTAINS(test_trace(), "seen; ");
    fate_cancel(d);
    fate_release(d);
    test_expect_fails(reactor, d, &FATE_CANCELLED, "");
    end();
}

static void converse_without(void *arg)
{
    reactor = fate_reactor_new_simulated();
    fate_converse(reactor, "tcp:localhost:80", &test_recorder, fate_none());
}

TEST(a_protocol_without_converse_stops_the_program)
{
    EXPECT_STOP(converse_without, NULL, "fate_converse was given a protocol without converse",
                "test_connect_converse.c");
}

static fate_deferred *asking;

static fate_protocol *build_own(fate_value *arg, const fate_address *from)
{
    return calloc(1, sizeof(fate_protocol));
}

static void abort_it(fate_protocol *p)
{
    fate_abort_connection(p->transport);
}

static void free_and_cancel(fate_protocol *p, fate_value *why)
{
    free(p);
    fate_cancel(asking);
}

TEST(a_cancel_by_a_protocol_that_has_freed_itself_is_harmless)
{
    const fate_protocol_ops ops = { .size = sizeof ops,
                                    .build = build_own,
                                    .connection_made = abort_it,
                                    .converse = ask,
                                    .connection_lost = free_and_cancel };

    if (!begin())
        return;
    asking = fate_hold(fate_converse(reactor, test_tcp("127.0.0.1", port), &ops, fate_none()));
    test_expect_fails_with(reactor, asking, &FATE_CONNECTION_LOST, "lost before converse could begin");
    fate_release(asking);
    end();
}

TEST(the_plain_functions_do_the_same)
{
    if (!begin())
        return;
    test_expect_fails_with(reactor, (fate_converse)(reactor, "tcq:", &asker, fate_none()),
                           &FATE_ENDPOINT_ERROR, "tcq");
    test_expect_fails_with(reactor, (fate_converse_with)(reactor, "tcq:", &asker, fate_none(), NULL),
                           &FATE_ENDPOINT_ERROR, "tcq");
    end();
}
