/* Multiplies in a thread of its own, which gives the product back to the reactor.
 *
 * From the talk on Deferreds, 8 Defer to thread, threadMultiply.  It is perfectly functional, but makes a
 * thread for each multiplication. */
#include <pthread.h>

#include "slow.h"

struct multiplication {
    fate_reactor *reactor;
    fate_deferred *d;
    pthread_t thread;
    int64_t a, b;
};

/* In the reactor: the only function that its thread may call is fate_call_from_thread. */
static void got_product(fate_value *arg)
{
    struct multiplication *m = fate_as_ptr(arg);

    pthread_join(m->thread, NULL);
    fate_unpause_clock(m->reactor);
    fate_fire(m->d, fate_int(m->a));
    free(m);
}

/* In the thread. */
static void *multiply(void *arg)
{
    struct multiplication *m = arg;

    m->a = slow_multiply(m->a, m->b);
    fate_call_from_thread(m->reactor, got_product, fate_ptr(m));
    return NULL;
}

static fate_deferred *thread_multiply(fate_reactor *reactor, int64_t a, int64_t b)
{
    struct multiplication *m = malloc(sizeof *m);

    if (!m)
        return fate_fail(reactor, fate_raise(&FATE_NO_MEMORY, "a multiplication"));
    *m = (struct multiplication){ .reactor = reactor, .d = fate_deferred_new(reactor), .a = a, .b = b };
    fate_pause_clock(reactor); /* a simulated clock is to wait for the thread */
    if (pthread_create(&m->thread, NULL, multiply, m) != 0)
        exit(EXIT_FAILURE);
    return m->d;
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();

    fate_add_callback(thread_multiply(reactor, 5, 6), fate_print, fate_none());
    run_for(reactor, 6 * FATE_SECOND);
}
