/* src/reactor/main.c: whole programs, which are functions here. */
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fate/fate.h>

static char said[2048]; /* what the program has written to standard error */
static fate_reactor *running;

/* Runs fate_main with standard error in memory. */
static int run_program(fate_main_fn *start)
{
    int memory = memfd_create("stderr", MFD_CLOEXEC);
    int kept = dup(STDERR_FILENO);

    fflush(stderr);
    dup2(memory, STDERR_FILENO);
    int status = fate_main(start, 1, (char *[]){ (char *)"program", NULL });
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    ssize_t len = pread(memory, said, sizeof said - 1, 0);
    said[len > 0 ? len : 0] = '\0';
    test_forget_blocked(said);
    close(kept);
    close(memory);
    return status;
}

/* ---- Ends ---- */

static fate_deferred *succeed(fate_reactor *reactor, int argc, char **argv)
{
    EXPECT_EQ(argc, 1);
    EXPECT_STR(argv[0], "program");
    return fate_defer_later(reactor, FATE_MILLISECOND, NULL, fate_none());
}

TEST(a_program_that_ends_in_a_value_has_status_0)
{
    EXPECT_EQ(run_program(succeed), 0);
    EXPECT_STR(said, "");
}

static fate_deferred *fail(fate_reactor *reactor, int argc, char **argv)
{
    return fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "no such thing"));
}

TEST(one_that_fails_has_status_1_and_a_traceback)
{
    EXPECT_EQ(run_program(fail), 1);
    EXPECT_CONTAINS(said, "ValueError: no such thing");
    EXPECT_CONTAINS(said, "raised fail test_main.c:");
}

static void stop(fate_value *reactor)
{
    fate_stop(fate_as_ptr(reactor));
}

static fate_deferred *be_stopped(fate_reactor *reactor, int argc, char **argv)
{
    fate_call_later(reactor, 0, stop, fate_ptr(reactor));
    return fate_defer_later(reactor, test_is_oom() ? FATE_MILLISECOND : FATE_NEVER, NULL, fate_none());
}

TEST(a_reactor_that_is_stopped_first_does_not_wait_for_the_deferred)
{
    EXPECT_EQ(run_program(be_stopped), 0);
    EXPECT_STR(said, "");
}

static fate_deferred *return_null(fate_reactor *reactor, int argc, char **argv)
{
    return NULL;
}

static void start_nothing(void *arg)
{
    fate_main(return_null, 0, NULL);
}

static void start_null(void *arg)
{
    fate_main(NULL, 0, NULL);
}

TEST(a_main_function_without_a_deferred_stops_the_program)
{
    EXPECT_STOP(start_null, NULL, "fate_main", "NULL main function");
    EXPECT_STOP(start_nothing, NULL, "returned NULL", "fate_succeed");
}

/* ---- Signals ---- */

static void raise_signal(fate_value *signo)
{
    raise((int)fate_as_int(signo));
}

static fate_deferred *wait_for_signal(fate_reactor *reactor, int signo)
{
    fate_timer timer = fate_call_later(reactor, 0, raise_signal, fate_int(signo));
    /* Without memory for that, nobody would end the program. */
    return fate_defer_later(reactor, timer.id < 0 ? 0 : 10 * FATE_SECOND, NULL, fate_none());
}

static fate_deferred *be_interrupted(fate_reactor *reactor, int argc, char **argv)
{
    return wait_for_signal(reactor, SIGINT);
}

static fate_deferred *be_terminated(fate_reactor *reactor, int argc, char **argv)
{
    return wait_for_signal(reactor, SIGTERM);
}

TEST(a_signal_cancels_the_program_and_is_its_status)
{
    struct sigaction now;

    if (test_is_oom())
        return; /* without the handler the test itself would end */
    EXPECT_EQ(run_program(be_interrupted), 130);
    EXPECT_EQ(run_program(be_terminated), 143);
    EXPECT_STR(said, "");
    sigaction(SIGTERM, NULL, &now);
    EXPECT(now.sa_handler == SIG_DFL);
}

static fate_value clean_up(fate_value *why, fate_value *arg)
{
    EXPECT(fate_is(why, &FATE_CANCELLED));
    return fate_follow(fate_defer_later(running, FATE_MILLISECOND, NULL, fate_none()));
}

static fate_value say_shutdown(fate_value *arg)
{
    fputs("shutdown\n", stderr);
    return fate_none();
}

static fate_deferred *end_well(fate_reactor *reactor, int argc, char **argv)
{
    running = reactor;
    fate_add_trigger(reactor, FATE_BEFORE, FATE_SHUTDOWN, say_shutdown, fate_none());
    return fate_add_errback(wait_for_signal(reactor, SIGTERM), clean_up, fate_none());
}

TEST(one_that_ends_well_after_a_signal_has_status_0)
{
    if (test_is_oom())
        return;
    EXPECT_EQ(run_program(end_well), 0);
    EXPECT_STR(said, "shutdown\n");
}

static fate_value never_end(fate_value *why, fate_value *arg)
{
    raise(SIGINT);
    return fate_follow(fate_deferred_new(running));
}

static fate_deferred *be_stubborn(fate_reactor *reactor, int argc, char **argv)
{
    running = reactor;
    return fate_add_errback(wait_for_signal(reactor, SIGINT), never_end, fate_none());
}

TEST(a_second_signal_ends_the_program_at_once)
{
    int status = 0;

    if (test_is_oom())
        return;
    pid_t child = fork();
    if (child == 0)
        _exit(fate_main(be_stubborn, 0, NULL) + 50);
    waitpid(child, &status, 0);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 130);
}

/* ---- Options ---- */

static fate_deferred *keep_going(fate_reactor *reactor, int argc, char **argv)
{
    struct sigaction now;

    sigaction(SIGINT, NULL, &now);
    EXPECT(now.sa_handler == SIG_DFL);
    return fate_succeed(reactor, fate_none());
}

TEST(signals_are_left_alone_when_asked_for)
{
    EXPECT_EQ(fate_main_with(keep_going, 0, NULL, .keep_signals = true), 0);
}
