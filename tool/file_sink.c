/* Sinks for pages.  Opening, closing and renaming are quick enough to be done at once; writing is not. */
#include <file_sink.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/alloc.h>
#include <base/text.h>
#include <fate/failure.h>
#include <fate/thread.h>

struct output {
    char *path, *temporary; /* temporary is NULL while there is none */
    int fd;                 /* -1: not open */
};

static bool is_standard(const struct output *output)
{
    return strcmp(output->path, "-") == 0;
}

static void close_output(struct output *output)
{
    if (output->fd > 2)
        close(output->fd);
    output->fd = -1;
}

static void forget_temporary(struct output *output)
{
    fate__free(output->temporary);
    output->temporary = NULL;
}

static void drop_output(void *data)
{
    struct output *output = data;

    close_output(output);
    if (output->temporary)
        unlink(output->temporary);
    forget_temporary(output);
    fate__free(output->path);
}

/* ---- Opening ---- */

/* Beside the file, so that renaming stays in one file system. */
static char *temporary_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0, bytes = strlen(path) + sizeof ".."
                                                                                          "XXXXXX";
    char *name = fate__alloc(bytes);

    if (name)
        snprintf(name, bytes, "%.*s.%s.XXXXXX", (int)folder, path, path + folder);
    return name;
}

/* mkostemp lets nobody else read; a page is as readable as any other new file. */
static void make_readable(int fd)
{
    mode_t mask = umask(0);

    umask(mask);
    (void)fchmod(fd, 0666 & ~mask);
}

static fate_value open_output(struct output *output)
{
    struct stat about;

    if (is_standard(output)) {
        output->fd = 1;
        return fate_none();
    }
    if (stat(output->path, &about) == 0 && S_ISDIR(about.st_mode))
        return fate_raise_errno(EISDIR, "write %s", output->path);
    output->temporary = temporary_name(output->path);
    output->fd = output->temporary ? mkostemp(output->temporary, O_CLOEXEC) : -1;
    if (output->fd < 0) {
        int error = output->temporary ? errno : ENOMEM;
        forget_temporary(output);
        return fate_raise_errno(error, "write %s", output->path);
    }
    make_readable(output->fd);
    return fate_none();
}

/* ---- Writing ---- */

/* In a thread: [fd, path, piece]. */
static fate_value write_all(fate_value *arg)
{
    int fd = (int)fate_as_int(fate_at(arg, 0));
    size_t len;
    const char *bytes = fate_as_bytes(fate_at(arg, 2), &len);

    while (len) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fate_raise_errno(errno, "write %s", fate_as_str(fate_at(arg, 1)));
        bytes += n;
        len -= (size_t)n;
    }
    return fate_none();
}

static fate_deferred *write_piece(fate_reactor *reactor, fate_value *arg, fate_value piece)
{
    struct output *output = fate_unbox(struct output, arg);
    fate_value trouble = output->fd < 0 ? open_output(output) : fate_none();

    if (fate_is_failure(&trouble)) {
        fate_drop(piece);
        return fate_fail(reactor, trouble);
    }
    fate_value path = fate_str(is_standard(output) ? "standard output" : output->path);
    return fate_defer_to_thread(reactor, write_all, fate_list_of(fate_int(output->fd), path, piece));
}

/* ---- The end ---- */

static fate_value complete(struct output *output)
{
    if (is_standard(output))
        return fate_none();
    /* An empty page has written nothing. */
    fate_value trouble = output->fd < 0 ? open_output(output) : fate_none();
    if (fate_is_failure(&trouble))
        return trouble;
    int fd = output->fd;
    output->fd = -1;
    if (close(fd) < 0 || rename(output->temporary, output->path) < 0)
        return fate_raise_errno(errno, "write %s", output->path);
    forget_temporary(output);
    return fate_none();
}

/* What is not complete goes with the sink. */
static fate_deferred *end_output(fate_reactor *reactor, fate_value *arg, fate_value *why)
{
    struct output *output = fate_unbox(struct output, arg);

    if (fate_is_failure(why))
        return fate_succeed(reactor, fate_none());
    return fate_succeed(reactor, complete(output));
}

static const fate_sink_ops output_ops = {
    .size = sizeof output_ops, .name = "file", .write = write_piece, .end = end_output
};

fate_value fate__file_sink(const char *path)
{
    struct output output = { .path = fate__alloc(strlen(path) + 1), .fd = -1 };

    if (!output.path)
        return fate_raise_errno(ENOMEM, "write %s", path);
    strcpy(output.path, path);
    return fate_sink(&output_ops, fate_box_new("struct output", sizeof output, &output, drop_output));
}
