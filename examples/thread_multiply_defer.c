/* Multiplies in a thread: its product, or its failure, becomes the result of a deferred.
 *
 * From the talk on Deferreds, 8 Defer to thread, threadMultiply with deferToThread. */
#include "slow.h"

struct factors {
    int64_t a, b;
};

/* In a thread: values in, values out. */
static fate_value multiply(fate_value *arg)
{
    struct factors *factors = fate_unbox(struct factors, arg);

    return fate_int(slow_multiply(factors->a, factors->b));
}

static fate_deferred *thread_multiply(fate_reactor *reactor, int64_t a, int64_t b)
{
    return fate_defer_to_thread(reactor, multiply, fate_box(struct factors, a, b));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();

    fate_add_callback(thread_multiply(reactor, 5, 6), fate_print, fate_none());
    run_for(reactor, 6 * FATE_SECOND);
}
