/* Sinks into descriptors, whatever those are: a terminal, a pipe, a device or a file. */
#include <output_sink.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fate/failure.h>
#include <fate/thread.h>

#define LOOK_MS 100

struct output {
    int fd;
    const char *name;
    size_t piece_max; /* more at once might block, though there is room */
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

/* ---- In a thread ---- */

static atomic_bool is_given_up;

void fate__output_give_up(void)
{
    atomic_store(&is_given_up, true);
}

/* Looks up now and then, since whoever wants to end the program does not wait for a reader.  False: it is
 * given up, or an error. */
static bool has_room(int fd)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
    int n = 0;

    while (n == 0 && !atomic_load(&is_given_up)) {
        n = poll(&poll_fd, 1, LOOK_MS);
        n = n < 0 && errno == EINTR ? 0 : n;
    }
    errno = n == 0 ? EINTR : errno;
    return n > 0;
}

static ssize_t write_some(const struct output *to, const char *bytes, size_t len)
{
    if (!has_room(to->fd))
        return -1;
    ssize_t n = write(to->fd, bytes, len < to->piece_max ? len : to->piece_max);
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : n;
}

static fate_value write_all(fate_value *arg)
{
    const struct output_job *job = fate_unbox(struct output_job, arg);
    size_t len;
    const char *bytes = fate_as_bytes(&job->piece, &len);

    while (len) {
        ssize_t n = write_some(&job->to, bytes, len);
        if (n < 0)
            return fate_raise_errno(errno, "write to %s", job->to.name);
        bytes += n;
        len -= (size_t)n;
    }
    return fate_none();
}

/* ---- The sink ---- */

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
    struct output to = { fcntl(output->fd, F_DUPFD_CLOEXEC, 0), output->name, output->piece_max };
    if (to.fd < 0)
        return refuse(reactor, piece, errno, output->name);
    return fate_defer_to_thread(reactor, write_all, fate_box_with(end_job, struct output_job, to, piece));
}

static const fate_sink_ops output_ops = { .size = sizeof output_ops, .name = "output", .write = write_piece };

/* A pipe that has room has it for PIPE_BUF bytes at least.  Files never wait. */
static size_t piece_max_of(int fd)
{
    struct stat about;
    bool is_file = fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
    int flags = fcntl(fd, F_GETFL);

    return is_file || (flags >= 0 && flags & O_NONBLOCK) ? SIZE_MAX : PIPE_BUF;
}

static fate_value sink_to(int fd, const char *name)
{
    if (fd < 0)
        return fate_raise_errno(errno, "write to %s", name);
    return fate_sink(&output_ops, fate_box_with(close_output, struct output, fd, name, piece_max_of(fd)));
}

#define OPEN_FLAGS (O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/* A pipe is opened again, so that ours does not block; others may have the one that we were given. */
fate_value fate__output_sink(void)
{
    struct stat about;
    bool is_pipe = fstat(STDOUT_FILENO, &about) == 0 && S_ISFIFO(about.st_mode);
    int fd = is_pipe ? open("/proc/self/fd/1", OPEN_FLAGS) : -1;

    return sink_to(fd < 0 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0) : fd, "standard output");
}

/* A pipe that nobody reads is not waited for: that would keep the other pages too. */
fate_value fate__device_sink(const char *path)
{
    return sink_to(open(path, OPEN_FLAGS), path);
}

bool fate__is_device(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode);
}
