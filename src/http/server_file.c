/* Answers that are parts of a file: sent by the kernel, a portion at a time, so that what waits for a slow
 * peer is bounded and a peer that takes nothing is found out. */
#include <http/server.h>

#include <errno.h>
#include <string.h>

#include <base/stop.h>
#include <base/sys.h>

#define COPIED_MAX ((int64_t)8192) /* so little of a file is read, and leaves with its head */

static void is_sent(fate_request *request)
{
    request->segments = NULL;
    request->n_segments = 0;
    if (!request->connection->is_lost)
        fate__http_answered(request);
}

static void cut(fate_request *request)
{
    request->segments = NULL;
    request->n_segments = 0;
    fate_abort_connection(request->connection->base.transport);
}

/* ---- Parts of the file ---- */

static bool copy_part(fate_request *request, struct fate__http_segment *part)
{
    char bytes[COPIED_MAX];

    while (part->n > 0) {
        ssize_t n = fate__sys->pread(request->fd, bytes, (size_t)part->n, (off_t)part->at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        fate__http_send(request->connection, bytes, (size_t)n);
        part->at += n;
        part->n -= n;
    }
    return true;
}

/* The transport closes what it is given. */
static bool give_part(fate_request *request, struct fate__http_segment *part)
{
    fate_transport *transport = request->connection->base.transport;
    int64_t n = part->n < FATE__HTTP_FILE_PORTION ? part->n : FATE__HTTP_FILE_PORTION;
    int fd = fate__sys->dup_above(request->fd, 3);

    if (fd < 0)
        return false;
    fate__http_flush(request->connection);
    if (fate_write_file(transport, fd, part->at, n) < 0)
        return false;
    part->at += n;
    part->n -= n;
    return true;
}

/* ---- One portion after the other ---- */

/* What a fast peer takes at once has left at once: others come before the next portion. */
static void go_on_later(fate_request *request)
{
    struct fate__http_connection *connection = request->connection;

    connection->waits_for = FATE__HTTP_FOR_PAGE; /* the time for a portion begins anew */
    request->wants_more = true;
    fate__http_go_on_soon(connection);
}

static bool is_last(const fate_request *request)
{
    return request->n_segments == 1 && request->segments->n == 0;
}

static fate_value has_left(fate_value *result, fate_value *arg)
{
    fate_request *request = fate_as_ptr(arg);
    fate_deferred *d = request->piece;
    bool goes_on = d && request->connection && !request->connection->is_lost && !fate_is_failure(result);

    request->piece = NULL;
    if (goes_on && !request->asks && is_last(request))
        fate__http_send_more(request);
    else if (goes_on && !request->asks)
        go_on_later(request);
    if (d)
        fate_release(d);
    fate__http_unref(request);
    return fate_none();
}

static void wait_until_it_has_left(fate_request *request)
{
    fate__http_ref(request);
    request->piece = fate_hold(fate_written(request->connection->base.transport));
    fate_add_both(request->piece, has_left, fate_ptr(request));
}

/* False: it is over. */
static bool send_part(fate_request *request, struct fate__http_segment *part)
{
    bool is_small = part->n <= COPIED_MAX;

    if (is_small ? !copy_part(request, part) : !give_part(request, part)) {
        cut(request);
        return false;
    }
    wait_until_it_has_left(request);
    if (!is_small && !request->piece && !is_last(request))
        go_on_later(request);
    return true;
}

static bool send_segment(fate_request *request)
{
    struct fate__http_segment *segment = request->segments;

    if (!segment->text)
        return send_part(request, segment);
    fate__http_send(request->connection, segment->text, (size_t)segment->n);
    segment->n = 0;
    return true;
}

void fate__http_send_segments(fate_request *request)
{
    request->asks = true;
    while (request->n_segments && request->connection && !request->connection->is_lost && !request->piece &&
           !request->wants_more) {
        if (request->segments->n == 0) {
            request->segments++;
            request->n_segments--;
        } else if (!send_segment(request)) {
            break;
        }
    }
    request->asks = false;
    if (request->segments && !request->n_segments && !request->piece && request->connection)
        is_sent(request);
    else if (request->connection && !request->connection->is_taking)
        fate__http_set_deadline(request->connection);
}

void fate__http_send_file(fate_request *request, int fd, struct fate__http_segment *segments, size_t n)
{
    request->fd = fd;
    request->segments = segments;
    request->n_segments = n;
    for (size_t i = 0; i < n; i++)
        request->n_body_bytes += segments[i].n;
    fate__http_send_more(request);
}
