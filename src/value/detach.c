/* Making values fit for another thread.
 *
 * Containers must be unshared, so each is met once: those still to be looked through wait on a list that
 * is linked through their heads, and no depth of nesting needs stack or memory. */
#include <value/failure.h>

#include <errno.h>

/* A copy that this thread has no part in. */
static int detach_string(fate_value *v)
{
    const struct fate__string *string = v->as.p;
    if (!fate__is_shared(v))
        return 0;
    fate_value copy = fate_kind_of(v) == FATE_KIND_TEXT ? fate_str_n(string->bytes, string->len)
                                                        : fate_bytes(string->bytes, string->len);
    if (fate__is_no_memory(&copy))
        return -ENOMEM;
    fate_drop(fate_take(v));
    *v = copy;
    return 0;
}

static int detach_node(fate_value *v, struct fate__node **todo)
{
    struct fate__node *node = v->as.p;

    if (node->head.refs < 0)
        return 0;
    if (fate__is_shared(v))
        return -EBUSY;
    node->next = *todo;
    *todo = node;
    return 0;
}

static int detach_one(fate_value *v, struct fate__node **todo)
{
    if (!v->type)
        return 0;
    if (v->type->kind == FATE_KIND_DEFERRED || v->type->kind == FATE_KIND_FOLLOW)
        return -EINVAL;
    if (!v->type->is_counted)
        return 0;
    v->type = v->type->plain;
    if (v->type->kind == FATE_KIND_TEXT || v->type->kind == FATE_KIND_BYTES)
        return detach_string(v);
    return detach_node(v, todo);
}

static int detach_list(struct fate__list *list, struct fate__node **todo)
{
    int error = 0;
    for (size_t i = 0; i < list->n && !error; i++)
        error = detach_one(&list->items[i], todo);
    return error;
}

static int detach_dict(struct fate__dict *dict, struct fate__node **todo)
{
    int error = 0;
    for (size_t i = 0; i < dict->n && !error; i++)
        error = detach_one(&dict->entries[i].value, todo);
    return error;
}

static int detach_failure(struct fate__failure *failure, struct fate__node **todo)
{
    int error = detach_one(&failure->payload, todo);
    return error ? error : detach_one(&failure->cause, todo);
}

/* A box's inside cannot be seen. */
static int detach_inside(struct fate__node *node, struct fate__node **todo)
{
    switch (node->head.kind) {
    case FATE_KIND_LIST:
        return detach_list((struct fate__list *)node, todo);
    case FATE_KIND_DICT:
        return detach_dict((struct fate__dict *)node, todo);
    case FATE_KIND_FAILURE:
        return detach_failure((struct fate__failure *)node, todo);
    default:
        return 0;
    }
}

int fate_detach(fate_value *v)
{
    struct fate__node *todo = NULL;
    int error = detach_one(v, &todo);

    while (todo && !error) {
        struct fate__node *node = todo;
        todo = node->next;
        error = detach_inside(node, &todo);
    }
    return error;
}
