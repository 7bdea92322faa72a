/* Where `fate get` says how it goes: on a terminal bars, which move by themselves; elsewhere lines. */
#ifndef FATE_TOOL_SCREEN_H
#define FATE_TOOL_SCREEN_H

#include <bars.h>
#include <fate/reactor.h>

struct fate__screen {
    fate_reactor *reactor;
    struct fate__bars *bars; /* NULL: lines */
    int fd;
    int error; /* the errno of the first write that has failed */
    fate_timer timer;
    fate_watch resized;
};

/* For n pages on fd, which stays the caller's.  Bars where that is a terminal that can go up, and there is
 * memory. Without them the others below work all the same. */
void fate__screen_init(struct fate__screen *screen, fate_reactor *reactor, int fd, size_t n,
                       bool may_be_bars);
/* The last bars go, and what is left of them is said.  The reactor may run on. */
void fate__screen_done(struct fate__screen *screen);

/* The number of a bar, or a negative one where there is none; the others ignore that. */
int fate__screen_add(struct fate__screen *screen, const char *name);
void fate__screen_set(struct fate__screen *screen, int item, uint64_t done, uint64_t total);
/* A line, in which nothing is that a terminal would obey. */
void fate__screen_finish(struct fate__screen *screen, int item, const char *line);
/* Writes the text as it is, and empties it.  Not beside bars: behind fate__screen_done. */
void fate__screen_write(struct fate__screen *screen, struct fate__text *text);

#endif
