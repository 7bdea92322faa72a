/* Where timers lie: places of 1,024, which stay until the reactor goes. */
#include <reactor/wheel.h>

#include <base/alloc.h>

/* One allocation that holds some places; its head lies wherever the allocator put it. */
struct fate__timer_region {
    struct fate__timer_region *next;
    struct fate__timer_place *places; /* the first, at the beginning of a cache line */
    uint32_t n_places, room;          /* opened, and in all */
};

#define CACHE_LINE  ((size_t)64)
#define AT_ONCE_MAX 64u
#define PLACES_MAX  (UINT32_MAX / FATE__PLACE)

static bool add_region(struct fate__timers *timers)
{
    uint32_t room = timers->regions ? 2 * timers->regions->room : 1;

    if (room > AT_ONCE_MAX)
        room = AT_ONCE_MAX;
    struct fate__timer_region *region =
        fate__alloc(sizeof *region + CACHE_LINE + room * sizeof(struct fate__timer_place));
    if (!region)
        return false;
    uintptr_t first = ((uintptr_t)(region + 1) + CACHE_LINE - 1) & ~(uintptr_t)(CACHE_LINE - 1);
    *region = (struct fate__timer_region){ timers->regions, (struct fate__timer_place *)first, 0, room };
    timers->regions = region;
    return true;
}

static bool make_room(struct fate__timers *timers)
{
    if (timers->n_places < timers->room)
        return true;
    size_t room = timers->room ? 2 * (size_t)timers->room : 8;
    struct fate__timer_place **places = fate__realloc(timers->places, room * sizeof *places);
    if (!places)
        return false;
    timers->places = places;
    struct fate__timer_free *of_each = fate__realloc(timers->free, room * sizeof *of_each);
    if (!of_each)
        return false;
    timers->free = of_each;
    timers->room = (uint32_t)room;
    if (timers->n_places == 0)
        places[timers->n_places++] = (struct fate__timer_place *)(void *)timers->heads;
    return true;
}

/* The timers of one more place become the fresh ones. */
static bool open_place(struct fate__timers *timers)
{
    if (timers->n_places == PLACES_MAX || !make_room(timers))
        return false;
    bool is_full = !timers->regions || timers->regions->n_places == timers->regions->room;
    if (is_full && !add_region(timers))
        return false;
    uint32_t place = timers->n_places++;
    timers->places[place] = &timers->regions->places[timers->regions->n_places++];
    timers->free[place] = (struct fate__timer_free){ .words = 0 };
    timers->fresh = place * FATE__PLACE;
    timers->fresh_end = timers->fresh + FATE__PLACE;
    return true;
}

uint32_t fate__timer_take_fresh(struct fate__timers *timers)
{
    if (timers->is_counted && fate__on_block && !fate__on_block())
        return 0;
    if (timers->fresh == timers->fresh_end && !open_place(timers))
        return 0;
    uint32_t link = timers->fresh++;
    fate__timer_at(timers, link)->tag = 0;
    return link;
}

void fate__timers_free_memory(struct fate__timers *timers)
{
    while (timers->regions) {
        struct fate__timer_region *region = timers->regions;
        timers->regions = region->next;
        fate__free(region);
    }
    fate__free(timers->places);
    fate__free(timers->free);
}
