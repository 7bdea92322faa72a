/* How failures print: in one line, and as a traceback. */
#include <value/failure.h>

#include <base/text.h>

#define LINE_DEPTH_MAX 16 /* failures named inside one another in one line */
#define GROUP_SHOWN    10 /* failures of a group */
#define CAUSES_SHOWN   64

static void add_line(struct fate__text *text, const fate_value *failure, int depth);

/* "#1 KeyError: k": what FirstError holds is its cause, and its payload says which one of many that was
 * (R108). */
static void add_first_error(struct fate__text *text, const struct fate__failure *f, int depth)
{
    fate__text_add(text, ": ");
    if (fate_kind_of(&f->payload) == FATE_KIND_INT)
        fate__text_format(text, "#%lld ", (long long)f->payload.as.i);
    add_line(text, &f->cause, depth + 1);
}

static void add_member(struct fate__text *text, const fate_value *member, int depth)
{
    if (fate_is_failure(member))
        add_line(text, member, depth + 1);
    else
        fate__describe_to(text, member);
}

/* "2 failures: KeyError: a; ValueError: b" */
static void add_group(struct fate__text *text, const struct fate__failure *f, int depth)
{
    size_t n = fate_count(&f->payload);

    fate__text_format(text, ": %zu failure%s", n, n == 1 ? "" : "s");
    for (size_t i = 0; i < n && i < GROUP_SHOWN; i++) {
        fate__text_add(text, i ? "; " : ": ");
        add_member(text, fate_at(&f->payload, i), depth);
    }
    if (n > GROUP_SHOWN)
        fate__text_format(text, "; and %zu more", n - GROUP_SHOWN);
}

static void add_line(struct fate__text *text, const fate_value *failure, int depth)
{
    const struct fate__failure *f = fate__failure_in(failure);

    if (depth > LINE_DEPTH_MAX) {
        fate__text_add(text, "...");
        return;
    }
    fate__text_add(text, f->class->name);
    if (f->len) {
        fate__text_add(text, ": ");
        fate__escape_to(text, f->text, f->len, '\0');
    } else if (fate_class_is(f->class, &FATE_FIRST_ERROR) && f->cause.type) {
        add_first_error(text, f, depth);
    } else if (fate_class_is(f->class, &FATE_FAILURE_GROUP) && fate_kind_of(&f->payload) == FATE_KIND_LIST) {
        add_group(text, f, depth);
    }
}

void fate__failure_line_to(struct fate__text *text, const fate_value *failure)
{
    add_line(text, failure, 0);
}

/* ---- The path ---- */

static bool has_raised(const struct fate__failure *f)
{
    return (f->function && *f->function) || (f->here && *f->here);
}

static void add_raised(struct fate__text *text, const struct fate__failure *f)
{
    if (f->function && *f->function) {
        fate__text_add(text, f->function);
        fate__text_add(text, f->here && *f->here ? " " : "");
    }
    if (f->here)
        fate__text_add_site(text, f->here);
}

/* A failure without any trace says so (R175). */
static void add_path(struct fate__text *text, const struct fate__failure *f)
{
    uint32_t shown = FATE__PAST_FIRST + FATE__PAST_LAST;
    uint32_t left_out = f->n_past > shown ? f->n_past - shown : 0;

    if (has_raised(f)) {
        fate__text_add(text, "\n  raised ");
        add_raised(text, f);
    } else if (!f->n_past) {
        fate__text_add(text, "\n  (no trace)");
    }
    for (uint32_t i = 0; i < f->n_past; i++) {
        if (left_out && i == FATE__PAST_FIRST) {
            fate__text_format(text, "\n  ... %lu more level%s", (unsigned long)left_out,
                              left_out == 1 ? "" : "s");
            i += left_out;
        }
        fate__text_add(text, "\n  past   ");
        fate__text_add_site(text, fate__past_at(f, i));
    }
}

static size_t count_causes(const struct fate__failure *f)
{
    size_t n = 0;
    for (; f->cause.type; f = fate__failure_in(&f->cause))
        n++;
    return n;
}

static void add_causes(struct fate__text *text, const struct fate__failure *f)
{
    for (size_t i = 0; f->cause.type; i++) {
        if (i == CAUSES_SHOWN) {
            fate__text_format(text, "\n... %zu more causes", count_causes(f));
            return;
        }
        fate__text_add(text, "\ncaused by: ");
        fate__failure_line_to(text, &f->cause);
        f = fate__failure_in(&f->cause);
        add_path(text, f);
    }
}

/* ---- Public ---- */

static const struct fate__failure *need_failure(const char *what, const fate_value *v)
{
    if (!v || !fate_is_failure(v))
        fate__stop_wrong_kind(what, v, "a failure", "Ask fate_is_failure first.", NULL);
    return fate__failure_in(v);
}

fate_value fate_raised_at(const fate_value *failure)
{
    struct fate__text text = { 0 };
    add_raised(&text, need_failure("fate_raised_at", failure));
    return fate__text_value(&text);
}

fate_value fate_failure_line(const fate_value *failure)
{
    struct fate__text text = { 0 };
    need_failure("fate_failure_line", failure);
    fate__failure_line_to(&text, failure);
    return fate__text_value(&text);
}

fate_value fate_traceback(const fate_value *failure)
{
    struct fate__text text = { 0 };
    const struct fate__failure *f = need_failure("fate_traceback", failure);

    fate__failure_line_to(&text, failure);
    add_path(&text, f);
    add_causes(&text, f);
    return fate__text_value(&text);
}
