/* Timers on libev: ev_timer in a cached 4-ary heap; re-arm is ev_timer_again. */
#include "../common/bench.h"
#include <ev.h>
struct T {
    ev_timer t;
    int made;
};
static uint64_t fired;
static struct ev_loop *loop;
static void (*body)(void);
static void on_fire(struct ev_loop *l, ev_timer *t, int rev)
{
    (void)l, (void)t, (void)rev;
    ev_timer_stop(l, t);
    fired++;
}
static void t_start(struct T *t, unsigned ms)
{
    if (!t->made) {
        ev_timer_init(&t->t, on_fire, 0., 0.);
        t->made = 1;
    }
    t->t.repeat = ms * 1e-3;
    ev_timer_again(loop, &t->t);
}
static void t_cancel(struct T *t)
{
    ev_timer_stop(loop, &t->t);
}
static void t_tick(void)
{
    ev_now_update(loop);
}
static void t_expire(void)
{
    ev_run(loop, EVRUN_NOWAIT);
}
static void run_body(struct ev_loop *l, ev_timer *t, int rev)
{
    (void)l, (void)t, (void)rev;
    body();
}
static void t_in_loop(void (*fn)(void))
{
    static ev_timer once;
    body = fn;
    ev_timer_init(&once, run_body, 0., 0.);
    ev_timer_start(loop, &once);
    ev_run(loop, EVRUN_NOWAIT);
}
static void t_rearm(struct T *t, unsigned ms)
{
    t_start(t, ms);
}
static void t_setup(void)
{
    loop = ev_default_loop(EVBACKEND_EPOLL);
}
#define t_pass pass_really
#include "timers.h"
int main(int argc, char **argv)
{
    return timers_main(argc, argv);
}
