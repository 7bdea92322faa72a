/* Multiplies two numbers very slowly, and meanwhile does other things: nothing.
 *
 * From "Intro to Python Asynchronous Programming and Twisted's Deferreds" by Ben Eills, slow_multiply. */
#include <fate/fate.h>
#include <stdio.h>

/* Multiplies two numbers very slowly (for a computer): it takes 3 seconds. */
static fate_deferred *slow_multiply(fate_reactor *reactor, int64_t x, int64_t y)
{
    fate_deferred *d = fate_deferred_new(reactor);
    fate_fire_later(d, 3 * FATE_SECOND, fate_int(x * y));
    return d;
}

static fate_value print_multiplication_result(fate_value *product, fate_value *arg)
{
    printf("... result is %lld!\n", (long long)fate_as_int(product));
    return fate_none();
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();

    printf("Determining result of 5 * 7...\n");
    fate_add_callback(slow_multiply(reactor, 5, 7), print_multiplication_result, fate_none());

    fate_stop_later(reactor, 4 * FATE_SECOND);
    fate_run(reactor);
    fate_reactor_free(reactor);
}
