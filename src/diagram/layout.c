/* Placing: a chain goes down its panel, and what it follows goes into the next column, so low that the
 * arrow to it and the arrow back go down too.  The chain makes room for that where it waits. */
#include <diagram/layout.h>

#include <errno.h>
#include <string.h>

#include <base/alloc.h>

enum {
    BEGINNING_HEIGHT = 14,
    COLUMN_SPACE = 20, /* between panels in one column */
    FOLLOW_DROP = 6,   /* from the level that follows to the panel of what it follows */
    RETURN_DROP = 36,  /* from the value there to the value here */
    BETWEEN_WAITING = 44,
};

struct placing {
    struct fate__layout *layout;
    struct fate__row *next_row;
    int column_bottoms[FATE__DEPTH_MAX + 1];
};

int fate__lane_x(const struct fate__panel *panel, unsigned side)
{
    int x = panel->x + FATE__PADDING + FATE__BOX_WIDTH / 2;
    return side == FATE__GREEN ? x : x + FATE__BOX_WIDTH + FATE__BETWEEN;
}

static const char *end_of(const struct fate__record *record)
{
    bool is_gone = !record->d;

    if (record->is_reported)
        return "Nobody handled this failure: it has been reported.";
    if (!record->is_fired)
        return is_gone ? "It went without a result." : "It has not fired yet.";
    if (record->is_running)
        return "It is running now.";
    if (record->is_paused)
        return is_gone ? "It was paused to the end." : "It is paused.";
    if (record->is_waiting)
        return is_gone ? "It waited to the end." : "It waits for what it follows.";
    return NULL;
}

size_t fate__notes_of(const struct fate__record *record, const char *ret_notes[FATE__NOTES_MAX])
{
    const char *end = end_of(record);
    size_t n = 0;

    if (record->passed.n_missing)
        ret_notes[n++] = "More levels have been passed than were recorded.";
    if (record->waiting.n_missing)
        ret_notes[n++] = "More levels wait than are shown.";
    if (end)
        ret_notes[n++] = end;
    return n;
}

/* ---- Rows ---- */

static bool is_the_same(const struct fate__noted *a, const struct fate__noted *b)
{
    return a->side == b->side && strcmp(a->text, b->text) == 0;
}

static void place(struct placing *placing, const struct fate__record *record, int column, int y);

/* Places what the step followed; returns how high the value that comes back may be. */
static int place_followed(struct placing *placing, const struct fate__record *inner, int column, int y)
{
    int above = placing->column_bottoms[column];
    int inner_y = y + FOLLOW_DROP;

    if (above && inner_y < above + COLUMN_SPACE)
        inner_y = above + COLUMN_SPACE;
    place(placing, inner, column, inner_y);
    if (inner->handed_over_at == FATE__NO_STEP)
        return 0;
    const struct fate__panel *panel = &placing->layout->panels[inner->index];
    return panel->rows[inner->handed_over_at].value_y + RETURN_DROP;
}

/* Returns the y of the next row. */
static int place_passed(struct placing *placing, struct fate__row *row, const struct fate__step *next,
                        int column)
{
    const struct fate__step *step = row->step;
    int value_y = row->bottom + FATE__ABOVE_VALUE;

    if (step->followed) {
        int lowest = place_followed(placing, step->followed, column + 1, row->bottom);
        value_y = lowest > value_y ? lowest : value_y;
    }
    if (!step->output.is_known)
        return row->bottom + BETWEEN_WAITING;
    row->value_y = value_y;
    if (next && next->input.is_known && !is_the_same(&step->output, &next->input)) {
        value_y += FATE__VALUE_HEIGHT + FATE__BELOW_VALUE;
        row->other_y = value_y;
    }
    return value_y + FATE__VALUE_HEIGHT + FATE__BELOW_VALUE;
}

static int place_rows(struct placing *placing, struct fate__panel *panel, int column, int y)
{
    const struct fate__record *record = panel->record;

    for (size_t i = 0; i < panel->n_rows; i++) {
        struct fate__row *row = &panel->rows[i];
        row->is_passed = i < record->passed.n;
        row->step = row->is_passed ? &record->passed.steps[i] : &record->waiting.steps[i - record->passed.n];
        row->top = y;
        row->bottom = y + (i ? FATE__BOX_HEIGHT : BEGINNING_HEIGHT);
        if (row->is_passed)
            y = place_passed(placing, row, i + 1 < record->passed.n ? row->step + 1 : NULL, column);
        else
            y = row->bottom + BETWEEN_WAITING;
    }
    const struct fate__row *last = &panel->rows[panel->n_rows - 1];
    return last->value_y ? y - FATE__BELOW_VALUE : last->bottom;
}

/* ---- Panels ---- */

static void grow(struct fate__layout *layout, const struct fate__panel *panel)
{
    int right = panel->x + FATE__PANEL_WIDTH + FATE__MARGIN;

    if (right > layout->width)
        layout->width = right;
    if (panel->bottom > layout->height)
        layout->height = panel->bottom;
}

static void place(struct placing *placing, const struct fate__record *record, int column, int y)
{
    struct fate__panel *panel = &placing->layout->panels[record->index];
    const char *notes[FATE__NOTES_MAX];

    panel->record = record;
    panel->x = FATE__MARGIN + column * (FATE__PANEL_WIDTH + FATE__GUTTER);
    panel->y = y;
    panel->rows = placing->next_row;
    panel->n_rows = record->passed.n + record->waiting.n;
    placing->next_row += panel->n_rows;
    panel->notes_y = place_rows(placing, panel, column, y + FATE__HEAD_HEIGHT + FATE__PADDING);
    panel->bottom = panel->notes_y + (int)fate__notes_of(record, notes) * FATE__NOTE_HEIGHT + FATE__PADDING;
    placing->column_bottoms[column] = panel->bottom;
    grow(placing->layout, panel);
}

static size_t count_rows(const fate_diagram *diagram)
{
    size_t n = 0;

    for (const struct fate__record *record = diagram->first; record; record = record->next)
        n += record->passed.n + record->waiting.n;
    return n;
}

int fate__layout_init(struct fate__layout *layout, const fate_diagram *diagram)
{
    *layout = (struct fate__layout){ .n_panels = diagram->n_records };
    layout->panels = fate__zalloc(diagram->n_records * sizeof *layout->panels);
    layout->rows = fate__zalloc(count_rows(diagram) * sizeof *layout->rows);
    if (!layout->panels || !layout->rows) {
        fate__layout_done(layout);
        return -ENOMEM;
    }
    struct placing placing = { .layout = layout, .next_row = layout->rows };
    place(&placing, diagram->first, 0, FATE__MARGIN);
    return 0;
}

void fate__layout_done(struct fate__layout *layout)
{
    fate__free(layout->panels);
    fate__free(layout->rows);
    *layout = (struct fate__layout){ 0 };
}
