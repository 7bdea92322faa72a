/* International domain names: by libidn2 (idn_libidn2.c), or not at all (idn_none.c). */
#ifndef FATE_SRC_HTTP_IDN_H
#define FATE_SRC_HTTP_IDN_H

#include <base/slice.h>
#include <base/text.h>
#include <base/why.h>

/* Whether hosts beyond ASCII are understood. */
extern const bool fate__has_idn;

/* Adds the name in A-labels (IDNA 2008 by way of UTS 46, non-transitional).  0, -EINVAL or -ENOMEM.  What
 * comes out is ASCII, yet may have characters that no host has. */
int fate__idn_add(struct fate__text *to, struct fate__slice host, struct fate__why *why);

#endif
