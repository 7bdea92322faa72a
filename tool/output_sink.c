/* A sink into standard output, whatever that is: a terminal, a pipe or a file. */
#include <output_sink.h>

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <fate/failure.h>
#include <fate/thread.h>

/* A terminal or a pipe that others have made non-blocking is waited for. */
static bool may_go_on(void)
{
    struct pollfd poll_fd = { .fd = STDOUT_FILENO, .events = POLLOUT };

    if (errno == EAGAIN)
        return poll(&poll_fd, 1, -1) >= 0 || errno == EINTR;
    return errno == EINTR;
}

/* In a thread. */
static fate_value write_all(fate_value *piece)
{
    size_t len;
    const char *bytes = fate_as_bytes(piece, &len);

    while (len) {
        ssize_t n = write(STDOUT_FILENO, bytes, len);
        if (n < 0 && !may_go_on())
            return fate_raise_errno(errno, "write to standard output");
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return fate_none();
}

static fate_deferred *write_piece(fate_reactor *reactor, fate_value *arg, fate_value piece)
{
    return fate_defer_to_thread(reactor, write_all, piece);
}

static const fate_sink_ops output_ops = { .size = sizeof output_ops,
                                          .name = "standard output",
                                          .write = write_piece };

fate_value fate__output_sink(void)
{
    return fate_sink(&output_ops, fate_none());
}
