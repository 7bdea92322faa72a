/* Dicts: text keys in order of insertion.
 *
 * A small one is searched from the first key to the last.  A bigger one has an index beside its entries,
 * open addressing with the number of an entry in each slot.  Keys may come from a peer, so the hash is a
 * keyed one. */
#include <value/object.h>

#include <errno.h>
#include <string.h>

#include <base/alloc.h>
#include <base/hash.h>

#define SMALL_MAX   8
#define ENTRIES_MAX ((size_t)UINT32_MAX / 4)

static struct fate__dict *dict_in(const char *what, const fate_value *v)
{
    fate__need_kind(what, v, FATE_KIND_DICT, "a dict");
    return v->as.p;
}

static void need_key(const char *what, const char *key)
{
    if (fate__unlikely(!key))
        fate__stop(NULL, "%s: the key is NULL. A dict's keys are texts.", what);
}

/* ---- The index ---- */

static void put_into_index(struct fate__dict *dict, size_t number)
{
    size_t mask = dict->slots - 1;
    size_t at = (size_t)dict->entries[number].hash & mask;

    while (dict->index[at])
        at = (at + 1) & mask;
    dict->index[at] = (uint32_t)number + 1;
}

static void fill_index(struct fate__dict *dict)
{
    memset(dict->index, 0, dict->slots * sizeof *dict->index);
    for (size_t i = 0; i < dict->n; i++)
        put_into_index(dict, i);
}

/* An index with at least twice as many slots as there is room for entries. */
static bool make_index(struct fate__dict *dict)
{
    size_t slots = dict->slots ? dict->slots : 16;
    while (slots < dict->room * 2)
        slots *= 2;
    uint32_t *index = fate__alloc(slots * sizeof *index);
    if (!index)
        return false;
    if (!dict->index)
        for (size_t i = 0; i < dict->n; i++)
            dict->entries[i].hash = fate__hash(dict->entries[i].key, strlen(dict->entries[i].key));
    fate__free(dict->index);
    dict->index = index;
    dict->slots = slots;
    fill_index(dict);
    return true;
}

static struct fate__entry *find_by_index(const struct fate__dict *dict, const char *key)
{
    size_t mask = dict->slots - 1;
    uint64_t hash = fate__hash(key, strlen(key));

    for (size_t at = (size_t)hash & mask; dict->index[at]; at = (at + 1) & mask) {
        struct fate__entry *entry = &dict->entries[dict->index[at] - 1];
        if (entry->hash == hash && strcmp(entry->key, key) == 0)
            return entry;
    }
    return NULL;
}

static struct fate__entry *find(const struct fate__dict *dict, const char *key)
{
    if (dict->index)
        return find_by_index(dict, key);
    for (size_t i = 0; i < dict->n; i++)
        if (strcmp(dict->entries[i].key, key) == 0)
            return &dict->entries[i];
    return NULL;
}

/* ---- Making ---- */

fate_value fate_dict(void)
{
    struct fate__dict *dict = fate__zalloc(sizeof *dict);
    if (!dict)
        return fate__no_memory();
    fate__count_first(&dict->node.head, FATE_KIND_DICT);
    return fate__of(&fate__type_dict, dict);
}

fate_value fate_dict_from(size_t n, const fate_pair *pairs)
{
    fate_value dict = fate_dict();
    int error = 0;

    for (size_t i = 0; i < n; i++) {
        int set = fate_dict_set(&dict, pairs[i].key, pairs[i].value);
        error = error ? error : set;
    }
    if (!error)
        return dict;
    fate_drop(dict);
    return fate__no_memory();
}

fate_value fate_dict_past_first(size_t n, const fate_pair *pairs)
{
    return n > 1 ? fate_dict_from(n - 1, pairs + 1) : fate_dict();
}

void fate__dict_free(struct fate__dict *dict)
{
    for (size_t i = 0; i < dict->n; i++)
        fate__free(dict->entries[i].key);
    fate__free(dict->entries);
    fate__free(dict->index);
    fate__free(dict);
}

/* ---- Changing ---- */

static bool make_room(struct fate__dict *dict)
{
    if (dict->n == dict->room) {
        if (dict->room >= ENTRIES_MAX)
            return false;
        size_t room = dict->room ? dict->room * 2 : 4;
        struct fate__entry *entries = fate__realloc(dict->entries, room * sizeof *entries);
        if (!entries)
            return false;
        dict->entries = entries;
        dict->room = room;
    }
    bool has_index = dict->n < SMALL_MAX || (dict->index && dict->slots >= dict->n * 2 + 2);
    return has_index || make_index(dict);
}

/* Everything that may fail comes before the first change that shows. */
static int add_entry(struct fate__dict *dict, const char *key, fate_value item)
{
    size_t len = strlen(key);
    char *copy = make_room(dict) ? fate__alloc(len + 1) : NULL;
    if (!copy)
        return -ENOMEM;
    memcpy(copy, key, len + 1);

    struct fate__entry *entry = &dict->entries[dict->n];
    *entry = (struct fate__entry){ .key = copy, .value = item };
    if (dict->index) {
        entry->hash = fate__hash(copy, len);
        put_into_index(dict, dict->n);
    }
    dict->n++;
    return 0;
}

int fate_dict_set(fate_value *dict, const char *key, fate_value item)
{
    fate__check_given(&item, "fate_dict_set", NULL);
    need_key("fate_dict_set", key);
    if (fate__is_no_memory(dict) || fate__is_no_memory(&item)) {
        fate_drop(item);
        return -ENOMEM;
    }
    struct fate__dict *d = dict_in("fate_dict_set", dict);
    fate__need_unshared("fate_dict_set", dict);

    struct fate__entry *entry = find(d, key);
    if (entry) {
        fate_value before = entry->value;
        entry->value = item;
        fate_drop(before);
        return 0;
    }
    int error = add_entry(d, key, item);
    if (error)
        fate_drop(item);
    return error;
}

/* Takes an entry out and returns its value; those behind it move up, and the index is made anew. */
static fate_value take_entry(struct fate__dict *dict, struct fate__entry *entry)
{
    size_t behind = (size_t)(dict->entries + dict->n - entry) - 1;
    fate_value value = entry->value;

    fate__free(entry->key);
    memmove(entry, entry + 1, behind * sizeof *entry);
    dict->n--;
    if (dict->index)
        fill_index(dict);
    return value;
}

int fate_dict_remove(fate_value *dict, const char *key)
{
    need_key("fate_dict_remove", key);
    if (fate__is_no_memory(dict))
        return -ENOENT;
    struct fate__dict *d = dict_in("fate_dict_remove", dict);
    fate__need_unshared("fate_dict_remove", dict);

    struct fate__entry *entry = find(d, key);
    if (!entry)
        return -ENOENT;
    fate_drop(take_entry(d, entry));
    return 0;
}

fate_value fate_dict_take(fate_value *dict, const char *key)
{
    struct fate__dict *d = dict_in("fate_dict_take", dict);
    need_key("fate_dict_take", key);
    struct fate__entry *entry = find(d, key);
    if (!entry)
        return fate_none();
    return fate__is_shared(dict) ? fate_copy(&entry->value) : take_entry(d, entry);
}

/* ---- Reading ---- */

const fate_value *fate_dict_get(const fate_value *dict, const char *key)
{
    const struct fate__dict *d = dict_in("fate_dict_get", dict);
    need_key("fate_dict_get", key);
    const struct fate__entry *entry = find(d, key);
    return entry ? &entry->value : NULL;
}

static const struct fate__entry *entry_at(const char *what, const fate_value *dict, size_t i)
{
    const struct fate__dict *d = dict_in(what, dict);
    if (fate__unlikely(i >= d->n))
        fate__stop(NULL, "%s: there is no item %zu in a dict of %zu. Ask fate_count first.", what, i, d->n);
    return &d->entries[i];
}

const char *fate_dict_key(const fate_value *dict, size_t i)
{
    return entry_at("fate_dict_key", dict, i)->key;
}

const fate_value *fate_dict_at(const fate_value *dict, size_t i)
{
    return &entry_at("fate_dict_at", dict, i)->value;
}
