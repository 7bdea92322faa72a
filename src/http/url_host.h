/* The host of a URL: names, IPv4 and IPv6 addresses. */
#ifndef FATE_SRC_HTTP_URL_HOST_H
#define FATE_SRC_HTTP_URL_HOST_H

#include <http/url.h>

/* Adds the host in its normal form, IPv6 without the brackets that it has in the URL.  0, -EINVAL or -ENOMEM.
 */
int fate__host_add(struct fate__text *to, struct fate__slice host, enum fate__host_kind *ret_kind,
                   struct fate__why *why);

#endif
