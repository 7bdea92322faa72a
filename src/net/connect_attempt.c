/* An attempt to connect to one address: a socket that becomes writable, or an end of the simulated network.
 */
#include <net/connect.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <base/sys.h>
#include <net/address.h>
#include <net/sim.h>

/* A UNIX listener whose backlog is full is asked again, more and more seldom. */
#define AGAIN_FIRST (2 * FATE_MILLISECOND)
#define AGAIN_MAX   (100 * FATE_MILLISECOND)

static const char own_site[] = FATE__OWN_SITE("fate_connect");

static const struct fate__endpoint *endpoint_of(const struct fate__attempt *attempt)
{
    return &attempt->of->endpoint;
}

/* ---- Waiting for the kernel ---- */

static void stop_waiting(struct fate__attempt *attempt)
{
    fate_unwatch(attempt->watch);
    fate_timer_cancel(attempt->again);
    attempt->watch.id = attempt->again.id = 0;
}

static int error_of(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;

    return fate__sys->getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

/* Where nobody listens on a port of this machine that is in the ephemeral range, the kernel may choose that
 * very port for our side, and the socket is connected to itself.  The kernel is asked for both ends: the
 * address that was asked for may be another one for this machine, as 0.0.0.0 is. */
static bool is_connected_to_itself(const struct fate__attempt *attempt)
{
    struct sockaddr_storage name;
    socklen_t len = sizeof name;
    fate_address here, peer;

    if (attempt->address.family == AF_UNIX || endpoint_of(attempt)->kind == FATE__ENDPOINT_FD)
        return false;
    if (fate__sys->getsockname(attempt->fd, (struct sockaddr *)&name, &len) < 0)
        return false;
    fate__address_from(&name, len, &here);
    if (here.port != attempt->address.port)
        return false;
    len = sizeof name;
    if (fate__sys->getpeername(attempt->fd, (struct sockaddr *)&name, &len) < 0)
        return false;
    fate__address_from(&name, len, &peer);
    return fate_address_equal(&here, &peer);
}

/* Closed without a reset, a socket that was connected to itself would keep the port from its server. */
static void close_with_reset(struct fate__attempt *attempt)
{
    const struct linger at_once = { 1, 0 };

    (void)fate__sys->setsockopt(attempt->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    fate__attempt_close(attempt);
}

static void became_writable(int fd, unsigned events, fate_value *arg)
{
    struct fate__attempt *attempt = fate_as_ptr(arg);
    int error = error_of(fd);

    stop_waiting(attempt);
    if (!error && is_connected_to_itself(attempt)) {
        close_with_reset(attempt);
        error = ECONNREFUSED;
    }
    fate__attempt_ended(attempt, error);
}

static int wait_until_writable(struct fate__attempt *attempt)
{
    attempt->watch = fate_watch_fd_at(attempt->of->reactor, attempt->fd, FATE_WRITABLE, became_writable,
                                      fate_ptr(attempt), own_site);
    return attempt->watch.id < 0 ? (int)attempt->watch.id : 0;
}

/* ---- Asking it ---- */

/* EINPROGRESS, EALREADY: under way.  EISCONN comes when one that was interrupted is asked for again. */
static int ask_kernel(const struct fate__attempt *attempt)
{
    struct sockaddr_storage to;
    int len = fate__address_to(&attempt->address, &to);
    int got;

    if (len <= 0)
        return len < 0 ? len : -EINVAL;
    do
        got = fate__sys->connect(attempt->fd, (const struct sockaddr *)&to, (socklen_t)len);
    while (got < 0 && errno == EINTR);
    return got == 0 || errno == EINPROGRESS || errno == EALREADY || errno == EISCONN ? 0 : -errno;
}

static int ask_or_wait(struct fate__attempt *attempt);

static void ask_again(fate_value *arg)
{
    struct fate__attempt *attempt = fate_as_ptr(arg);
    int why = ask_or_wait(attempt);

    if (why < 0)
        fate__attempt_ended(attempt, -why);
}

static int wait_for_backlog(struct fate__attempt *attempt)
{
    fate_time after = attempt->again_after ? attempt->again_after : AGAIN_FIRST;

    attempt->again_after = 2 * after < AGAIN_MAX ? 2 * after : AGAIN_MAX;
    attempt->again = fate_call_later_at(attempt->of->reactor, after, ask_again, fate_ptr(attempt), own_site);
    return attempt->again.id < 0 ? (int)attempt->again.id : 0;
}

/* One that is connected at once is writable at once: there is no need to tell it apart, and nobody is called
 * before fate_connect has returned. */
static int ask_or_wait(struct fate__attempt *attempt)
{
    int why = ask_kernel(attempt);

    if (why == -EAGAIN && attempt->address.family == AF_UNIX)
        return wait_for_backlog(attempt);
    return why < 0 ? why : wait_until_writable(attempt);
}

/* ---- The socket ---- */

static void set_no_delay(int fd, int family)
{
    const int on = 1;

    if (family != AF_UNIX)
        (void)fate__sys->setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* With the port left open, a local address costs no port until the peer is known: as many connections as
 * there are ports go to each peer. */
static int bind_socket(struct fate__attempt *attempt)
{
    const fate_address *bind = &attempt->of->bind;
    struct sockaddr_storage here;
    const int on = 1;

    if (!bind->family)
        return 0;
    attempt->doing = FATE__BINDING;
    if (bind->port)
        (void)fate__sys->setsockopt(attempt->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    else
        (void)fate__sys->setsockopt(attempt->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    int len = fate__address_to(bind, &here);
    if (fate__sys->bind(attempt->fd, (const struct sockaddr *)&here, (socklen_t)len) < 0)
        return -errno;
    return 0;
}

static int make_socket(struct fate__attempt *attempt)
{
    int family = attempt->address.family;

    attempt->doing = FATE__MAKING_SOCKET;
    attempt->fd = fate__sys->socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (attempt->fd < 0)
        return -errno;
    set_no_delay(attempt->fd, family);
    return bind_socket(attempt);
}

static int begin_socket(struct fate__attempt *attempt)
{
    int why = make_socket(attempt);

    if (why < 0)
        return why;
    attempt->doing = FATE__CONNECTING;
    return ask_or_wait(attempt);
}

/* ---- A descriptor that is given ---- */

/* It is given only if it can be used: a number that was mistyped may be somebody else's. */
static int check_given(const fate_reactor *reactor, int fd, fate_address *ret_peer)
{
    struct sockaddr_storage name;
    socklen_t name_len = sizeof name;
    int type = 0;
    socklen_t len = sizeof type;

    if (fate__is_in_use(reactor, fd))
        return -EBUSY;
    if (fate__sys->getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
        return -errno;
    if (type != SOCK_STREAM)
        return -EPROTOTYPE;
    if (fate__sys->getpeername(fd, (struct sockaddr *)&name, &name_len) < 0)
        return -errno;
    fate__address_from(&name, name_len, ret_peer);
    if (ret_peer->family == AF_UNIX) /* its path would not outlive this function */
        *ret_peer = (fate_address){ .family = AF_UNIX };
    return fate__sys->set_nonblocking(fd) < 0 ? -errno : 0;
}

static void use_given(fate_value *arg)
{
    struct fate__attempt *attempt = fate_as_ptr(arg);

    attempt->again.id = 0;
    fate__attempt_ended(attempt, 0);
}

/* It may be full, and not become writable: so that is not waited for. */
static int begin_given(struct fate__attempt *attempt)
{
    int fd = endpoint_of(attempt)->number;
    int why = check_given(attempt->of->reactor, fd, &attempt->address);

    attempt->doing = FATE__CONNECTING;
    if (why < 0)
        return why;
    attempt->again = fate_call_later_at(attempt->of->reactor, 0, use_given, fate_ptr(attempt), own_site);
    if (attempt->again.id < 0)
        return (int)attempt->again.id;
    attempt->fd = fd;
    set_no_delay(fd, attempt->address.family);
    return 0;
}

/* ---- The simulated network ---- */

static void simulated_ended(void *owner, int error)
{
    struct fate__attempt *attempt = owner;

    if (error < 0)
        attempt->end = NULL; /* it has gone */
    fate__attempt_ended(attempt, -error);
}

static int begin_simulated(struct fate__attempt *attempt)
{
    const struct fate__endpoint *endpoint = endpoint_of(attempt);
    bool has_address = endpoint->kind == FATE__ENDPOINT_TCP;

    attempt->doing = FATE__CONNECTING;
    attempt->end = fate__sim_connect(attempt->of->reactor, endpoint, has_address ? &attempt->address : NULL,
                                     simulated_ended, attempt);
    return attempt->end ? 0 : -ENOMEM;
}

/* ---- What connect.c calls ---- */

int fate__attempt_begin(struct fate__attempt *attempt)
{
    const struct fate__endpoint *endpoint = endpoint_of(attempt);
    int why;

    if (fate__is_simulated(attempt->of->reactor, endpoint))
        why = begin_simulated(attempt);
    else if (endpoint->kind == FATE__ENDPOINT_FD)
        why = begin_given(attempt);
    else
        why = begin_socket(attempt);
    if (why < 0)
        fate__attempt_close(attempt);
    return why;
}

void fate__attempt_close(struct fate__attempt *attempt)
{
    stop_waiting(attempt);
    fate__close(attempt->fd);
    attempt->fd = -1;
    if (attempt->end)
        fate__sim_close(attempt->end);
    attempt->end = NULL;
}

int fate__attempt_open(struct fate__attempt *attempt, fate_protocol **ret_protocol)
{
    struct fate__factory *factory = attempt->of->factory;
    struct fate__sim_end *end = attempt->end;
    int fd = attempt->fd;

    attempt->fd = -1;
    attempt->end = NULL;
    return end ? fate__sim_open(end, factory, ret_protocol)
               : fate__socket_open(factory, fd, &attempt->address, ret_protocol);
}
