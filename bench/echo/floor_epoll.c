/* The floor of an echo server: bare epoll, edge-triggered, one read buffer for all connections.
 *
 * A read that fills less than the buffer is taken to have emptied the socket, since epoll reports the next
 * arrival; so a message costs recv, send and a share of one epoll_wait.  BENCH_SPIN=MICROSECONDS looks for
 * work for so long before it sleeps. */
#include "../common/net.h"
#include <sys/epoll.h>

enum { EVENTS_MAX = 256 };

struct connection {
    int fd;
    char *rest; /* what a peer that reads slowly has still to get, from sent to len */
    size_t sent, len, size;
};

static char buffer[65536];

/* 0, also if the peer takes no more for now; -1 if the connection is lost. */
static int send_rest(struct connection *c)
{
    while (c->sent < c->len) {
        ssize_t n = send(c->fd, c->rest + c->sent, c->len - c->sent, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        c->sent += (size_t)n;
    }
    c->sent = c->len = 0;
    return 0;
}

static int keep(struct connection *c, const char *data, size_t len)
{
    if (c->len + len > c->size) {
        char *rest = realloc(c->rest, c->len + len);
        if (!rest)
            return -1;
        c->rest = rest;
        c->size = c->len + len;
    }
    memcpy(c->rest + c->len, data, len);
    c->len += len;
    return 0;
}

static int send_back(struct connection *c, size_t len)
{
    size_t sent = 0;
    while (!c->len && sent < len) {
        ssize_t n = send(c->fd, buffer + sent, len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return -1;
        if (n < 0)
            break;
        sent += (size_t)n;
    }
    return sent < len ? keep(c, buffer + sent, len - sent) : 0;
}

static int serve(struct connection *c, uint32_t events)
{
    if (c->len && (events & EPOLLOUT) && send_rest(c) < 0)
        return -1;
    if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
        return 0;
    for (;;) {
        ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
        if (n <= 0)
            return n < 0 && errno == EAGAIN ? 0 : -1;
        if (send_back(c, (size_t)n) < 0)
            return -1;
        if ((size_t)n < sizeof buffer)
            return 0;
    }
}

static void lose(struct connection *c)
{
    close(c->fd);
    free(c->rest);
    free(c);
}

static void accept_all(int listener, int epoll_fd)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c };
        if (!c)
            die("calloc");
        nodelay(fd);
        c->fd = fd;
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
            die("epoll_ctl");
    }
    if (errno != EAGAIN && errno != ECONNABORTED)
        die("accept");
}

static int wait_for_events(int epoll_fd, struct epoll_event *events, uint64_t spin_ns)
{
    uint64_t end = spin_ns ? now_ns() + spin_ns : 0;
    while (spin_ns && now_ns() < end) {
        int n = epoll_wait(epoll_fd, events, EVENTS_MAX, 0);
        if (n)
            return n;
    }
    return epoll_wait(epoll_fd, events, EVENTS_MAX, -1);
}

int main(int argc, char **argv)
{
    const char *spin = getenv("BENCH_SPIN");
    uint64_t spin_ns = spin ? strtoull(spin, NULL, 10) * 1000 : 0;
    struct epoll_event event = { .events = EPOLLIN }, events[EVENTS_MAX];
    int listener = listen_loopback(port_of(argc, argv), SOCK_NONBLOCK);
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) < 0)
        die("epoll");
    ready();
    for (;;) {
        int n = wait_for_events(epoll_fd, events, spin_ns);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c)
                accept_all(listener, epoll_fd);
            else if (serve(c, events[i].events) < 0)
                lose(c);
        }
    }
}
