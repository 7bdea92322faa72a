/* Looping calls (R203-R214). */
#include <errno.h>
#include <stdio.h>

#include <base/alloc.h>
#include <base/text.h>
#include <reactor/reactor.h>

struct fate_looping_call {
    struct fate__owned owned;
    fate_function *function; /* one of the two */
    fate_counted_function *counted;
    fate_value arg;
    const char *site;
    bool is_running;
    bool is_busy;  /* its function runs, or what that followed is not done */
    bool is_freed; /* goes when it is no more busy */
    bool begins_now;
    bool has_counted;
    fate_timer timer;
    fate_deferred *d; /* start's, held; NULL when the loop has ended */
    fate_time started, interval, counted_at;
};

static const fate_type loop_type = { "looping call", FATE_KIND_OBJECT, false, false, &loop_type, NULL, true };

static fate_reactor *reactor_of(const fate_looping_call *loop)
{
    return fate__reactor(loop->owned.turns);
}

/* ---- Ending ---- */

/* start's deferred ends in v; returned when it is to run now. */
static fate_deferred *end(fate_looping_call *loop, fate_value v)
{
    fate_deferred *d = loop->d;

    loop->is_running = false;
    loop->d = NULL;
    d->holds--;
    if (d->flags & FATE__FIRED) { /* cancelled, which does not stop the loop (R214) */
        fate_drop(v);
        fate__settle(d);
        return NULL;
    }
    fate_deferred *next = fate__accept(d, v, loop->site);
    if (!next)
        fate__settle(d);
    return next;
}

/* What the function followed was abandoned, so start's deferred, which the loop has kept, will never fire
 * either (R92). */
static void abandon(fate_looping_call *loop)
{
    fate_deferred *d = loop->d;

    loop->d = NULL;
    fate__abandon(d);
    fate__release(d);
}

static void run_ended(fate_deferred *d)
{
    if (d)
        fate__run(d);
}

static void destroy(fate_looping_call *loop)
{
    if (loop->d)
        abandon(loop);
    fate_drop(loop->arg);
    fate__free(loop);
}

/* ---- The schedule ---- */

/* What start's deferred fires with: the loop, unless that is about to go. */
static fate_value loop_value(fate_looping_call *loop)
{
    return loop->is_freed ? fate_none() : fate__object(&loop_type, loop);
}

/* Whole intervals from the start to t, towards zero. */
static int64_t intervals(const fate_looping_call *loop, fate_time t)
{
    return (t - loop->started) / loop->interval;
}

/* The next multiple of the interval since the start that lies in the future (R209). */
static fate_time until_next(const fate_looping_call *loop, fate_time now)
{
    if (loop->interval == 0)
        return 0;
    return loop->interval - (now - loop->started) % loop->interval;
}

static fate_deferred *run_once(fate_looping_call *loop);

static void due(fate_value *arg)
{
    run_ended(run_once(fate_as_ptr(arg)));
}

/* Plans the next run; what is returned has ended for want of memory. */
static fate_deferred *schedule(fate_looping_call *loop)
{
    fate_reactor *reactor = reactor_of(loop);

    loop->timer =
        fate_call_later_at(reactor, until_next(loop, fate_now(reactor)), due, fate_ptr(loop), loop->site);
    if (loop->timer.id == -ENOMEM)
        return end(loop, fate__no_memory());
    return NULL;
}

/* ---- One run ---- */

/* The function is done, with or without success. */
static fate_deferred *after(fate_looping_call *loop, fate_value result)
{
    bool has_failed = fate_is_failure(&result);
    fate_deferred *next = NULL;

    loop->is_busy = false;
    if (has_failed)
        next = end(loop, result);
    else if (loop->is_running && !loop->is_freed)
        next = schedule(loop);
    else
        next = end(loop, loop_value(loop));
    if (!has_failed)
        fate_drop(result);
    if (loop->is_freed)
        destroy(loop);
    return next;
}

static fate_deferred *inner_done(fate_deferred *inner, struct fate__level *level)
{
    return after(level->arg.as.p, fate_take(&inner->result));
}

/* What the function followed was abandoned: no callback runs for that (R92), the loop just rests until it is
 * stopped. */
static void inner_gone(struct fate__level *level)
{
    fate_looping_call *loop = level->arg.as.p;

    loop->is_busy = false;
    if (loop->is_freed)
        destroy(loop);
}

static const struct fate__native inner_level = { "looping call", inner_done, inner_gone };

/* How many intervals have passed since the last count (R212). */
static int64_t count_intervals(fate_looping_call *loop)
{
    fate_time now = fate_now(reactor_of(loop));
    fate_time last = loop->has_counted  ? loop->counted_at
                     : loop->begins_now ? loop->started - loop->interval
                                        : loop->started;
    int64_t count = loop->interval ? intervals(loop, now) - intervals(loop, last) : 1;

    if (count > 0) {
        loop->has_counted = true;
        loop->counted_at = now;
    }
    return count;
}

static fate_value call_function(fate_looping_call *loop)
{
    int64_t count = loop->counted ? count_intervals(loop) : 1;
    if (count <= 0)
        return fate_none();
    fate__lend(&loop->arg);
    fate_value out = loop->counted ? loop->counted(count, &loop->arg) : loop->function(&loop->arg);
    fate__unlend(&loop->arg);
    if (fate__returned_untaken(&out, &loop->arg))
        fate__stop(loop->site,
                   "the function returned *arg, which is only lent to it (ownership, rule 1). Return "
                   "fate_copy(arg).");
    return out;
}

static fate_deferred *run_once(fate_looping_call *loop)
{
    loop->timer.id = 0;
    loop->is_busy = true;
    fate_value out = call_function(loop);
    if (!out.type || out.type->kind != FATE_KIND_FOLLOW)
        return after(loop, out);

    fate_deferred *inner = out.as.p;
    if (!fate__add_native(inner, &inner_level, loop, 0))
        return after(loop, fate__no_memory());
    return NULL;
}

/* ---- The public verbs ---- */

static void free_owned(struct fate__owned *owned)
{
    fate_looping_call_free((fate_looping_call *)owned);
}

static void look(struct fate__owned *owned, fate__see_fn *see, void *arg)
{
    const fate_looping_call *loop = (const fate_looping_call *)owned;
    char state[128] = "stopped", interval[FATE__SPAN_BYTES], due[FATE__DUE_BYTES];

    if (loop->is_busy)
        snprintf(state, sizeof state, "its function is not done");
    else if (loop->is_running)
        snprintf(state, sizeof state, "every %s, %s", fate__span_text(loop->interval, interval),
                 fate__due_text(loop->timer, due));
    fate__see_owned(owned, see, arg, state, loop->d);
}

static fate_looping_call *new_loop(fate_reactor *reactor, bool has_function, fate_value arg, const char *site)
{
    fate__check_reactor(reactor, "fate_looping_call_new", site);
    if (!has_function)
        fate__stop(site, "fate_looping_call_new was given a NULL function.");
    fate__check_given(&arg, "fate_looping_call_new", site);
    if (fate__is_no_memory(&arg))
        return (fate_looping_call *)&reactor->turns.no_memory_thing;
    fate_looping_call *loop = fate__own(reactor, sizeof *loop, free_owned, "fate_looping_call_new");
    if (loop->owned.is_no_memory) {
        fate_drop(arg);
        return loop;
    }
    loop->arg = arg;
    loop->owned.site = loop->site = site;
    loop->owned.look = look;
    return loop;
}

fate_looping_call *fate_looping_call_new_at(fate_reactor *reactor, fate_function *function, fate_value arg,
                                            const char *site)
{
    fate_looping_call *loop = new_loop(reactor, function != NULL, arg, site);
    if (!loop->owned.is_no_memory)
        loop->function = function;
    return loop;
}

fate_looping_call *fate_looping_call_new_counted_at(fate_reactor *reactor, fate_counted_function *function,
                                                    fate_value arg, const char *site)
{
    fate_looping_call *loop = new_loop(reactor, function != NULL, arg, site);
    if (!loop->owned.is_no_memory)
        loop->counted = function;
    return loop;
}

void fate_looping_call_free(fate_looping_call *loop)
{
    if (!loop || loop->owned.is_no_memory || loop->is_freed)
        return;
    bool is_busy = loop->is_busy;
    loop->is_freed = true;
    fate__disown(&loop->owned);
    fate_looping_call_stop(loop);
    if (!is_busy)
        destroy(loop);
}

struct start_call {
    fate_looping_call *loop;
    fate_time interval;
    bool now;
    const char *site;
    fate_deferred *d;
};

static void start_outside(void *arg)
{
    struct start_call *call = arg;
    call->d = fate_looping_call_start_at(call->loop, call->interval, call->now, call->site);
}

fate_deferred *fate_looping_call_start_at(fate_looping_call *loop, fate_time interval, bool now,
                                          const char *site)
{
    struct fate__turns *turns = loop->owned.turns;

    if (loop->owned.is_no_memory)
        return fate__hand_out_no_memory(turns);
    if (turns->outside) {
        struct start_call call = { loop, interval, now, site, NULL };
        turns->outside(turns, start_outside, &call);
        return call.d;
    }
    if (loop->is_freed)
        return fate_succeed_at(reactor_of(loop),
                               fate__raise(site, &FATE_CANCELLED, "the looping call is being freed"), site);
    if (loop->is_running || loop->is_busy)
        fate__stop(site, "fate_looping_call_start of a loop that runs, or whose function is not done yet "
                         "(R203). Stop it, and start it again "
                         "when its deferred has fired.");
    if (interval < 0)
        return fate_succeed_at(reactor_of(loop),
                               fate__raise(site, &FATE_VALUE_ERROR, "the interval must not be negative"),
                               site);
    fate_deferred *d = fate__library_deferred(reactor_of(loop), site);
    if (fate__is_no_memory_deferred(d) || (d->flags & FATE__FIRED))
        return d;
    if (loop->d)
        abandon(loop);
    loop->d = d;
    loop->is_running = true;
    loop->begins_now = now;
    loop->started = fate_now(reactor_of(loop));
    loop->interval = interval;
    fate__hold(d); /* the loop's */
    fate__hold(d); /* ours, since the loop may end at once */
    run_ended(now ? run_once(loop) : schedule(loop));
    fate__release(d);
    return d;
}

int fate_looping_call_stop(fate_looping_call *loop)
{
    if (loop->owned.is_no_memory || !loop->is_running)
        return -EINVAL;
    loop->is_running = false;
    if (fate_timer_cancel(loop->timer) == 0)
        run_ended(end(loop, loop_value(loop)));
    return 0;
}

int fate_looping_call_reset(fate_looping_call *loop)
{
    if (loop->owned.is_no_memory || !loop->is_running)
        return -EINVAL;
    if (fate_timer_cancel(loop->timer) == 0) {
        loop->started = fate_now(reactor_of(loop));
        run_ended(schedule(loop));
    }
    return 0;
}

bool fate_looping_call_running(const fate_looping_call *loop)
{
    return !loop->owned.is_no_memory && loop->is_running;
}

fate_looping_call *fate_as_looping_call(const fate_value *v)
{
    return fate__as_object(&loop_type, v, "fate_as_looping_call");
}

fate_looping_call *(fate_looping_call_new)(fate_reactor *reactor, fate_function *function, fate_value arg)
{
    return fate_looping_call_new_at(reactor, function, arg, "fate_looping_call_new");
}

fate_looping_call *(fate_looping_call_new_counted)(fate_reactor *reactor, fate_counted_function *function,
                                                   fate_value arg)
{
    return fate_looping_call_new_counted_at(reactor, function, arg, "fate_looping_call_new_counted");
}

fate_deferred *(fate_looping_call_start)(fate_looping_call *loop, fate_time interval, bool now)
{
    return fate_looping_call_start_at(loop, interval, now, "fate_looping_call_start");
}
