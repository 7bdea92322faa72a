/* Cooperators and their tasks from inside: cooperate.c says whose turn it is, task.c what one step does. */
#ifndef FATE_SRC_REACTOR_COOPERATE_H
#define FATE_SRC_REACTOR_COOPERATE_H

#include <base/list.h>
#include <fate/cooperate.h>
#include <reactor/reactor.h>

struct fate_cooperator {
    struct fate__owned owned;
    struct fate__link tasks; /* all that are not over, in order of adding */
    struct fate__link ready; /* those that can make a step, in order of their turns */
    fate_timer tick;
    fate_time slice;
    uint64_t n_ticks;
    const char *site;
    bool is_started, is_stopped, is_ticking;
    bool is_freed;   /* goes when it is no more busy */
    unsigned n_busy; /* how many frames of it are below */
};

/* It lives as long as its deferred, as the call of a step, and as the level on what that followed: so long
 * handles and levels may look at it, though it be over. */
struct fate__task {
    struct fate__entry entry; /* in the reactor's table, by id */
    int64_t id;
    fate_cooperator *cooperator; /* NULL: it is over */
    struct fate__link in_tasks, in_ready;
    fate_function *step;
    fate_value arg;
    const char *site;
    fate_deferred *d;       /* fires when it is over */
    fate_deferred *awaited; /* what its step followed */
    size_t n_pauses;        /* of the user's */
    size_t n_holds, n_users;
    uint64_t joined; /* its cooperator's n_ticks when it became ready */
    int ended;       /* how, as pause and stop say it; 0: it is not over */
    bool is_stepping, is_waiting;
    bool is_coiterated; /* its deferred is the user's */
};

/* ---- cooperate.c ---- */

/* Sees to it that there is a tick for a task that is to become ready.  0, or -errno of fate_call_later. */
int fate__plan_tick(fate_cooperator *cooperator, fate_time delay);
/* It is ready: its turn comes after those of all others. */
void fate__task_join(struct fate__task *task);
void fate__task_leave(struct fate__task *task);

/* ---- task.c ---- */

/* Makes a task of that cooperator, which does not know it yet.  NULL: no memory, and arg is not taken. */
struct fate__task *fate__task_new(fate_cooperator *cooperator, fate_function *step, fate_value arg,
                                  const char *site);
/* The handle to a task; task NULL: one that was not made, because of that. */
fate_task fate__task_handle(fate_reactor *reactor, const struct fate__task *task, int why);
/* The task is over in v.  Returns its deferred when that is to run now. */
fate_deferred *fate__task_end(struct fate__task *task, int how, fate_value v);
/* The same for one that was stopped: whoever did that knows, so that nobody else need be told. */
void fate__task_stopped(struct fate__task *task, int how, fate_value why);
/* Makes a step of one that is ready and not in line any more. */
void fate__task_step(struct fate__task *task);

#endif
