/* src/reactor/signal.c */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <base/sys.h>
#include <fate/fate.h>

static fate_reactor *reactor;
static char trail[256];

static bool begin(void)
{
    trail[0] = '\0';
    reactor = test_real_reactor(NULL);
    return reactor != NULL;
}

static void note(fate_value *text)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s%s", len ? " " : "", fate_as_str(text));
}

static volatile sig_atomic_t own_calls;

static void own_handler(int signo)
{
    own_calls++;
}

TEST(a_signal_is_an_event_and_comes_once_for_all_that_came)
{
    if (!begin())
        return;
    if (fate_on_signal(reactor, SIGUSR1, note, fate_str("usr1")).id < 0)
        return;
    raise(SIGUSR1);
    raise(SIGUSR1);
    EXPECT_STR(trail, "");
    fate_iterate(reactor, 0);
    EXPECT_STR(trail, "usr1");
    fate_iterate(reactor, 0);
    EXPECT_STR(trail, "usr1");
}

TEST(the_handler_that_was_there_comes_back)
{
    struct sigaction own = { .sa_handler = own_handler }, now = { 0 };

    if (!begin())
        return;
    own_calls = 0;
    sigaction(SIGUSR2, &own, NULL);
    fate_watch one = fate_on_signal(reactor, SIGUSR2, note, fate_str("one"));
    fate_watch two = fate_on_signal(reactor, SIGUSR2, note, fate_str("two"));
    if (one.id > 0 && two.id > 0) {
        raise(SIGUSR2);
        fate_iterate(reactor, 0);
        EXPECT_STR(trail, "one two");
        EXPECT_EQ(fate_unwatch(one), 0);
        raise(SIGUSR2);
        fate_iterate(reactor, 0);
        EXPECT_STR(trail, "one two two");
        EXPECT_EQ(own_calls, 0);
        EXPECT_EQ(fate_unwatch(two), 0);
        raise(SIGUSR2);
        EXPECT_EQ(own_calls, 1);
    }
    fate_reactor_free(reactor);
    sigaction(SIGUSR2, NULL, &now);
    EXPECT(now.sa_handler == own_handler);
    signal(SIGUSR2, SIG_DFL);
}

TEST(what_cannot_be_caught_is_refused)
{
    if (!begin())
        return;
    EXPECT_EQ(fate_on_signal(reactor, SIGKILL, note, fate_none()).id, -EINVAL);
    EXPECT_EQ(fate_on_signal(reactor, SIGSEGV, note, fate_none()).id, -EINVAL);
    EXPECT_EQ(fate_on_signal(reactor, 0, note, fate_none()).id, -EINVAL);
    EXPECT_EQ(fate_on_signal(reactor, 1000, note, fate_none()).id, -EINVAL);
}

static fate_watch second;

static void stop_second(fate_value *arg)
{
    fate_value text = fate_str("first");
    if (!LACKS(&text))
        note(&text);
    fate_drop(text);
    fate_unwatch(second);
}

TEST(a_watch_may_stop_another_inside_its_call)
{
    if (!begin())
        return;
    fate_on_signal(reactor, SIGUSR1, stop_second, fate_none());
    second = fate_on_signal(reactor, SIGUSR1, note, fate_str("second"));
    fate_watch third = fate_on_signal(reactor, SIGUSR1, note, fate_str("third"));
    if (second.id < 0 || third.id < 0)
        return;
    raise(SIGUSR1);
    fate_iterate(reactor, 0);
    EXPECT_STR(trail, "first third");
}

static void stop(fate_value *arg)
{
    fate_stop(reactor);
}

static void *kill_process(void *arg)
{
    kill(getpid(), SIGHUP);
    return NULL;
}

TEST(a_signal_from_elsewhere_wakes_a_sleeping_loop)
{
    pthread_t thread;

    if (!begin() || fate_on_signal(reactor, SIGHUP, stop, fate_none()).id < 0)
        return;
    if (fate_stop_later(reactor, 10 * FATE_SECOND) < 0)
        return;
    fate_time before = fate_now(reactor);
    pthread_create(&thread, NULL, kill_process, NULL);
    EXPECT_EQ(fate_run(reactor), 0);
    pthread_join(thread, NULL);
    EXPECT(fate_now(reactor) - before < 5 * FATE_SECOND);
}

TEST(each_reactor_that_asks_is_told)
{
    if (!begin())
        return;
    fate_reactor *other = test_real_reactor(NULL);
    if (!other)
        return;
    fate_watch one = fate_on_signal(reactor, SIGUSR1, note, fate_str("one"));
    fate_watch two = fate_on_signal(other, SIGUSR1, note, fate_str("other"));
    if (one.id < 0 || two.id < 0)
        return;
    raise(SIGUSR1);
    fate_iterate(reactor, 0);
    fate_iterate(other, 0);
    EXPECT_STR(trail, "one other");
}

/* ---- Who asks, stops or crashes inside a call ---- */

static fate_watch again[2];
static int n_again;

static void ask_again(fate_value *which)
{
    int i = (int)fate_as_int(which);

    fate_unwatch(again[i]);
    if (++n_again < 1000)
        again[i] = fate_on_signal(reactor, SIGUSR1, ask_again, fate_int(i));
}

TEST(two_who_ask_again_in_their_calls_are_called_once_for_a_signal)
{
    if (!begin())
        return;
    n_again = 0;
    for (int i = 0; i < 2; i++)
        again[i] = fate_on_signal(reactor, SIGUSR1, ask_again, fate_int(i));
    if (again[0].id < 0 || again[1].id < 0)
        return;
    raise(SIGUSR1);
    fate_iterate(reactor, 0);
    EXPECT_EQ(n_again, 2);
}

TEST(a_signal_that_came_for_one_who_is_gone_is_not_for_the_next)
{
    if (!begin())
        return;
    fate_watch gone = fate_on_signal(reactor, SIGUSR1, note, fate_str("gone"));
    if (gone.id < 0)
        return;
    raise(SIGUSR1);
    fate_unwatch(gone);
    fate_on_signal(reactor, SIGUSR1, note, fate_str("next"));
    fate_iterate(reactor, 0);
    EXPECT_STR(trail, "");
}

static void crash(fate_value *arg)
{
    fate_crash(reactor);
}

TEST(after_a_crash_the_other_calls_come_when_it_runs_again)
{
    if (!begin() || fate_on_signal(reactor, SIGUSR1, crash, fate_none()).id < 0)
        return;
    fate_value text = fate_str("later");
    fate_watch later = fate_on_signal(reactor, SIGUSR1, note, text);
    if (later.id < 0 || fate_stop_later(reactor, 0) < 0)
        return;
    raise(SIGUSR1);
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "");
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT_STR(trail, "later");
}

static struct fate__sys own_sys;

static int raise_after_sigaction(int signo, const struct sigaction *action, struct sigaction *ret_old)
{
    int why = fate__sys_real.sigaction(signo, action, ret_old);
    if (action && why == 0)
        raise(signo);
    return why;
}

TEST(a_signal_that_comes_as_soon_as_there_is_a_handler_is_not_lost)
{
    const struct fate__sys *before = fate__sys;

    if (!begin())
        return;
    own_sys = *before;
    own_sys.sigaction = raise_after_sigaction;
    fate__sys = &own_sys;
    fate_watch watch = fate_on_signal(reactor, SIGUSR1, note, fate_str("at once"));
    fate__sys = before;
    fate_iterate(reactor, 0);
    if (watch.id > 0)
        EXPECT_STR(trail, "at once");
}

/* ---- Simulated time ---- */

TEST(a_simulated_reactor_delivers_signals_too)
{
    trail[0] = '\0';
    reactor = test_reactor();
    if (fate_on_signal(reactor, SIGUSR1, note, fate_str("usr1")).id < 0)
        return;
    raise(SIGUSR1);
    fate_advance(reactor, 0);
    EXPECT_STR(trail, "usr1");
    raise(SIGUSR1);
    fate_play(reactor, 0);
    EXPECT_STR(trail, "usr1 usr1");
    raise(SIGUSR1);
    EXPECT_EQ(fate_run(reactor), -EDEADLK);
    EXPECT_STR(trail, "usr1 usr1 usr1");
}

/* It comes while the reactor waits for a thread, and ends that: the clock does not stand still for ever. */
TEST(a_signal_wakes_a_simulated_reactor_that_waits_for_threads)
{
    trail[0] = '\0';
    reactor = test_reactor();
    if (fate_on_signal(reactor, SIGHUP, crash, fate_none()).id < 0)
        return;
    fate_pause_clock(reactor);
    pthread_t thread;
    pthread_create(&thread, NULL, kill_process, NULL);
    EXPECT_EQ(fate_run(reactor), 0);
    pthread_join(thread, NULL);
    fate_unpause_clock(reactor);
}

/* ---- Processes that fork ---- */

static int signal_after_free(void)
{
    fate_reactor_free(reactor);
    struct sigaction now;
    sigaction(SIGUSR1, NULL, &now);
    if (now.sa_handler != own_handler)
        return 1;
    raise(SIGUSR1);
    fate_reactor *own = fate_reactor_new();
    if (!own)
        return 2;
    fate_watch watch = fate_on_signal(own, SIGUSR1, note, fate_str("child"));
    raise(SIGUSR1);
    fate_iterate(own, 0);
    fate_reactor_free(own);
    return watch.id > 0 && strcmp(trail, "child") != 0 ? 3 : 7;
}

TEST(in_the_child_of_a_fork_signals_no_longer_reach_a_reactor_that_it_freed)
{
    if (!begin() || test_is_oom())
        return;
    signal(SIGUSR1, own_handler);
    fate_on_signal(reactor, SIGUSR1, note, fate_str("parent"));
    pid_t child = fork();
    if (child == 0) {
        if (signal_after_free() == 7)
            raise(SIGKILL); /* at once: valgrind would count what a child leaves, by intention */
        _exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    raise(SIGUSR1);
    fate_iterate(reactor, 0);
    EXPECT_STR(trail, "parent");
    fate_reactor_free(reactor);
    signal(SIGUSR1, SIG_DFL);
}
