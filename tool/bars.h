/* Progress on a terminal: a bar for each of several items, and a total below them.
 *
 * What is to be written goes into a text, for the caller to write; the time is passed in, and so is the
 * width.  Where there is no terminal, only a line for each finished item comes out. */
#ifndef FATE_TOOL_BARS_H
#define FATE_TOOL_BARS_H

#include <base/text.h>

#define FATE__BARS_INTERVAL (100 * FATE_MILLISECOND) /* between two drawings */

struct fate__bars_options {
    size_t columns;  /* of the terminal; 0: 80 */
    size_t rows_max; /* bars that are shown at once; 0: 8 */
    bool is_terminal, is_utf8;
};

struct fate__bars;

/* NULL: no memory. */
struct fate__bars *fate__bars_new(const struct fate__bars_options *options);
void fate__bars_free(struct fate__bars *bars);
/* The terminal has another size now; 0 as above. */
void fate__bars_resize(struct fate__bars *bars, size_t columns, size_t rows_max);

/* A new item, shown as name, of so many bytes; 0: nobody knows.  Its number, or -ENOMEM. */
int fate__bars_add(struct fate__bars *bars, const char *name, uint64_t total, fate_time now);
/* How much is done; total as above, for those who learn of it late. */
void fate__bars_set(struct fate__bars *bars, int item, uint64_t done, uint64_t total);
/* It is over, and this line is what remains of it, in the order in which items end. */
void fate__bars_finish(struct fate__bars *bars, int item, const char *line);
/* As many as that there will be in all: the total counts them before they are added. */
void fate__bars_expect(struct fate__bars *bars, size_t n);

/* Adds to `to` what is to be written now: nothing where no item is under way or newly finished, or the last
 * drawing is less than FATE__BARS_INTERVAL ago.  Without memory for the text, to->has_failed, draw anew. */
void fate__bars_draw(struct fate__bars *bars, fate_time now, struct fate__text *to);
/* When fate__bars_draw has something to draw; FATE_NEVER: not before something changes. */
fate_time fate__bars_next(const struct fate__bars *bars);
/* The same at once, and the bars that are left go: whatever is written next begins on a line of its own.  A
 * later draw brings them back. */
void fate__bars_clear(struct fate__bars *bars, fate_time now, struct fate__text *to);

#endif
