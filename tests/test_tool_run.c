/* Tests of the `fate` command in this process: in simulated time and a simulated network, without memory. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <commands.h>

#include "test.h"

#define OUTPUT_BYTES 4096

/* What goes to one of the first descriptors is kept in a file meanwhile. */
struct kept {
    int fd, saved, file;
};

static struct kept keep(int fd)
{
    char name[] = "/tmp/fate-test-XXXXXX";
    struct kept kept = { fd, dup(fd), mkostemp(name, O_CLOEXEC) };

    unlink(name);
    fflush(fd == 1 ? stdout : stderr);
    dup2(kept.file, fd);
    return kept;
}

static void take_back(const struct kept *kept, char to[OUTPUT_BYTES])
{
    fflush(kept->fd == 1 ? stdout : stderr);
    ssize_t n = pread(kept->file, to, OUTPUT_BYTES - 1, 0);
    to[n > 0 ? n : 0] = '\0';
    dup2(kept->saved, kept->fd);
    close(kept->saved);
    close(kept->file);
}

static char out[OUTPUT_BYTES], err[OUTPUT_BYTES];

static int run(const char *const *argv)
{
    setenv("FATE_CLOCK", "simulated", 1);
    struct kept kept_out = keep(1), kept_err = keep(2);
    int status = fate__tool(argv);
    take_back(&kept_err, err);
    take_back(&kept_out, out);
    unsetenv("FATE_CLOCK");
    return status;
}
#define RUN(...) run((const char *const[]){ "fate", __VA_ARGS__, NULL })

/* The network is empty: nobody listens anywhere.  Simulated time makes the report exact. */
TEST(pages_that_fail_are_tried_again_in_time)
{
    EXPECT_EQ(RUN("get", "--retry=2", "http://tea/", "a_bad_url"), 2);
    EXPECT_STR(
        out, "Failed to download `a_bad_url`: there is no scheme: write http:// or https:// in front.\n"
             "Failed to download `http://tea/`: connect to tcp:tea:80: 10.0.0.1:80: refused: nothing listens "
             "there (ECONNREFUSED), after 3 tries.\n"
             "0 of 2 pages, 0 B in 3.0 s (0 B/s); 2 failed.\n"
             "One after another they would have taken 3.0 s, 1.0 times as long.\n");
    EXPECT_STR(err, "");
}

TEST(the_time_of_a_page_holds_for_its_pauses_too)
{
    EXPECT_EQ(RUN("get", "--retry=9", "--max-time=5", "http://tea/"), 1);
    EXPECT_CONTAINS(out, "Failed to download `http://tea/`: timed out after 5 s, after 3 tries.\n");
}

TEST(more_than_may_run_at_once_come_one_after_the_other)
{
    EXPECT_EQ(RUN("get", "--retry=1", "--per-host=1", "http://tea/1", "http://tea/2", "http://tea/3"), 3);
    EXPECT_CONTAINS(out, "0 of 3 pages, 0 B in 3.0 s (0 B/s); 3 failed.\n"
                         "One after another they would have taken 3.0 s, 1.0 times as long.\n");
    EXPECT_EQ(RUN("get", "--retry=1", "http://tea/1", "http://tea/2", "http://tea/3"), 3);
    EXPECT_CONTAINS(out, "0 of 3 pages, 0 B in 1.0 s (0 B/s); 3 failed.\n"
                         "One after another they would have taken 3.0 s, 3.0 times as long.\n");
}

TEST(json_comes_for_each_page)
{
    EXPECT_EQ(RUN("get", "--json", "a_bad_url"), 1);
    EXPECT_STR(
        out, "{\"url\": \"a_bad_url\", \"ok\": false, \"status\": null, \"bytes\": 0, \"seconds\": 0.000000, "
             "\"tries\": 1, \"file\": null, \"error\": \"there is no scheme: write http:// or https:// in "
             "front\", \"error_class\": \"ValueError\"}\n"
             "{\"pages\": 1, \"downloaded\": 0, \"failed\": 1, \"bytes\": 0, \"seconds\": 0.000000, "
             "\"seconds_one_after_another\": 0.000000}\n");
}

TEST(what_cannot_be_served_ends_it)
{
    EXPECT_EQ(RUN("web", "--listen=tcp:x", "--log=none"), 1);
    EXPECT_CONTAINS(err, "fate: listen on tcp:x: the port \"x\" is no number");
}

TEST(help_version_and_wrong_lines)
{
    EXPECT_EQ(RUN("--version"), 0);
    EXPECT_CONTAINS(out, "fate 0.");
    EXPECT_EQ(RUN("help", "get"), 0);
    EXPECT_CONTAINS(out, "usage: fate get [OPTION...] URL...\n");
    EXPECT_EQ(RUN("wbe"), FATE__STATUS_USAGE);
    EXPECT_STR(err, "fate: fate has no command \"wbe\": did you mean web?\n");
    EXPECT_EQ(RUN("completion", "bash"), 0);
    EXPECT_CONTAINS(out, "# Completion of fate in bash.\n");
}
