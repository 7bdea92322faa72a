/* Writing SVG: numbers are whole, so that no locale matters. */
#ifndef FATE_SRC_DIAGRAM_SVG_H
#define FATE_SRC_DIAGRAM_SVG_H

#include <base/text.h>

struct fate__point {
    int x, y;
};

/* As the text of an element or attribute.  What XML cannot hold becomes U+FFFD, a line break a blank. */
void fate__svg_add_escaped(struct fate__text *svg, const char *s);
/* A line of text: anchor is "start", "middle" or "end", at its base line.  It is cut to width if that is not
 * 0. */
struct fate__svg_text {
    const char *class, *anchor;
    int x, y, size, width;
};
void fate__svg_text(struct fate__text *svg, const struct fate__svg_text *how, const char *s);
/* How wide that text is at most, in the usual fonts. */
int fate__svg_width(const char *s, int size);

/* Down from a to b: straight, or first over to b's lane. */
void fate__svg_down(struct fate__text *svg, const char *class, struct fate__point a, struct fate__point b);
/* Down to the first level, across, down to b's level, across, with round corners. */
void fate__svg_around(struct fate__text *svg, const char *class, struct fate__point a, int y, int x,
                      struct fate__point b);
/* The head of an arrow whose point is there. */
enum fate__heading { FATE__DOWN, FATE__LEFT, FATE__RIGHT };
void fate__svg_head(struct fate__text *svg, const char *class, struct fate__point at,
                    enum fate__heading heading);

#endif
