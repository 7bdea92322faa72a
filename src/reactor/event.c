/* Events: each is a turn, and one that takes too long is named. */
#include <errno.h>

#include <reactor/reactor.h>

/* The clock has gone on meanwhile: what comes next is to see that. */
static void has_blocked(fate_reactor *reactor, fate_time took)
{
    const char *site = reactor->turn_site ? reactor->turn_site : "";

    reactor->n_slow_turns++;
    fate__set_now(reactor, fate__monotonic());
    fate__warn(
        &reactor->turns, site,
        "blocked the loop for %lld ms. Nothing else could happen meanwhile: give long work to a thread "
        "(fate_defer_to_thread) or do it in steps (fate_cooperate).",
        (long long)(took / FATE_MILLISECOND));
}

void fate__event_begin(fate_reactor *reactor, const char *site)
{
    reactor->turn_site = site;
    fate__turn_enter(&reactor->turns);
}

void fate__event_end(fate_reactor *reactor)
{
    fate__turn_leave(&reactor->turns);
    reactor->n_turns++;
    if (!reactor->slow_callback)
        return;
    fate_time now = fate__coarse();
    fate_time took = now - reactor->turn_began;
    bool is_known = now && reactor->turn_began; /* a clock that cannot be read says 0 */
    if (fate__unlikely(is_known && took >= reactor->slow_callback)) {
        has_blocked(reactor, took);
        now = fate__coarse();
    }
    reactor->turn_began = now;
}

void fate__deliver(fate_reactor *reactor, fate_action *action, fate_value arg, const char *site)
{
    fate__event_begin(reactor, site);
    fate__lend(&arg);
    action(&arg);
    fate_drop(fate_take(&arg));
    fate__event_end(reactor);
}

void fate__enter(fate_reactor *reactor, const char *what)
{
    fate__check_reactor(reactor, what, NULL);
    fate__refuse_inside(&reactor->turns, what);
    if (reactor->slow_callback)
        reactor->turn_began = fate__coarse();
    fate__turn_enter(&reactor->turns);
    fate__turn_leave(&reactor->turns);
}

/* ---- Turns of the program's own ---- */

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
        fate__enter(reactor, "fate_turn");
    if (!was_inside)
        fate__event_begin(reactor, "fate_turn");
    fate__lend(&arg);
    action(&arg);
    fate_drop(fate_take(&arg));
    if (!was_inside)
        fate__event_end(reactor);
    return 0;
}
