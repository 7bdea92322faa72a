/* Noting values and levels, as texts: nothing is held. */
#include <diagram/record.h>

#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <base/utf8.h>

#define ITEMS_MAX 24

/* ---- Values ---- */

/* The text of something large is not made only to be cut. */
static fate_value describe(const fate_value *v)
{
    fate_kind kind = fate_kind_of(v);

    if (kind == FATE_KIND_FAILURE)
        return fate_failure_line(v);
    if ((kind == FATE_KIND_LIST || kind == FATE_KIND_DICT) && fate_count(v) > ITEMS_MAX)
        return fate_format("%s of %zu items", v->type->name, fate_count(v));
    if ((kind == FATE_KIND_TEXT || kind == FATE_KIND_BYTES) && fate_count(v) > FATE__NOTED_BYTES) {
        size_t len;
        const void *bytes = fate_as_bytes(v, &len);
        fate_value part = kind == FATE_KIND_TEXT ? fate_str_n(bytes, FATE__NOTED_BYTES)
                                                 : fate_bytes(bytes, FATE__NOTED_BYTES);
        fate_value text = fate_describe(&part);
        fate_drop(part);
        return text;
    }
    return fate_describe(v);
}

/* As many whole characters as there is room for, and three dots when that is not all. */
static void copy_short(char *to, size_t room, const char *from)
{
    size_t len = strlen(from), cut = 0;

    if (len < room) {
        memcpy(to, from, len + 1);
        return;
    }
    for (size_t n = 1; cut + n < room - sizeof "..."; cut += n) {
        n = fate__utf8_len(from + cut, len - cut);
        n = n ? n : 1;
    }
    memcpy(to, from, cut);
    memcpy(to + cut, "...", sizeof "...");
}

static const char *name_of(const fate_value *v)
{
    return v->type ? v->type->name : "none";
}

bool fate__note(struct fate__noted *noted, const fate_value *v)
{
    fate_value text = describe(v);
    bool is_text = fate_kind_of(&text) == FATE_KIND_TEXT;

    noted->is_known = true;
    noted->side = fate_is_failure(v) ? FATE__RED : FATE__GREEN;
    copy_short(noted->text, sizeof noted->text, is_text ? fate_as_str(&text) : name_of(v));
    fate_drop(text);
    return is_text;
}

/* ---- Levels ---- */

static const char *site_of(const struct fate__level *level)
{
    return level->site ? level->site : "";
}

void fate__note_level(struct fate__step *step, unsigned kind, const struct fate__level level[])
{
    step->kind = kind;
    switch (kind) {
    case FATE__NATIVE:
        step->native = level->as.native->name;
        return;
    case FATE__LOST:
        return;
    case FATE__TRAP:
        step->class = level[1].as.class;
        step->sites[FATE__RED] = site_of(level);
        return;
    case FATE__PAIR:
    case FATE__PAIR_SHARED:
        for (int side = FATE__GREEN; side <= FATE__RED; side++)
            step->sites[side] = level[side].as.call ? site_of(&level[side]) : NULL;
        return;
    default:
        step->sites[FATE__GREEN] = kind == FATE__ERRBACK ? NULL : site_of(level);
        step->sites[FATE__RED] = kind == FATE__CALLBACK ? NULL : site_of(level);
    }
}

bool fate__would_run(const struct fate__step *step, const fate_value *v)
{
    if (step->kind == FATE__NATIVE || step->kind == FATE__LOST)
        return true;
    if (step->kind == FATE__TRAP)
        return fate_is(v, step->class);
    return step->sites[fate_is_failure(v) ? FATE__RED : FATE__GREEN] != NULL;
}

/* ---- Lists of steps ---- */

static bool make_room(struct fate__steps *steps)
{
    if (steps->n < steps->room)
        return true;
    size_t room = steps->room ? 2 * steps->room : 4;
    struct fate__step *larger = fate__realloc(steps->steps, room * sizeof *larger);
    if (!larger)
        return false;
    steps->steps = larger;
    steps->room = room;
    return true;
}

/* Once one is missing all behind it are, so that what is there is in order. */
struct fate__step *fate__steps_add(struct fate__steps *steps, size_t n_max)
{
    if (steps->n_missing || steps->n >= n_max || !make_room(steps)) {
        steps->n_missing++;
        return NULL;
    }
    struct fate__step *step = &steps->steps[steps->n++];
    memset(step, 0, sizeof *step);
    return step;
}

void fate__steps_done(struct fate__steps *steps)
{
    fate__free(steps->steps);
    *steps = (struct fate__steps){ 0 };
}
