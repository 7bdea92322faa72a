/* A hash table of members that carry their own link, looked up by an address. */
#ifndef FATE_SRC_BASE_TABLE_H
#define FATE_SRC_BASE_TABLE_H

#include <fate/base.h>

struct fate__entry {
    struct fate__entry *next;
    const void *key;
};

/* Zeroed is empty.  Several entries may have the same key. */
struct fate__table {
    struct fate__entry **buckets;
    size_t n_buckets, n; /* a power of two, or 0 */
};

/* 0 or -ENOMEM. */
int fate__table_add(struct fate__table *table, struct fate__entry *entry, const void *key);
/* An entry of that key, the newest first; NULL: none. */
struct fate__entry *fate__table_find(const struct fate__table *table, const void *key);
void fate__table_remove(struct fate__table *table, struct fate__entry *entry);
void fate__table_done(struct fate__table *table);

#endif
