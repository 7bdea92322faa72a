/* Timers on libuv: uv_timer_t (152 bytes) in a pointer-based binary heap. */
#include "../common/bench.h"
#include <uv.h>
struct T {
    uv_timer_t t;
};
static uint64_t fired;
static uv_loop_t *loop;
static void (*body)(void);
static void on_fire(uv_timer_t *t)
{
    (void)t;
    fired++;
}
static void t_start(struct T *t, unsigned ms)
{
    if (!t->t.loop)
        uv_timer_init(loop, &t->t);
    uv_timer_start(&t->t, on_fire, ms, 0);
}
static void t_cancel(struct T *t)
{
    uv_timer_stop(&t->t);
}
static void t_tick(void)
{
    uv_update_time(loop);
}
static void t_expire(void)
{
    uv_run(loop, UV_RUN_NOWAIT);
}
static void run_body(uv_timer_t *t)
{
    (void)t;
    body();
}
static void t_in_loop(void (*fn)(void))
{
    static uv_timer_t once;
    body = fn;
    uv_timer_init(loop, &once);
    uv_timer_start(&once, run_body, 0, 0);
    uv_run(loop, UV_RUN_NOWAIT);
}
static void t_rearm(struct T *t, unsigned ms)
{
    t_start(t, ms);
}
static void t_setup(void)
{
    loop = uv_default_loop();
}
#define t_pass pass_really
#include "timers.h"
int main(int argc, char **argv)
{
    return timers_main(argc, argv);
}
