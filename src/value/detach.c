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

/* A list or dict of the same items. */
static fate_value copy_flat(const fate_value *container)
{
    bool is_list = fate_kind_of(container) == FATE_KIND_LIST;
    fate_value copy = is_list ? fate_list(0, NULL) : fate_dict();
    int why = 0;

    for (size_t i = 0; i < fate_count(container) && !why && !fate__is_no_memory(&copy); i++)
        why = is_list
                  ? fate_list_append(&copy, fate_copy(fate_at(container, i)))
                  : fate_dict_set(&copy, fate_dict_key(container, i), fate_copy(fate_dict_at(container, i)));
    if (!why)
        return copy;
    fate_drop(copy);
    return fate__no_memory();
}

/* The payload of a copy is shared with what it was made of. */
static int detach_payload(fate_value *payload)
{
    fate_kind kind = fate_kind_of(payload);

    if (kind != FATE_KIND_LIST && kind != FATE_KIND_DICT)
        return 0;
    fate_value copy = copy_flat(payload);
    if (fate__is_no_memory(&copy))
        return -ENOMEM;
    fate_drop(fate_take(payload));
    *payload = copy;
    return 0;
}

/* Failures are shared by the library, for each reader of a broken source say, and who waits for one cannot
 * know of that: so it is a copy that crosses. */
static int copy_failure(fate_value *v)
{
    struct fate__failure *copy = fate__failure_copy(fate__failure_in(v));

    if (!copy)
        return -ENOMEM;
    fate_drop(fate_take(v));
    *v = fate__of(&fate__type_failure, copy);
    return detach_payload(&copy->payload);
}

static int detach_node(fate_value *v, struct fate__node **todo)
{
    struct fate__node *node = v->as.p;

    if (node->head.refs < 0)
        return 0;
    if (node->head.kind == FATE__OWN_BOX) /* its owner's thread has it too */
        return -EBUSY;
    if (fate__is_shared(v)) {
        int error = node->head.kind == FATE_KIND_FAILURE ? copy_failure(v) : -EBUSY;
        if (error)
            return error;
        node = v->as.p;
    }
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
