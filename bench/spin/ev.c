/* One connection on libev: ev_io. */
#include "../common/bench.h"
#include <ev.h>

enum { HAS_SPIN = 0 };
static struct ev_loop *loop;
static ev_io watcher;

static void answer(int fd);

static void is_readable(struct ev_loop *l, ev_io *w, int events)
{
    (void)l, (void)events;
    answer(w->fd);
}

static void s_init(int fd, uint64_t spin_ns)
{
    (void)spin_ns;
    loop = ev_loop_new(EVBACKEND_EPOLL);
    ev_io_init(&watcher, is_readable, fd, EV_READ);
    ev_io_start(loop, &watcher);
}

static void s_run(void)
{
    ev_run(loop, 0);
}

static void s_stop(void)
{
    ev_break(loop, EVBREAK_ALL);
}

static void s_done(void)
{
    ev_io_stop(loop, &watcher);
    ev_loop_destroy(loop);
}

#include "spin.h"

int main(void)
{
    return spin_main();
}
