/* Tests of src/reactor/log_text.c, log_json.c and log_journal.c: the ready-made observers. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <base/sys.h>
#include <fate/fate.h>

#include "test.h"

/* An entry of everything, and what an observer makes of it. */
static fate_log_entry entry;
static char *written;
static size_t n_written;

static void begin(void)
{
    unsetenv("NO_COLOR");
    entry = (fate_log_entry){ .size = sizeof entry,
                              .level = FATE_LOG_WARNING,
                              .text = "refused",
                              .site = "connect src/client.c:6",
                              .time = INT64_C(1700000000123456789),
                              .reactor = "main" };
}

static void observe(fate_log_observer *observer)
{
    FILE *file = open_memstream(&written, &n_written);
    fate_value arg = fate_ptr(file);

    observer(&entry, &arg);
    fclose(file);
}

static void expect_written(fate_log_observer *observer, const char *expected)
{
    observe(observer);
    EXPECT_STR(written, expected);
    free(written);
}

/* ---- Text ---- */

TEST(a_line_of_text_has_time_level_site_text_and_fields)
{
    fate_value fields =
        fate_dict_of({ "peer", fate_str("::1") }, { "n", fate_int(3) }, { "said", fate_str("two words") },
                     { "empty", fate_str("") }, { "equals", fate_str("a=b") }, { "none", fate_none() },
                     { "list", fate_list_of(fate_int(1), fate_str("x")) });

    begin();
    expect_written(fate_log_to_text, "2023-11-14T22:13:20.123Z warning: connect client.c:6: refused\n");
    entry.fields = LACKS(&fields) ? NULL : &fields;
    expect_written(fate_log_to_text,
                   "2023-11-14T22:13:20.123Z warning: connect client.c:6: refused peer=::1 n=3 "
                   "said=\"two words\" empty=\"\" equals=\"a=b\" none=none list=[1, \"x\"]\n");
    fate_drop(fields);
}

TEST(without_a_site_there_is_none)
{
    begin();
    entry.site = "";
    entry.level = FATE_LOG_DEBUG;
    expect_written(fate_log_to_text, "2023-11-14T22:13:20.123Z debug: refused\n");
    entry.level = 17;
    expect_written(fate_log_to_text, "2023-11-14T22:13:20.123Z log: refused\n");
}

TEST(times_before_1970_are_written_too)
{
    begin();
    entry.site = "";
    entry.time = -1;
    expect_written(fate_log_to_text, "1969-12-31T23:59:59.999Z warning: refused\n");
}

TEST(a_failure_has_its_traceback_below)
{
    fate_value why = fate_raise_at("use_key", "src/client.c:4", &FATE_VALUE_ERROR, "wrong\ntoken");

    begin();
    entry.level = FATE_LOG_ERROR;
    entry.text = "Failure in trigger";
    entry.failure = &why;
    expect_written(fate_log_to_text,
                   LACKS(&why) ? "2023-11-14T22:13:20.123Z error: Failure in trigger connect client.c:6\n"
                                 "  NoMemory: \n"
                               : "2023-11-14T22:13:20.123Z error: Failure in trigger connect client.c:6\n"
                                 "  ValueError: wrong\\ntoken\n    raised use_key client.c:4\n");
    fate_drop(why);
}

TEST(what_peers_say_cannot_begin_a_line_or_move_a_terminal)
{
    fate_value fields = fate_dict_of({ "a\nb", fate_str("\x1b[2J\n") });

    begin();
    entry.site = "";
    entry.text = "got \x1b[31m\nfatal: \xc3\xa4 \xff";
    entry.fields = LACKS(&fields) ? NULL : &fields;
    expect_written(fate_log_to_text, "2023-11-14T22:13:20.123Z warning: got \\x1b[31m\\nfatal: \xc3\xa4 "
                                     "\\xff a\\nb=\"\\x1b[2J\\n\"\n");
    fate_drop(fields);
}

/* ---- Colours, on a terminal of the test's ---- */

static size_t read_terminal(fate_log_observer *observer, char *to, size_t room)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    ssize_t n = 0;

    if (terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0)
        return 0;
    int end = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    FILE *file = end < 0 ? NULL : fdopen(end, "w");
    if (file) {
        fate_value arg = fate_ptr(file);
        observer(&entry, &arg);
        for (ssize_t part = 1; part > 0 && (n == 0 || to[n - 1] != '\n'); n += part > 0 ? part : 0)
            part = read(terminal, to + n, room - 1 - (size_t)n); /* it may come in parts */
        fclose(file);
    }
    close(terminal);
    to[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

TEST(on_a_terminal_there_are_colours_unless_no_color_is_set)
{
    char text[512];

    begin();
    entry.site = "";
    if (!read_terminal(fate_log_to_text, text, sizeof text))
        return;
    EXPECT_STR(text, "\x1b[2m2023-11-14T22:13:20.123Z\x1b[0m \x1b[33mwarning:\x1b[0m refused\r\n");
    entry.level = FATE_LOG_INFO;
    read_terminal(fate_log_to_text, text, sizeof text);
    EXPECT_STR(text, "\x1b[2m2023-11-14T22:13:20.123Z\x1b[0m info: refused\r\n");
    setenv("NO_COLOR", "1", 1);
    read_terminal(fate_log_to_text, text, sizeof text);
    EXPECT_STR(text, "2023-11-14T22:13:20.123Z info: refused\r\n");
    unsetenv("NO_COLOR");
}

/* ---- JSON ---- */

TEST(an_object_of_json_has_what_the_entry_has)
{
    begin();
    expect_written(fate_log_to_json,
                   "{\"time\":\"2023-11-14T22:13:20.123456789Z\",\"level\":\"warning\",\"reactor\":\"main\","
                   "\"site\":\"connect src/client.c:6\",\"text\":\"refused\"}\n");
    entry.site = entry.reactor = "";
    entry.text = "a\"\\\n\t\r\b\f\x01\x7f\xc3\xa4\xff\xe2\x82";
    expect_written(fate_log_to_json,
                   "{\"time\":\"2023-11-14T22:13:20.123456789Z\",\"level\":\"warning\",\"text\":\"a\\\"\\\\"
                   "\\n\\t\\r\\b\\f\\u0001\x7f\xc3\xa4\\ufffd\\ufffd\\ufffd\"}\n");
}

TEST(values_of_all_kinds_are_json)
{
    fate_value fields = fate_dict_of(
        { "none", fate_none() }, { "yes", fate_bool(true) }, { "int", fate_int(INT64_MIN) },
        { "float", fate_float(0.5) }, { "nan", fate_float(NAN) }, { "inf", fate_float(INFINITY) },
        { "nul", fate_str_n("a\0b", 3) }, { "bytes", fate_bytes("\xff", 1) },
        { "list", fate_list_of(fate_list_of(), fate_dict_of({ "k\"", fate_float(1e300) })) },
        { "moment", fate_datetime(0) });

    begin();
    entry.fields = LACKS(&fields) ? NULL : &fields;
    observe(fate_log_to_json);
    EXPECT_CONTAINS(written,
                    ",\"fields\":{\"none\":null,\"yes\":true,\"int\":-9223372036854775808,\"float\":0.5,"
                    "\"nan\":null,\"inf\":null,\"nul\":\"a\\u0000b\",\"bytes\":\"b\\\"\\\\xff\\\"\","
                    "\"list\":[[],{\"k\\\"\":1e+300}],\"moment\":\"1970-01-01T00:00:00Z\"}}\n");
    free(written);
    fate_drop(fields);
}

TEST(what_is_nested_too_deep_is_cut)
{
    fate_value nested = fate_none();

    for (int i = 0; i < 100; i++)
        nested = fate_list_of(nested);
    fate_value fields = fate_dict_of({ "deep", nested });
    begin();
    entry.fields = LACKS(&fields) ? NULL : &fields;
    observe(fate_log_to_json);
    EXPECT_CONTAINS(written, "[\"...\"]");
    free(written);
    fate_drop(fields);
}

TEST(a_failure_in_json_is_an_object)
{
    fate_value why = fate_raise_at("use_key", "src/client.c:4", &FATE_VALUE_ERROR, "wrong token");

    begin();
    entry.failure = &why;
    observe(fate_log_to_json);
    EXPECT_CONTAINS(written, ",\"failure\":{\"class\":\"ValueError\",\"message\":\"wrong token\","
                             "\"traceback\":\"ValueError: wrong token\\n  raised use_key client.c:4\"}}\n");
    free(written);
    fate_drop(why);
}

/* ---- Without memory ---- */

TEST(without_memory_level_and_text_are_written)
{
    fate_value why = fate_raise(&FATE_VALUE_ERROR, "wrong token");

    begin();
    test_fail_allocation(1, true);
    expect_written(fate_log_to_text, "warning: refused\n");
    expect_written(fate_log_to_json, "{\"level\":\"warning\",\"text\":\"refused\"}\n");
    entry.failure = &why;
    expect_written(fate_log_to_text, "warning: refused\n  ValueError: wrong token\n");
    test_fail_allocation(0, false);
    fate_drop(why);
}

TEST(without_memory_a_long_text_is_cut_and_json_stays_whole)
{
    char text[4000];

    memset(text, '"', sizeof text);
    text[sizeof text - 1] = '\0';
    begin();
    entry.text = text;
    test_fail_allocation(1, true);
    observe(fate_log_to_json);
    test_fail_allocation(0, false);
    EXPECT(n_written > 1000 && strcmp(written + n_written - 4, "\"\"}\n") == 0);
    free(written);
}

/* ---- The journal, on a socket of the test's ---- */

static struct sockaddr_un address = { .sun_family = AF_UNIX };

static int open_journal(void)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/test_log_journal.%d", (int)getpid());
    unlink(address.sun_path);
    EXPECT_EQ(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    setenv("FATE_JOURNAL_SOCKET", address.sun_path, 1);
    begin();
    return fd;
}

static void close_journal(int fd)
{
    close(fd);
    unlink(address.sun_path);
    unsetenv("FATE_JOURNAL_SOCKET");
}

static ssize_t receive(int fd, char *to, size_t room)
{
    ssize_t n = recv(fd, to, room - 1, MSG_DONTWAIT);

    to[n < 0 ? 0 : n] = '\0';
    return n;
}

/* Where a binary field is in the datagram, or NULL. */
static const char *find(const char *datagram, ssize_t n, const char *part, size_t len)
{
    return n < 0 ? NULL : memmem(datagram, (size_t)n, part, len);
}

TEST(the_journal_gets_an_entry_as_fields)
{
    char datagram[2048], expected[512];
    int fd = open_journal();
    fate_value fields =
        fate_dict_of({ "peer-name", fate_str("::1") }, { "2nd", fate_int(3) },
                     { "message", fate_str("mine") }, { "_x", fate_none() }, { "\xc3\xa4", fate_str("") });

    entry.fields = LACKS(&fields) ? NULL : &fields;
    expect_written(fate_log_to_journal, "");
    receive(fd, datagram, sizeof datagram);
    snprintf(expected, sizeof expected,
             "PRIORITY=4\nSYSLOG_IDENTIFIER=%s\nFATE_REACTOR=main\nCODE_FILE=src/client.c\nCODE_LINE=6\n"
             "MESSAGE=refused\nPEER_NAME=::1\nF_2ND=3\nF_MESSAGE=mine\nF__X=none\nF___=\n",
             program_invocation_short_name);
    EXPECT_STR(datagram, expected);
    fate_drop(fields);
    close_journal(fd);
}

TEST(values_of_several_lines_have_their_length_before_them)
{
    static const char message[] = "MESSAGE\n\x5\0\0\0\0\0\0\0two\n2\n";
    static const char blob[] = "BLOB\n\x3\0\0\0\0\0\0\0\n\0x\n";
    char datagram[2048];
    int fd = open_journal();
    fate_value fields = fate_dict_of({ "blob", fate_str_n("\n\0x", 3) });

    entry.text = "two\n2";
    entry.fields = LACKS(&fields) ? NULL : &fields;
    expect_written(fate_log_to_journal, "");
    ssize_t n = receive(fd, datagram, sizeof datagram);
    EXPECT(find(datagram, n, message, sizeof message - 1));
    EXPECT(find(datagram, n, blob, sizeof blob - 1));
    fate_drop(fields);
    close_journal(fd);
}

TEST(the_journal_gets_a_failure_with_its_class_its_errno_and_its_traceback)
{
    char datagram[2048];
    int fd = open_journal();
    fate_value why = fate_raise_errno(ECONNREFUSED, "connect to ::1");

    entry.failure = &why;
    entry.level = FATE_LOG_ERROR;
    observe(fate_log_to_journal);
    free(written);
    ssize_t n = receive(fd, datagram, sizeof datagram);
    EXPECT(find(datagram, n, "PRIORITY=3\n", 11));
    EXPECT(find(datagram, n, "FATE_FAILURE=RefusedError\n", 26));
    EXPECT(find(datagram, n, "ERRNO=111\n", 10));
    EXPECT(find(datagram, n, "refused\nRefusedError: connect to ::1", 36));
    fate_drop(why);
    close_journal(fd);
}

#ifndef FATE_TEST_EMULATED /* qemu knows no seals, and passes no descriptors */
static int receive_descriptor(int fd)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof control.bytes };
    int got = -1;

    if (recvmsg(fd, &message, MSG_DONTWAIT) == 0 && CMSG_FIRSTHDR(&message))
        memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof got);
    return got;
}

TEST(a_big_entry_comes_as_a_sealed_file)
{
    enum { BYTES = 1 << 20 };
    char *text = malloc(BYTES + 1), *got = calloc(1, BYTES + 4096);
    int fd = open_journal();

    memset(text, 'x', BYTES);
    text[BYTES] = '\0';
    entry.text = text;
    observe(fate_log_to_journal);
    int file = receive_descriptor(fd);
    if (EXPECT(file >= 0)) {
        EXPECT_EQ(fcntl(file, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
        ssize_t n = pread(file, got, BYTES + 4096, 0);
        EXPECT(n > BYTES && strncmp(got, "PRIORITY=4\n", 11) == 0);
        EXPECT(strstr(got, text));
    }
    if (file >= 0)
        close(file);
    free(written);
    free(text);
    free(got);
    close_journal(fd);
}
#endif

TEST(without_a_journal_the_entry_is_written_as_text)
{
    close_journal(open_journal());
    setenv("FATE_JOURNAL_SOCKET", address.sun_path, 1);
    expect_written(fate_log_to_journal, "2023-11-14T22:13:20.123Z warning: connect client.c:6: refused\n");
    unsetenv("FATE_JOURNAL_SOCKET");
}

/* ---- The system fails ---- */

static struct fate__sys failing;
static int n_sent;

static int no_socket(int family, int type, int protocol)
{
    errno = EMFILE;
    return -1;
}

static ssize_t too_big_then(int fd, const struct msghdr *message, int flags)
{
    errno = n_sent++ == 0 ? EINTR : EMSGSIZE;
    return -1;
}

static int no_memfd(const char *name, unsigned flags)
{
    errno = EMFILE;
    return -1;
}

static int no_seals(int fd, int seals)
{
    errno = EPERM;
    return -1;
}

static void expect_text_instead(void)
{
    const struct fate__sys *before = fate__sys;

    fate__sys = &failing;
    expect_written(fate_log_to_journal, "2023-11-14T22:13:20.123Z warning: connect client.c:6: refused\n");
    fate__sys = before;
}

TEST(what_the_system_refuses_is_written_as_text)
{
    begin();
    failing = fate__sys_real;
    failing.socket = no_socket;
    expect_text_instead();

    failing = fate__sys_real;
    n_sent = 0;
    failing.sendmsg = too_big_then;
    expect_text_instead();
    EXPECT_EQ(n_sent, 3);

    failing.memfd_create = no_memfd;
    expect_text_instead();
    failing.memfd_create = fate__sys_real.memfd_create;
    failing.add_seals = no_seals;
    expect_text_instead();
}

/* ---- Which one is the default ---- */

static void log_by_default(void *stream_of)
{
    struct stat file;
    char stream[64], datagram[2048] = "";
    int fd = open_journal();

    fstat(stream_of ? 2 : fd, &file);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)file.st_dev,
             (unsigned long long)file.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    fate_reactor *reactor = fate_reactor_new_simulated();
    fate_log(reactor, FATE_LOG_NOTICE, "%s", "hello");
    ssize_t n = receive(fd, datagram, sizeof datagram);
    close_journal(fd);
    fprintf(stderr, "the journal got %s", find(datagram, n, "MESSAGE=hello\n", 14) ? "it" : "nothing");
    abort();
}

TEST(the_journal_is_the_default_where_standard_error_leads_to_it)
{
    EXPECT_STOP(log_by_default, "itself", "the journal got it");
    EXPECT_STOP(log_by_default, NULL, ": hello\n", "the journal got nothing");
}
