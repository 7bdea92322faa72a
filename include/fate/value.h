/* Values: what deferreds carry.
 *
 * A fate_value is 16 bytes and goes in two registers.  Numbers lie inside it; texts, bytes, lists, dicts,
 * boxes and failures are counted objects behind a pointer.
 *
 * Ownership, everywhere in libfate: a value passed by value is given and gone, whatever the call returns; a
 * value passed by pointer is lent.  Counts are plain integers, so a value belongs to one thread at a time.
 *
 * When memory runs out, a constructor returns the NO_MEMORY failure (class FATE_NO_MEMORY), which needs no
 * memory itself; whatever it was given has been dropped. */
#ifndef FATE_VALUE_H
#define FATE_VALUE_H

#include <fate/base.h>

FATE_BEGIN

typedef enum {
    FATE_KIND_NONE,
    FATE_KIND_BOOL,
    FATE_KIND_INT,
    FATE_KIND_FLOAT,
    FATE_KIND_DATETIME,
    FATE_KIND_TEXT,
    FATE_KIND_BYTES,
    FATE_KIND_LIST,
    FATE_KIND_DICT,
    FATE_KIND_BOX,
    FATE_KIND_PTR,
    FATE_KIND_OBJECT, /* a borrowed object of the library: a lock, a looping call, … */
    FATE_KIND_DEFERRED,
    FATE_KIND_FAILURE,
    FATE_KIND_FOLLOW
} fate_kind;

/* Ours: what a value's first word points to.  Made by the library only. */
typedef struct fate_type {
    const char *name; /* "text" */
    unsigned char kind;
    bool is_counted;               /* has a count: dropping matters */
    bool is_lent;                  /* a debug build's mark on what a callback is lent */
    const struct fate_type *plain; /* the type without that mark */
    const struct fate_type *lent;  /* the type with it; NULL for values that nobody owns */
    bool is_simple;                /* lies in the value itself: nothing to count, take or check */
} fate_type;

typedef struct fate_value {
    const fate_type *type; /* NULL: nothing, Python's None */
    union {
        int64_t i;
        double f;
        void *p;
    } as;
} fate_value;

typedef struct fate_deferred fate_deferred;
typedef struct fate_reactor fate_reactor;

/* Ours: the types of the values that need no memory. */
FATE_API extern const fate_type fate_type_bool, fate_type_int, fate_type_float, fate_type_ptr;

/* ---- Values without memory ---- */

/* Nothing, a truth, a 64-bit integer, a double. */
FATE_API inline fate_value fate_none(void);
FATE_API inline fate_value fate_bool(bool b);
FATE_API inline fate_value fate_int(int64_t i);
FATE_API inline fate_value fate_float(double f);
/* A borrowed pointer: libfate neither looks behind it nor frees it. */
FATE_API inline fate_value fate_ptr(const void *p);

inline fate_value fate_none(void)
{
    fate_value v = { NULL, { 0 } };
    return v;
}

inline fate_value fate_bool(bool b)
{
    fate_value v = { &fate_type_bool, { b } };
    return v;
}

inline fate_value fate_int(int64_t i)
{
    fate_value v = { &fate_type_int, { i } };
    return v;
}

inline fate_value fate_float(double f)
{
    fate_value v = { &fate_type_float, { 0 } };
    v.as.f = f;
    return v;
}

inline fate_value fate_ptr(const void *p)
{
    fate_value v = { &fate_type_ptr, { 0 } };
    v.as.p = (void *)(uintptr_t)p;
    return v;
}

/* A moment: nanoseconds since 1970-01-01T00:00:00 UTC, leap seconds not counted; years 1678 to 2262. */
FATE_API fate_value fate_datetime(int64_t nanoseconds_since_1970);

/* ---- Text and bytes: counted, immutable copies ---- */

/* A copy of a C string.  Text is UTF-8 by convention; it is not checked. */
FATE_API fate_value fate_str(const char *s);
/* A copy of len bytes as text, which may hold NULs; a NUL is put behind them. */
FATE_API fate_value fate_str_n(const char *s, size_t len);
/* Text made as printf does. */
FATE_API fate_value fate_format(const char *fmt, ...) FATE_PRINTF(1, 2);
FATE_API fate_value fate_format_v(const char *fmt, va_list args) FATE_PRINTF(1, 0);
/* A copy of len bytes. */
FATE_API fate_value fate_bytes(const void *p, size_t len);

/* ---- Lists and dicts ---- */

/* A list of n values, each given.  n 0 makes an empty one, and items may then be NULL.
 * If one of them is the NO_MEMORY failure, the list is that failure. */
FATE_API fate_value fate_list(size_t n, const fate_value *items);
/* An empty dict: text keys in order of insertion, each once. */
FATE_API fate_value fate_dict(void);

/* How many items a list or dict has, how many bytes a text or bytes. */
FATE_API size_t fate_count(const fate_value *v);
/* The i-th item of a list, lent until the list changes or goes; i beyond the end stops the program. */
FATE_API const fate_value *fate_at(const fate_value *list, size_t i);
/* The item of that key, lent; NULL: not there. */
FATE_API const fate_value *fate_dict_get(const fate_value *dict, const char *key);
/* The i-th key of a dict in order of insertion, lent. */
FATE_API const char *fate_dict_key(const fate_value *dict, size_t i);
/* The i-th item of a dict, lent. */
FATE_API const fate_value *fate_dict_at(const fate_value *dict, size_t i);

/* Changing a container.  Its item is given.  0, or -ENOMEM and nothing has changed (also when the item is the
 * NO_MEMORY failure).  Changing one that is shared (more than one reference) stops the program: copy first.
 */
FATE_API int fate_list_append(fate_value *list, fate_value item);
FATE_API int fate_list_set(fate_value *list, size_t i, fate_value item);
FATE_API int fate_dict_set(fate_value *dict, const char *key, fate_value item);
/* 0, or -ENOENT. */
FATE_API int fate_dict_remove(fate_value *dict, const char *key);

/* Takes an item out: none is left in its place.  Out of a shared container it is a copy and nothing changes.
 */
FATE_API fate_value fate_take_at(fate_value *list, size_t i);
/* The same for a dict, whose key goes too; none when it is not there. */
FATE_API fate_value fate_dict_take(fate_value *dict, const char *key);

/* Two more ways to write a container.  In C: fate_list_of(fate_int(1), fate_str("two")) and
 * fate_dict_of({ "a", fate_int(1) }, { "b", fate_none() }).  The first element passed is a place-holder, so
 * that none at all may be given. */
typedef struct fate_pair {
    const char *key;
    fate_value value;
} fate_pair;
/* A dict of n pairs, whose keys are copied and values given; of two with one key the later one stays. */
FATE_API fate_value fate_dict_from(size_t n, const fate_pair *pairs);
FATE_API fate_value fate_list_past_first(size_t n, const fate_value *items);
FATE_API fate_value fate_dict_past_first(size_t n, const fate_pair *pairs);

/* ---- Boxes: a struct of yours, copied to counted memory ---- */

typedef void fate_box_drop(void *data);

/* Copies bytes of data, under a name that fate_box_data must repeat ("struct T" and "T" are one name); the
 * name is not copied and must live as long as the box.  drop (or NULL) is called once, when the last
 * reference goes; also at once, on data itself, when there is no memory. In C write fate_box(struct T, a, b)
 * and fate_box_with(drop, struct T, a, b). */
FATE_API fate_value fate_box_new(const char *name, size_t bytes, const void *data, fate_box_drop *drop);
/* The struct in a box, lent as long as the box; a value that is no box of that name stops the program.
 * In C write fate_unbox(struct T, &v). */
FATE_API void *fate_box_data(const char *name, const fate_value *v, const char *site);
/* Is it a box of that name?  In C: fate_is_box(struct T, &v). */
FATE_API bool fate_is_box_named(const char *name, const fate_value *v);

/* ---- Moving and dropping ---- */

/* Makes a lent value yours: returns it and leaves nothing behind. */
FATE_API inline fate_value fate_take(fate_value *v);
/* One more reference. */
FATE_API fate_value fate_copy(const fate_value *v);
/* Gives one up.  Values nested to any depth need no deep stack. */
FATE_API void fate_drop(fate_value v);

inline fate_value fate_take(fate_value *v)
{
    fate_value taken = *v;
    if (taken.type && taken.type->is_lent)
        taken.type = taken.type->plain;
    v->type = NULL;
    v->as.i = 0;
    return taken;
}

/* ---- Reading ---- */

/* What kind of value it is, and the two that are asked for most. */
FATE_API inline fate_kind fate_kind_of(const fate_value *v);
FATE_API inline bool fate_is_none(const fate_value *v);
FATE_API inline bool fate_is_failure(const fate_value *v);

inline fate_kind fate_kind_of(const fate_value *v)
{
    return v->type ? (fate_kind)v->type->kind : FATE_KIND_NONE;
}

inline bool fate_is_none(const fate_value *v)
{
    return !v->type;
}

inline bool fate_is_failure(const fate_value *v)
{
    return v->type && v->type->kind == FATE_KIND_FAILURE;
}

/* Ours: says which type is wrong, and stops. */
FATE_API int64_t fate_as_int_slow(const fate_value *v);
FATE_API void *fate_as_ptr_slow(const fate_value *v);

/* Each stops the program, naming both types, when the value is of another type.  Text and bytes are lent as
 * long as the value; text ends with a NUL. */
FATE_API bool fate_as_bool(const fate_value *v);
FATE_API inline int64_t fate_as_int(const fate_value *v);
FATE_API double fate_as_float(const fate_value *v); /* of an int too */
FATE_API int64_t fate_as_datetime(const fate_value *v);
FATE_API const char *fate_as_str(const fate_value *v);
FATE_API const void *fate_as_bytes(const fate_value *v, size_t *ret_len); /* of text too */
FATE_API inline void *fate_as_ptr(const fate_value *v);

inline int64_t fate_as_int(const fate_value *v)
{
    return v && v->type == &fate_type_int ? v->as.i : fate_as_int_slow(v);
}

inline void *fate_as_ptr(const fate_value *v)
{
    return v && v->type == &fate_type_ptr ? v->as.p : fate_as_ptr_slow(v);
}

/* The same for data from outside: false, and nothing written, when the value is of another type. */
FATE_API bool fate_get_bool(const fate_value *v, bool *ret_b);
FATE_API bool fate_get_int(const fate_value *v, int64_t *ret_i);
FATE_API bool fate_get_float(const fate_value *v, double *ret_f);
FATE_API bool fate_get_datetime(const fate_value *v, int64_t *ret_nanoseconds);
FATE_API bool fate_get_str(const fate_value *v, const char **ret_s);
FATE_API bool fate_get_bytes(const fate_value *v, const void **ret_p, size_t *ret_len);

/* Same type and same content, through and through.  Ints and floats are different types; a failure's path
 * does not count; boxes, pointers and deferreds are equal to themselves only.  NaN equals NaN; dicts may
 * differ in order.  Comparing what is nested deeper than 64 needs memory; without it the answer is false. */
FATE_API bool fate_equal(const fate_value *a, const fate_value *b);

/* Any value as text for people: none, true, 5, 1.5, "a\n", b"\x00", [1, "b"], {"k": 1}, <struct T>,
 * <ValueError: wrong token>.  Never fails in another way than want of memory; what is nested deeper than 64
 * is
 * "...". */
FATE_API fate_value fate_describe(const fate_value *v);

/* Makes a value fit to be given to another thread: nothing in it may be shared with this one.  Text, bytes
 * and failures that are shared are replaced by copies, with a list or dict that is a failure's payload;
 * lists, dicts and failures are gone through.  0; -ENOMEM; -EBUSY when another container or a box in it is
 * shared; -EINVAL when it holds a deferred. */
FATE_API int fate_detach(fate_value *v);

FATE_END

#ifdef __cplusplus
#include <fate/value_cxx.h>
#else
#define fate_list_of(...)                                                                                    \
    fate_list_past_first(sizeof((fate_value[]){ { 0 }, __VA_ARGS__ }) / sizeof(fate_value),                  \
                         (fate_value[]){ { 0 }, __VA_ARGS__ })
#define fate_dict_of(...)                                                                                    \
    fate_dict_past_first(sizeof((fate_pair[]){ { 0 }, __VA_ARGS__ }) / sizeof(fate_pair),                    \
                         (fate_pair[]){ { 0 }, __VA_ARGS__ })
#define fate_box(T, ...)            fate_box_new(#T, sizeof(T), &(T){ __VA_ARGS__ }, NULL)
#define fate_box_with(drop, T, ...) fate_box_new(#T, sizeof(T), &(T){ __VA_ARGS__ }, drop)
#define fate_unbox(T, v)            ((T *)fate_box_data(#T, v, FATE_HERE))
#define fate_is_box(T, v)           fate_is_box_named(#T, v)
#endif

#endif
