/* Sources: who asks gets a piece, in order, and none is lost. */
#include <reactor/stream.h>

#include <stdio.h>

#include <base/alloc.h>
#include <base/list.h>
#include <deferred/ear.h>
#include <reactor/reactor.h>

FATE_CLASS(FATE_TOO_LONG, "TooLongError", &FATE_ERROR);

#define BOX "fate_source"

struct stream_source {
    fate_reactor *reactor;
    const fate_source_ops *ops;
    fate_value arg;
    struct fate__ear ear; /* listens to what ops->read has returned */
    struct fate__link readers;
    fate_value piece; /* that nobody has got yet; at the end none, or the failure, and it stays */
    bool has_piece, has_ended, is_serving, has_been_read;
    bool is_gone, is_stopped; /* has no references; and needs its memory only for the ear */
};

/* A source that there was no memory for: it points to its reactor. */
static const fate_type no_memory_source = { "source", FATE_KIND_OBJECT, false, false, &no_memory_source, NULL,
                                            true };

/* What a box of a source holds. */
struct source_ref {
    struct stream_source *source;
};

/* One who waits. */
struct reader {
    struct fate__link link;
    fate_deferred *d;
    fate_value source; /* a reference of its own */
};

bool fate__went_outside(fate_reactor *reactor, void (*fn)(void *arg), void *arg)
{
    struct fate__turns *turns = &reactor->turns;

    if (!turns->outside)
        return false;
    turns->outside(turns, fn, arg);
    return true;
}

/* ---- Life ---- */

static void destroy(struct stream_source *source)
{
    fate_drop(source->piece);
    fate_drop(source->arg);
    fate__free(source);
}

static void stop(struct stream_source *source)
{
    if (source->has_ended || !source->ops->stop)
        return;
    fate__lend(&source->arg);
    source->ops->stop(&source->arg);
    fate__unlend(&source->arg);
}

/* The last reference has gone. */
static void has_gone(void *ref)
{
    struct stream_source *source = ((struct source_ref *)ref)->source;

    source->is_gone = true;
    if (source->ear.d)
        fate_cancel(source->ear.d);
    stop(source);
    source->is_stopped = true;
    if (!source->ear.d)
        destroy(source);
}

static void got_piece(struct fate__ear *ear, fate_value piece);

static void check_source_ops(const fate_source_ops *ops, const fate_value *arg)
{
    fate__check_given(arg, "fate_source", NULL);
    if (!ops || ops->size < offsetof(fate_source_ops, stop) || !ops->read)
        fate__stop(NULL,
                   "fate_source was given a table without `read`. Write static const fate_source_ops ops = { "
                   ".size = sizeof ops, .read = … }.");
}

static struct stream_source *make(fate_reactor *reactor, const fate_source_ops *ops, fate_value arg)
{
    struct stream_source *source = fate__is_no_memory(&arg) ? NULL : fate__zalloc(sizeof *source);

    if (!source) {
        struct stream_source unmade = { .ops = ops, .arg = arg, .has_ended = fate__is_no_memory(&arg) };
        stop(&unmade);
        fate_drop(unmade.arg);
        return NULL;
    }
    source->reactor = reactor;
    source->ops = ops;
    source->arg = arg;
    source->ear.hear = got_piece;
    fate__list_init(&source->readers);
    return source;
}

fate_value fate_source(fate_reactor *reactor, const fate_source_ops *ops, fate_value arg)
{
    fate__check_reactor(reactor, "fate_source", NULL);
    check_source_ops(ops, &arg);
    struct stream_source *source = make(reactor, ops, arg);
    fate_value v = fate__no_memory();
    if (source)
        v = fate_box_new(BOX, sizeof(struct source_ref), &(struct source_ref){ source }, has_gone);
    return fate_is_failure(&v) ? fate__object(&no_memory_source, reactor) : v;
}

static struct stream_source *source_in(const fate_value *v)
{
    return ((struct source_ref *)fate_box_data(BOX, v, NULL))->source;
}

fate_reactor *fate__source_reactor(const fate_value *source, const char *what, const char *site)
{
    if (source->type == &no_memory_source)
        return source->as.p;
    if (!fate_is_box_named(BOX, source))
        fate__stop(site,
                   "%s was given a value that is no source. fate_source makes one; a text or bytes are at "
                   "hand already and need none.",
                   what);
    return source_in(source)->reactor;
}

fate_value *fate__source_unread(const fate_value *source, const fate_source_ops *ops)
{
    if (source->type == &no_memory_source || !fate_is_box_named(BOX, source) || fate__refs(source) != 1)
        return NULL;
    struct stream_source *found = source_in(source);
    bool is_unread = found->ops == ops && !found->has_piece && !found->has_been_read;
    return is_unread ? &found->arg : NULL;
}

bool fate_is_source(const fate_value *v)
{
    return v->type == &no_memory_source || fate_is_box_named(BOX, v);
}

/* ---- Serving ---- */

static fate_deferred *call_read(struct stream_source *source)
{
    source->has_been_read = true;
    fate__lend(&source->arg);
    fate_deferred *d = source->ops->read(&source->arg, FATE__PIECE_BYTES_MAX);
    fate__unlend(&source->arg);
    if (!d)
        fate__stop(NULL,
                   "the read function of the source %s returned NULL. It must return a deferred; "
                   "fate_succeed(reactor, fate_none()) is the end.",
                   source->ops->name ? source->ops->name : "");
    return d;
}

/* Is there something to give?  If not, it is asked for. */
static bool has_something(struct stream_source *source)
{
    if (!source->has_piece && !source->ear.d)
        fate__listen(&source->ear, call_read(source));
    return source->has_piece;
}

static fate_value next_piece(struct stream_source *source)
{
    if (source->has_ended)
        return fate_copy(&source->piece);
    source->has_piece = false;
    return fate_take(&source->piece);
}

/* Takes the reader out; its reference to the source is the caller's now. */
static fate_value leave(struct reader *reader)
{
    fate_value source = reader->source;

    fate__list_remove(&reader->link);
    fate__free(reader);
    return source;
}

static struct reader *first_reader(const struct stream_source *source)
{
    if (fate__list_is_empty(&source->readers))
        return NULL;
    return fate_container_of(source->readers.next, struct reader, link);
}

/* A read that has its piece at once comes back here by got_piece: then the loop goes on with it. */
static void serve(struct stream_source *source)
{
    struct reader *reader = first_reader(source);

    if (!reader || source->is_serving)
        return;
    fate_value self = fate_copy(&reader->source);
    source->is_serving = true;
    while ((reader = first_reader(source)) && has_something(source)) {
        reader = first_reader(source); /* what was asked may have cancelled one */
        if (!reader)
            break;
        fate_deferred *d = reader->d;
        fate_value of_reader = leave(reader);
        fate__fire(d, next_piece(source), fate__site_of(d));
        fate_drop(of_reader);
    }
    source->is_serving = false;
    fate_drop(self);
}

static void got_piece(struct fate__ear *ear, fate_value piece)
{
    struct stream_source *source = fate_container_of(ear, struct stream_source, ear);

    if (source->is_gone) {
        fate_drop(piece);
        if (source->is_stopped)
            destroy(source);
        return;
    }
    source->piece = piece;
    source->has_piece = true;
    source->has_ended = fate_is_none(&piece) || fate_is_failure(&piece);
    serve(source);
}

/* ---- Asking ---- */

/* What comes for it goes to the next one.  With it the source may go, whose `stop` may look at d, or cancel
 * it again: there is nobody left to ask then. */
static bool cancel_read(fate_deferred *d, void *data, const char *site)
{
    d->flags &= (uint16_t)~FATE__SOURCE;
    fate_drop(leave(data));
    return true;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    const struct stream_source *source = source_in(&((const struct reader *)data)->source);

    snprintf(ret->text, sizeof ret->text, "the source %s", source->ops->name ? source->ops->name : "");
    ret->on = source->ear.d;
}

static const struct fate__source reading = { .cancel = cancel_read, .waits = say_what };

static fate_deferred *join(struct stream_source *source, const fate_value *v, const char *site)
{
    struct reader *reader = fate__alloc(sizeof *reader);

    if (!reader)
        return fate__hand_out_no_memory(&source->reactor->turns);
    fate_deferred *d = fate__sourced(source->reactor, &reading, reader, site);
    if (!(d->flags & FATE__SOURCE)) {
        fate__free(reader);
        return d;
    }
    reader->d = d;
    reader->source = fate_copy(v);
    fate__list_add_last(&source->readers, &reader->link);
    return d;
}

static void serve_outside(void *source)
{
    serve(source);
}

fate_deferred *fate_read_at(fate_value *v, const char *site)
{
    fate_reactor *reactor = fate__source_reactor(v, "fate_read", site);

    fate__check_reactor(reactor, "fate_read", site);
    if (v->type == &no_memory_source)
        return fate__hand_out_no_memory(&reactor->turns);
    struct stream_source *source = source_in(v);
    fate_deferred *d = join(source, v, site);
    if (!fate__went_outside(reactor, serve_outside, source))
        serve(source);
    return d;
}

fate_deferred *(fate_read)(fate_value *source)
{
    return fate_read_at(source, "fate_read");
}
