/* A coroutine from inside. */
#ifndef FATE_SRC_CORO_CORO_H
#define FATE_SRC_CORO_CORO_H

#include <coro/stack.h>
#include <coro/switch.h>
#include <coro/tools.h>
#include <deferred/deferred.h>
#include <fate/coro.h>

#define FATE__CORO_NAME_BYTES 40

/* What a reactor keeps for its coroutines, made with the first. */
struct fate__coros {
    struct fate__owned owned;
    const struct fate__switcher *switcher;
    struct fate__stacks stacks;
    fate_coro *current; /* whose stack is in use; NULL: the reactor's */
    struct fate__link all;
    fate_coro *unused; /* those of the common size that have ended, last in first out, linked by starter */
};

/* To be called when the body has ended. */
struct fate__exit {
    struct fate__exit *next;
    fate_action *action;
    fate_value arg;
};

/* It lies at the top of its own stack, on the page that is in use anyway; what every switch looks at comes
 * first, beside the first frames. */
struct fate_coro {
    fate__context hub; /* first, for the assembly: where whoever resumed it goes on */
    fate__context context;
    struct fate__coros *coros;
    fate_deferred *d;         /* NULL: it is not in use.  From here on all is cleared for a new use. */
    fate_coro *starts;        /* a coroutine to start */
    fate_coro *starter;       /* and who started it, which goes on when it waits or has ended */
    fate_deferred *run_first; /* what it awaits can run now */
    const char *await_site;   /* where it waits */
    /* What the body wants of the reactor's stack, when it is not for waiting that it has left its own. */
    void (*request)(void *arg);
    void *request_arg;
    fate_value value;   /* given to the body when it goes on, and by it when it ends */
    bool is_cancelling; /* its deferred fires only when that is over (R262) */
    bool has_ended;
    bool is_running_awaited;  /* what it awaits runs because of that, and */
    bool has_value;           /* the value has come meanwhile */
    unsigned n_awaits_at_end; /* while the reactor was being freed */
    fate_deferred *cancel_above;
    struct fate__exit *exits;
    fate_coroutine *body;
    fate_value arg;
    const char *site;
    bool is_at_end; /* its context is at the end of a body, where the next begins.  From here on all is kept.
                     */
    struct fate__stack_memory stack;
    struct fate__link link;
    struct fate__fiber fiber, hub_fiber;
    const char *given_name;
    char name[FATE__CORO_NAME_BYTES]; /* once somebody has asked for it */
};

/* Stops the program unless co is the one that runs. */
void fate__check_running(const fate_coro *co, const char *what, const char *site);

/* segv.c: names the coroutine whose stack has overflowed, where SIGSEGV is nobody else's. */
void fate__watch_overflows(void);
/* As often, in the same thread: with the last the thread's stack for the handler goes. */
void fate__unwatch_overflows(void);
/* Whose stack this thread uses.  initial-exec: one instruction to reach, also in a shared library. */
#define FATE__NEAR __attribute__((tls_model("initial-exec")))
extern _Thread_local fate_coro *fate__running FATE__NEAR;

#endif
