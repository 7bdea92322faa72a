/* Waiting: for descriptors, for posts, for the next delayed call; spinning before it, and being waited for by
 * a foreign loop. */
#include <errno.h>

#include <base/sys.h>
#include <reactor/reactor.h>
#include <reactor/signal.h>

#define TRUST_MAX 16

/* ---- How long ---- */

static fate_time until_next(fate_reactor *reactor)
{
    fate_time next = fate__timers_next(&reactor->timers);

    if (next == FATE_NEVER)
        return FATE_NEVER;
    return next > reactor->now ? next - reactor->now : 0;
}

fate_time fate_next_timeout(const fate_reactor *reactor)
{
    fate__check_reactor(reactor, "fate_next_timeout", NULL);
    fate_reactor *own = (fate_reactor *)reactor;
    if (fate__has_to_sweep(&reactor->turns) || fate__has_work(own))
        return 0;
    fate__now(own);
    return until_next(own);
}

/* ---- Waiting ---- */

bool fate__has_work(fate_reactor *reactor)
{
    return fate__posts_are_waiting(&reactor->posts) || fate__signals_have_come(reactor) ||
           fate__readies_are_waiting(&reactor->readies);
}

bool fate__may_sleep(fate_reactor *reactor)
{
    atomic_store(&reactor->posts.asleep, true);
    if (!fate__has_work(reactor))
        return true;
    atomic_store(&reactor->posts.asleep, false);
    return false;
}

/* What a poller should not answer: it is said, and the loop does not spin over it. */
static void has_failed(fate_reactor *reactor, int why)
{
    const struct timespec moment = { 0, 10 * 1000 * 1000 };

    fate__warn(&reactor->turns, NULL, "waiting for descriptors by %s failed: %s", reactor->poller.ops->name,
               fate__errno_words(-why));
    fate__sys->ppoll(NULL, 0, &moment, NULL);
}

static int wait_once(fate_reactor *reactor, fate_time timeout, struct fate__event *events)
{
    int n = reactor->poller.ops->wait(&reactor->poller, timeout, events);

    if (n >= 0)
        return n;
    has_failed(reactor, n);
    return 0;
}

static int sleep_once(fate_reactor *reactor, fate_time timeout, struct fate__event *events)
{
    if (!fate__may_sleep(reactor))
        timeout = 0;
    int n = wait_once(reactor, timeout, events);
    fate__posts_awake(&reactor->posts);
    return n;
}

/* Looks again and again for as long as the budget allows.  It trusts in that only while waits have been
 * shorter than the budget; else it would burn time for nothing. */
static int spin(fate_reactor *reactor, fate_time timeout, struct fate__event *events, bool *ret_is_over)
{
    fate_time began = fate__monotonic();
    fate_time end = fate__time_after(began, timeout < reactor->spin.budget ? timeout : reactor->spin.budget);
    int n;

    *ret_is_over = true;
    do {
        if (fate__has_work(reactor))
            return wait_once(reactor, 0, events);
        n = wait_once(reactor, 0, events);
        if (n > 0)
            return n;
    } while (fate__monotonic() < end);
    *ret_is_over = timeout <= reactor->spin.budget;
    return 0;
}

static fate_time rest_of(fate_time timeout, fate_time began)
{
    fate_time spent = fate__monotonic() - began;

    if (timeout == FATE_NEVER || spent < 0) /* a clock that cannot be read says 0 */
        return timeout;
    return timeout > spent ? timeout - spent : 0;
}

static int wait_with_spin(fate_reactor *reactor, fate_time timeout, struct fate__event *events)
{
    struct fate__spin *trust = &reactor->spin;
    fate_time began = fate__monotonic();
    bool is_over = false;
    int n = 0;

    if (trust->trust > 0)
        n = spin(reactor, timeout, events, &is_over);
    if (!is_over)
        n = sleep_once(reactor, rest_of(timeout, began), events);
    bool was_short = fate__monotonic() - began <= trust->budget;
    if (was_short && trust->trust < TRUST_MAX)
        trust->trust++;
    else if (!was_short && trust->trust > 0)
        trust->trust -= trust->trust > 4 ? 4 : trust->trust;
    return n;
}

/* What was done between two events is a turn outside, which nobody else would end. */
static fate_time how_long(fate_reactor *reactor, fate_time timeout_max)
{
    bool has_ended = fate__end_turn_outside(reactor);

    if (timeout_max <= 0 || reactor->has_stopped || has_ended || fate__has_work(reactor))
        return 0;
    fate_time left = until_next(reactor);
    if (left != 0 && left != FATE_NEVER) { /* what was done since the wake-up has taken its time */
        fate__set_now(reactor, fate__monotonic());
        left = until_next(reactor);
    }
    return left < timeout_max ? left : timeout_max;
}

void fate__wait(fate_reactor *reactor, fate_time timeout_max)
{
    struct fate__event events[FATE__EVENTS_MAX];
    fate_time timeout = how_long(reactor, timeout_max);
    int n;

    if (timeout != 0)
        fate__count_busy(reactor);
    if (timeout == 0)
        n = wait_once(reactor, 0, events);
    else if (reactor->spin.budget)
        n = wait_with_spin(reactor, timeout, events);
    else
        n = sleep_once(reactor, timeout, events);
    fate__set_now(reactor, fate__monotonic());
    if (timeout != 0)
        reactor->woke = reactor->now;
    if (reactor->slow_callback)
        reactor->turn_began = fate__coarse();
    fate__descriptors_deliver(reactor, events, n);
}

void fate__wait_for_posts(fate_reactor *reactor)
{
    struct pollfd wake = { .fd = reactor->posts.wake_fd, .events = POLLIN };
    uint64_t count;

    if (fate__may_sleep(reactor))
        fate__sys->ppoll(&wake, 1, NULL, NULL);
    fate__posts_awake(&reactor->posts);
    if (wake.revents)
        (void)!fate__sys->read(wake.fd, &count, sizeof count);
}

/* ---- Foreign loops ---- */

/* Earlier than the first call is harmless: the loop then finds nothing to do.  So it is set only when a call
 * has come before it. */
void fate__timer_fd_update(fate_reactor *reactor)
{
    bool is_now = fate__has_to_sweep(&reactor->turns) || fate__readies_are_waiting(&reactor->readies);
    fate_time due = is_now ? reactor->now : fate__timers_next(&reactor->timers);

    if (reactor->timer_fd < 0 || due == reactor->timer_fd_due)
        return;
    fate__check_reactor(reactor, "A function that plans, moves or fires", NULL);
    /* 0 would turn it off. */
    fate_time at = due < 1 ? 1 : due;
    struct itimerspec when = { .it_value = { (time_t)(at / FATE_SECOND), (long)(at % FATE_SECOND) } };
    if (due == FATE_NEVER)
        when = (struct itimerspec){ 0 };
    if (fate__sys->timerfd_settime(reactor->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) == 0)
        reactor->timer_fd_due = due;
}

static int open_timer_fd(fate_reactor *reactor)
{
    int fd = fate__sys->timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

    if (fd < 0)
        return -errno;
    int why = reactor->poller.ops->set(&reactor->poller, fd, 0, 0, FATE_READABLE | FATE__EDGE);
    if (why < 0) {
        fate__close(fd);
        return why;
    }
    reactor->timer_fd = fd;
    reactor->timer_fd_due = FATE_NEVER;
    return 0;
}

void fate__hand_to_foreign_loop(fate_reactor *reactor)
{
    fate__timer_fd_update(reactor);
    if (fate__may_sleep(reactor))
        return;
    atomic_store(&reactor->posts.asleep, true);
    fate__posts_wake(&reactor->posts);
}

static void has_to_sweep_now(struct fate__turns *turns)
{
    fate_reactor *reactor = fate__reactor(turns);

    if (!reactor->is_iterating)
        fate__timer_fd_update(reactor);
}

int fate_reactor_fd(const fate_reactor *reactor)
{
    fate__check_reactor(reactor, "fate_reactor_fd", NULL);
    fate_reactor *own = (fate_reactor *)reactor;
    if (own->is_simulated || own->poller.set < 0)
        return -EOPNOTSUPP;
    int why = own->timer_fd < 0 ? open_timer_fd(own) : 0;
    if (why < 0)
        return why;
    own->is_foreign = true;
    own->turns.has_to_sweep = has_to_sweep_now;
    if (!own->is_iterating)
        fate__hand_to_foreign_loop(own);
    return own->poller.set;
}

void fate__wait_done(fate_reactor *reactor)
{
    if (reactor->poller.ops)
        reactor->poller.ops->close(&reactor->poller);
    fate__close(reactor->timer_fd);
    fate__descriptors_done(&reactor->descriptors);
}
