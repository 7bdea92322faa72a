/* About a connection: its ends, its options, its idle timeout, and why it has failed. */
#include <net/stream.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

/* Of FATE_TIMEOUT, as all timeouts. */
FATE_CLASS(FATE_IDLE_TIMEOUT, "IdleTimeout", &FATE_TIMEOUT);

/* ---- Failures ---- */

fate_value fate__connection_failure(const fate_transport *transport, const char *doing, int error)
{
    char peer[FATE_ADDRESS_TEXT_BYTES];
    bool is_reset = error == ECONNRESET || error == EPIPE;

    return fate__raise(fate__site_of_transport(transport),
                       is_reset ? &FATE_CONNECTION_RESET : &FATE_CONNECTION_LOST, "%s %s: %s", doing,
                       fate_address_text(&transport->peer, peer), fate__errno_words(error));
}

/* ---- Ends ---- */

const fate_address *fate_peer(const fate_transport *transport)
{
    fate__check_transport(transport, "fate_peer");
    return &transport->peer;
}

/* The path lies in the wire. */
static void ask_here(fate_transport *transport, struct fate__extra *extra)
{
    fate_address *here = &extra->here;

    transport->wire->here(transport, here);
    if (here->family != AF_UNIX || !here->as.local.path)
        return;
    size_t len =
        here->as.local.len < sizeof extra->here_path ? here->as.local.len : sizeof extra->here_path - 1;
    memcpy(extra->here_path, here->as.local.path, len);
    extra->here_path[len] = '\0';
    here->as.local.path = extra->here_path;
    here->as.local.len = len;
}

const fate_address *fate_here(const fate_transport *transport)
{
    static const fate_address none;
    fate_transport *own = (fate_transport *)(uintptr_t)transport;

    fate__check_transport(transport, "fate_here");
    bool is_known = transport->extra && transport->extra->here.family;
    struct fate__extra *extra = transport->flags & FATE__IS_LOST ? transport->extra : fate__extra(own);
    if (!extra)
        return &none;
    if (!is_known && !(transport->flags & FATE__IS_LOST))
        ask_here(own, extra);
    return &extra->here;
}

/* ---- Options of TCP ---- */

static int set_option(fate_transport *transport, int level, int option, int value)
{
    if (transport->flags & FATE__IS_LOST)
        return -ENOTCONN;
    return transport->wire->set_option ? transport->wire->set_option(transport, level, option, value)
                                       : -EOPNOTSUPP;
}

int fate_set_no_delay(fate_transport *transport, bool on)
{
    fate__check_transport(transport, "fate_set_no_delay");
    return set_option(transport, IPPROTO_TCP, TCP_NODELAY, on);
}

int fate_set_keep_alive(fate_transport *transport, fate_time after)
{
    fate__check_transport(transport, "fate_set_keep_alive");
    fate_time seconds = after / FATE_SECOND + (after % FATE_SECOND > 0);

    if (after <= 0 || after == FATE_NEVER)
        return set_option(transport, SOL_SOCKET, SO_KEEPALIVE, 0);
    int why = set_option(transport, IPPROTO_TCP, TCP_KEEPIDLE, seconds < 32767 ? (int)seconds : 32767);
    return why < 0 ? why : set_option(transport, SOL_SOCKET, SO_KEEPALIVE, 1);
}

/* ---- The idle timeout ----
 *
 * What goes either way only notes the time; the timer looks at that when it is due, and waits for the rest.
 */

static void plan(fate_transport *transport, fate_time delay);

static void is_idle(fate_transport *transport)
{
    fate_time timeout = transport->extra->idle_timeout;

    fate__flush(transport);
    fate__lose(transport,
               fate__raise(fate__site_of_transport(transport), &FATE_IDLE_TIMEOUT,
                           "nothing was received or sent for %g s", (double)timeout / (double)FATE_SECOND),
               false);
}

/* What came while nobody could look, the process being stopped say, is read before that counts. */
static void look(fate_value *arg)
{
    fate_transport *transport = fate_as_ptr(arg);
    struct fate__extra *extra = transport->extra;
    fate_time left = extra->active + extra->idle_timeout - transport->net->reactor->now;

    extra->idle.id = 0;
    if (left > 0) {
        extra->is_looking = false;
        plan(transport, left);
    } else if (!extra->is_looking) {
        extra->is_looking = true;
        plan(transport, 0);
    } else {
        is_idle(transport);
    }
}

static void plan(fate_transport *transport, fate_time delay)
{
    struct fate__extra *extra = transport->extra;

    extra->idle = fate_call_later_at(transport->net->reactor, delay, look, fate_ptr(transport),
                                     FATE__OWN_SITE("an idle timeout"));
    if (extra->idle.id < 0)
        fate__lose(transport, fate__no_memory(), true);
}

void fate__stop_timers(fate_transport *transport)
{
    if (!transport->extra)
        return;
    fate_timer_cancel(transport->extra->idle);
    fate_timer_cancel(transport->extra->again);
}

int fate_set_idle_timeout(fate_transport *transport, fate_time timeout)
{
    fate__check_transport(transport, "fate_set_idle_timeout");
    if (transport->flags & FATE__IS_LOST)
        return -ENOTCONN;
    struct fate__extra *extra = fate__extra(transport);
    if (!extra)
        return -ENOMEM;
    fate_timer_cancel(extra->idle);
    transport->flags &= ~(unsigned)FATE__TIMES;
    if (timeout <= 0 || timeout == FATE_NEVER)
        return 0;
    extra->idle_timeout = timeout;
    extra->active = fate__now(transport->net->reactor);
    extra->is_looking = false;
    transport->flags |= FATE__TIMES;
    plan(transport, timeout);
    return transport->flags & FATE__IS_LOST ? -ENOMEM : 0;
}
