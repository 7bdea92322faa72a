/* Reading values and errors, and their printed forms (sections 1-3). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

/* ---- Reading ---- */

static const struct named_class {
    const char *name;
    const fate_class *class;
    bool has_text; /* can be made by a scenario, and prints with its text */
} classes[] = {
    { "Error", &FATE_ERROR, true },
    { "LookupError", &FATE_LOOKUP_ERROR, true },
    { "KeyError", &FATE_KEY_ERROR, true },
    { "IndexError", &FATE_INDEX_ERROR, true },
    { "ValueError", &FATE_VALUE_ERROR, true },
    { "UnicodeError", &FATE_UNICODE_ERROR, true },
    { "OSError", &FATE_OS_ERROR, true },
    { "ConnectError", &FATE_CONNECT_ERROR, true },
    { "RefusedError", &FATE_CONNECTION_REFUSED, true },
    { "CancelledError", &FATE_CANCELLED, false },
    { "TimeoutError", &FATE_TIMEOUT, false },
    { "AlreadyCalledError", &FATE_ALREADY_CALLED, false },
    { "FirstError", &FATE_FIRST_ERROR, false },
    { "FailureGroup", &FATE_FAILURE_GROUP, false },
};
#define N_CLASSES (sizeof classes / sizeof classes[0])

const fate_class *parse_class(const char *name, size_t len)
{
    for (size_t i = 0; i < N_CLASSES; i++) {
        if (strlen(classes[i].name) == len && !memcmp(classes[i].name, name, len))
            return classes[i].class;
    }
    give_up("an unknown error type", name);
}

fate_value parse_error(const char *word)
{
    size_t len = strcspn(word, ":");
    const char *message = word[len] ? word + len + 1 : "";

    return fate_raise(parse_class(word, len), "%s", message);
}

fate_value parse_value(const char *word)
{
    if (!strcmp(word, "none"))
        return fate_none();
    return fate_int(strtoll(word, NULL, 10));
}

fate_time parse_seconds(const char *word)
{
    return fate_seconds(strtod(word, NULL));
}

bool after_prefix(const char *word, const char *prefix, const char **ret_rest)
{
    size_t len = strlen(prefix);

    if (strncmp(word, prefix, len) != 0)
        return false;
    *ret_rest = word + len;
    return true;
}

/* ---- Lists that know their shape ---- */

struct shaped {
    fate_value list;
    enum shape shape;
};

static void drop_shaped(void *data)
{
    fate_drop(((struct shaped *)data)->list);
}

fate_value wrap_result(fate_value *result, fate_value *arg)
{
    enum shape shape = (enum shape)fate_as_int(arg);

    if (fate_kind_of(result) != FATE_KIND_LIST)
        return fate_take(result);
    return fate_box_with(drop_shaped, struct shaped, fate_take(result), shape);
}

/* ---- Printing ---- */

static void write_value(FILE *out, struct world *world, const fate_value *v);

static void write_failure(FILE *out, struct world *world, const fate_value *failure)
{
    const fate_class *class = fate_class_of(failure);

    if (class == &FATE_FIRST_ERROR) {
        fprintf(out, "FirstError(#%lld ", (long long)fate_as_int(fate_payload(failure)));
        write_value(out, world, fate_cause(failure));
        fputc(')', out);
    } else if (class == &FATE_FAILURE_GROUP) {
        const fate_value *failures = fate_payload(failure);
        fprintf(out, "FailureGroup(");
        for (size_t i = 0; i < fate_count(failures); i++) {
            fputs(i ? " " : "", out);
            write_value(out, world, fate_at(failures, i));
        }
        fputc(')', out);
    } else {
        bool has_text = true;
        for (size_t i = 0; i < N_CLASSES; i++)
            has_text = classes[i].class == class ? classes[i].has_text : has_text;
        fprintf(out, has_text ? "%s:%s" : "%s", class->name, fate_message(failure));
    }
}

static void write_items(FILE *out, struct world *world, const fate_value *list, bool with_success)
{
    fputc('[', out);
    for (size_t i = 0; i < fate_count(list); i++) {
        const fate_value *item = fate_at(list, i);
        fputs(i ? " " : "", out);
        if (with_success)
            fputs(fate_is_failure(item) ? "(err " : "(ok ", out);
        write_value(out, world, item);
        fputs(with_success ? ")" : "", out);
    }
    fputc(']', out);
}

/* A list with fire_on_one_callback fires with value and index, or, when all have failed, with all
 * failures. */
static bool is_first_callback(const fate_value *list)
{
    return fate_count(list) == 2 && !fate_is_failure(fate_at(list, 0));
}

static void write_list(FILE *out, struct world *world, const fate_value *list, enum shape shape)
{
    if (shape == RACED) {
        fprintf(out, "(#%lld ", (long long)fate_as_int(fate_at(list, 0)));
        write_value(out, world, fate_at(list, 1));
        fputc(')', out);
    } else if (shape == SETTLED_FIRST && is_first_callback(list)) {
        fputc('(', out);
        write_value(out, world, fate_at(list, 0));
        fprintf(out, " #%lld)", (long long)fate_as_int(fate_at(list, 1)));
    } else {
        write_items(out, world, list, shape == SETTLED || shape == SETTLED_FIRST);
    }
}

static void write_other(FILE *out, struct world *world, const fate_value *v)
{
    char name[8];

    if (fate_is_box(struct shaped, v)) {
        const struct shaped *shaped = fate_unbox(struct shaped, v);
        write_list(out, world, &shaped->list, shaped->shape);
    } else if (fate_kind_of(v) == FATE_KIND_OBJECT && name_of_object(world, v->as.p, name)) {
        fputs(name, out);
    } else {
        fate_value text = fate_describe(v);
        fputs(fate_as_str(&text), out);
        fate_drop(text);
    }
}

static void write_value(FILE *out, struct world *world, const fate_value *v)
{
    if (fate_is_none(v))
        fputs("none", out);
    else if (fate_is_failure(v))
        write_failure(out, world, v);
    else if (fate_kind_of(v) == FATE_KIND_INT)
        fprintf(out, "%lld", (long long)fate_as_int(v));
    else
        write_other(out, world, v);
}

void print_value(struct world *world, const fate_value *v)
{
    write_value(stdout, world, v);
}

/* A paused list may have fired without having passed the level that wraps it.  What gathering strips is
 * still there then: Twisted does that in a first level, too (R112). */
void print_raw_result(struct world *world, const fate_value *v, enum shape shape)
{
    if (fate_kind_of(v) == FATE_KIND_LIST)
        write_list(stdout, world, v, shape == GATHERED ? SETTLED : shape);
    else
        write_value(stdout, world, v);
}

char *text_of_failure(struct world *world, const fate_value *failure)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        give_up("no memory", "");
    write_failure(out, world, failure);
    fclose(out);
    return text;
}

void print_seconds(fate_time t)
{
    printf("%g", (double)t / (double)FATE_SECOND);
}
