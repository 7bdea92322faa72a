/* libfate inside other loops: a plain one over poll(2), GLib's and libuv's, where their packages are. */
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <fate/fate.h>

#ifdef FATE_HAS_GLIB
#include <glib-unix.h>
#endif
#ifdef FATE_HAS_UV
#include <uv.h>
#endif

static fate_reactor *reactor;
static char trail[256];
static bool is_over;
static int ends[2];
static int descriptor; /* asked for once, as other loops do: asking again would hand it over again */

static void note(const char *what)
{
    size_t len = strlen(trail);
    snprintf(trail + len, sizeof trail - len, "%s%s", len ? " " : "", what);
}

static void say(fate_value *text)
{
    note(fate_as_str(text));
}

static void end(fate_value *arg)
{
    is_over = true;
}

static fate_value note_result(fate_value *result, fate_value *arg)
{
    note(fate_is_failure(result) ? "failure" : "deferred");
    return fate_none();
}

static void got_byte(int fd, unsigned events, fate_value *arg)
{
    char byte;
    if (read(fd, &byte, 1) == 1)
        note("byte");
}

static void *post(void *arg)
{
    fate_call_from_thread(reactor, say, fate_str("post"));
    return NULL;
}

/* What is to happen inside the foreign loop: calls later, a descriptor, a post, a deferred outside. */
static bool begin(void)
{
    trail[0] = '\0';
    is_over = false;
    reactor = test_real_reactor(NULL);
    descriptor = reactor ? fate_reactor_fd(reactor) : -1;
    return descriptor >= 0 && pipe(ends) == 0;
}

static bool plan(void)
{
    fate_timer last = fate_call_later(reactor, 3 * FATE_MILLISECOND, end, fate_none());

    fate_call_later(reactor, 2 * FATE_MILLISECOND, say, fate_str("timer"));
    fate_watch_fd(reactor, ends[0], FATE_READABLE, got_byte, fate_none());
    fate_add_both(fate_succeed(reactor, fate_none()), note_result, fate_none());
    return write(ends[1], "x", 1) == 1 && last.id > 0;
}

static void check(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, post, NULL) == 0)
        pthread_join(thread, NULL);
    fate_iterate(reactor, 0);
    EXPECT_CONTAINS(trail, "deferred");
    EXPECT_CONTAINS(trail, "byte");
    EXPECT_CONTAINS(trail, "timer");
    EXPECT_CONTAINS(trail, "post");
    close(ends[0]);
    close(ends[1]);
}

/* Is the descriptor readable now? */
static bool is_readable(void)
{
    struct pollfd fd = { .fd = descriptor, .events = POLLIN };
    return poll(&fd, 1, 0) == 1;
}

/* ---- A loop of one's own, in a few lines ---- */

static int timeout_ms(void)
{
    fate_time timeout = fate_next_timeout(reactor);
    return timeout == FATE_NEVER ? -1 : (int)((timeout + FATE_MILLISECOND - 1) / FATE_MILLISECOND);
}

TEST(it_runs_inside_a_plain_loop)
{
    if (!begin())
        return;
    if (plan())
        while (!is_over) {
            struct pollfd fd = { .fd = descriptor, .events = POLLIN };
            poll(&fd, 1, timeout_ms());
            fate_iterate(reactor, 0);
        }
    check();
}

TEST(its_descriptor_alone_tells_when_there_is_work)
{
    if (!begin())
        return;
    if (plan())
        while (!is_over) {
            struct pollfd fd = { .fd = descriptor, .events = POLLIN };
            poll(&fd, 1, -1);
            fate_iterate(reactor, 0);
        }
    check();
}

TEST(nothing_to_do_is_nothing_to_read)
{
    if (!begin())
        return;
    fate_iterate(reactor, 0);
    EXPECT(!is_readable());
    EXPECT_EQ(fate_next_timeout(reactor), FATE_NEVER);
    fate_call_later(reactor, 1000 * FATE_SECOND, say, fate_none());
    EXPECT(!is_readable());
    EXPECT(fate_next_timeout(reactor) > 999 * FATE_SECOND);
    fate_timer now = fate_call_later(reactor, 0, say, fate_str("now"));
    if (now.id > 0) {
        EXPECT(is_readable());
        EXPECT_EQ(fate_next_timeout(reactor), 0);
        fate_iterate(reactor, 0);
        EXPECT_STR(trail, "now");
        EXPECT(!is_readable());
    }
    close(ends[0]);
    close(ends[1]);
}

TEST(a_post_outside_of_an_iteration_makes_it_readable)
{
    if (!begin())
        return;
    fate_iterate(reactor, 0);
    fate_value text = fate_str("posted");
    if (fate_call_from_thread(reactor, say, text) == 0) {
        EXPECT(is_readable());
        fate_iterate(reactor, 0);
        EXPECT_STR(trail, "posted");
        EXPECT(!is_readable());
    }
    close(ends[0]);
    close(ends[1]);
}

TEST(a_turn_outside_that_is_to_be_swept_makes_it_readable)
{
    if (!begin())
        return;
    fate_iterate(reactor, 0);
    fate_deferred *d = fate_fail(reactor, fate_raise(&FATE_VALUE_ERROR, "outside"));
    (void)d;
    EXPECT(is_readable());
    EXPECT_EQ(fate_next_timeout(reactor), 0);
    fate_iterate(reactor, 0);
    EXPECT_EQ(test_reports(reactor), 1);
    EXPECT(!is_readable());
    close(ends[0]);
    close(ends[1]);
}

static void crash(fate_value *arg)
{
    fate_crash(reactor);
}

/* A program may run its reactor for a while, and then hand it to another loop. */
TEST(after_a_crash_it_tells_the_other_loop_of_what_comes)
{
    if (!begin())
        return;
    fate_timer first = fate_call_later(reactor, FATE_MILLISECOND, crash, fate_none());
    fate_timer left = fate_call_later(reactor, FATE_MILLISECOND, say, fate_str("left"));
    if (first.id > 0 && left.id > 0 && fate_run(reactor) == 0) {
        EXPECT(is_readable());
        fate_iterate(reactor, 0);
        EXPECT_STR(trail, "left");
        fate_timer next = fate_call_later(reactor, FATE_MILLISECOND, crash, fate_none());
        EXPECT(next.id < 0 || fate_run(reactor) == 0);
        EXPECT(fate_call_from_thread(reactor, say, fate_none()) < 0 || is_readable());
    }
    close(ends[0]);
    close(ends[1]);
}

TEST(a_simulated_reactor_has_no_descriptor)
{
    EXPECT_EQ(fate_reactor_fd(test_reactor()), -EOPNOTSUPP);
}

/* ---- GLib ---- */

#ifdef FATE_HAS_GLIB
static gboolean iterate_in_glib(gint fd, GIOCondition condition, gpointer loop)
{
    fate_iterate(reactor, 0);
    if (is_over)
        g_main_loop_quit(loop);
    return TRUE;
}

static gboolean note_idle(gpointer arg)
{
    note("glib");
    return FALSE;
}

TEST(it_runs_inside_glib)
{
    if (!begin())
        return;
    GMainContext *context = g_main_context_new();
    GMainLoop *loop = g_main_loop_new(context, FALSE);
    GSource *source = g_unix_fd_source_new(descriptor, G_IO_IN);
    GSource *idle = g_idle_source_new();
    g_source_set_callback(source, G_SOURCE_FUNC(iterate_in_glib), loop, NULL);
    g_source_set_callback(idle, note_idle, NULL, NULL);
    g_source_set_priority(idle, G_PRIORITY_HIGH); /* slow calls must not starve it */
    g_source_attach(source, context);
    g_source_attach(idle, context);
    if (plan()) {
        g_main_loop_run(loop);
        EXPECT_CONTAINS(trail, "glib");
    }
    g_source_destroy(source);
    g_source_unref(source);
    g_source_unref(idle);
    g_main_loop_unref(loop);
    g_main_context_unref(context);
    check();
}
#endif

/* ---- libuv ---- */

#ifdef FATE_HAS_UV
/* The first loop of a process opens what is never closed. */
__attribute__((constructor)) static void warm_up(void)
{
    uv_loop_t loop;

    if (uv_loop_init(&loop) == 0)
        uv_loop_close(&loop);
}

static void iterate_in_uv(uv_poll_t *handle, int status, int events)
{
    fate_iterate(reactor, 0);
    if (is_over)
        uv_close((uv_handle_t *)handle, NULL);
}

static void note_uv_timer(uv_timer_t *timer)
{
    note("uv");
    uv_close((uv_handle_t *)timer, NULL);
}

TEST(it_runs_inside_libuv)
{
    uv_loop_t loop;
    uv_poll_t handle;
    uv_timer_t timer;

    if (!begin())
        return;
    uv_loop_init(&loop);
    uv_poll_init(&loop, &handle, descriptor);
    uv_poll_start(&handle, UV_READABLE, iterate_in_uv);
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, note_uv_timer, 1, 0);
    if (!plan())
        uv_close((uv_handle_t *)&handle, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT(test_is_oom() || strstr(trail, "uv"));
    uv_loop_close(&loop);
    check();
}
#endif
