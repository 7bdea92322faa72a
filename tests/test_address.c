/* Addresses: texts, reading, and the kernel's form of them. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include <base/sys.h>
#include <net/address.h>

#include "test.h"

static const char *text_of(const fate_address *address)
{
    static char text[FATE_ADDRESS_TEXT_BYTES];
    return fate_address_text(address, text);
}

static const char *host_of(const fate_address *address)
{
    static char text[FATE_ADDRESS_TEXT_BYTES];
    return fate_address_host(address, text);
}

/* There and back through the kernel's form. */
static fate_address through_kernel(const fate_address *address, struct sockaddr_storage *kernel)
{
    fate_address back;
    int len = fate__address_to(address, kernel);

    EXPECT(len > 0);
    fate__address_from(kernel, (socklen_t)len, &back);
    return back;
}

TEST(addresses_are_read_and_written)
{
    static const struct {
        const char *text, *as, *host;
        int family;
        unsigned port;
    } cases[] = {
        { "127.0.0.1:80", "127.0.0.1:80", "127.0.0.1", AF_INET, 80 },
        { "127.0.0.1", "127.0.0.1:0", "127.0.0.1", AF_INET, 0 },
        { "255.255.255.255:65535", "255.255.255.255:65535", "255.255.255.255", AF_INET, 65535 },
        { "0.0.0.0:00080", "0.0.0.0:80", "0.0.0.0", AF_INET, 80 },
        { "[::1]:80", "[::1]:80", "::1", AF_INET6, 80 },
        { "[::1]", "[::1]:0", "::1", AF_INET6, 0 },
        { "::1", "[::1]:0", "::1", AF_INET6, 0 },
        { "::", "[::]:0", "::", AF_INET6, 0 },
        { "2001:DB8:0:0:0:0:0:1", "[2001:db8::1]:0", "2001:db8::1", AF_INET6, 0 },
        { "[::ffff:1.2.3.4]:5", "[::ffff:1.2.3.4]:5", "::ffff:1.2.3.4", AF_INET6, 5 },
        { "[fe80::1%2]:80", "[fe80::1%2]:80", "fe80::1%2", AF_INET6, 80 },
        { "fe80::1%4294967295", "[fe80::1%4294967295]:0", "fe80::1%4294967295", AF_INET6, 0 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sockaddr_storage kernel;
        fate_address address = { 0 };
        if (!EXPECT_EQ(fate_address_parse(cases[i].text, &address), 0))
            printf("    %s\n", cases[i].text);
        EXPECT_STR(text_of(&address), cases[i].as);
        EXPECT_STR(host_of(&address), cases[i].host);
        EXPECT_EQ(fate_address_family(&address), cases[i].family);
        EXPECT_EQ(fate_address_port(&address), cases[i].port);
        fate_address back = through_kernel(&address, &kernel);
        if (strncmp(cases[i].host, "::ffff:", 7) != 0)
            EXPECT(fate_address_equal(&address, &back));
    }
}

TEST(what_the_kernel_calls_an_ip4_address_over_ip6_is_an_ip4_address)
{
    struct sockaddr_storage kernel;
    fate_address address;

    EXPECT_EQ(fate_address_parse("[::ffff:1.2.3.4]:5", &address), 0);
    fate_address back = through_kernel(&address, &kernel);
    EXPECT_STR(text_of(&back), "1.2.3.4:5");
    EXPECT_EQ(fate_address_family(&back), AF_INET);
}

TEST(what_is_no_address_is_not_read)
{
    static const char *const cases[] = {
        "",
        ":",
        ":80",
        "localhost",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:+1",
        "127.0.0.1: 1",
        "127.0.0.1:0x5",
        "127.0.0.1:80x",
        "127.1",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        " 1.2.3.4",
        "1.2.3.4 ",
        "1.2.3.4%2",
        "[1.2.3.4]",
        "[::1",
        "[::1]x",
        "[::1]80",
        "[::1]:",
        "[::1]:x",
        "[]",
        "[]:80",
        ":::1",
        "1::2::3",
        "fe80::1%",
        "fe80::1%0",
        "fe80::1%4294967296",
        "[fe80::1%lo",
        "::1:",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "12345::",
        "1111:2222:3333:4444:5555:6666:7777:8888:1111:2222:3333:4444:5555:6666",
        "unix:/run/x",
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fate_address address = { .port = 7 };
        int why = fate_address_parse(cases[i], &address);
        if (!EXPECT(why == -EINVAL || why == -ENODEV))
            printf("    %s\n", cases[i]);
        EXPECT_EQ(address.port, 7);
        EXPECT_EQ(address.family, 0);
    }
}

TEST(an_interface_may_be_named)
{
    fate_address address;

    EXPECT_EQ(fate_address_parse("[fe80::1%lo]:80", &address), 0);
    EXPECT(address.scope > 0);
    EXPECT_EQ(fate_address_parse("fe80::1%lo", &address), 0);
    EXPECT_EQ(fate_address_parse("fe80::1%nosuch0", &address), -ENODEV);
    EXPECT_EQ(fate_address_parse("fe80::1%a-name-that-is-too-long", &address), -ENODEV);
}

TEST(local_addresses_go_through_the_kernel_and_back)
{
    static const char abstract[] = "\0name";
    static const struct {
        const char *path;
        size_t len;
        const char *as, *host;
    } cases[] = {
        { "/run/x", 6, "unix:/run/x", "/run/x" },
        { "x", 1, "unix:x", "x" },
        { abstract, 5, "unix:@name", "@name" },
        { "\0a\0b\n", 5, "unix:@a@b?", "@a@b?" },
        { NULL, 0, "unix:", "" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fate_address address = { .family = AF_UNIX };
        struct sockaddr_storage kernel;
        address.as.local.path = cases[i].path;
        address.as.local.len = cases[i].len;
        EXPECT_STR(text_of(&address), cases[i].as);
        EXPECT_STR(host_of(&address), cases[i].host);
        EXPECT_EQ(fate_address_port(&address), 0);
        fate_address back = through_kernel(&address, &kernel);
        EXPECT(fate_address_equal(&address, &back));
        EXPECT_STR(text_of(&back), cases[i].as);
    }
}

/* 107 bytes of a path, and as many behind the NUL of an abstract one. */
TEST(paths_have_a_longest)
{
    char path[200];
    fate_address address = { .family = AF_UNIX };
    struct sockaddr_storage kernel;

    memset(path, 'p', sizeof path);
    address.as.local.path = path;
    address.as.local.len = 107;
    fate_address back = through_kernel(&address, &kernel);
    EXPECT(fate_address_equal(&address, &back));
    EXPECT_EQ(strlen(text_of(&back)), 5 + 107);
    address.as.local.len = 108;
    EXPECT_EQ(fate__address_to(&address, &kernel), -ENAMETOOLONG);
    path[0] = '\0';
    back = through_kernel(&address, &kernel);
    EXPECT(fate_address_equal(&address, &back));
    address.as.local.len = 109;
    EXPECT_EQ(fate__address_to(&address, &kernel), -ENAMETOOLONG);
    EXPECT_EQ(strlen(text_of(&address)), 5 + 109);
    address.as.local.len = 200;
    EXPECT_EQ(strlen(text_of(&address)), FATE_ADDRESS_TEXT_BYTES - 1);
}

/* As a path has no NUL behind it when it fills its place, and may have one that is counted. */
TEST(paths_of_the_kernel_end_where_they_end)
{
    union {
        struct sockaddr_un un;
        struct sockaddr_storage storage;
    } kernel;
    fate_address address;
    const socklen_t head = offsetof(struct sockaddr_un, sun_path);

    memset(&kernel, 0, sizeof kernel);
    kernel.un.sun_family = AF_UNIX;
    memset(kernel.un.sun_path, 'p', sizeof kernel.un.sun_path);
    fate__address_from(&kernel.storage, sizeof kernel.un, &address);
    EXPECT_EQ(address.as.local.len, 108);
    fate__address_from(&kernel.storage, sizeof kernel.storage, &address);
    EXPECT_EQ(address.as.local.len, 108);
    kernel.un.sun_path[1] = '\0';
    fate__address_from(&kernel.storage, head + 2, &address);
    EXPECT_STR(text_of(&address), "unix:p");
    fate__address_from(&kernel.storage, head, &address);
    EXPECT_STR(text_of(&address), "unix:");
    EXPECT_EQ(address.family, AF_UNIX);
}

TEST(what_the_kernel_gives_may_be_too_short_or_of_another_family)
{
    struct sockaddr_storage kernel;
    fate_address address;

    memset(&kernel, 0, sizeof kernel);
    kernel.ss_family = AF_INET6;
    fate__address_from(&kernel, sizeof(struct sockaddr_in6) - 1, &address);
    EXPECT_EQ(address.family, 0);
    kernel.ss_family = AF_INET;
    fate__address_from(&kernel, sizeof(struct sockaddr_in) - 1, &address);
    EXPECT_EQ(address.family, 0);
    kernel.ss_family = AF_APPLETALK;
    fate__address_from(&kernel, sizeof kernel, &address);
    EXPECT_EQ(address.family, 0);
    fate__address_from(&kernel, 1, &address);
    EXPECT_EQ(address.family, 0);
    EXPECT_STR(text_of(&address), "");
    EXPECT_STR(host_of(&address), "");
    EXPECT_EQ(fate_address_port(&address), 0);
    EXPECT_EQ(fate__address_to(&address, &kernel), 0);
}

TEST(addresses_are_equal_when_all_of_them_is)
{
    static const char *const different[] = { "1.2.3.4:5",     "1.2.3.4:6",     "1.2.3.5:5",
                                             "[102:304::]:5", "[fe80::1%1]:5", "[fe80::1%2]:5",
                                             "[fe80::2%1]:5", "[fe80::1%1]:6" };
    const size_t n = sizeof different / sizeof *different;
    fate_address none = { 0 }, other_none = { .port = 4 }, a, b;

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            EXPECT_EQ(fate_address_parse(different[i], &a), 0);
            EXPECT_EQ(fate_address_parse(different[j], &b), 0);
            EXPECT_EQ(fate_address_equal(&a, &b), i == j);
            EXPECT(!fate_address_equal(&a, &none));
        }
    EXPECT(fate_address_equal(&none, &other_none));
    a = b = (fate_address){ .family = AF_UNIX };
    a.as.local.path = "/x";
    a.as.local.len = 2;
    EXPECT(!fate_address_equal(&a, &b));
    b.as.local.path = "/y";
    b.as.local.len = 2;
    EXPECT(!fate_address_equal(&a, &b));
}
