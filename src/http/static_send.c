/* A file as an answer: conditions (RFC 9110, 13) and ranges (14). */
#include <http/static.h>

#include <stdio.h>
#include <string.h>

#include <base/stop.h>
#include <base/sys.h>
#include <http/etag.h>
#include <http/mime.h>
#include <http/range.h>

struct sending {
    fate_request *request;
    const struct fate__static_file *file;
    const char *type;
    char etag[80], modified[FATE__HTTP_DATE_BYTES];
    int64_t n; /* bytes of the file */
};

static struct fate__http_slice slice(const char *text)
{
    return (struct fate__http_slice){ text, strlen(text) };
}

static int64_t now_of(const fate_request *request)
{
    return fate_time_of_day(request->site->reactor) / FATE_SECOND;
}

/* ---- Conditions ---- */

/* A file that is replaced is another inode; one that is written in place has another time or size. */
static void make_validators(struct sending *sending)
{
    const struct stat *about = &sending->file->about;

    snprintf(sending->etag, sizeof sending->etag, "\"%llx-%llx-%llx%09llx\"",
             (unsigned long long)about->st_ino, (unsigned long long)about->st_size,
             (unsigned long long)about->st_mtim.tv_sec, (unsigned long long)about->st_mtim.tv_nsec);
    int64_t seconds = about->st_mtim.tv_sec, now = now_of(sending->request);
    fate__http_date_text(seconds < now ? seconds : now, sending->modified); /* RFC 9110, 8.8.2.1 */
}

static bool is_since(const struct sending *sending, const char *date)
{
    int64_t seconds;

    return fate__http_date_parse(slice(date), now_of(sending->request), &seconds) &&
           sending->file->about.st_mtim.tv_sec <= seconds;
}

/* In the order of RFC 9110, 13.2.2: 412, 304, or 0 to go on. */
static int check_conditions(const struct sending *sending)
{
    fate_request *request = sending->request;
    const char *match = fate_request_header(request, "if-match");
    const char *unmodified = fate_request_header(request, "if-unmodified-since");
    const char *none_match = fate_request_header(request, "if-none-match");
    const char *modified = fate_request_header(request, "if-modified-since");
    int64_t seconds, now = now_of(request);

    if (match && !fate__http_etag_in(slice(match), slice(sending->etag), true))
        return 412;
    if (!match && unmodified && fate__http_date_parse(slice(unmodified), now, &seconds) &&
        !is_since(sending, unmodified))
        return 412;
    if (none_match)
        return fate__http_etag_in(slice(none_match), slice(sending->etag), false) ? 304 : 0;
    return modified && is_since(sending, modified) ? 304 : 0;
}

/* A range is of use only of the very same file: RFC 9110, 13.1.5. */
static bool may_send_part(const struct sending *sending)
{
    const char *if_range = fate_request_header(sending->request, "if-range");

    if (!if_range)
        return true;
    if (fate__http_is_etag(slice(if_range)))
        return fate__http_etags_match_strongly(slice(if_range), slice(sending->etag));
    return strcmp(if_range, sending->modified) == 0;
}

/* ---- Segments ---- */

static bool lacks_memory(struct sending *sending)
{
    fate__http_answer_error(sending->request, 503, "");
    return false;
}

static void send_head_and(struct sending *sending, struct fate__http_segment *segments, size_t n)
{
    fate_request *request = sending->request;
    int64_t length = 0;
    int fd = sending->file->fd;

    for (size_t i = 0; i < n; i++)
        length += segments[i].n;
    bool goes_on = fate__http_send_head(request, length, sending->type);
    if (goes_on && fate__http_has_body(&request->writer) && length > 0) {
        fate__http_send_file(request, fd, segments, n);
        return;
    }
    fate__close(fd);
    if (goes_on && !request->connection->is_lost)
        fate__http_answered(request);
}

static void close_and_fail(struct sending *sending)
{
    fate__close(sending->file->fd);
    lacks_memory(sending);
}

static void send_one(struct sending *sending, int64_t at, int64_t n)
{
    struct fate__http_segment *segment = (void *)fate__http_room(sending->request, sizeof *segment);

    if (!segment) {
        close_and_fail(sending);
        return;
    }
    *segment = (struct fate__http_segment){ .at = at, .n = n };
    send_head_and(sending, segment, 1);
}

static bool add_content_range(struct sending *sending, const struct fate__http_range *range)
{
    char text[FATE__HTTP_CONTENT_RANGE_BYTES];

    fate__http_content_range(range, sending->n, text);
    return fate_set_header(sending->request, "Content-Range", text) == 0;
}

/* ---- Several ranges: RFC 9110, 14.6 ---- */

#define BOUNDARY_BYTES 64

static bool add_part(struct sending *sending, const struct fate__http_range *range, const char *boundary,
                     struct fate__http_segment *segments)
{
    char text[FATE__HTTP_CONTENT_RANGE_BYTES], head[512];

    fate__http_content_range(range, sending->n, text);
    int n = snprintf(head, sizeof head, "\r\n--%s\r\nContent-Type: %s\r\nContent-Range: %s\r\n\r\n", boundary,
                     sending->type, text);
    fate__assert(n > 0 && (size_t)n < sizeof head);
    const char *copy = fate__http_copy(sending->request, head, (size_t)n);
    segments[0] = (struct fate__http_segment){ .text = copy, .n = n };
    segments[1] = (struct fate__http_segment){ .at = range->first, .n = range->n };
    return copy;
}

static bool add_end(struct sending *sending, const char *boundary, struct fate__http_segment *segment)
{
    char end[BOUNDARY_BYTES + 16];
    int n = snprintf(end, sizeof end, "\r\n--%s--\r\n", boundary);
    const char *copy = fate__http_copy(sending->request, end, (size_t)n);

    *segment = (struct fate__http_segment){ .text = copy, .n = n };
    return copy;
}

/* The same for the same file at the same time, and nothing that text has by chance. */
static void make_boundary(const struct sending *sending, char to[BOUNDARY_BYTES])
{
    const struct stat *about = &sending->file->about;
    uint64_t a = (uint64_t)fate_time_of_day(sending->request->site->reactor) * 0x9e3779b97f4a7c15u;
    uint64_t b = ((uint64_t)about->st_mtim.tv_nsec + (uint64_t)about->st_size) * 0xd1b54a32d192ed03u;

    snprintf(to, BOUNDARY_BYTES, "fate%016llx%016llx", (unsigned long long)a, (unsigned long long)b);
}

static void send_several(struct sending *sending, const struct fate__http_range *ranges, size_t n)
{
    static const char type[] = "multipart/byteranges; boundary=";
    fate_request *request = sending->request;
    char boundary[BOUNDARY_BYTES], whole[sizeof type + BOUNDARY_BYTES];
    struct fate__http_segment *segments = (void *)fate__http_room(request, (2 * n + 1) * sizeof *segments);
    bool is_there = segments;

    make_boundary(sending, boundary);
    for (size_t i = 0; i < n && is_there; i++)
        is_there = add_part(sending, &ranges[i], boundary, segments + 2 * i);
    is_there = is_there && add_end(sending, boundary, segments + 2 * n);
    snprintf(whole, sizeof whole, "%s%s", type, boundary);
    const char *own = is_there ? fate__http_copy(request, whole, strlen(whole)) : NULL;
    if (!own) {
        close_and_fail(sending);
        return;
    }
    sending->type = own;
    send_head_and(sending, segments, 2 * n + 1);
}

/* ---- What is sent ---- */

/* What is said of how long the file may be kept is not said of this page. */
static void say_no(struct sending *sending, int status)
{
    fate_request *request = sending->request;

    fate__close(sending->file->fd);
    if (sending->file->cache_control)
        fate__http_add_field(request, "Cache-Control", "no-cache");
    fate__http_answer_error(request, status, "");
}

static bool send_ranges(struct sending *sending)
{
    struct fate__http_range ranges[FATE__HTTP_RANGES_MAX];
    fate_request *request = sending->request;
    const char *wanted = fate_request_header(request, "range");
    bool is_get = request->parser.head.method == FATE__HTTP_GET;
    int n =
        wanted && is_get && may_send_part(sending) ? fate__http_ranges(slice(wanted), sending->n, ranges) : 0;

    if (n == 0)
        return false;
    if (n < 0) {
        add_content_range(sending, NULL);
        say_no(sending, 416);
        return true;
    }
    fate_set_status(request, 206);
    if (n > 1)
        send_several(sending, ranges, (size_t)n);
    else if (add_content_range(sending, &ranges[0]))
        send_one(sending, ranges[0].first, ranges[0].n);
    else
        close_and_fail(sending);
    return true;
}

/* The client has it. */
static void send_nothing(struct sending *sending)
{
    fate_request *request = sending->request;

    fate__close(sending->file->fd);
    request->status = 304;
    fate__http_send_whole(request, NULL, "", 0);
    if (!request->connection->is_lost)
        fate__http_answered(request);
}

static bool add_fields(struct sending *sending)
{
    fate_request *request = sending->request;
    const char *etag = fate__http_copy(request, sending->etag, strlen(sending->etag));
    const char *modified = fate__http_copy(request, sending->modified, strlen(sending->modified));
    const char *control = sending->file->cache_control;

    return etag && modified && fate__http_add_field(request, "ETag", etag) == 0 &&
           fate__http_add_field(request, "Last-Modified", modified) == 0 &&
           fate__http_add_field(request, "Accept-Ranges", "bytes") == 0 &&
           (!control || fate__http_add_field(request, "Cache-Control", control) == 0) &&
           (!sending->file->is_gzipped || fate__http_add_field(request, "Content-Encoding", "gzip") == 0);
}

void fate__static_send(fate_request *request, struct fate__static_file *file)
{
    struct sending sending = { .request = request, .file = file, .n = file->about.st_size };

    sending.type = fate__mime_of(file->name, strlen(file->name))->type;
    request->status = 200;
    make_validators(&sending);
    if (!add_fields(&sending)) {
        close_and_fail(&sending);
        return;
    }
    int status = check_conditions(&sending);
    if (status == 304)
        send_nothing(&sending);
    else if (status)
        say_no(&sending, status);
    else if (!send_ranges(&sending))
        send_one(&sending, 0, sending.n);
}
