/* Names of hosts: what may be one, and addresses in their order. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <net/address.h>
#include <net/resolve.h>

#include "test.h"

TEST(names_of_hosts_have_no_fault)
{
    static const char *const names[] = {
        "a",       "example.org",           "example.org.", "a-b.c_d.e", "_dns._udp.x", "1a",
        "1.2.3.x", "xn--bcher-kva.example", "0xg",          "0x",        "-",           "a1.2b"
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        EXPECT_STR(fate__name_fault(names[i]) ? fate__name_fault(names[i]) : names[i], names[i]);
}

TEST(what_is_no_name_says_why)
{
    static const char *const nothing = "no name, since between its dots there is nothing";
    static const char *const odd = "no name of a host, which has letters, digits, hyphens and dots alone";
    static const char *const number =
        "neither a name nor an address, which has four decimal numbers (127.0.0.1)";
    const struct {
        const char *name, *fault;
    } cases[] = {
        { "", "empty" },
        { ".", nothing },
        { "..", nothing },
        { ".a", nothing },
        { "a..b", nothing },
        { "a..", nothing },
        { "a b", odd },
        { "a/b", odd },
        { "a:80", odd },
        { "a\n", odd },
        { "*.example", odd },
        { "a@b", odd },
        { "127.1", number },
        { "1", number },
        { "0x7f.1", number },
        { "0x7F000001", number },
        { "1.2.3.4.5", number },
        { "a.1", number },
        { "1.2.3.4.", number },
        { "256.1.1.1", number },
        { "b\xc3\xbc"
          "cher.example",
          "not in the form of names on the wire, which has ASCII letters alone (xn--...)" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!EXPECT_STR(fate__name_fault(cases[i].name), cases[i].fault))
            printf("    %s\n", cases[i].name);
}

TEST(names_and_their_parts_have_a_longest)
{
    char name[300];

    memset(name, 'x', sizeof name);
    name[63] = '\0';
    EXPECT_STR(fate__name_fault(name), NULL);
    name[63] = 'x';
    name[64] = '\0';
    EXPECT_STR(fate__name_fault(name), "no name, since a part between dots is longer than 63 bytes");
    for (size_t i = 0; i < sizeof name; i++)
        name[i] = i % 60 == 59 ? '.' : 'x';
    name[253] = '\0';
    EXPECT_STR(fate__name_fault(name), NULL);
    name[253] = '.';
    name[254] = '\0';
    EXPECT_STR(fate__name_fault(name), NULL);
    name[253] = 'x';
    EXPECT_STR(fate__name_fault(name), "longer than a name may be (253 bytes)");
    name[254] = 'x';
    name[299] = '\0';
    EXPECT_STR(fate__name_fault(name), "longer than a name may be (253 bytes)");
}

TEST(keys_are_small_and_without_the_last_dot)
{
    char key[FATE__NAME_ROOM], name[300];

    EXPECT_EQ(fate__name_key("Example.ORG.", key), 11);
    EXPECT_STR(key, "example.org");
    EXPECT_EQ(fate__name_key(".", key), 1);
    EXPECT_EQ(fate__name_key("", key), 0);
    memset(name, 'A', sizeof name);
    name[299] = '\0';
    EXPECT_EQ(fate__name_key(name, key), FATE__NAME_ROOM - 1);
    EXPECT_EQ(strlen(key), FATE__NAME_ROOM - 1);
    EXPECT(fate__name_is_local("localhost") && fate__name_is_local("A.LocalHost."));
    EXPECT(!fate__name_is_local("alocalhost") && !fate__name_is_local("localhost.example"));
    EXPECT(!fate__name_is_local("") && !fate__name_is_local("host"));
}

/* ---- Addresses in their order ---- */

static void add_all(struct fate__addresses *to, const char *text)
{
    char one[64];
    int n;

    for (; sscanf(text, "%63s%n", one, &n) == 1; text += n) {
        fate_address address;
        EXPECT_EQ(fate_address_parse(one, &address), 0);
        fate__addresses_add(to, &address);
    }
}

static void expect_alternating(const char *before, const char *after)
{
    struct fate__addresses addresses = { 0 };
    char text[512] = "", one[FATE_ADDRESS_TEXT_BYTES];
    size_t len = 0;

    add_all(&addresses, before);
    fate__addresses_alternate(&addresses);
    for (size_t i = 0; i < addresses.n; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i ? " " : "",
                                fate_address_host(&addresses.items[i], one));
    if (!addresses.has_failed)
        EXPECT_STR(text, after);
    fate__addresses_done(&addresses);
    EXPECT_EQ(addresses.n, 0);
}

TEST(families_alternate_from_that_of_the_first)
{
    expect_alternating("", "");
    expect_alternating("1.1.1.1", "1.1.1.1");
    expect_alternating("::1 ::2 ::3", "::1 ::2 ::3");
    expect_alternating("::1 ::2 1.1.1.1 1.1.1.2", "::1 1.1.1.1 ::2 1.1.1.2");
    expect_alternating("1.1.1.1 ::1 ::2 ::3 1.1.1.2", "1.1.1.1 ::1 1.1.1.2 ::2 ::3");
    expect_alternating("1.1.1.1 1.1.1.2 1.1.1.3 ::1", "1.1.1.1 ::1 1.1.1.2 1.1.1.3");
    expect_alternating("::1 1.1.1.1 ::1 1.1.1.1 ::2", "::1 1.1.1.1 ::2");
}

TEST(there_are_at_most_so_many_addresses)
{
    struct fate__addresses addresses = { 0 };
    fate_address address = { .family = AF_INET6 };

    for (int i = 0; i < 1000; i++) {
        address.family = i % 3 ? AF_INET6 : AF_INET;
        address.as.ip[0] = (unsigned char)(i >> 8);
        address.as.ip[1] = (unsigned char)i;
        fate__addresses_add(&addresses, &address);
    }
    EXPECT(addresses.n == FATE__ADDRESSES_MAX || addresses.has_failed);
    fate__addresses_alternate(&addresses);
    fate_value list = fate__addresses_list(&addresses);
    if (!LACKS(&list))
        EXPECT_EQ(fate_count(&list), FATE__ADDRESSES_MAX);
    fate_drop(list);
    fate__addresses_done(&addresses);
}
