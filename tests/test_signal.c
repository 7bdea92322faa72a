/* src/reactor/signal.c */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
