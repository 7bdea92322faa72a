/* Telling AddressSanitizer, ThreadSanitizer and valgrind which stack is which.  In other builds nothing is
 * left of it. */
#ifndef FATE_SRC_CORO_TOOLS_H
#define FATE_SRC_CORO_TOOLS_H

#include <base/slab.h>
#include <fate/base.h>

#if defined(__SANITIZE_THREAD__)
#define FATE__TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FATE__TSAN 1
#endif
#endif

#if defined(FATE_VALGRIND)
#include <valgrind/valgrind.h>
#endif

#ifdef FATE__ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef FATE__TSAN
#include <sanitizer/tsan_interface.h>
#endif

static inline void *fate__tools_new_stack(void *low, void *top)
{
#if defined(FATE_VALGRIND)
    return (void *)(uintptr_t)VALGRIND_STACK_REGISTER(low, top);
#else
    return NULL;
#endif
}

static inline void fate__tools_end_stack(void *id)
{
#if defined(FATE_VALGRIND)
    VALGRIND_STACK_DEREGISTER((unsigned)(uintptr_t)id);
#endif
}

/* Around reading what lies beyond a stack's pointer, which valgrind takes for a mistake. */
static inline void fate__tools_look_away(void)
{
#if defined(FATE_VALGRIND)
    VALGRIND_DISABLE_ERROR_REPORTING;
#endif
}

static inline void fate__tools_look_again(void)
{
#if defined(FATE_VALGRIND)
    VALGRIND_ENABLE_ERROR_REPORTING;
#endif
}

/* What the sanitizers keep of a stack that does not run. */
struct fate__fiber {
#if defined(FATE__ASAN) || defined(FATE__TSAN)
    void *fake_stack; /* AddressSanitizer's */
    const void *low;
    size_t bytes;
    void *fiber; /* ThreadSanitizer's */
#else
    char nothing;
#endif
};

/* May a stack whose use has ended go on with another use?  The sanitizers want a new fiber. */
static inline bool fate__fiber_may_go_on(void)
{
#if defined(FATE__ASAN) || defined(FATE__TSAN)
    return false;
#else
    return true;
#endif
}

static inline void fate__fiber_new(struct fate__fiber *fiber, const void *low, size_t bytes)
{
#if defined(FATE__ASAN) || defined(FATE__TSAN)
    *fiber = (struct fate__fiber){ NULL, low, bytes, NULL };
#endif
#ifdef FATE__TSAN
    fiber->fiber = __tsan_create_fiber(0);
#endif
}

static inline void fate__fiber_free(struct fate__fiber *fiber)
{
#ifdef FATE__TSAN
    if (fiber->fiber)
        __tsan_destroy_fiber(fiber->fiber);
#endif
}

/* Just before a switch.  is_last: from does not run again. */
static inline void fate__fiber_leave(struct fate__fiber *from, const struct fate__fiber *to, bool is_last)
{
#ifdef FATE__ASAN
    __sanitizer_start_switch_fiber(is_last ? NULL : &from->fake_stack, to->low, to->bytes);
#endif
#ifdef FATE__TSAN
    from->fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
}

/* Just after it, on the other stack.  from: where we came from, whose bounds are learnt. */
static inline void fate__fiber_arrive(struct fate__fiber *here, struct fate__fiber *from)
{
#ifdef FATE__ASAN
    __sanitizer_finish_switch_fiber(here->fake_stack, &from->low, &from->bytes);
#endif
}

#endif
