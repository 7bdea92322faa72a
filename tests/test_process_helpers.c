/* Real children for tests. */
#include "test_process_helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <base/sys.h>

#define PATIENCE_MAX (60 * FATE_SECOND)
#define PATIENCE_OOM (30 * FATE_MILLISECOND)

fate_reactor *reactor;
int n_reports, n_logs;
static const struct fate__sys *usual_sys;

static void count_report(const fate_unhandled *what, fate_value *arg)
{
    n_reports++;
}

static void count_log(const fate_log_entry *entry, fate_value *arg)
{
    n_logs++;
}

_Noreturn void give_up(const char *why)
{
    fprintf(stderr, "a test of processes: %s\n", why);
    abort();
}

bool has_children(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

/* Where calls fail, so may the one that kills. */
static void end_children(void)
{
    FILE *file = fopen("/proc/thread-self/children", "r");
    int pid;

    while (file && fscanf(file, "%d", &pid) == 1) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    if (file)
        fclose(file);
}

/* ---- Where there are no pidfds: valgrind 3.19 does not know them ----
 *
 * The end of a pipe in their place, whose other end a thread closes when the child has exited. */

static struct fate__sys without_pidfds;
static pid_t pid_of[1024];
static pthread_t threads[1024];
static int n_threads;

struct waiting {
    pid_t pid;
    int fd;
};

static void *wait_for_child(void *arg)
{
    const struct waiting waiting = *(struct waiting *)arg;
    siginfo_t info;

    free(arg);
    while (waitid(P_PID, (id_t)waiting.pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        ;
    close(waiting.fd);
    return NULL;
}

static int pipe_of_child(pid_t pid, unsigned flags)
{
    struct waiting *waiting = malloc(sizeof *waiting);
    int fds[2];

    if (!waiting || n_threads == 1024 || pipe2(fds, O_CLOEXEC) < 0)
        give_up("there is no pipe");
    *waiting = (struct waiting){ pid, fds[1] };
    pid_of[fds[0]] = pid;
    if (pthread_create(&threads[n_threads++], NULL, wait_for_child, waiting) != 0)
        give_up("there is no thread");
    return fds[0];
}

static int waitid_by_pid(idtype_t kind, id_t id, siginfo_t *ret_info, int options)
{
    return kind == P_PIDFD ? waitid(P_PID, (id_t)pid_of[id], ret_info, options)
                           : waitid(kind, id, ret_info, options);
}

static int signal_by_pid(int pidfd, int signo, siginfo_t *info, unsigned flags)
{
    return kill(pid_of[pidfd], signo);
}

bool has_pidfds(void)
{
    static enum { UNKNOWN, YES, NO } has = UNKNOWN;

    if (has == UNKNOWN) {
        int fd = fate__sys_real.pidfd_open(getpid(), 0);
        has = fd >= 0 ? YES : NO;
        if (fd >= 0)
            close(fd);
    }
    return has == YES;
}

static void do_without_pidfds(void)
{
    without_pidfds = *fate__sys;
    without_pidfds.pidfd_open = pipe_of_child;
    without_pidfds.waitid = waitid_by_pid;
    without_pidfds.pidfd_send_signal = signal_by_pid;
    fate__sys = &without_pidfds;
}

/* ---- Beginning and end ---- */

static void finish(void)
{
    fate_reactor_free(reactor);
    reactor = NULL;
    fate__sys = usual_sys;
    if (has_children() && !test_is_oom())
        give_up("a child is left");
    end_children();
    while (n_threads > 0)
        pthread_join(threads[--n_threads], NULL);
}

void begin_with(const char *poller)
{
    n_reports = n_logs = 0;
    usual_sys = fate__sys;
    test_suspend_failures();
    reactor = fate_reactor_new_with(.poller = poller);
    if (!reactor)
        give_up("there is no reactor");
    if (!has_pidfds())
        do_without_pidfds();
    fate_on_unhandled(reactor, count_report, fate_none());
    fate_log_observe(reactor, FATE_LOG_DEBUG, count_log, fate_none());
    test_at_end = finish;
    test_resume_failures();
}

void begin(void)
{
    begin_with(NULL);
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

static bool comes_within(bool (*holds)(void), fate_time patience)
{
    fate_time end = fate_now(reactor) + patience;

    while (!holds() && fate_now(reactor) < end)
        fate_iterate(reactor, end - fate_now(reactor));
    return holds();
}

/* Where memory fails, what is waited for may never come. */
bool run_until(bool (*holds)(void))
{
    if (comes_within(holds, test_is_oom() ? PATIENCE_OOM : PATIENCE_MAX))
        return true;
    if (!test_is_oom())
        give_up("what is waited for does not come");
    return false;
}

static fate_deferred *awaited;

static bool is_done(void)
{
    return fate_state(awaited) == FATE_DONE;
}

fate_value result_of(fate_deferred *d)
{
    awaited = fate_hold(d);
    if (!run_until(is_done)) {
        fate_cancel(d);
        comes_within(is_done, PATIENCE_MAX);
    }
    if (!is_done())
        give_up("what has been cancelled does not fire");
    fate_value result = fate_copy(fate_peek(d));
    fate_add_errback(d, forgive, fate_none());
    fate_release(d);
    return result;
}

void expect_message(fate_deferred *d, const fate_class *c, const char *part)
{
    fate_value why = result_of(d);

    if (EXPECT_FAILURE(&why, c))
        EXPECT_CONTAINS(fate_message(&why), part);
    fate_drop(why);
}

/* ---- Talking ---- */

struct talk talk_to(const char *const argv[])
{
    struct talk talk = { .child = result_of(fate_spawn(reactor, argv)) };

    talk.is_there = !fate_is_failure(&talk.child);
    if (!talk.is_there) {
        fate_drop(fate_take(&talk.child));
        return talk;
    }
    talk.process = fate_as_process(&talk.child);
    talk.to = fate_process_stdin(talk.process);
    talk.from = fate_process_stdout(talk.process);
    talk.errors = fate_process_stderr(talk.process);
    return talk;
}

void say(struct talk *talk, const char *text)
{
    fate_value result = result_of(fate_sink_write(reactor, &talk->to, fate_str(text)));

    EXPECT(fate_is_none(&result));
    fate_drop(result);
}

void say_no_more(struct talk *talk)
{
    fate_value result = result_of(fate_sink_end(reactor, &talk->to, fate_none()));

    EXPECT(fate_is_none(&result));
    fate_drop(result);
}

bool hears(const char *here, fate_value *source, const char *text)
{
    char said[256] = "";
    size_t len = 0, n;

    while (len < strlen(text)) {
        fate_value piece = result_of(fate_read(source));
        const void *p = "";
        bool is_piece = fate_get_bytes(&piece, &p, &n) && n < sizeof said - len;
        if (is_piece)
            memcpy(said + len, p, n);
        len += is_piece ? n : 0;
        fate_drop(piece);
        if (!is_piece)
            break;
    }
    said[len] = '\0';
    return test_expect_str(here, said, text, "what it says");
}

bool hears_no_more(const char *here, fate_value *source)
{
    fate_value piece = result_of(fate_read(source));
    bool is_end = fate_is_none(&piece);

    fate_drop(piece);
    return test_expect(here, is_end, "the end of what it says");
}

void end_talk(struct talk *talk)
{
    fate_drop(talk->child);
    fate_drop(talk->to);
    fate_drop(talk->from);
    fate_drop(talk->errors);
}
