/* The loop: rounds of posts, delayed calls and descriptors, from startup to shutdown. */
#include <reactor/loop.h>

#include <errno.h>

#include <base/alloc.h>
#include <reactor/reactor.h>
#include <reactor/signal.h>
#include <reactor/thread.h>

/* ---- A round ---- */

void fate__run_posts(fate_reactor *reactor)
{
    const struct fate__post *mark = fate__posts_mark(&reactor->posts);

    if (reactor->posts.oldest != mark)
        fate__deliver_posts(reactor, mark);
}

static bool call_timer(fate_reactor *reactor, fate_time now, uint64_t mark)
{
    if (!fate__timers_are_due(&reactor->timers, now, mark))
        return false;
    fate__event_begin(reactor, NULL);
    /* The end of the turn outside may have cancelled it. */
    if (fate__timers_call_due(&reactor->timers, now, mark))
        reactor->turn_site = reactor->timers.site;
    fate__event_end(reactor);
    return true;
}

/* All that was due when the round began; what is scheduled meanwhile waits for the next one (R188).  So does
 * what falls due while somebody blocks the loop: input that came before is read first, and may move a
 * timeout. */
static void run_timers(fate_reactor *reactor)
{
    uint64_t mark = fate__timers_mark(&reactor->timers);
    fate_time now = reactor->now;

    while (!reactor->has_crashed && call_timer(reactor, now, mark))
        ;
}

/* The reactor's own part of the shutdown, between the triggers before it and those during it (R235). */
static void stop_parts(fate_reactor *reactor)
{
    reactor->is_running = false;
    fate_timer_cancel(reactor->shutdown_limit);
    fate__threads_stop(reactor);
    if (reactor->slow_callback)
        reactor->turn_began = fate__coarse(); /* who comes next is not to blame for that wait */
    fate__run_posts(reactor);                 /* what the last jobs have to say */
}

static void nothing(fate_value *arg)
{
}

static void begin_shutdown(fate_reactor *reactor)
{
    reactor->has_stopped = false;
    reactor->stage = FATE__STOPPING;
    reactor->shutdown_ends = fate__time_after(reactor->now, reactor->options.shutdown_max);
    reactor->shutdown_limit = fate_call_later_at(reactor, reactor->options.shutdown_max, nothing, fate_none(),
                                                 FATE__OWN_SITE("the limit of the shutdown"));
    fate__occasion_begin(reactor, FATE_SHUTDOWN);
}

static bool is_cut_short(fate_reactor *reactor)
{
    if (reactor->now < reactor->shutdown_ends)
        return false;
    fate__warn(&reactor->turns, NULL, "the triggers before shutdown were not done after %g s: going on",
               (double)reactor->options.shutdown_max / (double)FATE_SECOND);
    return true;
}

/* Goes on with the startup or the shutdown, as far as that is possible now. */
static void step(fate_reactor *reactor)
{
    if (reactor->stage == FATE__STARTING && fate__occasion_is_ready(reactor, FATE_STARTUP)) {
        reactor->stage = FATE__RUNS;
        reactor->is_running = true;
        fate__occasion_finish(reactor, FATE_STARTUP);
    }
    if (reactor->has_stopped && !reactor->has_crashed)
        begin_shutdown(reactor);
    bool is_ready = reactor->stage == FATE__STOPPING && !reactor->has_crashed &&
                    (fate__occasion_is_ready(reactor, FATE_SHUTDOWN) || is_cut_short(reactor));
    if (!is_ready)
        return;
    stop_parts(reactor);
    fate__occasion_finish(reactor, FATE_SHUTDOWN);
    reactor->stage = FATE__ENDED;
}

static bool is_over(const fate_reactor *reactor)
{
    return reactor->has_crashed || reactor->stage == FATE__ENDED;
}

static void run_what_has_come(fate_reactor *reactor)
{
    fate__signals_deliver(reactor);
    fate__run_posts(reactor);
    if (fate__unlikely(fate__readies_are_waiting(&reactor->readies)))
        fate__readies_run(reactor);
}

static void round_of(fate_reactor *reactor, fate_time timeout_max)
{
    run_what_has_come(reactor);
    run_timers(reactor);
    step(reactor);
    if (!is_over(reactor))
        fate__wait(reactor, timeout_max);
}

/* ---- Simulated rounds ---- */

static void run_until_time_may_move(fate_reactor *reactor)
{
    do
        run_what_has_come(reactor);
    while (fate__readies_are_waiting(&reactor->readies));
}

/* Runs the next event if it is due by end, at its own time.  What should have been before runs now.  Time
 * stands still while somebody is to be called in the next round. */
static bool play_next(fate_reactor *reactor, fate_time end)
{
    fate_time next = fate__timers_next(&reactor->timers);

    if (next > reactor->now && fate__readies_are_waiting(&reactor->readies))
        return true;
    if (next == FATE_NEVER || next > end)
        return false;
    fate__set_now(reactor, next);
    return call_timer(reactor, reactor->now, UINT64_MAX);
}

/* What threads have been given to do takes no simulated time: the clock waits for it. */
static void join_threads(fate_reactor *reactor)
{
    run_what_has_come(reactor);
    while (reactor->n_outside > reactor->n_blocked && !reactor->has_crashed) {
        fate__wait_for_posts(reactor);
        run_what_has_come(reactor);
    }
}

/* False: nothing is left that could happen. */
static bool simulated_round(fate_reactor *reactor)
{
    join_threads(reactor);
    step(reactor);
    if (is_over(reactor) || reactor->has_stopped)
        return true;
    return play_next(reactor, FATE_NEVER) || fate__has_work(reactor) || fate__end_turn_outside(reactor);
}

static void check_simulated(const fate_reactor *reactor, fate_time t, const char *what)
{
    if (!reactor->is_simulated)
        fate__stop(NULL,
                   "%s was called on a reactor that runs on real time, which nobody can move. Make it with "
                   "fate_reactor_new_simulated, or run the program with FATE_CLOCK=simulated.",
                   what);
    if (t < 0)
        fate__stop(NULL, "%s was told to go back by %g s: time goes forward only.", what, (double)-t / 1e9);
}

void fate_advance(fate_reactor *reactor, fate_time t)
{
    fate__enter(reactor, "fate_advance");
    check_simulated(reactor, t, "fate_advance");
    reactor->is_iterating = true;
    fate__threads_begin(reactor);
    run_until_time_may_move(reactor);
    fate__set_now(reactor, fate__time_after(reactor->now, t));
    while (call_timer(reactor, reactor->now, UINT64_MAX) || fate__readies_are_waiting(&reactor->readies))
        run_what_has_come(reactor);
    reactor->is_iterating = false;
}

void fate_play(fate_reactor *reactor, fate_time t)
{
    fate__enter(reactor, "fate_play");
    check_simulated(reactor, t, "fate_play");
    reactor->is_iterating = true;
    fate__threads_begin(reactor);
    fate_time end = fate__time_after(reactor->now, t);
    do
        join_threads(reactor);
    while (play_next(reactor, end));
    fate__set_now(reactor, end);
    reactor->is_iterating = false;
}

/* ---- Running ---- */

static void begin(fate_reactor *reactor)
{
    reactor->has_stopped = reactor->has_crashed = false;
    reactor->stage = FATE__STARTING;
    if (!reactor->is_simulated)
        fate__set_now(reactor, fate__monotonic());
    reactor->woke = reactor->now;
    fate__threads_begin(reactor); /* before the triggers, which may wait for them */
    fate__occasion_begin(reactor, FATE_STARTUP);
}

/* What a crash, or a simulated time without events, leaves: it may be run again (R228). */
static void give_up(fate_reactor *reactor)
{
    fate_timer_cancel(reactor->shutdown_limit);
    fate__occasion_give_up(reactor, FATE_STARTUP);
    fate__occasion_give_up(reactor, FATE_SHUTDOWN);
    reactor->stage = FATE__IDLE;
    reactor->is_running = reactor->has_stopped = reactor->has_crashed = false;
}

static int end(fate_reactor *reactor, int why)
{
    if (reactor->stage != FATE__ENDED) {
        give_up(reactor);
        return why;
    }
    atomic_store(&reactor->posts.is_closed, true);
    fate__run_posts(reactor);
    return 0;
}

int fate_run(fate_reactor *reactor)
{
    bool can_go_on = true;

    fate__enter(reactor, "fate_run");
    if (reactor->stage == FATE__ENDED)
        return -ESHUTDOWN;
    reactor->is_iterating = true;
    begin(reactor);
    step(reactor);
    while (!is_over(reactor) && can_go_on)
        if (reactor->is_simulated)
            can_go_on = simulated_round(reactor);
        else
            round_of(reactor, FATE_NEVER);
    reactor->is_iterating = false;
    int why = end(reactor, can_go_on ? 0 : -EDEADLK);
    if (reactor->is_foreign && reactor->stage == FATE__IDLE) {
        reactor->timer_fd_due = FATE_NEVER; /* the crash may have swallowed its event */
        fate__hand_to_foreign_loop(reactor);
    }
    return why;
}

int fate_iterate(fate_reactor *reactor, fate_time timeout)
{
    fate__enter(reactor, "fate_iterate");
    if (reactor->stage == FATE__ENDED)
        return -ESHUTDOWN;
    if (reactor->is_simulated) {
        fate_play(reactor, timeout < 0 ? 0 : timeout);
        return 0;
    }
    reactor->is_iterating = true;
    fate__threads_begin(reactor);
    fate__posts_awake(&reactor->posts);
    fate__set_now(reactor, fate__monotonic());
    reactor->woke = reactor->now;
    round_of(reactor, timeout);
    fate__count_busy(reactor);
    reactor->is_iterating = false;
    if (reactor->is_foreign)
        fate__hand_to_foreign_loop(reactor);
    return 0;
}

bool fate_is_running(const fate_reactor *reactor)
{
    fate__check_reactor(reactor, "fate_is_running", NULL);
    return reactor->is_running;
}

/* ---- Stopping ---- */

int fate_stop(fate_reactor *reactor)
{
    fate__check_reactor(reactor, "fate_stop", NULL);
    if (reactor->stage == FATE__IDLE || reactor->stage == FATE__ENDED)
        return -ENOTCONN;
    if (reactor->has_stopped || reactor->stage == FATE__STOPPING)
        return -EALREADY;
    reactor->has_stopped = true;
    return 0;
}

int fate_crash(fate_reactor *reactor)
{
    fate__check_reactor(reactor, "fate_crash", NULL);
    if (reactor->stage == FATE__IDLE || reactor->stage == FATE__ENDED)
        return -ENOTCONN;
    reactor->has_crashed = true;
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
