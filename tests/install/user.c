/* A user's program: it multiplies, very slowly, and tells the library's version. */
#include <fate/fate.h>
#include <stdio.h>

static fate_value print_product(fate_value *product, fate_value *arg)
{
    printf("%lld %s\n", (long long)fate_as_int(product), fate_version());
    return fate_none();
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new_simulated();
    fate_deferred *d = fate_deferred_new(reactor);
    fate_add_callback(d, print_product, fate_none());
    fate_fire_later(d, 3 * FATE_SECOND, fate_int(5 * 7));
    fate_advance(reactor, 3 * FATE_SECOND);
    fate_reactor_free(reactor);
    return 0;
}
