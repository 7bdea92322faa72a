/* Where everything in a diagram goes, in pixels from the top left.  Lanes are where arrows run: the green one
 * through the callbacks, the red one through the errbacks. */
#ifndef FATE_SRC_DIAGRAM_LAYOUT_H
#define FATE_SRC_DIAGRAM_LAYOUT_H

#include <diagram/record.h>

enum {
    FATE__MARGIN = 24,
    FATE__PADDING = 16,    /* of a panel */
    FATE__BOX_WIDTH = 220, /* of a callback */
    FATE__BOX_HEIGHT = 44,
    FATE__BETWEEN = 40, /* the callbacks and the errbacks */
    FATE__PANEL_WIDTH = 2 * FATE__PADDING + 2 * FATE__BOX_WIDTH + FATE__BETWEEN,
    FATE__GUTTER = 84,      /* between panels side by side */
    FATE__HEAD_HEIGHT = 40, /* of a panel */
    FATE__VALUE_HEIGHT = 24,
    FATE__ABOVE_VALUE = 38,
    FATE__BELOW_VALUE = 22,
    FATE__NOTE_HEIGHT = 30, /* a line of text under a chain */
};

/* A step of a record. */
struct fate__row {
    const struct fate__step *step;
    bool is_passed; /* has been reached */
    int top, bottom;
    int value_y; /* the top of the value that it leaves; 0: none is known */
    int other_y; /* the top of the value that the next one gets, where that is another; 0: it is the same */
};

/* A record. */
struct fate__panel {
    const struct fate__record *record;
    int x, y, bottom, notes_y;
    struct fate__row *rows;
    size_t n_rows;
};

struct fate__layout {
    struct fate__panel *panels; /* by the index of their records */
    struct fate__row *rows;
    size_t n_panels;
    int width, height;
};

/* 0 or -ENOMEM. */
int fate__layout_init(struct fate__layout *layout, const fate_diagram *diagram);
void fate__layout_done(struct fate__layout *layout);

int fate__lane_x(const struct fate__panel *panel, unsigned side);
/* The lines of text under a chain, each static; returns how many. */
#define FATE__NOTES_MAX 3
size_t fate__notes_of(const struct fate__record *record, const char *ret_notes[FATE__NOTES_MAX]);

#endif
