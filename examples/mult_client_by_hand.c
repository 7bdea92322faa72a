/* A client that asks for the key once, while the multiplications wait for it.  A callback hands each product
 * to the deferred that was given out before.  A refused key is left to mult_client_branch.c.
 *
 * From the talk on Deferreds, 4 Chaining deferreds, the first MultClient, which never uses its key again. */
#include "multiplier.h"

struct mult_client {
    fate_reactor *reactor;
    fate_value key;     /* none until we have got it */
    fate_value waiting; /* a list of struct promise */
};

static fate_value pass_to(fate_value *result, fate_value *d)
{
    fate_fire(fate_as_ptr(d), fate_take(result));
    return fate_none();
}

static fate_value got_key(fate_value *key, fate_value *arg)
{
    struct mult_client *client = fate_as_ptr(arg);
    fate_value waiting = fate_take(&client->waiting);

    client->key = fate_take(key);
    client->waiting = fate_list(0, NULL);
    for (size_t i = 0; i < fate_count(&waiting); i++) {
        struct promise *p = fate_unbox(struct promise, fate_at(&waiting, i));
        fate_deferred *d = secure_remote_multiply(client->reactor, fate_as_str(&client->key), p->a, p->b);
        fate_add_callbacks(d, pass_to, pass_to, fate_ptr(p->d));
    }
    fate_drop(waiting);
    return fate_none();
}

static fate_deferred *multiply(struct mult_client *client, int64_t a, int64_t b)
{
    fate_reactor *reactor = client->reactor;
    fate_deferred *d = fate_deferred_new(reactor);

    fate_list_append(&client->waiting, fate_box(struct promise, d, a, b));
    if (fate_count(&client->waiting) == 1) {
        bool has_key = !fate_is_none(&client->key);
        fate_deferred *key = has_key ? fate_succeed(reactor, fate_take(&client->key)) : authenticate(reactor);
        fate_add_callback(key, got_key, fate_ptr(client));
    }
    return d;
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();
    struct mult_client client = { reactor, fate_none(), fate_list(0, NULL) };

    fate_add_callback(multiply(&client, 5, 6), print_timed, stopwatch(reactor));
    fate_add_callback(multiply(&client, 5, 7), print_timed, stopwatch(reactor));
    run_for(reactor, 11 * FATE_SECOND);
    fate_drop(client.key);
    fate_drop(client.waiting);
}
