/* What a diagram has seen.
 *
 * A record of a deferred is a list of steps: how it began, then the levels that it has passed, then those
 * that wait.  A reactor with diagrams has one recorder, which the chain tells what happens; each diagram
 * keeps records of its own, so that they come and go on their own. */
#ifndef FATE_SRC_DIAGRAM_RECORD_H
#define FATE_SRC_DIAGRAM_RECORD_H

#include <base/list.h>
#include <base/table.h>
#include <deferred/deferred.h>
#include <fate/diagram.h>

#define FATE__STEPS_MAX   1000 /* in all records of a diagram; of levels that wait, in each */
#define FATE__RECORDS_MAX 200
#define FATE__DEPTH_MAX   12
#define FATE__NOTED_BYTES 128

enum { FATE__GREEN, FATE__RED };
/* The kind of the first step: how the deferred got its first result. */
enum { FATE__BEGINNING = FATE__LOST + 1 };

/* A value as it was then. */
struct fate__noted {
    bool is_known;
    unsigned char side;
    char text[FATE__NOTED_BYTES];
};

struct fate__step {
    unsigned kind;
    const char *sites[2];    /* of its callback and its errback; NULL: passes that side on */
    const char *native;      /* the name of a level of the library's own */
    const fate_class *class; /* of a trap */
    bool has_run;            /* its callback or errback was called */
    struct fate__noted input, output;
    const char *followed_site;     /* of the deferred that it followed; NULL: none */
    struct fate__record *followed; /* NULL: that one is not drawn beside this step */
};

struct fate__steps {
    struct fate__step *steps;
    size_t n, room;
    size_t n_missing; /* behind those, for want of memory or because there were too many */
};

#define FATE__NO_STEP SIZE_MAX

/* A deferred.  The first record of it is in the recorder's table, the others hang on that one. */
struct fate__record {
    struct fate__entry entry;
    struct fate__record *same;
    fate_diagram *diagram;
    struct fate__record *next; /* of the diagram */
    fate_deferred *d;          /* NULL: gone */
    const char *site;
    size_t index, depth;
    struct fate__steps passed, waiting;
    size_t current;        /* the step that it is inside of, or FATE__NO_STEP */
    size_t handed_over_at; /* the step behind which the one that followed it took its result */
    bool is_fired, is_waiting, is_paused, is_running;
    bool is_reported; /* went with a failure that nobody had handled */
};

struct fate_diagram {
    struct fate__owned owned;
    struct fate__recorder *recorder;
    struct fate__record *first, *last; /* the first is the deferred that it was made for */
    size_t n_records, n_steps;
    bool lacked_memory; /* while recording */
};

/* ---- record.c ---- */

/* Begins to record d; NULL: no memory, or there are too many. */
struct fate__record *fate__record_new(fate_diagram *diagram, fate_deferred *d, size_t depth);
/* Looks at what can be seen of each deferred now: its state, and the levels that wait. */
void fate__records_refresh(const fate_diagram *diagram);
void fate__records_free(fate_diagram *diagram);

/* The recorder of that reactor, made by the first diagram and gone with the last; NULL: no memory. */
struct fate__recorder *fate__recorder_open(struct fate__turns *turns);
void fate__recorder_close(struct fate__recorder *recorder);

/* ---- note.c ---- */

/* False: there was no memory, and only the kind of value is noted. */
bool fate__note(struct fate__noted *noted, const fate_value *v);
/* What a level consists of; it has not run. */
void fate__note_level(struct fate__step *step, unsigned kind, const struct fate__level level[]);
/* Does it run when v comes? */
bool fate__would_run(const struct fate__step *step, const fate_value *v);
/* A new step at the end, zeroed; NULL: no memory or n_max are there, and it is counted as missing. */
struct fate__step *fate__steps_add(struct fate__steps *steps, size_t n_max);
void fate__steps_done(struct fate__steps *steps);

#endif
