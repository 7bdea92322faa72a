/* The reactor on simulated time: from event to event. */
#include <reactor/reactor.h>

#include <errno.h>

#include <base/alloc.h>

/* ---- Life ---- */

fate_reactor *fate_reactor_new_simulated(void)
{
    fate_reactor *reactor = fate__zalloc(sizeof *reactor);

    if (!reactor) {
        errno = ENOMEM;
        return NULL;
    }
    if (fate__turns_init(&reactor->turns) < 0) {
        fate__turns_done(&reactor->turns);
        fate__free(reactor);
        errno = ENOMEM;
        return NULL;
    }
    reactor->turns.log = fate__log_from_turns;
    reactor->turns.fired_early = fate__drop_laters;
    fate__timers_init(&reactor->timers);
    return reactor;
}

/* There is no other clock yet, whatever FATE_CLOCK says. */
fate_reactor *fate_reactor_new(void)
{
    return fate_reactor_new_simulated();
}

void fate_reactor_free(fate_reactor *reactor)
{
    if (!reactor)
        return;
    fate__refuse_inside(&reactor->turns, "fate_reactor_free");
    fate__refuse_in_callbacks(&reactor->turns);
    fate__turns_end(&reactor->turns);
    fate__timers_drop(&reactor->timers);
    fate__turns_empty(&reactor->turns);
    fate_log_observe(reactor, FATE_LOG_DEBUG, NULL, fate_none());
    fate_on_unhandled(reactor, NULL, fate_none());
    fate__turns_empty(&reactor->turns);
    fate__turns_free_owned(&reactor->turns);
    fate__turns_empty(&reactor->turns);
    fate__turns_done(&reactor->turns);
    fate__timers_done(&reactor->timers);
    fate__table_done(&reactor->laters);
    fate__free(reactor);
}

/* ---- Turns ---- */

struct turn_call {
    fate_reactor *reactor;
    fate_action *action;
    fate_value arg;
};

static void turn_outside(void *arg)
{
    struct turn_call *call = arg;
    fate_turn(call->reactor, call->action, call->arg);
}

int fate_turn(fate_reactor *reactor, fate_action *action, fate_value arg)
{
    struct fate__turns *turns = fate__turns(reactor);
    bool was_inside;

    fate__check_reactor(reactor, "fate_turn", NULL);
    fate__check_given(&arg, "fate_turn", NULL);
    if (fate__is_no_memory(&arg))
        return -ENOMEM;
    if (turns->outside) {
        struct turn_call call = { reactor, action, arg };
        turns->outside(turns, turn_outside, &call);
        return 0;
    }
    was_inside = turns->is_inside;
    if (!was_inside)
        fate__turn_enter(turns);
    fate__lend(&arg);
    action(&arg);
    fate_drop(fate_take(&arg));
    if (!was_inside)
        fate__turn_leave(turns);
    return 0;
}

/* ---- Time ---- */

static void set_now(fate_reactor *reactor, fate_time now)
{
    reactor->now = now;
    reactor->turns.now_ms = (uint32_t)(now / FATE_MILLISECOND);
}

fate_time fate_now(const fate_reactor *reactor)
{
    fate__check_reactor(reactor, "fate_now", NULL);
    return reactor->now;
}

/* What is due, earliest first: one event, which is a turn. */
static bool call_due(fate_reactor *reactor)
{
    fate__turn_enter(&reactor->turns);
    bool has_called = fate__timers_call_due(&reactor->timers, reactor->now, UINT64_MAX);
    fate__turn_leave(&reactor->turns);
    return has_called;
}

/* Ends the turn outside. */
static void enter(fate_reactor *reactor, const char *what)
{
    fate__check_reactor(reactor, what, NULL);
    fate__refuse_inside(&reactor->turns, what);
    fate__turn_enter(&reactor->turns);
    fate__turn_leave(&reactor->turns);
}

static void check_forward(fate_time t, const char *what)
{
    if (t < 0)
        fate__stop(NULL, "%s was told to go back by %g s: time goes forward only.", what, (double)-t / 1e9);
}

void fate_advance(fate_reactor *reactor, fate_time t)
{
    enter(reactor, "fate_advance");
    check_forward(t, "fate_advance");
    set_now(reactor, fate__time_after(reactor->now, t));
    while (call_due(reactor))
        ;
}

/* Runs the next event if it is due by end, at its own time.  What should have been before runs now. */
static bool play_next(fate_reactor *reactor, fate_time end)
{
    fate_time next = fate__timers_next(&reactor->timers);

    if (next == FATE_NEVER || next > end)
        return false;
    if (next > reactor->now)
        set_now(reactor, next);
    return call_due(reactor);
}

void fate_play(fate_reactor *reactor, fate_time t)
{
    enter(reactor, "fate_play");
    check_forward(t, "fate_play");
    fate_time end = fate__time_after(reactor->now, t);
    while (play_next(reactor, end))
        ;
    set_now(reactor, end);
}

fate_time fate_next_timeout(const fate_reactor *reactor)
{
    fate__check_reactor(reactor, "fate_next_timeout", NULL);
    if (reactor->turns.sweep_first || reactor->turns.handed_no_memory)
        return 0;
    /* Looking for it may sort timers, which changes nothing that anybody sees. */
    fate_time next = fate__timers_next(&((fate_reactor *)(uintptr_t)reactor)->timers);
    if (next == FATE_NEVER)
        return FATE_NEVER;
    return next > reactor->now ? next - reactor->now : 0;
}

/* ---- Running ---- */

int fate_run(fate_reactor *reactor)
{
    enter(reactor, "fate_run");
    reactor->is_running = true;
    reactor->is_stopping = false;
    while (!reactor->is_stopping && play_next(reactor, FATE_NEVER))
        ;
    int why = reactor->is_stopping ? 0 : -EDEADLK;
    reactor->is_running = reactor->is_stopping = false;
    return why;
}

int fate_stop(fate_reactor *reactor)
{
    fate__check_reactor(reactor, "fate_stop", NULL);
    if (!reactor->is_running)
        return -ENOTCONN;
    if (reactor->is_stopping)
        return -EALREADY;
    reactor->is_stopping = true;
    return 0;
}

void fate_shutdown(fate_value *reactor)
{
    fate_stop(fate_as_ptr(reactor));
}

int fate_stop_later_at(fate_reactor *reactor, fate_time delay, const char *site)
{
    fate_timer timer = fate_call_later_at(reactor, delay, fate_shutdown, fate_ptr(reactor), site);
    return timer.id < 0 ? (int)timer.id : 0;
}

int(fate_stop_later)(fate_reactor *reactor, fate_time delay)
{
    return fate_stop_later_at(reactor, delay, "fate_stop_later");
}
