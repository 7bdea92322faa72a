/* Straight-line code that waits: a coroutine awaits one multiplication after the other.
 *
 * From the talk on Deferreds, 9 Inline callbacks, multiplyList. */
#include "multiplier.h"

static fate_value multiply_list(fate_coro *co, fate_value *numbers)
{
    int64_t product = 1;

    for (size_t i = 0; i < fate_count(numbers); i++) {
        int64_t factor = fate_as_int(fate_at(numbers, i));
        fate_value v = fate_await(co, remote_multiply(fate_coro_reactor(co), product, factor));
        if (fate_is_failure(&v))
            return v;
        product = fate_as_int(&v);
    }
    return fate_int(product);
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();
    fate_value numbers =
        fate_list_of(fate_int(2), fate_int(3), fate_int(4), fate_int(5), fate_int(6), fate_int(7));

    fate_add_callback(fate_go(reactor, multiply_list, numbers), print_timed, stopwatch(reactor));
    run_for(reactor, 31 * FATE_SECOND);
}
