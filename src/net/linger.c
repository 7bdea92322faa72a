/* Sockets that outlive their connection for a little.
 *
 * Closing a socket to which the peer still sends is a reset, and the last of what was written might not
 * arrive: the kernel drops what it has not sent yet.  So such a socket is shut for writing only, and what
 * comes is read and dropped, until the peer has ended too or has had its time. */
#include <net/linger.h>

#include <errno.h>
#include <sys/socket.h>

#include <base/alloc.h>
#include <base/sys.h>
#include <net/net.h>
#include <reactor/reactor.h>

#define TIME_MAX  (2 * FATE_SECOND)
#define BYTES_MAX ((size_t)64 << 20)
#define MANY      64 /* the oldest goes for a new one */
#define AT_ONCE   ((size_t)256 << 10)

struct lingerer {
    struct fate__link link;
    struct fate__net *net;
    int fd;
    size_t n_dropped;
    fate_watch watch;
    fate_timer timer;
};

static const char own_site[] = FATE__OWN_SITE("a closed connection whose peer still sends");

/* How many bytes: 0 when it was empty.  *ret_is_over: the peer has ended, or there is nothing to wait for. */
static size_t drop(int fd, bool *ret_is_over)
{
    char bytes[16384];
    size_t n_dropped = 0;
    ssize_t n;

    do {
        n = fate__sys->recv(fd, bytes, sizeof bytes, 0);
        if (n > 0)
            n_dropped += (size_t)n;
    } while ((n > 0 && n_dropped < AT_ONCE) || (n < 0 && errno == EINTR));
    *ret_is_over = n == 0 || (n < 0 && errno != EAGAIN);
    return n_dropped;
}

bool fate__still_sends(int fd, bool has_sent)
{
    bool is_over;
    size_t n_dropped = drop(fd, &is_over);

    return !is_over && (has_sent || n_dropped > 0) && fate__sys->shutdown(fd, SHUT_WR) == 0;
}

static void end(struct lingerer *lingerer)
{
    fate_unwatch(lingerer->watch);
    fate_timer_cancel(lingerer->timer);
    fate__list_remove(&lingerer->link);
    lingerer->net->n_lingering--;
    fate__close(lingerer->fd);
    fate__free(lingerer);
}

static void had_its_time(fate_value *arg)
{
    end(fate_as_ptr(arg));
}

static void can_read(int fd, unsigned events, fate_value *arg)
{
    struct lingerer *lingerer = fate_as_ptr(arg);
    bool is_over;

    lingerer->n_dropped += drop(fd, &is_over);
    if (is_over || lingerer->n_dropped > BYTES_MAX)
        end(lingerer);
}

static void end_oldest(struct fate__net *net)
{
    end(fate_container_of(net->lingering.next, struct lingerer, link));
}

void fate__linger(struct fate__net *net, int fd)
{
    struct lingerer *lingerer = fate__alloc(sizeof *lingerer);

    if (!lingerer) {
        fate__close(fd);
        return;
    }
    if (net->n_lingering == MANY)
        end_oldest(net);
    *lingerer = (struct lingerer){ .net = net, .fd = fd };
    fate__list_add_last(&net->lingering, &lingerer->link);
    net->n_lingering++;
    lingerer->watch =
        fate_watch_fd_at(net->reactor, fd, FATE_READABLE, can_read, fate_ptr(lingerer), own_site);
    lingerer->timer = fate_call_later_at(net->reactor, TIME_MAX, had_its_time, fate_ptr(lingerer), own_site);
    if (lingerer->watch.id < 0 || lingerer->timer.id < 0)
        end(lingerer);
}

void fate__linger_end(struct fate__net *net)
{
    while (!fate__list_is_empty(&net->lingering))
        end_oldest(net);
}
