/* Children: their life, their end, and who is told of it. */
#include <reactor/process.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <base/alloc.h>
#include <base/options.h>
#include <base/sys.h>
#include <reactor/reactor.h>
#include <reactor/stream.h>

FATE_CLASS(FATE_PROCESS_ERROR, "ProcessError", &FATE_ERROR);
FATE_CLASS(FATE_PROCESS_STATUS, "ProcessStatusError", &FATE_PROCESS_ERROR);
FATE_CLASS(FATE_PROCESS_KILLED, "ProcessKilledError", &FATE_PROCESS_ERROR);
FATE_CLASS(FATE_PROCESS_OUTPUT, "ProcessOutputError", &FATE_PROCESS_ERROR);

/* One that has been killed ends at once, unless the kernel is in it. */
#define KILLED_MAX FATE_SECOND

#define BOX "fate_process"

struct process_ref {
    fate_process *process;
};

/* ---- Memory ---- */

static void free_if_over(fate_process *process)
{
    if (process->is_alive || process->n_values || process->input.d)
        return;
    fate_drop(process->why);
    fate__free(process);
}

static void drop_pipes(fate_process *process)
{
    for (int i = 0; i < 3; i++)
        fate_drop(fate_take(&process->streams[i]));
}

/* With the last value nobody can talk to the child any more, but for those who have a stream. */
static void lose_value(fate_process *process)
{
    if (process->n_values == 1)
        drop_pipes(process);
    if (process->n_values == 1 && !process->is_alive && process->input.d)
        fate_cancel(process->input.d);
    process->n_values--;
    free_if_over(process);
}

static void value_has_gone(void *ref)
{
    lose_value(((struct process_ref *)ref)->process);
}

static fate_value value_of(fate_process *process)
{
    process->n_values++;
    return fate_box_new(BOX, sizeof(struct process_ref), &(struct process_ref){ process }, value_has_gone);
}

fate_process *fate_as_process(const fate_value *v)
{
    return ((struct process_ref *)fate_box_data(BOX, v, NULL))->process;
}

/* ---- How it has ended ---- */

static void write_signal(char to[32], int signo)
{
    const char *name = sigabbrev_np(signo);

    if (name)
        snprintf(to, 32, "SIG%s", name);
    else
        snprintf(to, 32, "signal %d", signo);
}

static fate_value killed(const fate_process *process, const char *site)
{
    char name[32];

    write_signal(name, process->end.si_status);
    return fate_raise_with_at("fate_process_exited", site, &FATE_PROCESS_KILLED,
                              fate_int(process->end.si_status), "%s: killed by %s%s", process->name, name,
                              process->end.si_code == CLD_DUMPED ? " (core dumped)" : "");
}

/* None for the status 0. */
static fate_value verdict(const fate_process *process, const char *site)
{
    if (fate_is_failure(&process->why))
        return fate_copy(&process->why);
    if (process->is_lost)
        return fate__raise(site, &FATE_CHILD_PROCESS_ERROR,
                           "how %s has ended is lost: SIGCHLD is ignored, or somebody else has waited for it",
                           process->name);
    if (process->end.si_code != CLD_EXITED)
        return killed(process, site);
    if (process->end.si_status == 0)
        return fate_none();
    return fate_raise_with_at("fate_process_exited", site, &FATE_PROCESS_STATUS,
                              fate_int(process->end.si_status), "%s: exit status %d", process->name,
                              process->end.si_status);
}

static void tell_all(fate_process *process)
{
    fate_deferred *d;

    process->n_values++; /* those who are told may drop the values that there are */
    while ((d = fate__line_next(&process->line)))
        fate__fire(d, verdict(process, fate__site_of(d)), fate__site_of(d));
    lose_value(process);
}

/* It has been reaped, and has left the reactor's table. */
static void has_exited(fate_process *process)
{
    process->is_alive = false;
    fate_unwatch(process->exit_watch);
    fate__close(process->pidfd);
    process->pidfd = -1;
    fate_timer_cancel(process->kill_timer);
    tell_all(process);
}

/* Is it over?  An answer that should not come counts as that, since the loop would ask again and again. */
static bool reap(fate_process *process)
{
    int n;

    do
        n = fate__sys->waitid(P_PIDFD, (id_t)process->pidfd, &process->end, WEXITED | WNOHANG);
    while (n < 0 && errno == EINTR);
    process->is_lost = n < 0;
    return n < 0 || process->end.si_pid != 0;
}

static void may_have_exited(int fd, unsigned events, fate_value *arg)
{
    fate_process *process = fate_as_ptr(arg);

    if (!reap(process))
        return;
    fate__watch_close(process->reactor, &process->watched);
    has_exited(process);
}

/* ---- Ending it ---- */

static int send_signal(const fate_process *process, int signo)
{
    return fate__sys->pidfd_send_signal(process->pidfd, signo, NULL, 0) < 0 ? -errno : 0;
}

/* One that we may not send signals, having other rights by now, is left to itself: nobody waits for it. */
static void send_or_leave(fate_process *process, int signo)
{
    if (send_signal(process, signo) < 0)
        tell_all(process);
}

static void kill_late(fate_value *arg)
{
    send_or_leave(fate_as_ptr(arg), SIGKILL);
}

void fate__process_end(fate_process *process, fate_value why, bool at_once)
{
    if (!process->is_alive || fate_is_failure(&process->why))
        fate_drop(why);
    else
        process->why = why;
    if (!process->is_alive)
        return;
    bool is_term = !at_once && !process->was_told;
    process->was_told = true;
    if (is_term) {
        fate_timer_cancel(process->kill_timer);
        process->kill_timer = fate_call_later_at(process->reactor, process->kill_after, kill_late,
                                                 fate_ptr(process), FATE__OWN_SITE("fate_spawn"));
        is_term = process->kill_timer.id >= 0;
    }
    send_or_leave(process, is_term ? SIGTERM : SIGKILL);
}

/* Whether it has been reaped; one that the kernel does not let go of is left. */
static bool kill_and_wait(fate_process *process)
{
    struct pollfd fd = { .fd = process->pidfd, .events = POLLIN };
    fate_time end = fate__monotonic() + KILLED_MAX;

    bool is_ending = send_signal(process, SIGKILL) == 0;
    while (!reap(process)) {
        fate_time left = end - fate__monotonic();
        const struct timespec timeout = { 0, (long)(left > FATE_SECOND - 1 ? FATE_SECOND - 1 : left) };
        if (left <= 0 || !is_ending)
            return false;
        (void)fate__sys->ppoll(&fd, 1, &timeout, NULL);
    }
    return true;
}

static void kill_and_tell(fate_process *process)
{
    process->is_lost = !kill_and_wait(process) || process->is_lost;
    has_exited(process);
}

void fate__process_kill_now(fate_process *process)
{
    if (!process->is_alive)
        return;
    fate__watch_close(process->reactor, &process->watched);
    kill_and_tell(process);
}

/* The reactor goes. */
static void stop(fate_reactor *reactor, struct fate__watched *watched)
{
    kill_and_tell((fate_process *)watched);
}

static void describe(const struct fate__watched *watched, char *to, size_t n)
{
    const fate_process *process = (const fate_process *)watched;
    snprintf(to, n, "process %d (%s) to exit", (int)process->pid, process->name);
}

static const struct fate__watch_kind kind = { "process", stop, describe };

/* ---- Input ---- */

/* Input that has failed must not pass for all of it; but a child need not read it all. */
static void input_has_ended(struct fate__ear *ear, fate_value result)
{
    fate_process *process = fate_container_of(ear, fate_process, input);

    if (fate_is_failure(&result) && !fate_is(&result, &FATE_BROKEN_PIPE))
        fate__process_end(process, result, false);
    else
        fate_drop(result);
    free_if_over(process);
}

static void give_input(fate_process *process, struct fate__spawn *wanted)
{
    fate_value input = fate_take(&wanted->options.input);
    fate_value sink = fate_take(&process->streams[0]);

    if (fate_is_none(&input)) {
        process->streams[0] = sink;
        return;
    }
    fate__listen(&process->input, fate__pump(process->reactor, input, sink, wanted->site));
}

/* ---- Starting it ---- */

static const fate_spawn_options defaults = {
    .output_bytes_max = (size_t)16 << 20,
    .kill_after = 2 * FATE_SECOND,
};

struct fate__spawn fate__spawn_wanted(fate_reactor *reactor, const char *const argv[],
                                      const fate_spawn_options *options, const char *what, const char *site)
{
    struct fate__spawn wanted = { .reactor = reactor, .argv = argv, .site = site };

    fate__check_reactor(reactor, what, site);
    if (!argv || !argv[0])
        fate__stop(site, "%s was given no program: argv begins with its name, fate_argv(\"ls\", \"-l\").",
                   what);
    fate__take_options(&wanted.options, sizeof wanted.options, options, what, site);
    fate__check_given(&wanted.options.input, what, site);
    if (!wanted.options.output_bytes_max)
        wanted.options.output_bytes_max = defaults.output_bytes_max;
    if (!wanted.options.kill_after)
        wanted.options.kill_after = defaults.kill_after;
    return wanted;
}

static fate_value not_started(const struct fate__spawn *wanted, const char *part, int why)
{
    const char *directory = wanted->options.directory;

    if (part)
        return fate_raise_errno_at("fate_spawn", wanted->site, why, "start %s: %s", wanted->argv[0], part);
    return fate_raise_errno_at("fate_spawn", wanted->site, why, "start %s%s%s", wanted->argv[0],
                               directory ? " in " : "", directory ? directory : "");
}

static fate_process *new_process(const struct fate__spawn *wanted)
{
    size_t len = strlen(wanted->argv[0]);
    fate_process *process = fate__zalloc(sizeof *process + len + 1);

    if (!process)
        return NULL;
    process->reactor = wanted->reactor;
    process->pidfd = -1;
    process->kill_after = wanted->options.kill_after;
    process->input.hear = input_has_ended;
    fate__line_init(&process->line, "process", process);
    memcpy(process->name, wanted->argv[0], len + 1);
    return process;
}

/* Without a pidfd it cannot be watched: it goes as it has come. */
static int take_back(fate_process *process, int why)
{
    siginfo_t end;
    int n;

    (void)fate__sys->kill(process->pid, SIGKILL);
    do
        n = fate__sys->waitid(P_PID, (id_t)process->pid, &end, WEXITED);
    while (n < 0 && errno == EINTR);
    fate__close(process->pidfd);
    process->pidfd = -1;
    return why;
}

static int watch(fate_process *process, const char *site)
{
    fate_reactor *reactor = process->reactor;

    process->pidfd = fate__sys->pidfd_open(process->pid, 0);
    if (process->pidfd < 0)
        return -errno;
    if (fate__watch_open(reactor, &process->watched, &kind, site).id < 0)
        return -ENOMEM;
    process->exit_watch = fate_watch_fd_at(reactor, process->pidfd, FATE_READABLE, may_have_exited,
                                           fate_ptr(process), FATE__OWN_SITE("fate_spawn"));
    if (process->exit_watch.id >= 0)
        return 0;
    fate__watch_close(reactor, &process->watched);
    return (int)process->exit_watch.id;
}

/* Its pipes as streams, which close them when there is no memory. */
static void make_streams(fate_process *process, const int ends[3])
{
    static const char *const names[] = { "stdin", "stdout", "stderr" };
    char what[64];

    for (int i = 0; i < 3; i++) {
        if (ends[i] < 0)
            continue;
        snprintf(what, sizeof what, "%s of %.48s", names[i], process->name);
        process->streams[i] = i == 0 ? fate__fd_sink(process->reactor, ends[i], what)
                                     : fate__fd_source(process->reactor, ends[i], what);
    }
}

static int start(fate_process *process, struct fate__spawn *wanted, const char **ret_part)
{
    int ends[3];
    int why = fate__spawn_program(wanted, &process->pid, ends, ret_part);

    if (why < 0)
        return why;
    make_streams(process, ends);
    why = watch(process, wanted->site);
    if (why == -ESRCH) { /* it has ended already, and with SIGCHLD ignored nobody need reap it */
        process->is_lost = true;
        return 0;
    }
    if (why < 0) {
        *ret_part = "watching it";
        return take_back(process, why);
    }
    process->is_alive = true;
    give_input(process, wanted);
    return 0;
}

static int check_start(const struct fate__spawn *wanted)
{
    if (fate__is_no_memory(&wanted->options.input))
        return -ENOMEM;
    return wanted->reactor->is_simulated ? -EOPNOTSUPP : 0;
}

fate_value fate__process_start(struct fate__spawn *wanted)
{
    const char *part = NULL;
    int why = check_start(wanted);
    fate_process *process = why == 0 ? new_process(wanted) : NULL;
    fate_value v = process ? value_of(process) : fate__no_memory();

    if (why < 0)
        part = "on simulated time";
    else if (!fate_is_failure(&v))
        why = start(process, wanted, &part);
    fate_drop(fate_take(&wanted->options.input));
    if (why == 0)
        return v;
    fate_drop(v);
    return not_started(wanted, part, why);
}

fate_deferred *fate__refuse_start(struct fate__spawn *wanted)
{
    if (!wanted->reactor->turns.is_ending)
        return NULL;
    fate_drop(wanted->options.input);
    return fate__library_deferred(wanted->reactor, wanted->site);
}

fate_deferred *fate_spawn_at(fate_reactor *reactor, const char *const argv[],
                             const fate_spawn_options *options, const char *site)
{
    struct fate__spawn wanted = fate__spawn_wanted(reactor, argv, options, "fate_spawn", site);
    fate_deferred *refused = fate__refuse_start(&wanted);

    return refused ? refused : fate_succeed_at(reactor, fate__process_start(&wanted), site);
}

/* ---- Asking it ---- */

fate_value fate_process_stdin(fate_process *process)
{
    return fate_copy(&process->streams[0]);
}

fate_value fate_process_stdout(fate_process *process)
{
    return fate_copy(&process->streams[1]);
}

fate_value fate_process_stderr(fate_process *process)
{
    return fate_copy(&process->streams[2]);
}

fate_deferred *fate_process_exited_at(fate_process *process, const char *site)
{
    if (process->is_alive)
        return fate__line_join(&process->line, process->reactor, site);
    return fate_succeed_at(process->reactor, verdict(process, site), site);
}

int fate_process_signal(fate_process *process, int signo)
{
    return process->is_alive ? send_signal(process, signo) : -ESRCH;
}

int fate_process_pid(const fate_process *process)
{
    return (int)process->pid;
}

/* ---- Without a line ---- */

fate_deferred *(fate_spawn)(fate_reactor *reactor, const char *const argv[])
{
    return fate_spawn_at(reactor, argv, NULL, "fate_spawn");
}

fate_deferred *(fate_spawn_with)(fate_reactor *reactor, const char *const argv[],
                                 const fate_spawn_options *options)
{
    return fate_spawn_at(reactor, argv, options, "fate_spawn_with");
}

fate_deferred *(fate_process_exited)(fate_process *process)
{
    return fate_process_exited_at(process, "fate_process_exited");
}
