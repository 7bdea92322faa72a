/* The floor of one connection: bare epoll, which for a spin looks without waiting before it sleeps. */
#include "../common/bench.h"
#include <stdbool.h>
#include <sys/epoll.h>

enum { HAS_SPIN = 1 };
static int epoll_fd;
static uint64_t spin;
static bool is_stopped;

static void answer(int fd);

static void s_init(int fd, uint64_t spin_ns)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    spin = spin_ns;
    is_stopped = false;
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll");
}

static int look_for_a_while(struct epoll_event *event)
{
    uint64_t end = now_ns() + spin;
    do {
        int n = epoll_wait(epoll_fd, event, 1, 0);
        if (n)
            return n;
    } while (now_ns() < end);
    return 0;
}

static void s_run(void)
{
    struct epoll_event event;
    while (!is_stopped) {
        int n = spin ? look_for_a_while(&event) : 0;
        if (!n)
            n = epoll_wait(epoll_fd, &event, 1, -1);
        if (n > 0)
            answer(event.data.fd);
    }
}

static void s_stop(void)
{
    is_stopped = true;
}

static void s_done(void)
{
    close(epoll_fd);
}

#include "spin.h"

int main(void)
{
    return spin_main();
}
