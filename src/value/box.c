/* Boxes: a struct of the program's, copied to counted memory. */
#include <value/object.h>

#include <stdio.h>
#include <string.h>

#include <base/alloc.h>

fate_value fate_box_new(const char *name, size_t bytes, const void *data, fate_box_drop *drop)
{
    struct fate__box *box = NULL;

    if (bytes <= SIZE_MAX / 2)
        box = fate__alloc(sizeof *box + bytes);
    if (!box) {
        if (drop)
            drop((void *)(uintptr_t)data);
        return fate__no_memory();
    }
    fate__count_first(&box->node.head, FATE_KIND_BOX);
    box->name = name;
    box->drop = drop;
    if (bytes)
        memcpy(box->data, data, bytes);
    return fate__of(&fate__type_box, box);
}

/* ---- Those whose memory their owner frees ---- */

void *fate__own_box_new(const char *name, size_t bytes, fate_box_drop *unkept)
{
    struct fate__box *box = fate__zalloc(sizeof *box + bytes);

    if (!box)
        return NULL;
    box->node.head.kind = FATE__OWN_BOX;
    box->name = name;
    box->drop = unkept;
    return box->data;
}

fate_value fate__own_box_value(void *data)
{
    struct fate__box *box = fate_container_of(data, struct fate__box, data);

    box->node.head.refs++;
    return fate__of(&fate__type_box, box);
}

void fate__own_box_free(void *data)
{
    fate__free(fate_container_of(data, struct fate__box, data));
}

void *fate__own_box_data(const fate_value *v)
{
    struct fate__box *box = fate_kind_of(v) == FATE_KIND_BOX ? v->as.p : NULL;

    return box && box->node.head.kind == FATE__OWN_BOX ? box->data : NULL;
}

/* ---- Reading ---- */

/* C says "struct T" where C++ and a typedef say "T". */
static const char *without_tag(const char *name)
{
    static const char *const tags[] = { "struct ", "union ", "enum " };

    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (strncmp(name, tags[i], strlen(tags[i])) == 0)
            return name + strlen(tags[i]);
    return name;
}

static bool is_same_name(const char *a, const char *b)
{
    return a == b || strcmp(without_tag(a), without_tag(b)) == 0;
}

bool fate_is_box_named(const char *name, const fate_value *v)
{
    if (!v || fate_kind_of(v) != FATE_KIND_BOX)
        return false;
    return is_same_name(((const struct fate__box *)v->as.p)->name, name);
}

static _Noreturn void stop_other_type(const char *name, const fate_value *v, const char *site)
{
    char wanted[160];

    if (v && fate_kind_of(v) == FATE_KIND_BOX)
        fate__stop(site,
                   "fate_unbox: the value is a box of %s, not of %s. A box is opened as the type that it was "
                   "made of; "
                   "ask fate_is_box where it may be another.",
                   ((const struct fate__box *)v->as.p)->name, name);
    snprintf(wanted, sizeof wanted, "a box of %s", name);
    fate__stop_wrong_kind("fate_unbox", v, wanted, "Ask fate_is_box first.", site);
}

void *fate_box_data(const char *name, const fate_value *v, const char *site)
{
    if (fate__unlikely(!fate_is_box_named(name, v)))
        stop_other_type(name, v, site);
    return ((struct fate__box *)v->as.p)->data;
}
