/* The addresses of a name. */
#include <net/resolve.h>

#include <string.h>
#include <sys/socket.h>

#include <base/alloc.h>
#include <value/value.h>

static bool has(const struct fate__addresses *addresses, const fate_address *address)
{
    for (size_t i = 0; i < addresses->n; i++)
        if (fate_address_equal(&addresses->items[i], address))
            return true;
    return false;
}

static bool grow(struct fate__addresses *addresses)
{
    size_t room = addresses->room ? 2 * addresses->room : 4;
    fate_address *items = fate__realloc(addresses->items, room * sizeof *items);

    if (!items) {
        addresses->has_failed = true;
        return false;
    }
    addresses->items = items;
    addresses->room = room;
    return true;
}

void fate__addresses_add(struct fate__addresses *addresses, const fate_address *address)
{
    if (addresses->n == FATE__ADDRESSES_MAX || has(addresses, address))
        return;
    if (addresses->n == addresses->room && !grow(addresses))
        return;
    addresses->items[addresses->n++] = *address;
}

/* The next of that family, or of all others, from i on. */
static size_t next_of(const struct fate__addresses *addresses, size_t i, int family, bool is_of_it)
{
    while (i < addresses->n && (addresses->items[i].family == family) != is_of_it)
        i++;
    return i;
}

void fate__addresses_alternate(struct fate__addresses *addresses)
{
    fate_address mixed[FATE__ADDRESSES_MAX];
    size_t n = addresses->n;

    if (n < 2)
        return;
    int family = addresses->items[0].family;
    size_t first = 0, second = next_of(addresses, 0, family, false);
    for (size_t i = 0; i < n; i++) {
        bool takes_first = second == n || (first < n && i % 2 == 0);
        mixed[i] = addresses->items[takes_first ? first : second];
        if (takes_first)
            first = next_of(addresses, first + 1, family, true);
        else
            second = next_of(addresses, second + 1, family, false);
    }
    memcpy(addresses->items, mixed, n * sizeof *mixed);
}

fate_value fate__addresses_list(const struct fate__addresses *addresses)
{
    if (addresses->has_failed)
        return fate__no_memory();
    fate_value list = fate_list(0, NULL);
    for (size_t i = 0; i < addresses->n && !fate_is_failure(&list); i++) {
        const fate_address *address = &addresses->items[i];
        fate_value box = fate_box_new("fate_address", sizeof *address, address, NULL);
        if (fate_list_append(&list, box) < 0) {
            fate_drop(list);
            list = fate__no_memory();
        }
    }
    return list;
}

void fate__addresses_done(struct fate__addresses *addresses)
{
    fate__free(addresses->items);
    *addresses = (struct fate__addresses){ 0 };
}
