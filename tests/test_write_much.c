/* Writing files, and much: all of it arrives, and little of it lies in memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fate/fate.h>

#include "test_write_helpers.h"

#define MUCH ((size_t)600000)

static fate_reactor *reactor;

/* ---- Files ---- */

static int file_of(const char *bytes, size_t len)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    if (fd >= 0)
        EXPECT_EQ(pwrite(fd, bytes, len, 0), len);
    return fd;
}

static void send_file_with(int why, size_t len)
{
    struct test_pair pair;
    char *bytes = test_patterned(len);

    if (test_counting(&reactor, &pair, TEST_TCP, &test_recorder)) {
        test_sends.fails_with = why;
        test_sends.n_failing = why ? 1000000 : 0;
        test_sends.spares_bytes = true;
        EXPECT_EQ(fate_write_file(pair.p->transport, file_of(bytes, 1000), 0, 500), 0);
        EXPECT_EQ(fate_write(pair.p->transport, bytes + 500, 500), 0);
        EXPECT_EQ(fate_write_file(pair.p->transport, file_of(bytes, len), 1000, -1), 0);
        EXPECT_EQ(fate_write_file(pair.p->transport, file_of(bytes, 10), 10, -1), 0);
        EXPECT_EQ(fate_lose_connection(pair.p->transport), 0);
        test_expect_flood(reactor, &pair, len, true);
        EXPECT(test_sends.n_files > 0);
        EXPECT_CONTAINS(test_trace(), "lost ConnectionDone; ");
    }
    test_counting_done(reactor, &pair);
    free(bytes);
}

#define FEW 1200 /* bytes, of which each may come in a round of its own */

TEST(files_are_sent_by_the_kernel)
{
    send_file_with(0, FEW);
}

TEST(files_are_read_and_sent_where_the_kernel_cannot_do_it)
{
    send_file_with(EINVAL, FEW);
}

VOLUME_TEST(files_may_be_longer_than_what_goes_at_once)
{
    send_file_with(0, MUCH);
    send_file_with(EINVAL, MUCH);
}

TEST(a_file_of_which_some_has_left_makes_no_signal)
{
    struct test_pair pair;
    char *bytes = test_patterned(1000);

    if (test_counting(&reactor, &pair, TEST_TCP, &test_recorder)) {
        test_sends.breaks_pipe = true;
        EXPECT_EQ(fate_write_file(pair.p->transport, file_of(bytes, 1000), 0, -1), 0);
        test_rounds(reactor, 1);
        EXPECT(test_sends.n_files > 0);
    }
    test_counting_done(reactor, &pair);
    free(bytes);
}

static void write_behind_a_file(size_t len)
{
    struct test_pair pair;
    char *bytes = test_patterned(len);

    if (test_counting(&reactor, &pair, TEST_UNIX, &test_recorder)) {
        EXPECT_EQ(fate_write(pair.p->transport, bytes, 7), 0);
        EXPECT_EQ(fate_write_file(pair.p->transport, file_of(bytes, 100), 7, 93), 0);
        EXPECT_EQ(fate_write(pair.p->transport, bytes + 100, 10), 0);
        EXPECT_EQ(fate_write(pair.p->transport, bytes + 110, len - 110), 0);
        test_expect_flood(reactor, &pair, len, false);
    }
    test_counting_done(reactor, &pair);
    free(bytes);
}

TEST(what_is_written_behind_a_file_comes_behind_it)
{
    write_behind_a_file(FEW);
}

VOLUME_TEST(much_that_is_written_behind_a_file_comes_behind_it)
{
    write_behind_a_file(100000);
}

TEST(a_file_that_turns_out_shorter_loses_the_connection)
{
    struct test_pair pair;
    char *bytes = test_patterned(1000);

    if (test_counting(&reactor, &pair, TEST_TCP, &test_recorder)) {
        EXPECT_EQ(fate_write_file(pair.p->transport, file_of(bytes, 1000), 0, 2000), 0);
        test_until_trace(reactor, "lost ");
        EXPECT_STR(test_trace(), "made; lost ConnectionLost; ");
    }
    test_counting_done(reactor, &pair);
    free(bytes);
}

TEST(what_is_no_plain_file_is_refused_and_closed)
{
    struct test_pair pair;
    int fds[2];

    if (test_counting(&reactor, &pair, TEST_TCP, &test_recorder)) {
        EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
        EXPECT_EQ(fate_write_file(pair.p->transport, fds[0], 0, -1), -EINVAL);
        EXPECT_EQ(fcntl(fds[0], F_GETFD), -1);
        close(fds[1]);
        EXPECT_EQ(fate_write_file(pair.p->transport, -1, 0, -1), -EBADF);
        EXPECT_EQ(fate_write_file(pair.p->transport, file_of("abc", 3), 4, -1), -EINVAL);
        EXPECT_EQ(fate_write_file(pair.p->transport, file_of("abc", 3), -1, -1), -EINVAL);
        EXPECT_EQ(fate_write_file(pair.p->transport, file_of("abc", 3), 0, -2), -EINVAL);
        fate_abort_connection(pair.p->transport);
        int fd = file_of("abc", 3);
        EXPECT_EQ(fate_write_file(pair.p->transport, fd, 0, -1), -ENOTCONN);
        EXPECT_EQ(fcntl(fd, F_GETFD), -1);
    }
    test_counting_done(reactor, &pair);
}

/* ---- Peers that do not read, and much ---- */

TEST(a_peer_that_does_not_read_costs_no_more_than_the_cap)
{
    struct test_pair pair;
    char *bytes = test_patterned(100000);
    size_t most = 0;
    int why = 0;

    if (test_counting(&reactor, &pair, TEST_TCP, &test_recorder)) {
        fate_set_write_marks(pair.p->transport, 65536, 262144, 1 << 20);
        for (int i = 0; i < 1000 && why == 0; i++) {
            why = fate_write(pair.p->transport, bytes, 100000);
            if (fate_write_queued(pair.p->transport) > most)
                most = fate_write_queued(pair.p->transport);
            test_rounds(reactor, 1);
        }
        EXPECT_EQ(why, -ENOBUFS);
        EXPECT(most <= 1 << 20);
        test_rounds(reactor, 1);
        EXPECT_STR(test_trace(), "made; paused; lost WriteOverflow; ");
    }
    test_counting_done(reactor, &pair);
    free(bytes);
}

#define VERY_MUCH ((size_t)64 << 20)

static void write_until_paused(fate_protocol *p);

static void ignore(fate_protocol *p, const void *data, size_t len)
{
}

static size_t n_written;
static bool is_paused;

static void stop_writing(fate_protocol *p)
{
    is_paused = true;
}

static void go_on_writing(fate_protocol *p)
{
    is_paused = false;
    write_until_paused(p);
}

static void write_until_paused(fate_protocol *p)
{
    static char bytes[251 * 100];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = test_pattern(i);
    while (!is_paused && n_written < VERY_MUCH) {
        size_t len = VERY_MUCH - n_written < sizeof bytes ? VERY_MUCH - n_written : sizeof bytes;
        EXPECT_EQ(fate_write(p->transport, bytes, len), 0);
        n_written += len;
    }
    if (n_written == VERY_MUCH)
        fate_lose_connection(p->transport);
}

VOLUME_TEST(sixty_four_mebibytes_arrive_whole_and_few_of_them_are_queued)
{
    static const fate_protocol_ops ops = { .size = sizeof ops,
                                           .connection_made = write_until_paused,
                                           .data_received = ignore,
                                           .write_paused = stop_writing,
                                           .write_resumed = go_on_writing };
    struct test_pair pair;

    n_written = 0;
    is_paused = false;
    if (test_counting(&reactor, &pair, TEST_TCP, &ops)) {
        EXPECT(fate_write_queued(pair.p->transport) <= 262144 + 251 * 100);
        test_expect_flood(reactor, &pair, VERY_MUCH, true);
    }
    test_counting_done(reactor, &pair);
}

VOLUME_TEST(sixty_four_mebibytes_written_at_once_arrive_whole_before_the_end)
{
    struct test_pair pair;
    char *bytes = test_patterned(VERY_MUCH);

    if (test_counting(&reactor, &pair, TEST_TCP, &test_recorder)) {
        EXPECT_EQ(fate_set_write_marks(pair.p->transport, 0, FATE_UNLIMITED, FATE_UNLIMITED), 0);
        EXPECT_EQ(fate_write(pair.p->transport, bytes, VERY_MUCH), 0);
        EXPECT_EQ(fate_lose_connection(pair.p->transport), 0);
        test_expect_flood(reactor, &pair, VERY_MUCH, true);
    }
    test_counting_done(reactor, &pair);
    free(bytes);
}

static const char *last_words;

static void say_last_words(fate_protocol *p)
{
    EXPECT_EQ(fate_write(p->transport, last_words, 100), 0);
    EXPECT_EQ(fate_lose_connection(p->transport), 0);
}

/* Few bytes are not queued, and must not be forgotten over that. */
VOLUME_TEST(what_is_written_when_there_is_room_again_leaves_before_the_end)
{
    static const fate_protocol_ops ops = { .size = sizeof ops,
                                           .data_received = ignore,
                                           .write_resumed = say_last_words };
    const size_t much = (size_t)8 << 20;
    struct test_pair pair;
    char *bytes = test_patterned(much + 100);

    last_words = bytes + much;
    if (test_counting(&reactor, &pair, TEST_TCP, &ops)) {
        test_peer_says(&pair, "the buffers for few bytes are made with the first read");
        test_rounds(reactor, 3);
        EXPECT_EQ(fate_write(pair.p->transport, bytes, much), 0);
        EXPECT(fate_write_queued(pair.p->transport) > 262144);
        test_expect_flood(reactor, &pair, much + 100, true);
    }
    test_counting_done(reactor, &pair);
    free(bytes);
}
