/* Sinks: what takes pieces. */
#include <reactor/stream.h>

#include <base/alloc.h>
#include <base/sys.h>
#include <reactor/reactor.h>

#define BOX "fate_sink"

struct stream_sink {
    const fate_sink_ops *ops;
    fate_value arg;
    bool has_ended;
};

static void has_gone(void *data)
{
    fate_drop(((struct stream_sink *)data)->arg);
}

fate_value fate_sink(const fate_sink_ops *ops, fate_value arg)
{
    fate__check_given(&arg, "fate_sink", NULL);
    if (!ops || ops->size < offsetof(fate_sink_ops, end) || !ops->write)
        fate__stop(NULL,
                   "fate_sink was given a table without `write`. Write static const fate_sink_ops ops = { "
                   ".size = sizeof ops, .write = … }.");
    if (fate__is_no_memory(&arg))
        return arg;
    return fate_box_new(BOX, sizeof(struct stream_sink), &(struct stream_sink){ ops, arg, false }, has_gone);
}

/* NULL: it is a failure. */
static struct stream_sink *sink_in(const fate_value *v, const char *what, const char *site)
{
    if (fate_is_failure(v))
        return NULL;
    if (!fate_is_box_named(BOX, v))
        fate__stop(site, "%s was given a value that is no sink. fate_sink makes one.", what);
    return fate_box_data(BOX, v, site);
}

/* ---- Calls, on the reactor's own stack ---- */

struct sink_call {
    fate_reactor *reactor;
    fate_value *sink;
    fate_value what; /* the piece, or why it ends */
    const char *site;
    fate_deferred *d;
    struct fate__part_of_file part;
};

static fate_deferred *fail(const struct sink_call *call, fate_value failure)
{
    return fate_succeed_at(call->reactor, failure, call->site);
}

static fate_deferred *check_returned(fate_deferred *d, const struct stream_sink *sink, const char *function)
{
    if (!d)
        fate__stop(NULL,
                   "the %s function of the sink %s returned NULL. It must return a deferred; "
                   "fate_succeed(reactor, fate_none()) says that there is room.",
                   function, sink->ops->name ? sink->ops->name : "");
    return d;
}

static fate_deferred *write_piece(const struct sink_call *call, struct stream_sink *sink)
{
    fate__lend(&sink->arg);
    fate_deferred *d = sink->ops->write(call->reactor, &sink->arg, call->what);
    fate__unlend(&sink->arg);
    return check_returned(d, sink, "write");
}

static void call_write(void *arg)
{
    struct sink_call *call = arg;
    struct stream_sink *sink = sink_in(call->sink, "fate_sink_write", call->site);
    bool is_refused = !sink || sink->has_ended || fate_is_failure(&call->what);

    if (!is_refused) {
        fate_value self = fate_copy(call->sink);
        call->d = write_piece(call, sink);
        fate_drop(self);
    } else if (fate_is_failure(&call->what)) {
        call->d = fail(call, call->what);
    } else {
        fate_drop(call->what);
        call->d =
            fail(call, sink ? fate__raise(call->site, &FATE_BROKEN_PIPE, "written to a sink after its end")
                            : fate_copy(call->sink));
    }
}

static fate_deferred *end(const struct sink_call *call, struct stream_sink *sink)
{
    fate_value why = call->what;

    sink->has_ended = true;
    fate__lend(&sink->arg);
    fate__lend(&why);
    fate_deferred *d = sink->ops->end(call->reactor, &sink->arg, &why);
    fate__unlend(&sink->arg);
    fate_drop(fate_take(&why));
    return check_returned(d, sink, "end");
}

static void call_write_file(void *arg)
{
    struct sink_call *call = arg;
    struct stream_sink *sink = sink_in(call->sink, "fate_pump", call->site);

    if (!sink || sink->has_ended) {
        fate__close(call->part.fd);
        call->d =
            fail(call, sink ? fate__raise(call->site, &FATE_BROKEN_PIPE, "written to a sink after its end")
                            : fate_copy(call->sink));
        return;
    }
    fate_value self = fate_copy(call->sink);
    fate__lend(&sink->arg);
    call->d =
        sink->ops->write_file(call->reactor, &sink->arg, call->part.fd, call->part.offset, call->part.len);
    fate__unlend(&sink->arg);
    call->d = check_returned(call->d, sink, "write_file");
    fate_drop(self);
}

static void call_end(void *arg)
{
    struct sink_call *call = arg;
    struct stream_sink *sink = sink_in(call->sink, "fate_sink_end", call->site);
    bool has_more = sink && !sink->has_ended && sink->ops->size > offsetof(fate_sink_ops, end);

    if (has_more && sink->ops->end) {
        fate_value self = fate_copy(call->sink);
        call->d = end(call, sink);
        fate_drop(self);
        return;
    }
    if (sink)
        sink->has_ended = true;
    fate_drop(call->what);
    call->d = fail(call, sink ? fate_none() : fate_copy(call->sink));
}

static fate_deferred *carry_out(void (*fn)(void *arg), struct sink_call *call, const char *what)
{
    fate__check_reactor(call->reactor, what, call->site);
    fate__check_given(&call->what, what, call->site);
    if (!fate__went_outside(call->reactor, fn, call))
        fn(call);
    return call->d;
}

fate_deferred *fate_sink_write_at(fate_reactor *reactor, fate_value *sink, fate_value piece, const char *site)
{
    struct sink_call call = { .reactor = reactor, .sink = sink, .what = piece, .site = site };
    return carry_out(call_write, &call, "fate_sink_write");
}

bool fate__sink_takes_files(const fate_value *sink)
{
    if (!fate_is_box_named(BOX, sink))
        return false;
    const struct stream_sink *found = fate_box_data(BOX, sink, NULL);
    return found->ops->size > offsetof(fate_sink_ops, write_file) && found->ops->write_file;
}

fate_deferred *fate__sink_write_file(fate_reactor *reactor, fate_value *sink, struct fate__part_of_file part,
                                     const char *site)
{
    struct sink_call call = { .reactor = reactor, .sink = sink, .site = site, .part = part };
    return carry_out(call_write_file, &call, "fate_pump");
}

fate_deferred *fate_sink_end_at(fate_reactor *reactor, fate_value *sink, fate_value why, const char *site)
{
    struct sink_call call = { .reactor = reactor, .sink = sink, .what = why, .site = site };

    if (why.type && !fate_is_failure(&why))
        fate__stop(site, "fate_sink_end was given a value that is no failure. Why it ends is none, or the "
                         "failure that has cut it short.");
    return carry_out(call_end, &call, "fate_sink_end");
}

fate_deferred *(fate_sink_write)(fate_reactor *reactor, fate_value *sink, fate_value piece)
{
    return fate_sink_write_at(reactor, sink, piece, "fate_sink_write");
}

fate_deferred *(fate_sink_end)(fate_reactor *reactor, fate_value *sink, fate_value why)
{
    return fate_sink_end_at(reactor, sink, why, "fate_sink_end");
}
