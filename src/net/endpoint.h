/* Endpoints, read. */
#ifndef FATE_SRC_NET_ENDPOINT_H
#define FATE_SRC_NET_ENDPOINT_H

#include <fate/endpoint.h>

enum fate__endpoint_kind {
    FATE__ENDPOINT_TCP,
    FATE__ENDPOINT_TLS,
    FATE__ENDPOINT_UNIX,
    FATE__ENDPOINT_SYSTEMD,
    FATE__ENDPOINT_FD,
    FATE__ENDPOINT_MEMORY,
    FATE__ENDPOINT_UDP,
    FATE__ENDPOINT_UNIXGRAM,
    FATE__ENDPOINT_UNIXGRAM_TO
};

/* What it is for: other parts and options are allowed. */
enum fate__endpoint_use { FATE__TO_LISTEN, FATE__TO_CONNECT, FATE__FOR_DATAGRAMS };

struct fate__endpoint {
    enum fate__endpoint_kind kind;
    int family;         /* AF_INET for tcp4, AF_INET6 for tcp6, AF_UNSPEC for tcp; domain= of systemd */
    char *host;         /* connect: a name or a literal without brackets; listen: interface=, or NULL for all;
                           datagrams: to whom it is connected, or NULL */
    unsigned port;      /* 0 to 65535 */
    char *name;         /* path of unix (an abstract one begins with '@'), name of memory and systemd */
    int number;         /* of fd, and of systemd by index; -1: by name */
    char *bind;         /* connect: bind=, a literal, or NULL; datagrams: interface=, too */
    unsigned bind_port; /* bind=host\:port or 0 */
    int mode;           /* unix: of the socket file, octal; -1: as the umask leaves it */
    int backlog;        /* 0: not said */
    bool share_port;    /* reuseport=yes */
    char *certificate, *key, *peer_name; /* tls: cert=, key=, name= */
    char *text;                          /* as it was written, for messages */
    char *memory;                        /* in which all of them lie */
};

/* Reads it; what the use does not allow is an error, too.  None, or a failure FATE_ENDPOINT_ERROR that names
 * the bad part, says what is wrong with it, and what may have been meant; FATE_NO_MEMORY. */
fate_value fate__endpoint_read(const char *text, enum fate__endpoint_use use, const char *site,
                               struct fate__endpoint *ret_endpoint);
void fate__endpoint_done(struct fate__endpoint *endpoint);

#endif
