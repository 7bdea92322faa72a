/* Call sites of C++ programs.
 *
 * A C macro makes a call site of its arguments at compile time; an inline C++ function cannot, so it
 * asks here with what the compiler tells it.  The texts live in static memory, since they may never go,
 * and are found by the addresses of their parts.  A slot is written once, by compare and swap, so readers
 * need no lock.  A place that no longer fits is told by its file alone. */
#include <base/site.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <base/hash.h>

#define PLACES      4096 /* a power of two */
#define PLACES_USED 3072 /* beyond that, searching would take long */
#define ARENA_BYTES ((size_t)(256 * 1024))
#define NO_LINE     -1 /* of a text that is kept as it is */

struct place {
    int line;
    size_t function_len, file_len;
    char text[]; /* "function file:line", "file:line", or a file alone */
};

static _Atomic(const struct place *) places[PLACES];
static atomic_size_t n_places;
static _Alignas(16) unsigned char arena[ARENA_BYTES];
static atomic_size_t arena_used;

/* What the caller asked for. */
struct wanted {
    const char *file, *function;
    int line;
    size_t function_len, file_len;
    size_t hash;
};

/* Of the addresses, which is quick. */
static size_t hash_of_place(const struct wanted *w)
{
    uint64_t hash = (uint64_t)(uintptr_t)w->file * 31 + (uint64_t)(uintptr_t)w->function;
    hash = (hash * 31 + (uint64_t)w->line) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash >> 40);
}

/* By content and not by address: a plugin's literals may have gone, and another's have come in their
 * place. */
static bool is_wanted(const struct place *place, const struct wanted *w)
{
    if (place->line != w->line || place->function_len != w->function_len || place->file_len != w->file_len)
        return false;
    const char *file = place->text + (w->function_len ? w->function_len + 1 : 0);
    return memcmp(place->text, w->function, w->function_len) == 0 && memcmp(file, w->file, w->file_len) == 0;
}

static const struct place *find_anywhere(const struct wanted *w)
{
    for (size_t i = 0; i < PLACES; i++) {
        const struct place *place = atomic_load_explicit(&places[i], memory_order_acquire);
        if (place && is_wanted(place, w))
            return place;
    }
    return NULL;
}

static const struct place *make_place(const struct wanted *w)
{
    size_t text_room = w->function_len + w->file_len + 16;
    size_t bytes = (sizeof(struct place) + text_room + 15) & ~(size_t)15;
    if (bytes > ARENA_BYTES / 8 || atomic_load(&arena_used) > ARENA_BYTES - bytes)
        return NULL;
    size_t at = atomic_fetch_add(&arena_used, bytes);
    if (at > ARENA_BYTES - bytes)
        return NULL;

    struct place *place = (struct place *)(void *)(arena + at);
    place->line = w->line;
    place->function_len = w->function_len;
    place->file_len = w->file_len;
    if (w->line == NO_LINE)
        memcpy(place->text, w->file, w->file_len + 1);
    else
        snprintf(place->text, text_room, "%s%s%s:%d", w->function, w->function_len ? " " : "", w->file,
                 w->line);
    return place;
}

/* The same place may come under other addresses, from a header that several files include; it shares the
 * text. */
static const struct place *place_for(const struct wanted *w)
{
    const struct place *place = find_anywhere(w);
    return place ? place : make_place(w);
}

/* A free slot takes the place; false: another thread has just taken the slot. */
static bool fill_slot(size_t i, const struct place *mine)
{
    const struct place *none = NULL;

    if (!atomic_compare_exchange_strong(&places[i], &none, mine))
        return false;
    atomic_fetch_add_explicit(&n_places, 1, memory_order_relaxed);
    return true;
}

/* NULL: there is no room. */
static const char *look_up(const struct wanted *w)
{
    const struct place *mine = NULL;

    for (size_t i = w->hash % PLACES;; i = (i + 1) % PLACES) {
        const struct place *there = atomic_load_explicit(&places[i], memory_order_acquire);
        if (!there) {
            bool is_full = atomic_load_explicit(&n_places, memory_order_relaxed) >= PLACES_USED;
            mine = mine || is_full ? mine : place_for(w);
            if (!mine || fill_slot(i, mine))
                return mine ? mine->text : NULL;
            there = atomic_load_explicit(&places[i], memory_order_acquire);
        }
        if (is_wanted(there, w))
            return there->text;
    }
}

const char *fate_site(const char *file, int line, const char *function)
{
    struct wanted w = { .file = file, .function = function ? function : "", .line = line };

    w.function_len = strlen(w.function);
    w.file_len = strlen(file);
    w.hash = hash_of_place(&w);
    const char *site = look_up(&w);
    return site ? site : file;
}

const char *fate__keep_text(const char *text)
{
    struct wanted w = { .file = text, .function = "", .line = NO_LINE, .file_len = strlen(text) };

    w.hash = (size_t)fate__hash(text, w.file_len);
    return look_up(&w);
}
