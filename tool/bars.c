/* Bars: what each item is at, and the lines that say so. */
#include <bars.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <amount.h>
#include <base/alloc.h>
#include <columns.h>

#define COLUMNS_DEFAULT 80
#define ROWS_DEFAULT    8
#define NAME_COLUMNS    30                /* columns */
#define AMOUNTS         38                /* columns of what stands behind a bar */
#define BAR_MIN         10                /* columns of a bar; where there is less room, there is none */
#define SMOOTH          (2 * FATE_SECOND) /* the time in which a rate forgets half of what it was */
#define RATE_INTERVAL   (200 * FATE_MILLISECOND)
#define CLEAR_LINE      "\033[K"
#define CLEAR_BELOW     "\033[J"

enum item_state { RUNNING, FINISHED, SAID };

struct item {
    char *name, *line; /* what remains of it: NULL where there was no memory for it */
    uint64_t done, total;
    fate_time begun;
    uint64_t rate, rated_done; /* bytes a second; what was done when it was measured */
    fate_time rated;
    enum item_state state;
    int next; /* of those that are finished and unsaid; -1: none */
};

struct fate__bars {
    struct fate__bars_options options;
    struct item *items;
    size_t n, n_running, n_expected;
    int first_unsaid, last_unsaid; /* that are finished, and whose lines have not been written; -1: none */
    size_t n_lines;                /* that are on the terminal, above the cursor */
    fate_time drawn;
    bool was_drawn;
};

static char *copy_of(const char *s)
{
    size_t len = strlen(s) + 1;
    char *copy = fate__alloc(len);

    return copy ? memcpy(copy, s, len) : NULL;
}

/* ---- Items ---- */

struct fate__bars *fate__bars_new(const struct fate__bars_options *options)
{
    struct fate__bars *bars = fate__zalloc(sizeof *bars);

    if (!bars)
        return NULL;
    bars->options = *options;
    bars->first_unsaid = bars->last_unsaid = -1;
    fate__bars_resize(bars, options->columns, options->rows_max);
    return bars;
}

void fate__bars_free(struct fate__bars *bars)
{
    if (!bars)
        return;
    for (size_t i = 0; i < bars->n; i++) {
        fate__free(bars->items[i].name);
        fate__free(bars->items[i].line);
    }
    fate__free(bars->items);
    fate__free(bars);
}

void fate__bars_resize(struct fate__bars *bars, size_t columns, size_t rows_max)
{
    bars->options.columns = columns ? columns : COLUMNS_DEFAULT;
    bars->options.rows_max = rows_max ? rows_max : ROWS_DEFAULT;
}

void fate__bars_expect(struct fate__bars *bars, size_t n)
{
    bars->n_expected = n;
}

int fate__bars_add(struct fate__bars *bars, const char *name, uint64_t total, fate_time now)
{
    struct item *items = fate__realloc(bars->items, (bars->n + 1) * sizeof *items);

    if (!items)
        return -ENOMEM;
    bars->items = items;
    struct item *item = &items[bars->n];
    *item = (struct item){ .name = copy_of(name), .total = total, .begun = now, .rated = now };
    if (!item->name)
        return -ENOMEM;
    bars->n_running++;
    return (int)bars->n++;
}

void fate__bars_set(struct fate__bars *bars, int item, uint64_t done, uint64_t total)
{
    bars->items[item].done = done;
    bars->items[item].total = total;
}

void fate__bars_finish(struct fate__bars *bars, int number, const char *line)
{
    struct item *item = &bars->items[number];

    if (item->state != RUNNING)
        return;
    item->state = FINISHED;
    item->line = copy_of(line);
    item->next = -1;
    bars->n_running--;
    if (bars->last_unsaid < 0)
        bars->first_unsaid = number;
    else
        bars->items[bars->last_unsaid].next = number;
    bars->last_unsaid = number;
}

/* ---- Rates ---- */

static uint64_t rate_of(uint64_t bytes, fate_time span)
{
    return span <= 0 ? 0 : (uint64_t)((double)bytes * (double)FATE_SECOND / (double)span);
}

/* The older rate weighs the less, the longer the time since. */
static void measure(struct item *item, fate_time now)
{
    fate_time span = now - item->rated;

    if (span < RATE_INTERVAL)
        return;
    uint64_t bytes = item->done > item->rated_done ? item->done - item->rated_done : 0;
    double latest = (double)rate_of(bytes, span), weight = (double)span / (double)(span + SMOOTH);
    bool is_first = item->rated == item->begun;
    item->rate =
        is_first ? (uint64_t)latest : (uint64_t)((double)item->rate + (latest - (double)item->rate) * weight);
    item->rated = now;
    item->rated_done = item->done;
}

/* What is left, in time at this rate; -1: nobody knows. */
static fate_time time_left(uint64_t done, uint64_t total, uint64_t rate)
{
    if (!rate || done > total)
        return -1;
    double seconds = (double)(total - done) / (double)rate;
    return seconds > 1e9 ? -1 : (fate_time)seconds * FATE_SECOND;
}

/* ---- Bars ---- */

/* A bar that is filled to an eighth of a column. */
static void add_blocks(struct fate__text *to, uint64_t eighths, size_t columns)
{
    static const char *const parts[] = { "",
                                         "\xe2\x96\x8f",
                                         "\xe2\x96\x8e",
                                         "\xe2\x96\x8d",
                                         "\xe2\x96\x8c",
                                         "\xe2\x96\x8b",
                                         "\xe2\x96\x8a",
                                         "\xe2\x96\x89" };
    size_t whole = (size_t)(eighths / 8);

    for (size_t i = 0; i < whole; i++)
        fate__text_add(to, "\xe2\x96\x88");
    fate__text_add(to, whole < columns ? parts[eighths % 8] : "");
    for (size_t i = whole + (eighths % 8 && whole < columns); i < columns; i++)
        fate__text_add(to, " ");
}

static void add_signs(struct fate__text *to, uint64_t eighths, size_t columns)
{
    size_t whole = (size_t)(eighths / 8);

    for (size_t i = 0; i < columns; i++)
        fate__text_add(to, i < whole ? "#" : ".");
}

/* Where nobody knows how much there is: three columns that go to and fro, one a drawing. */
static void add_wanderer(struct fate__text *to, fate_time since, size_t columns, bool is_utf8)
{
    size_t way = columns - 3, at = (size_t)(since / FATE__BARS_INTERVAL) % (2 * way);

    at = at > way ? 2 * way - at : at;
    for (size_t i = 0; i < columns; i++) {
        bool is_there = i >= at && i < at + 3;
        fate__text_add(to, is_there ? (is_utf8 ? "\xe2\x96\x88" : "#") : is_utf8 ? " " : ".");
    }
}

/* How far, of `whole`, in parts of n. */
static uint64_t part_of(uint64_t done, uint64_t whole, uint64_t n)
{
    if (done >= whole)
        return n;
    return (uint64_t)((double)done / (double)whole * (double)n);
}

/* What a line is made of: that of an item, or the total. */
struct line {
    const char *name;
    uint64_t done, total, rate;
    fate_time since;
};

static void add_bar(const struct fate__bars *bars, struct fate__text *to, const struct line *line,
                    size_t columns)
{
    bool is_utf8 = bars->options.is_utf8;

    fate__text_add(to, is_utf8 ? " \xe2\x96\x95" : " [");
    if (!line->total)
        add_wanderer(to, line->since, columns, is_utf8);
    else
        (is_utf8 ? add_blocks : add_signs)(to, part_of(line->done, line->total, columns * 8), columns);
    fate__text_add(to, is_utf8 ? "\xe2\x96\x8f" : "]");
}

/* "  45%   1.2 MiB   3.4 MiB/s   0:05", in AMOUNTS columns. */
static void add_amounts(struct fate__text *to, const struct line *line)
{
    char done[FATE__AMOUNT_BYTES], rate[FATE__AMOUNT_BYTES], left[FATE__AMOUNT_BYTES];
    fate_time span = line->total ? time_left(line->done, line->total, line->rate) : -1;

    if (line->total)
        fate__text_format(to, " %3u%%", (unsigned)part_of(line->done, line->total, 100));
    else
        fate__text_add(to, "     ");
    fate__text_format(to, " %10s %10s/s %8s", fate__size_text(line->done, done),
                      fate__size_text(line->rate, rate), fate__clock_text(span, left));
}

/* The last column stays free: some terminals go on to the next line from there. */
static void add_line(const struct fate__bars *bars, struct fate__text *to, const struct line *line)
{
    size_t columns = bars->options.columns - 1, name = NAME_COLUMNS;
    bool is_utf8 = bars->options.is_utf8;

    if (columns < AMOUNTS + BAR_MIN) {
        fate__add_last_columns(to, line->name, columns > 5 ? columns - 5 : columns, is_utf8);
        if (columns > 5 && line->total)
            fate__text_format(to, " %3u%%", (unsigned)part_of(line->done, line->total, 100));
        return;
    }
    bool has_bar = columns >= AMOUNTS + 2 * BAR_MIN + 3;
    if (!has_bar)
        name = columns - AMOUNTS;
    else if (name > (columns - AMOUNTS) / 2)
        name = (columns - AMOUNTS) / 2;
    fate__add_last_columns(to, line->name, name, is_utf8);
    if (has_bar)
        add_bar(bars, to, line, columns - AMOUNTS - name - 3);
    add_amounts(to, line);
}

/* ---- Lines ---- */

/* Without memory for its line there is its name, and that it is over. */
static void add_finished(const struct fate__bars *bars, struct fate__text *to, const struct item *item)
{
    const char *line = item->line ? item->line : item->name;
    bool is_utf8 = bars->options.is_utf8;

    fate__add_columns(to, line, fate__columns_of(line, is_utf8), is_utf8);
    fate__text_add(to, item->line ? "" : ": over");
    fate__text_add(to, bars->options.is_terminal ? CLEAR_LINE "\n" : "\n");
}

static void say_finished(struct fate__bars *bars, struct fate__text *to)
{
    for (int i = bars->first_unsaid; i >= 0; i = bars->items[i].next)
        add_finished(bars, to, &bars->items[i]);
}

static size_t add_running(struct fate__bars *bars, fate_time now, struct fate__text *to)
{
    size_t n = 0;

    for (size_t i = 0; i < bars->n; i++) {
        struct item *item = &bars->items[i];
        if (item->state != RUNNING)
            continue;
        measure(item, now);
        if (n >= bars->options.rows_max)
            continue;
        struct line line = { item->name, item->done, item->total, item->rate, now - item->begun };
        add_line(bars, to, &line);
        fate__text_add(to, CLEAR_LINE "\n");
        n++;
    }
    return n;
}

/* All items together; its total is known when all are. */
static size_t add_total(struct fate__bars *bars, fate_time now, struct fate__text *to)
{
    char name[64];
    struct line line = { .name = name, .since = now - bars->items[0].begun };
    size_t n = bars->n_expected > bars->n ? bars->n_expected : bars->n;
    bool is_known = n == bars->n;

    for (size_t i = 0; i < bars->n; i++) {
        struct item *item = &bars->items[i];
        bool is_running = item->state == RUNNING;
        line.done += item->done;
        line.rate += is_running ? item->rate : 0;
        is_known = is_known && (item->total || !is_running);
        line.total += is_running ? item->total : item->done;
    }
    line.total = is_known ? line.total : 0;
    snprintf(name, sizeof name, "total, %zu of %zu", bars->n - bars->n_running, n);
    add_line(bars, to, &line);
    fate__text_add(to, CLEAR_LINE "\n");
    return 1;
}

static size_t add_bars(struct fate__bars *bars, fate_time now, struct fate__text *to)
{
    size_t n = add_running(bars, now, to);

    if (bars->n_running > bars->options.rows_max) {
        fate__text_format(to, "and %zu more" CLEAR_LINE "\n", bars->n_running - bars->options.rows_max);
        n++;
    }
    return n + (n && (bars->n > 1 || bars->n_expected > 1) ? add_total(bars, now, to) : 0);
}

/* Only what has been written counts as said: the next drawing says it again where memory has run out. */
static void has_drawn(struct fate__bars *bars, fate_time now, size_t n_lines)
{
    for (int i = bars->first_unsaid; i >= 0; i = bars->items[i].next)
        bars->items[i].state = SAID;
    bars->first_unsaid = bars->last_unsaid = -1;
    bars->n_lines = n_lines;
    bars->drawn = now;
    bars->was_drawn = true;
}

static void draw(struct fate__bars *bars, fate_time now, bool with_bars, struct fate__text *to)
{
    size_t n = 0;

    if (bars->options.is_terminal && bars->n_lines)
        fate__text_format(to, "\033[%zuA", bars->n_lines);
    say_finished(bars, to);
    if (bars->options.is_terminal && with_bars)
        n = add_bars(bars, now, to);
    if (n < bars->n_lines)
        fate__text_add(to, CLEAR_BELOW);
    if (!to->has_failed)
        has_drawn(bars, now, n);
}

/* Time alone changes bars too: rates, and what wanders. */
fate_time fate__bars_next(const struct fate__bars *bars)
{
    bool moves = bars->options.is_terminal && bars->n_running;

    if (!moves && bars->first_unsaid < 0)
        return FATE_NEVER;
    return bars->was_drawn ? bars->drawn + FATE__BARS_INTERVAL : 0;
}

void fate__bars_draw(struct fate__bars *bars, fate_time now, struct fate__text *to)
{
    if (fate__bars_next(bars) <= now)
        draw(bars, now, true, to);
}

void fate__bars_clear(struct fate__bars *bars, fate_time now, struct fate__text *to)
{
    draw(bars, now, false, to);
    bars->was_drawn = false;
}
