/* src/reactor/loop.c and its neighbours, where they are used wrongly or the world is odd: descriptors that
 * are none, the child of a fork, observers that would run the loop that tells them. */
#include "test.h"
#include "test_sys_helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <base/sys.h>
#include <reactor/reactor.h>
#include <fate/fate.h>

static fate_reactor *reactor;
static int n_calls;
static int ends[2]; /* of a pipe */

static bool begin_with(const fate_reactor_options *options)
{
    n_calls = 0;
    reactor = test_real_reactor(options);
    return reactor && pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0;
}

static void close_pipe(void)
{
    close(ends[0]);
    close(ends[1]);
}

static void count(fate_value *arg)
{
    n_calls++;
}

static void never_called(int fd, unsigned events, fate_value *arg)
{
    EXPECT(false);
}

static void got_byte(int fd, unsigned events, fate_value *arg)
{
    char byte;

    n_calls += read(fd, &byte, 1) == 1;
}

static void read_nothing(int fd, unsigned events, fate_value *arg)
{
    n_calls++;
}

static fate_watch watch_pipe(fate_fd_fn *fn)
{
    return fate_watch_fd(reactor, ends[0], FATE_READABLE, fn, fate_none());
}

static void write_byte(void)
{
    while (write(ends[1], "x", 1) < 0 && errno == EINTR)
        ;
}

/* ---- Wrong descriptors ---- */

/* Whatever waits, a plain file is always ready, and one that is not open never will be. */
TEST(every_poller_refuses_what_cannot_be_waited_for)
{
    const char *const pollers[] = { "epoll", "poll" };
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), folder = open("/", O_RDONLY | O_CLOEXEC);

    for (int i = 0; i < 2; i++) {
        const fate_reactor_options options = { .size = sizeof options, .poller = pollers[i] };
        if (!begin_with(&options))
            break;
        EXPECT_EQ(fate_watch_fd(reactor, file, FATE_READABLE, never_called, fate_none()).id, -EPERM);
        EXPECT_EQ(fate_watch_fd(reactor, folder, FATE_READABLE, never_called, fate_none()).id, -EPERM);
        EXPECT_EQ(fate_watch_fd(reactor, 1000, FATE_READABLE, never_called, fate_none()).id, -EBADF);
        close_pipe();
    }
    close(file);
    close(folder);
}

/* A number that is no descriptor's, were it stored by, would take gigabytes. */
TEST(a_large_number_that_is_no_descriptor_takes_no_memory)
{
    if (!begin_with(NULL))
        return;
    fate_watch large = fate_watch_fd(reactor, 20000000, FATE_READABLE, never_called, fate_none());
    EXPECT_EQ(large.id, -EBADF);
    large = fate_watch_fd(reactor, INT_MAX, 0, never_called, fate_none());
    EXPECT_EQ(large.id, -EBADF);
    close_pipe();
}

/* poll(2) says so again and again; whoever is told once and does nothing is not told for ever. */
TEST(a_descriptor_closed_while_watched_does_not_make_poll_spin)
{
    const fate_reactor_options options = { .size = sizeof options, .poller = "poll" };

    if (!begin_with(&options))
        return;
    fate_watch watch = watch_pipe(read_nothing);
    close(ends[0]);
    for (int i = 0; i < 5; i++)
        fate_iterate(reactor, 0);
    EXPECT(n_calls <= 1);
    fate_unwatch(watch);
    close(ends[1]);
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return;
    watch_pipe(got_byte); /* its number is as good as any */
    write_byte();
    n_calls = 0;
    fate_iterate(reactor, 0);
    EXPECT_EQ(n_calls, 1);
    close_pipe();
}

/* ---- More of processes that fork ---- */

static fate_watch watched_by_parent;

static void unwatch_in_child(void *arg)
{
    fate_unwatch(watched_by_parent);
}

static void change_in_child(void *arg)
{
    fate_watch_events(watched_by_parent, 0);
}

TEST(the_child_of_a_fork_cannot_change_what_its_parent_watches)
{
    if (!begin_with(NULL))
        return;
    watched_by_parent = watch_pipe(got_byte);
    if (watched_by_parent.id > 0) {
        EXPECT_STOP(unwatch_in_child, NULL, "fate_unwatch was called in process", "fate_reactor_free");
        EXPECT_STOP(change_in_child, NULL, "fate_watch_events was called in process", "fate_reactor_free");
        write_byte();
        fate_iterate(reactor, 0);
        EXPECT_EQ(n_calls, 1);
    }
    close_pipe();
}

static fate_timer timer_of_parent;

static void reset_in_child(void *arg)
{
    fate_timer_reset(timer_of_parent, FATE_SECOND);
}

static void delay_in_child(void *arg)
{
    fate_timer_delay(timer_of_parent, -FATE_SECOND);
}

TEST(the_child_of_a_fork_cannot_move_the_timers_of_its_parents_descriptor)
{
    const fate_reactor_options options = { .size = sizeof options, .poller = "epoll" };

    if (!begin_with(&options))
        return;
    fate_reactor_fd(reactor);
    timer_of_parent = fate_call_later(reactor, 100 * FATE_SECOND, count, fate_none());
    if (timer_of_parent.id > 0) {
        EXPECT_STOP(reset_in_child, NULL, "was called in process", "fate_reactor_free");
        EXPECT_STOP(delay_in_child, NULL, "was called in process", "fate_reactor_free");
    }
    close_pipe();
}

/* ---- Spinning ---- */

static struct fate__sys own_sys;
static fate_time asked_for;

static int note_timeout(int set, struct epoll_event *events, int n, const struct timespec *timeout,
                        const sigset_t *mask)
{
    asked_for = (fate_time)timeout->tv_sec * FATE_SECOND + timeout->tv_nsec;
    return fate__sys_real.epoll_pwait2(set, events, n, timeout, mask);
}

/* What spinning has taken is not slept once more. */
TEST(a_loop_that_has_spun_sleeps_only_for_the_rest)
{
    const fate_reactor_options options = { .size = sizeof options,
                                           .poller = "epoll",
                                           .spin = 4 * FATE_MILLISECOND };
    const struct fate__sys *before = fate__sys;

    if (!begin_with(&options))
        return;
    own_sys = *before;
    own_sys.epoll_pwait2 = note_timeout;
    fate__sys = &own_sys;
    fate_iterate(reactor, FATE_MILLISECOND);  /* short, so that it spins next time */
    bool will_spin = reactor->spin.trust > 0; /* not if the machine was too busy for a short wait */
    asked_for = 0;
    fate_iterate(reactor, 5 * FATE_MILLISECOND);
    EXPECT(!will_spin || asked_for <= FATE_MILLISECOND);
    fate__sys = before;
    close_pipe();
}

/* ---- Observers of what the loop itself says ---- */

static void iterate_within(const fate_log_entry *entry, fate_value *arg)
{
    fate_iterate(reactor, 0);
}

static void free_within(const fate_log_entry *entry, fate_value *arg)
{
    fate_reactor_free(reactor);
}

static void block_for_long(fate_value *arg)
{
    test_sys_move_clocks(1000 * FATE_SECOND);
}

static void be_observed_by(fate_log_observer *observer)
{
    test_sys_install();
    reactor = fate_reactor_new();
    fate_log_observe(reactor, FATE_LOG_WARNING, observer, fate_none());
    fate_call_later(reactor, 0, block_for_long, fate_none());
    fate_iterate(reactor, 0);
}

static void observe_and_iterate(void *arg)
{
    be_observed_by(iterate_within);
}

static void observe_and_free(void *arg)
{
    be_observed_by(free_within);
}

TEST(an_observer_cannot_run_or_free_the_loop_that_tells_it)
{
    EXPECT_STOP(observe_and_iterate, NULL, "fate_iterate was called inside an event");
    EXPECT_STOP(observe_and_free, NULL, "fate_reactor_free was called inside an event");
}
