/* Files as sinks: what comes is written, in the reactor's pool, to a temporary file beside the one that is
 * wanted, which takes its place at the end.  So nobody sees half a file, and an old one stays until the new
 * one is whole.
 *
 * One job at a time has the file: pieces and the end wait in a line.  Whoever has the last reference to it,
 * the sink or a job, removes what has not been put into its place. */
#include <reactor/stream.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <base/alloc.h>
#include <base/list.h>
#include <base/sys.h>
#include <deferred/ear.h>
#include <fate/thread.h>
#include <reactor/reactor.h>

#define SITE       FATE__OWN_SITE("a file that is written")
#define NAME_BYTES 200 /* of the wanted name that are in the temporary one */
#define NAME_ROOM  (NAME_BYTES + 32)
#define NAMES_MAX  100

struct file_sink;

/* What the jobs work on. */
struct file {
    atomic_uint refs; /* the sink's, and a job's */
    int fd;           /* -1: not opened yet, or closed */
    char *temporary;  /* NULL: there is none */
    char path[];
};

/* A piece, or the end, that waits for its job. */
struct step {
    struct fate__link link;
    struct file_sink *sink;
    fate_value piece;
    bool is_end;
    fate_deferred *d; /* NULL: nobody waits for it */
};

struct file_sink {
    fate_reactor *reactor;   /* from the first step on */
    struct file *file;       /* NULL: it has been given up */
    struct fate__link steps; /* the first is being done while the ear listens */
    struct fate__ear ear;
    fate_value why; /* the failure then */
    bool is_gone, is_going_on;
};

struct sink_ref {
    struct file_sink *sink;
};

struct file_job {
    struct file *file;
    fate_value piece;
};

/* ---- The file, in a thread ---- */

static void remove_temporary(struct file *file)
{
    fate__close(file->fd);
    file->fd = -1;
    if (file->temporary)
        (void)fate__sys->unlink(file->temporary);
    fate__free(file->temporary);
    file->temporary = NULL;
}

static void unref(struct file *file)
{
    if (!file || atomic_fetch_sub_explicit(&file->refs, 1, memory_order_acq_rel) > 1)
        return;
    remove_temporary(file);
    fate__free(file);
}

static void job_has_gone(void *data)
{
    struct file_job *job = data;

    fate_drop(job->piece);
    unref(job->file);
}

static fate_value failed(const struct file *file, const char *verb, int why)
{
    return fate_raise_errno_at("fate_file_sink", NULL, why, "%s %s", verb, file->path);
}

static int open_new(const char *path)
{
    int fd;

    do
        fd = fate__sys->open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* "folder/.name.PID-I": beside the wanted one, since nothing is renamed from one file system to another. */
static fate_value open_temporary(struct file *file)
{
    const char *slash = strrchr(file->path, '/');
    int folder_len = slash ? (int)(slash + 1 - file->path) : 0;
    size_t room = (size_t)folder_len + NAME_ROOM;
    char *name = fate__alloc(room);

    if (!name)
        return fate__no_memory();
    for (unsigned i = 0; i < NAMES_MAX; i++) {
        snprintf(name, room, "%.*s.%.*s.%ld-%u", folder_len, file->path, NAME_BYTES, file->path + folder_len,
                 (long)getpid(), i);
        file->fd = open_new(name);
        if (file->fd >= 0 || errno != EEXIST)
            break;
    }
    if (file->fd >= 0) {
        file->temporary = name;
        return fate_none();
    }
    int why = errno;
    fate__free(name);
    return failed(file, "make a temporary file beside", why);
}

static fate_value write_all(struct file *file, const char *p, size_t len)
{
    while (len) {
        ssize_t n = fate__sys->write(file->fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return failed(file, "write to", n < 0 ? errno : EIO);
        p += n;
        len -= (size_t)n;
    }
    return fate_none();
}

static fate_value write_in_thread(fate_value *arg)
{
    const struct file_job *job = fate_unbox(struct file_job, arg);
    fate_value why = job->file->temporary ? fate_none() : open_temporary(job->file);
    size_t len;

    if (fate_is_failure(&why))
        return why;
    const char *p = fate_as_bytes(&job->piece, &len);
    why = write_all(job->file, p, len);
    if (fate_is_failure(&why))
        remove_temporary(job->file);
    return why;
}

/* A device or a pipe of that name stays what it is, and so does a symbolic link to one, as /dev/stdout is.
 * What is another link is a file from now on. */
static int may_be_replaced(const char *path)
{
    struct stat about;

    if (fate__sys->lstat(path, &about) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (S_ISLNK(about.st_mode) && fate__sys->stat(path, &about) < 0)
        return 0;
    return S_ISDIR(about.st_mode) ? -EISDIR : S_ISREG(about.st_mode) ? 0 : -EINVAL;
}

/* Some file systems say only now that they could not write. */
static int close_and_rename(struct file *file)
{
    int fd = file->fd;

    file->fd = -1;
    if (fate__sys->close(fd) < 0 && errno != EINTR)
        return -errno;
    int why = may_be_replaced(file->path);
    if (why == 0 && fate__sys->rename(file->temporary, file->path) < 0)
        why = -errno;
    if (why < 0)
        return why;
    fate__free(file->temporary);
    file->temporary = NULL;
    return 0;
}

static fate_value end_in_thread(fate_value *arg)
{
    struct file *file = fate_unbox(struct file_job, arg)->file;
    fate_value why = file->temporary ? fate_none() : open_temporary(file);

    if (fate_is_failure(&why))
        return why;
    int error = close_and_rename(file);
    if (error == 0)
        return fate_none();
    remove_temporary(file);
    return error == -EINVAL
               ? fate_raise_errno_at("fate_file_sink", NULL, EINVAL,
                                     "put a file in the place of %s, which is no plain file", file->path)
               : failed(file, "put a new file in the place of", -error);
}

static fate_value remove_in_thread(fate_value *arg)
{
    remove_temporary(fate_unbox(struct file_job, arg)->file);
    return fate_none();
}

/* ---- The line ---- */

static struct step *first_step(const struct file_sink *sink)
{
    if (fate__list_is_empty(&sink->steps))
        return NULL;
    return fate_container_of(sink->steps.next, struct step, link);
}

static void free_if_gone(struct file_sink *sink)
{
    if (!sink->is_gone || sink->ear.d || sink->is_going_on || first_step(sink))
        return;
    unref(sink->file);
    fate_drop(sink->why);
    fate__free(sink);
}

static void finish_step(struct step *step, fate_value result)
{
    fate_deferred *d = step->d;

    fate__list_remove(&step->link);
    fate_drop(step->piece);
    fate__free(step);
    if (d)
        fate__fire(d, result, SITE);
    else
        fate_drop(result);
}

/* Nothing more is done with the file; a job that still has it removes it. */
static void give_up(struct file_sink *sink, const fate_value *why)
{
    struct file *file = sink->file;

    sink->why = fate_copy(why);
    sink->file = NULL;
    unref(file);
}

static fate_deferred *begin_job(struct file_sink *sink, struct step *step)
{
    bool is_cut = step->is_end && fate_is_failure(&step->piece);
    fate_function *function = is_cut ? remove_in_thread : step->is_end ? end_in_thread : write_in_thread;
    fate_value piece = is_cut ? fate_none() : fate_take(&step->piece);

    atomic_fetch_add_explicit(&sink->file->refs, 1, memory_order_relaxed);
    fate_value job = fate_box_with(job_has_gone, struct file_job, sink->file, piece);
    return fate_defer_to_thread_at(sink->reactor, function, job, SITE);
}

/* After a failure only an end that knows of one already ends well. */
static fate_value result_after_failure(const struct file_sink *sink, const struct step *step)
{
    bool is_cut = step->is_end && fate_is_failure(&step->piece);
    return is_cut ? fate_none() : fate_copy(&sink->why);
}

static void go_on(struct file_sink *sink)
{
    struct step *step;

    if (sink->is_going_on)
        return;
    sink->is_going_on = true;
    while (!sink->ear.d && (step = first_step(sink))) {
        if (sink->file)
            fate__listen(&sink->ear, begin_job(sink, step));
        else
            finish_step(step, result_after_failure(sink, step));
    }
    sink->is_going_on = false;
    free_if_gone(sink);
}

static void job_is_done(struct fate__ear *ear, fate_value result)
{
    struct file_sink *sink = fate_container_of(ear, struct file_sink, ear);
    bool was_going_on = sink->is_going_on;

    sink->is_going_on = true; /* whoever hears it may let the sink go */
    if (fate_is_failure(&result))
        give_up(sink, &result);
    finish_step(first_step(sink), result);
    sink->is_going_on = was_going_on;
    go_on(sink);
}

/* Those that have not begun, with the failure. */
static void finish_waiting(struct file_sink *sink, const fate_value *why)
{
    struct step *first = sink->ear.d ? first_step(sink) : NULL;

    while (sink->steps.prev != (first ? &first->link : &sink->steps))
        finish_step(fate_container_of(sink->steps.prev, struct step, link), fate_copy(why));
}

/* ---- The sink ---- */

/* A piece is written all the same.  An end that has not begun becomes one that removes the file. */
static bool cancel_step(fate_deferred *d, void *data, const char *site)
{
    struct step *step = data;
    struct file_sink *sink = step->sink;

    step->d = NULL;
    if (!step->is_end || fate_is_failure(&step->piece))
        return true;
    step->piece = fate__raise_with("fate_cancel", site, &FATE_CANCELLED, fate_none(), fate_none());
    if (step == first_step(sink) && sink->ear.d)
        fate_cancel_at(sink->ear.d, site);
    return true;
}

static void say_what(const void *data, struct fate__waits *ret)
{
    const struct step *step = data;

    snprintf(ret->text, sizeof ret->text, "a file to be written");
    ret->on = step->sink->ear.d;
}

static const struct fate__source waiting = { .cancel = cancel_step, .waits = say_what };

static fate_deferred *enqueue(struct file_sink *sink, fate_value piece, bool is_end)
{
    struct step *step = fate__alloc(sizeof *step);
    fate_deferred *d = NULL;

    if (step)
        d = fate__sourced(sink->reactor, &waiting, step, SITE);
    if (!step || !(d->flags & FATE__SOURCE)) {
        fate_drop(piece);
        fate__free(step);
        return step ? d : fate__hand_out_no_memory(&sink->reactor->turns);
    }
    *step = (struct step){ .sink = sink, .piece = piece, .is_end = is_end, .d = d };
    fate__list_add_last(&sink->steps, &step->link);
    go_on(sink);
    return d;
}

static struct file_sink *sink_in(const fate_value *arg)
{
    return fate_unbox(struct sink_ref, arg)->sink;
}

static fate_deferred *write_piece(fate_reactor *reactor, fate_value *arg, fate_value piece)
{
    struct file_sink *sink = sink_in(arg);
    const void *p;
    size_t len;

    sink->reactor = reactor;
    if (!fate_get_bytes(&piece, &p, &len)) {
        fate_value why =
            fate__raise(SITE, &FATE_TYPE_ERROR, "write to a file: a piece is %s, not text or bytes",
                        piece.type ? piece.type->name : "none");
        fate_drop(piece);
        return fate_succeed_at(reactor, why, SITE);
    }
    if (fate_detach(&piece) < 0) {
        fate_drop(piece);
        return fate__hand_out_no_memory(&reactor->turns);
    }
    return enqueue(sink, piece, false);
}

static fate_deferred *end_file(fate_reactor *reactor, fate_value *arg, fate_value *why)
{
    struct file_sink *sink = sink_in(arg);

    sink->reactor = reactor;
    if (fate_is_failure(why))
        finish_waiting(sink, why);
    return enqueue(sink, fate_copy(why), true);
}

/* Without an end there is nothing that could take the place of the old file. */
static void sink_has_gone(void *ref)
{
    struct file_sink *sink = ((struct sink_ref *)ref)->sink;
    struct step *last =
        fate__list_is_empty(&sink->steps) ? NULL : fate_container_of(sink->steps.prev, struct step, link);

    if (last && !last->is_end) {
        fate_value why = fate__raise(SITE, &FATE_CANCELLED, "the sink has gone without an end");
        finish_waiting(sink, &why);
        fate_drop(why);
    }
    sink->is_gone = true;
    free_if_gone(sink);
}

static const fate_sink_ops file_sink_ops = {
    .size = sizeof file_sink_ops, .name = "file", .write = write_piece, .end = end_file
};

static struct file *new_file(const char *path)
{
    size_t len = strlen(path) + 1;
    struct file *file = fate__alloc(sizeof *file + len);

    if (!file)
        return NULL;
    atomic_init(&file->refs, 1);
    file->fd = -1;
    file->temporary = NULL;
    memcpy(file->path, path, len);
    return file;
}

fate_value fate_file_sink(const char *path)
{
    if (!path)
        fate__stop(NULL, "fate_file_sink was given a NULL path.");
    struct file_sink *sink = fate__zalloc(sizeof *sink);
    struct file *file = sink ? new_file(path) : NULL;

    if (!file) {
        fate__free(sink);
        return fate__no_memory();
    }
    sink->file = file;
    sink->ear.hear = job_is_done;
    fate__list_init(&sink->steps);
    return fate_sink(&file_sink_ops, fate_box_with(sink_has_gone, struct sink_ref, sink));
}
