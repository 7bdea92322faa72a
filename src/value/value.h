/* Values from inside the library: the counted objects, and what the chain needs of failures. */
#ifndef FATE_SRC_VALUE_VALUE_H
#define FATE_SRC_VALUE_VALUE_H

#include <base/stop.h>
#include <fate/failure.h>
#include <fate/value.h>

/* The head of every counted object. */
struct fate__counted {
    int32_t refs;  /* negative: immortal, never written */
    uint32_t kind; /* the fate_kind, for the list of what is to be dropped */
};

extern const fate_type fate__type_datetime, fate__type_text, fate__type_bytes, fate__type_list,
    fate__type_dict, fate__type_box, fate__type_deferred, fate__type_failure, fate__type_follow;

/* The static failure that stands for want of memory: uncounted, valid in every thread. */
fate_value fate__no_memory(void);
extern struct fate__failure fate__no_memory_failure;
static inline bool fate__is_no_memory(const fate_value *v)
{
    return v->as.p == &fate__no_memory_failure && fate_is_failure(v);
}

/* What strerror says, in English. */
const char *fate__errno_words(int errnum);

/* Stops the program when a value that is being given must not be: fate_follow's, or one that was lent and not
 * taken. what says what is being done with it, "fate_fire". */
_Noreturn void fate__refuse_given(const fate_value *v, const char *what, const char *site);

/* Does the value lie in itself, so that there is nothing to count, take or check? */
static inline bool fate__is_simple(const fate_value *v)
{
    return !v->type || v->type->is_simple;
}

static inline bool fate__may_be_given(const fate_value *v)
{
    return fate__is_simple(v) || (v->type->kind != FATE_KIND_FOLLOW && !v->type->is_lent);
}

static inline void fate__check_given(const fate_value *v, const char *what, const char *site)
{
    if (!fate__may_be_given(v)) {
        const fate_value refused = *v; /* a copy, so that v itself may stay in registers */
        fate__refuse_given(&refused, what, site);
    }
}

/* Reads a value word by word.  A plain assignment reads both words at once, and waits when they have just
 * been written one by one. */
static inline fate_value fate__load(const fate_value *v)
{
    const fate_value loaded = { v->type, { v->as.i } };
    return loaded;
}

/* The same for writing. */
static inline void fate__store(fate_value *to, fate_value v)
{
    to->type = v.type;
    to->as.i = v.as.i;
}

/* What is not lent leaves nothing behind. */
static inline fate_value fate__move_out(fate_value *from)
{
    const fate_value v = fate__load(from);
    fate__store(from, fate_none());
    return v;
}

/* In a debug build what is lent is marked while it is, so that who returns, gives away or keeps it untaken is
 * always found out; unlend makes what is left of it plain again. */
static inline void fate__lend(fate_value *v)
{
#ifdef FATE_DEBUG_CHECKS
    if (v->type && v->type->lent)
        v->type = v->type->lent;
#endif
}

static inline void fate__unlend(fate_value *v)
{
#ifdef FATE_DEBUG_CHECKS
    if (v->type)
        v->type = v->type->plain;
#endif
}

/* The references to a counted value; 1 for one that is not counted, negative for an immortal one. */
int32_t fate__refs(const fate_value *v);

/* A borrowed object of a type of the library's own, kind FATE_KIND_OBJECT. */
static inline fate_value fate__object(const fate_type *type, void *p)
{
    fate_value v = { type, { 0 } };
    v.as.p = p;
    return v;
}
/* Reads it back; stops the program when v is of another type. */
void *fate__as_object(const fate_type *type, const fate_value *v, const char *what);

/* ---- Boxes whose memory their owner frees ----
 *
 * Values of it come and go; unkept is called whenever the last one has gone, and may free it. */

/* Zeroed data of that many bytes, without a value yet; NULL without memory. */
void *fate__own_box_new(const char *name, size_t bytes, fate_box_drop *unkept);
/* One more value of it, from its data. */
fate_value fate__own_box_value(void *data);
void fate__own_box_free(void *data);
/* The data; NULL: v is no such box. */
void *fate__own_box_data(const fate_value *v);

/* Held deferreds are a matter of the layer above, which sets these before it makes the first. */
struct fate__held_ops {
    void (*hold)(fate_deferred *d);
    void (*release)(fate_deferred *d);
    const char *(*site)(const fate_deferred *d);
};
extern const struct fate__held_ops *_Atomic fate__held;

/* ---- Failures ---- */

/* Notes that the failure went past a level.  A shared failure is copied first, since its path belongs to one
 * chain; without memory for that the shared one stays, and the level is not noted. */
void fate__failure_past(fate_value *failure, const char *level_site);

/* A failure of the library's own, for what the program did at that line. */
fate_value fate__raise(const char *here, const fate_class *c, const char *fmt, ...) FATE_PRINTF(3, 4);
/* The same with all that a failure can carry, and the name of the public function it comes from; no text. */
fate_value fate__raise_with(const char *function, const char *here, const fate_class *c, fate_value payload,
                            fate_value cause);

#endif
