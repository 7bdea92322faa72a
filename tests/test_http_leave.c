/* Tests of HTTP clients that go away while they are being answered: what their page follows is cancelled, its
 * source stopped, its file closed, once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_http_server_helpers.h"

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"

/* ---- Pages that are never done, and note how they end ---- */

static int n_begun, n_cancelled, n_gone;

static void note_cancel(fate_deferred *d, fate_value *arg)
{
    n_cancelled++;
}

static void note_gone(void *data)
{
    n_gone++;
}

struct noted {
    int unused;
};

static fate_value noted(void)
{
    n_begun++;
    return fate_box_with(note_gone, struct noted, 0);
}

static fate_deferred *never(fate_value arg)
{
    return fate_deferred_new_cancellable(web_reactor, note_cancel, arg);
}

static fate_value follow(fate_request *request, fate_value *arg)
{
    return fate_follow(never(noted()));
}

/* One that is waited for by a coroutine's like: what it follows follows another. */
static fate_value follow_on(fate_value *v, fate_value *arg)
{
    return fate_follow(never(fate_copy(arg)));
}

static fate_value follow_twice(fate_request *request, fate_value *arg)
{
    fate_deferred *d = fate_succeed(web_reactor, fate_none());

    return fate_follow(fate_add_callback(d, follow_on, noted()));
}

static fate_deferred *read_never(fate_value *arg, size_t bytes_max)
{
    return never(fate_none());
}

static fate_deferred *read_zeros(fate_value *arg, size_t bytes_max)
{
    static const char zeros[30000] = { 0 };

    return fate_succeed(web_reactor, fate_bytes(zeros, sizeof zeros));
}

static const fate_source_ops silent = { .size = sizeof silent, .read = read_never };
static const fate_source_ops endless = { .size = sizeof endless, .read = read_zeros };

static fate_value stream_nothing(fate_request *request, fate_value *arg)
{
    return fate_source(web_reactor, &silent, noted());
}

static fate_value stream_much(fate_request *request, fate_value *arg)
{
    return fate_source(web_reactor, &endless, noted());
}

static fate_value keep_box(fate_value *v, fate_value *arg)
{
    return fate_take(v);
}

static fate_value collect(fate_request *request, fate_value *arg)
{
    return fate_follow(fate_add_callback(fate_request_text(request), keep_box, noted()));
}

static fate_value echo(fate_request *request, fate_value *arg)
{
    n_begun++; /* the body of a request is the library's own source */
    n_gone++;
    return fate_request_body(request);
}

static const fate_route routes[] = {
    { "GET /follow", follow },
    { "GET /twice", follow_twice },
    { "GET /silent", stream_nothing },
    { "GET /much", stream_much },
    { "POST /collect", collect },
    { "POST /echo", echo },
    { 0 },
};

/* ---- Files ---- */

static char folder[] = "/tmp/fate-leave-XXXXXX";

static void remove_files(void)
{
    char path[64];

    snprintf(path, sizeof path, "%s/big", folder);
    unlink(path);
    rmdir(folder);
}

static void make_files(void)
{
    static bool is_made;
    char path[64];

    if (is_made)
        return;
    is_made = true;
    if (!mkdtemp(folder))
        abort();
    atexit(remove_files);
    snprintf(path, sizeof path, "%s/big", folder);
    FILE *file = fopen(path, "w");
    if (!file || ftruncate(fileno(file), 600000) < 0)
        abort();
    fclose(file);
}

/* ---- Leaving ---- */

enum way { LOST, HALF_CLOSED_THEN_LOST, CUT_BY_TIME, SITE_GOES, N_WAYS };

static void leave(enum way way)
{
    switch (way) {
    case HALF_CLOSED_THEN_LOST:
        web_end_of_peer();
        fate_play(web_reactor, FATE_SECOND);
        web_lose();
        break;
    case CUT_BY_TIME:
        if (web_connection)
            fate_abort_connection(web_connection->transport);
        fate_play(web_reactor, FATE_SECOND);
        break;
    case SITE_GOES:
        web_end();
        break;
    default:
        web_lose();
        break;
    }
}

static void leave_during(const char *request, bool is_blocked, enum way way, fate_time after)
{
    const fate_site_options options = { .size = sizeof options, .log_format = "common" };

    n_begun = n_cancelled = n_gone = 0;
    test_suspend_failures();
    make_files();
    test_resume_failures();
    if (!web_begin(&options, routes))
        return;
    fate_site_mount(web_site, "/files", fate_static_new(web_reactor, folder));
    web_block(is_blocked);
    web_say(request);
    fate_play(web_reactor, after);
    EXPECT_EQ(n_begun, !strstr(request, "/files"));
    leave(way);
    EXPECT_EQ(n_gone, n_begun);
    EXPECT(n_cancelled <= n_begun);
    EXPECT_EQ(n_cancelled,
              strstr(request, "/follow") || strstr(request, "/twice") || strstr(request, "/silent"));
    web_end();
}

static const char *const asked[] = {
    GET("/follow"),
    GET("/twice") GET("/follow"),
    GET("/silent"),
    GET("/much"),
    GET("/files/big"),
    "GET /files/big HTTP/1.1\r\nHost: x\r\nRange: bytes=0-9999,50000-59999,100-590000\r\n\r\n",
    POST("/collect") "and so on",
    POST("/echo") "and so on",
};
#define N_ASKED (sizeof asked / sizeof *asked)

/* Those that would be answered for ever must not be read for ever. */
static bool is_endless(const char *request)
{
    return strstr(request, "/much");
}

TEST(whoever_goes_away_leaves_nothing_behind)
{
    for (size_t i = 0; i < N_ASKED; i++)
        leave_during(asked[i], is_endless(asked[i]), LOST, 0);
}

VOLUME_TEST(whichever_way_a_client_goes_it_leaves_nothing_behind)
{
    for (size_t i = 0; i < N_ASKED; i++)
        for (enum way way = 0; way < N_WAYS; way++)
            for (fate_time after = 0; after < 4 * FATE_SECOND; after += FATE_SECOND)
                for (int is_blocked = is_endless(asked[i]); is_blocked < 2; is_blocked++)
                    leave_during(asked[i], is_blocked, way, after);
}

/* ---- Leaving out of a page ---- */

static fate_value abort_it(fate_request *request, fate_value *arg)
{
    fate_abort_connection(web_connection->transport);
    return fate_str("not any more");
}

static fate_value lose_it_later(fate_value *v, fate_value *arg)
{
    fate_abort_connection(web_connection->transport);
    return fate_str("not any more");
}

static fate_value abort_later(fate_request *request, fate_value *arg)
{
    fate_deferred *d = fate_defer_later(web_reactor, FATE_SECOND, NULL, fate_none());

    return fate_follow(fate_add_callback(d, lose_it_later, fate_none()));
}

/* Again and again, as who has much to say does, but not for ever. */
static int n_reads;

static fate_deferred *abort_in_read(fate_value *arg, size_t bytes_max)
{
    fate_abort_connection(web_connection->transport);
    return fate_succeed(web_reactor, n_reads++ < 1000 ? fate_str("not any more") : fate_none());
}

static const fate_source_ops aborting = { .size = sizeof aborting, .read = abort_in_read };

static fate_value abort_in_source(fate_request *request, fate_value *arg)
{
    return fate_source(web_reactor, &aborting, fate_none());
}

static const fate_route aborting_routes[] = {
    { "GET /now", abort_it }, { "GET /later", abort_later }, { "GET /source", abort_in_source }, { 0 }
};

TEST(a_page_may_see_its_connection_go)
{
    static const char *const requests[] = { GET("/now") GET("/now"), GET("/later"), GET("/source") };

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        n_reads = 0;
        if (!web_begin(NULL, aborting_routes))
            return;
        web_say(requests[i]);
        fate_play(web_reactor, 2 * FATE_SECOND);
        EXPECT(!strstr(web_heard(), "not any more"));
        EXPECT(web_has_ended());
        EXPECT(n_reads <= 1);
        web_end();
    }
}

/* ---- Answers without a body ---- */

static fate_value say_status(fate_request *request, fate_value *arg)
{
    const char *as = fate_request_query(request, "as"); /* NULL without memory */

    fate_set_status(request, (int)fate_request_int(request, "status"));
    return as && strcmp(as, "source") == 0 ? fate_source(web_reactor, &endless, fate_none())
                                           : fate_str(as ? as : "");
}

static const fate_route status_routes[] = { { "GET /{status:int}", say_status }, { 0 } };

static void expect_no_body(const char *status, const char *as)
{
    char request[200], name[40];

    if (!web_begin(NULL, status_routes))
        return;
    snprintf(request, sizeof request, "GET /%s?as=%s HTTP/1.1\r\nHost: x\r\n\r\n" GET("/203?as=next"), status,
             as);
    snprintf(name, sizeof name, "HTTP/1.1 %s ", status);
    const char *heard = web_ask(request), *body = strstr(heard, "\r\n\r\n");
    EXPECT(strncmp(heard, name, strlen(name)) == 0);
    EXPECT(!strstr(heard, "Transfer-Encoding"));
    EXPECT(body && strncmp(body + 4, "HTTP/1.1 203 ", 13) == 0);
    EXPECT_CONTAINS(heard, "\r\n\r\nnext");
    web_end();
}

TEST(statuses_without_a_body_have_none_whatever_the_page_returns)
{
    expect_no_body("204", "text");
    expect_no_body("304", "text");
    expect_no_body("204", "source");
    expect_no_body("304", "source");
}
