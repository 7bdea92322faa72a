/* Timer floor: one hashed wheel of 65,536 slots at 1 ms, intrusive doubly linked
 * slots, cached time. 16 bytes of slot head and 40 of timer: O(1) everything, and
 * nothing that a general library must also have (a horizon past 65 s, handle checks,
 * exact wake-up time from a sparse wheel: the scan for the next deadline is by slot). */
#include "../common/bench.h"

struct link {
    struct link *next, *prev;
};
struct T {
    struct link l;
    void (*cb)(struct T *);
    void *arg;
    uint64_t due;
};

enum { SLOTS = 65536 };
static struct link wheel[SLOTS];
static uint64_t now_ms, done_ms;
static uint64_t fired;

static void t_tick(void)
{
    now_ms = now_ns() / 1000000;
}
static void on_fire(struct T *t)
{
    (void)t;
    fired++;
}
static inline void t_cancel(struct T *t)
{
    t->l.next->prev = t->l.prev;
    t->l.prev->next = t->l.next;
    t->l.next = NULL;
}
static inline void t_start(struct T *t, unsigned ms)
{
    if (t->l.next)
        t_cancel(t);
    t->cb = on_fire;
    t->due = now_ms + ms;
    struct link *h = &wheel[t->due % SLOTS];
    t->l.next = h;
    t->l.prev = h->prev;
    h->prev->next = &t->l;
    h->prev = &t->l;
}
static void t_expire(void)
{
    t_tick();
    for (; done_ms < now_ms; done_ms++) {
        struct link *h = &wheel[(done_ms + 1) % SLOTS];
        while (h->next != h) {
            struct T *t = (struct T *)h->next;
            t_cancel(t);
            t->cb(t);
        }
    }
}
static void t_in_loop(void (*fn)(void))
{
    fn();
}

static void t_rearm(struct T *t, unsigned ms)
{
    t_start(t, ms);
}
static void t_setup(void)
{
    for (int i = 0; i < SLOTS; i++)
        wheel[i].next = wheel[i].prev = &wheel[i];
    t_tick();
    done_ms = now_ms;
}
#define t_pass pass_really
#include "timers.h"

int main(int argc, char **argv)
{
    return timers_main(argc, argv);
}
