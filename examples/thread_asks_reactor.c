/* A multiplication in a thread that needs an answer from the reactor in its middle, by hand.
 *
 * From the talk on Deferreds, 8 Defer to thread, remoteShouldBeSlower and slowMultiply with a queue;
 * thread_asks_reactor_blocking.c is the short way. */
#include <semaphore.h>

#include "slow.h"

struct multiplication {
    fate_reactor *reactor;
    int64_t a, b;
    fate_value answer;
    sem_t is_answered;
};

static fate_deferred *remote_should_be_slower(fate_reactor *reactor, int64_t a)
{
    fate_deferred *d = fate_deferred_new(reactor);
    fate_fire_later(d, 5 * FATE_SECOND, fate_bool(a % 2 == 0));
    return d;
}

/* In the reactor; the value is the thread's from here on. */
static fate_value got_answer(fate_value *answer, fate_value *arg)
{
    struct multiplication *m = fate_as_ptr(arg);

    m->answer = fate_take(answer);
    fate_pause_clock(m->reactor);
    sem_post(&m->is_answered);
    return fate_none();
}

/* In the reactor.  The thread waits, and a simulated clock need not wait for it. */
static void ask(fate_value *arg)
{
    struct multiplication *m = fate_as_ptr(arg);

    fate_unpause_clock(m->reactor);
    fate_add_both(remote_should_be_slower(m->reactor, m->a), got_answer, fate_ptr(m));
}

/* In a thread. */
static fate_value multiply(fate_value *arg)
{
    struct multiplication *m = fate_unbox(struct multiplication, arg);
    int64_t product = slow_multiply(m->a, m->b);

    sem_init(&m->is_answered, 0, 0);
    fate_call_from_thread(m->reactor, ask, fate_ptr(m));
    while (sem_wait(&m->is_answered) != 0)
        ;
    sem_destroy(&m->is_answered);
    if (fate_is_failure(&m->answer))
        return m->answer;
    if (fate_as_bool(&m->answer))
        sleep_5_seconds();
    return fate_int(product);
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();
    fate_value numbers = fate_box(struct multiplication, .reactor = reactor, .a = 5, .b = 6);

    fate_add_callback(fate_defer_to_thread(reactor, multiply, numbers), fate_print, fate_none());
    run_for(reactor, 16 * FATE_SECOND);
}
