/* src/reactor/loop.c, wait.c, descriptor.c and the pollers, on real time.  Nothing sleeps for longer than it
 * must: what is waited for is there, or a call of a few milliseconds. */
#include "test.h"
#include "test_sys_helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fate/fate.h>

static fate_reactor *reactor;
static char trail[512];
static int ends[2]; /* of a pipe */

static bool begin_with(const fate_reactor_options *options)
{
    trail[0] = '\0';
    reactor = test_real_reactor(options);
    return reactor != NULL;
}

static bool begin(void)
{
    return begin_with(NULL);
}

static bool begin_with_pipe(void)
{
    return begin() && pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0;
}

static void close_pipe(void)
{
    close(ends[0]);
    close(ends[1]);
}

static void note(const char *what)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s%s", len ? " " : "", what);
}

static void say(fate_value *text)
{
    note(fate_as_str(text));
}

/* Runs until somebody stops it; what has been made to fail may leave nobody who would. */
static int run(void)
{
    int why = fate_stop_later(reactor, (test_is_oom() ? 5 : 10000) * FATE_MILLISECOND);
    return why < 0 ? why : fate_run(reactor);
}

static void write_byte(void)
{
    while (write(ends[1], "x", 1) < 0 && errno == EINTR)
        ;
}

/* ---- Time ---- */

static void plan_three(fate_value *arg)
{
    fate_call_later(reactor, 3 * FATE_MILLISECOND, say, fate_str("c"));
    fate_call_later(reactor, 1 * FATE_MILLISECOND, say, fate_str("a"));
    fate_call_later(reactor, 2 * FATE_MILLISECOND, say, fate_str("b"));
    fate_call_later(reactor, 3 * FATE_MILLISECOND, fate_shutdown, fate_ptr(reactor));
}

TEST(calls_later_come_in_order_and_never_early)
{
    if (!begin())
        return;
    fate_time began = fate_now(reactor);
    fate_turn(reactor, plan_three, fate_none()); /* one turn, one time */
    EXPECT_EQ(run(), 0);
    EXPECT(fate_now(reactor) - began >= 3 * FATE_MILLISECOND);
    EXPECT_STR(trail, "a b c");
}

static void note_again(fate_value *arg)
{
    note("again");
    fate_call_later(reactor, 0, note_again, fate_none());
}

static void got_byte(int fd, unsigned events, fate_value *arg)
{
    note("byte");
    fate_stop(reactor);
}

TEST(a_call_that_schedules_itself_for_now_does_not_keep_descriptors_from_their_turn)
{
    if (!begin_with_pipe())
        return;
    write_byte();
    fate_watch_fd(reactor, ends[0], FATE_READABLE, got_byte, fate_none());
    fate_call_later(reactor, 0, note_again, fate_none());
    EXPECT_EQ(run(), 0);
    EXPECT_STR(trail, "again byte again");
    close_pipe();
}

TEST(outside_of_events_delays_count_from_now)
{
    if (!begin())
        return;
    fate_time before = fate_now(reactor);
    test_sys_install();
    test_sys_move_clocks(5 * FATE_SECOND);
    EXPECT(fate_now(reactor) >= before + 5 * FATE_SECOND);
    fate_timer timer = fate_call_later(reactor, FATE_SECOND, say, fate_none());
    EXPECT(timer.id < 0 || fate_timer_time(timer) >= before + 6 * FATE_SECOND);
    test_sys_move_clocks(-5 * FATE_SECOND);
    EXPECT(fate_now(reactor) >= before + 5 * FATE_SECOND); /* time does not go back */
}

TEST(a_deadline_at_the_end_of_time_is_no_timeout_that_overflows)
{
    if (!begin())
        return;
    fate_call_later(reactor, FATE_NEVER, say, fate_str("never"));
    fate_call_later(reactor, FATE_NEVER - 1, say, fate_str("never"));
    fate_call_later(reactor, FATE_MILLISECOND, fate_shutdown, fate_ptr(reactor));
    EXPECT_EQ(run(), 0);
    EXPECT_STR(trail, "");
}

/* ---- Descriptors ---- */

static fate_watch watch_pipe(unsigned events, fate_fd_fn *fn)
{
    return fate_watch_fd(reactor, events & FATE_READABLE ? ends[0] : ends[1], events, fn, fate_none());
}

TEST(a_watched_descriptor_calls_when_it_is_ready)
{
    if (!begin_with_pipe())
        return;
    watch_pipe(FATE_READABLE, got_byte);
    write_byte();
    EXPECT_EQ(run(), 0);
    EXPECT_STR(trail, "byte");
    close_pipe();
}

static int times;

static void count_to_three(int fd, unsigned events, fate_value *arg)
{
    EXPECT_EQ(events, FATE_WRITABLE);
    if (++times == 3)
        fate_stop(reactor);
}

TEST(it_is_called_again_and_again_while_it_is_ready)
{
    if (!begin_with_pipe())
        return;
    times = 0;
    watch_pipe(FATE_WRITABLE, count_to_three);
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(times, 3);
    close_pipe();
}

static fate_watch other;

static void stop_the_other(int fd, unsigned events, fate_value *arg)
{
    note("one");
    EXPECT_EQ(fate_unwatch(other), 0);
    EXPECT_EQ(fate_unwatch(other), -ENOENT);
    fate_stop(reactor);
}

static void never_called(int fd, unsigned events, fate_value *arg)
{
    note("dead");
}

/* Both events are fetched in one wait, so the second must be dropped. */
TEST(an_event_fetched_already_does_not_reach_a_dead_watcher)
{
    int more[2];

    if (!begin_with_pipe())
        return;
    if (pipe2(more, O_CLOEXEC) < 0)
        return;
    watch_pipe(FATE_WRITABLE, stop_the_other);
    other = fate_watch_fd(reactor, more[1], FATE_WRITABLE, never_called, fate_none());
    fate_watch first = fate_watch_fd(reactor, ends[1], FATE_WRITABLE, never_called, fate_none());
    EXPECT_EQ(fate_unwatch(first), 0);
    EXPECT_EQ(run(), 0);
    EXPECT_STR(trail, "one");
    close(more[0]);
    close(more[1]);
    close_pipe();
}

static void replace(int fd, unsigned events, fate_value *arg)
{
    int again[2];

    note("replaced");
    fate_unwatch(other);
    close_pipe();
    if (pipe2(again, O_CLOEXEC | O_NONBLOCK) == 0) { /* most likely with the same numbers */
        ends[0] = again[0];
        ends[1] = again[1];
        other = watch_pipe(FATE_READABLE, never_called);
    }
    fate_call_later(reactor, FATE_MILLISECOND, fate_shutdown, fate_ptr(reactor));
}

TEST(a_descriptor_may_be_closed_and_its_number_watched_again_inside_a_callback)
{
    if (!begin_with_pipe())
        return;
    other = watch_pipe(FATE_WRITABLE, replace);
    EXPECT_EQ(run(), 0);
    EXPECT_STR(trail, "replaced");
    close_pipe();
}

static void second(int fd, unsigned events, fate_value *arg)
{
    note("second");
    fate_stop(reactor);
}

static void first_stops_itself(int fd, unsigned events, fate_value *arg)
{
    note("first");
    fate_unwatch(other);
}

TEST(several_may_watch_one_descriptor_and_stop_themselves)
{
    if (!begin_with_pipe())
        return;
    write_byte();
    watch_pipe(FATE_READABLE, second);
    other = watch_pipe(FATE_READABLE, first_stops_itself);
    EXPECT_EQ(run(), 0);
    EXPECT_STR(trail, "first second");
    close_pipe();
}

TEST(the_events_of_a_watch_can_be_changed_and_paused)
{
    if (!begin_with_pipe())
        return;
    times = 0;
    fate_watch watch = watch_pipe(FATE_WRITABLE, count_to_three);
    EXPECT_EQ(fate_watch_events(watch, 0), 0);
    fate_iterate(reactor, 0);
    EXPECT_EQ(times, 0);
    EXPECT_EQ(fate_watch_events(watch, 77), -EINVAL);
    EXPECT_EQ(fate_watch_events(watch, FATE_WRITABLE), 0);
    fate_iterate(reactor, 0);
    EXPECT_EQ(times, 1);
    EXPECT_EQ(fate_unwatch(watch), 0);
    EXPECT_EQ(fate_watch_events(watch, FATE_WRITABLE), -ENOENT);
    close_pipe();
}

static void hung_up(int fd, unsigned events, fate_value *arg)
{
    EXPECT_EQ(events, FATE_READABLE);
    note("hang-up");
    fate_stop(reactor);
}

TEST(a_hang_up_comes_as_the_events_that_were_asked_for)
{
    if (!begin_with_pipe())
        return;
    watch_pipe(FATE_READABLE, hung_up);
    close(ends[1]);
    EXPECT_EQ(run(), 0);
    EXPECT_STR(trail, "hang-up");
    close(ends[0]);
}

static void drop_note(void *data)
{
    note("dropped");
}

struct nothing {
    int unused;
};

TEST(what_cannot_be_watched_is_refused_and_drops_its_arg)
{
    if (!begin())
        return;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    fate_value arg = fate_box_with(drop_note, struct nothing, 0);
    bool has_arg = !fate_is_failure(&arg);
    fate_watch file = fate_watch_fd(reactor, fd, FATE_READABLE, never_called, arg);
    const char *poller = getenv("FATE_POLLER");
    if (!poller || strcmp(poller, "poll") != 0) {
        EXPECT_EQ(file.id, -EPERM);
        EXPECT(!has_arg || strcmp(trail, "dropped") == 0);
    }
    EXPECT_EQ(fate_watch_fd(reactor, -1, FATE_READABLE, never_called, fate_none()).id, -EBADF);
    EXPECT_EQ(fate_watch_fd(reactor, 0, 99, never_called, fate_none()).id, -EINVAL);
    EXPECT_EQ(fate_unwatch((fate_watch){ 0 }), -ENOENT);
    close(fd);
    fate_watch simulated = fate_watch_fd(test_reactor(), 0, FATE_READABLE, never_called, fate_none());
    EXPECT_EQ(simulated.id, -EOPNOTSUPP);
}

/* It is in the set although nobody can name it any more. */
TEST(a_descriptor_closed_while_watched_whose_copy_lives_on_does_not_make_the_loop_spin)
{
    if (!begin_with_pipe())
        return;
    fate_watch watch = watch_pipe(FATE_WRITABLE, never_called);
    int copy = dup(ends[1]);
    close(ends[1]);
    fate_unwatch(watch);
    for (int i = 0; i < 5; i++)
        fate_iterate(reactor, 0);
    fate_time before = fate_now(reactor);
    fate_iterate(reactor, 2 * FATE_MILLISECOND);
    EXPECT(fate_now(reactor) - before >= 2 * FATE_MILLISECOND);
    EXPECT_STR(trail, "");
    close(copy);
    close(ends[0]);
}

/* ---- Running, stopping ---- */

TEST(running_again_after_a_stop_is_refused_and_after_a_crash_it_is_not)
{
    if (!begin())
        return;
    EXPECT(!fate_is_running(reactor));
    fate_call_later(reactor, 0, fate_shutdown, fate_ptr(reactor));
    if (!EXPECT_EQ(run(), 0))
        return;
    EXPECT_EQ(fate_run(reactor), -ESHUTDOWN);
    EXPECT_EQ(fate_iterate(reactor, 0), -ESHUTDOWN);
    EXPECT_EQ(fate_call_from_thread(reactor, say, fate_none()), -ESHUTDOWN);
}

static void crash(fate_value *arg)
{
    note("crash");
    fate_crash(reactor);
}

TEST(a_crash_runs_no_triggers_of_shutdown)
{
    if (!begin())
        return;
    fate_call_later(reactor, 0, crash, fate_none());
    fate_call_later(reactor, 0, say, fate_str("later"));
    EXPECT_EQ(run(), 0);
    EXPECT_STR(trail, "crash");
    fate_call_later(reactor, 0, fate_shutdown, fate_ptr(reactor));
    EXPECT_EQ(run(), 0);
    EXPECT_STR(trail, "crash later");
}

TEST(there_is_no_poller_of_that_name)
{
    const fate_reactor_options options = { .size = sizeof options, .poller = "kqueue" };
    EXPECT(!(fate_reactor_new_with)(&options));
    EXPECT(test_is_oom() || errno == EINVAL);
}

/* ---- Posts ---- */

static void *post_three(void *arg)
{
    fate_call_from_thread(reactor, say, fate_str("1"));
    fate_call_from_thread(reactor, say, fate_str("2"));
    fate_call_from_thread(reactor, fate_shutdown, fate_ptr(reactor));
    return NULL;
}

TEST(a_post_wakes_a_sleeping_loop)
{
    pthread_t thread;

    if (!begin() || pthread_create(&thread, NULL, post_three, NULL) != 0)
        return;
    EXPECT_EQ(run(), 0);
    pthread_join(thread, NULL);
    EXPECT_STR(trail, "1 2");
}

static void post_more(fate_value *arg)
{
    note("post");
    EXPECT_EQ(fate_call_from_thread(reactor, say, fate_str("posted")), 0);
    fate_call_later(reactor, 0, say, fate_str("timer"));
}

TEST(one_round_runs_only_the_posts_that_were_there)
{
    if (!begin())
        return;
    fate_call_from_thread(reactor, post_more, fate_none());
    fate_iterate(reactor, 10 * FATE_MILLISECOND);
    EXPECT_STR(trail, "post timer");
    fate_iterate(reactor, 10 * FATE_MILLISECOND); /* does not wait, there is a post */
    EXPECT_STR(trail, "post timer posted");
}

TEST(posts_before_the_end_are_dropped_with_the_reactor)
{
    fate_reactor *short_lived = fate_reactor_new();

    trail[0] = '\0';
    if (!short_lived)
        return;
    fate_value arg = fate_box_with(drop_note, struct nothing, 0);
    bool has_arg = !fate_is_failure(&arg);
    fate_call_from_thread(short_lived, say, arg);
    fate_reactor_free(short_lived);
    EXPECT_STR(trail, has_arg ? "dropped" : "");
}

/* ---- Spinning ---- */

TEST(a_loop_that_spins_finds_events_and_posts)
{
    const fate_reactor_options options = { .size = sizeof options, .spin = 2 * FATE_MILLISECOND };

    if (!begin_with(&options) || pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return;
    fate_call_later(reactor, FATE_MILLISECOND, say, fate_str("timer"));
    fate_call_later(reactor, 2 * FATE_MILLISECOND, say, fate_str("spun"));
    fate_iterate(reactor, 10 * FATE_MILLISECOND); /* earns trust */
    fate_iterate(reactor, 10 * FATE_MILLISECOND);
    fate_iterate(reactor, 10 * FATE_MILLISECOND);
    watch_pipe(FATE_READABLE, got_byte);
    write_byte();
    pthread_t thread;
    if (pthread_create(&thread, NULL, post_three, NULL) == 0) {
        EXPECT_EQ(run(), 0);
        pthread_join(thread, NULL);
        EXPECT_CONTAINS(trail, "timer spun");
    }
    close_pipe();
}

/* ---- Being slow ---- */

static void block(fate_value *arg)
{
    test_sys_move_clocks(250 * FATE_MILLISECOND);
    note("block");
}

static int blocked_ms; /* by those who were named, the longest */

static void note_blocked(const fate_log_entry *entry, fate_value *arg)
{
    int ms;

    if (sscanf(entry->text, "blocked the loop for %d ms.", &ms) == 1 && ms > blocked_ms)
        blocked_ms = ms;
}

TEST(who_blocks_the_loop_is_named)
{
    blocked_ms = 0;
    test_sys_install();
    if (!begin())
        return;
    fate_log_observe(reactor, FATE_LOG_WARNING, note_blocked, fate_none());
    fate_call_later(reactor, 0, block, fate_none());
    fate_call_later(reactor, 0, say, fate_str("quick"));
    fate_iterate(reactor, 0);
    fate_iterate(reactor, 0);
    EXPECT(blocked_ms >= 240); /* by a clock of coarse steps */
    test_sys_move_clocks(-250 * FATE_MILLISECOND);
}

static fate_timer idle_timeout;

static void be_suspended(fate_value *arg)
{
    write_byte();
    test_sys_move_clocks(10 * FATE_SECOND);
}

static void is_not_idle(int fd, unsigned events, fate_value *arg)
{
    EXPECT_EQ(fate_timer_reset(idle_timeout, 5 * FATE_SECOND), 0);
    note("not idle");
    fate_stop(reactor);
}

/* As after SIGSTOP and SIGCONT. */
TEST(input_that_came_meanwhile_is_read_before_timeouts_that_fell_due_meanwhile)
{
    test_sys_install();
    if (!begin_with_pipe())
        return;
    watch_pipe(FATE_READABLE, is_not_idle);
    idle_timeout = fate_call_later(reactor, 5 * FATE_SECOND, say, fate_str("idle"));
    fate_call_later(reactor, 0, be_suspended, fate_none());
    EXPECT_EQ(run(), 0);
    EXPECT_STR(trail, "not idle");
    test_sys_move_clocks(-10 * FATE_SECOND);
    close_pipe();
}

/* ---- Processes that fork ---- */

static void use_in_child(void *arg)
{
    fate_run(reactor);
}

TEST(the_child_of_a_fork_may_only_free_the_reactor)
{
    if (!begin_with_pipe())
        return;
    watch_pipe(FATE_READABLE, got_byte);
    EXPECT_STOP(use_in_child, NULL, "fate_run was called in process", "of process", "fate_reactor_free");
    pid_t child = fork();
    if (child == 0) {
        fate_reactor_free(reactor);
        raise(SIGKILL); /* at once: valgrind would count what a child leaves, by intention */
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    write_byte();
    EXPECT_EQ(run(), 0); /* the parent's set still has the descriptor */
    EXPECT_STR(trail, "byte");
    close_pipe();
}

/* ---- Threads with a reactor each ---- */

static void *run_own(void *ret_time)
{
    fate_reactor *own = fate_reactor_new();

    if (!own)
        return NULL;
    if (fate_stop_later(own, FATE_MILLISECOND) == 0 && fate_run(own) == 0)
        *(fate_time *)ret_time = fate_now(own);
    fate_reactor_free(own);
    return NULL;
}

TEST(several_reactors_run_in_a_thread_each)
{
    pthread_t threads[4];
    fate_time times_of[4] = { 0 };

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, run_own, &times_of[i]);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        EXPECT(times_of[i] > 0);
    }
}

#ifdef FATE_DEBUG_CHECKS
static void *call_later_here(void *arg)
{
    fate_call_later(reactor, 0, say, fate_none());
    return NULL;
}

static void call_from_elsewhere(void *arg)
{
    pthread_t thread;
    reactor = fate_reactor_new();
    pthread_create(&thread, NULL, call_later_here, NULL);
    pthread_join(thread, NULL);
}

TEST(a_call_from_another_thread_stops_and_names_the_right_function)
{
    EXPECT_STOP(call_from_elsewhere, NULL, "fate_call_later was called", "fate_call_from_thread");
}
#endif

/* ---- Being idle ---- */

/* An idle loop sleeps in one call until something is due. */
TEST(an_idle_loop_makes_no_calls)
{
    const fate_reactor_options options = { .size = sizeof options, .poller = "epoll" };

    test_sys_install();
    if (test_is_oom() || !begin_with(&options))
        return;
    fate_iterate(reactor, 0);
    fate_call_later(reactor, 20 * FATE_MILLISECOND, fate_shutdown, fate_ptr(reactor));
    test_sys_fail("epoll_pwait2", 0, 0, false); /* counts them */
    EXPECT_EQ(fate_run(reactor), 0);
    EXPECT(test_sys_count() <= 1);
    test_sys_fail(NULL, 0, 0, false);
}
