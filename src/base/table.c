/* Chained hashing by address. */
#include <base/table.h>

#include <errno.h>

#include <base/alloc.h>
#include <base/stop.h>

static size_t bucket_of(const struct fate__table *table, const void *key)
{
    uint64_t mixed = (uint64_t)(uintptr_t)key * 0x9e3779b97f4a7c15u;
    return (size_t)(mixed >> 32) & (table->n_buckets - 1);
}

static void put(struct fate__table *table, struct fate__entry *entry)
{
    struct fate__entry **bucket = &table->buckets[bucket_of(table, entry->key)];

    entry->next = *bucket;
    *bucket = entry;
}

/* Twice the buckets.  Without memory the chains just get longer, once there are buckets at all. */
static bool grow(struct fate__table *table)
{
    struct fate__table larger = { NULL, table->n_buckets ? 2 * table->n_buckets : 16, table->n };

    larger.buckets = fate__zalloc(larger.n_buckets * sizeof *larger.buckets);
    if (!larger.buckets)
        return table->n_buckets > 0;
    for (size_t i = 0; i < table->n_buckets; i++)
        while (table->buckets[i]) {
            struct fate__entry *entry = table->buckets[i];
            table->buckets[i] = entry->next;
            put(&larger, entry);
        }
    fate__free(table->buckets);
    *table = larger;
    return true;
}

int fate__table_add(struct fate__table *table, struct fate__entry *entry, const void *key)
{
    if (table->n >= table->n_buckets && !grow(table))
        return -ENOMEM;
    entry->key = key;
    put(table, entry);
    table->n++;
    return 0;
}

struct fate__entry *fate__table_find(const struct fate__table *table, const void *key)
{
    if (table->n == 0)
        return NULL;
    struct fate__entry *entry = table->buckets[bucket_of(table, key)];
    while (entry && entry->key != key)
        entry = entry->next;
    return entry;
}

void fate__table_remove(struct fate__table *table, struct fate__entry *entry)
{
    struct fate__entry **at = &table->buckets[bucket_of(table, entry->key)];

    while (*at != entry) {
        fate__assert(*at);
        at = &(*at)->next;
    }
    *at = entry->next;
    table->n--;
}

void fate__table_done(struct fate__table *table)
{
    fate__free(table->buckets);
    *table = (struct fate__table){ 0 };
}
