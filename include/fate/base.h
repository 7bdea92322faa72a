/* What every header of libfate needs: visibility, call sites, time, memory. */
#ifndef FATE_BASE_H
#define FATE_BASE_H

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define FATE_BEGIN extern "C" {
#define FATE_END   }
#else
#define FATE_BEGIN
#define FATE_END
#endif

#define FATE_API                __attribute__((visibility("default")))
#define FATE_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/* The line of the call, as the one literal that each macro hands on: "client.c:6". */
#define FATE_TEXT_OF(x)   #x
#define FATE_LINE_TEXT(x) FATE_TEXT_OF(x)
#define FATE_HERE         __FILE__ ":" FATE_LINE_TEXT(__LINE__)

/* An options struct whose size the macro fills; behind each f_with(…, .field = value).  Whoever makes one
 * without it, in C++ say, sets size to sizeof the struct: one of size 0 stops the program. */
#define FATE_WITH(T, ...)                                                                                    \
    &(T)                                                                                                     \
    {                                                                                                        \
        .size = sizeof(T), __VA_ARGS__                                                                       \
    }

/* In place of a number of things at most: any number. */
#define FATE_UNLIMITED SIZE_MAX

/* The struct around a member, given the member's address. */
#define fate_container_of(p, T, member) ((T *)(void *)((char *)(p)-offsetof(T, member)))

/* Time is signed nanoseconds, on the reactor's clock unless said otherwise. */
typedef int64_t fate_time;
#define FATE_MICROSECOND ((fate_time)1000)
#define FATE_MILLISECOND ((fate_time)1000000)
#define FATE_SECOND      ((fate_time)1000000000)
#define FATE_NEVER       INT64_MAX

FATE_BEGIN

/* Seconds as a fate_time, rounded to the nearest nanosecond.  What lies beyond 292 years is FATE_NEVER (or
 * -FATE_NEVER); what is not a number is FATE_NEVER. */
FATE_API fate_time fate_seconds(double seconds);

/* The call site of a C++ program: a text that lives as long as the process, the same for the same place.
 * C programs never need it, since their macros make a literal.  Any thread. */
FATE_API const char *fate_site(const char *file, int line, const char *function);

/* Where libfate gets its memory.  All three get `user`.  `resize` and `release` accept NULL; blocks are
 * aligned as malloc's are. */
typedef struct fate_allocator {
    void *(*obtain)(size_t bytes, void *user);
    void *(*resize)(void *block, size_t bytes, void *user);
    void (*release)(void *block, void *user);
    void *user;
} fate_allocator;

/* Sets the allocator of the whole process; NULL means malloc again.  Call it before anything else of libfate
 * and from one thread: blocks are given back to the allocator that is set then. */
FATE_API void fate_set_allocator(const fate_allocator *allocator);

/* The library's version, "0.1.0". */
FATE_API const char *fate_version(void);

FATE_END

#endif
