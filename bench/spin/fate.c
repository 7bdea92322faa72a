/* One connection on libfate: fate_watch_fd, without and with the reactor's option to spin. */
#include "../common/bench.h"
#include <fate/fate.h>

enum { HAS_SPIN = 1 };
static fate_reactor *reactor;
static fate_watch watch;

static void answer(int fd);

static void is_readable(int fd, unsigned events, fate_value *arg)
{
    answer(fd);
}

static void s_init(int fd, uint64_t spin_ns)
{
    reactor = fate_reactor_new_with(.spin = (fate_time)spin_ns);
    if (!reactor)
        die("fate_reactor_new");
    watch = fate_watch_fd(reactor, fd, FATE_READABLE, is_readable, fate_none());
    if (watch.id < 0)
        die("fate_watch_fd");
}

static void s_run(void)
{
    errno = -fate_run(reactor);
    if (errno)
        die("fate_run");
}

static void s_stop(void)
{
    fate_stop(reactor);
}

static void s_done(void)
{
    fate_unwatch(watch);
    fate_reactor_free(reactor);
}

#include "spin.h"

int main(void)
{
    return spin_main();
}
