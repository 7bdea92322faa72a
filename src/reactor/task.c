/* Tasks of a cooperator: their steps, their waits, their end, and the handles to them (R216-R219). */
#include <errno.h>
#include <stdio.h>

#include <base/alloc.h>
#include <reactor/cooperate.h>

static const fate_type more_type = { "fate_more()", FATE_KIND_OBJECT, false, false, &more_type, NULL, true };

fate_value fate_more(void)
{
    return fate__object(&more_type, NULL);
}

static fate_reactor *reactor_of(const struct fate__task *task)
{
    return fate__reactor_of(task->d);
}

static void run_ended(fate_deferred *d)
{
    if (d)
        fate__run(d);
}

/* ---- Life ---- */

static void leave_users(struct fate__task *task)
{
    if (--task->n_users == 0)
        fate__free(task);
}

/* Nobody waits for it any more: finishes its own state before anybody is told (R221).  Its arg goes when no
 * step has it. */
static void detach(struct fate__task *task, int how)
{
    fate__task_leave(task);
    fate__list_remove(&task->in_tasks);
    task->cooperator = NULL;
    task->ended = how;
    if (!task->is_stepping)
        fate_drop(fate_take(&task->arg));
}

fate_deferred *fate__task_end(struct fate__task *task, int how, fate_value v)
{
    detach(task, how);
    return fate__accept(task->d, v, task->site);
}

void fate__task_stopped(struct fate__task *task, int how, fate_value why)
{
    if (!task->is_coiterated)
        task->d->flags |= FATE__ANSWERED;
    run_ended(fate__task_end(task, how, why));
}

/* Its deferred is cancelled: coiterate's by its user, any at the end of the reactor. */
static bool cancel(fate_deferred *d, void *data, const char *site)
{
    struct fate__task *task = data;

    if (task->ended)
        return true;
    detach(task, -ECANCELED);
    if (task->awaited)
        fate_cancel_at(task->awaited, site);
    return true;
}

static void gone(fate_deferred *d, void *data)
{
    struct fate__task *task = data;

    fate__table_remove(&fate__reactor_of(d)->tasks, &task->entry);
    leave_users(task);
}

static void say_which(const void *data, struct fate__waits *ret)
{
    snprintf(ret->text, sizeof ret->text, "the end of the task");
    ret->on = data;
}

static const struct fate__source task_source = { .cancel = cancel, .gone = gone, .waits = say_which };

static const void *key_of(int64_t id)
{
    return (const void *)(uintptr_t)id;
}

struct fate__task *fate__task_new(fate_cooperator *cooperator, fate_function *step, fate_value arg,
                                  const char *site)
{
    fate_reactor *reactor = fate__reactor(cooperator->owned.turns);
    bool handed = reactor->turns.handed_no_memory;
    struct fate__task *task = fate__zalloc(sizeof *task);

    if (!task)
        return NULL;
    if (fate__table_add(&reactor->tasks, &task->entry, key_of(reactor->last_task + 1)) < 0) {
        fate__free(task);
        return NULL;
    }
    task->n_users = 1;
    fate_deferred *d = fate__sourced(reactor, &task_source, task, site);
    if (fate__is_no_memory_deferred(d)) {
        reactor->turns.handed_no_memory = handed; /* the caller tells it in another way */
        return NULL;
    }
    task->id = ++reactor->last_task;
    task->d = d;
    task->cooperator = cooperator;
    task->step = step;
    task->arg = arg;
    task->site = site;
    fate__list_init(&task->in_tasks);
    fate__list_init(&task->in_ready);
    return task;
}

/* ---- Waiting for what a step followed ---- */

/* Nobody wants the result of what it waited for.  A failure stays where somebody may see it, unless it only
 * says that nobody did. */
static void leave_result(fate_deferred *awaited)
{
    if (!fate_is_failure(&awaited->result) || fate_is(&awaited->result, &FATE_CANCELLED))
        fate_drop(fate_take(&awaited->result));
}

/* It may make steps again.  Returns its deferred when that is to run now. */
static fate_deferred *go_on(struct fate__task *task)
{
    if (task->n_pauses)
        return NULL;
    if (fate__plan_tick(task->cooperator, 0) == -ENOMEM)
        return fate__task_end(task, -ENOTRECOVERABLE, fate__no_memory());
    fate__task_join(task);
    return NULL;
}

static fate_deferred *awaited_done(fate_deferred *awaited, struct fate__level *level)
{
    struct fate__task *task = level->arg.as.p;
    fate_deferred *next = NULL;

    task->awaited = NULL;
    if (task->ended) {
        leave_result(awaited);
    } else if (fate_is_failure(&awaited->result)) {
        next = fate__task_end(task, -ENOTRECOVERABLE, fate_take(&awaited->result));
    } else {
        fate_drop(fate_take(&awaited->result));
        task->is_waiting = false;
        next = task->ended ? NULL : go_on(task);
    }
    leave_users(task);
    return next;
}

/* What it waited for was abandoned.  So it is abandoned too: no callback runs for that (R92). */
static void awaited_gone(struct fate__level *level)
{
    struct fate__task *task = level->arg.as.p;

    task->awaited = NULL;
    if (!task->ended) {
        detach(task, -ESTALE);
        fate__abandon(task->d);
    }
    leave_users(task);
}

static const struct fate__native awaited_level = { "step", awaited_done, awaited_gone };

static void wait_for(struct fate__task *task, fate_deferred *d)
{
    if (d == task->d) {
        fate_value why =
            fate__raise(task->site, &FATE_FOLLOW_ERROR,
                        "a step cannot follow its own task's deferred, which waits for the step");
        run_ended(fate__task_end(task, -ENOTRECOVERABLE, why));
        return;
    }
    task->awaited = d;
    task->is_waiting = true;
    task->n_users++;
    if (fate__add_native(d, &awaited_level, task, 0))
        return;
    task->awaited = NULL;
    task->is_waiting = false;
    run_ended(fate__task_end(task, -ENOTRECOVERABLE, fate__no_memory()));
    leave_users(task);
}

/* ---- Steps ---- */

static fate_value call_step(struct fate__task *task)
{
    fate__lend(&task->arg);
    fate_value out = task->step(&task->arg);
    fate__unlend(&task->arg);
    if (fate__returned_untaken(&out, &task->arg))
        fate__stop(task->site, "the step returned *arg, which is only lent to it (ownership, rule 1). Return "
                               "fate_copy(arg).");
    return out;
}

static bool is_follow(const fate_value *out)
{
    return fate_kind_of(out) == FATE_KIND_FOLLOW;
}

/* The task was stopped inside its step, whose return is of no use any more.  But a failure is not lost. */
static void leave_return(struct fate__task *task, fate_reactor *reactor, fate_value out)
{
    fate_drop(fate_take(&task->arg));
    if (fate_is_failure(&out) && !fate_is(&out, &FATE_CANCELLED))
        fate_succeed_at(reactor, out, task->site);
    else if (!is_follow(&out))
        fate_drop(out);
}

static void take_return(struct fate__task *task, fate_value out)
{
    if (out.type == &more_type)
        run_ended(go_on(task));
    else if (is_follow(&out))
        wait_for(task, out.as.p);
    else if (fate_is_failure(&out))
        run_ended(fate__task_end(task, -ENOTRECOVERABLE, out));
    else
        run_ended(fate__task_end(task, -EALREADY, out));
}

void fate__task_step(struct fate__task *task)
{
    fate_reactor *reactor = reactor_of(task);

    task->n_users++;
    task->is_stepping = true;
    fate_value out = call_step(task);
    if (!is_follow(&out))
        fate__check_given(&out, "a step's return", task->site);
    task->is_stepping = false;
    if (task->ended)
        leave_return(task, reactor, out);
    else
        take_return(task, out);
    leave_users(task);
}

/* ---- Handles ---- */

fate_task fate__task_handle(fate_reactor *reactor, const struct fate__task *task, int why)
{
    const fate_task handle = { reactor, task ? task->id : why };
    return handle;
}

/* The task behind a handle; NULL and why not. */
static struct fate__task *look_up(fate_task handle, int *ret_why)
{
    struct fate__task *task = NULL;

    if (handle.reactor)
        fate__check_reactor(handle.reactor, "a function of a task", NULL);
    if (handle.reactor && handle.id > 0)
        task = (struct fate__task *)fate__table_find(&handle.reactor->tasks, key_of(handle.id));
    if (!task)
        *ret_why = handle.id < 0 ? (int)handle.id : -ESTALE;
    return task;
}

static fate_deferred *when_gone(fate_task handle, int why, const char *site)
{
    fate_reactor *reactor = handle.reactor;

    if (why == -ENOMEM)
        return fate__hand_out_no_memory(&reactor->turns);
    if (reactor->turns.is_ending)
        return fate__library_deferred(reactor, site);
    return fate_succeed_at(
        reactor,
        fate__raise(site, &FATE_TASK_FINISHED, "the task is over, and its result has gone with its turn"),
        site);
}

fate_deferred *fate_task_when_done_at(fate_task handle, const char *site)
{
    int why = 0;

    if (!handle.reactor)
        fate__stop(site,
                   "fate_task_when_done was given a handle that was never set. fate_cooperate returns one "
                   "that is.");
    struct fate__task *task = look_up(handle, &why);
    if (!task)
        return when_gone(handle, why, site);
    fate_deferred *d = task->d;
    if (!(d->flags & FATE__FIRED))
        return fate_branch_at(d, site);
    if (fate_is_failure(&d->result))
        d->flags |= FATE__ANSWERED;
    return fate_succeed_at(handle.reactor, fate_copy(&d->result), site);
}

int fate_task_pause(fate_task handle)
{
    int why = 0;
    struct fate__task *task = look_up(handle, &why);

    if (!task)
        return why;
    if (task->ended)
        return task->ended;
    if (task->n_pauses++ == 0)
        fate__task_leave(task);
    return 0;
}

int fate_task_resume(fate_task handle)
{
    int why = 0;
    struct fate__task *task = look_up(handle, &why);

    if (!task)
        return why;
    if (task->n_pauses == 0)
        return task->ended ? task->ended : -EINVAL;
    bool joins = task->n_pauses == 1 && !task->ended && !task->is_waiting && !task->is_stepping;
    why = joins ? fate__plan_tick(task->cooperator, 0) : 0;
    if (why)
        return why;
    task->n_pauses--;
    if (joins)
        fate__task_join(task);
    return 0;
}

int fate_task_stop_at(fate_task handle, const char *site)
{
    int why = 0;
    struct fate__task *task = look_up(handle, &why);

    if (!task)
        return why;
    if (task->ended)
        return task->ended;
    fate__task_stopped(
        task, -ECANCELED,
        fate__raise_with("fate_task_stop", site, &FATE_TASK_STOPPED, fate_none(), fate_none()));
    return 0;
}

int fate_task_hold(fate_task handle)
{
    int why = 0;
    struct fate__task *task = look_up(handle, &why);

    if (!task)
        return why;
    task->n_holds++;
    fate__hold(task->d);
    return 0;
}

int fate_task_release(fate_task handle)
{
    int why = 0;
    struct fate__task *task = look_up(handle, &why);

    if (!task)
        return why;
    if (task->n_holds == 0)
        fate__stop(task->site, "fate_task_release of a task made here that nobody holds. Each "
                               "fate_task_release answers one fate_task_hold.");
    task->n_holds--;
    fate__release(task->d);
    return 0;
}

fate_deferred *(fate_task_when_done)(fate_task task)
{
    return fate_task_when_done_at(task, "fate_task_when_done");
}

int(fate_task_stop)(fate_task task)
{
    return fate_task_stop_at(task, "fate_task_stop");
}
