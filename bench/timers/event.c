/* Timers on libevent: struct event (128 bytes) in a binary min-heap, event_add with a timeout. */
#include "../common/bench.h"
#include <event2/event.h>
#include <event2/event_struct.h>
struct T {
    struct event e;
    int made;
};
static uint64_t fired;
static struct event_base *base;
static void (*body)(void);
static void on_fire(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
    fired++;
}
static void t_start(struct T *t, unsigned ms)
{
    struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };
    if (!t->made) {
        evtimer_assign(&t->e, base, on_fire, t);
        t->made = 1;
    }
    event_add(&t->e, &tv);
}
static void t_cancel(struct T *t)
{
    event_del(&t->e);
}
static void t_tick(void)
{
    event_base_update_cache_time(base);
}
static void t_expire(void)
{
    event_base_loop(base, EVLOOP_NONBLOCK);
}
static void run_body(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
    body();
    event_base_loopbreak(base); /* else NONBLOCK goes on while anything is due */
}
static void t_in_loop(void (*fn)(void))
{
    struct timeval zero = { 0, 0 };
    body = fn;
    event_base_once(base, -1, EV_TIMEOUT, run_body, NULL, &zero);
    event_base_loop(base, EVLOOP_NONBLOCK);
}
static void t_rearm(struct T *t, unsigned ms)
{
    t_start(t, ms);
}
static void t_setup(void)
{
    struct event_config *cfg = event_config_new();
    event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
    base = event_base_new_with_config(cfg);
}
#define t_pass pass_really
#include "timers.h"
int main(int argc, char **argv)
{
    return timers_main(argc, argv);
}
