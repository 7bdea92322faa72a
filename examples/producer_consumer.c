/* A producer and a consumer, two coroutines that share a queue.  The consumer is slower, so the queue fills.
 *
 * It is in none of the documents; fate_queue is Twisted's DeferredQueue. */
#include "helpers.h"

/* What the two share. */
struct shop {
    fate_reactor *reactor;
    fate_time opened;
    fate_queue *cakes;
};

static long long now(const struct shop *shop)
{
    return seconds_since(shop->reactor, shop->opened);
}

static fate_value bake(fate_coro *co, fate_value *arg)
{
    struct shop *shop = fate_as_ptr(arg);

    for (int i = 1; i <= 4; i++) {
        fate_value baked = fate_coro_sleep(co, 1 * FATE_SECOND);
        if (fate_is_failure(&baked))
            return baked; /* cancelled meanwhile */
        printf("%lld s: baked cake %d\n", now(shop), i);
        fate_queue_put(shop->cakes, fate_int(i));
    }
    fate_queue_put(shop->cakes, fate_none()); /* that was the last one */
    return fate_none();
}

static fate_value eat(fate_coro *co, fate_value *arg)
{
    struct shop *shop = fate_as_ptr(arg);

    for (;;) {
        fate_value cake = fate_await(co, fate_queue_get(shop->cakes));
        if (fate_is_none(&cake) || fate_is_failure(&cake))
            return cake;
        printf("%lld s: eats cake %lld, %zu more\n", now(shop), (long long)fate_as_int(&cake),
               fate_queue_size(shop->cakes));
        fate_value eaten = fate_coro_sleep(co, 2 * FATE_SECOND);
        if (fate_is_failure(&eaten))
            return eaten;
    }
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();
    struct shop shop = { reactor, fate_now(reactor), fate_queue_new(reactor, FATE_UNLIMITED, 1) };

    fate_go(reactor, eat, fate_ptr(&shop));
    fate_go(reactor, bake, fate_ptr(&shop));
    run_for(reactor, 10 * FATE_SECOND);
}
