/* Drawing: from what a diagram has recorded to the text of its picture. */
#ifndef FATE_SRC_DIAGRAM_DRAW_H
#define FATE_SRC_DIAGRAM_DRAW_H

#include <base/text.h>
#include <diagram/layout.h>

/* 0 or -ENOMEM. */
int fate__draw(const fate_diagram *diagram, struct fate__text *svg);

/* ---- panel.c ---- */

/* What lies below everything: the frame of a chain and its two columns. */
void fate__draw_frame(struct fate__text *svg, const struct fate__panel *panel);
/* The path through one chain, and the way to what it follows and back. */
void fate__draw_panel(struct fate__text *svg, const struct fate__layout *layout,
                      const struct fate__panel *panel);

/* ---- words.c ---- */

/* The name and the line of a level: "got_key" and "client.c:6".  otherwise: for one without a name. */
struct fate__words {
    char name[96], line[96];
};
void fate__words_of_site(struct fate__words *words, const char *site, const char *otherwise);
/* The same for one side of a step. */
void fate__words_of_step(struct fate__words *words, const struct fate__step *step, unsigned side);
/* The picture in words, for those who do not see it: an SVG desc. */
void fate__describe_diagram(struct fate__text *svg, const fate_diagram *diagram);

#endif
