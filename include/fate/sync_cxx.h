/* Lock, semaphore and queue from C++17.  Included by sync.h. */
#ifndef FATE_SYNC_CXX_H
#define FATE_SYNC_CXX_H

#include <cstddef>

#include <fate/sync.h>

inline fate_lock *fate_lock_new(fate_reactor *reactor, const char *file = __builtin_FILE(),
                                int line = __builtin_LINE())
{
    return fate_lock_new_at(reactor, fate_site(file, line, nullptr));
}

inline fate_semaphore *fate_semaphore_new(fate_reactor *reactor, std::size_t n_tokens,
                                          const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_semaphore_new_at(reactor, n_tokens, fate_site(file, line, nullptr));
}

inline fate_queue *fate_queue_new(fate_reactor *reactor, std::size_t size_max, std::size_t backlog_max,
                                  const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_queue_new_at(reactor, size_max, backlog_max, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_lock_acquire(fate_lock *lock, const char *file = __builtin_FILE(),
                                        int line = __builtin_LINE())
{
    return fate_lock_acquire_at(lock, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_lock_run(fate_lock *lock, fate_function *function, fate_value arg,
                                    const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_lock_run_at(lock, function, arg, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_semaphore_acquire(fate_semaphore *semaphore, const char *file = __builtin_FILE(),
                                             int line = __builtin_LINE())
{
    return fate_semaphore_acquire_at(semaphore, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_semaphore_run(fate_semaphore *semaphore, fate_function *function, fate_value arg,
                                         const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    return fate_semaphore_run_at(semaphore, function, arg, fate_site(file, line, nullptr));
}

inline fate_deferred *fate_queue_get(fate_queue *queue, const char *file = __builtin_FILE(),
                                     int line = __builtin_LINE())
{
    return fate_queue_get_at(queue, fate_site(file, line, nullptr));
}

#endif
