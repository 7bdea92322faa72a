/* International domain names, where libidn2 was missing at build time. */
#include <http/idn.h>

#include <errno.h>

const bool fate__has_idn = false;

int fate__idn_add(struct fate__text *to, struct fate__slice host, struct fate__why *why)
{
    char shown[FATE__SHOWN_BYTES];

    return fate__because(
        why, -EINVAL,
        "the host \"%s\" is not ASCII, and this libfate was built without libidn2: write its "
        "form that begins with xn--",
        fate__shown(host.s, host.len, shown));
}
