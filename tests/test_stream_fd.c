/* Tests of src/reactor/stream_fd.c, and of what a child's streams may do as they go. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <reactor/stream.h>

#include "test_process_helpers.h"

/* ---- What is let go at the end ---- */

static fate_deferred *output;
static int n_stopped;

static fate_deferred *read_never(fate_value *arg, size_t bytes_max)
{
    return fate_deferred_new(reactor);
}

static void look_and_cancel(fate_value *arg)
{
    FILE *nowhere = fopen("/dev/null", "w");

    n_stopped++;
    fate_reactor_report(reactor, nowhere);
    fclose(nowhere);
    fate_cancel(output);
}

static bool has_none(void)
{
    return !has_children();
}

/* Its child's child has its pipes for longer, so that its exit comes first. */
TEST(a_source_that_is_stopped_at_the_end_may_look_and_cancel)
{
    static const fate_source_ops ops = { .size = sizeof ops, .read = read_never, .stop = look_and_cancel };
    int fds[2];

    begin();
    test_suspend_failures();
    n_stopped = 0;
    EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
    const fate_descriptor_pair pair = { .child_fd = 3, .our_fd = fds[0] };
    output = fate_process_output_with(reactor, SHELL("read x <&3 & exit 0"), .descriptors = &pair,
                                      .n_descriptors = 1, .input = fate_source(reactor, &ops, fate_none()));
    close(fds[0]);
    run_until(has_none);
    close(fds[1]);
    EXPECT_RESULT(EXPECT_TEXT, output, "");
    EXPECT_EQ(n_stopped, 1);
    test_resume_failures();
}

/* ---- A sink that becomes empty at once ---- */

/* The pipe has room for all for which the sink asks to wait. */
#define PIPE_BYTES  ((int)FATE__SINK_BYTES_HIGH)
#define PIECE_BYTES (2 * PIPE_BYTES)

static fate_value write_more_and_end(fate_value *v, fate_value *sink)
{
    fate_sink_write(reactor, sink, fate_str("one more"));
    return fate_follow(fate_sink_end(reactor, sink, fate_none()));
}

static size_t read_all_there_is(int fd)
{
    static char bytes[64 * 1024];
    size_t n_read = 0;
    ssize_t n;

    while ((n = read(fd, bytes, sizeof bytes)) > 0)
        n_read += (size_t)n;
    return n_read;
}

/* Of a failure: 0. */
static size_t length_of(const fate_value *text)
{
    const void *bytes;
    size_t len;

    return fate_get_bytes(text, &bytes, &len) ? len : 0;
}

/* Nothing is made to fail in it, and byte by byte it would take as many rounds as there are bytes. */
VOLUME_TEST(what_is_written_when_there_is_room_again_is_not_cut_off_by_the_end)
{
    int fds[2];

    begin();
    test_suspend_failures();
    EXPECT_EQ(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    EXPECT(fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES) >= PIPE_BYTES);
    fate_value sink = fate__fd_sink(reactor, fds[1], "a wide pipe");
    fate_deferred *written = fate_sink_write(reactor, &sink, fate_format("%*d", PIECE_BYTES, 1));
    fate_add_callback(written, write_more_and_end, fate_copy(&sink));
    size_t n_read = read_all_there_is(fds[0]);

    fate_value rest = result_of(fate_read_all(fate__fd_source(reactor, fds[0], "a wide pipe"), SIZE_MAX));
    EXPECT_EQ(n_read + length_of(&rest), PIECE_BYTES + sizeof "one more" - 1);
    fate_drop(rest);
    fate_drop(sink);
    test_resume_failures();
}
