/* Echo on libev: an ev_io to read, one more to write while the peer reads slowly. */
#include "../common/net.h"
#include <ev.h>

struct connection {
    ev_io readable, writable;
    char *rest; /* what a peer that reads slowly has still to get, from sent to len */
    size_t sent, len, size;
};

static char buffer[65536];

static void lose(struct ev_loop *loop, struct connection *c)
{
    ev_io_stop(loop, &c->readable);
    ev_io_stop(loop, &c->writable);
    close(c->readable.fd);
    free(c->rest);
    free(c);
}

static void is_writable(struct ev_loop *loop, ev_io *w, int events)
{
    struct connection *c = w->data;
    (void)events;
    while (c->sent < c->len) {
        ssize_t n = send(w->fd, c->rest + c->sent, c->len - c->sent, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno != EAGAIN)
                lose(loop, c);
            return;
        }
        c->sent += (size_t)n;
    }
    c->sent = c->len = 0;
    ev_io_stop(loop, &c->writable);
}

static void keep(struct connection *c, const char *data, size_t len)
{
    if (c->len + len > c->size) {
        c->size = c->len + len;
        c->rest = realloc(c->rest, c->size);
        if (!c->rest)
            die("realloc");
    }
    memcpy(c->rest + c->len, data, len);
    c->len += len;
}

static void is_readable(struct ev_loop *loop, ev_io *w, int events)
{
    struct connection *c = w->data;
    (void)events;
    ssize_t len = recv(w->fd, buffer, sizeof buffer, 0), n = 0;
    if (len > 0 && !c->len)
        n = send(w->fd, buffer, (size_t)len, MSG_NOSIGNAL);
    if (len == 0 || ((len < 0 || n < 0) && errno != EAGAIN)) {
        lose(loop, c);
        return;
    }
    if (n < 0)
        n = 0;
    if (n < len) {
        keep(c, buffer + n, (size_t)(len - n));
        ev_io_start(loop, &c->writable);
    }
}

static void has_connections(struct ev_loop *loop, ev_io *w, int events)
{
    int fd;
    (void)events;
    while ((fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        if (!c)
            die("calloc");
        nodelay(fd);
        c->readable.data = c->writable.data = c;
        ev_io_init(&c->readable, is_readable, fd, EV_READ);
        ev_io_init(&c->writable, is_writable, fd, EV_WRITE);
        ev_io_start(loop, &c->readable);
    }
}

int main(int argc, char **argv)
{
    struct ev_loop *loop = ev_default_loop(EVBACKEND_EPOLL);
    ev_io listener;

    if (!loop)
        die("ev_default_loop");
    ev_io_init(&listener, has_connections, listen_loopback(port_of(argc, argv), SOCK_NONBLOCK), EV_READ);
    ev_io_start(loop, &listener);
    ready();
    return ev_run(loop, 0);
}
