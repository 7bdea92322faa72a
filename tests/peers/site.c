/* A site for tests of the server with clients that others have written.
 *
 *     web_site ENDPOINT FOLDER [OPTION=NUMBER...]
 *
 * Options are those of fate_site_options, times in milliseconds.  What it serves until SIGTERM comes:
 *
 *   GET  /hello        six bytes
 *   GET  /json         a dict
 *   GET  /big/N        N bytes of the pattern, in chunks as there is room for them
 *   GET  /sized/N      the same with a Content-Length
 *   GET  /slow/N       a text after N milliseconds
 *   GET  /never        nothing: who asks has to go
 *   GET  /fail         a failure
 *   GET  /away         a redirect to /hello
 *   GET  /counts       how many requests for /never wait, and how many of them were cancelled
 *   POST /echo         the body, as it comes
 *   POST /collect      the body, once it is there
 *   POST /take         how many bytes the body had, and whether they are the pattern
 *   POST /refuse/N     status N, without a look at the body
 *        /files/...    the files of FOLDER
 *
 * The pattern has a prime period, so that a piece that is cut out, or comes twice, is seen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fate/fate.h>
#include <fate/http_server.h>

#define PERIOD 8191
#define PIECE  ((int64_t)65536)

static unsigned char pattern[PERIOD + PIECE];
static int64_t n_waiting, n_cancelled;

static void make_pattern(void)
{
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (unsigned char)(i % PERIOD * 31 + (i % PERIOD >> 8) * 17);
}

/* ---- Small pages ---- */

static fate_value hello(fate_request *request, fate_value *arg)
{
    return fate_str("hello\n");
}

static fate_value json(fate_request *request, fate_value *arg)
{
    fate_value dict = fate_dict();

    fate_dict_set(&dict, "answer", fate_int(42));
    fate_dict_set(&dict, "quote", fate_str("\"\n\xc3\xa9"));
    return dict;
}

static fate_value fail(fate_request *request, fate_value *arg)
{
    return fate_raise(&FATE_VALUE_ERROR, "the page fails, as it was asked to");
}

static fate_value away(fate_request *request, fate_value *arg)
{
    fate_set_status(request, 302);
    fate_set_header(request, "Location", "/hello");
    return fate_none();
}

static fate_value refuse(fate_request *request, fate_value *arg)
{
    return fate_http_raise((int)fate_request_int(request, "status"), "not this one");
}

/* ---- Pages that take their time ---- */

static fate_value late(fate_value *arg)
{
    return fate_str("late\n");
}

static fate_value slow(fate_request *request, fate_value *arg)
{
    fate_time t = fate_request_int(request, "ms") * FATE_MILLISECOND;

    return fate_follow(fate_defer_later(fate_request_reactor(request), t, late, fate_none()));
}

static void count_cancelled(fate_deferred *d, fate_value *arg)
{
    n_waiting--;
    n_cancelled++;
}

static fate_value never(fate_request *request, fate_value *arg)
{
    n_waiting++;
    return fate_follow(
        fate_deferred_new_cancellable(fate_request_reactor(request), count_cancelled, fate_none()));
}

static fate_value counts(fate_request *request, fate_value *arg)
{
    fate_value dict = fate_dict();

    fate_dict_set(&dict, "waiting", fate_int(n_waiting));
    fate_dict_set(&dict, "cancelled", fate_int(n_cancelled));
    return dict;
}

/* ---- The pattern ---- */

struct stretch {
    fate_reactor *reactor;
    int64_t at, left;
    bool is_wrong;
};

static fate_deferred *read_piece(fate_value *arg, size_t bytes_max)
{
    struct stretch *stretch = fate_unbox(struct stretch, arg);
    int64_t n = stretch->left < PIECE ? stretch->left : PIECE;

    if (n > (int64_t)bytes_max)
        n = (int64_t)bytes_max;
    if (!n)
        return fate_succeed(stretch->reactor, fate_none());
    fate_value piece = fate_bytes(pattern + stretch->at % PERIOD, (size_t)n);
    stretch->at += n;
    stretch->left -= n;
    return fate_succeed(stretch->reactor, piece);
}

static const fate_source_ops stretch_ops = { .size = sizeof stretch_ops,
                                             .name = "a stretch",
                                             .read = read_piece };

static fate_value big(fate_request *request, fate_value *arg)
{
    fate_reactor *reactor = fate_request_reactor(request);
    struct stretch stretch = { reactor, 0, fate_request_int(request, "bytes"), false };

    return fate_source(reactor, &stretch_ops, fate_box_new("struct stretch", sizeof stretch, &stretch, NULL));
}

static fate_value sized(fate_request *request, fate_value *arg)
{
    fate_set_header(request, "Content-Length", fate_request_param(request, "bytes"));
    return big(request, arg);
}

static void compare(struct stretch *stretch, const char *bytes, int64_t n_bytes)
{
    for (int64_t at = 0, n; at < n_bytes; at += n, stretch->at += n) {
        n = n_bytes - at < PIECE ? n_bytes - at : PIECE;
        if (memcmp(bytes + at, pattern + stretch->at % PERIOD, (size_t)n) != 0)
            stretch->is_wrong = true;
    }
}

static fate_deferred *compare_piece(fate_reactor *reactor, fate_value *arg, fate_value piece)
{
    size_t n_bytes;
    const char *bytes = fate_as_bytes(&piece, &n_bytes);

    compare(fate_unbox(struct stretch, arg), bytes, (int64_t)n_bytes);
    fate_drop(piece);
    return fate_succeed(reactor, fate_none());
}

static const fate_sink_ops compare_ops = { .size = sizeof compare_ops,
                                           .name = "a comparison",
                                           .write = compare_piece };

static fate_value say_verdict(fate_value *n_bytes, fate_value *arg)
{
    const char *verdict = fate_unbox(struct stretch, arg)->is_wrong ? "wrong" : "right";

    return fate_format("%lld bytes, %s\n", (long long)fate_as_int(n_bytes), verdict);
}

static fate_value take(fate_request *request, fate_value *arg)
{
    struct stretch stretch = { .reactor = fate_request_reactor(request) };
    fate_value box = fate_box_new("struct stretch", sizeof stretch, &stretch, NULL);
    fate_deferred *d = fate_pump(fate_request_body(request), fate_sink(&compare_ops, fate_copy(&box)));

    return fate_follow(fate_add_callback(d, say_verdict, box));
}

/* ---- Bodies that go back ---- */

static fate_value echo(fate_request *request, fate_value *arg)
{
    return fate_request_body(request);
}

static fate_value collect(fate_request *request, fate_value *arg)
{
    return fate_follow(fate_request_text(request));
}

static const fate_route routes[] = {
    { "GET /hello", hello },
    { "GET /json", json },
    { "GET /big/{bytes:int}", big },
    { "GET /slow/{ms:int}", slow },
    { "GET /sized/{bytes:int}", sized },
    { "GET /never", never },
    { "GET /fail", fail },
    { "GET /away", away },
    { "GET /counts", counts },
    { "POST /echo", echo },
    { "POST /collect", collect },
    { "POST /take", take },
    { "POST /refuse/{status:int}", refuse },
    { 0 },
};

/* ---- The site ---- */

static fate_site_options options = { .size = sizeof options };

static const struct {
    const char *name;
    size_t *number;
    fate_time *time;
} settings[] = {
    { "head_bytes_max", &options.head_bytes_max, NULL }, { "body_bytes_max", &options.body_bytes_max, NULL },
    { "head_timeout", NULL, &options.head_timeout },     { "body_timeout", NULL, &options.body_timeout },
    { "idle_timeout", NULL, &options.idle_timeout },     { "page_timeout", NULL, &options.page_timeout },
    { "drain_max", NULL, &options.drain_max },
};

static void set(const char *word)
{
    const char *value = strchr(word, '=');

    for (size_t i = 0; value && i < sizeof settings / sizeof *settings; i++) {
        if (strncmp(word, settings[i].name, (size_t)(value - word)) != 0 || settings[i].name[value - word])
            continue;
        if (settings[i].number)
            *settings[i].number = strtoul(value + 1, NULL, 10);
        else
            *settings[i].time = strtol(value + 1, NULL, 10) * FATE_MILLISECOND;
        return;
    }
    fprintf(stderr, "web_site: there is no option %s\n", word);
    exit(2);
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    if (argc < 3)
        exit(2);
    for (int i = 3; i < argc; i++)
        set(argv[i]);
    fate_website *site = fate_site_new_at(reactor, &options, FATE_HERE);
    fate_site_routes(site, routes, fate_none());
    fate_site_mount(site, "/files", fate_static_new(reactor, argv[2]));
    return fate_serve_site(site, argv[1]);
}

int main(int argc, char **argv)
{
    make_pattern();
    return fate_main(start, argc, argv);
}
