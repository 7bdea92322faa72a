/* A chain: first its panel, then the ways that a result might go, the way that it went, and on top of these
 * the levels and the values. */
#include <diagram/draw.h>

#include <stdio.h>

#include <diagram/svg.h>

enum {
    NAME_SIZE = 13,
    LINE_SIZE = 11,
    VALUE_SIZE = 12,
    FOLLOW_OFFSET = 64, /* where the arrow out leaves a level, right of its lane */
    OUT_X = 26,         /* of the arrow out, in the gutter */
    BACK_X = 56,
};

static int middle_of(const struct fate__panel *panel)
{
    return panel->x + FATE__PANEL_WIDTH / 2;
}

static bool is_wide(const struct fate__step *step)
{
    return step->kind == FATE__NATIVE || step->kind == FATE__LOST;
}

/* Has that side of it a level to be called? */
static bool has_box(const struct fate__step *step, unsigned side)
{
    return is_wide(step) || step->sites[side];
}

/* ---- The panel ---- */

static void draw_column(struct fate__text *svg, const struct fate__panel *panel, unsigned side)
{
    const char *title = side == FATE__GREEN ? "callbacks" : "errbacks";
    const char *class = side == FATE__GREEN ? "green" : "red";
    int x = fate__lane_x(panel, side), y = panel->y + FATE__HEAD_HEIGHT;
    char classes[32] = "";

    fate__text_format(svg,
                      "<rect class=\"%s column\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\"/>\n",
                      class, x - FATE__BOX_WIDTH / 2 - 8, y, FATE__BOX_WIDTH + 16, panel->bottom - y - 8);
    snprintf(classes, sizeof classes, "%s title", class);
    fate__svg_text(svg, &(struct fate__svg_text){ classes, "middle", x, y + 22, LINE_SIZE, 0 }, title);
}

void fate__draw_frame(struct fate__text *svg, const struct fate__panel *panel)
{
    struct fate__words words;
    int x = panel->x + FATE__PADDING;

    fate__text_format(svg, "<rect class=\"panel\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"12\"/>\n",
                      panel->x, panel->y, FATE__PANEL_WIDTH, panel->bottom - panel->y);
    fate__words_of_site(&words, panel->record->site, "");
    fate__svg_text(svg, &(struct fate__svg_text){ "name", "start", x, panel->y + 25, NAME_SIZE + 1, 0 },
                   "Deferred");
    fate__svg_text(svg,
                   &(struct fate__svg_text){ "line", "start", x + 76, panel->y + 25, VALUE_SIZE,
                                             FATE__PANEL_WIDTH - 2 * FATE__PADDING - 76 },
                   words.line);
    draw_column(svg, panel, FATE__GREEN);
    draw_column(svg, panel, FATE__RED);
}

/* Where a row's result leaves it. */
static int exit_x(const struct fate__panel *panel, const struct fate__row *row)
{
    const struct fate__step *step = row->step;

    if (step->kind == FATE__BEGINNING)
        return middle_of(panel);
    return fate__lane_x(panel, is_wide(step) && step->output.is_known ? step->output.side : step->input.side);
}

/* Is the way from that x to that side of the next row the one that was taken? */
static bool is_taken(const struct fate__panel *panel, const struct fate__row *row, int x, unsigned to)
{
    return row->is_passed && row->step->output.is_known && x == exit_x(panel, row) &&
           to == row->step->output.side;
}

/* ---- The ways that are there ---- */

/* From which side of a to which side of b; a level may change sides, a pass-through may not. */
static bool leads(const struct fate__row *a, unsigned from, unsigned to)
{
    return from == to || (!is_wide(a->step) && a->step->sites[from]);
}

static const char *way_class(const struct fate__row *row, unsigned side)
{
    if (!row->is_passed)
        return "way later";
    return side == FATE__GREEN ? "way green" : "way red";
}

static void draw_way(struct fate__text *svg, const struct fate__panel *panel, const struct fate__row *a,
                     int x, unsigned to)
{
    const struct fate__row *b = a + 1;
    struct fate__point end = { fate__lane_x(panel, to), b->top };

    if (is_taken(panel, a, x, to))
        return;
    if (x != end.x && a->step->kind != FATE__BEGINNING) { /* into a way that goes straight down there */
        fate__svg_down(svg, way_class(b, to), (struct fate__point){ x, a->bottom },
                       (struct fate__point){ end.x, a->bottom + FATE__ABOVE_VALUE });
        return;
    }
    if (!has_box(b->step, to)) {
        fate__svg_down(svg, way_class(b, to), (struct fate__point){ x, a->bottom }, end);
        return;
    }
    fate__svg_down(svg, way_class(b, to), (struct fate__point){ x, a->bottom },
                   (struct fate__point){ end.x, end.y - 6 });
    fate__svg_head(svg, b->is_passed ? (to == FATE__GREEN ? "tip green" : "tip red") : "tip later", end,
                   FATE__DOWN);
}

static void draw_ways_from(struct fate__text *svg, const struct fate__panel *panel, const struct fate__row *a)
{
    if (a->step->kind == FATE__BEGINNING) {
        draw_way(svg, panel, a, middle_of(panel), FATE__GREEN);
        draw_way(svg, panel, a, middle_of(panel), FATE__RED);
        return;
    }
    for (unsigned from = FATE__GREEN; from <= FATE__RED; from++)
        for (unsigned to = FATE__GREEN; to <= FATE__RED; to++)
            if (leads(a, from, to))
                draw_way(svg, panel, a, fate__lane_x(panel, from), to);
}

static void draw_ways(struct fate__text *svg, const struct fate__panel *panel)
{
    for (size_t i = 0; i < panel->n_rows; i++) {
        const struct fate__row *row = &panel->rows[i];
        for (unsigned side = FATE__GREEN; i && side <= FATE__RED; side++) {
            int x = fate__lane_x(panel, side);
            if (!has_box(row->step, side))
                fate__svg_down(svg, way_class(row, side), (struct fate__point){ x, row->top },
                               (struct fate__point){ x, row->bottom });
        }
        if (i + 1 < panel->n_rows)
            draw_ways_from(svg, panel, row);
    }
}

/* ---- The way that was taken ---- */

static const char *taken_class(unsigned side)
{
    return side == FATE__GREEN ? "taken green" : "taken red";
}

static void draw_arrow(struct fate__text *svg, unsigned side, struct fate__point a, struct fate__point b)
{
    fate__svg_down(svg, taken_class(side), a, (struct fate__point){ b.x, b.y - 8 });
    fate__svg_head(svg, side == FATE__GREEN ? "head green" : "head red", b, FATE__DOWN);
}

static int value_width(const struct fate__noted *noted)
{
    int width = fate__svg_width(noted->text, VALUE_SIZE) + 20;

    return width > FATE__BOX_WIDTH ? FATE__BOX_WIDTH : width;
}

/* From a value to the next level, or through that one where it has none on this side. */
static void draw_arrival(struct fate__text *svg, const struct fate__panel *panel, const struct fate__row *row)
{
    const struct fate__row *next = row + 1;
    unsigned side = next->step->input.side;
    int x = fate__lane_x(panel, side);
    int y = (row->other_y ? row->other_y : row->value_y) + FATE__VALUE_HEIGHT;

    if (has_box(next->step, side))
        draw_arrow(svg, side, (struct fate__point){ x, y }, (struct fate__point){ x, next->top });
    else
        fate__svg_down(svg, taken_class(side), (struct fate__point){ x, y },
                       (struct fate__point){ x, next->top });
}

/* It waits where it is until the value comes in. */
static void draw_wait(struct fate__text *svg, struct fate__point a, struct fate__point b)
{
    struct fate__point last = { a.x, b.y - FATE__ABOVE_VALUE };

    if (last.y > a.y)
        fate__svg_down(svg, "wait", a, last);
    fate__svg_down(svg, "wait", last, b);
}

static void draw_taken_row(struct fate__text *svg, const struct fate__panel *panel,
                           const struct fate__row *row, bool is_last)
{
    const struct fate__step *step = row->step;
    struct fate__point out = { exit_x(panel, row), row->bottom };
    struct fate__point value = { fate__lane_x(panel, step->output.side), row->value_y };

    if (!step->has_run && step->kind != FATE__BEGINNING && !step->sites[step->input.side])
        fate__svg_down(svg, taken_class(step->input.side), (struct fate__point){ out.x, row->top }, out);
    if (!step->output.is_known)
        return;
    if (step->followed_site)
        draw_wait(svg, out, value);
    else
        draw_arrow(svg, step->output.side, out, value);
    if (row->other_y)
        fate__svg_down(svg, "wait", (struct fate__point){ value.x, value.y + FATE__VALUE_HEIGHT },
                       (struct fate__point){ fate__lane_x(panel, (step + 1)->input.side), row->other_y });
    if (!is_last)
        draw_arrival(svg, panel, row);
}

static void draw_taken(struct fate__text *svg, const struct fate__panel *panel)
{
    size_t n = panel->record->passed.n;

    for (size_t i = 0; i < n; i++)
        draw_taken_row(svg, panel, &panel->rows[i], i + 1 == n);
}

/* ---- Following ---- */

static void draw_out(struct fate__text *svg, const struct fate__panel *panel, const struct fate__row *row,
                     const struct fate__panel *inner)
{
    bool is_beginning = row->step->kind == FATE__BEGINNING;
    struct fate__point from = { exit_x(panel, row) + (is_beginning ? 0 : FOLLOW_OFFSET), row->bottom };
    struct fate__point to = { inner->x, inner->y + FATE__HEAD_HEIGHT / 2 };

    fate__svg_around(svg, "follow", from, row->bottom + 12, panel->x + FATE__PANEL_WIDTH + OUT_X,
                     (struct fate__point){ to.x - 8, to.y });
    fate__svg_head(svg, "head follow", to, FATE__RIGHT);
}

static void draw_back(struct fate__text *svg, const struct fate__panel *panel, const struct fate__row *row,
                      const struct fate__panel *inner)
{
    const struct fate__noted *noted = &row->step->output;
    const struct fate__row *last = &inner->rows[inner->record->handed_over_at];
    int half = value_width(noted) / 2, other_half = value_width(&last->step->output) / 2;
    struct fate__point from = { fate__lane_x(inner, noted->side) - other_half,
                                last->value_y + FATE__VALUE_HEIGHT / 2 };
    struct fate__point to = { fate__lane_x(panel, noted->side) + half,
                              row->value_y + FATE__VALUE_HEIGHT / 2 };

    fate__svg_around(svg, taken_class(noted->side), from, from.y, panel->x + FATE__PANEL_WIDTH + BACK_X,
                     (struct fate__point){ to.x + 8, to.y });
    fate__svg_head(svg, noted->side == FATE__GREEN ? "head green" : "head red", to, FATE__LEFT);
}

/* On the inner side of the lane, where there is room. */
static void draw_followed_elsewhere(struct fate__text *svg, const struct fate__panel *panel,
                                    const struct fate__row *row)
{
    struct fate__words words;
    char text[sizeof words.line + sizeof "follows "];
    int x = exit_x(panel, row);
    bool is_left = x <= middle_of(panel);

    fate__words_of_site(&words, row->step->followed_site, "");
    snprintf(text, sizeof text, "follows %s", words.line);
    fate__svg_text(svg,
                   &(struct fate__svg_text){ "label", is_left ? "start" : "end", is_left ? x + 8 : x - 8,
                                             row->bottom + 16, LINE_SIZE, FATE__BOX_WIDTH },
                   text);
}

static void draw_followed(struct fate__text *svg, const struct fate__layout *layout,
                          const struct fate__panel *panel)
{
    for (size_t i = 0; i < panel->record->passed.n; i++) {
        const struct fate__row *row = &panel->rows[i];
        const struct fate__record *followed = row->step->followed;
        if (!followed) {
            if (row->step->followed_site)
                draw_followed_elsewhere(svg, panel, row);
            continue;
        }
        const struct fate__panel *inner = &layout->panels[followed->index];
        draw_out(svg, panel, row, inner);
        if (followed->handed_over_at != FATE__NO_STEP && row->value_y)
            draw_back(svg, panel, row, inner);
    }
}

/* ---- Levels and values ---- */

static void draw_box(struct fate__text *svg, const char *class, int x, int y, int width,
                     const struct fate__words *words)
{
    fate__text_format(svg, "<g class=\"%s\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n",
                      class, x - width / 2, y, width, FATE__BOX_HEIGHT);
    fate__svg_text(svg, &(struct fate__svg_text){ "name", "middle", x, y + 19, NAME_SIZE, width - 12 },
                   words->name);
    fate__svg_text(svg, &(struct fate__svg_text){ "line", "middle", x, y + 35, LINE_SIZE, width - 12 },
                   words->line);
    fate__text_add(svg, "</g>\n");
}

static const char *box_class(const struct fate__row *row, unsigned side)
{
    const struct fate__step *step = row->step;

    if (!row->is_passed)
        return "box later";
    if (!step->has_run || step->input.side != side)
        return "box idle";
    return side == FATE__GREEN ? "box green" : "box red";
}

static void draw_level(struct fate__text *svg, const struct fate__panel *panel, const struct fate__row *row)
{
    struct fate__words words;

    if (is_wide(row->step)) {
        fate__words_of_step(&words, row->step, FATE__GREEN);
        draw_box(svg, row->is_passed ? "box wide" : "box later", middle_of(panel), row->top,
                 2 * FATE__BOX_WIDTH + FATE__BETWEEN, &words);
        return;
    }
    for (unsigned side = FATE__GREEN; side <= FATE__RED; side++) {
        if (!row->step->sites[side])
            continue;
        fate__words_of_step(&words, row->step, side);
        draw_box(svg, box_class(row, side), fate__lane_x(panel, side), row->top, FATE__BOX_WIDTH, &words);
    }
}

/* A value is round, a failure angular. */
static void draw_value(struct fate__text *svg, const struct fate__panel *panel,
                       const struct fate__noted *noted, int y)
{
    bool is_green = noted->side == FATE__GREEN;
    int x = fate__lane_x(panel, noted->side), width = value_width(noted);

    fate__text_format(svg, "<g class=\"value %s\"><title>", is_green ? "green" : "red");
    fate__svg_add_escaped(svg, noted->text);
    fate__text_format(svg, "</title><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>\n",
                      x - width / 2, y, width, FATE__VALUE_HEIGHT, is_green ? FATE__VALUE_HEIGHT / 2 : 2);
    fate__svg_text(svg,
                   &(struct fate__svg_text){ "text", "middle", x, y + FATE__VALUE_HEIGHT / 2 + 4, VALUE_SIZE,
                                             width - 18 },
                   noted->text);
    fate__text_add(svg, "</g>\n");
}

static void draw_rows(struct fate__text *svg, const struct fate__panel *panel)
{
    for (size_t i = 0; i < panel->n_rows; i++) {
        const struct fate__row *row = &panel->rows[i];
        if (row->step->kind == FATE__BEGINNING)
            fate__text_format(svg, "<circle class=\"beginning\" cx=\"%d\" cy=\"%d\" r=\"6\"/>\n",
                              middle_of(panel), (row->top + row->bottom) / 2);
        else
            draw_level(svg, panel, row);
        if (row->value_y)
            draw_value(svg, panel, &row->step->output, row->value_y);
        if (row->other_y)
            draw_value(svg, panel, &(row->step + 1)->input, row->other_y);
    }
}

static void draw_notes(struct fate__text *svg, const struct fate__panel *panel)
{
    const char *notes[FATE__NOTES_MAX];
    size_t n = fate__notes_of(panel->record, notes);

    for (size_t i = 0; i < n; i++)
        fate__svg_text(svg,
                       &(struct fate__svg_text){ "note", "middle", middle_of(panel),
                                                 panel->notes_y + (int)i * FATE__NOTE_HEIGHT + 22, VALUE_SIZE,
                                                 0 },
                       notes[i]);
}

void fate__draw_panel(struct fate__text *svg, const struct fate__layout *layout,
                      const struct fate__panel *panel)
{
    draw_ways(svg, panel);
    draw_taken(svg, panel);
    draw_followed(svg, layout, panel);
    draw_rows(svg, panel);
    draw_notes(svg, panel);
}
