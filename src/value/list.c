/* Lists of values. */
#include <value/object.h>

#include <errno.h>
#include <string.h>

#include <base/alloc.h>

#define ITEMS_MAX (SIZE_MAX / 2 / sizeof(fate_value) - 8)

static struct fate__list *list_in(const char *what, const fate_value *v)
{
    fate__need_kind(what, v, FATE_KIND_LIST, "a list");
    return v->as.p;
}

/* ---- Making ---- */

static bool is_any_no_memory(size_t n, const fate_value *items)
{
    for (size_t i = 0; i < n; i++)
        if (fate__is_no_memory(&items[i]))
            return true;
    return false;
}

static struct fate__list *make_list(size_t n)
{
    if (n > ITEMS_MAX)
        return NULL;
    struct fate__list *list = fate__alloc(sizeof *list + n * sizeof(fate_value));
    if (!list)
        return NULL;
    fate__count_first(&list->node.head, FATE_KIND_LIST);
    list->n = list->room = n;
    list->items = list->first_items;
    return list;
}

fate_value fate_list(size_t n, const fate_value *items)
{
    for (size_t i = 0; i < n; i++)
        fate__check_given(&items[i], "fate_list", NULL);

    struct fate__list *list = is_any_no_memory(n, items) ? NULL : make_list(n);
    if (!list) {
        for (size_t i = 0; i < n; i++)
            fate_drop(items[i]);
        return fate__no_memory();
    }
    if (n)
        memcpy(list->items, items, n * sizeof *items);
    return fate__of(&fate__type_list, list);
}

fate_value fate_list_past_first(size_t n, const fate_value *items)
{
    return n > 1 ? fate_list(n - 1, items + 1) : fate_list(0, NULL);
}

void fate__list_free(struct fate__list *list)
{
    if (list->items != list->first_items)
        fate__free(list->items);
    fate__free(list);
}

/* ---- Changing ---- */

static bool make_room(struct fate__list *list)
{
    if (list->n < list->room)
        return true;
    if (list->room > ITEMS_MAX / 2)
        return false;
    size_t room = list->room ? list->room * 2 : 4;
    bool is_first = list->items == list->first_items;
    fate_value *items = fate__realloc(is_first ? NULL : list->items, room * sizeof *items);
    if (!items)
        return false;
    if (is_first && list->n)
        memcpy(items, list->items, list->n * sizeof *items);
    list->items = items;
    list->room = room;
    return true;
}

int fate_list_append(fate_value *list, fate_value item)
{
    fate__check_given(&item, "fate_list_append", NULL);
    if (fate__is_no_memory(list) || fate__is_no_memory(&item)) {
        fate_drop(item);
        return -ENOMEM;
    }
    struct fate__list *l = list_in("fate_list_append", list);
    fate__need_unshared("fate_list_append", list);
    if (!make_room(l)) {
        fate_drop(item);
        return -ENOMEM;
    }
    l->items[l->n++] = item;
    return 0;
}

static void need_index(const char *what, const struct fate__list *list, size_t i)
{
    if (fate__unlikely(i >= list->n))
        fate__stop(NULL, "%s: there is no item %zu in a list of %zu. Ask fate_count first.", what, i,
                   list->n);
}

int fate_list_set(fate_value *list, size_t i, fate_value item)
{
    fate__check_given(&item, "fate_list_set", NULL);
    if (fate__is_no_memory(list) || fate__is_no_memory(&item)) {
        fate_drop(item);
        return -ENOMEM;
    }
    struct fate__list *l = list_in("fate_list_set", list);
    fate__need_unshared("fate_list_set", list);
    need_index("fate_list_set", l, i);

    fate_value before = l->items[i];
    l->items[i] = item;
    fate_drop(before);
    return 0;
}

/* ---- Reading and taking ---- */

const fate_value *fate_at(const fate_value *list, size_t i)
{
    const struct fate__list *l = list_in("fate_at", list);
    need_index("fate_at", l, i);
    return &l->items[i];
}

fate_value fate_take_at(fate_value *list, size_t i)
{
    struct fate__list *l = list_in("fate_take_at", list);
    need_index("fate_take_at", l, i);
    return fate__is_shared(list) ? fate_copy(&l->items[i]) : fate_take(&l->items[i]);
}

/* The one reader of lists, dicts, texts and bytes. */
size_t fate_count(const fate_value *v)
{
    const void *p;
    size_t len;

    if (fate_get_bytes(v, &p, &len))
        return len;
    if (v && fate_kind_of(v) == FATE_KIND_LIST)
        return ((const struct fate__list *)v->as.p)->n;
    if (v && fate_kind_of(v) == FATE_KIND_DICT)
        return ((const struct fate__dict *)v->as.p)->n;
    fate__stop_wrong_kind("fate_count", v, "a list, dict, text or bytes", "Ask fate_kind_of first.", NULL);
}
