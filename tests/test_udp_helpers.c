/* Datagrams in tests. */
#include "test_udp_helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <net/address.h>

/* ---- A udp ---- */

static void note(struct test_udp *side, const fate_datagram *datagram)
{
    side->n++;
    side->len = datagram->len;
    side->is_truncated = datagram->is_truncated;
    side->from = *datagram->from;
    fate_address_text(datagram->from, side->from_text);
    if (datagram->error)
        test_trace_add("%s error %s; ", side->name, fate_errno_name(datagram->error));
    else
        test_trace_add("%s got %.20s; ", side->name, datagram->data);
}

static void got(fate_udp *udp, const fate_datagram *datagram, fate_value *arg)
{
    struct test_udp *side = fate_as_ptr(arg);

    note(side, datagram);
    if (side->echoes && !datagram->error)
        EXPECT_EQ(fate_udp_send(udp, datagram->from, datagram->data, datagram->len), 0);
    if (side->closes) {
        EXPECT_EQ(fate_udp_close(udp), 0);
        EXPECT_EQ(fate_udp_close(udp), -ENOTCONN);
        EXPECT_EQ(fate_udp_send(udp, datagram->from, "x", 1), -ENOTCONN);
        EXPECT_EQ(fate_udp_join(udp, "224.0.0.251"), -ENOTCONN);
        side->udp = NULL;
    }
}

static fate_value forgive(fate_value *why, fate_value *arg)
{
    return fate_none();
}

/* On a simulated reactor what needs no name has fired. */
static fate_value result_now(fate_deferred *d)
{
    fate_value v = fate_copy(fate_peek(d));

    fate_add_errback(d, forgive, fate_none());
    return v;
}

bool test_udp_open(struct test_udp *side, fate_reactor *reactor, const char *name, const char *endpoint,
                   const fate_udp_options *options)
{
    *side = (struct test_udp){ .name = name };
    fate_deferred *d = options ? fate_udp_open_at(reactor, endpoint, got, fate_ptr(side), options, FATE_HERE)
                               : fate_udp_open(reactor, endpoint, got, fate_ptr(side));
    fate_value v = reactor == net_reactor ? net_result_of(d) : result_now(d);

    if (fate_is_failure(&v))
        test_expect_described(FATE_HERE, &v, "a udp", "what fate_udp_open has fired with");
    else
        side->udp = fate_as_udp(&v);
    fate_drop(v);
    return side->udp != NULL;
}

int test_udp_send(const struct test_udp *side, const fate_address *to, const char *text)
{
    return side->udp ? fate_udp_send(side->udp, to, text, strlen(text)) : -ENOTCONN;
}

bool test_udp_until(const struct test_udp *side, int n)
{
    return net_run_until_count(&side->n, n);
}

/* ---- Raw ---- */

fate_address test_loopback(int family, unsigned port)
{
    fate_address address = { .family = (uint16_t)family, .port = (uint16_t)port };

    if (family == AF_INET6) {
        address.as.ip[15] = 1;
        return address;
    }
    address.as.ip[0] = 127;
    address.as.ip[3] = 1;
    return address;
}

int test_raw(int family, fate_address *ret_address)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_storage kernel;
    const fate_address at = test_loopback(family, ret_address->port);
    socklen_t len = (socklen_t)fate__address_to(&at, &kernel);

    test_expect(FATE_HERE, fd >= 0 && bind(fd, (struct sockaddr *)&kernel, len) == 0, "a raw socket");
    len = sizeof kernel;
    getsockname(fd, (struct sockaddr *)&kernel, &len);
    fate__address_from(&kernel, len, ret_address);
    return fd;
}

void test_raw_send(int fd, int family, unsigned port, const char *text)
{
    struct sockaddr_storage kernel;
    const fate_address to = test_loopback(family, port);
    socklen_t len = (socklen_t)fate__address_to(&to, &kernel);
    ssize_t n = sendto(fd, text, strlen(text), 0, (struct sockaddr *)&kernel, len);

    test_expect(FATE_HERE, n == (ssize_t)strlen(text), "a raw socket sends");
}

struct hearing {
    int fd;
    char text[256];
    fate_address from;
    bool has_heard;
};

static bool has_heard(void *arg)
{
    struct hearing *hearing = arg;

    if (hearing->has_heard)
        return true;
    struct sockaddr_storage kernel;
    socklen_t len = sizeof kernel;
    ssize_t n =
        recvfrom(hearing->fd, hearing->text, sizeof hearing->text - 1, 0, (struct sockaddr *)&kernel, &len);

    if (n < 0)
        return false;
    hearing->has_heard = true;
    hearing->text[n] = '\0';
    fate__address_from(&kernel, len, &hearing->from);
    return true;
}

const char *test_raw_got(int fd, unsigned *ret_port)
{
    static struct hearing hearing;

    hearing = (struct hearing){ .fd = fd };
    net_run_until(has_heard, &hearing);
    if (ret_port)
        *ret_port = fate_address_port(&hearing.from);
    return hearing.text;
}
