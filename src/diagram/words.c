/* What is drawn, in words. */
#include <diagram/draw.h>

#include <stdio.h>
#include <string.h>

#include <diagram/svg.h>

/* ---- Names ---- */

static void copy_n(char *to, size_t room, const char *from, size_t len)
{
    size_t n = len < room ? len : room - 1;

    memcpy(to, from, n);
    to[n] = '\0';
}

void fate__words_of_site(struct fate__words *words, const char *site, const char *otherwise)
{
    char whole[sizeof words->name + sizeof words->line];

    fate__site_short(site, whole, sizeof whole);
    const char *blank = strchr(whole, ' ');
    const char *line = blank ? blank + 1 : whole;
    copy_n(words->name, sizeof words->name, blank ? whole : otherwise,
           blank ? (size_t)(blank - whole) : strlen(otherwise));
    copy_n(words->line, sizeof words->line, line, strlen(line));
}

void fate__words_of_step(struct fate__words *words, const struct fate__step *step, unsigned side)
{
    if (step->kind == FATE__NATIVE) {
        snprintf(words->name, sizeof words->name, "%s", step->native);
        snprintf(words->line, sizeof words->line, "a level of the library's own");
        return;
    }
    if (step->kind == FATE__LOST) {
        snprintf(words->name, sizeof words->name, "lost");
        snprintf(words->line, sizeof words->line, "there was no memory for this level");
        return;
    }
    fate__words_of_site(words, step->sites[side], side == FATE__GREEN ? "callback" : "errback");
    if (step->kind == FATE__TRAP) {
        char line[sizeof words->line];
        snprintf(line, sizeof line, "%s", words->line);
        snprintf(words->line, sizeof words->line, "%.40s: %.50s", step->class->name, line);
    }
}

/* ---- The whole picture ---- */

static void add_site(struct fate__text *svg, const char *site)
{
    struct fate__words words;

    fate__words_of_site(&words, site, "");
    fate__svg_add_escaped(svg, words.line);
}

static void add_value(struct fate__text *svg, const struct fate__noted *noted)
{
    fate__text_add(svg, noted->side == FATE__RED ? "the failure " : "");
    fate__svg_add_escaped(svg, noted->text);
}

static void add_name(struct fate__text *svg, const struct fate__step *step, unsigned side)
{
    struct fate__words words;

    fate__words_of_step(&words, step, side);
    fate__svg_add_escaped(svg, words.name);
}

/* Both of its names, or the one that it has. */
static void add_names(struct fate__text *svg, const struct fate__step *step)
{
    bool has_two = step->sites[FATE__GREEN] && step->sites[FATE__RED] && step->kind != FATE__BOTH;
    unsigned one = step->sites[FATE__RED] && !step->sites[FATE__GREEN] ? FATE__RED : FATE__GREEN;
    bool has_none = !step->sites[one] && step->kind != FATE__NATIVE && step->kind != FATE__LOST;

    if (has_none) {
        fate__text_add(svg, "A level without callbacks");
        return;
    }
    add_name(svg, step, one);
    if (has_two) {
        fate__text_add(svg, " or ");
        add_name(svg, step, FATE__RED);
    }
}

static void add_output(struct fate__text *svg, const struct fate__step *step, const char *verb)
{
    if (step->followed_site) {
        fate__text_add(svg, " followed the deferred made at ");
        add_site(svg, step->followed_site);
        verb = " and got ";
    }
    if (step->output.is_known) {
        fate__text_add(svg, verb);
        add_value(svg, &step->output);
    }
    fate__text_add(svg, ".");
}

static void describe_step(struct fate__text *svg, const struct fate__step *step)
{
    fate__text_add(svg, " ");
    if (step->kind == FATE__BEGINNING) {
        fate__text_add(svg, "It");
        add_output(svg, step, step->output.is_known ? " began with " : "");
    } else if (step->has_run) {
        add_name(svg, step, step->input.side);
        add_output(svg, step, step->output.side == FATE__RED ? " failed with " : " gave ");
    } else {
        add_names(svg, step);
        fate__text_add(svg, " was passed by.");
    }
}

static void describe_record(struct fate__text *svg, const struct fate__record *record)
{
    const char *notes[FATE__NOTES_MAX];
    const struct fate__step *first = record->passed.steps;
    bool has_begun = first->output.is_known || first->followed_site;

    fate__text_add(svg, "The deferred made at ");
    add_site(svg, record->site);
    fate__text_add(svg, ".");
    for (size_t i = has_begun ? 0 : 1; i < record->passed.n; i++)
        describe_step(svg, &record->passed.steps[i]);
    for (size_t i = 0; i < record->waiting.n; i++) {
        fate__text_add(svg, " ");
        add_names(svg, &record->waiting.steps[i]);
        fate__text_add(svg, " has not been reached.");
    }
    for (size_t i = 0, n = fate__notes_of(record, notes); i < n; i++)
        fate__text_format(svg, " %s", notes[i]);
    fate__text_add(svg, "\n");
}

void fate__describe_diagram(struct fate__text *svg, const fate_diagram *diagram)
{
    for (const struct fate__record *record = diagram->first; record; record = record->next)
        describe_record(svg, record);
}
