/* Events: each is a turn, and one that takes too long is named. */
#include <errno.h>

#include <reactor/reactor.h>

#define UNREAD_MAX       16  /* posts for which the clock is read once */
#define RECYCLED_AT_ONCE 128 /* posts, so that those who post have nodes while many are run */

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
    if (fate__unlikely(reactor->trace.n))
        fate__trace_begin(reactor);
    fate__turn_enter(&reactor->turns);
}

/* Returns how long it is since it was called last. */
static fate_time look_at_clock(fate_reactor *reactor)
{
    fate_time now = fate__coarse();
    fate_time took = now - reactor->turn_began;
    bool is_known = now && reactor->turn_began; /* a clock that cannot be read says 0 */
    if (fate__unlikely(is_known && took >= reactor->slow_callback)) {
        has_blocked(reactor, took);
        now = fate__coarse();
    }
    reactor->turn_began = now;
    return took;
}

void fate__event_end(fate_reactor *reactor)
{
    fate__turn_leave(&reactor->turns);
    reactor->n_turns++;
    if (fate__unlikely(reactor->trace.n))
        fate__trace_end(reactor);
    if (reactor->slow_callback)
        look_at_clock(reactor);
}

void fate__deliver(fate_reactor *reactor, fate_action *action, fate_value arg, const char *site)
{
    fate__event_begin(reactor, site);
    fate__lend(&arg);
    action(&arg);
    fate_drop(fate_take(&arg));
    fate__event_end(reactor);
}

static inline void call(const struct fate__post *post)
{
    fate_value arg = fate__load(&post->arg);

    fate__lend(&arg);
    post->action(&arg);
    if (fate__unlikely(arg.type && arg.type->is_counted))
        fate_drop(fate_take(&arg));
}

/* Reading the clock would be much of what a short call costs.  So it is read once for several from the same
 * line, as long as it does not go on meanwhile; then each is looked at by itself. */
static inline void look_now_and_then(fate_reactor *reactor, struct fate__readings *readings,
                                     const char *next_site)
{
    if (readings->n_unread < readings->n_unread_max && reactor->turn_site == next_site)
        return;
    if (readings->n_unread == 0 || !reactor->slow_callback)
        return;
    bool has_gone_on = look_at_clock(reactor) > 0;
    readings->n_unread = 0;
    if (has_gone_on)
        readings->n_unread_max = 1;
    else if (readings->n_unread_max < UNREAD_MAX)
        readings->n_unread_max *= 2;
}

void fate__quick_event_look(fate_reactor *reactor, const char *next_site)
{
    look_now_and_then(reactor, &reactor->readings, next_site);
}

/* One by one, for those who want to know how long each takes. */
static void deliver_traced(fate_reactor *reactor, const struct fate__post *mark)
{
    struct fate__posts *posts = &reactor->posts;

    while (posts->oldest != mark && !reactor->has_crashed) {
        const struct fate__post *post = fate__posts_next(posts);
        fate__deliver(reactor, post->action, post->arg, post->site);
    }
    fate__posts_recycle(posts);
}

void fate__deliver_posts(fate_reactor *reactor, const struct fate__post *mark)
{
    struct fate__posts *posts = &reactor->posts;
    struct fate__readings readings = { 0, 1 };

    if (fate__unlikely(reactor->trace.n)) {
        deliver_traced(reactor, mark);
        return;
    }
    fate__turn_enter(&reactor->turns);
    for (unsigned n = 1; posts->oldest != mark && !reactor->has_crashed; n++) {
        const struct fate__post *post = fate__posts_next(posts);
        look_now_and_then(reactor, &readings, post->site);
        reactor->turn_site = post->site;
        call(post);
        if (fate__has_to_sweep(&reactor->turns))
            fate__sweep(&reactor->turns);
        reactor->n_turns++;
        readings.n_unread++;
        if (n % RECYCLED_AT_ONCE == 0)
            fate__posts_recycle(posts);
    }
    look_now_and_then(reactor, &readings, NULL);
    fate__turn_leave(&reactor->turns);
    fate__posts_recycle(posts);
}

/* What is called at its end plans by the time of now: the last wake-up may be long ago. */
bool fate__end_turn_outside(fate_reactor *reactor)
{
    if (!fate__has_to_sweep(&reactor->turns))
        return false;
    fate__now(reactor);
    fate__turn_enter(&reactor->turns);
    fate__turn_leave(&reactor->turns);
    return true;
}

void fate__enter(fate_reactor *reactor, const char *what)
{
    fate__check_reactor(reactor, what, NULL);
    fate__refuse_inside(&reactor->turns, what);
    if (reactor->slow_callback)
        reactor->turn_began = fate__coarse();
    fate__end_turn_outside(reactor);
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
    if (!action)
        fate__stop(NULL, "fate_turn was given a NULL action.");
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
