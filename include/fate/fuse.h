/* Fuses: Fate, the event manager of "Intro to Python Asynchronous Programming and Twisted's Deferreds", and
 * what its own could not do: several handlers on one fuse, fuses lit by anything that a deferred waits for,
 * no polling.
 *
 * The reactor is Fate: fate_fuse_new is get_fuse, fate_run is run, fate_stop (or fate_shutdown) is shutdown.
 * A fuse goes when it has burnt and its handlers have been called. */
#ifndef FATE_FUSE_H
#define FATE_FUSE_H

#include <fate/deferred.h>

FATE_BEGIN

typedef struct fate_fuse fate_fuse;

/* Burns from now, for that long; burnt, it waits for a handler.  Never NULL: one for which there is no memory
 * never burns, and takes no handler. */
FATE_API fate_fuse *fate_fuse_new_at(fate_reactor *reactor, fate_time burning_time, const char *site);
/* Burns until d fires, with a value or a failure.  It adds a level to d and passes the result on, so that a
 * failure that nobody handles is reported as usual.  Unheld, d goes at the end of that turn. */
FATE_API fate_fuse *fate_fuse_on_at(fate_deferred *d, const char *site);

/* Calls action(arg) when it has burnt; at once, in a turn of its own, if it has burnt already.  arg is
 * dropped after the call.  set: instead of all handlers there were; add: after them, in order.  0; -ENOMEM,
 * and arg has been dropped. */
FATE_API int fate_fuse_set_handler_at(fate_fuse *fuse, fate_action *action, fate_value arg, const char *site);
FATE_API int fate_fuse_add_handler_at(fate_fuse *fuse, fate_action *action, fate_value arg, const char *site);
/* Has it a handler, and has it burnt? */
FATE_API bool fate_fuse_has_handler(const fate_fuse *fuse);
FATE_API bool fate_fuse_is_burned(const fate_fuse *fuse);

FATE_END

#ifdef __cplusplus
#include <fate/fuse_cxx.h>
#else
/* The plain functions, without a line, for dlsym and other languages; the macros over them name the place. */
FATE_API fate_fuse *fate_fuse_new(fate_reactor *reactor, fate_time burning_time);
FATE_API fate_fuse *fate_fuse_on(fate_deferred *d);
FATE_API int fate_fuse_set_handler(fate_fuse *fuse, fate_action *action, fate_value arg);
FATE_API int fate_fuse_add_handler(fate_fuse *fuse, fate_action *action, fate_value arg);
#define fate_fuse_new(reactor, burning_time) fate_fuse_new_at(reactor, burning_time, FATE_HERE)
#define fate_fuse_on(d)                      fate_fuse_on_at(d, FATE_HERE)
#define fate_fuse_set_handler(fuse, action, ...)                                                             \
    fate_fuse_set_handler_at(fuse, action, __VA_ARGS__, #action " " FATE_HERE)
#define fate_fuse_add_handler(fuse, action, ...)                                                             \
    fate_fuse_add_handler_at(fuse, action, __VA_ARGS__, #action " " FATE_HERE)
#endif

#endif
