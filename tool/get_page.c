/* One page: fetched, counted, written to its file, and perhaps tried again. */
#include <get.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <fate/resolve.h>
#include <fate/retry.h>
#include <output_sink.h>

/* Around a failure after which trying again may help. */
static FATE_CLASS(MAY_PASS, "MayPass", &FATE_ERROR);

/* ---- Reading it ---- */

static void show(struct fate__page *page)
{
    fate__screen_set(&page->get->screen, page->bar, page->outcome.bytes, page->total);
}

static fate_deferred *take_piece(fate_reactor *reactor, fate_value *arg, fate_value piece)
{
    struct fate__page *page = fate_as_ptr(arg);

    page->outcome.bytes += fate_count(&piece);
    show(page);
    if (!fate_is_none(&page->sink))
        return fate_sink_write(reactor, &page->sink, piece);
    fate_drop(piece);
    return fate_succeed(reactor, fate_none());
}

static fate_deferred *end_page(fate_reactor *reactor, fate_value *arg, fate_value *why)
{
    struct fate__page *page = fate_as_ptr(arg);
    fate_value sink = fate_take(&page->sink);

    if (fate_is_none(&sink))
        return fate_succeed(reactor, fate_none());
    fate_deferred *d = fate_sink_end(reactor, &sink, fate_copy(why));
    fate_drop(sink);
    return d;
}

/* Counts what comes, and hands it on where it is to be written. */
static const fate_sink_ops page_ops = {
    .size = sizeof page_ops, .name = "page", .write = take_piece, .end = end_page
};

static uint64_t length_of(const fate_response *response)
{
    const char *length = fate_response_header(response, "Content-Length");

    return length ? strtoull(length, NULL, 10) : 0;
}

static fate_value note_head(fate_value *result, fate_value *arg)
{
    struct fate__page *page = fate_as_ptr(arg);
    fate_response *response = fate_as_response(result);

    page->outcome.status = fate_response_status(response);
    page->total = length_of(response);
    return fate_take(result);
}

/* Behind a symbolic link it is the file that it leads to which gets a new one in its place, not the link. */
static fate_value sink_for_file(const char *path)
{
    struct stat about;
    bool is_link = lstat(path, &about) == 0 && S_ISLNK(about.st_mode);
    char *target = is_link ? realpath(path, NULL) : NULL;
    fate_value sink = fate_file_sink(target ? target : path);

    free(target);
    return sink;
}

static fate_value sink_for(const char *file)
{
    if (strcmp(file, "-") == 0)
        return fate__output_sink();
    return fate__is_device(file) ? fate__device_sink(file) : sink_for_file(file);
}

static fate_value read_page(fate_value *result, fate_value *arg)
{
    struct fate__page *page = fate_as_ptr(arg);

    show(page);
    if (page->outcome.file)
        page->sink = sink_for(page->outcome.file);
    return fate_follow(
        fate_pump(fate_response_body(fate_as_response(result)), fate_sink(&page_ops, fate_ptr(page))));
}

/* ---- Trying ---- */

static bool is_busy(int64_t status)
{
    return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

/* Is it of a kind that comes and goes?  What is wrong with the URL, and a name that is not there, stay. */
static bool may_pass(const fate_value *why)
{
    static const fate_class *const classes[] = { &FATE_TIMEOUT,           &FATE_CONNECT_ERROR,
                                                 &FATE_CONNECTION_CLOSED, &FATE_HTTP_SHORT_BODY,
                                                 &FATE_DNS_SERVER,        &FATE_TOO_MANY_FILES };
    const fate_value *payload = fate_payload(why), *cause = fate_cause(why);
    int64_t status;

    if (fate_is(why, &FATE_HTTP_STATUS))
        return payload && fate_get_int(fate_dict_get(payload, "status"), &status) && is_busy(status);
    return fate_is_any(why, sizeof classes / sizeof *classes, classes) != NULL ||
           (cause && fate_is(cause, &FATE_CONNECTION_CLOSED));
}

static fate_value sort_out(fate_value *why, fate_value *arg)
{
    if (!may_pass(why))
        return fate_take(why);
    return fate_raise_from(&MAY_PASS, fate_take(why), "once more perhaps");
}

static fate_value try_page(fate_value *arg)
{
    struct fate__page *page = fate_as_ptr(arg);
    struct fate__get *get = page->get;

    page->outcome.tries++;
    page->outcome.bytes = page->total = 0;
    page->outcome.status = 0;
    show(page);
    fate_deferred *d = fate_fetch_with(get->reactor, page->url, .agent = get->agent, .headers = get->headers);
    fate_add_callback(d, note_head, fate_ptr(page));
    fate_add_callback(d, fate_require_ok, fate_none());
    fate_add_callback(d, read_page, fate_ptr(page));
    fate_add_errback(d, sort_out, fate_none());
    return fate_follow(d);
}

/* ---- Its end ---- */

static fate_value unwrap(fate_value *why, fate_value *arg)
{
    return fate_copy(fate_cause(why));
}

/* "GET http://localhost/x: refused" without what stands beside it anyway. */
static const char *reason_of(const fate_value *why, const char *url)
{
    const char *text = fate_message(why), *at = strchr(text, ' ');
    size_t len = strlen(url);

    if (!*text)
        return fate_is(why, &FATE_CANCELLED) ? "interrupted" : fate_class_of(why)->name;
    if (at && strncmp(at + 1, url, len) == 0 && strncmp(at + 1 + len, ": ", 2) == 0)
        return at + len + 3;
    return text;
}

static fate_value has_ended(fate_value *result, fate_value *arg)
{
    struct fate__page *page = fate_as_ptr(arg);
    fate_deferred *d = page->d;

    page->d = NULL;
    page->outcome.took = fate_now(page->get->reactor) - page->begun;
    fate_drop(fate_take(&page->sink));
    if (fate_is_failure(result)) {
        page->failure = fate_take(result);
        page->outcome.error = reason_of(&page->failure, page->outcome.url);
        page->outcome.error_class = fate_class_of(&page->failure)->name;
    }
    fate__get_ended(page);
    fate_release(d);
    return fate_none();
}

static const char *name_of(const char *url)
{
    const char *scheme = strstr(url, "://");

    return scheme ? scheme + 3 : url;
}

void fate__page_begin(struct fate__page *page)
{
    struct fate__get *get = page->get;
    const struct fate__get_settings *settings = get->settings;

    page->begun = fate_now(get->reactor);
    page->bar = fate__screen_add(&get->screen, name_of(page->outcome.url));
    fate_deferred *d = fate_retry_with(get->reactor, try_page, fate_ptr(page),
                                       .attempts_max = (size_t)settings->retries + 1, .only = &MAY_PASS);
    if (settings->time_max)
        fate_add_timeout(d, settings->time_max);
    fate_add_trap(d, &MAY_PASS, unwrap, fate_none());
    page->d = fate_hold(d);
    fate_add_both(d, has_ended, fate_ptr(page));
}
