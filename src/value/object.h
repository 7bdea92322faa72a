/* What the counted objects look like inside; for the value layer alone. */
#ifndef FATE_SRC_VALUE_OBJECT_H
#define FATE_SRC_VALUE_OBJECT_H

#include <value/value.h>

/* The head of an object that may hold values.  The link puts it on a list of work, of what is to be
 * dropped or to be looked through, so that neither needs a deep stack or memory. */
struct fate__node {
    struct fate__counted head;
    struct fate__node *next;
};

/* A text or bytes; a NUL follows them. */
struct fate__string {
    struct fate__counted head;
    size_t len;
    char bytes[];
};

struct fate__list {
    struct fate__node node;
    size_t n, room;
    fate_value *items; /* first_items, or a block of its own once it has grown */
    fate_value first_items[];
};

struct fate__entry {
    char *key;
    uint64_t hash; /* known only while there is an index */
    fate_value value;
};

struct fate__dict {
    struct fate__node node;
    size_t n, room;
    struct fate__entry *entries; /* in order of insertion */
    uint32_t *index;             /* NULL while small: an entry's number plus 1, 0 for a free slot */
    size_t slots;                /* of the index, a power of two */
};

/* The kind in the head of a box whose memory its owner frees; its values are boxes like others. */
#define FATE__OWN_BOX 64u

struct fate__box {
    struct fate__node node;
    const char *name;
    fate_box_drop *drop;
    _Alignas(16) unsigned char data[];
};

static inline void fate__count_first(struct fate__counted *head, fate_kind kind)
{
    *head = (struct fate__counted){ .refs = 1, .kind = (uint32_t)kind };
}

/* The value of an object. */
static inline fate_value fate__of(const fate_type *type, void *object)
{
    fate_value v = { type, { 0 } };
    v.as.p = object;
    return v;
}

static inline bool fate__is_shared(const fate_value *v)
{
    return fate__refs(v) > 1;
}

/* Gives up one of the references; true: it was the last one. */
static inline bool fate__give_up(struct fate__counted *head)
{
    if (head->refs < 0)
        return false;
    return --head->refs == 0;
}

/* Frees an object's own memory, when the values in it have been dropped. */
void fate__list_free(struct fate__list *list);
void fate__dict_free(struct fate__dict *dict);

/* Stops the program: what was called on v, which is not wanted ("an int"); remedy is a sentence. */
_Noreturn void fate__stop_wrong_kind(const char *what, const fate_value *v, const char *wanted,
                                     const char *remedy, const char *site);
/* Stops it when v has not that kind. */
static inline void fate__need_kind(const char *what, const fate_value *v, fate_kind kind, const char *wanted)
{
    if (fate__unlikely(!v || fate_kind_of(v) != kind))
        fate__stop_wrong_kind(what, v, wanted, "Ask fate_kind_of first.", NULL);
}
/* Stops it when a container that is to be changed has more than one reference. */
void fate__need_unshared(const char *what, const fate_value *container);

/* Texts made as printf does, in two steps: the length, and then the bytes into a block that has room for
 * them and a NUL.  A short text is made once only, in small.  -1: the format cannot be printed, errno says
 * why. */
struct fate__formatting {
    int len;
    char small[256];
};
int fate__format_begin(struct fate__formatting *f, const char *fmt, va_list args) FATE_PRINTF(2, 0);
void fate__format_end(const struct fate__formatting *f, char *to, const char *fmt, va_list args)
    FATE_PRINTF(3, 0);

struct fate__text;
/* What fate_describe and fate_failure_line make, added to a text. */
void fate__describe_to(struct fate__text *text, const fate_value *v);
void fate__failure_line_to(struct fate__text *text, const fate_value *failure);
/* A text with \n and its like written out; quote, or 0, is escaped too. */
void fate__escape_to(struct fate__text *text, const char *s, size_t len, char quote);
/* The text as a value; text is done. */
fate_value fate__text_value(struct fate__text *text);

#endif
