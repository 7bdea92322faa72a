/* Asks a server that is busy again and again, each time after a pause twice as long, but not for ever.
 *
 * It is in none of the documents; the talk on Deferreds, 10 Exercises, asks for a retry ("try again later").
 */
#include "multiplier.h"

/* The most that we wait between two attempts. */
#define PAUSE_MAX (8 * FATE_SECOND)

static fate_value multiply_stubbornly(fate_coro *co, fate_value *arg)
{
    struct factors *factors = fate_unbox(struct factors, arg);

    for (fate_time pause = 1 * FATE_SECOND;; pause *= 2) {
        fate_value answer = fate_await(co, remote_multiply(factors->reactor, factors->a, factors->b));
        if (!fate_is(&answer, &FATE_VALUE_ERROR) || pause > PAUSE_MAX)
            return answer;

        printf("%s: try again in %lld s\n", fate_message(&answer), (long long)(pause / FATE_SECOND));
        fate_drop(answer);
        fate_value slept = fate_coro_sleep(co, pause);
        if (fate_is_failure(&slept))
            return slept; /* cancelled meanwhile */
    }
}

static void print_product(fate_reactor *reactor, int64_t a, int64_t b)
{
    fate_deferred *d = fate_go(reactor, multiply_stubbornly, fate_box(struct factors, reactor, a, b));
    fate_add_callback(d, print_timed, stopwatch(reactor));
    fate_add_errback(d, fate_log_failure, fate_ptr(reactor));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();

    print_log(reactor);
    n_to_fail = 3;
    print_product(reactor, 5, 6);
    run_for(reactor, 28 * FATE_SECOND);
}
