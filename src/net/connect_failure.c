/* What failures to connect say: what was tried, why it went wrong, and what to do about it. */
#include <net/connect.h>

#include <errno.h>
#include <stdio.h>

#include <base/text.h>
#include <value/value.h>

FATE_CLASS(FATE_CONNECT_ALL, "ConnectAllError", &FATE_CONNECT_ERROR);
FATE_CLASS(FATE_CONNECT_TIMEOUT, "ConnectTimeout", &FATE_TIMEOUT);

/* ---- The words for an errno ---- */

/* Where it was met, one of several. */
enum {
    MAKING = 1 << 0, /* a socket */
    BINDING = 1 << 1,
    IP = 1 << 2, /* and the others: connecting to such an address */
    PATH = 1 << 3,
    ABSTRACT = 1 << 4,
    MEMORY = 1 << 5,
    GIVEN = 1 << 6,
    FROM = 1 << 7 /* connecting with bind= */
};

static const struct why {
    unsigned where;
    int error;
    const fate_class *class;
    const char *words;
} reasons[] = {
    { MAKING, EMFILE, &FATE_CONNECT_ERROR,
      "this process has too many open files: raise its limit (ulimit -n, LimitNOFILE=), or close some" },
    { MAKING, ENFILE, &FATE_CONNECT_ERROR, "the system has too many open files: raise fs.file-max" },
    { MAKING, EAFNOSUPPORT, &FATE_CONNECTION_UNREACHABLE, "this system has no addresses of that family" },
    { BINDING, EADDRNOTAVAIL, &FATE_CONNECT_ERROR,
      "this machine does not have the address of bind=; `ip address` shows those that it has" },
    { BINDING, EADDRINUSE, &FATE_CONNECT_ERROR,
      "the port of bind= is in use: leave it away, and the system chooses one that is free" },
    { BINDING, EACCES, &FATE_CONNECT_ERROR,
      "the port of bind= is not permitted: those below 1024 need CAP_NET_BIND_SERVICE" },
    { IP, ECONNREFUSED, &FATE_CONNECTION_REFUSED, "refused: nothing listens there" },
    { IP, EADDRNOTAVAIL, &FATE_CONNECT_ERROR,
      "no local port is left for it: all of net.ipv4.ip_local_port_range are in use, perhaps by connections "
      "closed a minute ago; keep connections for longer, or widen the range" },
    { IP, EADDRINUSE, &FATE_CONNECT_ERROR,
      "there is a connection between these addresses and ports still, perhaps one closed a minute ago: leave "
      "the port of bind= away" },
    { IP, ENETUNREACH, &FATE_CONNECTION_UNREACHABLE, "unreachable: this machine has no route to it" },
    { IP, EHOSTUNREACH, &FATE_CONNECTION_UNREACHABLE,
      "unreachable: no router knows a way to it, or it is not there" },
    { IP, ENETDOWN, &FATE_CONNECTION_UNREACHABLE, "unreachable: the network interface is down" },
    { IP, EHOSTDOWN, &FATE_CONNECTION_UNREACHABLE, "unreachable: the host is down" },
    { IP, ENONET, &FATE_CONNECTION_UNREACHABLE, "unreachable: this machine is not on a network" },
    { IP, ECONNRESET, &FATE_CONNECT_ERROR, "reset: it was accepted, and closed at once" },
    { IP, ETIMEDOUT, &FATE_CONNECT_TIMEOUT, "no answer, and the system has given up" },
    { IP, EPERM, &FATE_CONNECT_ERROR, "not permitted, by a firewall rule of this machine, say" },
    { IP, EACCES, &FATE_CONNECT_ERROR, "not permitted, by a security policy of this machine, say" },
    { IP, EINVAL, &FATE_CONNECT_ERROR,
      "invalid: a link-local address needs its interface, as in [fe80::1%eth0]" },
    { FROM, EINVAL, &FATE_CONNECT_ERROR,
      "no way leads there from the address of bind=: leave it away, and the system chooses one" },
    { PATH, ENOENT, &FATE_CONNECT_ERROR,
      "there is no such socket: its server does not run, or listens elsewhere" },
    { PATH, ECONNREFUSED, &FATE_CONNECTION_REFUSED,
      "refused: nobody listens there any more; the server that made it has ended" },
    { PATH, EACCES, &FATE_CONNECT_ERROR,
      "no permission to write to it, or to search one of its folders: its server sets that by mode=" },
    { PATH | ABSTRACT, EPROTOTYPE, &FATE_CONNECT_ERROR,
      "not a socket of streams: its server takes datagrams" },
    { PATH | ABSTRACT, EAGAIN, &FATE_CONNECT_ERROR, "its server does not accept connections" },
    { ABSTRACT, ECONNREFUSED, &FATE_CONNECTION_REFUSED, "refused: nobody listens there" },
    { MEMORY, ECONNREFUSED, &FATE_CONNECTION_REFUSED, "refused: nobody on this reactor listens there" },
    { GIVEN, EOPNOTSUPP, &FATE_CONNECT_ERROR, "the simulated network has no descriptors" },
    { GIVEN, EBUSY, &FATE_CONNECT_ERROR, "it was given before, and is in use: give a copy (dup)" },
    { GIVEN, EBADF, &FATE_CONNECT_ERROR, "there is no such descriptor" },
    { GIVEN, ENOTSOCK, &FATE_CONNECT_ERROR, "it is not a socket" },
    { GIVEN, EPROTOTYPE, &FATE_CONNECT_ERROR, "it is not a socket of streams" },
    { GIVEN, ENOTCONN, &FATE_CONNECT_ERROR, "it is not connected, and fd: takes what is" },
};

static unsigned where_of(const struct fate__attempt *attempt)
{
    const struct fate__endpoint *endpoint = &attempt->of->endpoint;

    if (attempt->doing != FATE__CONNECTING)
        return attempt->doing == FATE__BINDING ? BINDING : MAKING;
    switch (endpoint->kind) {
    case FATE__ENDPOINT_UNIX:
        return endpoint->name[0] == '@' ? ABSTRACT : PATH;
    case FATE__ENDPOINT_MEMORY:
        return MEMORY;
    case FATE__ENDPOINT_FD:
        return GIVEN;
    default:
        return attempt->of->bind.family && attempt->error == EINVAL ? FROM : IP;
    }
}

static struct why why_of(const struct fate__attempt *attempt)
{
    unsigned where = where_of(attempt);

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].error == attempt->error && reasons[i].where & where)
            return reasons[i];
    return (struct why){ where, attempt->error, &FATE_CONNECT_ERROR, fate__errno_words(attempt->error) };
}

/* ---- The text ---- */

static void begin(struct fate__text *text, const struct fate__connecting *connecting)
{
    *text = (struct fate__text){ .len = 0 };
    fate__text_format(text, "connect to %s: ", connecting->endpoint.text);
}

/* payload is given. */
static fate_value end(struct fate__text *text, const struct fate__connecting *connecting, const fate_class *c,
                      fate_value payload)
{
    fate_value failure = fate__no_memory();

    if (text->has_failed)
        fate_drop(payload);
    else
        failure = fate_raise_with_at("fate_connect", connecting->site, c, payload, "%s", text->bytes);
    fate__text_done(text);
    return failure;
}

fate_value fate__connect_raise(const struct fate__connecting *connecting, const fate_class *c,
                               const char *fmt, ...)
{
    struct fate__text text;
    va_list args;

    begin(&text, connecting);
    va_start(args, fmt);
    fate__text_format_v(&text, fmt, args);
    va_end(args);
    return end(&text, connecting, c, fate_none());
}

static void add_address(struct fate__text *text, const struct fate__attempt *attempt)
{
    char address[FATE_ADDRESS_TEXT_BYTES];

    fate__text_add(text, fate_address_text(&attempt->address, address));
}

static void add_why(struct fate__text *text, const struct fate__attempt *attempt)
{
    fate__text_format(text, "%s (%s)", why_of(attempt).words, fate_errno_name(attempt->error));
}

/* ---- All attempts have failed ---- */

/* It says which address where the endpoint does not. */
fate_value fate__attempt_failure(const struct fate__attempt *attempt)
{
    const struct fate__connecting *connecting = attempt->of;
    struct fate__text text;

    if (attempt->error == ENOMEM)
        return fate__no_memory();
    begin(&text, connecting);
    if (connecting->has_name) {
        add_address(&text, attempt);
        fate__text_add(&text, ": ");
    }
    add_why(&text, attempt);
    return end(&text, connecting, why_of(attempt).class, fate_int(attempt->error));
}

static fate_value list_failures(const struct fate__connecting *connecting)
{
    fate_value list = fate_list(0, NULL);

    for (unsigned i = 0; i < connecting->eyeballs.n && !fate_is_failure(&list); i++)
        if (fate_list_append(&list, fate__attempt_failure(&connecting->attempts[i])) < 0) {
            fate_drop(list);
            return fate__no_memory();
        }
    return list;
}

/* "10.0.0.1:80: refused: nothing listens there (ECONNREFUSED); [::1]:80: …", of those that have failed. */
static void add_failed(struct fate__text *text, const struct fate__connecting *connecting)
{
    const char *between = "";

    for (unsigned i = 0; i < connecting->eyeballs.next; i++) {
        const struct fate__attempt *attempt = &connecting->attempts[i];
        if (!attempt->error)
            continue;
        fate__text_add(text, between);
        add_address(text, attempt);
        fate__text_add(text, ": ");
        add_why(text, attempt);
        between = "; ";
    }
}

static bool are_alike(const struct fate__connecting *connecting)
{
    const struct fate__attempt *first = &connecting->attempts[0];

    for (unsigned i = 1; i < connecting->eyeballs.n; i++)
        if (connecting->attempts[i].error != first->error || connecting->attempts[i].doing != first->doing)
            return false;
    return true;
}

/* Whoever asks whether it was refused need not know how many addresses the name has: localhost has$
 * two. */
fate_value fate__connect_failure(const struct fate__connecting *connecting)
{
    const struct fate__attempt *first = &connecting->attempts[0];
    struct fate__text text;

    if (connecting->eyeballs.n == 1 || (first->error == ENOMEM && are_alike(connecting)))
        return fate__attempt_failure(first);
    begin(&text, connecting);
    fate__text_format(&text, "none of %u addresses: ", connecting->eyeballs.n);
    add_failed(&text, connecting);
    if (are_alike(connecting))
        return end(&text, connecting, why_of(first).class, fate_int(first->error));
    return end(&text, connecting, &FATE_CONNECT_ALL, list_failures(connecting));
}

/* ---- There was not enough time ---- */

/* "10.0.0.1:80 and [::1]:80 did not answer" */
static void add_pending(struct fate__text *text, const struct fate__connecting *connecting)
{
    const char *between = "";

    for (unsigned i = 0; i < connecting->eyeballs.next; i++) {
        if (connecting->attempts[i].error)
            continue;
        fate__text_add(text, between);
        add_address(text, &connecting->attempts[i]);
        between = " and ";
    }
    fate__text_add(text, " did not answer");
}

static bool has_failed_attempt(const struct fate__connecting *connecting)
{
    for (unsigned i = 0; i < connecting->eyeballs.next; i++)
        if (connecting->attempts[i].error)
            return true;
    return false;
}

static void add_state(struct fate__text *text, const struct fate__connecting *connecting)
{
    if (connecting->names.d)
        fate__text_format(text, "the addresses of %s are still being looked up", connecting->endpoint.host);
    else if (connecting->endpoint.kind == FATE__ENDPOINT_TCP)
        add_pending(text, connecting);
    else
        fate__text_add(text, "its server does not accept connections");
    if (has_failed_attempt(connecting)) {
        fate__text_add(text, "; ");
        add_failed(text, connecting);
    }
}

fate_value fate__connect_timeout(const struct fate__connecting *connecting)
{
    struct fate__text text;
    char span[FATE__SPAN_BYTES];

    begin(&text, connecting);
    fate__text_format(&text, "no connection within %s: ", fate__span_text(connecting->timeout, span));
    add_state(&text, connecting);
    return end(&text, connecting, &FATE_CONNECT_TIMEOUT, fate_none());
}
