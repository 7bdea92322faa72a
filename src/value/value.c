/* Values: their types, copying, and reading what needs no memory. */
#include <value/object.h>

#include <stdio.h>

#include <base/text.h>

extern inline fate_value fate_none(void);
extern inline fate_value fate_bool(bool b);
extern inline fate_value fate_int(int64_t i);
extern inline fate_value fate_float(double f);
extern inline fate_value fate_ptr(const void *p);
extern inline fate_value fate_take(fate_value *v);
extern inline fate_kind fate_kind_of(const fate_value *v);
extern inline bool fate_is_none(const fate_value *v);
extern inline bool fate_is_failure(const fate_value *v);
extern inline int64_t fate_as_int(const fate_value *v);
extern inline void *fate_as_ptr(const fate_value *v);

#define UNCOUNTED(id, type_name, type_kind)                                                                  \
    const fate_type id = {                                                                                   \
        .name = type_name, .kind = type_kind, .plain = &id, .is_simple = (type_kind) != FATE_KIND_FOLLOW     \
    }

/* A counted type and the one that marks what is lent. */
#define COUNTED(id, type_name, type_kind)                                                                    \
    static const fate_type id##_lent = { type_name, type_kind, true, true, &id, &id##_lent, false };         \
    const fate_type id = { type_name, type_kind, true, false, &id, &id##_lent, false }

UNCOUNTED(fate_type_bool, "bool", FATE_KIND_BOOL);
UNCOUNTED(fate_type_int, "int", FATE_KIND_INT);
UNCOUNTED(fate_type_float, "float", FATE_KIND_FLOAT);
UNCOUNTED(fate_type_ptr, "pointer", FATE_KIND_PTR);
UNCOUNTED(fate__type_datetime, "datetime", FATE_KIND_DATETIME);
UNCOUNTED(fate__type_follow, "follow", FATE_KIND_FOLLOW);
COUNTED(fate__type_text, "text", FATE_KIND_TEXT);
COUNTED(fate__type_bytes, "bytes", FATE_KIND_BYTES);
COUNTED(fate__type_list, "list", FATE_KIND_LIST);
COUNTED(fate__type_dict, "dict", FATE_KIND_DICT);
COUNTED(fate__type_box, "box", FATE_KIND_BOX);
COUNTED(fate__type_deferred, "deferred", FATE_KIND_DEFERRED);
COUNTED(fate__type_failure, "failure", FATE_KIND_FAILURE);

const struct fate__held_ops *_Atomic fate__held;

/* ---- Stops ---- */

#define BRIEF_BYTES 80

/* The value as text, short enough for a message. */
static const char *brief(const fate_value *v, char to[static BRIEF_BYTES])
{
    struct fate__text text = { 0 };

    fate__describe_to(&text, v);
    snprintf(to, BRIEF_BYTES, "%.60s%s", text.bytes ? text.bytes : "...", text.len > 60 ? "..." : "");
    fate__text_done(&text);
    return to;
}

static const char *article_of(const char *noun)
{
    return *noun == 'i' ? "an" : "a";
}

void fate__stop_wrong_kind(const char *what, const fate_value *v, const char *wanted, const char *remedy,
                           const char *site)
{
    char shown[BRIEF_BYTES];

    if (!v)
        fate__stop(
            site,
            "%s: there is no value (NULL), as fate_dict_get returns for a key that is not there, where %s is "
            "wanted. Look for NULL first.",
            what, wanted);
    if (!v->type)
        fate__stop(site, "%s: the value is none, not %s. %s", what, wanted, remedy);
    fate__stop(site, "%s: the value is %s %s (%s), not %s. %s", what, article_of(v->type->name),
               v->type->name, brief(v, shown), wanted, remedy);
}

_Noreturn void fate__refuse_given(const fate_value *v, const char *what, const char *site)
{
    char shown[BRIEF_BYTES];

    if (v->type->kind == FATE_KIND_FOLLOW)
        fate__stop(
            site,
            "%s: given fate_follow(d). It is a value only as the return of a callback or function; hold the "
            "deferred in a value with fate_held(d), or chain it with fate_chain.",
            what);
    fate__stop(site,
               "%s: given %s %s (%s) that is only lent. What comes by pointer stays its owner's; give "
               "fate_take(&value) to move it or fate_copy(&value) for a reference of your own.",
               what, article_of(v->type->name), v->type->name, brief(v, shown));
}

void fate__need_unshared(const char *what, const fate_value *container)
{
    char shown[BRIEF_BYTES];

    if (fate__is_shared(container))
        fate__stop(
            NULL,
            "%s: the %s (%s) is shared: there are %d references to it, and the others would see the change. "
            "Build a new one, or change it before it is copied.",
            what, container->type->name, brief(container, shown), (int)fate__refs(container));
}

/* ---- Copying ---- */

int32_t fate__refs(const fate_value *v)
{
    if (!v->type || !v->type->is_counted || v->type->kind == FATE_KIND_DEFERRED)
        return 1;
    return ((const struct fate__counted *)v->as.p)->refs;
}

/* A count that would overflow makes its object immortal: better never freed than freed too early. */
static void count_one_more(struct fate__counted *head)
{
    if (head->refs >= 0)
        head->refs = head->refs == INT32_MAX ? -1 : head->refs + 1;
}

fate_value fate_copy(const fate_value *v)
{
    if (fate__unlikely(!v))
        fate__stop_wrong_kind("fate_copy", v, "a value", "", NULL);
    if (!v->type)
        return *v;
    if (v->type->kind == FATE_KIND_FOLLOW)
        fate__refuse_given(v, "fate_copy", NULL);

    fate_value copy = *v;
    copy.type = v->type->plain;
    if (!v->type->is_counted)
        return copy;
    if (v->type->kind == FATE_KIND_DEFERRED)
        fate__held->hold(v->as.p);
    else
        count_one_more(v->as.p);
    return copy;
}

/* ---- Scalars ---- */

fate_value fate_datetime(int64_t nanoseconds_since_1970)
{
    fate_value v = { &fate__type_datetime, { nanoseconds_since_1970 } };
    return v;
}

bool fate_get_bool(const fate_value *v, bool *ret_b)
{
    if (!v || fate_kind_of(v) != FATE_KIND_BOOL)
        return false;
    *ret_b = v->as.i != 0;
    return true;
}

bool fate_get_int(const fate_value *v, int64_t *ret_i)
{
    if (!v || fate_kind_of(v) != FATE_KIND_INT)
        return false;
    *ret_i = v->as.i;
    return true;
}

bool fate_get_float(const fate_value *v, double *ret_f)
{
    int64_t i;
    if (fate_get_int(v, &i)) {
        *ret_f = (double)i;
        return true;
    }
    if (!v || fate_kind_of(v) != FATE_KIND_FLOAT)
        return false;
    *ret_f = v->as.f;
    return true;
}

bool fate_get_datetime(const fate_value *v, int64_t *ret_nanoseconds)
{
    if (!v || fate_kind_of(v) != FATE_KIND_DATETIME)
        return false;
    *ret_nanoseconds = v->as.i;
    return true;
}

bool fate_as_bool(const fate_value *v)
{
    bool b;
    if (fate__unlikely(!fate_get_bool(v, &b)))
        fate__stop_wrong_kind("fate_as_bool", v, "a bool",
                              "Ask fate_kind_of first, or use fate_get_bool for data from outside.", NULL);
    return b;
}

int64_t fate_as_int_slow(const fate_value *v)
{
    int64_t i;
    if (fate__unlikely(!fate_get_int(v, &i)))
        fate__stop_wrong_kind("fate_as_int", v, "an int",
                              "Ask fate_kind_of first, or use fate_get_int for data from outside.", NULL);
    return i;
}

double fate_as_float(const fate_value *v)
{
    double f;
    if (fate__unlikely(!fate_get_float(v, &f)))
        fate__stop_wrong_kind("fate_as_float", v, "a float",
                              "Ask fate_kind_of first, or use fate_get_float for data from outside.", NULL);
    return f;
}

int64_t fate_as_datetime(const fate_value *v)
{
    int64_t nanoseconds;
    if (fate__unlikely(!fate_get_datetime(v, &nanoseconds)))
        fate__stop_wrong_kind("fate_as_datetime", v, "a datetime",
                              "Ask fate_kind_of first, or use fate_get_datetime for data from outside.",
                              NULL);
    return nanoseconds;
}

void *fate_as_ptr_slow(const fate_value *v)
{
    fate__need_kind("fate_as_ptr", v, FATE_KIND_PTR, "a pointer");
    return v->as.p;
}

void *fate__as_object(const fate_type *type, const fate_value *v, const char *what)
{
    if (fate__unlikely(!v || !v->type || v->type->plain != type)) {
        char wanted[BRIEF_BYTES];
        snprintf(wanted, sizeof wanted, "%s %s", article_of(type->name), type->name);
        fate__stop_wrong_kind(what, v, wanted, "It reads only what the library gave as such.", NULL);
    }
    return v->as.p;
}
