/* Tests of src/reactor/process*.c: starting programs, and running them to their end. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_process_helpers.h"

/* ---- Output ---- */

TEST(the_output_of_a_command_is_a_text)
{
    begin();
    EXPECT_RESULT(EXPECT_TEXT, fate_process_output(reactor, SHELL("echo hello; echo unseen >&2")), "hello\n");
}

TEST(it_is_the_same_with_either_poller)
{
    static const char *const pollers[] = { "epoll", "poll" };

    for (int i = 0; i < 2; i++) {
        begin_with(pollers[i]);
        EXPECT_RESULT(EXPECT_TEXT, fate_process_output(reactor, SHELL("cat; echo hello")), "hello\n");
        test_at_end();
    }
}

TEST(a_command_that_says_nothing_has_said_an_empty_text)
{
    begin();
    EXPECT_RESULT(EXPECT_TEXT, fate_process_output(reactor, fate_argv("true")), "");
}

TEST(an_exit_status_beside_0_is_a_failure_that_says_what_was_said)
{
    begin();
    fate_value why = result_of(
        fate_process_output(reactor, SHELL("echo half; echo first >&2; echo 'no such thing' >&2; exit 3")));
    if (EXPECT_FAILURE(&why, &FATE_PROCESS_STATUS)) {
        EXPECT_STR(fate_message(&why), "sh: exit status 3: no such thing");
        EXPECT_DESCRIBED(fate_payload(&why), "{\"status\": 3, \"stdout\": \"half\\n\", "
                                             "\"stderr\": \"first\\nno such thing\\n\"}");
    }
    fate_drop(why);
}

TEST(a_signal_is_a_failure_that_names_it)
{
    begin();
    expect_message(fate_process_output(reactor, SHELL("kill -SEGV $$")), &FATE_PROCESS_KILLED,
                   "sh: killed by SIGSEGV");
    expect_message(fate_process_output(reactor, fate_argv(CHILD, "core")), &FATE_PROCESS_KILLED,
                   "killed by SIGABRT");
    fate_value why = result_of(fate_process_output(reactor, SHELL("kill -40 $$")));
    if (EXPECT_FAILURE(&why, &FATE_PROCESS_KILLED)) {
        EXPECT_CONTAINS(fate_message(&why), "killed by signal 40");
        EXPECT_INT(fate_dict_get(fate_payload(&why), "signal"), 40);
    }
    fate_drop(why);
}

TEST(input_is_a_text_or_bytes)
{
    begin();
    EXPECT_RESULT(EXPECT_TEXT,
                  fate_process_output_with(reactor, fate_argv("cat"), .input = fate_str("a text")), "a text");
    EXPECT_RESULT(EXPECT_TEXT,
                  fate_process_output_with(reactor, fate_argv("cat"), .input = fate_bytes("bytes", 5)),
                  "bytes");
    EXPECT_RESULT(EXPECT_TEXT, fate_process_output_with(reactor, fate_argv("cat"), .input = fate_str("")),
                  "");
}

TEST(input_may_come_from_another_child)
{
    begin();
    struct talk from = talk_to(SHELL("echo from another"));
    if (!from.is_there)
        return;
    EXPECT_RESULT(EXPECT_TEXT,
                  fate_process_output_with(reactor, fate_argv("cat"), .input = fate_copy(&from.from)),
                  "from another\n");
    end_talk(&from);
}

static fate_deferred *read_failure(fate_value *arg, size_t bytes_max)
{
    return fate_fail(fate_as_ptr(arg), fate_raise(&FATE_VALUE_ERROR, "the input is broken"));
}

static const fate_source_ops broken_ops = { .size = sizeof broken_ops, .read = read_failure };

TEST(input_that_fails_ends_the_child_and_does_not_pass_for_all)
{
    begin();
    fate_value source = fate_source(reactor, &broken_ops, fate_ptr(reactor));
    expect_message(fate_process_output_with(reactor, fate_argv("cat"), .input = source), &FATE_VALUE_ERROR,
                   "the input is broken");
}

TEST(a_child_need_not_read_its_input)
{
    begin();
    fate_value much = fate_format("%300000d", 1);
    EXPECT_RESULT(EXPECT_TEXT,
                  fate_process_output_with(reactor, SHELL("exec <&-; echo deaf"), .input = fate_copy(&much)),
                  "deaf\n");
    EXPECT_RESULT(EXPECT_TEXT, fate_process_output_with(reactor, fate_argv("true"), .input = much), "");
    EXPECT_EQ(n_reports, 0);
}

TEST(output_beyond_the_limit_ends_the_child)
{
    begin();
    expect_message(fate_process_output_with(reactor, fate_argv("yes"), .output_bytes_max = 10000),
                   &FATE_PROCESS_OUTPUT, "yes: said more than 10000 bytes");
    expect_message(fate_process_output_with(reactor, SHELL("yes >&2"), .output_bytes_max = 10000),
                   &FATE_PROCESS_OUTPUT, "10000 bytes");
    expect_message(fate_process_output_with(reactor, SHELL("echo 12345"), .output_bytes_max = 5),
                   &FATE_PROCESS_OUTPUT, "sh: said more than 5 bytes");
    EXPECT_RESULT(EXPECT_TEXT, fate_process_output_with(reactor, SHELL("echo 12345"), .output_bytes_max = 6),
                  "12345\n");
}

static bool has_none(void)
{
    return !has_children();
}

/* One of its own keeps the pipe: the child has exited, and its output is not over. */
TEST(output_is_over_when_all_who_had_the_pipe_have_closed_it)
{
    begin();
    int gate[2];
    if (pipe(gate) < 0)
        give_up("there is no pipe");
    fcntl(gate[1], F_SETFD, FD_CLOEXEC);
    const fate_descriptor_pair pair = { 3, gate[0] };
    fate_deferred *d =
        fate_hold(fate_process_output_with(reactor, SHELL("echo early; (cat <&3; echo late) & exit 0"),
                                           .descriptors = &pair, .n_descriptors = 1));
    run_until(has_none);
    EXPECT_EQ(fate_state(d), FATE_UNFIRED);
    close(gate[0]);
    close(gate[1]);
    EXPECT_RESULT(EXPECT_TEXT, d, "early\nlate\n");
    fate_release(d);
}

TEST(what_is_kept_goes_where_ours_goes)
{
    begin();
    int ends[2], before = dup(STDERR_FILENO);
    char said[32] = "";
    if (before < 0 || pipe(ends) < 0)
        give_up("there is no pipe");
    dup2(ends[1], STDERR_FILENO);
    fate_deferred *d = fate_process_output_with(reactor, SHELL("echo ours >&2"), .keep_stderr = true);
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[1]);
    EXPECT_RESULT(EXPECT_TEXT, d, "");
    ssize_t n = read(ends[0], said, sizeof said - 1);
    close(ends[0]);
    EXPECT_EQ(n, 5);
    EXPECT_STR(said, "ours\n");
}

/* ---- Status ---- */

TEST(a_status_is_a_number_whatever_it_is)
{
    begin();
    EXPECT_RESULT(EXPECT_INT, fate_process_status(reactor, fate_argv("true")), 0);
    EXPECT_RESULT(EXPECT_INT, fate_process_status(reactor, SHELL("echo unseen; exit 77")), 77);
    expect_message(fate_process_status(reactor, SHELL("kill -KILL $$")), &FATE_PROCESS_KILLED,
                   "killed by SIGKILL");
    EXPECT_RESULT(EXPECT_INT,
                  fate_process_status_with(reactor, SHELL("read line; [ \"$line\" = input ]"),
                                           .input = fate_str("input\n")),
                  0);
}

/* ---- What the child gets ---- */

TEST(a_child_gets_three_descriptors_and_no_others)
{
    begin();
    int stray = dup(STDERR_FILENO), high = fcntl(STDERR_FILENO, F_DUPFD, 500);
    EXPECT_RESULT(EXPECT_TEXT, fate_process_output(reactor, fate_argv(CHILD, "descriptors")), "0 1 2");
    close(stray);
    close(high);
}

TEST(descriptors_are_mapped_also_when_they_change_places)
{
    begin();
    int a[2], b[2];
    char said[16] = "";
    if (pipe(a) < 0 || pipe(b) < 0)
        give_up("there is no pipe");
    const fate_descriptor_pair pairs[] = { { b[1], a[1] }, { a[1], b[1] }, { 9, a[1] } };
    char text[96];
    snprintf(text, sizeof text, "echo one >&%d; echo two >&%d; echo three >&9", a[1], b[1]);
    EXPECT_RESULT(EXPECT_INT,
                  fate_process_status_with(reactor, SHELL(text), .descriptors = pairs, .n_descriptors = 3),
                  0);
    close(a[1]);
    close(b[1]);
    EXPECT_EQ(read(a[0], said, sizeof said), 10);
    EXPECT(memcmp(said, "two\nthree\n", 10) == 0);
    EXPECT_EQ(read(b[0], said, sizeof said), 4);
    EXPECT(memcmp(said, "one\n", 4) == 0);
    close(a[0]);
    close(b[0]);
    EXPECT_RESULT(EXPECT_TEXT,
                  fate_process_output_with(reactor, fate_argv(CHILD, "descriptors"), .descriptors = pairs,
                                           .n_descriptors = 0),
                  "0 1 2");
}

TEST(a_descriptor_may_take_the_place_of_a_pipe)
{
    begin();
    int ends[2];
    char said[16] = "";
    if (pipe(ends) < 0)
        give_up("there is no pipe");
    const fate_descriptor_pair pairs[] = { { 1, ends[1] }, { 7, ends[1] } };
    EXPECT_RESULT(EXPECT_TEXT,
                  fate_process_output_with(reactor, fate_argv(CHILD, "descriptors"), .descriptors = pairs,
                                           .n_descriptors = 2),
                  "");
    close(ends[1]);
    EXPECT_EQ(read(ends[0], said, sizeof said), 7);
    EXPECT(memcmp(said, "0 1 2 7", 7) == 0);
    close(ends[0]);
}

TEST(descriptors_that_are_none_are_a_failure)
{
    begin();
    const fate_descriptor_pair closed = { 3, 9999 }, beyond = { 1024, 0 }, negative = { -1, 0 };
    expect_message(
        fate_process_status_with(reactor, fate_argv("true"), .descriptors = &closed, .n_descriptors = 1),
        &FATE_OS_ERROR, "start true: descriptors: Bad file descriptor");
    expect_message(
        fate_process_status_with(reactor, fate_argv("true"), .descriptors = &beyond, .n_descriptors = 1),
        &FATE_OS_ERROR, "EBADF");
    expect_message(
        fate_process_status_with(reactor, fate_argv("true"), .descriptors = &negative, .n_descriptors = 1),
        &FATE_OS_ERROR, "EBADF");
}

TEST(a_child_has_its_signals_at_their_defaults)
{
    begin();
    sigset_t some, before;
    struct sigaction ignore = { .sa_handler = SIG_IGN }, hup, pipe_before;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR1);
    sigaddset(&some, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &some, &before);
    sigaction(SIGHUP, &ignore, &hup);
    sigaction(SIGPIPE, &ignore, &pipe_before);
    EXPECT_RESULT(EXPECT_TEXT, fate_process_output(reactor, fate_argv(CHILD, "signals")), "none");
    sigaction(SIGHUP, &hup, NULL);
    sigaction(SIGPIPE, &pipe_before, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

TEST(a_child_begins_in_the_directory_that_it_is_given)
{
    begin();
    EXPECT_RESULT(EXPECT_TEXT, fate_process_output_with(reactor, fate_argv("pwd"), .directory = "/usr/bin"),
                  "/usr/bin\n");
    EXPECT_RESULT(EXPECT_INT, fate_process_status_with(reactor, fate_argv("./true"), .directory = "/usr/bin"),
                  0);
}

TEST(the_environment_is_ours_or_the_one_given_or_empty)
{
    begin();
    const char *const one[] = { "NAME=value", NULL };
    const char *const empty[] = { NULL };
    setenv("FATE_TEST_NAME", "ours", 1);
    EXPECT_RESULT(EXPECT_TEXT, fate_process_output(reactor, SHELL("echo $FATE_TEST_NAME")), "ours\n");
    EXPECT_RESULT(EXPECT_TEXT, fate_process_output_with(reactor, fate_argv("env"), .environment = one),
                  "NAME=value\n");
    EXPECT_RESULT(EXPECT_TEXT, fate_process_output_with(reactor, fate_argv("env"), .environment = empty), "");
    unsetenv("FATE_TEST_NAME");
}

/* ---- Starts that fail ---- */

TEST(a_program_that_is_not_there_is_named)
{
    if (!has_pidfds())
        return;
    begin();
    expect_message(fate_spawn(reactor, fate_argv("fate-no-such-program")), &FATE_FILE_NOT_FOUND,
                   "start fate-no-such-program: No such file or directory (ENOENT)");
    expect_message(fate_process_output(reactor, fate_argv("/no/such/program")), &FATE_FILE_NOT_FOUND,
                   "start /no/such/program");
    expect_message(fate_process_status(reactor, fate_argv("/etc/passwd")), &FATE_PERMISSION_ERROR,
                   "start /etc/passwd: Permission denied");
    expect_message(fate_process_output_with(reactor, fate_argv("fate-no-such-program"), .directory = "/tmp",
                                            .input = fate_str("input")),
                   &FATE_FILE_NOT_FOUND, "start fate-no-such-program in /tmp");
}

TEST(a_directory_that_is_not_there_is_named)
{
    begin();
    expect_message(fate_spawn_with(reactor, fate_argv("true"), .directory = "/no/such/place"),
                   &FATE_FILE_NOT_FOUND, "start true: /no/such/place: No such file or directory");
    expect_message(fate_spawn_with(reactor, fate_argv("true"), .directory = "/etc/passwd"), &FATE_OS_ERROR,
                   "start true: /etc/passwd: Not a directory");
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

TEST(on_simulated_time_there_are_no_processes)
{
    begin();
    fate_reactor *simulated = fate_reactor_new_simulated();
    if (!simulated)
        return;
    fate_deferred *d = fate_hold(fate_process_output(simulated, fate_argv("true")));
    if (EXPECT_FAILURE(fate_peek(d), &FATE_OS_ERROR)) {
        EXPECT_EQ(fate_failure_errno(fate_peek(d)), EOPNOTSUPP);
        EXPECT_CONTAINS(fate_message(fate_peek(d)), "start true: on simulated time");
    }
    fate_add_errback(d, forgive, fate_none());
    fate_release(d);
    fate_reactor_free(simulated);
}
