/* Libfate's own way to a MultClient: the deferred of the key is kept, and each multiplication waits for a
 * branch of it.  A key that was refused is forgotten, so that the next caller asks again.
 *
 * After the talk on Deferreds, 4 Chaining deferreds, MultClient. */
#include "multiplier.h"

struct mult_client {
    fate_reactor *reactor;
    fate_deferred *key; /* held; NULL until somebody asks */
};

static fate_value multiply_with_key(fate_value *key, fate_value *arg)
{
    struct factors *factors = fate_unbox(struct factors, arg);
    return fate_follow(secure_remote_multiply(factors->reactor, fate_as_str(key), factors->a, factors->b));
}

static fate_value forget_key(fate_value *why, fate_value *arg)
{
    struct mult_client *client = fate_as_ptr(arg);
    fate_release(client->key);
    client->key = NULL;
    return fate_take(why);
}

static fate_deferred *get_key(struct mult_client *client)
{
    if (client->key)
        return client->key;
    fate_deferred *key = client->key = fate_hold(authenticate(client->reactor));
    return fate_add_errback(key, forget_key, fate_ptr(client)); /* which may run at once: hence the local */
}

static fate_deferred *multiply(struct mult_client *client, int64_t a, int64_t b)
{
    return fate_add_callback(fate_branch(get_key(client)), multiply_with_key,
                             fate_box(struct factors, client->reactor, a, b));
}

static void multiply_again(fate_value *arg)
{
    struct mult_client *client = fate_as_ptr(arg);
    fate_add_callback(multiply(client, 5, 8), print_timed, stopwatch(client->reactor));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();
    struct mult_client client = { reactor, NULL };

    fate_add_callback(multiply(&client, 5, 6), print_timed, stopwatch(reactor));
    fate_add_callback(multiply(&client, 5, 7), print_timed, stopwatch(reactor));
    fate_call_later(reactor, 20 * FATE_SECOND, multiply_again, fate_ptr(&client));
    run_for(reactor, 26 * FATE_SECOND);
}
