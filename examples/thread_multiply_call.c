/* Multiplies in a thread of the reactor's pool, which gives the product back to the reactor.
 *
 * From the talk on Deferreds, 8 Defer to thread, threadMultiply with callInThread. */
#include "slow.h"

struct multiplication {
    fate_reactor *reactor;
    fate_deferred *d;
    int64_t a, b, product;
};

/* In the reactor. */
static void got_product(fate_value *arg)
{
    struct multiplication *m = fate_unbox(struct multiplication, arg);

    fate_fire(m->d, fate_int(m->product));
}

/* In a thread. */
static fate_value multiply(fate_value *arg)
{
    struct multiplication *m = fate_unbox(struct multiplication, arg);

    m->product = slow_multiply(m->a, m->b);
    fate_call_from_thread(m->reactor, got_product, fate_take(arg));
    return fate_none();
}

static fate_deferred *thread_multiply(fate_reactor *reactor, int64_t a, int64_t b)
{
    fate_deferred *d = fate_deferred_new(reactor);

    fate_call_in_thread(reactor, multiply, fate_box(struct multiplication, reactor, d, a, b, 0));
    return d;
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();

    fate_add_callback(thread_multiply(reactor, 5, 6), fate_print, fate_none());
    run_for(reactor, 6 * FATE_SECOND);
}
