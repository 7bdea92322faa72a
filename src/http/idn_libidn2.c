/* International domain names by libidn2. */
#include <http/idn.h>

#include <errno.h>
#include <idn2.h>

#include <base/alloc.h>

const bool fate__has_idn = true;

int fate__idn_add(struct fate__text *to, struct fate__slice host, struct fate__why *why)
{
    struct fate__text name = { 0 };
    char shown[FATE__SHOWN_BYTES];
    uint8_t *ascii = NULL;

    fate__text_add_n(&name, host.s, host.len);
    if (name.has_failed)
        return -ENOMEM;
    int result = idn2_lookup_u8((const uint8_t *)name.bytes, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    fate__text_done(&name);
    if (result == IDN2_MALLOC)
        return -ENOMEM;
    if (result != IDN2_OK)
        return fate__because(why, -EINVAL, "the host \"%s\" is no international name: %s",
                             fate__shown(host.s, host.len, shown), idn2_strerror(result));
    fate__text_add(to, (const char *)ascii);
    idn2_free(ascii);
    return to->has_failed ? -ENOMEM : 0;
}
