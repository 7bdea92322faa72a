/* Failures: making them, asking them, and the path that they take.  How they print is in traceback.c. */
#include <value/failure.h>

#include <stdio.h>
#include <string.h>

#include <base/alloc.h>

struct fate__failure fate__no_memory_failure = {
    .node = { .head = { .refs = -1, .kind = FATE_KIND_FAILURE } },
    .class = &FATE_NO_MEMORY,
    .len = sizeof "out of memory" - 1,
    .text = "out of memory",
};

fate_value fate__no_memory(void)
{
    return fate__of(&fate__type_failure, &fate__no_memory_failure);
}

/* ---- Making ---- */

/* All that a failure is made of but its text. */
struct making {
    const char *function, *here;
    const fate_class *class;
    fate_value payload, cause;
    int errnum;
};

static void check_making(const struct making *m)
{
    if (!m->class)
        fate__stop(m->here,
                   "fate_raise: the class is NULL. Give the address of a fate_class, &FATE_VALUE_ERROR say.");
    fate__check_given(&m->payload, "fate_raise_with", m->here);
    fate__check_given(&m->cause, "fate_raise_from", m->here);
    if (m->cause.type && !fate_is_failure(&m->cause))
        fate__stop_wrong_kind("fate_raise_from", &m->cause, "a failure",
                              "A cause is a failure; other values go into the payload, by fate_raise_with.",
                              m->here);
}

/* A failure with room for its text, which lies behind it. */
static struct fate__failure *make_empty(const struct making *m, size_t len)
{
    struct fate__failure *failure = fate__alloc(sizeof *failure + len + 1);
    if (!failure)
        return NULL;
    *failure = (struct fate__failure){
        .class = m->class,
        .function = m->function,
        .here = m->here,
        .payload = m->payload,
        .cause = m->cause,
        .errnum = m->errnum,
        .len = len,
        .text = (char *)(failure + 1),
    };
    fate__count_first(&failure->node.head, FATE_KIND_FAILURE);
    return failure;
}

/* A text that cannot be made is told by its format (R174).  words, if any, are put behind it. */
static fate_value make(const struct making *m, const char *words, const char *fmt, va_list args)
{
    struct fate__formatting f;
    struct fate__failure *failure = NULL;

    check_making(m);
    bool is_formatted = fate__format_begin(&f, fmt, args) >= 0;
    size_t len = is_formatted ? (size_t)f.len : strlen(fmt);
    const char *between = len && *words ? ": " : "";
    if (!fate__is_no_memory(&m->payload))
        failure = make_empty(m, len + strlen(between) + strlen(words));
    if (!failure) {
        fate_drop(m->payload);
        fate_drop(m->cause);
        return fate__no_memory();
    }
    char *text = (char *)(failure + 1);
    if (is_formatted)
        fate__format_end(&f, text, fmt, args);
    else
        memcpy(text, fmt, len);
    snprintf(text + len, strlen(between) + strlen(words) + 1, "%s%s", between, words);
    return fate__of(&fate__type_failure, failure);
}

fate_value fate_raise_v(const char *function, const char *here, const fate_class *c, fate_value payload,
                        fate_value cause, const char *fmt, va_list args)
{
    struct making m = { .function = function, .here = here, .class = c, .payload = payload, .cause = cause };
    return make(&m, "", fmt ? fmt : "", args);
}

fate_value fate_raise_errno_v(const char *function, const char *here, int errnum, const char *fmt,
                              va_list args)
{
    int positive = errnum < 0 && errnum != INT_MIN ? -errnum : errnum;
    struct making m = { .function = function,
                        .here = here,
                        .class = fate_errno_class(positive),
                        .payload = fate_int(positive),
                        .errnum = positive };
    char words[128];

    if (m.class == &FATE_NO_MEMORY)
        return fate__no_memory();
    snprintf(words, sizeof words, "%s (%s)", fate__errno_words(positive), fate_errno_name(positive));
    return make(&m, words, fmt ? fmt : "", args);
}

/* ---- The doors to it ---- */

fate_value fate_raise_at(const char *function, const char *here, const fate_class *c, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_value v = fate_raise_v(function, here, c, fate_none(), fate_none(), fmt, args);
    va_end(args);
    return v;
}

fate_value fate_raise_with_at(const char *function, const char *here, const fate_class *c, fate_value payload,
                              const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_value v = fate_raise_v(function, here, c, payload, fate_none(), fmt, args);
    va_end(args);
    return v;
}

fate_value fate_raise_from_at(const char *function, const char *here, const fate_class *c, fate_value cause,
                              const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_value v = fate_raise_v(function, here, c, fate_none(), cause, fmt, args);
    va_end(args);
    return v;
}

fate_value fate_raise_errno_at(const char *function, const char *here, int errnum, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_value v = fate_raise_errno_v(function, here, errnum, fmt, args);
    va_end(args);
    return v;
}

fate_value fate__raise(const char *here, const fate_class *c, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_value v = fate_raise_v(NULL, here, c, fate_none(), fate_none(), fmt, args);
    va_end(args);
    return v;
}

fate_value(fate_raise)(const fate_class *c, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_value v = fate_raise_v(NULL, NULL, c, fate_none(), fate_none(), fmt, args);
    va_end(args);
    return v;
}

fate_value(fate_raise_with)(const fate_class *c, fate_value payload, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_value v = fate_raise_v(NULL, NULL, c, payload, fate_none(), fmt, args);
    va_end(args);
    return v;
}

fate_value(fate_raise_from)(const fate_class *c, fate_value cause, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_value v = fate_raise_v(NULL, NULL, c, fate_none(), cause, fmt, args);
    va_end(args);
    return v;
}

fate_value(fate_raise_errno)(int errnum, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fate_value v = fate_raise_errno_v(NULL, NULL, errnum, fmt, args);
    va_end(args);
    return v;
}

/* ---- Asking ---- */

const fate_class *fate_class_of(const fate_value *v)
{
    return v && fate_is_failure(v) ? fate__failure_in(v)->class : NULL;
}

bool fate_is(const fate_value *v, const fate_class *c)
{
    return c && fate_class_is(fate_class_of(v), c);
}

const fate_class *fate_is_any(const fate_value *v, size_t n, const fate_class *const classes[])
{
    for (size_t i = 0; i < n; i++)
        if (fate_is(v, classes[i]))
            return classes[i];
    return NULL;
}

static const struct fate__failure *need_failure(const char *what, const fate_value *v)
{
    if (fate__unlikely(!v || !fate_is_failure(v)))
        fate__stop_wrong_kind(what, v, "a failure", "Ask fate_is_failure first.", NULL);
    return fate__failure_in(v);
}

const char *fate_message(const fate_value *failure)
{
    return need_failure("fate_message", failure)->text;
}

const fate_value *fate_cause(const fate_value *failure)
{
    const struct fate__failure *f = need_failure("fate_cause", failure);
    return f->cause.type ? &f->cause : NULL;
}

const fate_value *fate_payload(const fate_value *failure)
{
    const struct fate__failure *f = need_failure("fate_payload", failure);
    return f->payload.type ? &f->payload : NULL;
}

int fate_failure_errno(const fate_value *failure)
{
    return need_failure("fate_failure_errno", failure)->errnum;
}

/* ---- The path ---- */

struct fate__failure *fate__failure_copy(const struct fate__failure *shared)
{
    struct fate__failure *copy = fate__alloc(sizeof *copy + shared->len + 1);
    if (!copy)
        return NULL;
    memcpy(copy, shared, sizeof *copy);
    memcpy(copy + 1, shared->text, shared->len + 1);
    copy->text = (char *)(copy + 1);
    copy->payload = fate_copy(&shared->payload);
    copy->cause = fate_copy(&shared->cause);
    fate__count_first(&copy->node.head, FATE_KIND_FAILURE);
    return copy;
}

void fate__failure_past(fate_value *failure, const char *level_site)
{
    struct fate__failure *f = fate__failure_in(failure);
    if (f->node.head.refs < 0)
        return;
    if (fate__is_shared(failure)) {
        struct fate__failure *copy = fate__failure_copy(f);
        if (!copy)
            return;
        fate_value before = fate_take(failure);
        *failure = fate__of(&fate__type_failure, copy);
        fate_drop(before);
        f = copy;
    }
    uint32_t i = f->n_past;
    if (i == UINT32_MAX)
        return;
    if (i < FATE__PAST_FIRST)
        f->past_first[i] = level_site;
    else
        f->past_last[(i - FATE__PAST_FIRST) % FATE__PAST_LAST] = level_site;
    f->n_past++;
}

const char *fate__past_at(const struct fate__failure *failure, uint32_t i)
{
    if (i < FATE__PAST_FIRST)
        return failure->past_first[i];
    return failure->past_last[(i - FATE__PAST_FIRST) % FATE__PAST_LAST];
}
