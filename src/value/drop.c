/* Dropping.
 *
 * An object whose last reference has gone is put on a list of dead ones, through its own head, and taken
 * apart from there; what it held joins that list.  So values nested to any depth need one frame of the
 * stack.
 *
 * A box's drop function is user code.  It may drop values itself, and these go at once, since what the
 * function does next may count on it.  Boxes in boxes would thus still need a stack as deep as their
 * nesting: beyond a certain depth, what such a function drops is put off until a frame below has time for
 * it. */
#include <value/failure.h>

#include <base/alloc.h>

#define DEPTH_MAX 50

/* How deep this thread is in drop functions, and what they have put off. */
static _Thread_local struct {
    unsigned depth;
    struct fate__node *put_off;
} now;

static inline void drop_onto(struct fate__node **dead, fate_value v)
{
    if (!v.type || !v.type->is_counted)
        return;
    if (v.type->kind == FATE_KIND_DEFERRED) {
        fate__held->release(v.as.p);
        return;
    }
    if (!fate__give_up(v.as.p))
        return;
    if (v.type->kind == FATE_KIND_TEXT || v.type->kind == FATE_KIND_BYTES) {
        fate__free(v.as.p);
        return;
    }
    struct fate__node *node = v.as.p;
    if (node->head.kind == FATE__OWN_BOX) { /* at once: there may be values of it again later */
        struct fate__box *box = v.as.p;
        box->drop(box->data);
        return;
    }
    node->next = *dead;
    *dead = node;
}

/* Backwards, since the list of the dead is last in first out: so the first item goes first. */
static void take_list_apart(struct fate__list *list, struct fate__node **dead)
{
    for (size_t i = list->n; i-- > 0;)
        drop_onto(dead, list->items[i]);
    fate__list_free(list);
}

static void take_dict_apart(struct fate__dict *dict, struct fate__node **dead)
{
    for (size_t i = dict->n; i-- > 0;)
        drop_onto(dead, dict->entries[i].value);
    fate__dict_free(dict);
}

static void take_failure_apart(struct fate__failure *failure, struct fate__node **dead)
{
    drop_onto(dead, failure->cause);
    drop_onto(dead, failure->payload);
    fate__free(failure);
}

static void take_box_apart(struct fate__box *box)
{
    if (box->drop) {
        now.depth++;
        box->drop(box->data);
        now.depth--;
    }
    fate__free(box);
}

static void take_apart(struct fate__node *node, struct fate__node **dead)
{
    switch (node->head.kind) {
    case FATE_KIND_LIST:
        take_list_apart((struct fate__list *)node, dead);
        break;
    case FATE_KIND_DICT:
        take_dict_apart((struct fate__dict *)node, dead);
        break;
    case FATE_KIND_FAILURE:
        take_failure_apart((struct fate__failure *)node, dead);
        break;
    default:
        fate__assert(node->head.kind == FATE_KIND_BOX);
        take_box_apart((struct fate__box *)node);
    }
}

static struct fate__node *next_dead(struct fate__node **dead)
{
    struct fate__node **from = *dead ? dead : &now.put_off;
    struct fate__node *node = *from;
    if (node)
        *from = node->next;
    return node;
}

static fate__apart void bury(struct fate__node *dead)
{
    if (now.depth >= DEPTH_MAX) {
        while (dead) {
            struct fate__node *node = dead;
            dead = node->next;
            node->next = now.put_off;
            now.put_off = node;
        }
        return;
    }
    for (struct fate__node *node = next_dead(&dead); node; node = next_dead(&dead))
        take_apart(node, &dead);
}

void fate_drop(fate_value v)
{
    struct fate__node *dead = NULL;

    if (fate__is_simple(&v))
        return;
    fate__check_given(&v, "fate_drop", NULL);
    drop_onto(&dead, v);
    if (dead)
        bury(dead);
}
