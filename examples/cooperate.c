/* A long computation that does not keep the rest of the program waiting: it is cut into steps, between which
 * a clock goes on ticking.  Another one,
 * which would never end, is given up.
 *
 * It is in none of the documents; fate_cooperate is Twisted's cooperate. */
#include "helpers.h"

/* Counts the primes below `end`, looking at 1000 numbers in each step. */
struct sieve {
    int64_t end, next, n_primes;
};

static bool is_prime(int64_t n)
{
    for (int64_t i = 2; i * i <= n; i++)
        if (n % i == 0)
            return false;
    return n > 1;
}

static fate_value look_at_some(fate_value *arg)
{
    struct sieve *sieve = fate_unbox(struct sieve, arg);

    for (int i = 0; i < 1000 && sieve->next < sieve->end; i++)
        sieve->n_primes += is_prime(sieve->next++);
    return sieve->next < sieve->end ? fate_more() : fate_int(sieve->n_primes);
}

static fate_value tick(fate_value *arg)
{
    struct stopwatch *watch = fate_unbox(struct stopwatch, arg);

    printf("tick %lld\n", seconds_since(watch->reactor, watch->started));
    return fate_none();
}

static void give_up(fate_value *task)
{
    fate_task_stop(*fate_unbox(fate_task, task));
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();

    fate_looping_call_start(fate_looping_call_new(reactor, tick, stopwatch(reactor)), FATE_SECOND, true);
    fate_deferred *primes = fate_coiterate(reactor, look_at_some, fate_box(struct sieve, .end = 250000));
    fate_add_callback(primes, print_timed, stopwatch(reactor));

    fate_task other = fate_cooperate(reactor, look_at_some, fate_box(struct sieve, .end = INT64_MAX));
    fate_add_errback(fate_task_when_done(other), print_timed, stopwatch(reactor));
    fate_call_later(reactor, fate_seconds(1.5), give_up, fate_box(fate_task, other.reactor, other.id));
    run_for(reactor, fate_seconds(3.5));
}
