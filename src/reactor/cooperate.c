/* Cooperators: whose turn it is, and for how long (R215, R220-R222). */
#include <reactor/cooperate.h>

#include <errno.h>
#include <stdio.h>

#include <base/alloc.h>
#include <base/options.h>
#include <base/text.h>

#define SLICE_DEFAULT (10 * FATE_MILLISECOND)

static fate_reactor *reactor_of(const fate_cooperator *c)
{
    return fate__reactor(c->owned.turns);
}

/* ---- The slice ---- */

/* A simulated clock stands still while steps are made, so that a slice would never end.  There a slice is a
 * step of each task, and the next one comes when it would have been used up. */
static bool is_simulated(const fate_cooperator *c)
{
    return reactor_of(c)->is_simulated;
}

/* On the clock as it is now, since what ran before in this round took its time. */
static fate_time slice_end(const fate_cooperator *c)
{
    return is_simulated(c) ? 0 : fate__time_after(fate__monotonic(), c->slice);
}

/* Asked after each step, when one more is ready. */
static bool slice_is_over(const fate_cooperator *c, fate_time end)
{
    if (!is_simulated(c))
        return fate__monotonic() >= end;
    const struct fate__task *next = fate_container_of(c->ready.next, struct fate__task, in_ready);
    return next->joined == c->n_ticks;
}

/* ---- Ticks ---- */

static void destroy(fate_cooperator *c)
{
    fate__assert(fate__list_is_empty(&c->tasks));
    fate_timer_cancel(c->tick);
    fate__free(c);
}

static void leave_busy(fate_cooperator *c)
{
    if (--c->n_busy == 0 && c->is_freed)
        destroy(c);
}

/* All of from goes to the list to, which is not set up yet. */
static void move_all(struct fate__link *from, struct fate__link *to)
{
    fate__list_init(to);
    fate__list_add_first(from, to);
    fate__list_remove(from);
}

/* There is no memory for a tick, so that nobody would make another step. */
static void fail_ready(fate_cooperator *c)
{
    struct fate__link ready;

    move_all(&c->ready, &ready);
    while (!fate__list_is_empty(&ready)) {
        struct fate__task *task = fate_container_of(ready.next, struct fate__task, in_ready);
        fate_deferred *d = fate__task_end(task, -ENOTRECOVERABLE, fate__no_memory());
        if (d)
            fate__run(d);
    }
}

static void plan_next(fate_cooperator *c, fate_time delay)
{
    if (!fate__list_is_empty(&c->ready) && fate__plan_tick(c, delay) == -ENOMEM)
        fail_ready(c);
}

static void tick(fate_value *arg)
{
    fate_cooperator *c = fate_as_ptr(arg);
    fate_time end = slice_end(c);

    c->n_busy++;
    c->n_ticks++;
    c->is_ticking = true;
    while (!fate__list_is_empty(&c->ready)) {
        struct fate__task *task = fate_container_of(c->ready.next, struct fate__task, in_ready);
        fate__list_remove(&task->in_ready);
        fate__task_step(task);
        if (!fate__list_is_empty(&c->ready) && slice_is_over(c, end))
            break;
    }
    c->is_ticking = false;
    plan_next(c, is_simulated(c) ? c->slice : 0);
    leave_busy(c);
}

int fate__plan_tick(fate_cooperator *c, fate_time delay)
{
    if (c->is_ticking || !fate_cooperator_running(c) || fate_timer_active(c->tick))
        return 0;
    c->tick = fate_call_later_at(reactor_of(c), delay, tick, fate_ptr(c), c->site);
    return c->tick.id < 0 ? (int)c->tick.id : 0;
}

void fate__task_join(struct fate__task *task)
{
    fate_cooperator *c = task->cooperator;

    task->joined = c->n_ticks;
    fate__list_add_last(&c->ready, &task->in_ready);
}

/* Nobody is left for the next tick: it is cancelled (R221). */
static void cancel_idle_tick(fate_cooperator *c)
{
    if (fate__list_is_empty(&c->ready))
        fate_timer_cancel(c->tick);
}

void fate__task_leave(struct fate__task *task)
{
    fate__list_remove(&task->in_ready);
    cancel_idle_tick(task->cooperator);
}

/* ---- Adding tasks ---- */

/* Why a task cannot be added; 0: it can, and there will be a tick for it. */
static int prepare(fate_cooperator *c, const fate_value *arg)
{
    if (c->owned.turns->is_ending)
        return -ESHUTDOWN;
    if (c->owned.is_no_memory || fate__is_no_memory(arg))
        return -ENOMEM;
    return fate__plan_tick(c, 0);
}

/* The task, or NULL and why not; arg is gone. */
static struct fate__task *add(fate_cooperator *c, fate_function *step, fate_value arg, const char *site,
                              int *ret_why)
{
    int why = prepare(c, &arg);
    struct fate__task *task = why ? NULL : fate__task_new(c, step, arg, site);

    if (!task) {
        fate_drop(arg);
        if (!why)
            cancel_idle_tick(c);
        *ret_why = why ? why : -ENOMEM;
        return NULL;
    }
    fate__list_add_last(&c->tasks, &task->in_tasks);
    fate__task_join(task);
    return task;
}

static fate_value scheduler_stopped(const char *site)
{
    return fate__raise_with("fate_cooperator_stop", site, &FATE_SCHEDULER_STOPPED, fate_none(), fate_none());
}

/* A stopped cooperator's new tasks fail at once (R220).  Unlike those that it had when it was stopped, this
 * comes as news to whoever adds them, so that it is reported. */
static void refuse_if_stopped(fate_cooperator *c, struct fate__task *task)
{
    if (!c->is_stopped)
        return;
    fate_deferred *d = fate__task_end(task, -ESHUTDOWN, scheduler_stopped(task->site));
    if (d)
        fate__run(d);
}

static void check_step(fate_function *step, const fate_value *arg, const char *what, const char *site)
{
    fate__check_given(arg, what, site);
    if (!step)
        fate__stop(site, "%s was given a NULL step.", what);
}

fate_task fate_cooperator_cooperate_at(fate_cooperator *c, fate_function *step, fate_value arg,
                                       const char *site)
{
    fate_reactor *reactor = reactor_of(c);
    int why = 0;

    fate__check_reactor(reactor, "fate_cooperate", site);
    check_step(step, &arg, "fate_cooperate", site);
    struct fate__task *task = add(c, step, arg, site, &why);
    fate_task handle = fate__task_handle(reactor, task, why);
    if (task)
        refuse_if_stopped(c, task);
    return handle;
}

fate_deferred *fate_cooperator_coiterate_at(fate_cooperator *c, fate_function *step, fate_value arg,
                                            const char *site)
{
    fate_reactor *reactor = reactor_of(c);
    int why = 0;

    fate__check_reactor(reactor, "fate_coiterate", site);
    check_step(step, &arg, "fate_coiterate", site);
    struct fate__task *task = add(c, step, arg, site, &why);
    if (!task && why == -ENOMEM)
        return fate__hand_out_no_memory(fate__turns(reactor));
    if (!task)
        return fate__library_deferred(reactor, site); /* born cancelled */
    fate_deferred *d = task->d;
    task->is_coiterated = true;
    refuse_if_stopped(c, task);
    return d;
}

/* ---- The reactor's own ---- */

static fate_cooperator *cooperator_of(fate_reactor *reactor, const char *what, const char *site)
{
    fate__check_reactor(reactor, what, site);
    if (reactor->turns.is_ending) /* it may have gone already */
        return (fate_cooperator *)&reactor->turns.no_memory_thing;
    if (reactor->cooperator)
        return reactor->cooperator;
    fate_cooperator *c = fate_cooperator_new_at(reactor, NULL, "fate_cooperate");
    if (!c->owned.is_no_memory)
        reactor->cooperator = c;
    return c;
}

fate_task fate_cooperate_at(fate_reactor *reactor, fate_function *step, fate_value arg, const char *site)
{
    return fate_cooperator_cooperate_at(cooperator_of(reactor, "fate_cooperate", site), step, arg, site);
}

fate_deferred *fate_coiterate_at(fate_reactor *reactor, fate_function *step, fate_value arg, const char *site)
{
    return fate_cooperator_coiterate_at(cooperator_of(reactor, "fate_coiterate", site), step, arg, site);
}

/* ---- Life ---- */

static void free_owned(struct fate__owned *owned)
{
    fate_cooperator_free((fate_cooperator *)owned);
}

/* ---- For the report ---- */

static void describe_task(const struct fate__task *task, char *to, size_t n)
{
    char site[128] = "";

    if (task->is_waiting && task->awaited)
        snprintf(to, n, "waits for deferred %s",
                 fate__site_short(fate__site_of(task->awaited), site, sizeof site));
    else
        snprintf(to, n, "%s", task->is_stepping ? "makes a step" : task->n_pauses ? "paused" : "ready");
}

static void see_task(const struct fate__task *task, fate__see_fn *see, void *arg)
{
    char state[160];
    const struct fate__seen seen = {
        .kind = "task",
        .name = "",
        .site = task->site ? task->site : "",
        .state = state,
        .age = task->d ? fate__age(task->cooperator->owned.turns, task->d->age_ms) : 0,
        .id = task,
        .waits_for = task->is_waiting ? task->awaited : NULL,
    };

    describe_task(task, state, sizeof state);
    see(&seen, arg);
}

/* Its tasks are shown below it. */
static void look(struct fate__owned *owned, fate__see_fn *see, void *arg)
{
    const fate_cooperator *c = (const fate_cooperator *)owned;
    const char *state = c->is_stopped ? "stopped" : c->is_started ? "started" : "not started";

    fate__see_owned(owned, see, arg, state, NULL);
    for (struct fate__link *at = c->tasks.next; at != &c->tasks; at = at->next)
        see_task(fate_container_of(at, struct fate__task, in_tasks), see, arg);
}

fate_cooperator *fate_cooperator_new_at(fate_reactor *reactor, const fate_cooperator_options *options,
                                        const char *site)
{
    fate_cooperator_options o = { 0 };

    fate__check_reactor(reactor, "fate_cooperator_new", site);
    fate__take_options(&o, sizeof o, options, "fate_cooperator_new_with", site);
    if (o.slice < 0)
        fate__stop(site,
                   "fate_cooperator_new with a slice of %g s. A slice is a time for work: give it more "
                   "than 0, or 0 for 10 ms.",
                   (double)o.slice / 1e9);
    fate_cooperator *c = fate__own(reactor, sizeof *c, free_owned, "fate_cooperator_new");
    if (c->owned.is_no_memory)
        return c;
    fate__list_init(&c->tasks);
    fate__list_init(&c->ready);
    c->slice = o.slice ? o.slice : SLICE_DEFAULT;
    c->is_started = !o.starts_later;
    c->owned.site = c->site = site;
    c->owned.look = look;
    return c;
}

void fate_cooperator_free(fate_cooperator *c)
{
    if (!c || c->owned.is_no_memory || c->is_freed)
        return;
    c->n_busy++; /* those whose tasks end may do things with it */
    c->is_freed = true;
    fate__disown(&c->owned);
    fate_cooperator_stop_at(c, c->site);
    leave_busy(c);
}

void fate_cooperator_start(fate_cooperator *c)
{
    if (c->owned.is_no_memory || c->is_freed)
        return;
    c->is_started = true;
    c->is_stopped = false;
    c->n_busy++;
    plan_next(c, 0);
    leave_busy(c);
}

/* Those whose tasks end may start it again, and add tasks that stay. */
void fate_cooperator_stop_at(fate_cooperator *c, const char *site)
{
    struct fate__link tasks;

    if (c->owned.is_no_memory)
        return;
    c->is_stopped = true;
    c->n_busy++;
    move_all(&c->tasks, &tasks);
    while (!fate__list_is_empty(&tasks)) {
        struct fate__task *task = fate_container_of(tasks.next, struct fate__task, in_tasks);
        fate__task_stopped(task, -ESHUTDOWN, scheduler_stopped(site));
    }
    leave_busy(c);
}

bool fate_cooperator_running(const fate_cooperator *c)
{
    return !c->owned.is_no_memory && c->is_started && !c->is_stopped;
}

/* ---- Without a line ---- */

fate_task(fate_cooperate)(fate_reactor *reactor, fate_function *step, fate_value arg)
{
    return fate_cooperate_at(reactor, step, arg, "fate_cooperate");
}

fate_deferred *(fate_coiterate)(fate_reactor *reactor, fate_function *step, fate_value arg)
{
    return fate_coiterate_at(reactor, step, arg, "fate_coiterate");
}

fate_task(fate_cooperator_cooperate)(fate_cooperator *c, fate_function *step, fate_value arg)
{
    return fate_cooperator_cooperate_at(c, step, arg, "fate_cooperator_cooperate");
}

fate_deferred *(fate_cooperator_coiterate)(fate_cooperator *c, fate_function *step, fate_value arg)
{
    return fate_cooperator_coiterate_at(c, step, arg, "fate_cooperator_coiterate");
}

fate_cooperator *(fate_cooperator_new)(fate_reactor *reactor)
{
    return fate_cooperator_new_at(reactor, NULL, "fate_cooperator_new");
}

fate_cooperator *(fate_cooperator_new_with)(fate_reactor *reactor, const fate_cooperator_options *options)
{
    return fate_cooperator_new_at(reactor, options, "fate_cooperator_new_with");
}

void(fate_cooperator_stop)(fate_cooperator *c)
{
    fate_cooperator_stop_at(c, "fate_cooperator_stop");
}
