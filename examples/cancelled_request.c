/* A request whose answer nobody waits for any more: cancelling its deferred calls its canceller, which hangs
 * up.
 *
 * It is in none of the documents; cancelling came to Twisted after they were written. */
#include "helpers.h"

struct request {
    fate_reactor *reactor;
    fate_timer server; /* it answers when that is due */
};

static void send_answer(fate_value *d)
{
    fate_fire(fate_as_ptr(d), fate_str("the page"));
}

/* The canceller: it sees to it that nobody fires the deferred, which then fails with FATE_CANCELLED. */
static void hang_up(fate_deferred *d, fate_value *arg)
{
    struct request *request = fate_as_ptr(arg);
    printf("hanging up\n");
    fate_timer_cancel(request->server);
}

static fate_deferred *ask(struct request *request, fate_time takes)
{
    fate_deferred *d = fate_deferred_new_cancellable(request->reactor, hang_up, fate_ptr(request));
    request->server = fate_call_later(request->reactor, takes, send_answer, fate_ptr(d));
    return d;
}

static fate_value got_tired(fate_value *why, fate_value *arg)
{
    return fate_str("nothing, since nobody waits for it");
}

static void cancel(fate_value *d)
{
    fate_cancel(fate_as_deferred(d));
}

/* Somebody who asks, but waits no longer than two seconds.  Until then he holds what he may cancel. */
static void ask_impatiently(struct request *request, fate_time takes)
{
    fate_deferred *d = ask(request, takes);
    fate_add_trap(d, &FATE_CANCELLED, got_tired, fate_none());
    fate_add_callback(d, print_timed, stopwatch(request->reactor));
    fate_call_later(request->reactor, 2 * FATE_SECOND, cancel, fate_held(d));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();
    struct request quick = { .reactor = reactor }, slow = { .reactor = reactor };

    ask_impatiently(&quick, 1 * FATE_SECOND);
    ask_impatiently(&slow, 5 * FATE_SECOND);
    run_for(reactor, 6 * FATE_SECOND);
}
