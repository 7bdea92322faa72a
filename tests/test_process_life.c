/* Tests of src/reactor/process*.c and stream_fd.c: talking to children, and how they end. */
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

#include "test_process_helpers.h"

static void expect_status_0(fate_process *process)
{
    fate_value result = result_of(fate_process_exited(process));
    EXPECT(fate_is_none(&result));
    fate_drop(result);
}

/* ---- Talking ---- */

TEST(a_child_is_talked_to_piece_by_piece)
{
    begin();
    struct talk cat = talk_to(fate_argv("cat"));
    if (!cat.is_there)
        return;
    EXPECT(fate_process_pid(cat.process) > 1);
    say(&cat, "one");
    EXPECT_HEARD(&cat.from, "one");
    say(&cat, "two");
    EXPECT_HEARD(&cat.from, "two");
    say_no_more(&cat);
    EXPECT_SILENCE(&cat.from);
    EXPECT_SILENCE(&cat.errors);
    expect_status_0(cat.process);
    end_talk(&cat);
}

TEST(those_who_ask_are_told_of_the_exit_each)
{
    begin();
    struct talk sh = talk_to(SHELL("read line; exit 5"));
    if (!sh.is_there)
        return;
    fate_deferred *a = fate_hold(fate_process_exited(sh.process));
    fate_deferred *b = fate_hold(fate_process_exited(sh.process));
    fate_deferred *c = fate_hold(fate_process_exited(sh.process));
    fate_cancel(c);
    expect_message(c, &FATE_CANCELLED, "");
    EXPECT_EQ(fate_process_signal(sh.process, 0), 0);
    say_no_more(&sh);
    fate_value why = result_of(a);
    if (EXPECT_FAILURE(&why, &FATE_PROCESS_STATUS)) {
        EXPECT_STR(fate_message(&why), "sh: exit status 5");
        EXPECT_INT(fate_payload(&why), 5);
    }
    fate_drop(why);
    expect_message(b, &FATE_PROCESS_STATUS, "exit status 5");
    expect_message(fate_process_exited(sh.process), &FATE_PROCESS_STATUS, "exit status 5");
    EXPECT_EQ(fate_process_signal(sh.process, SIGTERM), -ESRCH);
    EXPECT_EQ(n_reports, 0);
    fate_release(a);
    fate_release(b);
    fate_release(c);
    end_talk(&sh);
}

TEST(a_child_gets_the_signals_that_it_is_sent)
{
    begin();
    struct talk cat = talk_to(fate_argv("cat"));
    if (!cat.is_there)
        return;
    EXPECT_EQ(fate_process_signal(cat.process, 9999), -EINVAL);
    EXPECT_EQ(fate_process_signal(cat.process, SIGINT), 0);
    fate_value why = result_of(fate_process_exited(cat.process));
    if (EXPECT_FAILURE(&why, &FATE_PROCESS_KILLED)) {
        EXPECT_STR(fate_message(&why), "cat: killed by SIGINT");
        EXPECT_INT(fate_payload(&why), SIGINT);
    }
    fate_drop(why);
    end_talk(&cat);
}

TEST(what_a_child_has_said_can_be_read_after_its_exit)
{
    begin();
    struct talk sh = talk_to(SHELL("echo last words; echo and errors >&2"));
    if (!sh.is_there)
        return;
    expect_status_0(sh.process);
    EXPECT_HEARD(&sh.from, "last words\n");
    EXPECT_HEARD(&sh.errors, "and errors\n");
    EXPECT_SILENCE(&sh.from);
    end_talk(&sh);
}

TEST(the_exit_does_not_wait_for_one_who_keeps_the_pipe)
{
    begin();
    struct talk sh = talk_to(SHELL("exec 3<&0; (cat <&3; echo late) & exit 0"));
    if (!sh.is_there)
        return;
    expect_status_0(sh.process);
    say(&sh, "still here ");
    EXPECT_HEARD(&sh.from, "still here ");
    say_no_more(&sh);
    EXPECT_HEARD(&sh.from, "late\n");
    EXPECT_SILENCE(&sh.from);
    end_talk(&sh);
}

TEST(each_pipe_is_closed_by_itself)
{
    begin();
    struct talk out = talk_to(fate_argv(CHILD, "close", "1"));
    if (out.is_there) {
        EXPECT_SILENCE(&out.from);
        EXPECT_HEARD(&out.errors, "closed");
        say_no_more(&out);
        expect_status_0(out.process);
    }
    end_talk(&out);
    struct talk err = talk_to(fate_argv(CHILD, "close", "2"));
    if (err.is_there) {
        EXPECT_SILENCE(&err.errors);
        EXPECT_HEARD(&err.from, "closed");
        say_no_more(&err);
        expect_status_0(err.process);
    }
    end_talk(&err);
}

/* Nobody may be killed by it, whether the signal is blocked or not. */
TEST(writing_to_who_has_closed_its_stdin_fails_without_a_signal)
{
    begin();
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    for (int i = 0; i < 2; i++) {
        struct talk child = talk_to(fate_argv(CHILD, "close", "0"));
        if (!child.is_there)
            return;
        EXPECT_HEARD(&child.from, "closed");
        pthread_sigmask(i ? SIG_BLOCK : SIG_UNBLOCK, &pipe_signal, &before);
        expect_message(fate_sink_write(reactor, &child.to, fate_str("a")), &FATE_BROKEN_PIPE,
                       "write to stdin of ");
        expect_message(fate_sink_write(reactor, &child.to, fate_str("b")), &FATE_BROKEN_PIPE, "EPIPE");
        expect_message(fate_sink_end(reactor, &child.to, fate_none()), &FATE_BROKEN_PIPE, "EPIPE");
        EXPECT_EQ(sigpending(&pending), 0);
        EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        EXPECT_EQ(fate_process_signal(child.process, SIGKILL), 0);
        expect_message(fate_process_exited(child.process), &FATE_PROCESS_KILLED, "SIGKILL");
        end_talk(&child);
    }
}

TEST(what_is_no_text_cannot_be_written)
{
    begin();
    struct talk cat = talk_to(fate_argv("cat"));
    if (!cat.is_there)
        return;
    expect_message(fate_sink_write(reactor, &cat.to, fate_int(1)), &FATE_TYPE_ERROR,
                   "write to stdin of cat: a piece is int");
    end_talk(&cat);
}

/* A pipe takes 64 KiB at once, a sink 256 KiB more. */
TEST(a_sink_has_no_room_while_the_child_does_not_read)
{
    begin();
    struct talk sh = talk_to(SHELL("kill -STOP $$; cat >/dev/null"));
    if (!sh.is_there)
        return;
    fate_value piece = fate_format("%200000d", 1);
    fate_deferred *a = fate_hold(fate_sink_write(reactor, &sh.to, fate_copy(&piece)));
    fate_deferred *b = fate_hold(fate_sink_write(reactor, &sh.to, fate_copy(&piece)));
    fate_deferred *c = fate_hold(fate_sink_write(reactor, &sh.to, piece));
    fate_deferred *end = fate_hold(fate_sink_end(reactor, &sh.to, fate_none()));
    EXPECT_EQ(fate_state(a), FATE_DONE);
    EXPECT_EQ(fate_state(b), FATE_UNFIRED);
    EXPECT_EQ(fate_state(c), FATE_UNFIRED);
    EXPECT_EQ(fate_state(end), FATE_UNFIRED);
    siginfo_t info;
    EXPECT_EQ(waitid(P_PID, (id_t)fate_process_pid(sh.process), &info, WSTOPPED), 0);
    EXPECT_EQ(fate_process_signal(sh.process, SIGCONT), 0);
    expect_status_0(sh.process);
    fate_value results[] = { result_of(a), result_of(b), result_of(c), result_of(end) };
    for (int i = 0; i < 4; i++) {
        EXPECT(fate_is_none(&results[i]));
        fate_drop(results[i]);
    }
    fate_release(a);
    fate_release(b);
    fate_release(c);
    fate_release(end);
    end_talk(&sh);
}

/* The value of a child that writes for ever goes: it ends by SIGPIPE, and is reaped. */
static bool has_none(void)
{
    return !has_children();
}

TEST(a_child_whose_value_has_gone_is_reaped_when_it_ends)
{
    begin();
    struct talk yes = talk_to(fate_argv("yes"));
    end_talk(&yes);
    run_until(has_none);
    struct talk cat = talk_to(fate_argv("cat"));
    end_talk(&cat);
    run_until(has_none);
    EXPECT_EQ(n_reports, 0);
}

TEST(a_stream_outlives_the_value_of_its_child)
{
    begin();
    struct talk sh = talk_to(SHELL("read line; echo $line"));
    fate_drop(fate_take(&sh.child));
    if (sh.is_there) {
        say(&sh, "hello\n");
        EXPECT_HEARD(&sh.from, "hello\n");
    }
    end_talk(&sh);
    run_until(has_none);
}

/* What was written before the end still arrives, though the sink has gone. */
TEST(what_was_written_before_the_end_arrives)
{
    begin();
    struct talk wc = talk_to(fate_argv("wc", "-c"));
    if (!wc.is_there)
        return;
    fate_deferred *room = fate_hold(fate_sink_write(reactor, &wc.to, fate_format("%300000d", 1)));
    fate_deferred *end = fate_hold(fate_sink_end(reactor, &wc.to, fate_none()));
    fate_drop(fate_take(&wc.to));
    EXPECT_HEARD(&wc.from, "300000\n");
    EXPECT_EQ(fate_state(end), FATE_DONE);
    fate_drop(result_of(room));
    fate_drop(result_of(end));
    fate_release(room);
    fate_release(end);
    end_talk(&wc);
}

TEST(an_end_that_is_cancelled_leaves_the_rest_unwritten)
{
    begin();
    struct talk sh = talk_to(SHELL("kill -STOP $$; wc -c"));
    if (!sh.is_there)
        return;
    fate_deferred *room = fate_hold(fate_sink_write(reactor, &sh.to, fate_format("%500000d", 1)));
    fate_deferred *end = fate_hold(fate_sink_end(reactor, &sh.to, fate_none()));
    fate_cancel(end);
    expect_message(end, &FATE_CANCELLED, "");
    expect_message(room, &FATE_CANCELLED, "");
    siginfo_t info;
    EXPECT_EQ(waitid(P_PID, (id_t)fate_process_pid(sh.process), &info, WSTOPPED), 0);
    fate_process_signal(sh.process, SIGCONT);
    fate_value count = result_of(fate_read_all(fate_take(&sh.from), 100));
    const char *text = "";
    if (EXPECT(fate_get_str(&count, &text)))
        EXPECT(atoi(text) <= 65536);
    fate_drop(count);
    fate_release(room);
    fate_release(end);
    end_talk(&sh);
}

static char shown[160];

static void note_process(const fate_thing *thing, fate_value *arg)
{
    if (strcmp(thing->kind, "process") == 0)
        snprintf(shown, sizeof shown, "%s %s", thing->name, thing->state);
}

TEST(children_are_in_the_report)
{
    begin();
    shown[0] = '\0';
    struct talk cat = talk_to(fate_argv("cat"));
    fate_reactor_each(reactor, note_process, fate_none());
    if (cat.is_there) {
        char expected[64];
        snprintf(expected, sizeof expected, "process %d (cat) to exit", fate_process_pid(cat.process));
        EXPECT_CONTAINS(shown, expected);
    }
    end_talk(&cat);
}

/* ---- Much ---- */

#define MUCH (10 << 20)

VOLUME_TEST(ten_mebibytes_go_through_all_pipes_at_once)
{
    begin();
    fate_value input = fate_format("%*d", MUCH, 1);
    fate_value size = fate_format("%d", MUCH);
    fate_value child =
        result_of(fate_spawn_with(reactor, fate_argv(CHILD, "flood", fate_as_str(&size)), .input = input));
    fate_process *process = fate_as_process(&child);
    fate_deferred *out = fate_hold(fate_read_all(fate_process_stdout(process), FATE_UNLIMITED));
    fate_deferred *err = fate_hold(fate_read_all(fate_process_stderr(process), FATE_UNLIMITED));
    expect_status_0(process);
    fate_value said = result_of(out), errors = result_of(err);
    EXPECT_EQ(fate_count(&said), MUCH);
    EXPECT_EQ(fate_count(&errors), MUCH);
    fate_drop(said);
    fate_drop(errors);
    fate_release(out);
    fate_release(err);
    fate_drop(child);
    fate_drop(size);
}

VOLUME_TEST(ten_mebibytes_are_pumped_from_child_to_child)
{
    begin();
    fate_value size = fate_format("%d", MUCH);
    struct talk from = talk_to(fate_argv("head", "-c", fate_as_str(&size), "/dev/zero"));
    struct talk to = talk_to(fate_argv("wc", "-c"));
    EXPECT_RESULT(EXPECT_INT, fate_pump(fate_take(&from.from), fate_take(&to.to)), MUCH);
    EXPECT_HEARD(&to.from, "10485760\n");
    end_talk(&from);
    end_talk(&to);
    fate_drop(size);
}

VOLUME_TEST(a_thousand_children_at_once_are_all_reaped)
{
    begin();
    static fate_deferred *all[1000];
    for (int i = 0; i < 1000; i++)
        all[i] = fate_hold(i % 2 ? fate_process_status(reactor, fate_argv("true"))
                                 : fate_process_status(reactor, fate_argv("false")));
    for (int i = 0; i < 1000; i++) {
        EXPECT_RESULT(EXPECT_INT, all[i], i % 2 ? 0 : 1);
        fate_release(all[i]);
    }
    EXPECT(!has_children());
}

/* ---- Cancelling ---- */

TEST(a_timeout_ends_the_child)
{
    begin();
    fate_deferred *d = fate_process_output(reactor, fate_argv("cat", "/dev/zero"));
    expect_message(fate_add_timeout(d, 10 * FATE_MILLISECOND), &FATE_TIMEOUT, "timed out after 0.01 s");
    EXPECT(!has_children());
}

/* A deaf child says that it is on a descriptor of ours, and is cancelled then. */
static fate_deferred *cancelled_when_deaf(fate_time kill_after)
{
    int ends[2];
    char byte;

    if (pipe(ends) < 0)
        give_up("there is no pipe");
    const fate_descriptor_pair pair = { STDOUT_FILENO, ends[1] };
    fate_deferred *d =
        fate_hold(fate_process_status_with(reactor, fate_argv(CHILD, "deaf"), .kill_after = kill_after,
                                           .descriptors = &pair, .n_descriptors = 1));
    close(ends[1]);
    if (fate_state(d) != FATE_DONE)
        EXPECT_EQ(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    fate_cancel(d);
    return d;
}

TEST(a_child_that_ignores_sigterm_is_killed_later)
{
    begin();
    fate_deferred *d = cancelled_when_deaf(20 * FATE_MILLISECOND);
    fate_time began = fate_now(reactor);
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    expect_message(d, &FATE_CANCELLED, "");
    EXPECT(fate_now(reactor) >= began + 20 * FATE_MILLISECOND);
    EXPECT(!has_children());
    fate_release(d);
}

TEST(a_second_cancel_kills_at_once)
{
    begin();
    fate_deferred *d = cancelled_when_deaf(1000 * FATE_SECOND);
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_cancel(d);
    expect_message(d, &FATE_CANCELLED, "");
    EXPECT(!has_children());
    fate_release(d);
}

TEST(a_stopped_child_is_killed_too)
{
    begin();
    fate_deferred *d = fate_hold(
        fate_process_status_with(reactor, SHELL("kill -STOP $$"), .kill_after = 5 * FATE_MILLISECOND));
    siginfo_t info;
    if (fate_state(d) == FATE_UNFIRED)
        EXPECT_EQ(waitid(P_ALL, 0, &info, WSTOPPED), 0);
    fate_cancel(d);
    expect_message(d, &FATE_CANCELLED, "");
    fate_release(d);
}

/* What had its pipes lives on; nobody waits for that once it is cancelled. */
TEST(output_is_cancelled_at_once_when_only_the_pipes_are_left)
{
    begin();
    int gate[2];
    if (pipe(gate) < 0)
        give_up("there is no pipe");
    fcntl(gate[1], F_SETFD, FD_CLOEXEC);
    const fate_descriptor_pair pair = { 3, gate[0] };
    fate_deferred *d = fate_hold(fate_process_output_with(reactor, SHELL("cat <&3 & exit 0"),
                                                          .descriptors = &pair, .n_descriptors = 1));
    close(gate[0]);
    run_until(has_none);
    fate_iterate(reactor, 0);
    if (!test_is_oom())
        EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    fate_cancel(d);
    EXPECT_EQ(fate_state(d), FATE_DONE);
    expect_message(d, &FATE_CANCELLED, "");
    fate_release(d);
    close(gate[1]);
}

TEST(output_is_cancelled_at_every_stage)
{
    begin();
    int n_stages = test_is_oom() ? 2 : 12;
    for (int rounds = 0; rounds < n_stages; rounds++) {
        fate_deferred *d = fate_hold(fate_process_output_with(
            reactor, SHELL("cat; echo said; echo more >&2; exit 1"), .input = fate_format("%100000d", 1)));
        for (int i = 0; i < rounds; i++)
            fate_iterate(reactor, 5 * FATE_MILLISECOND);
        fate_cancel(d);
        fate_drop(result_of(d));
        fate_release(d);
        EXPECT(!has_children());
    }
    EXPECT_EQ(n_reports, 0);
}

/* ---- The end of the reactor ---- */

static const fate_class *ended_in;

static fate_value note_end(fate_value *result, fate_value *arg)
{
    ended_in = fate_class_of(result);
    return fate_none();
}

TEST(children_are_killed_and_reaped_when_the_reactor_goes)
{
    begin();
    ended_in = NULL;
    fate_add_both(fate_process_output(reactor, fate_argv("cat", "/dev/zero")), note_end, fate_none());
    fate_add_both(cancelled_when_deaf(1000 * FATE_SECOND), note_end, fate_none());
    struct talk cat = talk_to(fate_argv("cat"));
    if (cat.is_there) {
        fate_add_both(fate_process_exited(cat.process), note_end, fate_none());
        say(&cat, "something");
    }
    struct talk idle = talk_to(fate_argv("cat"));
    fate_reactor_free(reactor);
    reactor = NULL;
    EXPECT_PTR(ended_in, &FATE_CANCELLED);
    EXPECT(!has_children());
    if (cat.is_there)
        EXPECT_EQ(fate_process_signal(cat.process, SIGTERM), -ESRCH);
    end_talk(&cat);
    end_talk(&idle);
}

static fate_value start_another(fate_value *result, fate_value *arg)
{
    fate_deferred *d = fate_process_output_with(reactor, fate_argv("cat"), .input = fate_str("a"));
    fate_add_both(d, note_end, fate_none());
    fate_add_both(fate_spawn(reactor, fate_argv("cat")), note_end, fate_none());
    return fate_none();
}

TEST(while_the_reactor_goes_nothing_is_started)
{
    begin();
    ended_in = NULL;
    fate_add_both(fate_process_status(reactor, SHELL("kill -STOP $$")), start_another, fate_none());
    fate_reactor_free(reactor);
    reactor = NULL;
    EXPECT_PTR(ended_in, &FATE_CANCELLED);
    EXPECT(!has_children());
}

TEST(a_fork_frees_its_copy_of_the_reactor_and_the_children_live)
{
    if (!has_pidfds())
        return; /* valgrind counts what the child has left */
    begin();
    struct talk cat = talk_to(fate_argv("cat"));
    if (!cat.is_there)
        return;
    int status;
    pid_t fork_of_us = fork();
    if (fork_of_us == 0) {
        fate_reactor_free(reactor);
        _exit(0);
    }
    EXPECT_EQ(waitpid(fork_of_us, &status, 0), fork_of_us);
    EXPECT_EQ(status, 0);
    say(&cat, "alive");
    EXPECT_HEARD(&cat.from, "alive");
    end_talk(&cat);
}

/* ---- SIGCHLD is the program's ---- */

static int n_sigchld;

static void count_sigchld(int signo)
{
    n_sigchld++;
}

TEST(sigchld_is_left_alone)
{
    begin();
    const struct sigaction ours = { .sa_handler = count_sigchld, .sa_flags = SA_RESTART };
    struct sigaction before, after;
    n_sigchld = 0;
    sigaction(SIGCHLD, &ours, &before);
    fate_value result = result_of(fate_process_status(reactor, fate_argv("true")));
    sigaction(SIGCHLD, &before, &after);
    EXPECT(after.sa_handler == count_sigchld);
    if (!fate_is_failure(&result))
        EXPECT_EQ(n_sigchld, 1);
    fate_drop(result);
}

TEST(how_a_child_has_ended_is_lost_where_sigchld_is_ignored)
{
    begin();
    const struct sigaction ignored = { .sa_handler = SIG_IGN };
    struct sigaction before;
    sigaction(SIGCHLD, &ignored, &before);
    expect_message(fate_process_status(reactor, fate_argv("true")), &FATE_CHILD_PROCESS_ERROR,
                   "how true has ended is lost");
    sigaction(SIGCHLD, &before, NULL);
}

/* ---- A system that answers badly ---- */

static struct fate__sys bad;
static const struct fate__sys *usual;
static unsigned n_calls;

static void begin_badly(void)
{
    usual = fate__sys;
    bad = *usual;
}

static ssize_t read_badly(int fd, void *to, size_t len)
{
    n_calls++;
    if (n_calls % 3 == 0) {
        errno = n_calls % 2 ? EINTR : EAGAIN;
        return -1;
    }
    return read(fd, to, len < 3 ? len : 3);
}

static ssize_t write_badly(int fd, const void *from, size_t len)
{
    n_calls++;
    if (n_calls % 3 == 0) {
        errno = n_calls % 2 ? EINTR : EAGAIN;
        return -1;
    }
    return write(fd, from, len < 2 || len == 8 ? len : 2); /* 8: the reactor's own counter */
}

static int waitid_badly(idtype_t kind, id_t id, siginfo_t *ret_info, int options)
{
    if (n_calls++ % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    return usual->waitid(kind, id, ret_info, options);
}

TEST(interrupted_short_and_empty_calls_lose_nothing)
{
    begin();
    n_calls = 0;
    begin_badly();
    bad.read = read_badly;
    bad.write = write_badly;
    bad.waitid = waitid_badly;
    fate__sys = &bad;
    EXPECT_RESULT(EXPECT_TEXT,
                  fate_process_output_with(reactor, fate_argv("cat"),
                                           .input = fate_str("what comes in small pieces is whole again")),
                  "what comes in small pieces is whole again");
}

static int fail_at, failing_errno;

static bool has_failed(void)
{
    if (--fail_at != 0)
        return false;
    errno = failing_errno;
    return true;
}

static int pipe2_badly(int ret_fds[2], int flags)
{
    return has_failed() ? -1 : pipe2(ret_fds, flags);
}

static int open_badly(const char *path, int flags, mode_t mode)
{
    return has_failed() ? -1 : open(path, flags, mode);
}

static int set_nonblocking_badly(int fd)
{
    return has_failed() ? -1 : usual->set_nonblocking(fd);
}

static int dup_above_badly(int fd, int lowest)
{
    return has_failed() ? -1 : usual->dup_above(fd, lowest);
}

static int pidfd_open_badly(pid_t pid, unsigned flags)
{
    return has_failed() ? -1 : usual->pidfd_open(pid, flags);
}

static int epoll_ctl_badly(int set, int op, int fd, struct epoll_event *event)
{
    return has_failed() ? -1 : usual->epoll_ctl(set, op, fd, event);
}

/* Each of the calls of a start fails, in turn; what is left by then goes. */
TEST(each_call_of_a_start_that_fails_is_a_failure_that_leaves_nothing)
{
    begin();
    failing_errno = EMFILE;
    begin_badly();
    bad.pipe2 = pipe2_badly;
    bad.open = open_badly;
    bad.set_nonblocking = set_nonblocking_badly;
    bad.dup_above = dup_above_badly;
    bad.pidfd_open = pidfd_open_badly;
    bad.epoll_ctl = epoll_ctl_badly;
    const fate_descriptor_pair pair = { 9, STDERR_FILENO };
    for (int n = 1; n < 100; n++) {
        fate__sys = &bad;
        fail_at = n;
        fate_value result = result_of(fate_process_output_with(reactor, SHELL("echo said"), .directory = "/",
                                                               .descriptors = &pair, .n_descriptors = 1));
        fate__sys = usual;
        bool is_over = fail_at > 0;
        if (is_over)
            EXPECT_TEXT(&result, "said\n");
        else if (fate_is_failure(&result))
            EXPECT_EQ(fate_failure_errno(&result), EMFILE);
        fate_drop(result);
        EXPECT(!has_children());
        if (is_over)
            return;
    }
    give_up("there is no end of calls that fail");
}

static int waitid_lost(idtype_t kind, id_t id, siginfo_t *ret_info, int options)
{
    usual->waitid(kind, id, ret_info, options);
    errno = ECHILD;
    return -1;
}

TEST(a_child_that_somebody_else_has_waited_for_is_lost)
{
    begin();
    begin_badly();
    bad.waitid = waitid_lost;
    struct talk cat = talk_to(fate_argv("cat"));
    if (!cat.is_there)
        return;
    fate__sys = &bad;
    say_no_more(&cat);
    expect_message(fate_process_exited(cat.process), &FATE_CHILD_PROCESS_ERROR, "how cat has ended is lost");
    end_talk(&cat);
}

/* ---- In coroutines ---- */

static fate_value converse(fate_coro *co, fate_value *arg)
{
    fate_value child = fate_await(co, fate_spawn(reactor, fate_argv("cat")));
    if (fate_is_failure(&child))
        return child;
    fate_process *process = fate_as_process(&child);
    fate_value to = fate_process_stdin(process), from = fate_process_stdout(process);
    fate_drop(fate_await(co, fate_sink_write(reactor, &to, fate_str("from a coroutine"))));
    fate_drop(fate_await(co, fate_sink_end(reactor, &to, fate_none())));
    fate_drop(fate_await(co, fate_process_exited(process)));
    fate_value heard = fate_await(co, fate_read_all(from, 100));
    fate_drop(to);
    fate_drop(child);
    return heard;
}

TEST(a_coroutine_talks_to_a_child)
{
    begin();
    EXPECT_RESULT(EXPECT_TEXT, fate_go(reactor, converse, fate_none()), "from a coroutine");
}

/* ---- Misuse ---- */

static void spawn_nothing(void *arg)
{
    const char *const nothing[] = { NULL };
    begin();
    fate_spawn(reactor, nothing);
}

static void not_a_process(void *arg)
{
    fate_value v = fate_int(1);
    fate_as_process(&v);
}

TEST(misuse_stops_the_program)
{
    EXPECT_STOP(spawn_nothing, NULL, "fate_spawn", "no program", "test_process_life.c");
    EXPECT_STOP(not_a_process, NULL, "fate_process");
}
