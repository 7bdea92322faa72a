/* Files as sources: opened and read in the reactor's pool, or handed to the kernel to be sent.
 *
 * One job at a time has the file, and the source has it in between; a job that is still under way when the
 * source goes has it for itself. */
#include <reactor/stream.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>

#include <base/alloc.h>
#include <base/sys.h>
#include <fate/thread.h>
#include <reactor/reactor.h>

struct file {
    atomic_uint refs; /* the source's, and a job's */
    fate_reactor *reactor;
    int fd;          /* -1: not opened yet, or closed at the end */
    int64_t n_bytes; /* how long it was when it was opened */
    char path[];
};

struct file_ref {
    struct file *file;
};

/* What a job is given. */
struct file_job {
    struct file *file;
    size_t bytes_max;
};

/* ---- Life ---- */

static void unref(struct file *file)
{
    if (atomic_fetch_sub_explicit(&file->refs, 1, memory_order_acq_rel) > 1)
        return;
    fate__close(file->fd);
    fate__free(file);
}

static void source_has_gone(void *ref)
{
    unref(((struct file_ref *)ref)->file);
}

static void job_has_gone(void *job)
{
    unref(((struct file_job *)job)->file);
}

static struct file *file_in(const fate_value *arg)
{
    return fate_unbox(struct file_ref, arg)->file;
}

/* ---- In a thread ---- */

static fate_value failed(const struct file *file, const char *verb, int why)
{
    return fate_raise_errno_at("fate_file_source", NULL, why, "%s %s", verb, file->path);
}

static int open_plain(const char *path)
{
    int fd;

    /* Of what is no plain file neither opening nor reading may wait: it would keep a thread. */
    do
        fd = fate__sys->open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* None, or why it cannot be read. */
static fate_value look_at(struct file *file)
{
    struct stat about;

    if (fate__sys->fstat(file->fd, &about) < 0)
        return failed(file, "look at", errno);
    if (S_ISDIR(about.st_mode))
        return failed(file, "read", EISDIR);
    if (!S_ISREG(about.st_mode))
        return fate_raise_errno_at(
            "fate_file_source", NULL, EINVAL,
            "read %s, which is no plain file; a pipe or a device is read by a process of its own",
            file->path);
    file->n_bytes = about.st_size;
    return fate_none();
}

static fate_value open_now(struct file *file)
{
    if (file->fd >= 0)
        return fate_none();
    file->fd = open_plain(file->path);
    return file->fd < 0 ? failed(file, "open", errno) : look_at(file);
}

static fate_value open_in_thread(fate_value *arg)
{
    struct file *file = fate_unbox(struct file_job, arg)->file;
    fate_value why = open_now(file);

    return fate_is_failure(&why) ? why : fate_int(file->n_bytes);
}

static fate_value read_now(struct file *file, size_t len)
{
    char piece[FATE__PIECE_BYTES_MAX];
    ssize_t n;

    do
        n = fate__sys->read(file->fd, piece, len < sizeof piece ? len : sizeof piece);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        return fate_str_n(piece, (size_t)n);
    return n < 0 ? failed(file, "read", errno) : fate_none();
}

/* After the end the descriptor is of no use. */
static fate_value read_in_thread(fate_value *arg)
{
    struct file_job *job = fate_unbox(struct file_job, arg);
    struct file *file = job->file;
    fate_value piece = open_now(file);

    if (!fate_is_failure(&piece))
        piece = read_now(file, job->bytes_max);
    if (fate_is_none(&piece) || fate_is_failure(&piece)) {
        fate__close(file->fd);
        file->fd = -1;
    }
    return piece;
}

/* ---- The source ---- */

static fate_deferred *defer(struct file *file, fate_function *function, size_t bytes_max)
{
    atomic_fetch_add_explicit(&file->refs, 1, memory_order_relaxed);
    fate_value job = fate_box_with(job_has_gone, struct file_job, file, bytes_max);
    return fate_defer_to_thread_at(file->reactor, function, job, FATE__OWN_SITE("a file that is read"));
}

static fate_deferred *read_piece(fate_value *arg, size_t bytes_max)
{
    return defer(file_in(arg), read_in_thread, bytes_max);
}

static const fate_source_ops file_source_ops = { .size = sizeof file_source_ops,
                                                 .name = "file",
                                                 .read = read_piece };

fate_value fate_file_source(fate_reactor *reactor, const char *path)
{
    fate__check_reactor(reactor, "fate_file_source", NULL);
    if (!path)
        fate__stop(NULL, "fate_file_source was given a NULL path.");
    size_t len = strlen(path) + 1;
    struct file *file = fate__alloc(sizeof *file + len);
    fate_value arg = fate__no_memory();

    if (file) {
        atomic_init(&file->refs, 1);
        file->reactor = reactor;
        file->fd = -1;
        file->n_bytes = 0;
        memcpy(file->path, path, len);
        arg = fate_box_with(source_has_gone, struct file_ref, file);
    }
    return fate_source(reactor, &file_source_ops, arg);
}

/* ---- To be sent ---- */

bool fate__file_is_unread(const fate_value *source)
{
    return fate__source_unread(source, &file_source_ops) != NULL;
}

fate_deferred *fate__file_open(const fate_value *source)
{
    return defer(file_in(fate__source_unread(source, &file_source_ops)), open_in_thread, 0);
}

int fate__file_copy_fd(const fate_value *source)
{
    const struct file *file = file_in(fate__source_unread(source, &file_source_ops));
    int fd = fate__sys->dup_above(file->fd, 0);

    return fd < 0 ? -errno : fd;
}
