/* Addresses and the kernel's form of them. */
#ifndef FATE_SRC_NET_ADDRESS_H
#define FATE_SRC_NET_ADDRESS_H

#include <sys/socket.h>

#include <fate/address.h>

/* Reads what the kernel gives; IPv4 over IPv6 is IPv4.  The path of a UNIX address lies in from; what is of
 * another family becomes no address. */
void fate__address_from(const struct sockaddr_storage *from, socklen_t len, fate_address *ret_address);
/* Writes what the kernel takes: its length, 0 for no address, -ENAMETOOLONG for a path beyond 107 bytes, or
 * an abstract one beyond 107 behind its NUL. */
int fate__address_to(const fate_address *address, struct sockaddr_storage *ret_to);
/* Reads an address alone, "127.0.0.1", "::1", "fe80::1%eth0": len bytes.  0; -EINVAL; -ENODEV when there is
 * no such interface. */
int fate__address_literal(const char *text, size_t len, fate_address *ret_address);
/* Reads the digits of a number up to max: false for anything else, and what is not written so. */
bool fate__read_number(const char *text, size_t len, uint32_t max, uint32_t *ret_number);

#endif
