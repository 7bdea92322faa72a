/* The cache with its error handling, which the text leaves as an exercise: a failure is not cached.  It goes
 * to whoever has waited longest; for the others multiply is called again, which knows the product, or asks
 * again.
 *
 * After the talk on Deferreds, 6 Manufacturing deferreds. */
#include "cacher.h"

struct cacher {
    fate_reactor *reactor;
    fate_value cache;   /* a dict from "a*b" to the product */
    fate_value running; /* a dict from "a*b" to a list of deferreds, held: they may be cancelled */
};

static fate_deferred *multiply(struct cacher *cacher, int64_t a, int64_t b);

static fate_value got_answer(fate_value *answer, fate_value *arg)
{
    struct question *asked = fate_unbox(struct question, arg);
    struct key key = key_of(asked->a, asked->b);
    fate_value waiting = fate_dict_take(&asked->cacher->running, key.text);

    if (!fate_is_failure(answer))
        fate_dict_set(&asked->cacher->cache, key.text, fate_copy(answer));
    fate_fire(fate_as_deferred(fate_at(&waiting, 0)), fate_take(answer));
    for (size_t i = 1; i < fate_count(&waiting); i++)
        fate_chain(multiply(asked->cacher, asked->a, asked->b), fate_as_deferred(fate_at(&waiting, i)));
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
    if (append_under(&cacher->running, key.text, fate_held(d)) == 1)
        fate_add_both(remote_multiply(cacher->reactor, a, b), got_answer,
                      fate_box(struct question, cacher, a, b));
    return d;
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();
    struct cacher cacher = { reactor, fate_dict(), fate_dict() };

    print_log(reactor);
    n_to_fail = 2;
    for (int i = 0; i < 4; i++) {
        fate_deferred *d = multiply(&cacher, 5, 6);
        fate_add_callback(d, print_timed, stopwatch(reactor));
        fate_add_errback(d, fate_log_failure, fate_ptr(reactor));
    }
    run_for(reactor, 16 * FATE_SECOND);
    fate_drop(cacher.cache);
    fate_drop(cacher.running);
}
