/* Addresses of peers and of listeners: IPv4, IPv6 and UNIX. */
#ifndef FATE_ADDRESS_H
#define FATE_ADDRESS_H

#include <fate/base.h>

FATE_BEGIN

/* A plain struct, to be copied at will; zeroed it is no address.  The path of a UNIX address is not in it: it
 * lasts as long as whatever has given the address. */
typedef struct fate_address {
    /* Ours; read them by the functions below. */
    uint16_t family; /* AF_INET, AF_INET6, AF_UNIX; 0: none */
    uint16_t port;   /* of the host's byte order */
    uint32_t scope;  /* of a link-local IPv6 address: the number of its interface */
    union {
        unsigned char ip[16]; /* IPv4 has the first four */
        struct {
            const char *path; /* abstract ones begin with a NUL; NULL: unnamed */
            size_t len;
        } local;
    } as;
} fate_address;

/* Room for any of the texts below. */
#define FATE_ADDRESS_TEXT_BYTES 128

/* "127.0.0.1:80", "[::1]:80", "[fe80::1%2]:80", "unix:/run/x", "unix:@abstract", "unix:" for one without a
 * name, and "" for none.  Returns ret_text. */
FATE_API const char *fate_address_text(const fate_address *address, char ret_text[FATE_ADDRESS_TEXT_BYTES]);
/* The same without port and brackets: "127.0.0.1", "::1", "/run/x". */
FATE_API const char *fate_address_host(const fate_address *address, char ret_text[FATE_ADDRESS_TEXT_BYTES]);
/* 0 for what has none. */
FATE_API unsigned fate_address_port(const fate_address *address);
/* AF_INET, AF_INET6 or AF_UNIX; 0 for none. */
FATE_API int fate_address_family(const fate_address *address);
FATE_API bool fate_address_equal(const fate_address *a, const fate_address *b);

/* Reads "127.0.0.1:80", "[::1]:80", and without a port, which is 0 then, "127.0.0.1", "::1", "[::1]"; behind
 * an IPv6 address "%2" or "%eth0" is its interface.  0; -EINVAL: names are not for here (fate_resolve);
 * -ENODEV: there is no such interface. */
FATE_API int fate_address_parse(const char *text, fate_address *ret_address);

FATE_END

#endif
