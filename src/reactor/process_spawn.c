/* Starting a program with the descriptors that it is to have, and no others.
 *
 * First each of them gets a copy, in our process, with a number above all that the child is to have: then no
 * dup2 in the child can hit one that is still needed. */
#include <reactor/process.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <base/alloc.h>
#include <base/sys.h>

#define CHILD_FD_MAX 1023

/* A descriptor for the child. */
struct passed {
    int child_fd, fd; /* fd is a copy, or an end of a pipe, and is closed in our process */
};

struct plan {
    const struct fate__spawn *wanted;
    struct passed *passed;
    size_t n;
    int lowest;    /* above all that the child is to have */
    int directory; /* -1: ours */
    int *ends;     /* our ends of its pipes */
    const char *part;
};

/* ---- Descriptors ---- */

static int pass_copy(struct plan *plan, int child_fd, int fd)
{
    int copy = fate__sys->dup_above(fd, plan->lowest);

    if (copy < 0)
        return -errno;
    plan->passed[plan->n++] = (struct passed){ child_fd, copy };
    return 0;
}

/* fd is given. */
static int pass(struct plan *plan, int child_fd, int fd)
{
    if (fd < plan->lowest) {
        int why = pass_copy(plan, child_fd, fd);
        fate__close(fd);
        return why;
    }
    plan->passed[plan->n++] = (struct passed){ child_fd, fd };
    return 0;
}

static int pass_nothing(struct plan *plan, int child_fd)
{
    int fd = fate__sys->open("/dev/null", O_RDWR | O_CLOEXEC, 0);

    plan->part = "/dev/null";
    if (fd < 0)
        return -errno;
    return pass(plan, child_fd, fd);
}

static int pass_pipe(struct plan *plan, int child_fd)
{
    int fds[2];
    int ours = child_fd == STDIN_FILENO ? 1 : 0;

    plan->part = "a pipe";
    if (fate__sys->pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    plan->ends[child_fd] = fds[ours];
    int why = fate__sys->set_nonblocking(fds[ours]) < 0 ? -errno : 0;
    if (why < 0) {
        fate__close(fds[!ours]);
        return why;
    }
    return pass(plan, child_fd, fds[!ours]);
}

static bool is_mapped(const fate_spawn_options *options, int child_fd)
{
    for (size_t i = 0; i < options->n_descriptors; i++)
        if (options->descriptors[i].child_fd == child_fd)
            return true;
    return false;
}

static bool wants_pipe(const struct fate__spawn *wanted, int child_fd)
{
    if (child_fd == STDIN_FILENO)
        return wanted->stdio == FATE__PIPES || !fate_is_none(&wanted->options.input);
    return wanted->stdio != FATE__NOTHING;
}

static int pass_stdio(struct plan *plan, int child_fd)
{
    const fate_spawn_options *options = &plan->wanted->options;
    bool is_kept = (child_fd == STDOUT_FILENO && options->keep_stdout) ||
                   (child_fd == STDERR_FILENO && options->keep_stderr);

    if (is_mapped(options, child_fd))
        return 0;
    plan->part = "what is to be kept";
    if (is_kept)
        return pass_copy(plan, child_fd, child_fd);
    return wants_pipe(plan->wanted, child_fd) ? pass_pipe(plan, child_fd) : pass_nothing(plan, child_fd);
}

static int check_descriptors(struct plan *plan)
{
    const fate_spawn_options *options = &plan->wanted->options;

    plan->lowest = 3;
    plan->part = "descriptors";
    for (size_t i = 0; i < options->n_descriptors; i++) {
        int child_fd = options->descriptors[i].child_fd;
        if (child_fd < 0 || child_fd > CHILD_FD_MAX)
            return -EBADF;
        if (child_fd >= plan->lowest)
            plan->lowest = child_fd + 1;
    }
    plan->passed = fate__alloc((3 + options->n_descriptors) * sizeof *plan->passed);
    return plan->passed ? 0 : -ENOMEM;
}

static int pass_all(struct plan *plan)
{
    const fate_spawn_options *options = &plan->wanted->options;
    int why = check_descriptors(plan);

    for (size_t i = 0; why == 0 && i < options->n_descriptors; i++)
        why = pass_copy(plan, options->descriptors[i].child_fd, options->descriptors[i].our_fd);
    for (int fd = STDIN_FILENO; why == 0 && fd <= STDERR_FILENO; fd++)
        why = pass_stdio(plan, fd);
    return why;
}

/* ---- What the child does before exec ---- */

static bool is_passed(const struct plan *plan, int child_fd)
{
    for (size_t i = 0; i < plan->n; i++)
        if (plan->passed[i].child_fd == child_fd)
            return true;
    return false;
}

/* Closing what is not open is no error there. */
static int add_actions(const struct plan *plan, posix_spawn_file_actions_t *actions)
{
    int why = plan->directory < 0 ? 0 : posix_spawn_file_actions_addfchdir_np(actions, plan->directory);

    for (size_t i = 0; why == 0 && i < plan->n; i++)
        why = posix_spawn_file_actions_adddup2(actions, plan->passed[i].fd, plan->passed[i].child_fd);
    for (int fd = 3; why == 0 && fd < plan->lowest; fd++)
        if (!is_passed(plan, fd))
            why = posix_spawn_file_actions_addclose(actions, fd);
    return why ? why : posix_spawn_file_actions_addclosefrom_np(actions, plan->lowest);
}

static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    int why = posix_spawnattr_setsigdefault(attributes, &all);
    if (why == 0)
        why = posix_spawnattr_setsigmask(attributes, &none);
    return why ? why : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

static int spawn(const struct plan *plan, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes,
                 pid_t *ret_pid)
{
    const struct fate__spawn *wanted = plan->wanted;
    const char *const *ours = (const char *const *)environ;
    const char *const *environment = wanted->options.environment ? wanted->options.environment : ours;
    int why = add_actions(plan, actions);

    if (why == 0)
        why = set_signals(attributes);
    if (why == 0)
        why = fate__sys->posix_spawnp(ret_pid, wanted->argv[0], actions, attributes,
                                      (char *const *)(uintptr_t)wanted->argv,
                                      (char *const *)(uintptr_t)environment);
    return -why;
}

static int spawn_with_actions(const struct plan *plan, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return -ENOMEM;
    int why = -posix_spawnattr_init(&attributes);
    if (why == 0) {
        why = spawn(plan, &actions, &attributes, ret_pid);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return why;
}

/* ---- The whole ---- */

/* It is opened here rather than by its name in the child, so that a failure can say which of the two is not
 * there, the directory or the program. */
static int open_directory(struct plan *plan)
{
    const char *path = plan->wanted->options.directory;

    if (!path)
        return 0;
    plan->part = path;
    plan->directory = fate__sys->open(path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    return plan->directory < 0 ? -errno : 0;
}

static void close_theirs(struct plan *plan)
{
    for (size_t i = 0; i < plan->n; i++)
        fate__close(plan->passed[i].fd);
    fate__close(plan->directory);
    fate__free(plan->passed);
}

int fate__spawn_program(const struct fate__spawn *wanted, pid_t *ret_pid, int ret_ends[3],
                        const char **ret_part)
{
    struct plan plan = { .wanted = wanted, .directory = -1, .ends = ret_ends };

    for (int i = 0; i < 3; i++)
        ret_ends[i] = -1;
    int why = open_directory(&plan);
    if (why == 0)
        why = pass_all(&plan);
    *ret_part = why < 0 ? plan.part : NULL;
    if (why == 0)
        why = spawn_with_actions(&plan, ret_pid);
    close_theirs(&plan);
    for (int i = 0; why < 0 && i < 3; i++) {
        fate__close(ret_ends[i]);
        ret_ends[i] = -1;
    }
    return why;
}
