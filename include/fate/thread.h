/* Threads: calls into a reactor from others, and work that is done elsewhere.
 *
 * A value that crosses must be unshared, through and through.  The check, and for immutable text and bytes
 * the copy, go through lists, dicts and failures; a box's inside cannot be seen. */
#ifndef FATE_THREAD_H
#define FATE_THREAD_H

#include <fate/reactor.h>

FATE_BEGIN

/* From any thread, the reactor's own too: action(arg) is called as an event of the reactor, in order, at the
 * beginning of its next round; a sleeping reactor wakes (R238-R241).  Not for signal handlers.  0; -ENOMEM;
 * -ESHUTDOWN once the reactor has ended: arg has been dropped then, in this thread. */
FATE_API int fate_call_from_thread_at(fate_reactor *reactor, fate_action *action, fate_value arg,
                                      const char *site);

FATE_END

#ifdef __cplusplus
#include <fate/thread_cxx.h>
#else
FATE_API int fate_call_from_thread(fate_reactor *reactor, fate_action *action, fate_value arg);
#define fate_call_from_thread(reactor, action, ...)                                                          \
    fate_call_from_thread_at(reactor, action, __VA_ARGS__, #action " " FATE_HERE)
#endif

#endif
