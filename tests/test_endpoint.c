/* Endpoints, read: what they say, and what is said of those that cannot be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <net/endpoint.h>

#include "test.h"

#define LISTEN  FATE__TO_LISTEN
#define CONNECT FATE__TO_CONNECT
#define OPEN    FATE__FOR_DATAGRAMS

/* ---- As text ---- */

static const char *const kinds[] = { "tcp",    "tls", "unix",     "systemd",    "fd",
                                     "memory", "udp", "unixgram", "unixgram-to" };

static void add(char *to, size_t room, const char *name, const char *value)
{
    size_t len = strlen(to);

    if (value)
        snprintf(to + len, room - len, " %s=%s", name, value);
}

static void add_number(char *to, size_t room, const char *name, long number, long usual)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%ld", number);
    add(to, room, name, number == usual ? NULL : digits);
}

/* What is not as usual: "tcp host=example.org port=80". */
static const char *described(const struct fate__endpoint *e)
{
    static char text[512];
    const size_t room = sizeof text;
    char mode[8];

    snprintf(text, room, "%s", kinds[e->kind]);
    snprintf(mode, sizeof mode, "%o", (unsigned)e->mode);
    add(text, room, "family",
        e->family == AF_INET    ? "4"
        : e->family == AF_INET6 ? "6"
        : e->family == AF_UNIX  ? "unix"
                                : NULL);
    add(text, room, "host", e->host);
    add_number(text, room, "port", e->port, 0);
    add(text, room, "name", e->name);
    add_number(text, room, "number", e->number, -1);
    add(text, room, "bind", e->bind);
    add_number(text, room, "bind_port", e->bind_port, 0);
    add(text, room, "mode", e->mode < 0 ? NULL : mode);
    add_number(text, room, "backlog", e->backlog, 0);
    add(text, room, "share", e->share_port ? "yes" : NULL);
    add(text, room, "cert", e->certificate);
    add(text, room, "key", e->key);
    add(text, room, "peer", e->peer_name);
    return text;
}

static void expect_read(const char *text, enum fate__endpoint_use use, const char *as)
{
    struct fate__endpoint endpoint;
    fate_value why = fate__endpoint_read(text, use, FATE_HERE, &endpoint);

    if (fate_is_failure(&why)) {
        if (!LACKS(&why) && !EXPECT_STR(fate_message(&why), ""))
            printf("    %s\n", text);
        fate_drop(why);
        return;
    }
    EXPECT_STR(described(&endpoint), as);
    EXPECT_STR(endpoint.text, text);
    fate__endpoint_done(&endpoint);
    EXPECT(!endpoint.memory && !endpoint.host);
}

static void expect_refused(const char *text, enum fate__endpoint_use use, const char *message)
{
    struct fate__endpoint endpoint;
    fate_value why = fate__endpoint_read(text, use, FATE_HERE, &endpoint);

    if (!fate_is_failure(&why)) {
        EXPECT_STR(described(&endpoint), message);
        fate__endpoint_done(&endpoint);
        return;
    }
    if (!LACKS(&why)) {
        EXPECT_FAILURE(&why, &FATE_ENDPOINT_ERROR);
        EXPECT_STR(fate_message(&why), message);
    }
    fate_drop(why);
}

/* ---- What can be read ---- */

TEST(endpoints_to_listen_on_are_read)
{
    expect_read("tcp:8080", LISTEN, "tcp port=8080");
    expect_read("tcp:0", LISTEN, "tcp");
    expect_read("tcp:65535", LISTEN, "tcp port=65535");
    expect_read("tcp:127.0.0.1:8080", LISTEN, "tcp host=127.0.0.1 port=8080");
    expect_read("tcp:[::1]:8080", LISTEN, "tcp host=::1 port=8080");
    expect_read("tcp:localhost:8080", LISTEN, "tcp host=localhost port=8080");
    expect_read("tcp:8080:interface=127.0.0.1", LISTEN, "tcp host=127.0.0.1 port=8080");
    expect_read("tcp:8080:interface=[::1]:backlog=5", LISTEN, "tcp host=::1 port=8080 backlog=5");
    expect_read("tcp:8080:interface=\\:\\:1", LISTEN, "tcp host=::1 port=8080");
    expect_read("tcp:[fe80::1%1]:80", LISTEN, "tcp host=fe80::1%1 port=80");
    expect_read("tcp:port=8080", LISTEN, "tcp port=8080");
    expect_read("tcp:127.0.0.1:port=8080", LISTEN, "tcp host=127.0.0.1 port=8080");
    expect_read("tcp4:80:reuseport=yes", LISTEN, "tcp family=4 port=80 share=yes");
    expect_read("tcp6:80:reuseport=no", LISTEN, "tcp family=6 port=80");
    expect_read("tcp6:[::]:80", LISTEN, "tcp family=6 host=:: port=80");
    expect_read("tls:8443:cert=a.pem:key=/etc/a.key", LISTEN, "tls port=8443 cert=a.pem key=/etc/a.key");
    expect_read("unix:/run/x", LISTEN, "unix family=unix name=/run/x");
    expect_read("unix:/run/x:mode=660", LISTEN, "unix family=unix name=/run/x mode=660");
    expect_read("unix:x:mode=0600:backlog=3", LISTEN, "unix family=unix name=x mode=600 backlog=3");
    expect_read("unix:@abstract", LISTEN, "unix family=unix name=@abstract");
    expect_read("unix:/a=b/c", LISTEN, "unix family=unix name=/a=b/c");
    expect_read("unix:a\\=b", LISTEN, "unix family=unix name=a=b");
    expect_read("unix:/a\\:b\\\\c\\[", LISTEN, "unix family=unix name=/a:b\\c[");
    expect_read("systemd:web", LISTEN, "systemd name=web");
    expect_read("systemd:0", LISTEN, "systemd number=0");
    expect_read("systemd:name=web", LISTEN, "systemd name=web");
    expect_read("systemd:domain=INET:index=0", LISTEN, "systemd family=4 number=0");
    expect_read("systemd:domain=INET6:index=1", LISTEN, "systemd family=6 number=1");
    expect_read("systemd:index=2:domain=UNIX", LISTEN, "systemd family=unix number=2");
    expect_read("fd:3", LISTEN, "fd number=3");
    expect_read("memory:NAME", LISTEN, "memory name=NAME");
}

TEST(endpoints_to_connect_to_are_read)
{
    expect_read("tcp:example.org:80", CONNECT, "tcp host=example.org port=80");
    expect_read("tcp:example.org.:80", CONNECT, "tcp host=example.org. port=80");
    expect_read("tcp:10.0.0.1:80:bind=10.0.0.2", CONNECT, "tcp host=10.0.0.1 port=80 bind=10.0.0.2");
    expect_read("tcp:h:80:bind=10.0.0.2\\:5", CONNECT, "tcp host=h port=80 bind=10.0.0.2 bind_port=5");
    expect_read("tcp:h:80:bind=[::1]\\:5", CONNECT, "tcp host=h port=80 bind=::1 bind_port=5");
    expect_read("tcp:h:80:bind=[::1]", CONNECT, "tcp host=h port=80 bind=::1");
    expect_read("tcp:h:80:bind=\\:\\:1", CONNECT, "tcp host=h port=80 bind=::1");
    expect_read("tcp:[::1]:80", CONNECT, "tcp host=::1 port=80");
    expect_read("tcp:host=h:port=80", CONNECT, "tcp host=h port=80");
    expect_read("tcp4:h:80", CONNECT, "tcp family=4 host=h port=80");
    expect_read("tls:h:443:name=example.org", CONNECT, "tls host=h port=443 peer=example.org");
    expect_read("unix:/run/x", CONNECT, "unix family=unix name=/run/x");
    expect_read("unix:@abstract", CONNECT, "unix family=unix name=@abstract");
    expect_read("memory:a b", CONNECT, "memory name=a b");
}

TEST(endpoints_for_datagrams_are_read)
{
    expect_read("udp:9999", OPEN, "udp port=9999");
    expect_read("udp:0", OPEN, "udp");
    expect_read("udp6:9999", OPEN, "udp family=6 port=9999");
    expect_read("udp:9999:interface=10.0.0.1", OPEN, "udp port=9999 bind=10.0.0.1");
    expect_read("udp:9999:interface=[::1]", OPEN, "udp port=9999 bind=::1");
    expect_read("udp:example.org:53", OPEN, "udp host=example.org port=53");
    expect_read("udp:example.org:53:bind=10.0.0.1", OPEN, "udp host=example.org port=53 bind=10.0.0.1");
    expect_read("udp4:1.2.3.4:53", OPEN, "udp family=4 host=1.2.3.4 port=53");
    expect_read("unixgram:/run/x:mode=600", OPEN, "unixgram family=unix name=/run/x mode=600");
    expect_read("unixgram-to:/run/x", OPEN, "unixgram-to family=unix name=/run/x");
}

static const char *as(const char *text)
{
    static char all[512];

    snprintf(all, sizeof all, "unix family=unix name=%s", text + 5);
    return all;
}

TEST(paths_of_107_bytes_are_read_and_longer_ones_refused)
{
    char text[256] = "unix:";

    memset(text + 5, 'p', 108);
    text[5 + 107] = '\0';
    expect_read(text, LISTEN, as(text));
    text[5 + 107] = 'p';
    text[5 + 108] = '\0';
    struct fate__endpoint endpoint;
    fate_value why = fate__endpoint_read(text, CONNECT, FATE_HERE, &endpoint);
    if (!LACKS(&why) && EXPECT(fate_is_failure(&why)))
        EXPECT_CONTAINS(fate_message(&why), "its path has 108 bytes, and those of UNIX sockets have 107 at "
                                            "most; use a shorter one, or an abstract name as in unix:@name");
    fate_drop(why);
    text[5] = '@';
    expect_read(text, CONNECT, as(text));
}

/* ---- What cannot ---- */

TEST(what_is_no_endpoint_says_what_was_probably_meant)
{
    expect_refused(
        "tpc:8080", LISTEN,
        "listen on tpc:8080: there are no \"tpc:\" endpoints; did you mean \"tcp:\", as in tcp:8080?");
    expect_refused("TCP:h:80", CONNECT,
                   "connect to TCP:h:80: there are no \"TCP:\" endpoints; did you mean \"tcp:\", as in "
                   "tcp:example.org:80?");
    expect_refused(
        "localhost:80", CONNECT,
        "connect to localhost:80: it does not say of what kind it is; did you mean tcp:localhost:80?");
    expect_refused("8080", LISTEN,
                   "listen on 8080: it does not say of what kind it is; did you mean tcp:8080?");
    expect_refused("[::1]:80", LISTEN,
                   "listen on [::1]:80: it does not say of what kind it is; did you mean tcp:[::1]:80?");
    expect_refused("/run/x", CONNECT,
                   "connect to /run/x: it does not say of what kind it is; did you mean unix:/run/x?");
    expect_refused("/run/x", OPEN,
                   "open /run/x: it does not say of what kind it is; did you mean unixgram:/run/x?");
    expect_refused("9:10", OPEN, "open 9:10: it does not say of what kind it is; did you mean udp:9:10?");
    expect_refused("gopher:x", CONNECT,
                   "connect to gopher:x: there are no \"gopher:\" endpoints; there are tcp:, tcp4:, tcp6:, "
                   "tls:, unix:, fd:, memory:");
    expect_refused("", LISTEN, "listen on : it is empty; endpoints are written as in tcp:8080");
    expect_refused(":80", LISTEN, "listen on :80: it does not say of what kind it is; did you mean tcp::80?");
}

TEST(an_endpoint_for_something_else_says_for_what)
{
    expect_refused("udp:9999", LISTEN, "listen on udp:9999: udp: is for fate_udp_open");
    expect_refused("systemd:web", CONNECT,
                   "connect to systemd:web: systemd: is for fate_listen and fate_serve");
    expect_refused("fd:3", OPEN, "open fd:3: fd: is for fate_listen and fate_serve");
    expect_refused("tcp:80", OPEN, "open tcp:80: tcp: is for fate_listen and fate_serve");
}

TEST(ports_are_digits_and_in_range)
{
    static const char *const ports[] = { "80x",  "x",   "-1",    "+1",          " 1",
                                         "0x50", "1e3", "65536", "99999999999", "4294967376" };
    char text[64], message[256];

    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        snprintf(text, sizeof text, "tcp:%s", ports[i]);
        snprintf(message, sizeof message,
                 "listen on %s: the port \"%s\" is no number from 0 to 65535, as in tcp:8080", text,
                 ports[i]);
        expect_refused(text, LISTEN, message);
    }
    expect_refused(
        "tcp:h:0", CONNECT,
        "connect to tcp:h:0: the port \"0\" is no number from 1 to 65535, as in tcp:example.org:80");
    expect_refused("udp:h:0", OPEN,
                   "open udp:h:0: the port \"0\" is no number from 1 to 65535, as in udp:9999");
    expect_refused("udp:port=0:host=h", OPEN,
                   "open udp:port=0:host=h: its port is 0, to which nothing can be sent");
}

TEST(what_is_missing_or_too_much_is_named)
{
    expect_refused("tcp", LISTEN, "listen on tcp: its port is missing; it is written as in tcp:8080");
    expect_refused("tcp:", LISTEN,
                   "listen on tcp:: its port is empty, unlike in tcp:8080; an IPv6 address is "
                   "written in brackets, [::1]");
    expect_refused("tcp::80", LISTEN,
                   "listen on tcp::80: its interface is empty, unlike in tcp:8080; an IPv6 "
                   "address is written in brackets, [::1]");
    expect_refused("tcp:example.org", CONNECT,
                   "connect to tcp:example.org: its port is missing; it is written as in tcp:example.org:80");
    expect_refused("tcp:port=80", CONNECT,
                   "connect to tcp:port=80: its host is missing; it is written as in tcp:example.org:80");
    expect_refused("tcp:::1:80", CONNECT,
                   "connect to tcp:::1:80: it has more than a host and a port in front of its options; it is "
                   "written as in tcp:example.org:80, with an IPv6 address in brackets: [::1]");
    expect_refused(
        "unix:/a:b", LISTEN,
        "listen on unix:/a:b: \"b\" is more than unix: takes, which is written as in unix:/run/x; a "
        "colon inside a part is written \\:");
    expect_refused("unix", LISTEN, "listen on unix: its path is missing; it is written as in unix:/run/x");
    expect_refused("systemd:domain=INET", LISTEN,
                   "listen on systemd:domain=INET: its name is missing; it is written as in systemd:web");
    expect_refused("systemd:web:index=1", LISTEN,
                   "listen on systemd:web:index=1: it has a name and an index, and one of them is enough");
    expect_refused(
        "systemd:index=1:name=web", LISTEN,
        "listen on systemd:index=1:name=web: it has a name and an index, and one of them is enough");
    expect_refused("tcp:80:port=80", LISTEN, "listen on tcp:80:port=80: its port is given twice");
    expect_refused("tcp:1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16", LISTEN,
                   "listen on tcp:1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16: it has more than 16 parts; a colon "
                   "inside a part is written \\:");
    expect_refused(
        "udp:1:interface=1.2.3.4:bind=1.2.3.4", OPEN,
        "open udp:1:interface=1.2.3.4:bind=1.2.3.4: it has interface= and bind=, which are the same "
        "here");
}

TEST(options_that_are_none_say_what_was_probably_meant)
{
    expect_refused(
        "tcp:80:interfcae=::", LISTEN,
        "listen on tcp:80:interfcae=::: \"\" stands behind an option and is none; a colon inside a "
        "part is written \\:");
    expect_refused(
        "tcp:80:interfcae=x", LISTEN,
        "listen on tcp:80:interfcae=x: tcp: has no \"interfcae=\" here; did you mean \"interface=\"?");
    expect_refused("tcp:h:80:bnid=x", CONNECT,
                   "connect to tcp:h:80:bnid=x: tcp: has no \"bnid=\" here; did you mean \"bind=\"?");
    expect_refused(
        "tcp:h:80:timeout=3", CONNECT,
        "connect to tcp:h:80:timeout=3: tcp: has no \"timeout=\" here; it has bind=, host=, port=");
    expect_refused(
        "unix:/x:mode=660:b", LISTEN,
        "listen on unix:/x:mode=660:b: \"b\" stands behind an option and is none; a colon inside a "
        "part is written \\:");
    expect_refused("tcp:80:backlog=1:backlog=2", LISTEN,
                   "listen on tcp:80:backlog=1:backlog=2: its backlog is given twice");
    expect_refused("tcp:80:reuseport=ye", LISTEN,
                   "listen on tcp:80:reuseport=ye: reuseport \"ye\" is none of yes, no; did you mean yes?");
    expect_refused("tcp:80:reuseport=", LISTEN,
                   "listen on tcp:80:reuseport=: its reuseport is empty, unlike in tcp:8080");
    expect_refused(
        "systemd:0:domain=INTE", LISTEN,
        "listen on systemd:0:domain=INTE: domain \"INTE\" is none of INET, INET6, UNIX; did you mean "
        "INET?");
    expect_refused("tcp:80:backlog=0", LISTEN,
                   "listen on tcp:80:backlog=0: the backlog \"0\" is no number from 1 to 65535, as in "
                   "backlog=511");
    expect_refused(
        "fd:2147483648", LISTEN,
        "listen on fd:2147483648: the number \"2147483648\" is no number from 0 to 2147483647, as in "
        "fd:3");
}

TEST(modes_are_three_octal_digits)
{
    static const char *const modes[] = { "66", "888", "1777", "rw-", "0x1ff", "00660", "66 " };
    char text[64], message[256];

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        snprintf(text, sizeof text, "unix:/x:mode=%s", modes[i]);
        snprintf(message, sizeof message,
                 "listen on %s: the mode \"%s\" is not three octal digits, as in "
                 "mode=660",
                 text, modes[i]);
        expect_refused(text, LISTEN, message);
    }
}

TEST(hosts_are_names_or_addresses)
{
    expect_refused(
        "tcp://example.org:80", CONNECT,
        "connect to tcp://example.org:80: the host \"//example.org\" is written with slashes, which "
        "endpoints do not have, as in tcp:example.org:80");
    expect_refused("tcp:a b:80", CONNECT,
                   "connect to tcp:a b:80: the host \"a b\" is no name of a host, which has letters, digits, "
                   "hyphens and dots alone, as in tcp:example.org:80");
    expect_refused("tcp:127.1:80", CONNECT,
                   "connect to tcp:127.1:80: the host \"127.1\" is neither a name nor an address, which has "
                   "four decimal numbers (127.0.0.1), as in tcp:example.org:80");
    expect_refused("tcp:[1.2.3.4:80", CONNECT,
                   "connect to tcp:[1.2.3.4:80: a [ has no ]; an IPv6 address is written as in tcp:[::1]:80");
    expect_refused("tcp:[x]:80", CONNECT,
                   "connect to tcp:[x]:80: the host \"x\" is no IPv6 address, as in tcp:example.org:80");
    expect_refused("tcp:[::1]x:80", CONNECT,
                   "connect to tcp:[::1]x:80: the host \"[::1]x\" is more than an address in brackets, as in "
                   "tcp:example.org:80");
    expect_refused("tcp:[fe80::1%nosuch0]:80", CONNECT,
                   "connect to tcp:[fe80::1%nosuch0]:80: the host \"fe80::1%nosuch0\" is an address of an "
                   "interface that is not there, as in tcp:example.org:80");
    expect_refused("tcp4:[::1]:80", CONNECT,
                   "connect to tcp4:[::1]:80: the host \"::1\" is an IPv6 address, and this kind of endpoint "
                   "takes IPv4 alone, as in tcp4:example.org:80");
    expect_refused(
        "tcp6:80:interface=1.2.3.4", LISTEN,
        "listen on tcp6:80:interface=1.2.3.4: the interface \"1.2.3.4\" is an IPv4 address, and this "
        "kind of endpoint takes IPv6 alone, as in tcp6:8080");
    expect_refused("tcp:*:80", LISTEN,
                   "listen on tcp:*:80: the interface \"*\" is left out where all are meant, as in tcp:8080");
    expect_refused("tcp:h:80:bind=h", CONNECT,
                   "connect to tcp:h:80:bind=h: the bind \"h\" is no address of this host, with or without a "
                   "port (bind=10.0.0.2\\:5000), as in tcp:example.org:80");
    expect_refused(
        "udp:1:interface=eth0", OPEN,
        "open udp:1:interface=eth0: the interface \"eth0\" is no address of this host, as in udp:9999");
    expect_refused("unix:@", LISTEN,
                   "listen on unix:@: the path \"@\" is an abstract name without a name, as in unix:/run/x");
}

TEST(a_backslash_escapes_little)
{
    static const char *const message =
        "a backslash stands before a colon, a backslash, a bracket or a = only; "
        "one of its own is written \\\\";
    static const char *const cases[] = { "unix:C\\x", "unix:x\\", "\\n" };
    char whole[256];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(whole, sizeof whole, "listen on %s: %s", cases[i], message);
        expect_refused(cases[i], LISTEN, whole);
    }
}

/* Neither control characters nor long texts come into messages. */
TEST(messages_are_safe_and_short)
{
    char text[5000];
    struct fate__endpoint endpoint;

    expect_refused(
        "tcp:\x1b[1m", LISTEN,
        "listen on tcp:\\x1b[1m: the port \"\\x1b[1m\" is no number from 0 to 65535, as in tcp:8080");
    for (size_t len = 100; len < sizeof text; len += 700) {
        memset(text, 'x', len);
        text[len] = '\0';
        fate_value why = fate__endpoint_read(text, LISTEN, FATE_HERE, &endpoint);
        EXPECT(fate_is_failure(&why));
        EXPECT(strlen(fate_message(&why)) < 600);
        fate_drop(why);
    }
}

static void read_null(void *arg)
{
    struct fate__endpoint endpoint;
    fate_drop(fate__endpoint_read(NULL, LISTEN, "server.c:7", &endpoint));
}

TEST(no_endpoint_at_all_stops_the_program)
{
    EXPECT_STOP(read_null, NULL, "server.c:7", "NULL endpoint", "tcp:8080");
}
