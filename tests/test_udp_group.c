/* Tests of src/net/udp_group.c: multicast, over the loopback interface. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fate/fate.h>

#include <net/udp.h>

#include "test_udp_helpers.h"

static bool begin(void)
{
    test_trace_clear();
    return net_begin();
}

static fate_address group_at(const char *group, const struct test_udp *side)
{
    fate_address address = { 0 };

    fate_address_parse(group, &address);
    address.port = (uint16_t)fate_address_port(fate_udp_here(side->udp));
    return address;
}

/* What is sent to a group, and then to its member alone, who has joined or has not. */
static void send_both(const struct test_udp *sender, struct test_udp *member, const char *group)
{
    fate_address to = group_at(group, member);
    fate_address alone = test_loopback(to.family, to.port);
    int n = member->n;

    EXPECT_EQ(test_udp_send(sender, &to, "all"), 0);
    EXPECT_EQ(test_udp_send(sender, &alone, "alone"), 0);
    net_run_until_count(&member->n, n + 1);
    net_events_in_rounds(5);
}

static void expect_group(const char *endpoint, const char *group, const char *through)
{
    const fate_udp_options options = { sizeof options, .group_interface = through, .hops = 1 };
    struct test_udp a, b;

    if (!begin() || !test_udp_open(&a, net_reactor, "a", endpoint, NULL) ||
        !test_udp_open(&b, net_reactor, "b", endpoint, &options))
        return;
    char joined[64];
    snprintf(joined, sizeof joined, "%s%%%s", group, through);
    EXPECT_EQ(fate_udp_join(a.udp, joined), 0);
    EXPECT_EQ(fate_udp_join(a.udp, joined), -EADDRINUSE);
    send_both(&b, &a, group);
    EXPECT_STR(test_trace(), "a got all; a got alone; ");
    EXPECT_EQ(fate_udp_leave(a.udp, joined), 0);
    EXPECT_EQ(fate_udp_leave(a.udp, joined), -EADDRNOTAVAIL);
    send_both(&b, &a, group);
    EXPECT_STR(test_trace(), "a got all; a got alone; a got alone; ");
}

TEST(a_group_is_joined_and_left)
{
    expect_group("udp4:0", "239.1.2.3", "lo");
}

TEST(its_interface_may_be_an_address)
{
    expect_group("udp4:0", "239.1.2.3", "127.0.0.1");
}

TEST(its_interface_may_be_a_number)
{
    expect_group("udp4:0", "239.1.2.3", "1");
}

TEST(a_socket_of_both_families_joins_groups_of_ipv4)
{
    expect_group("udp:0", "239.1.2.3", "lo");
}

/* There need not be a way to send to groups of IPv6 over loopback. */
static bool can_send_to_ipv6_groups(void)
{
    const struct sockaddr_in6 to = { .sin6_family = AF_INET6,
                                     .sin6_port = htons(9),
                                     .sin6_addr = { { { 0xff, 0x15, [15] = 0x42 } } } };
    const int lo = 1;
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &lo, sizeof lo);
    bool can = sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof to) == 1;
    close(fd);
    return can;
}

TEST(groups_of_ipv6_are_joined)
{
    struct test_udp a;

    if (!net_has_ipv6())
        return;
    if (can_send_to_ipv6_groups())
        expect_group("udp6:0", "ff15::42", "lo");
    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp6:0", NULL))
        return;
    EXPECT_EQ(fate_udp_join(a.udp, "ff15::42%lo"), 0);
    EXPECT_EQ(fate_udp_join(a.udp, "ff15::42%1"), -EADDRINUSE);
    EXPECT_EQ(fate_udp_leave(a.udp, "ff15::42%lo"), 0);
    EXPECT_EQ(fate_udp_leave(a.udp, "ff15::42%lo"), -EADDRNOTAVAIL);
}

static int option_of(const struct test_udp *side, int level, int option)
{
    int value = -1;
    socklen_t len = sizeof value;

    getsockopt(side->udp->socket.fd, level, option, &value, &len);
    return value;
}

/* The loopback interface itself gives all back: so the options alone can be looked at. */
TEST(what_is_sent_to_a_group_need_not_come_back_and_goes_as_far_as_is_said)
{
    const fate_udp_options options = { sizeof options, .hops = 7, .no_loop = true };
    struct test_udp a, b;

    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp4:0", &options))
        return;
    EXPECT_EQ(option_of(&a, IPPROTO_IP, IP_MULTICAST_TTL), 7);
    EXPECT_EQ(option_of(&a, IPPROTO_IP, IP_MULTICAST_LOOP), 0);
    if (!net_has_ipv6() || !test_udp_open(&b, net_reactor, "b", "udp:0", &options))
        return;
    EXPECT_EQ(option_of(&b, IPPROTO_IP, IP_MULTICAST_TTL), 7);
    EXPECT_EQ(option_of(&b, IPPROTO_IP, IP_MULTICAST_LOOP), 0);
    EXPECT_EQ(option_of(&b, IPPROTO_IPV6, IPV6_MULTICAST_HOPS), 7);
    EXPECT_EQ(option_of(&b, IPPROTO_IPV6, IPV6_MULTICAST_LOOP), 0);
}

TEST(members_share_a_port)
{
    const fate_udp_options shared = { sizeof shared, .share_port = true };
    const fate_udp_options through = { sizeof through, .group_interface = "lo" };
    struct test_udp a, b, sender;
    char endpoint[32];

    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp4:0", &shared))
        return;
    snprintf(endpoint, sizeof endpoint, "udp4:%u", fate_address_port(fate_udp_here(a.udp)));
    if (!test_udp_open(&b, net_reactor, "b", endpoint, &shared) ||
        !test_udp_open(&sender, net_reactor, "s", "udp4:0", &through))
        return;
    EXPECT_EQ(fate_udp_join(a.udp, "239.1.2.3%lo"), 0);
    EXPECT_EQ(fate_udp_join(b.udp, "239.1.2.3%lo"), 0);
    fate_address to = group_at("239.1.2.3", &a);
    EXPECT_EQ(test_udp_send(&sender, &to, "all"), 0);
    net_run_until_count(&a.n, 1);
    net_run_until_count(&b.n, 1);
    EXPECT_EQ(a.n + b.n, 2);
}

TEST(what_is_no_group_is_refused)
{
    struct test_udp a;

    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp4:0", NULL))
        return;
    EXPECT_EQ(fate_udp_join(a.udp, "127.0.0.1"), -EINVAL);
    EXPECT_EQ(fate_udp_join(a.udp, "::1"), -EINVAL);
    EXPECT_EQ(fate_udp_join(a.udp, "everybody"), -EINVAL);
    EXPECT_EQ(fate_udp_join(a.udp, "239.1.2.3%nosuch0"), -ENODEV);
    EXPECT_EQ(fate_udp_join(a.udp, "239.1.2.3%::1"), -ENODEV);
    EXPECT_EQ(fate_udp_join(a.udp, "239.1.2.3%"), -ENODEV);
    EXPECT_EQ(fate_udp_leave(a.udp, "239.1.2.3"), -EADDRNOTAVAIL);
}

static void got_nothing(fate_udp *udp, const fate_datagram *datagram, fate_value *arg)
{
}

TEST(an_interface_for_groups_that_is_not_there_is_told)
{
    if (!begin())
        return;
    EXPECT_FAILS(
        fate_udp_open_with(net_reactor, "udp:0", got_nothing, fate_none(), .group_interface = "nosuch0"),
        &FATE_LISTEN_ERROR, "there is no such group_interface");
}

static void note_groups(const fate_thing *thing, fate_value *arg)
{
    test_trace_add("%s", thing->kind[0] == 'u' ? thing->state : "");
}

TEST(the_report_counts_groups)
{
    struct test_udp a;

    if (!begin() || !test_udp_open(&a, net_reactor, "a", "udp4:0", NULL))
        return;
    EXPECT_EQ(fate_udp_join(a.udp, "239.1.2.3%lo"), 0);
    fate_reactor_each(net_reactor, note_groups, fate_none());
    EXPECT_CONTAINS(test_trace(), ", in 1 group");
}
