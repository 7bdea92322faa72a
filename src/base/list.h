/* Doubly linked lists whose links lie in their members. */
#ifndef FATE_SRC_BASE_LIST_H
#define FATE_SRC_BASE_LIST_H

#include <fate/base.h>

/* A member's link, and a list's head: an empty list points to itself. */
struct fate__link {
    struct fate__link *next, *prev;
};

static inline void fate__list_init(struct fate__link *list)
{
    list->next = list->prev = list;
}

static inline bool fate__list_is_empty(const struct fate__link *list)
{
    return list->next == list;
}

static inline void fate__list_add_last(struct fate__link *list, struct fate__link *link)
{
    link->next = list;
    link->prev = list->prev;
    list->prev->next = link;
    list->prev = link;
}

static inline void fate__list_add_first(struct fate__link *list, struct fate__link *link)
{
    fate__list_add_last(list->next, link);
}

static inline void fate__list_remove(struct fate__link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->next = link->prev = link;
}

/* Is a member in a list?  One that is zeroed has not been in any. */
static inline bool fate__is_linked(const struct fate__link *link)
{
    return link->next && link->next != link;
}

#endif
