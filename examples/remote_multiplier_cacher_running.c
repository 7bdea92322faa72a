/* A cache of products that does not ask twice either while the answer is on its way: whoever asks meanwhile
 * waits with a deferred of his own.
 *
 * From the talk on Deferreds, 6 Manufacturing deferreds, the second RemoteMultiplierCacher. */
#include "cacher.h"

struct cacher {
    fate_reactor *reactor;
    fate_value cache;   /* a dict from "a*b" to the product */
    fate_value running; /* a dict from "a*b" to a list of the deferreds that wait for it */
};

static fate_value add_to_cache(fate_value *product, fate_value *arg)
{
    struct question *asked = fate_unbox(struct question, arg);
    struct key key = key_of(asked->a, asked->b);
    fate_value waiting = fate_dict_take(&asked->cacher->running, key.text);

    fate_dict_set(&asked->cacher->cache, key.text, fate_copy(product));
    for (size_t i = 0; i < fate_count(&waiting); i++)
        fate_fire(fate_as_ptr(fate_at(&waiting, i)), fate_copy(product));
    fate_drop(waiting);
    return fate_none();
}

static fate_deferred *multiply(struct cacher *cacher, int64_t a, int64_t b)
{
    struct key key = key_of(a, b);
    const fate_value *product = fate_dict_get(&cacher->cache, key.text);
    if (product)
        return fate_succeed(cacher->reactor, fate_copy(product));

    fate_deferred *d = fate_deferred_new(cacher->reactor);
    if (append_under(&cacher->running, key.text, fate_ptr(d)) == 1)
        fate_add_callback(remote_multiply(cacher->reactor, a, b), add_to_cache,
                          fate_box(struct question, cacher, a, b));
    return d;
}

static void print_product(fate_value *cacher)
{
    fate_deferred *d = multiply(fate_as_ptr(cacher), 5, 6);
    fate_add_callback(d, print_timed, stopwatch(fate_deferred_reactor(d)));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();
    struct cacher cacher = { reactor, fate_dict(), fate_dict() };

    fate_call_later(reactor, 0, print_product, fate_ptr(&cacher));
    fate_call_later(reactor, 0, print_product, fate_ptr(&cacher));
    fate_call_later(reactor, 10 * FATE_SECOND, print_product, fate_ptr(&cacher));
    run_for(reactor, 11 * FATE_SECOND);
    fate_drop(cacher.cache);
    fate_drop(cacher.running);
}
