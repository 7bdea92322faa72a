/* The access log: a line for each request, in the reactor's log or in a file. */
#include <http/server.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <base/escape.h>
#include <base/sys.h>
#include <base/why.h>
#include <fate/log.h>

#define LINES_BYTES_MAX ((size_t)32768) /* in memory */
#define WRITTEN_AFTER   FATE_SECOND     /* at the latest */

/* ---- The file ---- */

static void write_lines(fate_website *site)
{
    struct fate__access_log *log = &site->log;
    size_t at = 0;

    while (at < log->lines.len) {
        ssize_t n = fate__sys->write(log->fd, log->lines.bytes + at, log->lines.len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            fate_log(site->reactor, FATE_LOG_WARNING, "write to the access log %s: %s",
                     site->options.log_file, strerror(errno));
            break;
        }
        at += (size_t)n;
    }
    log->lines.len = 0;
    log->lines.has_failed = false;
}

static void is_time(fate_value *arg)
{
    write_lines(fate_unbox(struct fate_website, arg));
}

static void has_more_lines(fate_website *site)
{
    struct fate__access_log *log = &site->log;

    if (log->lines.len >= LINES_BYTES_MAX || log->lines.has_failed)
        write_lines(site);
    else if (!fate_timer_active(log->timer))
        log->timer = fate_call_later(site->reactor, WRITTEN_AFTER, is_time, fate_copy(&site->self));
}

int fate__access_log_open(fate_website *site)
{
    struct fate__access_log *log = &site->log;
    const char *file = site->options.log_file;

    log->is_on = true;
    log->is_json = strcmp(site->options.log_format, "json") == 0;
    log->fd = -1;
    if (!file)
        return 0;
    log->fd = fate__sys->open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (log->fd >= 0)
        return 0;
    site->trouble = fate_raise_errno(errno, "open the access log %s", file);
    return -errno;
}

void fate__access_log_close(fate_website *site)
{
    if (site->log.fd >= 0 && site->log.lines.len)
        write_lines(site);
    fate__text_done(&site->log.lines);
    fate__close(site->log.fd);
}

/* ---- Lines ---- */

/* Without what a terminal or another program could take for something else. */
static void add_shown(struct fate__text *to, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
            fate__text_format(to, "\\x%02x", c);
        else
            fate__text_add_n(to, s + i, 1);
    }
}

/* Without a port; "unix:/run/x". */
static const char *peer_of(const fate_request *request, char text[FATE_ADDRESS_TEXT_BYTES])
{
    const fate_address *peer = fate_request_peer(request);
    bool is_host = fate_address_family(peer) != AF_UNIX;

    return is_host ? fate_address_host(peer, text) : fate_address_text(peer, text);
}

/* "20/Nov/2026:12:10:38 +0000", from "Fri, 20 Nov 2026 12:10:38 GMT". */
static void add_time(struct fate__text *to, int64_t seconds)
{
    char date[FATE__HTTP_DATE_BYTES];

    fate__http_date_text(seconds, date);
    fate__text_format(to, "%.2s/%.3s/%.4s:%.8s +0000", date + 5, date + 8, date + 12, date + 17);
}

/* What was refused before its head was there has none of these, but is a line all the same. */
static struct fate__http_slice method_of(const fate_request *request)
{
    const struct fate__http_head *head = &request->parser.head;

    return request->has_head ? fate__http_at(&head->fields, head->method_name) : FATE__HTTP_SLICE("");
}

static struct fate__http_slice target_of(const fate_request *request)
{
    const struct fate__http_head *head = &request->parser.head;

    return request->has_head ? fate__http_at(&head->fields, head->target) : FATE__HTTP_SLICE("");
}

static int64_t began(const fate_request *request)
{
    return request->has_head ? request->began_at : fate_time_of_day(request->site->reactor);
}

/* 499: the client has gone before there was an answer. */
static int status_in_log(const fate_request *request)
{
    return request->has_begun ? request->status : 499;
}

static void add_request_line(struct fate__text *to, const fate_request *request)
{
    struct fate__http_slice method = method_of(request), target = target_of(request);

    if (!request->has_head) {
        fate__text_add(to, "-");
        return;
    }
    add_shown(to, method.at, method.len);
    fate__text_add(to, " ");
    add_shown(to, target.at, target.len);
    fate__text_format(to, " HTTP/1.%d", request->parser.head.minor);
}

static void add_common(struct fate__text *to, const fate_request *request)
{
    char text[FATE_ADDRESS_TEXT_BYTES];
    const char *peer = peer_of(request, text);

    add_shown(to, peer, strlen(peer));
    fate__text_add(to, " - - [");
    add_time(to, began(request) / FATE_SECOND);
    fate__text_add(to, "] \"");
    add_request_line(to, request);
    fate__text_format(to, "\" %d %lld", status_in_log(request), (long long)request->n_body_bytes);
}

static int64_t taken(const fate_request *request)
{
    int64_t time = fate_time_of_day(request->site->reactor) - began(request);

    return time > 0 ? time / FATE_MICROSECOND : 0;
}

static void add_json_line(struct fate__text *to, const fate_request *request)
{
    char text[FATE_ADDRESS_TEXT_BYTES];
    const char *peer = peer_of(request, text);
    struct fate__http_slice method = method_of(request), target = target_of(request);

    fate__text_format(to, "{\"time\":%lld.%06lld,\"peer\":", (long long)(began(request) / FATE_SECOND),
                      (long long)(began(request) % FATE_SECOND / FATE_MICROSECOND));
    fate__add_json_string(to, peer, strlen(peer));
    fate__text_add(to, ",\"method\":");
    fate__add_json_string(to, method.at, method.len);
    fate__text_add(to, ",\"target\":");
    fate__add_json_string(to, target.at, target.len);
    if (request->has_head)
        fate__text_format(to, ",\"version\":\"1.%d\"", request->parser.head.minor);
    fate__text_format(to, ",\"status\":%d,\"bytes\":%lld,\"microseconds\":%lld}", status_in_log(request),
                      (long long)request->n_body_bytes, (long long)taken(request));
}

/* As fields, which the log's observers write as they do. */
static void log_fields(const fate_request *request)
{
    struct fate__http_slice method = method_of(request), target = target_of(request);
    char text[FATE_ADDRESS_TEXT_BYTES];
    struct fate__text line = { 0 };

    add_common(&line, request);
    fate_value fields = fate_dict_of(
        { "peer", fate_str(peer_of(request, text)) }, { "method", fate_str_n(method.at, method.len) },
        { "target", fate_str_n(target.at, target.len) }, { "status", fate_int(status_in_log(request)) },
        { "bytes", fate_int(request->n_body_bytes) }, { "microseconds", fate_int(taken(request)) });
    fate_log_fields_at(request->site->reactor, FATE_LOG_INFO, line.bytes ? line.bytes : "a request", fields,
                       "");
    fate__text_done(&line);
}

static void log_line(const fate_request *request)
{
    struct fate__text line = { 0 };

    add_common(&line, request);
    fate_log_at(request->site->reactor, FATE_LOG_INFO, "", "%s", line.bytes ? line.bytes : "a request");
    fate__text_done(&line);
}

void fate__access_log_add(const fate_request *request)
{
    fate_website *site = request->site;

    if (site->log.fd < 0) {
        if (site->log.is_json)
            log_fields(request);
        else
            log_line(request);
        return;
    }
    if (site->log.is_json)
        add_json_line(&site->log.lines, request);
    else
        add_common(&site->log.lines, request);
    fate__text_add(&site->log.lines, "\n");
    has_more_lines(site);
}
