/* Addresses: as texts, and as the kernel has them. */
#include <net/address.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include <base/sys.h>

#define PATH_ROOM sizeof(((struct sockaddr_un *)NULL)->sun_path)

/* The last byte of a path is a NUL, which abstract ones have in front. */
_Static_assert(PATH_ROOM == 108, "the paths of UNIX sockets have 107 bytes");

/* ---- To and from the kernel ---- */

static void from_ip4(const struct sockaddr_storage *from, fate_address *ret)
{
    struct sockaddr_in in;

    memcpy(&in, from, sizeof in);
    ret->port = ntohs(in.sin_port);
    memcpy(ret->as.ip, &in.sin_addr, 4);
}

/* To a socket of IPv6 that takes IPv4 as well, such an address is "::ffff:1.2.3.4" (RFC 4291, 2.5.5.2). */
static void from_ip6(const struct sockaddr_storage *from, fate_address *ret)
{
    struct sockaddr_in6 in;

    memcpy(&in, from, sizeof in);
    ret->port = ntohs(in.sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
        ret->family = AF_INET;
        memcpy(ret->as.ip, &in.sin6_addr.s6_addr[12], 4);
        return;
    }
    ret->scope = in.sin6_scope_id;
    memcpy(ret->as.ip, &in.sin6_addr, 16);
}

/* The kernel counts the NUL behind a path or does not; an abstract one may have NULs in it. */
static void from_local(const struct sockaddr_storage *from, socklen_t len, fate_address *ret)
{
    const char *path = (const char *)from + offsetof(struct sockaddr_un, sun_path);
    size_t room = (size_t)len - offsetof(struct sockaddr_un, sun_path);

    if (room > PATH_ROOM)
        room = PATH_ROOM;
    size_t path_len = room > 0 && path[0] ? strnlen(path, room) : room;
    if (path_len == 0)
        return;
    ret->as.local.path = path;
    ret->as.local.len = path_len;
}

void fate__address_from(const struct sockaddr_storage *from, socklen_t len, fate_address *ret_address)
{
    fate_address read = { 0 };

    if (len < sizeof from->ss_family) {
        *ret_address = read;
        return;
    }
    read.family = from->ss_family;
    if (read.family == AF_INET && len >= sizeof(struct sockaddr_in))
        from_ip4(from, &read);
    else if (read.family == AF_INET6 && len >= sizeof(struct sockaddr_in6))
        from_ip6(from, &read);
    else if (read.family == AF_UNIX)
        from_local(from, len, &read);
    else
        read.family = 0;
    *ret_address = read;
}

static int to_local(const fate_address *address, struct sockaddr_storage *ret_to)
{
    struct sockaddr_un *to = (struct sockaddr_un *)ret_to;
    size_t len = address->as.local.path ? address->as.local.len : 0;
    bool is_abstract = len > 0 && address->as.local.path[0] == '\0';

    if (len > PATH_ROOM - !is_abstract)
        return -ENAMETOOLONG;
    if (len > 0)
        memcpy(to->sun_path, address->as.local.path, len);
    /* With the NUL, so that who reads the path finds its end. */
    size_t nul = len > 0 && !is_abstract;
    return (int)(offsetof(struct sockaddr_un, sun_path) + len + nul);
}

static int to_ip(const fate_address *address, struct sockaddr_storage *ret_to)
{
    if (address->family == AF_INET) {
        struct sockaddr_in *to = (struct sockaddr_in *)ret_to;
        to->sin_port = htons(address->port);
        memcpy(&to->sin_addr, address->as.ip, 4);
        return sizeof *to;
    }
    struct sockaddr_in6 *to = (struct sockaddr_in6 *)ret_to;
    to->sin6_port = htons(address->port);
    to->sin6_scope_id = address->scope;
    memcpy(&to->sin6_addr, address->as.ip, 16);
    return sizeof *to;
}

int fate__address_to(const fate_address *address, struct sockaddr_storage *ret_to)
{
    memset(ret_to, 0, sizeof *ret_to);
    ret_to->ss_family = address->family;
    switch (address->family) {
    case AF_INET:
    case AF_INET6:
        return to_ip(address, ret_to);
    case AF_UNIX:
        return to_local(address, ret_to);
    default:
        return 0;
    }
}

/* ---- As text ---- */

/* "/run/x", or "@abstract" for what begins with a NUL.  What is not to be printed is a question mark. */
static void local_text(const fate_address *address, char *to, size_t room)
{
    const char *path = address->as.local.path;
    size_t len = path ? address->as.local.len : 0;

    if (len >= room)
        len = room - 1;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)path[i];
        to[i] = (char)(c == '\0' ? '@' : c < ' ' || c == 127 ? '?' : c);
    }
    to[len] = '\0';
}

static void ip_text(const fate_address *address, char *to, size_t room)
{
    inet_ntop(address->family, address->as.ip, to, (socklen_t)room);
    size_t len = strlen(to);
    if (address->family == AF_INET6 && address->scope)
        snprintf(to + len, room - len, "%%%u", (unsigned)address->scope);
}

const char *fate_address_host(const fate_address *address, char ret_text[FATE_ADDRESS_TEXT_BYTES])
{
    ret_text[0] = '\0';
    if (address->family == AF_UNIX)
        local_text(address, ret_text, FATE_ADDRESS_TEXT_BYTES);
    else if (address->family)
        ip_text(address, ret_text, FATE_ADDRESS_TEXT_BYTES);
    return ret_text;
}

const char *fate_address_text(const fate_address *address, char ret_text[FATE_ADDRESS_TEXT_BYTES])
{
    char host[INET6_ADDRSTRLEN + 16];

    ret_text[0] = '\0';
    if (address->family == AF_UNIX) {
        memcpy(ret_text, "unix:", 5);
        local_text(address, ret_text + 5, FATE_ADDRESS_TEXT_BYTES - 5);
    } else if (address->family) {
        bool is_ip6 = address->family == AF_INET6;
        ip_text(address, host, sizeof host);
        snprintf(ret_text, FATE_ADDRESS_TEXT_BYTES, is_ip6 ? "[%s]:%u" : "%s:%u", host,
                 (unsigned)address->port);
    }
    return ret_text;
}

/* ---- Reading texts ---- */

bool fate__read_number(const char *text, size_t len, uint32_t max, uint32_t *ret_number)
{
    uint64_t number = 0;

    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(text[i] - '0');
        if (number > max)
            return false;
    }
    *ret_number = (uint32_t)number;
    return true;
}

static int read_scope(const char *text, size_t len, uint32_t *ret_scope)
{
    char name[IF_NAMESIZE];

    if (fate__read_number(text, len, UINT32_MAX, ret_scope))
        return *ret_scope ? 0 : -EINVAL;
    if (len == 0)
        return -EINVAL;
    if (len >= sizeof name)
        return -ENODEV;
    memcpy(name, text, len);
    name[len] = '\0';
    int index = fate__sys->interface_index(name);
    if (index <= 0)
        return -ENODEV;
    *ret_scope = (uint32_t)index;
    return 0;
}

int fate__address_literal(const char *text, size_t len, fate_address *ret_address)
{
    const char *percent = memchr(text, '%', len);
    size_t ip_len = percent ? (size_t)(percent - text) : len;
    char ip[INET6_ADDRSTRLEN];
    fate_address read = { 0 };

    if (ip_len >= sizeof ip || memchr(text, '\0', ip_len))
        return -EINVAL;
    memcpy(ip, text, ip_len);
    ip[ip_len] = '\0';
    read.family = memchr(ip, ':', ip_len) ? AF_INET6 : AF_INET;
    if (inet_pton(read.family, ip, read.as.ip) != 1 || (percent && read.family == AF_INET))
        return -EINVAL;
    int why = percent ? read_scope(percent + 1, len - ip_len - 1, &read.scope) : 0;
    if (why == 0)
        *ret_address = read;
    return why;
}

/* Where the port begins, behind its colon; NULL: there is none.  The address is at text then, for
 * *ret_len bytes.  A single colon outside of brackets is that of an IPv4 address. */
static const char *find_port(const char **text, size_t *ret_len)
{
    const char *colon = strchr(*text, ':');

    if (**text == '[') {
        const char *end = strchr(*text, ']');
        if (!end || (end[1] && end[1] != ':'))
            return NULL;
        ++*text;
        *ret_len = (size_t)(end - *text);
        return end[1] ? end + 2 : NULL;
    }
    bool has_port = colon && !strchr(colon + 1, ':');
    *ret_len = has_port ? (size_t)(colon - *text) : strlen(*text);
    return has_port ? colon + 1 : NULL;
}

int fate_address_parse(const char *text, fate_address *ret_address)
{
    bool is_bracketed = text[0] == '[';
    fate_address read;
    size_t len = 0;
    uint32_t number = 0;

    const char *port = find_port(&text, &len);
    int why = len ? fate__address_literal(text, len, &read) : -EINVAL;
    if (why)
        return why;
    if (is_bracketed && read.family != AF_INET6)
        return -EINVAL;
    if (port && !fate__read_number(port, strlen(port), UINT16_MAX, &number))
        return -EINVAL;
    read.port = (uint16_t)number;
    *ret_address = read;
    return 0;
}

/* ---- Looking ---- */

unsigned fate_address_port(const fate_address *address)
{
    return address->family == AF_INET || address->family == AF_INET6 ? address->port : 0;
}

int fate_address_family(const fate_address *address)
{
    return address->family;
}

static bool are_local_equal(const fate_address *a, const fate_address *b)
{
    size_t len = a->as.local.path ? a->as.local.len : 0;

    if (len != (b->as.local.path ? b->as.local.len : 0))
        return false;
    return len == 0 || memcmp(a->as.local.path, b->as.local.path, len) == 0;
}

bool fate_address_equal(const fate_address *a, const fate_address *b)
{
    if (a->family != b->family)
        return false;
    switch (a->family) {
    case AF_INET:
        return a->port == b->port && memcmp(a->as.ip, b->as.ip, 4) == 0;
    case AF_INET6:
        return a->port == b->port && a->scope == b->scope && memcmp(a->as.ip, b->as.ip, 16) == 0;
    case AF_UNIX:
        return are_local_equal(a, b);
    default:
        return true;
    }
}
