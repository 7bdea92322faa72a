/* A cache of products, in its simplest version: what is known is not asked for again.
 *
 * From the talk on Deferreds, 6 Manufacturing deferreds, the first RemoteMultiplierCacher. */
#include "cacher.h"

struct cacher {
    fate_reactor *reactor;
    fate_value cache; /* a dict from "a*b" to the product */
};

static fate_value add_to_cache(fate_value *product, fate_value *arg)
{
    struct question *asked = fate_unbox(struct question, arg);

    fate_dict_set(&asked->cacher->cache, key_of(asked->a, asked->b).text, fate_copy(product));
    return fate_take(product);
}

static fate_deferred *multiply(struct cacher *cacher, int64_t a, int64_t b)
{
    const fate_value *product = fate_dict_get(&cacher->cache, key_of(a, b).text);

    if (product)
        return fate_succeed(cacher->reactor, fate_copy(product));
    return fate_add_callback(remote_multiply(cacher->reactor, a, b), add_to_cache,
                             fate_box(struct question, cacher, a, b));
}

static void print_product(fate_value *cacher)
{
    fate_deferred *d = multiply(fate_as_ptr(cacher), 5, 6);
    fate_add_callback(d, print_timed, stopwatch(fate_deferred_reactor(d)));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();
    struct cacher cacher = { reactor, fate_dict() };

    fate_call_later(reactor, 0, print_product, fate_ptr(&cacher));
    fate_call_later(reactor, 10 * FATE_SECOND, print_product, fate_ptr(&cacher));
    run_for(reactor, 11 * FATE_SECOND);
    fate_drop(cacher.cache);
}
