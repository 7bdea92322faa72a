/* Triggers. */
#include <reactor/trigger.h>

#include <errno.h>

#include <base/alloc.h>
#include <reactor/reactor.h>

struct trigger {
    struct fate__watched watched;
    struct fate__link link;
    struct fate__occasion *occasion;
    fate_function *function;
    fate_value arg;
};

void fate__triggers_init(struct fate__triggers *triggers)
{
    for (unsigned i = 0; i < 2; i++)
        for (unsigned phase = 0; phase < 3; phase++)
            fate__list_init(&triggers->occasions[i].triggers[phase]);
}

/* ---- Adding and removing ---- */

static void stop(fate_reactor *reactor, struct fate__watched *watched)
{
    struct trigger *trigger = (struct trigger *)watched;

    fate__list_remove(&trigger->link);
    fate_drop(trigger->arg);
    fate__free(trigger);
}

static const struct fate__watch_kind kind = { "trigger", stop, NULL };

static struct trigger *new_trigger(fate_reactor *reactor, fate_function *function, const fate_value *arg,
                                   const char *site)
{
    struct trigger *trigger = fate__is_no_memory(arg) ? NULL : fate__alloc(sizeof *trigger);

    if (!trigger)
        return NULL;
    trigger->function = function;
    trigger->arg = *arg;
    if (fate__watch_open(reactor, &trigger->watched, &kind, site).id >= 0)
        return trigger;
    fate__free(trigger);
    return NULL;
}

static bool is_over(const fate_reactor *reactor, const struct fate__occasion *occasion, fate_phase phase)
{
    return reactor->turns.is_ending || reactor->stage == FATE__ENDED ||
           (occasion->is_firing && phase < occasion->phase);
}

fate_watch fate_add_trigger_at(fate_reactor *reactor, fate_phase phase, fate_occasion when,
                               fate_function *function, fate_value arg, const char *site)
{
    fate__check_reactor(reactor, "fate_add_trigger", site);
    fate__check_given(&arg, "fate_add_trigger", site);
    if (!function || (unsigned)phase > FATE_AFTER || (unsigned)when > FATE_SHUTDOWN)
        fate__stop(site, "fate_add_trigger wants FATE_BEFORE, FATE_DURING or FATE_AFTER, FATE_STARTUP or "
                         "FATE_SHUTDOWN, and a function.");
    struct fate__occasion *occasion = &reactor->triggers.occasions[when];
    if (is_over(reactor, occasion, phase)) {
        fate_drop(arg);
        return (fate_watch){ reactor, -ESHUTDOWN };
    }
    struct trigger *trigger = new_trigger(reactor, function, &arg, site);
    if (!trigger) {
        fate_drop(arg);
        return (fate_watch){ reactor, -ENOMEM };
    }
    trigger->occasion = occasion;
    fate__list_add_last(&occasion->triggers[phase], &trigger->link);
    return (fate_watch){ reactor, trigger->watched.id };
}

/* ---- Running ---- */

static void one_less(const struct fate__level *level)
{
    struct fate__occasion *occasion = level->arg.as.p;

    if (occasion->is_firing && level->index == occasion->n_firings)
        occasion->n_waiting--;
}

/* Its result stays on it: a failure is reported there if nobody else handles it (R231). */
static fate_deferred *is_done(fate_deferred *d, struct fate__level *level)
{
    one_less(level);
    return NULL;
}

static void will_not_be_done(struct fate__level *level)
{
    one_less(level);
}

static const struct fate__native done_level = { "trigger", is_done, will_not_be_done };

static void wait_for(struct fate__occasion *occasion, fate_deferred *d)
{
    if (fate__is_no_memory_deferred(d))
        return;
    occasion->n_waiting++;
    if (!fate__add_native(d, &done_level, occasion, occasion->n_firings))
        occasion->n_waiting--;
}

static void take_result(fate_reactor *reactor, struct fate__occasion *occasion, fate_value out,
                        const char *site)
{
    if (out.type && out.type->kind == FATE_KIND_FOLLOW) {
        if (occasion->phase == FATE_BEFORE)
            wait_for(occasion, out.as.p);
        return;
    }
    if (fate_is_failure(&out))
        reactor->turns.log(&reactor->turns, FATE_LOG_ERROR, &out, site, "Failure in trigger");
    fate_drop(out);
}

static void run_trigger(fate_reactor *reactor, struct fate__occasion *occasion, struct trigger *trigger)
{
    const char *site = trigger->watched.site;
    fate_function *function = trigger->function;
    fate_value arg = trigger->arg;

    fate__list_remove(&trigger->link);
    fate__watch_close(reactor, &trigger->watched);
    fate__free(trigger);
    fate__event_begin(reactor, site);
    take_result(reactor, occasion, fate__call_function(function, arg, site), site);
    fate__event_end(reactor);
}

/* Those too that are added meanwhile (R233). */
static void run_phase(fate_reactor *reactor, struct fate__occasion *occasion, fate_phase phase)
{
    struct fate__link *list = &occasion->triggers[phase];

    occasion->phase = phase;
    while (!fate__list_is_empty(list) && !reactor->has_crashed)
        run_trigger(reactor, occasion, fate_container_of(list->next, struct trigger, link));
}

void fate__occasion_begin(fate_reactor *reactor, fate_occasion when)
{
    struct fate__occasion *occasion = &reactor->triggers.occasions[when];

    occasion->is_firing = true;
    occasion->n_waiting = 0;
    occasion->n_firings++;
    run_phase(reactor, occasion, FATE_BEFORE);
}

bool fate__occasion_is_ready(const fate_reactor *reactor, fate_occasion when)
{
    const struct fate__occasion *occasion = &reactor->triggers.occasions[when];

    return occasion->is_firing && occasion->n_waiting == 0;
}

void fate__occasion_finish(fate_reactor *reactor, fate_occasion when)
{
    struct fate__occasion *occasion = &reactor->triggers.occasions[when];

    run_phase(reactor, occasion, FATE_DURING);
    run_phase(reactor, occasion, FATE_AFTER);
    occasion->is_firing = false;
}

void fate__occasion_give_up(fate_reactor *reactor, fate_occasion when)
{
    reactor->triggers.occasions[when].is_firing = false;
    reactor->triggers.occasions[when].n_waiting = 0;
}

/* ---- When running ---- */

fate_watch fate_call_when_running_at(fate_reactor *reactor, fate_function *function, fate_value arg,
                                     const char *site)
{
    fate__check_reactor(reactor, "fate_call_when_running", site);
    fate__check_given(&arg, "fate_call_when_running", site);
    if (!function)
        fate__stop(site, "fate_call_when_running was given a NULL function.");
    if (!reactor->is_running)
        return fate_add_trigger_at(reactor, FATE_AFTER, FATE_STARTUP, function, arg, site);
    struct fate__occasion none = { .phase = FATE_AFTER };
    take_result(reactor, &none, fate__call_function(function, arg, site), site);
    return (fate_watch){ reactor, 0 };
}

/* ---- Without a line ---- */

fate_watch(fate_add_trigger)(fate_reactor *reactor, fate_phase phase, fate_occasion when,
                             fate_function *function, fate_value arg)
{
    return fate_add_trigger_at(reactor, phase, when, function, arg, "fate_add_trigger");
}

fate_watch(fate_call_when_running)(fate_reactor *reactor, fate_function *function, fate_value arg)
{
    return fate_call_when_running_at(reactor, function, arg, "fate_call_when_running");
}
