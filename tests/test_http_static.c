/* Tests of files over HTTP: what is found, what is not, conditions, ranges. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/sys.h>

#include "test_http_server_helpers.h"

#define GET(path)           "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define GET_IF(path, field) "GET " path " HTTP/1.1\r\nHost: x\r\n" field "\r\n\r\n"

static char folder[] = "/tmp/fate-static-XXXXXX";

static void put_at(time_t seconds, const char *name, const char *text)
{
    char path[256];
    struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file)
        return;
    fputs(text, file);
    fclose(file);
    utimensat(AT_FDCWD, path, times, 0);
}

static void put(const char *name, const char *text)
{
    put_at(1000000000, name, text);
}

static void make_folder(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    mkdir(path, 0755);
}

static void make_pipe(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (mkfifo(path, 0644) < 0)
        perror(path);
}

static void make_link(const char *to, const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (symlink(to, path) < 0)
        perror(path);
}

/* The same for all tests, and gone with the program. */
static void clean_up(void)
{
    char command[64];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        perror(command);
}

static void make_files(void)
{
    static bool is_made;

    if (is_made)
        return;
    is_made = true;
    if (!mkdtemp(folder))
        abort();
    atexit(clean_up);
    put("a.txt", "0123456789");
    put_at(2000000000, "future", "flying cars");
    make_pipe("pipe");
    put("style.css", "body {}");
    put("style.css.gz", "zipped");
    put(".secret", "secret");
    put("<&>.html", "odd");
    make_folder("sub");
    put("sub/index.html", "index");
    make_folder("list");
    put("list/b", "b");
    make_folder("list/.hidden");
    make_folder("list/below");
    make_link("../a.txt", "sub/inside");
    make_link("/etc/passwd", "outside");
    make_link("..", "up");
    make_link("a.txt", "beside");
}

static fate_value about(fate_request *request, fate_value *arg)
{
    return fate_str(fate_request_param(request, "rest"));
}

static const fate_route routes[] = { { "GET /route", about }, { "GET /files/route", about }, { 0 } };

static bool begin(void)
{
    test_suspend_failures();
    make_files();
    test_resume_failures();
    if (!web_begin(NULL, NULL))
        return false;
    fate_advance(web_reactor, 1000000001 * FATE_SECOND);
    fate_site_mount(web_site, "/files", fate_static_new(web_reactor, folder));
    fate_site_mount(
        web_site, "/shut",
        fate_static_new_with(web_reactor, folder, .hides_folders = true, .cache_control = "max-age=3600"));
    fate_site_mount(web_site, "/any", fate_resource_new(web_reactor, about, fate_none()));
    fate_site_mount(web_site, "//other.example/files", fate_resource_new(web_reactor, about, fate_none()));
    return true;
}

static void expect_status(const char *request, const char *status)
{
    const char *heard = web_ask(request);

    EXPECT(strncmp(heard, "HTTP/1.1 ", 9) == 0);
    EXPECT_CONTAINS(heard, status);
}

TEST(a_file_is_sent_with_what_is_known_of_it)
{
    if (!begin())
        return;
    const char *heard = web_ask(GET("/files/a.txt") GET("/any/x"));
    EXPECT_CONTAINS(heard, "HTTP/1.1 200 OK\r\n");
    EXPECT_CONTAINS(heard, "Content-Length: 10\r\n");
    EXPECT_CONTAINS(heard, "Content-Type: text/plain; charset=utf-8\r\n");
    EXPECT_CONTAINS(heard, "Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT\r\n");
    EXPECT_CONTAINS(heard, "ETag: \"");
    EXPECT_CONTAINS(heard, "Accept-Ranges: bytes\r\n");
    EXPECT_CONTAINS(heard, "\r\n\r\n0123456789HTTP/1.1 200 OK\r\n");
    heard = web_ask("HEAD /files/a.txt HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_CONTAINS(heard, "Content-Length: 10\r\n");
    EXPECT(!strstr(heard, "0123456789"));
}

/* What comes of a link that stays inside.  Kernels before 5.6, sandboxes and qemu have no openat2. */
static const char *by_link(void)
{
    int fd = fate__sys_real.open_beneath(AT_FDCWD, ".", O_RDONLY | O_CLOEXEC);
    bool is_followed = fd >= 0 || errno != ENOSYS;

    if (fd >= 0)
        close(fd);
    return is_followed ? "0123456789" : " 404 ";
}

TEST(what_lies_outside_is_not_there)
{
    if (!begin())
        return;
    expect_status(GET("/files/nothing"), " 404 ");
    expect_status(GET("/files/outside"), " 404 ");
    expect_status(GET("/files/pipe"), " 404 ");
    expect_status(GET("/files/up/"), " 404 ");
    expect_status(GET("/files/up/etc/passwd"), " 404 ");
    expect_status(GET("/files/.secret"), " 404 ");
    expect_status(GET("/files/list/.hidden/"), " 404 ");
    expect_status(GET("/files/../a.txt"), " 400 ");
    expect_status(GET("/files/%2e%2e/a.txt"), " 400 ");
    expect_status(GET("/files/..%2fa.txt"), " 404 ");
    expect_status(GET("/files/a.txt%00"), " 400 ");
    expect_status(GET("/files//etc/passwd"), " 404 ");
    expect_status(GET("/files/a.txt/"), " 404 ");
    expect_status(GET("/filesx"), " 404 ");
    expect_status(GET("/files/beside"), by_link());
    expect_status(GET("/files/sub/inside"), by_link());
    expect_status("POST /files/a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "Allow: GET, HEAD");
    expect_status("OPTIONS /files/a.txt HTTP/1.1\r\nHost: x\r\n\r\n", " 204 ");
}

TEST(a_folder_has_an_index_or_a_listing)
{
    if (!begin())
        return;
    expect_status(GET("/files/sub/"), "\r\n\r\nindex");
    expect_status(GET("/files/sub?a=b"), "Location: /files/sub/?a=b\r\n");
    expect_status(GET("/files"), "Location: /files/\r\n");
    const char *heard = web_ask(GET("/files/list/"));
    EXPECT_CONTAINS(heard, "Content-Type: text/html; charset=utf-8\r\n");
    EXPECT_CONTAINS(heard, "<li><a href=\"./below/\">below/</a></li>\n<li><a href=\"./b\">b</a></li>\n");
    EXPECT(!strstr(heard, "hidden"));
    EXPECT_CONTAINS(web_ask(GET("/files/")), "<a href=\"./%3C%26%3E.html\">&lt;&amp;&gt;.html</a>");
    EXPECT(!strstr(web_ask(GET("/files/")), "pipe"));
}

TEST(folders_may_be_hidden_and_files_be_kept)
{
    if (!begin())
        return;
    expect_status(GET("/shut/list/"), " 404 ");
    expect_status(GET("/shut/list/b"), "Cache-Control: max-age=3600\r\n");
    expect_status(GET("/shut/sub/"), "\r\n\r\nindex");
    expect_status(GET_IF("/shut/a.txt", "If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT"), " 304 ");
    expect_status(GET_IF("/shut/a.txt", "If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT"), "max-age");
    expect_status(GET_IF("/shut/a.txt", "Range: bytes=10-"), "Cache-Control: no-cache\r\n");
    EXPECT(!strstr(web_ask(GET_IF("/shut/a.txt", "If-Match: \"x\"")), "max-age"));
    EXPECT(!strstr(web_ask(GET("/shut/nothing")), "Cache-Control"));
    EXPECT(!strstr(web_ask(GET("/files/a.txt")), "Cache-Control"));
}

TEST(nothing_was_changed_later_than_now)
{
    if (!begin())
        return;
    const char *heard = web_ask(GET("/files/future"));
    EXPECT_CONTAINS(heard, "Date: Sun, 09 Sep 2001 01:46:41 GMT\r\n");
    EXPECT_CONTAINS(heard, "Last-Modified: Sun, 09 Sep 2001 01:46:41 GMT\r\n");
    expect_status(GET_IF("/files/future", "If-Modified-Since: Sun, 09 Sep 2001 01:46:41 GMT"), " 200 ");
}

TEST(the_compressed_one_is_sent_to_those_who_take_it)
{
    if (!begin())
        return;
    const char *heard = web_ask(GET_IF("/files/style.css", "Accept-Encoding: gzip"));
    EXPECT_CONTAINS(heard, "Content-Encoding: gzip\r\n");
    EXPECT_CONTAINS(heard, "Vary: Accept-Encoding\r\n");
    EXPECT_CONTAINS(heard, "Content-Type: text/css; charset=utf-8\r\n");
    EXPECT_CONTAINS(heard, "\r\n\r\nzipped");
    heard = web_ask(GET_IF("/files/style.css", "Accept-Encoding: gzip;q=0"));
    EXPECT_CONTAINS(heard, "\r\n\r\nbody {}");
    EXPECT_CONTAINS(heard, "Vary: Accept-Encoding\r\n");
    EXPECT(!strstr(heard, "Content-Encoding"));
}

TEST(what_is_said_of_the_compressed_one_is_not_said_of_a_page_that_says_no)
{
    if (!begin())
        return;
    const char *heard = web_ask(GET_IF("/files/style.css", "Accept-Encoding: gzip\r\nRange: bytes=100-"));
    EXPECT_CONTAINS(heard, "HTTP/1.1 416 ");
    EXPECT_CONTAINS(heard, "Content-Range: bytes */6\r\n");
    EXPECT(!strstr(heard, "Content-Encoding"));
    heard = web_ask(GET_IF("/files/style.css", "Accept-Encoding: gzip\r\nIf-Match: \"x\""));
    EXPECT_CONTAINS(heard, "HTTP/1.1 412 ");
    EXPECT(!strstr(heard, "Content-Encoding"));
}

TEST(ranges_are_parts)
{
    if (!begin())
        return;
    const char *heard = web_ask(GET_IF("/files/a.txt", "Range: bytes=2-4"));
    EXPECT_CONTAINS(heard, "HTTP/1.1 206 ");
    EXPECT_CONTAINS(heard, "Content-Range: bytes 2-4/10\r\n");
    EXPECT_CONTAINS(heard, "\r\n\r\n234");
    expect_status(GET_IF("/files/a.txt", "Range: bytes=-3"), "\r\n\r\n789");
    expect_status(GET_IF("/files/a.txt", "Range: bytes=10-"), " 416 ");
    expect_status(GET_IF("/files/a.txt", "Range: bytes=10-"), "Content-Range: bytes */10\r\n");
    expect_status(GET_IF("/files/a.txt", "Range: lines=1-2"), " 200 OK");
    heard = web_ask(GET_IF("/files/a.txt", "Range: bytes=0-1,5-5"));
    EXPECT_CONTAINS(heard, "Content-Type: multipart/byteranges; boundary=fate");
    EXPECT_CONTAINS(heard, "Content-Range: bytes 0-1/10\r\n\r\n01\r\n--fate");
    EXPECT_CONTAINS(heard, "Content-Range: bytes 5-5/10\r\n\r\n5\r\n--fate");
}

TEST(conditions_save_what_the_client_has)
{
    char etag[64], request[256];

    if (!begin())
        return;
    const char *at = strstr(web_ask(GET("/files/a.txt")), "ETag: ");
    if (!at || sscanf(at, "ETag: %63s", etag) != 1)
        return;
    snprintf(request, sizeof request, GET_IF("/files/a.txt", "If-None-Match: W/%s"), etag);
    const char *heard = web_ask(request);
    EXPECT_CONTAINS(heard, "HTTP/1.1 304 ");
    EXPECT_CONTAINS(heard, etag);
    EXPECT(!strstr(heard, "Content-Length"));
    snprintf(request, sizeof request, GET_IF("/files/a.txt", "If-Range: %s\r\nRange: bytes=0-0"), etag);
    expect_status(request, " 206 ");
    snprintf(request, sizeof request, GET_IF("/files/a.txt", "If-Match: %s"), etag);
    expect_status(request, " 200 ");
    expect_status(GET_IF("/files/a.txt", "If-Range: \"x\"\r\nRange: bytes=0-0"), " 200 OK");
    expect_status(GET_IF("/files/a.txt", "If-Match: \"x\""), " 412 ");
    expect_status(GET_IF("/files/a.txt", "If-None-Match: \"x\""), " 200 ");
    expect_status(GET_IF("/files/a.txt", "If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT"), " 304 ");
    expect_status(GET_IF("/files/a.txt", "If-Modified-Since: Sun, 09 Sep 2001 01:46:39 GMT"), " 200 ");
    expect_status(GET_IF("/files/a.txt", "If-Unmodified-Since: Sun, 09 Sep 2001 01:46:39 GMT"), " 412 ");
}

static int no_open_beneath(int dir, const char *path, int flags)
{
    errno = ENOSYS;
    return -1;
}

TEST(without_openat2_no_link_is_followed)
{
    struct fate__sys calls = *fate__sys;
    const struct fate__sys *before = fate__sys;

    calls.open_beneath = no_open_beneath;
    fate__sys = &calls;
    if (begin()) {
        expect_status(GET("/files/a.txt"), "0123456789");
        expect_status(GET("/files/sub/"), "index");
        expect_status(GET("/files/beside"), " 404 ");
        expect_status(GET("/files/up/etc/passwd"), " 404 ");
        expect_status(GET("/files/sub/inside"), " 404 ");
        expect_status(GET("/files/list/"), "<ul>");
    }
    web_end();
    fate__sys = before;
}

TEST(mounts_are_found_by_host_and_length)
{
    if (!begin())
        return;
    fate_site_routes(web_site, routes, fate_none());
    EXPECT_CONTAINS(web_ask(GET("/any/a%20b/c")), "\r\n\r\na b/c");
    EXPECT_CONTAINS(web_ask("DELETE /any HTTP/1.1\r\nHost: x\r\n\r\n"), "Content-Length: 0\r\n");
    EXPECT_CONTAINS(web_ask("GET /files/zz HTTP/1.1\r\nHost: Other.Example:80\r\n\r\n"), "\r\n\r\nzz");
    EXPECT_CONTAINS(web_ask("GET /files/zz HTTP/1.1\r\nHost: another.example\r\n\r\n"), " 404 ");
}

static void mount_twice(void *arg)
{
    fate_reactor *reactor = fate_reactor_new_simulated();
    fate_website *site = fate_site_new(reactor);

    fate_site_mount(site, "/a", fate_resource_new(reactor, about, fate_none()));
    fate_site_mount(site, "/a/", fate_resource_new(reactor, about, fate_none()));
}

static void mount_nowhere(void *arg)
{
    fate_reactor *reactor = fate_reactor_new_simulated();

    fate_site_mount(fate_site_new(reactor), "docs", fate_resource_new(reactor, about, fate_none()));
}

static void mount_at_a_port(void *arg)
{
    fate_reactor *reactor = fate_reactor_new_simulated();

    fate_site_mount(fate_site_new(reactor), "//host:80/docs", fate_resource_new(reactor, about, fate_none()));
}

static void add_wrong_route(void *arg)
{
    static const fate_route wrong[] = { { "GET docs", about }, { 0 } };

    fate_site_routes(fate_site_new(fate_reactor_new_simulated()), wrong, fate_none());
}

TEST(what_the_programmer_does_wrong_stops)
{
    EXPECT_STOP(mount_twice, NULL, "fate_site_mount was called twice", "/a");
    EXPECT_STOP(mount_nowhere, NULL, "fate_site_mount", "\"docs\"", "must begin with a slash");
    EXPECT_STOP(mount_at_a_port, NULL, "fate_site_mount", "\"//host:80/docs\"", "without its port");
    EXPECT_STOP(add_wrong_route, NULL, "fate_site_routes", "GET docs");
}

static fate_value forgive(fate_value *why, fate_value *text)
{
    fate_value message = fate_str(fate_message(why));

    EXPECT_CONTAINS(fate_is_failure(&message) ? "no memory" : fate_as_str(&message), "o");
    fate_drop(message);
    ++*(int *)fate_as_ptr(text);
    return fate_none();
}

TEST(a_folder_that_is_not_there_fails_serving)
{
    int n_failed = 0;

    if (!begin())
        return;
    fate_add_errback(fate_serve_files(web_reactor, "tcp:80", "/nowhere/at/all"), forgive,
                     fate_ptr(&n_failed));
    EXPECT_EQ(n_failed, 1);
    fate_website *site = fate_site_new(web_reactor);
    fate_site_mount(site, "/", fate_static_new_with(web_reactor, folder, .cache_control = "a\r\nb"));
    fate_add_errback(fate_serve_site(site, "tcp:80"), forgive, fate_ptr(&n_failed));
    EXPECT_EQ(n_failed, 2);
    site = fate_site_new_with(web_reactor, .log_format = "short");
    fate_add_errback(fate_serve_site(site, "tcp:80"), forgive, fate_ptr(&n_failed));
    EXPECT_EQ(n_failed, 3);
    site = fate_site_new_with(web_reactor, .body_timeout = -FATE_SECOND);
    fate_add_errback(fate_serve_site(site, "tcp:80"), forgive, fate_ptr(&n_failed));
    EXPECT_EQ(n_failed, 4);
}
