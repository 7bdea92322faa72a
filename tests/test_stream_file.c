/* Tests of src/reactor/stream_file.c and stream_file_sink.c, and of pumps that hand files over. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fate/fate.h>

#include "test.h"

#define BIG 70000

/* ---- A folder for each test ---- */

static fate_reactor *reactor;
static char folder[64], path_text[64 + 1 + 256]; /* any name of a directory */

static const char *path(const char *name)
{
    snprintf(path_text, sizeof path_text, "%s/%s", folder, name);
    return path_text;
}

static void put_file(const char *name, const char *bytes, size_t len)
{
    FILE *file = fopen(path(name), "w");

    fwrite(bytes, 1, len, file);
    fclose(file);
}

static const char *content(const char *name)
{
    static char text[256];
    FILE *file = fopen(path(name), "r");

    if (!file)
        return "(none)";
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* Removes all that is in it, too, when told to. */
static int n_files(bool is_to_remove)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    int n = 0;

    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            n++;
            if (is_to_remove && unlink(path(entry->d_name)) < 0)
                rmdir(path(entry->d_name));
        }
    closedir(dir);
    return n;
}

static void begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/fate-test-XXXXXX");
    if (!mkdtemp(folder))
        abort();
    reactor = test_reactor();
}

/* What is left but for n files is a mistake. */
static void end(int n)
{
    fate_reactor_free(reactor);
    int left = n_files(true);
    if (!test_is_oom())
        EXPECT_EQ(left, n);
    rmdir(folder);
}

static fate_value *awaited; /* where the result goes; NULL: nobody waits for it any more */

static fate_value note_result(fate_value *result, fate_value *arg)
{
    if (awaited)
        *awaited = fate_take(result);
    awaited = NULL;
    return fate_none();
}

/* Given; none where it has no result. */
static fate_value result_of(fate_deferred *d)
{
    fate_value result = fate_none();

    awaited = &result;
    fate_add_both(d, note_result, fate_none());
    fate_play(reactor, FATE_SECOND);
    EXPECT(!awaited);
    awaited = NULL;
    return result;
}

#define EXPECT_RESULT(how, d, ...)                                                                           \
    do {                                                                                                     \
        fate_value result = result_of(d);                                                                    \
        how(&result, __VA_ARGS__);                                                                           \
        fate_drop(result);                                                                                   \
    } while (0)

static void expect_fails(fate_deferred *d, const fate_class *c, const char *part)
{
    fate_value result = result_of(d);

    EXPECT_FAILURE(&result, c);
    if (fate_is_failure(&result))
        EXPECT_CONTAINS(fate_message(&result), part);
    fate_drop(result);
}

static size_t length(const fate_value *v)
{
    const void *p;
    size_t len = 0;

    fate_get_bytes(v, &p, &len);
    return len;
}

static char *big_text(void)
{
    static char text[BIG];

    for (size_t i = 0; i < BIG; i++)
        text[i] = (char)('a' + i % 23);
    return text;
}

/* ---- Sources ---- */

/* How many bytes came in one read, 0 at the end; they are those of the big text from `at` on. */
static size_t read_right_piece(fate_value *source, size_t at)
{
    fate_value piece = result_of(fate_read(source));
    size_t len = length(&piece);
    const void *p;

    EXPECT(len <= 65536);
    if (fate_get_bytes(&piece, &p, &len))
        EXPECT(at + len <= BIG && memcmp(p, big_text() + at, len) == 0);
    fate_drop(piece);
    return len;
}

VOLUME_TEST(a_file_is_read_in_pieces)
{
    begin();
    put_file("big", big_text(), BIG);
    fate_value source = fate_file_source(reactor, path("big"));
    size_t at = 0, len;

    while ((len = read_right_piece(&source, at)))
        at += len;
    EXPECT_EQ(at, BIG);
    fate_drop(source);
    end(1);
}

TEST(what_cannot_be_read_says_so_at_the_first_read)
{
    begin();
    expect_fails(fate_read_all(fate_file_source(reactor, path("nothing")), 10), &FATE_FILE_NOT_FOUND,
                 "/nothing");
    expect_fails(fate_read_all(fate_file_source(reactor, folder), 10), &FATE_OS_ERROR, "Is a directory");
    EXPECT_EQ(mkfifo(path("pipe"), 0600), 0);
    expect_fails(fate_read_all(fate_file_source(reactor, path("pipe")), 10), &FATE_OS_ERROR,
                 "/pipe, which is no plain file");
    end(1);
}

TEST(empty_files_and_those_of_proc_are_read)
{
    begin();
    put_file("empty", "", 0);
    EXPECT_RESULT(EXPECT_TEXT, fate_read_all(fate_file_source(reactor, path("empty")), 10), "");
    fate_value text = result_of(fate_read_all(fate_file_source(reactor, "/proc/self/status"), 65536));
    EXPECT(length(&text) > 0);
    fate_drop(text);
    end(1);
}

TEST(a_source_may_go_while_it_is_read)
{
    begin();
    put_file("big", big_text(), BIG);
    fate_cancel(fate_read_all(fate_file_source(reactor, path("big")), BIG));
    fate_play(reactor, FATE_SECOND);
    fate_cancel(fate_read_all(fate_file_source(reactor, path("big")), BIG));
    fate_drop(fate_file_source(reactor, path("big")));
    end(1);
}

/* ---- Sinks ---- */

static fate_deferred *write_text(fate_value *sink, const char *text)
{
    return fate_sink_write(reactor, sink, fate_str(text));
}

TEST(pieces_are_written_in_order_and_the_file_is_there_at_the_end)
{
    begin();
    put_file("f", "old", 3);
    fate_value sink = fate_file_sink(path("f"));
    write_text(&sink, "one ");
    write_text(&sink, "two ");
    EXPECT_RESULT(EXPECT_DESCRIBED, write_text(&sink, "three"), "none");
    EXPECT_STR(content("f"), "old");
    EXPECT_EQ(n_files(false), 2);
    EXPECT_RESULT(EXPECT_DESCRIBED, fate_sink_end(reactor, &sink, fate_none()), "none");
    EXPECT_STR(content("f"), "one two three");
    fate_drop(sink);
    end(1);
}

static fate_value source_of(const char *name)
{
    return fate_file_source(reactor, path(name));
}

TEST(files_are_copied_with_the_mode_of_the_umask)
{
    struct stat about = { 0 };

    begin();
    mode_t old = umask(027);
    put_file("big", big_text(), BIG);
    fate_value source = source_of("big");
    EXPECT_RESULT(EXPECT_INT, fate_pump(source, fate_file_sink(path("copy"))), BIG);
    EXPECT_EQ(stat(path("copy"), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0640);
    EXPECT_EQ(about.st_size, BIG);
    umask(old);
    source = source_of("copy");
    fate_value text = result_of(fate_read_all(source, BIG));
    EXPECT_EQ(length(&text), BIG);
    fate_drop(text);
    end(2);
}

TEST(an_end_without_a_piece_is_an_empty_file)
{
    begin();
    fate_value sink = fate_file_sink(path("f"));
    EXPECT_RESULT(EXPECT_DESCRIBED, fate_sink_end(reactor, &sink, fate_none()), "none");
    EXPECT_STR(content("f"), "");
    fate_drop(sink);
    end(1);
}

TEST(what_is_cut_short_leaves_the_old_file)
{
    begin();
    put_file("f", "old", 3);
    fate_value sink = fate_file_sink(path("f"));
    EXPECT_RESULT(EXPECT_DESCRIBED, write_text(&sink, "new"), "none");
    EXPECT_EQ(n_files(false), 2);
    fate_value why = fate_raise(&FATE_VALUE_ERROR, "broken");
    EXPECT_RESULT(EXPECT_DESCRIBED, fate_sink_end(reactor, &sink, why), "none");
    EXPECT_EQ(n_files(false), 1);
    EXPECT_STR(content("f"), "old");
    fate_drop(sink);
    end(1);
}

/* With two pieces that have not been begun. */
TEST(a_failure_of_the_end_takes_the_pieces_that_wait_along)
{
    begin();
    fate_value sink = fate_file_sink(path("f"));
    write_text(&sink, "one");
    fate_deferred *second = fate_hold(write_text(&sink, "two"));
    fate_value why = fate_raise(&FATE_VALUE_ERROR, "broken");
    fate_deferred *ended = fate_hold(fate_sink_end(reactor, &sink, why));
    expect_fails(second, &FATE_VALUE_ERROR, "broken");
    fate_release(second);
    EXPECT_RESULT(EXPECT_DESCRIBED, ended, "none");
    fate_release(ended);
    fate_drop(sink);
    end(0);
}

TEST(a_sink_that_goes_without_an_end_leaves_nothing)
{
    begin();
    fate_value sink = fate_file_sink(path("f"));
    EXPECT_RESULT(EXPECT_DESCRIBED, write_text(&sink, "one"), "none");
    fate_deferred *second = fate_hold(write_text(&sink, "two"));
    fate_deferred *third = fate_hold(write_text(&sink, "three"));
    fate_drop(sink);
    expect_fails(third, &FATE_CANCELLED, "without an end");
    EXPECT_RESULT(EXPECT_DESCRIBED, second, "none");
    fate_release(second);
    fate_release(third);
    end(0);
}

TEST(a_sink_that_goes_with_an_end_finishes)
{
    begin();
    fate_value sink = fate_file_sink(path("f"));
    write_text(&sink, "one ");
    write_text(&sink, "two");
    fate_deferred *ended = fate_sink_end(reactor, &sink, fate_none());
    fate_drop(sink);
    EXPECT_RESULT(EXPECT_DESCRIBED, ended, "none");
    EXPECT_STR(content("f"), "one two");
    end(1);
}

TEST(a_cancelled_write_is_written_all_the_same_and_a_cancelled_end_is_none)
{
    begin();
    fate_value sink = fate_file_sink(path("f"));
    fate_deferred *first = fate_hold(write_text(&sink, "one"));
    fate_cancel(first);
    expect_fails(first, &FATE_CANCELLED, "");
    fate_release(first);
    EXPECT_RESULT(EXPECT_DESCRIBED, fate_sink_end(reactor, &sink, fate_none()), "none");
    EXPECT_STR(content("f"), "one");
    fate_drop(sink);

    sink = fate_file_sink(path("g"));
    write_text(&sink, "one");
    fate_deferred *ended = fate_hold(fate_sink_end(reactor, &sink, fate_none()));
    fate_cancel(ended);
    expect_fails(ended, &FATE_CANCELLED, "");
    fate_release(ended);
    fate_play(reactor, FATE_SECOND);
    fate_drop(sink);
    end(1);
}

/* The end is under way, or waits for a thread: it is done whole or not at all. */
TEST(an_end_that_is_cancelled_late_is_whole_or_not_at_all)
{
    begin();
    fate_value sink = fate_file_sink(path("f"));
    EXPECT_RESULT(EXPECT_DESCRIBED, write_text(&sink, "one"), "none");
    fate_cancel(fate_sink_end(reactor, &sink, fate_none()));
    fate_drop(sink);
    fate_play(reactor, FATE_SECOND);
    int n = n_files(false);
    if (n)
        EXPECT_STR(content("f"), "one");
    end(n);
}

TEST(a_pump_that_is_cancelled_leaves_nothing)
{
    begin();
    put_file("big", big_text(), BIG);
    fate_value source = source_of("big");
    fate_deferred *d = fate_hold(fate_pump(source, fate_file_sink(path("f"))));
    fate_advance(reactor, 0);
    fate_cancel(d);
    expect_fails(d, &FATE_CANCELLED, "");
    fate_release(d);
    fate_play(reactor, FATE_SECOND);
    end(1);
}

TEST(a_failure_of_the_source_leaves_nothing)
{
    begin();
    fate_value source = source_of("nothing");
    expect_fails(fate_pump(source, fate_file_sink(path("f"))), &FATE_FILE_NOT_FOUND, "/nothing");
    end(0);
}

static void expect_refused(const char *name, const fate_class *c, const char *part)
{
    fate_value sink = fate_file_sink(path(name));
    fate_deferred *written = fate_hold(write_text(&sink, "one"));

    expect_fails(fate_sink_end(reactor, &sink, fate_none()), c, part);
    fate_value result = result_of(written);
    fate_drop(result);
    fate_release(written);
    fate_drop(sink);
}

TEST(what_is_no_plain_file_is_not_replaced)
{
    begin();
    EXPECT_EQ(mkdir(path("d"), 0700), 0);
    EXPECT_EQ(mkfifo(path("p"), 0600), 0);
    EXPECT_EQ(symlink("p", path("link")), 0);
    expect_refused("d", &FATE_OS_ERROR, "Is a directory");
    expect_refused("p", &FATE_OS_ERROR, "/p, which is no plain file");
    expect_refused("link", &FATE_OS_ERROR, "/link, which is no plain file");
    expect_refused("missing/f", &FATE_FILE_NOT_FOUND, "make a temporary file beside");
    end(3);
}

TEST(a_link_is_replaced_and_what_it_led_to_stays)
{
    begin();
    put_file("f", "old", 3);
    EXPECT_EQ(symlink("f", path("link")), 0);
    fate_value sink = fate_file_sink(path("link"));
    write_text(&sink, "new");
    EXPECT_RESULT(EXPECT_DESCRIBED, fate_sink_end(reactor, &sink, fate_none()), "none");
    EXPECT_STR(content("f"), "old");
    EXPECT_STR(content("link"), "new");
    fate_drop(sink);
    end(2);
}

TEST(after_a_failed_write_all_fails_with_it)
{
    struct rlimit old, small;

    begin();
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 2;
    setrlimit(RLIMIT_FSIZE, &small);
    fate_value sink = fate_file_sink(path("f"));
    expect_fails(write_text(&sink, "one"), &FATE_OS_ERROR, "write to ");
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_DFL);
    EXPECT_EQ(n_files(false), 0);
    expect_fails(write_text(&sink, "two"), &FATE_OS_ERROR, "write to ");
    expect_fails(fate_sink_end(reactor, &sink, fate_none()), &FATE_OS_ERROR, "write to ");
    fate_drop(sink);
    end(0);
}

TEST(a_piece_that_is_no_text_is_refused)
{
    begin();
    fate_value sink = fate_file_sink(path("f"));
    expect_fails(fate_sink_write(reactor, &sink, fate_int(1)), &FATE_TYPE_ERROR, "a piece is int");
    fate_drop(sink);
    end(0);
}

/* A shared text cannot cross, and is copied. */
TEST(a_piece_may_be_shared_and_of_bytes)
{
    begin();
    fate_value text = fate_str("text "), sink = fate_file_sink(path("f"));
    fate_sink_write(reactor, &sink, fate_copy(&text));
    fate_sink_write(reactor, &sink, fate_bytes("bytes", 5));
    EXPECT_RESULT(EXPECT_DESCRIBED, fate_sink_end(reactor, &sink, fate_none()), "none");
    EXPECT_STR(content("f"), "text bytes");
    fate_drop(text);
    fate_drop(sink);
    end(1);
}

TEST(temporary_names_that_are_taken_are_passed_over)
{
    char name[64];

    begin();
    snprintf(name, sizeof name, ".f.%ld-0", (long)getpid());
    put_file(name, "taken", 5);
    fate_value sink = fate_file_sink(path("f"));
    write_text(&sink, "one");
    EXPECT_RESULT(EXPECT_DESCRIBED, fate_sink_end(reactor, &sink, fate_none()), "none");
    EXPECT_STR(content("f"), "one");
    EXPECT_STR(content(name), "taken");
    fate_drop(sink);
    end(2);
}

/* ---- Handing over ---- */

static char parts[256];
static fate_deferred *room;

static fate_deferred *refuse_pieces(fate_reactor *on, fate_value *arg, fate_value piece)
{
    snprintf(parts + strlen(parts), sizeof parts - strlen(parts), "piece of %zu,", length(&piece));
    fate_drop(piece);
    return fate_succeed(on, fate_none());
}

static fate_deferred *note_part(fate_reactor *on, fate_value *arg, int fd, int64_t offset, int64_t len)
{
    char byte = '?';
    ssize_t n = pread(fd, &byte, 1, offset);

    snprintf(parts + strlen(parts), sizeof parts - strlen(parts), "%lld+%lld %c,", (long long)offset,
             (long long)len,
             n != 1 ? '?'
             : byte ? byte
                    : '0');
    close(fd);
    if (fate_as_bool(arg) && offset > 0)
        return fate_fail(on, fate_raise(&FATE_BROKEN_PIPE, "no more"));
    return room ? room : fate_succeed(on, fate_none());
}

static fate_deferred *note_end(fate_reactor *on, fate_value *arg, fate_value *why)
{
    snprintf(parts + strlen(parts), sizeof parts - strlen(parts), "%s", fate_is_failure(why) ? "cut" : "end");
    return fate_succeed(on, fate_none());
}

static const fate_sink_ops taker_ops = { .size = sizeof taker_ops,
                                         .name = "taker",
                                         .write = refuse_pieces,
                                         .end = note_end,
                                         .write_file = note_part };

static fate_value taker(bool fails)
{
    parts[0] = '\0';
    room = NULL;
    return fate_sink(&taker_ops, fate_bool(fails));
}

/* 2.5 MiB, without taking them on the disk. */
static void put_hole(void)
{
    put_file("hole", "x", 1);
    EXPECT_EQ(truncate(path("hole"), 5 << 19), 0);
}

TEST(an_unread_file_is_handed_over_in_parts)
{
    begin();
    put_hole();
    EXPECT_RESULT(EXPECT_INT, fate_pump(source_of("hole"), taker(false)), 5 << 19);
    EXPECT_STR(parts, "0+1048576 x,1048576+1048576 0,2097152+524288 0,end");
    end(1);
}

TEST(a_file_that_somebody_reads_is_read)
{
    begin();
    put_file("f", "text", 4);
    fate_value source = source_of("f");
    EXPECT_RESULT(EXPECT_INT, fate_pump(fate_copy(&source), taker(false)), 4);
    EXPECT_CONTAINS(parts, "piece of ");
    EXPECT(!strchr(parts, '+'));
    fate_drop(source);
    EXPECT_RESULT(EXPECT_INT, fate_pump(source_of("f"), taker(false)), 4);
    EXPECT_STR(parts, "0+4 t,end");
    end(1);
}

TEST(an_empty_file_is_handed_over_as_nothing)
{
    begin();
    put_file("f", "", 0);
    EXPECT_RESULT(EXPECT_INT, fate_pump(source_of("f"), taker(false)), 0);
    EXPECT_STR(parts, "end");
    end(1);
}

TEST(handing_over_ends_with_a_failure_of_either)
{
    begin();
    put_hole();
    expect_fails(fate_pump(source_of("hole"), taker(true)), &FATE_BROKEN_PIPE, "no more");
    EXPECT_STR(parts, "0+1048576 x,1048576+1048576 0,cut");
    expect_fails(fate_pump(source_of("nothing"), taker(false)), &FATE_FILE_NOT_FOUND, "/nothing");
    EXPECT_STR(parts, "cut");
    end(1);
}

TEST(handing_over_waits_for_room_and_may_be_cancelled)
{
    begin();
    put_hole();
    fate_value sink = taker(false);
    room = fate_hold(fate_deferred_new(reactor));
    fate_deferred *d = fate_hold(fate_pump(source_of("hole"), sink));
    fate_play(reactor, FATE_SECOND);
    EXPECT_STR(parts, "0+1048576 x,");
    fate_cancel(d);
    EXPECT_STR(parts, "0+1048576 x,cut");
    expect_fails(d, &FATE_CANCELLED, "");
    fate_release(d);
    fate_release(room);
    fate_deferred *early = fate_pump(source_of("hole"), taker(false));
    fate_cancel(early);
    EXPECT_STR(parts, "cut");
    end(1);
}
