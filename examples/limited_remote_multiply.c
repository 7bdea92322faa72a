/* Limits the load on a remote server: two multiplications at a time, the third waits.
 *
 * From the talk on Deferreds, 7 Deferred semaphores, limitedRemoteMultiply. */
#include "multiplier.h"

static fate_deferred *limited_remote_multiply(fate_reactor *reactor, fate_semaphore *two, int64_t a,
                                              int64_t b)
{
    return fate_semaphore_run(two, multiply_remotely, fate_box(struct factors, reactor, a, b));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();
    fate_semaphore *two = fate_semaphore_new(reactor, 2);

    fate_add_callback(limited_remote_multiply(reactor, two, 2, 3), print_timed, stopwatch(reactor));
    fate_add_callback(limited_remote_multiply(reactor, two, 3, 4), print_timed, stopwatch(reactor));
    fate_add_callback(limited_remote_multiply(reactor, two, 4, 5), print_timed, stopwatch(reactor));
    run_for(reactor, 11 * FATE_SECOND);
}
