/* Tests of HTTP pages that do what few do: long heads, bodies read late or twice, sources that give what is
 * no piece, odd files, logs in JSON. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/sys.h>

#include "test_http_server_helpers.h"

#define GET(path)     "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST(path, n) "POST " path " HTTP/1.1\r\nHost: x\r\nContent-Length: " n "\r\n\r\n"

/* ---- Heads ---- */

#define N_FIELDS 100

static fate_value many_fields(fate_request *request, fate_value *arg)
{
    char name[40], value[200];

    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (int i = 0; i < N_FIELDS; i++) {
        snprintf(name, sizeof name, "X-Field-%d", i);
        fate_set_header(request, name, value);
    }
    return fate_str("many");
}

static fate_value many_texts(fate_request *request, fate_value *arg)
{
    size_t n = 0;
    char name[20];

    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "x%d", i);
        const char *text = fate_request_query(request, name), *again = fate_request_query(request, name);
        EXPECT(text == again);
        n += text ? strlen(text) : 0;
        const char *header = fate_request_header(request, "x-twice");
        n += header ? strlen(header) : 0;
    }
    return fate_format("%zu", n);
}

static const fate_route head_routes[] = { { "GET /fields", many_fields },
                                          { "GET /texts", many_texts },
                                          { 0 } };

TEST(an_answer_may_have_many_and_long_fields)
{
    if (!web_begin(NULL, head_routes))
        return;
    for (int i = 0; i < 2; i++) { /* the second time out of memory that was used before */
        const char *heard = web_ask(GET("/fields"));
        EXPECT_CONTAINS(heard, "X-Field-0: vvvv");
        EXPECT_CONTAINS(heard, "X-Field-99: vvvv");
        EXPECT_CONTAINS(heard, "Content-Length: 4\r\n");
        EXPECT_CONTAINS(heard, "\r\n\r\nmany");
    }
}

TEST(a_page_may_ask_for_the_same_texts_again_and_again)
{
    if (!web_begin(NULL, head_routes))
        return;
    const char *heard =
        web_ask("GET /texts?x0=a&x99=b%20c HTTP/1.1\r\nHost: x\r\nX-Twice: 1\r\nx-twice: 2\r\n\r\n");
    EXPECT_CONTAINS(heard, "\r\n\r\n404"); /* 1 + 3 + 100 times "1, 2" */
}

/* ---- Bodies ---- */

static fate_value kept;

static fate_value keep_body(fate_request *request, fate_value *arg)
{
    kept = fate_request_body(request);
    return fate_str("kept");
}

static fate_value pass(fate_value *v, fate_value *arg)
{
    return fate_take(v);
}

static fate_value form(fate_request *request, fate_value *arg)
{
    return fate_follow(fate_add_callback(fate_request_form(request), pass, fate_none()));
}

static fate_value read_to_the_end(fate_value *v, fate_value *arg)
{
    return fate_follow(fate_read(arg)); /* none, again */
}

static fate_value read_beyond(fate_request *request, fate_value *arg)
{
    fate_value source = fate_request_body(request);
    fate_deferred *d = fate_read(&source);

    fate_add_callback(d, read_to_the_end, fate_copy(&source));
    return fate_follow(fate_add_callback(d, read_to_the_end, source));
}

static const fate_route body_routes[] = {
    { "POST /keep", keep_body }, { "POST /form", form }, { "POST /beyond", read_beyond }, { 0 }
};

static fate_value note_class(fate_value *why, fate_value *to)
{
    *(const fate_class **)fate_as_ptr(to) = fate_class_of(why);
    return fate_none();
}

static void expect_late_read(const fate_class *c)
{
    const fate_class *found = NULL;
    fate_value source = fate_take(&kept);

    if (!fate_is_source(&source)) {
        fate_drop(source);
        return;
    }
    fate_add_errback(fate_read(&source), note_class, fate_ptr(&found));
    fate_advance(web_reactor, 0);
    EXPECT_PTR(found, c);
    fate_drop(source);
}

/* Behind the answer what comes of a body is dropped, and nobody is told that it was all. */
TEST(a_body_that_is_read_behind_the_answer_is_a_short_one)
{
    if (!web_begin(NULL, body_routes))
        return;
    kept = fate_none();
    EXPECT_CONTAINS(web_ask(POST("/keep", "5") "he"), "kept");
    expect_late_read(&FATE_HTTP_SHORT_BODY);
    web_ask(POST("/keep", "5") "he");
    web_lose();
    expect_late_read(&FATE_HTTP_SHORT_BODY);
}

TEST(the_end_of_a_body_comes_again)
{
    if (!web_begin(NULL, body_routes))
        return;
    EXPECT_CONTAINS(web_ask(POST("/beyond", "5") "hello"), "HTTP/1.1 204 ");
    EXPECT_CONTAINS(web_ask(POST("/beyond", "0")), "HTTP/1.1 204 ");
}

TEST(a_form_has_at_most_a_thousand_fields)
{
    static char request[5000];
    int n = snprintf(request, sizeof request,
                     "POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                     "Content-Length: 2002\r\n\r\n");

    for (int i = 0; i < 1001; i++)
        n += snprintf(request + n, sizeof request - (size_t)n, "a&");
    if (web_begin(NULL, body_routes))
        EXPECT_CONTAINS(web_ask(request), "HTTP/1.1 413 ");
}

static fate_value ask_twice(fate_request *request, fate_value *arg)
{
    fate_drop(fate_request_body(request));
    fate_request_text(request);
    return fate_none();
}

static fate_value no_such_int(fate_request *request, fate_value *arg)
{
    return fate_int(fate_request_int(request, "n"));
}

static fate_value raise_ok(fate_request *request, fate_value *arg)
{
    return fate_http_raise(200, "all is well");
}

static const fate_route wrong_routes[] = {
    { "GET /twice", ask_twice }, { "GET /int/{n}", no_such_int }, { "GET /ok", raise_ok }, { 0 }
};

static void ask_wrongly(void *request)
{
    web_begin(NULL, wrong_routes);
    web_ask(request);
}

TEST(what_a_page_does_wrong_stops)
{
    EXPECT_STOP(ask_wrongly, GET("/twice"), "fate_request_text", "asked for already");
    EXPECT_STOP(ask_wrongly, GET("/int/5"), "fate_request_int", "{n:int}");
    EXPECT_STOP(ask_wrongly, GET("/ok"), "fate_http_raise", "200", "400 to 599");
}

/* ---- Answers ---- */

static fate_deferred *read_number(fate_value *arg, size_t bytes_max)
{
    return fate_succeed(web_reactor, fate_int(5));
}

static fate_deferred *fail_to_read(fate_value *arg, size_t bytes_max)
{
    return fate_fail(web_reactor, fate_raise(&FATE_VALUE_ERROR, "out of tea"));
}

static const fate_source_ops numbers = { .size = sizeof numbers, .read = read_number };
static const fate_source_ops failing = { .size = sizeof failing, .read = fail_to_read };

static fate_value stream(fate_request *request, fate_value *arg)
{
    const char *what = fate_request_param(request, "what");

    return fate_source(web_reactor, strcmp(what, "numbers") == 0 ? &numbers : &failing, fate_none());
}

static fate_value long_text(fate_request *request, fate_value *arg)
{
    static const char text[100000] = { 0 };

    return fate_str_n(text, sizeof text);
}

static fate_value old_date(fate_request *request, fate_value *arg)
{
    return fate_dict_of({ "at", fate_datetime(-500000000) });
}

static fate_value bytes_in_list(fate_request *request, fate_value *arg)
{
    return fate_list_of(fate_bytes("abc", 3));
}

static const fate_route answer_routes[] = { { "GET /stream/{what}", stream },
                                            { "GET /long", long_text },
                                            { "GET /date", old_date },
                                            { "GET /bytes", bytes_in_list },
                                            { 0 } };

TEST(a_source_of_what_is_no_piece_is_cut)
{
    if (!web_begin(NULL, answer_routes))
        return;
    EXPECT(!strstr(web_ask(GET("/stream/numbers")), "\r\n0\r\n"));
    EXPECT(web_has_ended());
    EXPECT_CONTAINS(web_logged(), "TypeError: the source of an answer gave what is no text and no bytes");
    EXPECT(!strstr(web_ask(GET("/stream/failing") GET("/date")), "1969"));
    EXPECT(web_has_ended());
    EXPECT_CONTAINS(web_logged(), "ValueError: out of tea");
}

TEST(head_of_a_long_text_says_how_long_it_is)
{
    if (!web_begin(NULL, answer_routes))
        return;
    const char *heard = web_ask("HEAD /long HTTP/1.1\r\nHost: x\r\n\r\n" GET("/date"));
    EXPECT_CONTAINS(heard, "Content-Length: 100000\r\n");
    EXPECT_CONTAINS(heard, "\r\n\r\nHTTP/1.1 200 OK\r\n");
}

TEST(json_knows_the_time_before_1970_and_no_bytes)
{
    if (!web_begin(NULL, answer_routes))
        return;
    EXPECT_CONTAINS(web_ask(GET("/date")), "{\"at\":\"1969-12-31T23:59:59.5Z\"}");
    EXPECT_CONTAINS(web_ask(GET("/bytes")), "HTTP/1.1 500 ");
    EXPECT_CONTAINS(web_logged(), "bytes in it");
}

/* ---- Options ---- */

static fate_value note_message(fate_value *why, fate_value *to)
{
    snprintf(fate_as_ptr(to), 200, "%s", fate_message(why));
    return fate_none();
}

static void expect_refused(const fate_site_options *options, const char *part)
{
    fate_reactor *reactor = test_reactor();
    fate_website *site = fate_site_new_at(reactor, options, FATE_HERE);
    char message[200] = "";

    fate_site_routes(site, answer_routes, fate_none());
    fate_add_errback(fate_serve_site(site, "tcp:80"), note_message, fate_ptr(message));
    EXPECT_CONTAINS(message, part);
    fate_reactor_free(reactor);
}

TEST(options_that_cannot_be_used_fail_serving)
{
    expect_refused(FATE_WITH(fate_site_options, .server_name = "me\r\nEvil: x"), "server_name");
    expect_refused(FATE_WITH(fate_site_options, .idle_timeout = -1), "negative");
    expect_refused(FATE_WITH(fate_site_options, .log_format = "xml"), "\"xml\"");
    expect_refused(FATE_WITH(fate_site_options, .log_format = "json", .log_file = "/nowhere/at/all"),
                   "open the access log /nowhere/at/all");
}

/* ---- The access log ---- */

TEST(what_is_no_request_is_logged_without_what_it_said)
{
    const fate_site_options options = { .size = sizeof options, .log_format = "common" };

    if (!web_begin(&options, answer_routes))
        return;
    web_ask(GET("/date?a=\xc3\xa4"));
    EXPECT_CONTAINS(web_logged(), "] \"-\" 400 ");
    web_ask("\x16\x03\x01\r\n\r\n");
    EXPECT_CONTAINS(web_logged(), "] \"-\" 400 ");
}

static char fields[500];

static void note_fields(const fate_log_entry *entry, fate_value *arg)
{
    fate_value text = entry->fields ? fate_describe(entry->fields) : fate_none();
    const char *s = "";

    fate_get_str(&text, &s);
    snprintf(fields, sizeof fields, "%s", s);
    fate_drop(text);
}

TEST(a_log_in_json_without_a_file_has_fields)
{
    const fate_site_options options = { .size = sizeof options, .log_format = "json" };

    fields[0] = '\0';
    if (!web_begin(&options, answer_routes))
        return;
    fate_log_observe(web_reactor, FATE_LOG_INFO, note_fields, fate_none());
    web_ask(GET("/date"));
    EXPECT_STR(fields,
               "{\"peer\": \"10.0.0.2\", \"method\": \"GET\", \"target\": \"/date\", \"status\": 200, "
               "\"bytes\": 31, \"microseconds\": 0}");
}

/* ---- Files ---- */

static char folder[] = "/tmp/fate-pages-XXXXXX";

static const char *path(const char *name)
{
    static char text[100];

    snprintf(text, sizeof text, "%s/%s", folder, name);
    return text;
}

static void remove_files(void)
{
    unlink(path("pipe"));
    unlink(path("a.txt"));
    rmdir(path("index.html"));
    rmdir(folder);
}

static void make_files(void)
{
    static bool is_made;

    if (is_made)
        return;
    is_made = true;
    if (!mkdtemp(folder) || mkfifo(path("pipe"), 0600) < 0 || mkdir(path("index.html"), 0700) < 0)
        abort();
    FILE *file = fopen(path("a.txt"), "w");
    if (!file || fputs("0123456789", file) < 0 || fclose(file) != 0)
        abort();
    atexit(remove_files);
}

static int no_open_beneath(int dir, const char *name, int flags)
{
    errno = ENOSYS;
    return -1;
}

static void expect_files(const char *long_name)
{
    char request[600];

    if (!web_begin(NULL, NULL))
        return;
    fate_site_mount(web_site, "/", fate_static_new(web_reactor, folder));
    EXPECT_CONTAINS(web_ask(GET("/a.txt")), "0123456789");
    EXPECT_CONTAINS(web_ask(GET("/pipe")), " 404 ");   /* not waited for */
    EXPECT_CONTAINS(web_ask(GET("/")), "index.html/"); /* a folder of that name is none */
    snprintf(request, sizeof request, "GET /%s/a.txt HTTP/1.1\r\nHost: x\r\n\r\n", long_name);
    EXPECT_CONTAINS(web_ask(request), " 404 ");
    EXPECT(!strstr(web_ask(GET("//index.html")), "Location: //"));
    EXPECT(!strstr(web_ask(GET("//evil.example/..")), "Location: //"));
    web_end();
}

TEST(odd_files_are_not_there)
{
    const struct fate__sys *usual = fate__sys;
    struct fate__sys calls = *usual;
    char name[301];

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    test_suspend_failures();
    make_files();
    test_resume_failures();
    expect_files(name);
    calls.open_beneath = no_open_beneath;
    fate__sys = &calls;
    expect_files(name);
    fate__sys = usual;
}

TEST(a_date_is_a_validator_for_ranges_if_it_is_the_same)
{
    char modified[60], request[300];

    test_suspend_failures();
    make_files();
    test_resume_failures();
    if (!web_begin(NULL, NULL))
        return;
    fate_site_mount(web_site, "/", fate_static_new(web_reactor, folder));
    const char *at = strstr(web_ask(GET("/a.txt")), "Last-Modified: ");
    if (!at || sscanf(at, "Last-Modified: %59[^\r]", modified) != 1)
        return;
    snprintf(request, sizeof request,
             "GET /a.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=2-3\r\nIf-Range: %s\r\n\r\n", modified);
    EXPECT_CONTAINS(web_ask(request), "\r\n\r\n23");
    EXPECT_CONTAINS(web_ask("GET /a.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=2-3\r\n"
                            "If-Range: Sun, 09 Sep 2001 01:46:40 GMT\r\n\r\n"),
                    "\r\n\r\n0123456789");
}

#define N_LISTED 10000

/* So many files in a folder, and gone again with n 0. */
static void fill_folder(int n)
{
    char name[100];

    for (int i = 0; i < N_LISTED + 5; i++) {
        snprintf(name, sizeof name, "%s/many/%d", folder, i);
        int fd = i < n ? open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
        if (fd >= 0)
            close(fd);
        else
            unlink(name);
    }
}

static size_t n_listed(const char *heard)
{
    size_t n = 0;

    for (; (heard = strstr(heard, "<li><a href=\"./")); heard++)
        n++;
    return n;
}

VOLUME_TEST(a_listing_has_an_end_and_says_so)
{
    make_files();
    if (mkdir(path("many"), 0700) < 0 || !web_begin(NULL, NULL))
        abort();
    fate_site_mount(web_site, "/", fate_static_new(web_reactor, folder));
    fill_folder(N_LISTED);
    const char *heard = web_ask(GET("/many/"));
    EXPECT_EQ(n_listed(heard), N_LISTED);
    EXPECT(!strstr(heard, "There is more"));
    fill_folder(N_LISTED + 1);
    heard = web_ask(GET("/many/"));
    EXPECT_EQ(n_listed(heard), N_LISTED);
    EXPECT_CONTAINS(heard, "There is more: only 10000 entries are shown.");
    fill_folder(0);
    rmdir(path("many"));
}
