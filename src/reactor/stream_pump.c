/* Pumps: all of a source into a sink, or into one text.
 *
 * A pump waits for one deferred at a time, by its ear.  What has its result at once is heard before that
 * returns, and the loop goes on with the next step: so nothing recurses. */
#include <reactor/stream.h>

#include <stdio.h>

#include <base/alloc.h>
#include <base/text.h>
#include <deferred/ear.h>
#include <reactor/reactor.h>

/* Before others get their turn: a sink may have room as fast as its source gives. */
#define PIECES_AT_ONCE 32

/* What is being done, or is next. */
enum phase {
    READ,
    WRITE,
    OPEN, /* these three instead of the two above: a file is handed over, a part at a time */
    HAND_OVER,
    REST,
    END,
    FIRE
};

struct pump {
    fate_deferred *d;
    fate_reactor *reactor;
    const char *site;
    fate_value source; /* none after its end */
    fate_value sink;   /* none: all goes into text */
    struct fate__text text;
    size_t bytes_max, n_bytes;
    int64_t file_bytes; /* of which n_bytes have been handed over */
    enum phase phase;
    struct fate__ear ear;
    fate_value piece;
    fate_value why;    /* the failure that has ended it */
    unsigned n_inside; /* calls that still use it */
    bool is_stepping, has_fired;
    bool makes_way; /* for others, before the next step */
};

/* ---- Going ---- */

static void leave(struct pump *pump)
{
    if (--pump->n_inside > 0 || !pump->has_fired || pump->ear.d)
        return;
    fate_drop(pump->source);
    fate_drop(pump->sink);
    fate_drop(pump->piece);
    fate_drop(pump->why);
    fate__text_done(&pump->text);
    fate__free(pump);
}

static fate_value result_of(struct pump *pump)
{
    if (fate_is_failure(&pump->why))
        return fate_take(&pump->why);
    if (!fate_is_none(&pump->sink))
        return fate_int((int64_t)pump->n_bytes);
    fate_value text =
        pump->text.has_failed ? fate__no_memory() : fate_str_n(pump->text.bytes, pump->text.len);
    fate__text_done(&pump->text);
    return text;
}

static void finish(struct pump *pump)
{
    pump->has_fired = true;
    fate__fire(pump->d, result_of(pump), pump->site);
}

/* ---- Steps ---- */

static void end_by(struct pump *pump, fate_value why)
{
    fate_drop(fate_take(&pump->source)); /* it may cancel the pump, whose sink has not been told yet */
    pump->why = why;
    pump->phase = END;
}

/* Into the text. */
static void collect(struct pump *pump, const void *p, size_t len)
{
    if (len > pump->bytes_max - pump->text.len)
        end_by(pump, fate__raise(pump->site, &FATE_TOO_LONG, "more than %zu bytes", pump->bytes_max));
    else
        fate__text_add_n(&pump->text, p, len);
    if (pump->text.has_failed)
        end_by(pump, fate__no_memory());
}

static void took_piece(struct pump *pump, fate_value piece)
{
    const void *p;
    size_t len = 0;
    bool has_bytes = fate_get_bytes(&piece, &p, &len);

    pump->n_bytes += len;
    if (!fate_is_none(&pump->sink)) {
        pump->piece = piece;
        pump->phase = WRITE;
        return;
    }
    if (has_bytes)
        collect(pump, p, len);
    else
        end_by(pump, fate__raise(pump->site, &FATE_TYPE_ERROR, "a piece is %s, not text or bytes",
                                 piece.type ? piece.type->name : "none"));
    fate_drop(piece);
}

static void ended(struct pump *pump, fate_value result)
{
    pump->phase = FIRE;
    if (fate_is_failure(&result) && !fate_is_failure(&pump->why))
        pump->why = result;
    else
        fate_drop(result);
}

static void wrote(struct pump *pump, fate_value result)
{
    pump->phase = READ;
    if (fate_is_failure(&result))
        end_by(pump, result);
    else
        fate_drop(result);
}

/* What says that it is empty may have something to read all the same, as the files of /proc have. */
static void opened(struct pump *pump, fate_value result)
{
    if (fate_is_failure(&result)) {
        end_by(pump, result);
        return;
    }
    pump->file_bytes = fate_as_int(&result);
    pump->phase = pump->file_bytes > 0 ? HAND_OVER : READ;
}

/* The others get their turn before the next part, however fast the peer takes this one. */
static void handed_over(struct pump *pump, fate_value result)
{
    pump->phase = REST;
    if (fate_is_failure(&result))
        end_by(pump, result);
    else
        fate_drop(result);
}

static void rested(struct pump *pump, fate_value result)
{
    pump->phase = HAND_OVER;
    if (fate_is_failure(&result))
        end_by(pump, result);
    else
        fate_drop(result);
}

static void go_on(struct pump *pump);

static void heard(struct fate__ear *ear, fate_value result)
{
    struct pump *pump = fate_container_of(ear, struct pump, ear);
    bool made_way = pump->makes_way;

    pump->makes_way = false;
    pump->n_inside++;
    if (pump->has_fired || made_way)
        fate_drop(result);
    else if (pump->phase == END)
        ended(pump, result);
    else if (pump->phase == WRITE)
        wrote(pump, result);
    else if (pump->phase == OPEN)
        opened(pump, result);
    else if (pump->phase == HAND_OVER)
        handed_over(pump, result);
    else if (pump->phase == REST)
        rested(pump, result);
    else if (fate_is_none(&result) || fate_is_failure(&result))
        end_by(pump, result);
    else
        took_piece(pump, result);
    go_on(pump);
    leave(pump);
}

/* In the next round. */
static fate_deferred *later(struct pump *pump)
{
    fate_deferred *d = fate_deferred_new_at(pump->reactor, FATE__OWN_SITE("a pump"));

    if (fate_fire_later_at(d, 0, fate_none(), FATE__OWN_SITE("a pump")) < 0)
        fate_fire(d, fate_none());
    return d;
}

static void hand_over(struct pump *pump)
{
    int64_t left = pump->file_bytes - (int64_t)pump->n_bytes;
    struct fate__part_of_file part = { -1, (int64_t)pump->n_bytes,
                                       left < FATE__FILE_PART_BYTES ? left : FATE__FILE_PART_BYTES };

    if (left == 0) {
        end_by(pump, fate_none());
        return;
    }
    part.fd = fate__file_copy_fd(&pump->source);
    if (part.fd < 0) {
        end_by(pump, fate_raise_errno_at("fate_pump", pump->site, part.fd, "a descriptor for a file"));
        return;
    }
    pump->n_bytes += (size_t)part.len;
    fate__listen(&pump->ear, fate__sink_write_file(pump->reactor, &pump->sink, part, pump->site));
}

static void make_way(struct pump *pump)
{
    pump->makes_way = true;
    fate__listen(&pump->ear, later(pump));
}

static void step(struct pump *pump)
{
    fate_reactor *reactor = pump->reactor;

    if (pump->phase == READ && fate_is_none(&pump->source))
        pump->phase = END;
    else if (pump->phase == READ)
        fate__listen(&pump->ear, fate_read_at(&pump->source, pump->site));
    else if (pump->phase == WRITE)
        fate__listen(&pump->ear,
                     fate_sink_write_at(reactor, &pump->sink, fate_take(&pump->piece), pump->site));
    else if (pump->phase == OPEN)
        fate__listen(&pump->ear, fate__file_open(&pump->source));
    else if (pump->phase == HAND_OVER)
        hand_over(pump);
    else if (pump->phase == REST)
        fate__listen(&pump->ear, later(pump));
    else if (pump->phase == END && !fate_is_none(&pump->sink))
        fate__listen(&pump->ear, fate_sink_end_at(reactor, &pump->sink, fate_copy(&pump->why), pump->site));
    else
        finish(pump);
}

static void go_on(struct pump *pump)
{
    int n_pieces = 0;

    if (pump->is_stepping)
        return;
    pump->is_stepping = true;
    pump->n_inside++;
    while (!pump->has_fired && !pump->ear.d)
        if (pump->phase == READ && n_pieces++ == PIECES_AT_ONCE)
            make_way(pump);
        else
            step(pump);
    pump->is_stepping = false;
    leave(pump);
}

/* ---- Cancelling ---- */

static fate_value forgive(fate_value *result, fate_value *arg)
{
    return fate_none();
}

static void cut(struct pump *pump, const char *site)
{
    fate_value why = fate__raise_with("fate_cancel", site, &FATE_CANCELLED, fate_none(), fate_none());
    fate_deferred *d = fate_sink_end_at(pump->reactor, &pump->sink, why, site);

    fate_add_both_at(d, forgive, fate_none(), site);
}

/* What is awaited is asked to stop; until it has, the pump's memory stays for the ear. */
static bool cancel(fate_deferred *d, void *data, const char *site)
{
    struct pump *pump = data;
    fate_deferred *awaited = pump->ear.d;

    pump->has_fired = true;
    pump->n_inside++;
    if (awaited)
        fate_cancel_at(awaited, site);
    fate_drop(fate_take(&pump->source));
    if (pump->phase != END && !fate_is_none(&pump->sink))
        cut(pump, site);
    leave(pump);
    return true;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    const struct pump *pump = data;

    snprintf(ret->text, sizeof ret->text, "the %s",
             pump->phase == READ || pump->phase == OPEN ? "source" : "sink");
    ret->on = pump->ear.d;
}

static const struct fate__source pumping = { .cancel = cancel, .waits = say_what };

/* ---- Beginning ---- */

static fate_deferred *refuse(const struct pump *wanted)
{
    fate_drop(wanted->source);
    fate_drop(wanted->sink);
    fate_drop(wanted->piece);
    return fate__hand_out_no_memory(&wanted->reactor->turns);
}

static void begin(void *pump)
{
    go_on(pump);
}

/* Begins a copy of what is wanted. */
static fate_deferred *start(const struct pump *wanted)
{
    fate_reactor *reactor = wanted->reactor;
    struct pump *pump = fate__alloc(sizeof *pump);

    if (!pump)
        return refuse(wanted);
    *pump = *wanted;
    pump->ear.hear = heard;
    fate_deferred *d = pump->d = fate__sourced(reactor, &pumping, pump, wanted->site);
    if (!(d->flags & FATE__SOURCE)) {
        pump->has_fired = true;
        pump->n_inside = 1;
        leave(pump);
        return d;
    }
    if (!fate__went_outside(reactor, begin, pump))
        go_on(pump);
    return d;
}

fate_deferred *fate_read_all_at(fate_value source, size_t bytes_max, const char *site)
{
    const struct pump wanted = {
        .reactor = fate__source_reactor(&source, "fate_read_all", site),
        .site = site,
        .source = source,
        .bytes_max = bytes_max,
    };

    fate__check_reactor(wanted.reactor, "fate_read_all", site);
    return start(&wanted);
}

fate_deferred *fate__pump(fate_reactor *reactor, fate_value source, fate_value sink, const char *site)
{
    struct pump wanted = { .reactor = reactor, .site = site, .source = source, .sink = sink };
    const void *p;

    if (fate_get_bytes(&source, &p, &wanted.n_bytes)) {
        wanted.source = fate_none();
        wanted.piece = source;
        wanted.phase = WRITE;
    } else {
        fate__source_reactor(&source, "fate_pump", site);
        if (fate__sink_takes_files(&sink) && fate__file_is_unread(&source))
            wanted.phase = OPEN;
    }
    return start(&wanted);
}

fate_deferred *fate_pump_at(fate_value source, fate_value sink, const char *site)
{
    fate_reactor *reactor = fate__source_reactor(&source, "fate_pump", site);

    fate__check_reactor(reactor, "fate_pump", site);
    fate__check_given(&source, "fate_pump", site);
    fate__check_given(&sink, "fate_pump", site);
    if (fate_is_none(&sink))
        fate__stop(site, "fate_pump was given no sink. fate_sink makes one.");
    return fate__pump(reactor, source, sink, site);
}

fate_deferred *(fate_read_all)(fate_value source, size_t bytes_max)
{
    return fate_read_all_at(source, bytes_max, "fate_read_all");
}

fate_deferred *(fate_pump)(fate_value source, fate_value sink)
{
    return fate_pump_at(source, sink, "fate_pump");
}
