/* Multicast: groups, and the interfaces through which they are reached. */
#include <net/udp.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <base/sys.h>
#include <net/address.h>

static int set(const fate_udp *udp, int level, int option, const void *value, size_t len)
{
    return fate__sys->setsockopt(udp->socket.fd, level, option, value, (socklen_t)len) < 0 ? -errno : 0;
}

static int set_int(const fate_udp *udp, int level, int option, int value)
{
    return set(udp, level, option, &value, sizeof value);
}

/* ---- Interfaces ---- */

/* By number or, of IPv4, by an address; neither: the system chooses. */
struct interface {
    uint32_t index;
    struct in_addr address;
};

static int read_interface(const char *text, struct interface *ret)
{
    fate_address address;

    *ret = (struct interface){ 0 };
    if (fate__read_number(text, strlen(text), INT32_MAX, &ret->index))
        return ret->index ? 0 : -ENODEV;
    if (fate__address_literal(text, strlen(text), &address) == 0) {
        memcpy(&ret->address, address.as.ip, sizeof ret->address);
        return address.family == AF_INET ? 0 : -ENODEV;
    }
    int index = fate__sys->interface_index(text);
    ret->index = index > 0 ? (uint32_t)index : 0;
    return index > 0 ? 0 : -ENODEV;
}

/* ---- Options ---- */

static int set_groups_v4(const fate_udp *udp, const fate_udp_options *options,
                         const struct interface *through)
{
    const struct ip_mreqn at = { .imr_ifindex = (int)through->index, .imr_address = through->address };
    int why = 0;

    if (options->hops)
        why = set_int(udp, IPPROTO_IP, IP_MULTICAST_TTL, (int)options->hops);
    if (why == 0 && options->no_loop)
        why = set_int(udp, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
    if (why == 0 && options->group_interface)
        why = set(udp, IPPROTO_IP, IP_MULTICAST_IF, &at, sizeof at);
    return why;
}

static int set_groups_v6(const fate_udp *udp, const fate_udp_options *options,
                         const struct interface *through)
{
    int why = 0;

    if (options->hops)
        why = set_int(udp, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, (int)options->hops);
    if (why == 0 && options->no_loop)
        why = set_int(udp, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
    if (why == 0 && through->index)
        why = set_int(udp, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)through->index);
    return why;
}

int fate__udp_set_groups(const fate_udp *udp, int family, const fate_udp_options *options)
{
    struct interface through = { 0 };
    int why = options->group_interface ? read_interface(options->group_interface, &through) : 0;

    if (why == 0 && family == AF_INET6)
        why = set_groups_v6(udp, options, &through);
    if (why == 0 && (family == AF_INET || udp->is_dual))
        why = set_groups_v4(udp, options, &through);
    return why;
}

/* ---- Joining and leaving ---- */

/* Of "224.0.0.251%eth0" what is in front; ret_interface: what is behind, or NULL. */
static int read_group(const char *text, fate_address *ret_group, const char **ret_interface)
{
    const char *percent = strchr(text, '%');
    size_t len = percent ? (size_t)(percent - text) : strlen(text);
    int why = fate__address_literal(text, len, ret_group);

    *ret_interface = percent ? percent + 1 : NULL;
    if (why < 0)
        return why;
    bool is_group =
        ret_group->family == AF_INET ? ret_group->as.ip[0] >> 4 == 14 : ret_group->as.ip[0] == 0xff;
    return is_group ? 0 : -EINVAL;
}

static bool takes_family(const fate_udp *udp, int family)
{
    return udp->here.family == family || (udp->is_dual && family == AF_INET);
}

static int change(const fate_udp *udp, const fate_address *group, const char *interface, bool joins)
{
    struct interface through = { 0 };
    int why = interface ? read_interface(interface, &through) : 0;

    if (why < 0)
        return why;
    if (group->family == AF_INET) {
        struct ip_mreqn request = { .imr_ifindex = (int)through.index, .imr_address = through.address };
        memcpy(&request.imr_multiaddr, group->as.ip, sizeof request.imr_multiaddr);
        return set(udp, IPPROTO_IP, joins ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request, sizeof request);
    }
    struct ipv6_mreq request = { .ipv6mr_interface = through.index };
    memcpy(&request.ipv6mr_multiaddr, group->as.ip, sizeof request.ipv6mr_multiaddr);
    return set(udp, IPPROTO_IPV6, joins ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &request, sizeof request);
}

/* There are no interfaces. */
static int change_simulated(const fate_udp *udp, const fate_address *group, bool joins)
{
    return joins ? fate__sim_udp_join(udp->sim, group) : fate__sim_udp_leave(udp->sim, group);
}

static int change_group(fate_udp *udp, const char *text, bool joins, const char *what)
{
    const char *interface;
    fate_address group;

    if (!udp || !text)
        fate__stop(NULL, "%s was given NULL for the %s.", what, udp ? "group" : "udp");
    fate__check_reactor(udp->reactor, what, udp->owned.site);
    if (udp->is_closed)
        return -ENOTCONN;
    int why = read_group(text, &group, &interface);
    if (why == 0 && !takes_family(udp, group.family))
        why = -EAFNOSUPPORT;
    if (why == 0)
        why = udp->sim ? change_simulated(udp, &group, joins) : change(udp, &group, interface, joins);
    if (why == 0)
        udp->n_groups += joins ? 1 : -(size_t)1;
    return why;
}

int fate_udp_join(fate_udp *udp, const char *group)
{
    return change_group(udp, group, true, "fate_udp_join");
}

int fate_udp_leave(fate_udp *udp, const char *group)
{
    return change_group(udp, group, false, "fate_udp_leave");
}
