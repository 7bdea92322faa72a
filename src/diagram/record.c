/* Recording: the chain tells the recorder of what happens to a traced deferred, and each record of that one
 * takes it down.  Nothing here may disturb the chain: without memory a record is incomplete, and knows it. */
#include <diagram/record.h>

#include <base/alloc.h>

struct fate__recorder {
    struct fate__tracer tracer; /* first: how the hooks find the recorder */
    struct fate__turns *turns;
    struct fate__table records; /* by deferred */
    size_t n_diagrams;
};

static struct fate__recorder *recorder_of(const fate_deferred *d)
{
    return (struct fate__recorder *)(uintptr_t)fate__turns_of(d)->tracer;
}

/* ---- The records of a deferred ---- */

static struct fate__record *records_of(const struct fate__recorder *recorder, const fate_deferred *d)
{
    struct fate__entry *entry = fate__table_find(&recorder->records, d);
    return entry ? fate_container_of(entry, struct fate__record, entry) : NULL;
}

static bool attach(struct fate__recorder *recorder, struct fate__record *record, fate_deferred *d)
{
    struct fate__record *first = records_of(recorder, d);

    if (first) {
        record->same = first->same;
        first->same = record;
    } else if (fate__table_add(&recorder->records, &record->entry, d) < 0) {
        return false;
    }
    record->d = d;
    d->marks |= FATE__TRACED;
    return true;
}

static void detach(struct fate__recorder *recorder, struct fate__record *record)
{
    fate_deferred *d = record->d;
    struct fate__record *first = records_of(recorder, d);

    record->d = NULL;
    if (first != record) {
        while (first->same != record)
            first = first->same;
        first->same = record->same;
        return;
    }
    fate__table_remove(&recorder->records, &record->entry);
    if (!record->same)
        d->marks &= (uint8_t)~FATE__TRACED;
    else if (fate__table_add(&recorder->records, &record->same->entry, d) < 0)
        fate__never("a table that has had an entry has room for one");
}

/* ---- Noting results ---- */

static void note(struct fate__record *record, struct fate__noted *noted, const fate_value *v)
{
    if (!fate__note(noted, v))
        record->diagram->lacked_memory = true;
}

static struct fate__step *last_passed(struct fate__record *record)
{
    return &record->passed.steps[record->passed.n - 1];
}

/* Is its result the one that its last recorded step has left? */
static bool has_result(const struct fate__record *record)
{
    const fate_deferred *d = record->d;
    bool is_between = (d->flags & (FATE__FIRED | FATE__WAITING | FATE__RUNNING)) == FATE__FIRED;
    return is_between && record->current == FATE__NO_STEP && !record->passed.n_missing;
}

static void note_output(struct fate__record *record, const fate_value *v)
{
    struct fate__step *step = last_passed(record);

    if (!step->output.is_known && !record->passed.n_missing)
        note(record, &step->output, v);
}

/* ---- Making ---- */

static bool has_memory(fate_diagram *diagram, bool has)
{
    if (!has)
        diagram->lacked_memory = true;
    return has;
}

static struct fate__record *make_record(fate_diagram *diagram, fate_deferred *d, size_t depth)
{
    struct fate__record *record = fate__zalloc(sizeof *record);
    if (!record)
        return NULL;

    record->diagram = diagram;
    record->site = fate__site_of(d);
    record->depth = depth;
    record->index = diagram->n_records;
    record->current = record->handed_over_at = FATE__NO_STEP;
    struct fate__step *beginning = fate__steps_add(&record->passed, FATE__STEPS_MAX);
    if (!beginning || !attach(diagram->recorder, record, d)) {
        fate__steps_done(&record->passed);
        fate__free(record);
        return NULL;
    }
    beginning->kind = FATE__BEGINNING;
    return record;
}

static void follow(struct fate__record *record, struct fate__step *step, fate_deferred *inner);

/* d may have begun already: with a result, or waiting. */
static void note_beginning(struct fate__record *record)
{
    const fate_deferred *d = record->d;
    const unsigned both = FATE__FIRED | FATE__WAITING;

    if ((d->flags & both) == both)
        follow(record, last_passed(record), d->wait.on);
    else if (has_result(record))
        note_output(record, &d->result);
}

struct fate__record *fate__record_new(fate_diagram *diagram, fate_deferred *d, size_t depth)
{
    if (diagram->n_records == FATE__RECORDS_MAX || depth == FATE__DEPTH_MAX)
        return NULL;
    struct fate__record *record = make_record(diagram, d, depth);
    if (!has_memory(diagram, record))
        return NULL;
    if (diagram->last)
        diagram->last->next = record;
    else
        diagram->first = record;
    diagram->last = record;
    diagram->n_records++;
    note_beginning(record);
    return record;
}

static bool is_recorded(const fate_diagram *diagram, const fate_deferred *d)
{
    const struct fate__record *record = records_of(diagram->recorder, d);

    while (record && record->diagram != diagram)
        record = record->same;
    return record != NULL;
}

/* One that is in the diagram already stays where it is. */
static void follow(struct fate__record *record, struct fate__step *step, fate_deferred *inner)
{
    fate_diagram *diagram = record->diagram;

    step->followed_site = fate__site_of(inner);
    if (!is_recorded(diagram, inner))
        step->followed = fate__record_new(diagram, inner, record->depth + 1);
}

/* The record's deferred has the result of what it followed, if that is what its last step did. */
static void came_in(struct fate__record *record, const fate_value *v)
{
    struct fate__record *inner = last_passed(record)->followed;

    note_output(record, v);
    if (!inner || inner->handed_over_at != FATE__NO_STEP)
        return;
    note_output(inner, v);
    inner->handed_over_at = inner->passed.n - 1;
}

/* ---- What the chain tells ---- */

static void add_step(struct fate__record *record, unsigned kind, const struct fate__level *level)
{
    fate_diagram *diagram = record->diagram;
    bool is_full = diagram->n_steps >= FATE__STEPS_MAX;
    struct fate__step *step = fate__steps_add(&record->passed, is_full ? 0 : SIZE_MAX);

    if (!step) {
        has_memory(diagram, is_full);
        return;
    }
    diagram->n_steps++;
    record->current = record->passed.n - 1;
    fate__note_level(step, kind, level);
    step->has_run = fate__would_run(step, &record->d->result);
    note(record, &step->input, &record->d->result);
}

static void before(fate_deferred *d, unsigned kind, const struct fate__level *level)
{
    for (struct fate__record *record = records_of(recorder_of(d), d); record; record = record->same) {
        note_output(record, &d->result);
        add_step(record, kind, level);
    }
}

static void followed(fate_deferred *d, fate_deferred *inner)
{
    for (struct fate__record *record = records_of(recorder_of(d), d); record; record = record->same)
        if (record->current != FATE__NO_STEP)
            follow(record, last_passed(record), inner);
}

static void after(fate_deferred *d)
{
    for (struct fate__record *record = records_of(recorder_of(d), d); record; record = record->same) {
        if (record->current == FATE__NO_STEP)
            continue;
        record->current = FATE__NO_STEP;
        if (!(d->flags & FATE__WAITING))
            came_in(record, &d->result);
    }
}

static void got(fate_deferred *d)
{
    for (struct fate__record *record = records_of(recorder_of(d), d); record; record = record->same)
        came_in(record, &d->result);
}

static void refresh(struct fate__record *record);

static void gone(fate_deferred *d)
{
    struct fate__recorder *recorder = recorder_of(d);
    bool is_armed = (d->flags & (FATE__ARMED | FATE__ANSWERED)) == FATE__ARMED;
    bool is_reported = is_armed && fate_is_failure(&d->result) && !recorder->turns->is_ending;

    for (struct fate__record *record; (record = records_of(recorder, d));) {
        refresh(record);
        record->is_reported = is_reported;
        detach(recorder, record);
    }
}

/* ---- Looking ---- */

static void add_waiting(unsigned kind, const struct fate__level level[], void *arg)
{
    struct fate__record *record = arg;
    struct fate__step *step = fate__steps_add(&record->waiting, FATE__STEPS_MAX);

    if (step)
        fate__note_level(step, kind, level);
    else
        has_memory(record->diagram, record->waiting.n == FATE__STEPS_MAX);
}

static void refresh(struct fate__record *record)
{
    const fate_deferred *d = record->d;

    record->waiting.n = record->waiting.n_missing = 0;
    fate__levels_each(d, add_waiting, record);
    record->is_fired = d->flags & FATE__FIRED;
    record->is_waiting = (d->flags & FATE__WAITING) != 0;
    record->is_paused = d->pauses > 0;
    record->is_running = (d->flags & FATE__RUNNING) != 0;
    if (has_result(record))
        note_output(record, &d->result);
}

void fate__records_refresh(const fate_diagram *diagram)
{
    for (struct fate__record *record = diagram->first; record; record = record->next)
        if (record->d)
            refresh(record);
}

void fate__records_free(fate_diagram *diagram)
{
    while (diagram->first) {
        struct fate__record *record = diagram->first;
        diagram->first = record->next;
        if (record->d)
            detach(diagram->recorder, record);
        fate__steps_done(&record->passed);
        fate__steps_done(&record->waiting);
        fate__free(record);
    }
}

/* ---- The recorder ---- */

static const struct fate__tracer tracer = { before, after, followed, got, gone };

struct fate__recorder *fate__recorder_open(struct fate__turns *turns)
{
    struct fate__recorder *recorder = (struct fate__recorder *)(uintptr_t)turns->tracer;

    if (!recorder) {
        recorder = fate__zalloc(sizeof *recorder);
        if (!recorder)
            return NULL;
        recorder->tracer = tracer;
        recorder->turns = turns;
        turns->tracer = &recorder->tracer;
    }
    recorder->n_diagrams++;
    return recorder;
}

void fate__recorder_close(struct fate__recorder *recorder)
{
    if (--recorder->n_diagrams)
        return;
    recorder->turns->tracer = NULL;
    fate__table_done(&recorder->records);
    fate__free(recorder);
}
