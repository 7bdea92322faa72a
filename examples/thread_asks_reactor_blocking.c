/* A multiplication in a thread that needs an answer from the reactor in its middle.
 *
 * From the talk on Deferreds, 8 Defer to thread, slowMultiply with blockingCallFromThread.  The call returns
 * when the deferred is done; a failure comes back as one. */
#include "slow.h"

struct multiplication {
    fate_reactor *reactor;
    int64_t a, b;
};

/* In the reactor. */
static fate_value remote_should_be_slower(fate_value *arg)
{
    struct multiplication *m = fate_as_ptr(arg);
    fate_deferred *d = fate_deferred_new(m->reactor);

    fate_fire_later(d, 5 * FATE_SECOND, fate_bool(m->a % 2 == 0));
    return fate_follow(d);
}

/* In a thread. */
static fate_value multiply(fate_value *arg)
{
    struct multiplication *m = fate_unbox(struct multiplication, arg);
    int64_t product = slow_multiply(m->a, m->b);
    fate_value slower = fate_blocking_call_from_thread(m->reactor, remote_should_be_slower, fate_ptr(m));

    if (fate_is_failure(&slower))
        return slower;
    if (fate_as_bool(&slower))
        sleep_5_seconds();
    return fate_int(product);
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();
    fate_value numbers = fate_box(struct multiplication, reactor, 5, 6);

    fate_add_callback(fate_defer_to_thread(reactor, multiply, numbers), fate_print, fate_none());
    run_for(reactor, 16 * FATE_SECOND);
}
