/* Descriptors as sources and sinks: pipes to and from children.
 *
 * A source reads only while somebody asks, once for each time the descriptor is readable, so that a fast
 * writer does not hold up the loop.  A sink writes at once what it can and queues the rest. */
#include <reactor/stream.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include <base/alloc.h>
#include <base/list.h>
#include <base/quiet.h>
#include <base/sys.h>
#include <deferred/line.h>
#include <reactor/reactor.h>

/* What both have in common: an end of a pipe. */
struct end {
    unsigned refs; /* the value's, and the watch's */
    fate_reactor *reactor;
    int fd;           /* -1: closed */
    fate_watch watch; /* id 0: none */
    unsigned events;
    void (*is_ready)(struct end *end);
    void (*done)(struct end *end); /* the last reference has gone; NULL: nothing to do */
    const char *site;              /* of all that it makes: what outlives it, so not what */
    char what[64];
};

struct end_ref {
    struct end *end;
};

/* ---- Ends ---- */

static void unref(struct end *end)
{
    if (--end->refs > 0)
        return;
    if (end->done)
        end->done(end);
    fate__free(end);
}

/* Nothing more is read or written. */
static void shut(struct end *end)
{
    fate_watch watch = end->watch;
    int fd = end->fd;

    end->watch.id = 0;
    end->fd = -1;
    fate_unwatch(watch);
    fate__close(fd);
}

/* Also when the reactor goes: then the handle is of no use any more. */
static void watch_has_gone(void *ref)
{
    struct end *end = ((struct end_ref *)ref)->end;

    end->watch.id = 0;
    unref(end);
}

static void is_ready(int fd, unsigned events, fate_value *ref)
{
    struct end *end = fate_unbox(struct end_ref, ref)->end;

    end->is_ready(end);
}

/* What is waited for from now on: 0 or -errno. */
static int await(struct end *end, unsigned events)
{
    if (events == end->events)
        return 0;
    if (end->watch.id) {
        int why = fate_watch_events(end->watch, events);
        end->events = why == 0 ? events : end->events;
        return why;
    }
    end->refs++;
    fate_watch watch = fate_watch_fd_at(end->reactor, end->fd, events, is_ready,
                                        fate_box_with(watch_has_gone, struct end_ref, end), end->site);
    if (watch.id < 0)
        return (int)watch.id;
    end->watch = watch;
    end->events = events;
    return 0;
}

static struct end *end_in(const fate_value *arg)
{
    return fate_unbox(struct end_ref, arg)->end;
}

/* An end of that size, or NULL; fd is closed then. */
static struct end *new_end(fate_reactor *reactor, int fd, const char *what, const char *site, size_t bytes)
{
    struct end *end = fate__zalloc(bytes);

    if (!end) {
        fate__close(fd);
        return NULL;
    }
    end->refs = 1;
    end->reactor = reactor;
    end->fd = fd;
    end->site = site;
    snprintf(end->what, sizeof end->what, "%s", what);
    return end;
}

static fate_value failed(const struct end *end, const char *verb, int why)
{
    return fate_raise_errno_at(NULL, NULL, why, "%s %s", verb, end->what);
}

/* ---- Sources ---- */

struct fd_source {
    struct end end;
    fate_deferred *d; /* of who reads; NULL: nobody */
    size_t bytes_max;
};

static void source_has_gone(void *ref)
{
    struct end *end = ((struct end_ref *)ref)->end;

    shut(end);
    unref(end);
}

static void stop_source(fate_value *arg)
{
    shut(end_in(arg));
}

static bool cancel_read(fate_deferred *d, void *data, const char *site)
{
    struct fd_source *source = data;

    source->d = NULL;
    (void)await(&source->end, 0);
    return true;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    snprintf(ret->text, sizeof ret->text, "%s", ((const struct end *)data)->what);
}

static const struct fate__source reading = { .cancel = cancel_read, .waits = say_what };

/* Whoever reads gets it.  If nobody asks for more at once, nothing is waited for. */
static void give(struct fd_source *source, fate_value piece)
{
    fate_deferred *d = source->d;

    source->d = NULL;
    fate__fire(d, piece, source->end.site);
    if (!source->d && source->end.fd >= 0)
        (void)await(&source->end, 0);
}

static ssize_t read_some(int fd, char *to, size_t len)
{
    ssize_t n;

    do
        n = fate__sys->read(fd, to, len);
    while (n < 0 && errno == EINTR);
    return n;
}

static void is_readable(struct end *end)
{
    struct fd_source *source = (struct fd_source *)end;
    char piece[FATE__PIECE_BYTES_MAX];

    if (!source->d)
        return;
    ssize_t n = read_some(end->fd, piece, source->bytes_max);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n > 0) {
        give(source, fate_str_n(piece, (size_t)n));
        return;
    }
    fate_value last = n < 0 ? failed(end, "read", errno) : fate_none();
    shut(end);
    give(source, last);
}

static fate_deferred *read_piece(fate_value *arg, size_t bytes_max)
{
    struct fd_source *source = (struct fd_source *)end_in(arg);
    fate_reactor *reactor = source->end.reactor;
    fate_deferred *d = fate__sourced(reactor, &reading, source, source->end.site);

    if (!(d->flags & FATE__SOURCE))
        return d;
    source->d = d;
    source->bytes_max = bytes_max < FATE__PIECE_BYTES_MAX ? bytes_max : FATE__PIECE_BYTES_MAX;
    int why = await(&source->end, FATE_READABLE);
    if (why < 0)
        give(source, failed(&source->end, "read", why));
    return d;
}

static const fate_source_ops fd_source_ops = {
    .size = sizeof fd_source_ops, .name = "descriptor", .read = read_piece, .stop = stop_source
};

fate_value fate__fd_source(fate_reactor *reactor, int fd, const char *what)
{
    struct end *end = new_end(reactor, fd, what, "fate_read", sizeof(struct fd_source));
    fate_value arg = fate__no_memory();

    if (end) {
        end->is_ready = is_readable;
        arg = fate_box_with(source_has_gone, struct end_ref, end);
    }
    return fate_source(reactor, &fd_source_ops, arg);
}

/* ---- Sinks ---- */

struct fd_sink {
    struct end end;
    struct fate__link pieces;
    size_t n_bytes, at;     /* in all pieces; and how much of the first has been written */
    struct fate__line line; /* who waits for room */
    fate_deferred *ending;  /* fires when all has been written; NULL: nobody asked for the end */
    fate_value why;         /* the failure that has ended it */
};

struct piece {
    struct fate__link link;
    fate_value v;
};

static void drop_first(struct fd_sink *sink)
{
    struct piece *piece = fate_container_of(sink->pieces.next, struct piece, link);

    fate__list_remove(&piece->link);
    fate_drop(piece->v);
    fate__free(piece);
    sink->at = 0;
}

static void shut_sink(struct fd_sink *sink)
{
    shut(&sink->end);
    while (!fate__list_is_empty(&sink->pieces))
        drop_first(sink);
    sink->n_bytes = 0;
}

static void sink_done(struct end *end)
{
    fate_drop(((struct fd_sink *)end)->why);
}

/* What has been written when the end was asked for still goes out. */
static void sink_has_gone(void *ref)
{
    struct fd_sink *sink = (struct fd_sink *)((struct end_ref *)ref)->end;

    if (!sink->ending) {
        shut_sink(sink);
        fate__line_cancel(&sink->line);
    }
    unref(&sink->end);
}

/* The end's deferred fires with v, if it has been asked for. */
static void finish(struct fd_sink *sink, fate_value v)
{
    fate_deferred *d = sink->ending;

    sink->ending = NULL;
    if (d)
        fate__fire(d, v, sink->end.site);
    else
        fate_drop(v);
}

static void fail_all(struct fd_sink *sink, int why)
{
    fate_deferred *d;

    sink->why = failed(&sink->end, "write to", why);
    shut_sink(sink);
    while ((d = fate__line_next(&sink->line)))
        fate__fire(d, fate_copy(&sink->why), sink->end.site);
    finish(sink, fate_copy(&sink->why));
}

static ssize_t write_quietly(int fd, const void *p, size_t len)
{
    struct fate__quiet quiet;

    fate__quiet_begin(&quiet);
    ssize_t n = fate__sys->write(fd, p, len);
    fate__quiet_end(&quiet, n < 0 && errno == EPIPE);
    return n;
}

/* As much of the first piece as goes: whether all went, or -errno. */
static int write_first(struct fd_sink *sink)
{
    struct piece *piece = fate_container_of(sink->pieces.next, struct piece, link);
    size_t len;
    const char *p = fate_as_bytes(&piece->v, &len);
    ssize_t n = 0;

    if (len > sink->at)
        do
            n = write_quietly(sink->end.fd, p + sink->at, len - sink->at);
        while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? 0 : -errno;
    sink->at += (size_t)n;
    sink->n_bytes -= (size_t)n;
    if (sink->at < len)
        return 0;
    drop_first(sink);
    return 1;
}

static void make_room(struct fd_sink *sink)
{
    fate_deferred *d;

    while (sink->n_bytes <= FATE__SINK_BYTES_LOW && (d = fate__line_next(&sink->line)))
        fate__fire(d, fate_none(), sink->end.site);
}

/* Writes what goes now.  What it fires may do anything with the sink, so the caller has a reference. */
static void flush(struct fd_sink *sink)
{
    int went = 1;

    while (went > 0 && !fate__list_is_empty(&sink->pieces))
        went = write_first(sink);
    bool is_empty = fate__list_is_empty(&sink->pieces);
    if (went >= 0)
        went = await(&sink->end, is_empty ? 0 : FATE_WRITABLE);
    if (went < 0) {
        fail_all(sink, went);
        return;
    }
    make_room(sink); /* whoever has it may have written more, and asked for the end */
    if (sink->ending && fate__list_is_empty(&sink->pieces)) {
        shut(&sink->end);
        finish(sink, fate_none());
    }
}

static void is_writable(struct end *end)
{
    if (end->fd >= 0)
        flush((struct fd_sink *)end);
}

static bool enqueue(struct fd_sink *sink, fate_value v)
{
    struct piece *piece = fate__alloc(sizeof *piece);
    size_t len;

    if (!piece) {
        fate_drop(v);
        return false;
    }
    fate_as_bytes(&v, &len);
    piece->v = v;
    fate__list_add_last(&sink->pieces, &piece->link);
    sink->n_bytes += len;
    return true;
}

/* Why nothing can be written; none: it can. */
static fate_value refuse(const struct fd_sink *sink, const fate_value *piece)
{
    const void *p;
    size_t len;

    if (fate_is_failure(&sink->why))
        return fate_copy(&sink->why);
    if (fate_get_bytes(piece, &p, &len))
        return fate_none();
    return fate__raise(sink->end.site, &FATE_TYPE_ERROR, "write to %s: a piece is %s, not text or bytes",
                       sink->end.what, piece->type ? piece->type->name : "none");
}

/* What waits already is written by the loop; only the first piece goes at once. */
static fate_deferred *write_piece(fate_reactor *reactor, fate_value *arg, fate_value piece)
{
    struct fd_sink *sink = (struct fd_sink *)end_in(arg);
    bool is_first = fate__list_is_empty(&sink->pieces);
    fate_value why = refuse(sink, &piece);

    if (fate_is_failure(&why)) {
        fate_drop(piece);
        return fate_succeed_at(reactor, why, sink->end.site);
    }
    if (!enqueue(sink, piece))
        return fate__hand_out_no_memory(&reactor->turns);
    if (is_first)
        flush(sink);
    if (fate_is_failure(&sink->why))
        return fate_succeed_at(reactor, fate_copy(&sink->why), sink->end.site);
    if (sink->n_bytes < FATE__SINK_BYTES_HIGH)
        return fate_succeed_at(reactor, fate_none(), sink->end.site);
    return fate__line_join(&sink->line, reactor, sink->end.site);
}

/* What has not been written yet is not. */
static bool cancel_end(fate_deferred *d, void *data, const char *site)
{
    struct fd_sink *sink = data;

    sink->ending = NULL;
    sink->end.refs++;
    shut_sink(sink);
    fate__line_cancel(&sink->line);
    unref(&sink->end);
    return true;
}

static const struct fate__source ending = { .cancel = cancel_end, .waits = say_what };

static fate_deferred *end_when_written(struct fd_sink *sink, fate_reactor *reactor)
{
    fate_deferred *d = fate__sourced(reactor, &ending, sink, sink->end.site);

    if (d->flags & FATE__SOURCE)
        sink->ending = d;
    else
        shut_sink(sink);
    return d;
}

static fate_deferred *end_sink(fate_reactor *reactor, fate_value *arg, fate_value *why)
{
    struct fd_sink *sink = (struct fd_sink *)end_in(arg);
    bool is_cut = fate_is_failure(why) || fate_is_failure(&sink->why);

    if (!is_cut && !fate__list_is_empty(&sink->pieces))
        return end_when_written(sink, reactor);
    fate_value result = fate_is_failure(why) ? fate_none() : fate_copy(&sink->why);
    shut_sink(sink);
    fate__line_cancel(&sink->line);
    return fate_succeed_at(reactor, result, sink->end.site);
}

static const fate_sink_ops fd_sink_ops = {
    .size = sizeof fd_sink_ops, .name = "descriptor", .write = write_piece, .end = end_sink
};

fate_value fate__fd_sink(fate_reactor *reactor, int fd, const char *what)
{
    struct end *end = new_end(reactor, fd, what, "fate_sink_write", sizeof(struct fd_sink));

    if (!end)
        return fate__no_memory();
    struct fd_sink *sink = (struct fd_sink *)end;
    end->is_ready = is_writable;
    end->done = sink_done;
    fate__list_init(&sink->pieces);
    fate__line_init(&sink->line, "pipe", end);
    return fate_sink(&fd_sink_ops, fate_box_with(sink_has_gone, struct end_ref, end));
}
