/* The life of a reactor. */
#include <reactor/reactor.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/alloc.h>
#include <base/options.h>
#include <base/process.h>
#include <base/sys.h>
#include <reactor/signal.h>
#include <reactor/thread.h>

/* ---- Options ---- */

static const fate_reactor_options defaults = {
    .name = "main",
    .slow_callback = 100 * FATE_MILLISECOND,
    .shutdown_max = 30 * FATE_SECOND,
    .threads_max = 10,
};

static void take_options(fate_reactor *reactor, const fate_reactor_options *given)
{
    fate_reactor_options *options = &reactor->options;

    fate__take_options(options, sizeof *options, given, "fate_reactor_new_with", NULL);
    if (!options->name)
        options->name = defaults.name;
    if (!options->slow_callback)
        options->slow_callback = defaults.slow_callback;
    if (!options->shutdown_max)
        options->shutdown_max = defaults.shutdown_max;
    if (!options->threads_max)
        options->threads_max = defaults.threads_max;
    if (!options->poller)
        options->poller = getenv("FATE_POLLER");
}

/* ---- Making ---- */

static int init_parts(fate_reactor *reactor)
{
    reactor->posts.wake_fd = reactor->poller.set = reactor->timer_fd = -1;
    fate__triggers_init(&reactor->triggers);
    fate__timers_init(&reactor->timers);
    fate__readies_init(&reactor->readies);
    fate__threads_init(reactor);
    fate__log_init(reactor);
    fate__list_init(&reactor->trace.tracers);
    if (fate__turns_init(&reactor->turns) < 0)
        return -ENOMEM;
    reactor->turns.log = fate__log_from_turns;
    reactor->turns.fired_early = fate__drop_laters;
    reactor->turns.describe_later = fate__describe_later;
    return fate__posts_init(&reactor->posts);
}

static int open_world(fate_reactor *reactor)
{
    const struct fate__poller_ops *ops = fate__poller_named(reactor->options.poller);

    if (!ops)
        return -EINVAL;
    reactor->poller.ops = ops;
    reactor->poller.wake_fd = reactor->posts.wake_fd;
    reactor->slow_callback =
        reactor->options.slow_callback == FATE_NEVER ? 0 : reactor->options.slow_callback;
    reactor->spin.budget = reactor->options.spin;
    reactor->began = reactor->now = fate__monotonic();
    fate__timers_pass(&reactor->timers, reactor->now);
    return ops->open(&reactor->poller);
}

static void free_memory(fate_reactor *reactor)
{
    fate__turns_done(&reactor->turns);
    fate__timers_done(&reactor->timers);
    fate__table_done(&reactor->laters);
    fate__table_done(&reactor->tasks);
    fate__watches_done(&reactor->watches);
    fate__wait_done(reactor);
    fate__threads_done(reactor);
    fate__posts_done(&reactor->posts);
    fate__free(reactor);
}

static fate_reactor *make(const fate_reactor_options *options, bool is_simulated)
{
    fate_reactor *reactor = fate__zalloc(sizeof *reactor);

    if (!reactor) {
        errno = ENOMEM;
        return NULL;
    }
    take_options(reactor, options);
    reactor->is_simulated = is_simulated;
    fate__watch_forks();
    int why = init_parts(reactor);
    if (why == 0 && !is_simulated)
        why = open_world(reactor);
    if (why == 0 && !is_simulated && reactor->options.report_on_usr1)
        why = fate__report_on_usr1(reactor);
    if (why == 0)
        return reactor;
    fate__signals_done(reactor);
    free_memory(reactor);
    errno = -why;
    return NULL;
}

fate_reactor *fate_reactor_new_simulated(void)
{
    return make(NULL, true);
}

fate_reactor *(fate_reactor_new_with)(const fate_reactor_options *options)
{
    const char *clock = getenv("FATE_CLOCK");
    return make(options, clock && strcmp(clock, "simulated") == 0);
}

fate_reactor *fate_reactor_new(void)
{
    return (fate_reactor_new_with)(NULL);
}

/* ---- Going ---- */

/* In the child of a fork: what it shares with its parent is left alone, and nothing is called. */
static void free_in_child(fate_reactor *reactor)
{
    fate__signals_leave(reactor);
    free_memory(reactor);
}

static void drop_all(fate_reactor *reactor)
{
    fate__turns_end(&reactor->turns);
    if (reactor->net)
        reactor->end_net(reactor->net);
    fate__timers_drop(&reactor->timers);
    fate__posts_drop(&reactor->posts);
    fate__turns_empty(&reactor->turns);
    fate__watches_end(reactor, &fate__observer_kind); /* the log is heard to the end */
    fate__turns_empty(&reactor->turns);
    fate__log_end(reactor);
    fate_on_unhandled(reactor, NULL, fate_none());
    fate__turns_empty(&reactor->turns);
    fate__turns_free_owned(&reactor->turns);
    fate__turns_empty(&reactor->turns);
}

void fate_reactor_free(fate_reactor *reactor)
{
    if (!reactor)
        return;
    if (reactor->turns.forks != fate__forks) {
        free_in_child(reactor);
        return;
    }
    fate__refuse_inside(&reactor->turns, "fate_reactor_free");
    fate__refuse_in_callbacks(&reactor->turns);
    fate__own_thread(&reactor->turns);
    fate__report_left(reactor);
    atomic_store(&reactor->posts.is_closed, true);
    fate__threads_stop(reactor);
    drop_all(reactor);
    fate__posts_drop(&reactor->posts);
    fate__threads_drop(reactor);
    fate__signals_done(reactor);
    free_memory(reactor);
}
