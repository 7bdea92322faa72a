/* Sinks into descriptors, whatever those are: a terminal, a pipe, a device or a file. */
#include <output_sink.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fate/failure.h>
#include <fate/thread.h>

struct output {
    int fd;
    const char *name;
};

/* Its descriptor is its own, since the sink may go while a thread writes. */
struct output_job {
    struct output to;
    fate_value piece;
};

static void close_output(void *output)
{
    close(((struct output *)output)->fd);
}

static void end_job(void *data)
{
    struct output_job *job = data;

    close_output(&job->to);
    fate_drop(job->piece);
}

/* What is non-blocking, others may have made it that, is waited for. */
static bool may_go_on(int fd)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

    if (errno == EAGAIN)
        return poll(&poll_fd, 1, -1) >= 0 || errno == EINTR;
    return errno == EINTR;
}

/* In a thread. */
static fate_value write_all(fate_value *arg)
{
    const struct output_job *job = fate_unbox(struct output_job, arg);
    size_t len;
    const char *bytes = fate_as_bytes(&job->piece, &len);

    while (len) {
        ssize_t n = write(job->to.fd, bytes, len);
        if (n < 0 && !may_go_on(job->to.fd))
            return fate_raise_errno(errno, "write to %s", job->to.name);
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return fate_none();
}

static fate_deferred *refuse(fate_reactor *reactor, fate_value piece, int error, const char *name)
{
    fate_drop(piece);
    return fate_succeed(reactor, fate_raise_errno(error, "write to %s", name));
}

static fate_deferred *write_piece(fate_reactor *reactor, fate_value *arg, fate_value piece)
{
    const struct output *output = fate_unbox(struct output, arg);

    if (fate_detach(&piece) < 0)
        return refuse(reactor, piece, ENOMEM, output->name);
    struct output to = { fcntl(output->fd, F_DUPFD_CLOEXEC, 0), output->name };
    if (to.fd < 0)
        return refuse(reactor, piece, errno, output->name);
    return fate_defer_to_thread(reactor, write_all, fate_box_with(end_job, struct output_job, to, piece));
}

static const fate_sink_ops output_ops = { .size = sizeof output_ops, .name = "output", .write = write_piece };

static fate_value sink_to(int fd, const char *name)
{
    if (fd < 0)
        return fate_raise_errno(errno, "write to %s", name);
    return fate_sink(&output_ops, fate_box_with(close_output, struct output, fd, name));
}

fate_value fate__output_sink(void)
{
    return sink_to(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0), "standard output");
}

/* A pipe that nobody reads is not waited for: that would keep the other pages too. */
fate_value fate__device_sink(const char *path)
{
    return sink_to(open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), path);
}

bool fate__is_device(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode);
}
