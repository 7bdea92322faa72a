/* A daemon: SIGHUP has it read its settings again; SIGTERM or Ctrl-C end it, and it saves what it has first.
 *
 * Its end by a signal is no failure: the exit status is 0.  With the argument "demo" it gives itself the
 * signals that otherwise come from outside. */
#include <fate/fate.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct service {
    fate_reactor *reactor;
    fate_looping_call *working;
    bool is_demo;
};

/* Once a second.  If it fails, so does the daemon. */
static fate_value work(fate_value *arg)
{
    return fate_none();
}

static void reload(fate_value *arg)
{
    struct service *service = fate_as_ptr(arg);

    puts("SIGHUP: settings read again");
    if (service->is_demo)
        raise(SIGTERM);
}

static fate_value was_told_to_end(fate_value *why, fate_value *arg)
{
    puts("told to end");
    return fate_none();
}

static fate_value print_saved(fate_value *arg)
{
    puts("saved");
    return fate_none();
}

/* Before the shutdown, which waits for the deferred that this follows; 30 seconds at most (shutdown_max). */
static fate_value save(fate_value *arg)
{
    struct service *service = fate_as_ptr(arg);

    fate_looping_call_stop(service->working);
    puts("saving ...");
    return fate_follow(fate_defer_later(service->reactor, fate_seconds(0.1), print_saved, fate_none()));
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    static struct service service;

    service.reactor = reactor;
    service.is_demo = argc > 1 && strcmp(argv[1], "demo") == 0;
    service.working = fate_looping_call_new(reactor, work, fate_ptr(&service));
    fate_on_signal(reactor, SIGHUP, reload, fate_ptr(&service));
    fate_add_trigger(reactor, FATE_BEFORE, FATE_SHUTDOWN, save, fate_ptr(&service));
    if (service.is_demo)
        raise(SIGHUP);

    /* SIGTERM and SIGINT cancel what this returns. */
    fate_deferred *d = fate_looping_call_start(service.working, FATE_SECOND, true);
    return fate_add_trap(d, &FATE_CANCELLED, was_told_to_end, fate_none());
}

int main(int argc, char **argv)
{
    return fate_main(start, argc, argv);
}
