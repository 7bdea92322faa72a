/* /etc/hosts: what is in it, and when it is read again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/sys.h>
#include <fate/fate.h>
#include <fate/resolve.h>
#include <net/resolve.h>

#include "test.h"

/* ---- Files ---- */

static char path[64];
static int n_reads;
static struct fate__sys table;
static const struct fate__sys *usual;

static ssize_t counting_read(int fd, void *to, size_t len)
{
    n_reads++;
    return usual->read(fd, to, len);
}

/* Past the table of system calls.  Changed long ago, or just now. */
static void write_hosts(const char *text, size_t len, bool is_old)
{
    const struct timespec long_ago[2] = { { 1000, 5 }, { 1000, 5 } };
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    EXPECT(fd >= 0 && write(fd, text, len) == (ssize_t)len);
    if (is_old)
        EXPECT_EQ(futimens(fd, long_ago), 0);
    close(fd);
}

static struct fate__hosts begin(const char *text)
{
    snprintf(path, sizeof path, "/tmp/fate-hosts-%d", (int)getpid());
    write_hosts(text, strlen(text), true);
    usual = fate__sys;
    table = *usual;
    table.read = counting_read;
    fate__sys = &table;
    n_reads = 0;
    return (struct fate__hosts){ .path = path };
}

static void end(struct fate__hosts *hosts)
{
    fate__hosts_done(hosts);
    fate__sys = usual;
    unlink(path);
}

static void expect_found(struct fate__hosts *hosts, const char *name, const char *as)
{
    struct fate__addresses found = { 0 };
    char text[512] = "", one[FATE_ADDRESS_TEXT_BYTES];
    size_t len = 0;

    fate__hosts_find(hosts, name, &found);
    for (size_t i = 0; i < found.n; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i ? " " : "",
                                fate_address_host(&found.items[i], one));
    if (!test_is_oom())
        EXPECT_STR(text, as);
    fate__addresses_done(&found);
}

/* ---- What is in it ---- */

TEST(names_and_aliases_are_found)
{
    struct fate__hosts hosts = begin("127.0.0.1 localhost\n"
                                     "# 1.1.1.1 commented\n"
                                     "  10.0.0.1\tOne.Example  one alias# 2\r\n"
                                     "\n"
                                     "10.0.0.2 one.example#\n"
                                     "::1 one ip6-one\n"
                                     "10.0.0.1 one.example again\n"
                                     "not-an-address wrong\n"
                                     "10.0.0.300 wrong\n"
                                     "10.0.0.5\n"
                                     "fe80::2%3 link.\n"
                                     "10.0.0.9 last");

    expect_found(&hosts, "one.example", "10.0.0.1 10.0.0.2");
    expect_found(&hosts, "ONE.example.", "10.0.0.1 10.0.0.2");
    expect_found(&hosts, "one", "10.0.0.1 ::1");
    expect_found(&hosts, "alias", "10.0.0.1");
    expect_found(&hosts, "ip6-one", "::1");
    expect_found(&hosts, "again", "10.0.0.1");
    expect_found(&hosts, "link", "fe80::2%3");
    expect_found(&hosts, "last", "10.0.0.9");
    expect_found(&hosts, "commented", "");
    expect_found(&hosts, "wrong", "");
    expect_found(&hosts, "2", "");
    expect_found(&hosts, "example", "");
    expect_found(&hosts, "", "");
    end(&hosts);
}

TEST(a_file_of_any_bytes_is_read)
{
    static const char odd[] = "1.1.1.1\0a\0b c\n\0\n#\n\n1.1.1.2 \xff\xfe d";
    char long_name[400];
    struct fate__hosts hosts = begin("");

    expect_found(&hosts, "a", "");
    write_hosts(odd, sizeof odd - 1, false);
    expect_found(&hosts, "a", "1.1.1.1");
    expect_found(&hosts, "c", "1.1.1.1");
    expect_found(&hosts, "d", "1.1.1.2");
    memset(long_name, 'x', sizeof long_name);
    memcpy(long_name, "1.1.1.3 ", 8);
    memcpy(long_name + 390, " short", 6);
    write_hosts(long_name, 396, false);
    expect_found(&hosts, "short", "1.1.1.3");
    end(&hosts);
}

TEST(many_names_are_found)
{
    char *text = malloc(1 << 20), name[32], as[32];
    size_t len = 0;

    for (int i = 0; text && i < 10000; i++)
        len += (size_t)sprintf(text + len, "10.0.%d.%d host%d.example h%d\n", i >> 8, i & 255, i, i % 5000);
    struct fate__hosts hosts = begin(text ? text : "");
    for (int i = 0; text && i < 10000; i += 100) {
        sprintf(name, "host%d.example", i);
        sprintf(as, "10.0.%d.%d", i >> 8, i & 255);
        expect_found(&hosts, name, as);
    }
    expect_found(&hosts, "h7", "10.0.0.7 10.0.19.143");
    end(&hosts);
    free(text);
}

/* ---- When it is read ---- */

TEST(an_unchanged_file_is_read_once)
{
    struct fate__hosts hosts = begin("1.1.1.1 a\n");

    expect_found(&hosts, "a", "1.1.1.1");
    int n_first = n_reads;
    EXPECT(n_first > 0);
    for (int i = 0; i < 4; i++)
        expect_found(&hosts, "a", "1.1.1.1");
    EXPECT_EQ(n_reads, n_first);
    end(&hosts);
}

TEST(a_changed_file_is_read_again)
{
    struct fate__hosts hosts = begin("1.1.1.1 a\n");

    expect_found(&hosts, "a", "1.1.1.1");
    write_hosts("1.1.1.2 a\n", 10, false);
    expect_found(&hosts, "a", "1.1.1.2");
    /* Of the same size, and perhaps in the same moment. */
    write_hosts("1.1.1.3 a\n", 10, false);
    expect_found(&hosts, "a", "1.1.1.3");
    write_hosts("1.1.1.4 a\n2.2.2.2 b\n", 20, true);
    expect_found(&hosts, "a", "1.1.1.4");
    expect_found(&hosts, "b", "2.2.2.2");
    unlink(path);
    expect_found(&hosts, "a", "");
    write_hosts("1.1.1.5 a\n", 10, true);
    expect_found(&hosts, "a", "1.1.1.5");
    end(&hosts);
}

TEST(what_is_no_plain_file_is_not_read)
{
    struct fate__hosts hosts = begin("1.1.1.1 a\n");

    hosts.path = "/dev/zero";
    expect_found(&hosts, "a", "");
    hosts.path = "/";
    expect_found(&hosts, "a", "");
    unlink(path);
    EXPECT_EQ(mkfifo(path, 0600), 0);
    hosts.path = path;
    expect_found(&hosts, "a", "");
    EXPECT_EQ(n_reads, 0);
    end(&hosts);
}

TEST(a_file_that_is_too_long_is_left_to_the_system)
{
    struct fate__hosts hosts = begin("1.1.1.1 a\n");

    EXPECT_EQ(truncate(path, (16 << 20) + 1), 0);
    expect_found(&hosts, "a", "");
    EXPECT_EQ(n_reads, 0);
    end(&hosts);
}

/* ---- Through fate_resolve ---- */

static fate_value note(fate_value *list, fate_value *arg)
{
    char *text = fate_as_ptr(arg), one[FATE_ADDRESS_TEXT_BYTES];

    text[0] = '\0';
    for (size_t i = 0; !fate_is_failure(list) && i < fate_count(list); i++) {
        strcat(text, fate_address_host(fate_unbox(fate_address, fate_at(list, i)), one));
        strcat(text, " ");
    }
    return fate_none();
}

TEST(what_the_file_has_is_answered_at_once)
{
    struct fate__hosts unused = begin("1.1.1.1 a\n1.1.1.2 a\n::5 a\n9.9.9.9 localhost\n");
    fate_reactor *reactor = test_real_reactor(NULL);
    char text[256] = "";

    if (reactor && fate__names_set_hosts(reactor, path) == 0) {
        fate_add_both(fate_resolve(reactor, "A"), note, fate_ptr(text));
        EXPECT_STR(text, "1.1.1.1 ::5 1.1.1.2 ");
        fate_add_both(fate_resolve(reactor, "localhost"), note, fate_ptr(text));
        EXPECT_STR(text, "127.0.0.1 ::1 ");
    }
    fate_reactor_free(reactor);
    end(&unused);
}

/* It knows one name, and leaves the others. */
static fate_deferred *know_one(fate_reactor *reactor, const char *name, fate_value *arg)
{
    const fate_address address = { .family = AF_INET, .as.ip = { 9, 9, 9, 9 } };

    if (strcmp(name, "own") != 0)
        return fate_resolve_by_default(reactor, name);
    fate_value box = fate_box_new("fate_address", sizeof address, &address, NULL);
    return fate_succeed(reactor, fate_list(1, &box));
}

TEST(a_resolver_may_leave_names_to_the_default)
{
    struct fate__hosts unused = begin("1.1.1.1 a\n9.9.9.9 localhost\n");
    fate_reactor *reactor = test_real_reactor(NULL);
    char text[256] = "";

    if (reactor && fate__names_set_hosts(reactor, path) == 0 &&
        fate_set_resolver(reactor, know_one, fate_none()) == 0) {
        fate_add_both(fate_resolve(reactor, "own"), note, fate_ptr(text));
        EXPECT_STR(text, "9.9.9.9 ");
        fate_add_both(fate_resolve(reactor, "A"), note, fate_ptr(text));
        EXPECT_STR(text, "1.1.1.1 ");
        fate_add_both((fate_resolve_by_default)(reactor, "a"), note, fate_ptr(text));
        EXPECT_STR(text, "1.1.1.1 ");
        fate_add_both(fate_resolve_by_default(reactor, "localhost"), note, fate_ptr(text));
        EXPECT_STR(text, "127.0.0.1 ::1 ");
    }
    fate_reactor_free(reactor);
    end(&unused);
}
