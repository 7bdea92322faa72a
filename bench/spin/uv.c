/* One connection on libuv: uv_poll. */
#include "../common/bench.h"
#include <uv.h>

enum { HAS_SPIN = 0 };
static uv_loop_t loop;
static uv_poll_t poller;
static int watched;

static void answer(int fd);

static void is_readable(uv_poll_t *handle, int status, int events)
{
    (void)handle, (void)status, (void)events;
    answer(watched);
}

static void s_init(int fd, uint64_t spin_ns)
{
    (void)spin_ns;
    watched = fd;
    uv_loop_init(&loop);
    uv_poll_init(&loop, &poller, fd);
    uv_poll_start(&poller, UV_READABLE, is_readable);
}

static void s_run(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void s_stop(void)
{
    uv_stop(&loop);
}

static void s_done(void)
{
    uv_close((uv_handle_t *)&poller, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

#include "spin.h"

int main(void)
{
    return spin_main();
}
