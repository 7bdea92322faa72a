/* Tests of the HTTP client with servers that mean no good: who lead elsewhere, hang up, and never end. */
#include <stdio.h>
#include <string.h>

#include <http/coding.h>

#include "test_http_client_helpers.h"

#define OK_HELLO  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define TO(where) "HTTP/1.1 302 Found\r\nLocation: " where "\r\nContent-Length: 0\r\n\r\n"
#define CHUNKED   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static const fate_header secrets[] = { { "Cookie", "secret" }, { "Proxy-Authorization", "secret" }, { 0 } };

/* ---- Leading elsewhere ---- */

static fate_deferred *get_with_secrets(const char *url)
{
    return fate_get_page_with(client_reactor, url, .headers = secrets, .user_password = "user:password");
}

/* How many of the requests had them; "web" and "10.0.0.1" are two origins. */
static void expect_secrets(const char *location, const char *location_of_second, int n)
{
    const struct web_answer script[] = { { .says = location },
                                         { .says = location_of_second ? location_of_second : OK_HELLO },
                                         { .says = OK_HELLO },
                                         { 0 } };

    if (web_open(script)) {
        web_expect_text(get_with_secrets("http://web/a"), "hello");
        EXPECT_EQ(web_heard_times("Cookie: secret"), n);
        EXPECT_EQ(web_heard_times("Proxy-Authorization: secret"), n);
        EXPECT_EQ(web_heard_times("\r\nAuthorization: Basic dXNlcjpwYXNzd29yZA==\r\n"), n);
        EXPECT_EQ(web_heard_times("HTTP/1.1\r\n"), location_of_second ? 3 : 2);
    }
    web_close();
}

TEST(secrets_stay_with_their_origin)
{
    expect_secrets(TO("/b"), NULL, 2);
    expect_secrets(TO("http://WEB:80/b"), NULL, 2);
    expect_secrets(TO("//10.0.0.1/b"), NULL, 1);
    expect_secrets(TO("http://web@10.0.0.1/b"), NULL, 1);
    expect_secrets(TO("http://10.0.0.1/b"), TO("http://web/c"), 1); /* not given back */
}

/* What comes in a Location is a URL, and no part of a request. */
static void expect_target(const char *location, const char *line)
{
    if (web_open((const struct web_answer[]){ { .says = location }, { .says = OK_HELLO }, { 0 } })) {
        fate_value v = web_result(fate_get_page(client_reactor, "http://web/a"));
        if (line)
            EXPECT_CONTAINS(client_heard(), line);
        else
            EXPECT_FAILURE(&v, &FATE_HTTP_REDIRECT);
        EXPECT_EQ(web_heard_times("\r\nEvil:"), 0);
        fate_drop(v);
    }
    web_close();
}

TEST(a_location_injects_nothing)
{
    expect_target(TO("/b%0d%0aEvil:%20x"), "GET /b%0d%0aEvil:%20x HTTP/1.1\r\nHost: web\r\n");
    expect_target(TO("/b HTTP/1.1"), "GET /b%20HTTP/1.1 HTTP/1.1\r\nHost: web\r\n");
    expect_target(TO("/b\tc"), NULL);
    expect_target(TO("http://web%0d%0aEvil: x/"), NULL);
    expect_target(TO("http://10.0.0.1:80:80/"), NULL);
    expect_target(TO("http://we\\b/"), NULL);
    expect_target(TO("data:text/html,hello"), NULL);
    expect_target(TO("http:"), NULL);
}

TEST(two_who_lead_to_each_other_are_left)
{
    struct web_answer script[13] = { { 0 } };

    for (int i = 0; i < 12; i++)
        script[i].says = i % 2 ? TO("http://web/a") : TO("http://10.0.0.1/b");
    if (web_open(script)) {
        web_expect_failure(fate_get_page(client_reactor, "http://web/a"), &FATE_HTTP_REDIRECT, "too many");
        EXPECT_EQ(web_heard_times("GET /"), 11);
    }
    web_close();
}

/* ---- Hanging up ---- */

/* A connection that has been used, and on which this is the answer then; perhaps another is tried. */
static void expect_tries(const struct web_answer *second, const fate_class *c, int n)
{
    const struct web_answer script[] = { { .says = OK_HELLO }, *second, *second, *second, { 0 } };

    if (web_open(script)) {
        web_expect_text(fate_get_page(client_reactor, "http://web/1"), "hello");
        web_expect_failure(fate_get_page(client_reactor, "http://web/2"), c, "");
        EXPECT_EQ(web_heard_times("GET /2"), n);
    }
    web_close();
}

TEST(a_stale_connection_is_tried_again_only_once_and_only_without_an_answer)
{
    const struct web_answer closes = { .when = "GET /2", .then = WEB_CLOSE },
                            resets = { .when = "GET /2", .then = WEB_RESET },
                            begins = { .says = "HTTP/1.1 2", .when = "GET /2", .then = WEB_CLOSE },
                            hints = { .says = "HTTP/1.1 102 Wait\r\n\r\n",
                                      .when = "GET /2",
                                      .then = WEB_CLOSE };

    expect_tries(&closes, &FATE_HTTP_PROTOCOL, 2);
    expect_tries(&resets, &FATE_CONNECTION_RESET, 2);
    expect_tries(&begins, &FATE_HTTP_PROTOCOL, 1);
    expect_tries(&hints, &FATE_HTTP_PROTOCOL, 1);
}

/* Each redirect may find a stale connection, and each is tried again. */
TEST(a_redirect_to_a_stale_connection_is_tried_again_too)
{
    const struct web_answer script[] = { { .says = OK_HELLO },
                                         { .when = "GET /2", .then = WEB_CLOSE },
                                         { .says = TO("/3"), .when = "GET /2" },
                                         { .when = "GET /3", .then = WEB_CLOSE },
                                         { .says = OK_HELLO, .when = "GET /3" },
                                         { 0 } };

    if (web_open(script)) {
        web_expect_text(fate_get_page(client_reactor, "http://web/1"), "hello");
        web_expect_text(fate_get_page(client_reactor, "http://web/2"), "hello");
        EXPECT_EQ(web_heard_times("GET /2"), 2);
        EXPECT_EQ(web_heard_times("GET /3"), 2);
    }
    web_close();
}

/* ---- Never ending ---- */

#define KIB 1024L

/* So much of it, at once and drop by drop; what the client keeps of it stays small. */
static void expect_end_of(const char *begin, const char *again, const fate_class *c, long bytes_max)
{
    const struct web_answer script[] = {
        { .says = begin, .and_says = again, .n_times = 100000, .every = FATE_MILLISECOND }, { 0 }
    };

    if (web_open(script)) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .page_bytes_max = 100 * (size_t)KIB);
        fate_deferred *d = fate_hold(fate_get_page_with(client_reactor, "http://web/", .agent = agent));
        long before = test_bytes(), most = 0;
        for (int i = 0; i < 1000 && fate_state(d) != FATE_DONE; i++) {
            fate_play(client_reactor, 100 * FATE_MILLISECOND);
            most = test_bytes() - before > most ? test_bytes() - before : most;
        }
        if (!EXPECT(most < bytes_max))
            fprintf(stderr, "%s … %s: %ld bytes\n", begin, again, most);
        web_expect_failure(d, c, "");
        fate_release(d);
        EXPECT_EQ(fate_agent_connections(agent), 0);
    }
    web_close();
}

VOLUME_TEST(what_never_ends_is_given_up_and_fills_no_memory)
{
    const long few = 200 * KIB; /* with the buffers of both ends and what lies between */

    expect_end_of("HTTP/1.1 200 OK\r\nA: ", "0123456789", &FATE_HTTP_TOO_LARGE, few);
    expect_end_of("HTTP/1.1 200 OK\r\n", "Cookie: 1\r\n", &FATE_HTTP_TOO_LARGE, few);
    expect_end_of("HTTP/1.1 200 ", "very much OK ", &FATE_HTTP_TOO_LARGE, few);
    expect_end_of("", "0123456789", &FATE_HTTP_PROTOCOL, few);
    expect_end_of("", "HTTP/1.1 100 Go on\r\n\r\n", &FATE_HTTP_TOO_LARGE, few);
    expect_end_of(CHUNKED "1;", "extension", &FATE_HTTP_TOO_LARGE, few);
    expect_end_of(CHUNKED, "00000000000", &FATE_HTTP_PROTOCOL, few);
    expect_end_of(CHUNKED "0\r\n", "Trailer: 1\r\n", &FATE_HTTP_TOO_LARGE, few);
    expect_end_of(CHUNKED "0\r\nTrailer: ", "0123456789", &FATE_HTTP_TOO_LARGE, few);
    expect_end_of(CHUNKED, "5\r\nhello\r\n", &FATE_HTTP_TOO_LARGE, 500 * KIB);
}

/* Ten million zeros, packed, in an answer; false: no memory. */
static bool make_bomb(struct fate__text *answer)
{
    static const char zeros[10000] = { 0 };
    struct fate__text body = { 0 };
    struct fate__encoder *encoder = fate__encoder_new(FATE__GZIP, 9);
    int why = encoder ? 0 : -1;

    for (int i = 1000; i > 0 && why == 0; i--)
        why = fate__encoder_add(encoder, (struct fate__slice){ zeros, sizeof zeros },
                                i == 1 ? FATE__ENCODE_END : FATE__ENCODE_MORE, &body);
    fate__encoder_free(encoder);
    fate__text_format(answer, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
                      body.len);
    fate__text_add_n(answer, body.bytes ? body.bytes : "", body.len);
    answer->has_failed |= why < 0 || body.has_failed;
    fate__text_done(&body);
    return !answer->has_failed;
}

static size_t n_zeros;
static long held_before, most_held;

static fate_value count_piece(fate_value *piece, fate_value *source)
{
    long held = test_bytes() - held_before;

    most_held = held > most_held ? held : most_held;
    n_zeros += fate_is_none(piece) ? 0 : fate_count(piece);
    if (fate_is_none(piece) || n_zeros > 10000000)
        return fate_none();
    return fate_follow(fate_add_callback(fate_read(source), count_piece, fate_copy(source)));
}

static fate_value read_pieces(fate_value *response, fate_value *arg)
{
    fate_value source = fate_response_body(fate_as_response(response));
    fate_deferred *d = fate_read(&source);

    return fate_follow(fate_add_callback(d, count_piece, source));
}

VOLUME_TEST(a_bomb_explodes_piece_by_piece_or_not_at_all)
{
    struct fate__text bomb = { 0 };
    bool is_made = fate__has_zlib && make_bomb(&bomb);
    const struct web_answer script[] = { { .says = bomb.bytes, .n_bytes = bomb.len },
                                         { .says = bomb.bytes, .n_bytes = bomb.len },
                                         { 0 } };

    if (is_made && web_open(script)) {
        fate_agent *agent = fate_agent_new_with(client_reactor, .page_bytes_max = 100 * (size_t)KIB);
        web_expect_failure(fate_get_page_with(client_reactor, "http://web/", .agent = agent),
                           &FATE_HTTP_TOO_LARGE, "unpacked");
        n_zeros = 0;
        most_held = 0;
        held_before = test_bytes();
        fate_deferred *d = fate_fetch_with(client_reactor, "http://web/", .agent = agent);
        fate_drop(web_result(fate_add_callback(d, read_pieces, fate_none())));
        EXPECT_EQ(n_zeros, 10000000);
        EXPECT(most_held < 1000 * KIB); /* most of it the test's own deferreds, one for each piece */
        web_close();
    }
    fate__text_done(&bomb);
}
