/* Addresses and the kernel's form of them. */
#ifndef FATE_SRC_NET_ADDRESS_H
#define FATE_SRC_NET_ADDRESS_H

#include <sys/socket.h>

#include <fate/address.h>

/* Reads what the kernel gives.  The path of a UNIX address lies in from; what is of another family becomes
 * no address. */
void fate__address_from(const struct sockaddr_storage *from, socklen_t len, fate_address *ret_address);
/* Writes what the kernel takes: its length, 0 for no address, -ENAMETOOLONG for a path beyond 107 bytes. */
int fate__address_to(const fate_address *address, struct sockaddr_storage *ret_to);

#endif
