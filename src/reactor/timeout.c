/* Timeouts of deferreds (R77-R88). */
#include <base/alloc.h>
#include <reactor/reactor.h>

struct timeout {
    fate_deferred *d; /* held while the timer is pending */
    fate_timer timer;
    fate_time delay;
    bool is_over_time;
    fate_callback *translate;
    fate_value arg;
    const char *site;
};

static void timed_out(fate_value *arg)
{
    struct timeout *timeout = fate_as_ptr(arg);
    fate_deferred *d = timeout->d;

    timeout->is_over_time = true;
    timeout->timer.id = 0;
    fate_cancel_at(d, timeout->site); /* may run the level, which frees timeout */
    fate__release(d);
}

static void stop_timer(struct timeout *timeout)
{
    if (fate_timer_cancel(timeout->timer) == 0)
        fate__release(timeout->d);
}

static void forget(struct timeout *timeout)
{
    fate_drop(timeout->arg);
    fate__free(timeout);
}

static fate_value timeout_failure(const struct timeout *timeout)
{
    return fate_raise_at("fate_add_timeout", timeout->site, &FATE_TIMEOUT, "timed out after %g s",
                         (double)timeout->delay / (double)FATE_SECOND);
}

static void translate(fate_deferred *d, struct timeout *timeout)
{
    if (timeout->translate)
        fate__call_level(d, timeout->translate, &timeout->arg, timeout->site);
    else if (fate_is(&d->result, &FATE_CANCELLED))
        fate__become(d, timeout_failure(timeout), timeout->site);
}

/* The levels before this one have been passed. */
static fate_deferred *passed(fate_deferred *d, struct fate__level *level)
{
    struct timeout *timeout = level->arg.as.p;

    stop_timer(timeout);
    if (timeout->is_over_time)
        translate(d, timeout);
    forget(timeout);
    return NULL;
}

static void never_passed(struct fate__level *level)
{
    struct timeout *timeout = level->arg.as.p;

    stop_timer(timeout);
    forget(timeout);
}

static const struct fate__native timeout_level = { "timeout", passed, never_passed };

static struct timeout *plan(fate_deferred *d, fate_time delay, const char *site)
{
    struct timeout *timeout = fate__zalloc(sizeof *timeout);

    if (!timeout)
        return NULL;
    timeout->timer = fate_call_later_at(fate__reactor_of(d), delay, timed_out, fate_ptr(timeout), site);
    if (timeout->timer.id < 0) {
        fate__free(timeout);
        return NULL;
    }
    timeout->d = d;
    timeout->delay = delay;
    timeout->site = site;
    return timeout;
}

/* Rather than going on without a timeout, d is cancelled, and its levels up to here end in NO_MEMORY. */
static void fail_for_want_of_memory(fate_deferred *d, const char *site)
{
    struct fate__level lost = { .site = site };

    fate__hold(d);
    fate__add(d, FATE__LOST, &lost);
    fate_cancel_at(d, site);
    fate__release(d);
}

fate_deferred *fate_add_timeout_with_at(fate_deferred *d, fate_time delay, fate_callback *translate_fn,
                                        fate_value arg, const char *site)
{
    fate__check_given(&arg, "fate_add_timeout_with", site);
    if (!fate__check(d, "fate_add_timeout", site) || fate__turns_of(d)->is_ending) {
        fate_drop(arg);
        return d;
    }
    struct timeout *timeout = fate__is_no_memory(&arg) ? NULL : plan(d, delay, site);
    if (!timeout) {
        fate_drop(arg);
        fail_for_want_of_memory(d, site);
        return d;
    }
    timeout->translate = translate_fn;
    timeout->arg = arg;
    fate__hold(d);
    if (!fate__add_native(d, &timeout_level, timeout, 0)) {
        fate__hold(d);
        stop_timer(timeout);
        forget(timeout);
        fate_cancel_at(d, site);
        fate__release(d);
    }
    return d;
}

fate_deferred *fate_add_timeout_at(fate_deferred *d, fate_time delay, const char *site)
{
    return fate_add_timeout_with_at(d, delay, NULL, fate_none(), site);
}

fate_deferred *(fate_add_timeout)(fate_deferred *d, fate_time delay)
{
    return fate_add_timeout_at(d, delay, "fate_add_timeout");
}

fate_deferred *(fate_add_timeout_with)(fate_deferred *d, fate_time delay, fate_callback *translate_fn,
                                       fate_value arg)
{
    return fate_add_timeout_with_at(d, delay, translate_fn, arg, "fate_add_timeout_with");
}
