/* fate_defer_later (R201, R202). */
#include <errno.h>
#include <stdio.h>

#include <base/alloc.h>
#include <reactor/reactor.h>

struct deferred_call {
    fate_deferred *d;
    fate_timer timer;
    fate_function *function;
    fate_value arg;
    const char *site;
};

static void due(fate_value *arg)
{
    struct deferred_call *call = fate_as_ptr(arg);

    fate__fire(call->d, fate_none(), call->site);
}

static bool cancel(fate_deferred *d, void *data, const char *site)
{
    struct deferred_call *call = data;

    fate_timer_cancel(call->timer);
    return true;
}

static void say_when(const void *data, struct fate__waits *ret)
{
    const struct deferred_call *call = data;
    char due[FATE__DUE_BYTES];

    snprintf(ret->text, sizeof ret->text, "timer %s", fate__due_text(call->timer, due));
}

static const struct fate__source later = { .cancel = cancel, .waits = say_when };

/* The function is the first level, so that its failure is the deferred's, and what it follows is waited for.
 */
static fate_deferred *run_function(fate_deferred *d, struct fate__level *level)
{
    struct deferred_call *call = level->arg.as.p;

    if (fate_is_failure(&d->result))
        fate_drop(call->arg);
    else
        fate__become(d, fate__call_function(call->function, call->arg, call->site), call->site);
    fate__free(call);
    return NULL;
}

static void drop_call(struct fate__level *level)
{
    struct deferred_call *call = level->arg.as.p;

    fate_timer_cancel(call->timer);
    fate_drop(call->arg);
    fate__free(call);
}

static const struct fate__native call_level = { "call", run_function, drop_call };

static fate_value return_none(fate_value *arg)
{
    return fate_none();
}

static struct deferred_call *plan(fate_reactor *reactor, fate_time delay, const char *site)
{
    struct deferred_call *call = fate__zalloc(sizeof *call);

    if (!call)
        return NULL;
    call->site = site;
    call->timer = fate_call_later_at(reactor, delay, due, fate_ptr(call), site);
    if (call->timer.id == -ENOMEM) {
        fate__free(call);
        return NULL;
    }
    return call;
}

fate_deferred *fate_defer_later_at(fate_reactor *reactor, fate_time delay, fate_function *function,
                                   fate_value arg, const char *site)
{
    fate__check_reactor(reactor, "fate_defer_later", site);
    fate__check_given(&arg, "fate_defer_later", site);
    struct deferred_call *call = fate__is_no_memory(&arg) ? NULL : plan(reactor, delay, site);
    fate_deferred *d = call ? fate__sourced(reactor, &later, call, site) : NULL;
    if (!d || !(d->flags & FATE__SOURCE)) {
        if (call)
            fate_timer_cancel(call->timer);
        fate__free(call);
        fate_drop(arg);
        return d ? d : fate__hand_out_no_memory(&reactor->turns);
    }
    call->d = d;
    call->function = function ? function : return_none;
    call->arg = arg;
    bool is_stored = fate__add_native(d, &call_level, call, 0);
    fate__assert(is_stored); /* the first level has a place inside */
    return d;
}

fate_deferred *(fate_defer_later)(fate_reactor *reactor, fate_time delay, fate_function *function,
                                  fate_value arg)
{
    return fate_defer_later_at(reactor, delay, function, arg, "fate_defer_later");
}
